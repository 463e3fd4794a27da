"""A modem as a phone: it opens and sets up the port, sends parts, and empties the memories.

Everything the modem hands over or keeps is committed by the sink first and deleted or
acknowledged after. Lines that come unasked are hints: whatever they say, sweeps find the rest.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from smsd.adapters.abilities import Answered, WireLine
from smsd.adapters.contract import (
    Capabilities,
    PhoneLost,
    Progress,
    Sink,
    Submission,
    Uncertain,
    lost,
)
from smsd.adapters.modem import console, health
from smsd.adapters.modem.calls import CallDesk, Calls
from smsd.adapters.modem.memories import Memories, keep
from smsd.adapters.modem.open import Streams, appears, opened, present
from smsd.adapters.modem.port import Gone, ModemError, NoAnswer, Port
from smsd.adapters.modem.profiles import GENERIC, Profile
from smsd.adapters.modem.sending import Hint, Sending
from smsd.adapters.modem.session import Session
from smsd.adapters.modem.setup import attempt, set_up
from smsd.adapters.modem.trace import Trace
from smsd.adapters.modem.ussd import Ussd
from smsd.at import commands, urcs
from smsd.at.dialogue import Late, Urc
from smsd.at.syntax import AnswerError
from smsd.at.ussd import Form
from smsd.model.events import LateAnswer
from smsd.model.phone import Health
from smsd.model.ussd import UssdReply

log: Final = logging.getLogger(__name__)

LOOK_TIMEOUT: Final = 0.9  # seconds that whoever asks for a status waits for the wire
SILENT_LIMIT: Final = 2  # commands in a row without an answer after which the port is opened anew


@dataclass(frozen=True, slots=True)
class ModemSettings:
    """How a modem is reached and used; ``send_timeout`` in seconds, ``None``: the profile's.

    ``smsc`` goes into every PDU; ``None`` leaves the service centre to the SIM. ``calls`` is what
    becomes of calls that come in.
    """

    device: str
    baud: int = 115_200
    pin: str | None = field(default=None, repr=False)
    smsc: str | None = None
    send_timeout: float | None = None
    calls: Calls = Calls.REJECT


class ModemAdapter:
    """One modem. Hints wait in a queue, so that reading and sending take turns at the port."""

    def __init__(
        self,
        settings: ModemSettings,
        profile: Profile = GENERIC,
        open_streams: Callable[[str, int], AbstractAsyncContextManager[Streams]] | None = None,
    ) -> None:
        self._settings = settings
        self._profile = profile
        self._open = open_streams
        self._session: Session | None = None
        self._hints: asyncio.Queue[Hint] = asyncio.Queue()
        self._memories = Memories()
        self._sending = Sending(settings.smsc, settings.send_timeout, self._hint)
        self._looking = False
        self._calls = CallDesk(settings.calls)
        self._ussd = Ussd(tuple(map(Form, profile.ussd)))
        self._trace = Trace(settings.device)

    @property
    def capabilities(self) -> Capabilities:
        """One message at a time, and talks with the network."""
        return Capabilities(ussd=True)

    async def run(self, sink: Sink) -> None:
        """Wait for the device, open it, set it up, serve it until it is lost."""
        device = self._settings.device
        await self._finish(sink)
        if self._open is None and not present(device):
            sink.health(Health.UNAVAILABLE, f"{device} is not there", hint="is it plugged in?")
            await appears(device)
        sink.health(Health.UNAVAILABLE, f"{device} is being set up")
        try:
            async with (
                (self._open or opened)(device, self._settings.baud) as streams,
                asyncio.TaskGroup() as group,
            ):
                port = Port(*streams, self._unasked, self._trace)
                owner = group.create_task(port.run(), name=f"port-{device}")
                calls = group.create_task(self._calls.run(port, sink), name=f"calls-{device}")
                try:
                    await self._serve(port, sink)
                finally:
                    owner.cancel()
                    calls.cancel()
        except BaseExceptionGroup as errors:
            self._trace.failed(str(reason := _reason(errors)))
            raise reason from None
        finally:
            self._session = None

    async def _start(self, port: Port, sink: Sink) -> Session:
        """Set the modem up, take in what lies there, and offer it for sending."""
        self._session = None
        self._drop_hints(urcs.Restarted)
        setup = await set_up(port, self._profile, self._settings.pin, sink)
        session = Session(port, sink, self._profile, setup)
        await self._sweep(session)
        await health.look(session)
        self._session = session
        return session

    async def _serve(self, port: Port, sink: Sink) -> None:
        session = await self._start(port, sink)
        loop = asyncio.get_running_loop()
        profile = self._profile
        sweep_every = profile.sweep_every if session.setup.announces else profile.polling_every
        next_sweep, next_look = loop.time() + sweep_every, loop.time() + profile.registration_poll
        while True:
            try:
                async with asyncio.timeout_at(min(next_sweep, next_look)):
                    hint = await self._hints.get()
            except TimeoutError:
                if loop.time() >= next_sweep:
                    await self._sweep(session)
                    next_sweep = loop.time() + sweep_every
                if loop.time() >= next_look:
                    await health.look(session)
                    await self._ussd.tidy(session)
                    next_look = loop.time() + profile.registration_poll
            else:
                session = await self._follow(hint, session)
            if port.silent_commands >= SILENT_LIMIT:
                raise lost("the modem answers no commands any more")

    async def _finish(self, sink: Sink) -> None:
        """Keep what a lost modem had handed over already; its other hints say nothing any more."""
        left, self._hints = self._hints, asyncio.Queue()
        while not left.empty():
            match hint := left.get_nowait():
                case urcs.MessageArrived(pdu=pdu, length=length):
                    await keep(sink, pdu, length)
                case LateAnswer():
                    await sink.answered_late(hint)
                case _:
                    pass

    async def check(self) -> None:
        """Ask for registration and signal now; a port that is busy is looked at by its own life."""
        if self._session is not None and not self._looking:
            self._looking = True
            try:
                async with asyncio.timeout(LOOK_TIMEOUT):
                    await health.look(self._session)
            except (ModemError, NoAnswer, Gone, TimeoutError):
                return
            finally:
                self._looking = False

    async def send(self, submission: Submission, progress: Progress) -> None:
        """Send the parts that the network has not taken yet; see `Sending.send`."""
        try:
            await self._sending.send(self._session, submission, progress)
        except Uncertain as error:
            self._trace.failed(str(error))
            raise

    # What a person asks of it -------------------------------------------------------------------

    async def ussd(self, code: str) -> UssdReply:
        """See `smsd.adapters.abilities.AsksNetwork`."""
        return await self._ussd.ask(self._session, code)

    async def ussd_answer(self, text: str) -> UssdReply:
        """See `smsd.adapters.abilities.AsksNetwork`."""
        return await self._ussd.answer(self._session, text)

    async def ussd_cancel(self) -> None:
        """See `smsd.adapters.abilities.AsksNetwork`."""
        await self._ussd.cancel(self._session)

    async def command(self, line: str, *, force: bool, timeout: float) -> Answered:
        """See `smsd.adapters.abilities.HasWire`."""
        return await console.command(
            self._session, line, force=force, timeout=timeout, changed=self._changed_by_hand
        )

    def _changed_by_hand(self) -> None:
        """Nothing new is sent from here on until the modem is set up again."""
        self._session = None
        self._hint(console.ChangedByHand())

    async def wire(self, after: int, wait: float) -> Sequence[WireLine]:
        """See `smsd.adapters.abilities.HasWire`."""
        return await self._trace.lines(after, wait)

    # What comes unasked -------------------------------------------------------------------------

    def _hint(self, hint: Hint) -> None:
        self._hints.put_nowait(hint)

    def _unasked(self, event: Urc | Late) -> None:
        """Called by the port's owner: note what is to be done, do none of it here."""
        match event:
            case Late(lines=lines, result=result):
                if result is None or result.ok:
                    self._sending.answered_late(commands.send_pdu("", 0).parse(lines))
            case Urc(line=line, body=body):
                meaning = urcs.read(line, body)
                match meaning:
                    case urcs.SubmissionAnswered(reference=reference):
                        self._sending.answered(reference)
                    case urcs.UssdArrived():
                        self._ussd.arrived(meaning)
                    case urcs.Ring() | urcs.CallerLine() | urcs.CallEnded():
                        self._calls.told(meaning)
                    case urcs.Noise():
                        pass
                    case _:
                        self._hint(meaning)

    async def _follow(self, hint: Hint, session: Session) -> Session:
        """Do what a hint asks for; returns the session that is in force after it."""
        match hint:
            case urcs.MessageStored(memory=memory, index=index):
                if not await self._memories.fetch(session, memory, index):
                    await self._sweep(session)
            case urcs.MessageArrived(pdu=pdu, length=length):
                await keep(session.sink, pdu, length)
                if session.setup.acknowledges:
                    await attempt(session.port, commands.acknowledge())
            case urcs.RegistrationChanged():
                await health.look(session)
            case urcs.Restarted():
                log.warning("the modem has started anew and is set up again")
                self._trace.failed("the modem has started anew")
                return await self._start(session.port, session.sink)
            case console.ChangedByHand():
                self._drop_hints(console.ChangedByHand)
                return await self._start(session.port, session.sink)
            case LateAnswer():
                await session.sink.answered_late(hint)
            case _:
                pass
        return session

    async def _sweep(self, session: Session) -> None:
        """Empty the memories; what the hints so far announced lies there by now."""
        self._drop_hints(urcs.MessageStored)
        await self._memories.sweep(session)

    def _drop_hints(self, kind: type) -> None:
        """Forget hints that what is done now makes needless."""
        kept = []
        while not self._hints.empty():
            kept.append(self._hints.get_nowait())
        for hint in kept:
            if not isinstance(hint, kind):
                self._hint(hint)


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


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [error]
