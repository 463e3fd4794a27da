"""Digits in semi-octets: two an octet, the first in the low half (23.040 9.1.2.3)."""

from __future__ import annotations

SWAPPED = bytes(low << 4 | high for high in range(16) for low in range(16))
"""Every octet with its halves exchanged, for `bytes.translate`."""

# 1010 to 1110 are * # a b c (24.008 table 10.5.118); 1111 only fills.
_FROM_HEX = str.maketrans("abcde", "*#abc", "f")
_TO_HEX = str.maketrans("*#abcABC", "abcdecde")


def to_digits(octets: bytes, count: int | None = None) -> str:
    """Return the first `count` digits of the octets, or all of them, without fill."""
    digits = octets.translate(SWAPPED).hex()[:count]
    return digits if digits.isdigit() else digits.translate(_FROM_HEX)


def from_digits(digits: str) -> bytes:
    """Return the octets of the digits, an odd one filled; `ValueError` for what is no digit."""
    if not digits.isdigit():
        if set(digits) - set("0123456789*#abcABC"):
            raise ValueError(f"{digits!r} has characters that are no digits")
        digits = digits.translate(_TO_HEX)
    if len(digits) & 1:
        digits += "f"
    return bytes.fromhex(digits).translate(SWAPPED)
