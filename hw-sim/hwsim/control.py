"""The control socket: one line of JSON in, one out; and a small client for tests."""

import json
import socket
from pathlib import Path
from typing import Any

# A verb never waits: an answer that takes longer means that the simulator hangs.
TIMEOUT = 10.0


class Refused(Exception):
    """The simulator refused the verb; the message says why."""


class NotRunning(Exception):
    """Nothing listens in that folder."""


def call(folder: str | Path, verb: str, *args: object) -> Any:
    """Run a verb and give its answer; raises `Refused` or `NotRunning`."""
    request = json.dumps({"verb": verb, "args": [str(arg) for arg in args]}) + "\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT)
        try:
            connection.connect(str(Path(folder) / "ctl"))
            connection.sendall(request.encode())
            with connection.makefile("rb") as stream:
                line = stream.readline()
        except OSError as error:
            raise NotRunning(f"nothing listens in {folder}: {error}") from error
    if not line:
        raise NotRunning(f"the simulator in {folder} closed the connection")
    answer = json.loads(line)
    if isinstance(answer, dict) and "error" in answer:
        raise Refused(answer["error"])
    return answer
