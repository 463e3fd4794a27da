"""Automatic replies: whom they answer, how often, and above all whom they never do."""

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.dispatch.reactions import Autoreply
from tests.dispatch.test_stops import OWN, Box, box
from tests.rig import ALICE, BOB, claim
from tests.virtual_time import run

HOURS = Autoreply("hours", "We are open from 9 to 18.", keyword="hours")
AWAY = Autoreply("away", "Nobody reads this number.", every=3600)


def played(
    *steps: tuple[str, str] | float, rules: tuple[Autoreply, ...] = (AWAY,), **more: Any
) -> list[tuple[str, str]]:
    """What was answered, and to whom, after texts (origin, text) and pauses in seconds."""

    async def main() -> list[tuple[str, str]]:
        b = await box(autoreplies=rules, **more)
        for step in steps:
            if isinstance(step, tuple):
                await b.hears(step[1], step[0])
            else:
                await asyncio.sleep(step)
        found = [(to, text) for to, text, _, _ in await b.sent()]
        b.rig.database.close()
        return found

    return run(main())


def test_a_keyword_is_answered_by_the_phone_that_it_came_to() -> None:
    async def main() -> None:
        b = await box(autoreplies=(HOURS,))
        await b.hears("  HOURS? ")
        await b.hears("which hours", BOB)
        assert await b.sent() == [(ALICE, HOURS.text, None, b.phone.record.id)]
        [taken] = await claim(b.rig)
        assert taken.phone == b.phone.record.id
        [event] = [e for e in await b.rig.rows("event") if e["state"] == "queued"]
        assert event["words"] == "answers message 1"
        b.rig.database.close()

    run(main())


def test_a_pattern_is_searched_and_the_first_rule_that_matches_answers() -> None:
    pattern = Autoreply(
        "price",
        "It costs 5 €.",
        pattern=lambda text: re.search("price|co[uû]t", text, re.IGNORECASE) is not None,
    )
    assert played((ALICE, "What is the PRICE?"), (BOB, "bonjour"), rules=(pattern, AWAY)) == [
        (ALICE, pattern.text), (BOB, AWAY.text),
    ]  # fmt: skip


def test_a_sender_is_answered_once_in_a_period_by_each_rule() -> None:
    texts = ((ALICE, "one"), (ALICE, "two"), (BOB, "three"), 3590.0, (ALICE, "four"), 11.0)
    assert played(*texts) == [(ALICE, AWAY.text), (BOB, AWAY.text)]
    assert played(*texts, (ALICE, "five"))[2:] == [(ALICE, AWAY.text)]
    assert played((ALICE, "hours"), (ALICE, "x"), rules=(HOURS, AWAY)) == [
        (ALICE, HOURS.text), (ALICE, AWAY.text),
    ]  # fmt: skip


def test_all_rules_together_answer_a_sender_so_often_an_hour() -> None:
    rules = tuple(Autoreply(f"r{n}", f"answer {n}", keyword=f"word{n}", every=60) for n in range(9))
    texts = [(ALICE, f"word{n}") for n in range(9)]
    assert len(played(*texts, rules=rules, per_hour=4)) == 4
    assert len(played(*texts, 3601.0, *texts, rules=rules, per_hour=4)) == 8
    assert played(*texts, rules=rules, per_hour=0) == []


@pytest.mark.parametrize("origin", ["36111", "ORANGE", "", "+33", OWN, "112", "12", "A1B2"])
def test_who_may_answer_by_himself_or_not_at_all_is_not_answered(origin: str) -> None:
    assert played((origin, "hello")) == []


@pytest.mark.parametrize(
    "text",
    ["STOP", "Réponse automatique : je suis absent", "AUTO-REPLY: away",
     "This is an automatic reply.",
     "Je suis absente jusqu'au 12", "Out of Office", "Abwesenheitsnotiz", "Please do not reply",
     "Ne pas répondre", "noreply", "Automatische Antwort", "Respuesta automática: cerrado",
     AWAY.text, AWAY.text.upper() + "!"],
)  # fmt: skip
def test_a_machine_is_not_answered(text: str) -> None:
    assert [text for _, text in played((ALICE, text)) if text == AWAY.text] == []


@pytest.mark.parametrize("text", ["Bonjour", "Reply please", "I was absent", "auto", "office"])
def test_a_person_is(text: str) -> None:
    assert played((ALICE, text)) == [(ALICE, AWAY.text)]


def test_who_has_said_stop_gets_no_automatic_reply_any_more() -> None:
    found = played((ALICE, "stop"), (ALICE, "hello"))
    assert AWAY.text not in [text for _, text in found]
    assert len(found) == 1


def test_a_rule_may_be_for_some_phones_only() -> None:
    assert played((ALICE, "hello"), rules=(Autoreply("a", "x", phones=frozenset({"gsm0"})),)) == []
    assert (
        len(played((ALICE, "hello"), rules=(Autoreply("a", "x", phones=frozenset({"gsm1"})),))) == 1
    )


@given(st.lists(st.sampled_from(["hello", "hours", "stop", "start", AWAY.text]), max_size=30))
def test_two_gateways_that_answer_each_other_come_to_rest(first: list[str]) -> None:
    """Each answer of one comes in at the other, for ever: within the hour both fall silent."""

    async def main() -> None:
        rules = (HOURS, AWAY)
        sides = [await box(autoreplies=rules), await box(autoreplies=rules)]
        told = [0, 0]
        for text in first:
            await sides[0].hears(text, BOB)
        for _ in range(100):
            for here, there, number in ((0, 1, ALICE), (1, 0, BOB)):
                for _, text, _, _ in (await sides[here].sent())[told[here] :]:
                    told[here] += 1
                    await sides[there].hears(text, number)
        assert max(told) <= 5
        for side in sides:
            side.rig.database.close()

    run(main())


def test_a_copy_is_not_answered_again() -> None:
    async def main() -> None:
        b: Box = await box(autoreplies=(Autoreply("a", "x", every=60.0),))
        for _ in range(3):
            await b.hears("hello", key="same")
            await asyncio.sleep(120)
        assert len(await b.sent()) == 1
        b.rig.database.close()

    run(main())
