"""The data coding scheme: one octet that can be asked (23.038 4)."""

from __future__ import annotations

import enum

from smsd.gsm.values import dataclass


class Alphabet(enum.StrEnum):
    """How the user data are coded."""

    GSM7 = "gsm7"
    DATA8 = "data8"
    UCS2 = "ucs2"


GSM7, DATA8, UCS2 = Alphabet  # reading them off the class takes eight times as long


class MessageClass(enum.IntEnum):
    """Where a message is meant to go (23.038 4)."""

    DISPLAY = 0
    EQUIPMENT = 1
    SIM = 2
    TERMINAL = 3


class Waiting(enum.StrEnum):
    """What kind of message waits for the user (23.038 4)."""

    VOICEMAIL = "voicemail"
    FAX = "fax"
    EMAIL = "email"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MessageWaiting:
    """A message waits somewhere: its kind, whether one does, whether to store this one."""

    kind: Waiting
    active: bool
    store: bool


@dataclass(frozen=True, slots=True)
class DataCoding:
    """TP-DCS (23.040 9.2.3.10): `octet` is kept as it came, the rest is asked of it."""

    octet: int = 0

    @classmethod
    def of(
        cls, alphabet: Alphabet = Alphabet.GSM7, message_class: MessageClass | int | None = None
    ) -> DataCoding:
        """Return the general coding for an alphabet and, if given, a class."""
        general = _GENERAL[alphabet]
        if message_class is None:
            return general
        return CODINGS[general.octet | 0x10 | MessageClass(message_class)]

    @property
    def alphabet(self) -> Alphabet:
        """The alphabet; GSM 7 bit for reserved codings too (23.038 4)."""
        return _ALPHABETS[self.octet]

    @property
    def message_class(self) -> MessageClass | None:
        """The class, or `None` where bits 1 and 0 mean something else."""
        general_with_class = self.octet < 0x80 and self.octet & 0x10
        if general_with_class or self.octet >= 0xF0:
            return MessageClass(self.octet & 0b11)
        return None

    @property
    def compressed(self) -> bool:
        """Whether the user data are compressed (23.042); they are never shown as text then."""
        return self.octet < 0x80 and bool(self.octet & 0x20)

    @property
    def auto_delete(self) -> bool:
        """Whether the message asks to be deleted once read (group 01xx)."""
        return 0x40 <= self.octet < 0x80

    @property
    def reserved(self) -> bool:
        """Whether the standard gives this octet no meaning; it is read as the default alphabet."""
        if self.octet < 0x80:
            return self.octet & 0b1100 == 0b1100
        return self.octet < 0xC0 or (self.octet >= 0xF0 and bool(self.octet & 0b1000))

    @property
    def waiting(self) -> MessageWaiting | None:
        """The message waiting indication of groups 1100, 1101 and 1110."""
        if not 0xC0 <= self.octet < 0xF0:
            return None
        return MessageWaiting(
            kind=tuple(Waiting)[self.octet & 0b11],
            active=bool(self.octet & 0b1000),
            store=self.octet >= 0xD0,
        )


def _alphabet(octet: int) -> Alphabet:
    match octet >> 4:
        case group if group < 0b1000:
            return {0b01: Alphabet.DATA8, 0b10: Alphabet.UCS2}.get(octet >> 2 & 0b11, Alphabet.GSM7)
        case 0b1110:
            return Alphabet.UCS2
        case 0b1111 if octet & 0b100:
            return Alphabet.DATA8
    return Alphabet.GSM7


_ALPHABETS = tuple(_alphabet(octet) for octet in range(256))
CODINGS = tuple(DataCoding(octet) for octet in range(256))
_GENERAL = {GSM7: CODINGS[0x00], DATA8: CODINGS[0x04], UCS2: CODINGS[0x08]}
