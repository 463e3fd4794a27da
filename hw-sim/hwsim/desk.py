"""Modems on a desk without any device: octets by call, time by hand. For tests."""

import random

from hwsim import tpdu
from hwsim.cards import make_sim
from hwsim.clock import ManualClock
from hwsim.modem import Modem
from hwsim.network import Network, Settings
from hwsim.personality import load


class Desk:
    """A network with some modems; what each wrote is collected in `heard`."""

    def __init__(
        self,
        personality: str = "generic",
        modems: int = 1,
        pin: str | None = None,
        *,
        warm: bool = False,
    ) -> None:
        self.clock = ManualClock()
        self.network = Network(self.clock, Settings())
        self.modems: list[Modem] = []
        self.heard: list[bytearray] = []
        rng = random.Random(0)
        for position in range(modems):
            sim = make_sim(position, rng, pin)
            name, imei = f"modem{position}", f"35000000000000{position}"
            modem = Modem(name, imei, sim, load(personality), self.network, warm=warm)
            self.network.connect(modem)
            heard = bytearray()
            modem.write = heard.extend
            self.modems.append(modem)
            self.heard.append(heard)

    def say(self, text: str, modem: int = 0) -> str:
        """Write to a modem and give what it answers at once."""
        self.hear(modem)
        self.modems[modem].feed(text.encode("latin-1"))
        return self.hear(modem)

    def hear(self, modem: int = 0) -> str:
        """Give what a modem wrote since the last time."""
        text = self.heard[modem].decode("latin-1")
        self.heard[modem].clear()
        return text

    def wait(self, seconds: float, modem: int = 0) -> str:
        """Let time pass and give what a modem wrote meanwhile."""
        self.clock.advance(seconds)
        return self.hear(modem)

    def send(self, to: str, text: str = "hello", modem: int = 0, *, report: bool = False) -> str:
        """Run a whole +CMGS and give everything that followed the PDU."""
        octets = submit(to, text, report=report)
        self.say(f"AT+CMGS={len(octets)}\r", modem)
        return self.say(f"00{octets.hex()}\x1a", modem)


def submit(to: str, text: str = "hello", *, report: bool = False) -> bytes:
    """Write a plain SMS-SUBMIT."""
    return tpdu.encode(
        {
            "type": "submit",
            "flags": {"srr": report},
            "destination": tpdu.address_of(to),
            "dcs": 0 if text.isascii() else 8,
            "text": text,
        }
    )
