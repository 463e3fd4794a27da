"""A tty as the standard reader and writer, ours alone while it is open."""

import asyncio
import errno
import fcntl
import os
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Final

import serial

from smsd.adapters.contract import PhoneLost, lost

APPEARS: Final = 1.0  # seconds between looks for a device that is not there
TCP: Final = "tcp://"
CONNECT_TIMEOUT: Final = 10.0  # seconds

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def present(device: str) -> bool:
    """Whether there is such a device; of a far one nobody knows."""
    return device.startswith(TCP) or os.path.exists(device)


async def appears(device: str) -> None:
    """Wait until the device is there: it may be plugged in at any time."""
    while not present(device):  # noqa: ASYNC110 nothing tells when a path comes into being
        await asyncio.sleep(APPEARS)


@asynccontextmanager
async def opened(device: str, baud: int) -> AsyncIterator[Streams]:
    """A tty, exclusively (TIOCEXCL and flock), or ``tcp://host:port``, as reader and writer.

    Raises `PhoneLost`, which says who holds the device if somebody does.
    """
    if device.startswith(TCP):
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
        return
    try:
        port = serial.Serial(device, baudrate=baud, timeout=0, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        raise _refusal(device, error) from error
    try:
        if found := holders(device):  # who opened it before us shares it in spite of our locks
            raise _held(device, found)
        async with _streams(port.fileno()) as streams:
            yield streams
    finally:
        port.close()


@asynccontextmanager
async def _streams(fd: int) -> AsyncIterator[Streams]:
    fcntl.ioctl(fd, termios.TIOCEXCL)
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
            writing.abort()
    finally:
        reading.close()


def _duplicate(fd: int) -> IO[bytes]:
    """A file of its own for each transport, for each closes what it has."""
    return os.fdopen(os.dup(fd), "r+b", buffering=0)


def _refusal(device: str, error: Exception) -> PhoneLost:
    number = error.errno if isinstance(error, OSError) else None
    holder = holders(device)
    if holder or number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return _held(device, holder)
    if number in (errno.EACCES, errno.EPERM):
        return lost(f"no permission to open {device}", hint="smsd's user must be in group dialout")
    return lost(f"{device} cannot be opened: {error}")


def _held(device: str, holder: list[tuple[int, str]]) -> PhoneLost:
    who = ", ".join(f"{name} (pid {pid})" for pid, name in holder) or "another process"
    return lost(
        f"{device} is held by {who}",
        hint="stop that program, or keep it off this device: "
        "ModemManager with the line at the end of udev/70-smsd.rules",
    )


def holders(device: str) -> list[tuple[int, str]]:
    """The other processes that have a device open: pid and program, as far as we may look.

    Locks (flock) are told of every process, open files of our own user's and, as root, of all.
    """
    wanted = os.path.realpath(device)
    found = _lockers(wanted)
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            opened_files = {os.path.realpath(fd) for fd in (process / "fd").iterdir()}
            # Whoever has the other end of a pseudo-terminal is the modem, not a rival.
            if wanted in opened_files and not any(path.endswith("ptmx") for path in opened_files):
                found.append((int(process.name), (process / "comm").read_text().strip()))
        except OSError:
            continue  # not ours to look into, or gone by now
    return sorted(set(found))


def _lockers(path: str) -> list[tuple[int, str]]:
    """Who has locked a file, from /proc/locks: ``1: FLOCK ADVISORY WRITE 612 00:1b:3 0 EOF``."""
    found = []
    try:
        inode = str(os.stat(path).st_ino)
        for line in Path("/proc/locks").read_text().splitlines():
            _, kind, _, _, pid, place, *_ = line.split()
            if kind == "FLOCK" and place.split(":")[2] == inode and int(pid) != os.getpid():
                found.append((int(pid), Path("/proc", pid, "comm").read_text().strip()))
    except (OSError, ValueError, IndexError):
        pass  # no such list, or a process that is gone
    return found
