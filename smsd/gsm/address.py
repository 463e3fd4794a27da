"""Addresses: of senders and receivers (23.040 9.1.2.5) and of service centres (24.011 8.2.5.1)."""

from __future__ import annotations

import enum
import functools

from smsd.gsm import semioctets
from smsd.gsm.alphabet import to_septets, to_text
from smsd.gsm.errors import DecodeError, EncodeError, octet, require
from smsd.gsm.memo import memo
from smsd.gsm.septets import pack, unpack
from smsd.gsm.values import dataclass, maker


class TypeOfNumber(enum.IntEnum):
    """What kind of number an address is (23.040 9.1.2.5)."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6
    RESERVED = 7


class NumberingPlan(enum.IntEnum):
    """Which plan a number belongs to (23.040 9.1.2.5)."""

    UNKNOWN = 0
    ISDN = 1
    RESERVED_2 = 2
    DATA = 3
    TELEX = 4
    SC_SPECIFIC = 5
    SC_SPECIFIC_6 = 6
    RESERVED_7 = 7
    NATIONAL = 8
    PRIVATE = 9
    ERMES = 10
    RESERVED_11 = 11
    RESERVED_12 = 12
    RESERVED_13 = 13
    RESERVED_14 = 14
    RESERVED_15 = 15


_UNKNOWN, _INTERNATIONAL = TypeOfNumber.UNKNOWN, TypeOfNumber.INTERNATIONAL
_ALPHANUMERIC = TypeOfNumber.ALPHANUMERIC
_ISDN = NumberingPlan.ISDN
_KINDS = tuple([(ton, npi) for _ in (0, 0x80) for ton in TypeOfNumber for npi in NumberingPlan])
_DIGITS = frozenset("0123456789*#abc")
_MOST_DIGITS = 20  # TP addresses are at most 12 octets (23.040 9.1.2.5)
_MOST_SEPTETS = 11
_CACHED = 1024  # addresses; a gateway talks to a few again and again


@dataclass(frozen=True, slots=True)
class Address:
    """A number or a name. `digits` holds 0-9 * # a b c, or the text of an alphanumeric address."""

    digits: str
    ton: TypeOfNumber = TypeOfNumber.UNKNOWN
    npi: NumberingPlan = NumberingPlan.ISDN

    @staticmethod
    @functools.lru_cache(maxsize=_CACHED)
    def parse(number: str) -> Address:
        """Return the address that a person writes: "+33612345678", "36789", "*100#" or "Bank"."""
        if number[:1] == "+" and _are_digits(number[1:]):
            return _address(number[1:], _INTERNATIONAL, _ISDN)
        if _are_digits(number) or not number:
            return _address(number, _UNKNOWN, _ISDN)
        return _address(number, _ALPHANUMERIC, NumberingPlan.UNKNOWN)

    @property
    def number(self) -> str:
        """The address as a person writes it."""
        return "+" + self.digits if self.ton is _INTERNATIONAL and self.digits else self.digits

    @property
    def toa(self) -> int:
        """The type of address octet."""
        return 0x80 | self.ton << 4 | self.npi

    def encode(self, field: str = "address") -> bytes:
        """Return a TP-Address: its length in semi-octets, its type, its digits."""
        try:
            return _encoded[self.digits, self.ton, self.npi]
        except EncodeError as error:
            raise EncodeError(field, error.reason) from None

    def encode_sc(self) -> bytes:
        """Return the service centre form, whose length is in octets and counts the type."""
        if self.ton is TypeOfNumber.ALPHANUMERIC or len(self.digits) > _MOST_DIGITS:
            raise EncodeError(
                "sc", f"{self.digits!r} is not a number of at most {_MOST_DIGITS} digits"
            )
        digits = _octets(self.digits, "sc")
        return bytes((1 + len(digits), self.toa)) + digits


_address = maker(Address)


def _encode(key: tuple[str, TypeOfNumber, NumberingPlan]) -> bytes:
    digits, ton, npi = key
    field, toa = "address", 0x80 | ton << 4 | npi
    if ton == _ALPHANUMERIC:
        septets = to_septets(digits)
        if septets is None or len(septets) > _MOST_SEPTETS:
            raise EncodeError(
                field, f"{digits!r} is not {_MOST_SEPTETS} characters of the default alphabet"
            )
        return bytes(((len(septets) * 7 + 3) // 4, toa)) + pack(septets)
    if len(digits) > _MOST_DIGITS:
        raise EncodeError(field, f"{len(digits)} digits, at most {_MOST_DIGITS}")
    return b"%c%c%b" % (len(digits), toa, _octets(digits, field))


_encoded = memo(_encode, _CACHED)


def _octets(digits: str, field: str) -> bytes:
    try:
        return semioctets.from_digits(digits)
    except ValueError as error:
        raise EncodeError(field, str(error)) from None


def _are_digits(number: str) -> bool:
    if number.isascii() and number.isdigit():
        return True
    # "abc" alone is a name: a b c are digits only beside others.
    return bool(number) and _DIGITS.issuperset(number) and not number.isalpha()


def end(octets: bytes, at: int, field: str) -> int:
    """Return the offset after the TP-Address at `at`, all of whose octets are there."""
    if at >= len(octets) or (after := at + 2 + (octets[at] + 1) // 2) > len(octets):
        require(octets, at, 2 + (octet(octets, at, field) + 1) // 2, field)
    return after


def decode(octets: bytes) -> Address:
    """Return the TP-Address whose octets, length and type included, are given."""
    length, toa = octets[0], octets[1]
    ton, npi = _KINDS[toa]
    if ton is _ALPHANUMERIC:
        # The length says how many septets there are, so a last "@" is text and no fill.
        return Address(to_text(unpack(octets[2:], 0, length * 4 // 7)), ton, npi)
    return _address(semioctets.to_digits(octets[2:], length), ton, npi)


def decode_sc(octets: bytes) -> Address | None:
    """Return the service centre address whose octets are given; `None` for the modem's own."""
    if len(octets) < 2:
        return None
    return Address(semioctets.to_digits(octets[2:]), *_KINDS[octets[1]])


def check(octets: bytes, offset: int, field: str) -> None:
    """Raise `DecodeError` where a TP-Address is not what the standard allows (strict decoding)."""
    length, toa = octets[0], octets[1]
    if length > _MOST_DIGITS + 2 * (toa >> 4 & 0b111 == TypeOfNumber.ALPHANUMERIC):
        raise DecodeError(field, offset, f"length {length} is over the standard's limit")
    if not toa & 0x80:
        raise DecodeError(field, offset + 1, "bit 7 of the type of address is 0")
    if toa >> 4 & 0b111 != TypeOfNumber.ALPHANUMERIC:
        halves = octets[2:].translate(semioctets.SWAPPED).hex()
        if "f" in halves[:length] or halves[length:].strip("f"):
            raise DecodeError(field, offset + 2, "fill stands elsewhere than after the last digit")
