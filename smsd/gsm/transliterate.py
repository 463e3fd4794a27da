"""A text kept in the default alphabet by replacing what it lacks, telling what it replaced.

One typographic quote makes a message of 160 characters three; an apostrophe says the same.
"""

from __future__ import annotations

import unicodedata

from smsd.gsm.alphabet import to_septets
from smsd.gsm.values import dataclass

_ALIKE = {
    "'": "‘’‚‛`´ʼʹ′",
    '"': "“”„‟«»″",
    "-": "‐‑‒–—―−",
    "<": "‹",
    ">": "›",
    "*": "•",
    ".": "·",
    "...": "…",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u202f\u205f\u3000\t",
    "": "\u00ad\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff",
    "oe": "œ",
    "OE": "Œ",
    "(c)": "©",
    "(R)": "®",
    "x": "×",
    "/": "÷\u2044\u2215",
    "d": "đð",
    "D": "ĐÐ",
    "h": "ħ",
    "H": "Ħ",
    "i": "ı",
    "k": "ĸ",
    "l": "ł",
    "L": "Ł",
    "n": "ŋ",
    "N": "Ŋ",
    "t": "ŧ",
    "T": "Ŧ",
    "th": "þ",
    "Th": "Þ",
    "SS": "ẞ",
    "u": "µ",
}
_REPLACEMENTS = {odd: plain for plain, odds in _ALIKE.items() for odd in odds}


@dataclass(frozen=True, slots=True)
class Transliteration:
    """What became of a text.

    `replaced` maps each character that was replaced to what stands for it now. Where characters
    are `left` that nothing stands for, the text is untouched: it needs UCS-2 anyhow.
    """

    text: str
    replaced: dict[str, str]
    left: frozenset[str]


def transliterate(text: str) -> Transliteration:
    """Return the text in the default alphabet and its extension, if that is possible."""
    if to_septets(text) is not None:
        return Transliteration(text, {}, frozenset())
    composed = unicodedata.normalize("NFC", text)
    odd = {character for character in composed if to_septets(character) is None}
    replaced = {character: _plain(character) for character in sorted(odd)}
    left = frozenset(character for character, plain in replaced.items() if plain is None)
    if left:
        return Transliteration(text, {}, left)
    known = {character: plain for character, plain in replaced.items() if plain is not None}
    plain_text = "".join([known.get(character, character) for character in composed])
    return Transliteration(plain_text, known, frozenset())


def _plain(character: str) -> str | None:
    """Return what stands for a character: a look-alike, or its letters without their accents."""
    if character in _REPLACEMENTS:
        return _REPLACEMENTS[character]
    parts = unicodedata.normalize("NFKD", character)
    if parts != character:
        letters = [part for part in parts if not unicodedata.combining(part)]
        plain = [
            part if to_septets(part) is not None else _REPLACEMENTS.get(part) for part in letters
        ]
        known = [part for part in plain if part is not None]
        return "".join(known) if len(known) == len(plain) else None
    return "" if unicodedata.combining(character) else None
