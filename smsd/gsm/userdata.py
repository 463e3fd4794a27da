"""The user data of one message or part: header and text or octets (23.040 9.2.3.24)."""

from __future__ import annotations

import codecs

from smsd.gsm import header as udh
from smsd.gsm.alphabet import to_septets, to_text
from smsd.gsm.coding import CODINGS, Alphabet, DataCoding
from smsd.gsm.errors import DecodeError, EncodeError, octet, require
from smsd.gsm.header import Concatenation, InformationElement, Ports
from smsd.gsm.septets import pack, unpack
from smsd.gsm.values import TYPE_CHECKING, dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_OCTETS = 140
MOST_SEPTETS = 160


@dataclass(frozen=True, slots=True)
class UserData:
    """User data as they lie in a message; what they say is read from them when it is asked.

    `octets` is TP-UD with the header, if any, in front; `length` is TP-UDL, in septets for the
    default alphabet and in octets otherwise; `has_header` is TP-UDHI.
    """

    coding: DataCoding
    octets: bytes
    length: int
    has_header: bool = False

    @classmethod
    def of_septets(
        cls, septets: bytes, coding: DataCoding = CODINGS[0], header: bytes = b""
    ) -> UserData:
        """Pack septets, one an octet, behind a header that begins with its length octet."""
        if not header:
            return cls(coding, pack(septets), len(septets))
        # The header takes whole septets, fill bits included: pack as many zeros and overwrite them.
        padded = bytes(_in_septets(len(header))) + septets
        return cls(coding, header + pack(padded)[len(header) :], len(padded), True)

    @classmethod
    def of_octets(cls, data: bytes, coding: DataCoding, header: bytes = b"") -> UserData:
        """Put octets (UCS-2 or data) behind a header that begins with its length octet."""
        octets = header + data
        return cls(coding, octets, len(octets), bool(header))

    @classmethod
    def of_text(
        cls,
        text: str,
        coding: DataCoding = CODINGS[0],
        elements: Sequence[InformationElement] = (),
    ) -> UserData:
        """Return a text as one part in exactly this coding; see `segment` for the free choice."""
        header = udh.encode(elements)
        if coding.alphabet is Alphabet.UCS2:
            user_data = cls.of_octets(to_units(text), coding, header)
        elif coding.alphabet is Alphabet.GSM7:
            locking, single = udh.languages((e.iei, e.data) for e in elements)
            septets = to_septets(text, locking, single)
            if septets is None or len(septets) > MOST_SEPTETS:
                raise EncodeError("text", "it does not fit one part of the default alphabet")
            user_data = cls.of_septets(septets, coding, header)
        else:
            raise EncodeError("coding", "8-bit data carry no text")
        if len(user_data.octets) > MOST_OCTETS:
            raise EncodeError("text", "it does not fit one part")
        return user_data

    @property
    def packed(self) -> bool:
        """Whether the octets hold septets of the default alphabet."""
        return self.coding.alphabet is Alphabet.GSM7 and not self.coding.compressed

    @property
    def header(self) -> bytes:
        """The octets of the header without its length octet; none where it cannot be right."""
        return self.octets[1 : self._header_size]

    @property
    def _header_size(self) -> int:
        if not self.has_header or not self.octets:
            return 0
        size = 1 + self.octets[0]
        # A header longer than the user data is none: what is there is read as text.
        return size if size <= len(self.octets) else 0

    @property
    def elements(self) -> tuple[InformationElement, ...]:
        """The elements of the header; none where one of them is malformed."""
        return tuple([InformationElement(iei, data) for iei, data in udh.split(self.header)])

    @property
    def concatenation(self) -> Concatenation | None:
        """Which part of which message this is; `None` where it is a message of its own."""
        return udh.concatenation(udh.split(self.header)) if self.has_header else None

    @property
    def ports(self) -> Ports | None:
        """The application ports, `None` where it is a message for people."""
        return udh.ports(udh.split(self.header)) if self.has_header else None

    @property
    def languages(self) -> tuple[int, int]:
        """The languages of the locking and the single shift table, 0 for the default ones."""
        return udh.languages(udh.split(self.header)) if self.has_header else (0, 0)

    @property
    def data(self) -> bytes:
        """The octets behind the header; for the default alphabet the septets, one an octet."""
        if self.packed:
            return unpack(self.octets)[_in_septets(self._header_size) : self.length]
        return self.octets[self._header_size :]

    @property
    def text(self) -> str | None:
        """The text of this part alone, `None` where it has none (8-bit data, compressed)."""
        alphabet = self.coding.alphabet
        if alphabet is Alphabet.DATA8 or self.coding.compressed:
            return None
        if alphabet is Alphabet.UCS2:
            return from_units(self.data)
        return to_text(self.data, *self.languages)

    def encode(self) -> bytes:
        """Return TP-UDL and TP-UD."""
        if len(self.octets) > MOST_OCTETS:
            raise EncodeError("user_data", f"{len(self.octets)} octets, at most {MOST_OCTETS}")
        return bytes((self.length,)) + self.octets


def _in_septets(octets: int) -> int:
    """Return how many septets so many octets of header take, fill bits included."""
    return -(-octets * 8 // 7)


def to_units(text: str) -> bytes:
    """Return UTF-16 units, which is what networks and phones call UCS-2 today."""
    try:
        return codecs.utf_16_be_encode(text)[0]
    except UnicodeEncodeError as error:
        raise EncodeError("text", f"character {error.start} is half a surrogate pair") from None


def from_units(units: bytes) -> str:
    """Return the text of UTF-16 units; what is no character becomes U+FFFD."""
    return codecs.utf_16_be_decode(units, "replace", True)[0]


def decode(octets: bytes, at: int, coding: DataCoding, has_header: bool) -> UserData:
    """Return the user data whose TP-UDL stands at `at`.

    Octets beyond TP-UDL are ignored; fewer than it says were cut off on the way and are refused,
    for half a text must not pass as a whole one.
    """
    length = octet(octets, at, "user_data.length")
    packed = coding.alphabet is Alphabet.GSM7 and not coding.compressed
    count = (length * 7 + 7) // 8 if packed else length
    require(octets, at + 1, count, "user_data")
    return UserData(coding, octets[at + 1 : at + 1 + count], length, has_header)


def check(user_data: UserData, at: int) -> None:
    """Raise `DecodeError` where limits or header do not hold (strict decoding)."""
    if len(user_data.octets) > MOST_OCTETS:
        raise DecodeError(
            "user_data.length", at, f"{len(user_data.octets)} octets, at most {MOST_OCTETS}"
        )
    if user_data.has_header:
        size = 1 + octet(user_data.octets, 0, "user_data.udh")
        if size > len(user_data.octets):
            raise DecodeError("user_data.udh", at + 1, "the header is longer than the user data")
        udh.check(user_data.header, at + 2)
