"""Send windows: what is one, and when the next one opens, whatever the clock change does."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.model.hours import WEEKDAYS, HoursError, opening, read, shut, window

PARIS = ZoneInfo("Europe/Paris")
OFFICE = window(["mon-fri"], "08:00-20:00")


def paris(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-02 07:59:59", "2026-03-02 08:00"),  # a Monday
        ("2026-03-02 08:00", None),
        ("2026-03-02 19:59:59", None),
        ("2026-03-02 20:00", "2026-03-03 08:00"),
        ("2026-03-06 20:00", "2026-03-09 08:00"),  # over the weekend
        ("2026-03-08 12:00", "2026-03-09 08:00"),
    ],
)
def test_office_hours(at: str, opens: str | None) -> None:
    found = opening([OFFICE], paris(at), PARIS)
    assert found == (None if opens is None else paris(opens))


def test_since_when_they_are_shut_too() -> None:
    assert shut([OFFICE], paris("2026-03-08 12:00"), PARIS) == (
        paris("2026-03-06 20:00"), paris("2026-03-09 08:00"),
    )  # fmt: skip
    once = [window(["mon"], "08:00-09:00")]
    assert shut(once, paris("2026-03-09 07:59"), PARIS) == (
        paris("2026-03-02 09:00"), paris("2026-03-09 08:00"),
    )  # fmt: skip
    assert shut([], paris("2026-03-08 12:00"), PARIS) is None


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    night = window(["fri"], "22:00-06:00")
    assert opening([night], paris("2026-03-07 05:59"), PARIS) is None
    assert opening([night], paris("2026-03-07 06:00"), PARIS) == paris("2026-03-13 22:00")
    assert opening([night], paris("2026-03-06 05:00"), PARIS) == paris("2026-03-06 22:00")


def test_the_wall_clock_counts_when_it_is_changed() -> None:
    hours = [window(["mon-sun"], "02:30-04:00")]
    # On 29 March 2:30 is skipped: the window opens where it would be, at 3:30.
    assert opening(hours, paris("2026-03-29 01:00"), PARIS) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )
    # On 25 October it is 2:30 twice: from the first of them on.
    first, second = paris("2026-10-25 02:40"), paris("2026-10-25 02:20", fold=1)
    assert opening(hours, first, PARIS) is opening(hours, second, PARIS) is None
    before, after = paris("2026-03-28 21:00"), paris("2026-03-29 21:00")
    assert (
        opening([OFFICE], before, PARIS)
        == opening([OFFICE], after, PARIS)
        == paris("2026-03-30 08:00")
    )


def test_none_is_always_open_and_a_whole_day_too() -> None:
    assert opening([], paris("2026-03-02 03:00"), PARIS) is None
    whole = [window(["mon-sun"], "00:00-24:00")]
    for hour in range(24):
        assert opening(whole, paris(f"2026-03-29 {hour:02}:30"), PARIS) is None


@given(
    days=st.lists(st.sampled_from(WEEKDAYS), min_size=1),
    begin=st.integers(0, 23 * 60 + 59),
    end=st.integers(1, 24 * 60),
    minutes=st.integers(0, 60 * 24 * 400),
)
def test_what_opens_is_open_then_and_was_shut_before(
    days: list[str], begin: int, end: int, minutes: int
) -> None:
    hours = f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"
    one = [window(days, hours)]
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    opens = opening(one, at, PARIS)
    if opens is not None:
        assert at < opens <= at + timedelta(days=8)
        assert opening(one, opens, PARIS) is None
        assert opening(one, opens - timedelta(seconds=1), PARIS) == opens


def test_days_and_hours_as_people_write_them() -> None:
    assert window(["fri-mon"], "08:00-20:00").days == {4, 5, 6, 0}
    assert read('[{"hours": "09:00-24:00"}]')[0].days == set(range(7))
    assert read('[{"days": "sat", "hours": "09:00-12:00"}]')[0].days == {5}


@pytest.mark.parametrize(
    "text",
    ["x", "{}", "[]", "[1]", '[{"days": ["mon"]}]', '[{"hours": "8-20"}]', '[{"hours": 8}]',
     '[{"hours": "08:00-24:30"}]', '[{"hours": "24:00-08:00"}]',
     '[{"hours": "08:00-20:00", "days": []}]',
     '[{"hours": "08:00-20:00", "days": ["Monday"]}]', '[{"hours": "08:00-20:00", "days": [1]}]',
     '[{"hours": "08:00-20:00", "zone": "x"}]', "[" * 100_000],
)  # fmt: skip
def test_what_are_no_hours_is_refused_in_words(text: str) -> None:
    with pytest.raises(HoursError, match=r"\w"):
        read(text)
