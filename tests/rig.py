"""A gateway without hardware: real store, router and outbox, and phones that answer as written."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smsd.adapters.contract import Capabilities, Progress, Sink, Submission
from smsd.dispatch.clock import Clock
from smsd.dispatch.gateway import Gateway
from smsd.dispatch.outbox import Outbox
from smsd.dispatch.phones import Direction, Phone, Phones
from smsd.dispatch.route import route
from smsd.model.message import Claim, Draft, Fault, FaultClass, Guard
from smsd.model.phone import Bar, BarKind, Health, Limit, PhoneId, PhoneRecord
from smsd.store.database import Database
from smsd.store.store import Store
from tests.virtual_time import now as virtual_now

ALICE = "+33612345678"
BOB = "+33612345679"

Answer = Callable[[Submission, Progress], Awaitable[None]]


def fault(kind: FaultClass = FaultClass.RETRY, words: str = "as written") -> Fault:
    return Fault(kind, words, "+CMS ERROR: 500")


def draft(text: str = "hello", *numbers: str, parts: int = 1, **more: Any) -> Draft:
    return Draft(text, tuple((n, "[]") for n in numbers or (ALICE,)), parts, **more)


def takes(total: int = 1, first: int = 1, until: int | None = None) -> Answer:
    """The network takes the parts left, up to ``until``; references count from ``first``."""

    async def answer(submission: Submission, progress: Progress) -> None:
        for part in range(1, total + 1):
            if part in submission.taken:
                continue
            if until is not None and part > until:
                return
            await progress.begin(part, total)
            await progress.complete(part, str(first + part - 1))

    return answer


def raises(error: Exception, *, after: int = 0, total: int = 1, begun: bool = True) -> Answer:
    """The parts up to ``after`` are taken, the next one is begun, then comes the error."""

    async def answer(submission: Submission, progress: Progress) -> None:
        await takes(total, until=after)(submission, progress)
        if begun:
            await progress.begin(max([after, *submission.taken]) + 1, total)
        raise error

    return answer


def hangs(*, begun: bool = True) -> Answer:
    """No answer ever comes."""

    async def answer(_: Submission, progress: Progress) -> None:
        if begun:
            await progress.begin(1, 1)
        await asyncio.Event().wait()

    return answer


class Scripted:
    """A phone: each submission gets the next answer that was written down, then all are taken."""

    def __init__(self, *answers: Answer, slots: int = 1, cloud: bool = False) -> None:
        self.capabilities = Capabilities(slots=slots, cloud=cloud)
        self.answers = list(answers)
        self.submissions: list[Submission] = []
        self.checked = 0
        self.distrusted = 0

    async def run(self, sink: Sink) -> None:
        sink.health(Health.AVAILABLE)
        await asyncio.Event().wait()

    async def send(self, submission: Submission, progress: Progress) -> None:
        self.submissions.append(submission)
        answer = self.answers.pop(0) if self.answers else takes()
        await answer(submission, progress)

    async def check(self) -> None:
        self.checked += 1

    async def distrust(self) -> None:
        self.distrusted += 1

    @property
    def texts(self) -> list[str]:
        return [submission.text for submission in self.submissions]


class Rig:
    """Everything between API and adapters, on one database."""

    def __init__(
        self,
        path: str | Path = ":memory:",
        now: Callable[[], datetime] = virtual_now,
        *,
        inline: bool = True,
        paused: bool = False,
        guards: Sequence[Guard] = (),
        directions: Sequence[Direction] = (),
        bars: Mapping[PhoneId, Mapping[BarKind, Bar]] | None = None,
    ) -> None:
        self.clock = Clock(now, asyncio.get_running_loop().time)
        self.now = self.clock.now
        self.database = Database(path, self.now, inline=inline)
        self.store = Store(self.database, guards)
        self.phones = Phones(self.now, UTC, lambda: self.outbox.wake(), directions, bars)
        self.outbox = Outbox(self.store, self.phones, self.clock, paused=paused)
        self.gateway = Gateway(self.store, self.phones, self.outbox, self.now, UTC, 86_400)

    async def add(self, name: str, adapter: Scripted, **record: Any) -> Phone:
        """Configure a phone and make it available."""
        names = [phone.record.name for phone in self.phones.all()] + [name]
        ids = await self.store.registry.configure_phones([(n, "modem", "[]", 0) for n in names])
        if "limits" in record:
            record["limits"] = tuple(Limit(*limit) for limit in record["limits"])
        made = PhoneRecord(ids[-1], name, "modem", cloud=adapter.capabilities.cloud, **record)
        phone = self.phones.add(made, adapter)
        self.phones.set_health(phone, Health.AVAILABLE, "")
        return phone

    async def send(self, message: Draft) -> int:
        """Accept a draft for one number; the id of its message."""
        accepted = await self.gateway.accept(1, message, None)
        rows = await self.store.views.page(
            "message", account=None, scheduled=accepted.id, state=None
        )
        return int(rows[0]["id"]) if rows else 0

    async def state(self, message: int) -> str:
        return str((await self.story(message))["state"])

    async def story(self, message: int) -> dict[str, Any]:
        row = await self.store.views.message(message, None)
        assert row is not None
        return row

    async def changes(self, message: int) -> list[str]:
        return [change["state"] for change in (await self.story(message))["changes"]]

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """The outbox runs while the block does, and is stopped in good order."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.outbox.run())
            yield
            self.outbox.stop()

    @property
    def busy(self) -> int:
        """How many messages the phones have on hand."""
        return sum(phone.busy for phone in self.phones.all())

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        found = self.database._connection.execute(f"SELECT * FROM {table}")
        return [dict(row) for row in found]

    def pragma(self, name: str, value: int | None = None) -> int:
        """Read or set a pragma of the connection: how a full or a locked disk is made."""
        tail = "" if value is None else f" = {value}"
        row = self.database._connection.execute(f"PRAGMA {name}{tail}").fetchone()
        return 0 if row is None else int(row[0])

    def fill(self) -> None:
        """The disk is full from now on."""
        self.pragma("max_page_count", self.pragma("page_count"))

    def empty(self) -> None:
        """There is room again."""
        self.pragma("max_page_count", 1 << 30)


async def claim(rig: Rig) -> list[Claim]:
    """What the outbox claims when it looks now."""
    claims, _ = await rig.store.outgoing.claim(
        rig.phones.standings(),
        rig.phones.counts(),
        lambda message, candidates: route(message, candidates, rig.now()),
    )
    return claims


async def claimed(rig: Rig) -> Claim:
    """The one message that is claimed now."""
    [found] = await claim(rig)
    return found


async def send_part(rig: Rig, claim: Claim, part: int, total: int, reference: str) -> None:
    """A part leaves and is taken."""
    await rig.store.outgoing.begin_part(claim, part, total)
    await rig.store.outgoing.complete_part(claim.attempt, part, reference)


def phone_id(phone: Phone) -> PhoneId:
    return phone.record.id
