"""From an open port to a modem that can be used: echo off, SIM unlocked, memories, indications.

Every step but PDU mode may be refused; the PIN is entered once per SIM and never again after a
refusal, for three wrong ones lock it.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from smsd.adapters.contract import PhoneLost, Sink, lost
from smsd.adapters.modem.faults import BOOTING, fault_of, numeric
from smsd.adapters.modem.port import ModemError, NoAnswer, Port, Wire
from smsd.adapters.modem.profiles import GENERIC, Indications, Kept, Profile, recognised
from smsd.at import commands
from smsd.at.commands import Functionality
from smsd.at.dialogue import Command
from smsd.at.syntax import AnswerError
from smsd.model.message import Fault, FaultClass

T = TypeVar("T")
PinOf = Callable[[str], str | None]
"""The PIN for a SIM by its ICCID (empty where it is not known); ``None``: there is none."""

USUAL: Final = (
    "AT+CSMS=0",  # with 1 what is handed over must be acknowledged in time, behind a long CMGS
    "AT+CREG=1",
    "AT+COPS=3,0",
    "AT+CLIP=1",  # numbers of callers
    "AT+CRC=1",
    "AT+CVHU=0",  # ATH hangs up
)
SIM_POLL: Final = 1.0  # seconds between looks at a SIM that is busy
SIM_AWAY: Final = 20.0  # seconds between waits for a SIM that is not there
_IDENTITY: Final = {
    "manufacturer": "AT+CGMI",
    "model": "AT+CGMM",
    "revision": "AT+CGMR",
}
_BUSY: Final = ("+CME ERROR: 14", "+CME ERROR: 515", "+CMS ERROR: 314")  # SIM busy, wait
_REFUSED: Final = ("+CME ERROR: 12", "+CME ERROR: 16", "+CME ERROR: 18")  # incorrect; the PUK now
NOT_INSERTED: Final = "+CME ERROR: 10"
_USABLE: Final = ("READY", "", "SIM PIN2", "SIM PUK2")


class NoSim(PhoneLost):
    """There is no SIM in the modem, as far as the modem knows."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a modem turned out to be and to be able to do.

    ``memories`` are those that messages are swept from; ``acknowledges``: what is handed over
    waits for ``+CNMA``; ``indications`` is what ``+CNMI`` was set to, ``None`` where nothing was
    accepted; ``announces``: an arrival is told, so sweeps may be rare. ``iccid`` is
    empty where no command told it, and ``iccid_command`` is the one that did. ``model`` is what it
    calls itself, firmware and all. ``hides_iccid``: the ICCID could not be read before the PIN was
    entered; ``None`` where no PIN was.
    """

    profile: Profile
    imei: str
    iccid: str
    iccid_command: str | None
    memories: tuple[str, ...]
    acknowledges: bool
    model: str
    indications: Indications | None
    reported: tuple[int | None, ...] | None
    """What ``+CNMI?`` says of them, which some modems spell otherwise; ``None``: it does not."""
    hides_iccid: bool | None = None

    @property
    def announces(self) -> bool:
        """Whether the arrival of messages is told."""
        return self.indications is not None and self.indications[1] == 1

    @property
    def reports(self) -> bool:
        """Whether a delivery report could come; one that cannot is not asked for."""
        routed = self.indications is None or self.indications[3] != 0
        return routed or self.profile.report_memory in self.memories


async def set_up(
    port: Port,
    profile: Profile,
    profiles: Mapping[str, Profile],
    pin: PinOf,
    sink: Sink,
    *,
    usb: bool = False,
) -> Setup:
    """Walk the steps; raises `PhoneLost` in words where a person must act or the modem is gone.

    ``profile`` is what the port's USB ids say; a generic one gives way to the one of ``profiles``
    that the modem's own words are known by. ``pin`` is asked for the PIN of the SIM that is there;
    ``usb``: the port is one of a modem on the USB.
    """
    if not await accepted(port, commands.setting("ATE0")):
        # Some refuse everything until they are told to be there at all.
        await switch_on(port, profile)
        await accepted(port, commands.setting("ATE0"))
    await accepted(port, commands.setting("ATV1"))
    if not await accepted(port, commands.setting("AT+CMEE=1")):
        await accepted(port, commands.setting("AT+CMEE=2"))  # some tell errors in words alone
    await _begin(port, profile)
    identity: dict[str, str | int | None] = {}
    for name, command in _IDENTITY.items():
        told = await attempt(port, commands.identity(command))
        identity[name] = told or None
    if profile.name == GENERIC.name:
        maker, model = identity["manufacturer"], identity["model"]
        known = recognised(profiles.values(), f"{maker or ''} {model or ''}")
        if known is not None:
            profile = known
            await _begin(port, profile)
    for kept in profile.usb_kept if usb else ():
        await keep(port, kept)
    model_and_firmware = " ".join(str(value) for value in identity.values() if value)
    if await sink.recall(f"mutes {model_and_firmware}") is not None:
        await run_all(port, profile.unmute)
    imei = await attempt(port, commands.serial_number()) or ""
    sink.facts(**identity, imei=imei or None, profile=profile.name)
    radio = await attempt(port, commands.functionality())
    if radio != Functionality.FULL:  # some refuse everything, this question too, until it is set
        await switch_on(port, profile)
    iccid, iccid_command, hides_iccid = await unlock(port, profile, pin, imei, sink)
    sink.facts(iccid=iccid or None)
    await accepted(port, commands.setting('AT+CSCS="GSM"'))
    try:
        await port.execute(commands.setting("AT+CMGF=0"))
    except ModemError as error:
        raise lost(f"the modem refuses PDU mode ({error})") from error
    for line in (*USUAL, *profile.settings):
        if line not in profile.leave_out:
            await accepted(port, commands.setting(line))
    memories = await choose_memories(port, profile)
    indications = await indicate(port, profile, memories, model_and_firmware, sink)
    reported = await attempt(port, commands.current_indications())
    return Setup(
        profile=profile,
        imei=imei,
        iccid=iccid,
        iccid_command=iccid_command,
        memories=memories,
        acknowledges=await attempt(port, commands.service()) == 1,
        model=model_and_firmware,
        indications=indications,
        reported=reported,
        hides_iccid=hides_iccid,
    )


async def _begin(port: Port, profile: Profile) -> None:
    port.rest, port.rest_after_loss = profile.rest, profile.rest_after_loss
    await run_all(port, profile.first)


async def run_all(port: Port, lines: Sequence[str]) -> None:
    """Send lines of a profile's, whatever becomes of them."""
    for line in lines:
        await accepted(port, commands.setting(line, timeout=5.0))


async def keep(port: Port, kept: Kept) -> None:
    """Set what the modem keeps for good, only where it is not set yet."""
    lines = await attempt(port, commands.lines(kept.read))
    if lines is not None and not any(re.search(kept.wanted, line) for line in lines):
        await accepted(port, commands.setting(kept.write))


async def switch_on(port: Port, profile: Profile) -> None:
    """Switch the radio on, and leave the modem in peace for as long as its family asks for."""
    await accepted(port, commands.set_functionality(Functionality.FULL))
    await asyncio.sleep(profile.after_radio)


async def attempt(port: Port | Wire, command: Command[T]) -> T | None:
    """Run a command whose refusal is no reason to stop: ``None`` then."""
    try:
        return await port.execute(command)
    except (ModemError, NoAnswer, AnswerError):
        return None


async def unlock(
    port: Port, profile: Profile, pin_of: PinOf, imei: str, sink: Sink
) -> tuple[str, str | None, bool | None]:
    """Wait for the SIM, enter its PIN if it asks for one.

    Returns what `read_iccid` does, and `Setup.hides_iccid`.
    """
    iccid, hides = await read_iccid(port, profile.iccid), None
    deadline = asyncio.get_running_loop().time() + profile.sim_ready
    while True:
        state, fault = await _pin_state(port, profile)
        if not iccid[0]:
            iccid = await read_iccid(port, profile.iccid)
        sim, pin = iccid[0] or imei, pin_of(iccid[0])
        if state in _USABLE and fault is None:
            if pin is not None and hides is None:  # a try that was not settled was no refusal
                for known_as in {sim, imei}:  # its number may have been hidden when it was tried
                    await sink.pin_settled(known_as, pin, refused=False)
            return *iccid, hides
        if state == "SIM PIN" and hides is None:  # some SIMs say so for a while after it was taken
            hides = not iccid[0]
            await _enter_pin(port, profile, pin, sim, sink)
            deadline = asyncio.get_running_loop().time() + profile.sim_ready
            await asyncio.sleep(profile.after_pin)
            continue
        if state == "SIM PUK":
            raise _locked("the SIM is blocked and asks for its PUK", "unlock it in a telephone")
        if asyncio.get_running_loop().time() > deadline:
            if fault is None:
                fault = Fault(FaultClass.SIM, f"the SIM says {state}")
            missing = fault.code is not None and numeric(fault.code) == NOT_INSERTED
            raise (NoSim if missing else PhoneLost)(fault, pause=SIM_AWAY)
        await asyncio.sleep(SIM_POLL)


async def _pin_state(port: Port, profile: Profile) -> tuple[str, Fault | None]:
    """What the SIM asks for; a fault where it cannot be asked (busy, absent)."""
    try:
        return await port.execute(commands.pin_state()), None
    except ModemError as error:
        return "", fault_of(error.result, profile)
    except (NoAnswer, AnswerError):
        return "", Fault(FaultClass.SIM, "the modem does not tell the state of its SIM")


async def _enter_pin(port: Port, profile: Profile, pin: str | None, sim: str, sink: Sink) -> None:
    """Enter the PIN, once for this SIM; the try is durable before it is made."""
    if pin is None:
        raise _locked(
            "the SIM asks for a PIN", "set pin in the phone's configuration, or take the PIN off"
        )
    tries = await pin_tries(port, profile)
    if tries is not None and tries <= 1:
        raise _locked(
            f"the SIM has {tries} try left for its PIN: smsd leaves that one to you",
            "enter the PIN in a telephone once, then smsd may again",
        )
    if not await sink.pin_may_be_tried(sim, pin, tries):
        raise _locked(
            "this PIN was already tried on this SIM and not accepted",
            "correct pin in the phone's configuration (the same PIN is never tried twice), "
            "or enter it in a telephone once",
        )
    try:
        await port.execute(commands.enter_pin(pin))
    except ModemError as error:
        left = await pin_tries(port, profile)  # before anything else (modems.md 11.3)
        fell = tries is not None and left is not None and left < tries
        code = numeric(error.result.text)
        if fell or code in _REFUSED:
            await sink.pin_settled(sim, pin, refused=True)
            raise _locked(
                f"the SIM refused the PIN ({error.result.text})",
                "correct pin in the phone's configuration: the same PIN is never tried twice",
            ) from error
        if code in _BUSY:  # it has not looked at the PIN yet
            await sink.pin_settled(sim, pin, refused=False)
            raise PhoneLost(fault_of(error.result, profile)) from error
        # Whether it has looked at it nobody tells: the claim stands, and holds no more where the
        # SIM has all its tries.
        words = f"the modem did not take the PIN and does not say why ({error.result.text})"
        hint = "it is tried again only where the SIM tells that it has all its tries"
        raise PhoneLost(Fault(FaultClass.SIM, words, hint=hint), pause=SIM_AWAY) from error
    await sink.pin_settled(sim, pin, refused=False)


def _locked(words: str, hint: str) -> PhoneLost:
    return PhoneLost(Fault(FaultClass.SIM, words, hint=hint))


async def pin_tries(port: Port, profile: Profile) -> int | None:
    """How often the PIN may still be tried, ``None`` where no command of the profile tells."""
    for counter in profile.pin_tries:
        tries = await attempt(port, commands.pin_tries(counter.command, counter.pattern))
        if tries is not None:
            return tries
    return None


async def read_iccid(port: Port, lines: Sequence[str]) -> tuple[str, str | None]:
    """The SIM's number and the command that told it; empty and ``None`` where none does."""
    for line in lines:
        if found := await attempt(port, commands.iccid(line)):
            return found, line
    return "", None


async def choose_memories(port: Port, profile: Profile) -> tuple[str, ...]:
    """Have messages received into the largest memory of the profile's that there is.

    Returns the memories that are to be read, that one first. A SIM that is still busy is asked
    again.
    """
    offered = await patiently(lambda: attempt(port, commands.memories()), profile.sim_ready / 4)
    if offered is None:  # it does not say which there are: those that it lets be selected
        names = (*profile.memories, profile.report_memory)
        there = [name for name in names if await accepted(port, commands.select_memories(name))]
        await accepted(port, commands.select_memories(there[0] if there else names[0]))
        return tuple(there) or names[:1]
    able = [name for name in profile.memories if name in offered.read and name in offered.receive]
    if able:
        await messages_ready(port, able[0], profile.sim_ready / 2)
    sizes: dict[str, int] = {}
    for name in able:
        fill = await attempt(port, commands.select_memories(name))
        sizes[name] = fill.total if fill is not None else 0
    name = max(able, key=lambda name: sizes[name]) if able else offered.read[0]
    received = name if name in offered.receive else offered.receive[0]
    written = name if name in offered.write else offered.write[0]
    for choice in ((name, written, received), (name, written), (name,)):
        if await accepted(port, commands.select_memories(*choice)):
            break
    others = [other for other in (*profile.memories, profile.report_memory) if other != name]
    return (name, *(other for other in others if other in offered.read))


async def messages_ready(port: Port, memory: str, seconds: float) -> None:
    """Wait until the modem lets a memory be selected: some load messages long after the SIM."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        try:
            await port.execute(commands.select_memories(memory))
            return
        except ModemError as error:
            if numeric(error.result.text) not in BOOTING:
                return  # it will not do it any better later
        except (NoAnswer, AnswerError):
            return
        await asyncio.sleep(SIM_POLL)


async def patiently(ask: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
    """Ask until there is an answer or the time is over."""
    deadline = asyncio.get_running_loop().time() + seconds
    while (answer := await ask()) is None and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 a busy SIM tells nobody
        await asyncio.sleep(SIM_POLL)  # a SIM that is busy tells nobody when it is not
    return answer


async def indicate(
    port: Port, profile: Profile, memories: tuple[str, ...], model: str, sink: Sink
) -> Indications | None:
    """Switch indications on, by the profile's ladder, else by what the modem offers.

    The rung that worked on the same model and firmware before comes first. Where there is no memory
    for reports, those handed over (ds 1) come before those stored (ds 2), and none (ds 0) is always
    last. Returns what was accepted, if anything was.
    """
    stored = profile.report_memory in memories

    def rank(values: Indications) -> tuple[bool, bool]:
        return values[3] == 0, values[3] == 2 and not stored

    usable = sorted(profile.indications, key=rank)
    ladder = [(",".join(map(str, values)), values) for values in usable]
    key = f"cnmi {model}"
    remembered = await sink.recall(key)
    ladder.sort(key=lambda rung: rung[0] != remembered)
    for name, values in ladder:
        if await accepted(port, commands.indications(*values)):
            if name not in (remembered, ladder[0][0]):
                await sink.remember(key, name)
            return values
    offered = await attempt(port, commands.offered_indications())
    if offered is None or len(offered) < 5:
        return None
    values = _from_offer(offered, profile.report_memory in memories)
    return values if await accepted(port, commands.indications(*values)) else None


def _from_offer(offered: tuple[tuple[int, ...], ...], reports_stored: bool) -> Indications:
    """The best of what ``+CNMI=?`` lists.

    Messages handed over directly (mt 2) would be lost with us: silent storing (mt 0) and sweeps
    are better.
    """
    wishes = ((2, 1, 3, 0), (1, 0), (0,), (2, 1, 0) if reports_stored else (1, 0), (0, 1))
    mode, mt, bm, ds, bfr = (
        next((wish for wish in wishes_of if wish in field), next(iter(field), 0))
        for wishes_of, field in zip(wishes, offered, strict=False)
    )
    return mode, mt, bm, ds, bfr


async def accepted(port: Port, command: Command[Any]) -> bool:
    """Whether the modem carries out a command, whatever it answers."""
    try:
        await port.execute(command)
    except (ModemError, NoAnswer):
        return False
    except AnswerError:
        return True
    return True
