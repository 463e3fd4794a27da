"""Group commit, what undoes one work and what undoes all, and disks that fail."""

import asyncio
import errno
import os
import sqlite3
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smsd.store.database import (
    BATCH,
    Conflict,
    Database,
    StoreUnavailable,
    Sync,
    Transaction,
    milliseconds,
    moment,
    queries,
)
from tests.rig import Rig, draft
from tests.virtual_time import START, now, run


def fixed() -> datetime:
    return START


def add(name: str) -> Any:
    return lambda tx: tx.value("add account", name=name, now=tx.now)


def count(tx: Transaction) -> int:
    return int(tx._connection.execute("SELECT count(*) FROM account").fetchone()[0])


def names(path: Path) -> list[str]:
    """What a reader of the file sees, in its own connection."""
    with sqlite3.connect(path) as connection:
        found = [row[0] for row in connection.execute("SELECT name FROM account ORDER BY id")]
    connection.close()
    return found


def test_times_survive_the_way_in_and_out() -> None:
    at = datetime(2026, 3, 2, 12, 0, 0, 123_000, tzinfo=UTC)
    assert moment(milliseconds(at)) == at


def test_every_query_has_a_name_and_a_body_and_compiles(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", fixed, inline=True)
    for name, statement in queries().items():
        tail = "ORDER BY 1 LIMIT 1" if name.startswith("list ") else ""
        wanted = {word.strip(":,()") for word in statement.split() if word.startswith((":", "(:"))}
        assert statement, name
        try:
            database._connection.execute(f"EXPLAIN {statement} {tail}", _Anything())
        except sqlite3.ProgrammingError as error:  # pragma: no cover
            pytest.fail(f"{name}: {error} {wanted}")
    database.close()


class _Anything(dict[str, None]):
    def __missing__(self, key: str) -> None:
        return None


def test_a_commit_is_on_the_disk_before_the_answer(tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(tmp_path / "db", fixed)
        try:
            await database.transaction(add("one"))
            assert names(tmp_path / "db") == ["one"]
        finally:
            database.close()

    asyncio.run(main())


def test_it_is_as_durable_as_sqlite_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is answered after its commit is answered after a sync of the log that holds it."""
    synced: list[int] = []
    there = os.fdatasync

    def fdatasync(fd: int) -> None:
        there(fd)
        synced.append(os.fstat(fd).st_ino)

    async def main() -> None:
        database = Database(tmp_path / "db", fixed)
        try:
            log = (tmp_path / "db-wal").stat().st_ino
            await database.transaction(add("one"))
            assert synced == [log]
            await database.transaction(add("two"), sync=Sync.SOON)
            await database.transaction(add("three"), sync=Sync.WHENEVER)
            assert synced == [log]
            await database.transaction(add("four"))
            assert synced == [log, log]
        finally:
            database.close()

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    asyncio.run(main())


def test_what_the_disk_did_not_keep_is_answered_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was committed, so "nothing was stored" would be a lie: a client would send it again."""
    failed: list[int] = []

    def fdatasync(fd: int) -> None:
        failed.append(fd)
        raise OSError(errno.EIO, "Input/output error")

    async def main() -> None:
        database = Database(tmp_path / "db", fixed)
        try:
            monkeypatch.setattr(os, "fdatasync", fdatasync)
            monkeypatch.setattr("smsd.store.database.SOON", 0.01)
            assert await database.transaction(add("one")) == 1
            assert len(failed) == 1
            # What the kernel says of the log a second time is not believed: it is in the file.
            (tmp_path / "file").write_bytes((tmp_path / "db").read_bytes())
            assert names(tmp_path / "file") == ["one"]
            assert not database.failing
        finally:
            database.close()

    asyncio.run(main())


def test_what_waits_for_a_sync_is_not_put_off_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    async def main() -> None:
        database = Database(tmp_path / "db", fixed)
        try:
            monkeypatch.setattr(os, "fdatasync", synced.append)
            monkeypatch.setattr("smsd.store.database.SOON", 0.05)
            await database.transaction(add("one"), sync=Sync.SOON)
            for _ in range(100_000):
                if synced:
                    break
                await database.transaction(count, sync=Sync.WHENEVER)
            assert synced
        finally:
            database.close()

    asyncio.run(main())


def test_what_is_in_no_hurry_is_committed_without_company(tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(tmp_path / "db", fixed)
        try:
            await database.transaction(add("one"), sync=Sync.SOON)
            assert names(tmp_path / "db") == ["one"]
        finally:
            database.close()

    asyncio.run(main())


def test_what_waits_together_is_committed_together(tmp_path: Path) -> None:
    """A statement counter on the connection sees far fewer commits than transactions."""

    async def main() -> None:
        database = Database(tmp_path / "db", fixed)
        commits: list[str] = []
        database._connection.set_trace_callback(
            lambda statement: commits.append(statement) if statement == "COMMIT" else None
        )
        held = threading.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(database.transaction(lambda tx: held.wait(10)))
                tasks = [
                    group.create_task(database.transaction(add(f"n{n}"))) for n in range(2 * BATCH)
                ]
                await asyncio.sleep(0)
                held.set()
            assert sorted(task.result() for task in tasks) == list(range(1, 2 * BATCH + 1))
            assert len(names(tmp_path / "db")) == 2 * BATCH
            assert len(commits) <= 4
        finally:
            held.set()
            database.close()

    asyncio.run(main())


def test_what_one_work_raises_undoes_it_alone(tmp_path: Path) -> None:
    def half(tx: Transaction) -> None:
        add("half")(tx)
        raise Conflict("no")

    async def main() -> None:
        database = Database(tmp_path / "db", fixed)
        held = threading.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(database.transaction(lambda tx: held.wait(10)))
                first = group.create_task(database.transaction(add("first")))
                failing = group.create_task(_raised(database, half))
                twice = group.create_task(_raised(database, add("first")))
                last = group.create_task(database.transaction(add("last")))
                await asyncio.sleep(0)
                held.set()
            assert isinstance(failing.result(), Conflict)
            assert isinstance(twice.result(), sqlite3.IntegrityError)
            assert (first.result(), last.result()) == (1, 2)
            assert names(tmp_path / "db") == ["first", "last"]
        finally:
            held.set()
            database.close()

    asyncio.run(main())


async def _raised(database: Database, work: Any) -> Exception | None:
    try:
        await database.transaction(work)
    except (Conflict, StoreUnavailable, sqlite3.Error) as error:
        return error
    return None


def test_a_full_disk_stores_nothing_and_tells_everybody(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        await rig.send(draft("before"))
        rig.fill()
        with suppress(StoreUnavailable):
            for _ in range(50):  # the pages that are there take some more
                await rig.send(draft("x" * 900))
        stored = len(await rig.rows("message"))
        with pytest.raises(StoreUnavailable, match="full"):
            await rig.send(draft("y" * 1000, *(f"+336{n:08}" for n in range(100))))
        assert len(await rig.rows("message")) == stored
        rig.empty()
        assert await rig.send(draft("after"))
        rig.database.close()

    run(main())


def test_a_full_disk_undoes_all_that_shared_the_commit(tmp_path: Path) -> None:
    def big(tx: Transaction) -> None:
        for n in range(10_000):
            add(f"big {n}")(tx)

    async def main() -> None:
        database = Database(tmp_path / "db", fixed)
        held = threading.Event()
        try:
            await database.transaction(add("before"))
            pages = "PRAGMA max_page_count = 40"
            await database.transaction(lambda tx: tx._connection.execute(pages).fetchall())
            async with asyncio.TaskGroup() as group:
                group.create_task(_raised(database, lambda tx: held.wait(10)))
                small = group.create_task(_raised(database, add("small")))
                large = group.create_task(_raised(database, big))
                await asyncio.sleep(0)
                held.set()
            assert isinstance(small.result(), StoreUnavailable)
            assert isinstance(large.result(), StoreUnavailable)
            assert names(tmp_path / "db") == ["before"]
            await database.transaction(add("after"))
            assert names(tmp_path / "db") == ["before", "after"]
        finally:
            held.set()
            database.close()

    asyncio.run(main())


def test_a_locked_database_is_unavailable_and_recovers_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        rig.pragma("busy_timeout", 0)
        other = sqlite3.connect(tmp_path / "db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await rig.send(draft())
        other.execute("ROLLBACK")
        other.close()
        assert await rig.send(draft()) == 1
        rig.database.close()

    run(main())


def test_a_database_made_read_only_is_unavailable_and_recovers(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        rig.pragma("query_only", 1)
        with pytest.raises(StoreUnavailable, match="readonly"):
            await rig.send(draft())
        rig.pragma("query_only", 0)
        assert await rig.send(draft()) == 1
        rig.database.close()

    run(main())


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be read as one" * 20])
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "db").write_bytes(content)
    with pytest.raises(StoreUnavailable, match="db: file is not a database"):
        Database(tmp_path / "db", now)
    assert (tmp_path / "db").read_bytes() == content


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="nowhere"):
        Database(tmp_path / "nowhere" / "db", now)


def test_a_caller_that_gave_up_leaves_its_work_done(tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(tmp_path / "db", fixed)
        held = threading.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(database.transaction(lambda tx: held.wait(10)))
                given_up = group.create_task(database.transaction(add("given up")))
                await asyncio.sleep(0)
                given_up.cancel()
                held.set()
            assert await database.transaction(add("next")) == 2
        finally:
            held.set()
            database.close()
        assert names(tmp_path / "db") == ["given up", "next"]

    asyncio.run(main())


def test_work_that_outlives_the_loop_is_done_before_the_file_is_closed(tmp_path: Path) -> None:
    held = threading.Event()

    async def leave(database: Database) -> None:
        async with asyncio.TaskGroup() as group:
            for work in (lambda tx: held.wait(10), add("late")):
                task = group.create_task(database.transaction(work))
                await asyncio.sleep(0)
                task.cancel()

    database = Database(tmp_path / "db", fixed)
    asyncio.run(leave(database))
    held.set()
    database.close()
    assert names(tmp_path / "db") == ["late"]
    assert not (tmp_path / "db-wal").exists()  # closed in good order
