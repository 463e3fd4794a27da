"""Septets and the octets that carry them (23.038 6.1.2.1).

A loop over characters would take 20 µs for a full message; here all of it is one big integer.
Packing closes the gap of one bit between neighbours, then of two bits between pairs, then of four
between fours: eight septets are then 56 adjoining bits and a zero octet, which is deleted.
Unpacking puts two zero octets behind every fourteen, which makes lanes of sixteen septets, and
opens the gaps from the outside in: it moves the upper half of every lane up by as many bits as
the lower half has septets, then does so with the halves, down to neighbours. To move some bits
up by n is to add 2**n - 1 times what they are worth.
"""

from __future__ import annotations

import struct

_OCTETS, _SEPTETS = 140, 160  # a full message: the same bits in both
_MESSAGES = 8  # that can be packed or unpacked at once
_LONGEST = _MESSAGES * _SEPTETS


def _lanes(width: int, start: int, pitch: int) -> int:
    """Return the mask of `width` bits from bit `start` in every lane of `pitch` bits."""
    lanes = _LONGEST * 8 // pitch
    return (((1 << pitch * lanes) - 1) // ((1 << pitch) - 1)) * (((1 << width) - 1) << start)


# The upper halves of 2, 4, 8 septets in their octets, as packing meets them; the lower ones.
_2_HIGH, _4_HIGH, _8_HIGH = _lanes(7, 8, 16), _lanes(14, 16, 32), _lanes(28, 32, 64)
_4_LOW, _8_LOW = _lanes(14, 0, 32), _lanes(28, 0, 64)
# The upper halves of 16, 8, 4, 2 packed septets, as unpacking meets them.
_16_UPPER, _8_UPPER = _lanes(56, 56, 128), _lanes(28, 28, 64)
_4_UPPER, _2_UPPER = _lanes(14, 14, 32), _lanes(7, 7, 16)
# What cuts as many messages as its place says into pieces of fourteen octets.
_FOURTEENS = [struct.Struct("14s" * (_OCTETS // 14 * n)).unpack for n in range(_MESSAGES + 1)]
_fourteens = _FOURTEENS[1]


def pack(septets: bytes) -> bytes:
    """Pack at most 1280 septets, one an octet, into ceil(7n/8) octets; spare bits are zero."""
    x = int.from_bytes(septets, "little")
    x -= (x & _2_HIGH) >> 1
    x = (x & _4_LOW) | (x & _4_HIGH) >> 2
    x = (x & _8_LOW) | (x & _8_HIGH) >> 4
    octets = bytearray(x.to_bytes(len(septets), "little"))
    del octets[7::8]
    return bytes(octets)


def pack_each(messages: list[bytes]) -> bytes:
    """Return 140 octets for each message of at most 160 septets, all of them in a row."""
    if len(messages) > _MESSAGES:
        return b"".join([pack_each(chunk) for chunk in _chunks(messages)])
    return pack(b"".join([septets.ljust(_SEPTETS, b"\0") for septets in messages]))


def unpack(octets: bytes, start: int, stop: int) -> bytes:
    """Return septets `start` to `stop` of packed octets, one an octet; missing octets are zeros.

    The octets do not say where the text ends, for the last of them may be fill: TP-UDL does.
    """
    if stop > _SEPTETS:
        end = -(-stop // _SEPTETS) * _OCTETS
        return unpack_each([octets[at : at + _OCTETS] for at in range(0, end, _OCTETS)])[start:stop]
    if len(octets) != _OCTETS:
        octets = octets[:_OCTETS].ljust(_OCTETS, b"\0")
    x = int.from_bytes(b"\0\0".join(_fourteens(octets)), "little")
    return _open(x).to_bytes(_SEPTETS, "little")[start:stop]


def unpack_each(messages: list[bytes]) -> bytes:
    """Return 160 septets of each message's packed octets, all of them in a row."""
    if len(messages) > _MESSAGES:
        return b"".join([unpack_each(chunk) for chunk in _chunks(messages)])
    whole = b"".join([octets[:_OCTETS].ljust(_OCTETS, b"\0") for octets in messages])
    x = int.from_bytes(b"\0\0".join(_FOURTEENS[len(messages)](whole)), "little")
    return _open(x).to_bytes(_SEPTETS * len(messages), "little")


def _chunks(messages: list[bytes]) -> list[list[bytes]]:
    return [messages[at : at + _MESSAGES] for at in range(0, len(messages), _MESSAGES)]


def _open(x: int) -> int:
    """Move the upper halves of 16, 8, 4 and 2 septets up."""
    x += (x & _16_UPPER) * 0xFF
    x += (x & _8_UPPER) * 0xF
    x += (x & _4_UPPER) * 0b11
    return x + (x & _2_UPPER)
