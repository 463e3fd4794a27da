"""What systemd and smsd tell each other: readiness, status, watchdog, sockets handed over."""

import os
import socket
from typing import Final

import sdnotify

FIRST_FD: Final = 3  # sd_listen_fds(3)


class Notifier:
    """Tells systemd how smsd is; does nothing where nobody listens."""

    def __init__(self) -> None:
        told = "NOTIFY_SOCKET" in os.environ
        self._notifier = sdnotify.SystemdNotifier() if told else None

    def ready(self) -> None:
        """Everything that had to be there is there."""
        self._tell("READY=1")

    def status(self, words: str) -> None:
        """One line for ``systemctl status``."""
        self._tell(f"STATUS={words}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if self._notifier is not None:
            self._notifier.notify(state)


def watchdog_interval() -> float | None:
    """Seconds between two signs of life, half of what systemd allows; ``None``: it wants none."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 2e6 if microseconds.isdigit() and int(microseconds) else None


def handed_over() -> list[socket.socket]:
    """The listening sockets that systemd opened for us (``smsd.socket``)."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    found = []
    for fd in range(FIRST_FD, FIRST_FD + count):
        os.set_inheritable(fd, False)
        handed = socket.socket(fileno=fd)
        handed.setblocking(False)
        found.append(handed)
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    return found
