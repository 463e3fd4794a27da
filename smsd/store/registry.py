"""What must outlive a restart of the configuration: accounts, phones, PINs that were tried."""

import hashlib
from collections.abc import Sequence
from typing import Final

from smsd.model.phone import PhoneId
from smsd.store.database import Database, Transaction

ALL_TRIES: Final = 3  # of a PIN (11.11 9.2.9)
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

    async def claim_pin(self, sim: str, pin: str, tries: int | None) -> bool:
        """Claim the one try of a PIN on a SIM; False if it was refused, or claimed and not settled.

        A claim without an end (we were killed) may be made again where the SIM has all its tries.
        A SIM that refused one PIN and does not tell what it has left gets no other.
        """

        def work(tx: Transaction) -> bool:
            digest = _digest(sim, pin)
            before = tx.row("pin attempt", sim=sim, digest=digest)
            if before is not None:
                return not before["refused"] and tries is not None and tries >= ALL_TRIES
            if tries is None and tx.value("pins refused", sim=sim):
                return False
            tx.run("claim pin", sim=sim, digest=digest, now=tx.now)
            return True

        return await self._database.transaction(work)

    async def settle_pin(self, sim: str, pin: str, *, refused: bool) -> None:
        """The SIM refused the PIN, for good; or it took it, and may be given it again."""
        query = "pin refused" if refused else "forget pin"
        await self._database.transaction(
            lambda tx: tx.run(query, sim=sim, digest=_digest(sim, pin))
        )

    async def recall(self, key: str) -> str | None:
        """What was learnt of a kind of modem, ``None`` if nothing was."""
        found: str | None = await self._database.transaction(lambda tx: tx.value("recall", key=key))
        return found

    async def remember(self, key: str, value: str) -> None:
        """Keep what was learnt; later knowledge takes the place of earlier."""
        await self._database.transaction(
            lambda tx: tx.run("remember", key=key, value=value, now=tx.now)
        )


def _digest(sim: str, pin: str) -> str:
    return hashlib.sha256(f"{sim}:{pin}".encode()).hexdigest()
