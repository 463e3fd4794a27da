"""Text and septets: the default alphabet, its extension and the national tables (23.038 6.2.1).

A pair of tables is one string of 256 characters: place 0x00-0x7F is what a septet means, place
0x80 + code what escape + code means. One C call maps a whole text through it; the characters that
need an escape are then the ones over 0x7F, and are replaced kind by kind. Decoding cuts the septets
at the escapes and maps what lies between in one C call too.
"""

from __future__ import annotations

import codecs
import functools

from smsd.gsm.tables import LOCKING, SINGLE, grid
from smsd.gsm.values import TYPE_CHECKING, dataclass

if TYPE_CHECKING:
    import _codecs

ESCAPE = 0x1B
_ESC = bytes((ESCAPE,))
_NOWHERE = "\ufffe"  # what codecs.charmap_build reads as an empty place
# charmap_build wants U+0000 in place 0, so the character of septet 0 is kept in the place of
# escape + escape, which never means a character (23.038 6.2.1.1).
_SEPTET_0 = 0x80 | ESCAPE
_PROBE = 8  # characters


@dataclass(frozen=True, slots=True)
class Tables:
    """A locking table and a single shift table, made ready for whole strings."""

    writable: frozenset[str]
    characters: str
    shifted: dict[int, str]
    encoding: dict[int, int] | _codecs._EncodingMap


@functools.lru_cache(maxsize=64)
def tables(locking: int = 0, single: int = 0) -> Tables:
    """Return the pair of tables; a reserved language means the default one (23.040 9.2.3.24.15)."""
    base = grid(LOCKING.get(locking, LOCKING[0]))
    shifted = grid(SINGLE.get(single, SINGLE[0]))
    places = [_NOWHERE] * 256
    # Filled backwards, so that a character that is there twice keeps its first, shortest code.
    for code, character in reversed(shifted.items()):
        if character not in base.values():
            places[0x80 | code] = character
    for code, character in base.items():
        places[code] = character
    places[0], places[_SEPTET_0] = "\0", places[0]
    return Tables(
        writable=frozenset([*base.values(), *shifted.values()]),
        characters="".join(base.get(code, " ") for code in range(128)),
        shifted=shifted,
        encoding=codecs.charmap_build("".join(places)),
    )


_DEFAULT = tables(0, 0)


def to_septets(text: str, locking: int = 0, single: int = 0) -> bytes | None:
    """Return the text as septets, one an octet, or `None` when a character is in neither table."""
    if text.isascii() and not (locking or single):
        mapped = text.encode().translate(_FROM_ASCII)
        if mapped.isascii():
            return mapped
    pair = tables(locking, single) if locking or single else _DEFAULT
    if not pair.writable.issuperset(text[:_PROBE]):  # other scripts show themselves at once
        return None
    mapped = codecs.charmap_encode(text, "ignore", pair.encoding)[0]
    if len(mapped) != len(text) or 0 in mapped:
        return None
    return mapped if mapped.isascii() else _with_escapes(mapped)


def _with_escapes(mapped: bytes) -> bytes:
    mapped = mapped.replace(bytes((_SEPTET_0,)), b"\0")
    for place in set(mapped.translate(None, _SEPTETS)):
        mapped = mapped.replace(bytes((place,)), bytes((ESCAPE, place & 0x7F)))
    return mapped


_SEPTETS = bytes(range(128))
# The septet of each ASCII character, over 0x7F where it has none or needs an escape.
_CODES = {character: code for code, character in grid(LOCKING[0]).items()}
_FROM_ASCII = bytes(_CODES.get(chr(code), 0xFF) for code in range(128)) + bytes(128)


def to_text(septets: bytes, locking: int = 0, single: int = 0) -> str:
    """Return the text of septets, one an octet; every sequence of septets has one.

    Escape + a code that the single shift table leaves empty shows the character of the locking
    table, escape + escape a space, an escape at the very end nothing (23.038 6.2.1.1).
    """
    if not (locking or single):
        latin = septets.translate(_TO_LATIN_1)
        if _OTHER not in latin:
            return latin.decode("latin-1")
    pair = tables(locking, single)
    pieces = iter(septets.split(_ESC))
    text = _plain(next(pieces), pair)
    for piece in pieces:
        if piece:
            text += pair.shifted.get(piece[0]) or pair.characters[piece[0]]
            text += _plain(piece[1:], pair)
        else:  # between two escapes, or after the last septet
            after = next(pieces, None)
            text += "" if after is None else " " + _plain(after, pair)
    return text


# The default alphabet is Latin-1 but for ten Greek letters and the escape, which show as _OTHER.
_OTHER = 0xFF
_TO_LATIN_1 = bytes(
    ord(character) if code != ESCAPE and character < "\u0100" else _OTHER
    for code, character in enumerate(_DEFAULT.characters)
) + bytes(128)


def _plain(septets: bytes, pair: Tables) -> str:
    return codecs.charmap_decode(septets, "strict", pair.characters)[0]
