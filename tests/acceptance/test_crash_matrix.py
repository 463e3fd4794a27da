"""Killed at every commit and at every step on the wire: nothing lost, nothing doubled.

A scenario more is a line more in `SCENARIOS`. The count of points is printed (``-s``).
"""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hwsim.history import History
from hwsim.incoming import Incoming, cut

from smsd.model.message import Resolution, Route, State
from tests.guillotine import Gateway, Scenario, live, until
from tests.rig import ALICE, BOB, draft
from tests.virtual_time import START, run

LONG = "".join(f"{n:03} " for n in range(100))  # 400 characters: three parts
CAROL = "+33698765432"


async def everything_once(gateway: Gateway, *, doubts: int = 1) -> None:
    """Each message went once, or is in doubt and went at most once."""
    rows = await gateway.rig.rows("message")
    sent = History(gateway.world.network.sent).sent()
    copies = Counter((s["to"], s["text"], (s["concat"] or {}).get("number")) for s in sent)
    assert [copy for copy, count in copies.items() if count > 1] == []
    assert all(row["state"] in {"sent", "delivered", "uncertain", "cancelled"} for row in rows)
    whole = {(m["to"], m["text"]) for m in History(gateway.world.network.sent).messages()
             if m["complete"]}  # fmt: skip
    for row in rows:
        if row["state"] in ("sent", "delivered"):
            assert (row["destination"], row["text"]) in whole
        if row["state"] == "cancelled":
            assert (row["destination"], row["text"]) not in whole
    uncertain = [row for row in rows if row["state"] == "uncertain"]
    assert len(uncertain) <= doubts
    for row in uncertain:
        story = await gateway.rig.story(row["id"])
        states = [part["state"] for attempt in story["attempts"] for part in attempt["parts"]]
        assert states.count("begun") == 1


# Sending ---------------------------------------------------------------------------------------


async def send(gateway: Gateway) -> None:
    await gateway.accept(draft("one"), "a")
    await gateway.accept(draft("two", ALICE, BOB), "b")
    await gateway.accept(draft(LONG, parts=3), "c")
    await until(gateway.drained, gateway.blade)


async def sent_once(gateway: Gateway) -> None:
    await everything_once(gateway)
    assert len(await gateway.rig.rows("message")) == 4
    assert len(await gateway.rig.rows("sended")) == 4


async def send_by_cloud(gateway: Gateway) -> None:
    await gateway.accept(draft("one"), "a")
    await gateway.accept(draft("two", BOB), "b")
    await until(lambda: settled(gateway), gateway.blade)


async def provided_once(gateway: Gateway) -> None:
    rows = await gateway.rig.rows("message")
    asked = Counter(message.text for message in gateway.world.provider.messages)
    assert max(asked.values(), default=0) <= 1
    assert Counter(row["text"] for row in rows) == Counter(["one", "two"])
    states = {row["text"]: row["state"] for row in rows}
    assert all(asked[text] == 1 for text, state in states.items() if state == "delivered")
    assert set(states.values()) <= {"delivered", "uncertain"}


# Reports ---------------------------------------------------------------------------------------


async def reported(gateway: Gateway) -> None:
    await gateway.accept(draft("one"), "a")
    await gateway.accept(draft(LONG, BOB, parts=3), "b")
    await until(lambda: settled(gateway), gateway.blade)


async def settled(gateway: Gateway) -> bool:
    rows = await gateway.rig.rows("message")
    final = {"delivered", "uncertain"}
    return all(row["state"] in final for row in rows) and await gateway.drained()


async def delivered_once(gateway: Gateway) -> None:
    await everything_once(gateway)
    states = [row["state"] for row in await gateway.rig.rows("message")]
    assert states.count("delivered") >= len(states) - 1
    reports = await gateway.rig.rows("report")
    assert len({(r["reference"], r["recipient"], r["at"]) for r in reports}) == len(reports)


# Receiving -------------------------------------------------------------------------------------


async def arrive(gateway: Gateway) -> None:
    """The outside sends, once; a gateway that starts later finds it on the card."""
    world = gateway.world
    if not world.begun:
        world.begun = True
        for text, reference in (("short", 1), (LONG, 2), ("after", 3)):
            for octets in cut(Incoming(CAROL, text), world.network.clock.now(), reference):
                world.network.deliver(world.modem, octets)
    await until(lambda: came(gateway), gateway.blade)


async def came(gateway: Gateway) -> bool:
    memories = gateway.world.modem.inbox.memories.values()
    left = sum(len(memory.records) for memory in memories)
    return len(await gateway.rig.rows("received")) == 3 and not left


async def stored_once(gateway: Gateway) -> None:
    rows = await gateway.rig.rows("received")
    assert Counter(row["text"] for row in rows) == Counter(["short", LONG, "after"])
    assert all(row["complete"] for row in rows)
    told = [row for row in await gateway.rig.rows("event") if row["kind"] == "received"]
    assert len(told) == 3


# Scheduling ------------------------------------------------------------------------------------


async def plan(gateway: Gateway) -> None:
    at = START + timedelta(seconds=30)
    first = await gateway.accept(draft("planned", ALICE, BOB, at=at), "a")
    later = START + timedelta(minutes=3)
    taken_back = await gateway.accept(draft("never", at=later), "b")
    await gateway.accept(draft("urgent", CAROL, at=at, priority=5), "c")
    await gateway.rig.store.outgoing.cancel(taken_back, 1)
    assert first != taken_back

    async def gone() -> bool:
        return not await gateway.rig.rows("scheduled") and await gateway.drained()

    await until(gone, gateway.blade)


async def planned_once(gateway: Gateway) -> None:
    await asyncio.sleep(180)
    await everything_once(gateway)
    rows = await gateway.rig.rows("message")
    assert Counter(row["text"] for row in rows) == Counter(planned=2, urgent=1)


# Starting on what a crash left -----------------------------------------------------------------


async def leave(gateway: Gateway) -> None:
    """Some waits; and of a long message a part is on the wire at the end."""
    gateway.rig.outbox.paused = True
    await gateway.accept(draft("waits"), "a")
    await gateway.accept(draft(LONG, BOB, parts=3), "b")
    gateway.rig.outbox.paused = False
    gateway.rig.outbox.wake()
    await until(lambda: len(gateway.world.network.sent) >= 2, gateway.blade)


async def rest(gateway: Gateway) -> None:
    await until(gateway.drained, gateway.blade)


# A person decides ------------------------------------------------------------------------------


async def in_doubt(gateway: Gateway) -> None:
    """A long message whose second part was never answered, and never went."""
    gateway.rig.outbox.paused = True
    await gateway.accept(draft(LONG, parts=3), "a")
    rig, outgoing = gateway.rig, gateway.rig.store.outgoing
    [claim], _ = await outgoing.claim(
        rig.phones.standings(), {}, lambda message, _: Route(rig.phones.all()[0].record.id, "")
    )
    await outgoing.begin_part(claim, 1, 3)
    await outgoing.complete_part(claim.attempt, 1, "77")
    await outgoing.begin_part(claim, 2, 3)


async def resolve(gateway: Gateway) -> None:
    [row] = await gateway.rig.rows("message")
    if row["state"] == State.UNCERTAIN and not gateway.world.network.sent:
        await gateway.rig.gateway.resolve(row["id"], 1, Resolution.RESEND, "somebody")
    await until(gateway.drained, gateway.blade)


async def resent_once(gateway: Gateway) -> None:
    [row] = await gateway.rig.rows("message")
    sent = History(gateway.world.network.sent).sent()
    numbers = [s["concat"]["number"] for s in sent]
    assert numbers == sorted(set(numbers))
    assert 1 not in numbers
    assert row["state"] in ("sent", "uncertain")
    assert row["state"] == "uncertain" or numbers == [2, 3]


SCENARIOS = [
    Scenario("sending", send, sent_once, network={"reports": False}),
    Scenario("cloud", send_by_cloud, provided_once, cloud=True),
    Scenario("reports", reported, delivered_once),
    Scenario("receiving", arrive, stored_once),
    Scenario("scheduling", plan, planned_once, network={"reports": False}),
    Scenario("starting", rest, everything_once, prepare=leave, starting=True,
             network={"reports": False, "latency": 0.5}),
    Scenario("resolving", resolve, resent_once, prepare=in_doubt, network={"reports": False}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_killed_at_every_step(scenario: Scenario, tmp_path: Path) -> None:
    def play(at: int | None) -> tuple[int, Counter[str]]:
        folder = tmp_path / str(at)
        folder.mkdir()
        blade = run(live(scenario, folder, at))
        assert blade.fallen.is_set() is (at is not None)
        return blade.count, blade.steps

    points, steps = play(None)
    wire = {"before a write", "after a write", "after a read"}
    outside = {"before a request", "after a request"} if scenario.cloud else wire
    assert set(steps) == {"before a commit", "after a commit", *outside}
    for at in range(1, points + 1):
        try:
            play(at)
        except BaseException as error:
            error.add_note(f"killed at step {at} of {points}")
            raise
    assert points == sum(steps.values()) > 0
    print(f"\n{scenario.name}: killed at each of {points} points: {dict(steps)}")  # noqa: T201 asked
