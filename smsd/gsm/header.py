"""The user data header and its information elements (23.040 9.2.3.24)."""

from __future__ import annotations

from smsd.gsm.errors import DecodeError, EncodeError
from smsd.gsm.values import TYPE_CHECKING, dataclass, maker

if TYPE_CHECKING:
    from collections.abc import Iterable

CONCATENATION_8 = 0x00
SPECIAL_INDICATION = 0x01
PORTS_8 = 0x04
PORTS_16 = 0x05
CONCATENATION_16 = 0x08
SINGLE_SHIFT = 0x24
LOCKING_SHIFT = 0x25
CONCATENATION_ALONE = bytes((5, CONCATENATION_8, 3)), bytes((6, CONCATENATION_16, 4))
"""How nearly all headers begin: they are a concatenation and nothing else."""


@dataclass(frozen=True, slots=True)
class InformationElement:
    """One element: its identifier and its octets."""

    iei: int
    data: bytes

    def encode(self) -> bytes:
        """Return identifier, length and data."""
        if not 0 <= self.iei <= 255 or len(self.data) > 255:
            raise EncodeError("user_data.udh", f"no element {self.iei} of {len(self.data)} octets")
        return bytes((self.iei, len(self.data))) + self.data


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Which part of which message this is (9.2.3.24.1); `wide` means a reference of 16 bits (.8).

    Two messages of one originator are the same only where reference, total and width are.
    """

    reference: int
    total: int
    number: int
    wide: bool = False

    @property
    def element(self) -> InformationElement:
        """The information element that says so."""
        octets = self.encode()
        return InformationElement(octets[0], octets[2:])

    def encode(self) -> bytes:
        """Return the octets of the element."""
        reference, total, number, wide = self.reference, self.total, self.number, self.wide
        if not (0 <= reference <= (0xFFFF if wide else 0xFF) and 1 <= number <= total <= 255):
            raise EncodeError("user_data.udh", f"{self} is out of range")
        if wide:
            octets = (CONCATENATION_16, 4, reference >> 8, reference & 0xFF, total, number)
            return bytes(octets)
        return bytes((CONCATENATION_8, 3, reference, total, number))


@dataclass(frozen=True, slots=True)
class Ports:
    """The application ports (9.2.3.24.3); `wide` means 16 bits (.4)."""

    destination: int
    source: int
    wide: bool = True

    @property
    def element(self) -> InformationElement:
        """The information element that says so."""
        size = 2 if self.wide else 1
        try:
            data = self.destination.to_bytes(size, "big") + self.source.to_bytes(size, "big")
        except OverflowError:
            raise EncodeError("user_data.udh", f"{self} is out of range") from None
        return InformationElement(PORTS_16 if self.wide else PORTS_8, data)


_concatenation = maker(Concatenation)


def encode(elements: Iterable[InformationElement]) -> bytes:
    """Return the header with its length octet; nothing where there are no elements."""
    octets = b"".join([element.encode() for element in elements])
    if len(octets) > 139:
        raise EncodeError("user_data.udh", f"{len(octets)} octets do not fit into a message")
    return bytes((len(octets),)) + octets if octets else b""


def split(header: bytes) -> list[tuple[int, bytes]]:
    """Return (identifier, data) of each element of a header with its length octet.

    An element that is longer than the header leaves no element at all: "the whole user data header
    shall be ignored" (9.2.3.24), while the text behind it stays.
    """
    found = []
    at, end = 1, len(header)
    while at < end:
        start = at + 2
        if start > end or (after := start + header[at + 1]) > end:
            return []
        found.append((header[at], header[start:after]))
        at = after
    return found


def check(header: bytes, offset: int) -> None:
    """Raise `DecodeError` where the elements do not fill the header exactly (strict decoding)."""
    at, end = 1, len(header)
    while at < end:
        if at + 2 > end or at + 2 + header[at + 1] > end:
            raise DecodeError("user_data.udh", offset + at, "the element is longer than its header")
        at += 2 + header[at + 1]


def concatenation(header: bytes) -> Concatenation | None:
    """Return the last valid one of either width, as 9.2.3.24 says for what excludes each other.

    One with a total or number of 0, or a number over the total, shall be ignored (9.2.3.24.1).
    """
    if header.startswith(CONCATENATION_ALONE[0]) and len(header) == 6:
        _, _, _, reference, total, number = header
        return _concatenation(reference, total, number) if 1 <= number <= total else None
    found = None
    for iei, data in split(header):
        if iei == CONCATENATION_8 and len(data) == 3:
            reference, total, number = data
        elif iei == CONCATENATION_16 and len(data) == 4:
            high, low, total, number = data
            reference = high << 8 | low
        else:
            continue
        if 1 <= number <= total:
            found = _concatenation(reference, total, number, iei == CONCATENATION_16)
    return found


def ports(header: bytes) -> Ports | None:
    """Return the last valid pair of ports of either width."""
    found = None
    for iei, data in split(header):
        if iei == PORTS_8 and len(data) == 2:
            found = Ports(data[0], data[1], wide=False)
        elif iei == PORTS_16 and len(data) == 4:
            found = Ports(data[0] << 8 | data[1], data[2] << 8 | data[3], wide=True)
    return found


def languages(header: bytes) -> tuple[int, int]:
    """Return the languages of the locking and the single shift table, 0 where none is named."""
    locking = single = 0
    if header.startswith(CONCATENATION_ALONE):
        return locking, single
    for iei, data in split(header):
        if iei == LOCKING_SHIFT and len(data) == 1:
            locking = data[0]
        elif iei == SINGLE_SHIFT and len(data) == 1:
            single = data[0]
    return locking, single
