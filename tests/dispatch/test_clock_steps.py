"""What smsd recorded by a clock that was wrong keeps its age when the clock is put right."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smsd.dispatch.startpoints import window_start
from smsd.model.content import Content
from smsd.model.events import Incoming, Report, Verdict
from smsd.model.message import Guard, State
from smsd.model.phone import Health
from smsd.store.database import Transaction
from smsd.store.once import Once
from tests.rig import ALICE, BOB, Rig, Scripted, draft
from tests.virtual_time import START, now, run

DAY = timedelta(days=1)
CAROL = "+33612345670"
WRONG = pytest.mark.parametrize("by", [-50 * DAY, 365 * DAY, timedelta(hours=-7)])


class Wall:
    """A system's clock that is wrong until NTP puts it right."""

    def __init__(self, by: timedelta = timedelta()) -> None:
        self.by = by
        self.synchronised = not by

    def __call__(self) -> datetime:
        return now() + self.by

    def rig(self, path: Path | str = ":memory:", guards: tuple[Guard, ...] = ()) -> Rig:
        rig = Rig(path, self, guards=guards)
        rig.clock._synchronised = lambda: self.synchronised
        return rig

    async def put_right(self, rig: Rig) -> None:
        self.by, self.synchronised = timedelta(), True
        rig.outbox.wake()
        await asyncio.sleep(1)
        assert rig.now() == now()


@WRONG
def test_a_limit_counts_what_has_left_for_as_long_as_it_should(by: timedelta) -> None:
    async def main() -> None:
        wall = Wall(by)
        rig = wall.rig()
        await rig.add("gsm0", Scripted(), limits=[(2, "-24 hours")])
        async with rig.sending():
            for number in (ALICE, BOB):
                await rig.send(draft("fills it", number))
            await asyncio.sleep(10)
            await wall.put_right(rig)
            third = await rig.send(draft("waits", CAROL, validity=3 * 86_400))
            await asyncio.sleep(23 * 3600)
            assert await rig.state(third) == State.QUEUED
            await asyncio.sleep(2 * 3600)
            assert await rig.state(third) == State.SENT
        rig.database.close()

    run(main())


@WRONG
def test_a_guard_counts_what_was_accepted_for_as_long_as_it_should(by: timedelta) -> None:
    async def main() -> None:
        zone = ZoneInfo("UTC")
        wall = Wall(by)
        rig = wall.rig(
            guards=(Guard("flood", 1, "-1 hour", lambda at: window_start("-1 hour", at, zone)),)
        )
        await rig.add("gsm0", Scripted())
        async with rig.sending():
            await rig.send(draft("has left"))
            await asyncio.sleep(10)
            await wall.put_right(rig)
            assert await rig.state(await rig.send(draft("too much"))) == State.FAILED
            await asyncio.sleep(3600)
            assert await rig.state(await rig.send(draft("enough later"))) == State.QUEUED
        rig.database.close()

    run(main())


@WRONG
def test_a_report_finds_its_part(by: timedelta) -> None:
    async def main() -> None:
        wall = Wall(by)
        rig = wall.rig()
        phone = await rig.add("gsm0", Scripted())
        async with rig.sending():
            message = await rig.send(draft())
            await asyncio.sleep(10)
            await wall.put_right(rig)
            report = Report(
                key="k", reference="1", recipient=ALICE, verdict=Verdict.DELIVERED, code="0",
                words="delivered", at=now(), accepted_at=START,
            )  # fmt: skip
            assert await rig.store.reports.report(phone.record.id, report)
            assert await rig.state(message) == State.DELIVERED
        rig.database.close()

    run(main())


@WRONG
def test_a_request_that_is_repeated_is_one(by: timedelta) -> None:
    async def main() -> None:
        wall = Wall(by)
        rig = wall.rig()
        await rig.add("gsm0", Scripted())
        async with rig.sending():
            first = await rig.gateway.accept(1, draft(), Once("key", "digest"))
            await wall.put_right(rig)
            again = await rig.gateway.accept(1, draft(), Once("key", "digest"))
            assert (again.id, again.again) == (first.id, True)
            await asyncio.sleep(25 * 3600)
            assert not (await rig.gateway.accept(1, draft(), Once("key", "digest"))).again
        rig.database.close()

    run(main())


@WRONG
def test_what_came_in_and_is_read_again_came_once(by: timedelta) -> None:
    async def main() -> None:
        wall = Wall(by)
        rig = wall.rig()
        phone = await rig.add("gsm0", Scripted())
        incoming = Incoming("k", "raw", ALICE, START, "open the door")
        async with rig.sending():
            for _ in range(2):
                await rig.store.arrivals.receive(
                    phone.record.id, incoming, lambda _: Content("open the door")
                )
                if wall.by:
                    await wall.put_right(rig)
        [row] = await rig.rows("received")
        assert abs(row["created_at"] / 1000 - START.timestamp()) < 2
        rig.database.close()

    run(main())


@WRONG
def test_who_was_answered_is_known_to_have_been(by: timedelta) -> None:
    async def main() -> None:
        wall = Wall(by)
        rig = wall.rig()
        await rig.add("gsm0", Scripted())

        def answers(tx: Transaction) -> object:
            return tx.value("answers since", number=ALICE, since=tx.now - 3_600_000, now=tx.now)

        async with rig.sending():
            answer = {"message": await rig.send(draft("away")), "received": None, "rule": "stop"}
            await rig.database.transaction(
                lambda tx: tx.run("add answer", number=ALICE, now=tx.now, **answer)
            )
            await wall.put_right(rig)
            assert await rig.database.transaction(answers) == 1
            await asyncio.sleep(3600)
            assert await rig.database.transaction(answers) == 0
        rig.database.close()

    run(main())


@WRONG
def test_a_campaign_that_is_expanding_loses_nobody(by: timedelta) -> None:
    async def main() -> None:
        wall = Wall(by)
        rig = wall.rig()
        phone = await rig.add("gsm0", Scripted())
        rig.phones.set_health(phone, Health.UNAVAILABLE, "not there")
        numbers = [f"+3361{n:07d}" for n in range(1500)]
        await rig.gateway.accept(1, draft("to all", *numbers), None)
        planned = await rig.gateway.accept(1, draft("planned", at=START + 500 * DAY), None)
        wall.by, wall.synchronised = timedelta(), True
        async with rig.sending():
            await asyncio.sleep(60)
            assert {row["state"] for row in await rig.rows("message")} == {State.QUEUED}
            assert len(await rig.rows("message")) == len(numbers)
        [row] = await rig.rows("scheduled")
        assert (row["id"], row["at"]) == (planned.id, (START + 500 * DAY).timestamp() * 1000)
        rig.database.close()

    run(main())


def test_the_hours_of_a_message_are_those_of_the_right_time() -> None:
    async def main() -> None:
        wall = Wall(timedelta(hours=-7))  # it is noon, and it says five in the morning
        rig = wall.rig()
        await rig.add("gsm0", Scripted())
        days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        hours = json.dumps([{"days": days, "hours": "08:00-11:00"}])
        noon = json.dumps([{"days": days, "hours": "11:30-13:00"}])
        async with rig.sending():
            tomorrow = await rig.send(draft("a", send_windows=hours, validity=7200))
            at_once = await rig.send(draft("b", BOB, send_windows=noon, validity=7200))
            await asyncio.sleep(10)
            assert await rig.state(at_once) == State.QUEUED
            await wall.put_right(rig)
            assert await rig.state(at_once) == State.SENT
            story = await rig.story(tomorrow)
            eight = START.replace(hour=8) + DAY
            assert story["due_at"] == eight.timestamp() * 1000
            assert 7100 <= (story["expires_at"] - story["due_at"]) / 1000 <= 7200
            await asyncio.sleep((eight - now()).total_seconds() + 1)
            assert await rig.state(tomorrow) == State.SENT
        rig.database.close()

    run(main())


def test_what_was_recorded_before_the_wrong_clock_stays_where_it_was() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        async with rig.sending():
            await rig.send(draft("long ago"))
            await asyncio.sleep(3600)
            began = rig.now()
            await rig.send(draft("by the wrong clock", BOB))
            await asyncio.sleep(60)
        before = await rig.rows("part"), await rig.rows("event")
        await rig.store.outgoing.shift(365 * DAY, began, lambda: None)
        for was, row in zip(before[0], await rig.rows("part"), strict=True):
            moved = 365 * DAY if was["begun_at"] >= began.timestamp() * 1000 else timedelta()
            assert (row["begun_at"] - was["begun_at"]) / 1000 == moved.total_seconds()
        ages = [
            row["at"] - was["at"]
            for was, row in zip(before[1], await rig.rows("event"), strict=True)
        ]
        assert set(ages[:3]) == {0}
        assert set(ages[3:]) == {365 * 86_400_000}
        rig.database.close()

    run(main())


@pytest.mark.parametrize("cleanly", [True, False])
def test_a_future_that_never_was_is_not_the_time_of_the_next_start(
    tmp_path: Path, cleanly: bool
) -> None:
    async def started(wall: Wall) -> Rig:
        rig = wall.rig(tmp_path / "smsd.db")
        if (last := await rig.store.registry.newest_time()) is not None:
            rig.clock.not_before(last)
        phone = await rig.add("gsm0", Scripted())
        rig.phones.set_health(phone, Health.UNAVAILABLE, "no network")
        return rig

    async def main() -> None:
        rig = await started(Wall(3650 * DAY))
        await rig.send(draft("from the future", validity=60))
        if cleanly:
            await rig.store.registry.note_time()
        rig.database.close()

        await asyncio.sleep(60)
        rig = await started(Wall())
        assert rig.now() >= START + 3650 * DAY
        async with rig.sending():
            await asyncio.sleep(1)
            assert rig.now() == now()
        rig.database.close()  # killed before anything else happened

        await asyncio.sleep(60)
        rig = await started(Wall())
        assert (rig.now(), rig.clock.doubt) == (now(), None)
        waits = await rig.send(draft("waits"))
        rig.database.close()

        await asyncio.sleep(60)
        rig = await started(Wall())
        async with rig.sending():
            await asyncio.sleep(60)
            assert await rig.state(waits) == State.QUEUED
        rig.database.close()

    run(main())
