"""Send windows: the hours of the week at which messages may leave, on the wall clock of a zone."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_WINDOWS: Final = 50
_DAYS: Final = re.compile(rf"({'|'.join(WEEKDAYS)})(?:-({'|'.join(WEEKDAYS)}))?")
_HOURS: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_DAY: Final = 24 * 60  # minutes


class HoursError(ValueError):
    """A send window is none; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class SendWindow:
    """From ``begin`` to ``end`` (minutes of the day) on ``days`` (0: Monday).

    An end that is not after the begin is the next day's: ``22:00-06:00`` of a Friday ends on
    Saturday.
    """

    days: frozenset[int]
    begin: int
    end: int

    def span(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """Its begin and end on one day, in UTC."""
        end = self.end if self.end > self.begin else self.end + _DAY
        return _instant(day, self.begin, zone), _instant(day, end, zone)


def window(days: Sequence[str], hours: str) -> SendWindow:
    """A window of ``["mon-fri", "sun"]`` and ``"08:00-20:00"``; raises `HoursError`."""
    found: set[int] = set()
    for word in days:
        match = _DAYS.fullmatch(word.lower())
        if match is None:
            raise HoursError(f'"{word}" is no day: "mon", "sat" or "mon-fri" expected')
        first, last = WEEKDAYS.index(match[1]), WEEKDAYS.index(match[2] or match[1])
        found |= {(first + n) % 7 for n in range((last - first) % 7 + 1)}
    numbers = _HOURS.fullmatch(hours)
    begin, end = (int(numbers[1]) * 60 + int(numbers[2]), int(numbers[3]) * 60 + int(numbers[4])) \
        if numbers else (0, _DAY + 1)  # fmt: skip
    if begin >= _DAY or end > _DAY:
        raise HoursError(f'"{hours}" are no hours: "08:00-20:00" expected')
    if not found:
        raise HoursError("a send window has no days")
    return SendWindow(frozenset(found), begin, end)


def read(text: str) -> tuple[SendWindow, ...]:
    """Windows of their JSON form, ``[{"days": ["mon-fri"], "hours": "08:00-20:00"}]``.

    ``days`` may be left out: every day. Raises `HoursError`.
    """
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HoursError("send windows are a JSON list") from error
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_WINDOWS:
        raise HoursError(f"a list of 1 to {MOST_WINDOWS} send windows expected")
    return tuple(_row(row) for row in rows)


def _row(row: object) -> SendWindow:
    if not isinstance(row, dict) or not row.keys() <= {"days", "hours"}:
        raise HoursError('a send window has "days" and "hours"')
    days, hours = row.get("days", ["mon-sun"]), row.get("hours")
    if isinstance(days, str):
        days = [days]
    if not isinstance(days, list) or not all(isinstance(day, str) for day in days):
        raise HoursError('the days of a send window are a list such as ["mon-fri"]')
    if not isinstance(hours, str):
        raise HoursError('a send window has hours such as "08:00-20:00"')
    return window(days, hours)


def shut(
    windows: Iterable[SendWindow], now: datetime, zone: tzinfo
) -> tuple[datetime, datetime] | None:
    """Since when and until when no window is open; ``None`` if one is, or there are none."""
    today = now.astimezone(zone).date()
    ends: list[datetime] = []
    begins: list[datetime] = []
    for each in windows:
        for offset in range(-8, 9):
            day = today + timedelta(days=offset)
            if day.weekday() in each.days:
                begin, end = each.span(day, zone)
                if begin <= now < end:
                    return None
                (begins if begin > now else ends).append(begin if begin > now else end)
    return (max(ends), min(begins)) if begins else None


def opening(windows: Iterable[SendWindow], now: datetime, zone: tzinfo) -> datetime | None:
    """When the next window opens; ``None`` if one is open, or there are none."""
    span = shut(windows, now, zone)
    return None if span is None else span[1]


def _instant(day: date, minutes: int, zone: tzinfo) -> datetime:
    """A minute of a day's wall clock; one that the clock change skips moves forward."""
    day += timedelta(days=minutes // _DAY)
    clock = time(minutes % _DAY // 60, minutes % 60)
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
