"""Dying before and after every commit between a text that comes in and all that follows from it."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import TypeVar

from smsd.dispatch.commands import Commands, Program
from smsd.dispatch.reactions import Autoreply, Permission
from smsd.dispatch.webhooks import Webhooks
from smsd.model.reactions import Order
from smsd.store.database import Database, Sync, Transaction
from smsd.store.webhooks import WebhookDraft
from tests.dispatch.test_stops import Box
from tests.dispatch.test_webhooks import SECRET, Receiver, receiver
from tests.rig import ALICE, BOB, Rig, Scripted
from tests.virtual_time import START

T = TypeVar("T")
TEXTS = (("stop", ALICE), ("pump on", BOB), ("hello", BOB))
FEWEST_POINTS = 30  # a run that dies nowhere proves nothing


class Killed(BaseException):
    """No code of ours runs any more."""


class Dying(Database):
    """A database whose process dies before or after its n-th commit."""

    left = 0
    before = False

    async def transaction(self, work: Callable[[Transaction], T], *, sync: Sync = Sync.NOW) -> T:
        self.left -= 1
        if self.left < 0 or (self.left == 0 and self.before):
            raise Killed
        result = await super().transaction(work, sync=sync)
        if self.left == 0:
            raise Killed
        return result


async def life(folder: Path, r: Receiver, left: int, *, before: bool) -> Rig:
    """A daemon's life: what the modem still has comes in, and all that follows runs its course."""
    rig = Rig(folder / "db", now=lambda: START)
    phone = await rig.add("gsm0", Scripted())
    if not await rig.store.webhooks.enabled():
        hook = WebhookDraft(r.url, ("receive_sms", "message_state"), "smsd", SECRET)
        await rig.store.webhooks.create(1, hook)
    out = str(folder / "out")
    code = f"import os; os.write(os.open({out!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT), b'x')"
    program = Program((sys.executable, "-S", "-c", code))
    rules = {"autoreplies": (Autoreply("a", "away"),),
             "commands": (Permission("pump", frozenset({BOB})),)}  # fmt: skip
    box = Box(rig, phone, **rules)
    commands = Commands(rig.store, {"pump": program}, box.rules, UTC, lambda: None)
    webhooks = Webhooks(rig.store, lambda: START, UTC, lambda hook: None)
    rig.database.__class__ = Dying
    assert isinstance(rig.database, Dying)
    rig.database.left, rig.database.before = left, before
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(commands.run()), group.create_task(webhooks.run())]
            for text, origin in TEXTS:
                await box.hears(text, origin, key=text)
                commands.wake()
            while not await _quiet(rig):  # noqa: ASYNC110 what it waits for are rows
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
    except* Killed:
        pass
    return rig


async def _quiet(rig: Rig) -> bool:
    """Whether everything has happened; looked at past the database that dies."""
    commands, hooks, events = [await rig.rows(t) for t in ("command_run", "webhook", "event")]
    told = [e["id"] for e in events if e["kind"] == "received" or e["state"] in ("queued",)]
    settled = hooks[0]["place"] >= max(told, default=0)
    return len(told) == 5 and settled and all(row["ended_at"] is not None for row in commands)


def written(folder: Path) -> bytes:
    """What the command has done: an x each time."""
    return (folder / "out").read_bytes() if (folder / "out").exists() else b""


def test_whenever_it_dies_each_text_has_its_consequences_once(tmp_path: Path) -> None:
    async def main(number: int, *, before: bool) -> bool:
        folder = tmp_path / f"{number}-{before}"
        folder.mkdir()
        async with receiver() as r:
            rig = await life(folder, r, number, before=before)
            assert isinstance(rig.database, Dying)
            died = rig.database.left <= 0
            rig.database.close()
            rig = await life(folder, r, 1 << 30, before=False)
            assert [row["text"] for row in await rig.rows("received")] == [t for t, _ in TEXTS]
            assert [row["number"] for row in await rig.rows("smsstop")] == [ALICE]
            answers = [(row["destination"], row["text"]) for row in await rig.rows("message")]
            assert [to for to, _ in answers] == [ALICE, BOB]
            [run] = await rig.rows("command_run")
            assert Order(run["name"], run["arguments"]) == Order("pump", "on")
            times = len(written(folder))
            assert times == 1 if run["state"] == "done" else times <= 1
            assert run["state"] in ("done", "interrupted")
            ids = [int(id_.rpartition("-")[2]) for id_ in r.ids]
            assert ids == sorted(ids)
            told = {e["id"] for e in await rig.rows("event")}
            assert set(ids) == told
            assert len(ids) <= len(told) + 1
            rig.database.close()
        return died

    points = 0
    for before in (True, False):
        number = 1
        while asyncio.run(main(number, before=before)):
            number += 1
        points += number - 1
    print(f"died at {points} points")  # noqa: T201 with -s it shows how many
    assert points >= FEWEST_POINTS
