"""A modem that answers by a table, at the other end of a socket pair; and a sink that notes."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from smsd.adapters.contract import PhoneLost, Submission
from smsd.adapters.modem.adapter import ModemAdapter, ModemSettings
from smsd.adapters.modem.open import Streams
from smsd.adapters.modem.port import Port
from smsd.adapters.modem.where import Fixed
from smsd.at.dialogue import Late, Urc
from smsd.model.events import (
    Awaited,
    CallBegan,
    CallEnded,
    Doubt,
    Incoming,
    LateAnswer,
    Report,
)  # fmt: skip
from smsd.model.message import AttemptId, MessageId
from smsd.model.phone import Health

ICCID = "8933150319080162432"
PIN = "4711"
OK = ("OK",)
SILENCE: tuple[str, ...] = ()
Answer = Sequence[str] | Callable[[str], Sequence[str]]

HERE = Fixed("tcp://modem:1")
"""Somewhere that is always there."""

HELLO = "07913396050066F0040B913306325476F80000623020210000000531D98C56B301"
"""An SMS-DELIVER with "12345" and a service centre's address of eight octets."""
HELLO_LENGTH = len(HELLO) // 2 - 8


def deliver(number: int) -> str:
    """A message like no other, in hex with its service centre's address."""
    return HELLO[:-4] + f"{number:04X}"


@dataclass
class ScriptedModem:
    """Answers lines by ``on`` (whole line, then the command's name), else OK; keeps memories."""

    on: dict[str, Answer] = field(default_factory=dict)
    memories: dict[str, dict[int, str]] = field(default_factory=lambda: {"SM": {}, "SR": {}})
    heard: list[str] = field(default_factory=list)
    pdus: list[str] = field(default_factory=list)
    prompt: str | None = "\r\n> "
    after_pdu: Answer | None = None
    escape: Sequence[str] = ()
    echo: bool = False
    selected: str = "SM"
    _writer: asyncio.StreamWriter | None = None

    async def serve(self, sock: socket.socket) -> None:
        """Listen and answer until the other side goes."""
        reader, self._writer = await asyncio.open_connection(sock=sock)
        waiting, prompting = b"", False
        try:
            while data := await reader.read(4096):
                waiting += data
                while match := re.search(rb"[\r\x1a\x1b]", waiting):
                    text, mark = waiting[: match.start()].decode(), match[0]
                    waiting = waiting[match.end() :]
                    if self.echo:
                        self.say(text + mark.decode())
                    if mark == b"\x1b":
                        if prompting:
                            self.lines(self.escape)
                        prompting = False
                    elif prompting:
                        prompting = False
                        self.pdus.append(text)
                        self.lines(self._submitted(text))
                    elif text.startswith("AT"):
                        self.heard.append(text.replace("ATQ0V1+CMEE?", "AT+CMEE?"))
                        if text.startswith("AT+CMGS=") and text not in self.on:
                            prompting = True
                            self.say(self.prompt or "")
                        else:
                            self.lines(self._answer(text))
        except ConnectionError:
            pass
        finally:
            self._writer.close()

    def say(self, text: str) -> None:
        """Write as it is."""
        assert self._writer is not None
        self._writer.write(text.encode("latin-1"))

    def lines(self, lines: Sequence[str]) -> None:
        """Write lines in the usual dress."""
        for line in lines:
            self.say(f"\r\n{line}\r\n")

    def vanish(self) -> None:
        """Be unplugged."""
        assert self._writer is not None
        self._writer.transport.abort()

    def _submitted(self, pdu: str) -> Sequence[str]:
        if self.after_pdu is None:
            return (f"+CMGS: {len(self.pdus)}", "OK")
        return self.after_pdu(pdu) if callable(self.after_pdu) else self.after_pdu

    def _answer(self, line: str) -> Sequence[str]:
        line = line.replace("ATQ0V1+CMEE?", "AT+CMEE?")  # the probe, asked again
        name = re.split("[=?]", line)[0]
        answer = self.on.get(line, self.on.get(name))
        if answer is not None:
            return answer(line) if callable(answer) else answer
        memory = self.memories[self.selected]
        match line, name:
            case "AT+CMEE?", _:
                return ("+CMEE: 1", "OK")
            case "AT+CGSN", _:
                return ("861234567890123", "OK")
            case _, "AT+CRSM":
                return ('+CRSM: 144,0,"983351309180102634F2"', "OK")
            case "AT+CPIN?", _:
                return ("+CPIN: READY", "OK")
            case "AT+CREG?", _:
                return ("+CREG: 1,1", "OK")
            case "AT+CSQ", _:
                return ("+CSQ: 20,99", "OK")
            case "AT+COPS?", _:
                return ('+COPS: 0,0,"Reseau",2', "OK")
            case "AT+CFUN?", _:
                return ("+CFUN: 1", "OK")
            case "AT+CSMS?", _:
                return ("+CSMS: 0,1,1,1", "OK")
            case "AT+CPMS=?", _:
                names = ",".join(f'"{name}"' for name in self.memories)
                return (f"+CPMS: ({names}),({names}),({names})", "OK")
            case "AT+CPMS?", _:
                state = f'"{self.selected}",{len(memory)},20'
                return (f"+CPMS: {state},{state},{state}", "OK")
            case _, "AT+CPMS":
                if (name := line.split('"')[1]) not in self.memories:
                    return ("+CMS ERROR: 302",)
                self.selected = name
                used = len(self.memories[self.selected])
                return (f"+CPMS: {used},20,{used},20,{used},20", "OK")
            case _, "AT+CMGL":
                return (*self._listing(), "OK")
            case _, "AT+CMGR":
                pdu = memory.get(int(line.partition("=")[2]))
                return OK if pdu is None else (f"+CMGR: 1,,{len(pdu) // 2 - 8}", pdu, "OK")
            case _, "AT+CMGD":
                del memory[int(line.partition("=")[2])]
                return OK
            case _:
                return OK

    def _listing(self) -> list[str]:
        found = []
        for index, pdu in self.memories[self.selected].items():
            found += [f"+CMGL: {index},1,,{len(pdu) // 2 - 8}", pdu]
        return found


@dataclass
class Notes:
    """A sink that notes what it is told, and what the modem still held at that moment."""

    incoming: list[Incoming] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    late: list[LateAnswer] = field(default_factory=list)
    calls: list[CallBegan | CallEnded] = field(default_factory=list)
    healths: list[tuple[Health, str]] = field(default_factory=list)
    hints: list[str | None] = field(default_factory=list)
    known: dict[str, str | int | None] = field(default_factory=dict)
    waiting: list[Awaited] = field(default_factory=list)
    doubted: list[Doubt] = field(default_factory=list)
    tried: list[tuple[str, str]] = field(default_factory=list)
    accepted: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    lore: dict[str, str] = field(default_factory=dict)
    witness: Callable[[], None] = lambda: None
    fails: Exception | None = None

    async def received(self, incoming: Incoming) -> None:
        if self.fails is not None:
            raise self.fails
        self.witness()
        self.incoming.append(incoming)

    async def reported(self, report: Report) -> None:
        self.witness()
        self.reports.append(report)
        self.waiting = [one for one in self.waiting if one.reference != report.reference]

    async def answered_late(self, answer: LateAnswer) -> None:
        self.late.append(answer)

    async def called(self, call: CallBegan) -> None:
        self.calls.append(call)

    async def call_ended(self, call: CallEnded) -> None:
        self.calls.append(call)

    async def awaited(self) -> Sequence[Awaited]:
        return tuple(self.waiting)

    async def doubts(self) -> Sequence[Doubt]:
        late = {(answer.attempt, answer.part) for answer in self.late}
        return tuple(one for one in self.doubted if (one.attempt, one.part) not in late)

    async def bound(self, references: Collection[str]) -> Collection[str]:
        return {one.reference for one in self.waiting} & set(references)

    async def pin_may_be_tried(self, sim: str, pin: str, tries: int | None) -> bool:
        one = (sim, pin)
        if one in self.refused:
            return False
        if one in self.tried and one not in self.accepted and (tries is None or tries < 3):
            return False
        self.tried.append((sim, pin))
        self.accepted = [one for one in self.accepted if one != (sim, pin)]
        return True

    async def pin_settled(self, sim: str, pin: str, *, refused: bool) -> None:
        (self.refused if refused else self.accepted).append((sim, pin))

    async def recall(self, key: str) -> str | None:
        return self.lore.get(key)

    async def remember(self, key: str, value: str) -> None:
        self.lore[key] = value

    def health(
        self,
        health: Health,
        words: str = "",
        *,
        hint: str | None = None,
        until: datetime | None = None,
    ) -> None:
        self.healths.append((health, words))
        self.hints.append(hint)

    def facts(self, **facts: str | int | None) -> None:
        self.known.update(facts)

    @property
    def texts(self) -> list[str | None]:
        return [incoming.text for incoming in self.incoming]


@dataclass
class Steps:
    """A progress that notes each step."""

    begun: list[int] = field(default_factory=list)
    completed: list[tuple[int, str | None]] = field(default_factory=list)

    async def begin(self, part: int, total: int) -> None:
        self.begun.append(part)

    async def complete(self, part: int, reference: str | None) -> None:
        self.completed.append((part, reference))


def submission(text: str = "hello", attempt: int = 1, **changes: object) -> Submission:
    values: dict[str, object] = {
        "message": MessageId(attempt),
        "attempt": AttemptId(attempt),
        "destination": "+33612345678",
        "text": text,
    }
    return Submission(**(values | changes))  # type: ignore[arg-type]


async def until(condition: Callable[[], object], within: float = 3600.0) -> None:
    """Let (virtual) time pass until something is so."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 any condition: nothing tells of it
            await asyncio.sleep(0.05)


@asynccontextmanager
async def port_of(modem: ScriptedModem) -> AsyncIterator[tuple[Port, list[Urc | Late]]]:
    """A port that is owned and in order, with what it was told unasked."""
    ours, theirs = socket.socketpair()
    unasked: list[Urc | Late] = []
    reader, writer = await asyncio.open_connection(sock=ours)
    async with asyncio.TaskGroup() as group:
        modem_task = group.create_task(modem.serve(theirs))
        port = Port(reader, writer, unasked.append)
        owner = group.create_task(_owned(port))
        try:
            yield port, unasked
        finally:
            owner.cancel()
            modem_task.cancel()
            writer.transport.abort()


async def _owned(port: Port) -> None:
    try:
        await port.run()
    except PhoneLost:
        return


@dataclass
class Phone:
    """A modem adapter at work: what it is told and what it tells."""

    adapter: ModemAdapter
    sink: Notes
    ended: list[BaseException] = field(default_factory=list)

    @property
    def available(self) -> bool:
        return bool(self.sink.healths) and self.sink.healths[-1][0] is Health.AVAILABLE

    async def send(self, text: str = "hello", attempt: int = 1, **changes: object) -> Steps:
        steps = Steps()
        await self.adapter.send(submission(text, attempt, **changes), steps)
        return steps


def plugged(modem: ScriptedModem) -> Callable[[str, int], "_Plug"]:
    """What `ModemAdapter` opens instead of a tty: a new socket pair each time."""
    return lambda device, baud: _Plug(modem)


class _Plug:
    def __init__(self, modem: ScriptedModem) -> None:
        self._modem = modem

    async def __aenter__(self) -> Streams:
        ours, theirs = socket.socketpair()
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._served = self._group.create_task(self._modem.serve(theirs))
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        return self._reader, self._writer

    async def __aexit__(self, *reason: object) -> None:
        self._served.cancel()
        self._writer.transport.abort()
        await self._group.__aexit__(None, None, None)


@asynccontextmanager
async def phone_of(
    modem: ScriptedModem, sink: Notes | None = None, *, ready: bool = True, **settings: object
) -> AsyncIterator[Phone]:
    """An adapter that is run once over a scripted modem."""
    configured = ModemSettings(**settings)  # type: ignore[arg-type]
    adapter = ModemAdapter(HERE, configured, open_streams=plugged(modem))
    phone = Phone(adapter, sink or Notes())

    async def life() -> None:
        try:
            await adapter.run(phone.sink)
        except Exception as error:  # noqa: BLE001 whatever it ends with is looked at
            phone.ended.append(error)

    task = asyncio.get_running_loop().create_task(life())
    try:
        if ready:
            await until(lambda: phone.available or phone.ended)
            if phone.ended:
                raise phone.ended[0]
        yield phone
    finally:
        task.cancel()
        await asyncio.wait([task])
