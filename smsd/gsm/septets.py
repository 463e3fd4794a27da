"""Septets and the octets that carry them (23.038 6.1.2.1).

A character loop would take 20 µs for a full message; here the whole message is one big integer.
Packing closes the gap of one bit between neighbours, then of two bits between pairs, then of four
between fours: eight septets are then 56 adjoining bits and a zero octet, which is deleted.
Unpacking opens the same gaps from the outside in: it halves the lanes (128 septets, 64, …, 1) and
moves every upper half up by as many bits as the lower half has septets.
"""

from __future__ import annotations

_LONGEST = 256  # septets; TP-UDL counts up to 255


def _lanes(width: int, start: int, pitch: int) -> int:
    """Return the mask of `width` bits from bit `start` in every lane of `pitch` bits."""
    lanes = _LONGEST * 8 // pitch
    return (((1 << pitch * lanes) - 1) // ((1 << pitch) - 1)) * (((1 << width) - 1) << start)


def _step(half: int) -> tuple[int, int, int]:
    """Return masks of the lower and upper `half` septets of a packed lane, and their gap."""
    return _lanes(7 * half, 0, 16 * half), _lanes(7 * half, 7 * half, 16 * half), half


_PAIRS, _PAIRS_UP = _lanes(7, 0, 16), _lanes(7, 8, 16)
_FOURS, _FOURS_UP = _lanes(14, 0, 32), _lanes(14, 16, 32)
_EIGHTS, _EIGHTS_UP = _lanes(28, 0, 64), _lanes(28, 32, 64)
_OPENING = tuple(_step(half) for half in (128, 64, 32, 16, 8, 4, 2, 1))


def pack(septets: bytes) -> bytes:
    """Pack at most 256 septets, one an octet, into ceil(7n/8) octets; spare bits are zero."""
    count = len(septets)
    x = int.from_bytes(septets, "little")
    x = (x & _PAIRS) | (x & _PAIRS_UP) >> 1
    x = (x & _FOURS) | (x & _FOURS_UP) >> 2
    x = (x & _EIGHTS) | (x & _EIGHTS_UP) >> 4
    octets = bytearray(x.to_bytes(count, "little"))
    del octets[7::8]
    return bytes(octets)


def unpack(octets: bytes) -> bytes:
    """Unpack at most 224 octets into floor(8n/7) septets, one an octet.

    The last septet of 7n octets may be fill: only TP-UDL knows, so the caller cuts.
    """
    x = int.from_bytes(octets, "little")
    for lower, upper, gap in _OPENING:
        x = (x & lower) | (x & upper) << gap
    count = len(octets) * 8 // 7
    return x.to_bytes(count + 1, "little")[:count]
