"""What is left on a phone's account: asked of the network from time to time, read by a pattern.

Below the amount that counts as low the phone is ``no_credit`` until a later balance says
otherwise. A reply that cannot be read changes nothing: an operator may have new words for it.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from smsd.adapters.abilities import AsksNetwork
from smsd.adapters.contract import PhoneError
from smsd.dispatch.phones import Phone, Phones
from smsd.logs import fields
from smsd.model.phone import BalanceRule, Health, PhoneId

log: Final = logging.getLogger(__name__)

LOOK_EVERY: Final = 5.0  # seconds between looks for a phone whose balance is due
AGAIN_AFTER: Final = timedelta(minutes=15)  # where the network did not answer
PATIENCE: Final = timedelta(minutes=10)  # that a phone with messages on hand is let alone
LONGEST_SHOWN: Final = 200  # characters of the reply in the phone's facts


class Balances:
    """Asks for every phone's balance when it is due."""

    def __init__(self, phones: Phones, now: Callable[[], datetime]) -> None:
        self._phones = phones
        self._now = now
        self._due: dict[PhoneId, datetime] = {}
        self._asking: set[PhoneId] = set()

    async def run(self) -> None:
        """Ask until cancelled; a phone that does not answer holds up no other."""
        async with asyncio.TaskGroup() as group:
            while True:
                for phone in self._phones.all():
                    rule = phone.record.balance
                    if rule is not None and self._may_be_asked(phone):
                        self._asking.add(phone.record.id)
                        group.create_task(self._ask(phone, rule))
                await asyncio.sleep(LOOK_EVERY)

    def _may_be_asked(self, phone: Phone) -> bool:
        now = self._now()
        due = self._due.setdefault(phone.record.id, now)
        there = phone.health is Health.AVAILABLE and not phone.disabled
        # Some 2G modems cannot do both; a phone that always sends must be asked all the same.
        free = not phone.busy or now > due + PATIENCE
        return due <= now and there and free and phone.record.id not in self._asking

    async def _ask(self, phone: Phone, rule: BalanceRule) -> None:
        again = timedelta(seconds=rule.every)
        try:
            await self._read(phone, rule)
        except PhoneError as error:
            again = min(again, AGAIN_AFTER)
            phone.facts["balance_error"] = str(error)
            log.warning(
                "the balance cannot be asked for",
                extra=fields(phone=phone.record.name, reason=str(error)),
            )
        except Exception:  # what cannot be foreseen ends neither the daemon nor this watch
            again = min(again, AGAIN_AFTER)
            log.exception("the balance was not read", extra=fields(phone=phone.record.name))
        finally:
            self._asking.discard(phone.record.id)
            self._due[phone.record.id] = self._now() + again

    async def _read(self, phone: Phone, rule: BalanceRule) -> None:
        if not isinstance(phone.adapter, AsksNetwork):
            raise AssertionError("only a phone that can ask has a rule")
        reply = await phone.adapter.ussd(rule.ussd)
        if reply.status == "answer_wanted":
            await phone.adapter.ussd_cancel()
        phone.facts["balance_reply"] = reply.text[:LONGEST_SHOWN]
        figure = read(reply.text, rule.pattern)
        if figure is None:
            phone.facts["balance_error"] = "the reply does not match balance.pattern"
            log.warning(
                "the reply does not match the pattern of the balance",
                extra=fields(phone=phone.record.name, status=reply.status, length=len(reply.text)),
            )
            return
        at = self._now().isoformat(timespec="seconds")
        phone.facts.update(balance=figure, balance_at=at, balance_error=None)
        low = rule.low is not None and figure < rule.low
        words = f"the balance is {figure:g}, below {rule.low:g}" if low and rule.low else ""
        if self._phones.set_credit(phone, words if low else None):
            log.log(
                logging.WARNING if low else logging.INFO,
                "phone has no credit" if low else "phone has credit again",
                extra=fields(phone=phone.record.name, balance=figure, low=rule.low),
            )


def read(text: str, pattern: str) -> float | None:
    """The number in the pattern's first group; ``None`` if it does not match, or it is none."""
    match = re.search(pattern, text, re.IGNORECASE | re.DOTALL)
    return number(match[1]) if match and match[1] else None


def number(written: str) -> float | None:
    """A number as people write it: the last of point and comma is the decimal sign.

    One that comes more than once groups thousands, as blanks and apostrophes do.
    """
    plain = re.sub(r"[\s'’\u00a0]", "", written)
    last = max(plain.rfind("."), plain.rfind(","))
    if last >= 0 and plain.count(plain[last]) == 1:
        whole, fraction = plain[:last], plain[last + 1 :]
    else:
        whole, fraction = plain, ""
    whole = re.sub("[.,]", "", whole)
    if not re.fullmatch(r"[+-]?[0-9]*", whole) or not re.fullmatch("[0-9]*", fraction):
        return None
    return float(f"{whole or '0'}.{fraction or '0'}") if whole.strip("+-") or fraction else None
