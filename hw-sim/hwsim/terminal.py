"""One tty of a modem on a pseudo terminal: it appears, hangs up, vanishes and comes back."""

import asyncio
import contextlib
import errno
import fcntl
import os
import select
import termios
import tty
from pathlib import Path

from hwsim.channels import Channel
from hwsim.watch import OpenWatch

# What a modem keeps for a computer that does not read; the rest is lost, as on real lines.
BACKLOG_OCTETS = 65536


class Terminal:
    """Carries one channel; `path` is a symbolic link to the pseudo terminal of the moment."""

    def __init__(self, channel: Channel, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.channel = channel
        self.path = path
        self.terminal = ""
        self._loop = loop
        self._master = -1
        self._outgoing = bytearray()
        self._listening = False
        self._broken = False
        self._held = -1
        channel.write = self._write

    @property
    def present(self) -> bool:
        """Whether the device is there."""
        return self._master >= 0

    @property
    def opened(self) -> bool:
        """Whether a client has it open."""
        return self._listening

    def open(self, watch: OpenWatch) -> None:
        """Make the device appear."""
        self._watch = watch
        self._broken = False
        if not self.present:
            self._open()

    def close(self) -> None:
        """Make it vanish: whoever has it open gets the end of it at once."""
        self.release()
        if self.present:
            self._stop_listening()
            os.close(self._master)
            self._master = -1
        self.path.unlink(missing_ok=True)

    def break_down(self) -> None:
        """Leave the node and answer every octet with EIO (H3)."""
        self._stop_listening()
        if self.present:
            os.close(self._master)
        self._broken = True
        self._open()

    def stall(self, seconds: float) -> None:
        """Read nothing for so long: the client's writes and drains block (H11)."""
        if self._listening:
            self._loop.remove_reader(self._master)
            self._loop.call_later(seconds, self._go_on, self._master)

    def _go_on(self, master: int) -> None:
        if master == self._master and self._listening:
            self._loop.add_reader(master, self._read)

    def hold(self) -> None:
        """Have another program hold the port: TIOCEXCL and flock.

        Raises ValueError where somebody has locked it before.
        """
        if self._held < 0 and self.present:
            held = os.open(self.terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(held)
                raise ValueError(f"{self.terminal} is locked by another") from None
            fcntl.ioctl(held, termios.TIOCEXCL)
            self._held = held

    def release(self) -> None:
        """Let that program go."""
        if self._held >= 0:
            with contextlib.suppress(OSError):  # the modem was unplugged meanwhile
                fcntl.ioctl(self._held, termios.TIOCNXCL)
            os.close(self._held)
            self._held = -1

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
        master = self._master
        self._watch.watch(self.terminal, lambda: self._look(master))

    def _replace_link(self) -> None:
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.terminal)
        fresh.replace(self.path)

    def _look(self, master: int) -> bool:
        """Listen if a client has the terminal open; True when nobody need look again."""
        if master != self._master or self._listening:
            return True
        poll = select.poll()
        poll.register(master, select.POLLIN)
        if any(event & select.POLLHUP for _, event in poll.poll(0)):
            return False
        if self._broken:
            os.close(self._master)
            self._open()
            return True
        self._listening = True
        self._loop.add_reader(master, self._read)
        self.channel.opened()
        return True

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
        self.channel.feed(octets)

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
        self._watch.again(self.terminal)

    def _write(self, octets: bytes) -> None:
        if not self.present or not self._listening:
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
