"""Programs that a received text may have run: without a shell, once, and within bounds.

What came in reaches the program as data alone, in its environment and as JSON on its standard
input. That it is begun is durable before it is: a crash in the middle is told, never repeated.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from smsd.dispatch.numbers import normal
from smsd.dispatch.persist import persist
from smsd.dispatch.reactions import LONGEST_ANSWER, Rules
from smsd.logs import fields, short
from smsd.store.commands import Ending
from smsd.store.store import Store

log: Final = logging.getLogger(__name__)

AT_ONCE: Final = 4  # programs; a Pi has four cores, and messages are not to wait for them
LONGEST_OUTPUT: Final = 16_384  # octets kept; what follows is read and dropped
AFTER_END: Final = 1.0  # seconds for the last output of a program that has ended
REAP_TIMEOUT: Final = 5.0  # seconds: what hangs in the kernel cannot even be killed
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "TZ", "HOME")
"""What of our environment a program gets: ours may hold keys."""


@dataclass(frozen=True, slots=True)
class Program:
    """What a command runs; ``timeout`` in seconds. ``answers``: its output goes to the sender."""

    arguments: tuple[str, ...]
    timeout: float = 30.0
    answers: bool = False


class Commands:
    """Runs what has been ordered; `wake` says that something may have been."""

    def __init__(
        self,
        store: Store,
        programs: Mapping[str, Program],
        rules: Rules,
        zone: tzinfo,
        answered: Callable[[], None],
    ) -> None:
        self._store = store
        self._programs = programs
        self._rules = rules
        self._zone = zone
        self._answered = answered
        self._woken = asyncio.Event()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._known: set[int] = set()

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    async def run(self) -> None:
        """Run commands until cancelled; those under way then are killed, and told at the start."""
        for row in await persist(self._store.commands.interrupted):
            log.warning(
                "a command was interrupted and is not run again",
                extra=fields(command=row["name"], received=row["received_id"]),
            )
        async with asyncio.TaskGroup() as group:
            while True:
                self._woken.clear()
                for order in await persist(self._store.commands.waiting):
                    if order["id"] not in self._known:
                        self._known.add(order["id"])
                        group.create_task(self._one(order), name=f"command-{order['id']}")
                await self._woken.wait()

    async def _one(self, order: Mapping[str, Any]) -> None:
        run, name = order["id"], order["name"]
        async with self._free:
            output = b""
            program = self._programs.get(name)
            if program is None:
                ending = Ending("failed", None, "no command has this name any more")
            elif await persist(lambda: self._store.commands.begin(run)):
                ending, output = await self._execute(program, order)
            else:
                return
        level = logging.INFO if ending.state == "done" else logging.WARNING
        log.log(
            level,
            "a command has ended" if ending.state == "done" else "a command failed",
            extra=fields(
                command=name,
                received=order["received_id"],
                origin=short(order["origin"]),
                status=ending.status,
                reason=ending.words,
            ),
        )
        answer = None
        if program is not None and program.answers and ending.state == "done":
            _, region = self._rules.phone(order["phone_id"])
            number = normal(order["origin"], region)
            answer = self._rules.answer(f"command {name}", number, _text(output))
        if await persist(lambda: self._store.commands.end(run, ending, answer)):
            self._answered()
        self._known.discard(run)
        self._woken.set()  # a look shows so many at a time: there may be more

    async def _execute(self, program: Program, order: Mapping[str, Any]) -> tuple[Ending, bytes]:
        try:
            process = await asyncio.create_subprocess_exec(
                *program.arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=self._environment(order),
                cwd="/",
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or type(error).__name__
            return Ending("failed", None, f"it could not be run: {words}"), b""
        output = bytearray()
        try:
            async with asyncio.timeout(program.timeout):
                async with asyncio.TaskGroup() as group:
                    group.create_task(_feed(process, self._input(order)))
                    reading = group.create_task(_read(process, output))
                    status = await process.wait()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(AFTER_END):
                            await asyncio.wait([reading])
                    reading.cancel()  # what it left running keeps its output, not us
        except TimeoutError:
            words = f"it did not end within {program.timeout:g} s, and was killed"
            return Ending("failed", None, words), bytes(output)
        finally:
            await _kill(process)
        if status:
            words = f"killed by signal {-status}" if status < 0 else f"it ended with {status}"
            return Ending("failed", status, words), bytes(output)
        return Ending("done", 0), bytes(output)

    def _facts(self, order: Mapping[str, Any]) -> dict[str, Any]:
        at = datetime.fromtimestamp(order["at"] / 1000, UTC).astimezone(self._zone)
        return {
            "command": order["name"],
            "arguments": order["arguments"],
            "origin": order["origin"],
            "text": order["text"],
            "phone": order["phone"],
            "received": order["received_id"],
            "at": at.isoformat(timespec="seconds"),
        }

    def _input(self, order: Mapping[str, Any]) -> bytes:
        return json.dumps(self._facts(order)).encode() + b"\n"

    def _environment(self, order: Mapping[str, Any]) -> dict[str, str]:
        ours = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        facts = self._facts(order)
        return ours | {f"SMSD_{name.upper()}": _word(value) for name, value in facts.items()}


def _word(value: object) -> str:
    """A value as an environment can hold it."""
    return str(value).replace("\0", "").encode(errors="replace").decode()


async def _feed(process: Process, octets: bytes) -> None:
    """Write its input and end it; a program need not read it."""
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(octets)
        await process.stdin.drain()
    with contextlib.suppress(ConnectionError):
        process.stdin.close()
        await process.stdin.wait_closed()


async def _read(process: Process, output: bytearray) -> None:
    """Read to the end, and keep the beginning."""
    assert process.stdout is not None
    while piece := await process.stdout.read(LONGEST_OUTPUT):
        output += piece[: LONGEST_OUTPUT - len(output)]


async def _kill(process: Process) -> None:
    """End it with all that it has started and that has not left its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REAP_TIMEOUT):
            await process.wait()


def _text(output: bytes) -> str:
    """The beginning of what it wrote, as a text that may be sent."""
    text = output.decode(errors="replace").strip()
    return "".join(c for c in text if c.isprintable() or c == "\n")[:LONGEST_ANSWER]
