"""What has happened is stored, however long the disk takes to come back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from smsd.logs import fields
from smsd.store.database import StoreUnavailable

T = TypeVar("T")

log: Final = logging.getLogger(__name__)

STORE_PAUSE: Final = 5.0  # seconds between tries while nothing can be stored


async def persist(change: Callable[[], Awaitable[T]]) -> T:
    """Store what has happened on the wire: it cannot be taken back, nor asked for again."""
    while True:
        try:
            return await change()
        except StoreUnavailable as error:
            log.error("waiting for the store", extra=fields(error=str(error)))
            await asyncio.sleep(STORE_PAUSE)
