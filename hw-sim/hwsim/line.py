"""One port that speaks AT: octets in, octets out; no file, no socket.

It reads lines and PDUs, echoes, runs commands with the network's latency, frames answers and
decides when unsolicited codes may come between.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from hwsim import at
from hwsim.engine import Engine
from hwsim.personality import PortKind

CTRL_Z, ESC, CR = 0x1A, 0x1B, 0x0D
_CONTROL = re.compile(r"[\x00-\x07\x09-\x1f\x7f]")
_START = re.compile("AT|at")
# More than any PDU or text has: 1 + 11 octets of SC address, 176 of TPDU, in hex.
LONGEST_ENTRY = 1024
# H7: how fast a listing that never ends goes on.
ENDLESS_EVERY = 0.05


class Mode(Enum):
    """What the next character from the computer means to the modem."""

    COMMAND = "command"
    PROMPT = "prompt"
    BUSY = "busy"


@dataclass(slots=True)
class Manners:
    """The settings of V.250 and +CMEE, each port's own."""

    echo: bool = True
    verbose: bool = True
    quiet: bool = False
    error_level: int = 0


class Line:
    """One AT port of a modem; `write` is set by what carries it."""

    def __init__(
        self,
        modem: Engine,
        kind: PortKind,
        execute: Callable[["Line", at.Request], at.Outcome],
    ) -> None:
        self.modem = modem
        self.kind = kind
        self._execute = execute
        self.carries_codes = kind.role == "at"
        self.write: Callable[[bytes], None] = lambda octets: None
        self._working = False
        self.reset()

    def reset(self) -> None:
        """Start as after power on."""
        self.mode = Mode.COMMAND
        self.registers = {"S3": 13, "S4": 10, "S5": 8}
        self.manners = Manners(error_level=self.modem.personality.error_level)
        self._line = ""
        self._last_line = ""
        self._prompt: at.Prompt | None = None
        self._waiting = bytearray()
        self._held: list[list[str]] = []
        self.inserts: dict[str, list[str]] = {}

    def revive(self) -> None:
        """Leave whatever command was running."""
        self.mode = Mode.COMMAND
        self._line, self._prompt = "", None
        self._waiting.clear()
        self._held.clear()

    def opened(self) -> None:
        """A client opened the port."""
        self.modem.ills.all.pop("H9", None)

    # ------------------------------------------------------------------------ octets from the port

    def feed(self, octets: bytes) -> None:
        """Take what the computer wrote."""
        if not self.modem.answering:
            return
        if self.mode is Mode.BUSY:
            if self.modem.personality.type_ahead:
                self._waiting += octets
            return
        self._waiting += octets
        self._work()

    def _work(self) -> None:
        if self._working:
            return
        self._working = True
        while self._waiting and self.mode is not Mode.BUSY and self.modem.answering:
            if self.mode is Mode.PROMPT:
                self._read_entry()
            else:
                self._read_line()
        self._working = False
        if self.mode is Mode.BUSY and not self.modem.personality.type_ahead:
            self._waiting.clear()

    def _read_line(self) -> None:
        end = self._waiting.find(CR)
        chunk = bytes(self._waiting if end < 0 else self._waiting[: end + 1])
        del self._waiting[: len(chunk)]
        if self.manners.echo:
            self.write(chunk)
        self._line += chunk.decode("latin-1")
        if end < 0:
            return
        line = _CONTROL.sub("", self._line)
        self._line = ""
        while (at_backspace := line.find("\b")) >= 0:
            line = line[: max(at_backspace - 1, 0)] + line[at_backspace + 1 :]
        self._begin(line)

    def _begin(self, line: str) -> None:
        if line[-2:].upper() == "A/":
            line = self._last_line
        start = _START.search(line)
        if start is None:
            return
        line = self._last_line = line[start.start() :]
        self.modem.log.append(line)
        self.modem.lines_read += 1
        self.mode = Mode.BUSY
        self._gossip()
        self._soon(lambda: self._run(line[2:]))

    def _soon(self, callback: Callable[[], None]) -> None:
        latency = self.modem.network.settings.latency
        if self.modem.realistic:
            latency += self.modem.personality.timing.command
        if latency > 0:
            self.modem.after(latency, callback)
        else:
            callback()

    def _run_one(self, request: at.Request) -> at.Outcome:
        self.modem.check_power(request.text)
        outcome = self._execute(self, request)
        self.modem.heard(request.text)
        inserted = self.inserts.pop(request.name, None) if self.inserts else None
        if inserted and isinstance(outcome, list):
            middle = (len(outcome) + 1) // 2
            outcome = outcome[:middle] + inserted + outcome[middle:]
        return outcome

    def _run(self, body: str) -> None:
        if self.modem.dead:
            return
        blocks: list[list[str]] = []
        requests: list[at.Request] = []
        try:
            requests = at.requests_of(body)
            if not requests:
                self.modem.check_power("")
            for position, request in enumerate(requests):
                outcome = self._run_one(request)
                if outcome is None:
                    return
                if isinstance(outcome, at.Prompt):
                    if position + 1 < len(requests):
                        raise at.Refusal("error")
                    self._send_blocks(blocks)
                    self._open_prompt(outcome)
                    return
                if outcome:
                    blocks.append(outcome)
        except at.Refusal as refusal:
            self.refuse(refusal, blocks)
            return
        if not self.modem.powered:
            return
        if requests and requests[-1].text in self.modem.personality.without_ok:
            self._send_blocks(blocks)
            self._done()
        else:
            self.answer(blocks)

    # ------------------------------------------------------------------------------- prompts

    def _open_prompt(self, prompt: at.Prompt) -> None:
        self._prompt = prompt
        self.mode = Mode.PROMPT
        self._line = ""
        timing = self.modem.personality.timing.prompt if self.modem.realistic else 0.0
        delay = prompt.delay or timing
        if delay > 0:
            self.modem.after(delay, lambda: self._show_prompt(prompt))
        elif not prompt.deaf:
            self._show_prompt(prompt)
        self._work()

    def _show_prompt(self, prompt: at.Prompt) -> None:
        if self._prompt is not prompt:
            return
        prompts = self.modem.personality.prompts
        shown = prompts[0] if len(prompts) == 1 else self.modem.rng.choice(prompts)
        self.write(b"\r\n" + shown.encode())
        late = self.modem.personality.late_blank
        if not shown.endswith(" ") and late and self.modem.rng.random() < 0.5:
            self.modem.after(late, lambda: self._late_blank(prompt))

    def _late_blank(self, prompt: at.Prompt) -> None:
        if self._prompt is prompt:
            self.write(b" ")

    def _read_entry(self) -> None:
        assert self._prompt is not None
        prompt = self._prompt
        ends = [i for i in map(self._waiting.find, (CTRL_Z, ESC)) if i >= 0]
        end = min(ends, default=len(self._waiting))
        mark = self._waiting[end] if ends else None
        self._echo_entry(bytes(self._waiting[:end]))
        del self._waiting[: end + 1]
        if prompt.cut is not None and len(self._line) >= prompt.cut:
            self._prompt = None
            self.modem.vanish(None)
            return
        if mark is None:
            return
        if (prompt.deaf or prompt.stuck) and mark == CTRL_Z:
            self._line = ""
            return
        entry = self._line
        self._prompt, self._line = None, ""
        self.mode = Mode.BUSY
        if mark == ESC:
            self.answer(final=self.modem.personality.cancel_answer)
        else:
            self._gossip()
            self._soon(lambda: self._enter(prompt, entry))

    def _echo_entry(self, octets: bytes) -> None:
        if self.manners.echo:
            self.write(octets)
        self._line = (self._line + octets.decode("latin-1"))[: LONGEST_ENTRY + 1]

    def _enter(self, prompt: at.Prompt, entry: str) -> None:
        if self.modem.dead:
            return
        try:
            prompt.entered(entry)
        except at.Refusal as refusal:
            self.refuse(refusal)

    # -------------------------------------------------------------------------------- answers

    def answer(self, blocks: list[list[str]] | None = None, final: str = "OK") -> None:
        """End the running command: information blocks, each with its lines, then the result."""
        if self.modem.dead:
            return  # what runs when the modem dies is never answered
        if not self.manners.quiet and self.modem.personality.reference_after_ok and final == "OK":
            late = [b for b in blocks or [] if b[0].startswith(("+CMGS:", "+CMSS:"))]
            self._send_blocks([b for b in blocks or [] if b not in late])
            self._send_final(final)
            self._send_blocks(late)
        else:
            self._send_blocks(blocks or [])
            self._send_final(final)
        self._done()

    def refuse(self, refusal: at.Refusal, blocks: list[list[str]] | None = None) -> None:
        """End the running command with an error."""
        family = self.modem.personality
        kinds = "cme cms" if family.error_texts else "cme"
        words = at.Vocabulary(kinds, family.unknown, family.error_words)
        self.answer(blocks, at.final_of(refusal, self.manners.error_level, words))

    def leave_unanswered(self) -> None:
        """End the running command without a word."""
        self._done()

    def _done(self) -> None:
        self.mode = Mode.COMMAND
        held, self._held = self._held, []
        for lines in held:
            self._write_lines(lines)
        self._work()

    def _send_blocks(self, blocks: list[list[str]]) -> None:
        if self.manners.quiet:
            return
        for block in blocks:
            gossip = self.modem.personality.gossip if self.modem.personality.urc_anywhere else []
            if gossip and len(block) > 2:
                cut = self.modem.rng.randrange(1, len(block))
                chat = self.modem.words(self.modem.rng.choice(gossip)) or ""
                self._write_lines(block[:cut])
                self._write_lines([chat])
                self._write_lines(block[cut:])
            else:
                self._write_lines(block)

    def _send_final(self, final: str) -> None:
        if self.manners.quiet:
            return
        if self.manners.verbose:
            self._write_lines([final])
        else:
            code = {"OK": "0", "NO CARRIER": "3", "ERROR": "4"}.get(final, final)
            self.write(f"{code}\r".encode())

    def _write_lines(self, lines: list[str]) -> None:
        ends = self.modem.personality.line_ends
        end = ends[0] if len(ends) == 1 else self.modem.rng.choice(ends)
        self.write((end + end.join(lines) + end).encode("latin-1", "replace"))

    def say(self, lines: list[str]) -> None:
        """Say something in the middle of the running command."""
        self._write_lines(lines)

    def go_on(self, lines: list[str]) -> None:
        """Say lines again and again and never end (H7); only a reboot helps."""
        self._write_lines(lines)
        self.modem.after(ENDLESS_EVERY, lambda: self.go_on(lines))

    # ---------------------------------------------------------------------- unsolicited codes

    def announce(self, lines: list[str], *, at_once: bool = False) -> None:
        """Send an unsolicited code; it waits for the running command unless the habit is bad."""
        if not self.carries_codes:
            return
        if self.mode is Mode.COMMAND or at_once or self.modem.personality.urc_anywhere:
            self._write_lines(lines)
        else:
            self._held.append(lines)

    def _gossip(self) -> None:
        """Put chatter between echo and answer, for those that do."""
        if self.modem.personality.urc_anywhere:
            gossip = self.modem.personality.gossip
            if gossip and self.modem.rng.random() < 0.2:
                self._write_lines([self.modem.words(self.modem.rng.choice(gossip)) or ""])
