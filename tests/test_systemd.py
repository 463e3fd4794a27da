"""What systemd and smsd tell each other, over real sockets."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from smsd.systemd import Notifier, handed_over, watchdog_interval


def test_systemd_is_told_what_it_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        notifier = Notifier()
        notifier.ready()
        notifier.status("gsm0 available; 3 queued")
        notifier.alive()
        notifier.stopping()
        told = [systemd.recv(4096) for _ in range(4)]
        assert notifier._notifier is not None
        notifier._notifier.socket.close()
    assert told == [b"READY=1", b"STATUS=gsm0 available; 3 queued", b"WATCHDOG=1", b"STOPPING=1"]


def test_without_systemd_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = Notifier()
    notifier.ready()
    notifier.alive()


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        ("30000000", None, 15.0),
        ("30000000", str(os.getpid()), 15.0),
        ("30000000", "1", None),
        ("", None, None),
        ("0", None, None),
        ("soon", None, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_asks(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str | None, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", pid)
    assert watchdog_interval() == seconds


def test_no_sockets_are_handed_over_to_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.delenv("LISTEN_PID", raising=False)
    assert handed_over() == []
    monkeypatch.setenv("LISTEN_PID", "1")
    assert handed_over() == []


CHILD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
from smsd.systemd import handed_over
[listening] = handed_over()
assert not os.get_inheritable(listening.fileno()) and not listening.getblocking()
assert "LISTEN_PID" not in os.environ and "LISTEN_FDS" not in os.environ
print(listening.getsockname())
listening.close()
"""


def test_a_socket_that_systemd_opened_is_taken(tmp_path: Path) -> None:
    """In a process of its own, with the socket as descriptor 3."""
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        found = subprocess.run(
            [sys.executable, "-c", CHILD, str(listening.fileno())],
            env={**os.environ, "LISTEN_FDS": "1"}, pass_fds=[listening.fileno()],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert found.stderr == ""
    assert found.stdout == path + "\n"
