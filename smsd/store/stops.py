"""Who wants no more messages: kept with the STOP itself, and asked before anything leaves."""

from typing import Final

from smsd.model.message import Change, Fault, FaultClass
from smsd.store.database import Database, Transaction
from smsd.store.once import Once, answered, keep_answer
from smsd.store.states import columns, move

EVERYBODY: Final = 0
"""The account of a stop that holds whoever sends."""
STOPPED: Final = Fault(
    FaultClass.STOPPED,
    "the recipient wants no more messages",
    "STOP",
    "smsd list smsstop shows since when",
)


class Stops:
    """RaspiSMS's ``smsstop``. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, account: int, number: str, once: Once | None = None) -> int:
        """Keep that a number wants nothing of an account (`EVERYBODY`: of anybody); its id.

        ``once`` is as for messages. Raises `Conflict`.
        """

        def work(tx: Transaction) -> int:
            if (known := answered(tx, account, once)) is not None:
                return int(known.answer)
            made = add_stop(tx, account, number)
            made = made or int(tx.value("stop", account=account, number=number))
            keep_answer(tx, account, once, made)
            return made

        return await self._database.transaction(work)

    async def remove(self, stop: int, account: int | None) -> bool:
        """Forget one; ``account`` ``None`` may forget anybody's. False if there is none."""

        def work(tx: Transaction) -> bool:
            return bool(tx.run("remove stop", id=stop, account=account))

        return await self._database.transaction(work)

    async def stopped(self, account: int, number: str) -> bool:
        """Whether a number wants nothing of an account."""

        def work(tx: Transaction) -> bool:
            return is_stopped(tx, account, number)

        return await self._database.transaction(work)

    async def all(self, account: int) -> frozenset[str]:
        """Every number that wants nothing of an account."""

        def work(tx: Transaction) -> frozenset[str]:
            return frozenset(row["number"] for row in tx.rows("stopped numbers", account=account))

        return await self._database.transaction(work)


def add_stop(tx: Transaction, account: int, number: str) -> int | None:
    """Keep a stop; its id, ``None`` if it is there already."""
    found: int | None = tx.value("add stop", account=account, number=number, now=tx.now)
    return found


def is_stopped(tx: Transaction, account: int, number: str) -> bool:
    """Whether a number wants nothing of an account."""
    return tx.value("is stopped", account=account, number=number) is not None


def refuse_stopped(tx: Transaction, scheduled: int, after: int) -> int:
    """End those of a request's messages whose recipients want none, before any of them leaves.

    Of the messages that came ``after`` that one; returns how many it was.
    """
    rows = tx.rows("stopped of scheduled", id=scheduled, after=after)
    for row in rows:
        tx.run("fault if none", id=row["id"], **columns(STOPPED))
        tx.run("not watched", id=row["id"])
        move(tx, row["id"], Change.REJECT, STOPPED.words)
    return len(rows)


def wants_none(tx: Transaction, message: int) -> bool:
    """Whether a message's recipient has said STOP by now; our own answer to that goes all the same.

    The tag of that answer alone opens nothing: anybody could set it.
    """
    return tx.value("message is stopped", id=message) is not None
