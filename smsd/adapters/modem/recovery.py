"""From evidence that something is wrong with a modem to the gentlest step that may mend it.

The ladder is data; `Ladder` is where a modem stands on it. Nothing here touches a port or a clock:
the adapter says what it saw and when, does the step it is told, and comes back if that was not it.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final


class Evidence(StrEnum):
    """What was seen."""

    SILENT = "the modem answers no commands any more"
    BROKEN = "the port ends as soon as it is opened"
    FAULTY = "the modem fails again and again"
    DEAF = "nothing is received although the modem seems to be well"
    UNREGISTERED = "the modem finds no network although there is signal"


class Step(Enum):
    """The steps, the gentlest first."""

    REOPEN = "L1"
    OTHER_PORT = "L2"
    RADIO = "L3"
    RESET = "L4"
    USB = "L5"
    POWER = "L6"
    GIVE_UP = "L7"

    @property
    def words(self) -> str:
        """What is done, for a person."""
        return _WORDS[self]


_WORDS: Final = {
    Step.REOPEN: "the port is opened anew",
    Step.OTHER_PORT: "another port of the modem is tried",
    Step.RADIO: "the radio is switched off and on",
    Step.RESET: "the modem's firmware is started anew",
    Step.USB: "the modem is taken off the USB and back",
    Step.POWER: "the modem's power is switched off and on",
    Step.GIVE_UP: "nothing has helped: it is left alone for a while",
}
# What helps against what. A silent modem takes no commands, so the radio and the firmware are out
# of reach; one that answers is not helped by opening its port anew.
_LADDERS: Final = {
    Evidence.SILENT: (Step.REOPEN, Step.OTHER_PORT, Step.USB, Step.POWER, Step.GIVE_UP),
    Evidence.BROKEN: (Step.USB, Step.POWER, Step.GIVE_UP),
    Evidence.FAULTY: (Step.RADIO, Step.RESET, Step.USB, Step.POWER, Step.GIVE_UP),
    Evidence.DEAF: (Step.RADIO, Step.RESET, Step.USB, Step.POWER, Step.GIVE_UP),
    Evidence.UNREGISTERED: (Step.RADIO, Step.RESET, Step.USB, Step.POWER, Step.GIVE_UP),
}
_MOST_AN_HOUR: Final = {Step.RESET: 3, Step.USB: 2, Step.POWER: 2}
HOUR: Final = 3600.0  # seconds
WELL_AFTER: Final = 600.0  # seconds without evidence after which trouble is new trouble
LEFT_ALONE: Final = 900.0  # seconds between two times up the ladder


@dataclass(slots=True)
class Ladder:
    """Where one modem stands; ``steps`` are those that can be taken on it."""

    steps: frozenset[Step] = frozenset(Step)
    counts: dict[Step, int] = field(default_factory=dict)
    """How often each step was taken, ever."""
    _rung: int = 0
    _last: float | None = None
    _taken: deque[tuple[float, Step]] = field(default_factory=lambda: deque(maxlen=16))

    def climb(self, evidence: Evidence, now: float) -> Step:
        """The next step; ``now`` in seconds of any steady clock."""
        if self._last is None or now - self._last > WELL_AFTER:
            self._rung = 0
        self._last = now
        order = list(Step)
        for step in _LADDERS[evidence]:
            if order.index(step) < self._rung or step not in self.steps:
                continue
            if self._often(step, now) >= _MOST_AN_HOUR.get(step, len(self._taken) + 1):
                continue
            break
        else:
            step = Step.GIVE_UP
        self._rung = 0 if step is Step.GIVE_UP else order.index(step) + 1
        self._taken.append((now, step))
        self.counts[step] = self.counts.get(step, 0) + 1
        return step

    def failed(self, step: Step) -> None:
        """The step that was chosen last could not be taken: it does not count."""
        if self._taken and self._taken[-1][1] is step:
            self._taken.pop()
            self.counts[step] -= 1

    def _often(self, step: Step, now: float) -> int:
        return sum(1 for when, taken in self._taken if taken is step and now - when < HOUR)


@dataclass(slots=True)
class Seldom:
    """The moments for what helps now and then: ``first`` seconds after the need, then ever later.

    ``longest`` is the longest time between two of them.
    """

    first: float
    longest: float
    _pause: float = 0.0
    _due: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether it is time; asked as long as there is a need."""
        if self._due is None:
            self._pause = self.first
            self._due = now + self.first
        if now < self._due:
            return False
        self._pause = min(2 * self._pause, self.longest)
        self._due = now + self._pause
        return True

    def over(self) -> None:
        """There is no need any more."""
        self._due = None
