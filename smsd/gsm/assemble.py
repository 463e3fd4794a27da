"""Parts back to messages (23.040 9.2.3.24.1)."""

from __future__ import annotations

from itertools import count, groupby

from smsd.gsm.alphabet import to_text
from smsd.gsm.coding import GSM7, UCS2
from smsd.gsm.septets import unpack_each
from smsd.gsm.userdata import FILLED, MOST_SEPTETS, TEXT, UserData, from_units, whole_units
from smsd.gsm.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smsd.gsm.coding import Alphabet


def assemble(parts: Sequence[UserData]) -> str:
    """Return the text of the parts, given in their order.

    Neighbours in the same alphabet are joined before they are decoded, so an escape or a surrogate
    pair that the sender split survives. Parts without text (8-bit data) add nothing.
    """
    texts = []
    for (alphabet, languages), run in groupby(parts, _kind):
        if alphabet is GSM7:
            texts.append(to_text(_septets(list(run)), *languages))
        elif alphabet is UCS2:
            texts.append(from_units(b"".join([whole_units(part.data) for part in run])))
    return "".join(texts)


def _septets(parts: list[UserData]) -> bytes:
    """Return the septets of the parts without their headers, unpacked in one go."""
    if max([part.length for part in parts]) > MOST_SEPTETS:  # more than a message can hold
        return b"".join([part.data for part in parts])
    septets = unpack_each([part.octets for part in parts])
    return b"".join(
        [
            septets[at + FILLED[part.header_size] : at + part.length]
            for at, part in zip(count(0, MOST_SEPTETS), parts)
        ]
    )


def assemble_data(parts: Sequence[UserData]) -> bytes:
    """Return the octets of the parts, given in their order (8-bit data)."""
    return b"".join([part.data for part in parts])


def _kind(part: UserData) -> tuple[Alphabet | None, tuple[int, int]]:
    """Return what neighbours must have alike to be joined: alphabet of the text, and tables."""
    alphabet = TEXT[part.coding.octet]
    return alphabet, part.languages if alphabet is GSM7 else (0, 0)
