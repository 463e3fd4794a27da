"""Once a day what is older than it is to be kept is forgotten, in small steps that stop nobody."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from smsd.dispatch.phones import Phones
from smsd.logs import fields
from smsd.model.message import Guard
from smsd.store.database import StoreUnavailable
from smsd.store.store import Store

log: Final = logging.getLogger(__name__)

FIRST: Final = 600.0  # seconds after the start, which has enough to do
EVERY: Final = 86_400.0  # seconds between two rounds
PAUSE: Final = 0.1  # seconds between two steps while no phone sends
PATIENCE: Final = 2.0  # seconds between them while one does


class Keeping:
    """``periods``: how long each kind of `smsd.store.retention.DEPENDENT` is kept.

    ``guards`` count messages, as the limits of phones count parts: none goes that either needs.
    ``unanswered``: how long at most a rule gives nobody its answer again; what was given stays.
    ``sure`` tells whether ``now`` is certain enough (`Clock.sure`): else nothing goes.
    """

    def __init__(
        self,
        store: Store,
        phones: Phones,
        now: Callable[[], datetime],
        periods: Mapping[str, timedelta],
        guards: Sequence[Guard] = (),
        sure: Callable[[], bool] = lambda: True,
        unanswered: timedelta = timedelta(),
    ) -> None:
        self._store = store
        self._phones = phones
        self._now = now
        self._periods = periods
        self._guards = guards
        self._sure = sure
        self._unanswered = unanswered
        self._reached: dict[str, int] = {}

    async def run(self) -> None:
        """A round a day."""
        pause = FIRST
        while True:
            await asyncio.sleep(pause)
            pause = EVERY
            try:
                forgotten = await self.round()
            except StoreUnavailable as error:
                log.error("nothing can be stored", extra=fields(error=str(error)))
                continue
            if any(forgotten.values()):
                log.info("what was old is forgotten", extra=fields(**forgotten))

    async def round(self) -> dict[str, int]:
        """Forget all that is old enough; how many rows of each kind it was."""
        if not self._sure():
            log.warning("nothing is forgotten: the clock is far ahead of when smsd last ran")
            return {}
        await self._store.retention.forget_keys()
        return {kind: await self._forget(kind, period) for kind, period in self._periods.items()}

    async def _forget(self, kind: str, period: timedelta) -> int:
        forgotten, after = 0, self._reached.get(kind, 0)
        now = self._now()
        before = now - period
        if kind == "message":
            before = min((before, *(guard.since(now) for guard in self._guards)))
        while True:
            swept = await self._store.retention.forget(
                kind, before, self._counted(), after, answered=now - self._unanswered
            )
            forgotten += swept.forgotten
            if swept.after is None:
                return forgotten
            after = swept.after
            if kind == "event":
                # Those of messages stay, and would be seen again every day.
                self._reached[kind] = after
            busy = any(phone.busy for phone in self._phones.all())
            await asyncio.sleep(PATIENCE if busy else PAUSE)

    def _counted(self) -> datetime:
        """Since when parts are counted by the longest window of any limit."""
        counts = self._phones.counts().values()
        return min((count.since for limits in counts for count in limits), default=self._now())
