"""What phones tell: messages and parts that came in, reports, late answers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smsd.model.content import Content, Kind, Waiting
from smsd.model.message import AttemptId


class Verdict(StrEnum):
    """What a delivery report says of one part."""

    DELIVERED = "delivered"
    TRYING = "trying"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part stands in a long message (23.040 9.2.3.24.1, 9.2.3.24.8)."""

    reference: int
    wide: bool
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message or part of one, as it came from a phone.

    ``key`` is the same for every copy of it and for no other; ``raw`` is the PDU in hex (or the
    provider's own form), kept so that nothing is lost that cannot be read now.
    ``text`` is ``None`` for binary data and for what could not be decoded (``error`` says why).
    ``sent_at`` is the service centre's time, ``None`` where it has none that is a date.
    ``kind`` to ``ports`` are as in `Content`; ``waiting`` is what it says of other messages.
    """

    key: str
    raw: str
    originator: str = ""
    sent_at: datetime | None = None
    text: str | None = None
    place: Place | None = None
    flash: bool = False
    silent: bool = False
    """To be acknowledged and neither stored as a message nor shown (type 0, 23.040 9.2.3.9)."""
    error: str | None = None
    kind: Kind = Kind.TEXT
    replaces: int | None = None
    data: bytes | None = None
    ports: tuple[int, int] | None = None
    waiting: tuple[Waiting, ...] = ()

    @property
    def content(self) -> Content:
        """What it is, where it is a whole message."""
        return Content(
            self.text, self.kind, self.flash, self.silent, self.replaces, self.data, self.ports
        )


@dataclass(frozen=True, slots=True)
class Report:
    """A delivery report on one part: ``reference`` is TP-MR, or the provider's id."""

    reference: str
    recipient: str
    verdict: Verdict
    code: str
    words: str
    at: datetime | None = None
    accepted_at: datetime | None = None
    """When the service centre took the part (TP-SCTS): which of several it was."""
    key: str = ""
    """The same for every copy of the report; empty where the provider gives one answer a part."""


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """The network's answer to a part that had been given up: it did go after all."""

    attempt: AttemptId
    part: int
    reference: str | None


@dataclass(frozen=True, slots=True)
class Awaited:
    """A part on which a report is still to come."""

    reference: str
    recipient: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """A part that may have gone; ``in_flight``: its answer is still awaited."""

    attempt: AttemptId
    part: int
    recipient: str
    text: str
    begun_at: datetime
    in_flight: bool = False


@dataclass(frozen=True, slots=True)
class CallBegan:
    """A call came in; told again under the same key where its number came late.

    ``number`` is empty where it is withheld.
    """

    key: str
    number: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over."""

    key: str
