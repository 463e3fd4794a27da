"""Whom a request is for, packed."""

from hypothesis import given
from hypothesis import strategies as st

from smsd.model.recipients import Recipients

NUMBERS = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
DATA = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
PAIRS = st.lists(st.tuples(NUMBERS, DATA))


@given(PAIRS, PAIRS)
def test_what_is_put_in_comes_out_in_order(
    first: list[tuple[str, str]], more: list[tuple[str, str]]
) -> None:
    one, other = Recipients(), Recipients()
    for pair in first:
        one.add(*pair)
    for pair in more:
        other.add(*pair)
    one.extend(other)
    assert list(one) == first + more == list(one)
    assert len(one) == len(first + more)
    assert all(pair in one for pair in first + more)
    assert ("+1", "x") not in one


def test_a_hundred_thousand_take_two_megabytes() -> None:
    many = Recipients()
    for n in range(100_000):
        many.add(f"+336{n:08d}", "[]")
    assert many._packed.__sizeof__() < 2_000_000
