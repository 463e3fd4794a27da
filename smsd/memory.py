"""Living in little memory: imported before aiohttp, it keeps out what a gateway has no use for."""

import contextlib
import ctypes
import gc
import html.entities
import mimetypes
from typing import Final

_ARENA_MAX: Final = -8  # of mallopt(3)
_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 128 * 1024  # octets; glibc's first choice, which it raises as it goes

# aiohttp reads the system's list of file types and Python's of 2,231 HTML entities when it is
# imported: 0.7 MB. No file is served here, and no HTML read.
mimetypes.knownfiles.clear()
html.entities.html5.clear()


def share_one_heap() -> None:
    """Have threads share the heap; call it before there are any. musl does so anyway.

    With an arena for each thread the daemon takes a megabyte more at rest; its threads hardly
    ever ask for memory at the same time.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def trim() -> None:
    """Return what is free on the heap to the system, where the C library can (glibc, musl not)."""
    gc.collect()  # most of what was imported has made its garbage
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def give_back_large_blocks() -> None:
    """Have large blocks go back to the system when they are freed, always (glibc).

    glibc puts them among the small ones once it has seen some, and there they stay: bodies of ten
    megabytes left eight behind.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)
