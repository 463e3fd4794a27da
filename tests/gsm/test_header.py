"""The user data header (23.040 9.2.3.24)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm import Concatenation, DecodeError, EncodeError, InformationElement, Ports
from smsd.gsm.header import check, concatenation, encode, languages, ports, split
from tests.gsm import strategies as any_

elements = st.lists(any_.elements, max_size=6)


def header(octets: str) -> bytes:
    raw = bytes.fromhex(octets)
    return bytes((len(raw),)) + raw


@given(elements)
def test_elements_come_back(wanted: list[InformationElement]) -> None:
    octets = encode(wanted)
    assert [InformationElement(*found) for found in split(octets)] == wanted
    check(octets, 0)


@given(any_.concatenations)
def test_9_2_3_24_1_and_8_a_concatenation_comes_back(tie: Concatenation) -> None:
    assert concatenation(encode([tie.element])) == tie


@given(any_.ports)
def test_9_2_3_24_3_and_4_ports_come_back(pair: Ports) -> None:
    assert ports(encode([pair.element])) == pair


@given(st.binary(max_size=140))
def test_any_header_is_read(octets: bytes) -> None:
    found = split(bytes((len(octets),)) + octets)
    assert sum(2 + len(data) for _, data in found) in (0, len(octets))


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("0003420301", Concatenation(0x42, 3, 1)),
        ("080412340302", Concatenation(0x1234, 3, 2, wide=True)),
        ("0003420300", None),
        ("0003420001", None),
        ("0003420304", None),
        ("08041234 0304", None),
        ("000242 03", None),
        ("08031234 03", None),
        ("0003420301 0003430302", Concatenation(0x43, 3, 2)),
        ("0003420301 080400420302", Concatenation(0x42, 3, 2, wide=True)),
        ("080400420302 0003420301", Concatenation(0x42, 3, 1)),
        ("0003420301 0003420300", Concatenation(0x42, 3, 1)),
        ("7000 0003420303", Concatenation(0x42, 3, 3)),
        ("0003FFFFFF", Concatenation(255, 255, 255)),
        ("0003000101", Concatenation(0, 1, 1)),
        ("0003420301 05", None),
        ("0003420301 0504", None),
        ("", None),
    ],
)
def test_9_2_3_24_1_which_concatenation_counts(octets: str, expected: Concatenation | None) -> None:
    assert concatenation(header(octets)) == expected


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("05040B8423F0", Ports(2948, 9200)),
        ("0402F0F1", Ports(0xF0, 0xF1, wide=False)),
        ("0402F0F1 05040B8423F0", Ports(2948, 9200)),
        ("05040B8423F0 0402F0F1", Ports(0xF0, 0xF1, wide=False)),
        ("05030B8423", None),
        ("0401F0", None),
    ],
)
def test_9_2_3_24_4_which_ports_count(octets: str, expected: Ports | None) -> None:
    assert ports(header(octets)) == expected


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("240101", (0, 1)),
        ("250103", (3, 0)),
        ("240101 250103", (3, 1)),
        ("240101 240102", (0, 2)),
        ("24020101", (0, 0)),
        ("25020101", (0, 0)),
        ("0003242501", (0, 0)),
        ("0003420301", (0, 0)),
        ("2401FF", (0, 255)),
        ("0804242501 02".replace(" ", ""), (0, 0)),
        ("0003420301 240101", (0, 1)),
        ("080412340301 250102", (2, 0)),
    ],
)
def test_9_2_3_24_15_and_16_which_languages_count(octets: str, expected: tuple[int, int]) -> None:
    assert languages(header(octets)) == expected


@pytest.mark.parametrize(
    ("octets", "offset"), [("0003420301 05", 16), ("0003420301 0504", 16), ("0004420301", 11)]
)
def test_strict_refuses_an_element_longer_than_its_header(octets: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        check(header(octets), 10)
    assert (caught.value.field, caught.value.offset) == ("user_data.udh", offset)


def test_no_elements_are_no_header() -> None:
    assert encode([]) == b""
    assert split(b"\0") == []
    assert split(b"") == []


@pytest.mark.parametrize(
    "wrong",
    [
        Concatenation(256, 2, 1),
        Concatenation(0x10000, 2, 1, wide=True),
        Concatenation(-1, 2, 1),
        Concatenation(0, 256, 1),
        Concatenation(0, 2, 3),
        Concatenation(0, 2, 0),
        Ports(256, 0, wide=False),
        Ports(0, 0x10000),
        Ports(-1, 0),
    ],
)
def test_an_element_out_of_range_is_refused(wrong: Concatenation | Ports) -> None:
    with pytest.raises(EncodeError, match=r"user_data.udh: .*out of range"):
        _ = wrong.element


def test_limits_of_an_element_and_a_header() -> None:
    for wrong in (InformationElement(256, b""), InformationElement(-1, b"")):
        with pytest.raises(EncodeError):
            wrong.encode()
    with pytest.raises(EncodeError):
        InformationElement(0, bytes(256)).encode()
    assert InformationElement(255, bytes(255)).encode()[:2] == b"\xff\xff"
    assert len(encode([InformationElement(0x70, bytes(137))])) == 140
    with pytest.raises(EncodeError, match="140 octets do not fit"):
        encode([InformationElement(0x70, bytes(138))])


def test_an_element_octet_by_octet() -> None:
    assert Concatenation(0x42, 3, 1).element == InformationElement(0, b"\x42\3\1")
    assert Concatenation(0x1234, 3, 1, wide=True).element == InformationElement(8, b"\x12\x34\3\1")
    assert Ports(2948, 9200).element == InformationElement(5, bytes.fromhex("0B8423F0"))
    assert Ports(1, 2, wide=False).element == InformationElement(4, b"\1\2")
    assert encode([InformationElement(1, b"ab"), InformationElement(2, b"")]) == b"\6\1\2ab\2\0"
