"""Messages in doubt: what a person decides, and what their phone's owner wants."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from smsd.dispatch.phones import Phone
from smsd.model.events import Report, Verdict
from smsd.model.message import Resolution, State
from smsd.model.phone import Health
from smsd.store.database import Conflict
from smsd.store.stops import EVERYBODY
from tests.rig import ALICE, Rig, Scripted, claim, claimed, draft, fault, phone_id, send_part
from tests.virtual_time import now, run

SENT, RESEND, DROP = Resolution


async def doubted(rig: Rig, *, taken: int = 0, total: int = 1, **more: Any) -> int:
    """A message of which ``taken`` parts went, and the next one may have."""
    message = await rig.send(draft(parts=total, **more))
    given = await claimed(rig)
    for part in range(1, taken + 1):
        await send_part(rig, given, part, total, str(part))
    await rig.store.outgoing.begin_part(given, taken + 1, total)
    await rig.store.outgoing.doubt(given.attempt, fault())
    assert await rig.state(message) == State.UNCERTAIN
    return message


async def resolve(rig: Rig, message: int, how: Resolution) -> State | None:
    return await rig.store.doubts.resolve(message, 1, how, "ann")


async def last_words(rig: Rig, message: int) -> str:
    return str((await rig.story(message))["changes"][-1]["words"])


def test_what_had_gone_is_sent() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        message = await doubted(rig)
        assert await resolve(rig, message, SENT) == State.SENT
        assert await last_words(rig, message) == "ann said that what was in doubt had gone"
        assert [row["status"] for row in await rig.rows("sended")] == ["unknown"]
        assert await claim(rig) == []

    run(main())


@pytest.mark.parametrize(("how", "left"), [(SENT, {1: "1", 2: None}), (RESEND, {1: "1"})])
def test_the_rest_goes_by_the_same_phone_and_only_the_rest(
    how: Resolution, left: dict[int, str | None]
) -> None:
    async def main() -> None:
        rig = Rig()
        first = await rig.add("gsm0", Scripted(), priority=1)
        await rig.add("gsm1", Scripted())
        message = await doubted(rig, taken=1, total=3)
        rig.phones.set_health(first, "unavailable", "away")  # type: ignore[arg-type]
        assert await resolve(rig, message, how) == State.QUEUED
        assert "ann" in await last_words(rig, message)
        assert await claim(rig) == []
        rig.phones.set_health(first, "available", "")  # type: ignore[arg-type]
        given = await claimed(rig)
        assert (given.phone, given.sent_parts) == (first.record.id, left)
        for part in {1, 2, 3} - set(left):
            await send_part(rig, given, part, 3, str(10 + part))
        assert await rig.state(message) == State.SENT

    run(main())


def test_what_is_sent_again_counts_twice_in_the_limits() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(), limits=[(3, "today")])
        message = await doubted(rig)
        await resolve(rig, message, RESEND)
        [candidate] = await rig.store.views.candidates(rig.phones.standings(), rig.phones.counts())
        assert candidate.windows[0].used == 1
        given = await claimed(rig)
        await send_part(rig, given, 1, 1, "9")
        states = [p["state"] for a in (await rig.story(message))["attempts"] for p in a["parts"]]
        assert states == ["written_off", "sent"]
        [candidate] = await rig.store.views.candidates(rig.phones.standings(), rig.phones.counts())
        assert candidate.windows[0].used == 2

    run(main())


def test_what_is_given_up_has_failed_until_a_report_tells_better() -> None:
    async def main() -> None:
        rig = Rig()
        phone = await rig.add("gsm0", Scripted())
        message = await doubted(rig)
        attempt = (await rig.story(message))["attempts"][0]["id"]
        assert await resolve(rig, message, DROP) == State.FAILED
        story = await rig.story(message)
        assert (story["fault_class"], "given up by ann" in story["fault_words"]) == (
            "ambiguous",
            True,
        )
        assert await claim(rig) == []
        # The modem answers after all, and the network reports.
        assert await rig.store.outgoing.complete_part(attempt, 1, "5")
        assert await rig.state(message) == State.FAILED
        report = Report("5", ALICE, Verdict.DELIVERED, "TP-ST 00", "delivered", key="k")
        await rig.store.reports.report(phone_id(phone), report)
        assert await rig.state(message) == State.DELIVERED

    run(main())


@pytest.mark.parametrize("how", Resolution)
def test_whatever_settled_it_before_is_right(how: Resolution) -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        message = await doubted(rig)
        attempt = (await rig.story(message))["attempts"][0]["id"]
        await rig.store.outgoing.complete_part(attempt, 1, "5")
        with pytest.raises(Conflict, match="it is sent"):
            await resolve(rig, message, how)
        assert await rig.state(message) == State.SENT
        assert await resolve(rig, message + 1, how) is None
        assert await rig.store.doubts.resolve(message, 2, how, "bob") is None

    run(main())


def test_a_message_whose_validity_ended_in_doubt_gets_as_long_again() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        message = await doubted(rig)
        connection = rig.database._connection
        connection.execute("UPDATE message SET created_at = created_at - 172800000, "
                           "expires_at = expires_at - 172800000")  # fmt: skip
        assert await resolve(rig, message, RESEND) == State.QUEUED
        given = await claimed(rig)
        assert (given.expires_at - now()).total_seconds() == 86_400

    run(main())


def test_the_policy_of_a_phone_is_kept_and_its_end_holds_what_is_in_doubt(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        phone = await rig.add("gsm0", Scripted())
        await rig.store.registry.resend_after({phone_id(phone): 60.0})
        message = await doubted(rig)
        assert (await rig.story(message))["resend_at"] is not None
        await rig.store.registry.resend_after({phone_id(phone): None})
        assert (await rig.story(message))["resend_at"] is None
        rig.database.close()

    run(main())


async def resent(
    rig: Rig, *, away: bool = False, total: int = 1, **record: Any
) -> tuple[Phone, int]:
    """A message in doubt whose phone sends it again after two minutes, unless it is ``away``."""
    phone = await rig.add("gsm0", Scripted(), **record)
    await rig.store.registry.resend_after({phone_id(phone): 120.0})
    message = await doubted(rig, total=total, validity=3 * 86_400)
    if away:
        rig.phones.set_health(phone, Health.UNAVAILABLE, "away")
    await asyncio.sleep(121)
    return phone, message


def test_who_answers_stop_to_the_first_copy_gets_no_second() -> None:
    async def main() -> None:
        rig = Rig()
        _, message = await resent(rig)
        await rig.store.stops.add(EVERYBODY, ALICE)
        assert await claim(rig) == []
        assert await rig.state(message) == State.FAILED

    run(main())


@pytest.mark.parametrize("by", ["answer", "report"])
def test_what_turns_out_to_have_gone_before_it_goes_again_is_sent(by: str) -> None:
    async def main() -> None:
        rig = Rig()
        phone, message = await resent(rig, away=True)
        assert await claim(rig) == []
        assert await rig.state(message) == State.QUEUED
        if by == "answer":
            attempt = (await rig.story(message))["attempts"][0]["id"]
            assert await rig.store.outgoing.complete_part(attempt, 1, "7")
            assert await rig.state(message) == State.SENT
        report = Report("7", ALICE, Verdict.DELIVERED, "TP-ST 00", "delivered", key="k")
        assert await rig.store.reports.report(phone_id(phone), report)
        rig.phones.set_health(phone, Health.AVAILABLE, "")
        assert await claim(rig) == []
        story = await rig.story(message)
        assert (story["state"], story["fault_class"]) == (State.DELIVERED, None)
        assert [(a["outcome"], a["parts"][0]["state"]) for a in story["attempts"]] == [
            ("sent", "sent")
        ]

    run(main())


def test_each_copy_counts_in_the_limits_and_waits_for_room() -> None:
    async def main() -> None:
        rig = Rig()
        await resent(rig, limits=[(1, "-24 hours")])
        assert await claim(rig) == []
        assert len(await rig.rows("part")) == 1
        await asyncio.sleep(86_400)
        # It is not counted as if it had been handed over already: there is room for it alone.
        assert await claim(rig) != []

    run(main())


def test_what_has_begun_does_not_wait_behind_what_goes_again() -> None:
    async def main() -> None:
        rig = Rig()
        phone, message = await resent(rig, away=True, total=2, limits=[(4, "-24 hours")])
        assert await claim(rig) == []
        rig.phones.set_health(phone, Health.AVAILABLE, "")
        half = await rig.send(draft(parts=2, priority=1))
        given = await claimed(rig)
        assert given.message == half
        await send_part(rig, given, 1, 2, "1")
        await rig.store.outgoing.release(given.attempt, fault(), retry_at=now())
        connection = rig.database._connection
        connection.execute("UPDATE message SET priority = 0")
        # 2 parts gone, 1 to follow: no room for 2 more, but what is cut in two goes on.
        again = await claimed(rig)
        assert (again.message, again.sent_parts) == (half, {1: "1"})
        words = (await rig.gateway.message(message, None) or ({}, ""))[1]
        assert "which may have sent it, would pass its limit" in str(words)

    run(main())
