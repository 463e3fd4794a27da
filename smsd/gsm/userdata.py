"""The user data of one message or part: header and text or octets (23.040 9.2.3.24)."""

from __future__ import annotations

import codecs

from smsd.gsm import header as udh
from smsd.gsm.alphabet import to_septets, to_text
from smsd.gsm.coding import CODINGS, DATA8, GSM7, UCS2, Alphabet, DataCoding
from smsd.gsm.errors import DecodeError, EncodeError, require
from smsd.gsm.header import Concatenation, InformationElement, Ports
from smsd.gsm.septets import pack, unpack
from smsd.gsm.values import TYPE_CHECKING, dataclass, maker

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_OCTETS = 140
MOST_SEPTETS = 160


@dataclass(frozen=True, slots=True)
class UserData:
    """User data as they lie in a message; what they say is read from them when it is asked.

    `octets` is TP-UD with the header, if any, in front; `length` is TP-UDL, in septets for the
    default alphabet and in octets otherwise; `header_size` counts the octets of the header with
    its length octet, 0 where there is none.
    """

    coding: DataCoding
    octets: bytes
    length: int
    header_size: int = 0

    @classmethod
    def of_septets(
        cls, septets: bytes, coding: DataCoding = CODINGS[0], header: bytes = b""
    ) -> UserData:
        """Pack septets, one an octet, behind a header that begins with its length octet."""
        return cls(coding, *put_behind(header, septets, GSM7), len(header))

    @classmethod
    def of_octets(cls, data: bytes, coding: DataCoding, header: bytes = b"") -> UserData:
        """Put octets (UCS-2 or data) behind a header that begins with its length octet."""
        return cls(coding, *put_behind(header, data, DATA8), len(header))

    @classmethod
    def of_text(
        cls,
        text: str,
        coding: DataCoding = CODINGS[0],
        elements: Sequence[InformationElement] = (),
    ) -> UserData:
        """Return a text as one part in exactly this coding; see `segment` for the free choice."""
        header = udh.encode(elements)
        if coding.alphabet is UCS2:
            user_data = cls.of_octets(to_units(text), coding, header)
        elif coding.alphabet is GSM7:
            septets = to_septets(text, *udh.languages(header))
            if septets is None or len(septets) > MOST_SEPTETS:
                raise EncodeError("text", "it does not fit one part of the default alphabet")
            user_data = cls.of_septets(septets, coding, header)
        else:
            raise EncodeError("coding", "8-bit data carry no text")
        if len(user_data.octets) > MOST_OCTETS:
            raise EncodeError("text", "it does not fit one part")
        return user_data

    @property
    def has_header(self) -> bool:
        """TP-UDHI: whether the user data begin with a header."""
        return self.header_size > 0

    @property
    def header(self) -> bytes:
        """The header with its length octet; empty where there is none."""
        return self.octets[: self.header_size]

    @property
    def elements(self) -> tuple[InformationElement, ...]:
        """The elements of the header; none where one of them is malformed."""
        return tuple([InformationElement(iei, data) for iei, data in udh.split(self.header)])

    @property
    def concatenation(self) -> Concatenation | None:
        """Which part of which message this is; `None` where it is a message of its own."""
        return udh.concatenation(self.octets[: self.header_size]) if self.header_size else None

    @property
    def ports(self) -> Ports | None:
        """The application ports, `None` where it is a message for people."""
        return udh.ports(self.octets[: self.header_size]) if self.header_size else None

    @property
    def languages(self) -> tuple[int, int]:
        """The languages of the locking and the single shift table, 0 for the default ones."""
        return udh.languages(self.octets[: self.header_size]) if self.header_size else (0, 0)

    @property
    def data(self) -> bytes:
        """The octets behind the header; for the default alphabet the septets, one an octet."""
        if TEXT[self.coding.octet] is GSM7:
            return unpack(self.octets, FILLED[self.header_size], self.length)
        return self.octets[self.header_size :]

    @property
    def text(self) -> str | None:
        """The text of this part alone, `None` where it has none (8-bit data, compressed)."""
        alphabet, octets, size = TEXT[self.coding.octet], self.octets, self.header_size
        if alphabet is GSM7:
            septets = unpack(octets, FILLED[size], self.length)
            if not size or octets.startswith(udh.CONCATENATION_ALONE):
                return to_text(septets)
            return to_text(septets, *udh.languages(octets[:size]))
        if alphabet is UCS2:
            return from_units(whole_units(octets[size:]))
        return None


FILLED = tuple([(octets * 8 + 6) // 7 for octets in range(257)])
"""How many septets so many octets of header take, fill bits included."""

TEXT = tuple(
    [
        None if coding.compressed or coding.alphabet is DATA8 else coding.alphabet
        for coding in CODINGS
    ]
)
"""The alphabet of the text that user data of a coding carry, if any, by its octet."""

_user_data = maker(UserData)


def put_behind(header: bytes, coded: bytes, alphabet: Alphabet) -> tuple[bytes, int]:
    """Return TP-UD and TP-UDL of septets, one an octet, or octets behind a header."""
    if alphabet is not GSM7:
        octets = header + coded
        return octets, len(octets)
    if not header:
        return pack(coded), len(coded)
    # The header takes whole septets, fill bits included: pack as many zeros and overwrite them.
    padded = bytes(FILLED[len(header)]) + coded
    return header + pack(padded)[len(header) :], len(padded)


def to_units(text: str) -> bytes:
    """Return UTF-16 units, which is what networks and phones call UCS-2 today."""
    try:
        return codecs.utf_16_be_encode(text)[0]
    except UnicodeEncodeError as error:
        raise EncodeError("text", f"character {error.start} is half a surrogate pair") from None


def from_units(units: bytes) -> str:
    """Return the text of UTF-16 units; what is no character becomes U+FFFD."""
    return codecs.utf_16_be_decode(units, "replace", True)[0]


def whole_units(octets: bytes) -> bytes:
    """Return the octets without an odd last one, which only fills a part behind an odd header."""
    return octets[:-1] if len(octets) & 1 else octets


def decode(octets: bytes, at: int, coding: DataCoding, has_header: int) -> UserData:
    """Return the user data whose TP-UDL stands at `at`, an octet that is there.

    Octets beyond TP-UDL are ignored; fewer than it says were cut off on the way and are refused,
    for half a text must not pass as a whole one. A header that is longer than the user data is
    none: what is there is read as text.
    """
    length = octets[at]
    size = length * 7 + 7 >> 3 if TEXT[coding.octet] is GSM7 else length
    found = octets[at + 1 : at + 1 + size]
    if len(found) < size:
        require(octets, at + 1, size, "user_data")
    if has_header and found and found[0] < size:
        return _user_data(coding, found, length, found[0] + 1)
    return _user_data(coding, found, length)


def check(user_data: UserData, at: int, has_header: int) -> None:
    """Raise `DecodeError` where limits or header do not hold (strict decoding)."""
    if len(user_data.octets) > MOST_OCTETS:
        raise DecodeError(
            "user_data.length", at, f"{len(user_data.octets)} octets, at most {MOST_OCTETS}"
        )
    if has_header and not user_data.header_size:
        raise DecodeError("user_data.udh", at + 1, "the header is longer than the user data")
    udh.check(user_data.header, at + 1)
