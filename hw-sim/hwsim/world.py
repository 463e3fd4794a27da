"""One simulated world: modems on their ports, the network between them, providers, and verbs."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import string
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim import network as net
from hwsim.clock import LoopClock
from hwsim.faults import Fault
from hwsim.history import History
from hwsim.modem import Modem
from hwsim.network import Network
from hwsim.personality import load
from hwsim.port import Port
from hwsim.sim import Record, Sim
from hwsim.tpdu import encode_sc_address

if TYPE_CHECKING:
    from hwsim.cloud.server import SmsmodeServer

SMSC = "+33609001390"
LINE_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Options:
    """What `hwsim up` was asked for."""

    folder: Path
    modems: int = 1
    personality: str = "generic"
    clouds: tuple[str, ...] = ()
    seed: int = 0
    pin: str | None = None


def make_sim(position: int, rng: random.Random, pin: str | None = None) -> Sim:
    """Make the card of the modem at `position`; its number is the same for every seed."""
    body = f"893301{position:02}{rng.randrange(10**11):011}"
    return Sim(
        number=f"+336000000{position:02}",
        iccid=body + _luhn(body),
        imsi=f"20801{rng.randrange(10**10):010}",
        smsc=SMSC,
        pin=pin,
        reference=rng.randrange(256),
    )


def _luhn(digits: str) -> str:
    """Give the check digit of ITU-T E.118."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


class World:
    """Everything that `hwsim up` runs."""

    def __init__(self, options: Options, settings: net.Settings) -> None:
        self.options = options
        self.loop = asyncio.get_running_loop()
        self.network = Network(LoopClock(self.loop), settings)
        self.history = History(self.network.sent)
        self.ports: list[Port] = []
        self._modems: list[Modem] = []
        self.smsmode: SmsmodeServer | None = None
        self._stack = AsyncExitStack()
        rng = random.Random(options.seed)
        personality = load(options.personality)
        for position in range(options.modems):
            sim = make_sim(position, rng, options.pin)
            imei = f"35{rng.randrange(10**12):012}"
            modem = Modem(
                f"modem{position}", imei + _luhn(imei), sim, personality, self.network, options.seed
            )
            self.network.connect(modem)
            self._modems.append(modem)

    async def __aenter__(self) -> World:
        """Open ports, providers and the control socket; all of them or none."""
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _open(self) -> None:
        for modem in self._modems:
            port = Port(modem, self.options.folder / modem.name, self.loop)
            self._stack.callback(port.close)
            self.ports.append(port)
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

    async def __aexit__(self, *exception: object) -> None:
        """Close everything and leave no link behind."""
        await self._stack.aclose()

    def info(self) -> dict[str, Any]:
        """Give the first line of `hwsim up`."""
        folder = self.options.folder
        modems = [
            {
                "name": port.modem.name,
                "path": str(port.path),
                "pts": port.terminal,
                "number": port.modem.number,
                "iccid": port.modem.sim.iccid,
                "imsi": port.modem.sim.imsi,
                "imei": port.modem.imei,
                "smsc": port.modem.sim.smsc,
                "pin": port.modem.sim.pin,
            }
            for port in self.ports
        ]
        cloud = {"smsmode": self.smsmode.info()} if self.smsmode else {}
        return {
            "dir": str(folder),
            "ctl": str(folder / "ctl"),
            "modems": modems,
            "cloud": cloud,
        }

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
        handler = VERBS.get(verb)
        if handler is None:
            return {"error": f"no verb {verb}: there are {', '.join(VERBS)}"}
        try:
            result = handler(self, arguments)
        except (ValueError, IndexError, KeyError) as error:
            return {"error": f"{verb}: {error}"}
        return {"ok": True} if result is None else result

    def port(self, name: str) -> Port:
        """Find a port by name or number of its modem."""
        for port in self.ports:
            if name in (port.modem.name, port.modem.number):
                return port
        raise ValueError(f"no modem {name}: there are modem0 to modem{len(self.ports) - 1}")


# --------------------------------------------------------------------------------------- verbs

Verb = Callable[[World, list[str]], Any]


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of leaving the program."""

    def error(self, message: str) -> Any:
        """See `argparse`."""
        raise ValueError(message)


def _incoming_parser() -> _Parser:
    parser = _Parser("incoming", add_help=False)
    parser.add_argument("--reference", type=int)
    parser.add_argument("--wide", action="store_true")
    parser.add_argument("--class", type=int, choices=range(4), dest="message_class")
    parser.add_argument("--reverse", action="store_true")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--raw", action="store_true", help="TEXT is hex, sent as 8-bit data")
    return parser


def _incoming(world: World, arguments: list[str]) -> Any:
    if len(arguments) < 3:
        raise ValueError("it wants TO FROM TEXT, then options")
    # By place, because a text may well begin with a dash.
    to, sender, text = arguments[:3]
    chosen = _incoming_parser().parse_args(arguments[3:])
    modem = world.port(to).modem
    message = net.Incoming(
        sender=sender,
        text=None if chosen.raw else text,
        data=bytes.fromhex(text) if chosen.raw else b"",
        reference=chosen.reference,
        wide=chosen.wide,
        message_class=chosen.message_class,
    )
    now = world.network.clock.now()
    parts = net.cut(message, now, world.network.next_concat_reference())
    if chosen.reverse:
        parts.reverse()
    for part in parts:
        for _ in range(chosen.repeat):
            world.network.deliver(modem, part)
    return {"parts": len(parts), "tpdus": [part.hex().upper() for part in parts]}


def _incoming_pdu(world: World, arguments: list[str]) -> None:
    to, octets = arguments
    world.network.deliver(world.port(to).modem, bytes.fromhex(octets))


def _clear(world: World, arguments: list[str]) -> None:
    world.history.clear()


def _fault_parser() -> _Parser:
    parser = _Parser("fault", add_help=False)
    parser.add_argument("modem")
    parser.add_argument("kind")
    parser.add_argument("value", type=float, nargs="?")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--after", type=int, default=0)
    return parser


def _fault(world: World, arguments: list[str]) -> None:
    chosen = _fault_parser().parse_args(arguments)
    fault = Fault(chosen.kind, chosen.value, chosen.count, chosen.after)
    world.port(chosen.modem).modem.arm(fault)


def _faults(world: World, arguments: list[str]) -> Any:
    armed = world.port(arguments[0]).modem.faults.armed
    if arguments[1:] == ["clear"]:
        armed.clear()
    return [
        {"kind": fault.kind, "value": fault.value, "count": fault.count, "after": fault.after}
        for fault in armed
    ]


def _unplug(world: World, arguments: list[str]) -> None:
    seconds = float(arguments[1]) if arguments[1:] else None
    world.port(arguments[0]).unplug(seconds)


def _call(world: World, arguments: list[str]) -> None:
    modem = world.port(arguments[0]).modem
    modem.ring(arguments[1], float(arguments[2]) if arguments[2:] else 10.0)


def _network(world: World, arguments: list[str]) -> None:
    key, value = arguments
    settings = world.network.settings
    match key:
        case "registered":
            if int(value) not in (0, 1, 2, 3, 5):
                raise ValueError(f"registered {value}: 0, 1, 2, 3 or 5")
            world.network.register(int(value))
        case "reports":
            settings.reports = {"on": True, "off": False, "1": True, "0": False}[value]
        case "report-delay":
            settings.report_delay = float(value)
        case "deliver-delay":
            settings.deliver_delay = float(value)
        case "latency":
            settings.latency = float(value)
        case "report-status":
            settings.report_status = int(value)
        case "loss":
            settings.loss = bool(int(value))
        case _:
            raise ValueError(f"no key {key}")


def _modem(world: World, arguments: list[str]) -> Any:
    port = world.port(arguments[0])
    modem = port.modem
    return {
        "name": modem.name,
        "plugged": port.plugged,
        "open": port.opened,
        "dead": modem.dead,
        "registered": modem.registration,
        "pin_state": modem.pin_state,
        "pin_tries": modem.sim.pin_tries,
        "pin_entered": modem.pin_entered,
        "mode": modem.mode.value,
        "caller": modem.caller.number if modem.caller else None,
        "storage": {
            name: {
                "used": len(memory.records),
                "total": memory.total,
                "indexes": sorted(memory.records),
            }
            for name, memory in modem.messages.memories.items()
        },
        "chosen": modem.messages.chosen,
        "echo": modem.settings.echo,
        "cnmi": modem.messages.cnmi,
        "csms": modem.messages.service,
        "log": list(modem.log),
    }


def _store(world: World, arguments: list[str]) -> Any:
    name, memory_name, octets = arguments
    modem = world.port(name).modem
    memory = modem.messages.memories[memory_name]
    if memory.full:
        raise ValueError(f"{memory_name} is full")
    record = Record(bytes.fromhex(octets), encode_sc_address(modem.sim.smsc))
    return {"index": memory.add(record)}


def _cloud(world: World, arguments: list[str]) -> Any:
    if arguments[0] != "smsmode" or world.smsmode is None:
        raise ValueError(f"no provider {arguments[0]} runs here")
    return world.smsmode.account.control(arguments[1], arguments[2:])


VERBS: dict[str, Verb] = {
    "info": lambda world, arguments: world.info(),
    "incoming": _incoming,
    "incoming-pdu": _incoming_pdu,
    "sent": lambda world, arguments: world.history.sent(),
    "messages": lambda world, arguments: world.history.messages(),
    "clear": _clear,
    "fault": _fault,
    "faults": _faults,
    "unplug": _unplug,
    "plug": lambda world, arguments: world.port(arguments[0]).plug(),
    "revive": lambda world, arguments: world.port(arguments[0]).modem.revive(),
    "call": _call,
    "network": _network,
    "modem": _modem,
    "store": _store,
    "cloud": _cloud,
}
