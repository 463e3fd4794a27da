"""One AT conversation as a protocol without I/O (V.250 5, 27.005 3 and 4, 27.007 9).

Give it octets with `Dialogue.receive`, take events; take octets to send with
`Dialogue.data_to_send`. It decides what is an answer and what came unasked, follows the prompt of
a command with a payload by itself, and never gives an answer to a command that did not ask for it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, Generic, TypeVar

from smsd.at.quoted import MOST_LINES, is_open
from smsd.at.syntax import is_pdu
from smsd.at.urcs import WITH_BODY, is_known, is_unsolicited

T = TypeVar("T")

ESCAPE: Final = b"\x1b"
END_OF_PAYLOAD: Final = b"\x1a"
PROBE: Final = b"AT+CMEE?\r"
# Who left the modem may have left it without final results (ATQ1) or with digits for them (ATV0).
PROBE_AGAIN: Final = b"ATQ0V1+CMEE?\r"
PROBE_ANSWER: Final = "+CMEE:"
LINE_LIMIT: Final = 4096  # octets; the longest line of 27.005 is a PDU of 176 octets in hex


class LocalError(Exception):
    """The dialogue was used wrongly: a bug of ours, not of the modem."""


class State(Enum):
    """Where the dialogue stands."""

    IDLE = auto()
    COMMAND = auto()  # sent, no final result yet
    PROMPT = auto()  # sent, the payload waits for ">"
    PAYLOAD = auto()  # the payload is out: from here on it may have been submitted
    STALE = auto()  # abandoned: all that comes before the probe's answer is the past


TRANSITIONS: Final = {
    (State.IDLE, "send"): State.COMMAND,
    (State.IDLE, "send with payload"): State.PROMPT,
    (State.PROMPT, "prompt"): State.PAYLOAD,
    (State.COMMAND, "final"): State.IDLE,
    (State.PROMPT, "final"): State.IDLE,  # refused before the prompt
    (State.PAYLOAD, "final"): State.IDLE,
    (State.IDLE, "abandon"): State.STALE,  # at the start: whatever was going on is not ours
    (State.COMMAND, "abandon"): State.STALE,
    (State.PROMPT, "abandon"): State.STALE,
    (State.PAYLOAD, "abandon"): State.STALE,
    (State.STALE, "abandon"): State.STALE,  # the probe itself was lost: once more
    (State.STALE, "resynced"): State.IDLE,
}


@dataclass(frozen=True, slots=True)
class FinalResult:
    """A final result code (V.250 5.7.1; 27.005 3.2.5; 27.007 9.1), as the modem wrote it."""

    text: str

    @property
    def ok(self) -> bool:
        """Whether it says that the command was carried out; no command of ours connects."""
        return self.text == "OK"

    @property
    def cme(self) -> int | None:
        """The number of a ``+CME ERROR``, ``None`` for any other result or a text form."""
        return self._number("+CME ERROR:")

    @property
    def cms(self) -> int | None:
        """The number of a ``+CMS ERROR``, ``None`` for any other result or a text form."""
        return self._number("+CMS ERROR:")

    def _number(self, prefix: str) -> int | None:
        rest = self.text.removeprefix(prefix).strip()
        return int(rest) if rest != self.text and rest.isascii() and rest.isdigit() else None


@dataclass(frozen=True, slots=True)
class Command(Generic[T]):
    """One command line, what answers it, how its answer is read and how long it may take.

    ``answers`` are the prefixes of its information lines that could also come unasked; each is
    taken as the answer once. ``payload`` follows the prompt and is closed with Ctrl-Z.
    ``timeout`` is in seconds, from the last octet written to the final result
    (``prompt_timeout``: to the prompt). ``may_lack_final``: some modems end its answer with the
    information line. ``repeats``: its prefixes may each come on any number of lines. ``patient``:
    what has a payload may go before it.
    """

    line: str
    parse: Callable[[Sequence[str]], T]
    answers: tuple[str, ...] = ()
    payload: bytes | None = None
    timeout: float = 10.0
    prompt_timeout: float = 10.0
    may_lack_final: bool = False
    patient: bool = False
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """A command was answered: its information lines and its final result.

    ``submitted`` tells whether the payload had been written before the result came.
    """

    command: Command[Any]
    lines: tuple[str, ...]
    result: FinalResult
    submitted: bool = False


@dataclass(frozen=True, slots=True)
class Urc:
    """A line that came unasked, with the lines that belong to it (a PDU under ``+CMT:``)."""

    line: str
    body: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Late:
    """The answer to an abandoned command; ``result`` is ``None`` if only its lines came."""

    command: Command[Any]
    lines: tuple[str, ...]
    result: FinalResult | None

    @property
    def answered(self) -> bool:
        """Whether the lines hold what the command declared: only its own answer has that."""
        return _answers(self.command, self.lines)


Event = Response | Urc | Late

_BLANK: Final = b"\r\n \0"
_LINE_END: Final = re.compile(rb"[\r\n]+")
_FINALS: Final = ("OK", "ERROR", "BUSY", "NO ANSWER", "NO DIALTONE", "COMMAND NOT SUPPORT")
_FINAL_PREFIXES: Final = ("+CME ERROR:", "+CMS ERROR:", "CONNECT", "TOO MANY PARAMETERS")


def _is_final(line: str) -> bool:
    return line in _FINALS or line.startswith(_FINAL_PREFIXES)


@dataclass(slots=True)
class Dialogue:
    """The state of one conversation; see the module for its three calls."""

    state: State = State.IDLE
    probes: int = 0
    """How often this resynchronisation has probed; each probe may still be answered."""
    was_submitted: bool = False
    """Whether the abandoned command's payload had been written."""
    echoed: bool = False
    """Whether the modem repeated the last command that was sent."""
    _command: Command[Any] | None = None
    _expected: set[str] = field(default_factory=set)
    _lines: list[str] = field(default_factory=list)
    _urc: str | None = None
    _text: list[str] = field(default_factory=list)
    """The lines of a ``+CUSD:`` whose quote is still open."""
    _buffer: bytes = b""
    _out: bytes = b""
    _probe_answered: bool = False
    _probes_done: int = 0

    def send(self, command: Command[Any]) -> None:
        """Begin a command; only when IDLE."""
        self._move("send" if command.payload is None else "send with payload")
        self._command = command
        self.echoed = False
        self._expected = set(command.answers)
        self._lines = []
        self._out += command.line.encode("ascii") + b"\r"

    def abandon(self) -> None:
        """Give up on what is going on: leave a prompt (ESC) and probe until the line is ours again.

        The probe's answer (``+CMEE:``) can be given by no other command, so all that comes before
        it is the past. Called again while STALE it probes once more.
        """
        if self.state is not State.STALE:
            self.probes = self._probes_done = 0
            self.was_submitted = self.submitted
            self._out = b""  # a payload that has not been written is not wanted any more
        self._move("abandon")
        self.probes += 1
        self._probe_answered = False
        self._out += ESCAPE + (PROBE if self.probes == 1 else PROBE_AGAIN)

    def data_to_send(self) -> bytes:
        """What is to be written now; it is handed out once."""
        data, self._out = self._out, b""
        return data

    def receive(self, data: bytes) -> list[Event]:
        """Take octets from the modem, in any slices, and tell what they mean."""
        self._buffer += data
        events: list[Event] = []
        while True:
            if (
                self.state is State.PROMPT
                and not self._text
                and self._buffer.lstrip(_BLANK).startswith(b">")
            ):
                self._prompt()
            end = _LINE_END.search(self._buffer)
            if end is None:
                self._buffer = self._buffer[-LINE_LIMIT:]
                return events
            octets = self._buffer[: end.start()][-LINE_LIMIT:]
            line = octets.decode("latin-1").strip(" \0\x1a")
            self._buffer = self._buffer[end.end() :]
            if line:
                events += self._line(line)

    def _move(self, event: str) -> None:
        try:
            self.state = TRANSITIONS[self.state, event]
        except KeyError:
            raise LocalError(f"{event} while {self.state.name}") from None

    def _prompt(self) -> None:
        # The prompt has no line end (27.005 3.5.1): what follows the ">" begins the next line.
        self._buffer = self._buffer.lstrip(_BLANK)[1:]
        assert self._command is not None
        assert self._command.payload is not None
        self._move("prompt")
        self._out += self._command.payload + END_OF_PAYLOAD

    def _line(self, line: str) -> list[Event]:
        if self._text:
            return self._more_text(line)
        if self._urc is not None:
            if not is_pdu(line):  # something else came between a URC and its body
                return self._classify(line)
            urc, self._urc = Urc(self._urc, (line,)), None
            return [urc]
        return self._classify(line)

    def _more_text(self, line: str) -> list[Event]:
        """A line between the quotes of ``+CUSD:``, unless it can only be the modem's own.

        A quote that never closes must not swallow the conversation: an answer that is waited for,
        a known URC and a bound on the lines end it.
        """
        prefix = _prefix(line)
        answers = self.state is not State.IDLE and (
            _is_final(line) or prefix in self._expected or prefix == PROBE_ANSWER
        )
        if answers or is_known(line, prefix):
            return [*self._close_text(), *self._line(line)]
        self._text.append(line)
        if len(self._text) >= MOST_LINES or not is_open("\n".join(self._text)):
            return self._close_text()
        return []

    def _close_text(self) -> list[Event]:
        lines, self._text = self._text, []
        return [Urc("\n".join(lines))]

    def _classify(self, line: str) -> list[Event]:
        """Ask the command first, then the table of URCs; the rest belongs to the command."""
        prefix = _prefix(line)
        if self.state is State.STALE and prefix == PROBE_ANSWER:
            self._probe_answered = True
            return self._past(None) if self._lines else []
        # Before the prompt there is nothing that a payload's answer could answer.
        if prefix in self._expected and self.state is not State.PROMPT:
            if not (self._command and self._command.repeats):
                self._expected.discard(prefix)
            self._lines.append(line)
            return []
        if prefix in WITH_BODY:
            self._urc = line
            return []
        if is_open(line) and self._urc is None:  # a PDU that is waited for must not end in a text
            self._text = [line]
            return []
        if is_unsolicited(line, prefix):
            return [Urc(line)]
        if _is_final(line):
            return self._final(FinalResult(line))
        if self.state is State.IDLE:
            return [Urc(line)]
        if self._is_echo(line):
            self.echoed = True
        else:
            self._lines.append(line)
        return []

    def _is_echo(self, line: str) -> bool:
        if self.state is State.STALE:
            return line.lstrip("\x1b").upper().startswith("AT")
        command = self._command
        assert command is not None
        payload = command.payload.decode("ascii") if command.payload is not None else None
        return line in (command.line, payload)

    def _final(self, result: FinalResult) -> list[Event]:
        if self.state is State.STALE:
            # Some modems know no +CMEE?: nobody else waits, and they were asked twice.
            refused = self._command is None and not result.ok and self.probes > 1
            if not self._probe_answered and not refused:
                return self._past(result)
            self._forget()
            self._probe_answered = False
            self._probes_done += 1
            if self._probes_done == self.probes:
                self._move("resynced")
            return []
        if self.state is State.IDLE or self._command is None:
            return [Urc(result.text)]  # nobody asked
        if self.state is State.PROMPT and result.ok:
            return []  # it cannot be carried out yet: an answer to something before it
        submitted = self.submitted
        self._out = b""  # a payload that has not been written is not wanted any more
        response = Response(self._command, tuple(self._lines), result, submitted=submitted)
        self._move("final")
        self._forget()
        return [response]

    @property
    def submitted(self) -> bool:
        """Whether the payload of what is going on, or was abandoned, has been handed out."""
        if self.state is State.STALE:
            return self.was_submitted
        return self.state is State.PAYLOAD and not self._out

    @property
    def answered_in_part(self) -> bool:
        """The declared answer to the command has come, its final result has not."""
        return self._command is not None and _answers(self._command, self._lines)

    @property
    def settling(self) -> bool:
        """Some probes were answered, not all: wait until the line is quiet, then `settle`."""
        return self.state is State.STALE and self._probes_done > 0

    def settle(self) -> None:
        """The line has been quiet: every probe's answer has come or never will."""
        self._forget()
        self._move("resynced")

    def _past(self, result: FinalResult | None) -> list[Event]:
        command, lines = self._command, tuple(self._lines)
        self._lines = []
        if command is None:
            return []  # before the first command: nobody waits for it
        self._command = None if result is not None else command
        return [Late(command, lines, result)]

    def _forget(self) -> None:
        self._command, self._expected, self._lines = None, set(), []


def _answers(command: Command[Any], lines: Sequence[str]) -> bool:
    return any(line.startswith(command.answers) for line in lines)


def _prefix(line: str) -> str:
    head, colon, _ = line.partition(":")
    return head + colon if colon else line
