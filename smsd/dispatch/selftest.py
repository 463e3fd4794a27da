"""Whether a phone that hears nothing is deaf: a message to its own number, now and then.

A modem may be registered, with signal, and receive nothing for days. Only a message that comes in
proves the contrary; where none has for long, the phone sends one to itself.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

from smsd.dispatch.gateway import Gateway
from smsd.dispatch.phones import Phone
from smsd.logs import fields
from smsd.model.message import Draft, FaultClass, State
from smsd.model.phone import Health
from smsd.store.database import StoreUnavailable
from smsd.store.registry import LOCAL_ACCOUNT

log: Final = logging.getLogger(__name__)

TAG: Final = "smsd-selftest"
VALIDITY: Final = 300  # seconds: the shortest there is (23.040 9.2.3.12.1)
ARRIVES: Final = 300.0  # seconds that such a message may take: no shorter, or it comes all the same
KNOWN_FOR: Final = 86_400.0  # seconds that one which comes late is known as ours
AGAIN: Final = 60.0  # seconds after a step that should have helped
UNABLE: Final = 600.0  # seconds until a phone that cannot send is looked at again
MOST_IN_A_ROW: Final = 4  # tests that fail, after which they are only made at the usual interval


class SelfTest:
    """Watches phones; each is a task of its own, for a test takes minutes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def watch(self, phone: Phone) -> None:
        """Test a phone for ever; returns at once where it has no number or no interval."""
        number, interval = phone.record.number, phone.record.selftest_interval
        if number is None or not interval:
            return
        failures = 0
        phone.heard_at = max(phone.heard_at, asyncio.get_running_loop().time())
        while True:
            try:
                failures = await self._round(phone, number, interval, failures)
            except Exception as error:  # a test that goes wrong is no reason to end the daemon
                log.error(
                    "the phone could not be tested",
                    extra=fields(phone=phone.record.name, error=str(error)),
                    exc_info=not isinstance(error, StoreUnavailable),
                )
                await asyncio.sleep(UNABLE)

    async def _round(self, phone: Phone, number: str, interval: float, failures: int) -> int:
        """Wait until a test is due, and make it; returns how many in a row failed by now."""
        await self._nothing_comes(phone, interval)
        heard = await self._hears(phone, number) if await self._able(phone) else None
        if heard is None:
            await asyncio.sleep(UNABLE)
            return failures
        if heard:
            return 0
        failures += 1
        log.warning(
            "the phone did not receive its own message",
            extra=fields(phone=phone.record.name, times=failures),
        )
        await phone.adapter.distrust()
        await asyncio.sleep(AGAIN if failures < MOST_IN_A_ROW else interval)
        return failures

    async def _nothing_comes(self, phone: Phone, interval: float) -> None:
        """Wait until nothing has come in for so many seconds."""
        loop = asyncio.get_running_loop()
        while (left := phone.heard_at + interval - loop.time()) > 0:  # noqa: ASYNC110 it moves
            await asyncio.sleep(left)

    async def _able(self, phone: Phone) -> bool:
        """Whether the phone itself may send now: not without credit, over a limit, or held."""
        if self._gateway.held(phone):
            return False
        statuses = await self._gateway.statuses()
        return statuses.get(int(phone.record.id)) == Health.AVAILABLE

    async def _hears(self, phone: Phone, number: str) -> bool | None:
        """Send the message; False if it went and did not come, ``None`` if it did not go."""
        began = asyncio.get_running_loop().time()
        text = f"smsd self-test {secrets.token_hex(4)}"
        known = {old: until for old, until in phone.expects.items() if until > began}
        phone.expects = known | {text: began + KNOWN_FOR}
        draft = Draft(
            text,
            ((number, "[]"),),
            1,
            phone=int(phone.record.id),
            tag=TAG,
            validity=VALIDITY,
        )
        accepted = await self._gateway.accept(LOCAL_ACCOUNT, draft, None)
        await asyncio.sleep(ARRIVES)
        if phone.heard_at >= began:
            return True
        rows = await self._gateway.store.views.page(
            "message", account=None, scheduled=accepted.id, state=None
        )
        return False if any(_proves(row) for row in rows) else None


def _proves(row: Mapping[str, Any]) -> bool:
    """Whether a test that was not heard speaks against the phone.

    It went; or the phone itself refused it again and again for a while, and for no reason but one
    that ought to pass: one that does not send at all hears as little.
    """
    if row["state"] == State.FAILED:
        return row["fault_class"] in (FaultClass.RETRY, FaultClass.MODEM)
    return row["state"] in (State.SENT, State.DELIVERED)
