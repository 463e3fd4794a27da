"""Bodies as PHP reads them."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smsd.api.forms import (
    DEEPEST,
    MOST_FIELDS,
    FormError,
    from_json,
    from_pairs,
    from_urlencoded,
    items,
    truth,
)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": "2"}),
        ("a=", {"a": ""}),
        ("a", {"a": ""}),
        ("a=x+y%2Bz%26", {"a": "x y+z&"}),
        ("a[]=1&a[]=2", {"a": {"0": "1", "1": "2"}}),
        ("a[5]=1&a[]=2", {"a": {"5": "1", "6": "2"}}),
        ("a[5]=1&a[2]=2&a[]=3", {"a": {"5": "1", "2": "2", "6": "3"}}),
        ("a[x]=1&a[]=2&a[]=3", {"a": {"x": "1", "0": "2", "1": "3"}}),
        ("a[05]=1&a[]=2", {"a": {"05": "1", "0": "2"}}),
        ("a[²]=1&a[]=2", {"a": {"²": "1", "0": "2"}}),
        ("a[][n]=1&a[][n]=2", {"a": {"0": {"n": "1"}, "1": {"n": "2"}}}),
        ("a[0][n]=1&a[0][d]=2&a[1]=3", {"a": {"0": {"n": "1", "d": "2"}, "1": "3"}}),
        ("a[0]=1&a=2", {"a": "2"}),
        ("a=2&a[0]=1", {"a": {"0": "1"}}),
        ("a[0]=2&a[0][x]=1", {"a": {"0": {"x": "1"}}}),
        ("%C3%A9=%F0%9F%98%80", {"é": "😀"}),
        ("a%5B0%5D=1", {"a": {"0": "1"}}),
        (" a=1", {"a": "1"}),
        ("a[b=1", {"a": "1"}),
    ],
)
def test_php_forms(body: str, found: dict[str, Any]) -> None:
    assert from_urlencoded(body.encode()) == found


def test_the_order_is_kept() -> None:
    found = from_urlencoded(b"n[9]=a&n[1]=b&n[x]=c")
    assert list(items(found["n"])) == ["a", "b", "c"]


@pytest.mark.parametrize("octets", [b"text=\xe9", b"text=%E9", b"\xff\xfe=1"])
def test_what_is_not_utf_8_is_refused_and_not_changed(octets: bytes) -> None:
    with pytest.raises(FormError, match="UTF-8"):
        from_urlencoded(octets)


def test_nesting_is_bounded() -> None:
    assert from_urlencoded(("a" + "[x]" * DEEPEST + "=1").encode())
    with pytest.raises(FormError, match="nested more than 5 deep"):
        from_urlencoded(("a" + "[x]" * (DEEPEST + 1) + "=1").encode())
    deep: Any = "x"
    for _ in range(DEEPEST):
        deep = [deep]
    assert from_json(json.dumps({"a": deep}).encode())
    with pytest.raises(FormError, match="nested more than 5 deep"):
        from_json(json.dumps({"a": [[deep]]}).encode())
    with pytest.raises(FormError):
        from_json(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_the_number_of_fields_is_bounded() -> None:
    with pytest.raises(FormError, match="at most 400000 fields"):
        from_urlencoded(b"&".join([b"a=1"] * (MOST_FIELDS + 1)))
    with pytest.raises(FormError, match="at most 400000 fields"):
        from_pairs([("a", "1")] * (MOST_FIELDS + 1))


@pytest.mark.parametrize("first", ["n[x]", "n[7]", "n[-1]", "n[]"])
def test_many_appended_values_take_no_longer_each(first: str) -> None:
    """A scan of the array for each ``[]`` would take hours here."""
    found = from_pairs([(first, "a"), *[("n[]", "b")] * 200_000])
    assert len(found["n"]) == 200_001


@pytest.mark.parametrize("body", [b"[]", b"3", b"null", b"{", b"\xff", b'"a"', b"{'a': 1}"])
def test_json_must_be_an_object(body: bytes) -> None:
    with pytest.raises(FormError):
        from_json(body)


@given(st.binary(max_size=200))
@example(b"a[\xc2\xb2]=1&a[]=2")
@example(b"a[" + b"9" * 5000 + b"]=1&a[]=2")
@example(b"a[999999999999999999]=1&a[]=2")
def test_any_octets_give_a_form_or_the_documented_error(octets: bytes) -> None:
    for read in (from_urlencoded, from_json):
        with suppress(FormError):
            assert isinstance(read(octets), dict)


_name = st.text("ab[]0159²x. ", max_size=12)


@given(st.lists(st.tuples(_name, st.text(max_size=3)), max_size=12))
def test_any_fields_give_a_form_or_the_documented_error(pairs: list[tuple[str, str]]) -> None:
    try:
        found = from_pairs(pairs)
    except FormError:
        return
    assert json.loads(json.dumps(found)) == found


@given(st.dictionaries(st.text("abc", min_size=1), st.lists(st.text(), min_size=1), max_size=4))
def test_what_a_client_sends_is_what_is_read(values: dict[str, list[str]]) -> None:
    fields = [(f"{name}[]", value) for name, many in values.items() for value in many]
    found = from_urlencoded(urlencode(fields, quote_via=quote_plus, errors="replace").encode())
    clean = {k: [v.encode(errors="replace").decode() for v in many] for k, many in values.items()}
    assert {name: list(items(value)) for name, value in found.items()} == clean


def test_one_or_many() -> None:
    assert list(items(None)) == []
    assert list(items("a")) == ["a"]
    assert list(items(["a", "b"])) == ["a", "b"]
    assert list(items({"0": "a", "x": {"number": "b"}})) == ["a", {"number": "b"}]


@pytest.mark.parametrize(
    ("value", "is_true"),
    [
        (None, False), ("", False), ("0", False), ("false", False), ("No", False), (" off ", False),
        (False, False), (0, False), ({}, False),
        ("1", True), ("true", True), ("on", True), ("x", True), (True, True), (1, True),
        ({"0": "1"}, True),
    ],
)  # fmt: skip
def test_flags(value: object, *, is_true: bool) -> None:
    assert truth(value) is is_true
