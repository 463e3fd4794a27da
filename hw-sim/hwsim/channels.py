"""The ports that do not speak AT: navigation, diagnosis, sound, and those that say nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hwsim.engine import Engine
from hwsim.personality import PortKind

NMEA_EVERY = 1.0
# HDLC frames as a diagnostic port sends them: binary, ended by 0x7E.
_DIAG_ANSWER = bytes.fromhex("13 06 00 00 00 5d b1 7e")


class Channel(Protocol):
    """What lies behind a tty."""

    kind: PortKind
    write: Callable[[bytes], None]

    def feed(self, octets: bytes) -> None:
        """Take what the computer wrote."""

    def opened(self) -> None:
        """A client opened the port."""


class Mute:
    """Swallows everything."""

    def __init__(self, modem: Engine, kind: PortKind) -> None:
        self.modem = modem
        self.kind = kind
        self.write: Callable[[bytes], None] = lambda octets: None

    def feed(self, octets: bytes) -> None:
        """See `Channel`."""

    def opened(self) -> None:
        """See `Channel`."""


class Diagnosis(Mute):
    """Answers whatever it gets with a binary frame."""

    def feed(self, octets: bytes) -> None:
        """See `Channel`."""
        if self.modem.answering and octets.strip(b"\r\n"):
            self.write(_DIAG_ANSWER)


class Navigation(Mute):
    """Streams NMEA sentences as long as it is open, whatever is written."""

    def __init__(self, modem: Engine, kind: PortKind) -> None:
        super().__init__(modem, kind)
        self._streams = 0

    def opened(self) -> None:
        """See `Channel`."""
        self._streams += 1
        self._sentence(self._streams, 600)

    def _sentence(self, stream: int, left: int) -> None:
        # Bounded, because nobody says when the client closes the port.
        if stream != self._streams or left == 0:
            return
        body = f"GPRMC,{int(self.modem.clock.time()) % 86400:06},V,,,,,,,,,,N"
        check = 0
        for character in body.encode():
            check ^= character
        self.write(f"${body}*{check:02X}\r\n".encode())
        self.modem.after(NMEA_EVERY, lambda: self._sentence(stream, left - 1))


def channel_of(modem: Engine, kind: PortKind) -> Channel:
    """Make what lies behind a port that does not speak AT."""
    return {"gps": Navigation, "diag": Diagnosis}.get(kind.role, Mute)(modem, kind)
