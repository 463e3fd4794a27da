"""Numbered ``.sql`` files make and change the schema, each once, each in a transaction of its own.

The version is kept in the database itself (``PRAGMA user_version``).
"""

import sqlite3
from pathlib import Path


class SchemaTooNew(Exception):
    """The database was made by a later version of smsd."""


def steps() -> list[tuple[int, str, str]]:
    """Every migration: its number, its name and its statements, in order."""
    found = [
        (int(entry.name.partition("_")[0]), entry.name, entry.read_text(encoding="utf-8"))
        for entry in Path(__file__).with_name("schema").iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found)


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the schema up to date; returns its version. Needs a connection in autocommit mode."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    migrations = steps()
    newest = migrations[-1][0]
    if version > newest:
        raise SchemaTooNew(f"the database has schema {version}, this smsd knows {newest}")
    for number, _, statements in migrations:
        if number > version:
            # Comments are kept with their table: they are what .schema shows a person.
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{statements}\nPRAGMA user_version = {number};\nCOMMIT;"
            )
    return newest
