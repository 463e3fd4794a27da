"""Where a limit's window begins: the PHP relative dates that RaspiSMS writes as ``startpoint``.

The words are read one after the other and collected, then applied in PHP's order, whatever order
they were written in: the day of the week, months and days, the first or last day of the month, and
working days at last. All of it on the wall clock of a zone.

``this month`` and ``this year`` are their first day, as RaspiSMS documents it and its users mean it
(PHP itself reads them as today), unless another word chooses the day. And "first monday of january
next year" is a Monday, where PHP looks for it in this year first.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final

FARTHEST: Final = timedelta(days=366 * 400)  # a window that has not moved by then never does


class StartpointError(ValueError):
    """A startpoint is none of those that smsd knows."""


def window_start(startpoint: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment from which a limit counts; aware, in UTC. Raises `StartpointError`."""
    words = _read(startpoint)
    local = now.astimezone(zone)
    try:
        found = _applied(words, local.replace(tzinfo=None, fold=0)).replace(tzinfo=zone)
        # A time that the clock change skips moves forward, as in PHP; of one that comes twice it
        # is the first, unless now has the offset of the second.
        second = found.replace(fold=1)
        if _offset(local) == _offset(second) < _offset(found):
            found = second
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise StartpointError(f'"{startpoint}" leaves the calendar') from error


def _offset(at: datetime) -> timedelta:
    return at.utcoffset() or timedelta()


def leaves(startpoint: str, counted: datetime, now: datetime, zone: tzinfo) -> datetime | None:
    """When a window that counts from then on begins after ``counted``; ``None``: it never does.

    ``now`` if it does already. To the millisecond.
    """

    def gone(at: datetime) -> bool:
        return window_start(startpoint, at, zone) > counted

    if gone(now):
        return now
    stays, step = now, timedelta(hours=1)
    while not gone(stays + step):
        stays += step
        if step > FARTHEST:
            return None
        # By the day for a year: "-1 month" goes back and forth at the end of a short month.
        ahead = stays - now
        if ahead >= timedelta(days=400):
            step *= 2
        elif ahead >= timedelta(days=3):
            step = timedelta(days=1)
    goes = stays + step
    while goes - stays > timedelta(milliseconds=1):
        middle = stays + (goes - stays) / 2
        stays, goes = (stays, middle) if gone(middle) else (middle, goes)
    return goes


@dataclass(slots=True)
class _Words:
    """What the words of a startpoint ask for; ``None`` is what they do not speak of."""

    clock: time | None = None
    year: int | None = None
    month: int | None = None
    day: int | None = None
    years: int = 0
    months: int = 0
    days: int = 0
    seconds: float = 0.0
    weekday: int | None = None
    """0 is Sunday, as PHP counts; below 0 counted backwards (``ago``)."""
    behaviour: int = 0
    """How today counts for the day of the week: 0 not, 1 it does, 2 within this week."""
    of_month: str | None = None
    """``nth`` or ``last``: the day of the week is one of the month's."""
    edge: str | None = None
    """``first`` or ``last`` day of the month."""
    working_days: int | None = None
    this: set[str] = field(default_factory=set)
    """``month`` and ``year``, where that of now was asked for by ``this``."""


_ORDINALS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth",
)  # fmt: skip
_AMOUNTS: Final = {
    **{word: number for number, word in enumerate(_ORDINALS, 1)},
    "next": 1, "last": -1, "previous": -1, "this": 0,
}  # fmt: skip
_SECONDS: Final = {
    "usec": 1e-6, "microsecond": 1e-6, "msec": 1e-3, "millisecond": 1e-3, "ms": 1e-3,
    "sec": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600,
}  # fmt: skip
_DAYS: Final = {"day": 1, "week": 7, "fortnight": 14, "forthnight": 14}
_MONTHS: Final = {"month": 1, "year": 12}
_WEEKDAYS: Final = {
    name: number
    for number, full in enumerate(
        ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
    )
    for name in (full, full + "s", full[:3])
}
_MONTH_NAMES: Final = {
    name: number
    for number, full in enumerate(
        (
            "january", "february", "march", "april", "may", "june", "july", "august",
            "september", "october", "november", "december",
        ),
        1,
    )
    for name in (full, full[:3])
} | {"sept": 9}  # fmt: skip


_UNITS: Final = {*_WEEKDAYS, "weekday", "weekdays", *_SECONDS, *_DAYS, *_MONTHS} | {
    unit + "s" for unit in (*_SECONDS, *_DAYS, *_MONTHS)
}
_KNOWN: Final[Mapping[str, Collection[str]]] = {
    "amount": _AMOUNTS, "unit": _UNITS, "weekday": _WEEKDAYS, "month": _MONTH_NAMES,
}  # fmt: skip
"""The words that may stand in a group of a rule's pattern. The tables are no part of the patterns:
those would take more memory than all the rest."""

_HOUR: Final = r"(?P<hour>\d{1,2})"
_HALF: Final = r"(?P<half>[ap])\.?m\b\.?"

_Rule = Callable[[_Words, re.Match[str]], None]


def _midnight(words: _Words, _: re.Match[str]) -> None:
    words.clock = time()


def _noon(words: _Words, _: re.Match[str]) -> None:
    words.clock = time(12)


def _neighbour(words: _Words, match: re.Match[str]) -> None:
    words.clock, words.days = time(), -1 if match[0] == "yesterday" else 1


def _edge(words: _Words, match: re.Match[str]) -> None:
    words.edge = match["edge"]


def _time(words: _Words, match: re.Match[str]) -> None:
    if words.clock not in (None, time()):
        raise ValueError("two times of day")
    hour, half = int(match["hour"]), match["half"]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        hour = hour % 12 + (12 if half == "p" else 0)
    clock = match.groupdict()
    words.clock = time(hour, int(clock.get("minute") or 0), int(clock.get("second") or 0))


def _date(words: _Words, match: re.Match[str]) -> None:
    if words.month is not None:
        raise ValueError("two dates")
    given = match.groupdict()
    name = given.get("month")
    words.month = int(given["month_number"]) if name is None else _MONTH_NAMES[name]
    if given.get("year"):
        words.year, words.day = int(given["year"]), int(given.get("day") or 1)
    elif given.get("day"):
        words.day = int(given["day"])
    if not (1 <= words.month <= 12 and 1 <= (words.day or 1) <= 31):
        raise ValueError("no such day")


def _weekday(words: _Words, match: re.Match[str]) -> None:
    words.clock, words.weekday = time(), _WEEKDAYS[match[0]]
    words.behaviour = words.behaviour if words.behaviour == 2 else 1


def _weekday_of(words: _Words, match: re.Match[str]) -> None:
    amount = _AMOUNTS[match["amount"]]
    words.of_month = "nth" if amount > 0 else "last"
    _move(words, amount, match["weekday"], behaviour=1 if amount >= 0 else 0, keep_time=False)


def _week(words: _Words, match: re.Match[str]) -> None:
    words.days += 7 * _AMOUNTS[match["amount"]]
    words.behaviour = 2
    if words.weekday is None:
        words.weekday = 1


def _named(words: _Words, match: re.Match[str]) -> None:
    word, unit = match["amount"], match["unit"].removesuffix("s")
    if word == "this" and unit in _MONTHS:
        words.this.add(unit)
    _move(
        words, _AMOUNTS[word], match["unit"], behaviour=1 if word == "this" else 0, keep_time=False
    )


def _numbered(words: _Words, match: re.Match[str]) -> None:
    sign = -1 if match["sign"].count("-") % 2 else 1
    _move(words, sign * int(match["number"]), match["unit"], behaviour=1, keep_time=True)


def _move(words: _Words, amount: int, unit: str, *, behaviour: int, keep_time: bool) -> None:
    if unit in _WEEKDAYS or unit.startswith("weekday"):
        words.clock = words.clock if keep_time else time()
    if unit.startswith("weekday"):
        words.working_days = amount
        return
    if unit in _WEEKDAYS:
        words.weekday, words.behaviour = _WEEKDAYS[unit], behaviour
        words.days += 7 * (amount - 1 if amount > 0 else amount)
        return
    singular = unit if unit in _SECONDS else unit.removesuffix("s")
    if singular in _SECONDS:
        words.seconds += amount * _SECONDS[singular]
    elif singular in _DAYS:
        words.days += amount * _DAYS[singular]
    else:
        words.months += amount * _MONTHS[singular]


def _ago(words: _Words, _: re.Match[str]) -> None:
    """All that was said before is meant the other way."""
    words.months, words.days, words.seconds = -words.months, -words.days, -words.seconds
    if words.weekday is not None:
        words.weekday = -words.weekday or -7
    if words.working_days is not None:
        words.working_days = -words.working_days


_RULES: Final[tuple[tuple[re.Pattern[str], _Rule], ...]] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"now\b", lambda words, match: None),
        (r"(?:today|midnight)\b", _midnight),
        (r"noon\b", _noon),
        (r"(?:yesterday|tomorrow)\b", _neighbour),
        (r"(?P<edge>first|last) day of\b", _edge),
        (rf"t?{_HOUR}:(?P<minute>\d\d)(?::(?P<second>\d\d))? ?(?:{_HALF})?", _time),
        (rf"{_HOUR} ?{_HALF}", _time),
        (r"(?P<year>\d{4})-(?P<month_number>\d\d)-(?P<day>\d\d)(?!\d)", _date),
        (r"(?P<day>\d{1,2}) (?P<month>[a-z]+)\b(?: (?P<year>\d{4})\b(?!:))?", _date),
        (r"(?P<month>[a-z]+) (?P<year>\d{4})\b", _date),
        (r"(?P<month>[a-z]+) (?P<day>\d{1,2})\b(?![:\d])(?:, (?P<year>\d{4})\b)?", _date),
        (r"(?P<month>[a-z]+)\b", _date),
        (r"(?P<weekday>[a-z]+)\b", _weekday),
        (r"(?P<amount>[a-z]+) (?P<weekday>[a-z]+) of\b", _weekday_of),
        (r"(?P<amount>next|last|previous|this) week\b", _week),
        (r"(?P<amount>[a-z]+) (?P<unit>[a-z]+)\b", _named),
        (r"(?P<sign>[+-]*) ?(?P<number>\d+) ?(?P<unit>[a-z]+)\b", _numbered),
        (r"ago\b", _ago),
    )
)


def _fits(match: re.Match[str]) -> bool:
    """Whether the words in a match are those that the rule means."""
    given = match.groupdict()
    return all(given.get(name) is None or given[name] in known for name, known in _KNOWN.items())


@lru_cache(maxsize=256)
def _read(startpoint: str) -> _Words:
    """The words of a startpoint: at each place the rule that takes most of them, as in PHP."""
    text = " ".join(startpoint.lower().replace("\t", " ").split())
    if not text.strip(" ,."):
        raise StartpointError("a startpoint is empty")
    words, rest = _Words(), text
    while rest := rest.lstrip(" ,."):
        found = [
            (match, rule)
            for pattern, rule in _RULES
            if (match := pattern.match(rest)) is not None and _fits(match)
        ]
        if not found:
            raise StartpointError(
                f'"{startpoint}" is no startpoint: use "today", "-24 hours", "this week midnight", '
                '"-7 days", "this month midnight", "-1 month" or the like'
            )
        match, rule = max(found, key=lambda one: one[0].end())
        try:
            rule(words, match)
        except ValueError as error:
            wrong = "leaves the calendar" if rule is _numbered else f"is no startpoint: {error}"
            raise StartpointError(f'"{startpoint}" {wrong}') from error
        rest = rest[match.end() :]
    return words


def _applied(words: _Words, local: datetime) -> datetime:
    """What the words make of a moment on the wall clock, in the order of PHP."""
    clock = local.time() if words.clock is None else words.clock
    year, month = words.year or local.year, words.month or local.month
    day = words.day or local.day
    if words.this and not (words.edge or words.of_month or words.day or words.weekday is not None):
        day = 1
        if "year" in words.this and words.month is None:
            month = 1
    months = words.months
    if words.of_month is not None:
        day, month, months = 1, month + months + (words.of_month == "last"), 0
    found = _on_edge(words, year, month) or _day(year, month, day)
    if words.weekday is not None:
        found += timedelta(days=_to_weekday(words, found))
    year, month = found.year, found.month + months
    found = _on_edge(words, year, month) or _day(year, month, found.day + words.days)
    moment = datetime.combine(found, clock) + timedelta(seconds=words.seconds)
    if words.working_days is not None:
        moment += timedelta(days=_to_working_day(words.working_days, moment.date()))
    return moment


def _day(year: int, month: int, day: int) -> date:
    """A day of the calendar; what is too much runs over: 31 March - 1 month = 3 March."""
    years, month = divmod(month - 1, 12)
    return date(year + years, month + 1, 1) + timedelta(days=day - 1)


def _on_edge(words: _Words, year: int, month: int) -> date | None:
    """The first or last day of a month, where one is meant: whatever days were said, as in PHP."""
    if words.edge is None:
        return None
    return _day(year, month, 1) if words.edge == "first" else _day(year, month + 1, 0)


def _to_weekday(words: _Words, day: date) -> int:
    """Days to the day of the week that is meant."""
    assert words.weekday is not None
    wanted, current = words.weekday, day.isoweekday() % 7
    if words.behaviour == 2:  # within the week of that day, which begins on Monday
        if current == 0 and wanted != 0:
            wanted -= 7
        if wanted == 0 and current != 0:
            wanted = 7
        return wanted - current
    if wanted < 0:
        return -(7 - (-wanted - current))
    difference = wanted - current
    before = words.days < 0
    if (before and difference < 0) or (not before and difference <= -words.behaviour):
        difference += 7
    return difference


def _to_working_day(count: int, day: date) -> int:
    """Days that pass with so many working days, Monday to Friday; 0 leaves only the weekend."""
    weekday = day.isoweekday() % 7
    weeks, rest = divmod(abs(count), 5)
    if count <= 0:  # the mirror of forward, Sunday taken for Saturday
        weekday = (6 - weekday) if weekday else 6
    skipped = 0
    if rest == 0:
        skipped = {0: -2, 6: -1}.get(weekday, 0)
    elif weekday == 6:
        skipped = 1
    elif weekday + rest > 5:
        skipped = 2
    days = 7 * weeks + skipped + rest
    return days if count > 0 else -days
