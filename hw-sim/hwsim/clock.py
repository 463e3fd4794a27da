"""Time for everything that waits: the event loop's, or one that tests move by hand."""

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

# The network's own zone: an offset other than 0, so that a lost one shows.
ZONE = timezone(timedelta(hours=1))


class Clock(Protocol):
    """What the simulator needs to know about time."""

    def time(self) -> float:
        """Give seconds since an arbitrary start, never going back."""

    def now(self) -> datetime:
        """Give the aware wall time."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        """Run `callback` once, `delay` seconds from now; it cannot be taken back."""


class LoopClock:
    """The time of an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def time(self) -> float:
        """See `Clock`."""
        return self._loop.time()

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(ZONE)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        """See `Clock`."""
        self._loop.call_later(delay, callback)


class ManualClock:
    """A time that stands still until `advance`; for tests."""

    def __init__(self) -> None:
        self._time = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def time(self) -> float:
        """See `Clock`."""
        return self._time

    def now(self) -> datetime:
        """See `Clock`."""
        start = datetime(2026, 1, 1, tzinfo=UTC)
        return (start + timedelta(seconds=self._time)).astimezone(ZONE)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        """See `Clock`; equal times run in the order of their calls."""
        self._count += 1
        heapq.heappush(self._due, (self._time + delay, self._count, callback))

    def advance(self, seconds: float) -> None:
        """Move on, running what falls due at its own moment."""
        end = self._time + seconds
        while self._due and self._due[0][0] <= end:
            self._time, _, callback = heapq.heappop(self._due)
            callback()
        self._time = end
