"""Copies while it is in use, verified; put back in one step, and nothing sent twice for it."""

import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from smsd.model.message import Resolution, State
from smsd.store.backup import HELD, BackupError, back_up, restore, stamp
from tests.rig import ALICE, BOB, Rig, Scripted, claim, claimed, draft, send_part
from tests.virtual_time import START, run

LATER = START + timedelta(days=2)


def made(folder: Path) -> Path:
    """A copy of a database with a message sent, one that waits, one claimed and one planned."""

    async def main() -> None:
        rig = Rig(folder / "db")
        await rig.add("gsm0", Scripted(slots=2))
        await rig.send(draft("sent"))
        await send_part(rig, await claimed(rig), 1, 1, "1")
        await rig.send(draft("claimed"))
        await claimed(rig)
        await rig.send(draft("waits"))
        doubt = "UPDATE message SET state = 'uncertain', resend_at = 1 WHERE id = ?"
        rig.database._connection.execute(doubt, (await rig.send(draft("in doubt")),))
        for days, text in ((1, "due in between"), (9, "planned")):
            at = START + timedelta(days=days)
            await rig.store.outgoing.schedule(1, draft(text, ALICE, BOB, at=at))
        back_up(folder / "db", folder / "copy")  # with the database open, its journal full
        rig.database.close()

    run(main())
    return folder / "copy"


def states(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT text || ' ' || destination, state FROM message"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_copy_is_whole_one_file_and_for_its_owner_alone(tmp_path: Path) -> None:
    copy = made(tmp_path)
    assert states(copy) == states(tmp_path / "db")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [name for name in names(tmp_path) if name != "db"] == ["copy"]
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    copy = made(tmp_path)
    before = copy.read_bytes()
    with pytest.raises(BackupError, match="is there already"):
        back_up(tmp_path / "db", copy)
    assert copy.read_bytes() == before


@pytest.mark.parametrize("target", ["none/copy", "file/copy"])
def test_where_no_copy_can_be_made_nothing_is_left(tmp_path: Path, target: str) -> None:
    made(tmp_path)
    (tmp_path / "file").touch()
    before = names(tmp_path)
    with pytest.raises(BackupError):
        back_up(tmp_path / "db", tmp_path / target)
    with pytest.raises(BackupError):
        back_up(tmp_path / "nothing", tmp_path / "new")
    assert names(tmp_path) == before


def test_a_damaged_database_gives_no_copy(tmp_path: Path) -> None:
    made(tmp_path)
    damage(tmp_path / "db")
    with pytest.raises(BackupError, match=r"damaged|malformed"):
        back_up(tmp_path / "db", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def damage(path: Path) -> None:
    """Overwrite pages in the middle of a file."""
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(8 * 4096))


def test_what_waited_in_a_copy_is_held_for_it_may_have_gone_since(tmp_path: Path) -> None:
    copy = made(tmp_path)
    aside = restore(copy, tmp_path / "db", LATER, hold=True)
    assert aside == tmp_path / f"db.replaced-{stamp(LATER)}"
    assert states(tmp_path / "db") == {
        f"sent {ALICE}": "sent", f"claimed {ALICE}": "uncertain", f"waits {ALICE}": "uncertain",
        f"in doubt {ALICE}": "uncertain",
        f"due in between {ALICE}": "uncertain", f"due in between {BOB}": "uncertain",
    }  # fmt: skip

    async def main() -> None:
        rig = Rig(tmp_path / "db", now=lambda: LATER)
        await rig.add("gsm0", Scripted(slots=9))
        assert not any((await rig.store.outgoing.recover()).values())
        assert await claim(rig) == []
        assert [row["text"] for row in await rig.rows("scheduled")] == ["planned"]
        assert {row["resend_at"] for row in await rig.rows("message")} == {None}
        story = await rig.story(3)
        assert (story["changes"][-1]["state"], story["fault_words"]) == ("uncertain", HELD)
        rig.database.close()

    run(main())


def test_it_is_sent_where_somebody_says_that_none_has_gone(tmp_path: Path) -> None:
    copy = made(tmp_path)
    restore(copy, tmp_path / "db", LATER, hold=False)
    assert states(tmp_path / "db") == states(copy)

    async def main() -> None:
        rig = Rig(tmp_path / "db")
        await rig.add("gsm0", Scripted(slots=9))
        await rig.store.outgoing.recover()
        assert len(await claim(rig)) == 3
        rig.database.close()

    run(main())


def test_the_old_database_is_kept_with_all_that_its_journal_held(tmp_path: Path) -> None:
    copy = made(tmp_path)
    old = sqlite3.connect(tmp_path / "db", isolation_level=None)
    old.execute("UPDATE message SET text = 'newer' WHERE id = 1")
    assert (tmp_path / "db-wal").stat().st_size > 0
    aside = restore(copy, tmp_path / "db", LATER, hold=False)
    old.close()
    assert aside is not None
    assert f"newer {ALICE}" in states(aside)
    assert f"sent {ALICE}" in states(tmp_path / "db")
    assert not (tmp_path / "db-wal").exists()


def test_a_damaged_database_is_replaced_and_kept_as_it_was(tmp_path: Path) -> None:
    copy = made(tmp_path)
    damage(tmp_path / "db")
    (tmp_path / "db-wal").write_bytes(b"not a journal")
    before = (tmp_path / "db").read_bytes()
    aside = restore(copy, tmp_path / "db", LATER, hold=False)
    assert aside is not None
    assert aside.read_bytes() == before
    assert states(tmp_path / "db") == states(copy)


def test_it_is_put_where_there_was_none(tmp_path: Path) -> None:
    copy = made(tmp_path)
    (tmp_path / "new").mkdir()
    assert restore(copy, tmp_path / "new" / "db", LATER, hold=False) is None
    assert names(tmp_path / "new") == ["db"]
    assert (tmp_path / "new" / "db").stat().st_mode & 0o777 == 0o600


def test_what_is_no_whole_copy_changes_nothing(tmp_path: Path) -> None:
    copy = made(tmp_path)
    before = (tmp_path / "db").read_bytes()
    (tmp_path / "text").write_text("no database")
    (tmp_path / "empty").touch()
    with closing(sqlite3.connect(tmp_path / "foreign")) as connection:
        connection.execute("CREATE TABLE t (x)")
    for name in ("damaged", "future"):
        (tmp_path / name).write_bytes(copy.read_bytes())
    damage(tmp_path / "damaged")
    with closing(sqlite3.connect(tmp_path / "future")) as connection:
        connection.execute("PRAGMA user_version = 99")
    listed = names(tmp_path)
    for name, words in (
        ("none", "is no file"), ("text", "not a database"), ("empty", "no database of smsd's"),
        ("foreign", "no database of smsd's"), ("damaged", "damaged|malformed"),
        ("future", "schema 99"),
    ):  # fmt: skip
        with pytest.raises(BackupError, match=words):
            restore(tmp_path / name, tmp_path / "db", LATER, hold=True)
    assert (tmp_path / "db").read_bytes() == before
    assert names(tmp_path) == listed


def test_what_was_held_is_listed_as_sent_and_is_sent_if_somebody_says_so(tmp_path: Path) -> None:
    restore(made(tmp_path), tmp_path / "db", LATER, hold=True)

    async def main() -> None:
        rig = Rig(tmp_path / "db", now=lambda: LATER)
        await rig.add("gsm0", Scripted(slots=9))
        held = {row["text"]: row["id"] for row in await rig.rows("message")}
        listed = {row["message_id"]: row for row in await rig.rows("sended")}
        texts = ("claimed", "waits", "due in between")
        assert [listed[held[text]]["status"] for text in texts] == ["unknown"] * 3
        assert len({row["uid"] for row in listed.values()}) == len(listed)
        for text in texts:
            state = await rig.store.doubts.resolve(held[text], None, Resolution.SENT, "ann")
            assert state == State.SENT
            story = await rig.story(held[text])
            assert (story["fault_class"], story["changes"][-1]["words"]) == (
                None, "ann said that what was in doubt had gone",
            )  # fmt: skip
        assert await claim(rig) == []
        assert len(await rig.rows("sended")) == len(listed)
        rig.database.close()

    run(main())
