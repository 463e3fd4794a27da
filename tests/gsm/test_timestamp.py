"""Time stamps (23.040 9.2.3.11)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm import EncodeError
from smsd.gsm.timestamp import decode, encode
from tests.gsm import strategies as any_


@given(any_.times)
def test_a_time_comes_back_with_its_offset(time: datetime) -> None:
    again = decode(encode(time, "field"))
    assert again == time
    assert again.utcoffset() == time.utcoffset()


@given(st.binary(min_size=7, max_size=7))
def test_any_seven_octets_are_a_time_or_none(octets: bytes) -> None:
    time = decode(octets)
    assert time is None or decode(encode(time, "field")) == time


@pytest.mark.parametrize(
    ("octets", "iso"),
    [
        ("62506070809032", "2026-05-06T07:08:09+05:45"),
        ("62506070809004", "2026-05-06T07:08:09+10:00"),
        ("62506070809041", "2026-05-06T07:08:09+03:30"),
        ("62506070809049", "2026-05-06T07:08:09-03:30"),
        ("6250607080900C", "2026-05-06T07:08:09-10:00"),
        ("62506070809008", "2026-05-06T07:08:09+00:00"),
        ("99211332959500", "1999-12-31T23:59:59+00:00"),
        ("09101000000000", "1990-01-01T00:00:00+00:00"),
        ("98211332959500", "2089-12-31T23:59:59+00:00"),
        ("42209200000000", "2024-02-29T00:00:00+00:00"),
    ],
)
def test_signed_quarters_and_the_century(octets: str, iso: str) -> None:
    time = decode(bytes.fromhex(octets))
    assert time is not None
    assert time.isoformat() == iso
    if octets != "62506070809008":  # minus nothing
        assert encode(time, "field") == bytes.fromhex(octets)


@pytest.mark.parametrize(
    "octets",
    [
        "00000000000000",
        "FFFFFFFFFFFFFF",
        "62316070809000",
        "52209200000000",
        "625060428090 00".replace(" ", ""),
        "62506070069000",
        "62506070800600",
        "A2506070809000",
        "625060708090A0",
        "F2506070809000",
    ],
)
def test_octets_that_are_no_time(octets: str) -> None:
    assert decode(bytes.fromhex(octets)) is None


def test_no_time_is_written_as_zeros() -> None:
    assert encode(None, "field") == bytes(7)


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 1, 1),  # noqa: DTZ001
        datetime(1989, 12, 31, tzinfo=UTC),
        datetime(2090, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(minutes=20))),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=20))),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-20))),
    ],
)
def test_a_time_without_octets_is_refused(time: datetime) -> None:
    with pytest.raises(EncodeError, match=r"^sent_at: "):
        encode(time, "sent_at")
