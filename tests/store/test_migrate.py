"""Migrations make the schema once, keep what is there, and refuse what comes from the future."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from smsd.store.database import Database, milliseconds
from smsd.store.migrate import SchemaTooNew, migrate, steps
from smsd.store.once import Answered, Answers, Once
from tests.virtual_time import START, now, run


def connect(path: str | Path = ":memory:") -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(path, isolation_level=None))


def schema(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    return list(connection.execute(query))


def test_the_steps_are_numbered_without_gaps() -> None:
    assert [number for number, _, _ in steps()] == list(range(1, len(steps()) + 1))


def test_all_migrations_make_what_their_statements_say() -> None:
    with connect() as migrated, connect() as plain:
        newest = migrate(migrated)
        for _, _, statements in steps():
            plain.executescript(statements)
        assert schema(migrated) == schema(plain)
        assert migrated.execute("PRAGMA user_version").fetchone()[0] == newest == len(steps())


def test_migrating_again_changes_nothing() -> None:
    with connect() as connection:
        migrate(connection)
        connection.execute("INSERT INTO account (name, created_at) VALUES ('a', 1)")
        before = schema(connection)
        migrate(connection)
        assert schema(connection) == before
        assert connection.execute("SELECT count(*) FROM account").fetchone()[0] == 1


def test_a_migration_that_fails_leaves_nothing_behind() -> None:
    with connect() as connection:
        connection.execute("CREATE TABLE event (id INTEGER)")  # in the way of a later statement
        before = schema(connection)
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection)
        connection.rollback()
        assert schema(connection) == before
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 0


def test_a_database_of_a_later_smsd_is_refused_and_not_touched(tmp_path: Path) -> None:
    with connect(tmp_path / "db") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SchemaTooNew, match="schema 99"):
        Database(tmp_path / "db", now)
    with connect(tmp_path / "db") as connection:
        assert schema(connection) == []


def test_comments_stay_with_their_tables() -> None:
    with connect() as connection:
        migrate(connection)
        assert any("-- 0: a local user" in sql for _, sql in schema(connection))


def test_what_waits_keeps_its_lane_through_the_change_of_lanes() -> None:
    with connect() as connection:
        for number, _, statements in steps():
            if number == 7:
                connection.execute(
                    "INSERT INTO phone (name, adapter, adapter_data, priority, created_at)"
                    " VALUES ('gsm0', 'modem', '{}', 0, 0)"
                )
                for wanted, begun, flash in (
                    (None, None, 0),
                    (1, None, 0),
                    (1, 1, 0),
                    (None, None, 1),
                ):
                    connection.execute(
                        "INSERT INTO message (account_id, scheduled_id, destination, text, parts,"
                        " flash, mms, wanted_phone_id, begun_on, state, created_at, due_at,"
                        " expires_at) VALUES (1, 1, '+33', 't', 1, ?, 0, ?, ?, 'queued', 0, 0, 9)",
                        (flash, wanted, begun),
                    )
            connection.executescript(statements)
        lanes = connection.execute("SELECT lane FROM message ORDER BY id").fetchall()
        assert [lane for (lane,) in lanes] == ["", "p1", "b1", "f"]


def test_what_was_answered_before_an_upgrade_is_answered_so_after_it(tmp_path: Path) -> None:
    with connect(tmp_path / "db") as connection:
        for number, _, statements in steps():
            if number < 9:
                connection.executescript(statements)
                connection.execute(f"PRAGMA user_version = {number}")
        at = milliseconds(START)
        connection.execute("INSERT INTO idempotency VALUES (1, 'key', 'digest', 42, ?)", (at,))

    async def main() -> None:
        database = Database(tmp_path / "db", now, inline=True)
        known = await Answers(database).of(1, Once("key", "digest"))
        assert known == Answered(42, {})
        database.close()

    run(main())
