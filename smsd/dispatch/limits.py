"""Where a limit's window begins: the PHP relative dates that RaspiSMS writes as ``startpoint``.

``this month midnight`` is the first of the month, as RaspiSMS documents it and its users mean it
(PHP itself reads it as today).
"""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final


class StartpointError(ValueError):
    """A startpoint is none of those that smsd knows."""


_UNITS: Final = (
    "sec",
    "second",
    "min",
    "minute",
    "hour",
    "day",
    "week",
    "fortnight",
    "month",
    "year",
)
_STEP: Final = re.compile(rf"([+-]?\s*\d+)\s+({'|'.join(_UNITS)})s?(\s+ago)?\b")
_SECONDS: Final = {"sec": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600}
_DAYS: Final = {"day": 1, "week": 7, "fortnight": 14}


def _midnight(local: datetime) -> datetime:
    return datetime.combine(local.date(), time())


def _monday(local: datetime) -> datetime:
    return local - timedelta(days=local.weekday())


def _first(local: datetime) -> datetime:
    return local.replace(day=1)


_WORDS: Final[dict[str, Callable[[datetime], datetime]]] = {
    "now": lambda local: local,
    "today": _midnight,
    "midnight": _midnight,
    "yesterday": lambda local: _midnight(local) - timedelta(days=1),
    "this week": _monday,
    "monday this week": lambda local: _midnight(_monday(local)),
    "this month": _first,
    "first day of this month": _first,
    "first day of": _first,
    "this year": lambda local: local.replace(month=1, day=1),
}


def window_start(startpoint: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment from which a limit counts; aware, in UTC.

    Words and steps are read in any order as PHP does: words first, then steps in their order, on
    the wall clock of ``zone``. Raises `StartpointError`.
    """
    rest = " ".join(startpoint.lower().split())
    local = now.astimezone(zone).replace(tzinfo=None)
    steps = _STEP.findall(rest)
    rest = " ".join(_STEP.sub(" ", rest).split())
    while rest:
        word = max((word for word in _WORDS if rest.startswith(word)), key=len, default=None)
        if word is None:
            raise StartpointError(
                f'"{startpoint}" is no startpoint: use "today", "-24 hours", "this week midnight", '
                '"-7 days", "this month midnight", "-1 month" or the like'
            )
        local = _WORDS[word](local)
        rest = rest.removeprefix(word).strip()
    if not steps and not startpoint.strip():
        raise StartpointError("a startpoint is empty")
    try:
        for amount, unit, ago in steps:
            count = int(amount.replace(" ", "")) * (-1 if ago else 1)
            local = _step(local, count, unit)
        return _instant(local, zone)
    except (ValueError, OverflowError) as error:
        raise StartpointError(f'"{startpoint}" leaves the calendar') from error


def _step(local: datetime, count: int, unit: str) -> datetime:
    if unit in _SECONDS:
        return local + timedelta(seconds=count * _SECONDS[unit])
    if unit in _DAYS:
        return local + timedelta(days=count * _DAYS[unit])
    months = count * (12 if unit == "year" else 1) + local.month - 1
    year, month = local.year + months // 12, months % 12 + 1
    # A day that the month does not have runs over into the next one: 31 March - 1 month = 3 March.
    over = max(0, local.day - monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=local.day - over) + timedelta(days=over)


def _instant(local: datetime, zone: tzinfo) -> datetime:
    """A wall-clock time as an instant; one that the clock change skips moves forward."""
    return local.replace(tzinfo=zone).astimezone(UTC)
