"""The last lines on a modem's wire, kept in memory with all that is private left out.

What may be shown is listed, and all else is told by its length only: a line that is not known
may be anybody's text. A whole line is masked at a time, so no slicing of the stream can show half
a secret, and what stands between quotes or under a message's header is masked wherever it ends.
"""

import asyncio
import logging
import re
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from smsd.adapters.abilities import WireLine
from smsd.at.quoted import MOST_LINES, is_open
from smsd.at.urcs import is_known
from smsd.logs import fields

log: Final = logging.getLogger("smsd.at.trace")

LINES: Final = 500  # kept a modem: some minutes of work, some hours of rest
LONGEST_LINE: Final = 4096  # octets; a longer one is told by its length alone
DUMP_EVERY: Final = 600.0  # seconds between two dumps of a modem that fails again and again,
SELDOM: Final = 86_400.0  # doubling up to this while it fails for the same reason
SENT, RECEIVED, NOTE, OPENED = ">", "<", "!", "opened"

# Lines that say nothing of anybody.
_WORDS: Final = frozenset(
    {
        "OK", "ERROR", "RING", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "CONNECT", "RDY",
        "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS", "Call Ready", "SMS Ready", "PB DONE",
        "SMS DONE", "NORMAL POWER DOWN", "POWERED DOWN", "UNDER-VOLTAGE WARNNING",
        "OVER-VOLTAGE WARNNING", "UNDER-VOLTAGE POWER DOWN", "OVER-VOLTAGE POWER DOWN", ">",
    }
)  # fmt: skip
# Their values are the modem's own: names of memories, states, levels, places in a list.
_OPEN: Final = frozenset(
    {
        "+CREG", "+CGREG", "+CEREG", "+CSQ", "+CPMS", "+CNMI", "+CMTI", "+CDSI", "+CPIN", "+CPINR",
        "+CFUN", "+CMEE", "+CSMS", "+CSCS", "+CMGS", "+CMGL", "+CMGR", "+CMGD", "+CMGF", "+CMMS",
        "+CMS ERROR", "+CME ERROR", "+CIEV", "+CRC", "+CRING", "+CVHU", "+CNSMOD", "+CSQN",
        "+QIND", "+WIND", "+CGMI", "+CGMM", "+CGMR", "+CGSN", "+CIMI", "+CRSM", "+CCID", "+ICCID",
        "+QCCID", "^ICCID", "+CICCID", "+CCLK", "+CLIP", "+CCWA", "+CNUM", "+CSCA", "+CHUP",
        "+CMT", "+CDS", "+CBM", "+COPS", "+CPAS", "+CNMA", "+GMI", "+GMM", "+GMR", "+GSN", "+CHLD",
        "^RSSI", "^HCSQ", "^MODE", "^BOOT", "^SIMST", "^SRVST", "^CEND", "^CONF", "^CONN", "^ORIG",
        "^CURC", "^SYSINFO", "^SMMEMFULL", "+CPMUTEMP", "+QTEMP", "^CHIPTEMP", "#TEMPMON", "^SCTM",
        "VOICE CALL", "MISSED_CALL", "+ZUSIMR", "+ZPASR", "+QSIMSTAT", "+QUSIM", "+CGEV",
    }
)  # fmt: skip
# What follows these is a message, in hex or (if PDU mode was lost) as text.
_HEADERS: Final = ("+CMT:", "+CDS:", "+CBM:", "+CMGL:", "+CMGR:")
# Of these the quoted values are a person's: a number may stand as a name.
_NAMES: Final = frozenset({"+CMT", "+CMGL", "+CMGR", "+CNUM", "+CLIP", "+CCWA", "+CBM", "+CDS"})
# Commands of which a bare line is the answer: make, model, serial numbers.
_IDENTITY: Final = re.compile(r"(AT)?(\+C?G(MI|MM|MR|SN)|\+CIMI|I\d?)")
_NUMBER: Final = re.compile(r"(\+?[0-9]{2})[0-9*#]{2,}([0-9]{3})")
_HEX: Final = re.compile(r"\b[0-9A-Fa-f]{12,}\b")
_FINAL: Final = re.compile(rb"[\r\n](OK|ERROR)\r\n$")
_QUOTED: Final = re.compile(r'"([^"]*)("|$)')


def sized(text: str) -> str:
    """What a text is told by: how long it is."""
    return f"<{len(text)}>"


def shortened(line: str) -> str:
    """Numbers with their middle left out, octets in hex as their count."""
    line = _HEX.sub(lambda m: m[0] if m[0].isdigit() else f"<{len(m[0]) // 2} octets>", line)
    return _NUMBER.sub(r"\1…\2", line)


def command(line: str) -> str:
    """A command line as it may be shown: the names of all, the values of those on the list."""
    return ";".join(_one_command(part) for part in _apart(line))


def _apart(line: str) -> list[str]:
    """The commands between semicolons that no quotes hold; an open quote holds all the rest."""
    parts, quoted = [""], False
    for char in line:
        quoted ^= char == '"'
        if char == ";" and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _one_command(part: str) -> str:
    name, mark, values = part.partition("=")
    bare = name.removeprefix("AT").upper()
    if not re.fullmatch(r"([+^*%#$_!][A-Z][A-Z0-9_]{0,15}|(?!D)[A-Z&][A-Z0-9&]{0,5})?\??", bare):
        return sized(part)
    if mark and values != "?" and re.search("PIN|CLCK|CPWD|CSIM", bare):
        return f"{name}=…"  # not even how long it is
    if not mark or values in ("?", ""):
        return name + mark + values
    # The code of an alphabet or a memory is short; what is longer could be anything.
    safe = bare in _OPEN and bare not in ("+CPIN", "+CSCA", "+CNUM")
    if not safe or any(len(q) > 6 for q, _ in _QUOTED.findall(values)):
        return f"{name}={sized(values)}"
    return f"{name}={shortened(values)}"


@dataclass(slots=True)
class Mask:
    """Reads the lines that come in order, and says how each may be shown."""

    _asked: str = ""
    _text: list[str] | None = None
    _body: bool = False

    def asked(self, line: str) -> None:
        """A command was written: bare lines after it may be its answer."""
        self._asked = line

    def line(self, line: str) -> str:
        """A whole line that came, without its end."""
        prefix = line.partition(":")[0] + ":" if ":" in line else line
        if self._text is not None:
            if not is_known(line, prefix) and prefix != "+CMEE:" and not _final(line):
                self._text.append(line)
                if len(self._text) >= MOST_LINES or not is_open("\n".join(self._text)):
                    self._text = None
                return f"{sized(line)} of the text"
            self._text = None
        if self._body and not (_final(line) or is_known(line, prefix) or prefix in _HEADERS):
            return sized(line)  # one line in PDU mode, any number where it is a text
        self._body = line.startswith(_HEADERS)
        if is_open(line):
            self._text = [line]
        return self._shown(line)

    def _shown(self, line: str) -> str:
        if line.lstrip("\x1b").upper().startswith("AT"):
            return command(line.lstrip("\x1b"))  # an echo
        if line in _WORDS:
            return line
        head, colon, rest = line.partition(":")
        if not colon:
            if _IDENTITY.match(self._asked) and len(line) <= 40 and ";" not in self._asked:
                return shortened(line)
            return sized(line)
        name = head.strip()
        if name == "+CUSD":
            return _ussd(line)
        if name not in _OPEN:
            known = re.fullmatch(r"[+^*%#$_!][A-Z0-9_]{2,12}", name)
            return f"{name}: {sized(rest)}" if known else sized(line)
        if name in _NAMES:
            rest = _QUOTED.sub(lambda m: f'"{_person(m[1])}"', rest)
        return f"{name}:{shortened(rest)}"


def _final(line: str) -> bool:
    return line in ("OK", "ERROR") or line.startswith(("+CMS ERROR:", "+CME ERROR:"))


def _ussd(line: str) -> str:
    """``+CUSD`` with all between its first and its last quote as one."""
    first, last = line.find('"'), line.rfind('"')
    if first < 0:
        return line if re.fullmatch(r"\+CUSD: *\d?", line) else f"+CUSD: {sized(line[6:])}"
    tail = line[last + 1 :] if last > first else ""
    if not re.fullmatch(r" *(, *\d* *)?", tail):
        last, tail = len(line), ""
    inner = sized(line[first + 1 : last if last > first else len(line)])
    return f"+CUSD: {inner}{tail}"


def _person(value: str) -> str:
    """A number shortened, a name or a text by its length."""
    return shortened(value) if re.fullmatch(r"\+?[0-9*#]{7,}", value) else sized(value)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the wire: its number, when (the loop's clock, seconds), which way, what."""

    number: int
    at: float
    direction: str
    text: str


class _Slice(NamedTuple):
    """What was written or came at once, unread; ``words`` is what a note says."""

    direction: str
    at: float
    data: bytes
    words: str = ""

    @property
    def lines(self) -> int:
        """About how many lines it has; a modem's own are set between two line ends."""
        return 1 + self.data.count(b"\r")

    @property
    def ends_all(self) -> bool:
        """Whether nothing is open after it, neither a line nor a text nor a message's body."""
        return self.direction == RECEIVED and _FINAL.search(self.data) is not None


class Trace:
    """What one modem's wire carried last, whichever opening of it.

    It is read, and masked, when somebody asks: on a busy wire nobody does. What is older than the
    lines that are kept is forgotten unread, up to a final result, where nothing is open.
    For the log: ``name`` is how the modem is known, ``device`` the port that was opened last.
    """

    def __init__(self, name: str = "") -> None:
        self._name = name
        self.device: str | None = None
        self._unread: deque[_Slice] = deque()
        self._waiting = 0
        self._lines: deque[Line] = deque(maxlen=LINES)
        self._count = 0
        self._rest = b""
        self._overlong = 0
        self._mask = Mask()
        self._grown = asyncio.Event()
        self._dumped = float("-inf")
        self._reason = ""
        self._gap = DUMP_EVERY
        self._dumped_to = 0

    def opened(self) -> None:
        """The port is opened (anew): nothing that came before goes on."""
        self._keep(OPENED, b"", "opened")

    def sent(self, data: bytes) -> None:
        """What was written, whole lines at a time."""
        self._keep(SENT, data)

    def received(self, data: bytes) -> None:
        """What came, in whatever slices."""
        self._keep(RECEIVED, data)

    def note(self, words: str) -> None:
        """Something that is no line: a time that ran out."""
        self._keep(NOTE, b"", words)

    def _keep(self, direction: str, data: bytes, words: str = "") -> None:
        piece = _Slice(direction, _now(), data, words)
        self._unread.append(piece)
        self._waiting += piece.lines
        self._grown.set()
        if log.isEnabledFor(logging.DEBUG):
            self._read()
        elif self._waiting > 4 * LINES:
            self._forget()

    def _forget(self) -> None:
        """Leave the oldest unread; where a wire has no final result for long, all is read."""
        waiting, safe = self._waiting, 0
        for number, piece in enumerate(self._unread, start=1):
            waiting -= piece.lines
            if waiting < 2 * LINES:
                break
            if piece.ends_all:
                safe = number
        if not safe:
            self._read()
            return
        for _ in range(safe):
            self._waiting -= self._unread.popleft().lines
        self._lines.clear()
        self._rest, self._overlong, self._mask = b"", 0, Mask()

    def _read(self) -> None:
        """Read and mask what nobody has asked for so far."""
        while self._unread:
            piece = self._unread.popleft()
            match piece.direction:
                case "<":
                    self._read_received(piece)
                case ">":
                    self._read_sent(piece)
                case _:
                    if piece.direction == OPENED:
                        self._rest, self._overlong, self._mask = b"", 0, Mask()
                    self._add(piece.at, NOTE, piece.words)
        self._waiting = 0

    def _read_sent(self, piece: _Slice) -> None:
        *payload, data = piece.data.split(b"\x1a")
        for octets in payload:
            self._add(piece.at, SENT, f"{len(octets)} hex digits and Ctrl-Z")
        for line in data.split(b"\r"):
            if line.startswith(b"\x1b"):
                self._add(piece.at, SENT, "ESC")
            if text := line.lstrip(b"\x1b").decode("latin-1"):
                self._mask.asked(text)
                self._add(piece.at, SENT, command(text))

    def _read_received(self, piece: _Slice) -> None:
        *lines, self._rest = re.split(rb"[\r\n]", self._rest + piece.data)
        for octets in lines:
            if self._overlong or len(octets) > LONGEST_LINE:
                words = f"<{self._overlong + len(octets)} octets without an end>"
                self._add(piece.at, RECEIVED, words)
                self._overlong = 0
            elif line := octets.decode("latin-1").strip(" \0\x1a"):
                self._add(piece.at, RECEIVED, self._mask.line(line))
        if len(self._rest) > LONGEST_LINE or self._overlong:
            self._overlong += len(self._rest)
            self._rest = b""

    def _add(self, at: float, direction: str, text: str) -> None:
        self._count += 1
        self._lines.append(Line(self._count, at, direction, text))
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s %s", direction, text)

    async def lines(self, after: int, wait: float) -> list[WireLine]:
        """The lines after one, as far as they are kept; if none, waits so many seconds for one."""
        self._read()
        try:
            async with asyncio.timeout(wait):
                while self._count <= after:
                    self._grown.clear()
                    await self._grown.wait()
                    self._read()
        except TimeoutError:
            pass
        now = _now()
        return [
            WireLine(line.number, now - line.at, line.direction, line.text)
            for line in self._after(after)
        ]

    def _after(self, number: int) -> list[Line]:
        return [line for line in self._lines if line.number > number]

    def failed(self, reason: str) -> None:
        """Write the lines since the last dump to the log, in one record and not too often."""
        self.note(reason)
        self._read()
        now = _now()
        gap = self._gap if reason == self._reason else DUMP_EVERY
        if now - self._dumped < gap:
            return
        self._gap = min(2 * gap, SELDOM)
        self._reason = reason
        lines = self._after(self._dumped_to)
        self._dumped, self._dumped_to = now, self._count
        wire = " | ".join(f"{line.at - now:.2f} {line.direction} {line.text}" for line in lines)
        log.warning(
            "the last lines on the wire",
            extra=fields(modem=self._name, device=self.device, reason=reason, wire=wire),
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
