"""Phone groups, and the lanes in which their messages wait."""

import asyncio
from datetime import timedelta

import pytest

from smsd.adapters.contract import Declined
from smsd.model.message import State
from smsd.model.phone import Health
from smsd.store.database import Conflict
from smsd.store.lanes import any_of
from tests.rig import Rig, Scripted, claim, claimed, draft, fault, raises, send_part
from tests.virtual_time import START, run


async def two_phones() -> Rig:
    rig = Rig()
    await rig.add("gsm0", Scripted())
    await rig.add("gsm1", Scripted())
    return rig


def test_a_group_is_made_read_changed_and_removed() -> None:
    async def main() -> None:
        rig = await two_phones()
        groups = rig.store.phone_groups
        first = await groups.create(1, "north", [2, 1, 2])
        row = await groups.one(first, 1)
        assert row is not None
        assert (row["name"], [p["name"] for p in row["phones"]]) == ("north", ["gsm0", "gsm1"])
        with pytest.raises(Conflict):
            await groups.create(1, "north", [1])
        other = await groups.create(2, "north", [1])
        assert await groups.one(first, 2) is None
        assert not await groups.update(first, 2, "mine", None)
        assert await groups.update(first, None, None, [2])
        assert await groups.update(first, 1, "south", None)
        row = await groups.one(first, 1)
        assert row is not None
        assert (row["name"], [p["id"] for p in row["phones"]]) == ("south", [2])
        second = await groups.create(1, "east", [1])
        with pytest.raises(Conflict):
            await groups.update(second, 1, "south", None)
        assert not await groups.delete(other, 1)
        assert await groups.delete(other, 2)
        assert not await groups.delete(other, None)
        assert await groups.create(2, "north", [1]) > other
        rig.database.close()

    run(main())


def test_what_is_sent_to_a_group_goes_by_its_phones_and_it_stays_while_they_wait() -> None:
    async def main() -> None:
        rig = await two_phones()
        groups = rig.store.phone_groups
        group = await groups.create(1, "north", [2])
        later = START + timedelta(hours=1)
        await rig.store.outgoing.schedule(1, draft("later", group=group, at=later))
        assert not await groups.delete(group, 1)
        await rig.store.outgoing.cancel(1, None)
        message = await rig.send(draft("hi", group=group))
        assert not await groups.delete(group, 1)
        mine = await claimed(rig)
        assert mine.phone == 2
        assert not await groups.delete(group, 1)
        await send_part(rig, mine, 1, 1, "1")
        assert await rig.state(message) == State.SENT
        assert await groups.delete(group, 1)
        assert (await rig.story(message))["wanted_group_id"] == group
        rig.database.close()

    run(main())


def test_phones_change_groups_while_messages_wait() -> None:
    async def main() -> None:
        rig = await two_phones()
        group = await rig.store.phone_groups.create(1, "north", [1])
        rig.phones[1].busy = 1
        await rig.send(draft("hi", group=group))
        assert await claim(rig) == []
        await rig.store.phone_groups.update(group, 1, None, [2])
        assert (await claimed(rig)).phone == 2
        rig.database.close()

    run(main())


@pytest.mark.parametrize(
    ("more", "lane"),
    [
        ({}, ""),
        ({"phone": 2}, "p2"),
        ({"phone": 2, "flash": True}, "p2f"),
        ({"group": 1}, "g1"),
        ({"group": 1, "flash": True, "mms": True}, "g1fm"),
    ],
)
def test_a_lane_spells_what_the_router_looks_at(more: dict[str, int], lane: str) -> None:
    async def main() -> None:
        rig = await two_phones()
        await rig.store.phone_groups.create(1, "north", [1])
        await rig.send(draft("hi", **more))
        [row] = await rig.rows("message")
        assert row["lane"] == lane
        found = any_of(lane, 1)
        assert found.phone == more.get("phone")
        assert found.group == more.get("group")
        assert found.flash == bool(more.get("flash"))
        assert found.mms == bool(more.get("mms"))
        rig.database.close()

    run(main())


def test_every_lane_is_read_as_it_was_spelt() -> None:
    begun = any_of("b17", 1)
    assert (begun.begun_on, begun.phone, begun.destination) == (17, None, "")
    routed = any_of("k3r+33612fmd1,12", 2)
    assert (routed.known, routed.destination, routed.flash, routed.mms) == (3, "+33612", True, True)
    assert (routed.parts, routed.declined_by) == (2, frozenset({1, 12}))


def test_what_a_phone_declined_goes_elsewhere_though_that_phone_is_gone() -> None:
    async def main() -> None:
        rig = Rig()
        refuses = Declined(fault())
        phone = await rig.add("gsm0", Scripted(raises(refuses)))
        cloud = Scripted(cloud=True)
        barred = await rig.add("cloud0", cloud)
        rig.phones.set_health(barred, Health.UNAVAILABLE, "no network")
        message = await rig.send(draft("declined"))
        async with rig.sending():
            await asyncio.sleep(1)
            assert (await rig.story(message))["lane"] == "d1"
            rig.phones.set_health(phone, Health.UNAVAILABLE, "unplugged")
            other = await rig.send(draft("other"))
            rig.phones.set_health(barred, Health.AVAILABLE, "")
            await asyncio.sleep(1)
        assert await rig.state(message) == State.SENT
        assert await rig.state(other) == State.QUEUED  # nobody lets it go

    run(main())


def test_a_lane_that_waits_holds_up_no_other() -> None:
    async def main() -> None:
        rig = await two_phones()
        rig.phones[1].busy = 1
        for number in range(300):
            await rig.send(draft(f"waits {number}", phone=1))
        free = await rig.send(draft("free"))
        assert [c.message for c in await claim(rig)] == [free]
        await asyncio.sleep(0)
        rig.database.close()

    run(main())
