"""Plays a scenario on a virtual clock and tells what was said and what the network saw."""

import re
from collections import defaultdict
from typing import Any

from hwsim import verbs
from hwsim.clock import ManualClock
from hwsim.desk import submit
from hwsim.network import Settings
from hwsim.rack import Options, Rack
from hwsim.scenario import Scenario, Step

# How often a virtual typist looks for the prompt.
LOOK_EVERY = 0.1
Place = tuple[str, int | None]


class Player:
    """One run; nothing here waits."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.clock = ManualClock()
        options = Options(
            modems=scenario.modems,
            personality=scenario.personality,
            seed=scenario.seed,
            pin=scenario.pin,
            warm=scenario.warm,
        )
        self.rack = Rack(options, Settings(seed=scenario.seed), self.clock)
        verbs.set_up(self.rack, scenario.network)
        self.heard: dict[Place, bytearray] = defaultdict(bytearray)
        for stick in self.rack.sticks:
            for channel in stick.modem.channels:
                best = channel is stick.modem.best
                place = (stick.modem.name, None if best else channel.kind.interface)
                channel.write = self.heard[place].extend
        self.failures: list[str] = []
        self.transcript: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        """Play to the end."""
        steps = sorted(self.scenario.steps, key=lambda step: step.at)
        ends = [step.at for step in steps[1:]] + [self.scenario.seconds]
        for step, end in zip(steps, ends, strict=False):
            self._advance_to(step.at)
            self._step(step, end)
        self._advance_to(self.scenario.seconds)
        return {
            "scenario": self.scenario.name,
            "passed": not self.failures,
            "failures": self.failures,
            "sent": self.rack.history.sent(),
            "messages": self.rack.history.messages(),
            "attempts": self.rack.network.attempts,
            "transcript": self.transcript,
            "gateway": self.scenario.gateway,
            "expect": self.scenario.expect,
        }

    def _advance_to(self, moment: float) -> None:
        self.clock.advance(max(moment - self.clock.time(), 0))

    def _step(self, step: Step, end: float) -> None:
        row: dict[str, Any] = {"at": step.at}
        if step.do:
            row["do"] = step.do
            try:
                row["answer"] = verbs.run(self.rack, step.verb, step.arguments)
            except ValueError as error:
                self.failures.append(f"{step.at}: {step.do}: {error}")
        place = (step.modem, step.port)
        if step.type is not None:
            row["typed"] = step.type
            self._feed(place, step.type)
        if step.send is not None:
            row["sent"] = step.send
            self._send(place, step.send, end)
        if step.type is not None or step.send or step.see or step.never:
            self._advance_to(end)
            heard = self.heard[place].decode("latin-1")
            self.heard[place].clear()
            row["heard"] = heard
            self._judge(step, heard)
        self.transcript.append(row)

    def _feed(self, place: Place, text: str) -> None:
        modem = self.rack.stick(place[0]).modem
        for channel in modem.channels:
            if channel is modem.best if place[1] is None else channel.kind.interface == place[1]:
                channel.opened()
                channel.feed(text.encode("latin-1"))

    def _send(self, place: Place, what: str, end: float) -> None:
        number, _, text = what.partition(" ")
        octets = submit(number, text, report=True)
        self.heard[place].clear()
        self._feed(place, f"AT+CMGS={len(octets)}\r")
        while b">" not in self.heard[place] and self.clock.time() + LOOK_EVERY < end:
            if b"ERROR" in self.heard[place]:
                return
            self.clock.advance(LOOK_EVERY)
        if b">" in self.heard[place]:
            self._feed(place, f"00{octets.hex().upper()}\x1a")

    def _judge(self, step: Step, heard: str) -> None:
        if step.see is not None and not re.search(step.see, heard, re.DOTALL):
            self.failures.append(f"{step.at}: {step.see!r} was not in {heard!r}")
        if step.never is not None and re.search(step.never, heard, re.DOTALL):
            self.failures.append(f"{step.at}: {step.never!r} was in {heard!r}")
