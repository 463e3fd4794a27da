"""What bars a phone outlives a restart: each change is kept as it comes."""

import asyncio
from functools import partial

from smsd.dispatch.persist import persist
from smsd.dispatch.phones import Phone, Phones
from smsd.store.store import Store


async def keep_bars(phones: Phones, store: Store) -> None:
    """Keep every change until cancelled. One that a crash forgets is found out anew by sending."""
    told: asyncio.Queue[Phone] = asyncio.Queue()
    phones.barred = told.put_nowait
    while True:
        phone = await told.get()
        await persist(partial(store.bars.keep, phone.record.id, phone.bars))
