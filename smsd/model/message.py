"""An outgoing message: its states, how they follow one another, and what went wrong."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

MessageId = NewType("MessageId", int)
ScheduledId = NewType("ScheduledId", int)
AttemptId = NewType("AttemptId", int)

LOWEST: Final = -128
HIGHEST: Final = 127
"""Priorities; those of most messages are 0."""


class State(StrEnum):
    """Where an outgoing message stands; the words that ``GET /api/message/{id}/`` shows."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"


class Change(StrEnum):
    """What moves a message from one state to the next."""

    CLAIM = "claim"
    RELEASE = "release"  # a phone gave it back unsent, or in part: it may be tried again
    RECEIPT = "receipt"  # the network took every part
    REJECT = "reject"
    DOUBT = "doubt"  # it may have gone: a report, a late answer, a look-up or a person settles it
    CANCEL = "cancel"
    EXPIRE = "expire"
    DELIVER = "deliver"  # every part was reported delivered
    BOUNCE = "bounce"  # a part was reported as failed for good


TRANSITIONS: Final[dict[tuple[State, Change], State]] = {
    (State.QUEUED, Change.CLAIM): State.CLAIMED,
    (State.QUEUED, Change.CANCEL): State.CANCELLED,
    (State.QUEUED, Change.EXPIRE): State.EXPIRED,
    (State.QUEUED, Change.REJECT): State.FAILED,
    # It was to be sent again, and what had been in doubt turned out to have gone.
    (State.QUEUED, Change.RECEIPT): State.SENT,
    (State.CLAIMED, Change.RECEIPT): State.SENT,
    (State.CLAIMED, Change.RELEASE): State.QUEUED,
    (State.CLAIMED, Change.REJECT): State.FAILED,
    (State.CLAIMED, Change.DOUBT): State.UNCERTAIN,
    (State.UNCERTAIN, Change.RECEIPT): State.SENT,
    (State.UNCERTAIN, Change.RELEASE): State.QUEUED,
    (State.UNCERTAIN, Change.REJECT): State.FAILED,
    (State.SENT, Change.DELIVER): State.DELIVERED,
    (State.SENT, Change.BOUNCE): State.FAILED,
    # A report may still correct a failure that an earlier report told, never the other way round.
    (State.FAILED, Change.DELIVER): State.DELIVERED,
}


FINAL: Final = frozenset({State.DELIVERED, State.FAILED, State.EXPIRED, State.CANCELLED})
"""Where nothing more is awaited, though a report may correct a failure."""


class Resolution(StrEnum):
    """What a person says of a message in doubt."""

    SENT = "sent"  # the parts in doubt did go; the others follow
    RESEND = "resend"  # the parts in doubt go again, and the others
    DROP = "drop"  # nothing more goes


def sources(change: Change) -> tuple[State, ...]:
    """The states from which a change is allowed; the store's UPDATE asks for one of them."""
    return tuple(state for state, by in TRANSITIONS if by is change)


def target(change: Change) -> State:
    """The one state that a change leads to, wherever it starts."""
    [state] = {to for (_, by), to in TRANSITIONS.items() if by is change}
    return state


class FaultClass(StrEnum):
    """What an error asks for next; the ``class`` that a message's attempts show."""

    RETRY = "retry"  # the same phone, in seconds
    LATER = "later"  # the same phone, in minutes
    PERMANENT = "permanent"  # this message will never go
    CONFIGURATION = "configuration"  # we built it wrongly, or the modem is not set up
    SIM = "sim"
    NETWORK = "network"
    MODEM = "modem"
    LIMIT = "limit"  # the operator bars this phone for now
    CREDIT = "credit"
    MEMORY = "memory"
    AMBIGUOUS = "ambiguous"  # it may have gone
    DECLINED = "declined"  # this phone will not take it, another one may
    STOPPED = "stopped"  # its recipient wants no more messages
    DUPLICATE = "duplicate"  # an earlier copy was accepted: it is sent
    GUARD = "guard"  # its recipient has had too many: see `Guard`


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a message did not go, in words for a person; never with text, PIN or key in it.

    ``code`` is what the modem or provider said (``+CMS ERROR: 38``), ``None`` where nothing was.
    """

    kind: FaultClass
    words: str
    code: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as its sender wants it, once for each of ``numbers`` (E.164, with their data).

    ``at`` ``None`` means now; ``phone`` the only phone that may send it (its fallback aside),
    ``group`` the phones that may; ``sticky``: by the phone that its recipient knows, if there is
    one. ``parts`` what its text takes. ``validity`` is in seconds. Higher priorities leave first.
    ``send_windows`` are the hours at which it may leave (see `smsd.model.hours`), ``None``: any.
    ``contacts`` and ``groups`` are ids of recipients; ``invalid``: how many were left out as none.
    """

    text: str
    numbers: Collection[tuple[str, str]]
    parts: int
    at: datetime | None = None
    phone: int | None = None
    flash: bool = False
    mms: bool = False
    tag: str | None = None
    validity: int = 86_400
    priority: int = 0
    send_windows: str | None = None
    group: int | None = None
    sticky: bool = False
    contacts: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    invalid: int = 0


@dataclass(frozen=True, slots=True)
class Guard:
    """At most ``volume`` messages to one recipient ``since`` a moment; what is more is refused.

    ``name`` is its key under ``dispatch``, ``startpoint`` the words for the moment.
    ``same_text``: only messages with one and the same text are counted together.
    """

    name: str
    volume: int
    startpoint: str
    since: Callable[[datetime], datetime]
    same_text: bool = False


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits, as the router sees it."""

    id: MessageId
    destination: str
    parts: int
    phone: int | None = None
    """The phone that its sender asked for."""
    begun_on: int | None = None
    """The phone that took some of its parts already: no other may send the rest."""
    declined_by: frozenset[int] = frozenset()
    flash: bool = False
    mms: bool = False
    group: int | None = None
    """The phone group that its sender asked for."""
    known: int | None = None
    """The phone that its recipient knows, where its sender wants that one."""
    send_windows: str | None = None
    """The hours at which it may leave, ``None``: any."""
    again: bool = False
    """Of what ``begun_on`` took nothing is known to have gone: all of it goes again."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A message given to a phone, with all that the phone needs to send it."""

    message: MessageId
    attempt: AttemptId
    phone: int
    destination: str
    text: str
    flash: bool
    expires_at: datetime
    attempts: int
    sent_parts: dict[int, str | None] = field(default_factory=dict)
    """Parts that this phone took in an earlier attempt, with their references."""


@dataclass(frozen=True, slots=True)
class Route:
    """The phone that a message leaves by, and why in words."""

    phone: int
    words: str


@dataclass(frozen=True, slots=True)
class Wait:
    """No phone can take the message now; why in words."""

    words: str


@dataclass(frozen=True, slots=True)
class Later:
    """The message itself is not to leave between these times, whatever phone there is."""

    since: datetime
    until: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """No phone will ever take the message."""

    fault: Fault


Decision = Route | Wait | Later | Refuse
