"""One SQLite connection in one thread, and transactions that share a commit.

What waits while a commit is under way is done in the next one, all of it together: a hundred
messages that come at once cost one sync of the disk, and each is answered after it.
"""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from smsd.store.migrate import migrate

T = TypeVar("T")
Row = sqlite3.Row
BATCH: Final = 64  # transactions a commit; more would make the first of them wait
SOON: Final = 0.02  # seconds; under load something else syncs before
BUSY_TIMEOUT: Final = 5.0  # seconds; another process may look at the file


def milliseconds(at: datetime) -> int:
    """A time as the database holds it."""
    return round(at.timestamp() * 1000)


def moment(at: int) -> datetime:
    """A time from the database."""
    return datetime.fromtimestamp(at / 1000, UTC)


def ms(span: timedelta) -> int:
    """A span in milliseconds."""
    return round(span.total_seconds() * 1000)


class StoreUnavailable(Exception):
    """The disk is full, read-only or broken: nothing was stored, and nothing may be sent."""


class Conflict(Exception):
    """What was asked cannot be done as things stand; nothing was changed."""


@cache
def queries() -> dict[str, str]:
    """The statements of ``queries.sql`` by their names."""
    text = Path(__file__).with_name("queries.sql").read_text(encoding="utf-8")
    _, *pieces = re.split(r"^-- ([^\n]+) --\n", text, flags=re.MULTILINE)
    return {
        name: statement.strip().removesuffix(";")
        for name, statement in zip(pieces[::2], pieces[1::2], strict=True)
    }


class Transaction:
    """Named statements on the connection, inside the transaction that is open."""

    def __init__(self, connection: sqlite3.Connection, now: int) -> None:
        self._connection = connection
        self.now = now
        """The time of the transaction, in milliseconds since 1970."""

    def rows(self, query: str, tail: str = "", **values: object) -> list[Row]:
        """All rows of a named statement; ``tail`` ends it where the order depends on the caller."""
        return self._connection.execute(f"{queries()[query]} {tail}", values).fetchall()

    def row(self, query: str, **values: object) -> Row | None:
        """The first row, ``None`` if there is none."""
        row: Row | None = self._connection.execute(queries()[query], values).fetchone()
        return row

    def value(self, query: str, **values: object) -> Any:
        """The first column of the first row, ``None`` if there is none."""
        row = self.row(query, **values)
        return None if row is None else row[0]

    def run(self, query: str, **values: object) -> int:
        """How many rows a statement changed."""
        return self._connection.execute(queries()[query], values).rowcount

    def run_many(self, query: str, values: Iterable[Mapping[str, object]]) -> None:
        """A statement once for each set of values."""
        self._connection.executemany(queries()[query], values)


class Sync(Enum):
    """When a transaction is to be safe from a power cut; from a crash of ours it is at once."""

    NOW = auto()
    """Before it is answered."""
    SOON = auto()
    """With the next one that is, or by itself a moment later."""
    WHENEVER = auto()
    """With the next one that is: nothing has been done or told that rests on it."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Transaction], Any]
    done: "asyncio.Future[Any]"
    sync: Sync


class Database:
    """Runs functions in transactions, one after the other, and answers once they are on the disk.

    ``inline`` runs them at once in the caller's thread: for tests under virtual time, where a
    thread that still works would not be seen.
    """

    def __init__(
        self, path: str | Path, now: Callable[[], datetime], *, inline: bool = False
    ) -> None:
        self._now = now
        self._inline = inline
        self.failing = False
        """The last write failed, and none has succeeded since: set and read by whoever asks."""
        self._owes_sync = False
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        try:
            self._connection = _connect(path)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{path}: {error}") from error
        self._thread = threading.Thread(target=self._serve, name="smsd-store")
        if not inline:
            self._thread.start()

    async def transaction(self, work: Callable[[Transaction], T], *, sync: Sync = Sync.NOW) -> T:
        """Run ``work`` and commit; what it raises undoes it alone and is raised here.

        Raises `StoreUnavailable` if it could not be committed: then nothing of it was stored.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._inline:
            _settle(self._batch([_Job(work, done, sync)]))
        else:
            self._queue.put(_Job(work, done, sync))
        return await done

    def close(self) -> None:
        """Finish what waits, and close the file."""
        if self._inline:
            self._connection.close()
        else:
            self._queue.put(None)
            self._thread.join()

    def _serve(self) -> None:
        while (first := self._next()) is not None:
            batch = [first]
            while len(batch) < BATCH and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                batch.append(following)
            results = self._batch(batch)
            with suppress(RuntimeError):  # the loop has ended: what was stored is stored
                batch[0].done.get_loop().call_soon_threadsafe(_settle, results)
        self._connection.close()

    def _next(self) -> _Job | None:
        """The next job, ``None`` at the end; syncs what is to be safe soon where none comes."""
        if self._owes_sync:
            try:
                return self._queue.get(timeout=SOON)
            except Empty:
                self._batch([])
        return self._queue.get()

    def _batch(self, batch: list[_Job]) -> "list[_Result]":
        """Run jobs in one commit; without any, one that only syncs those before it."""
        results: list[_Result] = []
        kinds = {job.sync for job in batch}
        full = not batch or Sync.NOW in kinds
        try:
            # FULL: with NORMAL a power cut can take back a message that was acknowledged.
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            if not batch:
                now = milliseconds(self._now())
                Transaction(self._connection, now).run("pulse", now=now)
            for job in batch:
                self._connection.execute("SAVEPOINT work")
                try:
                    transaction = Transaction(self._connection, milliseconds(self._now()))
                    results.append((job.done, job.work(transaction), None))
                except BaseException as error:
                    if isinstance(error, sqlite3.Error) and not isinstance(error, _CALLERS):
                        raise
                    self._connection.execute("ROLLBACK TO work")
                    results.append((job.done, None, error))
                self._connection.execute("RELEASE work")
            self._connection.execute("COMMIT")
            self._owes_sync = not full and (self._owes_sync or Sync.SOON in kinds)
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):  # the way back may fail too; the next batch finds out
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            self.failing = True
            failure = StoreUnavailable(str(error))
            failure.__cause__ = error
            return [(job.done, None, failure) for job in batch]
        return results


_CALLERS: Final = (sqlite3.IntegrityError, sqlite3.ProgrammingError)
_Result = tuple["asyncio.Future[Any]", Any, BaseException | None]


def _settle(results: list[_Result]) -> None:
    for done, value, error in results:
        if done.cancelled():
            continue
        if error is None:
            done.set_result(value)
        else:
            done.set_exception(error)


def _connect(path: str | Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False,
        cached_statements=256,
    )  # fmt: skip
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA secure_delete = ON")  # what is erased is to be gone
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection
