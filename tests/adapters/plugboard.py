"""A computer with USB sockets, under virtual time: what is plugged in is told to a `Hotplug`."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from smsd.adapters.contract import lost
from smsd.adapters.devices import Event, Removed, Tell
from smsd.adapters.hotplug import Hotplug, Newcomer, Seeker, Wanted
from smsd.adapters.modem.catalogue import load
from smsd.adapters.modem.open import Streams
from smsd.adapters.modem.usb import Tty, Usb
from smsd.adapters.modem.where import Found
from tests.adapters.scripted import Answer, ScriptedModem, plugged

IMEI_A, IMEI_B = "356938035643809", "490154203237518"
ICCID_A, ICCID_B = "8933150319080162432", "8933150319080162440"
Unit = ScriptedModem | Exception


def modem(imei: str = IMEI_A, iccid: str = ICCID_A, **on: Answer) -> ScriptedModem:
    """A modem that tells who it is; the SIM's number only by +CCID."""
    answers: dict[str, Answer] = {
        "AT+CGSN": [imei, "OK"] if imei else ["ERROR"],
        "AT+CRSM": ["ERROR"],
        "AT+CCID": [f"+CCID: {iccid}", "OK"] if iccid else ["ERROR"],
    }
    return ScriptedModem(on=answers | on)


@dataclass
class Board:
    """Sticks and what hangs at each of their ttys; a `Source` too."""

    waiting: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)
    units: dict[str, Unit] = field(default_factory=dict)
    opened: list[tuple[float, str]] = field(default_factory=list)
    there: dict[str, list[Usb | Tty]] = field(default_factory=dict)
    plugs: int = 0

    async def run(self, tell: Tell) -> None:
        """See `Source.run`."""
        while True:
            tell(await self.waiting.get())

    def plug(
        self,
        usb_path: str,
        id_: str,
        ttys: dict[int, tuple[str, Unit]],
        driver: str = "",
    ) -> None:
        """Plug a stick in: interface → device and what is behind it."""
        vid, _, pid = id_.partition(":")
        self.plugs += 1
        usb = Usb(f"/sys/{usb_path}", usb_path, vid, pid, "A stick", str(self.plugs))
        self.there[usb_path] = [usb]
        self.waiting.put_nowait(usb)
        for interface, (device, unit) in ttys.items():
            self.add(usb_path, interface, device, unit, driver=driver)

    def add(self, usb_path: str, interface: int, device: str, unit: Unit, driver: str = "") -> None:
        """One more tty of a stick comes into being."""
        usb = self.there[usb_path][0]
        assert isinstance(usb, Usb)
        tty = Tty(
            f"/sys/{usb_path}/{device}",
            device,
            usb_path,
            usb.vid,
            usb.pid,
            interface,
            driver=driver,
        )
        self.there[usb_path].append(tty)
        self.units[device] = unit
        self.waiting.put_nowait(tty)

    def pull(self, usb_path: str) -> None:
        """Unplug a stick."""
        for node in reversed(self.there.pop(usb_path)):
            if isinstance(node, Tty):
                del self.units[node.device]
            self.waiting.put_nowait(Removed(node.path))

    def open(self, device: str, baud: int) -> AbstractAsyncContextManager[Streams]:
        """What is opened instead of a tty."""
        self.opened.append((asyncio.get_running_loop().time(), device))
        unit = self.units.get(device)
        if unit is None:
            return _Refused(lost(f"{device} cannot be opened"))
        return _Refused(unit) if isinstance(unit, Exception) else plugged(unit)(device, baud)

    @property
    def devices_opened(self) -> list[str]:
        return [device for _, device in self.opened]


class _Refused(AbstractAsyncContextManager[Streams]):
    def __init__(self, error: Exception) -> None:
        self._error = error

    async def __aenter__(self) -> Streams:
        raise self._error

    async def __aexit__(self, *reason: object) -> None:
        return


@dataclass
class Rig:
    """A `Hotplug` at work on a board, with the phones that it made."""

    board: Board
    hotplug: Hotplug
    adopted: list[Newcomer] = field(default_factory=list)
    seekers: dict[str, Seeker] = field(default_factory=dict)

    def want(self, name: str, **wanted: str) -> Seeker:
        self.seekers[name] = self.hotplug.where(name, Wanted(**wanted))  # type: ignore[arg-type]
        return self.seekers[name]

    async def finds(self, name: str, within: float = 60.0) -> Found:
        """What a phone finds, in good time."""
        async with asyncio.timeout(within):
            return await self.seekers[name].found()

    async def misses(self, name: str, seconds: float = 600.0) -> bool:
        """Whether a phone finds nothing for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.seekers[name].found()
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def hotplug(*, auto: bool = False) -> AsyncIterator[Rig]:
    """Run a `Hotplug` while the block runs; ``auto``: unwanted modems become phones."""
    board = Board()

    async def adopt(newcomer: Newcomer) -> None:
        rig.adopted.append(newcomer)
        identity = newcomer.identity
        wanted = Wanted(
            imei=identity.imei,
            iccid=None if identity.imei else identity.iccid,
            usb_path=None if identity.imei or identity.iccid else newcomer.usb_path,
            found=True,
        )
        name = f"found-{len(rig.adopted)}"
        rig.seekers[name] = rig.hotplug.where(name, wanted)

    made = Hotplug(
        board,
        load(),
        adopt=adopt if auto else None,
        open_streams=board.open,
        present=lambda device: device in board.units or not device.startswith("/dev/tty"),
    )
    rig = Rig(board, made)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.run())
        yield rig
        task.cancel()


@contextmanager
def program(name: str, folder: Path) -> Iterator[int]:
    """A process of that name; its pid."""
    path = folder / name
    cat = shutil.which("cat")
    assert cat is not None
    path.symlink_to(cat)
    with subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()  # it has its name by now
        try:
            yield process.pid
        finally:
            process.stdin.close()
