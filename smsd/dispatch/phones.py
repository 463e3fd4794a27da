"""The phones that run in this process: their adapters, how they are, and what they have on hand."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from smsd.adapters.contract import Adapter
from smsd.dispatch.limits import window_start
from smsd.model.hours import opening
from smsd.model.phone import Health, Limit, PhoneId, PhoneRecord, Standing

FOREVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bar:
    """A verdict that ends with a time: an operator's refusal outlives an unplug."""

    health: Health
    words: str
    hint: str | None
    since: datetime
    until: datetime


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
    busy: int = 0
    disabled: bool = False
    paused: bool = False
    facts: dict[str, str | int | float | None] = field(default_factory=dict)
    heard_at: float = 0.0
    """When something came in last, or its watch began (loop's time)."""
    expects: dict[str, float] = field(default_factory=dict)
    """The texts of messages that the phone has sent to itself, and until when they may come."""

    def standing(self, now: datetime) -> Standing:
        """How it is at this moment."""
        idle = max(0, self.adapter.capabilities.slots - self.busy)
        if self.disabled:
            return Standing(self.record, Health.DISABLED, self.since, idle)
        bars = [bar for bar in (self.credit, self.bar) if bar is not None and bar.until > now]
        if bars and self.health is Health.AVAILABLE:
            bar = bars[0]
            return Standing(self.record, bar.health, bar.since, idle, bar.words, bar.hint)
        return Standing(self.record, self.health, self.since, idle, self.words, self.hint)


class Phones:
    """All of them, by id; ``changed`` is called when one may take messages again.

    ``identified`` is called with a phone and its modem's IMEI when that is told.
    """

    def __init__(
        self, now: Callable[[], datetime], zone: tzinfo, changed: Callable[[], None]
    ) -> None:
        self._now = now
        self.zone = zone
        self.changed = changed
        self.identified: Callable[[Phone, str], None] = lambda phone, imei: None
        self._phones: dict[PhoneId, Phone] = {}

    def add(self, record: PhoneRecord, adapter: Adapter, *, disabled: bool = False) -> Phone:
        """Take a phone in; it is unavailable until its adapter says otherwise."""
        phone = Phone(record, adapter, self._now(), disabled=disabled)
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
            standing, held = phone.standing(now), self._held(phone, now)
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

    def bars_end(self, now: datetime) -> list[datetime]:
        """When the verdicts that end with a time end, and when closed hours open."""
        phones = self._phones.values()
        bars = [phone.bar.until for phone in phones if phone.bar is not None]
        opens = [opening(phone.record.send_windows, now, self.zone) for phone in phones]
        return [at for at in (*bars, *opens) if at is not None and at > now]

    def pause(self, paused: Collection[int]) -> None:
        """These send nothing until they are resumed; all others may."""
        for phone in self._phones.values():
            phone.paused = int(phone.record.id) in paused
        self.changed()

    def shift(self, step: timedelta) -> None:
        """The clock was set: what holds until a time holds for as long as before."""
        for phone in self._phones.values():
            phone.since += step
            if phone.bar is not None:
                bar = phone.bar
                phone.bar = replace(bar, since=bar.since + step, until=bar.until + step)

    def window_starts(self) -> dict[PhoneId, list[tuple[Limit, datetime]]]:
        """Since when each phone's limits count, at this moment."""
        now = self._now()
        return {
            phone.record.id: [
                (limit, window_start(limit.startpoint, now, self.zone))
                for limit in phone.record.limits
            ]
            for phone in self._phones.values()
        }

    def set_credit(self, phone: Phone, none: str | None) -> bool:
        """Note that a phone has no credit, in words, or (``None``) that it has; True if news."""
        had = phone.credit
        if none is None:
            phone.credit = None
            self.changed()
            return had is not None
        since = self._now() if had is None else had.since
        hint = "top it up; the next balance ends this"
        phone.credit = Bar(Health.NO_CREDIT, none, hint, since, FOREVER)
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
            news = phone.bar is None or phone.bar.until <= now or phone.bar.health is not health
            since = now if news or phone.bar is None else phone.bar.since
            phone.bar = Bar(health, words, hint, since, until)
            return news
        news = (phone.health, phone.words) != (health, words)
        if phone.health is not health:
            phone.since = now
        phone.health, phone.words, phone.hint = health, words, hint
        if health is Health.AVAILABLE or news:
            self.changed()
        return news
