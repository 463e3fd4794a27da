"""A tty as the standard reader and writer, ours alone while it is open."""

import asyncio
import contextlib
import fcntl
import os
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, Final

import serial

from smsd.adapters.contract import Broken, lost
from smsd.adapters.modem.apart import Stuck, apart
from smsd.adapters.modem.held import held, holders, lock_file, refusal
from smsd.model.message import Fault, FaultClass

TCP: Final = "tcp://"
CONNECT_TIMEOUT: Final = 10.0  # seconds
OPEN_TIMEOUT: Final = 10.0  # seconds; a live port opens in milliseconds
CLOSE_TIMEOUT: Final = 2.0  # seconds that a close is waited for, so that it can be opened again
TIOCGSERIAL: Final = 0x541E
TIOCSSERIAL: Final = 0x541F
SERIAL_STRUCT: Final = 128  # octets, more than struct serial_struct has on any machine
CLOSING_WAIT: Final = 40  # its place there: behind eight ints, a short, two chars and an int

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def present(device: str) -> bool:
    """Whether there is such a device; of a far one nobody knows."""
    return device.startswith(TCP) or os.path.exists(device)


@asynccontextmanager
async def opened(device: str, baud: int) -> AsyncIterator[Streams]:
    """A tty, exclusively (lock file, TIOCEXCL and flock), or ``tcp://host:port``.

    Raises `PhoneLost`, which says who holds the device if somebody does. A device whose driver
    blocks is given up after a time, when it is opened and when it is closed.
    """
    if device.startswith(TCP):
        async with _far(device) as streams:
            yield streams
        return
    with lock_file(device):
        try:
            port = await apart(device, lambda: _open(device, baud), OPEN_TIMEOUT, late=_close)
        except Stuck as error:
            words = f"{device} cannot be opened: the kernel does not answer ({error})"
            fault = Fault(FaultClass.MODEM, words, hint="unplug it and plug it in again")
            raise Broken(fault) from error
        try:
            async with _streams(port.fileno()) as streams:
                yield streams
        finally:
            # The transports close their copies first, so that it is this thread that may block.
            await asyncio.sleep(0)
            with contextlib.suppress(Stuck):
                await apart(device, lambda: _close(port), CLOSE_TIMEOUT)


@asynccontextmanager
async def _far(device: str) -> AsyncIterator[Streams]:
    host, _, number = device.removeprefix(TCP).rpartition(":")
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(host, int(number))
    except (OSError, TimeoutError) as error:
        raise lost(f"no connection to {device}: {error}") from error
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def _open(device: str, baud: int) -> serial.Serial:
    """The port, ours alone; blocks as long as the driver does."""
    try:
        port = serial.Serial(device, baudrate=baud, timeout=0, exclusive=True)
    except (serial.SerialException, OSError, ValueError, termios.error) as error:
        raise refusal(device, error) from error
    try:
        if found := holders(device):  # who opened it before us shares it in spite of our locks
            raise held(device, found)
        fd = port.fileno()
        with contextlib.suppress(OSError):
            fcntl.ioctl(fd, termios.TIOCEXCL)
        _hold_the_line(fd)
        _wait_for_nothing(fd)
    except BaseException:
        port.close()
        raise
    return port


def _hold_the_line(fd: int) -> None:
    """Leave DTR as it is on close: modems with ``&D2`` take its fall for an order to reset."""
    with contextlib.suppress(termios.error):
        settings = termios.tcgetattr(fd)
        settings[2] &= ~termios.HUPCL
        termios.tcsetattr(fd, termios.TCSANOW, settings)


def _wait_for_nothing(fd: int) -> None:
    """Have ``close`` wait for no output (TIOCSSERIAL, closing_wait); only root may, on USB."""
    record = bytearray(SERIAL_STRUCT)
    with contextlib.suppress(OSError):
        fcntl.ioctl(fd, TIOCGSERIAL, record)
        record[CLOSING_WAIT : CLOSING_WAIT + 2] = b"\xff\xff"
        fcntl.ioctl(fd, TIOCSSERIAL, record)


def _close(port: serial.Serial) -> None:
    """Throw away what was not written yet, which the driver would wait for, and close."""
    with contextlib.suppress(termios.error, OSError, serial.SerialException):
        termios.tcflush(port.fileno(), termios.TCOFLUSH)
    with contextlib.suppress(OSError):
        port.close()


@asynccontextmanager
async def _streams(fd: int) -> AsyncIterator[Streams]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    reading, _ = await loop.connect_read_pipe(lambda: protocol, _duplicate(fd))
    try:
        writing, flow = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), _duplicate(fd)
        )
        try:
            yield reader, asyncio.StreamWriter(writing, flow, None, loop)
        finally:
            if not writing.is_closing():  # one that failed has closed itself and cannot once more
                writing.abort()
    finally:
        reading.close()


def _duplicate(fd: int) -> IO[bytes]:
    """A file of its own for each transport, for each closes what it has."""
    return os.fdopen(os.dup(fd), "r+b", buffering=0)
