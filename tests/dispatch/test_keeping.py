"""Once a day, in small steps, and never against a limit."""

import asyncio
from datetime import timedelta

from smsd.dispatch.clock import Clock
from smsd.dispatch.keeping import EVERY, FIRST, Keeping
from smsd.model.events import Incoming
from smsd.model.reactions import Answer, Reaction
from smsd.store.once import Once
from tests.rig import ALICE, Rig, Scripted, claimed, draft, phone_id, send_part
from tests.virtual_time import now, run

DAY = timedelta(days=1)


async def count(rig: Rig, table: str = "message") -> int:
    return len(await rig.rows(table))


def test_a_round_a_day_forgets_what_is_past_its_time() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        await rig.send(draft())
        await send_part(rig, await claimed(rig), 1, 1, "1")
        keeping = Keeping(rig.store, rig.phones, now, {"message": 7 * DAY, "event": 8 * DAY})
        task = asyncio.get_running_loop().create_task(keeping.run())
        await asyncio.sleep(FIRST + 7 * EVERY - 60)
        assert await count(rig) == 1
        await asyncio.sleep(120)
        assert await count(rig) == 0
        # Of the newest event its id stays, for webhooks have their place by it.
        assert [row["kind"] for row in await rig.rows("event")] == ["erased"]
        task.cancel()
        rig.database.close()

    run(main())


def test_what_the_longest_limit_counts_is_kept_however_short_the_period() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(), limits=[(5, "today"), (9, "-30 days")])
        await rig.send(draft())
        await send_part(rig, await claimed(rig), 1, 1, "1")
        keeping = Keeping(rig.store, rig.phones, now, {"message": 7 * DAY})
        await asyncio.sleep(29 * 86_400)
        assert await keeping.round() == {"message": 0}
        await asyncio.sleep(2 * 86_400)
        assert await keeping.round() == {"message": 1}
        rig.database.close()

    run(main())


def test_the_events_of_messages_are_looked_at_once_and_stay() -> None:
    async def main() -> None:
        rig = Rig()
        for n in range(3):
            numbers = [f"+33612{n}{i:05}" for i in range(300)]
            await rig.store.outgoing.schedule(1, draft("hi", *numbers))
        keeping = Keeping(rig.store, rig.phones, now, {"event": 7 * DAY})
        await asyncio.sleep(8 * 86_400)
        assert await keeping.round() == {"event": 0}
        began = now()
        assert await keeping.round() == {"event": 0}
        assert now() == began  # one step, where the first round took several
        assert await count(rig, "event") == 900
        rig.database.close()

    run(main())


def test_a_full_disk_ends_a_round_and_not_the_keeping() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.store.outgoing.schedule(1, draft(), Once("k", "d"))
        await rig.store.outgoing.cancel(1, 1)
        keeping = Keeping(rig.store, rig.phones, now, {"message": 7 * DAY})
        task = asyncio.get_running_loop().create_task(keeping.run())
        await asyncio.sleep(8 * 86_400)
        assert await count(rig) == 0
        rig.pragma("query_only", 1)
        await asyncio.sleep(2 * 86_400)
        assert not task.done()
        rig.pragma("query_only", 0)
        task.cancel()
        rig.database.close()

    run(main())


def test_a_clock_that_leaps_into_the_future_at_the_start_deletes_nothing() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        await rig.send(draft())
        await send_part(rig, await claimed(rig), 1, 1, "1")
        kept_right = False
        loop = asyncio.get_running_loop()
        clock = Clock(lambda: now() + 3650 * DAY, loop.time, lambda: kept_right)
        clock.not_before(now())
        keeping = Keeping(rig.store, rig.phones, clock.now, {"message": 7 * DAY}, sure=clock.sure)
        task = loop.create_task(keeping.run())
        await asyncio.sleep(30 * EVERY)
        assert await count(rig) == 1
        kept_right = True  # it was right after all: the machine had been off
        await asyncio.sleep(EVERY)
        assert await count(rig) == 0
        task.cancel()
        rig.database.close()

    run(main())


def test_an_automatic_reply_is_known_for_as_long_as_it_is_not_to_be_given_again() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", modem := Scripted())
        answer = Answer("autoreply hours", ALICE, "9 to 18", 1, 1, 86_400, 5, 30 * 86_400.0)
        keeping = Keeping(
            rig.store, rig.phones, now, {"message": 7 * DAY}, unanswered=timedelta(days=30)
        )

        async def asked(key: str) -> None:
            incoming = Incoming(key, "00", ALICE, text="hours?")
            await rig.store.arrivals.receive(
                phone_id(phone), incoming, lambda _: None, lambda _: Reaction(answer=answer)
            )
            rig.outbox.wake()
            await asyncio.sleep(5)

        async with rig.sending():
            await asked("1")
            assert modem.texts == ["9 to 18"]
            await asyncio.sleep(8 * 86_400)
            assert await keeping.round() == {"message": 0}
            await asked("2")
            assert modem.texts == ["9 to 18"]
            await asyncio.sleep(23 * 86_400)
            assert await keeping.round() == {"message": 1}
        rig.database.close()

    run(main())
