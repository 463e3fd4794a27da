"""How a USSD string is written in ``+CUSD`` (27.007 7.15): as text, packed septets, or UCS2.

The standard says text in the modem's character set; many makers write the octets of the air
interface in hex instead, and say nothing of which they do. So a request has a form that is
tried out, and a reply is read by what it looks like.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from smsd.at.dialogue import Command
from smsd.gsm.alphabet import to_text
from smsd.gsm.errors import EncodeError
from smsd.gsm.ussd import LONGEST, pack_ussd, unpack_ussd

DEFAULT_CODING: Final = 15  # GSM 7 bit, language unspecified (23.038 5)
LIKELY: Final = 0.9  # share of everyday characters from which octets are taken for a text
SHORTEST_PACKED: Final = 8  # hex digits: fewer are a number more often than packed text


class Form(StrEnum):
    """How the string stands between the quotes."""

    TEXT = "text"
    PACKED = "packed"  # septets in hex: most Huawei 3G sticks
    UCS2 = "ucs2"  # UTF-16 units in hex, which needs +CSCS="UCS2"


def request(text: str, form: Form, *, timeout: float = 30.0) -> Command[None]:
    """Ask the network or answer it; the reply comes unasked. Raises `EncodeError`."""
    return Command(f'AT+CUSD=1,"{encode(text, form)}",{DEFAULT_CODING}', _nothing, timeout=timeout)


def cancel() -> Command[None]:
    """End the session; some sticks answer ERROR."""
    return Command("AT+CUSD=2", _nothing, timeout=10.0)


def _nothing(lines: Sequence[str]) -> None:
    return None


def encode(text: str, form: Form) -> str:
    """The string of a request; raises `EncodeError` where the form has none for the text."""
    if not 0 < len(text) <= LONGEST:
        raise EncodeError("text", f"1 to {LONGEST} characters expected")
    match form:
        case Form.TEXT:
            if not (text.isascii() and text.isprintable()) or '"' in text:
                raise EncodeError("text", "it has characters that cannot stand in a command line")
            return text
        case Form.PACKED:
            return pack_ussd(text).hex().upper()
        case _:
            return text.encode("utf-16-be", "replace").hex().upper()


def decode(string: str, coding: int | None, form: Form) -> str:
    """The text of a reply; ``form`` is that of the request, which the reply need not follow."""
    octets = _octets(string)
    if octets is None:
        return _plain(string)
    if len(octets) % 2 == 0 and _is_ucs2(coding):
        return _ucs2(octets, coding)
    if len(octets) % 2 == 0 and len(octets) > 2 and _everyday(units := _units(octets)) >= LIKELY:
        return units  # UCS2 under a coding that says GSM: operators do so
    if form is Form.PACKED or (len(string) >= SHORTEST_PACKED and not string.isdigit()):
        text = unpack_ussd(octets)
        if _everyday(text) >= LIKELY:
            return text
    return _plain(string)


def _octets(string: str) -> bytes | None:
    """What hex stands for; ``None`` where it is none."""
    if len(string) % 2 or not string or any(c not in "0123456789abcdefABCDEF" for c in string):
        return None
    return bytes.fromhex(string)


def _is_ucs2(coding: int | None) -> bool:
    """Whether a coding scheme of cell broadcast and USSD says UCS2 (23.038 5)."""
    return coding == 0x11 or (coding is not None and coding >> 6 == 1 and coding >> 2 & 3 == 2)


def _ucs2(octets: bytes, coding: int | None) -> str:
    """The text of units; under 0x11 two letters of a language stand before it (23.038 5)."""
    if coding == 0x11 and octets[0]:  # its two packed letters: no unit of a text begins so
        units = octets[2:]
        return _units(units)
    return _units(octets)


def _units(octets: bytes) -> str:
    return octets.decode("utf-16-be", "replace")


def _everyday(text: str) -> float:
    """The share of characters that texts of networks are made of: letters of Europe, signs."""
    good = sum(
        char in "\n\r\t€£¥₹₽₺–—‘’“”…" or (char.isprintable() and ord(char) < 0x700) for char in text
    )
    return good / len(text) if text else 0.0


def _plain(string: str) -> str:
    """Text in the modem's character set, octet by octet as it came.

    Control characters can only be the default alphabet's; without any, modems differ in what a
    dollar or a low line is, and ASCII is what most of them write.
    """
    octets = string.encode("latin-1", "replace")
    if any(octet < 0x20 and octet not in b"\t\n\r" for octet in octets) and octets.isascii():
        return to_text(octets)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return string
