"""Contacts and groups, as their owners keep them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from smsd.store.database import Conflict, Database, Transaction
from smsd.store.once import Once, answered, keep_answer

Kind = Literal["contact", "group"]


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to write to: a number in E.164, and what templates may say of him (JSON)."""

    name: str
    number: str
    data: str


@dataclass(frozen=True, slots=True)
class Group:
    """Contacts under one name, by their ids."""

    name: str
    contacts: Sequence[int]


class UnknownMember(Conflict):
    """A group was to have a member that is nobody's contact."""


class Contacts:
    """Each method is one transaction. ``account`` ``None`` may use anybody's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, account: int, what: Contact | Group, sees: int | None, once: Once | None = None
    ) -> int:
        """Keep a new one; its id. ``sees``: whose contacts may be in a group.

        Raises `UnknownMember` if one is nobody's contact: then nothing is kept. The same request
        under a key again gives the first answer; `Conflict` if it is another.
        """

        def work(tx: Transaction) -> int:
            if (known := answered(tx, account, once)) is not None:
                return int(known.answer)
            if isinstance(what, Contact):
                id_ = int(tx.value("add contact", account=account, now=tx.now, **_columns(what)))
            else:
                id_ = int(tx.value("add group", account=account, name=what.name, now=tx.now))
                _set_members(tx, id_, what.contacts, sees)
            keep_answer(tx, account, once, id_)
            return id_

        return await self._database.transaction(work)

    async def change(
        self, kind: Kind, id_: int, account: int | None, sees: int | None, **new: Any
    ) -> bool:
        """Change what is given of ``name``, ``number``, ``data``, ``contacts``; False: not one.

        ``sees`` is as for `create`.
        """

        def work(tx: Transaction) -> bool:
            row = tx.row(f"one {kind}", id=id_, account=account)
            if row is None:
                return False
            kept = {key: row[key] for key in ("name", "number", "data") if key in row.keys()}  # noqa: SIM118 a Row
            columns = {key: new.get(key, value) for key, value in kept.items()}
            tx.run(f"change {kind}", id=id_, now=tx.now, **columns)
            if "contacts" in new:
                tx.run("remove members", id=id_)
                _set_members(tx, id_, new["contacts"], sees)
            return True

        return await self._database.transaction(work)

    async def delete(self, kind: Kind, id_: int, account: int | None) -> bool:
        """Forget it; a contact also leaves its groups and what is scheduled for it."""

        def work(tx: Transaction) -> bool:
            return tx.value(f"remove {kind}", id=id_, account=account) is not None

        return await self._database.transaction(work)


def _columns(contact: Contact) -> dict[str, str]:
    return {"name": contact.name, "number": contact.number, "data": contact.data}


def _set_members(tx: Transaction, group: int, contacts: Sequence[int], account: int | None) -> None:
    wanted = set(contacts)
    added = tx.run("add members", id=group, ids=json.dumps(sorted(wanted)), account=account)
    if added < len(wanted):
        raise UnknownMember(f"{len(wanted) - added} of the contacts are not there")
