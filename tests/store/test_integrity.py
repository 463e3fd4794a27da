"""A damaged file is found before anything is done with it, and its last good backup is named."""

import asyncio
import os
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from smsd.daemon import _check
from smsd.store.database import Database, StoreUnavailable
from smsd.store.integrity import Damaged, last_good_backup, look, look_at_all, within
from tests.rig import Rig, Scripted, draft
from tests.virtual_time import START, now, run


def database(path: Path, messages: int = 200) -> Path:
    """A database with some messages in it, closed in good order."""

    async def main() -> None:
        rig = Rig(path)
        await rig.store.outgoing.schedule(
            1, draft("x" * 900, *(f"+336{n:08}" for n in range(messages)))
        )
        rig.database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rig.database.close()

    run(main())
    return path


def damage(path: Path, *, schema: bool = False) -> None:
    """Overwrite the headers of some pages in the second half, or from where the schema is."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(8 if schema else size // 8192, size // 4096 - 4, 3):
            file.seek(page * 4096)
            file.write(b"\xa5" * 200)


def test_a_damaged_file_is_refused_at_the_start_and_not_touched(tmp_path: Path) -> None:
    path = database(tmp_path / "db")
    damage(path)
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match=r"(damaged|malformed).*there is no backup"):
        Database(path, now, inline=True)
    assert path.read_bytes() == before


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "db")
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    with pytest.raises(StoreUnavailable, match=r"damaged|malformed"):
        Database(path, now, inline=True)


def test_the_newest_backup_that_is_sound_is_named(tmp_path: Path) -> None:
    path = database(tmp_path / "db")
    for stamp in ("20260301T000000Z", "20260302T000000Z", "20260303T000000Z"):
        shutil.copy(path, f"{path}.backup-{stamp}")
    damage(Path(f"{path}.backup-20260303T000000Z"))
    Path(f"{path}.backup-20260304T000000Z").write_bytes(b"half of one")
    Path(f"{path}.backup-20260309T000000Z-wal").write_bytes(b"")
    damage(path)
    with pytest.raises(
        StoreUnavailable, match=r"last good backup is .*db\.backup-20260302T000000Z"
    ):
        Database(path, now, inline=True)
    assert last_good_backup(tmp_path / "other") is None


def test_a_check_that_takes_too_long_is_left_for_later_and_finished_beside_the_work(
    tmp_path: Path,
) -> None:
    path = database(tmp_path / "db", 3000)
    with closing(sqlite3.connect(path)) as connection:
        assert not look(connection, within(0.0))
        assert look(connection, within(60))
    assert look_at_all(path, within(60)) is None
    damage(path)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(Damaged):
        look(connection, within(60))
    assert "damaged" in str(look_at_all(path, within(60)))


def test_what_there_was_no_time_for_is_checked_beside_the_work(tmp_path: Path) -> None:
    path = database(tmp_path / "db")

    async def main() -> None:
        opened = Database(path, lambda: START, inline=True)
        assert opened.checked
        opened.checked = False
        await _check(opened)
        assert opened.broken is None
        damage(path)
        await _check(opened)
        assert "the file is damaged" in str(opened.broken)
        with pytest.raises(StoreUnavailable, match="damaged"):
            await opened.transaction(lambda tx: tx.value("pulse at"))
        opened.close()

    asyncio.run(main())


def test_damage_found_while_it_is_in_use_stops_everything_with_its_reason(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        modem = Scripted()
        await rig.add("gsm0", modem)
        rig.database.broken = "the file is damaged (page 7); the last good backup is x"
        with pytest.raises(StoreUnavailable, match="page 7"):
            await rig.send(draft())
        report = await rig.gateway.health()
        assert (report["status"], report["store"]) == ("failed", rig.database.broken)
        async with rig.sending():
            await asyncio.sleep(60)
        assert modem.texts == []
        rig.database.close()

    run(main())


def test_a_file_that_is_damaged_under_it_sends_nothing_and_says_why(tmp_path: Path) -> None:
    path = database(tmp_path / "db")

    async def main() -> None:
        shutil.copy(path, f"{path}.backup-20260302T000000Z")
        rig = Rig(path)
        modem = Scripted()
        await rig.add("gsm0", modem)
        rig.pragma("wal_checkpoint(TRUNCATE)")
        damage(path, schema=True)
        rig.pragma("shrink_memory")
        async with rig.sending():
            await asyncio.sleep(60)
            report, sent = await rig.gateway.health(), len(modem.texts)
            assert report["status"] == "failed"
            await asyncio.sleep(600)
            assert len(modem.texts) == sent < 200
            assert "malformed; the last good backup is" in report["store"]
        rig.database.close()

    run(main())


@contextmanager
def disk_errors() -> Iterator[None]:
    """Every write beyond a file's first octets fails, which SQLite takes for an I/O error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_io_error_is_told_and_passes_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        modem = Scripted()
        await rig.add("gsm0", modem)
        waiting = await rig.send(draft("waits"))
        async with rig.sending():
            with disk_errors():
                with pytest.raises(StoreUnavailable, match=r"I/O error|full"):
                    await rig.send(draft())
                assert (await rig.gateway.health())["status"] == "failed"
                await asyncio.sleep(20)
                assert modem.texts == []
            await asyncio.sleep(20)
            assert modem.texts == ["waits"]
        assert await rig.state(waiting) == "sent"
        assert (await rig.gateway.health())["store"] == "ok"
        rig.database.close()

    run(main())
