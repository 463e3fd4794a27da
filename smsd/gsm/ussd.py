"""Septets as USSD packs them: the carriage return that fills (23.038 6.1.2.3)."""

from __future__ import annotations

from smsd.gsm.alphabet import to_septets, to_text
from smsd.gsm.errors import EncodeError
from smsd.gsm.septets import pack, unpack

LONGEST = 182  # characters: 160 octets (23.038 6.1.2.3)
_CR = 0x0D


def pack_ussd(text: str) -> bytes:
    """Pack a text of the default alphabet.

    Seven spare bits in the last octet would read as one more character, so they are a carriage
    return; and a carriage return that ends on an octet is doubled, or it would be taken for one.
    """
    septets = to_septets(text)
    if septets is None or len(septets) > LONGEST:
        raise EncodeError("text", f"it is no text of at most {LONGEST} default characters")
    if len(septets) % 8 == 7 or (septets and len(septets) % 8 == 0 and septets[-1] == _CR):
        septets += bytes((_CR,))
    return pack(septets)


def unpack_ussd(octets: bytes) -> str:
    """Return the text of packed octets, without the carriage return that only fills."""
    count = len(octets) * 8 // 7
    septets = unpack(octets, 0, count)
    if count % 8 == 0 and septets[-1:] == bytes((_CR,)):
        septets = septets[:-1]
    return to_text(septets)
