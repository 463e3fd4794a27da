"""A loop whose clock jumps to the next timer when nothing is ready: an hour takes a millisecond."""

import asyncio
import selectors
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


THREAD_PATIENCE = 1.0  # real seconds that a device's thread has, once, before time goes on
TURN = 0.005  # real seconds


class _Selector(selectors.DefaultSelector):
    loop: "VirtualLoop"

    def __init__(self) -> None:
        super().__init__()
        self._waited: dict[threading.Thread, float] = {}

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.loop.wakes += 1
        ready = super().select(0)
        while not ready and timeout != 0 and self._threads_work():
            ready = super().select(TURN)
        if not ready and timeout is None:
            raise RuntimeError("deadlock: no timer and no I/O is pending")
        if not ready and timeout:
            self.loop.now += timeout
        return ready

    def _threads_work(self) -> bool:
        """Whether a call apart from the loop is at work: it is real, and as fast as the machine."""
        working = [thread for thread in threading.enumerate() if thread.name == "device"]
        self._waited = {thread: self._waited.get(thread, 0.0) + TURN for thread in working}
        return any(waited <= THREAD_PATIENCE for waited in self._waited.values())


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module; ``wall_clock`` is what the code under test takes for the time of day."""

    def __init__(self) -> None:
        selector = _Selector()
        super().__init__(selector)
        selector.loop, self.now = self, 0.0
        self.wakes = 0
        """How often the loop has turned."""

    def time(self) -> float:
        return self.now

    def wall_clock(self) -> datetime:
        return START + timedelta(seconds=self.now)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end under virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def now() -> datetime:
    """The virtual time of day, inside `run`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.wall_clock()
