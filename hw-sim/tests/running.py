"""A whole simulator and its clients, for tests; bounded in time by their own time-outs."""

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 5.0


@contextmanager
def running(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Run `hwsim up` and give its first line; it must end by itself on SIGTERM."""
    command = [sys.executable, "-m", "hwsim", "up", "--dir", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0
    assert list(folder.iterdir()) == []


class Client:
    """A program that has the port of a modem open."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def ask(self, text: str, until: str) -> str:
        os.write(self.descriptor, text.encode())
        heard = ""
        while until not in heard:
            assert select.select([self.descriptor], [], [], PATIENCE)[0], heard
            heard += os.read(self.descriptor, 4096).decode()
        return heard

    def gone(self) -> bool:
        """Wait until the port hangs up."""
        poll = select.poll()
        poll.register(self.descriptor, 0)
        return bool(poll.poll(PATIENCE * 1000))

    def close(self) -> None:
        os.close(self.descriptor)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end
        pause.wait(0.005)


@contextmanager
def opened(path: Path) -> Iterator[Client]:
    client = Client(path)
    try:
        yield client
    finally:
        client.close()
