"""Notices that a client opens a terminal without looking again and again."""

import asyncio
import ctypes
import os
import struct
from collections.abc import Callable

_IN_OPEN = 0x20
_IN_CLOSE_WRITE = 0x08
_IN_IGNORED = 0x8000
# Where the kernel offers no inotify: how often closed ports are looked at.
LOOK_EVERY = 0.02
_HEAD = struct.Struct("iIII")


class OpenWatch:
    """One inotify descriptor for all terminals of a world."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._callbacks: dict[int, Callable[[], bool]] = {}
        self._by_path: dict[str, Callable[[], bool]] = {}
        self._descriptor = -1
        try:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, AttributeError):
            self._descriptor = -1
        if self._descriptor >= 0:
            loop.add_reader(self._descriptor, self._read)

    def watch(self, path: str, callback: Callable[[], bool]) -> None:
        """Call back at each opening of `path` until the file is gone."""
        self._by_path[path] = callback
        watch = -1
        if self._descriptor >= 0:
            watch = self._libc.inotify_add_watch(self._descriptor, path.encode(), _IN_OPEN)
        if watch >= 0:
            self._callbacks[watch] = callback
        else:
            self._look(callback)

    def written(self, path: str, callback: Callable[[], bool]) -> None:
        """Call back each time somebody has written to `path`, where the kernel tells."""
        if self._descriptor >= 0:
            watch = self._libc.inotify_add_watch(self._descriptor, path.encode(), _IN_CLOSE_WRITE)
            if watch >= 0:
                self._callbacks[watch] = callback

    def again(self, path: str) -> None:
        """Look now, and where nothing tells of openings go on looking."""
        callback = self._by_path[path]
        if self._descriptor < 0:
            self._look(callback)
        else:
            callback()

    def _look(self, callback: Callable[[], bool]) -> None:
        if not callback():
            self._loop.call_later(LOOK_EVERY, self._look, callback)

    def _read(self) -> None:
        try:
            octets = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return
        place = 0
        while place + _HEAD.size <= len(octets):
            watch, mask, _, size = _HEAD.unpack_from(octets, place)
            place += _HEAD.size + size
            if mask & _IN_IGNORED:
                self._callbacks.pop(watch, None)
            elif watch in self._callbacks:
                self._callbacks[watch]()

    def close(self) -> None:
        """Stop watching."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
