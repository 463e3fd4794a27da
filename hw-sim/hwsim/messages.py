"""The commands of 27.005 and what a modem does with messages from the network."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from hwsim import at, tpdu
from hwsim.at import Request, cms
from hwsim.faults import Fault
from hwsim.sim import READ, SENT, UNREAD, UNSENT, Memory, Record
from hwsim.userdata import coding_of

if TYPE_CHECKING:
    from hwsim.commands import Outcome
    from hwsim.modem import Modem

# An SMS-SUBMIT without user data to one digit, and the longest of 23.040 9.2.2.2.
SHORTEST, LONGEST = 8, 164
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
TABLE: dict[str, Callable[[Messages, Request], Outcome]] = {}


def _command(
    *names: str,
) -> Callable[[Callable[[Messages, Request], Outcome]], Callable[[Messages, Request], Outcome]]:
    def add(
        handler: Callable[[Messages, Request], Outcome],
    ) -> Callable[[Messages, Request], Outcome]:
        for name in names:
            TABLE[name] = handler
        return handler

    return add


def check_card(modem: Modem) -> None:
    """Refuse while the card is closed or not yet ready."""
    if not modem.unlocked:
        raise cms({"SIM PIN": 311, "SIM PUK": 316}.get(modem.pin_state, 313))
    if modem.sim_busy:
        raise cms(314)


class Messages:
    """The message side of one modem: memories, routing, sending."""

    def __init__(self, modem: Modem) -> None:
        self.modem = modem
        self.memories = {
            name: Memory(name, total, first)
            for name, (total, first) in modem.personality.memories.items()
        }
        self.reset()

    def reset(self) -> None:
        """Go back to the settings of the factory; memories keep what they hold."""
        self.service = 0
        self.text_mode = False
        self.more = 0
        self.chosen = list(self.modem.personality.start_memories)
        self.cnmi = [0, 0, 0, 0, 0]
        self.unacknowledged: bytes | None = None
        self._buffered: list[list[str]] = []

    @property
    def read_memory(self) -> Memory:
        """The memory named mem1: read, listed, deleted."""
        return self.memories[self.chosen[0]]

    # ------------------------------------------------------------------ from the network

    def receive(self, octets: bytes) -> bool:
        """Store or route one TPDU by +CNMI; False when there is no room or one is pending."""
        if octets[0] & 3 == 2:
            return self._receive_report(octets)
        pid, dcs = _pid_and_dcs(octets)
        if pid == 0x40:
            return True  # type 0: acknowledged and forgotten (23.040 9.2.3.9)
        coding = coding_of(dcs)
        stored_by_class = coding.message_class == 2 or dcs >> 4 in (0xD, 0xE)
        routed = self.cnmi[1] == 2 and not stored_by_class
        if routed or (self.cnmi[1] == 3 and coding.message_class == 3):
            return self._route("+CMT: ,", octets)
        memory = self.memories[self.chosen[2]]
        index = self._replaced(memory, octets) if 0x41 <= pid <= 0x47 else None
        if index is None:
            if memory.full:
                return False
            index = memory.add(self._record(octets))
        else:
            memory.records[index] = self._record(octets)
        if self.cnmi[1]:
            self._tell([f'+CMTI: "{memory.name}",{index}'])
        return True

    def _receive_report(self, octets: bytes) -> bool:
        if self.cnmi[3] == 1:
            return self._route("+CDS: ", octets)
        memory = self.memories.get(self.modem.personality.report_memory)
        if memory is None or (memory.full and self.cnmi[3] == 0):
            return True
        if memory.full:
            return False
        index = memory.add(self._record(octets))
        if self.cnmi[3] == 2:
            self._tell([f'+CDSI: "{memory.name}",{index}'])
        return True

    def _route(self, head: str, octets: bytes) -> bool:
        if self.unacknowledged is not None:
            return False
        pdu = self._hex(tpdu.encode_sc_address(self.modem.sim.smsc) + octets)
        if self.service == 1:
            self.unacknowledged = octets
            self.modem.after(
                self.modem.personality.acknowledge_within, lambda: self._expire(octets)
            )
        self._tell([f"{head}{len(octets)}", pdu])
        return True

    def _expire(self, octets: bytes) -> None:
        """No +CNMA came: routing ends, the message is kept (27.005 3.4.4, 3.4.1)."""
        if self.unacknowledged is not octets:
            return
        self.unacknowledged = None
        self.cnmi[1] = self.cnmi[3] = 0
        if not self.receive(octets):
            self.modem.network.give_back(self.modem, octets)
        self.modem.network.resume(self.modem)

    def _tell(self, lines: list[str]) -> None:
        if self.cnmi[0] == 0:
            self._buffered.append(lines)
        else:
            self.modem.announce(lines, at_once=self.urgent)

    urgent = False

    def _record(self, octets: bytes) -> Record:
        return Record(octets, tpdu.encode_sc_address(self.modem.sim.smsc))

    def _replaced(self, memory: Memory, octets: bytes) -> int | None:
        """Find the message that this "replace short message" replaces (23.040 9.2.3.9)."""
        head = octets[1 : 4 + (octets[1] + 1) // 2]
        for index, record in memory.records.items():
            if record.tpdu[0] & 3 == 0 and record.tpdu[1 : 1 + len(head)] == head:
                return index
        return None

    def _hex(self, octets: bytes) -> str:
        return octets.hex() if self.modem.personality.lower_case_hex else octets.hex().upper()

    def show(self, record: Record) -> tuple[str, str]:
        """Give `,<length>` and the PDU as lists and reads show them."""
        return f",{len(record.tpdu)}", self._hex(record.sc + record.tpdu)

    # -------------------------------------------------------------------------- to the network

    def check_network(self) -> None:
        """Refuse while not registered."""
        if self.modem.registration not in (1, 5):
            raise cms(331)

    def parse(self, entry: str, length: int) -> tuple[bytes, bytes]:
        """Check what was typed at the prompt: SC address and TPDU, else +CMS ERROR: 304."""
        if not _HEX.fullmatch(entry):
            raise cms(304)
        octets = bytes.fromhex(entry)
        centre = octets[: octets[0] + 1]
        body = octets[len(centre) :]
        if len(body) != length or len(centre) not in (1, *range(3, 13)) or not body:
            raise cms(304)
        return centre, body

    def send(self, name: str, centre: bytes, body: bytes, fault: Fault | None) -> None:
        """Submit, and answer as the fault wants it."""
        try:
            tpdu.outline_submit(body)
        except tpdu.Malformed as error:
            raise cms(304) from error
        if centre == b"\x00" and not self.modem.sim.smsc:
            raise cms(330)
        modem, kind = self.modem, fault.kind if fault else ""
        value = fault.value if fault else None
        if kind == "cms":
            raise cms(int(value or 0))
        if kind == "dead":
            modem.dead = True
            return
        if kind == "unplug-before":
            modem.vanish(value)
            return
        if kind == "swallow":
            modem.leave_unanswered()
            return
        reference = modem.sim.next_reference()
        octets = body[:1] + bytes([reference]) + body[2:]
        self.urgent = kind == "report-first"
        modem.network.submit(modem, octets, report_at_once=self.urgent)
        self.urgent = False
        blocks = [[f"{name}: {reference}"]]
        if kind == "error":
            raise at.Refusal("error")
        if kind == "silence":
            modem.leave_unanswered()
        elif kind == "late":
            modem.after(value or 0, lambda: modem.answer(blocks))
        elif kind == "unplug-after":
            modem.vanish(value)
        elif kind == "no-reference":
            modem.answer()
        else:
            modem.answer(blocks)


def _pid_and_dcs(octets: bytes) -> tuple[int, int]:
    """Find TP-PID and TP-DCS behind the address of an SMS-DELIVER; 0, 0 when it is cut short."""
    start = 3 + (octets[1] + 1) // 2 if len(octets) > 1 else len(octets)
    pair = octets[start : start + 2]
    return (pair[0], pair[1]) if len(pair) == 2 else (0, 0)


def _one(request: Request, allowed: tuple[int, ...], code: int) -> int:
    """Read the first argument as one of the allowed numbers."""
    text = request.arguments()[0] if request.form == "set" else ""
    if not text.isdecimal() or int(text) not in allowed:
        raise cms(code)
    return int(text)


@_command("+CMGF")
def _format(messages: Messages, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CMGF: (0,1)"]
    if request.form == "read":
        return [f"+CMGF: {int(messages.text_mode)}"]
    messages.text_mode = bool(_one(request, (0, 1), 303))
    return []


@_command("+CSMS")
def _service(messages: Messages, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CSMS: (0,1)"]
    if request.form == "read":
        return [f"+CSMS: {messages.service},1,1,1"]
    messages.service = _one(request, (0, 1), 303)
    if not messages.service and messages.modem.personality.routing_needs_service:
        messages.cnmi[1] = messages.cnmi[3] = 0
    return ["+CSMS: 1,1,1"]


@_command("+CMMS")
def _more_messages(messages: Messages, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CMMS: (0-2)"]
    if request.form == "read":
        return [f"+CMMS: {messages.more}"]
    messages.more = _one(request, (0, 1, 2), 302)
    return []


@_command("+CPMS")
def _choose(messages: Messages, request: Request) -> Outcome:
    offered = messages.modem.personality.memories_of
    if request.form == "test":
        lists = ["(" + ",".join(f'"{name}"' for name in column) + ")" for column in offered]
        return ["+CPMS: " + ",".join(lists)]
    if request.form == "set":
        names = [name.upper() for name in request.strings()]
        if not 0 < len(names) <= 3:
            raise cms(302)
        for name, column in zip(names, offered, strict=False):
            if name not in column:
                raise cms(302)
        messages.chosen[: len(names)] = names
        messages.modem.network.retry(messages.modem)
    chosen = [messages.memories[name] for name in messages.chosen]
    if request.form == "read":
        counts = [f'"{m.name}",{len(m.records)},{m.total}' for m in chosen]
    else:
        counts = [f"{len(m.records)},{m.total}" for m in chosen]
    return ["+CPMS: " + ",".join(counts)]


@_command("+CNMI")
def _indications(messages: Messages, request: Request) -> Outcome:
    personality = messages.modem.personality
    if request.form == "test":
        return ["+CNMI: " + ",".join(personality.cnmi_offer)]
    if request.form == "read":
        return ["+CNMI: " + ",".join(map(str, messages.cnmi))]
    if request.form == "run":
        wanted = [0, 0, 0, 0, 0]
    else:
        given = [argument.strip() for argument in request.arguments()]
        if len(given) > 5 or any(g and not g.isdecimal() for g in given):
            raise cms(302)
        wanted = list(messages.cnmi)
        for position, text in enumerate(given):
            if text:
                wanted[position] = int(text)
    if personality.cnmi_accept:
        allowed = ",".join(map(str, wanted)) in personality.cnmi_accept
    else:
        pairs = zip(wanted, personality.cnmi_offer, strict=True)
        allowed = all(number in _offered(offer) for number, offer in pairs)
    if personality.routing_needs_service and (wanted[1] > 1 or wanted[3] == 1):
        allowed = allowed and messages.service == 1
    if not allowed:
        raise cms(303)
    messages.cnmi = wanted
    messages.modem.network.retry(messages.modem)
    if wanted[0]:
        buffered, messages._buffered = messages._buffered, []
        for lines in buffered if wanted[4] == 0 else []:
            messages.modem.announce(lines)
    return []


def _offered(offer: str) -> set[int]:
    """Read a list of 27.007 5.3 such as (0-2) or (0,2)."""
    found: set[int] = set()
    for piece in offer.strip("()").split(","):
        low, _, high = piece.partition("-")
        found |= set(range(int(low), int(high or low) + 1))
    return found


@_command("+CNMA")
def _acknowledge(messages: Messages, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CNMA: (0-2)"]
    if messages.service == 0 or messages.unacknowledged is None:
        raise cms(340)
    arguments = request.numbers() if request.form == "set" else [0]
    if arguments[0] not in (0, 1, 2):
        raise cms(302)

    def settle() -> None:
        octets, messages.unacknowledged = messages.unacknowledged, None
        network = messages.modem.network
        if arguments[0] == 2 and octets is not None:
            network.give_back(messages.modem, octets)
        else:
            # The next one must not overtake the OK of this acknowledgement.
            messages.modem.after(0, lambda: network.resume(messages.modem))

    def entered(entry: str) -> None:
        if not _HEX.fullmatch(entry) or len(entry) // 2 != arguments[1]:
            raise cms(304)
        settle()
        messages.modem.answer()

    if len(arguments) > 1 and arguments[1]:
        return at.Prompt(entered)
    settle()
    return []


def _check_pdu_mode(messages: Messages) -> None:
    if messages.text_mode:
        raise cms(303)


@_command("+CMGL")
def _list(messages: Messages, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CMGL: (0-4)"]
    _check_pdu_mode(messages)
    wanted = 0 if request.form == "run" else _one(request, (0, 1, 2, 3, 4), 302)
    lines = []
    for index, record in sorted(messages.read_memory.records.items()):
        if wanted in (4, record.status):
            length, pdu = messages.show(record)
            lines += [f"+CMGL: {index},{record.status},{length}", pdu]
            record.status = READ if record.status == UNREAD else record.status
    return lines


def _slot(messages: Messages, request: Request) -> tuple[int, Record | None]:
    """Find the slot that the first argument names; refuses one that does not exist."""
    text = request.arguments()[0] if request.form == "set" else ""
    if not text.isdecimal() or not messages.read_memory.holds(int(text)):
        raise cms(321)
    return int(text), messages.read_memory.records.get(int(text))


@_command("+CMGR")
def _read(messages: Messages, request: Request) -> Outcome:
    if request.form == "test":
        return []
    _check_pdu_mode(messages)
    _, record = _slot(messages, request)
    if record is None:
        if messages.modem.personality.empty_slot_is_ok:
            return []
        raise cms(321)
    length, pdu = messages.show(record)
    lines = [f"+CMGR: {record.status},{length}", pdu]
    record.status = READ if record.status == UNREAD else record.status
    return lines


@_command("+CMGD")
def _delete(messages: Messages, request: Request) -> Outcome:
    memory = messages.read_memory
    if request.form == "test":
        return [f"+CMGD: ({','.join(map(str, sorted(memory.records)))}),(0-4)"]
    flags = [*request.arguments(), ""][1]
    if flags not in ("", "0", "1", "2", "3", "4"):
        raise cms(302)
    if flags in ("", "0"):
        index, _ = _slot(messages, request)
        memory.records.pop(index, None)
    else:
        doomed = [{READ}, {READ, SENT}, {READ, SENT, UNSENT}, {READ, SENT, UNSENT, UNREAD}]
        statuses = doomed[int(flags) - 1]
        for index in [i for i, r in memory.records.items() if r.status in statuses]:
            del memory.records[index]
    messages.modem.network.retry(messages.modem)
    return []


def _length(messages: Messages, request: Request) -> int:
    _check_pdu_mode(messages)
    text = request.arguments()[0] if request.form == "set" else ""
    if not text.isdecimal() or not SHORTEST <= int(text) <= LONGEST:
        raise cms(304)
    return int(text)


@_command("+CMGS")
def _send(messages: Messages, request: Request) -> Outcome:
    if request.form == "test":
        return []
    length = _length(messages, request)
    messages.check_network()
    fault = messages.modem.faults.strike()
    if fault and fault.kind == "cms-prompt":
        raise cms(int(fault.value or 0))

    def entered(entry: str) -> None:
        messages.send("+CMGS", *messages.parse(entry, length), fault)

    return at.Prompt(entered, deaf=fault is not None and fault.kind == "no-prompt")


@_command("+CMGW")
def _write(messages: Messages, request: Request) -> Outcome:
    if request.form == "test":
        return []
    length = _length(messages, request)
    status = [*request.arguments(), ""][1] or "2"
    if status not in ("0", "1", "2", "3"):
        raise cms(302)

    def entered(entry: str) -> None:
        centre, body = messages.parse(entry, length)
        memory = messages.memories[messages.chosen[1]]
        if memory.full:
            raise cms(322)
        index = memory.add(Record(body, centre, int(status)))
        messages.modem.answer([[f"+CMGW: {index}"]])

    return at.Prompt(entered)


@_command("+CMSS")
def _send_stored(messages: Messages, request: Request) -> Outcome:
    if request.form == "test":
        return []
    memory = messages.memories[messages.chosen[1]]
    index = _one(request, tuple(memory.records), 321)
    record = memory.records[index]
    messages.check_network()
    record.status = SENT
    messages.send("+CMSS", record.sc, record.tpdu, messages.modem.faults.strike())
    return None
