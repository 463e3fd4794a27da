"""The main job on simulated hardware: ``make run``, or ``make run ONCE=1``.

Two simulated modems, a simulated cloud provider and the real daemon, in ``./run``. It speaks to
the daemon over its socket only, as any program would, and shows what it sees; with ``--once`` it
ends with status 0 if every step was seen, else it names the step that was not.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

RUN = Path("run")
SOCKET = RUN / "smsd.sock"
API_KEY = "demo-key-0123456789abcdef0123456"
PATIENCE = 20.0  # seconds for any one step
LOOK_EVERY = 0.05
TEXT = (
    "Alarm 🚨 in the cellar: the pump has stopped and the water is rising. "
    "Please call back, or come by at once. "
    "This text is long and has an emoji in it, so it takes several parts. "
) + "End."
LONG_ANSWER = "I am on my way, do not touch anything. " * 5 + "Back in ten minutes 👍"

CONFIGURATION = """\
[store]
url = "sqlite://{run}/smsd.db"

[api]
socket = "{run}/smsd.sock"

[[user]]
name = "demo"
api_key = "{api_key}"

[[phone]]
name = "gsm0"
adapter = "modem"
device = "{modem0}"
limits = [{{ volume = {limit}, startpoint = "today" }}]
fallback = ["cloud0"]

[[phone]]
name = "gsm1"
adapter = "modem"
device = "{modem1}"

[[phone]]
name = "cloud0"
adapter = "smsmode"
base_url = "{url}"
access_token = "{token}"
"""


class NotSeen(Exception):
    """A step did not come about in time."""


class Daemon:
    """The daemon, as its clients see it."""

    def ask(self, method: str, path: str, **form: str) -> Any:
        """The ``response`` of a request; raises `NotSeen` with the error of a refused one."""
        connection = http.client.HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(SOCKET))
        try:
            headers = {
                "X-Api-Key": API_KEY,
                "Content-Type": "application/x-www-form-urlencoded",
            }
            connection.request(method, path, urlencode(form) if form else None, headers)
            envelope = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if envelope["error"]:
            raise NotSeen(f"{method} {path}: {envelope['message']}")
        return envelope["response"]

    def message(self, number: int) -> Any:
        """All about one outgoing message."""
        return self.ask("GET", f"/api/message/{number}/")


def seen(what: str, look: Callable[[], Any]) -> Any:
    """Look until there is something to see; raises `NotSeen` naming the step."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / LOOK_EVERY)):
        with contextlib.suppress(OSError):
            if found := look():
                return found
        pause.wait(LOOK_EVERY)
    raise NotSeen(what)


@contextlib.contextmanager
def process(*command: str, **how: Any) -> Iterator[subprocess.Popen[str]]:
    """A child of ours, ended in order when the block is left."""
    child = subprocess.Popen(command, start_new_session=True, text=True, **how)  # noqa: S603
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def program(name: str) -> str:
    """A program of this virtual environment."""
    return str(Path(sys.executable).with_name(name))


def main() -> int:
    """Run the job; returns the exit status."""
    once = "--once" in sys.argv[1:]
    with contextlib.suppress(OSError):
        Daemon().ask("GET", "/health")
        print(f"Another one is running here: it answers on {SOCKET}.", file=sys.stderr)
        return 1
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir()
    # A stop request ends the block below like Ctrl-C does, so that no child is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with open(RUN / "smsd.log", "w") as log, simulated() as world:
            configure(world)
            command = (program("smsd"), "run", "--config", str(RUN / "smsd.toml"))
            with process(*command, stderr=log):
                steps(Daemon(), world)
                if once:
                    print("\nEvery step was seen.")
                    return 0
                invite(world)
                signal.pause()
    except NotSeen as step:
        print(f"\nNOT SEEN: {step}", file=sys.stderr)
        print((RUN / "smsd.log").read_text()[-3000:], file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nEnded.")
    return 0


@contextlib.contextmanager
def simulated() -> Iterator[dict[str, Any]]:
    """The simulator; gives the first line that it prints."""
    where = ("--dir", str(RUN / "hw"), "--modems", "2", "--cloud", "smsmode", "--seed", "1")
    with process(program("hwsim"), "up", *where, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise NotSeen("the simulator starts")
        yield json.loads(line)


def configure(world: dict[str, Any]) -> None:
    """Write the daemon's configuration."""
    cloud = world["cloud"]["smsmode"]
    text = CONFIGURATION.format(
        run=RUN,
        api_key=API_KEY,
        modem0=os.path.abspath(world["modems"][0]["path"]),
        modem1=os.path.abspath(world["modems"][1]["path"]),
        limit=3,
        url=cloud["url"],
        token=cloud["access_token"],
    )
    (RUN / "smsd.toml").write_text(text)


def steps(daemon: Daemon, world: dict[str, Any]) -> None:
    """The main job, step by step."""
    phones = seen("the phones are available", lambda: available(daemon))
    print("1. Ready: " + ", ".join(f"{phone['name']} {phone['status']}" for phone in phones))
    gsm0 = next(phone["id"] for phone in phones if phone["name"] == "gsm0")

    accepted = daemon.ask(
        "POST", "/api/scheduled/", text=TEXT, numbers="+33612345678", id_phone=str(gsm0)
    )
    number = message_of(daemon, accepted)
    print(f"2. Accepted as {accepted}: message {number}, {len(TEXT)} characters with an emoji")
    message = seen("the message is sent", lambda: having(daemon, number, "sent", "delivered"))
    for part in message["attempts"][-1]["parts"]:
        print(f"   part {part['number']} of {part['total']}: reference {part['reference']}")
    message = seen("its delivery report", lambda: having(daemon, number, "delivered"))
    print(f"3. Delivery report: {message['attempts'][-1]['parts'][-1]['report_words']}")

    own = world["modems"][1]["number"]
    inject("incoming", own, "+33699887766", LONG_ANSWER)
    received = seen("an incoming message", lambda: daemon.ask("GET", "/api/list/received/"))
    if received[-1]["text"] != LONG_ANSWER:
        raise NotSeen("the incoming text is whole")
    print(f"4. Received from {received[-1]['origin']}: ...{received[-1]['text'][-36:]}, whole")

    accepted = daemon.ask(
        "POST", "/api/scheduled/", text="One more", numbers="+33612345678", id_phone=str(gsm0)
    )
    number = message_of(daemon, accepted)
    message = seen("a message by the cloud", lambda: having(daemon, number, "sent", "delivered"))
    if not message["route"].startswith("cloud0"):
        raise NotSeen(f"the message leaves by the cloud (it left by {message['route']})")
    print(f"5. Message {number} left by {message['route']}")


def available(daemon: Daemon) -> Any:
    """The phones, once all of them are available."""
    phones = daemon.ask("GET", "/api/list/phone/")
    return phones if all(phone["status"] == "available" for phone in phones) else None


def message_of(daemon: Daemon, accepted: int) -> int:
    """The message that a scheduled row became."""
    rows = daemon.ask("GET", f"/api/list/message/?originating_scheduled={accepted}")
    number: int = rows[0]["id"]
    return number


def having(daemon: Daemon, number: int, *states: str) -> Any:
    """A message once it is in one of the states."""
    message = daemon.message(number)
    return message if message["state"] in states else None


def inject(*verb: str) -> None:
    """Tell the simulator to do something."""
    subprocess.run(  # noqa: S603
        [program("hwsim"), "ctl", str(RUN / "hw"), *verb], check=True, stdout=subprocess.DEVNULL
    )


def invite(world: dict[str, Any]) -> None:
    """Say what can be tried now."""
    curl = f"curl --unix-socket {SOCKET} -H 'X-Api-Key: {API_KEY}' http://localhost"
    own = world["modems"][1]["number"]
    print(f"""
It stays up; Ctrl-C ends it. Try, in another terminal:

  {curl}/api/scheduled/ -d text=Hello -d numbers=%2B33612345678
  {curl}/api/message/3/
  {curl}/api/list/received/
  {curl}/health
  .venv/bin/smsd --help
  SMSD_SOCKET={SOCKET} .venv/bin/smsd status
  .venv/bin/hwsim ctl {RUN}/hw incoming {own} +33699887766 "Hello gateway"
  .venv/bin/hwsim ctl {RUN}/hw messages

The log is in {RUN}/smsd.log.""")


if __name__ == "__main__":
    sys.exit(main())
