"""Modems in figures, on the simulator: ``python bench/modems.py [--quick]``.

Shown, not tested: what the network's latency leaves of the theoretical rate, the time from POST to
the modem's +CMGS line, from +CMTI to the database, incoming messages a second, and what eight idle
modems cost.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway import ask, connect, memory, program, start, wait
from hwsim.control import call

KEY = "bench-key-bench-key-bench-key-00"
SINGLE = "x" * 160
LONG = ("The quick brown fox jumps over the lazy dog 0123456789 " * 19)[:990]  # seven parts


class World:
    """A simulator and a daemon in a folder of their own."""

    def __init__(self, run: Path, modems: int, *options: str, paused: bool = False) -> None:
        self.run = run
        self.simulator = subprocess.Popen(
            [program("hwsim"), "up", "--dir", str(run / "hw"), "--modems", str(modems), *options],
            stdout=subprocess.PIPE,
        )
        assert self.simulator.stdout is not None
        self.info = json.loads(self.simulator.stdout.readline())
        (run / "smsd.toml").write_text(
            f'[store]\nurl = "sqlite://{run}/smsd.db"\n[api]\nsocket = "{run}/smsd.sock"\n'
            f"[dispatch]\npaused = {str(paused).lower()}\n"
            f'[log]\nlevel = "warning"\n[[user]]\nname = "bench"\napi_key = "{KEY}"\n'
            + "".join(
                f'[[phone]]\nname = "gsm{n}"\nadapter = "modem"\ndevice = "{run}/hw/modem{n}"\n'
                for n in range(modems)
            )
        )
        self.daemon, _ = start(run)
        self.api = connect(run / "smsd.sock")
        self.rows = sqlite3.connect(f"file:{run}/smsd.db?mode=ro", uri=True)
        while any(p["status"] != "available" for p in self.ask("/health")["phones"]):
            wait(0.05)

    def ask(self, path: str, **form: str) -> Any:
        return ask(self.api, "POST" if form else "GET", path, **form)

    def ctl(self, *arguments: str) -> Any:
        return call(self.run / "hw", *arguments)

    def query(self, sql: str) -> tuple[Any, ...]:
        """One row of the database, read beside the daemon."""
        row: tuple[Any, ...] = self.rows.execute(sql).fetchone()
        return row

    def send(self, count: int, text: str, phone: int | None = None) -> None:
        """One request with that many recipients: the intake must not be what is measured."""
        form = {f"numbers[{n}]": f"+3361{n:07d}" for n in range(count)}
        if phone is not None:
            form["id_phone"] = str(phone)
        self.ask("/api/scheduled/", text=text, **form)

    def drained(self) -> None:
        while True:
            queue = self.ask("/health")["queue"]
            if not queue["queued"] and not queue["claimed"]:
                return
            wait(0.2)

    def close(self) -> None:
        self.api.close()
        self.rows.close()
        self.daemon.terminate()
        self.daemon.wait()
        self.simulator.terminate()
        self.simulator.wait()


@contextmanager
def world(modems: int, *options: str) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        made = World(Path(folder), modems, *options)
        try:
            yield made
        finally:
            made.close()


def efficiency(modems: int, parts: int, *, reports: bool) -> float:
    """What is reached of the rate that 300 ms a part allow, in per cent.

    With ``reports`` the modem's memory is emptied of a report a part on the way.
    """
    with world(modems) as w:
        w.ctl("network", "send-latency", "0.3")
        w.ctl("network", "reports", "on" if reports else "off")
        w.send(parts * modems, SINGLE)
        w.drained()
        times = sorted(float(sent["at"]) for sent in w.ctl("sent"))
        return 100 * (len(times) - modems) * 0.3 / modems / (times[-1] - times[0])


def rate(modems: int, messages: int, text: str) -> tuple[float, float]:
    """Messages and parts a second on modems without latency."""
    with world(modems) as w:
        w.send(messages, text)
        w.drained()
        times = sorted(float(sent["at"]) for sent in w.ctl("sent"))
        span = times[-1] - times[0]
        return messages / span, len(times) / span


def enqueue_to_wire(runs: int) -> float:
    """Median milliseconds from before the POST to the part that is noted as begun, idle.

    The note is made between the prompt that answers +CMGS and the PDU: the line itself was earlier.
    """
    with world(1) as w:
        found = []
        for number in range(runs):
            wait(0.1)
            began = time.time()
            w.ask("/api/scheduled/", text=f"idle {number}", numbers=f"+336120{number:05d}")
            w.drained()
            [at] = w.query("SELECT max(begun_at) FROM part")
            found.append(at - began * 1000)
        return statistics.median(found)


def incoming(count: int, text: str) -> tuple[float, float]:
    """Messages a second taken in, and median milliseconds from hand-over to the database, alone."""
    with world(1, "--deliver-delay", "0") as w:
        alone = []
        for number in range(30):
            wait(0.1)
            began = time.time()
            w.ctl("incoming", "modem0", f"+3362{number:07d}", f"alone {number}")
            while w.query("SELECT count(*) FROM received") != (number + 1,):
                pass
            [at] = w.query("SELECT max(created_at) FROM received")
            alone.append(at - began * 1000)
        began = time.time()
        for number in range(count):
            w.ctl("incoming", "modem0", f"+3363{number:07d}", f"{number} {text}")
        while w.query("SELECT count(*) FROM received")[0] < count + 30:
            wait(0.01)
        return count / (time.time() - began), statistics.median(alone)


def idle(modems: int, span: float) -> tuple[float, float, float]:
    """CPU in per cent of a core, resident megabytes, and AT lines a second and modem."""
    with world(modems) as w:
        wait(3.0)

        def spent() -> float:
            fields = Path(f"/proc/{w.daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / 100

        def lines() -> int:
            return sum(len(w.ctl("modem", f"modem{n}")["log"]) for n in range(modems))

        cpu, said = spent(), lines()
        wait(span)
        return (
            100 * (spent() - cpu) / span,
            memory(w.daemon.pid),
            (lines() - said) / span / modems,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    parts, count = (20, 100) if quick else (100, 500)

    def tell(name: str, figure: str, goal: str) -> None:
        print(f"{name:44}{figure:>22}   (to reach: {goal})", flush=True)

    for modems in (1, 4):
        for reports in (False, True):
            reached = efficiency(modems, parts, reports=reports)
            words = "with" if reports else "without"
            tell(f"300 ms a part, {modems} modem(s), {words} reports", f"{reached:.1f} %", "98")
    for modems, text, name in ((1, SINGLE, "single"), (4, SINGLE, "single"), (1, LONG, "7 parts")):
        messages, each = rate(modems, count if name == "single" else count // 5, text)
        tell(
            f"no latency, {modems} modem(s), {name}",
            f"{messages:.0f} msg/s, {each:.0f} parts/s",
            "-",
        )
    tell("POST to the network, idle", f"{enqueue_to_wire(40):.1f} ms", "10")
    singles, alone = incoming(count, "x" * 100)
    tell("+CMTI to the database", f"{alone:.1f} ms", "20")
    tell("incoming single messages", f"{singles:.0f} /s", "250")
    tell("incoming, seven parts", f"{incoming(count // 5, LONG)[0]:.0f} /s", "40")
    cpu, rss, said = idle(8, 15.0 if quick else 60.0)
    tell("eight idle modems, CPU", f"{cpu:.2f} % of a core", "0.3")
    tell("eight idle modems, memory", f"{rss:.1f} MB", "60")
    tell("idle AT lines a second and modem", f"{said:.3f}", "0.1")


if __name__ == "__main__":
    main()
