"""Is this an AT port, and whose: a sign of life, IMEI and ICCID, before an adapter takes it.

Any final result proves a port, an error too; chatter of a receiver, binary data and a mere echo do
not. Nothing here changes the modem but its echo; one that refuses to say who it is, as some do
until then, is switched on and asked once more.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, TypeVar

from smsd.adapters.contract import lost
from smsd.adapters.modem.open import Streams
from smsd.adapters.modem.port import Silent
from smsd.adapters.modem.profiles import GENERIC
from smsd.at import commands
from smsd.at.dialogue import Command
from smsd.at.syntax import AnswerError
from smsd.model.message import Fault, FaultClass

T = TypeVar("T")

BAUD: Final = 115_200
AFTER_ESCAPE: Final = 0.1  # seconds; a predecessor may have left the modem at a prompt
ANSWER: Final = 1.0  # seconds for the answer to AT
QUESTION: Final = 3.0  # seconds for the answer to a question about itself
SWITCHED_ON: Final = 20.0  # seconds for the answer to +CFUN=1
SIM_POLL: Final = 1.0  # seconds between questions to a SIM that is busy
LONGEST: Final = 4096  # octets without a final result that are still listened to
BINARY: Final = 0.3  # share of octets that are no text, from which on it is no AT port
ENOUGH: Final = 16  # octets by which that can be told
_FINAL: Final = re.compile(
    r"OK|ERROR|\+CM[ES] ERROR:.*|NO CARRIER|NO DIALTONE|COMMAND NOT SUPPORT|CONNECT.*"
)
_NMEA: Final = re.compile(r"\$(G[A-Z]|BD|QZ|PS|PQ)[A-Z]*,")

OpenStreams = Callable[[str, int], AbstractAsyncContextManager[Streams]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Which modem and which SIM; ``None`` where it is not told."""

    imei: str | None = None
    iccid: str | None = None


class _Line:
    def __init__(self, streams: Streams) -> None:
        self._reader, self._writer = streams

    async def ask(self, line: bytes, seconds: float) -> list[str] | None:
        """The lines up to a final result, that included; ``None`` if none comes.

        Raises `PhoneLost` for what is no modem, and for one that is gone.
        """
        heard = b""
        try:
            self._writer.write(line)
            async with asyncio.timeout(seconds):
                await self._writer.drain()
                while True:
                    data = await self._reader.read(1024)
                    if not data:
                        raise Silent(Fault(FaultClass.MODEM, "it is gone"))
                    heard = (heard + data)[-LONGEST:]
                    lines = _lines(heard)
                    if lines and _FINAL.fullmatch(lines[-1]):
                        return lines
                    _refuse_noise(heard, lines)
        except TimeoutError:
            return None
        except OSError as error:
            raise Silent(Fault(FaultClass.MODEM, "it is gone")) from error

    async def drain(self, seconds: float) -> None:
        """Let pass what comes unasked."""
        try:
            async with asyncio.timeout(seconds):
                while await self._reader.read(1024):
                    pass
        except (TimeoutError, OSError):
            return


def _lines(heard: bytes) -> list[str]:
    """The complete lines, without blanks."""
    *lines, _ = re.split(r"[\r\n]+", heard.decode("latin-1"))
    return [line.strip() for line in lines if line.strip()]


def _refuse_noise(heard: bytes, lines: list[str]) -> None:
    if any(_NMEA.match(line) for line in lines):
        raise lost("it is a satellite receiver's port")
    odd = sum(octet > 0x7E or (octet < 0x20 and octet not in b"\r\n\t\x1b\0") for octet in heard)
    if len(heard) >= ENOUGH and odd > BINARY * len(heard):
        raise lost("what it says is no text: a diagnostic port, or another program talks to it")


async def identify(
    open_streams: OpenStreams, device: str, *, tries: int, sim_within: float = 0.0
) -> Identity:
    """Open a port, prove it and ask who it is; raises `PhoneLost` if it is no AT port.

    The SIM is asked for its number again and again for ``sim_within`` seconds: it may be busy.
    """
    try:
        async with open_streams(device, BAUD) as streams:
            return await _identity(_Line(streams), tries, sim_within)
    except OSError as error:
        raise lost(f"{device} cannot be used: {error}") from error


async def _identity(line: _Line, tries: int, sim_within: float) -> Identity:
    await line.ask(b"\x1b\r", AFTER_ESCAPE)
    for _ in range(tries):
        if await line.ask(b"AT\r", ANSWER) is not None:
            break
    else:
        raise Silent(Fault(FaultClass.MODEM, "it does not answer AT"))
    await line.drain(AFTER_ESCAPE)  # the answers to what was asked before
    await line.ask(b"ATE0\r", ANSWER)
    imei = await _asked(line, commands.serial_number())
    if not imei and await line.ask(b"AT+CFUN=1\r", SWITCHED_ON) is not None:
        imei = await _asked(line, commands.serial_number())
    deadline = asyncio.get_running_loop().time() + sim_within
    iccid = await _iccid(line)
    while iccid is None and asyncio.get_running_loop().time() < deadline:
        await line.drain(SIM_POLL)
        iccid = await _iccid(line)
    return Identity(_unique(imei), iccid)


async def _iccid(line: _Line) -> str | None:
    for command in map(commands.iccid, GENERIC.iccid):
        if found := await _asked(line, command):
            return found
    return None


async def _asked(line: _Line, command: Command[T]) -> T | None:
    lines = await line.ask(command.line.encode() + b"\r", QUESTION)
    try:
        return None if lines is None else command.parse(tuple(lines[:-1]))
    except AnswerError:
        return None


def _unique(imei: str | None) -> str | None:
    """An IMEI, unless it is one that makers leave in thousands of sticks."""
    return imei if imei and len(set(imei)) > 2 else None


def same_iccid(one: str | None, other: str | None) -> bool:
    """Whether two ICCIDs are one SIM's; some modems leave out the check digit."""
    return bool(one and other) and (
        str(one).startswith(str(other)) or str(other).startswith(str(one))
    )
