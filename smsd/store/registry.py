"""What must outlive a restart of the configuration: accounts, phones, PINs that were tried."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import chain, count
from typing import Final

from smsd.model.phone import PhoneId
from smsd.store.database import Database, Transaction, moment

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

    async def configure_phones(
        self,
        phones: Sequence[tuple[str, str, str, int]],
        imeis: Mapping[str, str] | None = None,
    ) -> list[PhoneId]:
        """Make the phones that there are those of ``(name, adapter, adapter_data, priority)``.

        A name keeps its id, and so its queue and its use of limits; others stay for their history.
        A new name with an IMEI (``imeis``, by name) takes over the phone that had that modem.
        """
        names = {phone[0] for phone in phones}

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
                imei = (imeis or {}).get(name)
                known = tx.value("phone named", name=name)
                if known is None and imei is not None:
                    before = tx.rows("phone of modem", imei=imei)
                    known = next((row["id"] for row in before if row["name"] not in names), None)
                    if known is not None:
                        tx.run("rename phone", id=known, name=name)
                if known is None:
                    known = tx.value("add phone", name=name, **values)
                else:
                    tx.run("change phone", id=known, **values)
                ids.append(PhoneId(known))
            return ids

        return await self._database.transaction(work)

    async def configure_prefixes(self, prefixes: Collection[str]) -> None:
        """The prefixes of numbers that are routed; what waits is routed anew if they are others."""
        wanted = sorted(set(prefixes))

        def work(tx: Transaction) -> None:
            if [row["prefix"] for row in tx.rows("prefixes")] == wanted:
                return
            tx.run("forget prefixes")
            tx.run_many("add prefix", ({"prefix": prefix} for prefix in wanted))
            tx.run("route anew")

        await self._database.transaction(work)

    async def adopt_phone(
        self, names: Sequence[str], imei: str | None, adapter_data: str, taken: Collection[int]
    ) -> tuple[PhoneId, str]:
        """The phone of a modem that nobody has configured: its id and name.

        It is the one that was known under the IMEI, unless that is ``taken`` by a phone at work;
        else a new one, by the first of the names that is free. Without an IMEI the first name is
        all that it is known by.
        """

        def work(tx: Transaction) -> tuple[PhoneId, str]:
            values = {
                "adapter": "modem",
                "adapter_data": adapter_data,
                "priority": 0,
                "now": tx.now,
            }
            if imei is not None:
                known = tx.rows("phone of modem", imei=imei)
            else:
                known = tx.rows("phone named", name=names[0])
            for row in known:
                if row["id"] not in taken:
                    id_, name = int(row["id"]), str(row["name"])
                    tx.run("change phone", id=id_, **values)
                    break
            else:
                more = (f"{names[-1]}-{number}" for number in count(2))
                name = next(n for n in chain(names, more) if not tx.rows("phone named", name=n))
                id_ = int(tx.value("add phone", name=name, **values))
            if imei is not None:
                _remember(tx, id_, imei)
            return PhoneId(id_), name

        return await self._database.transaction(work)

    async def found_phones(self, since: datetime) -> list[tuple[PhoneId, str, str]]:
        """The phones of modems that nobody has configured, seen since then: id, name and IMEI.

        Call it after `configure_phones`; they count as present from now on.
        """

        def work(tx: Transaction) -> list[tuple[PhoneId, str, str]]:
            rows = tx.rows("found phones", since=int(since.timestamp() * 1000))
            for row in rows:
                tx.run("phone is present", id=row["id"])
            return [(PhoneId(row["id"]), row["name"], row["imei"]) for row in rows]

        return await self._database.transaction(work)

    async def remember_modem(self, phone: PhoneId, imei: str) -> None:
        """The phone has that modem now, and no other phone has."""
        await self._database.transaction(lambda tx: _remember(tx, phone, imei))

    async def disabled_phones(self) -> frozenset[int]:
        """The phones that a person has switched off."""
        return await self._database.transaction(
            lambda tx: frozenset(row["id"] for row in tx.rows("disabled phones"))
        )

    async def resend_after(self, spans: Mapping[PhoneId, float | None]) -> None:
        """Keep after how many seconds what a phone left in doubt is sent again; ``None``: never."""

        def work(tx: Transaction) -> None:
            for phone, seconds in spans.items():
                after = None if seconds is None else round(seconds * 1000)
                tx.run("resend after", id=phone, after=after)
            tx.run("hold doubts")

        await self._database.transaction(work)

    async def newest_time(self) -> datetime | None:
        """The newest time that is known to have been, ``None`` in a new database."""

        def work(tx: Transaction) -> datetime | None:
            newest = max(tx.value("newest event") or 0, tx.value("pulse at") or 0)
            return moment(newest) if newest else None

        return await self._database.transaction(work)

    async def note_time(self) -> None:
        """Keep that it is so late now."""
        await self._database.transaction(lambda tx: tx.run("pulse", now=tx.now))

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


def _remember(tx: Transaction, phone: int, imei: str) -> None:
    tx.run("modem is no other phone's", id=phone, imei=imei)
    tx.run("phone has modem", id=phone, imei=imei, now=tx.now)


def _digest(sim: str, pin: str) -> str:
    return hashlib.sha256(f"{sim}:{pin}".encode()).hexdigest()
