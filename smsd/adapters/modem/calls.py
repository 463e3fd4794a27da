"""Calls that come in: told with their number, and rejected, so that the stick is free again.

A stick that rings or is in a call takes no messages. What ends a call differs from maker to
maker and may be lost, so it also counts as over when nothing has been heard of it for a minute.
"""

import asyncio
import secrets
from enum import StrEnum
from typing import Final

from smsd.adapters.contract import Sink
from smsd.adapters.modem.port import Gone, Port
from smsd.adapters.modem.setup import accepted
from smsd.at import commands
from smsd.at.urcs import CallEnded, CallerLine, Ring
from smsd.model.events import CallBegan
from smsd.model.events import CallEnded as Over

NUMBER_WITHIN: Final = 2.0  # seconds after the first ring; then it counts as withheld
NUMBER_AFTER_RING: Final = 0.3  # seconds after the second ring, for modems that tell it there
CLEARED_AFTER: Final = 60.0  # seconds without a sign of the call
RUNG_OFF_AFTER: Final = 10.0  # the same once the modem hung up: it would ring again every five
# +CHUP ends every call; ATH and +CHLD=0 (busy to a call that waits, 22.030 6.5.5.1) are for modems
# that lack it. +CHLD=1 would take the call; 1x kills some Huawei before ^CONF (chan_dongle's bugs).
HANG_UP: Final = ("AT+CHUP", "ATH", "AT+CHLD=0")
HANG_UP_TIMEOUT: Final = 5.0  # seconds

Sign = Ring | CallerLine | CallEnded


class Calls(StrEnum):
    """What becomes of a call."""

    REJECT = "reject"
    IGNORE = "ignore"


class CallDesk:
    """Minds the calls of one modem; its task alone acts, `told` only leaves word."""

    def __init__(self, calls: Calls = Calls.REJECT) -> None:
        self._calls = calls
        self._signs: asyncio.Queue[Sign] = asyncio.Queue()
        self._going_on: str | None = None

    def told(self, sign: Sign) -> None:
        """A line of the modem's speaks of a call."""
        self._signs.put_nowait(sign)

    async def run(self, port: Port, sink: Sink) -> None:
        """Mind calls until cancelled; what an earlier opening left says nothing any more."""
        self._signs = asyncio.Queue()
        await self._end(sink)
        while True:
            sign = await self._signs.get()
            while isinstance(sign, Ring | CallerLine):
                again = await self._one(port, sink, sign)
                if again is None:
                    break
                sign = again

    async def _one(self, port: Port, sink: Sink, first: Ring | CallerLine) -> CallerLine | None:
        """One call to its end; returns the sign of the call that begins in its place, if any."""
        number, ended = await self._caller(first)
        key = self._going_on = f"call-{secrets.token_hex(8)}"
        await sink.called(CallBegan(key, number))
        following = None if ended else await self._until_over(port, sink, CallBegan(key, number))
        await self._end(sink)
        return following

    async def _end(self, sink: Sink) -> None:
        """Tell the end of the call, if one is going on, be it one of an earlier opening."""
        key, self._going_on = self._going_on, None
        if key is not None:
            await sink.call_ended(Over(key))

    async def _caller(self, first: Ring | CallerLine) -> tuple[str, bool]:
        """The number, empty if none is told in time, and whether the call is over already."""
        if isinstance(first, CallerLine):
            return first.number, False
        rings = 1
        try:
            async with asyncio.timeout(NUMBER_WITHIN) as limit:
                while True:
                    sign = await self._signs.get()
                    if isinstance(sign, CallerLine):
                        return sign.number, False
                    if isinstance(sign, CallEnded):
                        return "", True
                    rings += 1
                    if rings == 2:
                        limit.reschedule(asyncio.get_running_loop().time() + NUMBER_AFTER_RING)
        except TimeoutError:
            return "", False

    async def _until_over(self, port: Port, sink: Sink, call: CallBegan) -> CallerLine | None:
        """Hang up, again with every ring, until the call is over or another one begins."""
        ringing, patience = True, CLEARED_AFTER
        while True:
            if ringing and self._calls is Calls.REJECT:
                patience = RUNG_OFF_AFTER if await _hang_up(port) else CLEARED_AFTER
            try:
                async with asyncio.timeout(patience):
                    sign = await self._signs.get()
            except TimeoutError:
                return None
            if isinstance(sign, CallEnded):
                return None
            ringing = isinstance(sign, Ring)
            if isinstance(sign, CallerLine) and sign.number not in ("", call.number):
                if call.number:
                    return sign  # the end of the other one was not told
                call = CallBegan(call.key, sign.number)  # the number came late
                await sink.called(call)


async def _hang_up(port: Port) -> bool:
    """Try what there is, one after the other; the port may be busy with a part meanwhile."""
    for line in HANG_UP:
        try:
            if await accepted(port, commands.setting(line, timeout=HANG_UP_TIMEOUT)):
                return True
        except Gone:
            break  # the port's own life ends the call's
    return False
