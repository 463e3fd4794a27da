"""One living world: modems on their ports, the network between them, providers, and verbs."""

from __future__ import annotations

import asyncio
import json
import random
import string
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim import scenario, verbs
from hwsim.cards import make_sim
from hwsim.clock import LoopClock
from hwsim.network import Settings
from hwsim.rack import Options, Rack
from hwsim.stick import Stick
from hwsim.terminal import Terminal
from hwsim.watch import OpenWatch

if TYPE_CHECKING:
    from hwsim.cloud.server import SmsmodeServer
    from hwsim.usb.bus import Bus

__all__ = ["Options", "World", "make_sim"]

LINE_LIMIT = 1 << 20


class Terminals:
    """The ttys of one stick: the best AT port has its name, the others end in .ifNN."""

    def __init__(
        self, stick: Stick, folder: Path, watch: OpenWatch, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._watch = watch
        modem = stick.modem
        self.all: list[Terminal] = []
        self.best: Terminal | None = None
        for channel in modem.channels:
            best = channel is modem.best
            name = modem.name if best else f"{modem.name}.if{channel.kind.interface:02x}"
            terminal = Terminal(channel, folder / name, loop)
            self.all.append(terminal)
            if best:
                self.best = terminal
        self.appear()

    def appear(self) -> None:
        """See `stick.Ports`."""
        for terminal in self.all:
            terminal.open(self._watch)

    def disappear(self) -> None:
        """See `stick.Ports`."""
        for terminal in self.all:
            terminal.close()

    def break_down(self) -> None:
        """See `stick.Ports`."""
        for terminal in self.all:
            terminal.break_down()

    def stall(self, seconds: float) -> None:
        """See `stick.Ports`."""
        for terminal in self.all:
            terminal.stall(seconds)

    def info(self) -> list[dict[str, Any]]:
        """Tell of every port."""
        return [
            {
                "interface": terminal.channel.kind.interface,
                "role": terminal.channel.kind.role,
                "class": terminal.channel.kind.usb_class,
                "label": terminal.channel.kind.label,
                "path": str(terminal.path),
                "pts": terminal.terminal,
            }
            for terminal in self.all
        ]


class World(Rack):
    """Everything that `hwsim up` runs."""

    def __init__(self, options: Options, settings: Settings) -> None:
        self.loop = asyncio.get_running_loop()
        super().__init__(options, settings, LoopClock(self.loop))
        self.smsmode: SmsmodeServer | None = None
        self._terminals: dict[str, Terminals] = {}
        self.bus: Bus | None = None
        self._forbidden: set[str] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> World:
        """Open ports, providers and the control socket; all of them or none."""
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _open(self) -> None:
        watch = OpenWatch(self.loop)
        self._stack.callback(watch.close)
        for stick in self.sticks:
            terminals = Terminals(stick, self.options.folder, watch, self.loop)
            self._terminals[stick.modem.name] = terminals
            stick.ports = terminals
            self._stack.callback(stick.close)
        if self.options.usb:
            from hwsim.usb.bus import Bus

            self.bus = Bus(self.loop, watch, tags=self.options.mm_tags)
            self.bus.on_authorized = self._authorized
            self._stack.callback(self.bus.close)
            for stick in self.sticks:
                self.bus.plug(stick, self._links(stick), at_once=True)
                stick.watchers.append(self._plugged)
        if "smsmode" in self.options.clouds:
            # aiohttp takes half of the start-up budget: only those who ask for a provider pay.
            from hwsim.cloud.server import SmsmodeServer
            from hwsim.cloud.smsmode import Account

            rng = random.Random(f"{self.options.seed} smsmode")
            token = "".join(rng.choices(string.ascii_letters + string.digits, k=32))
            account = Account(self.network.clock, token, rng)
            self.smsmode = await self._stack.enter_async_context(SmsmodeServer(account))
        path = self.options.folder / "ctl"
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._converse, path, limit=LINE_LIMIT)
        self._stack.callback(path.unlink, missing_ok=True)
        self._stack.callback(server.close)

    def _links(self, stick: Stick) -> list[str]:
        terminals = self._terminals[stick.modem.name].all
        return [str(terminal.path.absolute()) for terminal in terminals]

    def _plugged(self, stick: Stick, present: bool) -> None:
        assert self.bus is not None
        if present:
            self.bus.plug(stick, self._links(stick))
        elif stick.usb_path in self._forbidden:
            self.bus.strip(stick.usb_path)
        else:
            self.bus.disappear(stick.usb_path)

    def _authorized(self, place: str, allowed: bool) -> None:
        for stick in self.sticks:
            if stick.usb_path == place:
                if allowed:
                    self._forbidden.discard(place)
                    stick.plug()
                else:
                    self._forbidden.add(place)
                    stick.unplug()

    def usb(self, action: str, arguments: list[str]) -> Any:
        """See `Rack`: list; hilink, remove or change PLACE; storage or switch MODEM."""
        if self.bus is None:
            return super().usb(action, arguments)
        match action, arguments:
            case "list", []:
                return self.bus.info()
            case "hilink", [place]:
                self.bus.hilink(place)
            case "remove", [place]:
                self.bus.disappear(place)
            case "change", [place]:
                self.bus.change(place)
            case "storage", [name]:
                stick = self.stick(name)
                stick.unplug()
                self.bus.storage(stick)
            case "switch", [name]:
                stick = self.stick(name)
                usb = stick.modem.personality.usb
                self.bus.disappear(stick.usb_path)
                stick.unplug(usb.switch_seconds if usb else 0)
            case _:
                raise ValueError(f"{action}: list, hilink, remove, change, storage or switch")
        return None

    async def __aexit__(self, *exception: object) -> None:
        """Close everything and leave no link behind."""
        await self._stack.aclose()

    def info(self) -> dict[str, Any]:
        """Give the first line of `hwsim up`."""
        folder = self.options.folder
        modems = []
        for stick in self.sticks:
            terminals = self._terminals[stick.modem.name]
            best = terminals.best
            modems.append(
                self.describe(stick)
                | {
                    "path": str(best.path) if best else None,
                    "pts": best.terminal if best else None,
                    "ports": terminals.info(),
                }
            )
        cloud = {"smsmode": self.smsmode.info()} if self.smsmode else {}
        if self.bus is not None:
            usb = self.bus.info()
            for row in modems:
                row["ttys"] = self.bus.names(str(row["usb_path"]))
        return {
            "usb": usb if self.bus is not None else None,
            "dir": str(folder),
            "ctl": str(folder / "ctl"),
            "modems": modems,
            "cloud": cloud,
        }

    def cloud(self, name: str, arguments: list[str]) -> Any:
        """See `Rack`."""
        if name != "smsmode" or self.smsmode is None:
            raise ValueError(f"no provider {name} runs here")
        return self.smsmode.account.control(arguments[0], arguments[1:])

    def ports_of(self, stick: Stick) -> dict[str, Any]:
        """See `Rack`."""
        terminals = self._terminals[stick.modem.name]
        opened = [t.channel.kind.interface for t in terminals.all if t.opened]
        return {"open": terminals.best is not None and terminals.best.opened, "opened": opened}

    def hold(self, stick: Stick, held: bool) -> None:
        """See `Rack`."""
        best = self._terminals[stick.modem.name].best
        if best is None:
            raise ValueError("there is no port to hold")
        if held:
            best.hold()
        else:
            best.release()

    def play(self, name: str) -> Any:
        """See `Rack`: its events, from now on; what it types itself is left out."""
        wanted = scenario.load(name)
        verbs.set_up(self, wanted.network)
        self.refused: list[str] = []
        for step in wanted.events():
            self.network.clock.call_later(step.at, lambda step=step: self._play(step))  # type: ignore[misc]
        return {
            "scenario": wanted.name,
            "gateway": wanted.gateway,
            "seconds": wanted.seconds,
            "ask": wanted.ask,
            "expect": wanted.expect,
        }

    def _play(self, step: scenario.Step) -> None:
        try:
            verbs.run(self, step.verb, step.arguments)
        except ValueError as error:
            self.refused.append(str(error))

    # ---------------------------------------------------------------------------- control socket

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self.answer(line), ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass  # the client left, sent an endless line, or the simulator ends
        finally:
            writer.close()

    def answer(self, line: bytes) -> Any:
        """Run the verb of one line; what is wrong with it becomes {"error": reason}."""
        try:
            request = json.loads(line)
            verb, arguments = request["verb"], [str(argument) for argument in request["args"]]
        except (ValueError, KeyError, TypeError) as error:
            return {"error": f"no request: {error}"}
        try:
            return verbs.run(self, verb, arguments)
        except ValueError as error:
            return {"error": str(error)}
