"""Backup, export, erasing and retention in figures: ``python bench/keeping.py [--messages N]``.

Shown, not tested. The messages are written straight into the database, as sent ones are; then a
daemon works on them, and single messages are handed to it meanwhile.
"""

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from campaign import highest, number
from gateway import KEY, ask, connect, memory
from modems import World

from smsd.store.database import Database
from smsd.store.retention import Retention


def fill(path: Path, messages: int) -> None:
    """Sent messages with all their rows, a day old and older."""
    rows = sqlite3.connect(path)
    now = int(time.time() * 1000)
    [first] = rows.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").fetchone()
    count = (
        f"WITH RECURSIVE n (i) AS (SELECT {first} + 1 UNION ALL SELECT i + 1 FROM n"
        f" WHERE i < {first} + ?)"
    )
    long_ago = now - 40 * 86_400_000
    states = "s (state) AS (VALUES ('queued'), ('claimed'), ('sent'), ('delivered'))"
    for statement in (
        "INSERT INTO message (id, account_id, scheduled_id, destination, text, parts, flash, mms,"
        f" state, created_at, due_at, expires_at, phone_id, begun_on, attempts) {count}"
        " SELECT i, 1, i + 10, printf('+336%08d', i), 'message ' || i || ' for you and no other',"
        f" 1, 0, 0, 'delivered', {long_ago}, 0, 0, 1, 1, 1 FROM n",
        "INSERT INTO attempt (id, message_id, phone_id, route, started_at, ended_at, outcome)"
        f" {count} SELECT i, i, 1, 'gsm0: the only phone', {long_ago}, 0, 'sent' FROM n",
        "INSERT INTO part (message_id, attempt_id, phone_id, number, total, size, state, reference,"
        f" begun_at, sent_at, verdict) {count} SELECT i, i, 1, 1, 1, 1, 'sent', i % 256,"
        f" {long_ago}, 0, 'delivered' FROM n",
        "INSERT INTO sended (message_id, account_id, phone_id, adapter, uid, at, status,"
        f" created_at) {count} SELECT i, 1, 1, 'modem', hex(randomblob(16)), 0, 'delivered', 0"
        " FROM n",
        f"INSERT INTO event (at, kind, message_id, state) {count}, {states}"
        f" SELECT {long_ago}, 'state', i, state FROM n, s",
    ):
        rows.execute(statement, (messages,))
    rows.commit()
    rows.close()


class Beside(threading.Thread):
    """Hands over single messages while something else goes on; the milliseconds that each took."""

    def __init__(self, w: World) -> None:
        super().__init__()
        self._w = w
        self._done = threading.Event()
        self.took: list[float] = []

    def run(self) -> None:
        own = connect(self._w.run / "smsd.sock")
        while not self._done.is_set():
            began = time.perf_counter()
            ask(own, "POST", "/api/scheduled/", text="alarm", numbers=number(len(self.took)))
            self.took.append((time.perf_counter() - began) * 1000)
            self._done.wait(0.02)
        own.close()

    def __enter__(self) -> "Beside":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


def told(name: str, began: float, beside: Beside, w: World, more: str = "") -> None:
    took = time.perf_counter() - began
    print(
        f"  {name:26} {took:6.2f} s  memory {highest(w.daemon.pid):5.1f} MB at most; a message "
        f"beside it {statistics.median(beside.took):5.1f} ms, at most {max(beside.took):6.1f}{more}"
    )


def step(w: World, name: str, do: Any, more: Any = lambda _: "") -> None:
    highest(w.daemon.pid, reset=True)
    with Beside(w) as beside:
        began = time.perf_counter()
        found = do()
        took = time.perf_counter() - began
    told(name, time.perf_counter() - took, beside, w, more(found))


def retention(path: Path) -> tuple[int, float, float]:
    """Forget them all: how many, in how many seconds, and the longest step in milliseconds."""

    async def main() -> tuple[int, float, float]:
        database = Database(path, lambda: datetime.now(UTC))
        kept, longest, gone, after = Retention(database), 0.0, 0, 0
        began = time.perf_counter()
        while True:
            step_began = time.perf_counter()
            before = datetime.now(UTC) - timedelta(days=30)
            swept = await kept.forget("message", before, datetime.now(UTC), after)
            longest = max(longest, time.perf_counter() - step_began)
            gone += swept.forgotten
            if swept.after is None:
                break
            after = swept.after
        database.close()
        return gone, time.perf_counter() - began, longest * 1000

    return asyncio.run(main())


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--messages", type=int, default=200_000)
    messages = options.parse_args().messages
    with tempfile.TemporaryDirectory() as folder:
        w = World(Path(folder), 1, paused=True)
        path = w.run / "smsd.db"
        try:
            fill(path, messages)
            size = path.stat().st_size / 1e6
            print(
                f"{messages} messages, {size:.0f} MB; the daemon has {memory(w.daemon.pid):.1f} MB"
            )

            def export() -> int:
                own = connect(w.run / "smsd.sock")
                own.request("GET", "/api/export/message/?format=csv", headers={"X-Api-Key": KEY})
                reply, octets = own.getresponse(), 0
                while chunk := reply.read(65_536):
                    octets += len(chunk)
                own.close()
                return octets

            def administer(path: str, **form: str) -> Any:
                return ask(w.api, "POST", path, api_key=None, **form)

            step(w, "backup", lambda: administer("/api/backup/"))
            step(w, "export, CSV", export, lambda octets: f"; {octets / 1e6:.0f} MB")
            step(w, "erase a number", lambda: administer("/api/erase/", number=number(77)))
        finally:
            w.close()
        gone, took, longest = retention(path)
        print(f"  retention                  {took:6.2f} s for {gone} messages without its pauses, "
              f"the longest step {longest:.0f} ms")  # fmt: skip
        before = path.stat().st_size
        fill(path, messages)
        print(f"  file: {before / 1e6:.0f} MB after it, {path.stat().st_size / 1e6:.0f} MB with as "
              "many messages again")  # fmt: skip


if __name__ == "__main__":
    main()
