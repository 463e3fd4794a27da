"""Delivery reports find their part: newest first, early ones too, and those in doubt."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from smsd.model.events import Report, Verdict
from smsd.model.message import Claim, FaultClass, State
from smsd.store.reports import same_number
from tests.rig import ALICE, BOB, Rig, Scripted, claimed, draft, fault, send_part
from tests.virtual_time import now, run


def report(reference: str, verdict: Verdict = Verdict.DELIVERED, **more: Any) -> Report:
    more.setdefault("recipient", ALICE)
    more.setdefault("key", f"{reference} {verdict} {more['recipient']}")
    return Report(reference, verdict=verdict, code="TP-ST", words="as reported", **more)


async def tell(rig: Rig, told: Report) -> bool:
    return await rig.store.reports.report(rig.phones.all()[0].record.id, told)


async def sent(rig: Rig, *references: str, to: str = ALICE) -> int:
    """A message that left with these references."""
    message = await rig.send(draft("x", to, parts=len(references)))
    taken = await claimed(rig)
    for number, reference in enumerate(references, 1):
        await send_part(rig, taken, number, len(references), reference)
    return message


async def begun(rig: Rig, to: str = ALICE, parts: int = 1) -> tuple[int, Claim]:
    """A message of which one part is on its way."""
    message = await rig.send(draft("x", to, parts=parts))
    taken = await claimed(rig)
    await rig.store.outgoing.begin_part(taken, 1, parts)
    return message, taken


async def rig_with_phone() -> Rig:
    rig = Rig()
    await rig.add("gsm0", Scripted(slots=3))
    return rig


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        (["delivered", "delivered"], State.DELIVERED),
        (["delivered", None], State.SENT),
        (["delivered", "trying"], State.SENT),
        (["delivered", "failed"], State.FAILED),
        (["failed", None], State.FAILED),
    ],
)
def test_a_message_is_what_all_its_parts_are(verdicts: list[str | None], state: State) -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        message = await sent(rig, "1", "2")
        for reference, verdict in zip("12", verdicts, strict=True):
            if verdict is not None:
                assert await tell(rig, report(reference, Verdict(verdict)))
        assert await rig.state(message) == state
        rig.database.close()

    run(main())


def test_a_failure_may_turn_out_delivered_and_a_delivery_stays() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        message = await sent(rig, "1")
        await tell(rig, report("1", Verdict.FAILED))
        await tell(rig, report("1", Verdict.TRYING))
        assert await rig.state(message) == State.FAILED
        await tell(rig, report("1", Verdict.DELIVERED))
        await tell(rig, report("1", Verdict.FAILED, key="again"))
        assert await rig.changes(message) == ["queued", "claimed", "sent", "failed", "delivered"]
        assert [row["status"] for row in await rig.rows("sended")] == ["delivered"]
        rig.database.close()

    run(main())


def test_the_newest_part_with_a_reference_is_meant() -> None:
    """TP-MR has eight bits: after 256 parts it comes round."""

    async def main() -> None:
        rig = await rig_with_phone()
        old = await sent(rig, "5")
        new = await sent(rig, "5")
        assert await tell(rig, report("5"))
        assert [await rig.state(old), await rig.state(new)] == [State.SENT, State.DELIVERED]
        rig.database.close()

    run(main())


def test_the_recipient_counts_too_in_whatever_form_the_network_writes_it() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        to_alice = await sent(rig, "5", to=ALICE)
        to_bob = await sent(rig, "5", to=BOB)
        assert await tell(rig, report("5", recipient="0612345678"))
        assert [await rig.state(to_alice), await rig.state(to_bob)] == ["delivered", "sent"]
        assert not await tell(rig, report("5", recipient="+33699999999"))
        rig.database.close()

    run(main())


def test_another_phones_reference_is_another_reference() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        message = await sent(rig, "5")
        other = await rig.add("gsm1", Scripted())
        assert not await rig.store.reports.report(other.record.id, report("5"))
        assert await rig.state(message) == State.SENT
        rig.database.close()

    run(main())


def test_after_three_days_a_reference_means_nothing_any_more() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        message = await sent(rig, "5")
        await asyncio.sleep(timedelta(hours=72, seconds=1).total_seconds())
        assert not await tell(rig, report("5"))
        assert await rig.state(message) == State.SENT
        rig.database.close()

    run(main())


def test_copies_of_a_report_change_nothing() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        message = await sent(rig, "5")
        for _ in range(3):
            assert await tell(rig, report("5"))
        assert await rig.changes(message) == ["queued", "claimed", "sent", "delivered"]
        assert len(await rig.rows("report")) == 1
        rig.database.close()

    run(main())


def test_a_report_that_comes_before_its_reference_is_applied_with_it() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        message, taken = await begun(rig)
        assert not await tell(rig, report("5"))
        await rig.store.outgoing.complete_part(taken.attempt, 1, "5")
        assert await rig.state(message) == State.DELIVERED
        assert [row["part_id"] for row in await rig.rows("report")] == [1]
        rig.database.close()

    run(main())


@pytest.mark.parametrize("stray", ["old", "other recipient", "other reference"])
def test_a_stray_report_is_not_taken_for_an_early_one(stray: str) -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        if stray == "old":
            await tell(rig, report("5"))
            await asyncio.sleep(301)
        message, taken = await begun(rig)
        if stray == "other recipient":
            await tell(rig, report("5", recipient=BOB))
        if stray == "other reference":
            await tell(rig, report("6"))
        await rig.store.outgoing.complete_part(taken.attempt, 1, "5")
        assert await rig.state(message) == State.SENT
        rig.database.close()

    run(main())


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize(("before", "reference"), [("40", "41"), ("255", "0"), (None, "17")])
@pytest.mark.parametrize("verdict", [Verdict.DELIVERED, Verdict.FAILED, Verdict.TRYING])
def test_a_report_settles_a_doubt(
    before: str | None, reference: str, verdict: Verdict, *, early: bool
) -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        if before is not None:
            await sent(rig, before, to=BOB)
        message, taken = await begun(rig)
        doubt = fault(FaultClass.AMBIGUOUS)
        if early:
            assert not await tell(rig, report(reference, verdict))
            await rig.store.outgoing.doubt(taken.attempt, doubt)
        else:
            await rig.store.outgoing.doubt(taken.attempt, doubt)
            assert await tell(rig, report(reference, verdict))
        expected = {"delivered": State.DELIVERED, "failed": State.FAILED, "trying": State.SENT}
        assert await rig.state(message) == expected[verdict]
        story = await rig.story(message)
        assert story["fault_words"] == ("as reported" if verdict == "failed" else None)
        rig.database.close()

    run(main())


@pytest.mark.parametrize(("reference", "recipient"), [("42", ALICE), ("41", BOB), ("x", ALICE)])
def test_a_report_that_may_be_about_something_else_leaves_the_doubt(
    reference: str, recipient: str
) -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        await sent(rig, "40", to="+33611111111")
        message, taken = await begun(rig)
        await rig.store.outgoing.doubt(taken.attempt, fault(FaultClass.AMBIGUOUS))
        assert not await tell(rig, report(reference, recipient=recipient))
        assert await rig.state(message) == State.UNCERTAIN
        rig.database.close()

    run(main())


@pytest.mark.parametrize("answer", ["41", "42", None])
def test_a_report_that_may_be_of_one_in_flight_waits_for_its_answer(answer: str | None) -> None:
    """Two messages to one number: the one in doubt may have had the reference, or the other one."""

    async def main() -> None:
        rig = await rig_with_phone()
        await sent(rig, "40", to=BOB)
        first, taken = await begun(rig)
        await rig.store.outgoing.doubt(taken.attempt, fault(FaultClass.AMBIGUOUS))
        second, taken = await begun(rig)
        assert not await tell(rig, report("41"))
        assert await rig.state(first) == State.UNCERTAIN
        if answer is None:
            await rig.store.outgoing.doubt(taken.attempt, fault(FaultClass.AMBIGUOUS))
            states = (State.UNCERTAIN, State.UNCERTAIN)  # nobody can tell which of them went
        else:
            await rig.store.outgoing.complete_part(taken.attempt, 1, answer)
            ours = (State.UNCERTAIN, State.DELIVERED)
            states = ours if answer == "41" else (State.DELIVERED, State.SENT)
        assert (await rig.state(first), await rig.state(second)) == states
        rig.database.close()

    run(main())


def test_a_doubt_settled_in_the_middle_of_a_message_lets_the_rest_go() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        message, taken = await begun(rig, parts=3)
        await rig.store.outgoing.doubt(taken.attempt, fault(FaultClass.AMBIGUOUS))
        assert await tell(rig, report("8"))
        assert await rig.state(message) == State.QUEUED
        again = await claimed(rig)
        assert again.sent_parts == {1: "8"}
        for part in (2, 3):
            await send_part(rig, again, part, 3, str(part))
            await tell(rig, report(str(part)))
        assert await rig.state(message) == State.DELIVERED
        rig.database.close()

    run(main())


def test_what_is_awaited_is_what_left_and_has_no_final_verdict() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        for reference in ("1001", "1002", "1003", "4"):  # the last is a modem's: it tells by itself
            await sent(rig, reference)
        await begun(rig)
        await tell(rig, report("1001"))
        await tell(rig, report("1002", Verdict.TRYING))
        awaited = await rig.store.reports.awaited(rig.phones.all()[0].record.id)
        assert [(a.reference, a.recipient, a.sent_at) for a in awaited] == [
            ("1002", ALICE, now()),
            ("1003", ALICE, now()),
        ]
        rig.database.close()

    run(main())


def test_a_provider_that_gives_one_answer_a_part_needs_no_key() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        message = await sent(rig, "provider-id")
        assert await tell(rig, report("provider-id", key=""))
        assert not await tell(rig, report("unknown", key=""))
        assert await rig.rows("report") == []
        assert await rig.state(message) == State.DELIVERED
        rig.database.close()

    run(main())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+33612345678", "33612345678", True),
        ("+33612345678", "0612345678", True),
        ("+33612345678", "612345678", True),
        ("+33612345678", "+33612345679", False),
        ("36789", "36789", True),
        ("36789", "6789", False),
        ("", "+33612345678", False),
    ],
)
def test_forms_of_a_number(one: str, other: str, *, same: bool) -> None:
    assert same_number(one, other) is same is same_number(other, one)


def test_a_report_goes_to_the_part_that_was_on_its_way_at_its_time() -> None:
    """TP-MR comes round: the older part under the same reference had no report, or had its own."""

    async def main() -> None:
        rig = await rig_with_phone()
        old = await sent(rig, "7")
        await asyncio.sleep(3600)
        new = await sent(rig, "7")
        assert await tell(rig, report("7", key="a", accepted_at=now() - timedelta(seconds=3600)))
        assert await rig.state(old) == State.DELIVERED
        assert await rig.state(new) == State.SENT
        assert await tell(rig, report("7", key="b", accepted_at=now()))
        assert await rig.state(new) == State.DELIVERED
        rig.database.close()

    run(main())


def test_a_report_that_comes_before_its_reference_is_not_given_to_an_older_part() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        old = await sent(rig, "7")
        await asyncio.sleep(3600)
        message, flying = await begun(rig)
        assert not await tell(rig, report("7", accepted_at=now()))
        await asyncio.sleep(600)
        assert await rig.store.outgoing.complete_part(flying.attempt, 1, "7")
        assert await rig.state(message) == State.DELIVERED
        assert await rig.state(old) == State.SENT
        rig.database.close()

    run(main())


def test_a_report_settles_the_part_in_doubt_although_an_older_one_has_its_reference() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        old = await sent(rig, "8")
        await asyncio.sleep(3600)
        await sent(rig, "7")
        message, doubtful = await begun(rig)
        await rig.store.outgoing.doubt(doubtful.attempt, fault(FaultClass.AMBIGUOUS))
        assert await tell(rig, report("8", accepted_at=now()))
        assert await rig.state(message) == State.DELIVERED
        assert await rig.state(old) == State.SENT
        rig.database.close()

    run(main())


def test_a_report_that_could_be_about_either_of_two_doubts_settles_neither() -> None:
    """Only one of them went; calling the other delivered would lose it with the best of states."""

    async def main() -> None:
        rig = await rig_with_phone()
        await sent(rig, "40", to=BOB)
        messages = []
        for _ in range(2):
            message, taken = await begun(rig)
            await rig.store.outgoing.doubt(taken.attempt, fault(FaultClass.AMBIGUOUS))
            messages.append(message)
        assert not await tell(rig, report("41", accepted_at=now()))
        assert [await rig.state(message) for message in messages] == [State.UNCERTAIN] * 2
        rig.database.close()

    run(main())
