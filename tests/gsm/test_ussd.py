"""Septets as USSD packs them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm.errors import EncodeError
from smsd.gsm.ussd import LONGEST, pack_ussd, unpack_ussd

# The codes that every tool's documentation shows packed: they agree on these octets.
KNOWN = [("*100#", "AA180C3602"), ("*101#", "AA182C3602"), ("*123#", "AA986C3602")]


@pytest.mark.parametrize(("text", "octets"), KNOWN)
def test_codes_of_the_field(text: str, octets: str) -> None:
    assert pack_ussd(text).hex().upper() == octets
    assert unpack_ussd(bytes.fromhex(octets)) == text


@pytest.mark.parametrize("length", [7, 15, 23, 31])
def test_seven_spare_bits_are_a_carriage_return(length: int) -> None:
    octets = pack_ussd("1" * length)
    assert len(octets) * 8 == (length + 1) * 7
    assert octets[-1] >> 1 == 0x0D
    assert unpack_ussd(octets) == "1" * length


def test_a_carriage_return_of_the_text_is_not_taken_for_the_fill() -> None:
    assert unpack_ussd(pack_ussd("1234567\r")) == "1234567\r\r"  # as the standard has it doubled
    assert unpack_ussd(pack_ussd("12345678")) == "12345678"


def test_nothing_is_nothing() -> None:
    assert (pack_ussd(""), unpack_ussd(b"")) == (b"", "")


@pytest.mark.parametrize("text", ["ж", "1" * (LONGEST + 1)])
def test_what_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(EncodeError):
        pack_ussd(text)


@given(st.text("0123456789*#aé€[\n", max_size=90))
def test_there_and_back(text: str) -> None:
    assert unpack_ussd(pack_ussd(text)) == text


@given(st.binary(max_size=200))
def test_any_octets_have_a_text(octets: bytes) -> None:
    assert isinstance(unpack_ussd(octets), str)
