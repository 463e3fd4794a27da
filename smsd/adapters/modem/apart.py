"""Calls that may block for as long as a driver likes, in threads that may be left behind.

``open`` and ``close`` of a port whose device is dead can take the 30 s of the driver, or more.
Neither the loop nor the exit waits for them, and a device whose calls hang stops no other.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

T = TypeVar("T")

MOST: Final = 2  # calls left behind of one device: an open that hangs, and a close
_left: dict[str, set[threading.Thread]] = {}


class Stuck(Exception):
    """The call has not come back in time, or others to the same device have not."""


async def apart(
    device: str, work: Callable[[], T], seconds: float, late: Callable[[T], None] | None = None
) -> T:
    """The result of a call to a device in a thread of its own; raises what it raises, or `Stuck`.

    A result that nobody waits for any more is given to ``late``.
    """
    left = _left.setdefault(device, set())
    if len(left) >= MOST:
        raise Stuck(f"{len(left)} earlier calls to {device} still hang")
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Callable[[], T]] = loop.create_future()
    decided = threading.Lock()  # the first to take it decides whether the result is waited for

    def body() -> None:
        outcome: Callable[[], T]
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 it is the caller's, and raised there
            outcome = _raiser(error)
        else:
            outcome = lambda: result  # noqa: E731
        if decided.acquire(blocking=False):
            loop.call_soon_threadsafe(done.set_result, outcome)
        else:
            left.discard(threading.current_thread())
            _dispose(outcome, late)

    def leave() -> bool:
        left.add(thread)  # before it is decided: the thread takes itself off after that
        if decided.acquire(blocking=False):
            return True
        left.discard(thread)
        return False

    thread = threading.Thread(target=body, name="device", daemon=True)
    thread.start()
    try:
        await asyncio.wait([done], timeout=seconds)
    except asyncio.CancelledError:
        if not leave():
            done.add_done_callback(lambda future: _dispose(future.result(), late))
        raise
    if not done.done() and leave():
        raise Stuck(f"no return within {seconds:.0f} s")
    return (await done)()


def _raiser(error: Exception) -> Callable[[], NoReturn]:
    def outcome() -> NoReturn:
        raise error

    return outcome


def _dispose(outcome: Callable[[], T], late: Callable[[T], None] | None) -> None:
    try:
        result = outcome()
    except Exception:  # noqa: BLE001 nobody waits for it any more
        return
    if late is not None:
        late(result)
