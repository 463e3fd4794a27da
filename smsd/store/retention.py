"""What is old enough goes, a few rows at a time; what is under way or still counted stays."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from smsd.store.database import Database, Transaction, milliseconds, ms
from smsd.store.once import REPEATABLE

BATCH: Final = 200  # rows a transaction
SHORTEST: Final = timedelta(days=7)
"""Repeats of an incoming message are known by it for so long, and reports are awaited for less."""

DEPENDENT: Final[Mapping[str, tuple[str, ...]]] = {
    "message": ("events of", "sended of", "parts of", "attempts of"),
    "campaign": (),
    "received": ("events of", "incoming of", "replaced by"),
    "datagram": ("incoming of",),
    "call": ("events of",),
    "raw": (),
    "report": (),
    "event": (),
}
"""What can be forgotten, with what goes before it because it refers to it."""


@dataclass(frozen=True, slots=True)
class Swept:
    """One look at some rows: how many went, and where to look on (``None``: all was seen)."""

    forgotten: int
    after: int | None


class Retention:
    """Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(
        self,
        kind: str,
        before: datetime,
        counted: datetime,
        after: int = 0,
        *,
        answered: datetime | None = None,
    ) -> Swept:
        """Look at some rows of a kind, in the order of their ids, and delete those from ``before``.

        Messages with a part since ``counted`` stay: a limit's window may reach back to it. So do
        answers given since ``answered``: their rules go by them.
        """

        def work(tx: Transaction) -> Swept:
            since = milliseconds(min(before, counted))
            rows = tx.rows(
                f"old {kind}", after=after, limit=BATCH, before=milliseconds(before), since=since,
                answered=milliseconds(answered or before),
            )  # fmt: skip
            ids = [row["id"] for row in rows if row["old"]]
            if ids:
                for dependent in DEPENDENT[kind]:
                    tx.run(f"forget {dependent} {kind}", ids=json.dumps(ids))
                tx.run(f"forget {kind}", ids=json.dumps(ids))
            ended = len(rows) < BATCH or not any(row["past"] for row in rows)
            return Swept(len(ids), None if ended else rows[-1]["id"])

        return await self._database.transaction(work)

    async def forget_keys(self) -> None:
        """Idempotency keys whose day is over."""

        def work(tx: Transaction) -> None:
            tx.run("forget idempotent", before=tx.now - ms(REPEATABLE))

        await self._database.transaction(work)
