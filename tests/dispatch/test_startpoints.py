"""Where a limit's window begins, against what PHP and RaspiSMS itself compute."""

import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smsd.dispatch.startpoints import StartpointError, leaves, window_start

PARIS = ZoneInfo("Europe/Paris")
BY_PHP = tomllib.loads(Path("tests/vectors/startpoints.toml").read_text())
RECORDED = Path(__file__).parents[3] / "shared/vectors/raspisms/startpoints.jsonl"


def recorded() -> list[dict[str, Any]]:
    if not RECORDED.exists():
        return []
    return [json.loads(line) for line in RECORDED.read_text().splitlines()]


def start(startpoint: str, now: str) -> str:
    """The window's beginning on the wall clock of Paris."""
    at = datetime.fromisoformat(now).replace(tzinfo=PARIS)
    return f"{window_start(startpoint, at, PARIS).astimezone(PARIS):%Y-%m-%d %H:%M:%S}"


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded vectors are not here")
def test_all_recorded_startpoints() -> None:
    """``this month midnight`` is what is documented."""
    rows = recorded()
    assert rows
    for row in rows:
        now = datetime.fromtimestamp(row["now_epoch"], UTC)
        want = row.get("documented_epoch", row["epoch"])
        assert window_start(row["startpoint"], now, PARIS).timestamp() == want, row


@pytest.mark.parametrize("now", BY_PHP)
def test_what_php_makes_of_them(now: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=PARIS)
    for startpoint, want in BY_PHP[now].items():
        assert window_start(startpoint, at, PARIS) == want, startpoint


@pytest.mark.parametrize(
    ("startpoint", "now", "begins"),
    [
        ("today", "2022-08-04 14:30", "2022-08-04 00:00:00"),
        ("  TODAY ", "2022-08-04 14:30", "2022-08-04 00:00:00"),
        ("midnight", "2022-08-04 00:00", "2022-08-04 00:00:00"),
        ("yesterday", "2022-08-01 14:30", "2022-07-31 00:00:00"),
        ("now", "2022-08-04 14:30", "2022-08-04 14:30:00"),
        ("-24 hours", "2022-08-04 14:30", "2022-08-03 14:30:00"),
        ("- 24 hours", "2022-08-04 14:30", "2022-08-03 14:30:00"),
        ("24 hours ago", "2022-08-04 14:30", "2022-08-03 14:30:00"),
        ("-90 secs", "2022-08-04 14:30", "2022-08-04 14:28:30"),
        ("-5 min", "2022-08-04 14:30", "2022-08-04 14:25:00"),
        ("this week midnight", "2022-08-07 09:00", "2022-08-01 00:00:00"),
        ("this week midnight", "2022-08-08 00:00", "2022-08-08 00:00:00"),
        ("midnight this week", "2022-08-07 09:00", "2022-08-01 00:00:00"),
        ("monday this week", "2022-08-07 09:00", "2022-08-01 00:00:00"),
        ("this week midnight -1 week", "2022-08-04 14:30", "2022-07-25 00:00:00"),
        ("-1 fortnight", "2022-08-15 14:30", "2022-08-01 14:30:00"),
        ("this month midnight", "2022-08-04 14:30", "2022-08-01 00:00:00"),
        ("first day of this month midnight", "2022-08-04 14:30", "2022-08-01 00:00:00"),
        ("first day of midnight", "2022-08-04 14:30", "2022-08-01 00:00:00"),
        ("this year midnight", "2022-08-04 14:30", "2022-01-01 00:00:00"),
        ("midnight this month -1 month", "2022-08-31 14:30", "2022-07-01 00:00:00"),
        ("january this year midnight", "2022-08-04 14:30", "2022-01-01 00:00:00"),
        ("5 january this year midnight", "2022-08-04 14:30", "2022-01-05 00:00:00"),
        ("first monday of january last year", "2022-08-04 14:30", "2021-01-04 00:00:00"),
        ("last friday of this month noon", "2022-08-04 14:30", "2022-08-26 12:00:00"),
        ("today, 08:00", "2022-08-04 14:30", "2022-08-04 08:00:00"),
        ("12 am", "2022-08-04 14:30", "2022-08-04 00:00:00"),
        ("-2 weekdays", "2022-08-06 14:30", "2022-08-04 14:30:00"),
        ("monday ago", "2022-08-04 14:30", "2022-07-25 00:00:00"),
        ("sunday ago", "2022-08-04 14:30", "2022-07-31 00:00:00"),
        ("5 weekdays ago", "2022-08-07 14:30", "2022-08-01 14:30:00"),
        ("0 weekdays", "2022-08-06 14:30", "2022-08-08 14:30:00"),
        ("+10 weekdays", "2022-08-07 14:30", "2022-08-19 14:30:00"),
        ("2022-01-01 00:00", "2022-08-04 14:30", "2022-01-01 00:00:00"),
        ("-1 month", "2022-03-31 10:00", "2022-03-03 10:00:00"),
        ("-1 month", "2024-03-31 10:00", "2024-03-02 10:00:00"),
        ("-1 month", "2022-01-15 10:00", "2021-12-15 10:00:00"),
        ("-1 year", "2024-02-29 10:00", "2023-03-01 10:00:00"),
        ("-24 hours", "2022-03-27 12:00", "2022-03-26 12:00:00"),
        ("-1 day", "2022-03-28 02:30", "2022-03-27 03:30:00"),
        ("today", "2022-10-30 12:00", "2022-10-30 00:00:00"),
    ],
)
def test_documented_startpoints(startpoint: str, now: str, begins: str) -> None:
    assert start(startpoint, now) == begins


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "   ",
        "tomorow",
        "-24",
        "hours",
        "-1 moon",
        "today x",
        "noon 08:00",
        "25:00",
        "13 pm",
        "8",
        "monday of",
        "weekday",
        "first",
        "day of",
        "2022-13-01",
        "june july",
        "0 am",
    ],
)
def test_what_is_no_startpoint_says_so(nonsense: str) -> None:
    with pytest.raises(StartpointError):
        window_start(nonsense, datetime(2022, 8, 4, tzinfo=UTC), PARIS)


@pytest.mark.parametrize(
    "far", ["-3000 years", "+9000 years", "-99999999999 days", f"-{'9' * 5000} hours"]
)
def test_a_startpoint_outside_the_calendar_says_so(far: str) -> None:
    with pytest.raises(StartpointError, match="calendar"):
        window_start(far, datetime(2022, 8, 4, tzinfo=UTC), PARIS)


_WORDS = [
    "today", "midnight", "this week", "this month", "-1", "+3", "day", "months", "ago", "x", "noon",
    "monday", "first", "last", "of", "day of", "weekdays", "january", "2022", "08:00", "this",
]  # fmt: skip


@given(
    st.one_of(st.text(max_size=30), st.lists(st.sampled_from(_WORDS), max_size=6).map(" ".join)),
    st.integers(946_684_800, 2_840_140_800).map(lambda at: datetime.fromtimestamp(at, UTC)),
)
def test_anything_gives_a_moment_or_the_documented_error(text: str, now: datetime) -> None:
    try:
        found = window_start(text, now, PARIS)
    except StartpointError:
        return
    assert found.utcoffset() == timedelta(0)


WINDOWS = [
    "today", "-24 hours", "-1 hour", "-36 hours", "this week midnight", "-7 days", "-1 month",
    "this month midnight", "this week midnight -1 week", "last monday", "noon yesterday",
    "first monday of this month", "last day of previous month", "this year midnight", "-3 weekdays",
]  # fmt: skip
_moments = st.integers(1_500_000_000, 1_900_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))


@given(st.sampled_from(WINDOWS), _moments, st.floats(0, 1))
def test_what_was_counted_leaves_at_the_moment_that_is_told(
    startpoint: str, now: datetime, part: float
) -> None:
    since = window_start(startpoint, now, PARIS)
    assume(since <= now)  # the first Monday of this month may be still to come
    counted = since + (now - since) * part
    at = leaves(startpoint, counted, now, PARIS)
    assert at is not None
    assert at > now
    assert window_start(startpoint, at, PARIS) > counted
    before = at - timedelta(milliseconds=1)
    assert before <= now or window_start(startpoint, before, PARIS) <= counted


@pytest.mark.parametrize(
    ("startpoint", "counted", "now", "at"),
    [
        ("-24 hours", "2022-08-04 10:00", "2022-08-04 14:30", "2022-08-05 10:00"),
        ("-24 hours", "2022-03-26 20:00", "2022-03-27 12:00", "2022-03-27 20:00"),
        ("today", "2022-08-04 10:00", "2022-08-04 14:30", "2022-08-05 00:00"),
        ("this month midnight", "2022-08-04 10:00", "2022-08-04 14:30", "2022-09-01 00:00"),
        ("this year midnight", "2022-01-01 00:00", "2022-08-04 14:30", "2023-01-01 00:00"),
        ("this week midnight -1 week", "2022-07-25 00:00", "2022-08-04 14:30", "2022-08-08 00:00"),
        # "-1 month" is 3 March on the 31st, and 1 March again on the day after.
        ("-1 month", "2022-03-02 12:00", "2022-03-29 13:00", "2022-03-30 12:00"),
        ("-1 month", "2022-03-03 12:00", "2022-03-29 13:00", "2022-03-31 12:00"),
        ("-1 month", "2022-03-03 13:00", "2022-03-31 12:00", "2022-03-31 13:00"),
        ("-1 month", "2022-03-04 13:00", "2022-03-31 12:00", "2022-04-04 13:00"),
        ("now", "2022-08-04 10:00", "2022-08-04 14:30", "2022-08-04 14:30"),
    ],
)
def test_when_what_was_counted_leaves(startpoint: str, counted: str, now: str, at: str) -> None:
    def moment(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=PARIS)

    found = leaves(startpoint, moment(counted), moment(now), PARIS)
    assert found is not None
    assert abs(found - moment(at)) <= timedelta(milliseconds=1)


@pytest.mark.parametrize("fixed", ["2022-01-01", "1 january 2022 noon"])
def test_a_window_that_never_moves_never_lets_go(fixed: str) -> None:
    now = datetime(2022, 8, 4, tzinfo=UTC)
    assert leaves(fixed, now - timedelta(days=1), now, PARIS) is None
