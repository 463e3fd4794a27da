"""Modems, the network between them and the verbs that move them, without any device."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.cards import make_imei, make_sim
from hwsim.clock import Clock
from hwsim.history import History
from hwsim.modem import Modem
from hwsim.network import Network, Settings
from hwsim.personality import load
from hwsim.stick import Stick


@dataclass(frozen=True, slots=True)
class Options:
    """What `hwsim up` was asked for; several personalities are dealt out in turn."""

    folder: Path = Path()
    modems: int = 1
    personality: str = "generic"
    clouds: tuple[str, ...] = ()
    seed: int = 0
    pin: str | None = None
    warm: bool = False
    realistic: bool = False
    usb: bool = False
    mm_tags: bool = False


class Rack:
    """Everything of a world that needs neither terminals nor sockets."""

    def __init__(self, options: Options, settings: Settings, clock: Clock) -> None:
        self.options = options
        self.network = Network(clock, settings)
        self.history = History(self.network.sent)
        self.sticks: list[Stick] = []
        self.rng = random.Random(options.seed)
        self._cards = options.modems
        personalities = [load(name) for name in options.personality.split(",")]
        for position in range(options.modems):
            sim = make_sim(position, self.rng, options.pin)
            modem = Modem(
                f"modem{position}",
                make_imei(self.rng),
                sim,
                personalities[position % len(personalities)],
                self.network,
                options.seed,
                warm=options.warm,
            )
            modem.realistic = options.realistic
            self.network.connect(modem)
            self.sticks.append(Stick(modem, f"1-1.{position + 1}"))

    def stick(self, name: str) -> Stick:
        """Find a stick by name or number of its modem."""
        for stick in self.sticks:
            if name in (stick.modem.name, stick.modem.number):
                return stick
        raise ValueError(f"no modem {name}: there are modem0 to modem{len(self.sticks) - 1}")

    def new_number(self) -> int:
        """Give the position of the next card that is made."""
        self._cards += 1
        return self._cards - 1

    def describe(self, stick: Stick) -> dict[str, Any]:
        """Say who a modem is."""
        modem = stick.modem
        usb = modem.personality.usb
        return {
            "name": modem.name,
            "number": modem.number,
            "iccid": modem.sim.iccid,
            "imsi": modem.sim.imsi,
            "imei": modem.imei,
            "smsc": modem.sim.smsc,
            "pin": modem.sim.pin,
            "personality": modem.personality.name,
            "vid": usb.vendor if usb else None,
            "pid": usb.product if usb else None,
            "usb_path": stick.usb_path if usb else None,
            "manufacturer": usb.manufacturer if usb else None,
            "product": usb.product_name if usb else None,
        }

    def info(self) -> dict[str, Any]:
        """Give who is there."""
        return {"modems": [self.describe(stick) for stick in self.sticks], "cloud": {}}

    def cloud(self, name: str, arguments: list[str]) -> Any:
        """Run a verb of a provider."""
        raise ValueError(f"no provider {name} runs here")

    def play(self, name: str) -> Any:
        """Begin a scenario."""
        raise ValueError("scenarios are played by a living world")

    def ports_of(self, stick: Stick) -> dict[str, Any]:
        """Tell of the ports of a stick."""
        return {"open": False}

    def usb(self, action: str, arguments: list[str]) -> Any:
        """Run a verb of the bus."""
        raise ValueError("there is no bus: start with --usb")

    def hold(self, stick: Stick, held: bool) -> None:
        """Have another program hold the best port."""
        # Nobody can be kept from a port that is not there.
