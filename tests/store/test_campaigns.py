"""Requests that are too large for one transaction: in batches, each recipient once."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smsd.dispatch.route import route
from smsd.model.message import Draft, Wait
from smsd.store.campaigns import BATCH
from smsd.store.contacts import Contact, Group
from smsd.store.database import StoreUnavailable
from tests.rig import ALICE, BOB, Rig, Scripted, claim, draft
from tests.virtual_time import START, now, run

MANY = tuple(f"+336120{n:05}" for n in range(3 * BATCH + 7))


async def look(rig: Rig) -> None:
    """What the outbox does when it looks and no phone is idle: one batch."""
    await rig.store.outgoing.claim((), {}, lambda m, c: route(m, c, now()))


async def progress(rig: Rig, scheduled: int = 1) -> dict[str, Any]:
    [row] = await rig.store.views.page(
        "campaign", account=None, after=scheduled - 1, before=scheduled + 1
    )
    return row


async def destinations(rig: Rig) -> list[str]:
    return [row["destination"] for row in await rig.rows("message")]


def stop(rig: Rig, account: int, number: str) -> None:
    rig.database._connection.execute(
        "INSERT INTO smsstop (account_id, number, created_at) VALUES (?, ?, 0)", (account, number)
    )


async def contacts(rig: Rig, *numbers: str, account: int = 1) -> list[int]:
    create = rig.store.contacts.create
    return [await create(account, Contact(f"c{n}", n, "[]"), account) for n in numbers]


def to(numbers: Sequence[str] = (), **more: Any) -> Draft:
    return Draft("hi", tuple((n, "[]") for n in numbers), 1, **more)


def test_a_large_request_becomes_messages_in_batches_and_then_its_row_goes() -> None:
    async def main() -> None:
        rig = Rig()
        accepted = await rig.store.outgoing.schedule(1, to(MANY))
        for batches in (1, 2, 3):
            assert await destinations(rig) == list(MANY[: batches * BATCH])
            found = await progress(rig)
            assert (found["expanded"], found["waiting"]) == (
                batches * BATCH, len(MANY) - batches * BATCH
            )  # fmt: skip
            assert found["ended_at"] is None
            assert [row["id"] for row in await rig.rows("scheduled")] == [accepted.id]
            await look(rig)
        assert await destinations(rig) == list(MANY)
        assert await rig.rows("scheduled") == await rig.rows("scheduled_number") == []
        found = await progress(rig)
        assert (found["states"], found["waiting"]) == ({"queued": len(MANY)}, 0)
        assert found["ended_at"] is not None
        assert len(await rig.rows("event")) == len(MANY)
        rig.database.close()

    run(main())


def test_the_outbox_expands_and_sends_at_once_and_what_comes_between_does_not_wait() -> None:
    async def main() -> None:
        rig = Rig()
        phone = Scripted(slots=50)
        await rig.add("gsm0", phone)
        async with rig.sending():
            await rig.gateway.accept(1, to(MANY), None)
            waiting = (await progress(rig))["waiting"]
            await rig.gateway.accept(1, draft("urgent"), None)
            assert waiting > 0
            assert (await progress(rig))["waiting"] > 0
            assert (await rig.rows("message"))[-1]["text"] == "urgent"
            await asyncio.sleep(60)
            assert (await progress(rig))["states"] == {"sent": len(MANY)}
        assert sorted(s.destination for s in phone.submissions) == sorted((*MANY, ALICE))
        rig.database.close()

    run(main())


def test_what_is_due_later_and_small_passes_what_is_due_before_and_large() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.store.outgoing.schedule(1, to(MANY, at=START + timedelta(seconds=1)))
        await rig.store.outgoing.schedule(1, to([ALICE], at=START + timedelta(seconds=2)))
        await asyncio.sleep(3)
        await look(rig)
        await look(rig)
        found = await destinations(rig)
        assert ALICE in found
        assert len(found) < len(MANY)
        rig.database.close()

    run(main())


def test_wherever_it_stops_it_goes_on_with_the_next_recipient(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        await rig.store.outgoing.schedule(1, to(MANY))
        rig.fill()  # the disk is full in the middle of it
        failed = 0
        while not failed:
            try:
                await look(rig)
            except StoreUnavailable:
                failed += 1
        found = await progress(rig)
        assert found["expanded"] == len(await destinations(rig))
        assert 0 < found["waiting"] == len(MANY) - found["expanded"]
        rig.database.close()  # and smsd is started anew
        rig = Rig(tmp_path / "db")
        for _ in range(4):
            await look(rig)
        assert await destinations(rig) == list(MANY)
        rig.database.close()

    run(main())


def test_the_first_of_equal_recipients_wins_over_numbers_contacts_and_groups() -> None:
    async def main() -> None:
        rig = Rig()
        a, b, c, d = "+33612000001", "+33612000002", "+33612000003", "+33612000004"
        ids = await contacts(rig, b, c, d, a)
        create = rig.store.contacts.create
        one = await create(1, Group("one", ids[:3]), 1)
        two = await create(1, Group("two", ids[2:]), 1)
        await rig.store.outgoing.schedule(
            1, to([a, a], contacts=(ids[1], ids[0], ids[1]), groups=(two, one))
        )
        assert await destinations(rig) == [a, b, c, d]
        found = await progress(rig)
        assert (found["expanded"], found["duplicate"], found["waiting"]) == (4, 5, 0)
        rig.database.close()

    run(main())


def test_groups_of_any_size_are_walked_in_batches() -> None:
    async def main() -> None:
        rig = Rig()
        ids = await contacts(rig, *MANY[: BATCH + 20])
        one = await rig.store.contacts.create(1, Group("one", ids[: BATCH + 10]), 1)
        two = await rig.store.contacts.create(1, Group("two", ids[5:]), 1)
        await rig.store.outgoing.schedule(1, to(groups=(one, two)))
        assert (await progress(rig))["waiting"] == 10 + BATCH + 15
        for _ in range(3):
            await look(rig)
        assert await destinations(rig) == list(MANY[: BATCH + 20])
        assert (await progress(rig))["duplicate"] == BATCH + 5
        rig.database.close()

    run(main())


def test_a_group_is_read_when_its_time_has_come() -> None:
    async def main() -> None:
        rig = Rig()
        ids = await contacts(rig, ALICE, BOB)
        group = await rig.store.contacts.create(1, Group("g", ids[:1]), 1)
        later = START + timedelta(hours=1)
        await rig.store.outgoing.schedule(1, to(groups=(group,), contacts=(ids[1],), at=later))
        assert (await progress(rig))["waiting"] == 2
        await rig.store.contacts.delete("contact", ids[0], 1)
        carol = (await contacts(rig, "+33612000009"))[0]
        await rig.store.contacts.change("group", group, 1, 1, contacts=[carol, ids[1]])
        await asyncio.sleep(3600)
        await look(rig)
        assert await destinations(rig) == [BOB, "+33612000009"]
        rig.database.close()

    run(main())


def test_only_ones_own_contacts_and_groups_may_be_named() -> None:
    async def main() -> None:
        rig = Rig()
        [mine] = await contacts(rig, ALICE)
        [other] = await contacts(rig, BOB, account=2)
        group = await rig.store.contacts.create(2, Group("g", [other]), 2)
        asked = to(contacts=(mine, other, 99), groups=(group,))
        await rig.store.outgoing.schedule(1, asked)
        assert await destinations(rig) == [ALICE]
        assert (await progress(rig))["invalid"] == 3
        await rig.store.outgoing.schedule(1, asked, anybodys=True)
        assert await destinations(rig) == [ALICE, ALICE, BOB]
        assert (await progress(rig, 2))["invalid"] == 1
        assert await rig.store.views.page("campaign", account=2) == []
        rig.database.close()

    run(main())


def test_who_wants_no_more_messages_gets_none_and_is_counted() -> None:
    async def main() -> None:
        rig = Rig()
        stop(rig, 1, ALICE)
        stop(rig, 0, ALICE)
        stop(rig, 2, BOB)
        stop(rig, 0, MANY[0])
        one = await rig.store.outgoing.schedule(1, to([ALICE]))
        assert [row["state"] for row in await rig.rows("message")] == ["failed"]
        assert one.left_out == {"duplicate": 0, "stopped": 1, "invalid": 0}
        found = await progress(rig, one.id)
        assert (found["stopped"], found["expanded"], found["ended_at"]) == (1, 0, 1772452800000)
        two = await rig.store.outgoing.schedule(1, to([ALICE, BOB, *MANY]))
        for _ in range(4):
            await look(rig)
        queued = [
            row["destination"] for row in await rig.rows("message") if row["state"] == "queued"
        ]
        assert queued == [BOB, *MANY[1:]]
        found = await progress(rig, two.id)
        assert (found["stopped"], found["states"]) == (2, {"queued": len(MANY), "failed": 2})
        rig.database.close()

    run(main())


def test_a_small_request_leaves_no_trace_but_its_messages() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.store.outgoing.schedule(1, to([ALICE, BOB]))
        await rig.store.outgoing.schedule(1, to([ALICE], at=START + timedelta(seconds=1)))
        await asyncio.sleep(2)
        await look(rig)
        assert await rig.rows("campaign") == []
        assert len(await destinations(rig)) == 3
        await rig.store.outgoing.schedule(1, to([ALICE, ALICE], invalid=2))
        found = await progress(rig, 3)
        assert (found["expanded"], found["duplicate"], found["invalid"]) == (1, 1, 2)
        rig.database.close()

    run(main())


def test_cancelled_in_the_middle_nothing_more_of_it_leaves() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(slots=3))
        await rig.store.outgoing.schedule(1, to(MANY))
        assert len(await claim(rig)) == 3
        expanded = (await progress(rig))["expanded"]
        assert await rig.store.outgoing.cancel(1, 1)
        found = await progress(rig)
        assert found["states"] == {"claimed": 3, "cancelled": expanded - 3}
        assert (found["withdrawn"], found["waiting"]) == (len(MANY) - expanded, 0)
        assert found["ended_at"] is not None
        await look(rig)
        assert len(await destinations(rig)) == expanded
        assert not await rig.store.outgoing.cancel(1, 1)
        rig.database.close()

    run(main())


def test_stopped_while_it_is_cancelled_the_rest_is_cancelled_at_the_next_start(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db", now=lambda: START, inline=False)
        await rig.store.outgoing.schedule(1, to(MANY))
        for _ in range(3):
            await rig.store.outgoing.claim((), {}, lambda m, c: Wait("no phone"))
        task = asyncio.get_running_loop().create_task(rig.store.outgoing.cancel(1, 1))
        while not (await progress(rig))["cancelled_at"]:
            pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        found = await progress(rig)
        assert found["ended_at"] is None
        assert 0 < found["states"]["queued"] < len(MANY)
        await rig.store.outgoing.recover()
        found = await progress(rig)
        assert (found["states"], found["ended_at"] is None) == ({"cancelled": len(MANY)}, False)
        rig.database.close()

    asyncio.run(main())


def test_nobody_cancels_anothers() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.store.outgoing.schedule(1, to(MANY))
        assert not await rig.store.outgoing.cancel(1, 2)
        found = await progress(rig)
        assert (found["cancelled_at"], found["withdrawn"]) == (None, 0)
        assert found["states"] == {"queued": BATCH}
        rig.database.close()

    run(main())
