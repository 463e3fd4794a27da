"""Where a limit's window begins, against what RaspiSMS's own software was seen to compute."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.dispatch.limits import StartpointError, window_start

PARIS = ZoneInfo("Europe/Paris")
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
    """``this month midnight`` is what is documented; what is not understood is an error."""
    unknown = set()
    for row in recorded():
        now = datetime.fromtimestamp(row["now_epoch"], UTC)
        want = row.get("documented_epoch", row["epoch"])
        try:
            assert window_start(row["startpoint"], now, PARIS).timestamp() == want, row
        except StartpointError:
            assert not row["core"], row
            unknown.add(row["startpoint"])
    assert unknown == {"last monday", "noon"}


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


@pytest.mark.parametrize("nonsense", ["", "   ", "tomorow", "-24", "hours", "-1 moon", "today x"])
def test_what_is_no_startpoint_says_so(nonsense: str) -> None:
    with pytest.raises(StartpointError):
        window_start(nonsense, datetime(2022, 8, 4, tzinfo=UTC), PARIS)


@pytest.mark.parametrize(
    "far", ["-3000 years", "+9000 years", "-99999999999 days", f"-{'9' * 5000} hours"]
)
def test_a_startpoint_outside_the_calendar_says_so(far: str) -> None:
    with pytest.raises(StartpointError, match="calendar"):
        window_start(far, datetime(2022, 8, 4, tzinfo=UTC), PARIS)


_WORDS = ["today", "midnight", "this week", "this month", "-1", "+3", "day", "months", "ago", "x"]


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
