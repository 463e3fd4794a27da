"""What comes and goes: USB devices and their ttys, told by udev, or by looking where there is none.

Both read sysfs for what a device is, so that they tell the same; udev adds ModemManager's tags.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from smsd.adapters.modem.usb import Node, Tty, Usb
from smsd.logs import fields

log: Final = logging.getLogger(__name__)

SYS: Final = Path("/sys")
UDEV: Final = Path("/run/udev/control")
LOOK: Final = 5.0  # seconds between looks where nothing tells; 10 is what users are promised
HUB: Final = "09"
_CONSOLE: Final = re.compile(r"console|ptmx|tty|tty[0-9]+|ttyS[0-9]+")


@dataclass(frozen=True, slots=True)
class Removed:
    """What had this path in sysfs is gone."""

    path: str


Event = Node | Removed
Tell = Callable[[Event], None]


class Source(Protocol):
    """Whatever knows which devices there are."""

    async def run(self, tell: Tell) -> None:
        """Tell what is there, a USB device before its ttys, then what comes and goes; for ever."""
        ...


def source() -> Source:
    """Udev; and looks at sysfs where udevd is not seen to run (containers have none of its own)."""
    try:
        udev = Udev()
    except (ImportError, OSError) as error:
        log.warning("udev cannot be asked", extra=fields(reason=str(error)))
        return Looks()
    return udev if UDEV.exists() else Both(udev, Looks())


class Both:
    """Two sources of the same devices: what one has told already is not told by the other."""

    def __init__(self, first: Source, second: Source) -> None:
        self._sources = (first, second)

    async def run(self, tell: Tell) -> None:
        """See `Source.run`."""
        known: dict[str, Node] = {}

        def heard(event: Event) -> None:
            if isinstance(event, Removed):
                known.pop(event.path, None)
            elif isinstance(event, Tty | Usb):
                before = known.get(event.path)
                if isinstance(before, Tty) and isinstance(event, Tty) and not event.tags:
                    event = replace(event, tags=before.tags)
                if event == before:
                    return
                known[event.path] = event
            tell(event)

        async with asyncio.TaskGroup() as group:
            for one in self._sources:
                group.create_task(one.run(heard))


class Udev:
    """Udev's own word, on a netlink socket in the loop."""

    def __init__(self) -> None:
        import pyudev  # 1.6 MB that a container without udev need not have

        self._context = pyudev.Context()
        self._monitor = pyudev.Monitor.from_netlink(self._context)
        self._monitor.filter_by("usb", "usb_device")
        self._monitor.filter_by("tty")
        self._monitor.start()  # before the census, so that nothing falls between the two
        self._known: set[str] = set()

    async def run(self, tell: Tell) -> None:
        """See `Source.run`."""
        loop = asyncio.get_running_loop()
        self._census(tell)
        loop.add_reader(self._monitor.fileno(), self._drain, tell)
        try:
            await loop.create_future()
        finally:
            loop.remove_reader(self._monitor.fileno())

    def _census(self, tell: Tell) -> None:
        """Tell all that there is, and what is no more."""
        before, self._known = self._known, set()
        for usb in self._context.list_devices(subsystem="usb", DEVTYPE="usb_device"):
            self._told(usb.sys_path, "usb", usb.properties, tell)
        for tty in self._context.list_devices(subsystem="tty"):
            self._told(tty.sys_path, "tty", tty.properties, tell)
        for path in before - self._known:
            tell(Removed(path))

    def _drain(self, tell: Tell) -> None:
        try:
            while (device := self._monitor.poll(timeout=0)) is not None:
                if device.action == "remove":
                    self._known.discard(device.sys_path)
                    tell(Removed(device.sys_path))
                else:
                    self._told(device.sys_path, device.subsystem, device.properties, tell)
        except OSError as error:  # more came at once than the kernel keeps for us
            log.warning("udev's word was lost", extra=fields(reason=str(error)))
            self._census(tell)

    def _told(self, path: str, subsystem: str, properties: Mapping[str, str], tell: Tell) -> None:
        tags = {key: properties[key] for key in properties if key.startswith("ID_MM_")}
        node = read_tty(Path(path), tags) if subsystem == "tty" else read_usb(Path(path))
        if node is not None:
            self._known.add(path)
            tell(node)


class Looks:
    """Looks at sysfs, again and again."""

    def __init__(self, root: Path = SYS, every: float = LOOK) -> None:
        self._root = root
        self._every = every

    async def run(self, tell: Tell) -> None:
        """See `Source.run`."""
        known: dict[str, tuple[Node, str]] = {}
        while True:
            nodes = list(self._census())
            # A device that has another number was unplugged in between, and its ttys with it.
            numbers = {usb.usb_path: usb.number for usb in nodes if isinstance(usb, Usb)}
            seen = {node.path: (node, numbers.get(node.usb_path or "", "")) for node in nodes}
            for path in known:
                if seen.get(path) != known[path]:
                    tell(Removed(path))
            for path, (node, _) in seen.items():
                if seen[path] != known.get(path):
                    tell(node)
            known = seen
            await asyncio.sleep(self._every)

    def _census(self) -> Iterator[Node]:
        for place in sorted(self._root.glob("bus/usb/devices/*")):
            if ":" not in place.name and (usb := read_usb(place)) is not None:
                yield usb
        for place in sorted(self._root.glob("class/tty/*")):
            if (tty := read_tty(place)) is not None:
                yield tty


def read_usb(place: Path) -> Usb | None:
    """A USB device as sysfs shows it; ``None`` for hubs and what is gone."""
    place = Path(os.path.realpath(place))
    vid, pid = _attribute(place, "idVendor"), _attribute(place, "idProduct")
    if not vid or not pid or _attribute(place, "bDeviceClass") == HUB:
        return None
    return Usb(
        path=str(place),
        usb_path=place.name,
        vid=vid,
        pid=pid,
        name=_attribute(place, "product"),
        number=_attribute(place, "devnum"),
    )


def read_tty(place: Path, tags: Mapping[str, str] | None = None) -> Tty | None:
    """A tty of a USB device as sysfs shows it; ``None`` for others and for what is gone."""
    if _CONSOLE.fullmatch(place.name):
        return None
    place = Path(os.path.realpath(place))
    above = place.parents
    interface = next((p for p in above if _attribute(p, "bInterfaceNumber")), None)
    usb = next((p for p in above if _attribute(p, "idVendor")), None)
    if usb is None:
        return None
    number, triple, words, driver = None, "", "", ""
    if interface is not None:
        with suppress(ValueError):
            number = int(_attribute(interface, "bInterfaceNumber"), 16)
        triple = "/".join(
            _attribute(interface, f"bInterface{part}") for part in ("Class", "SubClass", "Protocol")
        )
        words = _attribute(interface, "interface")
        with suppress(OSError):
            driver = os.path.basename(os.readlink(interface / "driver"))
    return Tty(
        path=str(place),
        device=f"/dev/{place.name}",
        usb_path=usb.name,
        vid=_attribute(usb, "idVendor"),
        pid=_attribute(usb, "idProduct"),
        interface=number,
        triple=triple.lower(),
        words=words,
        driver=driver,
        tags=dict(tags or {}),
    )


def _attribute(place: Path, name: str) -> str:
    """One of a device's attributes, empty if it has none of that name."""
    try:
        return (place / name).read_text(errors="replace").strip()
    except OSError:
        return ""
