"""No recipient gets more than he should; a storm is told so, and does not keep itself shut."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from smsd.config import parse
from smsd.daemon import guards
from smsd.dispatch.startpoints import window_start
from smsd.model.message import FaultClass, Guard, State
from tests.rig import ALICE, BOB, Rig, Scripted, claim, draft
from tests.virtual_time import START, run


def guard(name: str, volume: int, startpoint: str = "-1 hour", **more: Any) -> Guard:
    since = partial(_since, startpoint)
    return Guard(name, volume, startpoint, since, **more)


def _since(startpoint: str, at: datetime) -> datetime:
    return window_start(startpoint, at, ZoneInfo("UTC"))


FLOOD = guard("flood", 3)
LOOP = guard("loop", 2, same_text=True)


async def states(rig: Rig) -> list[str]:
    return [row["state"] for row in await rig.rows("message")]


def test_more_than_a_recipient_should_get_is_refused_in_words() -> None:
    async def main() -> None:
        rig = Rig(guards=[FLOOD])
        messages = [await rig.send(draft(f"m{n}")) for n in range(5)]
        other = await rig.send(draft("x", BOB))
        assert await states(rig) == ["queued"] * 3 + ["failed"] * 2 + ["queued"]
        story = await rig.story(messages[3])
        assert story["fault_class"] == FaultClass.GUARD
        assert story["fault_code"] == "FLOOD"
        assert story["fault_words"] == (
            "its recipient has had 3 messages since -1 hour, and gets no more"
        )
        assert "dispatch.flood" in story["fault_hint"]
        assert await rig.changes(messages[3]) == ["queued", "failed"]
        assert [row["status"] for row in await rig.rows("sended")] == ["failed"] * 2
        assert await rig.state(other) == State.QUEUED
        rig.database.close()

    run(main())


def test_a_storm_does_not_keep_its_guard_shut() -> None:
    async def main() -> None:
        rig = Rig(guards=[FLOOD])
        for number in range(7 * 12):  # one every five minutes for seven hours
            await rig.send(draft(f"m{number}"))
            await asyncio.sleep(300)
        found = await states(rig)
        assert found.count("queued") == 7 * 3
        rig.database.close()

    run(main())


def test_what_was_taken_back_was_not_had() -> None:
    async def main() -> None:
        rig = Rig(guards=[FLOOD])
        for number in range(3):
            await rig.send(draft(f"m{number}"))
        await rig.store.outgoing.cancel(1, None)
        assert await rig.state(await rig.send(draft("again"))) == State.QUEUED
        assert await rig.state(await rig.send(draft("more"))) == State.FAILED
        rig.database.close()

    run(main())


def test_the_same_text_to_the_same_number_is_a_loop_and_other_texts_are_not() -> None:
    async def main() -> None:
        rig = Rig(guards=[LOOP])
        for text in ("a", "a", "b", "a", "b", "b"):
            await rig.send(draft(text, ALICE, BOB))
        kept = ["queued"] * 2
        lost = ["failed"] * 2
        assert await states(rig) == kept + kept + kept + lost + kept + lost
        await asyncio.sleep(3601)
        assert await rig.state(await rig.send(draft("a"))) == State.QUEUED
        rig.database.close()

    run(main())


def test_what_is_planned_is_looked_at_when_its_time_comes() -> None:
    async def main() -> None:
        rig = Rig(guards=[FLOOD])
        await rig.add("gsm0", Scripted(slots=9))
        for number in range(5):
            await rig.store.outgoing.schedule(
                1, draft(f"m{number}", at=START + timedelta(minutes=number + 1))
            )
        await asyncio.sleep(600)
        await claim(rig)
        assert await states(rig) == ["claimed"] * 3 + ["failed"] * 2
        rig.database.close()

    run(main())


def test_without_guards_nothing_is_watched_and_nothing_is_refused() -> None:
    async def main() -> None:
        rig = Rig()
        for _ in range(50):
            await rig.send(draft("same"))
        assert await states(rig) == ["queued"] * 50
        assert not any(row["watched"] for row in await rig.rows("message"))
        rig.database.close()

    run(main())


def test_guards_as_configured() -> None:
    assert guards(parse({}, "x")) == []
    section = {
        "flood": {"volume": 30, "startpoint": "today"},
        "loop": {"volume": 3, "startpoint": "-10 minutes"},
        "timezone": "Europe/Paris",
    }
    flood, loop = guards(parse({"dispatch": section}, "x"))
    assert (flood.name, flood.same_text, loop.name, loop.same_text) == (
        "flood",
        False,
        "loop",
        True,
    )
    assert flood.since(START) == START - timedelta(hours=13)
    assert loop.since(START) == START - timedelta(minutes=10)


def test_both_guards_at_once_refuse_each_for_its_own_reason() -> None:
    async def main() -> None:
        rig = Rig(guards=[FLOOD, LOOP])
        messages = [await rig.send(draft(text)) for text in ("a", "a", "a", "b", "c")]
        codes = [(await rig.story(message))["fault_code"] for message in messages]
        assert codes == [None, None, "LOOP", None, "FLOOD"]
        rig.database.close()

    run(main())
