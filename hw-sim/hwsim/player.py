"""Plays a scenario on a virtual clock and tells what was said and what the network saw."""

import re
from typing import Any

from hwsim import verbs
from hwsim.clock import ManualClock
from hwsim.network import Settings
from hwsim.rack import Options, Rack
from hwsim.scenario import Scenario, Step


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
        for key, value in scenario.network.items():
            words = value.split() if isinstance(value, str) else [str(value)]
            verbs.run(self.rack, "network", [key, *words])
        self.heard: dict[str, bytearray] = {}
        for stick in self.rack.sticks:
            self.heard[stick.modem.name] = heard = bytearray()
            stick.modem.write = heard.extend
        self.failures: list[str] = []
        self.transcript: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        """Play to the end."""
        steps = sorted(self.scenario.steps, key=lambda step: step.at)
        ends = [step.at for step in steps[1:]] + [self.scenario.seconds]
        for step, end in zip(steps, ends, strict=False):
            self.clock.advance(max(step.at - self.clock.time(), 0))
            self._step(step, end)
        self.clock.advance(max(self.scenario.seconds - self.clock.time(), 0))
        return {
            "scenario": self.scenario.name,
            "passed": not self.failures,
            "failures": self.failures,
            "sent": self.rack.history.sent(),
            "messages": self.rack.history.messages(),
            "attempts": self.rack.network.attempts,
            "transcript": self.transcript,
            "expect": self.scenario.expect,
        }

    def _step(self, step: Step, end: float) -> None:
        row: dict[str, Any] = {"at": step.at}
        if step.do:
            row["do"] = step.do
            try:
                row["answer"] = verbs.run(self.rack, step.verb, step.arguments)
            except ValueError as error:
                self.failures.append(f"{step.at}: {step.do}: {error}")
        if step.type is not None:
            row["typed"] = step.type
            self.rack.stick(step.modem).modem.feed(step.type.encode("latin-1"))
        if step.see is not None or step.never is not None or step.type is not None:
            self.clock.advance(max(end - self.clock.time(), 0))
            heard = self.heard[step.modem].decode("latin-1")
            self.heard[step.modem].clear()
            row["heard"] = heard
            self._judge(step, heard)
        self.transcript.append(row)

    def _judge(self, step: Step, heard: str) -> None:
        if step.see is not None and not re.search(step.see, heard, re.DOTALL):
            self.failures.append(f"{step.at}: {step.see!r} was not in {heard!r}")
        if step.never is not None and re.search(step.never, heard, re.DOTALL):
            self.failures.append(f"{step.at}: {step.never!r} was in {heard!r}")
