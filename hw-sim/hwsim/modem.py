"""The AT engine of one modem: octets in, octets out, timers; no file, no socket.

It reads lines and PDUs, echoes, runs commands with the network's latency, frames answers and
decides when unsolicited codes may come between.
"""

import random
import re
from collections import deque
from collections.abc import Callable
from enum import Enum

from hwsim import at, commands
from hwsim.clock import Clock
from hwsim.faults import Fault, Faults
from hwsim.messages import Messages
from hwsim.network import Network
from hwsim.personality import Personality
from hwsim.sim import Sim

CTRL_Z, ESC, CR = 0x1A, 0x1B, 0x0D
_CONTROL = re.compile(r"[\x00-\x07\x09-\x1f\x7f]")
# More than any PDU has: 1 + 11 octets of SC address, 176 of TPDU, in hex.
LONGEST_ENTRY = 512


# 22.001 leaves it to networks; most repeat it so.
RING_EVERY = 3.0


class Caller:
    """Somebody who calls; one call is never another, even from the same number."""

    def __init__(self, number: str) -> None:
        self.number = number


class Mode(Enum):
    """What the next character from the computer means to the modem."""

    COMMAND = "command"
    PROMPT = "prompt"
    BUSY = "busy"


class Modem:
    """A modem with its SIM; `write` and `vanish` are set by the port that carries it."""

    def __init__(
        self,
        name: str,
        imei: str,
        sim: Sim,
        personality: Personality,
        network: Network,
        seed: int = 0,
    ) -> None:
        self.name = name
        self.imei = imei
        self.sim = sim
        self.personality = personality
        self.network = network
        self.clock: Clock = network.clock
        self.rng = random.Random(f"{seed} {name}")
        self.write: Callable[[bytes], None] = lambda octets: None
        self.vanish: Callable[[float | None], None] = lambda seconds: None
        self.faults = Faults()
        self.log: deque[str] = deque(maxlen=200)
        self.pin_entered = 0
        self.dead = False
        self.messages = Messages(self)
        self._epoch = 0
        self._working = False
        self.power_on()

    # ------------------------------------------------------------------------------ power

    def power_on(self) -> None:
        """Start with the settings of the factory; card and memories keep what they hold."""
        self._epoch += 1
        self.powered = True
        self.mode = Mode.COMMAND
        self.settings = commands.Settings()
        self.radio = 1
        self.unlocked = self.sim.pin is None
        self._sim_ready_at = self.clock.time()
        self._line = ""
        self._last_line = ""
        self._prompt: at.Prompt | None = None
        self._waiting = bytearray()
        self._held: list[list[str]] = []
        self._reported_state = self.registration
        self.caller: Caller | None = None
        self.messages.reset()
        for step, line in enumerate(self.personality.boot, 1):
            delay = self.personality.boot_seconds * step / len(self.personality.boot)
            self.after(delay, lambda line=line: self.announce([line]))  # type: ignore[misc]
        if self.personality.chatter:
            self._chatter_later()
        self.network.retry(self)

    def power_off(self) -> None:
        """Lose everything that is not on the card or in a memory."""
        self._epoch += 1
        self.powered = False

    def revive(self) -> None:
        """End the death that a fault brought."""
        self.dead = False
        self.mode = Mode.COMMAND
        self._line, self._prompt = "", None
        self._waiting.clear()
        self._held.clear()
        self.network.retry(self)

    def after(self, delay: float, callback: Callable[[], None]) -> None:
        """Run `callback` later unless the modem loses power before."""
        epoch = self._epoch
        self.clock.call_later(delay, lambda: callback() if epoch == self._epoch else None)

    # ---------------------------------------------------------------------- the network's side

    @property
    def number(self) -> str:
        """See `network.Handset`."""
        return self.sim.number

    def receive(self, octets: bytes) -> bool:
        """See `network.Handset`."""
        if not self.powered or self.dead or self.registration not in (1, 5):
            return False
        return self.messages.receive(octets)

    @property
    def registration(self) -> int:
        """The +CREG state: 0 without power, card or radio."""
        usable = self.powered and self.unlocked and self.radio == 1
        return self.network.settings.registered if usable else 0

    def registration_changed(self) -> None:
        """See `network.Handset`; also called by commands that touch card or radio."""
        state = self.registration
        if not self.powered or state == self._reported_state:
            return
        self._reported_state = state
        for name in ("+CREG", "+CGREG", "+CEREG"):
            level = self.settings.registration[name]
            if level:
                self.announce([f"{name}: {commands.registration_text(state, level)}"])
        self.network.retry(self)

    def unlock(self) -> None:
        """The card was opened by PIN or PUK."""
        self.unlocked = True
        self._sim_ready_at = self.clock.time() + self.personality.sim_busy_after_pin
        self.registration_changed()

    @property
    def pin_state(self) -> str:
        """What +CPIN? says of the card."""
        if self.unlocked:
            return "READY"
        if self.sim.pin_tries:
            return "SIM PIN"
        return "SIM PUK" if self.sim.puk_tries else "BLOCKED"

    @property
    def sim_busy(self) -> bool:
        """Whether the card was opened only just now."""
        return self.clock.time() < self._sim_ready_at

    # ------------------------------------------------------------------------ octets from the port

    def feed(self, octets: bytes) -> None:
        """Take what the computer wrote."""
        if self.dead or not self.powered:
            return
        if self.mode is Mode.BUSY:
            if self.personality.type_ahead:
                self._waiting += octets
            return
        self._waiting += octets
        self._work()

    def _work(self) -> None:
        if self._working:
            return
        self._working = True
        while self._waiting and self.mode is not Mode.BUSY and self.powered and not self.dead:
            if self.mode is Mode.PROMPT:
                self._read_entry()
            else:
                self._read_line()
        self._working = False
        if self.mode is Mode.BUSY and not self.personality.type_ahead:
            self._waiting.clear()

    def _read_line(self) -> None:
        end = self._waiting.find(CR)
        chunk = bytes(self._waiting if end < 0 else self._waiting[: end + 1])
        del self._waiting[: len(chunk)]
        if self.settings.echo:
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
        start = re.search("AT|at", line)
        if start is None:
            return
        line = self._last_line = line[start.start() :]
        self.log.append(line)
        self.mode = Mode.BUSY
        self._gossip()
        self._soon(lambda: self._run(line[2:]))

    def _soon(self, callback: Callable[[], None]) -> None:
        latency = self.network.settings.latency
        if latency > 0:
            self.after(latency, callback)
        else:
            callback()

    def _run(self, body: str) -> None:
        if self.dead:
            return
        blocks: list[list[str]] = []
        requests: list[at.Request] = []
        try:
            requests = at.requests_of(body)
            for position, request in enumerate(requests):
                outcome = commands.run(self, request)
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
        if requests and requests[-1].text in self.personality.without_ok:
            self._send_blocks(blocks)
            self._done()
        else:
            self.answer(blocks)

    # ------------------------------------------------------------------------------- prompts

    def _open_prompt(self, prompt: at.Prompt) -> None:
        self._prompt = prompt
        self.mode = Mode.PROMPT
        self._line = ""
        if not prompt.deaf:
            shown = self.rng.choice(self.personality.prompts)
            self.write(b"\r\n" + shown.encode())
            late = self.personality.late_blank
            if not shown.endswith(" ") and late and self.rng.random() < 0.5:
                self.after(late, lambda: self._late_blank(prompt))
        self._work()

    def _late_blank(self, prompt: at.Prompt) -> None:
        if self._prompt is prompt:
            self.write(b" ")

    def _read_entry(self) -> None:
        assert self._prompt is not None
        ends = [i for i in map(self._waiting.find, (CTRL_Z, ESC)) if i >= 0]
        if not ends:
            self._echo_entry(bytes(self._waiting))
            self._waiting.clear()
            return
        end = min(ends)
        mark = self._waiting[end]
        self._echo_entry(bytes(self._waiting[:end]))
        del self._waiting[: end + 1]
        if self._prompt.deaf and mark == CTRL_Z:
            self._line = ""
            return
        prompt, entry = self._prompt, self._line
        self._prompt, self._line = None, ""
        self.mode = Mode.BUSY
        if mark == ESC:
            self.answer(final=self.personality.cancel_answer)
        else:
            self._gossip()
            self._soon(lambda: self._enter(prompt, entry))

    def _echo_entry(self, octets: bytes) -> None:
        if self.settings.echo:
            self.write(octets)
        self._line = (self._line + octets.decode("latin-1"))[: LONGEST_ENTRY + 1]

    def _enter(self, prompt: at.Prompt, entry: str) -> None:
        if self.dead:
            return
        try:
            prompt.entered(entry)
        except at.Refusal as refusal:
            self.refuse(refusal)

    # -------------------------------------------------------------------------------- answers

    def answer(self, blocks: list[list[str]] | None = None, final: str = "OK") -> None:
        """End the running command: information blocks, each with its lines, then the result."""
        if not self.settings.quiet and self.personality.reference_after_ok and final == "OK":
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
        texts = "cme cms" if self.personality.error_texts else "cme"
        self.answer(blocks, at.final_of(refusal, self.settings.error_level, texts))

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
        if self.settings.quiet:
            return
        for block in blocks:
            if self.personality.urc_anywhere and len(block) > 2 and self.personality.chatter:
                cut = self.rng.randrange(1, len(block))
                chat = self.rng.choice(self.personality.chatter)
                self._write_lines(block[:cut])
                self._write_lines([chat])
                self._write_lines(block[cut:])
            else:
                self._write_lines(block)

    def _send_final(self, final: str) -> None:
        if self.settings.quiet:
            return
        if self.settings.verbose:
            self._write_lines([final])
        else:
            code = {"OK": "0", "NO CARRIER": "3", "ERROR": "4"}.get(final, final)
            self.write(f"{code}\r".encode())

    def _write_lines(self, lines: list[str]) -> None:
        end = self.rng.choice(self.personality.line_ends)
        self.write((end + end.join(lines) + end).encode("latin-1", "replace"))

    # ---------------------------------------------------------------------- unsolicited codes

    def announce(self, lines: list[str], *, at_once: bool = False) -> None:
        """Send an unsolicited code; it waits for the running command unless the habit is bad."""
        if self.dead or not self.powered:
            return
        if self.mode is Mode.COMMAND or at_once or self.personality.urc_anywhere:
            self._write_lines(lines)
        else:
            self._held.append(lines)

    def _gossip(self) -> None:
        """Put chatter between echo and answer, for those that do."""
        if self.personality.urc_anywhere and self.personality.chatter and self.rng.random() < 0.2:
            self._write_lines([self.rng.choice(self.personality.chatter)])

    def _chatter_later(self) -> None:
        def chat() -> None:
            # What sounds like a reboot never comes inside a command: there it would mean one.
            idle = self.personality.boot if self.mode is Mode.COMMAND else []
            self.announce([self.rng.choice(self.personality.chatter + idle)])
            self._chatter_later()

        self.after(self.rng.uniform(*self.personality.chatter_every), chat)

    # --------------------------------------------------------------------------------- calls

    def ring(self, number: str, seconds: float) -> None:
        """Let a caller ring for so long, unless the computer hangs up before."""
        if self.registration not in (1, 5) or self.dead or self.caller is not None:
            raise ValueError("not reachable, or in a call")
        call = self.caller = Caller(number)

        def again() -> None:
            if self.caller is call:
                kept = self.settings.plain
                self.announce(["+CRING: VOICE" if kept.get("+CRC") == "1" else "RING"])
                if kept.get("+CLIP") == "1":
                    self.announce([f'+CLIP: "{number}",145,,,,0'])
                self.after(RING_EVERY, again)

        def give_up() -> None:
            if self.caller is call:
                self.caller = None
                self.announce(["NO CARRIER"])

        again()
        self.after(seconds, give_up)

    # -------------------------------------------------------------------------------- faults

    def arm(self, fault: Fault) -> None:
        """Arm a fault; death without a condition comes now."""
        if fault.kind == "dead" and not fault.after:
            self.dead = True
        else:
            self.faults.armed.append(fault)
