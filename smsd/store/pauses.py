"""What sends nothing until it is resumed: everything, or a phone."""

from typing import Final

from smsd.store.database import Database, Transaction

EVERYTHING: Final = 0
"""Stands for all phones, those that come later among them."""


class Pauses:
    """Kept over restarts. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> frozenset[int]:
        """The phones that are paused, `EVERYTHING` among them if all are."""
        return await self._database.transaction(
            lambda tx: frozenset(row["phone_id"] for row in tx.rows("pauses"))
        )

    async def pause(self, phone: int, who: str) -> None:
        """Pause a phone, or `EVERYTHING`; one that is paused stays so."""
        await self._database.transaction(
            lambda tx: tx.run("pause", phone=phone, account=who, now=tx.now)
        )

    async def resume(self, phone: int) -> None:
        """End a phone's pause; of `EVERYTHING`: all pauses, for then everything is to leave."""

        def work(tx: Transaction) -> None:
            if phone == EVERYTHING:
                tx.run("resume all")
            else:
                tx.run("resume", phone=phone)

        await self._database.transaction(work)
