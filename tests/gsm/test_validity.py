"""The validity period (23.040 9.2.3.12)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm import Absolute, EncodeError, Enhanced, Relative

WEEK = 7 * 1440


@pytest.mark.parametrize(
    ("octet", "minutes"),
    [
        (0, 5), (1, 10), (143, 720), (144, 750), (167, 1440), (168, 2 * 1440), (196, 30 * 1440),
        (197, 5 * WEEK), (255, 63 * WEEK),
    ],
)  # fmt: skip
def test_9_2_3_12_1_the_four_ranges(octet: int, minutes: int) -> None:
    assert Relative(octet).minutes == minutes
    assert Relative.covering(minutes) == Relative(octet)
    assert Relative(octet).encode() == bytes((octet,))


@given(st.integers(1, 63 * WEEK))
def test_the_shortest_period_that_covers(minutes: int) -> None:
    period = Relative.covering(minutes)
    assert period.minutes >= minutes
    assert period.octet == 0 or Relative(period.octet - 1).minutes < minutes


def test_no_period_is_longer_than_63_weeks() -> None:
    assert Relative.covering(10**9) == Relative(255)
    assert Relative.covering(0) == Relative.covering(-5) == Relative(0)


def test_a_period_in_seconds_octet_by_octet() -> None:
    assert Enhanced.of_seconds(10).octets == bytes.fromhex("020A0000000000")
    assert Enhanced.of_seconds(83105).octets == bytes.fromhex("03325050000000")


@pytest.mark.parametrize("octet", [-1, 256])
def test_a_relative_period_is_one_octet(octet: int) -> None:
    with pytest.raises(EncodeError, match=f"^validity: {octet} is no octet"):
        Relative(octet).encode()


def test_9_2_3_12_2_an_absolute_moment() -> None:
    moment = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert Absolute(moment).encode() == bytes.fromhex("62506070809000")
    assert Absolute(None).encode() == bytes(7)


@pytest.mark.parametrize(
    ("octets", "seconds", "single_shot"),
    [
        ("00000000000000", None, False),
        ("40000000000000", None, True),
        ("01A70000000000", 86400, False),
        ("41000000000000", 300, True),
        ("020A0000000000", 10, False),
        ("02000000000000", None, False),
        ("03321054000000", (23 * 60 + 1) * 60 + 45, False),
        ("03995959000000"[:14], (99 * 60 + 95) * 60 + 95, False),
        ("03A00000000000", None, False),
        ("03001A00000000", None, False),
        ("030000FF000000", None, False),
        ("04000000000000", None, False),
        ("07000000000000", None, False),
        ("82000A00000000", 10, False),
        ("82800A00000000", None, False),
        ("8280000B000000", 11, False),
        ("81FFFFFFFFFFFF", None, False),
        ("83808080808010", None, False),
        ("82808080808080", None, False),
    ],
)
def test_9_2_3_12_3_the_enhanced_format(
    octets: str, seconds: int | None, single_shot: bool
) -> None:
    enhanced = Enhanced(bytes.fromhex(octets))
    assert enhanced.seconds == seconds
    assert enhanced.single_shot == single_shot
    assert enhanced.encode() == bytes.fromhex(octets)


@given(st.binary(min_size=7, max_size=7))
def test_any_seven_octets_are_an_enhanced_period(octets: bytes) -> None:
    seconds = Enhanced(octets).seconds
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("single_shot", [False, True])
@pytest.mark.parametrize("seconds", [1, 255, 256, 3600, 86399, 359_999])
def test_a_period_in_seconds(seconds: int, single_shot: bool) -> None:
    enhanced = Enhanced.of_seconds(seconds, single_shot=single_shot)
    assert (enhanced.seconds, enhanced.single_shot) == (seconds, single_shot)
    assert len(enhanced.encode()) == 7
    assert enhanced.octets[0] & 7 == (2 if seconds < 256 else 3)


@pytest.mark.parametrize("seconds", [0, -1, 360_000])
def test_a_period_that_no_format_holds(seconds: int) -> None:
    with pytest.raises(EncodeError, match=f"^validity: {seconds} s is not within"):
        Enhanced.of_seconds(seconds)


def test_a_relative_period_in_the_enhanced_format() -> None:
    assert Enhanced.of_period(Relative(167)) == Enhanced(bytes.fromhex("01A70000000000"))
    assert Enhanced.of_period(None, single_shot=True) == Enhanced(b"\x40" + bytes(6))
    assert Enhanced.of_period(Relative(0), single_shot=True).octets[:2] == b"\x41\0"
    assert Enhanced.of_period(None).octets == bytes(7)


def test_the_enhanced_format_has_seven_octets() -> None:
    for size in (0, 6, 8):
        with pytest.raises(EncodeError, match=f"{size} octets"):
            Enhanced(bytes(size)).encode()
