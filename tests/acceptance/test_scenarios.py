"""Every golden scenario of the simulator with smsd as its gateway, under virtual time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hwsim import verbs
from hwsim.network import Settings
from hwsim.rack import Options
from hwsim.scenario import Scenario, Step, load, names

from smsd.adapters.abilities import AsksNetwork
from smsd.adapters.modem.adapter import ModemSettings
from tests.acceptance.stage import Stage, internal_errors, stage
from tests.virtual_time import run

AFTERWARDS = 300.0  # virtual seconds in which nothing may change any more: late doubles show


@pytest.mark.parametrize("name", names())
def test_a_golden_scenario(name: str, tmp_path: Path) -> None:
    scenario = load(name)

    async def main() -> None:
        options = Options(
            modems=scenario.modems,
            personality=scenario.personality,
            seed=scenario.seed,
            pin=scenario.pin,
            warm=scenario.warm,
        )
        pin = scenario.expect.get("configured_pin", scenario.pin)
        settings = Settings(seed=scenario.seed)
        async with stage(
            tmp_path,
            options=options,
            settings=settings,
            modem=ModemSettings(pin=pin),
            network=scenario.network,
        ) as made:
            await Play(made, scenario).to_its_end()

    with internal_errors() as errors:
        run(main())
    assert errors == []


class Play:
    """One scenario on a stage: its events and questions in time, then what came of them."""

    def __init__(self, made: Stage, scenario: Scenario) -> None:
        self.stage = made
        self.scenario = scenario
        self.over = False

    async def to_its_end(self) -> None:
        scenario = self.scenario
        within = float(scenario.expect.get("within", scenario.seconds))
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for step in scenario.events():
                group.create_task(self._at(step.at, self._do(step)))
            for ask in scenario.ask:
                group.create_task(self._at(ask["at"], self.stage.ask(ask["to"], ask["text"])))
        last = loop.time() - began
        while missing := await self.shortfalls():
            if loop.time() - began > max(within, last):
                raise AssertionError(f"not within {within} s: {missing}; {await self.story()}")
            await asyncio.sleep(0.5)
        await asyncio.sleep(max(scenario.seconds - (loop.time() - began), 0) + AFTERWARDS)
        self.over = True
        assert await self.shortfalls() == [], await self.story()
        await self.stage.honest()

    async def _at(self, moment: float, what: Any) -> None:
        await asyncio.sleep(moment)
        if asyncio.iscoroutine(what):
            await what

    async def _do(self, step: Step) -> None:
        verbs.run(self.stage, step.verb, step.arguments)

    async def story(self) -> dict[str, Any]:
        """What a person would want to know of a failure."""
        made = self.stage
        return {
            "states": await made.states(),
            "network": made.messages(),
            "words": made.words[-12:],
            "hints": made.hints[-3:],
            "log": [list(stick.modem.log)[-15:] for stick in made.sticks],
        }

    async def shortfalls(self) -> list[str]:
        """What of `expect` is not so."""
        found = []
        for key, wanted in self.scenario.expect.items():
            if key in ("within", "configured_pin"):
                continue
            actual = await CHECKS[key](self, wanted)
            if actual is not None:
                found.append(f"{key}: {wanted!r} is wanted, there is {actual!r}")
        return found

    # Each check gives what there is instead, or nothing if all is as it should be.

    async def sent(self, wanted: list[str]) -> Any:
        open_ones = self.scenario.expect.get("failed_or_waiting", [])
        texts = sorted(text for text in self.stage.whole() if text not in open_ones)
        states = await self.stage.states()
        unsaid = {t: s for t in wanted if (s := states[t]) not in ("sent", "delivered")}
        return None if texts == sorted(wanted) and not unsaid else (texts, unsaid)

    async def failed_or_waiting(self, wanted: list[str]) -> Any:
        """Whether these go later or never is the gateway's choice, but they are not called sent."""
        states, whole = await self.stage.states(), self.stage.whole()
        odd = {t: states[t] for t in wanted if (states[t] in ("sent", "delivered")) != (t in whole)}
        return odd or None

    async def sent_at_least(self, wanted: int) -> Any:
        texts = self.stage.whole()
        return None if len(texts) >= wanted else texts

    async def duplicates(self, wanted: int) -> Any:
        counts = Counter(self.stage.whole())
        doubled = sum(count - 1 for count in counts.values())
        return None if doubled == wanted else counts

    async def states(self, wanted: dict[str, str]) -> Any:
        states = await self.stage.states()
        return None if all(states[text] == state for text, state in wanted.items()) else states

    async def delivered(self, wanted: list[str]) -> Any:
        states = await self.stage.states()
        return None if all(states[text] == "delivered" for text in wanted) else states

    async def received(self, wanted: int) -> Any:
        rows = await self.stage.received()
        texts = Counter(row["text"] for row in rows)
        once = all(count == 1 for count in texts.values())
        return None if len(rows) == wanted and once else texts

    async def parts_kept(self, wanted: int) -> Any:
        """Parts of messages that are not whole: each one that is another's copy is kept once."""
        rows = await self.stage.rig.rows("incoming")
        parts = [row for row in rows if row["total"] is not None]
        return None if len(parts) == wanted else len(parts)

    async def stored_left(self, wanted: int) -> Any:
        left = self.stage.stored_left()
        return None if left == wanted else left

    async def pin_entered_at_most(self, wanted: int) -> Any:
        tries = [stick.modem.pin_entered for stick in self.stage.sticks]
        return None if sum(tries) <= wanted else tries

    async def phone(self, wanted: str) -> Any:
        status = self.stage.status()
        return None if status == wanted else (status, self.stage.words[-3:])

    async def calls(self, wanted: list[str]) -> Any:
        rows = await self.stage.rig.rows("called")
        told = [row["origin"] for row in rows]
        ended = all(row["ended_at"] is not None for row in rows)
        # Some modems never say that a rejected call is over: that shows in the end.
        return None if told == wanted and (ended or not self.over) else rows

    async def ussd(self, wanted: dict[str, Any]) -> Any:
        """Each code is asked once and its answer is one text; a list is a session's."""
        adapter = self.stage.phones["modem0"].adapter
        assert isinstance(adapter, AsksNetwork)
        if not self.stage.available():
            return "the phone is not there yet"
        for code, answers in wanted.items():
            session: list[Any] = [answers] if isinstance(answers, str) else answers
            reply = await adapter.ussd(code)
            if reply.text != session[0]:
                return reply
            for said, text in session[1:]:
                reply = await adapter.ussd_answer(said)
                if reply.text != text:
                    return reply
        return None

    async def same_phones(self, wanted: bool) -> Any:
        """Each phone is at work with the modem that it had, wherever that is now."""
        facts = {
            stick.modem.name: (
                self.stage.status(stick.modem.name),
                self.stage.phones[stick.modem.name].facts.get("imei"),
                self.stage.phones[stick.modem.name].facts.get("usb_path"),
            )
            for stick in self.stage.sticks
        }
        right = {
            stick.modem.name: ("available", stick.modem.imei, stick.usb_path)
            for stick in self.stage.sticks
        }
        return None if (facts == right) is wanted else (facts, right)

    async def opened_only(self, wanted: list[int]) -> Any:
        interfaces = {interface for _, interface in self.stage.bus.opened}
        return None if interfaces <= set(wanted) else interfaces

    async def hint(self, wanted: str) -> Any:
        told = [words for words in self.stage.hints if wanted in words]
        return None if told else self.stage.hints

    async def words(self, wanted: str) -> Any:
        told = [words for words in self.stage.words if wanted in words]
        return None if told else self.stage.words


CHECKS: dict[str, Callable[[Play, Any], Awaitable[Any]]] = {
    name: check for name, check in vars(Play).items() if not name.startswith("_")
}
