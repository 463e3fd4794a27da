"""What became of a message: TP-ST (23.040 9.2.3.15)."""

from __future__ import annotations

import enum

from smsd.gsm.causes import STATUSES
from smsd.gsm.values import dataclass


class Outcome(enum.StrEnum):
    """What a status means to the sender."""

    DELIVERED = "delivered"
    TRYING = "trying"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Status:
    """TP-ST; `octet` is kept, values that the standard does not list are read by their class."""

    octet: int

    @property
    def outcome(self) -> Outcome:
        """Delivered, still trying, or failed; the upper half is reserved and read as failed."""
        if self.octet < 0x20:
            return Outcome.DELIVERED
        return Outcome.TRYING if self.octet < 0x40 else Outcome.FAILED

    @property
    def permanent(self) -> bool:
        """Whether sending again is pointless; having given up (011x xxxx) is temporary."""
        return 0x40 <= self.octet < 0x60

    @property
    def words(self) -> str:
        """The meaning in plain English."""
        named = STATUSES.get(self.octet)
        if named:
            return named
        if self.octet >= 0x80:
            return "reserved status"
        kind = (
            "delivered",
            "temporary error, still trying",
            "permanent error",
            "temporary error, no longer trying",
        )[self.octet >> 5]
        specific = "service centre specific" if self.octet & 0x10 else "reserved"
        return f"{kind} ({specific})"


STATUS = tuple(Status(octet) for octet in range(256))
