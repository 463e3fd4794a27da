"""One SQLite connection in one thread, and transactions that share a commit.

What waits while a commit is under way is done in the next one, all of it together: a hundred
messages that come at once cost one sync of the disk, and each is answered after it. What is in no
hurry waits a moment for company.
"""

import asyncio
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from smsd.store.integrity import FIRST_LOOK, explained, look, within
from smsd.store.migrate import migrate

T = TypeVar("T")
Row = sqlite3.Row
BATCH: Final = 64  # transactions a commit; more would make the first of them wait
HELD: Final = 0.005  # seconds that what is in no hurry waits for others to share a commit
SOON: Final = 1.0  # seconds; mostly something else syncs before
PAGE: Final = 512  # octets; whole pages are written, and a message changes a few octets in many
LOG: Final = 4 << 20  # octets of the write-ahead log after which it is written back
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
        self.told = False
        """It has added to the events."""
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
        """How many rows a statement changed; those named "tell …" add to the events."""
        self.told = self.told or query.startswith("tell ")
        return self._connection.execute(queries()[query], values).rowcount

    def run_many(self, query: str, values: Iterable[Mapping[str, object]]) -> None:
        """A statement once for each set of values."""
        self._connection.executemany(queries()[query], values)


class Sync(Enum):
    """When a transaction is answered, and safe from a crash and from a power cut."""

    NOW = auto()
    """It is answered once it is safe from both."""
    SOON = auto()
    """It is answered once it is safe from a crash of ours; from a power cut it is with the next
    one that is to be so now, or by itself a moment later."""
    WHENEVER = auto()
    """It is answered at once, and safe with the next one: nothing has been done or told that rests
    on it. So for what only reads, too."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Transaction], Any] | None
    """``None``: write the file anew."""
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
        self.path = path
        self._now = now
        self._inline = inline
        self.broken: str | None = None
        """What was found wrong with the file while it was in use: it is written to no more."""
        self.failing = False
        """The last write failed, and none has succeeded since."""
        self.told: Callable[[], None] | None = None
        """Called on the loop after a commit that added to the events."""
        self._sync_by: float | None = None  # when what was answered is to be synced (monotonic)
        self._unsure = ""  # why the disk has not kept what was committed; empty: it has
        self._unkept: list[_Result] = []  # those that wait for it
        self._jobs: list[_Job] = []  # done in the transaction that is open
        self._results: list[_Result] = []  # of those that are answered once it is committed
        self._news = False  # it adds to the events
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        try:
            self._connection, self.checked = _connect(path)
            # Of rows, before the transaction that is open: what only reads needs no sync.
            self._changes = self._connection.total_changes
            self._log = None if path == ":memory:" else os.open(f"{path}-wal", os.O_RDONLY)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(f"{path}: {explained(error, path)}") from error
        self._thread = threading.Thread(target=self._serve, name="smsd-store")
        if not inline:
            self._thread.start()

    @property
    def changes(self) -> int:
        """A number that grows with every row that is written: who has seen it need not ask."""
        return self._connection.total_changes

    async def transaction(self, work: Callable[[Transaction], T], *, sync: Sync = Sync.NOW) -> T:
        """Run ``work`` and commit; what it raises undoes it alone and is raised here.

        Raises `StoreUnavailable` if it could not be committed: then nothing of it was stored.
        """
        if self.broken is not None:
            raise StoreUnavailable(self.broken)
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._inline:
            self._do(_Job(work, done, sync))
            self._commit()
        else:
            self._queue.put(_Job(work, done, sync))
        return await done

    async def rewrite(self) -> None:
        """Write the whole file anew and empty its log: of what was deleted neither has a trace.

        SQLite clears what it deletes, but not what a row left behind when its page was split.
        All else waits meanwhile. Raises `StoreUnavailable`; then it may be asked for again.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        job = _Job(None, done, Sync.NOW)
        if self._inline:
            self._rewrite(job)
        else:
            self._queue.put(job)
        await done

    def close(self) -> None:
        """Finish what waits, and close the file."""
        if self._inline:
            self._close()
        else:
            self._queue.put(None)
            self._thread.join()

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            self._do(job)
        self._commit()
        self._close()

    def _close(self) -> None:
        if self._log is not None:
            os.close(self._log)
        self._connection.close()

    def _next(self) -> _Job | None:
        """The next job, ``None`` at the end; commits and syncs in time where none comes."""
        while True:
            wait = HELD if self._jobs else None
            if self._sync_by is not None and not self._jobs:
                wait = max(0.0, self._sync_by - time.monotonic())
            try:
                return self._queue.get(timeout=wait)
            except Empty:
                self._commit()

    def _do(self, job: _Job) -> None:
        """Do a job in the transaction that is open, and commit if nobody may wait any longer."""
        if job.work is None:
            self._rewrite(job)
            return
        if self._unsure and job.sync is Sync.NOW:
            self._commit(sync=True)
        if self._unsure and job.sync is Sync.NOW:
            # Nothing of it is done while the disk does not keep what was done before.
            self._tell([(job.done, None, StoreUnavailable(self._unsure))])
            return
        self._jobs.append(job)
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            result = self._run(job)
        except sqlite3.Error as error:
            self._give_up(error)
            return
        if job.sync is Sync.WHENEVER:
            self._tell([result])
        else:
            self._results.append(result)
        urgent = any(job.sync is Sync.NOW for job in self._jobs)
        if len(self._jobs) >= BATCH or (urgent and self._queue.empty()):
            self._commit()

    def _run(self, job: _Job) -> "_Result":
        """What became of one job; what it raises undoes it alone."""
        self._connection.execute("SAVEPOINT work")
        value, raised = None, None
        try:
            transaction = Transaction(self._connection, milliseconds(self._now()))
            assert job.work is not None
            value = job.work(transaction)
            self._news = self._news or transaction.told
        except BaseException as error:
            if isinstance(error, sqlite3.Error) and not isinstance(error, _CALLERS):
                raise
            raised = error
            self._connection.execute("ROLLBACK TO work")
        self._connection.execute("RELEASE work")
        return job.done, value, raised

    def _rewrite(self, job: _Job) -> None:
        self._commit()
        failure = None
        try:
            self._connection.execute("PRAGMA temp_store = FILE")  # the copy is as large as the file
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA temp_store = MEMORY")
            row = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._changes = self._connection.total_changes
            if row[0]:
                failure = StoreUnavailable("its log was not emptied: somebody reads the database")
        except sqlite3.Error as error:
            failure = StoreUnavailable(str(error))
            failure.__cause__ = error
        self._tell([(job.done, None, failure)])

    def _commit(self, *, sync: bool = False) -> None:
        """Commit what was done and answer for it; nothing was: sync what was committed before.

        What the disk does not keep is neither stored for sure nor undone: who waits for it waits
        until it is kept, or for the next start.
        """
        kinds = {job.sync for job in self._jobs}
        try:
            if kinds:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)
            return
        changes = self._connection.total_changes
        changed, self._changes = changes != self._changes, changes
        if self._news and self.told is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._jobs[0].done.get_loop().call_soon_threadsafe(self.told)
        self._news = False
        results, self._results, self._jobs = self._results, [], []
        if changed and Sync.SOON in kinds and self._sync_by is None:
            self._sync_by = time.monotonic() + SOON
        by = self._sync_by
        overdue = by is not None and (sync or not kinds or time.monotonic() >= by)
        if (changed and Sync.NOW in kinds) or overdue:
            try:
                self._sync()
            except (OSError, sqlite3.Error) as error:
                self.failing, self._unsure = True, f"the disk keeps nothing: {error}"
                self._sync_by = time.monotonic() + SOON
                self._unkept += results
                return
            self.failing, self._unsure = False, ""
            results, self._unkept = [*self._unkept, *results], []
        self.failing = self.failing and not changed
        self._tell(results)

    def _sync(self) -> None:
        """Have the disk keep the log of all commits so far, as synchronous = FULL does for each.

        With NORMAL a power cut can take back what was acknowledged; FULL cannot be chosen once a
        transaction is open, and only then it is known whether somebody waits for it. After a
        failure the log is written into the file anew: the kernel may have forgotten what it failed
        to write, and call the next sync a success.
        """
        if self._unsure:
            [busy, *_] = self._connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
            if busy:
                raise sqlite3.OperationalError("its log cannot be written back: it is read")
        elif self._log is not None:
            os.fdatasync(self._log)
        self._sync_by = None

    def _give_up(self, error: sqlite3.Error) -> None:
        """Nothing of the transaction was stored, which those who wait are told."""
        with suppress(sqlite3.Error):  # the way back may fail too; the next one finds out
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        self.failing = True
        self._changes = self._connection.total_changes  # those that were undone count in it
        failure = StoreUnavailable(explained(error, self.path))
        failure.__cause__ = error
        jobs, self._results, self._jobs = self._jobs, [], []
        self._news = False
        self._tell([(job.done, None, failure) for job in jobs])

    def _tell(self, results: "list[_Result]") -> None:
        if not results:
            return
        if self._inline:
            _settle(results)
            return
        with suppress(RuntimeError):  # the loop has ended: what was stored is stored
            results[0][0].get_loop().call_soon_threadsafe(_settle, results)


_CALLERS: Final = (sqlite3.IntegrityError, sqlite3.ProgrammingError)
_Result = tuple["asyncio.Future[Any]", Any, BaseException | None]


def _settle(results: list[_Result]) -> None:
    for done, value, error in results:
        if done.done():  # nobody waits any more, or it was answered before its commit failed
            continue
        if error is None:
            done.set_result(value)
        else:
            done.set_exception(error)


def _connect(path: str | Path) -> tuple[sqlite3.Connection, bool]:
    """The connection, and whether there was time to check the whole file."""
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False,
        cached_statements=256,
    )  # fmt: skip
    connection.row_factory = sqlite3.Row
    try:
        connection.execute(f"PRAGMA page_size = {PAGE}")  # of a new file; an old one keeps its own
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG // PAGE}")
        connection.execute("PRAGMA synchronous = NORMAL")  # see `Database._sync`
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA secure_delete = ON")  # what is erased is to be gone
        checked = look(connection, within(FIRST_LOOK))
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection, checked
