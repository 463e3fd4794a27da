"""What sysfs shows of USB devices, and what comes and goes there while it is looked at.

The udev source is tested with the whole daemon, in tests/acceptance/test_usb.py.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from smsd.adapters.devices import (
    Both,
    Event,
    Looks,
    Removed,
    Source,
    Tell,
    read_tty,
    source,
)
from smsd.adapters.modem.usb import Tty, Usb
from tests.virtual_time import run


class Sysfs:
    """A folder that looks like /sys."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("bus/usb/devices", "bus/usb/drivers/option", "class/tty"):
            (root / name).mkdir(parents=True)
        for name in ("tty", "tty7", "ttyS0", "console"):
            self._node(root / "devices" / "virtual" / name, "class/tty")

    def _node(self, place: Path, listed: str, **attributes: str) -> Path:
        place.mkdir(parents=True)
        for name, value in attributes.items():
            (place / name).write_text(value + "\n")
        (self.root / listed / place.name).symlink_to(place)
        return place

    def usb(self, usb_path: str, id_: str, number: int, device_class: str = "00") -> Path:
        vid, _, pid = id_.partition(":")
        return self._node(
            self.root / "devices" / "usb1" / usb_path,
            "bus/usb/devices",
            idVendor=vid,
            idProduct=pid,
            devnum=str(number),
            product="A stick",
            bDeviceClass=device_class,
        )

    def tty(self, usb: Path, interface: int, name: str) -> None:
        place = self._node(
            usb / f"{usb.name}:1.{interface}",
            "bus/usb/devices",
            bInterfaceNumber=f"{interface:02x}",
            bInterfaceClass="FF",
            bInterfaceSubClass="01",
            bInterfaceProtocol="02",
            interface="PCUI",
        )
        (place / "driver").symlink_to(self.root / "bus/usb/drivers/option")
        self._node(place / name / "tty" / name, "class/tty")

    def remove(self, usb: Path) -> None:
        for links in ("bus/usb/devices", "class/tty"):
            for link in (self.root / links).iterdir():
                if usb in (link.resolve(), *link.resolve().parents):
                    link.unlink()
        shutil.rmtree(usb)


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path)


@asynccontextmanager
async def heard(source: Source) -> AsyncIterator[Callable[[], list[str]]]:
    """What a source tells, in short, since it was last asked."""
    events: list[Event] = []

    def news() -> list[str]:
        told = [shown(event) for event in events]
        events.clear()
        return told

    async with asyncio.TaskGroup() as group:
        task = group.create_task(source.run(events.append))
        await asyncio.sleep(0)
        yield news
        task.cancel()


def shown(event: Event) -> str:
    match event:
        case Usb():
            return f"usb {event.usb_path}"
        case Tty():
            return event.device
        case Removed(path=path):
            return f"no {Path(path).name}"


def test_a_tty_is_read_with_its_interface_and_its_device(sysfs: Sysfs) -> None:
    sysfs.tty(sysfs.usb("1-1.3", "12d1:1506", 4), 10, "ttyUSB2")
    tty = read_tty(sysfs.root / "class/tty/ttyUSB2", {"ID_MM_PORT_IGNORE": "1"})
    assert tty is not None
    assert tty.path.endswith("/usb1/1-1.3/1-1.3:1.10/ttyUSB2/tty/ttyUSB2")
    assert (tty.device, tty.usb_path, tty.vid, tty.pid) == (
        "/dev/ttyUSB2", "1-1.3", "12d1", "1506",
    )  # fmt: skip
    assert (tty.interface, tty.triple, tty.words, tty.driver) == (
        10, "ff/01/02", "PCUI", "option",
    )  # fmt: skip
    assert tty.tags == {"ID_MM_PORT_IGNORE": "1"}
    assert read_tty(sysfs.root / "class/tty/tty7") is None


def test_what_is_there_is_told_before_what_comes_and_goes(sysfs: Sysfs) -> None:
    async def main() -> None:
        usb = sysfs.usb("1-1", "2c7c:0125", 2)
        sysfs.tty(usb, 2, "ttyUSB2")
        sysfs.usb("1-0", "1d6b:0002", 1, "09")  # a hub
        async with heard(Looks(sysfs.root)) as news:
            assert news() == ["usb 1-1", "/dev/ttyUSB2"]
            await asyncio.sleep(100)
            assert news() == []
            sysfs.tty(usb, 3, "ttyUSB3")
            await asyncio.sleep(10)
            assert news() == ["/dev/ttyUSB3"]
            sysfs.remove(usb)
            await asyncio.sleep(10)
            assert sorted(news()) == ["no 1-1", "no ttyUSB2", "no ttyUSB3"]

    run(main())


def test_a_replug_between_two_looks_is_seen(sysfs: Sysfs) -> None:
    async def main() -> None:
        for number in (2, 3):
            usb = sysfs.usb("1-1", "2c7c:0125", number)
            sysfs.tty(usb, 2, "ttyUSB2")
            if number == 2:
                looks = heard(Looks(sysfs.root))
                news = await looks.__aenter__()
                news()
                sysfs.remove(usb)
        await asyncio.sleep(10)
        assert news() == ["no 1-1", "no ttyUSB2", "usb 1-1", "/dev/ttyUSB2"]
        await looks.__aexit__(None, None, None)

    run(main())


class Told:
    """A source that tells what it is given, when it is given it."""

    def __init__(self) -> None:
        self.tell: Tell = lambda event: None

    async def run(self, tell: Tell) -> None:
        self.tell = tell
        await asyncio.Event().wait()


def test_what_one_source_has_told_is_not_told_by_the_other() -> None:
    async def main() -> None:
        first, second = Told(), Told()
        usb = Usb("/sys/1-1", "1-1", "2c7c", "0125")
        tty = Tty("/sys/ttyUSB0", "/dev/ttyUSB0", "1-1", "2c7c", "0125", 0)
        tagged = Tty("/sys/ttyUSB0", "/dev/ttyUSB0", "1-1", "2c7c", "0125", 0, tags={"a": "1"})
        async with heard(Both(first, second)) as news:
            await asyncio.sleep(1)
            for event in (usb, tagged):
                first.tell(event)
            for event in (usb, tty):
                second.tell(event)
            assert news() == ["usb 1-1", "/dev/ttyUSB0"]
            first.tell(Removed(tty.path))
            second.tell(tty)
            assert news() == ["no ttyUSB0", "/dev/ttyUSB0"]
            first.tell(tagged)  # it knows more
            assert news() == ["/dev/ttyUSB0"]

    run(main())


def test_there_always_is_a_source() -> None:
    async def main() -> None:
        async with heard(source()) as news:
            await asyncio.sleep(20)
            assert not any(told.startswith("no ") for told in news())

    run(main())
