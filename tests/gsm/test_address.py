"""Addresses (23.040 9.1.2.5, 24.011 8.2.5.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm import Address, DecodeError, EncodeError, NumberingPlan, TypeOfNumber
from smsd.gsm.address import check, decode, decode_sc, end
from tests.gsm import strategies as any_

INTERNATIONAL, UNKNOWN = TypeOfNumber.INTERNATIONAL, TypeOfNumber.UNKNOWN
ISDN = NumberingPlan.ISDN


@given(any_.addresses)
def test_an_address_comes_back(address: Address) -> None:
    octets = address.encode()
    assert decode(octets) == address
    assert end(b"\xff" + octets + b"\0", 1, "field") == 1 + len(octets)


@given(any_.numbers)
def test_a_service_centre_comes_back(address: Address) -> None:
    octets = address.encode_sc()
    assert octets[0] == len(octets) - 1
    assert decode_sc(octets) == address


@pytest.mark.parametrize(
    ("number", "octets"),
    [
        ("+33612345678", "0B913316325476F8"),
        ("36789", "05816387F9"),
        ("0171123456", "0A811017214365"),
        ("*100#", "05811A00FB"),
        ("12345678901234567890", "14812143658709214365870 9".replace(" ", "")),
        ("", "0081"),
        ("1", "0181F1"),
        ("*#0abc9", "0781BA C0 ED F9".replace(" ", "")),
        ("sipgate", "0DD0F334FC1CA69701"),
        ("12345678901", "0B812143658709F1"),
    ],
)
def test_9_1_2_5_the_octets_of_an_address(number: str, octets: str) -> None:
    address = Address.parse(number)
    expected = bytes.fromhex(octets)
    assert address.encode() == expected
    assert decode(address.encode()) == address
    assert address.number == number


@pytest.mark.parametrize(
    ("number", "address"),
    [
        ("+33612345678", Address("33612345678", INTERNATIONAL, ISDN)),
        ("36789", Address("36789", UNKNOWN, ISDN)),
        ("#31#", Address("#31#", UNKNOWN, ISDN)),
        ("12a", Address("12a", UNKNOWN, ISDN)),
        ("", Address("", UNKNOWN, ISDN)),
        ("cab", Address("cab", TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)),
        ("Bank", Address("Bank", TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)),
        ("+", Address("+", TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)),
        ("+33x", Address("+33x", TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)),
        ("٣٣", Address("٣٣", TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)),
    ],
)
def test_what_a_person_writes(number: str, address: Address) -> None:
    assert Address.parse(number) == address
    assert address.number == number


def test_an_international_address_without_digits_has_no_plus() -> None:
    assert Address("", INTERNATIONAL, ISDN).number == ""


@pytest.mark.parametrize("ton", TypeOfNumber)
@pytest.mark.parametrize("npi", NumberingPlan)
def test_9_1_2_5_every_type_and_plan(ton: TypeOfNumber, npi: NumberingPlan) -> None:
    address = Address("12", ton, npi)
    assert address.toa == 0x80 | ton << 4 | npi
    assert address.encode()[1] == address.toa
    assert decode(address.encode()) == address


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("0DD0F334FC1CA69701", "sipgate"),
        ("14D0D0F8DD9D87D7F3E9B2", None),
        ("0BD0E5F4FBED8E03", None),
        ("04D01B65", None),
        ("0ED08080808080800000"[:18], None),
    ],
)
def test_an_alphanumeric_address_has_as_many_septets_as_its_length_says(
    octets: str, text: str | None
) -> None:
    raw = bytes.fromhex(octets)
    raw = raw[: 2 + (raw[0] + 1) // 2]
    address = decode(raw)
    assert len(address.digits) <= raw[0] * 4 // 7
    if text is not None:
        assert address.digits == text


def test_the_euro_and_a_last_commercial_at_in_a_name() -> None:
    for name in ("€", "12345@", "1234567@", "Δ@", "O2_", "äöñüà"):
        address = Address(name, TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)
        assert decode(address.encode()).number == name


@pytest.mark.parametrize("name", ["a" * 12, "€" * 6, "ğ", "日本"])
def test_a_name_that_does_not_fit_is_refused(name: str) -> None:
    with pytest.raises(EncodeError, match=r"to: .*not 11 characters"):
        Address(name, TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN).encode("to")


def test_eleven_septets_are_the_most() -> None:
    for name in ("a" * 11, "€" * 5 + "a"):
        assert decode(Address.parse(name).encode()).number == name


@pytest.mark.parametrize("digits", ["1" * 21, "12x", "1 2", "٣"])
def test_digits_that_are_none_are_refused(digits: str) -> None:
    address = Address(digits, UNKNOWN, ISDN)
    with pytest.raises(EncodeError, match=r"^to: "):
        address.encode("to")
    with pytest.raises(EncodeError, match=r"^sc: "):
        address.encode_sc()


def test_a_name_is_no_service_centre() -> None:
    with pytest.raises(EncodeError, match="sc: 'Bank' is not a number"):
        Address.parse("Bank").encode_sc()


def test_upper_case_letters_are_the_same_digits() -> None:
    assert Address("1A2B3C", UNKNOWN, ISDN).encode() == Address("1a2b3c", UNKNOWN, ISDN).encode()


def test_a_centre_of_no_octets_is_the_sims() -> None:
    assert decode_sc(b"\0") is None
    assert decode_sc(b"") is None
    assert decode_sc(b"\1\x91") == Address("", INTERNATIONAL, ISDN)


@given(st.binary(max_size=20), st.integers(0, 21))
def test_an_address_ends_within_the_octets_or_is_refused(octets: bytes, at: int) -> None:
    try:
        after = end(octets, at, "field")
    except DecodeError as error:
        found: object = error
        after = at
    else:
        found = decode(octets[at:after])
    assert isinstance(found, Address | DecodeError)
    assert after <= max(len(octets), at)


@pytest.mark.parametrize(
    ("octets", "offset"),
    [
        ("159121436587092143658709F1", 10),
        ("0B113316325476F8", 11),
        ("0B91331632547678", 12),
        ("0B9133F6325476F8", 12),
        ("0491F3F3", 12),
        ("17D0" + "00" * 12, 10),
        ("1591" + "11" * 10 + "F1", 10),
    ],
)
def test_what_only_lenient_decoding_takes(octets: str, offset: int) -> None:
    assert isinstance(decode(bytes.fromhex(octets)), Address)
    with pytest.raises(DecodeError) as caught:
        check(bytes.fromhex(octets), 10, "originator")
    assert (caught.value.field, caught.value.offset) == ("originator", offset)


def test_strict_takes_the_longest_of_both_kinds() -> None:
    check(bytes.fromhex("1491" + "11" * 10), 0, "field")
    check(bytes.fromhex("16D0" + "00" * 11), 0, "field")
    for octets in ("1591" + "11" * 10 + "F1", "16A1" + "11" * 11, "17D0" + "00" * 12):
        with pytest.raises(DecodeError, match="is over the standard's limit"):
            check(bytes.fromhex(octets), 0, "field")


@given(any_.addresses)
def test_strict_takes_what_we_write(address: Address) -> None:
    check(address.encode(), 0, "originator")
