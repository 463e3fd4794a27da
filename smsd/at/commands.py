"""The commands that smsd gives, each with its answer's type and its limit in seconds.

Limits follow what the slowest modem known needs (27.007 and 27.005 set none): too short a limit
makes a working modem look dead, and a delete that was given up brings the same message again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from smsd.at.dialogue import Command
from smsd.at.syntax import AnswerError, fields, find, is_pdu, natural, number, only, ranges, strings
from smsd.at.urcs import Reference


def _nothing(lines: Sequence[str]) -> None:
    return None


def setting(line: str, *, timeout: float = 10.0) -> Command[None]:
    """A command whose only answer is its final result."""
    return Command(line, _nothing, timeout=timeout)


def lines(line: str) -> Command[tuple[str, ...]]:
    """A question whose answer is every line that comes with its prefix, as it is."""
    prefix = re.split("[=?]", line.removeprefix("AT"))[0] + ":"

    def parse(lines: Sequence[str]) -> tuple[str, ...]:
        return tuple(each for each in lines if each.startswith(prefix))

    return Command(line, parse, answers=(prefix,), timeout=5.0, repeats=True)


def attention() -> Command[None]:
    """``AT``: is anybody there?"""
    return setting("AT", timeout=3.0)


def identity(line: str) -> Command[str]:
    """``+CGMI``, ``+CGSN``, ``+CIMI`` …: one text, with or without prefix or quotes."""
    return Command(line, _text, timeout=20.0)


def serial_number() -> Command[str]:
    """``+CGSN``: the IMEI, or what the maker put in its place; empty if none is told."""
    return Command("AT+CGSN", _serial_number, timeout=20.0)


def _serial_number(lines: Sequence[str]) -> str:
    """14 to 17 digits in whatever dress (27.007 5.4): it names the modem, chatter must not."""
    found = (re.fullmatch(r'(?:\+CGSN: *)?"?([0-9]{14,17})"?', line) for line in lines)
    return next((match[1] for match in found if match), "")


def _text(lines: Sequence[str]) -> str:
    """The first line that is not empty once prefix and quotes are off; empty if there is none."""
    for line in lines:
        value = line.partition(":")[2] if line.startswith("+") else line
        if value.strip(' "'):
            return value.strip(' "')
    return ""


class Functionality(IntEnum):
    """``+CFUN`` (27.007 8.2)."""

    MINIMUM = 0
    FULL = 1
    NO_RADIO = 4


def functionality() -> Command[int]:
    """Whether the radio is on (27.007 8.2)."""
    return Command(
        "AT+CFUN?",
        lambda lines: number(fields(only(lines, "+CFUN:"))[0], lines[0]),
        answers=("+CFUN:",),
        timeout=5.0,
    )


def set_functionality(wanted: Functionality) -> Command[None]:
    """Switch the radio; some modems take 15 to 30 s."""
    return setting(f"AT+CFUN={wanted:d}", timeout=40.0)


def pin_state() -> Command[str]:
    """``READY``, ``SIM PIN``, ``SIM PUK`` … (27.007 8.3).

    Empty where the modem answers a bare OK, which some do once the SIM is ready.
    """
    return Command("AT+CPIN?", _pin_state, answers=("+CPIN:",), timeout=10.0, may_lack_final=True)


def _pin_state(lines: Sequence[str]) -> str:
    line = find(lines, "+CPIN")
    return fields(line)[0].upper() if line else ""


def enter_pin(pin: str) -> Command[None]:
    """Enter the PIN: a wrong one burns a try, so it is given once (27.007 8.3)."""
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
        raise ValueError("a PIN has 4 to 8 digits")
    return setting(f'AT+CPIN="{pin}"', timeout=30.0)


def pin_tries(line: str, pattern: str) -> Command[int | None]:
    """How often the PIN may still be tried, by a standard's or a maker's command.

    The first group of the pattern is the number in hexadecimal digits; ``None`` where no line of
    the command's own fits (others may come in between). ``+CPINR`` is 27.007 8.66; a VERIFY without
    a PIN answers 63Cx (31.101 11.1.9).
    """
    prefix = re.split("[=?]", line.removeprefix("AT"))[0] + ":"

    def parse(lines: Sequence[str]) -> int | None:
        for each in lines:
            if each.startswith(prefix) and (match := re.search(pattern, each)):
                try:
                    return int(match[1], 16)
                except ValueError:
                    raise AnswerError(each, "the tries that are left") from None
        return None

    return Command(line, parse, answers=(prefix,), timeout=10.0)


EF_ICCID: Final = "AT+CRSM=176,12258,0,0,10"
"""Reads the SIM's serial number (51.011 10.1.1): works on any modem with +CRSM."""


def iccid(line: str) -> Command[str]:
    """The SIM's serial number, from EF_ICCID or by a vendor's command."""
    prefix = re.split("[=?]", line.removeprefix("AT"))[0] + ":"
    return Command(line, _iccid, answers=(prefix,), timeout=20.0)


def _iccid(lines: Sequence[str]) -> str:
    """18 to 20 digits that begin with 89; nibble-swapped from EF_ICCID; a trailing F is filler.

    Some operators have letters in them (E.118 does not).
    """
    for line in lines:
        for value in reversed(fields(line) if ":" in line else [line]):
            digits = value.strip('" ').upper()
            if digits.startswith("98") and len(digits) == 20:
                digits = "".join(digits[i + 1] + digits[i] for i in range(0, 20, 2))
            digits = digits.rstrip("F")
            if digits.startswith("89") and 18 <= len(digits) <= 20:
                return digits
    raise AnswerError("; ".join(lines), "an ICCID")


class Registration(IntEnum):
    """Network registration (27.007 7.2, 10.1.20, 10.1.22)."""

    NOT_SEARCHING = 0
    HOME = 1
    SEARCHING = 2
    DENIED = 3
    UNKNOWN = 4
    ROAMING = 5
    HOME_SMS_ONLY = 6
    ROAMING_SMS_ONLY = 7
    EMERGENCY_ONLY = 8
    HOME_NO_CSFB = 9
    ROAMING_NO_CSFB = 10

    @property
    def registered(self) -> bool:
        """Whether messages can be sent and received."""
        return self in (1, 5, 6, 7, 9, 10)


REGISTRATION_COMMANDS: Final = ("CREG", "CEREG", "CGREG")


def registration(name: str) -> Command[Registration]:
    """Registration in one of the domains (``CREG``, ``CGREG``, ``CEREG``)."""
    return Command(f"AT+{name}?", _registration, answers=(f"+{name}:",), timeout=10.0)


def _registration(lines: Sequence[str]) -> Registration:
    for line in lines:
        values = fields(line)
        if "REG:" in line and len(values) > 1:  # one value alone is the unsolicited form
            try:
                return Registration(number(values[1], line))
            except ValueError:
                return Registration.UNKNOWN
    raise AnswerError("; ".join(lines), "+CREG: <n>,<stat>")


def signal_quality() -> Command[int | None]:
    """Received signal strength in dBm (27.007 8.5); ``None`` where it is not known."""
    return Command("AT+CSQ", _signal, answers=("+CSQ:",), timeout=5.0)


def _signal(lines: Sequence[str]) -> int | None:
    value = number(fields(only(lines, "+CSQ:"))[0], lines[0])
    return 2 * value - 113 if value <= 31 else None


@dataclass(frozen=True, slots=True)
class Memories:
    """What ``+CPMS=?`` offers: for reading, for writing, for receiving (27.005 3.2.2)."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    receive: tuple[str, ...]


def memories() -> Command[Memories]:
    """The memories that there are."""
    return Command("AT+CPMS=?", _memories, timeout=20.0)


def _memories(lines: Sequence[str]) -> Memories:
    line = only(lines, "+CPMS:")
    groups = [strings(value) for value in fields(line)]
    if len(groups) == 1:  # Wavecom Q2 wraps all of it once more: (("SM","BM","SR"),("SM"))
        inner = line.partition(":")[2].strip()[1:-1]
        groups = [strings(value) for value in fields(":" + inner)]
    if not groups[0]:
        raise AnswerError(line, "the names of memories")
    read, write, receive = ([*groups, (), ()])[:3]
    return Memories(read, write or read, receive or read)


@dataclass(frozen=True, slots=True)
class Fill:
    """How full the memory is that messages are read from."""

    used: int
    total: int


def select_memories(*names: str) -> Command[Fill | None]:
    """Select memories, mem1 first (27.005 3.2.2); ``None`` where the modem tells no counts."""
    quoted = ",".join(f'"{name}"' for name in names)
    return Command(f"AT+CPMS={quoted}", _fill, timeout=20.0)


def _fill(lines: Sequence[str]) -> Fill | None:
    values = fields(find(lines, "+CPMS:") or ":")
    used, total = natural(values[0]), natural(values[1]) if len(values) > 1 else None
    return Fill(used, total) if used is not None and total is not None else None


def count_messages() -> Command[int]:
    """How many records lie in the memories that are selected (27.005 3.2.2).

    The most of those that are selected for reading, writing and receiving.
    """
    return Command("AT+CPMS?", _count, answers=("+CPMS:",), timeout=20.0)


def _count(lines: Sequence[str]) -> int:
    line = only(lines, "+CPMS:")
    return max((number(used, line) for used in fields(line)[1::3]), default=0)


def indications(*values: int) -> Command[None]:
    """``+CNMI=<mode>,<mt>,<bm>,<ds>,<bfr>`` (27.005 3.4.1)."""
    return setting("AT+CNMI=" + ",".join(map(str, values)))


def current_indications() -> Command[tuple[int | None, ...]]:
    """What ``+CNMI`` is set to (27.005 3.4.1)."""
    return Command(
        "AT+CNMI?",
        lambda lines: tuple(map(natural, fields(only(lines, "+CNMI:")))),
        answers=("+CNMI:",),
        timeout=10.0,
    )


def offered_indications() -> Command[tuple[tuple[int, ...], ...]]:
    """The values that ``+CNMI=?`` offers for each of its five fields."""
    return Command("AT+CNMI=?", _offered, timeout=10.0)


def _offered(lines: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    return tuple(ranges(value) for value in fields(only(lines, "+CNMI:")))


@dataclass(frozen=True, slots=True)
class Stored:
    """A record of a memory: its place, its PDU in hex, its TPDU's octets if they are told."""

    index: int
    pdu: str
    length: int | None


def list_messages() -> Command[tuple[Stored, ...]]:
    """All records of the selected memory, read or not, sent or not (27.005 4.1)."""
    return Command("AT+CMGL=4", _listed, timeout=60.0, patient=True)


def _listed(lines: Sequence[str]) -> tuple[Stored, ...]:
    records: list[Stored] = []
    header: str | None = None
    for line in lines:
        if line.startswith("+CMGL:"):
            header = line
        elif header is not None and is_pdu(line):
            values = fields(header)
            index = natural(values[0])
            if index is not None:  # a header that is garbled hides one record, not all of them
                records.append(Stored(index, line.upper(), natural(values[-1])))
            header = None
    return tuple(records)


def read_message(index: int) -> Command[Stored | None]:
    """One record of the selected memory; ``None`` if nothing lies there (27.005 4.2)."""

    def parse(lines: Sequence[str]) -> Stored | None:
        header = find(lines, "+CMGR:")
        if header is None:
            return None
        body = next((line for line in lines[lines.index(header) + 1 :] if is_pdu(line)), None)
        if body is None:
            return None
        return Stored(index, body.upper(), natural(fields(header)[-1]))

    return Command(f"AT+CMGR={index}", parse, timeout=15.0, patient=True)


def delete_message(index: int) -> Command[None]:
    """Delete one record; slow SIMs take more than 5 s (27.005 3.5.4)."""
    return Command(f"AT+CMGD={index}", _nothing, timeout=15.0, patient=True)


def send_pdu(pdu: str, length: int, *, timeout: float = 120.0) -> Command[Reference | None]:
    """Submit a TPDU of ``length`` octets; answers TP-MR (27.005 4.3).

    ``None`` where the modem says OK and gives no reference: it is sent all the same.
    """
    return Command(
        f"AT+CMGS={length}",
        _reference,
        answers=("+CMGS:",),
        payload=pdu.encode("ascii"),
        timeout=timeout,
    )


def _reference(lines: Sequence[str]) -> Reference | None:
    line = find(lines, "+CMGS:")
    value = natural(fields(line)[0]) if line else None
    return None if value is None else Reference(value)


def acknowledge() -> Command[None]:
    """Tell the network that a message handed over directly was kept (27.005 3.4.4)."""
    return setting("AT+CNMA", timeout=3.0)


def service() -> Command[int]:
    """The message service: 1 means that what is handed over waits for ``+CNMA`` (27.005 3.2.1)."""
    return Command(
        "AT+CSMS?", lambda lines: number(fields(only(lines, "+CSMS:"))[0], lines[0]), timeout=10.0
    )


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator's name or number as the network gives it, and how it is reached.

    Both are empty where the modem tells none.
    """

    name: str = ""
    technology: str = ""


# <AcT> (27.007 7.3)
TECHNOLOGIES: Final = (
    "GSM", "GSM compact", "UMTS", "EDGE", "HSDPA", "HSUPA", "HSPA", "LTE", "EC-GSM-IoT", "NB-IoT",
    "LTE-5GC", "NR", "NG-RAN", "LTE-NR",
)  # fmt: skip


def operator() -> Command[Operator]:
    """Which network the modem is in, and by what technology."""
    return Command("AT+COPS?", _operator, answers=("+COPS:",), timeout=20.0)


def _operator(lines: Sequence[str]) -> Operator:
    values = fields(find(lines, "+COPS:") or ":")
    act = natural(values[3]) if len(values) > 3 else None
    technology = TECHNOLOGIES[act] if act is not None and act < len(TECHNOLOGIES) else ""
    return Operator(values[2] if len(values) > 2 else "", technology)


HOTTEST: Final = 150  # degrees Celsius that a modem may tell of itself
_TEMPERATURE_LAST: Final = ("#TEMPMON", "^SCTM", "+CMTE")  # others values stand before it


def temperature(line: str) -> Command[int | None]:
    """The modem's temperature in degrees Celsius by its maker's command; ``None`` if none is told.

    ``+CPMUTEMP: 32``, ``+QTEMP: "pa","31"``, ``^CHIPTEMP: 245,65535`` (tenths), ``#TEMPMON: 0,28``,
    ``^SCTM_B: 0,0,27``, ``+CMTE: 1,27.74``.
    """
    prefix = re.match(r"AT([^=?]*)", line)
    answer = (prefix[1] if prefix else line) + ":"
    return Command(line, _temperature, answers=(answer,), timeout=5.0, repeats=True)


def _temperature(lines: Sequence[str]) -> int | None:
    found: list[int] = []
    for line in lines:
        written = re.findall(r"-?\b[0-9]{1,5}(?:\.[0-9]{1,3})?\b", line.partition(":")[2])
        values = [float(value) for value in written]
        if line.startswith(_TEMPERATURE_LAST):
            values = values[-1:]
        # Over 150 it can only be tenths; what is over that too is how makers write "unknown".
        found += [round(value if abs(value) <= HOTTEST else value / 10) for value in values]
    sane = [value for value in found if -60 <= value <= HOTTEST]
    return max(sane) if sane else None
