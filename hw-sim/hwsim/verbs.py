"""The verbs of `hwsim ctl` and of scenarios: each takes words and gives what is printed."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, NoReturn

from hwsim import incoming as out
from hwsim import special
from hwsim.cards import make_sim
from hwsim.commands import ussd
from hwsim.faults import Fault
from hwsim.ills import KINDS as ILLS
from hwsim.ills import ill
from hwsim.network import Latency, UssdReply
from hwsim.personality import Personality
from hwsim.rack import Rack
from hwsim.sim import Record
from hwsim.stick import Stick
from hwsim.tpdu import encode_sc_address

Verb = Callable[[Rack, list[str]], Any]
SERVICES = {"none": 0, "home": 1, "searching": 2, "denied": 3, "roaming": 5}


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of leaving the program."""

    def __init__(self, name: str) -> None:
        super().__init__(name, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """See `argparse`."""
        raise ValueError(message)


# ------------------------------------------------------------------------------------ messages


def _incoming_parser() -> _Parser:
    parser = _Parser("incoming")
    parser.add_argument("--reference", type=int)
    parser.add_argument("--wide", action="store_true")
    parser.add_argument("--class", type=int, choices=range(4), dest="message_class")
    parser.add_argument("--reverse", action="store_true")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--drop", type=int, help="the part that never comes")
    parser.add_argument("--raw", action="store_true", help="TEXT is hex, sent as 8-bit data")
    parser.add_argument("--count", type=int, default=1, help="so many messages; {n} in TEXT counts")
    return parser


def _incoming(rack: Rack, arguments: list[str]) -> Any:
    if len(arguments) < 3:
        raise ValueError("it wants TO FROM TEXT, then options")
    # By place, because a text may well begin with a dash.
    to, sender, text = arguments[:3]
    chosen = _incoming_parser().parse_args(arguments[3:])
    modem = rack.stick(to).modem
    parts: list[bytes] = []
    for number in range(1, chosen.count + 1):
        told = text.replace("{n}", str(number)) if chosen.count > 1 else text
        message = out.Incoming(
            sender=sender,
            text=None if chosen.raw else told,
            data=bytes.fromhex(text) if chosen.raw else b"",
            reference=chosen.reference,
            wide=chosen.wide,
            message_class=chosen.message_class,
        )
        now = rack.network.clock.now()
        cut = out.cut(message, now, rack.network.next_concat_reference())
        if chosen.drop is not None:
            del cut[chosen.drop - 1]
        parts += reversed(cut) if chosen.reverse else cut
    for part in parts:
        for _ in range(chosen.repeat):
            rack.network.deliver(modem, part)
    return {"parts": len(parts), "tpdus": [part.hex().upper() for part in parts]}


def _incoming_pdu(rack: Rack, arguments: list[str]) -> None:
    to, octets = arguments
    rack.network.deliver(rack.stick(to).modem, bytes.fromhex(octets))


def _special(rack: Rack, arguments: list[str]) -> Any:
    to, kind, sender, *rest = arguments
    octets = special.message(kind, sender, " ".join(rest), rack.network.clock.now())
    rack.network.deliver(rack.stick(to).modem, octets)
    return {"tpdu": octets.hex().upper()}


def _clear(rack: Rack, arguments: list[str]) -> None:
    rack.history.clear()


def _store(rack: Rack, arguments: list[str]) -> Any:
    name, memory_name, octets, *rest = arguments
    modem = rack.stick(name).modem
    memory = modem.inbox.memories[memory_name]
    indexes = []
    for _ in range(int(rest[0]) if rest else 1):
        if memory.full:
            raise ValueError(f"{memory_name} is full")
        record = Record(bytes.fromhex(octets), encode_sc_address(modem.sim.smsc))
        indexes.append(memory.add(record))
    return {"index": indexes[0]} if not rest else {"indexes": indexes}


# -------------------------------------------------------------------------------------- faults


def _fault_parser() -> _Parser:
    parser = _Parser("fault")
    parser.add_argument("modem")
    parser.add_argument("kind")
    parser.add_argument("value", type=float, nargs="?")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--after", type=int, default=0)
    return parser


def _fault(rack: Rack, arguments: list[str]) -> None:
    chosen = _fault_parser().parse_args(arguments)
    stick = rack.stick(chosen.modem)
    if chosen.kind.upper() in ILLS:
        stick.fall_ill(ill(chosen.kind.upper(), chosen.value))
    else:
        stick.modem.arm(Fault(chosen.kind, chosen.value, chosen.count, chosen.after))


def _faults(rack: Rack, arguments: list[str]) -> Any:
    stick = rack.stick(arguments[0])
    modem, armed = stick.modem, stick.modem.faults.armed
    if arguments[1:] == ["clear"]:
        armed.clear()
        stick.recover()
    rows: list[dict[str, Any]] = [
        {"kind": fault.kind, "value": fault.value, "count": fault.count, "after": fault.after}
        for fault in armed
    ]
    sick = modem.ills.all.values()
    return rows + [{"kind": i.kind, "value": i.value, "acute": i.acute} for i in sick]


# -------------------------------------------------------------------------------------- modems


def _unplug(rack: Rack, arguments: list[str]) -> None:
    seconds = float(arguments[1]) if arguments[1:] else None
    rack.stick(arguments[0]).unplug(seconds)


def _exchange(rack: Rack, arguments: list[str]) -> None:
    """Two sticks, each plugged in where the other was."""
    first, second = (rack.stick(name) for name in arguments[:2])
    seconds = float(arguments[2]) if arguments[2:] else 2.0
    for stick in (first, second):
        stick.unplug()
    first.trade(second)
    for stick in (first, second):
        stick.unplug(seconds)


def _call(rack: Rack, arguments: list[str]) -> None:
    modem = rack.stick(arguments[0]).modem
    modem.ring(arguments[1], float(arguments[2]) if arguments[2:] else 10.0)


def _sim(rack: Rack, arguments: list[str]) -> Any:
    """out, in, swap [SECONDS], busy SECONDS, pin TRIES, puk TRIES, reference N, keep-pin."""
    stick, action, *rest = rack.stick(arguments[0]), *arguments[1:]
    modem = stick.modem
    match action:
        case "out":
            modem.remove_card()
        case "in":
            modem.insert_card(modem.sim)
        case "swap":
            _swap(rack, stick, float(rest[0]) if rest else 1.0)
        case "busy":
            modem.make_busy(float(rest[0]), int(rest[1]) if rest[1:] else 14)
        case "pin":
            modem.sim.pin_tries = int(rest[0])
        case "puk":
            modem.sim.puk_tries = int(rest[0])
        case "reference":
            modem.sim.reference = int(rest[0])
        case "keep-pin":
            modem.sim.may_disable_pin = False
        case _:
            raise ValueError(f"{action}: out, in, swap, busy, pin, puk, reference or keep-pin")
    return {"iccid": modem.sim.iccid, "number": modem.sim.number}


def _swap(rack: Rack, stick: Stick, seconds: float) -> None:
    modem, before = stick.modem, stick.modem.number
    fresh = make_sim(rack.new_number(), rack.rng, rack.options.pin)
    modem.remove_card()

    def insert() -> None:
        modem.insert_card(fresh)
        rack.network.move(modem, before)

    if seconds > 0:
        modem.after(seconds, insert)
    else:
        insert()


def _say(rack: Rack, arguments: list[str]) -> None:
    """Lines of any kind, now or inside the next answer of a command."""
    parser = _Parser("say")
    parser.add_argument("modem")
    parser.add_argument("lines", nargs="+")
    parser.add_argument("--inside", metavar="COMMAND")
    parser.add_argument("--at-once", action="store_true")
    chosen = parser.parse_args(arguments)
    modem = rack.stick(chosen.modem).modem
    if chosen.inside:
        for line in modem.lines:
            line.inserts[chosen.inside.upper()] = list(chosen.lines)
    else:
        for text in chosen.lines:
            modem.announce([text], at_once=chosen.at_once)


def _quirk(rack: Rack, arguments: list[str]) -> Any:
    """Change one key of the modem's personality; the value is TOML."""
    modem = rack.stick(arguments[0]).modem
    if not arguments[1:]:
        return {key.name: str(getattr(modem.personality, key.name)) for key in fields(Personality)}
    key = arguments[1]
    value: Any = tomllib.loads(f"value = {arguments[2]}")["value"]
    current = getattr(modem.personality, key, None)
    if key not in {known.name for known in fields(Personality)}:
        raise ValueError(f"no quirk {key}")
    if type(current) is not type(value) and not (
        isinstance(current, float) and isinstance(value, int)
    ):
        raise ValueError(f"{key} is a {type(current).__name__}")
    changed: dict[str, Any] = {key: value}
    modem.personality = replace(modem.personality, **changed)
    return {key: value}


def _signal(rack: Rack, arguments: list[str]) -> None:
    rack.stick(arguments[0]).modem.signal = int(arguments[1])


def _service(rack: Rack, arguments: list[str]) -> None:
    modem = rack.stick(arguments[0]).modem
    modem.service = None if arguments[1] == "network" else SERVICES[arguments[1]]
    modem.registration_changed()


def _credit(rack: Rack, arguments: list[str]) -> Any:
    modem = rack.stick(arguments[0]).modem
    if arguments[1:]:
        left = None if arguments[1] == "unlimited" else float(arguments[1])
        rack.network.set_credit(modem, left)
    return {"credit": rack.network.credit(modem)}


def _modem(rack: Rack, arguments: list[str]) -> Any:
    stick = rack.stick(arguments[0])
    modem, inbox = stick.modem, stick.modem.inbox
    return rack.ports_of(stick) | {
        "name": modem.name,
        "plugged": stick.plugged,
        "dead": modem.dead,
        "registered": modem.registration,
        "card": modem.card_in,
        "iccid": modem.sim.iccid,
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
            for name, memory in inbox.memories.items()
        },
        "chosen": inbox.chosen,
        "echo": modem.best.manners.echo if modem.best else None,
        "cnmi": inbox.cnmi,
        "csms": inbox.service,
        "radio": modem.radio,
        "waiting": rack.network.waiting(modem),
        "lines": modem.lines_read,
        "log": list(modem.log),
    }


# ---------------------------------------------------------------------------------------- USSD


def _ussd_parser() -> _Parser:
    parser = _Parser("ussd")
    parser.add_argument("--reply", action="store_true", help="the network wants an answer (1)")
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--before-ok", action="store_true")
    parser.add_argument("--ucs2", action="store_true")
    parser.add_argument("--scheme", type=int, help="a data coding scheme that lies")
    parser.add_argument("--twice", action="store_true", help="the same again 0.2 s later")
    parser.add_argument("--release", action="store_true", help="a +CUSD: 2 behind it")
    parser.add_argument("--empty-first", action="store_true", help="an empty +CUSD: 0 before it")
    parser.add_argument("--mode", type=int, choices=range(6))
    return parser


def _ussd(rack: Rack, arguments: list[str]) -> Any:
    """CODE TEXT [options] sets an answer, CODE - none at all; `push MODEM TEXT` begins one."""
    if len(arguments) < 2:
        raise ValueError("it wants CODE TEXT or push MODEM TEXT")
    if arguments[0] == "push":
        modem = rack.stick(arguments[1]).modem
        chosen = _ussd_parser().parse_args(arguments[3:])
        for reply in _replies(arguments[2], chosen):
            ussd.tell(modem, reply)
        return None
    code, text, *rest = arguments
    chosen = _ussd_parser().parse_args(rest)
    rack.network.ussd[code] = [] if text == "-" else _replies(text, chosen)
    return {"code": code, "replies": len(rack.network.ussd[code])}


def _replies(text: str, chosen: argparse.Namespace) -> list[UssdReply]:
    mode = chosen.mode if chosen.mode is not None else int(chosen.reply)
    main = UssdReply(
        text=text.replace("\\n", "\n"),
        mode=mode,
        delay=chosen.delay,
        at_once=chosen.before_ok,
        coding="ucs2" if chosen.ucs2 else "",
        scheme=chosen.scheme,
    )
    replies = [main]
    if chosen.empty_first:
        replies.insert(0, UssdReply(None, delay=chosen.delay / 2))
    if chosen.twice:
        replies.append(replace(main, delay=chosen.delay + 0.2, at_once=False))
    if chosen.release:
        replies.append(UssdReply(None, 2, chosen.delay + 0.3))
    return replies


# ------------------------------------------------------------------------------------- network


def _switch(value: str) -> bool:
    return {"on": True, "off": False, "1": True, "0": False}[value]


def _network(rack: Rack, arguments: list[str]) -> Any:
    key, *values = arguments
    network, settings = rack.network, rack.network.settings
    match key, values:
        case "registered", [value]:
            if int(value) not in (0, 1, 2, 3, 5):
                raise ValueError(f"registered {value}: 0, 1, 2, 3 or 5")
            network.register(int(value))
        case "service", [value]:
            network.register(SERVICES[value])
        case "reports", ["early"]:
            settings.reports, settings.reports_early = True, True
        case "reports", ["never"]:
            settings.reports = False
        case "reports", [value]:
            settings.reports, settings.reports_early = _switch(value), False
        case "report-status", [value]:
            settings.report_status = int(value)
        case (("report-delay" | "deliver-delay" | "latency" | "link-setup"), [value]):
            setattr(settings, key.replace("-", "_"), float(value))
        case (("loss" | "report-loss" | "duplicate" | "reorder"), [value]):
            setattr(settings, key.replace("-", "_"), float(value))
        case "send-latency", [kind, *numbers]:
            if kind not in ("fixed", "uniform", "lognormal"):
                kind, numbers = "fixed", [kind]
            settings.send_latency = Latency(kind, *(float(number) for number in numbers))
        case "error", ["off"]:
            network.fail(None, 0)
        case "error", [code, *seconds]:
            network.fail(int(code), float(seconds[0]) if seconds else float("inf"))
        case "refuse", [number, "off"]:
            network.refuse(number, None, 0)
        case "refuse", [number, code, *count]:
            network.refuse(number, int(code), float(count[0]) if count else float("inf"))
        case _:
            raise ValueError(f"no key {' '.join(arguments)}")
    return None


def attempts(rack: Rack, arguments: list[str]) -> Any:
    """Say how many submissions reached the network, refused ones included."""
    return {"attempts": rack.network.attempts, "accepted": len(rack.network.sent)}


VERBS: dict[str, Verb] = {
    "info": lambda rack, arguments: rack.info(),
    "incoming": _incoming,
    "incoming-pdu": _incoming_pdu,
    "special": _special,
    "sent": lambda rack, arguments: rack.history.sent(),
    "messages": lambda rack, arguments: rack.history.messages(),
    "attempts": attempts,
    "clear": _clear,
    "fault": _fault,
    "faults": _faults,
    "unplug": _unplug,
    "plug": lambda rack, arguments: rack.stick(arguments[0]).plug(),
    "exchange": _exchange,
    "revive": lambda rack, arguments: rack.stick(arguments[0]).modem.revive(),
    "hold": lambda rack, arguments: rack.hold(rack.stick(arguments[0]), True),
    "release": lambda rack, arguments: rack.hold(rack.stick(arguments[0]), False),
    "call": _call,
    "sim": _sim,
    "say": _say,
    "quirk": _quirk,
    "signal": _signal,
    "service": _service,
    "credit": _credit,
    "ussd": _ussd,
    "network": _network,
    "modem": _modem,
    "store": _store,
    "cloud": lambda rack, arguments: rack.cloud(arguments[0], arguments[1:]),
    "usb": lambda rack, arguments: rack.usb(arguments[0], arguments[1:]),
    "play": lambda rack, arguments: rack.play(arguments[0]),
}


def run(rack: Rack, verb: str, arguments: list[str]) -> Any:
    """Run one; raises ValueError with the reason when it is refused."""
    handler = VERBS.get(verb)
    if handler is None:
        raise ValueError(f"no verb {verb}: there are {', '.join(VERBS)}")
    try:
        result = handler(rack, arguments)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{verb}: {error}") from error
    return {"ok": True} if result is None else result


def set_up(rack: Rack, network: dict[str, Any]) -> None:
    """Turn the network as a scenario wants it."""
    for key, value in network.items():
        run(rack, "network", [key, *str(value).split()])
