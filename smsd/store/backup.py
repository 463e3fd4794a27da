"""Copies of the database, made while it is in use, and put back in one step."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from smsd.model.message import State
from smsd.store.campaigns import BATCH, expand
from smsd.store.database import Transaction, milliseconds
from smsd.store.migrate import migrate, steps
from smsd.store.states import SENDED

HELD: Final = (
    "it waited in a backup that was restored: whether it has gone since then, nobody here knows"
)


class BackupError(Exception):
    """A copy cannot be made or used; the message says why, and nothing was changed."""


def stamp(now: datetime) -> str:
    """A time as it stands in the name of a copy."""
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def back_up(database: Path, target: Path) -> None:
    """Copy a database that may be in use; the copy is whole and verified, or there is none.

    Readers and writers go on meanwhile. A file that is there already is not replaced. Raises
    `BackupError`.
    """
    if target.exists():
        raise BackupError(f"{target} is there already")
    with _reported(target), _beside(target) as unfinished:
        _copy(database, unfinished)
        _verify(unfinished, "quick_check")
        _sync(unfinished)
        os.link(unfinished, target)  # unlike a rename it replaces nothing
        _sync(target.parent)


def restore(copy: Path, database: Path, now: datetime, *, hold: bool) -> Path | None:
    """Put a copy in the place of the database, which nobody may have open; it is set aside.

    ``hold``: messages that waited in the copy are not sent by themselves, for they may have gone
    after it was made. Returns where the old database is now, ``None`` if there was none. Raises
    `BackupError`.
    """
    if not copy.is_file():
        raise BackupError(f"{copy} is no file")
    with _reported(copy), _beside(database) as unfinished:
        _copy(copy, unfinished)
        _verify(unfinished, "integrity_check")
        if hold:
            _hold(unfinished, now)
        give_to_owner(unfinished)
        _sync(unfinished)
        aside = _set_aside(database, now) if database.exists() else None
        os.replace(unfinished, database)
        _sync(database.parent)
        return aside


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BackupError(f"{path}: {error}") from error
    except OSError as error:
        raise BackupError(f"{error.filename or path}: {error.strerror}") from error


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A new file for its owner alone, in the same folder; it is gone afterwards."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """One state of the source, in one file: without a journal beside it."""
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target, isolation_level=None)) as new,
    ):
        # In one step, which reads one state of it: page by page every write begins it anew.
        old.backup(new, pages=-1)
        new.execute("PRAGMA journal_mode = DELETE")


def _verify(path: Path, check: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        [found] = connection.execute(f"PRAGMA {check}(1)").fetchone()
        if found != "ok":
            raise BackupError(f"{path}: damaged: {found}")
        [version] = connection.execute("PRAGMA user_version").fetchone()
        newest = steps()[-1][0]
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if not version or not {"message", "scheduled", "event"} <= tables:
            raise BackupError(f"{path}: no database of smsd's")
        if version > newest:
            raise BackupError(f"{path}: it has schema {version}, this smsd knows {newest}")


def _hold(path: Path, now: datetime) -> None:
    """Make uncertain what would leave by itself: what waits, and what was planned for by now."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection)
        connection.execute("BEGIN IMMEDIATE")
        tx = Transaction(connection, milliseconds(now))
        while due := tx.rows("due scheduled", now=tx.now):
            for row in due:
                expand(tx, row["id"], BATCH, ())
        tx.run("hold all doubts")
        tx.run("tell held", now=tx.now, words=HELD)
        tx.run("add held to sended", now=tx.now, status=SENDED[State.UNCERTAIN])
        tx.run("hold attempts", now=tx.now)
        tx.run("hold messages", words=HELD)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")


def _set_aside(database: Path, now: datetime) -> Path:
    """Give the old database a second name, with all that its journal still holds."""
    aside = database.with_name(f"{database.name}.replaced-{stamp(now)}")
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:  # or damaged
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.link(database, aside)
    for tail in ("-wal", "-shm"):  # left only where it could not be read: the copy must not read it
        with suppress(FileNotFoundError):
            os.rename(f"{database}{tail}", f"{aside}{tail}")
    return aside


def give_to_owner(path: Path) -> None:
    """What root has made in a folder is to be its owner's, who runs smsd."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
