"""A PDU field by field for people: octets, clause and meaning."""

from __future__ import annotations

from smsd.gsm import address
from smsd.gsm.causes import failure_cause
from smsd.gsm.coding import GSM7, DataCoding
from smsd.gsm.header import (
    CONCATENATION_8,
    CONCATENATION_16,
    LOCKING_SHIFT,
    PORTS_8,
    PORTS_16,
    SINGLE_SHIFT,
    SPECIAL_INDICATION,
    split,
)
from smsd.gsm.pdu import PDU
from smsd.gsm.status import Status
from smsd.gsm.tables import Language
from smsd.gsm.tpdu import Command, Deliver, DeliverReport, StatusReport, Submit, SubmitReport
from smsd.gsm.userdata import TEXT, UserData
from smsd.gsm.validity import Absolute, Enhanced, Relative, Validity
from smsd.gsm.values import TYPE_CHECKING, dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_NAMES = {
    Deliver: ("SMS-DELIVER", "9.2.2.1"),
    Submit: ("SMS-SUBMIT", "9.2.2.2"),
    StatusReport: ("SMS-STATUS-REPORT", "9.2.2.3"),
    Command: ("SMS-COMMAND", "9.2.2.4"),
    DeliverReport: ("SMS-DELIVER-REPORT", "9.2.2.1a"),
    SubmitReport: ("SMS-SUBMIT-REPORT", "9.2.2.2a"),
}
_ELEMENTS = {
    CONCATENATION_8: ("concatenation, 8-bit reference", "9.2.3.24.1"),
    SPECIAL_INDICATION: ("special message indication", "9.2.3.24.2"),
    PORTS_8: ("application ports, 8 bit", "9.2.3.24.3"),
    PORTS_16: ("application ports, 16 bit", "9.2.3.24.4"),
    0x06: ("service centre control", "9.2.3.24.5"),
    0x07: ("source of the header", "9.2.3.24.6"),
    CONCATENATION_16: ("concatenation, 16-bit reference", "9.2.3.24.8"),
    0x09: ("wireless control message", "9.2.3.24.9"),
    0x20: ("RFC 822 e-mail header", "9.2.3.24.11"),
    0x21: ("hyperlink", "9.2.3.24.12"),
    0x22: ("reply address", "9.2.3.24.13"),
    0x23: ("enhanced voice mail", "9.2.3.24.14"),
    SINGLE_SHIFT: ("national language single shift", "9.2.3.24.15"),
    LOCKING_SHIFT: ("national language locking shift", "9.2.3.24.16"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One field: its octets, its name, the clause of 23.040 unless it says so, what it means."""

    octets: bytes
    field: str
    clause: str
    meaning: str


def dissect(octets: bytes, pdu: PDU, start: int) -> Iterator[Row]:
    """Yield the fields of octets that were read as this PDU; the TPDU begins at `start`."""
    walk = _Walk(octets, start)
    if start:
        sc = "the one that the SIM knows" if pdu.sc is None else _address(pdu.sc)
        yield Row(octets[:start], "service centre", "24.011 8.2.5.1", sc)
    tpdu = pdu.tpdu
    name, clause = _NAMES[type(tpdu)]
    yield walk.row(1, "first octet", clause, f"{name}: {_first_octet(octets[start], tpdu)}")
    match tpdu:
        case Deliver():
            yield walk.address("originator", "9.2.3.7", tpdu.originator)
            yield from _pid_and_dcs(walk, tpdu.pid, tpdu.coding)
            yield walk.row(7, "sent at", "9.2.3.11", _time(tpdu.sent_at))
            yield from _user_data(walk, tpdu.user_data)
        case Submit():
            yield walk.row(1, "reference", "9.2.3.6", str(tpdu.reference))
            yield walk.address("destination", "9.2.3.8", tpdu.destination)
            yield from _pid_and_dcs(walk, tpdu.pid, tpdu.coding)
            if tpdu.validity is not None:
                size = len(tpdu.validity.encode())
                yield walk.row(size, "validity", "9.2.3.12", _validity(tpdu.validity))
            yield from _user_data(walk, tpdu.user_data)
        case StatusReport():
            yield walk.row(1, "reference", "9.2.3.6", str(tpdu.reference))
            yield walk.address("recipient", "9.2.3.14", tpdu.recipient)
            yield walk.row(7, "sent at", "9.2.3.11", _time(tpdu.sent_at))
            yield walk.row(7, "discharged at", "9.2.3.13", _time(tpdu.discharged_at))
            yield walk.row(1, "status", "9.2.3.15", _status(tpdu.status))
            yield from _parameters(walk, tpdu)
        case Command():
            yield walk.row(1, "reference", "9.2.3.6", str(tpdu.reference))
            yield walk.row(1, "protocol", "9.2.3.9", _pid(tpdu.pid))
            yield walk.row(1, "command", "9.2.3.19", _COMMANDS.get(tpdu.command, "reserved"))
            yield walk.row(1, "message number", "9.2.3.18", str(tpdu.message_number))
            yield walk.address("destination", "9.2.3.8", tpdu.destination)
            yield walk.row(1, "length", "9.2.3.20", f"{len(tpdu.data)} octets")
            yield walk.row(len(tpdu.data), "command data", "9.2.3.21", "")
        case DeliverReport() | SubmitReport():
            if tpdu.failure_cause is not None:
                cause = failure_cause(tpdu.failure_cause) or "reserved or application specific"
                yield walk.row(1, "failure cause", "9.2.3.22", cause)
            yield from _parameters(walk, tpdu)
    if walk.at < len(octets):
        yield walk.row(len(octets) - walk.at, "beyond the end", "", "ignored")


_COMMANDS = {
    0: "enquiry",
    1: "cancel status report request",
    2: "delete message",
    3: "enable report",
}
_PIDS = {
    0x00: "short message, no interworking",
    0x40: "type 0: acknowledged, neither stored nor shown",
    0x5F: "return call message",
    0x7C: "ANSI-136 R-DATA",
    0x7D: "mobile equipment data download",
    0x7E: "mobile equipment de-personalisation",
    0x7F: "(U)SIM data download",
} | {0x40 + number: f"replace short message type {number}" for number in range(1, 8)}


class _Walk:
    """A place in the octets that moves on with every row."""

    def __init__(self, octets: bytes, at: int) -> None:
        self.octets = octets
        self.at = at

    def row(self, count: int, field: str, clause: str, meaning: str) -> Row:
        """Return the next `count` octets as a row."""
        taken = self.octets[self.at : self.at + count]
        self.at += count
        return Row(taken, field, clause, meaning)

    def address(self, field: str, clause: str, meaning: address.Address) -> Row:
        """Return the address that comes next as a row."""
        count = address.end(self.octets, self.at, field) - self.at
        return self.row(count, field, clause, _address(meaning))


def _first_octet(first: int, tpdu: object) -> str:
    bits = {0x40: "a header follows (UDHI)"}
    match tpdu:
        case Deliver() | StatusReport():
            bits[0x08] = "loop prevention (LP)"
            bits[0x20] = (
                "report wanted (SRI)" if isinstance(tpdu, Deliver) else "for a command (SRQ)"
            )
        case Submit():
            bits |= {0x04: "reject duplicates (RD)", 0x20: "report wanted (SRR)"}
        case Command():
            bits[0x20] = "report wanted (SRR)"
    if isinstance(tpdu, Deliver | Submit):
        bits[0x80] = "reply path (RP)"
    said = [meaning for bit, meaning in bits.items() if first & bit]
    if isinstance(tpdu, Deliver | StatusReport) and tpdu.more:
        said.append("more messages wait (MMS)")
    return ", ".join(said) or "no flags"


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


def _address(value: address.Address) -> str:
    return f"{value.number} ({_words(value.ton.name)}, {_words(value.npi.name)})"


def _time(value: datetime | None) -> str:
    return "no valid time" if value is None else value.isoformat(" ")


def _pid(pid: int) -> str:
    return _PIDS.get(
        pid, "telematic interworking" if 0x20 <= pid < 0x40 else "reserved or specific"
    )


def _coding(coding: DataCoding) -> str:
    said = [{"gsm7": "default alphabet", "data8": "8-bit data", "ucs2": "UCS-2"}[coding.alphabet]]
    if coding.message_class is not None:
        said.append(f"class {coding.message_class.value} ({_words(coding.message_class.name)})")
    waiting = coding.waiting
    if waiting is not None:
        state = "waits" if waiting.active else "no longer waits"
        said.append(
            f"{waiting.kind} {state}, {'store' if waiting.store else 'discard'} the message"
        )
    for flag in ("compressed", "auto_delete", "reserved"):
        if getattr(coding, flag):
            said.append(_words(flag))
    return ", ".join(said)


def _pid_and_dcs(walk: _Walk, pid: int, coding: DataCoding) -> Iterator[Row]:
    yield walk.row(1, "protocol", "9.2.3.9", _pid(pid))
    yield walk.row(1, "data coding", "9.2.3.10", _coding(coding))


def _status(status: Status) -> str:
    return f"{status.outcome}: {status.words}"


def _validity(validity: Validity) -> str:
    match validity:
        case Relative():
            return f"{validity.minutes} minutes after it reaches the centre"
        case Absolute():
            return f"until {_time(validity.until)}"
        case Enhanced():
            period = "none" if validity.seconds is None else f"{validity.seconds} seconds"
            return f"enhanced: {period}{', single shot' if validity.single_shot else ''}"


def _parameters(walk: _Walk, tpdu: StatusReport | DeliverReport | SubmitReport) -> Iterator[Row]:
    """Yield TP-PI, what a SUBMIT-REPORT has behind it, and what it announces."""
    if walk.at >= len(walk.octets):
        return
    extensions = 1
    while walk.octets[walk.at + extensions - 1] & 0x80:
        extensions += 1
    parameters = (("pid", tpdu.pid), ("dcs", tpdu.coding), ("user data", tpdu.user_data))
    names = ", ".join(name for name, value in parameters if value is not None)
    yield walk.row(extensions, "parameter indicator", "9.2.3.27", names or "nothing follows")
    if isinstance(tpdu, SubmitReport):
        yield walk.row(7, "sent at", "9.2.3.11", _time(tpdu.sent_at))
    if tpdu.pid is not None:
        yield walk.row(1, "protocol", "9.2.3.9", _pid(tpdu.pid))
    if tpdu.coding is not None:
        yield walk.row(1, "data coding", "9.2.3.10", _coding(tpdu.coding))
    if tpdu.user_data is not None:
        yield from _user_data(walk, tpdu.user_data)


def _user_data(walk: _Walk, user_data: UserData) -> Iterator[Row]:
    unit = "septets" if TEXT[user_data.coding.octet] is GSM7 else "octets"
    yield walk.row(1, "user data length", "9.2.3.16", f"{user_data.length} {unit}")
    size = user_data.header_size
    if size:
        elements = split(user_data.header)
        said = f"{size - 1} octets"
        if size > 1 and not elements:
            said += ", malformed: ignored"
        yield walk.row(1, "header length", "9.2.3.24", said)
        for iei, data in elements:
            yield walk.row(2 + len(data), *_element(iei, data))
        if size > 1 and not elements:
            yield walk.row(size - 1, "header", "9.2.3.24", "malformed: ignored")
    text = user_data.text
    meaning = f"{len(user_data.data)} octets" if text is None else text
    field = "data" if text is None else "text"
    yield walk.row(len(user_data.octets) - size, field, "9.2.3.24", meaning)


def _element(iei: int, data: bytes) -> tuple[str, str, str]:
    """Return name, clause and meaning of an information element."""
    name, clause = _ELEMENTS.get(iei, (f"element {iei:02X}", "9.2.3.24"))
    if 0x0A <= iei <= 0x1F:
        name, clause = f"enhanced messaging, element {iei:02X}", "9.2.3.24.10"
    elif 0x70 <= iei <= 0x7F:
        name, clause = "(U)SIM toolkit security header", "9.2.3.24.7"
    meaning = data.hex().upper()
    if iei in (CONCATENATION_8, CONCATENATION_16) and len(data) >= 3:
        reference = int.from_bytes(data[:-2], "big")
        meaning = f"part {data[-1]} of {data[-2]}, reference {reference}"
    elif iei in (PORTS_8, PORTS_16) and len(data) in (2, 4):
        half = len(data) // 2
        to, source = (int.from_bytes(end, "big") for end in (data[:half], data[half:]))
        meaning = f"to {to} from {source}"
    elif iei in (SINGLE_SHIFT, LOCKING_SHIFT) and len(data) == 1:
        meaning = (
            _words(Language(data[0]).name) if data[0] in tuple(Language) else "reserved: default"
        )
    return name, clause, meaning
