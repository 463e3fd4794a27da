"""Living in little memory: one heap for all threads, and giving back what only starting took."""

import contextlib
import ctypes
from typing import Final

_ARENA_MAX: Final = -8  # of mallopt(3)


def share_one_heap() -> None:
    """Have threads share the heap; call it before there are any. musl does so anyway.

    With an arena for each thread the daemon takes a megabyte more at rest; its threads hardly
    ever ask for memory at the same time.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def trim() -> None:
    """Return what is free on the heap to the system, where the C library can (glibc, musl not)."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
