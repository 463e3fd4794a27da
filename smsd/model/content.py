"""What a whole incoming message is: a text for people, octets for a program, a mere sign."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an incoming message is."""

    TEXT = "text"
    MMS = "mms"  # the notification that one waits, in readable words
    DATA = "data"  # octets, or a text for a program's port
    WAITING = "waiting"  # messages wait elsewhere: a voice mailbox
    RETURN_CALL = "return_call"  # whoever sent it wants to be called
    SILENT = "silent"  # type 0: only that the phone is there was wanted


@dataclass(frozen=True, slots=True)
class Content:
    """A whole message; ``text`` is ``None`` where there is none for people.

    ``silent``: it is kept as it came and shown to nobody. ``replaces`` is the type, 1 to 7, of
    which a newer message takes an older one's place (23.040 9.2.3.9). ``ports`` are destination
    and source (9.2.3.24.3).
    """

    text: str | None = None
    kind: Kind = Kind.TEXT
    flash: bool = False
    silent: bool = False
    replaces: int | None = None
    data: bytes | None = None
    ports: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages wait elsewhere; ``count`` is ``None`` where only that they do is told."""

    kind: str
    count: int | None
