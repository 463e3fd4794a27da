"""The gateway as its API sees it."""

import asyncio
from pathlib import Path

from smsd.adapters.contract import Declined, Throttled
from smsd.model.message import State
from smsd.model.phone import Health
from tests.rig import Rig, Scripted, claimed, draft, fault, raises, takes
from tests.virtual_time import run


async def reason(rig: Rig, message: int) -> str | None:
    found = await rig.gateway.message(message, None)
    assert found is not None
    return found[1]


def test_statuses_count_the_limits_at_this_moment() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(), limits=[(1, "-1 hour")])
        await rig.add("gsm1", Scripted())
        rig.phones[2].disabled = True
        async with rig.sending():
            await rig.send(draft())
            await asyncio.sleep(1)
            assert await rig.gateway.statuses() == {1: "limit_reached", 2: "disabled"}
            await asyncio.sleep(3600)
            assert await rig.gateway.statuses() == {1: "available", 2: "disabled"}

    run(main())


def test_looking_asks_the_phone_unless_it_is_switched_off() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        phone = await rig.add("gsm0", modem)
        assert await rig.gateway.look(9) is None
        assert await rig.gateway.look(1) == "available"
        phone.disabled = True
        assert await rig.gateway.look(1) == "disabled"
        assert modem.checked == 1
        rig.database.close()

    run(main())


def test_why_a_message_waits_is_told_in_words() -> None:
    async def main() -> None:
        rig = Rig()
        message = await rig.send(draft())
        assert await reason(rig, message) == "waits: no phone is configured"
        phone = await rig.add("gsm0", Scripted())
        assert await reason(rig, message) == "about to leave by gsm0: priority 0"
        rig.phones.set_health(phone, Health.UNAVAILABLE, "unplugged")
        assert await reason(rig, message) == "waits: gsm0 is unavailable: unplugged"
        rig.outbox.paused = True
        assert await reason(rig, message) == "waits: sending is paused"
        assert await rig.gateway.message(99, None) is None
        rig.database.close()

    run(main())


def test_why_it_went_where_it_went_is_kept() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(), limits=[(1, "today")])
        await rig.add("cloud0", Scripted(cloud=True))
        messages = [await rig.send(draft()) for _ in range(2)]
        async with rig.sending():
            await asyncio.sleep(20)
        words = [await reason(rig, message) for message in messages]
        assert words == [
            "gsm0: priority 0",
            "cloud0: fallback of gsm0 (gsm0 is limit_reached: 1 of 1 parts since today)",
        ]

    run(main())


def test_a_pause_and_a_message_that_went_nowhere_are_explained() -> None:
    async def main() -> None:
        rig = Rig()
        slow = raises(Throttled(fault(words="the network is busy"), retry_after=100))
        await rig.add("gsm0", Scripted(slow, raises(Declined(fault())), takes()))
        message = await rig.send(draft())
        async with rig.sending():
            await asyncio.sleep(5)
            words = "waits before it is tried again: the network is busy"
            assert await reason(rig, message) == words
            await asyncio.sleep(200)
            assert await rig.state(message) == State.FAILED
            assert await reason(rig, message) == "gsm0: priority 0"
        cancelled = await rig.send(draft())
        await rig.store.outgoing.cancel(2, None)
        assert await reason(rig, cancelled) is None

    run(main())


def test_a_message_that_every_phone_has_declined_waits_for_its_end_in_words() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted())
        message = await rig.send(draft())
        await rig.store.outgoing.decline((await claimed(rig)).attempt, fault())
        assert phone.health is Health.AVAILABLE
        assert await reason(rig, message) == "no phone takes it"
        rig.database.close()

    run(main())


def test_health_tells_a_monitor_what_it_needs(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        assert (await rig.gateway.health())["status"] == "degraded"
        phone = await rig.add("gsm0", Scripted())
        phone.facts["operator"] = "20801"
        await rig.send(draft())
        await asyncio.sleep(65)
        report = await rig.gateway.health()
        assert (report["status"], report["store"], report["paused"]) == ("ok", "ok", False)
        assert report["queue"] == {"queued": 1, "claimed": 0, "uncertain": 0, "oldest_seconds": 65}
        [shown] = report["phones"]
        assert (shown["name"], shown["status"], shown["operator"]) == ("gsm0", "available", "20801")
        rig.phones.set_health(phone, Health.UNAVAILABLE, "unplugged", hint="plug it in")
        [shown] = (await rig.gateway.health())["phones"]
        assert (shown["status"], shown["reason"], shown["hint"]) == (
            "unavailable", "unplugged", "plug it in",
        )  # fmt: skip
        rig.pragma("query_only", 1)
        report = await rig.gateway.health()
        assert (report["status"], report["queue"]) == ("failed", None)
        assert "readonly" in report["store"]
        rig.database.close()

    run(main())
