"""How long the service centre keeps trying: TP-VP in its three forms (23.040 9.2.3.12)."""

from __future__ import annotations

import functools
from datetime import datetime

from smsd.gsm import timestamp
from smsd.gsm.errors import EncodeError
from smsd.gsm.semioctets import SWAPPED
from smsd.gsm.values import dataclass


def _minutes(octet: int) -> int:
    if octet < 144:
        return (octet + 1) * 5
    if octet < 168:
        return 12 * 60 + (octet - 143) * 30
    return (octet - 166) * 1440 if octet < 197 else (octet - 192) * 7 * 1440


_MINUTES = tuple(_minutes(octet) for octet in range(256))


@dataclass(frozen=True, slots=True)
class Relative:
    """The relative format: five minutes to 63 weeks from when the centre takes the message."""

    octet: int

    @staticmethod
    @functools.lru_cache(maxsize=256)
    def covering(minutes: int) -> Relative:
        """Return the shortest period not below the minutes; beyond 63 weeks it is 63 weeks."""
        return Relative(next((o for o in range(256) if _MINUTES[o] >= minutes), 255))

    @property
    def minutes(self) -> int:
        """The period in minutes (9.2.3.12.1)."""
        return _MINUTES[self.octet]

    def encode(self) -> bytes:
        """Return the octet."""
        if not 0 <= self.octet <= 255:
            raise EncodeError("validity", f"{self.octet} is no octet")
        return bytes((self.octet,))


@dataclass(frozen=True, slots=True)
class Absolute:
    """The absolute format: until a moment, `None` where the octets were no time (9.2.3.12.2)."""

    until: datetime | None

    def encode(self) -> bytes:
        """Return the seven octets."""
        return timestamp.encode(self.until, "validity")


@dataclass(frozen=True, slots=True)
class Enhanced:
    """The enhanced format, kept as its seven octets (9.2.3.12.3).

    The functionality indicator is the first; where its top bit is set others follow it.
    """

    octets: bytes

    @classmethod
    def of_seconds(cls, seconds: int, *, single_shot: bool = False) -> Enhanced:
        """Return a period of 1 to 255 seconds, or of up to 99 h 59 min 59 s."""
        shot = 0x40 if single_shot else 0
        if 1 <= seconds <= 255:
            return cls(bytes((shot | 0b010, seconds, 0, 0, 0, 0, 0)))
        hours, minutes = divmod(seconds // 60, 60)
        if not 1 <= seconds < 360_000:
            raise EncodeError("validity", f"{seconds} s is not within 1 s and 99:59:59")
        digits = bytes.fromhex(f"{hours:02d}{minutes:02d}{seconds % 60:02d}")
        return cls(bytes((shot | 0b011,)) + digits.translate(SWAPPED) + bytes(3))

    @classmethod
    def of_period(cls, period: Relative | None, *, single_shot: bool = False) -> Enhanced:
        """Return a relative period in the enhanced format, or none at all."""
        shot = 0x40 if single_shot else 0
        if period is None:
            return cls(bytes((shot, 0, 0, 0, 0, 0, 0)))
        return cls(bytes((shot | 0b001, period.octet, 0, 0, 0, 0, 0)))

    @property
    def single_shot(self) -> bool:
        """Whether the centre shall try only once."""
        return bool(self.octets[0] & 0x40)

    @property
    def seconds(self) -> int | None:
        """The period in seconds; `None` where there is none, or its format is reserved."""
        at = 1
        while at < len(self.octets) and self.octets[at - 1] & 0x80:
            at += 1
        value = self.octets[at:]
        match self.octets[0] & 0b111, value[:1]:
            case 0b001, bytes(octet) if octet:
                return Relative(octet[0]).minutes * 60
            case 0b010, bytes(octet) if octet and octet[0]:
                return octet[0]
            case 0b011, _ if len(value) >= 3:
                hours, minutes, seconds = (timestamp.NUMBERS[octet] for octet in value[:3])
                if max(hours, minutes, seconds) < 100:
                    return hours * 3600 + minutes * 60 + seconds
        return None

    def encode(self) -> bytes:
        """Return the seven octets."""
        if len(self.octets) != timestamp.SIZE:
            raise EncodeError("validity", f"{len(self.octets)} octets, the enhanced format has 7")
        return self.octets


Validity = Relative | Absolute | Enhanced
