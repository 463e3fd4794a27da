"""What must outlive a restart of the configuration: accounts, phones, PINs that were tried."""

import hashlib
from collections.abc import Sequence
from typing import Final

from smsd.model.phone import PhoneId
from smsd.store.database import Database, Transaction

LOCAL_ACCOUNT: Final = 0
"""The account of whoever the socket knows; it has no row and no key."""


class Registry:
    """Names with their ids, and what was tried on a SIM. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def account(self, name: str) -> int:
        """The id of an account, kept over restarts; made if it is new."""

        def work(tx: Transaction) -> int:
            known: int | None = tx.value("account", name=name)
            if known is not None:
                return known
            return int(tx.value("add account", name=name, now=tx.now))

        return await self._database.transaction(work)

    async def configure_phones(self, phones: Sequence[tuple[str, str, str, int]]) -> list[PhoneId]:
        """Make the phones that there are those of ``(name, adapter, adapter_data, priority)``.

        A name keeps its id, and so its queue and its use of limits; others stay for their history.
        """

        def work(tx: Transaction) -> list[PhoneId]:
            now, ids = tx.now, []
            tx.run("no phone is present")
            for name, adapter, data, priority in phones:
                values = {
                    "adapter": adapter,
                    "adapter_data": data,
                    "priority": priority,
                    "now": now,
                }
                known = tx.value("phone named", name=name)
                if known is None:
                    known = tx.value("add phone", name=name, **values)
                else:
                    tx.run("change phone", id=known, **values)
                ids.append(PhoneId(known))
            return ids

        return await self._database.transaction(work)

    async def disabled_phones(self) -> frozenset[int]:
        """The phones that a person has switched off."""
        return await self._database.transaction(
            lambda tx: frozenset(row["id"] for row in tx.rows("disabled phones"))
        )

    async def try_pin(self, sim: str, pin: str) -> bool:
        """Claim the one try of a PIN on a SIM; False if it was claimed before and not accepted."""
        return await self._database.transaction(
            lambda tx: (
                tx.value("try pin", sim=sim, digest=_digest(sim, pin), now=tx.now) is not None
            )
        )

    async def pin_accepted(self, sim: str, pin: str) -> None:
        """The SIM took the PIN: it may be entered again at the next start."""
        await self._database.transaction(
            lambda tx: tx.run("pin accepted", sim=sim, digest=_digest(sim, pin))
        )


def _digest(sim: str, pin: str) -> str:
    return hashlib.sha256(f"{sim}:{pin}".encode()).hexdigest()
