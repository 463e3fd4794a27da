"""What bars phones, kept over a restart."""

from collections.abc import Mapping

from smsd.model.phone import Bar, BarKind, Health, PhoneId
from smsd.store.database import Database, Transaction, milliseconds, moment

Bars = Mapping[BarKind, Bar]


class BarLog:
    """The bars of every phone. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, phone: PhoneId, bars: Bars) -> None:
        """These bars a phone has now, and no others."""

        def work(tx: Transaction) -> None:
            tx.run("lift bars", phone=phone)
            tx.run_many(
                "add bar",
                (
                    {
                        "phone": phone,
                        "kind": kind,
                        "health": bar.health,
                        "words": bar.words,
                        "hint": bar.hint,
                        "since": milliseconds(bar.since),
                        "until": None if bar.until is None else milliseconds(bar.until),
                        "openings": bar.openings,
                    }
                    for kind, bar in bars.items()
                ),
            )

        await self._database.transaction(work)

    async def all(self) -> dict[PhoneId, dict[BarKind, Bar]]:
        """Every phone's bars, those that are over too."""

        def work(tx: Transaction) -> dict[PhoneId, dict[BarKind, Bar]]:
            found: dict[PhoneId, dict[BarKind, Bar]] = {}
            for row in tx.rows("bars"):
                bar = Bar(
                    Health(row["health"]),
                    row["words"],
                    row["hint"],
                    moment(row["since"]),
                    None if row["until"] is None else moment(row["until"]),
                    row["openings"],
                )
                found.setdefault(PhoneId(row["phone_id"]), {})[BarKind(row["kind"])] = bar
            return found

        return await self._database.transaction(work)
