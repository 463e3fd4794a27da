"""A message's way out, as the store keeps it."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smsd.dispatch.route import route
from smsd.model.events import Report, Verdict
from smsd.model.message import AttemptId, FaultClass, State
from smsd.store.database import Conflict, StoreUnavailable, Transaction
from smsd.store.once import Once
from tests.rig import ALICE, BOB, Rig, Scripted, claim, claimed, draft, fault, phone_id, send_part
from tests.virtual_time import START, now, run


async def next_due(rig: Rig) -> datetime | None:
    _, due = await rig.store.outgoing.claim((), {}, lambda m, c: route(m, c, now()))
    return due


async def used(rig: Rig) -> int:
    """Parts used of the first limit of the first phone."""
    candidates = await rig.store.views.candidates(rig.phones.standings(), rig.phones.counts())
    return candidates[0].windows[0].used


def test_what_is_due_is_queued_in_the_transaction_that_accepts_it() -> None:
    async def main() -> None:
        rig = Rig()
        accepted = await rig.store.outgoing.schedule(1, draft("hi", ALICE, BOB, ALICE))
        assert [row["destination"] for row in await rig.rows("message")] == [ALICE, BOB]
        assert [row["state"] for row in await rig.rows("event")] == ["queued", "queued"]
        assert await rig.rows("scheduled") == []
        assert {row["scheduled_id"] for row in await rig.rows("message")} == {accepted.id}
        rig.database.close()

    run(main())


def test_what_is_due_later_waits_and_its_validity_begins_then() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        later = START + timedelta(hours=2)
        await rig.store.outgoing.schedule(1, draft(at=later, validity=600))
        assert await claim(rig) == []
        assert await next_due(rig) == later
        await asyncio.sleep(7200)
        [found] = await claim(rig)
        assert found.expires_at == later + timedelta(seconds=600)
        rig.database.close()

    run(main())


def test_the_same_key_and_body_give_the_same_answer_for_a_day() -> None:
    async def main() -> None:
        rig = Rig()
        schedule = rig.store.outgoing.schedule
        first = await schedule(1, draft(), Once("key", "digest"))
        again = await schedule(1, draft(), Once("key", "digest"))
        assert (again.id, again.again, first.again) == (first.id, True, False)
        with pytest.raises(Conflict):
            await schedule(1, draft(), Once("key", "other"))
        assert (await schedule(2, draft(), Once("key", "other"))).id == first.id + 1
        assert len(await rig.rows("message")) == 2
        await asyncio.sleep(86_401)
        assert (await schedule(1, draft(), Once("key", "other"))).id == first.id + 2
        rig.database.close()

    run(main())


def test_priorities_then_due_then_age() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(slots=9))
        messages = [await rig.send(draft(str(n))) for n in range(3)]
        connection = rig.database._connection
        connection.execute("UPDATE message SET priority = 5 WHERE id = ?", (messages[2],))
        connection.execute("UPDATE message SET due_at = due_at - 1 WHERE id = ?", (messages[1],))
        assert [c.message for c in await claim(rig)] == [messages[2], messages[1], messages[0]]
        rig.database.close()

    run(main())


def test_a_busy_phone_holds_up_only_its_own_messages() -> None:
    async def main() -> None:
        rig = Rig()
        one = await rig.add("gsm0", Scripted())
        two = await rig.add("gsm1", Scripted())
        one.busy = 1
        await rig.send(draft(phone=one.record.id))
        free = await rig.send(draft(phone=two.record.id))
        assert [(c.message, c.phone) for c in await claim(rig)] == [(free, two.record.id)]
        rig.database.close()

    run(main())


@pytest.mark.parametrize(("slots", "limit", "sizes"), [(5, 4, [2, 1, 2, 1]), (9, 3, [1] * 9)])
def test_claims_of_one_transaction_never_pass_a_limit(
    slots: int, limit: int, sizes: list[int]
) -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(slots=slots), limits=[(limit, "today")])
        for size in sizes:
            await rig.send(draft(parts=size))
        taken = sum([(await rig.story(c.message))["parts"] for c in await claim(rig)])
        assert taken == limit == await used(rig)
        assert await claim(rig) == []
        rig.database.close()

    run(main())


def test_parts_count_from_the_claim_on_and_refused_ones_no_more() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(), limits=[(10, "today")])
        await rig.send(draft(parts=3))
        taken = await claimed(rig)
        assert await used(rig) == 3
        await rig.store.outgoing.begin_part(taken, 1, 3)
        assert await used(rig) == 3
        await rig.store.outgoing.release(taken.attempt, fault(), retry_at=now())
        assert await used(rig) == 0
        rig.database.close()

    run(main())


def test_a_begun_message_keeps_its_room_in_the_limit_while_it_waits() -> None:
    """Else another takes it, and the rest passes the limit or is cut off."""

    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(), limits=[(3, "today")])
        begun = await rig.send(draft("long", parts=3))
        taken = await claimed(rig)
        await send_part(rig, taken, 1, 3, "7")
        await rig.store.outgoing.begin_part(taken, 2, 3)
        later = now() + timedelta(seconds=60)
        await rig.store.outgoing.release(taken.attempt, fault(), retry_at=later)
        await rig.send(draft("other", parts=2))
        assert await claim(rig) == []
        assert await used(rig) == 3
        await asyncio.sleep(61)
        [again] = await claim(rig)
        assert (again.message, again.sent_parts) == (begun, {1: "7"})
        assert await used(rig) == 3
        rig.database.close()

    run(main())


def test_a_limit_that_is_full_does_not_cut_a_begun_message_in_two() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(slots=2), limits=[(3, "today")])
        begun = await rig.send(draft("long", parts=2))
        other = await rig.send(draft("other"))
        first, second = await claim(rig)
        assert [first.message, second.message] == [begun, other]
        await send_part(rig, first, 1, 2, "1")
        await rig.store.outgoing.release(first.attempt, fault(), retry_at=now())
        await send_part(rig, second, 1, 1, "2")
        assert await used(rig) == 3
        assert [c.message for c in await claim(rig)] == [begun]
        rig.database.close()

    run(main())


def test_messages_too_long_for_what_is_left_hold_up_neither_the_store_nor_shorter_ones() -> None:
    """Looked at one by one, each with a walk past all before it, this took half a minute."""

    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(slots=2), limits=[(3, "today")])
        numbers = [f"+336120{n:05}" for n in range(20_000)]
        await rig.store.outgoing.schedule(1, draft("long", *numbers, parts=2))
        short = await rig.send(draft("short"))
        first, last = await claim(rig)
        assert (first.message, last.message) == (1, short)
        rig.phones[1].busy = 1
        assert await claim(rig) == []
        rig.database.close()

    run(main())


def test_a_limit_frees_when_its_window_moves_on() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(), limits=[(1, "-24 hours")])
        await rig.send(draft())
        waiting = await rig.send(draft())
        await send_part(rig, await claimed(rig), 1, 1, "1")
        assert await claim(rig) == []
        await asyncio.sleep(86_399)
        rig.database._connection.execute("UPDATE message SET expires_at = expires_at * 2")
        assert await claim(rig) == []
        await asyncio.sleep(2)
        assert [c.message for c in await claim(rig)] == [waiting]
        rig.database.close()

    run(main())


def test_a_claim_tells_what_was_taken_and_keeps_why() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted())
        message = await rig.send(draft("text", flash=True))
        taken = await claimed(rig)
        assert (taken.text, taken.flash, taken.destination) == ("text", True, ALICE)
        story = await rig.story(message)
        assert story["phone_id"] == phone.record.id
        assert story["attempts"][0]["route"] == "gsm0: priority 0"
        assert await rig.changes(message) == ["queued", "claimed"]
        rig.database.close()

    run(main())


def test_the_last_part_sends_the_message() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        message = await rig.send(draft(parts=2))
        taken = await claimed(rig)
        await send_part(rig, taken, 1, 2, "250")
        assert await rig.state(message) == State.CLAIMED
        await send_part(rig, taken, 2, 2, "251")
        story = await rig.story(message)
        assert story["state"] == State.SENT
        assert story["attempts"][0]["outcome"] == "sent"
        [sended] = await rig.rows("sended")
        assert (sended["status"], sended["message_id"]) == ("unknown", message)
        assert not await rig.store.outgoing.complete_part(taken.attempt, 2, "252")
        rig.database.close()

    run(main())


def test_an_attempt_that_is_over_begins_nothing() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        await rig.send(draft(parts=2))
        taken = await claimed(rig)
        await rig.store.outgoing.release(taken.attempt, fault(), retry_at=now())
        with pytest.raises(Conflict):
            await rig.store.outgoing.begin_part(taken, 1, 2)
        again = await claimed(rig)
        with pytest.raises(Conflict):
            await rig.store.outgoing.begin_part(taken, 1, 2)
        await rig.store.outgoing.begin_part(again, 1, 2)
        rig.database.close()

    run(main())


def test_what_settles_comes_once() -> None:
    """After an attempt has ended no other ending of it has any effect."""

    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        out = rig.store.outgoing
        message = await rig.send(draft())
        taken = await claimed(rig)
        await out.reject(taken.attempt, fault(FaultClass.PERMANENT))
        before = await rig.story(message)
        await out.release(taken.attempt, fault(), retry_at=now())
        await out.decline(taken.attempt, fault())
        await out.doubt(taken.attempt, fault())
        await out.reject(taken.attempt, fault())
        await out.doubt(AttemptId(99), fault())
        assert await rig.story(message) == before
        assert before["state"] == State.FAILED
        assert [row["status"] for row in await rig.rows("sended")] == ["failed"]
        rig.database.close()

    run(main())


def test_tries_are_counted_by_phone_and_code_and_then_another_phone_may_have_it() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(), priority=1)
        message = await rig.send(draft())
        for code in ("500", None, "512", None, "500"):
            taken = await claimed(rig)
            failed = replace(fault(FaultClass.RETRY), code=code)
            await rig.store.outgoing.release(taken.attempt, failed, retry_at=now(), tries=2)
        assert await rig.state(message) == State.QUEUED
        await rig.add("gsm1", Scripted())
        taken = await claimed(rig)
        assert rig.phones[taken.phone].record.name == "gsm1"
        failed = replace(fault(FaultClass.RETRY), code="500")
        await rig.store.outgoing.release(taken.attempt, failed, retry_at=now(), tries=1)
        assert await claim(rig) == []
        story = await rig.story(message)
        assert (story["state"], story["fault_code"]) == (State.FAILED, "500")
        rig.database.close()

    run(main())


def test_a_message_in_doubt_is_never_claimed_again() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        await rig.add("gsm1", Scripted())
        message = await rig.send(draft())
        taken = await claimed(rig)
        await rig.store.outgoing.begin_part(taken, 1, 1)
        await rig.store.outgoing.doubt(taken.attempt, fault(FaultClass.AMBIGUOUS))
        await asyncio.sleep(10 * 86_400)
        assert await claim(rig) == []
        assert await rig.store.outgoing.recover() == {State.QUEUED: 0, State.UNCERTAIN: 0}
        assert await rig.state(message) == State.UNCERTAIN
        assert not await rig.store.outgoing.cancel(1, None)
        rig.database.close()

    run(main())


def test_a_late_answer_settles_a_doubt_and_the_rest_follows_by_the_same_phone() -> None:
    async def main() -> None:
        rig = Rig()
        one = await rig.add("gsm0", Scripted())
        two = await rig.add("gsm1", Scripted())
        message = await rig.send(draft(parts=2))
        taken = await claimed(rig)
        await rig.store.outgoing.begin_part(taken, 1, 2)
        await rig.store.outgoing.doubt(taken.attempt, fault(FaultClass.AMBIGUOUS))
        assert await rig.store.outgoing.complete_part(taken.attempt, 1, "9")
        assert await rig.state(message) == State.QUEUED
        assert not await rig.store.outgoing.cancel(1, None)
        holder = one if taken.phone == one.record.id else two
        holder.busy = 1
        assert await claim(rig) == []
        holder.busy = 0
        [again] = await claim(rig)
        assert (again.phone, again.sent_parts) == (holder.record.id, {1: "9"})
        rig.database.close()

    run(main())


def test_cancelling_takes_back_what_no_phone_has_begun() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        accepted = await rig.store.outgoing.schedule(1, draft("hi", ALICE, BOB))
        later = await rig.store.outgoing.schedule(1, draft(at=START + timedelta(days=1)))
        taken = await claimed(rig)
        cancel = rig.store.outgoing.cancel
        assert not await cancel(accepted.id, 2)
        assert await cancel(accepted.id, 1)
        assert not await cancel(accepted.id, 1)
        states = {row["id"]: row["state"] for row in await rig.rows("message")}
        assert states.pop(taken.message) == State.CLAIMED
        assert set(states.values()) == {State.CANCELLED}
        assert not await cancel(later.id, 2)
        assert await cancel(later.id, None)
        assert await rig.rows("scheduled") == await rig.rows("scheduled_number") == []
        await asyncio.sleep(2 * 86_400)
        assert await claim(rig) == []
        rig.database.close()

    run(main())


def test_validity_ends_what_waits_and_says_how_much_had_gone() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        begun = await rig.send(draft(parts=2, validity=300))
        taken = await claimed(rig)
        await send_part(rig, taken, 1, 2, "1")
        await rig.store.outgoing.release(
            taken.attempt, fault(), retry_at=now() + timedelta(seconds=400)
        )
        untouched = await rig.send(draft(validity=300))
        assert await next_due(rig) == START + timedelta(seconds=300)
        await asyncio.sleep(300)
        assert await claim(rig) == []
        words = [(await rig.story(m))["changes"][-1]["words"] for m in (begun, untouched)]
        assert words == [
            "its validity ended after 1 of 2 parts had gone",
            "its validity ended before it could be sent",
        ]
        assert {row["status"] for row in await rig.rows("sended")} == {"failed"}
        rig.database.close()

    run(main())


def test_a_restart_queues_what_was_not_begun_and_doubts_what_was(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        await rig.add("gsm0", Scripted(slots=4))
        names = ("fresh", "half", "doubt", "sent")
        ids = {name: await rig.send(draft(name, parts=2)) for name in names}
        claims = {c.text: c for c in await claim(rig)}
        for name in ("half", "sent"):
            await send_part(rig, claims[name], 1, 2, f"1{name}")
        await send_part(rig, claims["sent"], 2, 2, "2sent")
        await rig.store.outgoing.begin_part(claims["doubt"], 1, 2)
        rig.database.close()

        rig = Rig(tmp_path / "db")
        await rig.add("gsm0", Scripted(slots=4))
        assert await rig.store.outgoing.recover() == {State.QUEUED: 2, State.UNCERTAIN: 1}
        assert {name: await rig.state(ids[name]) for name in names} == {
            "fresh": "queued", "half": "queued", "doubt": "uncertain", "sent": "sent",
        }  # fmt: skip
        again = {c.text: c.sent_parts for c in await claim(rig)}
        assert again == {"fresh": {}, "half": {1: "1half"}}
        rig.database.close()

    run(main())


def test_a_report_that_was_here_before_the_crash_settles_the_doubt_after_it() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted())
        message = await rig.send(draft())
        taken = await claimed(rig)
        await rig.store.outgoing.begin_part(taken, 1, 1)
        report = Report("41", ALICE, Verdict.DELIVERED, "TP-ST 00", "delivered", key="k")
        assert not await rig.store.reports.report(phone_id(phone), report)
        await rig.store.outgoing.recover()  # smsd was killed before the answer to the part
        assert await rig.state(message) == State.DELIVERED
        rig.database.close()

    run(main())


def test_every_state_change_has_its_event_in_the_same_transaction() -> None:
    """Whatever happens to a message, its newest event names the state that it is in."""

    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        out = rig.store.outgoing
        endings: list[Any] = [
            lambda a: out.release(a, fault(), retry_at=now(), tries=1),
            lambda a: out.reject(a, fault()),
            lambda a: out.decline(a, fault()),
            lambda a: out.doubt(a, fault()),
        ]
        for ending in endings:
            await rig.send(draft())
            taken = await claimed(rig)
            await out.begin_part(taken, 1, 1)
            await ending(taken.attempt)
        for row in await rig.rows("message"):
            assert (await rig.changes(row["id"]))[-1] == row["state"]
        rig.database.close()

    run(main())


def test_a_claim_that_was_undone_after_its_answer_can_do_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim is answered before its commit; when that fails, another message gets the phone."""

    def fail(tx: Transaction) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async def main() -> None:
        rig = Rig(tmp_path / "db", lambda: START, inline=False)
        await rig.add("gsm0", Scripted())
        first = await rig.send(draft("first"))
        with monkeypatch.context() as patient:
            patient.setattr("smsd.store.database.HELD", 60.0)
            stale = await claimed(rig)
            with pytest.raises(StoreUnavailable):
                await rig.database.transaction(fail)
        assert await rig.state(first) == State.QUEUED
        taken = await claimed(rig)
        assert (taken.message, taken.attempt) == (first, stale.attempt + 1)
        outgoing = rig.store.outgoing
        with pytest.raises(Conflict):
            await outgoing.begin_part(stale, 1, 1)
        for end in (outgoing.doubt, outgoing.decline, outgoing.reject):
            await end(stale.attempt, fault())
        await outgoing.release(stale.attempt, fault(), retry_at=START)
        assert await rig.state(first) == State.CLAIMED
        await send_part(rig, taken, 1, 1, "1")
        assert await rig.state(first) == State.SENT
        rig.database.close()

    asyncio.run(main())
