"""The long-lasting illnesses of modems in the field: H1 to H13, and what cures each."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hwsim.clock import Clock
from hwsim.personality import Personality

# A flood that nobody silences overruns the buffers of the modem itself.
FLOOD_SECONDS = 30.0

# Kind: what the value means and its default; whether a power cycle cures it.
KINDS: dict[str, tuple[str, float, bool]] = {
    "H1": ("seconds between the ^BOOT lines of a modem that answers nothing", 20, True),
    "H2": ("minutes until it neither sends nor receives", 0, True),
    "H3": ("seconds of EIO while the node stays; 0: until `plug`", 0, True),
    "H4": ("minutes until messages stop coming in, registered as ever", 0, True),
    "H5": ("unsolicited lines a second; unsilenced for 30 s it crashes", 50, True),
    "H6": ("how many +CMGS stay at the prompt until ESC", 1, True),
    "H7": ("1: +CMGL never ends; 2: it has impossible indexes; 3: it has garbage in it", 1, True),
    "H8": ("seconds between reboots by itself", 90, False),
    "H9": ("seconds until unsolicited codes are lost, as after a suspend", 0, True),
    "H10": ("an MMS notification ends reception until a message is deleted (1)", 1, False),
    "H11": ("seconds in which nothing is read: writes and drains block", 30, True),
    "H12": ("the reference that every sending is answered with; nothing leaves", 7, False),
    "H13": ("everything is answered ERROR until +CFUN=1 (1), after every power on", 1, False),
}


@dataclass(slots=True)
class Ill:
    """One illness at work."""

    kind: str
    value: float
    acute: bool = True  # False: it breaks out later


def ill(kind: str, value: float | None) -> Ill:
    """Make an illness; raises ValueError for one that is not known."""
    if kind not in KINDS:
        raise ValueError(f"no fault {kind}: there are {', '.join(KINDS)}")
    return Ill(kind, KINDS[kind][1] if value is None else value)


class Patient(Protocol):
    """What an illness needs of its modem."""

    personality: Personality
    rng: random.Random
    clock: Clock
    crashed: bool
    powered: bool
    needs_power_on: bool
    vanish: Callable[[float | None], None]

    def after(self, delay: float, callback: Callable[[], None]) -> None:
        """Run `callback` later unless the modem loses power before."""

    def say_everywhere(self, lines: list[str]) -> None:
        """Say something although the modem answers nothing."""


class Ills:
    """Those of one modem, by kind."""

    def __init__(self, modem: Patient) -> None:
        self._modem = modem
        self.all: dict[str, Ill] = {}

    def acute(self, kind: str) -> Ill | None:
        """Give it if it is at work."""
        found = self.all.get(kind) if self.all else None
        return found if found and found.acute else None

    def power_cycle(self) -> None:
        """Forget those that a power cycle cures."""
        self.all = {kind: one for kind, one in self.all.items() if not KINDS[kind][2]}

    def begin(self, one: Ill) -> None:
        """Fall ill; H3 and H11 are for the port to carry out."""
        self.all[one.kind] = one
        modem = self._modem
        match one.kind:
            case "H1":
                modem.crashed = True
                self._zombie(one)
            case "H2" | "H4" if one.value > 0:
                one.acute = False
                modem.after(one.value * 60, lambda: self._break_out(one))
            case "H9" if one.value > 0:
                one.acute = False
                modem.after(one.value, lambda: self._break_out(one))
            case "H5":
                self._flood(one, modem.clock.time() + FLOOD_SECONDS)
            case "H8":
                self._restart_every(one)
            case "H13":
                modem.needs_power_on = True

    def _has(self, one: Ill) -> bool:
        return self.all.get(one.kind) is one

    def _break_out(self, one: Ill) -> None:
        one.acute = self._has(one)

    def _zombie(self, one: Ill) -> None:
        if self._has(one):
            number = self._modem.rng.randrange(10**8)
            self._modem.say_everywhere([f"^BOOT:{number},0,0,0,6"])
            self._modem.after(one.value, lambda: self._zombie(one))

    def _flood(self, one: Ill, until: float) -> None:
        modem = self._modem
        if not self._has(one):
            return
        if modem.clock.time() >= until:
            modem.crashed = True
            return
        modem.say_everywhere([(modem.personality.gossip or ["+ZUSIMR:2"])[0]])
        modem.after(1 / max(one.value, 0.01), lambda: self._flood(one, until))

    def _restart_every(self, one: Ill) -> None:
        def again() -> None:
            if self._has(one):
                if self._modem.powered:
                    self._modem.vanish(3.0)
                self._restart_every(one)

        self._modem.clock.call_later(one.value, again)
