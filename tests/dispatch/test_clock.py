"""The time that smsd goes by, whatever the system's clock says."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from smsd.dispatch.clock import EARLIEST, SETTLES, Clock
from smsd.model.message import State
from smsd.model.phone import Health
from smsd.store.database import StoreUnavailable
from tests.rig import Rig, Scripted, draft
from tests.virtual_time import START, now, run

HOUR = timedelta(hours=1)
BOOT = datetime(1970, 1, 1, 0, 0, 20, tzinfo=UTC)


class Times:
    """A system's clock that is set by hand, and seconds that are not."""

    def __init__(self, wall: datetime = START) -> None:
        self._wall = wall
        self._seconds = 5.0
        self.synchronised = False

    def clock(self, not_before: datetime | None = None) -> Clock:
        return Clock(
            lambda: self._wall, lambda: self._seconds, lambda: self.synchronised, not_before
        )

    def pass_by(self, seconds: float) -> None:
        self._seconds += seconds
        self._wall += timedelta(seconds=seconds)

    def set(self, step: timedelta) -> None:
        self._wall += step


def test_a_clock_that_is_kept_right_is_followed() -> None:
    times = Times()
    clock = times.clock()
    for _ in range(100):
        times.pass_by(3600)
        times.set(timedelta(seconds=0.5))  # as NTP corrects it
        assert clock.mind() is None
    assert clock.now() == START + 100 * HOUR + timedelta(seconds=50)
    assert (clock.doubt, clock.look_again) == (None, None)


@pytest.mark.parametrize("step", [HOUR, -HOUR, timedelta(days=49.7), timedelta(days=-20)])
def test_a_clock_that_is_set_is_believed_once_it_stands_by_it(step: timedelta) -> None:
    times = Times()
    clock = times.clock()
    times.set(step)
    assert clock.now() == START  # before anybody has looked
    assert clock.mind() is None
    assert "believed when" in str(clock.doubt)
    times.pass_by(SETTLES - 1)
    assert clock.mind() is None
    assert clock.now() == START + timedelta(seconds=SETTLES - 1)
    times.pass_by(1)
    assert clock.mind() == step
    clock.adopt(step)
    assert clock.now() == START + step + timedelta(seconds=SETTLES)
    assert clock.mind() is None
    assert clock.doubt is None


def test_a_clock_that_is_put_right_again_was_never_believed() -> None:
    times = Times()
    clock = times.clock()
    for step in (HOUR, -HOUR):
        times.set(step)
        assert clock.mind() is None
        times.pass_by(300)
        assert clock.mind() is None
    times.pass_by(SETTLES)
    assert clock.mind() is None
    assert clock.now() == START + timedelta(seconds=600 + SETTLES)


def test_a_clock_that_something_keeps_right_is_believed_at_once() -> None:
    times = Times()
    clock = times.clock()
    times.synchronised = True
    times.set(-HOUR)
    assert clock.mind() == -HOUR


def test_a_pi_that_boots_in_1970_goes_on_where_it_was_until_its_clock_is_set() -> None:
    times = Times(BOOT)
    clock = times.clock(not_before=START)
    assert clock.now() == START
    times.pass_by(7200)
    assert clock.mind() is None
    assert clock.now() == START + 2 * HOUR
    assert "until it is set" in str(clock.doubt)
    assert clock.look_again is not None
    times.set(START + 6 * HOUR - BOOT)  # it was off for six hours
    assert clock.mind() == 6 * HOUR
    clock.adopt(6 * HOUR)
    assert clock.now() == START + 8 * HOUR


def test_a_new_database_knows_at_least_that_it_is_not_1970() -> None:
    times = Times(BOOT)
    clock = times.clock()
    assert clock.now() == EARLIEST
    assert clock.mind() is None
    assert clock.doubt is not None
    times.set(START - BOOT)
    assert clock.mind() == START - EARLIEST


def test_a_clock_that_lags_a_little_after_a_restart_catches_up_by_itself() -> None:
    times = Times(START - timedelta(seconds=30))
    clock = times.clock(not_before=START)
    assert clock.doubt is None
    assert clock.now() == START - timedelta(seconds=30)


def test_a_time_before_this_program_is_never_believed() -> None:
    times = Times()
    clock = times.clock()
    times.set(EARLIEST - START - HOUR)
    assert clock.mind() is None
    times.pass_by(SETTLES + 60)
    assert clock.mind() is None
    assert clock.now() == START + timedelta(seconds=SETTLES + 60)


def test_a_step_that_could_not_be_stored_is_made_later() -> None:
    times = Times(BOOT)
    clock = times.clock(not_before=START)
    times.set(START + HOUR - BOOT)
    step = clock.mind()
    assert step == HOUR
    clock.adopt(HOUR)
    clock.take_back()
    assert clock.now() == START
    assert clock.mind() == HOUR


@pytest.mark.parametrize(("off", "sure"), [(23 * HOUR, True), (72 * HOUR, False)])
def test_a_clock_far_ahead_is_sure_when_it_is_kept_right_or_has_gone_on_as_long(
    off: timedelta, sure: bool
) -> None:
    times = Times(START + off)
    clock = times.clock(not_before=START)
    assert clock.now() == START + off
    assert clock.sure() is sure
    times.pass_by(86_400)
    assert clock.sure() is sure
    times.pass_by(86_400)
    assert clock.sure()


def test_a_clock_that_was_kept_right_is_sure_until_it_leaps() -> None:
    times = Times(START + 3650 * 24 * HOUR)
    clock = times.clock(not_before=START)
    assert not clock.sure()
    times.synchronised = True
    assert clock.sure()
    times.synchronised = False  # the network has gone
    assert clock.sure()
    times.set(72 * HOUR)
    clock.mind()
    times.pass_by(SETTLES)
    step = clock.mind()
    assert step is not None
    clock.adopt(step)
    assert not clock.sure()


def test_a_new_database_has_nothing_to_lose() -> None:
    assert Times().clock().sure()
    assert Times(BOOT).clock().sure()


class Wrong:
    """The wall clock of a rig, and what it is wrong by."""

    def __init__(self) -> None:
        self.by = timedelta()

    def __call__(self) -> datetime:
        return now() + self.by


@pytest.mark.parametrize("by", [timedelta(days=3), timedelta(days=-3), timedelta(days=49.7)])
def test_nothing_leaves_ends_or_counts_by_a_clock_that_is_wrong_for_a_while(by: timedelta) -> None:
    async def main() -> None:
        wrong = Wrong()
        rig = Rig(now=wrong)
        modem = Scripted()
        await rig.add("gsm0", modem, limits=[(1, "today")])
        await rig.send(draft("fills the limit"))
        waits = await rig.send(draft("waits", validity=48 * 3600))
        await rig.store.outgoing.schedule(1, draft("planned", at=START + timedelta(hours=40)))
        async with rig.sending():
            await asyncio.sleep(30)
            wrong.by = by
            rig.outbox.wake()
            await asyncio.sleep(400)
            assert modem.texts == ["fills the limit"]
            assert await rig.state(waits) == State.QUEUED
            assert any("the clock is" in p for p in (await rig.gateway.health())["problems"])
            wrong.by = timedelta()
            rig.outbox.wake()
            await asyncio.sleep(3600)
            assert (await rig.gateway.health())["problems"] == [
                "gsm0 is limit_reached: 1 of 1 parts since today",
                "no phone can send",
                "a message has waited for 67 minutes",
            ]
            await asyncio.sleep(12 * 3600)
            assert modem.texts == ["fills the limit", "waits"]
            await asyncio.sleep(40 * 3600)
            assert modem.texts == ["fills the limit", "waits", "planned"]
        rig.database.close()

    run(main())


def test_a_restart_in_1970_lets_nothing_end_or_leave_early_and_ntp_mends_it() -> None:
    """The newest time in the store is what the next start goes by."""

    async def main() -> None:
        wrong = Wrong()
        rig = Rig(now=wrong)
        modem = Scripted()
        phone = await rig.add("gsm0", modem)
        rig.phones.set_health(phone, Health.UNAVAILABLE, "not there")
        waits = await rig.send(draft("waits"))
        await rig.store.outgoing.schedule(1, draft("planned", at=START + timedelta(hours=5)))
        await rig.store.registry.note_time()
        last = await rig.store.registry.newest_time()
        assert last == START
        # The machine was off for six hours, and starts with a clock that knows nothing.
        await asyncio.sleep(6 * 3600)
        wrong.by = BOOT - now()
        clock = Clock(wrong, asyncio.get_running_loop().time)
        clock.not_before(last)
        rig.clock = rig.outbox.clock = clock
        rig.outbox._now = rig.database._now = rig.phones._now = rig.gateway.now = clock.now
        async with rig.sending():
            await asyncio.sleep(1800)
            assert await rig.state(waits) == State.QUEUED
            assert modem.texts == []
            now_sent = await rig.send(draft("at once"))
            rig.phones.set_health(phone, Health.AVAILABLE, "")
            await asyncio.sleep(5)
            assert modem.texts == ["waits", "at once"]  # what has no time does not wait for NTP
            assert await rig.state(now_sent) == State.SENT
            wrong.by = timedelta()
            rig.outbox.wake()
            await asyncio.sleep(5)
            assert modem.texts == [
                "waits",
                "at once",
                "planned",
            ]  # it was due an hour and a half ago
        rig.database.close()

    run(main())


def test_it_goes_on_for_longer_than_any_counter_of_milliseconds() -> None:
    """2^32 ms are 49.7 days."""

    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        await rig.add("gsm0", modem)
        at = START + timedelta(days=49, hours=17, minutes=2, seconds=48)
        await rig.store.outgoing.schedule(1, draft("planned", at=at))
        async with rig.sending():
            await asyncio.sleep((at - START).total_seconds() - 1)
            assert modem.texts == []
            await asyncio.sleep(2)
            assert modem.texts == ["planned"]
            await asyncio.sleep(50 * 86_400)
            await rig.send(draft("still here"))
            await asyncio.sleep(1)
            assert modem.texts == ["planned", "still here"]
        rig.database.close()

    run(main())


def test_a_step_waits_for_the_disk_and_nothing_is_expired_meanwhile() -> None:
    async def main() -> None:
        wrong = Wrong()
        rig = Rig(now=wrong)
        phone = await rig.add("gsm0", Scripted())
        rig.phones.set_health(phone, Health.UNAVAILABLE, "not there")
        waits = await rig.send(draft(validity=3600))
        wrong.by = timedelta(days=2)
        async with rig.sending():
            await asyncio.sleep(30)
            rig.pragma("query_only", 1)
            await asyncio.sleep(SETTLES + 60)
            with pytest.raises(StoreUnavailable):
                await rig.store.registry.note_time()
            rig.pragma("query_only", 0)
            await asyncio.sleep(60)
            assert rig.clock.doubt is None
            assert await rig.state(waits) == State.QUEUED
            await asyncio.sleep(3600)
            assert await rig.state(waits) == State.EXPIRED
        rig.database.close()

    run(main())
