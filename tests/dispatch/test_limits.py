"""Limits: what counts, when there is room again, and that sending goes on in that moment."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsd.adapters.contract import Rejected
from smsd.model.message import State
from smsd.model.phone import Health
from tests.rig import BOB, Rig, Scripted, claim, draft, raises, send_part, takes
from tests.rig import fault as broken
from tests.virtual_time import START, now, run


async def limits(rig: Rig, phone: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await rig.gateway.health())["phones"][phone]["limits"]
    return found


async def figures(rig: Rig) -> list[tuple[int, int, str | None]]:
    """Used, left and reset of each limit of the first phone."""
    return [(row["used"], row["left"], row["resets_at"]) for row in await limits(rig)]


def at(hours: float = 0, **more: float) -> str:
    moment = START + timedelta(hours=hours, **more)
    return moment.isoformat(timespec="seconds")


def test_what_is_used_and_left_and_when_it_resets_is_shown() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(takes(2)), limits=[(3, "-1 hour"), (10, "today")])
        assert await limits(rig) == [
            {"volume": 3, "unit": "parts", "startpoint": "-1 hour", "used": 0, "left": 3,
             "resets_at": None},
            {"volume": 10, "unit": "parts", "startpoint": "today", "used": 0, "left": 10,
             "resets_at": None},
        ]  # fmt: skip
        async with rig.sending():
            await asyncio.sleep(60)
            await rig.send(draft(parts=2))
            await asyncio.sleep(60)
            await rig.send(draft())
            await asyncio.sleep(60)
            # Full: room comes with the first part that leaves.
            assert await figures(rig) == [(3, 0, at(1, seconds=60)), (3, 7, at(12))]
            assert (await rig.gateway.statuses())[1] == Health.LIMIT_REACHED
            await asyncio.sleep(3600 - 119)
            assert await figures(rig) == [(1, 2, at(1, seconds=120)), (3, 7, at(12))]

    run(main())


@pytest.mark.parametrize(
    ("startpoint", "opens"),
    [
        ("-1 hour", timedelta(hours=1)),
        ("-36 hours", timedelta(hours=36)),
        ("today", timedelta(hours=12)),
        ("monday this week", timedelta(days=6, hours=12)),
        ("first day of this month midnight", timedelta(days=29, hours=12)),
    ],
)
def test_what_waits_for_a_limit_leaves_in_the_moment_the_window_moves(
    startpoint: str, opens: timedelta
) -> None:
    async def main() -> None:
        rig = Rig()
        sent_at: list[datetime] = []

        async def told(*args: Any) -> None:
            sent_at.append(now())
            await takes()(*args)

        await rig.add("gsm0", Scripted(told, told, told), limits=[(2, startpoint)])
        for text in "abc":
            await rig.send(draft(text, validity=40 * 86_400))
        async with rig.sending():
            await asyncio.sleep(opens.total_seconds() + 60)
        assert sent_at[:2] == [START, START]
        assert timedelta(0) <= sent_at[2] - START - opens <= timedelta(milliseconds=5)

    run(main())


def test_a_long_message_waits_until_all_of_it_has_room() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted(takes(1), takes(1), takes(3))
        await rig.add("gsm0", modem, limits=[(4, "-1 hour")])
        async with rig.sending():
            for _ in range(2):
                await rig.send(draft())
                await asyncio.sleep(600)
            long = await rig.send(draft("long", parts=4))
            await asyncio.sleep(2399)
            assert await rig.state(long) == State.QUEUED
            await asyncio.sleep(599)  # a part has left; three have room, four have not
            assert await rig.state(long) == State.QUEUED
            modem.answers = [takes(4)]
            await asyncio.sleep(3)
            assert await rig.state(long) == State.SENT

    run(main())


def test_while_a_limit_is_waited_for_the_queue_is_left_alone() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        await rig.add("gsm0", modem, limits=[(1, "-6 hours")])
        for text in "ab":
            await rig.send(draft(text))
        statements: list[str] = []
        async with rig.sending():
            await asyncio.sleep(60)
            rig.database._connection.set_trace_callback(statements.append)
            await asyncio.sleep(6 * 3600 - 61)
            assert statements == []
            await asyncio.sleep(2)
            assert modem.texts == ["a", "b"]
            rig.database._connection.set_trace_callback(None)

    run(main())


def test_limits_by_message() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted(takes(3), takes(3))
        await rig.add("gsm0", modem, limits=[(2, "-1 hour", True), (100, "today")])
        async with rig.sending():
            for text in "abc":
                await rig.send(draft(text, parts=3))
                await asyncio.sleep(60)
            assert modem.texts == ["a", "b"]
            [by_message, by_part] = await limits(rig)
            assert (by_message["unit"], by_message["used"], by_message["left"]) == (
                "messages",
                2,
                0,
            )
            assert by_message["resets_at"] == at(1)
            assert by_part["used"] == 6
            modem.answers = [takes(3)]
            await asyncio.sleep(3600)
            assert modem.texts == ["a", "b", "c"]

    run(main())


def test_a_message_that_was_claimed_counts_before_it_has_begun_and_a_refused_one_no_more() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted(slots=2), limits=[(9, "today"), (9, "today", True)])
        await rig.send(draft(parts=3))
        [mine] = await claim(rig)
        assert [used for used, _, _ in await figures(rig)] == [3, 1]
        await send_part(rig, mine, 1, 3, "1")
        assert [used for used, _, _ in await figures(rig)] == [3, 1]
        await rig.store.outgoing.reject(mine.attempt, broken())
        assert [used for used, _, _ in await figures(rig)] == [1, 1]
        assert phone.busy == 0
        rig.database.close()

    run(main())


def test_a_limit_sends_to_the_fallback_and_back_when_the_window_moves() -> None:
    async def main() -> None:
        rig = Rig()
        modem, cloud = Scripted(), Scripted(cloud=True)
        await rig.add("gsm0", modem, limits=[(2, "-1 hour")])
        await rig.add("cloud0", cloud)
        async with rig.sending():
            for number in range(4):
                await rig.send(draft(f"m{number}"))
                await asyncio.sleep(60)
            await asyncio.sleep(3600)
            last = await rig.send(draft("m4"))
            await asyncio.sleep(1)
        assert modem.texts == ["m0", "m1", "m4"]
        assert cloud.texts == ["m2", "m3"]
        assert (await rig.story(last))["attempts"][0]["route"] == "gsm0: priority 0"

    run(main())


def test_fallback_goes_down_the_list_as_each_reason_comes() -> None:
    async def main() -> None:
        rig = Rig()
        modem, first, second = Scripted(), Scripted(cloud=True), Scripted(cloud=True)
        on = frozenset({Health.LIMIT_REACHED, Health.NO_CREDIT, Health.UNAVAILABLE})
        await rig.add("gsm0", modem, limits=[(1, "today")], fallback=("c1", "c2"), fallback_on=on)
        one = await rig.add("c1", first)
        await rig.add("c2", second, limits=[(1, "today")])
        async with rig.sending():
            await rig.send(draft("a"))
            await asyncio.sleep(1)
            await rig.send(draft("b"))
            await asyncio.sleep(1)
            rig.phones.set_credit(one, "empty")
            third = await rig.send(draft("c", BOB))
            await asyncio.sleep(1)
            fourth = await rig.send(draft("d", BOB))
            await asyncio.sleep(1)
        assert (modem.texts, first.texts, second.texts) == (["a"], ["b"], ["c"])
        assert "c1 is no_credit: empty" in (await rig.story(third))["attempts"][0]["route"]
        assert await rig.state(fourth) == State.QUEUED

    run(main())


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3000)), min_size=1, max_size=12),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from(["-1 hour", "-90 minutes", "-20 min"]),
)
def test_no_window_ever_holds_more_than_its_volume_and_all_goes_in_the_end(
    messages: list[tuple[int, int]], volume: int, by_message: bool, startpoint: str
) -> None:
    sizes = [size for size, _ in messages if by_message or size <= volume]

    async def main() -> None:
        rig = Rig()
        modem = Scripted(*[takes(4) for _ in messages])

        async def send(submission: Any, progress: Any) -> None:
            await takes(int(submission.text))(submission, progress)

        modem.answers = [send for _ in messages]
        await rig.add("gsm0", modem, limits=[(volume, startpoint, by_message)])
        async with rig.sending():
            for size, pause in messages:
                if by_message or size <= volume:
                    await rig.send(draft(str(size), parts=size, validity=30 * 86_400))
                await asyncio.sleep(pause)
                assert (await limits(rig))[0]["used"] <= volume
            await asyncio.sleep(20 * 3600)
        assert sorted(int(text) for text in modem.texts) == sorted(sizes)
        moments: list[tuple[datetime, int]] = []
        for row in await rig.rows("part"):
            begun = datetime.fromtimestamp(row["begun_at"] / 1000, UTC)
            moments.append((begun, row["message_id"]))
        span = {"-1 hour": 3600, "-90 minutes": 5400, "-20 min": 1200}[startpoint]
        for moment, _ in moments:
            since = moment - timedelta(seconds=span)
            counted = [m for begun, m in moments if since <= begun <= moment]
            assert len(set(counted) if by_message else counted) <= volume

    run(main())


def test_a_phone_that_failed_gives_back_what_it_did_not_use() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(raises(Rejected(broken()))), limits=[(1, "today")])
        async with rig.sending():
            await rig.send(draft("a"))
            await asyncio.sleep(1)
            assert await figures(rig) == [(0, 1, None)]

    run(main())
