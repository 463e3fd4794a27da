"""The bus of a living world: plugging and unplugging become events that pyudev sees."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hwsim.stick import Stick
from hwsim.usb import devices
from hwsim.usb.devices import Device
from hwsim.watch import OpenWatch

WRAPPER = "umockdev-wrapper"
PRELOAD = "libumockdev-preload.so.0"
# The interpreters that may have PyGObject; the distribution's own has it as a package.
INTERPRETERS = (sys.executable, "/usr/bin/python3")
PROBE = "import gi; gi.require_version('UMockdev', '1.0'); from gi.repository import UMockdev"


class Unavailable(ValueError):
    """There is no umockdev here."""


def interpreter() -> str:
    """Find the interpreter for the testbed; raises `Unavailable`."""
    if shutil.which(WRAPPER) is None:
        raise Unavailable("umockdev is not installed (umockdev gir1.2-umockdev-1.0 python3-gi)")
    for candidate in INTERPRETERS:
        if not Path(candidate).exists():
            continue
        probe = subprocess.run([candidate, "-c", PROBE], capture_output=True, check=False)  # noqa: S603 — ours
        if probe.returncode == 0:
            return candidate
    raise Unavailable("no interpreter has PyGObject and the typelib of umockdev")


class Bus:
    """Holds the testbed's process; devices appear one behind the other, as on a real bus."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, watch: OpenWatch, *, tags: bool = False
    ) -> None:
        self._loop = loop
        self._tags = tags
        self._present: dict[str, list[Device]] = {}
        self._numbers: dict[str, list[int]] = {}
        self._before: dict[str, list[int]] = {}
        self._generation: dict[str, int] = {}
        self._allowed: dict[str, bool] = {}
        self._watch = watch
        self.on_authorized: Callable[[str, bool], None] = lambda place, allowed: None
        # The package of the simulator, whose modules the other interpreter can import as well.
        home = str(Path(__file__).resolve().parents[2])
        environment = {**os.environ, "PYTHONPATH": home}
        environment.pop("PYTHONHOME", None)
        command = [WRAPPER, interpreter(), "-m", "hwsim.usb.testbed"]
        self._process = subprocess.Popen(  # noqa: S603 — ours
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Unavailable("the testbed of umockdev does not start")
        self.root = str(json.loads(line)["root"])

    def info(self) -> dict[str, Any]:
        """Give what a client must be started with to see this bus and open its nodes."""
        return {
            "root": self.root,
            "environment": {"UMOCKDEV_DIR": self.root, "LD_PRELOAD": PRELOAD},
            "devices": {place: self.names(place) for place in self._present},
        }

    def names(self, place: str) -> list[str]:
        """List the ttys at a place."""
        return [f"/dev/{d.name}" for d in self._present.get(place, []) if d.subsystem == "tty"]

    def close(self) -> None:
        """End the testbed."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=5)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _tell(self, message: dict[str, Any]) -> str:
        """Have the testbed do something; gives where the device lies now."""
        # A round trip, so that whoever gets our answer can rely on the node.
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        answer: dict[str, str] = json.loads(self._process.stdout.readline())
        return answer["path"]

    # ---------------------------------------------------------------------------------- events

    def plug(self, stick: Stick, links: list[str], *, at_once: bool = False) -> None:
        """Let a stick appear in modem mode, its ttys one after another."""
        family = stick.modem.personality
        if family.usb is None:
            return
        numbers = self._choose(stick, family.usb.node, len(family.ports))
        row = devices.stick_of(family, stick.usb_path, numbers, links)
        if self._tags:
            row = devices.tagged(family, row)
        self.appear(stick.usb_path, row, at_once=at_once)

    def _choose(self, stick: Stick, node: str, count: int) -> list[int]:
        """Take the lowest numbers that are free, but not those that the stick had before."""
        used = {n for place, ns in self._numbers.items() if place.endswith(node) for n in ns}
        avoided = used | set(self._before.get(stick.modem.name, []))
        free = [n for n in range(len(avoided) + count) if n not in avoided][:count]
        self._numbers[f"{stick.usb_path} {node}"] = free
        self._before[stick.modem.name] = free
        return free

    def appear(self, place: str, row: list[Device], *, at_once: bool = False) -> None:
        """Add devices with the pauses between them."""
        kept = self._present.get(place) == row[:1]
        if not kept:
            self._remove(place)
        self._generation[place] = generation = self._generation.get(place, 0) + 1
        self._present[place] = row[:1] if kept else []
        self._allowed[place] = True
        delay = 0.0
        for device in row[1:] if kept else row:
            delay += 0.0 if at_once else device.after
            self._later(delay, lambda device=device: self._add(place, device, generation))  # type: ignore[misc]

    def _later(self, delay: float, callback: Callable[[], None]) -> None:
        if delay <= 0:
            callback()
        else:
            self._loop.call_later(delay, callback)

    def _add(self, place: str, device: Device, generation: int) -> None:
        # Unplugged in the middle: the rest never comes.
        if self._generation.get(place) == generation and place in self._present:
            path = self._tell(device.message())
            self._present[place].append(device)
            if device.parent is None and path:
                file = Path(path) / "authorized"
                self._watch.written(str(file), lambda: self._authorized(place, file))

    def _authorized(self, place: str, file: Path) -> bool:
        """Somebody wrote to `authorized`: without it the interfaces go, with it they return."""
        try:
            allowed = file.read_text().strip() != "0"
        except OSError:
            return True
        if allowed != self._allowed.get(place, True):
            self._allowed[place] = allowed
            self.on_authorized(place, allowed)
        return False

    def strip(self, place: str) -> None:
        """Remove everything but the device itself."""
        self._generation[place] = self._generation.get(place, 0) + 1
        row = self._present.get(place, [])
        for device in reversed(row[1:]):
            self._tell({"do": "remove", "name": device.name})
        del row[1:]

    def disappear(self, place: str) -> None:
        """Remove what is there, and let its numbers be used again."""
        self._remove(place)
        self._numbers = {k: v for k, v in self._numbers.items() if not k.startswith(place + " ")}

    def _remove(self, place: str) -> None:
        """Remove what is there, children first."""
        for device in reversed(self._present.pop(place, [])):
            self._tell({"do": "remove", "name": device.name})

    def storage(self, stick: Stick) -> None:
        """Let a stick be the storage that it is before its mode is switched."""
        usb = stick.modem.personality.usb
        if usb is None or not usb.before:
            raise ValueError(f"{stick.modem.name} is never a storage")
        self.appear(stick.usb_path, devices.storage_of(usb, stick.usb_path))

    def hilink(self, place: str) -> None:
        """Let a HiLink stick appear: a network interface, no tty."""
        row = [devices.usb_device(devices.HILINK, place)]
        self.appear(place, row + devices.network_of(devices.HILINK, place))

    def change(self, place: str) -> None:
        """Send a change event for everything at a place."""
        for device in self._present.get(place, []):
            self._tell({"do": "change", "name": device.name})
