"""How SQLite carries the statements out: none may read a whole table that grows for ever."""

import re
from importlib import resources

import pytest

from smsd.store.database import Database, queries
from smsd.store.shift import SHIFTED
from tests.virtual_time import START

# Told, and why: they are seldom, or the table is small.
WHOLE_TABLES = {
    **{f"shift {what}": "the clock was set" for what in SHIFTED},
    "wait for group": "a group is deleted; what is planned is looked through",
    "forget idempotent": "a day's keys at most",
    **dict.fromkeys(("hold attempts", "hold messages"), "a copy is restored"),
    **dict.fromkeys(
        (
            "messages to", "erase reports of messages", "erase incoming", "erase datagrams",
            "erase reports", "erase calls",
        ),
        "a number is erased, and the file written anew",
    ),
}  # fmt: skip
GROWING = "message|part|attempt|event|sended|received|incoming|report|datagram|called|scheduled"


@pytest.mark.parametrize("name", queries())
def test_no_statement_reads_a_whole_table_that_grows(name: str) -> None:
    database = Database(":memory:", lambda: START, inline=True)
    statement = queries()[name]
    if name.startswith("list "):  # as `Views.page` ends it
        statement += " ORDER BY 1 LIMIT 25"
    values = dict.fromkeys(re.findall(r":(\w+)", statement), 1)
    steps = database._connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    plan = [step["detail"] for step in steps]
    aliases = dict(re.findall(rf"\b({GROWING})\s+([a-z])\b", statement))
    growing = {*GROWING.split("|"), *aliases.values()}
    scans = [
        detail for detail in plan if detail.startswith("SCAN ") and detail.split()[1] in growing
    ]
    foreign_keys = "INSERT" in statement  # checks of deferred keys are no part of what it does
    whole = [detail for detail in scans if "INDEX" not in detail]
    assert not whole or foreign_keys or name in WHOLE_TABLES, plan
    database.close()


def test_each_statement_has_a_name_of_its_own() -> None:
    text = resources.files("smsd.store").joinpath("queries.sql").read_text(encoding="utf-8")
    names = re.findall(r"^-- ([^\n]+) --$", text, flags=re.MULTILINE)
    assert sorted(names) == sorted(queries())


@pytest.mark.parametrize("name", ["parts in flight", "parts in doubt", "parts that may have gone"])
def test_the_parts_of_few_messages_are_found_by_these(name: str) -> None:
    """And not by their phone, which may have sent many thousands within the time."""
    database = Database(":memory:", lambda: START, inline=True)
    values = {"phone": 1, "since": 0}
    steps = database._connection.execute(f"EXPLAIN QUERY PLAN {queries()[name]}", values)
    plan = [step["detail"] for step in steps if step["detail"].startswith("SEARCH p ")]
    assert set(plan) == {"SEARCH p USING INDEX part_of (message_id=?)"}
    database.close()
