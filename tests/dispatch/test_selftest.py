"""A phone that hears nothing sends itself a message, seldom and never without credit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from smsd.adapters.contract import Progress, Rejected, Submission
from smsd.dispatch.inbox import Inbox
from smsd.dispatch.phones import Phone
from smsd.dispatch.selftest import AGAIN, ARRIVES, MOST_IN_A_ROW, UNABLE, VALIDITY, SelfTest
from smsd.model.events import Incoming
from smsd.model.message import FaultClass
from smsd.model.phone import Health
from smsd.store.database import StoreUnavailable
from tests.rig import ALICE, Answer, Rig, Scripted, fault, raises, takes
from tests.virtual_time import run

OWN = "+33600000000"
SIX_HOURS = 21_600.0


@asynccontextmanager
async def watched(*answers: Answer, **record: object) -> AsyncIterator[tuple[Rig, Phone, Scripted]]:
    """A phone with a number of its own, watched while the block runs."""
    rig, adapter = Rig(), Scripted(*answers)
    values = {"number": OWN, "selftest_interval": SIX_HOURS} | record
    phone = await rig.add("gsm0", adapter, **values)
    async with rig.sending(), asyncio.TaskGroup() as group:
        task = group.create_task(SelfTest(rig.gateway).watch(phone))
        yield rig, phone, adapter
        task.cancel()
    rig.database.close()


def echoes(rig: Rig, phone: Phone) -> Answer:
    """The network brings the message back."""

    async def answer(submission: Submission, progress: Progress) -> None:
        await takes()(submission, progress)
        incoming = Incoming(key=submission.text, raw="00", originator=OWN, text=submission.text)
        await Inbox(phone, rig.phones, rig.store).received(incoming)

    return answer


def test_a_phone_that_hears_itself_is_left_in_peace() -> None:
    async def main() -> None:
        async with watched() as (rig, phone, adapter):
            adapter.answers = [echoes(rig, phone), echoes(rig, phone)]
            await asyncio.sleep(2.5 * SIX_HOURS)
            assert len(adapter.submissions) == 2
            assert {s.destination for s in adapter.submissions} == {OWN}
            assert adapter.distrusted == 0
            assert await rig.rows("received") == []
            assert len(await rig.rows("incoming")) == 2

    run(main())


def test_who_receives_is_not_tested() -> None:
    async def main() -> None:
        async with watched() as (rig, phone, adapter):
            sink = Inbox(phone, rig.phones, rig.store)
            for hour in range(24):
                await asyncio.sleep(3600)
                await sink.received(Incoming(str(hour), "00", ALICE, text="hello"))
            assert adapter.submissions == []
            assert len(await rig.rows("received")) == 24

    run(main())


@pytest.mark.parametrize("paused", [0, 1])
def test_what_is_paused_is_not_tested(paused: int) -> None:
    async def main() -> None:
        async with watched() as (rig, _, adapter):
            await rig.gateway.pause(paused, "ann")
            await asyncio.sleep(4 * SIX_HOURS)
            assert (adapter.submissions, await rig.rows("message")) == ([], [])

    run(main())


def test_a_deaf_phone_is_distrusted_and_not_bled_dry() -> None:
    async def main() -> None:
        async with watched() as (_, _phone, adapter):
            await asyncio.sleep(SIX_HOURS + ARRIVES + 1)
            assert adapter.distrusted == 1
            await asyncio.sleep(3600)
            assert adapter.distrusted == MOST_IN_A_ROW == len(adapter.submissions)
            await asyncio.sleep(SIX_HOURS)
            assert adapter.distrusted == MOST_IN_A_ROW + 1

    run(main())


def test_a_message_that_did_not_go_proves_nothing() -> None:
    async def main() -> None:
        refused = raises(Rejected(fault(FaultClass.PERMANENT)))
        async with watched(refused) as (_, _phone, adapter):
            await asyncio.sleep(SIX_HOURS + 2 * ARRIVES)
            assert len(adapter.submissions) == 1
            assert adapter.distrusted == 0

    run(main())


def test_a_phone_that_refuses_it_for_what_should_pass_is_distrusted() -> None:
    """H2: it neither sends nor hears, and no other message may have come to show it."""

    async def main() -> None:
        async with watched(raises(Rejected(fault(FaultClass.RETRY)))) as (_, _phone, adapter):
            await asyncio.sleep(SIX_HOURS + 2 * ARRIVES)
            assert adapter.distrusted == 1

    run(main())


def test_nothing_is_sent_without_credit_or_over_a_limit() -> None:
    async def main() -> None:
        async with watched() as (rig, phone, adapter):
            rig.phones.set_health(phone, Health.NO_CREDIT, "0.00")
            await asyncio.sleep(3 * SIX_HOURS)
            assert adapter.submissions == []
        async with watched(limits=[(0, "today")]) as (_, _phone, adapter):
            await asyncio.sleep(3 * SIX_HOURS)
            assert adapter.submissions == []

    run(main())


def test_without_a_number_or_an_interval_nothing_is_tested() -> None:
    async def main() -> None:
        async with watched(number=None) as (_, _phone, adapter):
            await asyncio.sleep(2 * SIX_HOURS)
            assert adapter.submissions == []
        async with watched(selftest_interval=0.0) as (_, _phone, adapter):
            await asyncio.sleep(2 * SIX_HOURS)
            assert adapter.submissions == []

    run(main())


def test_a_full_disk_says_nothing_about_the_phone() -> None:
    async def main() -> None:
        async with watched() as (rig, _, adapter):
            await asyncio.sleep(SIX_HOURS - 1)
            rig.fill()
            await asyncio.sleep(60)
            rig.empty()
            assert adapter.distrusted == 0

    run(main())


def test_a_store_that_cannot_be_read_ends_no_watch() -> None:
    async def main() -> None:
        async with watched() as (rig, phone, adapter):
            adapter.answers = [echoes(rig, phone)]
            broken = rig.gateway.statuses
            failures = [StoreUnavailable("database is locked"), ValueError("unforeseen")]

            async def statuses() -> dict[int, str]:
                if failures:
                    raise failures.pop(0)
                return await broken()

            rig.gateway.statuses = statuses  # type: ignore[method-assign]
            await asyncio.sleep(SIX_HOURS + 1)
            assert len(failures) == 1
            await asyncio.sleep(2 * UNABLE)
            assert len(adapter.submissions) == 1
            assert adapter.distrusted == 0

    run(main())


def test_a_test_that_comes_late_is_nobodys_message() -> None:
    """The network may keep it for as long as it is valid, and at times longer."""

    async def main() -> None:
        assert VALIDITY <= ARRIVES
        async with watched() as (rig, phone, adapter):
            await asyncio.sleep(SIX_HOURS + 2 * (ARRIVES + AGAIN))
            sink = Inbox(phone, rig.phones, rig.store)
            for submission in adapter.submissions:
                await sink.received(Incoming(submission.text, "00", OWN, text=submission.text))
            assert len(adapter.submissions) > 1
            assert await rig.rows("received") == []
            await sink.received(Incoming("x", "00", OWN, text="smsd self-test by hand"))
            assert len(await rig.rows("received")) == 1

    run(main())
