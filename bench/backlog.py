"""The queue by its length: ``python bench/backlog.py [--most N]``.

Shown, not tested: how long it takes to accept a message and to claim one while a thousand wait and
while a million wait (medians), how soon a daemon is ready that finds a million, and its memory.
Then what one message costs the disk, alone and under load: octets written and syncs, from its
acceptance to its delivery report.
"""

import argparse
import asyncio
import contextlib
import re
import sqlite3
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gateway import ask, connect, memory, start, wait
from modems import KEY, World, world

from smsd.dispatch.route import route
from smsd.model.message import Draft
from smsd.model.phone import Health, PhoneId, PhoneRecord, Standing
from smsd.store.database import Database
from smsd.store.store import Store

RUNS = 200
PHONE = (
    "INSERT INTO phone (name, adapter, adapter_data, priority, created_at)"
    " VALUES ('gsm0', 'modem', '{}', 0, 0)"
)
DELIVERED = "SELECT count(*) FROM message WHERE state = 'delivered'"
FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO message (account_id, scheduled_id, destination, text, parts, flash, mms, state,
                     created_at, due_at, expires_at)
SELECT 1, 1, '+3361' || printf('%07d', i), 'message number ' || i || ' of a campaign of many', 1,
       0, 0, 'queued', :now, :now, :now + 86400000 FROM n
"""


def now() -> datetime:
    return datetime.now(UTC)


async def accept_and_claim(path: Path, count: int) -> tuple[float, float]:
    """Median milliseconds of each with so many messages queued."""
    database = Database(path, now)
    store = Store(database)
    at = round(time.time() * 1000) - 1000
    await database.transaction(lambda tx: tx._connection.execute(FILL, {"count": count, "now": at}))
    await database.transaction(lambda tx: tx._connection.execute(PHONE))
    record = PhoneRecord(PhoneId(1), "gsm0", "modem")
    accepting, claiming = [], []
    for number in range(RUNS):
        began = time.perf_counter()
        await store.outgoing.schedule(1, Draft("x" * 100, ((f"+33612{number:06d}", "[]"),), 1))
        accepting.append(time.perf_counter() - began)
        began = time.perf_counter()
        standing = Standing(record, Health.AVAILABLE, now(), 1)
        claims, _ = await store.outgoing.claim([standing], {}, lambda m, c: route(m, c, now()))
        claiming.append(time.perf_counter() - began)
        assert claims
    database.close()
    return statistics.median(accepting) * 1000, statistics.median(claiming) * 1000


def ready_with(count: int) -> tuple[float, float, float]:
    """Seconds to READY=1 with so many queued, MB at rest, and seconds that ``/health`` takes."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        database = Database(run / "smsd.db", now, inline=True)
        database._connection.execute("BEGIN")
        database._connection.execute(FILL, {"count": count, "now": round(time.time() * 1000)})
        database._connection.execute("COMMIT")
        database.close()
        (run / "smsd.toml").write_text(
            f'[store]\nurl = "sqlite://{run}/smsd.db"\n[api]\nsocket = "{run}/smsd.sock"\n'
            f'[log]\nlevel = "warning"\n[dispatch]\npaused = true\n'
            f'[[user]]\nname = "bench"\napi_key = "{KEY}"\n'
        )
        daemon, ready = start(run)
        try:
            api = connect(run / "smsd.sock")
            began = time.perf_counter()
            api.request("GET", "/health", headers={"X-Api-Key": KEY})
            api.getresponse().read()
            took = time.perf_counter() - began
            return ready, memory(daemon.pid), took
        finally:
            daemon.terminate()
            daemon.wait()


def written(pid: int) -> int:
    """Octets that a process has written so far, to whatever it was."""
    found = re.search(r"^wchar: (\d+)", Path(f"/proc/{pid}/io").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


@contextlib.contextmanager
def syncs(pid: int, counted: list[int]):  # type: ignore[no-untyped-def]
    """Count the syncs of a process, where strace is installed."""
    with tempfile.NamedTemporaryFile() as file:
        command = ["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-o", file.name]
        try:
            tracer = subprocess.Popen([*command, "-p", str(pid)], stderr=subprocess.DEVNULL)
        except FileNotFoundError:
            yield
            return
        wait(0.5)
        yield
        tracer.terminate()
        tracer.wait()
        lines = Path(file.name).read_text().splitlines()
        counted.append(sum("sync(" in line and "resumed" not in line for line in lines))


def delivered(w: World, count: int) -> None:
    with contextlib.closing(sqlite3.connect(f"file:{w.run}/smsd.db?mode=ro", uri=True)) as rows:
        while rows.execute(DELIVERED).fetchone()[0] < count:
            wait(0.05)


def post(w: World, clients: int, number: int) -> None:
    api = connect(w.run / "smsd.sock")
    form = {"text": "x" * 100, "numbers": f"+33612{number:06d}"}
    ask(api, "POST", "/api/scheduled/", **form)
    api.close()
    if clients == 1:
        delivered(w, number + 1)
        wait(1.5)


def cost(modems: int, clients: int, count: int) -> tuple[float, float]:
    """Kilobytes written and syncs a message, from acceptance to delivery report."""
    with world(modems) as w:
        counted: list[int] = []
        before = written(w.daemon.pid)
        with syncs(w.daemon.pid, counted), ThreadPoolExecutor(clients) as pool:
            list(pool.map(partial(post, w, clients), range(count)))
            delivered(w, count)
            wait(1.5)
        octets = written(w.daemon.pid) - before
        return octets / 1024 / count, counted[0] / count if counted else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=1_000_000)
    most = parser.parse_args().most
    with tempfile.TemporaryDirectory() as folder:
        few = asyncio.run(accept_and_claim(Path(folder) / "few.db", 1000))
        many = asyncio.run(accept_and_claim(Path(folder) / "many.db", most))
    for name, a, b in zip(("accept", "claim"), few, many, strict=True):
        print(f"{name:8} {a:6.2f} ms with 1000 queued, {b:6.2f} ms with {most}: "
              f"{b / a:.2f} times   (to reach: 1.5)")  # fmt: skip
    ready, size, health = ready_with(most)
    print(f"ready with {most} queued  {ready:5.2f} s   (to reach: 2)")
    print(f"memory then               {size:5.1f} MB  (to reach: 60)")
    print(f"/health then              {health:5.2f} s")
    for name, figures, goal in (
        ("alone", cost(1, 1, 30), "16 KB, 3 syncs"),
        ("under load", cost(4, 16, 1600), "8 KB, 1 sync"),
    ):
        print(f"a message {name:11} {figures[0]:5.1f} KB written, {figures[1]:.2f} syncs   "
              f"(to reach: {goal})")  # fmt: skip


if __name__ == "__main__":
    main()
