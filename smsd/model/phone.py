"""A phone: anything that sends and receives messages, as the router and RaspiSMS see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from smsd.model.hours import SendWindow

PhoneId = NewType("PhoneId", int)


class Health(StrEnum):
    """A phone's status, in RaspiSMS's words."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    NO_CREDIT = "no_credit"
    LIMIT_REACHED = "limit_reached"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``volume`` message parts since ``startpoint``, a PHP relative date.

    With ``by_message`` whole messages are counted, however long they are.
    """

    volume: int
    startpoint: str
    by_message: bool = False

    def weight(self, parts: int) -> int:
        """How much a message of so many parts counts."""
        return 1 if self.by_message else parts


@dataclass(frozen=True, slots=True)
class BalanceRule:
    """How a phone's balance is asked for and read.

    ``pattern`` has the number in its first group; ``every`` is in seconds; below ``low`` the
    phone has no credit, ``None``: it is only told.
    """

    ussd: str
    pattern: str
    every: float = 86_400.0
    low: float | None = None


@dataclass(frozen=True, slots=True)
class PhoneRecord:
    """What is configured about a phone.

    ``fallback`` names the phones that take over, in order; ``None`` means every cloud phone by
    priority. ``fallback_on`` says at which health they may.
    ``unavailable_grace`` is in seconds: an absence shorter than that calls no fallback.
    ``flash`` and ``mms`` tell what else than texts it can send. ``number`` is the phone's own;
    ``selftest_interval`` the seconds without a message from outside after which it sends itself
    one, 0: never.
    ``validity`` (seconds) bounds how long its network tries, and is that of messages for this phone
    that have none of their own; ``None``: the gateway's.
    ``send_windows`` are the hours at which it sends; none: always.
    ``resend_after``: seconds after which a message that it left in doubt is sent again; ``None``:
    never, it is held.
    """

    id: PhoneId
    name: str
    adapter: str
    priority: int = 0
    limits: tuple[Limit, ...] = ()
    fallback: tuple[str, ...] | None = None
    fallback_on: frozenset[Health] = frozenset({Health.LIMIT_REACHED})
    unavailable_grace: float = 120.0
    cloud: bool = False
    voice: bool = False
    flash: bool = True
    mms: bool = False
    number: str | None = None
    selftest_interval: float = 0.0
    balance: BalanceRule | None = None
    validity: int | None = None
    send_windows: tuple[SendWindow, ...] = ()
    resend_after: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a phone is at this moment: its health, since when, and why in words.

    ``idle`` counts the messages that it can take right now; ``prefixes`` are those of the numbers
    that are routed to it.
    """

    phone: PhoneRecord
    health: Health
    since: datetime
    idle: int
    words: str = ""
    hint: str | None = None
    prefixes: frozenset[str] = frozenset()
    held: str = ""
    """Why it sends nothing now though it is well: it is paused, or these are not its hours."""


class BarKind(StrEnum):
    """Who has barred a phone."""

    OPERATOR = "operator"
    CREDIT = "credit"
    BREAKER = "breaker"


@dataclass(frozen=True, slots=True)
class Bar:
    """A verdict on a phone that outlives an unplug and a restart, and ends with a time.

    ``until`` ``None``: only something that is heard ends it. ``openings``: how often in a row a
    breaker has opened.
    """

    health: Health
    words: str
    hint: str | None
    since: datetime
    until: datetime | None
    openings: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """A limit, since when it counts at this moment, and when what began at a time counts no more.

    ``leaves`` gives ``None`` for never.
    """

    limit: Limit
    since: datetime
    leaves: Callable[[datetime], datetime | None]


@dataclass(frozen=True, slots=True)
class Window:
    """A limit with what was used of it since its window began, in parts or in messages.

    ``resets_at`` is when there will be room again, or more of it; ``None``: nothing is used, what
    is used has not left yet, or it was not asked for.
    """

    limit: Limit
    used: int
    resets_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phone's standing with the use of its limits: all that a route is chosen from.

    ``groups`` are the phone groups that it is in.
    """

    standing: Standing
    windows: tuple[Window, ...] = ()
    groups: frozenset[int] = frozenset()

    @property
    def phone(self) -> PhoneRecord:
        """The phone that stands so."""
        return self.standing.phone
