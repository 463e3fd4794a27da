"""What Linux tells of its clock: when it is set, and whether something keeps it right."""

import asyncio
import ctypes
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
TIMEX: Final = 512  # octets, more than struct timex has on any machine
TIME_ERROR: Final = 5  # adjtimex(2): not synchronised
CLOCK_REALTIME: Final = 0
TFD_TIMER_CANCEL_ON_SET: Final = 3  # with TFD_TIMER_ABSTIME (timerfd_create(2))
NEVER: Final = 2**31 - 1  # seconds since 1970, and a time_t of 32 bits holds it


def steady() -> float:
    """Seconds that nobody sets, those that the machine slept among them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def synchronised() -> bool:
    """Whether the kernel was told, by NTP or the like, that its clock is right (adjtimex(2))."""
    state = int(_LIBC.adjtimex(ctypes.create_string_buffer(TIMEX)))  # modes 0: it only looks
    return 0 <= state < TIME_ERROR


@asynccontextmanager
async def clock_watched(changed: Callable[[], None]) -> AsyncIterator[None]:
    """Call ``changed`` whenever the system's clock is set, while the block runs; without polling.

    Where the kernel cannot tell, it is not called: whoever looks at the clock sees it then.
    """
    timer = _LIBC.timerfd_create(CLOCK_REALTIME, os.O_NONBLOCK | os.O_CLOEXEC)
    if timer < 0:
        yield
        return
    loop = asyncio.get_running_loop()

    def was_set() -> None:
        with suppress(OSError):  # ECANCELED: that is how it is told
            os.read(timer, 8)
        _arm(timer)
        changed()

    _arm(timer)
    loop.add_reader(timer, was_set)
    try:
        yield
    finally:
        loop.remove_reader(timer)
        os.close(timer)


def _arm(timer: int) -> None:
    """Let the timer run to a time that never comes: a clock that is set ends it."""
    never = (ctypes.c_long * 4)(0, 0, NEVER, 0)  # struct itimerspec: interval, then value
    _LIBC.timerfd_settime(timer, TFD_TIMER_CANCEL_ON_SET, never, None)
