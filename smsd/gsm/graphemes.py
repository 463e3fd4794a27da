"""Where a text may be cut without tearing what a reader sees as one character.

The extended grapheme clusters of Unicode (UAX 29) as far as one look at the neighbours tells:
combining marks, joined emoji, skin tones, flags, Hangul syllables, carriage return + line feed.
"""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
_FLAG_LETTERS = ("\U0001f1e6", "\U0001f1ff")
_TAGS = ("\U000e0020", "\U000e007f")
_FIRST_THAT_JOINS = "\u0300"


def may_cut(text: str, at: int) -> bool:
    """Return whether no character that a reader sees reaches over the place before `text[at]`."""
    before, after = text[at - 1], text[at]
    if after < _FIRST_THAT_JOINS:
        return not (after == "\n" and before == "\r")
    if after == _JOINER or before == _JOINER or unicodedata.category(after)[0] == "M":
        return False
    if _SKIN_TONES[0] <= after <= _SKIN_TONES[1] or _TAGS[0] <= after <= _TAGS[1]:
        return False
    if _FLAG_LETTERS[0] <= after <= _FLAG_LETTERS[1]:
        return _flag_letters_before(text, at) % 2 == 0
    return not (_hangul(before) and _hangul(after) and _joins_syllable(before, after))


def _flag_letters_before(text: str, at: int) -> int:
    count = 0
    while count < at and _FLAG_LETTERS[0] <= text[at - count - 1] <= _FLAG_LETTERS[1]:
        count += 1
    return count


def _hangul(character: str) -> str:
    """Return the kind of a Hangul letter or syllable: L, V, T, LV, LVT, or nothing."""
    if "\uac00" <= character <= "\ud7a3":
        return "LV" if (ord(character) - 0xAC00) % 28 == 0 else "LVT"
    for kind, first, last in (
        ("L", "\u1100", "\u115f"),
        ("V", "\u1160", "\u11a7"),
        ("T", "\u11a8", "\u11ff"),
    ):
        if first <= character <= last:
            return kind
    return ""


def _joins_syllable(before: str, after: str) -> bool:
    left, right = _hangul(before), _hangul(after)
    if left == "L":
        return right != "T"
    return right == "T" or (right == "V" and left in ("V", "LV"))
