"""A whole modem: the engine, and behind each of its ports what speaks there."""

from __future__ import annotations

from collections.abc import Callable

from hwsim import commands
from hwsim.channels import Channel, channel_of
from hwsim.engine import Engine
from hwsim.line import Line, Mode
from hwsim.network import Network
from hwsim.personality import Personality
from hwsim.sim import Record, Sim
from hwsim.textmode import cmt_lines


class Modem(Engine):
    """A modem with its SIM; `write` is the best AT port's, and set by what carries it."""

    def __init__(
        self,
        name: str,
        imei: str,
        sim: Sim,
        personality: Personality,
        network: Network,
        seed: int = 0,
        *,
        warm: bool = False,
    ) -> None:
        super().__init__(name, imei, sim, personality, network, seed)
        self.channels: list[Channel] = []
        for kind in personality.ports:
            at = kind.role in ("at", "at-silent")
            self.channels.append(Line(self, kind, commands.run) if at else channel_of(self, kind))
        lines = [channel for channel in self.channels if isinstance(channel, Line)]
        self.lines = lines
        self.outlets = list(lines)
        best = [line for line in lines if line.kind.interface == personality.best_port]
        found = [*best, *lines]
        self.best: Line | None = found[0] if found else None
        self.power_on(warm=warm)

    @property
    def write(self) -> Callable[[bytes], None]:
        """What takes the octets of the best port."""
        return self.best.write if self.best else lambda octets: None

    @write.setter
    def write(self, write: Callable[[bytes], None]) -> None:
        if self.best:
            self.best.write = write

    def feed(self, octets: bytes) -> None:
        """Take what the computer wrote to the best port."""
        if self.best:
            self.best.feed(octets)

    @property
    def mode(self) -> Mode:
        """What the best port is doing."""
        return self.best.mode if self.best else Mode.COMMAND

    @property
    def busy(self) -> bool:
        """Whether a command runs on any port."""
        return any(line.mode is not Mode.COMMAND for line in self.lines)

    def text_lines(self, record: Record) -> tuple[str, str]:
        """See `inbox.Host`."""
        return cmt_lines(self, record)
