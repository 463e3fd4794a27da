"""A modem as a device: plugged in or not, with its place on the bus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hwsim.ills import Ill
from hwsim.modem import Modem


class Ports(Protocol):
    """The ttys of a stick, where there are any."""

    def appear(self) -> None:
        """Make them."""

    def disappear(self) -> None:
        """Take them away."""

    def break_down(self) -> None:
        """Leave the nodes, answer EIO."""

    def stall(self, seconds: float) -> None:
        """Stop reading for a while."""


class NoPorts:
    """A stick without devices, in a world of virtual time."""

    def appear(self) -> None:
        """See `Ports`."""

    def disappear(self) -> None:
        """See `Ports`."""

    def break_down(self) -> None:
        """See `Ports`."""

    def stall(self, seconds: float) -> None:
        """See `Ports`."""


class Stick:
    """Carries one modem; `watchers` hear each time it goes (False) or comes (True)."""

    def __init__(self, modem: Modem, usb_path: str) -> None:
        self.modem = modem
        self.usb_path = usb_path
        self.ports: Ports = NoPorts()
        self.plugged = True
        self.watchers: list[Callable[[Stick, bool], None]] = []
        self._pulls = 0
        self._broken = False
        modem.vanish = self.unplug

    def unplug(self, seconds: float | None = None) -> None:
        """Take the device away; it comes back after `seconds`, with None only by `plug`."""
        self._broken = False
        if self.plugged:
            self.plugged = False
            self.modem.power_off()
            self.ports.disappear()
            self._tell()
        self._pulls += 1
        if seconds is not None:
            pull = self._pulls
            self.modem.clock.call_later(seconds, lambda: self._come_back(pull))

    def plug(self) -> None:
        """Bring the device back as new terminals with a freshly started modem."""
        if self._broken and self.plugged:
            self.unplug()
        if not self.plugged:
            self.plugged = True
            self.ports.appear()
            self.modem.power_on()
            self._tell()

    def _come_back(self, pull: int) -> None:
        # A later pull, or the end of the world, has the last word.
        if pull == self._pulls:
            self.plug()

    def _tell(self) -> None:
        for watcher in self.watchers:
            watcher(self, self.plugged)

    def fall_ill(self, one: Ill) -> None:
        """Begin one of H1 to H13."""
        self.modem.fall_ill(one)
        if one.kind == "H3" and self.plugged:
            self._broken = True
            self.ports.break_down()
            self.modem.power_off()
            if one.value:
                self._pulls += 1
                pull = self._pulls
                self.modem.clock.call_later(one.value, lambda: self._come_back(pull))
        elif one.kind == "H11":
            self.ports.stall(one.value)

    def recover(self) -> None:
        """Lose every illness at once, as if there had been none."""
        self.modem.recover()
        if self._broken:
            self.plug()

    def trade(self, other: Stick) -> None:
        """Exchange the places on the bus."""
        self.usb_path, other.usb_path = other.usb_path, self.usb_path

    def close(self) -> None:
        """End for good."""
        self._pulls += 1
        self.ports.disappear()
