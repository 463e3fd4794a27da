"""Whether the file is sound, and where the last good backup is when it is not."""

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

FIRST_LOOK: Final = 0.5  # seconds of checking before the first answer; a Pi does 100,000 rows in it
LOOK_AT_BACKUP: Final = 5.0  # seconds for all backups: somebody waits for the error
STEPS: Final = 20_000  # of SQLite's machine, a few milliseconds, between looks at the time
_BACKUP: Final = re.compile(r".+\.backup-\d{8}T\d{6}Z")
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Damaged(sqlite3.DatabaseError):
    """The file is not what SQLite wrote."""


def look(connection: sqlite3.Connection, enough: Callable[[], bool]) -> bool:
    """Check every page (``PRAGMA quick_check``); False if it was ``enough`` before the last.

    Raises `Damaged` with SQLite's first finding.
    """
    connection.set_progress_handler(enough, STEPS)
    try:
        [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return False
        raise
    except sqlite3.DatabaseError as error:
        raise Damaged(str(error)) from error
    finally:
        connection.set_progress_handler(None, 0)
    if found != "ok":
        raise Damaged(" ".join(str(found).replace("*** in database main ***", "").split()))
    return True


def within(seconds: float) -> Callable[[], bool]:
    """Whether so much time has passed."""
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() > ends


def look_at_all(path: str | Path, enough: Callable[[], bool]) -> str | None:
    """Check a whole file, beside whoever works with it; what is wrong in words, or ``None``."""
    try:
        with closing(sqlite3.connect(_read_only(path), uri=True)) as connection:
            look(connection, enough)
    except sqlite3.Error as error:
        return explained(error, path) if is_damage(error) else None
    return None


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error is the file's, and not the disk's or a lock's."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, Damaged) or (code is not None and code & 0xFF in _DAMAGED)


def explained(error: Exception, path: str | Path) -> str:
    """SQLite's words; of a damaged file also from which backup it can be made anew."""
    if not (isinstance(error, sqlite3.Error) and is_damage(error)):
        return str(error)
    backup = last_good_backup(path)
    from_where = f"the last good backup is {backup}" if backup else "there is no backup beside it"
    damage = f"the file is damaged ({error})" if isinstance(error, Damaged) else str(error)
    return f"{damage}; {from_where}"


def last_good_backup(path: str | Path) -> Path | None:
    """The newest of the backups beside a database (``NAME.backup-20260302T120000Z``) that is sound.

    One too large to be looked at whole in time counts as sound.
    """
    file = Path(path)
    found = [f for f in file.parent.glob(f"{file.name}.backup-*") if _BACKUP.fullmatch(f.name)]
    enough = within(LOOK_AT_BACKUP)
    for backup in sorted(found, reverse=True):
        try:
            with closing(sqlite3.connect(_read_only(backup), uri=True)) as connection:
                look(connection, enough)
        except sqlite3.Error:
            continue
        return backup
    return None


def _read_only(path: str | Path) -> str:
    return f"{Path(path).resolve().as_uri()}?mode=ro"
