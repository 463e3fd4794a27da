"""Where a coded text is cut into parts.

A cut never falls between an escape and its septet or between two surrogates. The fewest parts come
first; where as many can also end between what a reader sees as characters, they do.
"""

from __future__ import annotations

from smsd.gsm.alphabet import ESCAPE
from smsd.gsm.graphemes import may_cut
from smsd.gsm.userdata import from_units

_CR, _LF = 0x0D, 0x0A


def cut_septets(text: str, septets: bytes, room: int, *, national: bool) -> list[bytes]:
    """Return the septets of a text in pieces of at most `room`, one after another."""
    cuts = []
    at, last = 0, len(septets) - room
    while at < last:
        at += room
        if septets[at - 1] == ESCAPE:
            at -= 1
        cuts.append(at)
    # The default alphabet has but one pair that belongs together.
    if national or any(septets[at] == _LF and septets[at - 1] == _CR for at in cuts):
        cuts = _gentler(text, _widths(septets), room, cuts)
    return _pieces(septets, cuts)


def _widths(septets: bytes) -> list[int]:
    """Return how many septets each character takes."""
    plain = septets.split(bytes((ESCAPE,)))
    widths = [1] * len(plain[0])
    for piece in plain[1:]:
        widths += [2, *[1] * (len(piece) - 1)]
    return widths


def cut_units(text: str, units: bytes, room: int) -> list[bytes]:
    """Return the UTF-16 units of a text in pieces of at most `room` octets."""
    room &= ~1
    cuts = []
    at, last = 0, len(units) - room
    while at < last:
        at += room
        if 0xDC <= units[at] < 0xE0:
            at -= 2
        cuts.append(at)
    if _tears(text, units, cuts):
        cuts = _gentler(text, [4 if char > "\uffff" else 2 for char in text], room, cuts)
    return _pieces(units, cuts)


def _tears(text: str, units: bytes, cuts: list[int]) -> bool:
    """Return whether a cut falls into what a reader sees as one character."""
    after = from_units(b"".join([units[at : at + 2] for at in cuts]))
    for at, character in zip(cuts, after, strict=True):
        # Latin, and the letters of most scripts, begin anew; for others look at the neighbours.
        if character < "\u0300" and character != "\n":
            continue
        if character < "\u1100" and character.isalpha():
            continue
        if not may_cut(text, len(from_units(units[:at]))):
            return True
    return False


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


def _pieces(coded: bytes, cuts: list[int]) -> list[bytes]:
    return [coded[a:b] for a, b in zip([0, *cuts], [*cuts, len(coded)], strict=True)]
