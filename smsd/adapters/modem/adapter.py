"""A modem as a phone: it opens and sets up the port, sends parts, and empties the memories.

Everything the modem hands over or keeps is committed by the sink first and deleted or
acknowledged after. Lines that come unasked are hints: whatever they say, sweeps find the rest.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from smsd.adapters.contract import (
    Absent,
    Capabilities,
    Declined,
    PhoneLost,
    Progress,
    Rejected,
    Sink,
    Submission,
    Throttled,
    Unavailable,
    Uncertain,
    lost,
)
from smsd.adapters.modem.faults import RETRY_AFTER, TRIES, error_of, fault_of
from smsd.adapters.modem.incoming import read_pdu
from smsd.adapters.modem.open import Streams, opened
from smsd.adapters.modem.port import Gone, ModemError, NoAnswer, Port
from smsd.adapters.modem.profiles import GENERIC, Profile
from smsd.adapters.modem.setup import Setup, attempt, set_up
from smsd.adapters.modem.where import Found, Where
from smsd.at import commands, urcs
from smsd.at.commands import Stored
from smsd.at.dialogue import Command, Late, Urc
from smsd.at.syntax import AnswerError
from smsd.gsm import PDU, Address, EncodeError, Relative, Submit, UserData, segment
from smsd.logs import fields, short
from smsd.model.events import Incoming, LateAnswer
from smsd.model.message import AttemptId, Fault, FaultClass
from smsd.model.phone import Health

log: Final = logging.getLogger(__name__)

MISSED: Final = 0.5  # seconds after which a modem that is looked for is told to be absent
REFERENCE_FOLLOWS: Final = 1.0  # seconds after an OK that came without a reference
REFUSED_FOR_ITS_RECIPIENT: Final = ("+CMS ERROR: 21",)  # or for the SIM: nobody tells which
LOOK_TIMEOUT: Final = 0.9  # seconds that whoever asks for a status waits for the wire
SILENT_LIMIT: Final = 2  # commands in a row without an answer after which the port is opened anew
NOTHING_THERE: Final = ("+CMS ERROR: 321", "+CME ERROR: 21", "+CME ERROR: 22")
STALE_DELETES: Final = 3  # refusals to delete a record before it is left where it lies


@dataclass(frozen=True, slots=True)
class ModemSettings:
    """How a modem is used; ``send_timeout`` in seconds, ``None``: the profile's.

    ``smsc`` goes into every PDU; ``None`` leaves the service centre to the SIM.
    """

    baud: int = 115_200
    pin: str | None = field(default=None, repr=False)
    smsc: str | None = None
    send_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class _InFlight:
    attempt: AttemptId
    part: int
    recipient: str


class ModemAdapter:
    """One modem. Hints wait in a queue, so that reading and sending take turns at the port."""

    def __init__(
        self,
        where: Where,
        settings: ModemSettings,
        profile: Profile = GENERIC,
        open_streams: Callable[[str, int], AbstractAsyncContextManager[Streams]] | None = None,
    ) -> None:
        self._where = where
        self._settings = settings
        self._profile = profile
        self._open = open_streams
        self._port: Port | None = None
        self._setup: Setup | None = None
        self._sink: Sink | None = None
        self._selected = ""
        self._registered = False
        self._hints: asyncio.Queue[urcs.Unsolicited | LateAnswer] = asyncio.Queue()
        self._given_up: deque[_InFlight] = deque(maxlen=1)
        self._following: asyncio.Queue[urcs.Reference | None] | None = None
        self._refused_to: str | None = None
        self._looking = False
        self._told = False
        self._undeletable: dict[tuple[str, int, str], int] = {}

    @property
    def capabilities(self) -> Capabilities:
        """One message at a time."""
        return Capabilities()

    async def run(self, sink: Sink) -> None:
        """Wait for the device, open it, set it up, serve it until it is lost."""
        await self._finish(sink)
        found = await self._locate(sink)
        device = found.device
        sink.facts(device=device, usb_path=found.usb_path)
        sink.health(Health.UNAVAILABLE, f"{device} is being set up")
        self._sink = sink
        try:
            async with (
                (self._open or opened)(device, self._settings.baud) as streams,
                asyncio.TaskGroup() as group,
            ):
                port = Port(*streams, self._unasked)
                owner = group.create_task(port.run(), name=f"port-{device}")
                try:
                    await self._serve(port, sink)
                finally:
                    owner.cancel()
        except BaseExceptionGroup as errors:
            raise _reason(errors) from None
        finally:
            self._port = self._setup = None
            self._registered = False

    async def _locate(self, sink: Sink) -> Found:
        """Where the modem is; that it is not there is told once it is missed."""
        words = f"{self._where.words} is not there"
        tell = partial(sink.health, Health.UNAVAILABLE, words, hint="is it plugged in?")
        loop = asyncio.get_running_loop()
        # What a person has to do first is not talked over.
        missed = None if self._told else loop.call_later(MISSED, tell)
        try:
            found = await self._where.found()
        except Absent:
            self._told = True
            raise
        finally:
            if missed is not None:
                missed.cancel()
        self._told = False
        return found

    async def _start(self, port: Port, sink: Sink) -> None:
        """Set the modem up, take in what lies there, and offer it for sending."""
        self._port, self._selected = None, ""
        self._drop_hints(urcs.Restarted)
        self._setup = await set_up(port, self._profile, self._settings.pin, sink)
        await self._sweep(port, sink)
        self._port = port
        await self._look(port, sink)

    async def _serve(self, port: Port, sink: Sink) -> None:
        await self._start(port, sink)
        assert self._setup is not None
        loop = asyncio.get_running_loop()
        profile = self._profile
        sweep_every = profile.sweep_every if self._setup.announces else profile.polling_every
        next_sweep, next_look = loop.time() + sweep_every, loop.time() + profile.registration_poll
        while True:
            try:
                async with asyncio.timeout_at(min(next_sweep, next_look)):
                    hint = await self._hints.get()
            except TimeoutError:
                if loop.time() >= next_sweep:
                    await self._sweep(port, sink)
                    next_sweep = loop.time() + sweep_every
                if loop.time() >= next_look:
                    await self._look(port, sink)
                    next_look = loop.time() + profile.registration_poll
            else:
                await self._follow(hint, port, sink)
            if port.silent_commands >= SILENT_LIMIT:
                raise lost("the modem answers no commands any more")

    async def _finish(self, sink: Sink) -> None:
        """Keep what a lost modem had handed over already; its other hints say nothing any more."""
        left, self._hints = self._hints, asyncio.Queue()
        while not left.empty():
            match hint := left.get_nowait():
                case urcs.MessageArrived(pdu=pdu, length=length):
                    await self._keep(sink, pdu, length)
                case LateAnswer():
                    await sink.answered_late(hint)
                case _:
                    pass

    async def check(self) -> None:
        """Ask for registration and signal now; a port that is busy is looked at by its own life."""
        if self._port is not None and self._sink is not None and not self._looking:
            self._looking = True
            try:
                async with asyncio.timeout(LOOK_TIMEOUT):
                    await self._look(self._port, self._sink)
            except (ModemError, NoAnswer, Gone, TimeoutError):
                return
            finally:
                self._looking = False

    # Health -------------------------------------------------------------------------------------

    async def _look(self, port: Port, sink: Sink) -> None:
        """Registration, signal, operator."""
        stat = None
        for name in commands.REGISTRATION_COMMANDS:
            question = commands.registration(name)
            # A code that came unasked may have been taken for the answer: then once more.
            answer = await attempt(port, question)
            if answer is None:
                answer = await attempt(port, question)
            stat = answer if stat is None else stat
            if answer is not None and answer.registered:
                stat = answer
                break
        self._registered = stat is None or stat.registered  # a modem that cannot tell may send
        signal = await attempt(port, commands.signal_quality())
        sink.facts(registration=None if stat is None else stat.name.lower(), signal_dbm=signal)
        if self._registered:
            operator = await attempt(port, commands.operator())
            sink.facts(operator=operator)
            sink.health(Health.AVAILABLE)
        else:
            assert stat is not None
            words = stat.name.lower().replace("_", " ")
            sink.health(
                Health.UNAVAILABLE,
                f"not registered with a network ({words})",
                hint="check antenna, SIM and whether the operator knows this modem",
            )

    # Out ----------------------------------------------------------------------------------------

    async def send(self, submission: Submission, progress: Progress) -> None:
        """Send the parts that the network has not taken yet, one after the other.

        What is refused before the PDU was handed over is proven not sent. After it, only an error
        that names its cause is; a bare ``ERROR``, silence and a lost port leave the part in doubt.
        """
        port = self._port
        if port is None:
            raise Unavailable(Fault(FaultClass.MODEM, "the modem is not there"))
        if not self._registered:
            raise Unavailable(Fault(FaultClass.NETWORK, "not registered with a network"))
        parts = self._commands(submission)
        for number, command in enumerate(parts, start=1):
            if number in submission.taken:
                continue
            begin = partial(progress.begin, number, len(parts))
            in_flight = _InFlight(submission.attempt, number, submission.destination)
            reference = await self._submit(port, command, in_flight, begin)
            await progress.complete(number, None if reference is None else str(reference))
            self._refused_to = None

    def _commands(self, submission: Submission) -> list[Command[urcs.Reference | None]]:
        """Every part, encoded whole before the first one leaves."""
        settings = self._settings
        limit = settings.send_timeout or self._profile.send_timeout
        if not re.fullmatch(r"\+?[0-9]+", submission.destination):
            raise Rejected(Fault(FaultClass.PERMANENT, "the recipient is no telephone number"))
        try:
            service_centre = Address.parse(settings.smsc) if settings.smsc else None
            pdus = [
                PDU(sc=service_centre, tpdu=self._submit_tpdu(submission, part))
                for part in segment(
                    submission.text,
                    reference=int(submission.message) % 256,
                    message_class=0 if submission.flash else None,
                )
            ]
            return [commands.send_pdu(pdu.hex, pdu.length, timeout=limit) for pdu in pdus]
        except EncodeError as error:
            words = str(error).replace(submission.destination, short(submission.destination))
            raise Rejected(Fault(FaultClass.PERMANENT, f"it cannot be encoded: {words}")) from error

    def _submit_tpdu(self, submission: Submission, part: UserData) -> Submit:
        return Submit(
            destination=Address.parse(submission.destination),
            user_data=part,
            coding=part.coding,
            validity=Relative.covering(submission.validity),
            report_requested=submission.report,
        )

    async def _submit(
        self,
        port: Port,
        command: Command[urcs.Reference | None],
        in_flight: _InFlight,
        begin: Callable[[], Awaitable[None]],
    ) -> urcs.Reference | None:
        self._given_up.clear()  # from here on a stray answer may be this part's
        self._following = asyncio.Queue()
        try:
            reference = await self._exchange(port, command, in_flight, begin)
            if reference is not None:
                return reference
            try:  # some modems say OK first, and the reference after it
                async with asyncio.timeout(REFERENCE_FOLLOWS):
                    return await self._following.get()
            except TimeoutError:
                return None  # and some tell none: it is sent all the same
        finally:
            self._following = None

    async def _exchange(
        self,
        port: Port,
        command: Command[urcs.Reference | None],
        in_flight: _InFlight,
        begin: Callable[[], Awaitable[None]],
    ) -> urcs.Reference | None:
        try:
            return await port.execute(command, before_payload=begin)
        except asyncio.CancelledError:
            self._given_up.append(in_flight)  # the exchange goes on without its caller
            raise
        except ModemError as error:
            try:
                self._refused(error, in_flight.recipient)
            except Uncertain:
                self._given_up.append(in_flight)  # a reference may follow even an error
                raise
            return None
        except NoAnswer as error:
            if error.submitted:
                self._given_up.append(in_flight)
                raise Uncertain(_doubt("the modem did not answer after it had the PDU")) from error
            fault = Fault(FaultClass.MODEM, "the modem did not ask for the PDU")
            raise Throttled(fault, retry_after=RETRY_AFTER) from error
        except Gone as error:
            if error.submitted:
                self._given_up.append(in_flight)  # if only the modem was slow, it still answers
                raise Uncertain(_doubt(f"{error} after the modem had the PDU")) from error
            raise Unavailable(Fault(FaultClass.MODEM, str(error))) from error

    def _refused(self, error: ModemError, recipient: str) -> None:
        """Raise what a refusal asks for; returns if it says that an earlier copy was accepted."""
        fault = fault_of(error.result)
        if fault.kind is FaultClass.DUPLICATE:
            return
        if error.submitted and not error.result.text.startswith(("+CMS ERROR", "+CME ERROR")):
            # Some modems say a bare ERROR although the message was queued.
            raise Uncertain(_doubt("the modem gave no cause for its error", fault.code)) from error
        if fault.kind is FaultClass.AMBIGUOUS and not error.submitted:
            raise Throttled(fault, retry_after=RETRY_AFTER, tries=TRIES) from error
        if fault.code in REFUSED_FOR_ITS_RECIPIENT and self._refused_to in (None, recipient):
            # One recipient may be barred; that it is the SIM shows when a second one is refused.
            if self._refused_to == recipient:
                raise Declined(fault) from error  # nobody knows why: another phone may know better
            self._refused_to = recipient
            raise Throttled(fault, retry_after=RETRY_AFTER) from error
        if fault.kind is FaultClass.MEMORY:
            self._hints.put_nowait(urcs.MessageStored("", -1))  # sweep, to make room
        if fault.kind is FaultClass.NETWORK:
            self._hints.put_nowait(urcs.RegistrationChanged())
        raise error_of(fault) from error

    # In -----------------------------------------------------------------------------------------

    def _unasked(self, event: Urc | Late) -> None:
        """Called by the port's owner: note what is to be done, do none of it here."""
        match event:
            case Late(lines=lines, result=result):
                if result is None or result.ok:
                    self._late(commands.send_pdu("", 0).parse(lines))
            case Urc(line=line, body=body):
                meaning = urcs.read(line, body)
                if isinstance(meaning, urcs.SubmissionAnswered):
                    if self._following is not None:
                        self._following.put_nowait(meaning.reference)
                    else:
                        self._late(meaning.reference)
                elif not isinstance(meaning, urcs.Noise):
                    self._hints.put_nowait(meaning)

    def _late(self, reference: int | None) -> None:
        """The network took a part that had been given up."""
        if self._given_up:
            part = self._given_up.pop()
            answer = LateAnswer(
                part.attempt, part.part, None if reference is None else str(reference)
            )
            self._hints.put_nowait(answer)

    async def _follow(self, hint: urcs.Unsolicited | LateAnswer, port: Port, sink: Sink) -> None:
        match hint:
            case urcs.MessageStored(memory=memory, index=index):
                if not await self._fetch(port, sink, memory, index):
                    await self._sweep(port, sink)
            case urcs.MessageArrived(pdu=pdu, length=length):
                await self._keep(sink, pdu, length)
                if self._setup is not None and self._setup.acknowledges:
                    await attempt(port, commands.acknowledge())
            case urcs.RegistrationChanged():
                await self._look(port, sink)
            case urcs.Restarted():
                log.warning("the modem has started anew and is set up again")
                await self._start(port, sink)
            case LateAnswer():
                await sink.answered_late(hint)
            case _:
                pass

    async def _fetch(self, port: Port, sink: Sink, memory: str, index: int) -> bool:
        """Take in the record that a hint named; False if it is not where it should be."""
        assert self._setup is not None
        if index < 0 or memory not in self._setup.memories:
            return False
        if not await self._select(port, memory):
            return False
        record = await attempt(port, commands.read_message(index))
        if record is None:
            return False
        await self._keep(sink, record.pdu, record.length)
        await self._delete(port, memory, record)
        return True

    async def _sweep(self, port: Port, sink: Sink) -> None:
        """Take in all that lies in the memories, whatever it is; the highest index goes first."""
        assert self._setup is not None
        self._drop_hints(urcs.MessageStored)  # what they announced lies there by now
        for memory in self._setup.memories:
            if not await self._select(port, memory):
                continue
            records = await attempt(port, commands.list_messages())
            for record in reversed(records or ()):
                await self._keep(sink, record.pdu, record.length)
                # Indices may have moved since they were listed: look once more before deleting.
                again = await attempt(port, commands.read_message(record.index))
                if again is not None and again.pdu == record.pdu:
                    await self._delete(port, memory, record)
        await self._select(port, self._setup.memories[0])

    def _drop_hints(self, kind: type) -> None:
        """Forget hints that what is done now makes needless."""
        kept = []
        while not self._hints.empty():
            kept.append(self._hints.get_nowait())
        for hint in kept:
            if not isinstance(hint, kind):
                self._hints.put_nowait(hint)

    async def _select(self, port: Port, memory: str) -> bool:
        """Make a memory the one that is read from; modal, so it is remembered."""
        if self._selected == memory:
            return True
        try:
            fill = await port.execute(commands.select_memories(memory))
        except (ModemError, NoAnswer):
            self._selected = ""
            return False
        except AnswerError:
            fill = None
        self._selected = memory
        if fill is not None and self._sink is not None:
            self._sink.facts(**{f"used_{memory}": fill.used, f"total_{memory}": fill.total})
        return True

    async def _keep(self, sink: Sink, pdu: str, length: int | None) -> None:
        found = read_pdu(pdu, length)
        if isinstance(found, Incoming):
            await sink.received(found)
        else:
            await sink.reported(found)

    async def _delete(self, port: Port, memory: str, record: Stored) -> None:
        key = (memory, record.index, record.pdu)
        if self._undeletable.get(key, 0) >= STALE_DELETES:
            return  # it is kept here and known again: it only takes room there
        try:
            await port.execute(commands.delete_message(record.index))
            self._undeletable.pop(key, None)
        except (ModemError, NoAnswer) as error:
            if isinstance(error, ModemError) and error.result.text in NOTHING_THERE:
                return
            self._undeletable[key] = self._undeletable.get(key, 0) + 1
            log.warning(
                "the modem does not delete a message that is kept here",
                extra=fields(memory=memory, index=record.index, reason=str(error)),
            )


def _doubt(words: str, code: str | None = None) -> Fault:
    return Fault(
        FaultClass.AMBIGUOUS,
        f"{words}: it may have gone",
        code,
        "a delivery report may still settle it; else decide whether to send it again",
    )


def _reason(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one cause among errors that follow from one another: the lost phone, if it is there."""
    flat = list(_leaves(errors))
    for error in flat:
        if isinstance(error, PhoneLost):
            return error
    for error in flat:
        if isinstance(error, Gone | NoAnswer | ModemError | AnswerError):
            return lost(str(error))
    return flat[0] if len(flat) == 1 else errors


def _leaves(error: BaseException) -> "list[BaseException]":
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [error]
