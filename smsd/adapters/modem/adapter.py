"""A modem as a phone: it opens and sets up the port, sends parts, and empties the memories.

Everything the modem hands over or keeps is committed by the sink first and deleted or
acknowledged after. Lines that come unasked are hints: whatever they say, sweeps find the rest.
"""

import asyncio
import logging
import operator
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from smsd.adapters.abilities import Answered, WireLine
from smsd.adapters.contract import (
    Absent,
    Capabilities,
    PhoneLost,
    Progress,
    Sink,
    Submission,
    Uncertain,
    lost,
)
from smsd.adapters.modem import authorise, console, health
from smsd.adapters.modem.calls import CallDesk, Calls
from smsd.adapters.modem.health import Card
from smsd.adapters.modem.memories import Memories, keep
from smsd.adapters.modem.open import Streams, opened
from smsd.adapters.modem.port import Gone, ModemError, NoAnswer, Port, Silent
from smsd.adapters.modem.power import HINT, Losses
from smsd.adapters.modem.probe import same_iccid
from smsd.adapters.modem.profiles import GENERIC, Profile, load
from smsd.adapters.modem.recovery import Evidence, Seldom
from smsd.adapters.modem.repair import Repair
from smsd.adapters.modem.sending import Hint, Sending
from smsd.adapters.modem.session import Session
from smsd.adapters.modem.setup import NoSim, attempt, run_all, set_up
from smsd.adapters.modem.trace import Trace
from smsd.adapters.modem.ussd import Ussd
from smsd.adapters.modem.where import Found, Where
from smsd.at import commands, urcs
from smsd.at.dialogue import Late, Urc
from smsd.at.syntax import AnswerError
from smsd.logs import fields
from smsd.model.events import LateAnswer
from smsd.model.message import Fault, FaultClass
from smsd.model.phone import Health
from smsd.model.ussd import UssdReply

log: Final = logging.getLogger(__name__)

FINISH: Final = 10.0  # seconds after a loss for what was handed over before it
MISSED: Final = 0.5  # seconds after which a modem that is looked for is told to be absent
LOOK_TIMEOUT: Final = 0.9  # seconds that whoever asks for a status waits for the wire
CARD_POLL: Final = 60.0  # seconds between looks at the SIM, for modems that tell of no change
SIM_START: Final = 60.0  # seconds without a SIM before the modem is started anew to look for one
LONGEST_SIM_START: Final = 900.0
MANY_RESTARTS: Final = 4  # within so many seconds are doubted: some firmware says so idly
RESTARTS_WITHIN: Final = 60.0
SIM_PAUSE: Final = 10.0  # seconds before a modem is looked at again that lost its SIM
UNREGISTERED_LIMIT: Final = 180.0  # seconds without a network in spite of signal
REFUSALS: Final = 3  # looks in a row at which a modem refuses what it told before


@dataclass(frozen=True, slots=True)
class ModemSettings:
    """How a modem is used; ``send_timeout`` in seconds, ``None``: the profile's.

    ``smsc`` goes into every PDU; ``None`` leaves the service centre to the SIM. ``power_cycle`` is
    a program with its arguments that switches the modem's power off and on; empty: there is none.
    ``calls`` is what becomes of calls that come in. With ``iccid`` only that SIM is served.
    ``profile`` is the name of the family's profile, ``None``: what the modem is known by.
    """

    baud: int = 115_200
    pin: str | None = field(default=None, repr=False)
    smsc: str | None = None
    send_timeout: float | None = None
    power_cycle: tuple[str, ...] = ()
    calls: Calls = Calls.REJECT
    iccid: str | None = None
    profile: str | None = None


class ModemAdapter:
    """One modem. Hints wait in a queue, so that reading and sending take turns at the port."""

    def __init__(
        self,
        where: Where,
        settings: ModemSettings,
        profiles: Mapping[str, Profile] | None = None,
        open_streams: Callable[[str, int], AbstractAsyncContextManager[Streams]] | None = None,
        usb_devices: Path = authorise.DEVICES,
    ) -> None:
        self._where = where
        self._settings = settings
        self._profiles = load() if profiles is None else profiles
        self._profile = GENERIC
        self._on_usb = False
        self._open = open_streams
        self._session: Session | None = None
        self._latest: Session | None = None
        self._hints: asyncio.Queue[Hint] = asyncio.Queue()
        self._handed: deque[urcs.MessageArrived] = deque()
        self._came = asyncio.Event()
        self._acknowledges: bool | None = None
        self._unacknowledged = False
        self._memories = Memories()
        self._sending = Sending(settings.smsc, settings.send_timeout, self._hint)
        self._looking = False
        self._repair = Repair(where.words, settings.power_cycle, usb_devices)
        self._losses = Losses()
        self._iccid = ""
        self._restarts: deque[float] = deque(maxlen=MANY_RESTARTS)
        self._starts_for_sim = Seldom(SIM_START, LONGEST_SIM_START)
        self._hides_iccid = True  # until it was read before a PIN
        self._told = False
        self._calls = CallDesk(settings.calls)
        self._ussd = Ussd()
        self._trace = Trace(where.words)

    @property
    def capabilities(self) -> Capabilities:
        """One message at a time, and talks with the network."""
        return Capabilities(ussd=True, flash=True)

    async def run(self, sink: Sink) -> None:
        """Wait for the device, open it, set it up, serve it until it is lost."""
        found = await self._locate(sink)
        self._profile = self._profiles.get(self._settings.profile or found.profile, GENERIC)
        self._on_usb = found.usb_path is not None
        found = await self._repair.before_opening(
            found, self._profile, partial(self._locate, sink), sink
        )
        device = self._trace.device = self._repair.port_of(found)
        sink.facts(device=device, usb_path=found.usb_path)
        sink.health(Health.UNAVAILABLE, f"{device} is being set up")
        began = _now()
        try:
            async with (
                (self._open or opened)(device, self._settings.baud) as streams,
                asyncio.TaskGroup() as group,
            ):
                port = Port(*streams, self._unasked, self._trace, self._repair.probes)
                owner = group.create_task(port.run(), name=f"port-{device}")
                beside = [
                    group.create_task(self._calls.run(port, sink), name=f"calls-{device}"),
                    group.create_task(self._take_in(port, sink), name=f"in-{device}"),
                ]
                try:
                    await self._serve(port, sink)
                finally:
                    for task in (owner, *beside):
                        task.cancel()
        except BaseExceptionGroup as errors:
            reason = _reason(errors)
            if not isinstance(reason, Absent):  # that it was unplugged, no wire tells
                self._trace.failed(str(reason))
            after = self._repair.after(reason, _now() - began, sink)
            if after is not reason:
                raise after from reason
            if isinstance(reason, Absent):
                hint = self._losses.hint(_now(), self._sending.begun_at)
                raise Absent(replace(reason.fault, hint=hint), pause=reason.pause) from None
            raise reason from None
        finally:
            self._session = None
            await self._finish(sink)

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

    async def _start(self, port: Port, sink: Sink) -> Session:
        """Set the modem up, take in what lies there, and offer it for sending."""
        self._session = None
        self._acknowledges, self._unacknowledged = None, False
        port.expect_echo()
        self._drop_hints(urcs.Restarted, urcs.SimChanged)
        try:
            setup = await set_up(
                port, self._profile, self._profiles, self._pin, sink, usb=self._on_usb
            )
        except NoSim:
            if self._starts_for_sim.is_due(_now()):  # some see one only then that was put back
                log.info("the modem is started anew, to look for its SIM")
                await self._repair.restart(port, self._profile)
            raise
        self._starts_for_sim.over()
        if setup.hides_iccid is not None:
            self._hides_iccid = setup.hides_iccid
        if setup.hides_iccid and self._iccid not in ("", setup.iccid):
            log.warning("there is another SIM in the modem, and it took the PIN of the first")
            self._iccid = setup.iccid
        self._iccid = self._iccid or setup.iccid
        if self._settings.iccid and not same_iccid(setup.iccid, self._settings.iccid):
            words = "the SIM in the modem is not the one that this phone is configured for"
            raise PhoneLost(Fault(FaultClass.SIM, words, hint="put it back"), pause=SIM_PAUSE)
        self._acknowledges = setup.acknowledges
        session = self._latest = Session(port, sink, setup, _now())
        if setup.acknowledges and self._unacknowledged:
            await attempt(port, commands.acknowledge())
        await self._sweep(session)
        self._session = session  # first: whoever hears that it is available sends at once
        await health.look(session, _now())
        return session

    def _pin(self, iccid: str) -> str | None:
        """The configured PIN, for the SIM that it was first used on and for no other.

        A SIM may hide its number until it has its PIN: then it is compared after that.
        """
        hidden = not iccid and self._hides_iccid
        return self._settings.pin if hidden or self._iccid in ("", iccid) else None

    async def _serve(self, port: Port, sink: Sink) -> None:
        session = await self._start(port, sink)
        profile = session.profile
        next_sweep = _now() + self._sweep_every(session)
        next_look = _now() + profile.registration_poll
        next_card = _now() + CARD_POLL / 2  # in turn with the look at the network: signs of life
        while True:
            try:
                async with asyncio.timeout_at(min(next_sweep, next_look, next_card)):
                    hint = await self._hints.get()
            except TimeoutError:
                if _now() >= next_sweep:
                    if await health.has_forgotten(session):
                        self._hint(urcs.Restarted())
                    await self._sweep_unasked(session)
                    next_sweep = _now() + self._sweep_every(session)
                if _now() >= next_look:
                    await self._look(session)
                    await self._ussd.tidy(session)
                    next_look = _now() + profile.registration_poll
                if _now() >= next_card:
                    session = await self._look_at_sim(session)
                    next_card = _now() + CARD_POLL
                    if not session.told and await self._memories.filled(session):
                        await self._sweep_unasked(session)
                        next_sweep = _now() + self._sweep_every(session)
            else:
                session = await self._follow(hint, session)
            if port.silent:
                raise Silent(Fault(FaultClass.MODEM, Evidence.SILENT))

    def _sweep_every(self, session: Session) -> float:
        """Seconds between sweeps: seldom where the modem tells what comes in."""
        tells = session.setup.announces and not session.mute
        return session.profile.sweep_every if tells else session.profile.polling_every

    async def _sweep_unasked(self, session: Session) -> None:
        """Sweep without a hint, and see whether there should have been one."""
        announced = session.told
        found = await self._sweep(session)
        told = announced or session.told
        if found and not told and not session.mute and session.setup.announces:
            log.warning("the modem does not announce messages")
            session.mute = True
            if session.setup.model:
                await session.sink.remember(f"mutes {session.setup.model}", "yes")
            await run_all(session.port, session.profile.unmute)

    async def _look(self, session: Session) -> None:
        await health.look(session, _now())
        if session.port.silent:
            raise Silent(Fault(FaultClass.MODEM, Evidence.SILENT))
        if session.tells and session.refusals >= REFUSALS:
            session.refusals = 0
            self._hint(Evidence.FAULTY)
        if session.lost_since is not None and _now() - session.lost_since > UNREGISTERED_LIMIT:
            session.lost_since = None
            self._hint(Evidence.UNREGISTERED)

    async def _look_at_sim(self, session: Session) -> Session:
        match await health.card(session):
            case Card.SAME:
                return session
            case Card.OTHER:
                log.warning("there is another SIM in the modem, which is set up again")
                return await self._start(session.port, session.sink)
            case Card.GONE:
                words = "the SIM was taken out"
                raise PhoneLost(Fault(FaultClass.SIM, words, hint="put it back"), pause=SIM_PAUSE)

    async def _mend(self, evidence: Evidence, session: Session) -> Session:
        """Do something about a modem that answers and yet is in trouble."""
        self._drop_hints(Evidence)
        self._session = None
        await self._repair.mend(evidence, session)
        return await self._start(session.port, session.sink)

    async def _finish(self, sink: Sink) -> None:
        """Keep what a lost modem had handed over already; its other hints say nothing any more.

        What cannot be kept in time is kept in the next life: a stop waits for no store.
        """
        self._drop(lambda hint: not isinstance(hint, LateAnswer))
        try:
            async with asyncio.timeout(FINISH):
                await self._keep_handed(sink)
                for _ in range(self._hints.qsize()):
                    hint = self._hints.get_nowait()
                    self._hint(hint)  # until it is told
                    if isinstance(hint, LateAnswer):
                        await sink.answered_late(hint)
                    self._drop(partial(operator.is_, hint))
        except Exception:
            log.exception("what a modem had handed over is not kept yet")

    async def check(self) -> None:
        """Ask for registration and signal now; a port that is busy is looked at by its own life."""
        if self._session is not None and not self._looking:
            self._looking = True
            try:
                async with asyncio.timeout(LOOK_TIMEOUT):
                    await health.look(self._session, _now())
            except (ModemError, NoAnswer, Gone, TimeoutError):
                return
            finally:
                self._looking = False

    async def distrust(self) -> None:
        """Take the step that may make a modem hear again."""
        self._hint(Evidence.DEAF)

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
                    case urcs.MessageArrived():
                        self._handed.append(meaning)
                        self._came.set()
                    case urcs.Noise():
                        pass
                    case _:
                        self._note(meaning)
                        self._hint(meaning)

    def _note(self, meaning: urcs.Unsolicited) -> None:
        """What must be known at once, whatever the modem's life is busy with."""
        if self._latest is None:
            return
        if isinstance(meaning, urcs.MessageStored):
            self._latest.arrivals += 1
        elif isinstance(meaning, urcs.Restarted):
            self._latest.over = True
            self._session = None

    async def _take_in(self, port: Port, sink: Sink) -> None:
        """Keep what is handed over as it comes: it lies nowhere else, and waits for no sweep."""
        while True:
            await self._keep_handed(sink, port)
            self._came.clear()
            await self._came.wait()

    async def _keep_handed(self, sink: Sink, port: Port | None = None) -> None:
        """Have all that was handed over committed; on a ``port`` it is acknowledged then."""
        while self._handed:
            arrived = self._handed[0]
            await keep(sink, arrived.pdu, arrived.length)
            self._handed.popleft()
            if self._acknowledges is None:
                self._unacknowledged = True
            elif self._acknowledges and port is not None:
                await attempt(port, commands.acknowledge())

    async def _follow(self, hint: Hint, session: Session) -> Session:
        """Do what a hint asks for; returns the session that is in force after it."""
        match hint:
            case urcs.MessageStored(memory=memory, index=index):
                session.told, session.mute = True, False
                if self._more_in(memory) and await self._memories.empty(session, memory):
                    pass  # many at once: one listing tells of all of them
                elif not await self._memories.fetch(session, memory, index):
                    await self._sweep(session)
            case urcs.RegistrationChanged():
                self._drop_hints(urcs.RegistrationChanged)
                await self._look(session)
            case urcs.Restarted():
                if await self._cries_wolf(session):
                    return session
                log.warning("the modem has started anew and is set up again")
                self._trace.failed("the modem has started anew")
                return await self._start(session.port, session.sink)
            case console.ChangedByHand():
                self._drop_hints(console.ChangedByHand)
                return await self._start(session.port, session.sink)
            case LateAnswer():
                await session.sink.answered_late(hint)
            case urcs.MemoryFull():
                await self._sweep(session)
            case urcs.SupplyOdd(words=words):
                self._losses.complained_at = _now()
                session.sink.facts(supply=words)
                log.warning(
                    "the modem complains of its supply",
                    extra=fields(modem=self._where.words, words=words, hint=HINT),
                )
            case urcs.SimChanged():
                return await self._look_at_sim(session)
            case Evidence():
                return await self._mend(hint, session)
            case _:
                pass
        return session

    def _more_in(self, memory: str) -> bool:
        """Whether more is announced in a memory; those hints are forgotten."""
        return self._drop(
            lambda hint: isinstance(hint, urcs.MessageStored) and hint.memory == memory
        )

    async def _sweep(self, session: Session) -> int:
        """Empty the memories; what the hints so far announced lies there by now."""
        session.told = self._drop_hints(urcs.MessageStored) or session.told
        self._drop_hints(urcs.MemoryFull)
        return await self._memories.sweep(session)

    async def _cries_wolf(self, session: Session) -> bool:
        """Whether a modem that says again and again that it has started has done no such thing."""
        self._restarts.append(_now())
        if len(self._restarts) < MANY_RESTARTS or _now() - self._restarts[0] > RESTARTS_WITHIN:
            return False
        if self._drop_hints(console.ChangedByHand):
            return False
        again = True
        while again:
            if await health.has_forgotten(session) is not False:
                return False
            again = self._drop_hints(urcs.Restarted)
        session.over = False  # not before: a part may wait for its turn meanwhile
        self._session = session
        await health.look(session, _now())
        return True

    def _drop_hints(self, *kinds: type) -> bool:
        """Forget hints that what is done now makes needless; whether there were any."""
        return self._drop(lambda hint: isinstance(hint, kinds))

    def _drop(self, needless: Callable[[Hint], bool]) -> bool:
        hints = [self._hints.get_nowait() for _ in range(self._hints.qsize())]
        kept = [hint for hint in hints if not needless(hint)]
        for hint in kept:
            self._hint(hint)
        return len(kept) < len(hints)


def _now() -> float:
    return asyncio.get_running_loop().time()


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
