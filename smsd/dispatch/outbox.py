"""Out with the messages: one task decides, and one sends for each message that a phone has taken.

A message is claimed only for a phone that is idle, so there is no queue in memory: priorities
hold, a crash loses nothing, and a slow phone holds up nobody but itself.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import Final

from smsd.adapters.contract import (
    Declined,
    PhoneError,
    PhoneLost,
    Rejected,
    Submission,
    Throttled,
    Unavailable,
    Uncertain,
)
from smsd.adapters.supervisor import send
from smsd.dispatch.clock import Clock
from smsd.dispatch.hours import choose
from smsd.dispatch.persist import STORE_PAUSE, persist
from smsd.dispatch.phones import Phone, Phones
from smsd.logs import PHONE, fields, short
from smsd.model.message import Claim, Fault, FaultClass
from smsd.model.phone import Health
from smsd.store.database import Conflict, StoreUnavailable
from smsd.store.store import Store

log: Final = logging.getLogger(__name__)

LONGEST_PATIENCE: Final = 30  # times the first pause between attempts
AFTER_LOSS: Final = 5.0  # seconds before a message that a lost phone gave back is looked at again
LAST_ANSWER: Final = (
    600.0  # seconds after a message's validity in which a phone must be done with it
)


class Outbox:
    """Decides and sends. `wake` says that something may be due or a phone may be free."""

    def __init__(
        self,
        store: Store,
        phones: Phones,
        clock: Clock,
        *,
        paused: bool = False,
    ) -> None:
        self._store = store
        self._phones = phones
        self.clock = clock
        self._now = clock.now
        self.paused = paused
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look again now."""
        self._woken.set()

    def stop(self) -> None:
        """Claim nothing more; `run` ends once what is on the wire has been answered."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Decide and send until stopped."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._woken.clear()
                nap = await self._decide(group)
                if nap > 0:
                    try:
                        async with asyncio.timeout(nap if nap < inf else None):
                            await self._woken.wait()
                    except TimeoutError:
                        pass

    async def _decide(self, group: asyncio.TaskGroup) -> float:
        """Claim what can be claimed; returns how many seconds nothing more can be due."""
        try:
            await self._mind_the_clock()
            claims, due = await self._store.outgoing.claim(
                () if self.paused else self._phones.standings(),
                self._phones.counts(),
                lambda message, candidates: choose(
                    message, candidates, self._now(), self._phones.zone
                ),
            )
            for claim in claims:
                phone = self._phones[claim.phone]
                phone.busy += 1
                group.create_task(self._send(phone, claim, group), name=f"send-{claim.message}")
        except StoreUnavailable as error:
            log.error("nothing can be stored, so nothing is sent", extra=fields(error=str(error)))
            return STORE_PAUSE
        now = self._now()
        moments = [due, self.clock.look_again, *self._phones.bars_end(now)]
        return min(
            [max((m - now).total_seconds(), 0.001) for m in moments if m is not None],
            default=inf,
        )

    async def _mind_the_clock(self) -> None:
        """What waits must not pay for a clock that is set."""
        before = self.clock.doubt
        step = self.clock.mind()
        if step is not None:
            try:
                began, adopt = self.clock.began, lambda: self.clock.adopt(step)
                await self._store.outgoing.shift(step, began, adopt)
            except StoreUnavailable:
                self.clock.take_back()
                raise
            self._phones.shift(step)
            log.warning("the clock was set", extra=fields(seconds=round(step.total_seconds())))
        elif before is None and self.clock.doubt is not None:
            log.warning("the clock is not believed", extra=fields(reason=self.clock.doubt))

    async def _send(self, phone: Phone, claim: Claim, group: asyncio.TaskGroup) -> None:
        PHONE.set(phone.record.name)
        left = (claim.expires_at - self._now()).total_seconds()
        ends = asyncio.get_running_loop().time() + left
        steps = Steps(self._store, claim, lambda: self._stopping, ends, group)
        try:
            await self._attempt(phone, claim, steps, left)
        finally:
            # Free before the last answer is on the disk: the store keeps the order of what it does.
            phone.busy -= 1
            self._woken.set()
            await steps.noted()
        if steps.went:
            log.info(
                "message sent",
                extra=fields(
                    message=claim.message,
                    phone=phone.record.name,
                    to=short(claim.destination),
                    parts=steps.completed,
                ),
            )

    async def _attempt(self, phone: Phone, claim: Claim, steps: "Steps", left: float) -> None:
        try:
            async with asyncio.timeout(left + LAST_ANSWER):
                await send(phone.adapter, self._submission(phone, claim, left), steps)
            steps.check()
        except TimeoutError:
            words = "the phone came to no end with it within the message's validity"
            await self._failed(phone, claim, PhoneLost(Fault(FaultClass.AMBIGUOUS, words)), steps)
        except PhoneError as error:
            self._count_failure(phone, claim, error)
            await self._failed(phone, claim, error, steps)
        except Conflict:
            log.info("message is no longer to be sent", extra=fields(message=claim.message))
        except StoreUnavailable as error:
            # The part that could not be recorded has not left: `begin` comes before the wire.
            fault = Fault(FaultClass.RETRY, f"nothing could be stored: {error}")
            await self._failed(phone, claim, Throttled(fault, retry_after=STORE_PAUSE), steps)
        else:
            self._phones.succeeded(phone)

    def _submission(self, phone: Phone, claim: Claim, left: float) -> Submission:
        """For a network that tries for ``left`` seconds, or as long as the phone allows."""
        if phone.record.validity is not None:
            left = min(left, phone.record.validity)
        return Submission(
            message=claim.message,
            attempt=claim.attempt,
            destination=claim.destination,
            text=claim.text,
            flash=claim.flash,
            validity=max(5, round(left / 60)),
            taken=claim.sent_parts,
        )

    def _count_failure(self, phone: Phone, claim: Claim, error: PhoneError) -> None:
        """Let the phone's breaker know; what is the message's fault, or our end, tells nothing."""
        if self._stopping or isinstance(error, Rejected | Declined):
            return
        if isinstance(error, Unavailable) and error.health is not Health.UNAVAILABLE:
            return  # its operator's verdict, which has a time of its own
        words, by_itself = error.fault.words, isinstance(error, Unavailable)
        if self._phones.failed(phone, claim.message, words, by_itself=by_itself):
            log.warning(
                "phone is left alone for a time: sending by it fails again and again",
                extra=fields(
                    phone=phone.record.name, until=phone.breaker.until, times=phone.breaker.openings
                ),
            )

    async def _failed(self, phone: Phone, claim: Claim, error: PhoneError, steps: "Steps") -> None:
        """Do what the error's class asks for; a part in doubt is never given to anybody again."""
        fault = error.fault
        log.warning(
            "message not sent",
            extra=fields(
                message=claim.message,
                phone=phone.record.name,
                to=short(claim.destination),
                outcome=type(error).__name__.lower(),
                code=fault.code,
                reason=fault.words,
            ),
        )
        await steps.noted()  # what went is on the disk before it is said what did not
        now, attempt, store = self._now(), claim.attempt, self._store
        patience = min(2 ** (claim.attempts - 1), LONGEST_PATIENCE)
        match error:
            case Uncertain():
                await persist(lambda: store.outgoing.doubt(attempt, fault))
            case PhoneLost() if steps.in_doubt:
                # The others prove that it was not sent; a phone that is gone proves nothing.
                await persist(lambda: store.outgoing.doubt(attempt, fault))
            case Declined() if not steps.completed and not claim.sent_parts:
                await persist(lambda: store.outgoing.decline(attempt, fault))
            case Rejected() | Declined():
                await persist(lambda: store.outgoing.reject(attempt, fault))
            case Throttled(retry_after=seconds, tries=tries):
                retry_at = now + timedelta(seconds=seconds * patience)
                await persist(
                    lambda: store.outgoing.release(attempt, fault, retry_at=retry_at, tries=tries)
                )
            case Unavailable(health=health, seconds=seconds):
                until = now + timedelta(seconds=seconds) if seconds else None
                if self._phones.set_health(
                    phone, health, fault.words, hint=fault.hint, until=until
                ):
                    log.warning(
                        "phone is %s",
                        health,
                        extra=fields(phone=phone.record.name, reason=fault.words, until=until),
                    )
                # The bar is patience enough; those that have waited longer go first when it ends.
                await persist(lambda: store.outgoing.release(attempt, fault, retry_at=now))
            case _:
                retry_at = now + timedelta(seconds=AFTER_LOSS)
                await persist(lambda: store.outgoing.release(attempt, fault, retry_at=retry_at))


class Steps:
    """How far one attempt has come.

    A part is on the disk before it leaves. That the network took it is handed to the store at once
    and awaited later: the store works in order, so no later step is on the disk without it.
    """

    def __init__(
        self,
        store: Store,
        claim: Claim,
        stopping: Callable[[], bool],
        ends: float,
        group: asyncio.TaskGroup,
    ) -> None:
        self._store = store
        self._claim = claim
        self._stopping = stopping
        self._ends = ends  # of its validity, by the loop's clock, which nobody sets
        self._group = group
        self.completed = 0
        self.in_doubt = False
        self.went = False
        """All of it went, as far as the adapter tells."""
        self._total = 1
        self._noting: list[asyncio.Task[bool]] = []

    async def begin(self, part: int, total: int) -> None:
        """The part is about to leave. Raises rather than let anything leave unrecorded."""
        if self._stopping():
            fault = Fault(FaultClass.RETRY, "smsd is stopping: the rest follows when it is back")
            raise Throttled(fault, retry_after=0.0)
        if asyncio.get_running_loop().time() >= self._ends:
            fault = Fault(FaultClass.RETRY, "its validity has ended")
            raise Throttled(fault, retry_after=0.0)
        await self._store.outgoing.begin_part(self._claim, part, total)
        self.in_doubt = True
        self._total = total

    async def complete(self, part: int, reference: str | None) -> None:
        """The network took the part; this is told to the store until the store can keep it."""
        attempt = self._claim.attempt
        told = persist(lambda: self._store.outgoing.complete_part(attempt, part, reference))
        self._noting.append(self._group.create_task(told, name=f"note-{self._claim.message}"))
        await asyncio.sleep(0)  # it is the store's next work from here on
        self.in_doubt = False
        self.completed += 1

    async def noted(self) -> None:
        """Wait until all that the network took is on the disk."""
        if self._noting:
            await asyncio.wait(self._noting)

    def check(self) -> None:
        """Raise what is left open by an adapter that returned before it had told of every part."""
        words = "the phone's adapter ended without telling what became of it"
        if self.in_doubt:
            raise Uncertain(Fault(FaultClass.AMBIGUOUS, f"{words}: it may have gone"))
        if self.completed + len(self._claim.sent_parts) < self._total:
            raise Rejected(Fault(FaultClass.PERMANENT, words))
        self.went = True
