"""Who goes first, and when: priorities, hours, pauses, doubts that are sent again, and rest."""

import asyncio
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from smsd.adapters.contract import Progress, Submission, Uncertain
from smsd.daemon import _keep_house, _tell
from smsd.model.events import Report, Verdict
from smsd.model.hours import window
from smsd.model.message import FaultClass, State
from smsd.model.phone import Health
from smsd.store.pauses import EVERYTHING
from smsd.systemd import Notifier
from tests.rig import ALICE, Answer, Rig, Scripted, draft, fault, hangs, phone_id, raises, takes
from tests.virtual_time import START, VirtualLoop, run

TROUBLES = frozenset(Health) - {Health.AVAILABLE, Health.DISABLED}


def doubt(after: int = 0, total: int = 1) -> Answer:
    return raises(Uncertain(fault(FaultClass.AMBIGUOUS)), after=after, total=total)


async def slowly(_: Submission, progress: Progress) -> None:
    await progress.begin(1, 1)
    await asyncio.sleep(10)
    await progress.complete(1, "1")


# Priorities ------------------------------------------------------------------------------------


def test_an_alert_overtakes_a_newsletter_at_the_next_message() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted(*[slowly] * 10)
        await rig.add("gsm0", modem)
        for n in range(5):
            await rig.send(draft(f"news {n}"))
        async with rig.sending():
            await asyncio.sleep(15)
            await rig.send(draft("slow", priority=-5))
            await rig.send(draft("alert", priority=100))
            await asyncio.sleep(200)
        assert modem.texts == ["news 0", "news 1", "alert", "news 2", "news 3", "news 4", "slow"]

    run(main())


# Hours -----------------------------------------------------------------------------------------


EVENING = window(["mon-sun"], "18:00-20:00")  # START is noon


def test_a_phone_sends_within_its_hours_and_says_so_meanwhile() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        await rig.add("gsm0", modem, send_windows=(EVENING,))
        cloud = Scripted(cloud=True)
        await rig.add("cloud0", cloud)
        message = await rig.send(draft())
        async with rig.sending():
            await asyncio.sleep(5 * 3600)
            found = await rig.gateway.message(message, None)
            assert found is not None
            assert "sends again at 2026-03-02 18:00" in str(found[1])
            assert modem.submissions == cloud.submissions == []
            await asyncio.sleep(3600 - 1)
            assert modem.submissions == []
            await asyncio.sleep(2)
            assert await rig.state(message) == State.SENT
            await asyncio.sleep(3 * 3600)
            await rig.send(draft("too late"))
            await asyncio.sleep(3600)
            assert len(modem.submissions) == 1
            assert (await rig.gateway.health())["phones"][0]["status"] == Health.AVAILABLE

    run(main())


def test_a_message_leaves_within_its_own_hours_and_holds_up_no_other() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        await rig.add("gsm0", modem)
        hours = json.dumps([{"days": ["tue"], "hours": "08:00-09:00"}])
        held = await rig.send(draft("tuesday", send_windows=hours))
        async with rig.sending():
            await rig.send(draft("now"))
            await asyncio.sleep(60)
            assert modem.texts == ["now"]
            found = await rig.gateway.message(held, None)
            assert found is not None
            assert found[1] == "waits: its hours begin at 2026-03-03 08:00"
            await asyncio.sleep(20 * 3600)
            assert modem.texts == ["now", "tuesday"]

    run(main())


def test_a_night_without_the_gateway_costs_a_message_nothing_of_its_hours(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        hours = json.dumps([{"hours": "11:00-14:00"}])
        message = await rig.send(draft("lunch", send_windows=hours, validity=3 * 3600))
        rig.database.close()
        await asyncio.sleep(11 * 3600)  # until eleven at night
        rig = Rig(tmp_path / "db")
        modem = Scripted()
        await rig.add("gsm0", modem)
        async with rig.sending():
            await asyncio.sleep(11.5 * 3600)
            assert await rig.state(message) == State.QUEUED
            await asyncio.sleep(3600)
            assert modem.texts == ["lunch"]
        rig.database.close()

    run(main())


def test_a_message_that_missed_its_hours_waits_for_the_next_ones() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        phone = await rig.add("gsm0", modem)
        rig.phones.set_health(phone, Health.UNAVAILABLE, "away")
        hours = json.dumps([{"hours": "18:00-20:00"}])
        message = await rig.send(draft("evening", send_windows=hours, validity=3 * 3600))
        async with rig.sending():
            await asyncio.sleep(8.5 * 3600)  # half past eight in the evening
            rig.phones.set_health(phone, Health.AVAILABLE, "")
            await asyncio.sleep(20 * 3600)
            assert modem.texts == []
            await asyncio.sleep(2 * 3600)
            assert modem.texts == ["evening"]
            waited = [c["state"] for c in (await rig.story(message))["changes"]]
            assert waited == ["queued", "claimed", "sent"]  # its hours ran for two of three

    run(main())


# Pauses ----------------------------------------------------------------------------------------


def test_a_pause_keeps_everything_over_restarts_and_lets_the_wire_end(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db")
        modem = Scripted(slowly)
        await rig.add("gsm0", modem)
        await rig.send(draft("on the wire"))
        async with rig.sending():
            await asyncio.sleep(5)
            await rig.gateway.pause(EVERYTHING, "ann")
            waits = await rig.send(draft("waits"))
            await asyncio.sleep(600)
            assert modem.texts == ["on the wire"]
            assert [row["status"] for row in await rig.rows("sended")] == ["unknown"]
            assert "sending is paused" in (await rig.gateway.health())["problems"]
            assert (await rig.gateway.line()).startswith("PAUSED")
        rig.database.close()
        again = Rig(tmp_path / "db")
        modem = Scripted()
        await again.add("gsm0", modem)
        await again.gateway.mind_pauses()
        async with again.sending():
            await asyncio.sleep(600)
            assert (modem.texts, await again.state(waits)) == ([], State.QUEUED)
            await again.gateway.resume(EVERYTHING, "ann")
            await asyncio.sleep(1)
            assert modem.texts == ["waits"]
        again.database.close()

    run(main())


def test_what_the_configuration_paused_can_be_resumed() -> None:
    async def main() -> None:
        rig = Rig(paused=True)
        modem = Scripted()
        await rig.add("gsm0", modem)
        await rig.gateway.mind_pauses()
        await rig.send(draft())
        async with rig.sending():
            await asyncio.sleep(60)
            assert modem.texts == []
            await rig.gateway.resume(EVERYTHING, "ann")
            await asyncio.sleep(1)
            assert modem.texts == ["hello"]

    run(main())


def test_a_phone_that_is_paused_sends_nothing_and_calls_no_fallback() -> None:
    async def main() -> None:
        rig = Rig()
        first, second, cloud = Scripted(), Scripted(), Scripted(cloud=True)
        one = await rig.add("gsm0", first, priority=1, fallback_on=TROUBLES)
        other = await rig.add("gsm1", second, limits=[(1, "today")])
        await rig.add("cloud0", cloud)
        await rig.gateway.pause(one.record.id, "ann")
        asked_for = await rig.send(draft("for gsm0", phone=int(one.record.id)))
        await rig.send(draft("for any"))
        async with rig.sending():
            await asyncio.sleep(600)
            assert (first.texts, second.texts, cloud.texts) == ([], ["for any"], [])
            rig.phones.set_health(one, Health.UNAVAILABLE, "away too")
            await asyncio.sleep(600)
            assert cloud.texts == []
            await rig.send(draft("over the limit of gsm1"))
            await asyncio.sleep(1)
            assert cloud.texts == ["over the limit of gsm1"]
            rig.phones.set_health(one, Health.AVAILABLE, "")
            await rig.gateway.pause(other.record.id, "ann")
            found = await rig.gateway.message(asked_for, None)
            assert found is not None
            assert found[1] == "waits: gsm0 is paused"
            assert "gsm0 is paused" in (await rig.gateway.health())["problems"]
            assert rig.gateway.pauses() == {"paused": False, "phones": ["gsm0", "gsm1"]}
            await rig.gateway.resume(one.record.id, "ann")
            await asyncio.sleep(1)
            assert first.texts == ["for gsm0"]

    run(main())


# Doubts ----------------------------------------------------------------------------------------


def test_what_is_in_doubt_is_sent_again_where_the_owner_wants_it_loudly_and_not_for_ever() -> None:
    async def main() -> None:
        rig = Rig()
        modem, other = Scripted(*[doubt()] * 9), Scripted()
        phone = await rig.add("gsm0", modem, priority=1, resend_after=120.0)
        await rig.add("gsm1", other)
        await rig.store.registry.resend_after({phone_id(phone): 120.0})
        message = await rig.send(draft())
        async with rig.sending():
            await asyncio.sleep(100)
            assert await rig.state(message) == State.UNCERTAIN
            assert len(modem.submissions) == 1
            await asyncio.sleep(30)
            assert len(modem.submissions) == 2
            await asyncio.sleep(3600)
            assert (len(modem.submissions), other.submissions) == (4, [])
            assert await rig.state(message) == State.UNCERTAIN
            assert (await rig.story(message))["resend_at"] is None
            [notice] = (await rig.gateway.health())["notices"]
            assert "twice" in notice
            again = [c["words"] for c in (await rig.story(message))["changes"]
                     if c["words"] and "sent again" in c["words"]]  # fmt: skip
            assert len(again) == 3

    run(main())


def test_a_report_that_comes_in_time_keeps_it_from_being_sent_again() -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted(takes(first=7), doubt())
        phone = await rig.add("gsm0", modem, resend_after=120.0)
        await rig.store.registry.resend_after({phone_id(phone): 120.0})
        await rig.send(draft("before"))
        message = await rig.send(draft("in doubt"))
        async with rig.sending():
            await asyncio.sleep(60)
            assert await rig.state(message) == State.UNCERTAIN
            report = Report("8", ALICE, Verdict.DELIVERED, "TP-ST 00", "delivered", key="k")
            assert await rig.store.reports.report(phone_id(phone), report)
            await asyncio.sleep(3600)
            assert (await rig.state(message), len(modem.submissions)) == (State.DELIVERED, 2)

    run(main())


# Ends ------------------------------------------------------------------------------------------


def test_a_phone_that_never_ends_with_a_message_does_not_keep_it() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(hangs()))
        unbegun = await rig.add("gsm1", Scripted(hangs(begun=False)))
        first = await rig.send(draft(validity=3600, phone=1))
        second = await rig.send(draft(validity=3600, phone=int(unbegun.record.id)))
        async with rig.sending():
            await asyncio.sleep(3600)
            assert await rig.state(first) == State.CLAIMED
            await asyncio.sleep(700)
            assert await rig.state(first) == State.UNCERTAIN
            assert await rig.state(second) == State.EXPIRED
            assert rig.busy == 0

    run(main())


def test_no_part_begins_after_the_validity_has_ended() -> None:
    async def main() -> None:
        rig = Rig()

        async def slow(_: Submission, progress: Progress) -> None:
            for part in (1, 2, 3):
                await progress.begin(part, 3)
                await asyncio.sleep(200)
                await progress.complete(part, str(part))

        await rig.add("gsm0", Scripted(slow))
        message = await rig.send(draft(parts=3, validity=300))
        async with rig.sending():
            await asyncio.sleep(1000)
        story = await rig.story(message)
        assert story["state"] == State.EXPIRED
        assert "2 of 3 parts had gone" in story["changes"][-1]["words"]

    run(main())


@pytest.mark.parametrize(("of_phone", "of_message", "minutes"), [
    (None, 86_400, 1440), (3600, 86_400, 60), (86_400, 3600, 60),
])  # fmt: skip
def test_a_network_tries_as_long_as_message_and_phone_allow(
    of_phone: int | None, of_message: int, minutes: int
) -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        phone = await rig.add("gsm0", modem, validity=of_phone)
        await rig.send(draft(validity=of_message))
        async with rig.sending():
            await asyncio.sleep(1)
        assert modem.submissions[0].validity == minutes
        assert rig.gateway.validity_by(int(phone.record.id)) == (of_phone or 86_400)
        assert rig.gateway.validity_by(None) == 86_400

    run(main())


# Rest ------------------------------------------------------------------------------------------


class _Silent(Notifier):
    def __init__(self) -> None:
        self.told: Counter[str] = Counter()

    def status(self, words: str) -> None:
        self.told[words] += 1


@pytest.mark.parametrize("planned", [False, True])
def test_an_idle_gateway_asks_the_store_nothing_and_sleeps(planned: bool) -> None:
    async def main() -> None:
        rig = Rig()
        modem = Scripted()
        await rig.add(
            "gsm0",
            modem,
            limits=[(100, "-24 hours")],
            send_windows=(window(["mon-sun"], "00:00-24:00"),),
        )
        await rig.send(draft())
        if planned:
            later = START + timedelta(hours=3)
            await rig.store.outgoing.schedule(1, draft("planned", at=later))
        notifier = _Silent()
        async with asyncio.TaskGroup() as group:
            group.create_task(rig.outbox.run())
            keeping = [group.create_task(_tell(notifier, rig.gateway)),
                       group.create_task(_keep_house(rig.store))]  # fmt: skip
            await asyncio.sleep(1200)
            statements: list[str] = []
            rig.database._connection.set_trace_callback(statements.append)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            before = loop.wakes
            await asyncio.sleep(3600)
            assert statements == []
            assert loop.wakes - before < 1000  # twice for each status line, every ten seconds
            rig.database._connection.set_trace_callback(None)
            await rig.send(draft("still awake"))
            await asyncio.sleep(20)
            assert modem.texts == ["hello", "still awake"]
            assert notifier.told["gsm0 available; 0 queued, 0 uncertain"] > 300
            if planned:
                await asyncio.sleep(2 * 3600)
                assert modem.texts[-1] == "planned"
            rig.outbox.stop()
            for task in keeping:
                task.cancel()

    run(main())
