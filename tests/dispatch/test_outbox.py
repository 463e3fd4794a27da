"""Out with the messages: each error's consequence, full disks, cancellation at every step."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from smsd.adapters.contract import (
    Declined,
    PhoneError,
    PhoneLost,
    Progress,
    Rejected,
    Submission,
    Throttled,
    Unavailable,
    Uncertain,
)
from smsd.model.events import Report, Verdict
from smsd.model.message import FaultClass, State
from smsd.model.phone import Health
from tests.rig import ALICE, Answer, Rig, Scripted, draft, fault, hangs, phone_id, raises, takes
from tests.virtual_time import now, run


def throttled(after: float = 10, tries: int | None = None) -> Throttled:
    return Throttled(fault(), retry_after=after, tries=tries)


def uncertain() -> Uncertain:
    return Uncertain(fault(FaultClass.AMBIGUOUS))


async def settle(seconds: float = 1) -> None:
    await asyncio.sleep(seconds)


def test_a_message_leaves_at_once_when_it_is_accepted() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        await rig.add("gsm0", modem)
        async with rig.sending():
            await settle(5)
            message = await rig.send(draft("hi", validity=7200))
            await settle(0.001)
            assert await rig.state(message) == State.SENT
        [submission] = modem.submissions
        assert (submission.destination, submission.text, submission.validity) == (ALICE, "hi", 120)

    run(main())


def test_a_phone_has_as_many_messages_as_slots_and_no_more() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted(*[hangs()] * 3, slots=3)
        await rig.add("gsm0", modem)
        for _ in range(5):
            await rig.send(draft())
        async with asyncio.TaskGroup() as group:
            task = group.create_task(rig.outbox.run())
            await settle(60)
            assert len(modem.submissions) == 3
            assert (await rig.store.views.counts())["queued"] == 2
            task.cancel()

    run(main())


def test_a_hundred_messages_leave_in_their_order_and_once() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        await rig.add("gsm0", modem)
        texts = [f"m{n}" for n in range(100)]
        for text in texts:
            await rig.send(draft(text))
        async with rig.sending():
            await settle(60)
        assert modem.texts == texts
        assert rig.busy == 0

    run(main())


@pytest.mark.parametrize(
    ("error", "state", "outcome"),
    [
        (uncertain(), State.UNCERTAIN, "uncertain"),
        (Rejected(fault(FaultClass.PERMANENT)), State.FAILED, "refused"),
        (Declined(fault(FaultClass.DECLINED)), State.FAILED, "declined"),
        (throttled(), State.QUEUED, "refused"),
        (throttled(tries=1), State.FAILED, "declined"),
        (Unavailable(fault(FaultClass.MODEM)), State.QUEUED, "refused"),
        (PhoneLost(fault(FaultClass.MODEM)), State.UNCERTAIN, "uncertain"),
        (RuntimeError("a fault of ours"), State.UNCERTAIN, "uncertain"),
    ],
)
def test_each_error_with_a_part_begun(error: Exception, state: State, outcome: str) -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted(raises(error))
        await rig.add("gsm0", modem)
        message = await rig.send(draft())
        async with rig.sending():
            await settle(0.5)
            story = await rig.story(message)
            assert (story["state"], story["attempts"][0]["outcome"]) == (state, outcome)
            part = story["attempts"][0]["parts"][0]
            assert part["state"] == ("begun" if state is State.UNCERTAIN else "refused")
        assert len(modem.submissions) == 1
        assert rig.busy == 0

    run(main())


@pytest.mark.parametrize(
    ("error", "state"),
    [(PhoneLost(fault()), State.QUEUED), (RuntimeError("a fault of ours"), State.QUEUED)],
)
def test_errors_before_anything_was_begun(error: Exception, state: State) -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(raises(error, begun=False)))
        message = await rig.send(draft())
        async with rig.sending():
            await settle(1)
            assert await rig.state(message) == state

    run(main())


@pytest.mark.parametrize("doubtful", [uncertain(), PhoneLost(fault())])
def test_a_message_in_doubt_is_sent_by_nobody_again(doubtful: PhoneError) -> None:
    async def main() -> None:
        rig = Rig()
        modem, other, cloud = Scripted(raises(doubtful)), Scripted(), Scripted(cloud=True)
        await rig.add("gsm0", modem, priority=9)
        await rig.add("gsm1", other)
        await rig.add("cloud0", cloud)
        message = await rig.send(draft())
        async with rig.sending():
            await settle(6 * 3600)
        assert await rig.state(message) == State.UNCERTAIN
        counts = [len(phone.submissions) for phone in (modem, other, cloud)]
        assert counts == [1, 0, 0]

    run(main())


@pytest.mark.parametrize(
    "error", [throttled(), Unavailable(fault()), PhoneLost(fault()), Declined(fault())]
)
def test_a_message_of_which_a_part_was_taken_stays_with_its_phone(error: PhoneError) -> None:
    async def main() -> None:
        rig = Rig()
        begun = not isinstance(error, PhoneLost)  # a begun part of a lost phone would be in doubt
        modem = Scripted(raises(error, after=1, total=3, begun=begun), takes(3, 10))
        other, cloud = Scripted(), Scripted(cloud=True)
        phone = await rig.add("gsm0", modem, priority=9, fallback_on=frozenset(Health))
        await rig.add("gsm1", other)
        await rig.add("cloud0", cloud)
        message = await rig.send(draft(parts=3))
        async with rig.sending():
            await settle(300)
            rig.phones.set_health(phone, Health.AVAILABLE, "")
            await settle(60)
        assert not other.submissions
        assert not cloud.submissions
        if isinstance(error, Declined):
            assert await rig.state(message) == State.FAILED
        else:
            assert await rig.state(message) == State.SENT
            assert modem.submissions[1].taken == {1: "1"}

    run(main())


def test_a_phone_that_declines_leaves_it_to_the_next() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(raises(Declined(fault()))), priority=9)
        cloud = Scripted(cloud=True)
        await rig.add("cloud0", cloud)
        message = await rig.send(draft())
        async with rig.sending():
            await settle(20)
        assert await rig.state(message) == State.SENT
        assert len(cloud.submissions) == 1

    run(main())


def test_pauses_between_attempts_double_up_to_a_bound() -> None:
    async def main() -> None:
        rig = Rig()
        times: list[float] = []

        async def no(_: Submission, progress: Progress) -> None:
            times.append(asyncio.get_running_loop().time())
            raise throttled(10)

        modem = Scripted(*[no] * 9)
        await rig.add("gsm0", modem)
        await rig.send(draft())
        async with rig.sending():
            await settle(3000)
        pauses = [round(b - a) for a, b in pairwise(times)]
        assert pauses[:7] == [10, 20, 40, 80, 160, 300, 300]

    run(main())


def test_an_unavailable_phone_gets_nothing_until_it_is_back() -> None:
    async def main() -> None:
        rig = Rig()
        gone = Unavailable(fault(FaultClass.NETWORK), health=Health.UNAVAILABLE)
        modem = Scripted(raises(gone))
        phone = await rig.add("gsm0", modem)
        message = await rig.send(draft())
        async with rig.sending():
            await settle(600)
            assert (len(modem.submissions), phone.health) == (1, Health.UNAVAILABLE)
            rig.phones.set_health(phone, Health.AVAILABLE, "")
            await settle(1)
            assert await rig.state(message) == State.SENT

    run(main())


def test_a_bar_of_the_operator_ends_with_its_time_and_calls_the_fallback_meanwhile() -> None:
    async def main() -> None:
        rig = Rig()
        barred = Unavailable(fault(FaultClass.LIMIT), health=Health.LIMIT_REACHED, seconds=600)
        modem, cloud = Scripted(raises(barred)), Scripted(cloud=True)
        phone = await rig.add("gsm0", modem)
        await rig.add("cloud0", cloud)
        await rig.send(draft("one"))
        async with rig.sending():
            await settle(300)
            assert not rig.phones.set_health(phone, Health.AVAILABLE, "")
            assert cloud.texts == ["one"]
            await settle(330)
            await rig.send(draft("two"))
            await settle(1)
            assert modem.texts == ["one", "two"]

    run(main())


def test_paused_keeps_everything_and_sends_nothing() -> None:
    async def main() -> None:
        rig = Rig(paused=True)
        modem = Scripted()
        await rig.add("gsm0", modem)
        message = await rig.send(draft())
        async with rig.sending():
            await settle(600)
        assert not modem.submissions
        assert await rig.state(message) == State.QUEUED

    run(main())


def test_stopping_finishes_what_is_on_the_wire_and_begins_nothing_more() -> None:
    async def main() -> None:
        rig = Rig()

        async def slow(_: Submission, progress: Progress) -> None:
            for part in (1, 2):
                await progress.begin(part, 2)
                await asyncio.sleep(10)
                await progress.complete(part, str(part))

        modem = Scripted(slow)
        await rig.add("gsm0", modem)
        message, waiting = await rig.send(draft(parts=2)), await rig.send(draft())
        async with rig.sending():
            await settle(5)
        story = await rig.story(message)
        assert (story["state"], story["begun_on"]) == (State.QUEUED, 1)
        assert [p["state"] for p in story["attempts"][0]["parts"]] == ["sent"]
        assert await rig.state(waiting) == State.QUEUED

    run(main())


def test_cancelled_and_settled_messages_are_never_sent() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        phone = await rig.add("gsm0", modem)
        rig.phones.set_health(phone, Health.UNAVAILABLE, "")
        cancelled, expired = await rig.send(draft("a")), await rig.send(draft("b", validity=300))
        assert await rig.store.outgoing.cancel(1, None)
        async with rig.sending():
            await settle(400)
            rig.phones.set_health(phone, Health.AVAILABLE, "")
            await settle(400)
        assert not modem.submissions
        assert [await rig.state(m) for m in (cancelled, expired)] == ["cancelled", "expired"]

    run(main())


def test_nothing_leaves_that_cannot_be_recorded_and_it_goes_on_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        left: list[int] = []

        async def careful(_: Submission, progress: Progress) -> None:
            rig.pragma("query_only", 1)
            await progress.begin(1, 1)
            left.append(1)
            await progress.complete(1, "1")

        modem = Scripted(careful)
        await rig.add("gsm0", modem)
        message = await rig.send(draft())
        async with rig.sending():
            await settle(60)
            assert not left
            assert modem.submissions
            rig.pragma("query_only", 0)
            await settle(60)
            assert await rig.state(message) == State.SENT
        assert len(modem.submissions) == 2
        assert rig.busy == 0
        rig.database.close()

    run(main())


def test_what_was_taken_is_told_to_the_store_until_it_can_keep_it(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")

        async def taken(_: Submission, progress: Progress) -> None:
            await progress.begin(1, 1)
            rig.pragma("query_only", 1)
            await progress.complete(1, "77")

        modem = Scripted(taken)
        await rig.add("gsm0", modem)
        message = await rig.send(draft())
        async with rig.sending():
            await settle(600)
            rig.pragma("query_only", 0)
            await settle(6)
            story = await rig.story(message)
            assert story["state"] == State.SENT
            assert story["attempts"][0]["parts"][0]["reference"] == "77"
        assert len(modem.submissions) == 1
        rig.database.close()

    run(main())


def test_a_locked_database_is_waited_for(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        rig.pragma("busy_timeout", 0)
        modem = Scripted()
        await rig.add("gsm0", modem)
        message = await rig.send(draft())
        other = sqlite3.connect(tmp_path / "db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        async with rig.sending():
            await settle(60)
            assert not modem.submissions
            other.execute("ROLLBACK")
            other.close()
            await settle(6)
            assert await rig.state(message) == State.SENT
        rig.database.close()

    run(main())


def test_an_adapter_that_forgets_a_part_leaves_it_in_doubt() -> None:
    """It returned as if all was well: what it began may have gone, and nobody knows better."""

    async def main() -> None:
        rig = Rig()

        async def forgets(_: Submission, progress: Progress) -> None:
            await progress.begin(1, 1)

        modem = Scripted(forgets)
        await rig.add("gsm0", modem)
        message = await rig.send(draft())
        async with rig.sending():
            await settle(60)
        assert await rig.state(message) == State.UNCERTAIN
        assert len(modem.submissions) == 1

    run(main())


@pytest.mark.parametrize("answer", [takes(until=0), takes(3, until=2)])
def test_an_adapter_that_returns_too_early_fails_the_message_in_words(answer: Answer) -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(answer))
        message = await rig.send(draft(parts=3))
        async with rig.sending():
            await settle()
        story = await rig.story(message)
        assert story["state"] == State.FAILED
        assert "ended without telling" in story["fault_words"]

    run(main())


def test_a_report_may_come_before_the_answer_to_the_part() -> None:
    async def main() -> None:
        rig = Rig()

        async def reported_first(_: Submission, progress: Progress) -> None:
            await progress.begin(1, 1)
            told = Report("5", ALICE, Verdict.DELIVERED, "TP-ST 00", "delivered", key="k")
            await rig.store.reports.report(phone_id(phone), told)
            await progress.complete(1, "5")

        phone = await rig.add("gsm0", Scripted(reported_first))
        message = await rig.send(draft())
        async with rig.sending():
            await settle()
        assert await rig.state(message) == State.DELIVERED

    run(main())


def _count(step: Callable[[], None]) -> Answer:
    """Three parts, with a place to be cancelled around each step of each of them."""

    async def answer(submission: Submission, progress: Progress) -> None:
        for part in (1, 2, 3):
            if part in submission.taken:
                continue
            step()
            await asyncio.sleep(1)
            await progress.begin(part, 3)
            step()
            await asyncio.sleep(1)
            await progress.complete(part, str(part))

    return answer


@pytest.mark.parametrize("n", range(1, 8))
def test_cancelled_at_any_step_nothing_is_lost_or_sent_twice(tmp_path: Path, n: int) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1
            if steps == n:
                task.cancel()

        await rig.add("gsm0", Scripted(_count(step)))
        message = await rig.send(draft(parts=3))
        task = asyncio.get_running_loop().create_task(rig.outbox.run())
        await settle(30)
        rig.outbox.stop()
        with suppress(asyncio.CancelledError):
            await task
        rig.database.close()

        rig = Rig(tmp_path / "db")
        await rig.add("gsm0", again := Scripted(takes(3)))
        await rig.store.outgoing.recover()
        state = await rig.state(message)
        begun = n % 2 == 0 and n <= 6
        assert state == ("uncertain" if begun else "sent" if n == 7 else "queued")
        async with rig.sending():
            await settle(60)
        taken = {part: str(part) for part in range(1, (n + 1) // 2)}
        assert [s.taken for s in again.submissions] == ([] if begun or n == 7 else [taken])
        assert await rig.state(message) == ("uncertain" if begun else "sent")
        rig.database.close()

    run(main())


@pytest.mark.parametrize("step", [timedelta(days=2), timedelta(hours=-5)])
def test_a_clock_that_is_set_neither_ends_nor_delays_what_waits(step: timedelta) -> None:
    async def main() -> None:
        offset = [timedelta()]
        rig = Rig(now=lambda: now() + offset[0])
        phone = await rig.add("gsm0", Scripted())
        rig.phones.set_health(phone, Health.UNAVAILABLE, "not there")
        message = await rig.send(draft())
        async with rig.sending():
            await settle(30)
            offset[0] = step
            await settle(30)
            assert await rig.state(message) == State.QUEUED
            rig.phones.set_health(phone, Health.AVAILABLE, "")
            await settle(5)
            assert await rig.state(message) == State.SENT
        rig.database.close()

    run(main())
