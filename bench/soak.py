"""Eight modems, one daemon, and everything that goes wrong: ``python bench/soak.py [--minutes N]``.

A real daemon on the simulator's terminals, in real time. Messages go out and come in steadily while
faults strike every few seconds and the daemon is killed now and then. Afterwards the faults end,
everything drains, and what the network saw is compared with what was accepted. Exit status 1 if
anything was lost, doubled or left behind. ``--seed`` plays the same faults again.

Left out: H12 and a network that loses messages, for what is told to be sent and never leaves is
told by nobody; H10, which needs a notification, is struck as one fault with it.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hwsim import control

MODEMS = 8
PERSONALITIES = "generic,huawei-e173,nasty,ec25,zte-mf112,sim7600,sim800,huawei-e220"
KEY = "soak-key-soak-key-soak-key-soak0"
SEND_TIMEOUT = 20  # seconds; 120 in the field, where nobody waits for a soak
FAULT_EVERY = (1.5, 4.5)  # seconds
KILL_EVERY = (60.0, 150.0)
SEND_EVERY = 0.5
RECEIVE_EVERY = 0.6
DRAIN = 1500.0  # seconds: a modem that nothing helps is left alone for 900
SETTLED = 20.0  # seconds after its start in which a process is not measured
FOREIGN = "040B913396214365F7{n:02X}00{scts}05C8329BFD{n:02X}"


def filler(words: str, sentences: int) -> str:
    """A long text, each piece of it unlike all others, so that a part sent twice is seen."""
    return " ".join(f"{n} of {words}, the quick brown fox" for n in range(sentences))


@dataclass(frozen=True)
class Fault:
    """What strikes a modem {m}, and what heals it so many seconds later if it does not itself.

    The latter is what a USB reset would do where there were a USB.
    """

    name: str
    strikes: tuple[str, ...]
    heals: tuple[str, ...] = ()
    after: float = 0.0


REPLUG = ("unplug {m} 3",)
CLEAR = ("faults {m} clear",)
FAULTS = (
    Fault("unplugged", ("unplug {m} 5",)),
    Fault("unplugged for longer", ("unplug {m} 25",)),
    Fault("unplugged before the network's yes", ("fault {m} unplug-before 4",)),
    Fault("unplugged after the network's yes", ("fault {m} unplug-after 4",)),
    Fault("unplugged in the PDU", ("fault {m} unplug-at 30",), ("plug {m}",), 15.0),
    Fault("an answer is lost", ("fault {m} silence",)),
    Fault("the PDU is swallowed", ("fault {m} swallow",)),
    Fault("an answer is late by 8 s", ("fault {m} late 8",)),
    Fault("an answer is late by 35 s", ("fault {m} late 35",)),
    Fault("no prompt", ("fault {m} no-prompt",)),
    Fault("a late prompt", ("fault {m} late-prompt 5",)),
    Fault("a refused prompt", ("fault {m} cms-prompt 500",)),
    *(Fault(f"CMS {code}", (f"fault {{m}} cms {code}",)) for code in (500, 38, 304, 512, 322, 27)),
    Fault("a bare error", ("fault {m} error",)),
    Fault("the report comes first", ("fault {m} report-first",)),
    Fault("no reference", ("fault {m} no-reference",)),
    Fault("dead", ("fault {m} dead",), ("revive {m}",), 30.0),
    Fault("H1", ("fault {m} H1 5",), REPLUG, 75.0),
    Fault("H2", ("fault {m} H2",), REPLUG, 60.0),
    Fault("H3", ("fault {m} H3 8",)),
    Fault("H4", ("fault {m} H4",), CLEAR, 60.0),
    Fault("H5", ("fault {m} H5 50",), REPLUG, 75.0),
    Fault("H6", ("fault {m} H6",)),
    *(Fault(f"H7 {kind}", (f"fault {{m}} H7 {kind}",), REPLUG, 45.0) for kind in (1, 2, 3)),
    Fault("H8", ("fault {m} H8 20",), CLEAR, 70.0),
    Fault("H9", ("fault {m} H9",), REPLUG, 60.0),
    Fault("H10", ("fault {m} H10", "special {m} mms +33698000001"), CLEAR, 60.0),
    Fault("H11", ("fault {m} H11 12",)),
    Fault("H13", ("fault {m} H13",), CLEAR, 60.0),
    Fault("the SIM is busy", ("sim {m} busy 8",)),
    Fault("the SIM is full", ("fill {m}",)),
    Fault("a storm of messages", ("storm {m}",)),
    Fault("a call", ("call {m} +33698000002 8",)),
    Fault("a flood of USSD", ("ussd push {m} flood",) * 10),
    Fault(
        "another program has the port",
        ("unplug {m}", "plug {m}", "hold {m}"),
        ("release {m}",),
        6.0,
    ),
    Fault("the network is out of order", ("network error 38 12",)),
    Fault("the network is gone", ("network service none",), ("network service home",), 12.0),
    Fault("a modem without network", ("service {m} none",), ("service {m} network",), 15.0),
)


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def wait(seconds: float) -> None:
    threading.Event().wait(seconds)


@dataclass
class Sample:
    """What one process of the daemon took, first and last."""

    first: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Soak:
    """A folder with a simulator, a daemon, and notes of all that was asked of them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.rng = random.Random(seed)
        self.struck: Counter[str] = Counter()
        self.accepted: dict[str, str] = {}
        self.unanswered: dict[str, str] = {}
        self.inbound: list[str] = []
        self.samples: list[Sample] = []
        self.kills = 0
        self.healing: list[tuple[float, tuple[str, ...]]] = []
        self.log = open(folder / "smsd.log", "ab")  # noqa: SIM115 as long as the soak
        command = [program("hwsim"), "up", "--dir", str(folder / "hw"), "--modems", str(MODEMS)]
        command += ["--personality", PERSONALITIES, "--warm", "--seed", str(seed)]
        self.simulator = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        assert self.simulator.stdout is not None
        self.modems = json.loads(self.simulator.stdout.readline())["modems"]
        self.numbers = [modem["number"] for modem in self.modems]
        (folder / "smsd.toml").write_text(self._configuration())
        self.ctl("network send-latency lognormal 0.4 0.4")
        self._start()

    def _configuration(self) -> str:
        folder, hw = self.folder, self.folder / "hw"
        text = f'[store]\nurl = "sqlite://{folder}/smsd.db"\n[api]\nsocket = "{folder}/smsd.sock"\n'
        text += f'[log]\nlevel = "info"\n[[user]]\nname = "soak"\napi_key = "{KEY}"\n'
        for modem in self.modems:
            name = modem["name"]
            cycle = [program("hwsim"), "ctl", str(hw), "unplug", name, "4"]
            text += (
                f'[[phone]]\nname = "{name}"\nadapter = "modem"\ndevice = "{hw}/{name}"\n'
                f'number = "{modem["number"]}"\nselftest_interval = 240\n'
                f"send_timeout = {SEND_TIMEOUT}\npower_cycle = {json.dumps(cycle)}\n"
            )
        return text

    def _start(self) -> None:
        command = [program("smsd"), "run", "--config", str(self.folder / "smsd.toml")]
        self.daemon = subprocess.Popen(command, stderr=self.log, start_new_session=True)
        self.began = time.monotonic()
        self.samples.append(Sample())

    # The daemon ----------------------------------------------------------------------------------

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The response of the API; ``None`` where there was no answer at all."""
        connection = http.client.HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(10)
        try:
            connection.sock.connect(str(self.folder / "smsd.sock"))
            headers = {"X-Api-Key": KEY, "Content-Type": "application/json"}
            text = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", path, text, headers)
            envelope = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()
        if envelope["error"]:
            raise SystemExit(f"the API refuses: {envelope['message']}")
        return envelope["response"]

    def measure(self) -> None:
        """Note what the daemon takes."""
        age = time.monotonic() - self.began
        if age < SETTLED:
            return
        proc, now = Path("/proc") / str(self.daemon.pid), {}
        with contextlib.suppress(OSError):
            status = (proc / "status").read_text()
            for line in status.splitlines():
                key, _, value = line.partition(":")
                if key in ("VmRSS", "Threads"):
                    now[key] = int(value.split()[0])
            now["fds"] = len(list((proc / "fd").iterdir()))
            sample = self.samples[-1]
            sample.first, sample.last = sample.first or now, now
            sample.seconds = age

    def kill(self) -> None:
        """SIGKILL, and a new start."""
        self.measure()
        self.kills += 1
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()
        self._start()

    def stop(self) -> None:
        self.daemon.terminate()
        self.daemon.wait(timeout=200)

    # The simulator -------------------------------------------------------------------------------

    def ctl(self, line: str) -> Any:
        """Run a verb; one that the state of a modem does not allow is left out."""
        verb, *words = shlex.split(line)
        try:
            return control.call(self.folder / "hw", verb, *words)
        except control.Refused:
            return None

    def strike(self) -> None:
        """Let something go wrong."""
        fault, modem = self.rng.choice(FAULTS), self.rng.choice(self.modems)["name"]
        self.struck[fault.name] += 1
        for line in fault.strikes:
            self._do(line.format(m=modem))
        if fault.heals:
            heals = tuple(line.format(m=modem) for line in fault.heals)
            self.healing.append((time.monotonic() + fault.after, heals))

    def _do(self, line: str) -> None:
        verb, modem, *_ = shlex.split(line)
        if verb == "storm":
            for _ in range(30):
                self.receive(modem)
        elif verb == "fill":
            scts = "62{:02d}{:02d}{:02d}{:02d}{:02d}00".format(
                *(self.rng.randrange(10) * 10 + 1 for _ in range(5))
            )
            for n in range(60):
                if self.ctl(f"store {modem} SM {FOREIGN.format(n=n, scts=scts)}") is None:
                    break
        else:
            self.ctl(line)

    def heal(self, *, all_of_them: bool = False) -> None:
        """Do what is due of the healing."""
        now = time.monotonic()
        due = [heals for at, heals in self.healing if at <= now or all_of_them]
        self.healing = [one for one in self.healing if one[0] > now and not all_of_them]
        for heals in due:
            for line in heals:
                self.ctl(line)

    def receive(self, modem: str | None = None) -> None:
        """Somebody outside sends a message."""
        text = f"in {len(self.inbound)}"
        if len(self.inbound) % 5 == 0:
            text += " " + filler(text, self.rng.randrange(6, 20))
        to = modem or self.rng.choice(self.modems)["name"]
        if self.ctl(f"incoming {to} +3369{len(self.inbound):07d} '{text.strip()}'") is not None:
            self.inbound.append(text.strip())

    def send(self, number: int) -> None:
        """Ask the gateway to send one: to one of our own numbers, or outside."""
        text = f"out {number}"
        if number % 4 == 0:
            text += " " + filler(text, self.rng.randrange(6, 25))
        own = self.rng.random() < 0.5
        to = self.rng.choice(self.numbers) if own else f"+3361{number:07d}"
        text = text.strip()
        if self.ask("/api/scheduled/", {"text": text, "numbers": to}) is None:
            self.unanswered[text] = to
        else:
            self.accepted[text] = to

    # The course of it ----------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Traffic and faults."""
        now = time.monotonic()
        end = now + seconds
        sent = 0
        due: dict[Callable[[], None], float] = {}

        def every(what: Callable[[], None], low: float, high: float | None = None) -> None:
            if due.setdefault(what, now + self.rng.uniform(low, high or low)) <= now:
                what()
                due[what] = now + self.rng.uniform(low, high or low)

        def send() -> None:
            nonlocal sent
            self.send(sent)
            sent += 1

        while now < end:
            every(send, SEND_EVERY)
            every(self.receive, RECEIVE_EVERY)
            every(self.strike, *FAULT_EVERY)
            every(self.measure, 5.0)
            every(self.kill, *KILL_EVERY)
            self.heal()
            if self.daemon.poll() is not None:
                raise SystemExit(f"the daemon ended by itself: {self.daemon.returncode}")
            wait(0.05)
            now = time.monotonic()

    def calm(self) -> float | None:
        """End all faults and wait until everything is done; the seconds, ``None``: not in time."""
        self.heal(all_of_them=True)
        self.ctl("network error off")
        self.ctl("network service home")
        for modem in self.modems:
            for line in ("faults {m} clear", "release {m}", "service {m} network", "plug {m}"):
                self.ctl(line.format(m=modem["name"]))
        began = time.monotonic()
        while time.monotonic() - began < DRAIN:
            self.measure()
            if not (left := list(self._left())):
                return time.monotonic() - began
            self.left = left
            wait(1.0)
        return None

    def _left(self) -> Iterator[str]:
        """What is still to be done."""
        health = self.ask("/health")
        if health is None:
            yield "the daemon does not answer"
            return
        for phone in health["phones"]:
            if phone["status"] != "available":
                yield f"{phone['name']} is {phone['status']}: {phone['reason']}"
        queue = health["queue"]
        if queue["queued"] or queue["claimed"]:
            yield f"{queue['queued']} queued, {queue['claimed']} claimed"
        for modem in self.modems:
            state = self.ctl(f"modem {modem['name']}")
            stored = sum(memory["used"] for memory in state["storage"].values())
            if stored or state["waiting"]:
                yield f"{modem['name']}: {stored} stored, {state['waiting']} waiting"

    # What came of it -----------------------------------------------------------------------------

    def judge(self) -> dict[str, list[str]]:
        """What is wrong, by kind; nothing where all is well."""
        database = sqlite3.connect(f"file:{self.folder}/smsd.db?mode=ro", uri=True)
        states: dict[str, list[str]] = {}
        for text, state in database.execute("SELECT text, state FROM message"):
            states.setdefault(text, []).append(state)
        received = Counter(text for (text,) in database.execute("SELECT text FROM received"))
        self.reasons = Counter(
            words
            for (words,) in database.execute(
                "SELECT fault_words FROM message WHERE state = 'uncertain'"
            )
        )
        failures = database.execute(
            "SELECT substr(text, 1, 12), state, fault_code, fault_words FROM message"
            " WHERE state IN ('failed', 'expired')"
        ).fetchall()
        messages = self.ctl("messages")
        seen = Counter(message["text"] for message in messages)
        whole = {message["text"] for message in messages if message["complete"]}
        parts = Counter((r["to"], r["text"], json.dumps(r["concat"])) for r in self.ctl("sent"))
        self.states = Counter(state for found in states.values() for state in found)
        ours = dict(self.accepted) | {t: n for t, n in self.unanswered.items() if t in states}
        arrived = [text for text, to in ours.items() if to in self.numbers and text in whole]
        expected = [*self.inbound, *arrived]
        wrong = {
            "accepted, and the store has it not": [t for t in self.accepted if t not in states],
            "accepted twice": [text for text, found in states.items() if len(found) > 1],
            "lost: called sent, and the network has it not": [
                text
                for text, [state, *_] in states.items()
                if state in ("sent", "delivered") and text not in whole
            ],
            "lost: given up": [" ".join(map(str, row)) for row in failures],
            "left in the queue": [
                t for t, [state, *_] in states.items() if state in ("queued", "claimed")
            ],
            "doubled at the network": [text for text, count in seen.items() if count > 1],
            "parts doubled at the network": [str(p) for p, count in parts.items() if count > 1],
            "sent, and nobody asked for it": [
                text for text in whole if text not in ours and not text.startswith("smsd self")
            ],
            "lost on the way in": [text for text in expected if not received[text]],
            "doubled on the way in": [
                t for t, count in received.items() if count > 1 and t.startswith(("in ", "out "))
            ],
        }
        self.uncertain_sent = sum(
            1 for t, [state, *_] in states.items() if state == "uncertain" and t in whole
        )
        self.received = sum(received[text] for text in expected)
        return {kind: found for kind, found in wrong.items() if found}

    def close(self) -> None:
        for process in (self.daemon, self.simulator):
            if process.poll() is None:
                process.kill()
                process.wait()
        self.log.close()


def table(soak: Soak, minutes: float, seed: int, drained: float | None) -> None:
    longest = max(soak.samples, key=lambda sample: sample.seconds)
    log = (soak.folder / "smsd.log").read_text(errors="replace")
    lines = log.count("\n")
    rows = [
        ("minutes, seed", f"{minutes:g}, {seed}"),
        ("faults struck", f"{sum(soak.struck.values())} of {len(soak.struck)} kinds"),
        ("daemon killed", str(soak.kills)),
        ("accepted", f"{len(soak.accepted)} and {len(soak.unanswered)} without an answer"),
        ("states", ", ".join(f"{count} {state}" for state, count in sorted(soak.states.items()))),
        ("uncertain", f"{soak.states['uncertain']}, {soak.uncertain_sent} of them whole there"),
        *(("  because", f"{count} x {words}") for words, count in soak.reasons.most_common()),
        ("received, each once", f"{soak.received} ({len(soak.inbound)} from outside)"),
        ("drained", "NOT in time" if drained is None else f"after {drained:.0f} s"),
        *(
            (
                f"{name}, first and last in {longest.seconds:.0f} s",
                f"{longest.first.get(key, 0)} → {longest.last.get(key, 0)}",
            )
            for name, key in (("RSS (kB)", "VmRSS"), ("fds", "fds"), ("threads", "Threads"))
        ),
        ("log", f"{lines} lines, {log.count('Traceback')} tracebacks"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dir", type=Path, help="keep everything in this new folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.dir or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        soak = Soak(folder, chosen.seed)
        try:
            soak.run(chosen.minutes * 60)
            drained = soak.calm()
            soak.stop()
            wrong = soak.judge()
            if drained is None:
                wrong["not drained"] = soak.left
            if "Traceback" in (folder / "smsd.log").read_text(errors="replace"):
                wrong["internal errors"] = ["see smsd.log"]
            table(soak, chosen.minutes, chosen.seed, drained)
        finally:
            soak.close()
    for kind, found in wrong.items():
        print(f"WRONG: {kind}: {len(found)}: {found[:5]}")
    print("all is well" if not wrong else "NOT well")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
