"""Kills a gateway at its n-th step, for each n: at every commit, write and read; in one process.

The real store, outbox, inbox and modem adapter work on a database file and a simulated modem, under
virtual time. At the chosen step the gateway is dead at once: nothing that it still does reaches the
file or the wire, and what was not committed is rolled back. Network and modem live on, and a new
gateway starts on the same file.
"""

import asyncio
import contextlib
import random
import socket
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hwsim.clock import ZONE, LoopClock
from hwsim.cloud.server import SmsmodeServer
from hwsim.cloud.smsmode import Account, Answer
from hwsim.modem import Modem
from hwsim.network import Network, Settings
from hwsim.personality import load
from hwsim.world import make_sim

from smsd.adapters.cloud.adapter import CloudAdapter
from smsd.adapters.cloud.smsmode import Smsmode
from smsd.adapters.contract import Adapter
from smsd.adapters.modem.adapter import ModemAdapter, ModemSettings
from smsd.adapters.modem.open import Streams
from smsd.adapters.modem.where import Fixed
from smsd.adapters.supervisor import supervise
from smsd.dispatch.inbox import Inbox
from smsd.model.message import Draft
from smsd.model.phone import Health, PhoneRecord
from smsd.store.once import Once
from tests.rig import Rig
from tests.virtual_time import now as virtual_now

PHONE = "gsm0"


class Dead(asyncio.CancelledError):
    """The gateway was killed: whatever task does anything more ends here."""


@dataclass
class Blade:
    """Counts steps while it is armed, and falls at one of them; ``at`` ``None``: never."""

    at: int | None = None
    count: int = 0
    armed: bool = False
    steps: Counter[str] = field(default_factory=Counter)
    fallen: asyncio.Event = field(default_factory=asyncio.Event)

    def step(self, kind: str) -> None:
        """The gateway comes by here; it may be its end."""
        self.alive()
        if not self.armed:
            return
        self.count += 1
        self.steps[kind] += 1
        if self.count == self.at:
            self.fallen.set()
            raise Dead

    def elsewhere(self, kind: str) -> None:
        """Something happens outside that the gateway waits for; it may be its end as well."""
        with contextlib.suppress(Dead):
            self.step(kind)

    def alive(self) -> None:
        """Nothing is done after the end."""
        if self.fallen.is_set():
            raise Dead


class _Connection:
    """SQLite's connection; before and after each commit there is a step."""

    def __init__(self, connection: sqlite3.Connection, blade: Blade) -> None:
        self._connection = connection
        self._blade = blade

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        self._blade.alive()
        if statement != "COMMIT" or not self._connection.total_changes:
            return self._connection.execute(statement, *values)
        self._blade.step("before a commit")
        cursor = self._connection.execute(statement)
        self._blade.step("after a commit")
        return cursor


class _Reader:
    """What comes from the wire; there is a step before any of it is acted on."""

    def __init__(self, reader: asyncio.StreamReader, blade: Blade) -> None:
        self._reader = reader
        self._blade = blade

    async def read(self, count: int = -1) -> bytes:
        octets = await self._reader.read(count)
        self._blade.step("after a read")
        return octets


class _Writer:
    """What goes to the wire; there is a step before and after."""

    def __init__(self, writer: asyncio.StreamWriter, blade: Blade) -> None:
        self._writer = writer
        self._blade = blade

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def write(self, octets: bytes) -> None:
        self._blade.step("before a write")
        self._writer.write(octets)
        self._blade.step("after a write")


class Wire:
    """A simulated modem at the other end of a socket pair, behind the blade."""

    def __init__(self, modem: Modem, blade: Blade) -> None:
        self._modem = modem
        self._blade = blade

    async def __aenter__(self) -> Streams:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self._theirs = theirs
        self._modem.write = self._put
        asyncio.get_running_loop().add_reader(theirs, self._feed)
        reader, self._writer = await asyncio.open_connection(sock=ours)
        return _Reader(reader, self._blade), _Writer(self._writer, self._blade)  # type: ignore[return-value]

    def _put(self, octets: bytes) -> None:
        with contextlib.suppress(OSError):
            self._theirs.send(octets)

    def _feed(self) -> None:
        if octets := self._theirs.recv(65536):
            self._modem.feed(octets)
        else:
            self._close()

    def _close(self) -> None:
        if self._theirs.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._theirs)
            self._theirs.close()

    async def __aexit__(self, *reason: object) -> None:
        self._writer.transport.abort()
        if self._theirs.fileno() >= 0:
            with contextlib.suppress(BlockingIOError):
                self._feed()  # what was written before the end is the modem's
            self._close()


class _Time(LoopClock):
    """The network's wall clock agrees with the gateway's."""

    def now(self) -> datetime:
        return virtual_now().astimezone(ZONE)


class Provider(Account):
    """A simulated provider; there is a step before and after it does as it is asked."""

    blade = Blade()

    def answer(self, method: str, operation: str, query: str, body: str) -> Answer:
        self.blade.elsewhere("before a request")
        answer = super().answer(method, operation, query, body)
        self.blade.elsewhere("after a request")
        return answer


class World:
    """What outlives the gateway: its file, the modem and the network, the provider."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.path = folder / "db"
        time = _Time(asyncio.get_running_loop())
        self.network = Network(time, Settings(**settings))
        self.provider = Provider(time, "token", random.Random(0))
        sim = make_sim(0, random.Random(0), None)
        self.modem = Modem("modem0", "350000000000000", sim, load("generic"), self.network)
        self.network.connect(self.modem)
        self.begun = False
        """Whether the outside has done its part of the scenario, which it does once."""


class Gateway:
    """One life of the gateway."""

    def __init__(self, rig: Rig, blade: Blade, world: World) -> None:
        self.rig = rig
        self.blade = blade
        self.world = world

    async def accept(self, draft: Draft, key: str) -> int:
        """A client's request, which he repeats with the same key if he gets no answer."""
        return int((await self.rig.gateway.accept(1, draft, Once(key, key))).id)

    async def counts(self) -> dict[str, int]:
        """How many messages are under way."""
        return await self.rig.store.views.counts()

    async def drained(self) -> bool:
        """Whether nothing waits and nothing is on its way."""
        counts = await self.counts()
        return not counts["queued"] and not counts["claimed"]


Beside = Callable[[Gateway], Sequence[Coroutine[Any, Any, None]]]


@asynccontextmanager
async def alive(
    world: World,
    blade: Blade,
    *,
    cloud: str | None = None,
    beside: Beside = lambda gateway: (),
    **record: Any,
) -> AsyncIterator[Gateway]:
    """A gateway from its start until the block ends, in good order or by the blade.

    Its phone is the modem, or an account at the provider whose address is ``cloud``. ``beside``
    are more of its tasks.
    """
    rig = Rig(world.path)
    rig.database._connection = _Connection(rig.database._connection, blade)  # type: ignore[assignment]
    tasks: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    try:
        [phone_id] = await rig.store.registry.configure_phones([(PHONE, "modem", "[]", 0)])
        await rig.store.outgoing.recover()
        adapter: Adapter = ModemAdapter(
            Fixed("tcp://modem:1"),
            ModemSettings(),
            open_streams=lambda device, baud: Wire(world.modem, blade),
        )
        if cloud is not None:
            adapter = CloudAdapter(Smsmode("token", cloud))
            world.provider.blade = blade
        phone = rig.phones.add(PhoneRecord(phone_id, PHONE, "modem", **record), adapter)
        sink = Inbox(phone, rig.phones, rig.store)
        gateway = Gateway(rig, blade, world)
        lives = (supervise(PHONE, adapter, sink), rig.outbox.run(), *beside(gateway))
        tasks = [loop.create_task(life) for life in lives]
        await until(lambda: phone.health is Health.AVAILABLE, blade)
        yield gateway
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        rig.database._connection.close()


async def until(
    condition: Callable[[], bool] | Callable[[], Awaitable[bool]], blade: Blade, limit: float = 3600
) -> None:
    """Let virtual time pass until something is so, or the gateway dead."""
    async with asyncio.timeout(limit):
        while not blade.fallen.is_set():
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.5)
    raise Dead


@dataclass(frozen=True)
class Scenario:
    """Something that a gateway does, and may be killed at any step of.

    ``act`` is run under the blade, and once more, whole, by the gateway that starts afterwards: as
    a client that got no answer asks again, it must be repeatable. ``check`` looks at the world
    after that gateway has come to rest. ``prepare`` runs before, without a blade. With ``starting``
    the blade is armed while the gateway starts; with ``cloud`` its phone is an account.
    """

    name: str
    act: Callable[[Gateway], Awaitable[None]]
    check: Callable[[Gateway], Awaitable[None]]
    prepare: Callable[[Gateway], Awaitable[None]] | None = None
    starting: bool = False
    cloud: bool = False
    beside: Beside = lambda gateway: ()
    network: dict[str, Any] = field(default_factory=dict)
    phone: dict[str, Any] = field(default_factory=dict)


async def live(scenario: Scenario, folder: Path, at: int | None) -> Blade:
    """Play a scenario, killed at a step, and look at what the next life makes of it."""
    world = World(folder, **scenario.network)
    blade = Blade(at, armed=scenario.starting)
    async with SmsmodeServer(world.provider) as server:
        url = server.info()["url"] if scenario.cloud else None

        def life(blade: Blade) -> AbstractAsyncContextManager[Gateway]:
            return alive(world, blade, cloud=url, beside=scenario.beside, **scenario.phone)

        if scenario.prepare is not None:
            async with life(Blade()) as gateway:
                await scenario.prepare(gateway)
        with contextlib.suppress(Dead):
            async with life(blade) as gateway:
                blade.armed = True
                await scenario.act(gateway)
                blade.armed = False
        blade.armed = False
        async with life(Blade()) as gateway:
            await scenario.act(gateway)
            await until(gateway.drained, gateway.blade)
            await asyncio.sleep(10)  # reports, and whatever else still comes
            await scenario.check(gateway)
    return blade
