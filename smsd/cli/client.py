"""Asking the daemon over its Unix socket."""

import argparse
import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import IO, Any, Final
from urllib.parse import urlencode

DEFAULT_SOCKET: Final = "/run/smsd/smsd.sock"
TIMEOUT: Final = 30.0  # seconds

REFUSED, USAGE, UNREACHABLE, RUNNING, NO_PERMISSION, BAD_CONFIG = 1, 2, 69, 75, 77, 78


class Failure(Exception):
    """A command cannot be done; ``status`` is its exit status."""

    def __init__(self, message: str, status: int = REFUSED) -> None:
        super().__init__(message)
        self.status = status


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """One daemon, by the path of its socket; ``timeout`` in seconds for each answer."""

    def __init__(self, path: str, timeout: float = TIMEOUT) -> None:
        self._path = path
        self._timeout = timeout

    def get(self, path: str, **query: str) -> Any:
        """The ``response`` of a GET."""
        return self._ask("GET", path + ("?" + urlencode(query) if query else ""))[0]

    def all(self, path: str, **query: str) -> list[Any]:
        """Every row of a list, page by page."""
        found: list[Any] = []
        tail = "?" + urlencode(query) if query else ""
        rows = self._ask("GET", path + tail)[0]
        while rows:
            found += rows
            rows = self._ask("GET", f"{path}after/{rows[-1]['id']}/{tail}")[0]
        return found

    def post(
        self, path: str, body: Mapping[str, Any], **headers: str
    ) -> tuple[Any, Mapping[str, str]]:
        """The ``response`` of a POST with a JSON body, and its headers."""
        return self._ask("POST", path, json.dumps(body), headers)

    def delete(self, path: str) -> None:
        """A DELETE."""
        self._ask("DELETE", path)

    @contextmanager
    def stream(self, path: str, **query: str) -> Iterator[IO[bytes]]:
        """What a GET answers with, as it comes; a refusal is raised before."""
        connection = _Connection(self._path, self._timeout)
        with self._explained(), closing(connection):
            connection.request("GET", path + ("?" + urlencode(query) if query else ""))
            reply = connection.getresponse()
            if reply.status != 200:
                self._response(reply, reply.read())
            yield reply

    def _ask(
        self,
        method: str,
        path: str,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Any, Mapping[str, str]]:
        connection = _Connection(self._path, self._timeout)
        sent = {"Content-Type": "application/json", **(headers or {})}
        with self._explained(), closing(connection):
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            content = reply.read()
        return self._response(reply, content), dict(reply.getheaders())

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise  # of our own output
        except PermissionError as error:
            raise Failure(f"no permission for {self._path}", NO_PERMISSION) from error
        except (OSError, http.client.HTTPException) as error:
            words = f"no daemon answers on {self._path}: {error}"
            raise Failure(words, UNREACHABLE) from error

    def _response(self, reply: http.client.HTTPResponse, content: bytes) -> Any:
        try:
            envelope = json.loads(content) if content else {"error": 0, "response": None}
        except ValueError as error:
            raise Failure(f"{self._path} does not speak smsd's language", UNREACHABLE) from error
        if envelope["error"] or reply.status >= 400:
            refused = NO_PERMISSION if reply.status in (401, 403) else REFUSED
            if envelope["response"] is None:
                raise Failure(" ".join(str(envelope["message"]).split()), refused)
        return envelope["response"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """What every command that asks the daemon takes."""
    parser.add_argument(
        "--socket",
        default=os.environ.get("SMSD_SOCKET", DEFAULT_SOCKET),
        help="the daemon's socket (else $SMSD_SOCKET, else %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="JSON Lines instead of a table")


def client(args: argparse.Namespace, *, timeout: float = TIMEOUT) -> Client:
    """The daemon that the options name."""
    return Client(args.socket, timeout)
