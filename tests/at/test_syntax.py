"""What information lines hold, however a modem writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.at.syntax import AnswerError, fields, find, is_pdu, natural, number, only, ranges, strings


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("+CSQ: 17,99", ["17", "99"]),
        ('+CPIN:"SIM PIN"', ["SIM PIN"]),
        ('+CMGL: 1,1,"a,b(",23', ["1", "1", "a,b(", "23"]),
        ('+CPMS: ("SM","ME"),("SM")', ['("SM","ME")', '("SM")']),
        ("+CNMI: (0-2),(0,1)", ["(0-2)", "(0,1)"]),
        ("+CDS: ,25", ["", "25"]),
        ("no colon", [""]),
        ('+X: "open', ["open"]),
    ],
)
def test_fields_are_read_without_their_quotes(line: str, values: list[str]) -> None:
    assert fields(line) == values


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "²", "٣", "9" * 10])
def test_only_plain_decimal_values_of_sane_length_are_numbers(value: str) -> None:
    assert natural(value) is None
    with pytest.raises(AnswerError, match="a number wanted"):
        number(value, f"+X: {value}")


def test_a_number_is_read() -> None:
    assert natural("017") == number("017", "") == 17


def test_the_first_line_with_a_prefix_is_found() -> None:
    assert find(["^RSSI: 1", "+CSQ: 1,2", "+CSQ: 3,4"], "+CSQ:") == "+CSQ: 1,2"
    assert find([], "+CSQ:") is None
    assert only(["+CSQ: 1,2"], "+CSQ:") == "+CSQ: 1,2"
    with pytest.raises(AnswerError):
        only(["^RSSI: 1"], "+CSQ:")


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("(0-2,4)", (0, 1, 2, 4)),
        ("(3-1)", ()),
        ("()", ()),
        ("1", (1,)),
        ("²", ()),
        ("(99999999999)", ()),
    ],
)
def test_lists_and_ranges_of_numbers(value: str, numbers: tuple[int, ...]) -> None:
    assert ranges(value) == numbers


def test_a_garbled_range_fills_no_memory() -> None:
    assert len(ranges("(0-999999999)")) < 1000


def test_names_of_memories() -> None:
    assert strings('("SM","ME","SM_P")') == ("SM", "ME", "SM_P")
    assert strings('("","é","a b")') == ()


@given(st.text(max_size=60))
def test_no_line_is_too_odd_to_be_read(line: str) -> None:
    for value in fields(line):
        natural(value)
        ranges(value)
        strings(value)


def test_a_pdu_is_whole_octets_in_hex_of_either_case() -> None:
    assert is_pdu("0791aBCDef00")
    assert not is_pdu("079")
    assert not is_pdu("+CMTI: 1")
