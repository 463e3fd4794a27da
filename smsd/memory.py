"""Giving back the memory that only starting took, or a large request."""

import contextlib
import ctypes
from typing import Final

_M_MMAP_THRESHOLD: Final = -3  # malloc.h
_LARGE: Final = 128 * 1024  # octets; glibc's first choice, which it raises as it goes


def trim() -> None:
    """Return what is free on the heap to the system, where the C library can (glibc, musl not)."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def give_back_large_blocks() -> None:
    """Have large blocks go back to the system when they are freed, always (glibc).

    glibc puts them among the small ones once it has seen some, and there they stay: bodies of ten
    megabytes left eight behind.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
