"""User data: header, fill bits, lengths (23.040 9.2.3.16, 9.2.3.24)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm import (
    Alphabet,
    Concatenation,
    DataCoding,
    DecodeError,
    EncodeError,
    InformationElement,
    Ports,
    UserData,
)
from smsd.gsm.header import encode as header_of
from smsd.gsm.userdata import check, decode
from tests.gsm import strategies as any_

GSM7, DATA, UCS2 = DataCoding(0), DataCoding(4), DataCoding(8)
ALPHABETS = st.sampled_from([GSM7, UCS2])


@given(any_.user_data())
def test_user_data_come_back(user_data: UserData) -> None:
    octets = b"\xff" + bytes((user_data.length,)) + user_data.octets + b"\xff"
    assert decode(octets, 1, user_data.coding, user_data.has_header) == user_data


@given(any_.headers, st.text(st.sampled_from(any_.DEFAULT), max_size=100), ALPHABETS)
def test_a_text_comes_back_behind_any_header(header: bytes, text: str, coding: DataCoding) -> None:
    header = header.replace(b"\x24", b"\x26").replace(b"\x25", b"\x26")  # no national tables
    if coding is UCS2:
        user_data = UserData.of_octets(text.encode("utf-16-be"), coding, header)
    else:
        user_data = UserData.of_septets(UserData.of_text(text).data, coding, header)
    assert user_data.text == text
    assert user_data.header == header
    assert user_data.has_header == bool(header)


@pytest.mark.parametrize("size", range(1, 12))
def test_9_2_3_24_fill_bits_put_the_text_on_a_septet(size: int) -> None:
    header = header_of([InformationElement(0x70, bytes(size - 1))]) if size > 1 else b"\0"
    user_data = UserData.of_septets(UserData.of_text("@abc@").data, GSM7, header)
    bits = int.from_bytes(user_data.octets, "little")
    start = -(-len(header) * 8 // 7)
    assert user_data.length == start + 5
    assert len(user_data.octets) == (user_data.length * 7 + 7) // 8
    for index, septet in enumerate(b"\0abc\0", start):
        assert bits >> 7 * index & 0x7F == septet
    assert user_data.text == "@abc@"


@pytest.mark.parametrize("text", ["1234567", "123456@", "1234567@", "1234567\r", "@" * 160, ""])
def test_6_1_2_1_the_length_decides_where_the_text_ends(text: str) -> None:
    user_data = UserData.of_text(text)
    assert user_data.length == len(text)
    assert user_data.text == text


def test_a_header_of_no_elements_is_a_header() -> None:
    user_data = decode(bytes.fromhex("0900 90E8329BFD4600"), 0, GSM7, True)
    assert user_data.has_header
    assert user_data.header == b"\0"
    assert user_data.elements == ()
    assert user_data.concatenation is None


def test_9_2_3_24_a_malformed_element_costs_the_header_but_not_the_text() -> None:
    octets = bytes.fromhex("0B 05 0009420301") + "abc".encode("utf-16-be")[:5]
    user_data = decode(octets, 0, UCS2, True)
    assert user_data.elements == ()
    assert user_data.concatenation is None
    assert user_data.ports is None
    assert user_data.languages == (0, 0)
    assert user_data.text == "ab"
    with pytest.raises(DecodeError, match=r"user_data.udh at octet 2"):
        check(user_data, 0, True)


def test_a_header_longer_than_the_user_data_is_none() -> None:
    octets = bytes((5,)) + UserData.of_text("Phone").octets
    user_data = decode(octets, 0, GSM7, True)
    assert user_data.text == "Phone"
    assert not user_data.has_header
    with pytest.raises(DecodeError, match=r"user_data.udh at octet 1: the header is longer"):
        check(user_data, 0, True)
    # As long as the user data is just too long as well: its own octet counts.
    assert not decode(b"\3\3\0\0", 0, DATA, True).has_header
    assert decode(b"\3\2\0\0", 0, DATA, True).header == b"\2\0\0"


def test_a_header_bit_without_any_octet() -> None:
    user_data = decode(b"\0", 0, GSM7, True)
    assert (user_data.text, user_data.has_header) == ("", False)


@pytest.mark.parametrize("coding", [GSM7, DATA, UCS2])
def test_9_2_3_16_fewer_octets_than_the_length_are_refused(coding: DataCoding) -> None:
    size = 7 if coding is GSM7 else 8
    assert decode(b"\x08" + bytes(size), 0, coding, False).length == 8
    with pytest.raises(DecodeError) as caught:
        decode(b"\x08" + bytes(size - 1), 0, coding, False)
    assert (caught.value.field, caught.value.offset) == ("user_data", 1)


@pytest.mark.parametrize(("coding", "limit"), [(GSM7, 160), (DATA, 140), (UCS2, 140)])
def test_9_2_3_16_strict_knows_the_limits(coding: DataCoding, limit: int) -> None:
    check(decode(bytes((limit,)) + bytes(250), 0, coding, False), 0, False)
    over = decode(bytes((limit + 1,)) + bytes(250), 0, coding, False)
    assert over.length == limit + 1
    with pytest.raises(DecodeError, match=r"user_data.length at octet 0: 141 octets"):
        check(over, 0, False)


def test_the_longest_length_of_septets() -> None:
    assert decode(b"\xff" + bytes(224), 0, GSM7, False).text == "@" * 255


def test_23_042_compressed_text_is_data() -> None:
    user_data = decode(b"\x03abc", 0, DataCoding(0x20), False)
    assert user_data.text is None
    assert user_data.data == b"abc"
    assert decode(b"\x02ab", 0, DataCoding(0x28), False).text is None


def test_8_bit_data_have_no_text() -> None:
    header = header_of([Ports(2948, 9200).element])
    user_data = UserData.of_octets(b"\1\2", DATA, header)
    assert user_data.text is None
    assert user_data.data == b"\1\2"
    assert user_data.ports == Ports(2948, 9200)
    assert user_data.coding.alphabet is Alphabet.DATA8


def test_6_2_3_an_odd_octet_of_ucs2_is_no_character() -> None:
    assert decode(b"\x03\0ab", 0, UCS2, False).text == "a"
    assert decode(b"\x02\xd8\x3d", 0, UCS2, False).text == "\ufffd"
    assert decode(b"\x04\xd8\x3d\xde\x42", 0, UCS2, False).text == "🙂"


def test_national_tables_from_the_header() -> None:
    turkish = [InformationElement(0x24, b"\1"), InformationElement(0x25, b"\1")]
    user_data = UserData.of_text("ğış€İ", elements=turkish)
    assert user_data.languages == (1, 1)
    assert user_data.text == "ğış€İ"
    assert [element.iei for element in user_data.elements] == [0x24, 0x25]


def test_one_part_of_a_text() -> None:
    tie = Concatenation(7, 2, 1)
    for coding in (GSM7, UCS2):
        user_data = UserData.of_text("hi", coding, [tie.element])
        assert (user_data.text, user_data.concatenation) == ("hi", tie)
        assert user_data.coding is coding


@pytest.mark.parametrize(
    ("text", "coding", "field"),
    [
        ("a" * 161, GSM7, "text"),
        ("ğ", GSM7, "text"),
        ("a" * 71, UCS2, "text"),
        ("a", DATA, "coding"),
        ("\ud83d", UCS2, "text"),
    ],
)
def test_what_is_no_single_part_is_refused(text: str, coding: DataCoding, field: str) -> None:
    with pytest.raises(EncodeError) as caught:
        UserData.of_text(text, coding)
    assert caught.value.field == field
    assert caught.value.reason


def test_a_header_takes_room() -> None:
    tie = [Concatenation(7, 2, 1).element]
    assert len(UserData.of_text("a" * 153, GSM7, tie).octets) == 140
    assert len(UserData.of_text("a" * 67, UCS2, tie).octets) == 140
    for text, coding in (("a" * 154, GSM7), ("a" * 68, UCS2)):
        with pytest.raises(EncodeError, match="does not fit"):
            UserData.of_text(text, coding, tie)
