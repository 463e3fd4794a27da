"""The phones that run in this process: their adapters, how they are, and what they have on hand."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from math import inf
from typing import Final

from smsd.adapters.contract import Adapter
from smsd.dispatch.breaker import CLOUD_PATIENCE, PATIENCE, Breaker, reopened
from smsd.dispatch.startpoints import leaves, window_start
from smsd.model.hours import opening
from smsd.model.phone import Bar, BarKind, Count, Health, PhoneId, PhoneRecord, Standing

WORTH_KEEPING: Final = timedelta(minutes=1)  # a shorter bar is over before a restart matters


@dataclass(frozen=True, slots=True)
class Direction:
    """Numbers with a prefix go by a phone, or by the phones that an operator serves."""

    prefix: str
    phone: str | None = None
    operator: str | None = None
    """As the phone tells it: a name, or MCC and MNC."""


@dataclass(slots=True)
class Phone:
    """A phone at work; its sink tells how it is, the outbox how busy it is."""

    record: PhoneRecord
    adapter: Adapter
    since: datetime
    health: Health = Health.UNAVAILABLE
    words: str = "not opened yet"
    hint: str | None = None
    bar: Bar | None = None
    credit: Bar | None = None
    """That there is none, by the last balance."""
    breaker: Breaker = field(default_factory=Breaker)
    """How its last sendings went."""
    busy: int = 0
    disabled: bool = False
    paused: bool = False
    facts: dict[str, str | int | float | None] = field(default_factory=dict)
    heard_at: float = 0.0
    """When something came in last, or its watch began (loop's time)."""
    expects: dict[str, float] = field(default_factory=dict)
    """The texts of messages that the phone has sent to itself, and until when they may come."""

    @property
    def bars(self) -> dict[BarKind, Bar]:
        """All verdicts on it, those that are over too."""
        found = {
            BarKind.CREDIT: self.credit,
            BarKind.OPERATOR: self.bar,
            BarKind.BREAKER: self.breaker.bar,
        }
        return {kind: bar for kind, bar in found.items() if bar is not None}

    def barred(self, now: datetime) -> Bar | None:
        """The verdict that holds at this moment; of several the one that holds the longest."""
        bars = [bar for bar in self.bars.values() if bar.until is None or bar.until > now]
        return max(bars, key=lambda bar: (bar.until is None, bar.until or now), default=None)

    def standing(self, now: datetime, prefixes: frozenset[str] = frozenset()) -> Standing:
        """How it is at this moment."""
        slots = 1 if self.breaker.half_open(now) else self.adapter.capabilities.slots
        idle = max(0, slots - self.busy)
        told = Standing(self.record, self.health, self.since, idle, self.words, self.hint, prefixes)
        if self.disabled:
            return replace(told, health=Health.DISABLED, words="", hint=None)
        bar = self.barred(now)
        if bar is not None and self.health is Health.AVAILABLE:
            since = bar.since
            if bar.health is Health.UNAVAILABLE and self.breaker.since is not None:
                since = min(
                    since, self.breaker.since
                )  # it has been so for its whole row of failures
            return replace(told, health=bar.health, since=since, words=bar.words, hint=bar.hint)
        return told


class Phones:
    """All of them, by id; ``changed`` is called when one may take messages again.

    ``identified`` is called with a phone and its modem's IMEI when that is told, ``barred`` with a
    phone whose bars have changed. ``bars`` are those from before a restart.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        zone: tzinfo,
        changed: Callable[[], None],
        directions: Sequence[Direction] = (),
        bars: Mapping[PhoneId, Mapping[BarKind, Bar]] | None = None,
    ) -> None:
        self._now = now
        self.zone = zone
        self._directions = directions
        self._bars = bars or {}
        self.changed = changed
        self.identified: Callable[[Phone, str], None] = lambda phone, imei: None
        self.barred: Callable[[Phone], None] = lambda phone: None
        self._phones: dict[PhoneId, Phone] = {}

    def add(self, record: PhoneRecord, adapter: Adapter, *, disabled: bool = False) -> Phone:
        """Take a phone in, with its bars; it is unavailable until its adapter says otherwise."""
        now = self._now()
        phone = Phone(record, adapter, now, disabled=disabled)
        bars = {kind: _from_now(bar, now) for kind, bar in self._bars.get(record.id, {}).items()}
        phone.bar, phone.credit = bars.get(BarKind.OPERATOR), bars.get(BarKind.CREDIT)
        if record.balance is None:
            phone.credit = None  # nothing would ever end it
        if BarKind.BREAKER in bars:
            phone.breaker = reopened(bars[BarKind.BREAKER])
        self._phones[record.id] = phone
        return phone

    def __getitem__(self, phone: int) -> Phone:
        return self._phones[PhoneId(phone)]

    def __contains__(self, phone: object) -> bool:
        return phone in self._phones

    def all(self) -> list[Phone]:
        """Every phone, in the order of the configuration."""
        return list(self._phones.values())

    def standings(self) -> list[Standing]:
        """How all of them are at this moment."""
        now = self._now()
        found = []
        for phone in self._phones.values():
            standing, held = phone.standing(now, self._prefixes(phone)), self._held(phone, now)
            # One that is held has no hand free, but is as well as it was: no fallback is called.
            found.append(replace(standing, idle=0, held=held) if held else standing)
        return found

    def _held(self, phone: Phone, now: datetime) -> str:
        """Why a phone sends nothing now though it is well, in words; empty if it may."""
        if phone.paused:
            return "is paused"
        opens = opening(phone.record.send_windows, now, self.zone)
        if opens is None:
            return ""
        return f"sends again at {opens.astimezone(self.zone):%Y-%m-%d %H:%M}, by its send_windows"

    def _prefixes(self, phone: Phone) -> frozenset[str]:
        if not self._directions:
            return frozenset()
        operator = str(phone.facts.get("operator") or "").casefold()
        return frozenset(
            direction.prefix
            for direction in self._directions
            if direction.phone == phone.record.name
            or (direction.operator is not None and direction.operator.casefold() == operator)
        )

    def bars_end(self, now: datetime) -> list[datetime]:
        """When verdicts end, closed hours open, and absences have lasted for a fallback."""
        phones = self._phones.values()
        ends = [bar.until for phone in phones for bar in phone.bars.values()]
        opens = [opening(phone.record.send_windows, now, self.zone) for phone in phones]
        graces = [
            standing.since + timedelta(seconds=standing.phone.unavailable_grace)
            for phone in phones
            if (standing := phone.standing(now)).health is Health.UNAVAILABLE
        ]
        return [end for end in (*ends, *opens, *graces) if end is not None and end > now]

    def pause(self, paused: Collection[int]) -> None:
        """These send nothing until they are resumed; all others may."""
        for phone in self._phones.values():
            phone.paused = int(phone.record.id) in paused
        self.changed()

    def counts(self) -> dict[PhoneId, list[Count]]:
        """Since when each phone's limits count, at this moment."""
        now = self._now()
        return {
            phone.record.id: [
                Count(
                    limit,
                    window_start(limit.startpoint, now, self.zone),
                    partial(leaves, limit.startpoint, now=now, zone=self.zone),
                )
                for limit in phone.record.limits
            ]
            for phone in self._phones.values()
        }

    def shift(self, step: timedelta) -> None:
        """The clock was set forward or back by ``step``: what holds for a time still does."""
        for phone in self._phones.values():
            phone.since += step
            phone.bar = phone.bar and _shifted(phone.bar, step)
            phone.credit = phone.credit and _shifted(phone.credit, step)
            breaker = phone.breaker
            phone.breaker = replace(
                breaker,
                since=breaker.since and breaker.since + step,
                until=breaker.until and breaker.until + step,
            )

    def failed(self, phone: Phone, message: int, words: str, *, by_itself: bool) -> bool:
        """A sending by the phone failed and it is not proven that it is the message's fault.

        True if the phone is left alone from now on. ``by_itself``: see `Breaker.failed`. A modem
        that says so mends itself, step by step, and takes each sending for evidence.
        """
        before = phone.breaker
        mends_itself = by_itself and not phone.record.cloud
        patience = inf if mends_itself else CLOUD_PATIENCE if phone.record.cloud else PATIENCE
        phone.breaker = before.failed(self._now(), message, words, patience, by_itself=by_itself)
        opened = phone.breaker.openings > before.openings
        if opened:
            self.barred(phone)
        return opened

    def succeeded(self, phone: Phone) -> None:
        """A sending by the phone went."""
        if phone.breaker.failures or phone.breaker.openings:
            opened, phone.breaker = phone.breaker.openings, Breaker()
            if opened:
                self.barred(phone)
                self.changed()

    def set_credit(self, phone: Phone, none: str | None) -> bool:
        """Note that a phone has no credit, in words, or (``None``) that it has; True if news."""
        had = phone.credit
        if none is None:
            phone.credit = None
            self.changed()
            if had is not None:
                self.barred(phone)
            return had is not None
        since = self._now() if had is None else had.since
        hint = "top it up; the next balance ends this"
        phone.credit = Bar(Health.NO_CREDIT, none, hint, since, None)
        if had is None:
            self.barred(phone)
        return had is None

    def set_health(
        self,
        phone: Phone,
        health: Health,
        words: str,
        *,
        hint: str | None = None,
        until: datetime | None = None,
    ) -> bool:
        """Note how a phone is; True if that is news.

        With ``until`` it is a verdict that holds until then, whatever the phone itself says of
        being there.
        """
        now = self._now()
        if until is not None:
            bar = phone.bar
            news = bar is None or bar.health is not health or bar.until is None or bar.until <= now
            since = now if news or bar is None else bar.since
            phone.bar = Bar(health, words, hint, since, until)
            if until - now >= WORTH_KEEPING:
                self.barred(phone)
            return news
        news = (phone.health, phone.words) != (health, words)
        if phone.health is not health:
            phone.since = now
        phone.health, phone.words, phone.hint = health, words, hint
        if health is Health.AVAILABLE or news:
            self.changed()
        return news


def _shifted(bar: Bar, step: timedelta) -> Bar:
    return replace(bar, since=bar.since + step, until=bar.until and bar.until + step)


def _from_now(bar: Bar, now: datetime) -> Bar:
    """A bar from before a restart: by no clock does it hold longer than it was meant to."""
    if bar.until is None or bar.since <= now:
        return bar
    return replace(bar, since=now, until=min(bar.until, now + (bar.until - bar.since)))
