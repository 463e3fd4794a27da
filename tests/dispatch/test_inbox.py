"""What becomes of what comes in, with real PDUs from the codec, read as the modem adapter does."""

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsd.adapters.modem.incoming import read_pdu
from smsd.dispatch.inbox import Inbox, Reactions, join
from smsd.gsm import PDU, Address, Deliver, segment
from smsd.model.content import Content
from smsd.model.events import Incoming, LateAnswer, Place, Report, Verdict
from smsd.model.message import FaultClass, State
from smsd.model.phone import Health
from smsd.model.reactions import Heard
from tests.rig import ALICE, Rig, Scripted, claimed, draft, fault
from tests.virtual_time import run

SCTS = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def delivered(text: str, reference: int = 7) -> list[Incoming]:
    """The parts of a text, as a modem reads them."""
    found = []
    for part in segment(text, reference=reference):
        tpdu = Deliver(Address.parse(ALICE), 0, part.coding, SCTS, part)
        pdu = PDU(sc=Address.parse("+33609001390"), tpdu=tpdu)
        incoming = read_pdu(pdu.hex, pdu.length)
        assert isinstance(incoming, Incoming)
        found.append(incoming)
    return found


async def inbox() -> tuple[Rig, Inbox]:
    rig = Rig()
    phone = await rig.add("gsm0", Scripted())
    return rig, Inbox(phone, rig.phones, rig.store)


@settings(max_examples=50, deadline=None)
@given(st.text("aé€[😀ж \n", min_size=1, max_size=500), st.integers(0, 2**32))
def test_a_text_comes_in_as_it_went_out_in_any_order(text: str, seed: int) -> None:
    async def main() -> None:
        rig, sink = await inbox()
        parts = delivered(text)
        Random(seed).shuffle(parts)
        for part in (*parts, *parts):
            await sink.received(part)
        assert [row["text"] for row in await rig.rows("received")] == [text]
        assert {row["origin"] for row in await rig.rows("received")} == {ALICE}
        rig.database.close()

    run(main())


def test_a_card_that_is_put_into_another_modem_is_known_by_its_number() -> None:
    async def main() -> None:
        rig, first = await inbox()
        other = await rig.add("gsm1", Scripted())
        second = Inbox(other, rig.phones, rig.store)
        parts = delivered("long " * 60)
        for sink in (first, second):
            sink.facts(iccid="8933150319080162432")
        await first.received(parts[0])
        for part in parts:
            await second.received(part)
        assert [row["text"] for row in await rig.rows("received")] == ["long " * 60]
        assert len(await rig.rows("incoming")) == len(parts)
        rig.database.close()

    run(main())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40).map(bytes.hex) | st.text(max_size=9), max_size=4))
def test_joining_never_fails_whatever_was_kept(raws: list[str]) -> None:
    assert isinstance(join(raws), Content | None)


def test_a_part_that_is_missing_shows_as_a_gap_and_octets_are_no_text() -> None:
    first, _, third = delivered("a" * 153 + "b" * 153 + "c")
    assert join([first.raw, None, third.raw]) == Content("a" * 153 + "[…]" + "c")
    assert join([None, None, third.raw]) == Content("[…][…]c")
    assert join([first.raw, None, None]) == Content("a" * 153 + "[…][…]")
    assert join([None]) is None


def test_what_cannot_be_decoded_is_kept() -> None:
    async def main() -> None:
        rig, sink = await inbox()
        await sink.received(Incoming("k", "FFFF", error="cut off"))
        assert [row["raw"] for row in await rig.rows("incoming")] == ["FFFF"]
        assert await rig.rows("received") == []
        rig.database.close()

    run(main())


def test_binary_parts_that_make_a_message_are_kept_in_their_order() -> None:
    async def main() -> None:
        rig, sink = await inbox()
        for number in (2, 1):
            place = Place(1, wide=False, total=2, number=number)
            await sink.received(Incoming(f"k{number}", f"0{number}", ALICE, SCTS, None, place))
        assert [row["number"] for row in await rig.rows("incoming")] == [2, 1]
        rig.database.close()

    run(main())


def test_a_rule_that_fails_does_not_cost_the_text(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted())

        def react(heard: Heard) -> None:
            raise KeyError(heard.phone)

        sink = Inbox(phone, rig.phones, rig.store, Reactions(react, lambda: None))
        for part in delivered("a private text"):
            await sink.received(part)
        assert [row["text"] for row in await rig.rows("received")] == ["a private text"]
        rig.database.close()

    run(main())
    assert "nothing is done about it" in caplog.text
    assert "private" not in caplog.text


def test_reports_and_late_answers_reach_their_message() -> None:
    async def main() -> None:
        rig, sink = await inbox()
        message = await rig.send(draft())
        taken = await claimed(rig)
        await rig.store.outgoing.begin_part(taken, 1, 1)
        await rig.store.outgoing.doubt(taken.attempt, fault(FaultClass.AMBIGUOUS))
        await sink.answered_late(LateAnswer(taken.attempt, 1, "id-9"))
        await sink.answered_late(LateAnswer(taken.attempt, 1, "id-9"))
        assert await rig.state(message) == State.SENT
        [awaited] = await sink.awaited()
        assert awaited.reference == "id-9"
        report = Report("id-9", ALICE, Verdict.DELIVERED, "TP-ST 00", "delivered", key="k")
        await sink.reported(report)
        assert await rig.state(message) == State.DELIVERED
        assert await sink.awaited() == []
        rig.database.close()

    run(main())


def test_pins_are_claimed_in_the_store() -> None:
    async def main() -> None:
        rig, sink = await inbox()
        assert await sink.pin_may_be_tried("sim", "1234", 2)
        assert not await sink.pin_may_be_tried("sim", "1234", 2)
        await sink.pin_settled("sim", "1234", refused=False)
        assert await sink.pin_may_be_tried("sim", "1234", 2)
        rig.database.close()

    run(main())


def test_health_and_facts_of_the_phone() -> None:
    async def main() -> None:
        rig, sink = await inbox()
        [phone] = rig.phones.all()
        sink.health(Health.UNAVAILABLE, "unplugged", hint="plug it in")
        assert (phone.health, phone.words, phone.hint) == ("unavailable", "unplugged", "plug it in")
        sink.health(Health.AVAILABLE)
        sink.facts(imei="123", iccid=None)
        assert phone.facts == {"imei": "123", "iccid": None}
        rig.database.close()

    run(main())


def test_what_comes_in_waits_for_the_disk_and_is_not_lost() -> None:
    async def main() -> None:
        rig, sink = await inbox()
        [one] = delivered("kept")
        rig.pragma("query_only", 1)
        async with asyncio.TaskGroup() as group:
            group.create_task(sink.received(one))
            await asyncio.sleep(12)
            rig.pragma("query_only", 0)
        assert [row["text"] for row in await rig.rows("received")] == ["kept"]
        rig.database.close()

    run(main())
