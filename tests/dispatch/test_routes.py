"""Routes as messages take them: by prefix, by operator, by the phone that a recipient knows."""

import asyncio

from smsd.dispatch.phones import Direction
from smsd.model.events import Incoming
from smsd.model.message import State
from smsd.model.phone import Health, PhoneId
from tests.rig import ALICE, BOB, Rig, Scripted, claim, claimed, draft
from tests.virtual_time import START, run

GERMAN = "+4915112345678"


async def routed(*directions: Direction, **more: object) -> tuple[Rig, list[Scripted]]:
    rig = Rig(directions=directions)
    await rig.store.registry.configure_prefixes([d.prefix for d in directions])
    phones = [Scripted(), Scripted(), Scripted()]
    for number, phone in enumerate(phones):
        await rig.add(f"gsm{number}", phone, **more)
    return rig, phones


def test_numbers_go_by_the_phone_that_their_longest_prefix_is_routed_to() -> None:
    async def main() -> None:
        rig, phones = await routed(
            Direction("+33", "gsm0"), Direction("+336", "gsm1"), Direction("+49", "gsm2")
        )
        async with rig.sending():
            for number in ("+33112345678", ALICE, GERMAN):
                await rig.send(draft(f"to {number[:4]}", number))
                await asyncio.sleep(1)
            asked = await rig.send(draft("asked", ALICE, phone=1))
            await asyncio.sleep(1)
        assert [phone.texts for phone in phones] == [["to +331", "asked"], ["to +336"], ["to +491"]]
        assert (await rig.story(asked))["attempts"][0]["route"] == "gsm0: asked for"
        [first, *_] = await rig.rows("attempt")
        assert first["route"] == "gsm0: by the route for +33, priority 0"

    run(main())


def test_a_route_that_waits_holds_up_no_other_numbers() -> None:
    async def main() -> None:
        rig, phones = await routed(Direction("+336", "gsm1"))
        rig.phones.set_health(rig.phones[2], Health.UNAVAILABLE, "unplugged")
        for number in range(200):
            await rig.send(draft(f"m{number}", ALICE))
        await rig.send(draft("free", GERMAN))
        async with rig.sending():
            await asyncio.sleep(5)
        assert [*phones[0].texts, *phones[2].texts] == ["free"]
        assert phones[1].texts == []

    run(main())


def test_what_waits_is_routed_anew_when_the_routes_are_others() -> None:
    async def main() -> None:
        rig, _ = await routed(Direction("+336", "gsm1"))
        message = await rig.send(draft("hi", ALICE))
        asked = await rig.send(draft("hi", ALICE, phone=1))
        assert (await rig.story(message))["lane"] == "r+336"
        await rig.store.registry.configure_prefixes(["+33", "+3361"])
        assert (await rig.story(message))["lane"] == "r+3361"
        await rig.store.registry.configure_prefixes([])
        assert (await rig.story(message))["lane"] == ""
        assert (await rig.story(asked))["lane"] == "p1"
        rig.database.close()

    run(main())


def test_a_route_by_operator_follows_the_operator_wherever_its_sim_is() -> None:
    async def main() -> None:
        rig, phones = await routed(Direction("+336", operator="Orange F"))
        rig.phones[2].facts["operator"] = "ORANGE F"
        async with rig.sending():
            await rig.send(draft("a", ALICE))
            await asyncio.sleep(1)
            rig.phones[2].facts["operator"] = "SFR"
            rig.phones[3].facts["operator"] = "Orange F"
            await rig.send(draft("b", ALICE))
            await asyncio.sleep(1)
            rig.phones[3].facts["operator"] = None
            last = await rig.send(draft("c", ALICE))  # nobody's: by whichever there is
            await asyncio.sleep(1)
        assert (phones[1].texts[0], phones[2].texts[0]) == ("a", "b")
        assert await rig.state(last) == State.SENT

    run(main())


def test_a_sticky_message_goes_by_the_phone_that_its_recipient_wrote_to() -> None:
    async def main() -> None:
        rig, phones = await routed()
        for origin, phone in ((ALICE, 3), (BOB, 2), (ALICE, 2)):
            came = Incoming(f"{origin}{phone}", "raw", origin, START, "hello")
            await rig.store.arrivals.receive(PhoneId(phone), came, lambda _: None)
            await asyncio.sleep(1)
        async with rig.sending():
            for number in range(9):
                await rig.send(draft(f"m{number}", ALICE, sticky=True))
            await asyncio.sleep(60)
        assert len(phones[1].texts) == 9

    run(main())


def test_a_sticky_burst_to_somebody_new_all_goes_by_one_phone() -> None:
    async def main() -> None:
        rig, phones = await routed()
        for number in range(12):
            await rig.send(draft(f"m{number}", ALICE, sticky=True))
        async with rig.sending():
            await asyncio.sleep(60)
            await rig.send(draft("later", ALICE, sticky=True))
            await asyncio.sleep(60)
        [texts] = [phone.texts for phone in phones if phone.texts]
        assert texts == [*(f"m{number}" for number in range(12)), "later"]

    run(main())


def test_a_known_phone_that_is_gone_is_replaced_and_the_new_one_is_known() -> None:
    async def main() -> None:
        rig, phones = await routed()
        await rig.send(draft("a", ALICE, sticky=True))
        first = (await claimed(rig)).phone
        rig.phones.set_health(rig.phones[first], Health.UNAVAILABLE, "unplugged")
        await rig.send(draft("b", ALICE, sticky=True))
        second = (await claimed(rig)).phone
        assert second != first
        rig.phones.set_health(rig.phones[first], Health.AVAILABLE, "")
        for text in "cdefgh":
            await rig.send(draft(text, ALICE, sticky=True))
        assert {row["known_phone_id"] for row in (await rig.rows("message"))[2:]} == {second}
        assert phones
        rig.database.close()

    run(main())


def test_what_is_not_sticky_is_neither_followed_nor_looked_for() -> None:
    async def main() -> None:
        rig, _ = await routed()
        for number in range(4):
            await rig.send(draft(f"m{number}", ALICE))
            await claim(rig)
        rows = await rig.rows("message")
        assert {(row["watched"], row["known_phone_id"]) for row in rows} == {(0, None)}
        rig.database.close()

    run(main())


def test_a_flash_message_waits_for_a_phone_that_can_and_others_pass_it() -> None:
    async def main() -> None:
        rig = Rig()
        able, plain = Scripted(), Scripted()
        busy = await rig.add("gsm0", able)
        await rig.add("gsm1", plain, flash=False)
        busy.busy = 1
        flash = await rig.send(draft("flash", flash=True))
        await rig.send(draft("plain"))
        async with rig.sending():
            await asyncio.sleep(1)
            assert plain.texts == ["plain"]
            assert await rig.state(flash) == State.QUEUED
            busy.busy = 0
            rig.outbox.wake()
            await asyncio.sleep(1)
        assert able.texts == ["flash"]

    run(main())
