"""The quick look at a number never says other than the library."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.dispatch.numbers import _plainly_valid, normal

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def by_the_library(number: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@given(st.sampled_from(CODES), st.text("0123456789", min_size=4, max_size=13))
def test_any_digits_are_judged_as_the_library_judges_them(code: int, national: str) -> None:
    number = f"+{code}{national}"
    assert normal(number) == by_the_library(number)


@given(st.data())
def test_numbers_that_exist_and_their_neighbours_are_judged_so_too(data: st.DataObject) -> None:
    code = data.draw(st.sampled_from(CODES))
    region = data.draw(st.sampled_from(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]))
    kind = data.draw(st.integers(0, 10))
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return
    number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    at = data.draw(st.integers(len(str(code)) + 1, len(number) - 1))
    changed = number[:at] + data.draw(st.sampled_from("0123456789")) + number[at + 1 :]
    for each in (number, changed, changed + "7", changed[:-1]):
        assert normal(each) == by_the_library(each)


@pytest.mark.parametrize(
    "number", ["+33612345678", "+14155552671", "+447911123456", "+393331234567"]
)
def test_the_usual_ones_need_no_closer_look(number: str) -> None:
    assert _plainly_valid(number)


@pytest.mark.parametrize("number", ["+33700000000", "+9991234567", "+1155552671", "+80012345678"])
def test_others_do(number: str) -> None:
    assert not _plainly_valid(number)


@pytest.mark.parametrize(
    "number", ["0612345678;0612345679", "+33612345678;1", "+33612345678 ; +33612345679"]
)
def test_two_numbers_in_one_are_none(number: str) -> None:
    """The library takes the second for an extension; the person behind it would get nothing."""
    assert normal(number, "FR") is None
