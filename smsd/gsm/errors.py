"""The two errors of the codec: theirs (`DecodeError`) and ours (`EncodeError`)."""

from __future__ import annotations


class DecodeError(ValueError):
    """Octets that are not what the standard says; nothing else is raised for any input.

    `field` is the path of the field ("user_data.udh"), `offset` the octet where it went wrong,
    counted from the start of what was given to the decoder.
    """

    def __init__(self, field: str, offset: int, reason: str) -> None:
        super().__init__(field, offset, reason)
        self.field = field
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field} at octet {self.offset}: {self.reason}"


class EncodeError(ValueError):
    """A value that the standard has no octets for."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


def require(octets: bytes, at: int, count: int, field: str) -> None:
    """Raise `DecodeError` unless `count` octets are there from offset `at`."""
    left = len(octets) - at
    if left < count:
        raise DecodeError(field, at, f"{count} octets wanted, {max(left, 0)} left")


def octet(octets: bytes, at: int, field: str) -> int:
    """Return the octet at `at`, or raise `DecodeError` where the octets end before it."""
    if at >= len(octets):
        raise DecodeError(field, at, "1 octet wanted, 0 left")
    return octets[at]
