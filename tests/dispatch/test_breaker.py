"""A phone whose sendings fail again and again is left alone; no message pays for it."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.adapters.contract import Declined, PhoneError, Rejected, Throttled, Unavailable, Uncertain
from smsd.dispatch.bars import keep_bars
from smsd.dispatch.breaker import FIRST_REST, LONGEST_REST, Breaker, reopened
from smsd.model.message import FaultClass, State
from smsd.model.phone import BalanceRule, Bar, BarKind, Health
from tests.rig import Rig, Scripted, draft, fault, raises
from tests.virtual_time import START, now, run


def failing(times: int, *, at: datetime = START, by_itself: bool = True) -> Breaker:
    breaker = Breaker()
    for number in range(times):
        breaker = breaker.failed(at, number, "no", 3, by_itself=by_itself)
    return breaker


def refused() -> Unavailable:
    return Unavailable(fault(FaultClass.NETWORK, "no connection"), seconds=5)


def test_it_opens_with_the_last_failure_that_patience_allows() -> None:
    assert failing(2).bar is None
    bar = failing(3).bar
    assert bar is not None
    assert (bar.health, bar.until, bar.openings) == (Health.UNAVAILABLE, START + FIRST_REST, 1)
    assert bar.words == "sending has failed again and again: no"


def test_one_message_that_fails_again_and_again_counts_once() -> None:
    breaker = Breaker()
    for _ in range(20):
        breaker = breaker.failed(START, 7, "no", 3, by_itself=False)
    assert breaker.bar is None
    for _ in range(3):
        breaker = breaker.failed(START, 7, "no", 3, by_itself=True)
    assert breaker.bar is not None


def test_each_trial_that_fails_makes_the_rest_longer_up_to_a_limit() -> None:
    breaker, at, rests = failing(3), START, []
    for _ in range(8):
        assert breaker.until is not None
        assert not breaker.half_open(at)
        rests.append(breaker.until - at)
        at = breaker.until
        assert breaker.half_open(at)
        breaker = breaker.failed(at, 1, "no", 3, by_itself=False)
    assert rests[:4] == [FIRST_REST * n for n in (1, 2, 4, 8)]
    assert rests[-1] == LONGEST_REST
    assert breaker.since == START


def test_what_was_on_its_way_when_it_opened_makes_nothing_longer() -> None:
    breaker = failing(3)
    assert breaker.failed(START + timedelta(seconds=1), 9, "no", 3, by_itself=True) == breaker


def test_it_is_the_same_after_a_restart() -> None:
    before = failing(3)
    assert before.bar is not None
    after = reopened(before.bar)
    assert (after.bar, after.until) == (before.bar, before.until)
    later = START + FIRST_REST
    longer = after.failed(later, 1, "no", 3, by_itself=False)
    assert longer.until == later + 2 * FIRST_REST


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 3), st.booleans()), max_size=40))
def test_whatever_happens_a_rest_is_never_too_long_and_always_ends(
    events: list[tuple[int, int, bool]],
) -> None:
    breaker, at = Breaker(), START
    for seconds, message, by_itself in events:
        at += timedelta(seconds=seconds)
        breaker = breaker.failed(at, message, "no", 3, by_itself=by_itself)
        if breaker.until is not None:
            assert breaker.until - at <= LONGEST_REST
            assert breaker.half_open(breaker.until)


async def settle(seconds: float = 1) -> None:
    await asyncio.sleep(seconds)


def test_a_cloud_that_refuses_is_tried_ever_more_rarely_and_with_one_message() -> None:
    async def main() -> None:
        rig = Rig()
        cloud = Scripted(*[raises(refused(), begun=False)] * 6, slots=4, cloud=True)
        phone = await rig.add("cloud0", cloud)
        messages = [await rig.send(draft(f"m{n}")) for n in range(6)]
        async with rig.sending():
            await settle(1)
            # Four were on their way when the third failure opened it.
            assert len(cloud.submissions) == 4
            assert phone.standing(now()).health is Health.UNAVAILABLE
            assert "again and again: no connection" in phone.standing(now()).words
            await settle(60)
            assert len(cloud.submissions) == 5  # half open: one and no more
            await settle(118)
            assert len(cloud.submissions) == 5
            await settle(3)
            assert len(cloud.submissions) == 6
            await settle(600)
        assert phone.breaker == Breaker()
        assert [await rig.state(message) for message in messages] == [State.SENT] * 6
        texts = [s.text for s in cloud.submissions[6:]]
        assert sorted(texts) == sorted({*texts})

    run(main())


def test_its_messages_go_by_the_fallback_once_it_has_failed_for_its_grace() -> None:
    async def main() -> None:
        rig = Rig()
        cloud = Scripted(*[raises(refused(), begun=False)] * 50, cloud=True)
        await rig.add("cloud0", cloud, fallback=("cloud1",), fallback_on=frozenset(Health))
        other = Scripted(cloud=True)
        await rig.add("cloud1", other)
        message = await rig.send(draft(phone=1))
        async with rig.sending():
            await settle(115)
            assert await rig.state(message) == State.QUEUED
            await settle(70)
        assert await rig.state(message) == State.SENT
        assert len(other.submissions) == 1

    run(main())


@pytest.mark.parametrize(
    "error", [Declined(fault()), Rejected(fault()),
              Unavailable(fault(), health=Health.LIMIT_REACHED, seconds=1)],
)  # fmt: skip
def test_what_says_nothing_of_the_phone_does_not_count(error: PhoneError) -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted(*[raises(error, begun=False)] * 20))
        async with rig.sending():
            for number in range(20):
                await rig.send(draft(f"m{number}"))
                await settle(2)
            assert phone.breaker.bar is None
            rig.outbox.stop()

    run(main())


@pytest.mark.parametrize(
    "error", [Uncertain(fault(FaultClass.AMBIGUOUS)), Throttled(fault(), retry_after=1)]
)
def test_a_breaker_doubles_nothing(error: PhoneError) -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted(*[raises(error)] * 5)
        await rig.add("gsm0", modem)
        other = Scripted(cloud=True)
        await rig.add("cloud0", other)
        messages = [await rig.send(draft(f"m{n}")) for n in range(8)]
        async with rig.sending():
            await settle(30)
            assert len(modem.submissions) == 5
            await settle(4000)
        counts = [modem.texts.count(f"m{n}") for n in range(8)]
        states = [await rig.state(message) for message in messages]
        if isinstance(error, Uncertain):
            assert states == [State.UNCERTAIN] * 5 + [State.SENT] * 3
            assert counts == [1] * 8
        else:
            assert states == [State.SENT] * 8
            assert sum(counts) == 8 + 5
        assert other.texts == []

    run(main())


def test_a_modem_that_mends_itself_is_not_left_alone_but_its_absence_is_counted() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted(*[raises(refused(), begun=False)] * 50)
        on = frozenset({Health.UNAVAILABLE})
        phone = await rig.add("gsm0", modem, fallback_on=on, unavailable_grace=60)
        cloud = Scripted(cloud=True)
        await rig.add("cloud0", cloud)
        message = await rig.send(draft())
        async with rig.sending():
            await settle(59)
            assert len(modem.submissions) >= 10
            assert phone.breaker.bar is None
            assert await rig.state(message) == State.QUEUED
            await settle(10)
        assert cloud.texts == ["hello"]

    run(main())


def test_bars_outlive_a_restart_and_end_as_they_would_have(tmp_path: Path) -> None:
    async def first() -> None:
        rig = Rig(tmp_path / "db", lambda: START)
        clouds = [await rig.add(f"cloud{n}", Scripted(cloud=True)) for n in range(4)]
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(keep_bars(rig.phones, rig.store))
            await settle(0)
            until = START + timedelta(hours=1)
            rig.phones.set_health(clouds[0], Health.LIMIT_REACHED, "not today", until=until)
            rig.phones.set_credit(clouds[1], "empty")
            for number in range(3):
                rig.phones.failed(clouds[2], number, "no", by_itself=True)
                rig.phones.failed(clouds[3], number, "no", by_itself=True)
            rig.phones.succeeded(clouds[3])
            await settle(0)
            await settle(0)
            keeping.cancel()
        rig.database.close()

    async def second(at: datetime, *healths: Health) -> None:
        rig = Rig(tmp_path / "db", lambda: at)
        bars = await rig.store.bars.all()
        again = Rig(tmp_path / "db", lambda: at, bars=bars)
        rule = BalanceRule("*1#", "(x)")
        for number in range(4):
            await again.add(f"cloud{number}", Scripted(cloud=True), balance=rule)
        standings = again.phones.standings()
        assert [standing.health for standing in standings] == list(healths)
        if at >= START + FIRST_REST:
            assert standings[2].idle == 1
        rig.database.close()
        again.database.close()

    run(first())
    limit, credit, away, able = (
        Health.LIMIT_REACHED, Health.NO_CREDIT, Health.UNAVAILABLE, Health.AVAILABLE,
    )  # fmt: skip
    run(second(START + timedelta(seconds=59), limit, credit, away, able))
    run(second(START + timedelta(seconds=61), limit, credit, able, able))
    run(second(START + timedelta(hours=2), able, credit, able, able))
    # Before the clock is set it is 1970: nothing holds for fifty years.
    run(second(datetime(1970, 1, 1, tzinfo=START.tzinfo), limit, credit, away, able))


def test_by_a_clock_that_was_wrong_a_bar_holds_no_longer_than_meant() -> None:
    async def main() -> None:
        bar = Bar(Health.LIMIT_REACHED, "x", None, START + timedelta(days=900),
                  START + timedelta(days=900, minutes=5))  # fmt: skip
        rig = Rig(bars={1: {BarKind.OPERATOR: bar}})  # type: ignore[dict-item]
        phone = await rig.add("gsm0", Scripted())
        assert phone.standing(now()).health is Health.LIMIT_REACHED
        await settle(301)
        assert phone.standing(now()).health is Health.AVAILABLE

    run(main())


def test_when_the_clock_is_set_what_holds_for_a_time_holds_for_the_rest_of_it() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("cloud0", Scripted(cloud=True))
        rig.phones.set_health(phone, Health.LIMIT_REACHED, "x", until=now() + timedelta(minutes=5))
        for number in range(5):
            rig.phones.failed(phone, number, "no", by_itself=True)
        step = timedelta(days=20_000)
        rig.phones.shift(step)
        assert phone.bar is not None
        assert phone.bar.until == START + step + timedelta(minutes=5)
        assert phone.breaker.until == START + step + FIRST_REST
        assert phone.since == START + step

    run(main())
