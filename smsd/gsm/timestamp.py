"""Service centre time stamps and discharge times (23.040 9.2.3.11, 9.2.3.13)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from smsd.gsm.errors import EncodeError
from smsd.gsm.semioctets import SWAPPED

SIZE = 7  # octets
_PIVOT = 90  # SMS began in 1992: 90-99 are of that century, the others of this one
_NO_NUMBER = 255  # out of range for every field of a date


def _number(octet: int) -> int:
    tens, units = octet & 0x0F, octet >> 4
    return tens * 10 + units if tens < 10 and units < 10 else _NO_NUMBER


def _zone(octet: int) -> timezone | None:
    # Quarters of an hour in decimal semi-octets; bit 3, the top of the tens, is the sign.
    quarters = _number(octet & ~0b1000)
    if quarters == _NO_NUMBER:
        return None
    return timezone(timedelta(minutes=-15 * quarters if octet & 0b1000 else 15 * quarters))


NUMBERS = bytes(_number(octet) for octet in range(256))
_YEARS = tuple(2000 + n if n < _PIVOT else 1900 + n if n < 100 else 0 for n in range(256))
_ZONES = tuple(_zone(octet) for octet in range(256))


def decode(octets: bytes) -> datetime | None:
    """Return the time with its own offset, or `None` for seven octets that are no time.

    A service centre that fills the field with 00 or FF must not cost the message.
    """
    year, month, day, hour, minute, second, _ = octets.translate(NUMBERS)
    zone = _ZONES[octets[6]]
    if zone is None:
        return None
    try:
        return datetime(_YEARS[year], month, day, hour, minute, second, 0, zone)
    except ValueError:
        return None


def encode(time: datetime | None, field: str) -> bytes:
    """Return the seven octets of an aware time; `None` gives zeros, which are no time."""
    if time is None:
        return bytes(SIZE)
    offset = time.utcoffset()
    if offset is None:
        raise EncodeError(field, "a time without an offset")
    quarters, rest = divmod(abs(offset), timedelta(minutes=15))
    if rest or quarters > 79:
        raise EncodeError(field, f"the offset {offset} is not 0 to 79 quarters of an hour")
    if not 1900 + _PIVOT <= time.year < 2000 + _PIVOT:
        raise EncodeError(
            field, f"the year {time.year} is not within {1900 + _PIVOT}-{1999 + _PIVOT}"
        )
    digits = time.strftime("%y%m%d%H%M%S") + f"{quarters:02d}"
    octets = bytes.fromhex(digits).translate(SWAPPED)
    return octets[:-1] + bytes((octets[-1] | 0b1000 * (offset < timedelta(0)),))
