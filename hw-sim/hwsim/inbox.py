"""What a modem does with messages from the network: memories, +CNMI, acknowledgements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hwsim import tpdu
from hwsim.at import cms
from hwsim.network import Handset, Network
from hwsim.personality import Personality
from hwsim.sim import JoinedRecords, Memory, Record, Sim
from hwsim.userdata import coding_of, decode_header

WAP_PUSH_PORT = 2948


class Host(Handset, Protocol):
    """What the inbox needs of its modem."""

    personality: Personality
    sim: Sim
    network: Network
    muted: bool

    def after(self, delay: float, callback: Callable[[], None]) -> None:
        """Run `callback` later unless the modem loses power before."""

    def announce(self, lines: list[str], *, at_once: bool = False) -> None:
        """Send an unsolicited code."""

    def announce_template(self, templates: list[str], **more: object) -> None:
        """Say lines of a personality."""

    def text_lines(self, record: Record) -> tuple[str, str]:
        """Show a record as +CMT or +CDS do in text mode: what follows the colon, and the text."""

    def notified(self) -> None:
        """An MMS notification was stored."""


class Inbox:
    """The message side of one modem: memories and routing."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.memories = {
            name: Memory(name, total, first)
            for name, (total, first) in host.personality.memories.items()
        }
        if "MT" in self.memories:
            both, parts = self.memories["MT"], [self.memories["SM"], self.memories["ME"]]
            both.total = sum(memory.total for memory in parts)
            both.records = JoinedRecords(parts, both.first)
        if "ME_P" in self.memories:
            self.memories["ME_P"].records = self.memories["ME"].records
        self.reset()

    def reset(self) -> None:
        """Go back to the settings of the factory; memories keep what they hold."""
        self.service = 0
        self.text_mode = False
        self.show_header = False
        # fo, vp, pid, dcs of +CSMP (27.005 3.5.6)
        self.text_parameters = [17, 167, 0, 0]
        self.more = 0
        self.chosen = list(self.host.personality.start_memories)
        self.cnmi = [0, 0, 0, 0, 0]
        self.unacknowledged: bytes | None = None
        self.buffered: list[list[str]] = []
        self._told_full = False
        self.card_changed()

    def card_changed(self) -> None:
        """What is on the card goes with the card."""
        for name in ("SM", "SM_P"):
            if name in self.memories:
                self.memories[name].records = self.host.sim.records

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
            return self._route("+CMT: ", octets)
        memory = self.memories[self.chosen[2]]
        index = self._replaced(memory, octets) if 0x41 <= pid <= 0x47 else None
        if index is None:
            if memory.full:
                self._tell_full(memory)
                return False
            index = memory.add(self._record(octets))
        else:
            memory.records[index] = self._record(octets)
        if self.host.personality.first_memory_follows:
            self.chosen[0] = memory.name
        if self.cnmi[1]:
            self._tell([f'+CMTI: "{memory.name}",{index}'])
        if _is_wap_push(octets):
            self.host.notified()
        return True

    def _tell_full(self, memory: Memory) -> None:
        if not self._told_full:
            self._told_full = True
            self.host.announce_template(self.host.personality.full_sign, memory=memory.name)

    def freed(self) -> None:
        """Room was made: the network is told, and may offer again (24.011 5.3.3)."""
        self._told_full = False
        self.host.network.retry(self.host)

    def _receive_report(self, octets: bytes) -> bool:
        if self.host.personality.damaged_reports:
            octets = b"\x00\x00\x00\xff\x00" + octets[5:]
        if self.cnmi[3] == 1:
            return self._route(self.host.personality.report_head, octets)
        memory = self.memories.get(self.host.personality.report_memory)
        if memory is None or (memory.full and self.cnmi[3] == 0):
            return True
        if memory.full:
            return False
        index = memory.add(self._record(octets))
        if self.cnmi[3] == 2:
            wrong = self.host.personality.report_announced_as
            said = wrong or f'"{memory.name}",{index}'
            self._tell([f"+CDSI: {said}"])
        return True

    def _route(self, head: str, octets: bytes) -> bool:
        if self.unacknowledged is not None:
            return False
        record = self._record(octets)
        if self.service == 1:
            self.unacknowledged = octets
            self.host.after(self.host.personality.acknowledge_within, lambda: self._expire(octets))
        if self.text_mode:
            shown, text = self.host.text_lines(record)
            self._tell([head + shown, text] if text else [head + shown])
            return True
        length, pdu = self.show(record)
        self._tell([head + (length if head.startswith("+CMT") else length[1:]), pdu])
        return True

    def _expire(self, octets: bytes) -> None:
        """No +CNMA came: routing ends, the message is kept (27.005 3.4.4, 3.4.1)."""
        if self.unacknowledged is not octets:
            return
        self.unacknowledged = None
        self.cnmi[1] = self.cnmi[3] = 0
        if not self.receive(octets):
            self.host.network.give_back(self.host, octets)
        self.host.network.resume(self.host)

    def _tell(self, lines: list[str]) -> None:
        if self.host.muted:
            return
        if self.cnmi[0] == 0:
            self.buffered.append(lines)
        else:
            self.host.announce(lines, at_once=self.urgent)

    urgent = False

    def _record(self, octets: bytes) -> Record:
        return Record(octets, tpdu.encode_sc_address(self.host.sim.smsc))

    def _replaced(self, memory: Memory, octets: bytes) -> int | None:
        """Find the message that this "replace short message" replaces (23.040 9.2.3.9)."""
        head = octets[1 : 4 + (octets[1] + 1) // 2]
        for index, record in memory.records.items():
            if record.tpdu[0] & 3 == 0 and record.tpdu[1 : 1 + len(head)] == head:
                return index
        return None

    def show(self, record: Record) -> tuple[str, str]:
        """Give `,<length>` and the PDU as lists and reads show them."""
        pdu = (record.sc + record.tpdu).hex()
        lower = self.host.personality.lower_case_hex
        return f",{len(record.tpdu)}", pdu if lower else pdu.upper()

    # -------------------------------------------------------------------------- to the network

    def check_network(self) -> None:
        """Refuse while not registered."""
        if self.host.registration not in (1, 5):
            raise cms(331)


def _pid_and_dcs(octets: bytes) -> tuple[int, int]:
    """Find TP-PID and TP-DCS behind the address of an SMS-DELIVER; 0, 0 when it is cut short."""
    start = 3 + (octets[1] + 1) // 2 if len(octets) > 1 else len(octets)
    pair = octets[start : start + 2]
    return (pair[0], pair[1]) if len(pair) == 2 else (0, 0)


def _is_wap_push(octets: bytes) -> bool:
    if not octets[0] & 0x40:
        return False
    start = 3 + (octets[1] + 1) // 2 + 2 + 7 + 1
    try:
        elements = decode_header(octets[start + 1 : start + 1 + octets[start]]) or []
    except IndexError:
        return False
    port = WAP_PUSH_PORT.to_bytes(2, "big").hex()
    return any(e["iei"] == 5 and str(e["data"]).lower().startswith(port) for e in elements)
