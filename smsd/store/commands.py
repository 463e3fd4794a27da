"""Commands that came in: each is begun at most once, and what became of it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smsd.model.reactions import Answer
from smsd.store.database import Database, Transaction
from smsd.store.reactions import write


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended: its exit status (negative: the signal that ended it), and words."""

    state: str
    status: int | None
    words: str | None = None


class CommandRuns:
    """The table of commands. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def interrupted(self) -> list[Mapping[str, Any]]:
        """After a start: end what was begun and not ended, which is not begun again."""

        def work(tx: Transaction) -> list[Mapping[str, Any]]:
            words = "smsd was stopped while it ran: it may have done its work, or half of it"
            return [dict(row) for row in tx.rows("interrupt commands", words=words, now=tx.now)]

        return await self._database.transaction(work)

    async def waiting(self) -> list[Mapping[str, Any]]:
        """Those that are to be run, in their order, with the messages that ordered them."""

        def work(tx: Transaction) -> list[Mapping[str, Any]]:
            return [dict(row) for row in tx.rows("waiting commands")]

        return await self._database.transaction(work)

    async def begin(self, run: int) -> bool:
        """It is about to be run: from here on it is not run again. False if it was before."""

        def work(tx: Transaction) -> bool:
            return bool(tx.run("begin command", id=run, now=tx.now))

        return await self._database.transaction(work)

    async def end(self, run: int, ending: Ending, answer: Answer | None = None) -> bool:
        """Keep how it ended, and queue what it answers; whether something was queued."""

        def work(tx: Transaction) -> bool:
            row = tx.row(
                "end command", id=run, state=ending.state, status=ending.status,
                words=ending.words, now=tx.now,
            )  # fmt: skip
            if row is None or answer is None:
                return False
            return write(tx, row["received_id"], row["phone_id"], answer)

        return await self._database.transaction(work)
