"""What is done about a modem in trouble: steps of the ladder, by commands or before an opening."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from smsd.adapters.contract import Absent, Broken, PhoneLost, Sink, lost
from smsd.adapters.modem import authorise
from smsd.adapters.modem.port import PROBES, Port, Silent
from smsd.adapters.modem.power import cycle
from smsd.adapters.modem.profiles import Profile
from smsd.adapters.modem.recovery import LEFT_ALONE, Evidence, Ladder, Step
from smsd.adapters.modem.session import Session
from smsd.adapters.modem.setup import accepted
from smsd.adapters.modem.where import Found
from smsd.at import commands
from smsd.logs import fields
from smsd.model.phone import Health

log: Final = logging.getLogger(__name__)

REOPEN_PAUSE: Final = 1.0  # seconds before a port is opened anew
PROBES_AGAIN: Final = 2  # for a modem that was silent already, where the next step promises more
USELESS_WITHIN: Final = 1.0  # seconds after its opening in which a port that works does not end
WORKED: Final = 60.0  # seconds after which whatever ends a port is a new matter
USELESS_LIMIT: Final = 3  # times in a row after which something is done
RADIO_OFF: Final = 5.0  # seconds


class Repair:
    """One modem's way up the ladder, over all openings of its port.

    ``words`` name the modem; ``power_cycle`` switches its power off and on, empty: nothing does.
    """

    def __init__(self, words: str, power_cycle: Sequence[str], usb_devices: Path) -> None:
        self._words = words
        self._power_cycle = power_cycle
        self._usb_devices = usb_devices
        self._ladder = Ladder()
        self._step: Step | None = None
        self._found: Found | None = None
        self._ports = 0
        self._useless = 0
        self._starting_until = 0.0
        self.probes = PROBES
        """How many the modem may leave unanswered before its port counts as lost."""

    def port_of(self, found: Found) -> str:
        """The port to open: another one each time that this step was taken."""
        ports = (found.device, *found.others)
        return ports[self._ports % len(ports)]

    def after(self, reason: BaseException, lasted: float, sink: Sink) -> BaseException:
        """What the end of an opening that ``lasted`` so many seconds comes to.

        Where a step may help it is a `PhoneLost` that leads to it, else it is the reason itself.
        While a modem starts anew its silence is no evidence.
        """
        if isinstance(reason, Silent):
            if _now() < self._starting_until:
                return lost("the modem is starting anew", pause=REOPEN_PAUSE)
            return self._climb(Evidence.SILENT, sink)
        if self._is_useless(reason, lasted):
            return self._climb(Evidence.BROKEN, sink)
        if isinstance(reason, Absent):
            self._ports = 0
        return reason

    async def before_opening(
        self, found: Found, profile: Profile, locate: Callable[[], Awaitable[Found]], sink: Sink
    ) -> Found:
        """Take the step that was chosen when the modem was lost; returns where it is after that."""
        self._found = found
        self._ladder.steps = self._possible(found, profile)
        step, self._step = self._step, None
        in_doubt = step in (Step.REOPEN, Step.OTHER_PORT) and Step.USB in self._ladder.steps
        self.probes = PROBES_AGAIN if in_doubt else PROBES
        match step:
            case Step.OTHER_PORT:
                self._ports += 1
            case Step.USB:
                self._ports = 0  # it comes back as new: the best port first
                assert found.usb_path is not None
                try:
                    await authorise.reauthorise(found.usb_path, self._usb_devices)
                except (OSError, TimeoutError) as error:
                    log.warning(
                        "the USB device could not be reset", extra=fields(reason=str(error))
                    )
                return await locate()
            case Step.POWER:
                self._ports = 0
                if not await cycle(self._power_cycle):
                    self._ladder.failed(step)
                    sink.facts(recovery_L6=self._ladder.counts[step])
                return await locate()
            case _:
                pass
        return found

    async def mend(self, evidence: Evidence, session: Session) -> None:
        """Take a step that commands can take, on a modem that answers them.

        Returns where the modem is to be set up again at once; raises the loss that leads to any
        other step.
        """
        port, profile = session.port, session.profile
        if self._found is not None:  # now it is known what modem it is
            self._ladder.steps = self._possible(self._found, profile)
        step = self._choose(evidence, session.sink)
        if step is Step.RADIO:
            session.sink.health(Health.UNAVAILABLE, f"{evidence}: {step.words}")
            for number, line in enumerate(profile.radio):
                if number:
                    await asyncio.sleep(RADIO_OFF)
                await accepted(port, commands.setting(line, timeout=40.0))
            await asyncio.sleep(profile.after_radio)
            return
        if step is Step.RESET:
            await self.restart(port, profile)
            raise lost(f"{evidence}: {step.words}", pause=REOPEN_PAUSE)
        raise self._left_for(step, evidence)

    async def restart(self, port: Port, profile: Profile) -> None:
        """Have the firmware started anew, by the first command that the modem takes."""
        for line in profile.reset:
            if await accepted(port, commands.setting(line, timeout=15.0)):
                break
        self._starting_until = _now() + profile.reset_takes

    def _is_useless(self, reason: BaseException, lasted: float) -> bool:
        """Whether a port was of no use again and again, and there is something that may help."""
        ended = isinstance(reason, Absent) and lasted < USELESS_WITHIN
        if lasted > WORKED or not (ended or isinstance(reason, Broken)):
            self._useless = 0
            return False
        self._useless += 1
        if self._useless < USELESS_LIMIT or not self._ladder.steps & {Step.USB, Step.POWER}:
            return False
        self._useless = 0
        return True

    def _climb(self, evidence: Evidence, sink: Sink) -> PhoneLost:
        return self._left_for(self._choose(evidence, sink), evidence)

    def _left_for(self, step: Step, evidence: Evidence) -> PhoneLost:
        """The loss that leads to a step before the next opening."""
        self._step = step
        words = f"{evidence}: {step.words}"
        if step is Step.GIVE_UP:
            return lost(words, hint="unplug it and plug it in again", pause=LEFT_ALONE)
        return lost(words, pause=REOPEN_PAUSE)

    def _choose(self, evidence: Evidence, sink: Sink) -> Step:
        step = self._ladder.climb(evidence, _now())
        log.warning(
            "the modem is in trouble",
            extra=fields(modem=self._words, why=evidence, step=step.value, what=step.words),
        )
        sink.facts(**{f"recovery_{step.value}": self._ladder.counts[step]})
        return step

    def _possible(self, found: Found, profile: Profile) -> frozenset[Step]:
        """The steps that this modem, this place and our rights allow."""
        can = {
            Step.REOPEN: True,
            Step.OTHER_PORT: bool(found.others),
            Step.RADIO: bool(profile.radio),
            Step.RESET: bool(profile.reset),
            Step.USB: found.usb_path is not None
            and authorise.allowed(found.usb_path, self._usb_devices),
            Step.POWER: bool(self._power_cycle),
        }
        return frozenset(step for step, able in can.items() if able)


def _now() -> float:
    return asyncio.get_running_loop().time()
