"""One owner task for a port: it alone reads, writes and holds the dialogue.

Callers leave a command and wait. If they are cancelled only their wait is: the exchange on the
wire is finished or resynchronised, never left half done.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from smsd.adapters.contract import Absent, Broken, PhoneLost, lost
from smsd.adapters.modem.trace import Trace
from smsd.at.dialogue import Command, Dialogue, Event, FinalResult, Late, Response, State, Urc
from smsd.at.urcs import ECHO
from smsd.model.message import Fault, FaultClass

T = TypeVar("T")

PROBE_TIMEOUT: Final = 3.0  # seconds that a modem has to answer the probe
PROBES: Final = 4  # unanswered ones after which it is taken for lost
SILENT_LIMIT: Final = 2  # commands in a row without an answer after which something is done
LACKING: Final = 0.5  # seconds to wait for a final result that some modems do not give
QUIET: Final = 1.0  # seconds of silence after which no probe's answer is still to come
SETTLED_AFTER: Final = 10.0  # seconds after which it counts as silence: some modems never cease
DRAIN_TIMEOUT: Final = 10.0  # seconds for a write: a dead port takes nothing


class ModemError(Exception):
    """The modem answered with an error; ``submitted``: after it had been given the PDU.

    ``lines`` are the information lines before it.
    """

    def __init__(
        self, result: FinalResult, *, submitted: bool, lines: tuple[str, ...] = ()
    ) -> None:
        super().__init__(result.text)
        self.result = result
        self.submitted = submitted
        self.lines = lines


class NoAnswer(Exception):
    """The time for an answer is over and the line is in order again; ``submitted`` as above."""

    def __init__(self, command: str, *, submitted: bool) -> None:
        super().__init__(f"no answer to {command.partition('=')[0]}")
        self.submitted = submitted


class Gone(Exception):
    """The port was lost while the command was on the wire; ``submitted`` as above."""

    def __init__(self, reason: str, *, submitted: bool) -> None:
        super().__init__(reason)
        self.submitted = submitted


class Silent(PhoneLost):
    """The port is there and nobody answers on it."""


@dataclass(slots=True)
class _Request:
    command: Command[Any]
    answer: asyncio.Future[Response]
    before_payload: Callable[[], Awaitable[None]] | None
    holder: object | None = None


class Wire:
    """A port that is held: see `Port.alone`."""

    def __init__(self, port: "Port") -> None:
        self._port = port

    async def execute(self, command: Command[T]) -> T:
        """See `Port.execute`."""
        return await self._port.execute(command, holder=self)


class Port:
    """A modem's port; `run` owns it, `execute` asks it.

    ``unasked`` is called with every URC and with answers that came after all hope for them;
    ``trace`` keeps what the wire carries; after so many unanswered ``probes`` it is lost.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        unasked: Callable[[Urc | Late], None],
        trace: Trace | None = None,
        probes: int = PROBES,
    ) -> None:
        self._probes = probes
        self._trace = trace or Trace()
        self._trace.opened()
        self._reader = reader
        self._writer = writer
        self._unasked = unasked
        self._dialogue = Dialogue()
        self._inbox: deque[bytes | _Request | None] = deque()
        self._sleeper: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._waiting: deque[_Request] = deque()
        self._current: _Request | None = None
        self._deadline: float | None = None
        self._settle_by: float | None = None
        self._silent = 0
        self._lost: BaseException | None = None
        self.rest = 0.0
        """Seconds between a final result and the next command: some buffers overrun without."""
        self.rest_after_loss = 0.0
        """The same once a command went without an answer."""
        self._rests_until = 0.0
        self._resting = False
        self._quiet = False
        self._holder: Wire | None = None
        self._owed = False

    async def run(self) -> None:
        """Serve the port; ends by raising `PhoneLost`, or by cancellation."""
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read())
                self._abandon()  # whatever a predecessor left on the line is not ours
                try:
                    while True:
                        await self._ask_before_payload()
                        await self._write()
                        await self._step()
                finally:
                    reading.cancel()
        except BaseExceptionGroup as group_error:
            [self._lost, *others] = group_error.exceptions
            if others or not isinstance(self._lost, PhoneLost):
                raise
            raise self._lost from None
        finally:
            if self._alarm is not None:
                self._alarm.cancel()
            self._fail_all(self._lost or lost("the port was closed"))

    async def execute(
        self,
        command: Command[T],
        *,
        before_payload: Callable[[], Awaitable[None]] | None = None,
        holder: object | None = None,
        then: Command[Any] | None = None,
    ) -> T:
        """Run a command and give its parsed answer; ``then`` follows it, whoever waits no more.

        ``before_payload`` is awaited between the prompt and the payload: the last moment at which
        nothing has left. What it raises is raised here, and then the payload is not written.
        Raises `ModemError`, `NoAnswer` or `Gone`; each tells whether a PDU had been handed over.
        """
        if self._lost is not None:
            raise Gone(str(self._lost), submitted=False)
        answered = asyncio.get_running_loop().create_future()
        request = _Request(command, answered, before_payload, holder)
        self._put(request)
        if then is not None:
            unheeded = asyncio.get_running_loop().create_future()
            unheeded.add_done_callback(asyncio.Future.exception)  # nobody is to hear of it
            self._put(_Request(then, unheeded, None, holder))
        response = await request.answer
        if not response.result.ok:
            raise ModemError(response.result, submitted=response.submitted, lines=response.lines)
        answer: T = command.parse(response.lines)
        return answer

    @property
    def silent(self) -> bool:
        """Whether the modem has left commands without an answer, one after the other."""
        return self._silent >= SILENT_LIMIT

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(4096):
                self._put(data)
        except OSError:
            pass  # EIO: the device is gone, which is what the end of the stream says too
        self._put(None)

    async def _ask_before_payload(self) -> None:
        """The prompt is there: whoever submits notes it now, and may still stop it."""
        request = self._current
        if self._dialogue.state is not State.PAYLOAD or request is None:
            return
        before, request.before_payload = request.before_payload, None
        if before is None:
            return
        try:
            await before()
        except Exception as error:  # noqa: BLE001 it is the caller's, and raised there
            self._abandon()  # ESC instead of the payload
            if not request.answer.done():
                request.answer.set_exception(error)

    async def _write(self) -> None:
        if not (data := self._dialogue.data_to_send()):
            return
        self._trace.sent(data)
        try:
            self._writer.write(data)
            if not self._writer.transport.get_write_buffer_size():
                await self._writer.drain()  # it has gone: this only tells if the port has too
                return
            async with asyncio.timeout(DRAIN_TIMEOUT):
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            fault = Fault(FaultClass.MODEM, "the port takes no data any more")
            raise Broken(fault) from error

    async def _step(self) -> None:
        """Wait for data, a request or the end of a time, and do what follows from it."""
        if not await self._news():
            if self._idle:
                self._begin_next()
            else:
                self._overdue()
            return
        item = self._inbox.popleft()
        if isinstance(item, _Request):
            self._wait(item)
        elif item is None:
            raise Absent(Fault(FaultClass.MODEM, "the port is gone"))
        else:
            self._trace.received(item)
            before = self._dialogue.state
            for event in self._dialogue.receive(item):
                self._event(event)
            self._moved(before)
        self._begin_next()

    def _put(self, item: bytes | _Request | None) -> None:
        self._inbox.append(item)
        self._rouse()

    def _rouse(self) -> None:
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    async def _news(self) -> bool:
        """Wait for something in the inbox; False if the next moment comes before."""
        loop = asyncio.get_running_loop()
        while not self._inbox:
            moment = self._next_moment()
            if moment is not None and loop.time() >= moment:
                return False
            self._set_alarm(moment)
            self._sleeper = loop.create_future()
            try:
                await self._sleeper
            finally:
                self._sleeper = None
        return True

    def _set_alarm(self, moment: float | None) -> None:
        """Be roused by then. One that is set for earlier stays: most deadlines only move away."""
        if moment is None or (self._alarm is not None and self._alarm.when() <= moment):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_at(moment, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._rouse()

    @contextmanager
    def alone(self) -> Iterator["Wire"]:
        """Let nothing come between the commands that are run within: what they say must hold."""
        self._holder = wire = Wire(self)
        try:
            yield wire
        finally:
            self._holder = None
            self._put(b"")  # whoever had to wait may go on

    def expect_echo(self) -> None:
        """A set-up begins: that the modem repeats its first line is no news."""
        self._quiet = False

    def _wait(self, request: _Request) -> None:
        """Parts to send go before what is patient: the network is the slowest of all.

        But what a part has gone before has the next turn.
        """
        place = len(self._waiting)
        if request.command.payload is not None and not self._owed:
            while place and self._waiting[place - 1].command.patient:
                place -= 1
        self._owed = self._owed or place < len(self._waiting)
        self._waiting.insert(place, request)

    def _next_request(self) -> _Request | None:
        """Whose turn it is: that of whoever holds the port, else of the first."""
        for request in self._waiting:
            if self._holder is None or request.holder is self._holder:
                self._waiting.remove(request)
                if request.command.payload is None:
                    self._owed = False
                return request
        return None

    def _moved(self, before: State) -> None:
        """Set the time that the dialogue's new state has."""
        dialogue, loop = self._dialogue, asyncio.get_running_loop()
        if dialogue.settling:
            self._settle_by = self._settle_by or loop.time() + SETTLED_AFTER
            self._deadline = min(loop.time() + QUIET, self._settle_by)
        elif dialogue.state is State.COMMAND and self._current is not None:
            if self._current.command.may_lack_final and dialogue.answered_in_part:
                self._deadline = min(self._deadline or 0.0, loop.time() + LACKING)
        elif dialogue.state is before:
            return
        elif dialogue.state is State.PAYLOAD and self._current is not None:
            self._deadline = loop.time() + self._current.command.timeout
        elif dialogue.state is State.IDLE and before is State.STALE:
            self._resynced()

    def _next_moment(self) -> float | None:
        """When there is something to do even if nothing comes, in the loop's time."""
        if not self._idle:
            return self._deadline
        return self._rests_until if self._resting else None

    @property
    def _idle(self) -> bool:
        return self._dialogue.state is State.IDLE and self._current is None

    def _begin_next(self) -> None:
        self._resting = asyncio.get_running_loop().time() < self._rests_until
        while self._idle and not self._resting and (request := self._next_request()) is not None:
            if request.answer.cancelled():
                continue
            self._current = request
            self._dialogue.send(request.command)
            limit = request.command.timeout
            if request.command.payload is not None:
                limit = request.command.prompt_timeout
            self._deadline = asyncio.get_running_loop().time() + limit

    def _event(self, event: Event) -> None:
        match event:
            case Response():
                self._silent = 0
                self._deadline = None
                self._listen_for_echo()
                if self.rest:
                    self._rests_until = asyncio.get_running_loop().time() + self.rest
                self._answer(event)
            case Late():
                self._late(event)
            case Urc():
                self._unasked(event)

    def _listen_for_echo(self) -> None:
        """A modem that was quiet and repeats commands again has started anew without a word."""
        if self._quiet and self._dialogue.echoed:
            self._unasked(Urc(ECHO))
        self._quiet = not self._dialogue.echoed

    def _late(self, late: Late) -> None:
        """Given up, but here it is: the caller still waits for the line to be in order.

        Only the answer itself (``+CMGS:``) settles what became of a payload: leaving a prompt and
        the probe are answered by an OK or an error too. An answer without its final result is one
        all the same: some modems give none.
        """
        if self._current is None or self._current.command is not late.command:
            return
        submitted = self._dialogue.was_submitted
        result = late.result or FinalResult("OK")
        if late.answered and submitted:
            result = FinalResult("OK")  # what the network took, an error behind it takes not back
        elif not late.answered and (
            late.result is None or (late.command.payload and (submitted or result.ok))
        ):
            return
        self._silent = 0
        self._answer(Response(late.command, late.lines, result, submitted=submitted))

    def _answer(self, response: Response) -> None:
        request, self._current = self._current, None
        if request is not None and not request.answer.done():
            request.answer.set_result(response)
        elif request is not None and response.submitted:
            # Its caller is gone; what became of the message is told all the same.
            self._unasked(Late(request.command, response.lines, response.result))

    def _overdue(self) -> None:
        dialogue = self._dialogue
        if dialogue.settling:
            dialogue.settle()
            self._resynced()
            self._begin_next()
            return
        if dialogue.state is State.STALE and dialogue.probes >= self._probes:
            words = "the modem does not answer"
            raise Silent(Fault(FaultClass.MODEM, words, hint="is it the right port?"))
        self._abandon()

    def _abandon(self) -> None:
        if self._current is not None:
            self._trace.note("given up: its time is over")
        self._dialogue.abandon()
        self._deadline = asyncio.get_running_loop().time() + PROBE_TIMEOUT

    def _resynced(self) -> None:
        """The line is in order; who is still without an answer will not get one."""
        self._deadline = self._settle_by = None
        request, self._current = self._current, None
        if request is None:
            return
        self._silent += 1
        self.rest = max(self.rest, self.rest_after_loss)
        if not request.answer.done():
            submitted = self._dialogue.was_submitted
            request.answer.set_exception(NoAnswer(request.command.line, submitted=submitted))

    def _fail_all(self, reason: BaseException) -> None:
        submitted = self._dialogue.submitted
        self._waiting += [item for item in self._inbox if isinstance(item, _Request)]
        self._inbox.clear()
        if self._current is not None and not self._current.answer.done():
            self._current.answer.set_exception(Gone(str(reason), submitted=submitted))
        for request in self._waiting:
            if not request.answer.done():
                request.answer.set_exception(Gone(str(reason), submitted=False))
        self._lost = reason
