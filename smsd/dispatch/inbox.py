"""What becomes of what comes in: parts, whole messages, reports, late answers.

Each call returns once its effect is durable, however long the disk takes, so that the phone's own
copy may go: what a modem hands over directly exists nowhere else.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from smsd.adapters.modem.kinds import content
from smsd.dispatch.persist import persist
from smsd.dispatch.phones import Phone, Phones
from smsd.gsm import PDU, DecodeError, Deliver
from smsd.logs import fields, short
from smsd.model.content import Content
from smsd.model.events import (
    Awaited,
    CallBegan,
    CallEnded,
    Doubt,
    Incoming,
    LateAnswer,
    Report,
)  # fmt: skip
from smsd.model.phone import Health
from smsd.model.reactions import Heard, React, Reaction
from smsd.store.store import Store

log: Final = logging.getLogger(__name__)


def join(raws: Sequence[str | None]) -> Content | None:
    """A long message of its raw parts in order; ``None`` if there is nothing to say of them."""
    return content([None if raw is None else _deliver(raw) for raw in raws])


def _deliver(raw: str) -> Deliver | None:
    try:
        tpdu = PDU.from_hex(raw, sc=False).tpdu
    except DecodeError:
        return None  # it was readable when it came; a later codec may say otherwise
    return tpdu if isinstance(tpdu, Deliver) else None


@dataclass(frozen=True, slots=True)
class Reactions:
    """What is done about texts: decided by ``react``, kept with the text; then ``done`` is told."""

    react: React
    done: Callable[[], None]


class Inbox:
    """One phone's sink: what its adapter tells, kept."""

    def __init__(
        self, phone: Phone, phones: Phones, store: Store, reactions: Reactions | None = None
    ) -> None:
        self._phone = phone
        self._phones = phones
        self._store = store
        self._reactions = reactions
        self._name = phone.record.name

    async def received(self, incoming: Incoming) -> None:
        """Keep a message or a part of one; a copy of what is here already changes nothing."""
        phone = self._phone.record.id
        self._phone.heard_at = asyncio.get_running_loop().time()
        if incoming.text in self._phone.expects:
            incoming = replace(incoming, silent=True)  # its own test: nobody's message
        kept = incoming
        iccid = self._phone.facts.get("iccid")
        sim = None if iccid is None else str(iccid)
        react = None if self._reactions is None else self._react
        message = await persist(lambda: self._store.arrivals.receive(phone, kept, join, react, sim))
        if incoming.error is not None:
            log.warning(
                "a message could not be decoded and is kept as it came",
                extra=fields(phone=self._name, error=incoming.error),
            )
        if message is not None:
            log.info(
                "message received",
                extra=fields(phone=self._name, received=message, origin=short(incoming.originator)),
            )
            if self._reactions is not None:
                self._reactions.done()

    def _react(self, heard: Heard) -> Reaction | None:
        """What is done about a text; a rule that fails must not cost the text itself."""
        assert self._reactions is not None
        try:
            return self._reactions.react(heard)
        except Exception:
            log.exception("a text is kept, but nothing is done about it")
            return None

    async def reported(self, report: Report) -> None:
        """Keep a delivery report and apply it."""
        phone = self._phone.record.id
        matched = await persist(lambda: self._store.reports.report(phone, report))
        if matched:
            self._phones.changed()  # the rest of a message that was in doubt may follow
        log.info(
            "delivery report" if matched else "delivery report that belongs to no message yet",
            extra=fields(
                phone=self._name,
                reference=report.reference,
                recipient=short(report.recipient),
                verdict=report.verdict,
                code=report.code,
            ),
        )

    async def answered_late(self, answer: LateAnswer) -> None:
        """A part that was in doubt had gone."""
        settled = await persist(
            lambda: self._store.outgoing.complete_part(
                answer.attempt, answer.part, answer.reference
            )
        )
        log.info(
            "the network's answer came late",
            extra=fields(phone=self._name, part=answer.part, settled=settled),
        )
        self._phones.changed()

    async def called(self, call: CallBegan) -> None:
        """Keep that a call came in, or its number."""
        phone = self._phone.record.id
        await persist(lambda: self._store.calls.begin(phone, call))
        log.info("call", extra=fields(phone=self._name, number=short(call.number) or "withheld"))

    async def call_ended(self, call: CallEnded) -> None:
        """Keep when it ended."""
        await persist(lambda: self._store.calls.end(call))

    async def awaited(self) -> Sequence[Awaited]:
        """The parts on which a report is still to come."""
        return await persist(lambda: self._store.reports.awaited(self._phone.record.id))

    async def doubts(self) -> Sequence[Doubt]:
        """The parts that may have gone."""
        return await persist(lambda: self._store.reports.doubts(self._phone.record.id))

    async def bound(self, references: Collection[str]) -> Collection[str]:
        """Those of a provider's ids that parts have already."""
        phone = self._phone.record.id
        return await persist(lambda: self._store.reports.bound(phone, references))

    async def pin_may_be_tried(self, sim: str, pin: str, tries: int | None) -> bool:
        """Claim the one try that a PIN has on a SIM."""
        return await persist(lambda: self._store.registry.claim_pin(sim, pin, tries))

    async def pin_settled(self, sim: str, pin: str, *, refused: bool) -> None:
        """Note what became of the try."""
        await persist(lambda: self._store.registry.settle_pin(sim, pin, refused=refused))

    async def recall(self, key: str) -> str | None:
        """What was learnt before."""
        return await persist(lambda: self._store.registry.recall(key))

    async def remember(self, key: str, value: str) -> None:
        """Keep what was learnt."""
        await persist(lambda: self._store.registry.remember(key, value))

    def health(
        self,
        health: Health,
        words: str = "",
        *,
        hint: str | None = None,
        until: datetime | None = None,
    ) -> None:
        """Note how the phone is, and log what a person would ask about."""
        if self._phones.set_health(self._phone, health, words, hint=hint, until=until):
            level = logging.INFO if health is Health.AVAILABLE else logging.WARNING
            log.log(
                level,
                "phone is %s",
                health,
                extra=fields(phone=self._name, reason=words or None, hint=hint),
            )

    def facts(self, **facts: str | int | None) -> None:
        """Note what is known of the device."""
        self._phone.facts.update(facts)
        if isinstance(imei := facts.get("imei"), str):
            self._phones.identified(self._phone, imei)
