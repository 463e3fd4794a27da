"""What is old goes, in small steps; what is under way or counted stays."""

from datetime import datetime, timedelta

import pytest

from smsd.model.events import CallBegan, CallEnded, Incoming, Report, Verdict
from smsd.store.once import Once
from smsd.store.retention import BATCH, DEPENDENT, SHORTEST
from tests.rig import ALICE, BOB, Rig, Scripted, claimed, draft, fault, phone_id, send_part
from tests.store.test_arrivals import join, part, whole
from tests.virtual_time import START, run

NEVER = datetime(2100, 1, 1, tzinfo=START.tzinfo)


async def forget(rig: Rig, kind: str, days: float = 30, counted: datetime = NEVER) -> int:
    """A whole round for one kind, so many days after the start."""
    gone, after = 0, 0
    while True:
        before = START + timedelta(days=days)
        swept = await rig.store.retention.forget(kind, before, counted, after)
        gone += swept.forgotten
        if swept.after is None:
            return gone
        after = swept.after


def later(rig: Rig, days: float) -> None:
    """The rig's clock stands so many days after the start."""
    rig.database._now = lambda: START + timedelta(days=days)


async def sent(rig: Rig, message: int) -> None:
    taken = await claimed(rig)
    assert taken.message == message
    await send_part(rig, taken, 1, 1, str(message))


async def count(rig: Rig, *tables: str) -> list[int]:
    return [len(await rig.rows(table)) for table in tables]


def test_a_message_goes_with_all_that_belongs_to_it() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted())
        await sent(rig, await rig.send(draft()))
        report = Report("1", ALICE, Verdict.DELIVERED, "0", "", START, key="r")
        assert await rig.store.reports.report(phone_id(phone), report)
        later(rig, 40)
        young = await rig.send(draft())
        assert await forget(rig, "message") == 1
        assert [row["id"] for row in await rig.rows("message")] == [young]
        tables = ("sended", "part", "attempt", "event", "report")
        assert await count(rig, *tables) == [0, 0, 0, 1, 1]
        assert await forget(rig, "report") == 1
        rig.database.close()

    run(main())


def test_what_is_under_way_or_uncertain_stays_however_old() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(slots=2))
        await rig.send(draft("doubt"))
        doubt = await claimed(rig)
        await rig.store.outgoing.begin_part(doubt, 1, 1)
        await rig.store.outgoing.doubt(doubt.attempt, fault())
        await rig.send(draft("on its way"))
        await claimed(rig)
        await rig.send(draft("waits", at=START))
        await rig.store.outgoing.schedule(1, draft("planned", at=START + timedelta(days=99)))
        later(rig, 60)
        assert await forget(rig, "message", days=59) == 0
        states = {row["text"]: row["state"] for row in await rig.rows("message")}
        assert states == {"doubt": "uncertain", "on its way": "claimed", "waits": "queued"}
        assert await count(rig, "scheduled") == [1]
        rig.database.close()

    run(main())


def test_what_a_limit_still_counts_stays() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(slots=9), limits=[(10, "-60 days")])
        await sent(rig, await rig.send(draft()))
        later(rig, 45)
        longest = START - timedelta(days=15)
        assert await forget(rig, "message", counted=longest) == 0
        later(rig, 61)
        assert await forget(rig, "message", counted=START + timedelta(days=1)) == 1
        rig.database.close()

    run(main())


def test_a_message_of_a_request_that_is_not_all_expanded_stays() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.store.outgoing.schedule(1, draft("hi", *(f"+336120{n:05}" for n in range(505))))
        connection = rig.database._connection
        connection.execute("UPDATE message SET state = 'failed' WHERE id = 1")
        assert await forget(rig, "message") == 0
        await rig.store.outgoing.cancel(1, 1)
        assert await forget(rig, "campaign") == 0  # its messages are still there
        assert await forget(rig, "message") == 500
        assert await forget(rig, "campaign") == 1
        rig.database.close()

    run(main())


def test_what_came_in_goes_with_its_raw_parts_and_events() -> None:
    async def main() -> None:
        rig = Rig()
        phone = phone_id(await rig.add("gsm0", Scripted()))
        receive = rig.store.arrivals.receive
        await receive(phone, whole("one", "a"), join)
        await receive(phone, part("long", 1, 2), join)
        await receive(phone, part("er", 2, 2), join)
        await receive(phone, part("half", 1, 2, reference=8), join)
        octets = Incoming("o", "raw", BOB, START, None, data=b"x", ports=(1, 2))
        await receive(phone, octets, join)
        await rig.store.calls.begin(phone, CallBegan("c", ALICE))
        await rig.store.calls.end(CallEnded("c"))
        later(rig, 31)
        await receive(phone, whole("new", "b"), join)
        assert await forget(rig, "received") == 2
        assert await forget(rig, "datagram") == 1
        assert await forget(rig, "call") == 1
        assert [row["text"] for row in await rig.rows("received")] == ["new"]
        # The half one may still become whole, or is given up; until then it is no old one.
        assert [row["raw"] for row in await rig.rows("incoming")] == ["half", "raw"]
        assert await forget(rig, "raw") == 0
        await rig.store.arrivals.give_up_series(join)
        assert await forget(rig, "raw") == 1
        kinds = [row["kind"] for row in await rig.rows("event")]
        assert kinds == ["datagram", "received", "received"]
        assert await forget(rig, "event") == 1
        rig.database.close()

    run(main())


def test_a_replaced_message_does_not_come_back_when_its_replacement_goes() -> None:
    async def main() -> None:
        rig = Rig()
        phone = phone_id(await rig.add("gsm0", Scripted()))
        new = Incoming("n", "r", ALICE, START + timedelta(hours=1), "new", replaces=1)
        old = Incoming("o", "r", ALICE, START, "old", replaces=1)
        await rig.store.arrivals.receive(phone, new, join)
        later(rig, 31)  # and a modem that had been away gives the older one
        await rig.store.arrivals.receive(phone, old, join)
        assert await forget(rig, "received") == 1
        assert await rig.store.views.page("received", account=None) == []
        assert await count(rig, "received") == [1]
        rig.database.close()

    run(main())


def test_a_round_of_many_is_made_in_small_steps_and_ends_at_the_first_that_are_young() -> None:
    async def main() -> None:
        rig = Rig()
        numbers = [f"+336120{n:05}" for n in range(2 * BATCH + 50)]
        await rig.store.outgoing.schedule(1, draft("old", *numbers[:450]))
        await rig.store.outgoing.cancel(1, 1)
        later(rig, 40)
        for _ in range(4):
            await rig.store.outgoing.schedule(1, draft("young", *numbers))
        steps, after = 0, 0
        while True:
            before = START + timedelta(days=1)
            swept = await rig.store.retention.forget("message", before, NEVER, after)
            steps += 1
            assert swept.forgotten <= BATCH
            if swept.after is None:
                break
            after = swept.after
        assert steps == 4
        assert await count(rig, "message") == [4 * len(numbers)]
        rig.database.close()

    run(main())


@pytest.mark.parametrize("kind", sorted(DEPENDENT))
def test_nothing_is_forgotten_where_nothing_is(kind: str) -> None:
    async def main() -> None:
        rig = Rig()
        assert await forget(rig, kind) == 0
        rig.database.close()

    run(main())


def test_repeats_are_known_for_as_long_as_anything_is_kept() -> None:
    assert timedelta(days=7) <= SHORTEST


def test_idempotency_keys_go_after_their_day() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.store.outgoing.schedule(1, draft(), Once("k", "d"))
        later(rig, 0.9)
        await rig.store.retention.forget_keys()
        assert await count(rig, "idempotency") == [1]
        later(rig, 1.1)
        await rig.store.retention.forget_keys()
        assert await count(rig, "idempotency") == [0]
        rig.database.close()

    run(main())


def test_the_file_does_not_grow_once_as_much_goes_as_comes() -> None:
    async def main() -> None:
        rig = Rig()
        pages = []
        for month in range(8):
            later(rig, 30 * month)
            for _ in range(4):
                numbers = [f"+336120{n:05}" for n in range(250)]
                accepted = await rig.store.outgoing.schedule(1, draft("x" * 100, *numbers))
                await rig.store.outgoing.cancel(accepted.id, 1)
            before = START + timedelta(days=30 * month - 45)
            await forget(rig, "message", days=(before - START).days)
            pages.append(rig.pragma("page_count"))
        assert pages[2] > pages[0]
        assert pages[7] <= pages[3] * 1.02
        rig.database.close()

    run(main())
