"""Phone groups: phones by a name that a sender may ask for."""

from collections.abc import Sequence
from typing import Any

from smsd.store.database import Conflict, Database, Transaction
from smsd.store.lanes import group_of
from smsd.store.once import Once, answered, keep_answer


class NameTaken(Conflict):
    """Another phone group of the account has that name."""


class PhoneGroups:
    """Groups with the ids of their phones. Each method is one transaction.

    ``account`` ``None`` may see and change everybody's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, account: int, name: str, phones: Sequence[int], once: Once | None = None
    ) -> int:
        """A new group; its id. Raises `NameTaken` if the account has one of that name."""

        def work(tx: Transaction) -> int:
            if (known := answered(tx, account, once)) is not None:
                return int(known.answer)
            _free(tx, account, name, None)
            group = int(tx.value("add phone group", account=account, name=name, now=tx.now))
            _fill(tx, group, phones)
            keep_answer(tx, account, once, group)
            return group

        return await self._database.transaction(work)

    async def update(
        self, group: int, account: int | None, name: str | None, phones: Sequence[int] | None
    ) -> bool:
        """Change name or phones, what is ``None`` stays; False if there is no such group."""

        def work(tx: Transaction) -> bool:
            row = tx.row("phone group", id=group, account=account)
            if row is None:
                return False
            _free(tx, row["account_id"], name or row["name"], group)
            tx.run("change phone group", id=group, name=name or row["name"], now=tx.now)
            if phones is not None:
                _fill(tx, group, phones)
            return True

        return await self._database.transaction(work)

    async def delete(self, group: int, account: int | None) -> bool:
        """Remove a group; False if there is none, or messages wait for it."""

        def work(tx: Transaction) -> bool:
            if tx.row("phone group", id=group, account=account) is None:
                return False
            queued = any(group_of(row["lane"]) == group for row in tx.rows("lanes"))
            if queued or tx.value("wait for group", id=group):
                return False
            return tx.run("remove phone group", id=group) == 1

        return await self._database.transaction(work)

    async def one(self, group: int, account: int | None) -> dict[str, Any] | None:
        """A group's row with its ``phones``; ``None`` if there is none."""

        def work(tx: Transaction) -> dict[str, Any] | None:
            row = tx.row("phone group", id=group, account=account)
            if row is None:
                return None
            return {**dict(row), "phones": [dict(p) for p in tx.rows("phones of group", id=group)]}

        return await self._database.transaction(work)


def _free(tx: Transaction, account: int, name: str, group: int | None) -> None:
    if tx.value("phone group named", account=account, name=name) not in (None, group):
        raise NameTaken("a phone group of that name is there already")


def _fill(tx: Transaction, group: int, phones: Sequence[int]) -> None:
    tx.run("empty phone group", id=group)
    tx.run_many(
        "add to phone group", ({"id": group, "phone": phone} for phone in dict.fromkeys(phones))
    )
