"""A message as modems hand it over: the service centre's address and the TPDU (27.005 4.3)."""

from __future__ import annotations

import binascii

from smsd.gsm import address
from smsd.gsm.address import Address
from smsd.gsm.decoding import FROM_MS, FROM_SC
from smsd.gsm.encoding import encode
from smsd.gsm.errors import DecodeError, octet, require
from smsd.gsm.memo import memo
from smsd.gsm.tpdu import TPDU
from smsd.gsm.values import dataclass, maker


@dataclass(frozen=True, slots=True)
class PDU:
    """A TPDU and its service centre; `sc` is `None` for the one that the SIM knows."""

    sc: Address | None
    tpdu: TPDU

    @property
    def octets(self) -> bytes:
        """Service centre address and TPDU."""
        return centre(self.sc) + encode(self.tpdu)

    @property
    def hex(self) -> str:
        """The octets in upper-case hexadecimal digits, as AT+CMGS takes them."""
        return self.octets.hex().upper()

    @property
    def length(self) -> int:
        """The octets of the TPDU alone, which AT+CMGS and AT+CMGW want to know beforehand."""
        return len(encode(self.tpdu))

    @classmethod
    def from_hex(
        cls,
        text: str,
        *,
        from_sc: bool = True,
        length: int | None = None,
        sc: bool | None = None,
        strict: bool = False,
    ) -> PDU:
        """Read what a modem printed.

        `length` is the count of TPDU octets that +CMGR, +CMGL, +CMT or +CDS gave. `sc` says whether
        the service centre's address stands in front; where it is `None` the length decides, and
        without a length it is there. Raises `DecodeError` and nothing else.
        """
        try:
            octets = binascii.a2b_hex(text)
        except ValueError:
            octets = _with_line_end(text)
        if sc is None:
            sc = length is None or len(octets) != length
        start = 0
        if sc:
            start = octets[0] + 1 if octets else 1
        if len(octets) <= start or length is not None:
            _check_length(octets, start, length, strict)
        read = (FROM_SC if from_sc else FROM_MS)[octets[start] & 0b11]
        return _pdu(_centres[octets[:start]], read(octets, start, strict))


_pdu = maker(PDU)
_centres = memo(address.decode_sc, 64)  # a network has a few
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def centre(sc: Address | None) -> bytes:
    """Return the octets of a service centre's address, one zero for the one that the SIM knows."""
    return b"\0" if sc is None else sc.encode_sc()


def _with_line_end(text: str) -> bytes:
    """Read digits with white space around them; raise `DecodeError` where they are none."""
    digits = text.strip()
    try:
        return binascii.a2b_hex(digits)
    except ValueError:
        wrong = next((at for at, digit in enumerate(digits) if digit not in _HEX_DIGITS), None)
        if wrong is None:
            raise DecodeError("pdu", len(digits) // 2, "half an octet at the end") from None
        raise DecodeError("pdu", wrong // 2, "no hexadecimal digit") from None


def _check_length(octets: bytes, start: int, announced: int | None, strict: bool) -> None:
    """Refuse fewer octets than announced: the rest was lost. More are only refused when strict."""
    require(octets, 0, start, "sc")
    found = len(octets) - start
    if announced is not None and (found < announced or (strict and found > announced)):
        raise DecodeError("tpdu", len(octets), f"{found} octets, {announced} announced")
    octet(octets, start, "mti")
