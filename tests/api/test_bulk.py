"""Large bodies say what the small ones say."""

import io
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.api import bulk, forms
from smsd.api.bulk import CsvError, Entries, csv_file
from smsd.api.forms import FormError


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """A body with its arrays as lists, whichever way they were read."""
    return {
        name: [*forms.items(value)] if name in bulk.MANY else value for name, value in body.items()
    }


def both(octets: bytes, json_body: bool = False) -> tuple[Any, Any]:
    small, large = (
        (forms.from_json, bulk.from_json) if json_body else (forms.from_urlencoded, bulk.urlencoded)
    )
    found: list[Any] = []
    for read in (small, large):
        try:
            found.append(plain(read(octets)))
        except FormError:
            found.append(None)
    return found[0], found[1]


_names = st.sampled_from(
    ["numbers", "numbers[]", "numbers[0]", "numbers[1]", "numbers[2]", "numbers[0][number]",
     "numbers[0][data]", "numbers[1][number]", "numbers[1][data][a]", "numbers[1][data][b]",
     "numbers[x]", "numbers[][number]", "numbers[01]", "numbers[2", "text", "a[b][c]", "contacts[]",
     "contacts[5]", " numbers[]", "numbers[0][a][b][c][d][e]"]
)  # fmt: skip


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@given(st.lists(st.tuples(_names, _texts), max_size=8))
def test_any_form_is_read_as_a_small_one(pairs: list[tuple[str, str]]) -> None:
    small, large = both(urlencode(pairs).encode())
    assert small == large


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | st.floats(-9, 9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["numbers", "contacts", "text", "x"]), _json))
def test_any_json_is_read_as_a_small_one(body: dict[str, Any]) -> None:
    small, large = both(json.dumps(body).encode(), json_body=True)
    assert small == large


@pytest.mark.parametrize(
    "octets", [b"numbers[]=%E9", b"text=\xff", b"&".join([b"a=1"] * (forms.MOST_FIELDS + 1))]
)
def test_a_form_that_is_none_is_refused(octets: bytes) -> None:
    with pytest.raises(FormError):
        plain(bulk.urlencoded(octets))


@pytest.mark.parametrize(
    "octets", [b"", b"[]", b"{", b'{"a": 01}', b'{"numbers": [1, }', b'{"a": "\xff"}']
)
def test_json_that_is_none_is_refused(octets: bytes) -> None:
    with pytest.raises(FormError):
        bulk.from_json(octets)


def test_many_are_read_as_often_as_asked_and_never_kept() -> None:
    body = bulk.urlencoded(b"text=a&numbers[]=1&numbers[]=2")
    numbers = body["numbers"]
    assert isinstance(numbers, Entries)
    assert [list(numbers), list(numbers)] == [["1", "2"], ["1", "2"]]


def test_a_file_is_read_as_utf_8_with_or_without_its_mark() -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        rows = csv_file(io.BytesIO(mark + "n,a\n1,é\n".encode()))
        assert [list(rows), list(rows)] == [[{"number": "1", "data": {"a": "é"}, "line": 2}]] * 2
    with pytest.raises(CsvError, match="UTF-8"):
        list(csv_file(io.BytesIO(b"n\n\xe9\n")))
    with pytest.raises(CsvError, match="cannot be read"):
        list(csv_file(io.BytesIO(b"n\n" + b"x" * 200_000)))


@given(st.lists(_json, max_size=4), st.integers(1, 9), st.booleans())
def test_elements_of_any_size_come_whole_over_the_ends_of_windows(
    elements: list[Any], times: int, ascii_only: bool
) -> None:
    many = [
        *elements * times,
        1.5e3,
        -2,
        "é😀" * times * 9000,
        *elements,
        "x" * (65_510 + times),
        12.25e-7,
        *elements * times,
    ]
    octets = json.dumps({"numbers": many}, ensure_ascii=ascii_only).encode()
    small, large = both(octets, json_body=True)
    assert small == large
