"""The whole gateway on the simulator's sticks, in one process under virtual time.

Finding modems, adapters, supervisor, inbox, outbox, router and store are the real ones. What a
stick shows on the bus is told to the real `Hotplug`; a tty is a socket pair to the simulated port.
"""

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hwsim import verbs
from hwsim.channels import Channel
from hwsim.clock import ZONE, LoopClock
from hwsim.network import Settings
from hwsim.rack import Options, Rack
from hwsim.scenario import Step
from hwsim.stick import Stick

from smsd.adapters.contract import lost
from smsd.adapters.devices import Event, Removed, Tell
from smsd.adapters.hotplug import Hotplug, Wanted
from smsd.adapters.modem.adapter import ModemAdapter, ModemSettings
from smsd.adapters.modem.catalogue import load as load_catalogue
from smsd.adapters.modem.open import Streams
from smsd.adapters.modem.profiles import load as load_profiles
from smsd.adapters.modem.usb import Tty, Usb
from smsd.adapters.supervisor import supervise
from smsd.dispatch.inbox import Inbox
from smsd.dispatch.phones import Phone
from smsd.dispatch.selftest import SelfTest
from smsd.model.message import Draft
from smsd.model.phone import PhoneRecord
from tests.rig import Rig
from tests.virtual_time import now

LOOK_EVERY = 0.5  # virtual seconds
USB_LOOK = 0.5  # virtual seconds between looks at the files that authorise devices
ENDED = ("sent", "delivered", "failed", "expired", "cancelled", "uncertain")


class Inline(ThreadPoolExecutor):
    """Work that another thread would do, done at once: no virtual second passes meanwhile."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 whoever waits for it gets it
            done.set_exception(error)
        return done


class VirtualClock(LoopClock):
    """The network's time of day is the gateway's."""

    def now(self) -> datetime:
        return now().astimezone(ZONE)


@dataclass
class Node:
    """One tty: what is behind it, and in what state it is."""

    channel: Channel
    tty: Tty | None
    broken: bool = False
    held: bool = False
    sockets: list[socket.socket] = field(default_factory=list)
    filter: Callable[[bytes], bytes] = bytes

    def hang_up(self) -> None:
        """Whoever has it open gets the end of it."""
        loop = asyncio.get_running_loop()
        for theirs in self.sockets:
            loop.remove_reader(theirs)
            theirs.close()
        self.sockets.clear()

    def read(self, theirs: socket.socket) -> None:
        data = theirs.recv(65536)
        if data:
            self.channel.feed(data)
        else:
            asyncio.get_running_loop().remove_reader(theirs)

    def write(self, octets: bytes) -> None:
        spoilt = self.filter(octets)
        for theirs in self.sockets:
            with contextlib.suppress(OSError):
                theirs.send(spoilt)


class Opening(AbstractAsyncContextManager[Streams]):
    """A tty that is opened."""

    def __init__(self, node: Node | None, device: str) -> None:
        self._node, self._device = node, device

    async def __aenter__(self) -> Streams:
        node = self._node
        if node is None:
            raise lost(f"{self._device} cannot be opened")
        if node.held:
            raise lost(f"{self._device} is held by ModemManager (pid 4711)")
        ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)
        if node.broken:
            self._theirs.close()
        else:
            node.sockets.append(self._theirs)
            asyncio.get_running_loop().add_reader(self._theirs, node.read, self._theirs)
            node.channel.write = node.write
        reader, self._writer = await asyncio.open_connection(sock=ours)
        if not node.broken:
            node.channel.opened()
        return reader, self._writer

    async def __aexit__(self, *reason: object) -> None:
        if self._node is not None and self._theirs in self._node.sockets:
            asyncio.get_running_loop().remove_reader(self._theirs)
            self._node.sockets.remove(self._theirs)
            self._theirs.close()
        self._writer.transport.abort()


class Bus:
    """What the computer shows of all sticks: the nodes, and a `Source` of what comes and goes."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.opened: list[tuple[str, int]] = []
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.plugs = 0
        self.ttys = 0

    async def run(self, tell: Tell) -> None:
        """See `Source.run`."""
        while True:
            tell(await self.events.get())

    def tell(self, event: Event) -> None:
        self.events.put_nowait(event)

    def open(self, device: str, baud: int) -> Opening:
        """What is opened instead of a tty."""
        node = self.nodes.get(device)
        if node is not None:
            self.opened.append((device, node.channel.kind.interface))
        return Opening(node, device)

    def present(self, device: str) -> bool:
        return device in self.nodes


class Ttys:
    """The ports of one stick on a `Bus`; see `hwsim.stick.Ports`."""

    def __init__(self, bus: Bus, stick: Stick, serial: str) -> None:
        self._bus, self._stick, self._serial = bus, stick, serial
        self._usb: Usb | None = None
        self.keeps_usb = False
        self.nodes: dict[str, Node] = {}

    def appear(self) -> None:
        bus, family = self._bus, self._stick.modem.personality
        bus.plugs += 1
        if family.usb is not None and self._usb is None:
            place = self._stick.usb_path
            self._usb = Usb(
                f"/sys/{place}#{bus.plugs}",
                place,
                family.usb.vendor,
                family.usb.product,
                family.usb.product_name,
                str(bus.plugs),
            )
            bus.tell(self._usb)
        for channel in self._stick.modem.channels:
            device, tty = self._serial, None
            if family.usb is not None:
                device = f"/dev/{family.usb.node}{bus.ttys}"
                bus.ttys += 1
                tty = Tty(
                    f"/sys/{self._stick.usb_path}/{device[5:]}",
                    device,
                    self._stick.usb_path,
                    family.usb.vendor,
                    family.usb.product,
                    channel.kind.interface,
                    triple=channel.kind.usb_class,
                    words=channel.kind.label,
                    driver=family.usb.driver,
                )
            self.nodes[device] = bus.nodes[device] = Node(channel, tty)
            if tty is not None:
                bus.tell(tty)

    def disappear(self) -> None:
        for device, node in self.nodes.items():
            node.hang_up()
            del self._bus.nodes[device]
            if node.tty is not None:
                self._bus.tell(Removed(node.tty.path))
        self.nodes.clear()
        if self._usb is not None and not self.keeps_usb:
            self._bus.tell(Removed(self._usb.path))
            self._usb = None

    def break_down(self) -> None:
        for node in self.nodes.values():
            node.broken = True
            node.hang_up()

    def stall(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        for node in self.nodes.values():
            for theirs in node.sockets:
                loop.remove_reader(theirs)
                loop.call_later(seconds, self._go_on, node, theirs)

    def _go_on(self, node: Node, theirs: socket.socket) -> None:
        if theirs in node.sockets:
            asyncio.get_running_loop().add_reader(theirs, node.read, theirs)

    def hold(self, held: bool) -> None:
        for node in self.nodes.values():
            node.held = held
            if held:
                node.hang_up()


class Told(Inbox):
    """An inbox that remembers what it was told of the phone."""

    hints: list[str]
    words: list[str]

    def health(self, health: Any, words: str = "", **more: Any) -> None:
        self.words.append(words)
        if more.get("hint"):
            self.hints.append(more["hint"])
        super().health(health, words, **more)


class Stage(Rack):
    """Sticks, their bus, and the gateway that uses them."""

    def __init__(self, options: Options, settings: Settings, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(Inline())
        super().__init__(options, settings, VirtualClock(loop))
        self.rig = Rig()
        self.bus = Bus()
        self.folder = folder
        self.ttys: dict[str, Ttys] = {}
        self.hints: list[str] = []
        self.words: list[str] = []
        self.phones: dict[str, Phone] = {}
        self.asked: dict[str, int] = {}
        self.hotplug = Hotplug(
            self.bus,
            load_catalogue(),
            open_streams=self.bus.open,
            present=self.bus.present,
            usb_devices=self.folder,
        )
        for position, stick in enumerate(self.sticks):
            ports = Ttys(self.bus, stick, f"/dev/ttyAMA{position}")
            stick.ports = self.ttys[stick.modem.name] = ports
            ports.appear()
            if stick.modem.personality.usb is not None:
                place = folder / stick.usb_path
                place.mkdir(parents=True)
                (place / "authorized").write_text("1")

    def hold(self, stick: Stick, held: bool) -> None:
        self.ttys[stick.modem.name].hold(held)

    def do(self, line: str) -> Any:
        """Run a verb as `hwsim ctl` would."""
        step = Step(0.0, line)
        return verbs.run(self, step.verb, step.arguments)

    async def add_phone(self, stick: Stick, settings: ModemSettings, **record: Any) -> Phone:
        """A phone for a stick: known by its IMEI, or by the device that it hangs at."""
        name, modem = f"gsm-{stick.modem.name}", stick.modem
        if modem.personality.usb is not None:
            wanted = Wanted(imei=modem.imei)
        else:
            [device] = self.ttys[modem.name].nodes
            wanted = Wanted(device=device)
        names = [phone.record.name for phone in self.rig.phones.all()] + [name]
        ids = await self.rig.store.registry.configure_phones([(n, "modem", "[]", 0) for n in names])
        adapter = ModemAdapter(
            self.hotplug.where(name, wanted), settings, load_profiles(), self.bus.open, self.folder
        )
        phone = self.rig.phones.add(PhoneRecord(ids[-1], name, "modem", **record), adapter)
        self.phones[modem.name] = phone
        return phone

    async def serve(self, phone: Phone) -> None:
        """The life of a phone, as the daemon has it."""
        sink = Told(phone, self.rig.phones, self.rig.store)
        sink.hints, sink.words = self.hints, self.words
        name = phone.record.name
        await supervise(name, phone.adapter, sink, self.hotplug.moved(name))

    async def usb_core(self) -> None:
        """What the kernel does when somebody writes to the files that authorise devices."""
        off: set[str] = set()
        while True:
            for stick in self.sticks:
                file = self.folder / stick.usb_path / "authorized"
                if not file.exists():
                    continue
                ports, wanted = self.ttys[stick.modem.name], file.read_text() == "1"
                if not wanted and stick.plugged:
                    ports.keeps_usb = True
                    stick.unplug()
                    ports.keeps_usb = False
                    off.add(stick.modem.name)
                elif wanted and stick.modem.name in off:
                    off.discard(stick.modem.name)
                    stick.plug()
            await asyncio.sleep(USB_LOOK)

    # What the gateway is asked, and what came of it ------------------------------------------

    async def ask(self, to: str, text: str, **more: Any) -> int:
        """Have the gateway send a message; its texts are all different."""
        assert text not in self.asked
        self.asked[text] = await self.rig.send(Draft(text, ((to, "[]"),), 1, **more))
        return self.asked[text]

    async def states(self) -> dict[str, str]:
        """The state of every message that was asked for, by its text."""
        return {text: await self.rig.state(id_) for text, id_ in self.asked.items()}

    def messages(self) -> list[dict[str, Any]]:
        """What the network made of what it accepted."""
        return self.history.messages()

    def whole(self) -> list[str]:
        """The texts of the messages that are complete at the network, in order."""
        return [message["text"] for message in self.messages() if message["complete"]]

    async def received(self) -> list[dict[str, Any]]:
        """What was taken in."""
        return await self.rig.rows("received")

    def stored_left(self) -> int:
        """How many records lie in the memories of all modems."""
        memories = (m for stick in self.sticks for m in stick.modem.inbox.memories.values())
        return sum(len(memory.records) for memory in memories)

    def status(self, modem: str = "modem0") -> str:
        """A phone's status as the API tells it."""
        return str(self.phones[modem].standing(now()).health)

    def available(self) -> bool:
        return all(self.status(modem) == "available" for modem in self.phones)

    async def until(
        self, condition: Callable[[], object], within: float = 600.0, what: str = ""
    ) -> float:
        """Let time pass until something is so; the seconds that it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not condition():
            if loop.time() - began > within:
                raise AssertionError(f"not within {within} s: {what or condition}")
            await asyncio.sleep(LOOK_EVERY)
        return loop.time() - began

    async def settled(self, within: float = 3600.0) -> dict[str, str]:
        """Every message that was asked for, once none waits any more."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            states = await self.states()
            if all(state in ENDED for state in states.values()):
                return states
            if loop.time() - began > within:
                waiting = {text[:20]: s for text, s in states.items() if s not in ENDED}
                raise AssertionError(f"not within {within} s: {waiting}")
            await asyncio.sleep(1.0)

    async def honest(self) -> None:
        """Nothing was lost, nothing doubled, and what is in doubt says so."""
        seen = Counter(message["text"] for message in self.messages())
        doubled = [text for text, count in seen.items() if count > 1]
        assert doubled == []
        parts = Counter((row["to"], row["text"], str(row["concat"])) for row in self.history.sent())
        assert [part for part, count in parts.items() if count > 1] == []
        whole = set(self.whole())
        for text, state in (await self.states()).items():
            if state in ("sent", "delivered"):
                assert text in whole, f"{text[:30]!r} is {state}, and the network has it not"
            elif state != "uncertain":
                assert text not in whole, f"{text[:30]!r} is {state}, and the network has it"


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    options: Options | None = None,
    settings: Settings | None = None,
    modem: ModemSettings | None = None,
    network: dict[str, Any] | None = None,
    selftest: float = 0.0,
) -> AsyncIterator[Stage]:
    """Sticks and a gateway that runs while the block does; the first phone is preferred."""
    made = Stage(options or Options(), settings or Settings(), folder / "devices")
    for key, value in (network or {}).items():
        words = value.split() if isinstance(value, str) else [str(value)]
        verbs.run(made, "network", [key, *words])
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(made.hotplug.run()),
            group.create_task(made.usb_core()),
            group.create_task(made.rig.outbox.run()),
        ]
        watch = SelfTest(made.rig.gateway)
        for position, stick in enumerate(made.sticks):
            phone = await made.add_phone(
                stick,
                modem or ModemSettings(pin=made.options.pin),
                priority=-position,
                number=stick.modem.number,
                selftest_interval=selftest,
            )
            tasks.append(group.create_task(made.serve(phone)))
            tasks.append(group.create_task(watch.watch(phone)))
        try:
            yield made
        finally:
            for task in tasks:
                task.cancel()
            for stick in made.sticks:
                stick.close()
                stick.modem.power_off()


@contextlib.contextmanager
def internal_errors() -> Iterator[list[str]]:
    """What the gateway logs as an error of its own while the block runs."""
    found: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                found.append(self.format(record))

    handler = Handler(logging.ERROR)
    logging.getLogger("smsd").addHandler(handler)
    try:
        yield found
    finally:
        logging.getLogger("smsd").removeHandler(handler)
