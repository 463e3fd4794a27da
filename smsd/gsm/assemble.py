"""Parts back to messages (23.040 9.2.3.24.1)."""

from __future__ import annotations

from itertools import groupby

from smsd.gsm.alphabet import to_text
from smsd.gsm.coding import UCS2
from smsd.gsm.userdata import PACKED, UserData, from_units, whole_units
from smsd.gsm.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def assemble(parts: Sequence[UserData]) -> str:
    """Return the text of the parts, given in their order.

    Neighbours in the same alphabet are joined before they are decoded, so an escape or a surrogate
    pair that the sender split survives. Parts without text (8-bit data) add nothing.
    """
    texts = []
    for (packed, languages, is_text), run in groupby(parts, _kind):
        pieces = [part.data for part in run]
        if packed:
            texts.append(to_text(b"".join(pieces), *languages))
        elif is_text:
            texts.append(from_units(b"".join([whole_units(piece) for piece in pieces])))
    return "".join(texts)


def assemble_data(parts: Sequence[UserData]) -> bytes:
    """Return the octets of the parts, given in their order (8-bit data)."""
    return b"".join([part.data for part in parts])


def _kind(part: UserData) -> tuple[bool, tuple[int, int], bool]:
    """Return what neighbours must have alike to be joined: alphabet and tables."""
    packed = PACKED[part.coding.octet]
    is_text = not packed and part.coding.alphabet is UCS2 and not part.coding.compressed
    return packed, part.languages if packed else (0, 0), is_text
