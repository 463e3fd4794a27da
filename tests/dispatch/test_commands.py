"""Commands by text: who may, what the program gets, its bounds, and that it runs at most once."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.dispatch.commands import AT_ONCE, LONGEST_OUTPUT, Commands, Program
from smsd.dispatch.reactions import EVERYBODY, MASK, Permission, Rules, ordered
from smsd.model.reactions import Heard, Order, Reaction
from tests.dispatch.test_stops import OWN, Box
from tests.rig import ALICE, BOB, Rig, Scripted
from tests.virtual_time import START

PUMP = Permission("pump", frozenset({ALICE}))
GUARDED = Permission("gate", frozenset({EVERYBODY}), password="sesame-7")


def reaction(text: str, *permissions: Permission, origin: str = ALICE) -> Reaction | None:
    rules = Rules(lambda phone: ("gsm0", "FR"), lambda: {OWN}, commands=permissions or (PUMP,))
    return rules.react(Heard(1, origin, text))


@pytest.mark.parametrize(
    ("text", "arguments"),
    [("pump", ""), (" Pump  on  2 ", "on  2"), ("PUMP\non", "on"),
     ('{"login":"x","password":"y","command":"pump","args":"on 2"}', "on 2"),
     ('{"command":"PUMP","args":["on",2]}', "on 2"), ('{"command":"pump"}', ""),
     ('{"command":"pump","args":null}', "")],
)  # fmt: skip
def test_a_command_is_named_first_or_in_raspismss_json(text: str, arguments: str) -> None:
    for origin in (ALICE, "0612345678"):
        found = reaction(text, origin=origin)
        assert found is not None
        assert found.order == Order("pump", arguments)


@pytest.mark.parametrize(
    "text",
    ["", "pumps", "the pump", "{", "{}", "[]", '{"command":1}', '{"command":"gate"}', "pump;on"],
)
def test_what_names_none_is_a_text_like_others(text: str) -> None:
    assert reaction(text) is None


@pytest.mark.parametrize("origin", [BOB, "ALICE", "", "+336123456789", "36111"])
def test_who_is_not_named_may_not(origin: str) -> None:
    assert reaction("pump on", origin=origin) is None


def test_a_password_opens_and_is_not_kept() -> None:
    found = reaction("gate sesame-7 open it", GUARDED, origin=BOB)
    assert found == Reaction(order=Order("gate", "open it"), text=f"gate {MASK} open it")
    raspisms = '{"login": "l", "password": "sesame-7", "command": "gate", "args": "open"}'
    found = reaction(raspisms, GUARDED, origin="INFO")
    assert found is not None
    assert found.order == Order("gate", "open")
    assert "sesame" not in (found.text or "sesame")
    for wrong in ("gate", "gate open", "gate sesame-8 open", "gate SESAME-7", raspisms[:-9] + "}",
                  raspisms.replace("sesame-7", "x"), '{"command":"gate"}',
                  '{"command":"gate","password":["sesame-7"]}'):  # fmt: skip
        given = reaction(wrong, GUARDED, origin=BOB)
        assert given is None or "sesame-7" in wrong


def test_the_right_password_in_the_wrong_hands_opens_nothing_and_is_not_kept() -> None:
    mine = Permission("gate", frozenset({ALICE}), password="sesame-7")
    assert reaction("gate sesame-7 open", mine, origin=BOB) == Reaction(text=f"gate {MASK} open")
    assert reaction("gate sesame-7 open", mine) == Reaction(
        order=Order("gate", "open"), text=f"gate {MASK} open"
    )


@given(st.text(max_size=60) | st.from_regex(r'\{"command":.{0,40}\}'))
def test_no_text_breaks_it_or_passes_without_the_password(text: str) -> None:
    found = ordered(text, GUARDED)
    assert found is None or "sesame-7" in text


def test_a_pattern_of_phones() -> None:
    elsewhere = Permission("pump", frozenset({ALICE}), phones=frozenset({"gsm9"}))
    assert reaction("pump", elsewhere) is None


# What is run ------------------------------------------------------------------------------------


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


class Works:
    """Commands that run real programs, on a real clock."""

    def __init__(self, rig: Rig, box: Box, programs: dict[str, Program]) -> None:
        self.rig = rig
        self.box = box
        self.answered = 0
        self.commands = Commands(rig.store, programs, box.rules, UTC, self._count)

    def _count(self) -> None:
        self.answered += 1

    async def orders(self, text: str, origin: str = ALICE, key: str | None = None) -> None:
        await self.box.hears(text, origin, key)
        self.commands.wake()

    async def runs(self) -> list[dict[str, Any]]:
        return await self.rig.rows("command_run")

    async def ended(self, count: int = 1) -> list[dict[str, Any]]:
        for _ in range(3000):
            rows = [row for row in await self.runs() if row["ended_at"] is not None]
            if len(rows) >= count:
                return rows
            await asyncio.sleep(0.01)
        raise AssertionError(await self.runs())


@asynccontextmanager
async def works(
    programs: dict[str, Program], path: str | Path = ":memory:", **rules: Any
) -> AsyncIterator[Works]:
    rig = Rig(path, now=lambda: START)
    phone = await rig.add("gsm0", Scripted())
    permissions = tuple(Permission(name, frozenset({ALICE, BOB})) for name in programs)
    box = Box(rig, phone, **{"commands": permissions, **rules})
    made = Works(rig, box, programs)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.commands.run())
        yield made
        task.cancel()
    rig.database.close()


def played(
    test: Callable[[Works], Awaitable[None]], programs: dict[str, Program], **more: Any
) -> None:
    async def main() -> None:
        async with works(programs, **more) as made:
            await test(made)

    asyncio.run(main())


TELL = (
    "import json, os, sys; json.dump({'argv': sys.argv[1:], 'input': json.load(sys.stdin), "
    "'env': dict(os.environ), 'cwd': os.getcwd(), 'leads': os.getpid() == os.getsid(0)}, "
    "open(sys.argv[1], 'w'))"
)


@pytest.mark.parametrize(
    "arguments", ["on; rm -rf /", "$(id) `id` | cat > x", "\"' --help", "é😀\n2"]
)
def test_a_program_gets_what_came_in_as_data_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    monkeypatch.setenv("SECRET_KEY", "hidden")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/smsd")
    out = tmp_path / "out"

    async def test(w: Works) -> None:
        await w.orders("pump " + arguments)
        [row] = await w.ended()
        assert (row["state"], row["status"], row["words"]) == ("done", 0, None)
        found = json.loads(out.read_text())
        assert found["argv"] == [str(out)]
        assert found["input"] == {
            "command": "pump", "arguments": arguments, "origin": ALICE,
            "text": "pump " + arguments, "phone": "gsm0", "received": 1,
            "at": "2026-03-02T12:00:00+00:00",
        }  # fmt: skip
        assert found["env"]["SMSD_ARGUMENTS"] == arguments
        assert found["env"]["SMSD_ORIGIN"] == ALICE
        assert not {"SECRET_KEY", "CREDENTIALS_DIRECTORY"} & found["env"].keys()
        assert (found["cwd"], found["leads"]) == ("/", True)
        [received] = await w.rig.rows("received")
        assert received["command"] == 1

    played(test, {"pump": Program((*python(TELL), str(out)))})


@pytest.mark.parametrize(
    ("program", "status", "words"),
    [
        (Program(python("raise SystemExit(3)")), 3, "it ended with 3"),
        (Program(python("import os; os.kill(os.getpid(), 11)")), -11, "killed by signal 11"),
        (Program(("/nowhere/pump",)), None, "it could not be run: No such file or directory"),
        (Program(("/etc/passwd",)), None, "it could not be run: Permission denied"),
        (
            Program(python("import time; time.sleep(60)"), timeout=0.2), None,
            "it did not end within 0.2 s, and was killed",
        ),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told(program: Program, status: int | None, words: str) -> None:
    async def test(w: Works) -> None:
        await w.orders("pump")
        [row] = await w.ended()
        assert (row["state"], row["status"], row["words"]) == ("failed", status, words)
        assert await w.box.sent() == []

    played(test, {"pump": Program(program.arguments, program.timeout, answers=True)})


def test_it_is_killed_with_all_that_it_has_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"open({str(pid)!r}, 'w').write(str(child.pid)); time.sleep(60)"
    )

    async def test(w: Works) -> None:
        await w.orders("pump")
        [row] = await w.ended()
        assert row["state"] == "failed"
        child = int(pid.read_text())
        for _ in range(200):
            if not _alive(child):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("its child lives on")

    played(test, {"pump": Program(python(code), timeout=1.0)})


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_its_output_is_the_answer_and_has_its_bounds() -> None:
    async def test(w: Works) -> None:
        await w.orders("pump")
        [row] = await w.ended()
        assert row["state"] == "done"
        [(to, text, tag, phone)] = await w.box.sent()
        assert (to, tag, phone) == (ALICE, None, 1)
        assert text == ("é[31m\n" + "x" * 2000)[:1000]
        assert w.answered == 1

    code = (
        "import sys; sys.stdout.buffer.write('é\\x1b[31m\\n'.encode() + b'x' * 5_000_000); "
        "sys.stderr.write('not this')"
    )
    assert LONGEST_OUTPUT < 5_000_000
    played(test, {"pump": Program(python(code), answers=True)})


def test_an_answer_goes_to_who_can_read_it_and_not_without_end() -> None:
    async def test(w: Works) -> None:
        await w.orders("pump")
        await w.orders("pump", BOB)
        await w.orders("pump")
        await w.ended(3)
        assert sorted(to for to, *_ in await w.box.sent()) == [ALICE, BOB]
        await w.orders("mute")
        await w.ended(4)
        assert len(await w.box.sent()) == 2

    programs = {"pump": Program(("/bin/echo", "done"), answers=True),
                "mute": Program(("/bin/true",), answers=True)}  # fmt: skip
    played(test, programs, per_hour=1)


def test_a_copy_orders_nothing_and_reception_waits_for_no_program() -> None:
    async def test(w: Works) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(12):
            await w.orders("pump", key=f"k{number % 6}")
        assert loop.time() - began < 1.0
        assert len(await w.runs()) == 6
        await w.ended(AT_ONCE)
        rows = await w.ended(6)
        assert {row["state"] for row in rows} == {"done"}

    played(test, {"pump": Program(("/bin/sleep", "0.3"))})


def test_only_so_many_run_at_once(tmp_path: Path) -> None:
    most = 0

    async def test(w: Works) -> None:
        nonlocal most
        for _ in range(3 * AT_ONCE):
            await w.orders("pump")
        while sum(row["ended_at"] is not None for row in await w.runs()) < 3 * AT_ONCE:
            most = max(most, sum(row["state"] == "begun" for row in await w.runs()))
            await asyncio.sleep(0.005)
        assert most == AT_ONCE

    played(test, {"pump": Program(("/bin/sleep", "0.1"))})


def test_however_many_wait_all_of_them_run() -> None:
    async def test(w: Works) -> None:
        for _ in range(130):
            await w.box.hears("pump")
        w.commands.wake()
        rows = await w.ended(130)
        assert {row["state"] for row in rows} == {"done"}

    played(test, {"pump": Program(("/bin/true",))})


def test_what_waited_runs_after_a_start_and_what_was_begun_does_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The daemon ends between each two steps: ordered, begun, run, ended."""
    out = tmp_path / "out"
    code = (
        f"import os; os.write(os.open({str(out)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT), b'x')"
    )
    programs = {"pump": Program(python(code)), "long": Program(("/bin/sleep", "60"))}
    database = tmp_path / "db"

    async def before() -> None:
        rig = Rig(database, now=lambda: START)
        box = Box(rig, await rig.add("gsm0", Scripted()),
                  commands=tuple(Permission(n, frozenset({ALICE})) for n in programs))  # fmt: skip
        for _ in range(3):
            await box.hears("pump")
        assert await rig.store.commands.begin(1)  # and then the power fails
        assert await rig.store.commands.begin(2)
        assert not await rig.store.commands.begin(2)
        rig.database.close()

    async def after(w: Works) -> None:
        rows = await w.ended(3)
        assert [row["state"] for row in rows] == ["interrupted", "interrupted", "done"]
        assert "half of it" in rows[0]["words"]
        assert out.read_bytes() == b"x"
        w.box.number = 10
        await w.orders("long")
        for _ in range(500):
            if (await w.runs())[3]["state"] == "begun":
                break
            await asyncio.sleep(0.01)

    asyncio.run(before())
    with caplog.at_level(logging.WARNING, "smsd"):
        played(after, programs, path=database)
    assert "a command was interrupted and is not run again" in caplog.text

    async def at_last(w: Works) -> None:
        rows = await w.ended(4)
        assert rows[3]["state"] == "interrupted"

    played(at_last, programs, path=database)
    assert out.read_bytes() == b"x"


def test_a_command_that_is_configured_no_more_is_told(tmp_path: Path) -> None:
    async def test(w: Works) -> None:
        await w.orders("pump")
        [row] = await w.ended()
        assert (row["state"], row["words"]) == ("failed", "no command has this name any more")

    permissions = (Permission("pump", frozenset({ALICE})),)
    played(test, {}, commands=permissions)


def test_no_text_or_password_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def test(w: Works) -> None:
        await w.orders("gate sesame-7 private words")
        await w.ended()
        assert MASK in (await w.rig.rows("received"))[0]["text"]

    with caplog.at_level(logging.DEBUG, "smsd"):
        played(test, {"gate": Program(("/bin/false",))}, commands=(GUARDED,))
    told = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "a command failed" in told
    for secret in ("sesame", "private", ALICE):
        assert secret not in told
    assert os.getpid() > 0
