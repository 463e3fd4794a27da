"""Where a coded text is cut: against a reference that goes character by character."""

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm.alphabet import to_septets, to_text
from smsd.gsm.cutting import cut_septets, cut_units
from smsd.gsm.graphemes import may_cut

septet_text = st.lists(st.sampled_from(["a", "€", "\r\n", "\r", "\n", "b"]), max_size=24).map(
    "".join
)
unit_text = st.lists(
    st.sampled_from(
        ["я", "a", "🙂", "e\u0301", "👍🏽", "🇫🇷", "\r\n", "日", " ", "e\u0301\u0302\u0303"]
    ),
    max_size=24,
).map("".join)


def pieces_of(coded: bytes, cuts: list[int]) -> list[bytes]:
    return [coded[a:b] for a, b in pairwise([0, *cuts, len(coded)])]


def greedy(sizes: list[int], room: int) -> list[int]:
    """Return the sizes of the parts that pieces of these sizes make, none of them cut."""
    parts = [0]
    for size in sizes:
        if parts[-1] + size > room:
            parts.append(0)
        parts[-1] += size
    return parts


def check(text: str, pieces: list[str], sizes: list[int], room: int) -> None:
    """Compare with the reference: the fewest parts, and whole graphemes if those are as few."""
    assert "".join(pieces) == text
    fewest = greedy(sizes, room)
    assert len(pieces) == len(fewest)
    clusters: list[int] = []
    for at, size in enumerate(sizes):
        if at and not may_cut(text, at):
            clusters[-1] += size
        else:
            clusters.append(size)
    whole = greedy(clusters, room)
    cuts = list(accumulate(map(len, pieces)))[:-1]
    if max(clusters, default=0) <= room and len(whole) == len(fewest):
        assert all(may_cut(text, cut) for cut in cuts)


@given(septet_text, st.integers(4, 14), st.booleans())
def test_septets_are_cut_as_by_hand(text: str, room: int, national: bool) -> None:
    septets = to_septets(text)
    assert septets is not None
    pieces = pieces_of(septets, cut_septets(text, septets, room, national=national))
    assert b"".join(pieces) == septets
    assert all(len(piece) <= room for piece in pieces)
    sizes = [len(to_septets(character) or b"") for character in text]
    check(text, [to_text(piece) for piece in pieces], sizes, room)


@given(unit_text, st.integers(4, 24))
def test_units_are_cut_as_by_hand(text: str, room: int) -> None:
    units = text.encode("utf-16-be")
    pieces = pieces_of(units, cut_units(text, units, room))
    assert b"".join(pieces) == units
    assert all(len(piece) <= room for piece in pieces)
    sizes = [len(character.encode("utf-16-be")) for character in text]
    check(text, [piece.decode("utf-16-be") for piece in pieces], sizes, room & ~1)


@pytest.mark.parametrize(
    ("text", "room", "sizes"),
    [
        ("abcd", 4, [4]),
        ("abcde", 4, [4, 1]),
        ("abc€f", 4, [3, 3]),
        ("ab€cd€", 4, [4, 4]),
        ("abc\r\nd", 4, [3, 3]),
        ("abc\r\ndef", 4, [4, 4]),
        ("{}\r\n[", 6, [6, 2]),
        ("{a}\r\n[", 6, [5, 4]),
        ("ab{c\r\n}d", 6, [5, 5]),
        ("abc\r\nde{\r\n", 4, [3, 4, 4]),
    ],
)
def test_cuts_between_septets(text: str, room: int, sizes: list[int]) -> None:
    septets = to_septets(text)
    assert septets is not None
    for national in (False, True):
        pieces = pieces_of(septets, cut_septets(text, septets, room, national=national))
        assert [len(piece) for piece in pieces] == sizes


@pytest.mark.parametrize(
    ("text", "room", "sizes"),
    [
        ("abcdefgh", 9, [8, 8]),
        ("abc🙂def", 8, [6, 8, 2]),
        ("яbce\u0301f", 8, [6, 6]),
        ("яbce\u0301fgh", 8, [8, 8]),
        ("abc👍🏽d", 10, [6, 10]),
        ("abc\r\nd", 8, [6, 6]),
        ("abcd\nefg", 8, [8, 8]),
        ("abcd efg", 8, [8, 8]),
        ("а" * 4 + "\u0483", 8, [6, 4]),
        ("가" * 4 + "\u11a8", 8, [6, 4]),
        ("가" * 5, 8, [8, 2]),
        ("я" * 3 + "\u1100" * 2, 8, [6, 4]),
        ("\uffff" * 3 + "e\u0301", 8, [6, 4]),
        # The second cut is looked at as well as the first.
        ("яяяяяяяe\u0301я", 8, [8, 6, 6]),
        ("aaaaaaae\u0301a", 8, [8, 6, 6]),
        # One that is longer than a part is torn, and what follows is kept whole.
        ("e" + "\u0301" * 5 + "be\u0301", 8, [8, 6, 4]),
        ("я" * 3 + "e\u0301" + "e" + "\u0301" * 4 + "я", 8, [8, 8, 6]),
    ],
)
def test_cuts_between_units(text: str, room: int, sizes: list[int]) -> None:
    units = text.encode("utf-16-be")
    pieces = pieces_of(units, cut_units(text, units, room))
    assert [len(piece) for piece in pieces] == sizes
