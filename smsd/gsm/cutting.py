"""Where a coded text is cut into parts.

A cut never falls between an escape and its septet or between two surrogates. The fewest parts come
first; where as many can also end between what a reader sees as characters, they do.
"""

from __future__ import annotations

import functools

from smsd.gsm.alphabet import ESCAPE
from smsd.gsm.graphemes import may_cut
from smsd.gsm.userdata import from_units, to_units

_CR = 0x0D
_LAST_LETTER = 0x10FF  # before the Hangul letters, which join


def cut_septets(text: str, septets: bytes, room: int, *, national: bool) -> list[int]:
    """Return where to cut the septets of a text into parts of at most `room`."""
    cuts = list(range(room, len(septets), room))
    if ESCAPE in septets:
        cuts = _spare_escapes(septets, room)
    # The default alphabet has but one pair that belongs together.
    if national or (_CR in septets and any(septets[at - 1 : at + 1] == b"\r\n" for at in cuts)):
        return _gentler(text, _widths(septets), room, cuts)
    return cuts


def _spare_escapes(septets: bytes, room: int) -> list[int]:
    cuts = []
    at, last = 0, len(septets) - room
    while at < last:
        at += room
        if septets[at - 1] == ESCAPE:
            at -= 1
        cuts.append(at)
    return cuts


def _widths(septets: bytes) -> list[int]:
    """Return how many septets each character takes."""
    plain = septets.split(bytes((ESCAPE,)))
    widths = [1] * len(plain[0])
    for piece in plain[1:]:
        widths += [2, *[1] * (len(piece) - 1)]
    return widths


def cut_units(text: str, units: bytes, room: int) -> list[int]:
    """Return where to cut the UTF-16 units of a text into parts of at most `room` octets."""
    room &= ~1
    letters = _letters()
    cuts, doubtful = [], []
    at, last = 0, len(units) - room
    while at < last:
        at += room
        if units[at : at + 2] not in letters:
            if 0xDC <= units[at] < 0xE0:
                at -= 2
            doubtful.append(at)
        cuts.append(at)
    for at in doubtful:
        if not may_cut(text, len(from_units(units[:at]))):
            return _gentler(text, [4 if char > "\uffff" else 2 for char in text], room, cuts)
    return cuts


@functools.cache
def _letters() -> frozenset[bytes]:
    """Return the units of Latin and of the letters of most scripts: all of them begin anew."""
    characters = map(chr, range(_LAST_LETTER + 1))
    return frozenset(
        [to_units(char) for char in characters if char.isalpha() or " " <= char < "\u0300"]
    )


def _gentler(text: str, widths: list[int], room: int, cuts: list[int]) -> list[int]:
    """Return cuts that tear no grapheme if they are as few as those given, else those given."""
    gentle = []
    begin = boundary = end = 0
    for index, width in enumerate(widths):
        if index and may_cut(text, index):
            boundary = end
        while end + width - begin > room:
            begin = boundary if boundary > begin else end  # longer than a part: it must be torn
            gentle.append(begin)
        end += width
    return gentle if len(gentle) == len(cuts) else cuts
