"""A modem on a pseudo terminal: the device that appears, hangs up, vanishes and comes back."""

import asyncio
import contextlib
import errno
import fcntl
import os
import select
import termios
import tty
from pathlib import Path

from hwsim.modem import Modem

# How often a closed port is looked at; a client that opens it waits half of this on average.
LOOK_EVERY = 0.01
# What a modem keeps for a computer that does not read; the rest is lost, as on real lines.
BACKLOG_OCTETS = 65536


class Port:
    """Carries one modem; `path` is a symbolic link to the pseudo terminal of the moment."""

    def __init__(self, modem: Modem, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.modem = modem
        self.path = path
        self.terminal = ""
        self._loop = loop
        self._master = -1
        self._outgoing = bytearray()
        self._listening = False
        self._pulls = 0
        modem.write = self._write
        modem.vanish = self.unplug
        self._open()

    @property
    def plugged(self) -> bool:
        """Whether the device is there."""
        return self._master >= 0

    @property
    def opened(self) -> bool:
        """Whether a client has it open, as far as was noticed."""
        return self._listening

    def unplug(self, seconds: float | None = None) -> None:
        """Take the device away; it comes back after `seconds`, with None only by `plug`."""
        if self.plugged:
            self.modem.power_off()
            self._close()
        self._pulls += 1
        if seconds is not None:
            self._loop.call_later(seconds, self._come_back, self._pulls)

    def plug(self) -> None:
        """Bring the device back as a new terminal with a freshly started modem."""
        if not self.plugged:
            self._open()
            self.modem.power_on()

    def _come_back(self, pull: int) -> None:
        # A later pull, or the end of the world, has the last word.
        if pull == self._pulls:
            self.plug()

    def close(self) -> None:
        """End for good."""
        self._pulls += 1
        if self.plugged:
            self._close()

    def _open(self) -> None:
        before = self.terminal
        self._master, slave = os.openpty()
        if os.ttyname(slave) == before:
            # A modem that comes back never has its old number: take the next one.
            old = (self._master, slave)
            self._master, slave = os.openpty()
            for descriptor in old:
                os.close(descriptor)
        tty.setraw(slave, termios.TCSANOW)
        self.terminal = os.ttyname(slave)
        # Nobody has the port open until a client has: what the modem says meanwhile is lost.
        os.close(slave)
        os.set_blocking(self._master, False)
        self._outgoing.clear()
        self._replace_link()
        self._listen_when_open(self._master)

    def _replace_link(self) -> None:
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.terminal)
        fresh.replace(self.path)

    def _close(self) -> None:
        self._stop_listening()
        os.close(self._master)
        self._master = -1
        self.path.unlink(missing_ok=True)

    def _listen_when_open(self, master: int) -> None:
        """Look until a client has the terminal open, then listen to the descriptor."""
        if master != self._master or self._listening:
            return
        poll = select.poll()
        poll.register(master, select.POLLIN)
        if any(event & select.POLLHUP for _, event in poll.poll(0)):
            self._loop.call_later(LOOK_EVERY, self._listen_when_open, master)
        else:
            self._listening = True
            self._loop.add_reader(master, self._read)

    def _stop_listening(self) -> None:
        if self._listening:
            self._loop.remove_reader(self._master)
            self._loop.remove_writer(self._master)
            self._listening = False
        self._outgoing.clear()

    def _read(self) -> None:
        try:
            octets = os.read(self._master, 65536)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._hang_up()
            return
        self.modem.feed(octets)

    def _hang_up(self) -> None:
        """The client closed the port: forget what it did not read, and its exclusive hold."""
        self._stop_listening()
        try:
            slave = os.open(self.terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            # A client without privileges left TIOCEXCL behind, which would bar the next one:
            # the terminal is exchanged behind the link.
            os.close(self._master)
            self._open()
            return
        with contextlib.suppress(OSError):
            fcntl.ioctl(slave, termios.TIOCNXCL)
            termios.tcflush(slave, termios.TCIFLUSH)
        os.close(slave)
        self._listen_when_open(self._master)

    def _write(self, octets: bytes) -> None:
        if not self.plugged or not self._listening:
            return
        if not self._outgoing:
            try:
                octets = octets[os.write(self._master, octets) :]
            except BlockingIOError:
                pass
            except OSError:
                return
            if not octets:
                return
            self._loop.add_writer(self._master, self._flush)
        self._outgoing += octets[: BACKLOG_OCTETS - len(self._outgoing)]

    def _flush(self) -> None:
        try:
            del self._outgoing[: os.write(self._master, self._outgoing)]
        except BlockingIOError:
            return
        except OSError:
            self._outgoing.clear()
        if not self._outgoing:
            self._loop.remove_writer(self._master)
