"""Modems that come and go: which stick is which phone's, found out each time one is plugged in.

A stick is bound by IMEI before ICCID before USB path before the name of its tty, so that neither
renumbered ttys nor sticks that changed places make a difference. One that no phone is configured
for becomes a phone of its own.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from smsd.adapters.contract import Absent, Broken, PhoneLost
from smsd.adapters.devices import Event, Removed, Source
from smsd.adapters.modem import authorise
from smsd.adapters.modem.catalogue import Catalogue, Kind, Role
from smsd.adapters.modem.held import (
    BRLTTY,
    MODEM_MANAGER,
    WITHOUT_BRLTTY,
    keep_off,
    programs,
)
from smsd.adapters.modem.open import TCP, opened, present
from smsd.adapters.modem.port import Silent
from smsd.adapters.modem.probe import Identity, OpenStreams, identify, same_iccid
from smsd.adapters.modem.recovery import HOUR
from smsd.adapters.modem.usb import Stick, Tty, TtyPort, Usb, elect, stick_of
from smsd.adapters.modem.where import APPEARS, Found
from smsd.logs import fields
from smsd.model.message import Fault, FaultClass

log: Final = logging.getLogger(__name__)

DEBOUNCE: Final = 2.0  # seconds after the last tty of an unknown device: they come one by one
CEILING: Final = 20.0  # seconds after the first, for one that never comes to rest
NO_PORTS: Final = 15.0  # seconds after which a stick without ttys is worth a word
SIM_READY: Final = 30.0  # seconds that a SIM may be busy after a modem's start
ASK_AGAIN: Final = 5.0  # seconds before a stick that did not answer is asked anew, doubling
LONGEST_PAUSE: Final = 60.0
STARTS_WITHIN: Final = 45.0  # seconds in which the slowest modem answers after it was plugged in
RESETS_AN_HOUR: Final = 2
UDEV_LAG: Final = 3.0  # seconds by which udev's word may come after the node itself
USB_TTYS: Final = ("ttyUSB", "ttyACM", "ttyHS")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a phone's modem is named: by exactly one of these.

    ``found`` marks a phone that we made ourselves: what the configuration names comes before it.
    """

    imei: str | None = None
    iccid: str | None = None
    usb_path: str | None = None
    device: str | None = None
    found: bool = False

    @property
    def words(self) -> str:
        """For people; numbers are shortened."""
        if self.imei is not None:
            return f"the modem with IMEI {self.imei[:2]}…{self.imei[-3:]}"
        if self.iccid is not None:
            return f"the modem with SIM {self.iccid[:2]}…{self.iccid[-3:]}"
        if self.usb_path is not None:
            return f"the modem at USB {self.usb_path}"
        return self.device or ""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A modem that no phone is configured for; what it cannot tell of itself is ``None``."""

    identity: Identity
    usb_path: str
    name: str


Adopt = Callable[[Newcomer], Awaitable[None]]


@dataclass(slots=True)
class _Slot:
    """One USB device that is there: its ttys as far as they have come, and what it turned out."""

    usb: Usb
    since: float
    ttys: dict[str, Tty] = field(default_factory=dict)
    first: float = 0.0
    touched: float = 0.0
    missed: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    stick: Stick | None = None
    identity: Identity = field(default_factory=Identity)
    port: str | None = None
    owner: "Seeker | None" = None
    complaint: Absent | None = None
    life: asyncio.Task[None] | None = None


class Hotplug:
    """Follows the devices of a `Source`; `where` makes what an adapter waits with.

    ``adopt`` is called for a modem that nobody wants, and makes a phone of it by calling `where`;
    ``None``: such modems are left alone.
    """

    def __init__(
        self,
        source: Source,
        catalogue: Catalogue,
        *,
        adopt: Adopt | None = None,
        open_streams: OpenStreams = opened,
        present: Callable[[str], bool] = present,
        usb_devices: Path = authorise.DEVICES,
    ) -> None:
        self._source = source
        self._catalogue = catalogue
        self._adopt = adopt
        self._open = open_streams
        self.present = present
        self._usb_devices = usb_devices
        self._resets: dict[str, deque[float]] = {}
        self._usbs: dict[str, Usb] = {}
        self._slots: dict[str, _Slot] = {}
        self._seekers: list[Seeker] = []
        self._shapes: dict[str, tuple[str, str, int | None]] = {}
        self._news = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None

    def where(self, name: str, wanted: Wanted) -> "Seeker":
        """What the adapter of the phone of that name waits with."""
        seeker = Seeker(self, name, wanted)
        self._seekers.append(seeker)
        for slot in self._slots.values():
            if slot.owner is None:
                slot.changed.set()  # it may be what is wanted now
        return seeker

    def moved(self, name: str) -> asyncio.Event | None:
        """Set when the modem of the phone of that name comes or goes; ``None`` if it has none."""
        found = (seeker.moved for seeker in self._seekers if seeker.name == name)
        return next(found, None)

    async def run(self) -> None:
        """Follow what comes and goes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._source.run(self._told)

    # What is told --------------------------------------------------------------------------------

    def _told(self, event: Event) -> None:
        match event:
            case Usb():
                before = self._usbs.get(event.path)
                if before is not None and before.number != event.number:
                    self._went(event.path)  # it was unplugged, and nobody told
                self._usbs[event.path] = event
                if self._catalogue.model(event.vid, event.pid) is not None:
                    self._slot(event)
            case Tty(usb_path=str(usb_path)):
                self._came(usb_path, event)
            case Tty():
                pass
            case Removed(path=path):
                self._went(path)
        self._tell()

    def _came(self, usb_path: str, tty: Tty) -> None:
        known = (usb for usb in self._usbs.values() if usb.usb_path == usb_path)
        usb = next(known, None) or Usb("", usb_path, tty.vid, tty.pid)
        slot = self._slot(usb)
        if slot.ttys.get(tty.path) == tty:
            return
        slot.touched = asyncio.get_running_loop().time()
        if not slot.ttys:
            slot.first, slot.missed, slot.complaint = slot.touched, False, None
        slot.ttys[tty.path] = tty
        slot.changed.set()

    def _went(self, path: str) -> None:
        if (usb := self._usbs.pop(path, None)) is not None:
            if (slot := self._slots.pop(usb.usb_path, None)) is not None:
                assert slot.life is not None
                slot.life.cancel()
                if slot.owner is not None:
                    slot.owner.moved.set()
            return
        for slot in self._slots.values():
            if (tty := slot.ttys.pop(path, None)) is not None:
                if not slot.ttys:
                    slot.since = asyncio.get_running_loop().time()
                if tty.device == slot.port and slot.owner is not None:
                    slot.owner.moved.set()
                    slot.owner = slot.port = None
                slot.changed.set()

    def _slot(self, usb: Usb) -> _Slot:
        slot = self._slots.get(usb.usb_path)
        if slot is None:
            assert self._group is not None
            slot = _Slot(usb, asyncio.get_running_loop().time())
            self._slots[usb.usb_path] = slot
            slot.life = self._group.create_task(self._live(slot), name=f"usb-{usb.usb_path}")
        return slot

    def _tell(self) -> None:
        """Wake whoever waits for news."""
        self._news.set()
        self._news = asyncio.Event()

    async def news(self, seconds: float | None) -> None:
        """Wait until something has changed, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    # The life of a stick -------------------------------------------------------------------------

    async def _live(self, slot: _Slot) -> None:
        while True:
            await self._rest(slot)
            slot.changed.clear()
            if slot.owner is None:
                await self._bind(slot)
            self._tell()
            await slot.changed.wait()

    async def _rest(self, slot: _Slot) -> None:
        """Wait until the ttys that a stick has are there."""
        loop = asyncio.get_running_loop()
        while True:
            stick = slot.stick = stick_of(slot.usb, slot.ttys.values(), self._catalogue)
            if stick.complete or self._known_shape(stick):
                return
            if stick.ports:
                end: float | None = min(slot.touched + DEBOUNCE, slot.first + CEILING)
            else:
                end = None if slot.missed else slot.since + NO_PORTS
            if end is not None and loop.time() >= end:
                if stick.ports:
                    return
                slot.missed = True
                self._complain(slot, _without_ports(stick, self._catalogue))
                continue
            slot.changed.clear()
            try:
                async with asyncio.timeout_at(end):
                    await slot.changed.wait()
            except TimeoutError:
                continue

    def _known_shape(self, stick: Stick) -> bool:
        """Whether it is what was there before, and the port that counted is there again."""
        shape = self._shapes.get(stick.usb_path)
        return shape is not None and any(
            shape == (stick.vid, stick.pid, port.interface) for port in stick.ports
        )

    async def _bind(self, slot: _Slot) -> None:
        """Find out whose a stick is; nobody's is an answer too."""
        stick = slot.stick
        assert stick is not None
        if stick.kind is Kind.DEAD:
            self._complain(slot, _without_ports(stick, self._catalogue))
            return
        named = self._named(slot)
        if stick.kind is not Kind.MODEM:  # nothing is opened there that nobody has named
            if named is not None and (ports := elect(stick)):
                self._bound(slot, named, ports[0])
            return
        if named is not None and named.wanted.device is not None and not self._sought():
            self._bound(slot, named, self._named_port(stick, named))
            return
        if self._adopt is None and named is None and not self._sought():
            return
        if (answer := await self._asked(slot, elect(stick), named)) is None:
            return
        port, identity = answer
        if self._elsewhere(slot, identity):
            log.warning("two modems have the same IMEI", extra=fields(usb=stick.usb_path))
            identity = replace(identity, imei=None)
        slot.identity = identity
        owner = self._owner(slot)
        if owner is None and self._adopt is not None:
            await self._adopt(Newcomer(identity, stick.usb_path, stick.name))
            owner = self._owner(slot)
        if owner is not None and any(tty.device == port.device for tty in slot.ttys.values()):
            self._bound(slot, owner, self._named_port(stick, owner, port))

    def _named(self, slot: _Slot) -> "Seeker | None":
        """The phone that names this place or one of its ttys, the place first."""
        stick = slot.stick
        assert stick is not None
        devices = {port.device for port in stick.ports}
        for seeker in self._free(slot):
            if seeker.wanted.usb_path == stick.usb_path:
                return seeker
        for seeker in self._free(slot):
            if seeker.wanted.device and os.path.realpath(seeker.wanted.device) in devices:
                return seeker
        return None

    def _named_port(self, stick: Stick, owner: "Seeker", proved: TtyPort | None = None) -> TtyPort:
        """The port that a phone names itself, else the one that was proved."""
        named = owner.wanted.device and os.path.realpath(owner.wanted.device)
        return next(
            (port for port in stick.ports if port.device == named), proved or stick.ports[0]
        )

    def _free(self, slot: _Slot) -> Iterator["Seeker"]:
        """The phones that have no other stick, those of the configuration first."""
        taken = {id(other.owner) for other in self._slots.values() if other is not slot}
        for seeker in sorted(self._seekers, key=lambda seeker: seeker.wanted.found):
            if id(seeker) not in taken:
                yield seeker

    def _sought(self, *keys: str) -> bool:
        """Whether a phone of the configuration waits for a modem that only an answer can tell."""
        taken = {id(slot.owner) for slot in self._slots.values()}
        return any(
            any(getattr(seeker.wanted, key) for key in keys or ("imei", "iccid"))
            and id(seeker) not in taken
            for seeker in self._seekers
            if not seeker.wanted.found
        )

    def _owner(self, slot: _Slot) -> "Seeker | None":
        """Whose a stick is, now that it has told who it is."""
        identity = slot.identity
        named = self._named(slot)
        for found in (False, True):
            free = [seeker for seeker in self._free(slot) if seeker.wanted.found is found]
            for seeker in free:
                if same_imei(seeker.wanted.imei, identity.imei):
                    return seeker
            for seeker in free:
                if same_iccid(seeker.wanted.iccid, identity.iccid):
                    return seeker
            if named is not None and named.wanted.found is found:
                return named
        return None

    def _elsewhere(self, slot: _Slot, identity: Identity) -> bool:
        return any(
            other is not slot and other.owner and same_imei(other.identity.imei, identity.imei)
            for other in self._slots.values()
        )

    async def _asked(
        self, slot: _Slot, candidates: Sequence[TtyPort], named: "Seeker | None"
    ) -> tuple[TtyPort, Identity] | None:
        """The first port that answers as a modem does; ``None`` if the stick changed meanwhile.

        A port that the configuration names needs no answer. One port at a time: chatter of a port
        that nobody reads stops some modems.
        """
        stick = slot.stick
        assert stick is not None
        shape = self._shapes.get(stick.usb_path)
        ports = sorted(candidates, key=lambda p: (stick.vid, stick.pid, p.interface) != shape)
        pause = ASK_AGAIN
        while True:
            reasons = []
            for port in ports:
                try:
                    sim_within = SIM_READY if self._sought("iccid") else 0.0
                    return port, await identify(
                        self._open, port.device, tries=stick.tries, sim_within=sim_within
                    )
                except PhoneLost as error:
                    reasons.append((port.device, error))
                if not any(port.device == tty.device for tty in slot.ttys.values()):
                    return None
            if named is not None and named.wanted.device is not None:
                return self._named_port(stick, named), Identity()
            self._complain(slot, _silent(stick, reasons))
            if all(isinstance(error, Silent | Broken) for _, error in reasons):
                await self._reset(slot)
            try:
                async with asyncio.timeout(pause):
                    await slot.changed.wait()
                return None
            except TimeoutError:
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _reset(self, slot: _Slot) -> None:
        """Take a stick that was found silent off the USB and back: it may have hung before us."""
        path, now = slot.usb.usb_path, asyncio.get_running_loop().time()
        done = self._resets.setdefault(path, deque(maxlen=RESETS_AN_HOUR))
        if (
            now - slot.first < STARTS_WITHIN
            or (len(done) == RESETS_AN_HOUR and now - done[0] < HOUR)
            or not self._catalogue.listed(slot.usb.vid, slot.usb.pid)
            or not authorise.allowed(path, self._usb_devices)
        ):
            return
        done.append(now)
        log.warning("a silent modem is taken off the USB and back", extra=fields(usb=path))
        try:
            await authorise.reauthorise(path, self._usb_devices)
        except (OSError, TimeoutError) as error:
            log.warning("the USB device could not be reset", extra=fields(reason=str(error)))

    def _bound(self, slot: _Slot, owner: "Seeker", port: TtyPort) -> None:
        stick = slot.stick
        assert stick is not None
        slot.owner, slot.port, slot.complaint = owner, port.device, None
        owner.moved.set()
        self._shapes[stick.usb_path] = (stick.vid, stick.pid, port.interface)
        log.info(
            "modem found",
            extra=fields(phone=owner.name, modem=str(stick), device=port.device),
        )

    def _complain(self, slot: _Slot, complaint: Absent | None) -> None:
        """Tell once what is wrong with a stick, to the log and to the phones that may mean it."""
        if complaint is None or str(slot.complaint) == str(complaint):
            return
        slot.complaint = complaint
        log.warning(
            "a modem cannot be used: %s", complaint, extra=fields(hint=complaint.fault.hint)
        )
        self._tell()

    # What is asked -------------------------------------------------------------------------------

    def slot_of(self, seeker: "Seeker") -> _Slot | None:
        """Where a phone's modem is."""
        return next((slot for slot in self._slots.values() if slot.owner is seeker), None)

    def slot_with(self, device: str) -> _Slot | None:
        """The USB device that a tty belongs to."""
        real = os.path.realpath(device)
        return next(
            (
                slot
                for slot in self._slots.values()
                if any(tty.device == real for tty in slot.ttys.values())
            ),
            None,
        )

    def complaint_for(self, wanted: Wanted, last: str | None) -> Absent | None:
        """What is wrong with the stick that a phone means, or may mean.

        A modem that is known by its IMEI or SIM may be any, until it was seen: then it is taken for
        the one at ``last``, the USB path where that was.
        """
        for slot in self._slots.values():
            if slot.complaint is None or slot.owner is not None:
                continue
            devices = {tty.device for tty in slot.ttys.values()}
            if (
                wanted.usb_path == slot.usb.usb_path
                or (wanted.device and os.path.realpath(wanted.device) in devices)
                or ((wanted.imei or wanted.iccid) and last in (None, slot.usb.usb_path))
            ):
                return slot.complaint
        return None

    def problems(self) -> list[str]:
        """What a person should know of the sticks that are plugged in."""
        complaints = [slot.complaint for slot in self._slots.values() if slot.complaint]
        return [f"{one} ({one.fault.hint})" if one.fault.hint else str(one) for one in complaints]

    def ports(self) -> list[dict[str, Any]]:
        """Every tty of every USB device, and what it is taken for."""
        return [
            {
                "usb_path": slot.usb.usb_path,
                "id": f"{slot.usb.vid}:{slot.usb.pid}",
                "modem": slot.stick.name,
                "device": port.device,
                "interface": port.interface,
                "role": str(port.role),
                "driver": port.driver or None,
                "used": port.device == slot.port,
                "phone": slot.owner.name if slot.owner is not None else None,
                "problem": str(slot.complaint) if slot.complaint is not None else None,
            }
            for slot in sorted(self._slots.values(), key=lambda slot: slot.usb.usb_path)
            if slot.stick is not None
            for port in slot.stick.ports or (NO_PORT,)
        ]


class Seeker:
    """One phone's `Where`."""

    def __init__(self, hotplug: Hotplug, name: str, wanted: Wanted) -> None:
        self._hotplug = hotplug
        self.name = name
        self.wanted = wanted
        self.moved = asyncio.Event()
        self._told: Absent | None = None
        self._last: str | None = None
        self._seen: float | None = None

    @property
    def words(self) -> str:
        """See `Where.words`."""
        return self.wanted.words

    async def found(self) -> Found:
        """See `Where.found`."""
        hotplug = self._hotplug
        self._seen = None
        while True:
            slot = hotplug.slot_of(self)
            if slot is not None and slot.port is not None and hotplug.present(slot.port):
                self._last = slot.usb.usb_path
                self.moved.clear()  # this is what it told; a pause is ended by the next time
                return _found(slot, slot.port)
            if (away := self._on_no_usb()) is not None:
                return away
            complaint = hotplug.complaint_for(self.wanted, self._last)
            if complaint is not None and complaint is not self._told:
                self._told = complaint
                raise complaint
            # A node may come or go without a word: links, serial ports, a container's /dev.
            looks = slot is not None or self.wanted.device is not None
            await hotplug.news(APPEARS if looks else None)

    def _on_no_usb(self) -> Found | None:
        """The device of the configuration, if it is there and no USB device has it."""
        device, hotplug = self.wanted.device, self._hotplug
        if device is None or not hotplug.present(device):
            self._seen = None
            return None
        if device.startswith(TCP):
            return Found(device)
        now = asyncio.get_running_loop().time()
        self._seen = now if self._seen is None else self._seen
        on_usb = os.path.basename(os.path.realpath(device)).startswith(USB_TTYS)
        if hotplug.slot_with(device) is not None:
            return None  # its stick decides
        return Found(device) if not on_usb or now - self._seen >= UDEV_LAG else None


def same_imei(one: str | None, other: str | None) -> bool:
    """Whether two IMEIs are one modem's: its 14 digits; check and version follow (23.003 6)."""
    return bool(one and other) and str(one)[:14] == str(other)[:14]


NO_PORT: Final = TtyPort("", None, Role.UNKNOWN, "", (0, 0))


def _found(slot: _Slot, device: str) -> Found:
    stick = slot.stick
    assert stick is not None
    others = tuple(port.device for port in elect(stick) if port.device != device)
    return Found(device, stick.profile, stick.usb_path, others)


def _absent(words: str, hint: str | None) -> Absent:
    return Absent(Fault(FaultClass.MODEM, words, hint=hint))


def _without_ports(stick: Stick, catalogue: Catalogue) -> Absent | None:
    """What is to be said of a device that has no port for us; ``None``: nothing."""
    model = stick.model
    listed = catalogue.listed(stick.vid, stick.pid)
    if model is None or (stick.kind is Kind.MODEM and not listed and model.mend is None):
        return None  # a vendor's other products: network cards, telephones
    mend = (model.mend or "").format(vid=stick.vid, pid=stick.pid) or None
    match stick.kind:
        case Kind.STORAGE:
            if mend and mend.startswith("usb_modeswitch"):
                mend = f"sudo {mend}; once and for all: sudo apt install usb-modeswitch"
            elif mend and mend.startswith("apt"):
                mend = f"sudo {mend}"
            return _absent(f"{stick} still is in storage mode", mend)
        case Kind.HILINK:
            return _absent(f"{stick} is in HiLink mode, a network card without an AT port", mend)
        case Kind.DEAD:
            return _absent(f"{stick} is out of order", mend)
        case Kind.BRIDGE:
            if not (found := programs(BRLTTY)):
                return None
            return _absent(
                f"{stick} has no tty: {BRLTTY} (pid {found[0][0]}) takes it for a braille display",
                WITHOUT_BRLTTY,
            )
        case Kind.MODEM:
            driver = (
                f"sudo modprobe option; echo {stick.vid} {stick.pid} | "
                "sudo tee /sys/bus/usb-serial/drivers/option1/new_id"
            )
            if mend and mend.startswith(("usb_modeswitch", "apt")):
                driver = f"sudo {mend}"
            return _absent(f"{stick} has no serial port", driver)
        case _:
            return None


def _silent(stick: Stick, reasons: Sequence[tuple[str, PhoneLost]]) -> Absent:
    """No port of a stick answered: why, and what may help."""
    hint = next((error.fault.hint for _, error in reasons if error.fault.hint), None)
    said = "; ".join(
        error.fault.words if device in error.fault.words else f"{device}: {error.fault.words}"
        for device, error in reasons
    )
    if hint is None and reasons and programs(MODEM_MANAGER):
        hint = keep_off(reasons[0][0])
    return _absent(
        f"{stick} does not answer as a modem ({said or 'it has no port for commands'})",
        hint or "it is asked again; if it does not come round, unplug it and plug it in again",
    )
