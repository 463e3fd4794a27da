"""What the API shows: pages, one message with its story, counts."""

from collections.abc import Sequence
from typing import Any, Final

from smsd.model.phone import Candidate, Standing
from smsd.store.campaigns import progress
from smsd.store.database import Database, Sync, Transaction
from smsd.store.usage import Counts, candidates, with_resets

PAGE: Final = 25  # rows of a list, as RaspiSMS pages
INNER: Final = {"scheduled": ("numbers", "contacts", "groups"), "group": ("contacts",)}
MOST_INNER: Final = 1000  # of each kind in a row; a page of campaigns would fill the memory


class Views:
    """Questions that change nothing. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def changes(self) -> int:
        """A number that is the same as long as nothing was written; no transaction."""
        return self._database.changes

    async def page(
        self,
        entry: str,
        *,
        account: int | None,
        page: int = 0,
        after: int | None = None,
        before: int | None = None,
        limit: int = PAGE,
        **filters: Any,
    ) -> list[dict[str, Any]]:
        """``limit`` rows by id of a list: ``sended``, ``received``, ``message`` and so on.

        ``before`` gives the highest ids under it; all come in ascending order. ``account``
        ``None`` sees everybody's.
        """

        def work(tx: Transaction) -> list[dict[str, Any]]:
            backwards = before is not None
            rows = tx.rows(
                f"list {entry}",
                f"ORDER BY 1 {'DESC' if backwards else ''} LIMIT {limit} OFFSET :offset",
                account=account,
                after=-1 if after is None else after,
                before=2**62 if before is None else before,
                offset=0 if backwards or after is not None else page * limit,
                **filters,
            )
            found = [dict(row) for row in (reversed(rows) if backwards else rows)]
            for kind in INNER.get(entry, ()):
                for row in found:
                    inner = tx.rows(f"{kind} of {entry}", id=row["id"], limit=MOST_INNER)
                    row[kind] = [dict(each) for each in inner]
            if entry == "campaign":
                return [{**row, **progress(tx, row["id"])} for row in found]
            if entry == "phone_group":
                for row in found:
                    row["phones"] = [dict(p) for p in tx.rows("phones of group", id=row["id"])]
            return found

        return await self._database.transaction(work, sync=Sync.WHENEVER)

    async def file(self) -> str:
        """The database's file; empty where it is in memory."""
        return str(await self._database.transaction(lambda tx: tx.value("database file")) or "")

    async def message(self, message: int, account: int | None) -> dict[str, Any] | None:
        """One message: its row, its ``changes``, its ``attempts`` with their ``parts``."""

        def work(tx: Transaction) -> dict[str, Any] | None:
            row = tx.row("message", id=message, account=account)
            if row is None:
                return None
            attempts = [dict(attempt) for attempt in tx.rows("attempts of", id=message)]
            for attempt in attempts:
                attempt["parts"] = [dict(p) for p in tx.rows("parts of attempt", id=attempt["id"])]
            changes = [dict(change) for change in tx.rows("changes of", id=message)]
            return {**dict(row), "changes": changes, "attempts": attempts}

        return await self._database.transaction(work, sync=Sync.WHENEVER)

    async def candidates(
        self, standings: Sequence[Standing], counts: Counts
    ) -> tuple[Candidate, ...]:
        """The phones with the use of their limits, as a claim would see them, and their resets."""

        def work(tx: Transaction) -> tuple[Candidate, ...]:
            found = candidates(tx, standings, counts)
            return tuple(with_resets(tx, candidate, counts) for candidate in found)

        return await self._database.transaction(work, sync=Sync.WHENEVER)

    async def counts(self) -> dict[str, int]:
        """How many messages are queued, claimed and uncertain; ``oldest``: ms the oldest is due.

        Raises `StoreUnavailable` while the disk takes nothing, though it could be read.
        """

        def work(tx: Transaction) -> dict[str, int]:
            if self._database.failing:  # only then: a write for each look would wear the disk
                tx.run("pulse", now=tx.now)
            rows = tx.rows("counts")
            oldest = rows[0]["oldest"]
            waited = 0 if oldest is None else max(0, tx.now - oldest)
            return {**{row["state"]: row["n"] for row in rows}, "oldest": waited}

        sync = Sync.NOW if self._database.failing else Sync.WHENEVER
        return await self._database.transaction(work, sync=sync)
