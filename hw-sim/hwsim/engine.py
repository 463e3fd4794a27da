"""The modem behind its ports: power, card, radio, timers, illnesses and unsolicited codes."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from hwsim.at import Refusal, cme, cms
from hwsim.chatter import Chatterbox
from hwsim.clock import Clock
from hwsim.faults import Fault, Faults
from hwsim.ills import Ill, Ills
from hwsim.inbox import Inbox
from hwsim.network import Network
from hwsim.personality import Personality, Reset
from hwsim.sim import Record, Sim

LAC, CELL = "00C3", "000A1B2C"
# 22.001 leaves it to networks; most repeat it so.
RING_EVERY = 3.0
_WORD = re.compile(r"\{(\w+)\}")
_CONDITION = re.compile(r"\[([^=\]]+)=([^\]]*)\] ?")


class Outlet(Protocol):
    """A port that hears unsolicited codes."""

    def announce(self, lines: list[str], *, at_once: bool) -> None:
        """Say something, now or when the running command has ended."""

    def reset(self) -> None:
        """Start as after power on."""

    def revive(self) -> None:
        """Leave whatever command was running."""


class Caller:
    """Somebody who calls; one call is never another, even from the same number."""

    def __init__(self, number: str, *, accepted: bool = False) -> None:
        self.number = number
        self.accepted = accepted


@dataclass(slots=True)
class Settings:
    """What all ports share and a reset brings back."""

    charset: str = "GSM"
    operator_form: int = 0
    registration: dict[str, int] = field(
        default_factory=lambda: {"+CREG": 0, "+CGREG": 0, "+CEREG": 0}
    )
    phonebook: str = "SM"
    plain: dict[str, str] = field(default_factory=dict)


class Engine:
    """A modem with its SIM; `vanish` is set by whoever can take the device away."""

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
        self.card_in = True
        self.personality = personality
        self.network = network
        self.clock: Clock = network.clock
        self.rng = random.Random(f"{seed} {name}")
        self.vanish: Callable[[float | None], None] = lambda seconds: None
        self.outlets: list[Outlet] = []
        self.faults = Faults()
        self.ills = Ills(self)
        self.log: deque[str] = deque(maxlen=200)
        self.lines_read = 0
        self.pin_entered = 0
        self.killed = False  # by a fault, until `revive`
        self.crashed = False  # by an illness, until it loses power
        self.realistic = False
        self.signal = 17
        self.service: int | None = None
        self.clock_offset = 0.0
        self.muted = False
        self.settings = Settings(plain=dict(personality.settings))
        self._card_waits = False
        self.chatterbox = Chatterbox(self)
        self.inbox = Inbox(self)
        self._epoch = 0

    @property
    def messages(self) -> Inbox:
        """The memories and their settings."""
        return self.inbox

    # ------------------------------------------------------------------------------ power

    def power_on(self, *, warm: bool = False) -> None:
        """Start with the settings of the factory; card and memories keep what they hold.

        A warm start is one that was long ago: ready for everything, nothing to say.
        """
        self._epoch += 1
        boot, now = self.personality.boot, self.clock.time()
        self.powered = True
        self.crashed = False
        self.ills.power_cycle()
        self.forget_settings()
        self.radio = 1
        self.card_in, self._card_waits = self.card_in or self._card_waits, False
        self.unlocked = self.card_in and self.sim.pin is None
        self.silent_until = now if warm else now + boot.silent
        self.card_ready_at = now if warm else now + boot.card_ready
        self.card_error = boot.card_error
        self.sms_ready_at = now if warm else now + boot.sms_ready
        self.needs_power_on = (boot.needs_power_on and not warm) or "H13" in self.ills.all
        self.caller: Caller | None = None
        self.session: str | None = None
        self.reception_broken = self.deaf = False
        self.muted = self.muted and bool(self.personality.nonvolatile)
        self.inbox.reset()
        for outlet in self.outlets:
            outlet.reset()
        self._reported_state = self.registration
        for moment, line in [] if warm else boot.says:
            self.after(moment, lambda line=line: self.announce_template([line]))  # type: ignore[misc]
        self.chatterbox.restart()
        if not warm and boot.card_ready > 0:
            self.after(boot.card_ready, self.registration_changed)
        self.network.retry(self)

    def forget_settings(self) -> None:
        """Go back to the settings of the factory, except those that are kept for good."""
        kept = {name: self.settings.plain[name] for name in self.personality.nonvolatile}
        self.settings = Settings(plain=self.personality.settings | kept)

    def power_off(self) -> None:
        """Lose everything that is not on the card or in a memory."""
        self._epoch += 1
        self.powered = False

    def reboot(self, reset: Reset) -> None:
        """Run the family's reset: it says something, drops the port, and comes back."""
        self.announce_template(reset.says)

        def drop() -> None:
            if self.personality.uart and not reset.off:
                # A serial line does not vanish with the modem behind it.
                self.power_off()
                self.clock.call_later(reset.away, lambda: None if self.powered else self.power_on())
            else:
                self.vanish(None if reset.off else reset.away)

        self.after(reset.drop, drop)

    def revive(self) -> None:
        """End the death that a fault or an illness brought."""
        self.killed = self.crashed = False
        for outlet in self.outlets:
            outlet.revive()
        self.network.retry(self)

    def after(self, delay: float, callback: Callable[[], None]) -> None:
        """Run `callback` later unless the modem loses power before."""
        epoch = self._epoch
        self.clock.call_later(delay, lambda: callback() if epoch == self._epoch else None)

    @property
    def dead(self) -> bool:
        """Whether it reads and says nothing, though it has power."""
        return self.killed or self.crashed

    @property
    def answering(self) -> bool:
        """Whether what is written to it is read at all."""
        return self.powered and not self.dead and self.clock.time() >= self.silent_until

    # ---------------------------------------------------------------------- the network's side

    @property
    def number(self) -> str:
        """See `network.Handset`."""
        return self.sim.number

    def receive(self, octets: bytes) -> bool:
        """See `network.Handset`."""
        if not self.powered or self.dead or self.registration not in (1, 5):
            return False
        if self.ills.acute("H2") or self.ills.acute("H4") or self.reception_broken or self.deaf:
            return False
        if self.clock.time() < self.sms_ready_at:
            self.after(self.sms_ready_at - self.clock.time(), lambda: self.network.retry(self))
            return False
        return self.inbox.receive(octets)

    def notified(self) -> None:
        """See `inbox.Host`."""
        self.reception_broken |= "H10" in self.ills.all

    def text_lines(self, record: Record) -> tuple[str, str]:
        """See `inbox.Host`; the ports know how."""
        raise NotImplementedError

    @property
    def registration(self) -> int:
        """The +CREG state: 0 without power, card or radio."""
        usable = self.powered and self.card_in and self.unlocked and self.radio == 1
        granted = self.network.settings.registered if self.service is None else self.service
        return granted if usable and self.clock.time() >= self.card_ready_at else 0

    def registration_changed(self) -> None:
        """See `network.Handset`; also called by commands that touch card or radio."""
        state = self.registration
        if not self.powered or state == self._reported_state:
            return
        self._reported_state = state
        for name in ("+CREG", "+CGREG", "+CEREG"):
            level = self.settings.registration[name]
            if level:
                self.announce([f"{name}: {registration_text(state, level)}"])
        self.network.retry(self)

    # ------------------------------------------------------------------------------- the card

    def unlock(self) -> None:
        """The card was opened by PIN or PUK."""
        self.unlocked = True
        busy = self.personality.card.busy_after_pin
        self.card_error = self.personality.card.error_after_pin
        self.make_busy(busy)
        self.chatterbox.card_opened()
        self.registration_changed()

    def make_busy(self, seconds: float, error: int | None = None) -> None:
        """Refuse everything of the card for a while."""
        if error is not None:
            self.card_error = error
        if seconds > 0:
            self.card_ready_at = self.clock.time() + seconds
            self.after(seconds, self.registration_changed)

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
        """Whether the card was opened, or the modem started, only just now."""
        return self.clock.time() < self.card_ready_at

    def check_card(self) -> None:
        """Refuse a command of 27.007 that needs an open card."""
        if not self.card_in:
            raise cme(10)
        if not self.unlocked:
            raise cme({"SIM PIN": 11, "SIM PUK": 12}.get(self.pin_state, 13))
        if self.sim_busy:
            raise cme(self.card_error)

    def check_messages(self) -> None:
        """Refuse a command of 27.005 while card or message service are not ready."""
        if not self.card_in:
            raise cms(310)
        if not self.unlocked:
            raise cms({"SIM PIN": 311, "SIM PUK": 316}.get(self.pin_state, 313))
        if self.sim_busy:
            raise cms({14: 314}.get(self.card_error, self.card_error))
        if self.clock.time() < self.sms_ready_at:
            raise cms(self.personality.boot.sms_error)

    def remove_card(self) -> None:
        """Pull the card out."""
        if not self.card_in:
            raise ValueError("there is no card")
        self.card_in = self.unlocked = False
        self.announce_template(self.personality.card.out)
        self.registration_changed()

    def insert_card(self, sim: Sim) -> None:
        """Push a card in; some families see it only after a reboot."""
        if self.card_in:
            raise ValueError("there is a card already")
        self.sim, self.card_in = sim, True
        self.unlocked = sim.pin is None and not self.personality.card.needs_reboot
        self.inbox.card_changed()
        if self.personality.card.needs_reboot:
            self.card_in, self._card_waits = False, True
            return
        self.announce_template(self.personality.card.back)
        self.registration_changed()

    # ---------------------------------------------------------------------- unsolicited codes

    def announce(self, lines: list[str], *, at_once: bool = False) -> None:
        """Send an unsolicited code on every port that carries them."""
        if self.dead or not self.powered or self.ills.acute("H9"):
            return
        for outlet in self.outlets:
            outlet.announce(lines, at_once=at_once)

    def words(self, template: str, **more: object) -> str | None:
        """Fill in a line of the personality; None when its condition does not hold."""
        if condition := _CONDITION.match(template):
            if self.settings.plain.get(condition[1], "") != condition[2]:
                return None
            template = template[condition.end() :]
        if "{" not in template:
            return template
        values = self.facts() | more
        return _WORD.sub(lambda found: str(values.get(found[1], found[0])), template)

    def facts(self) -> dict[str, object]:
        """Everything that a personality's line may name in braces."""
        registered = self.registration in (1, 5)
        return {
            "imei": self.imei,
            "iccid": self.sim.iccid if self.card_in else "",
            "imsi": self.sim.imsi,
            "number": self.sim.number,
            "smsc": self.sim.smsc,
            "csq": self.signal if registered else 99,
            "dbm": -113 + 2 * self.signal,
            "registration": self.registration,
            "pin_state": self.pin_state if self.card_in else "NOT INSERTED",
            "pin_tries": self.sim.pin_tries,
            "puk_tries": self.sim.puk_tries,
            "card": int(self.card_in),
            "card_state": self._card_state(),
            "lac": LAC,
            "cell": CELL,
            "technology": self.personality.technology,
            "seconds": int(self.clock.time()),
            "model": self.personality.name,
        }

    def _card_state(self) -> int:
        """0 no card, 1 closed, 2 open, 3 ready for messages."""
        if not self.card_in:
            return 0
        if not self.unlocked:
            return 1
        return 2 if self.clock.time() < max(self.sms_ready_at, self.card_ready_at) else 3

    def announce_template(self, templates: list[str], **more: object) -> None:
        """Say lines of the personality as unsolicited codes, those whose condition holds."""
        for template in templates:
            line = self.words(template, **more)
            if line is not None:
                self.announce([line])

    @property
    def busy(self) -> bool:
        """Whether a command runs on any port."""
        return False

    def heard(self, text: str) -> None:
        """A command ran well: what it silences, wakes or mutes."""
        if self.personality.chatter and self.chatterbox.heard(text):
            self.ills.all.pop("H5", None)
        if text in self.personality.mutes_messages:
            self.muted = True
        elif text in self.personality.unmutes_messages:
            self.muted = False

    # --------------------------------------------------------------------------------- calls

    def ring(self, number: str, seconds: float) -> None:
        """Let a caller ring for so long, unless the computer hangs up before."""
        if self.registration not in (1, 5) or self.dead or self.caller is not None:
            raise ValueError("not reachable, or in a call")
        call = self.caller = Caller(number)
        dialect = self.personality.calls
        rings = 0

        def again() -> None:
            nonlocal rings
            if self.caller is not call or call.accepted:
                return
            rings += 1
            kept = self.settings.plain
            if dialect.incoming and rings == 1:
                self.announce_template(dialect.incoming, number=number)
            self.announce(["+CRING: VOICE" if kept.get("+CRC") == "1" else "RING"])
            if kept.get("+CLIP") == "1" and not (dialect.clip_at_second_ring and rings == 1):
                self.announce([f'+CLIP: "{number}",145,,,,0'])
            self.after(RING_EVERY, again)

        def give_up() -> None:
            if self.caller is call:
                self.caller = None
                self.announce_template(dialect.ended, number=number, duration=0)

        again()
        self.after(seconds, give_up)

    def hang_up(self) -> None:
        """End or reject the call."""
        if self.caller is not None:
            caller, self.caller = self.caller, None
            lines = self.personality.calls.rejected
            self.after(0, lambda: self.announce_template(lines, number=caller.number, duration=0))

    # -------------------------------------------------------------------------------- faults

    def arm(self, fault: Fault) -> None:
        """Arm a fault; death without a condition comes now."""
        if fault.kind == "dead" and not fault.after:
            self.killed = True
        else:
            self.faults.armed.append(fault)

    def fall_ill(self, one: Ill) -> None:
        """Begin one of H1 to H13; those of the port (H3, H11) are the port's to carry out."""
        self.ills.begin(one)

    def recover(self) -> None:
        """Lose every illness at once, as if there had been none."""
        if self.crashed and not self.killed:
            self.revive()
        self.ills.all.clear()
        self.needs_power_on = self.reception_broken = False
        self.network.retry(self)

    def say_everywhere(self, lines: list[str]) -> None:
        """Say something although the modem answers nothing."""
        for outlet in self.outlets:
            outlet.announce(lines, at_once=True)

    def check_radio(self) -> None:
        """Refuse to send while deaf (H2)."""
        if self.ills.acute("H2"):
            raise cms(500)

    def check_power(self, text: str) -> None:
        """Refuse everything until +CFUN=1 where that is so (H13)."""
        if self.needs_power_on:
            if text in ("+CFUN=1", "+CFUN=1,0"):
                self.needs_power_on = False
            else:
                raise Refusal("error")

    def radio_changed(self) -> None:
        """The radio went off or on: cures H4, and keeps the card busy on some families."""
        if self.radio == 1:
            self.ills.all.pop("H4", None)
            self.make_busy(self.personality.busy_after_radio, self.personality.radio_error)
            if self._card_waits:
                self.card_in, self._card_waits = True, False
                self.unlocked = self.sim.pin is None
        self.registration_changed()


def registration_text(state: int, level: int) -> str:
    """Give the state, at level 2 with the place, as +CREG tells it."""
    return f'{state},"{LAC}","{CELL}"' if level == 2 and state in (1, 5) else str(state)
