"""A phone: anything that sends and receives messages, as the router and RaspiSMS see it."""

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
    """At most ``volume`` message parts since ``startpoint``, a PHP relative date."""

    volume: int
    startpoint: str


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
    ``number`` is the phone's own; ``selftest_interval`` the seconds without a message from outside
    after which it sends itself one, 0: never.
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
    number: str | None = None
    selftest_interval: float = 0.0
    balance: BalanceRule | None = None
    validity: int | None = None
    send_windows: tuple[SendWindow, ...] = ()
    resend_after: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a phone is at this moment: its health, since when, and why in words.

    ``idle`` counts the messages that it can take right now.
    """

    phone: PhoneRecord
    health: Health
    since: datetime
    idle: int
    words: str = ""
    hint: str | None = None
    held: str = ""
    """Why it sends nothing now though it is well: it is paused, or these are not its hours."""


@dataclass(frozen=True, slots=True)
class Window:
    """A limit with what was used of it since its window began; ``used`` is in parts."""

    limit: Limit
    used: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phone's standing with the use of its limits: all that a route is chosen from."""

    standing: Standing
    windows: tuple[Window, ...] = ()

    @property
    def phone(self) -> PhoneRecord:
        """The phone that stands so."""
        return self.standing.phone
