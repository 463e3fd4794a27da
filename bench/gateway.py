"""The gateway's speed and size on simulated modems: ``python bench/gateway.py``.

Shown, not tested: start to READY=1, memory at rest with two modems, the time from POST to the
network's answer while idle, and messages a second, durable, on one modem without latency. Beside
the rate stands what this disk does: commits a second of one process that does nothing else.
"""

import contextlib
import http.client
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

IDLE_RUNS = 60
MESSAGES = 600
KEY = "bench-key-bench-key-bench-key-00"
CONFIGURATION = """\
[store]
url = "sqlite://{run}/smsd.db"
[api]
socket = "{run}/smsd.sock"
[log]
level = "warning"
[[user]]
name = "bench"
api_key = "{key}"
[[phone]]
name = "gsm0"
adapter = "modem"
device = "{run}/hw/modem0"
[[phone]]
name = "gsm1"
adapter = "modem"
device = "{run}/hw/modem1"
"""


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    *,
    api_key: str | None = KEY,
    **form: str,
) -> Any:
    """Without a key whoever runs the daemon asks: its administrator."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if api_key is not None:
        headers["X-Api-Key"] = api_key
    connection.request(method, path, urlencode(form) if form else None, headers)
    envelope = json.loads(connection.getresponse().read())
    if envelope["error"]:
        raise SystemExit(envelope["message"])
    return envelope["response"]


def connect(path: Path) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    return connection


def wait(pause: float) -> None:
    threading.Event().wait(pause)


def sent_at(message: Any) -> float | None:
    parts = [part for attempt in message["attempts"] for part in attempt["parts"]]
    if not parts or parts[-1]["sent_at"] is None:
        return None
    return datetime.fromisoformat(parts[-1]["sent_at"]).timestamp()


def start(run: Path) -> tuple[subprocess.Popen[bytes], float]:
    """The daemon, and the seconds from its start to READY=1."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notify:
        notify.bind(str(run / "notify"))
        began = time.perf_counter()
        environment = {**os.environ, "NOTIFY_SOCKET": str(run / "notify")}
        command = [program("smsd"), "run", "--config", str(run / "smsd.toml")]
        daemon = subprocess.Popen(command, env=environment)
        while b"READY=1" not in notify.recv(4096):
            pass
        ready = time.perf_counter() - began
    (run / "notify").unlink()
    return daemon, ready


def memory(pid: int) -> float:
    """Resident megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no VmRSS")


def idle_latency(connection: http.client.HTTPConnection) -> list[float]:
    """Milliseconds from before the POST to the network's answer, one message at a time."""
    found = []
    for number in range(IDLE_RUNS):
        began = time.time()
        accepted = ask(
            connection, "POST", "/api/scheduled/",
            text=f"idle {number}", numbers=f"+336120{number:05d}", id_phone="1",
        )  # fmt: skip
        wait(0.05)
        [row] = ask(connection, "GET", f"/api/list/message/?originating_scheduled={accepted}")
        at = None
        while at is None:
            at = sent_at(ask(connection, "GET", f"/api/message/{row['id']}/"))
        found.append((at - began) * 1000)
    return found


def rate(run: Path, connection: http.client.HTTPConnection, phone: str) -> tuple[float, float]:
    """Messages a second accepted by the API, and taken by the network, from the first POST on."""
    began = time.time()

    def post(first: int) -> None:
        own = connect(run / "smsd.sock")
        for number in range(first, MESSAGES, 4):
            ask(own, "POST", "/api/scheduled/", text=f"message {number} " + "x" * 100,
                numbers=f"+336130{number:05d}", id_phone=phone)  # fmt: skip
        own.close()

    threads = [threading.Thread(target=post, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    accepted = time.time()
    while True:
        queue = ask(connection, "GET", "/health")["queue"]
        if not queue["queued"] and not queue["claimed"]:
            break
        wait(0.05)
    last = ask(connection, "GET", f"/api/list/message/before/{2**40}/")[-1]
    at = sent_at(ask(connection, "GET", f"/api/message/{last['id']}/"))
    assert at is not None
    return MESSAGES / (accepted - began), MESSAGES / (at - began)


def commits(run: Path) -> float:
    """Durable commits a second of SQLite alone on this disk (WAL, synchronous=FULL)."""
    connection = sqlite3.connect(run / "peer.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
    began = time.perf_counter()
    for number in range(500):
        connection.execute("INSERT INTO t (text) VALUES (?)", (f"message {number}",))
    took = time.perf_counter() - began
    connection.close()
    return 500 / took


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        (run / "smsd.toml").write_text(CONFIGURATION.format(run=run, key=KEY))
        simulator = subprocess.Popen(
            [program("hwsim"), "up", "--dir", str(run / "hw"), "--modems", "2"],
            stdout=subprocess.PIPE,
        )
        assert simulator.stdout is not None
        simulator.stdout.readline()
        daemon, ready = start(run)
        try:
            connection = connect(run / "smsd.sock")
            while ask(connection, "GET", "/health")["phones"][0]["status"] != "available":
                wait(0.05)
            wait(2.0)
            rss = memory(daemon.pid)
            latencies = idle_latency(connection)
            peer = commits(run)
            accepted, taken = rate(run, connection, "1")
            print(f"start to READY=1           {ready * 1000:7.0f} ms   (to reach: 1000)")
            print(f"memory idle, two modems    {rss:7.1f} MB   (to reach: 48)")
            print(f"POST to acceptance, idle   {statistics.median(latencies):7.1f} ms   "
                  f"median of {IDLE_RUNS}; p95 {sorted(latencies)[int(IDLE_RUNS * 0.95)]:.1f}  "
                  "(to reach: 15)")  # fmt: skip
            print(f"accepted by the API        {accepted:7.0f} messages/s")
            print(f"taken by the network       {taken:7.0f} messages/s, durable  (to reach: 100)")
            print(f"SQLite alone on this disk  {peer:7.0f} commits/s")
            print(f"memory after the run       {memory(daemon.pid):7.1f} MB")
            connection.close()
        finally:
            daemon.terminate()
            daemon.wait()
            simulator.terminate()
            simulator.wait()


if __name__ == "__main__":
    main()
