"""The real daemon on its real socket, the simulator on ptys and loopback."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from hwsim.control import call

T = TypeVar("T")

API_KEY = "0123456789abcdef0123456789abcdef"
PATIENCE = 20.0  # seconds for what must come about
CONFIGURATION = """\
[store]
url = "sqlite://{folder}/smsd.db"
[api]
socket = "{folder}/smsd.sock"
[log]
level = "info"
[[user]]
name = "app"
api_key = "{key}"
"""


class Refused(Exception):
    """The API answered with an error: its HTTP status and envelope."""

    def __init__(self, status: int, envelope: dict[str, Any]) -> None:
        super().__init__(f"{status}: {envelope['message']}")
        self.status = status
        self.envelope = envelope


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def until(what: str, look: Callable[[], T | None]) -> T:
    """Look until there is something; fails naming what never came."""
    end, pause = time.monotonic() + PATIENCE, threading.Event()
    while time.monotonic() < end:
        with suppress(OSError, http.client.HTTPException):
            if found := look():
                return found
        pause.wait(0.02)
    raise AssertionError(f"never seen: {what}")


class World:
    """A folder with a configuration, a simulator and, when it is started, a daemon."""

    def __init__(self, folder: Path, first_line: dict[str, Any]) -> None:
        self.folder = folder
        self.modems = first_line["modems"]
        self.cloud = first_line.get("cloud", {})
        self.daemon: subprocess.Popen[bytes] | None = None
        self.log = folder / "smsd.log"

    def ctl(self, verb: str, *args: str) -> Any:
        """Tell the simulator to do something, or ask what it saw."""
        return call(str(self.folder / "hw"), verb, *args)

    def configure(self, *phones: str, more: str = "") -> None:
        """Write the configuration: each phone is its lines of TOML."""
        text = CONFIGURATION.format(folder=self.folder, key=API_KEY) + more
        (self.folder / "smsd.toml").write_text(text + "".join(f"[[phone]]\n{p}\n" for p in phones))

    def modem(self, number: int, **more: str | int | float) -> str:
        """The lines of a modem phone; values are TOML."""
        lines = [
            f'name = "gsm{number}"',
            'adapter = "modem"',
            f'device = "{self.folder}/hw/modem{number}"',
            *(f"{key} = {value}" for key, value in more.items()),
        ]
        return "\n".join(lines)

    def smsmode(self, **more: str | int | float) -> str:
        """The lines of a phone at the simulated smsmode."""
        account = self.cloud["smsmode"]
        lines = [
            'name = "cloud0"',
            'adapter = "smsmode"',
            f'base_url = "{account["url"]}"',
            f'access_token = "{account["access_token"]}"',
            *(f"{key} = {value}" for key, value in more.items()),
        ]
        return "\n".join(lines)

    def start(self, *, wait: bool = True, **environment: str) -> subprocess.Popen[bytes]:
        """Start the daemon; it answers when this returns."""
        command = [program("smsd"), "run", "--config", str(self.folder / "smsd.toml")]
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                command, stderr=log, env={**os.environ, **environment}, start_new_session=True
            )
        if wait:
            until("the API answers", lambda: self.get("/health"))
        return self.daemon

    def kill(self) -> None:
        """SIGKILL: no last word."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(timeout=PATIENCE)

    def request(
        self, method: str, path: str, body: str | bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and envelope (``None`` for an empty body), with no key unless one is given."""
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.connect(str(self.folder / "smsd.sock"))
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            content = reply.read()
            return reply.status, json.loads(content) if content else None
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """The ``response`` of a GET."""
        return self._response("GET", path, None)

    def post(self, path: str, **body: object) -> Any:
        """The ``response`` of a POST."""
        return self._response("POST", path, json.dumps(body))

    def _response(self, method: str, path: str, body: str | None) -> Any:
        kind = {"Content_Type": "application/json"} if body else {}
        status, envelope = self.request(method, path, body, X_Api_Key=API_KEY, **kind)
        if envelope["error"] or status >= 400:
            raise Refused(status, envelope)
        return envelope["response"]

    def send(self, text: str, number: str = "+33612345678", **more: object) -> int:
        """Send a message; returns the message's own id."""
        scheduled = self.post("/api/scheduled/", text=text, numbers=number, **more)
        [row] = self.get(f"/api/list/message/?originating_scheduled={scheduled}")
        found: int = row["id"]
        return found

    def message(self, number: int) -> Any:
        """All about a message."""
        return self.get(f"/api/message/{number}/")

    def reaches(self, number: int, *states: str) -> Any:
        """A message, once it is in one of the states."""

        def look() -> Any:
            message = self.message(number)
            return message if message["state"] in states else None

        return until(f"message {number} is {' or '.join(states)}", look)

    def phone(self, name: str) -> Any:
        """A phone as /health shows it."""
        return next(p for p in self.get("/health")["phones"] if p["name"] == name)

    def available(self, *names: str) -> None:
        """Wait until these phones are available."""
        for name in names:
            until(f"{name} is available", lambda n=name: self.phone(n)["status"] == "available")  # type: ignore[misc]

    def smsd(self, *args: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command line against this daemon."""
        return subprocess.run(
            [program("smsd"), *args],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "SMSD_SOCKET": str(self.folder / "smsd.sock")},
            timeout=PATIENCE,
        )


@contextmanager
def world(folder: Path, *options: str) -> Iterator[World]:
    """A simulator in a folder; a daemon that was started is ended with it."""
    command = [program("hwsim"), "up", "--dir", str(folder / "hw"), "--seed", "1", *options]
    simulator = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert simulator.stdout is not None
    made = None
    try:
        made = World(folder, json.loads(simulator.stdout.readline()))
        yield made
    finally:
        for child in (made.daemon if made else None, simulator):
            if child is not None and child.poll() is None:
                child.terminate()
                try:
                    child.wait(timeout=PATIENCE)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        simulator.stdout.close()
