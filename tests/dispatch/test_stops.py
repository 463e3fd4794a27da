"""Who says STOP is sent nothing more: the words, the record, the one answer, the refusal."""

import asyncio
import sqlite3
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.dispatch.inbox import Inbox, Reactions
from smsd.dispatch.phones import Phone
from smsd.dispatch.reactions import Rules, Stops
from smsd.dispatch.stopwords import LONGEST, START_WORDS, STOP_WORDS, Wish, plain, wish, words
from smsd.model.content import Content
from smsd.model.events import Incoming, Place
from smsd.rules import LANGUAGES, RASPISMS_ANSWER, StopSection, stops_of
from tests.rig import ALICE, BOB, Rig, Scripted, claim, draft, fault
from tests.virtual_time import START, run

DEFAULT = stops_of(StopSection())
OWN = "+33699999999"


def said(text: str, stops: Stops = DEFAULT) -> Wish | None:
    return wish(text, stops.stop, stops.start)


@given(st.sampled_from(["stop", "stop sms"]), st.data())
def test_raspismss_own_rule_is_a_part_of_ours(word: str, data: st.DataObject) -> None:
    """Lower-cased and trimmed (PHP's trim) exactly "stop" or "stop sms"."""
    cased = "".join(data.draw(st.sampled_from([c, c.upper()])) for c in word)
    blanks = st.text(" \t\n\r\0\x0b", max_size=4)
    text = data.draw(blanks) + cased + data.draw(blanks)
    assert said(text) is Wish.STOP


@pytest.mark.parametrize(
    "text",
    ["STOP.", "Stop !", "«stop»", "STOPSMS", "stop  sms", "STOP SMS.", "STOP 36111", "stop36111",
     "Arrêt", "ARRET", "arre\u0302t", "désabonnement", "Unsubscribe", "STOPALL",
     "stop all", "Abmelden!", "BAJA", "Ｓｔｏｐ", "𝕊𝕥𝕠𝕡", "s\u200btop",
     "STOP\N{VARIATION SELECTOR-16}"],
)  # fmt: skip
def test_what_means_stop(text: str) -> None:
    assert said(text) is Wish.STOP


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "stop it", "please stop", "the bus stop", "stopping", "non stop", "stop 12",
     "stop " * 20, "cancel", "annuler", "no", "nie", "36111", "sms", "STOP BOMBING", "nonstop"],
)  # fmt: skip
def test_what_does_not(text: str) -> None:
    assert said(text) is None


@pytest.mark.parametrize("text", ["START", "start.", "Reprendre", "réabonner", "unstop", "ALTA"])
def test_what_means_start(text: str) -> None:
    assert said(text) is Wish.START


@given(st.text(max_size=LONGEST * 2))
def test_any_text_is_plain_or_has_a_plain_form_that_stays(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert not any(unicodedata.category(char) == "Mn" for char in once)
    assert said(text) in (None, Wish.STOP, Wish.START)


def test_every_language_has_words_of_its_own_and_none_means_both() -> None:
    assert STOP_WORDS.keys() == START_WORDS.keys() >= set(LANGUAGES)
    for language in STOP_WORDS:
        stop, start = words(STOP_WORDS, [language]), words(START_WORDS, [language])
        assert stop
        assert start
        assert not stop & words(START_WORDS, START_WORDS)
        assert all(wish(word.upper(), stop, start) is Wish.STOP for word in STOP_WORDS[language])


def test_words_are_configured() -> None:
    stops = stops_of(StopSection(languages=("de",), words=("Schluss, aus!",)))
    assert said("schluss aus", stops) is Wish.STOP
    assert said("désabonnement", stops) is None
    assert stops_of(StopSection(enabled=False)) == Stops()
    both = stops_of(StopSection(words=("start",)))
    assert said("start", both) is Wish.STOP


class Box:
    """A phone that takes texts in, with rules."""

    def __init__(self, rig: Rig, phone: Phone, **rules: Any) -> None:
        self.rig = rig
        self.phone = phone
        self.rules = Rules(
            phone=lambda number: (rig.phones[number].record.name, "FR"),
            own=lambda: {OWN},
            **{"stops": DEFAULT, **rules},
        )
        self.done = 0
        self.sink = Inbox(phone, rig.phones, rig.store, Reactions(self.rules.react, self._done))
        self.number = 0

    def _done(self) -> None:
        self.done += 1

    async def hears(self, text: str, origin: str = ALICE, key: str | None = None) -> None:
        self.number += 1
        incoming = Incoming(key or f"k{self.number}", "raw", origin, START, text)
        await self.sink.received(incoming)

    async def sent(self) -> list[tuple[str, str, str | None, int | None]]:
        """What smsd wrote by itself: to whom, what, its tag, and by which phone."""
        return [
            (row["destination"], row["text"], row["tag"], row["wanted_phone_id"])
            for row in await self.rig.rows("message")
        ]

    async def stops(self) -> list[str]:
        return [row["number"] for row in await self.rig.rows("smsstop")]


async def box(**rules: Any) -> Box:
    rig = Rig()
    await rig.add("gsm0", Scripted())
    phone = await rig.add("gsm1", Scripted())
    return Box(rig, phone, **rules)


def test_the_first_stop_is_kept_and_answered_by_the_phone_that_it_came_to() -> None:
    async def main() -> None:
        b = await box()
        await b.hears("Stop.")
        assert await b.stops() == [ALICE]
        assert await b.sent() == [(ALICE, RASPISMS_ANSWER, "SMS_STOP", b.phone.record.id)]
        assert b.done == 1
        for text in ("STOP", "stop sms"):
            await b.hears(text)
        assert len(await b.sent()) == 1
        assert await b.rig.rows("scheduled") == []
        # The confirmation itself goes, though its recipient wants nothing more.
        [taken] = await claim(b.rig)
        assert (taken.text, taken.phone) == (RASPISMS_ANSWER, b.phone.record.id)
        b.rig.database.close()

    run(main())


def test_a_copy_of_a_stop_does_nothing_and_what_lacks_parts_says_nothing() -> None:
    async def main() -> None:
        b = await box()
        await b.hears("stop", key="same")
        await b.rig.store.stops.remove(1, None)
        await b.hears("stop", key="same")
        assert await b.stops() == []
        assert len(await b.sent()) == 1
        place = Place(7, wide=False, total=2, number=1)
        await b.sink.received(Incoming("p1", "stop", BOB, START, "stop", place))
        await asyncio.sleep(25 * 3600)
        given = await b.rig.store.arrivals.give_up_series(lambda raws: Content("stop"))
        assert len(given) == 1
        assert await b.stops() == []
        b.rig.database.close()

    run(main())


def test_start_undoes_it_and_only_what_its_sender_had_said() -> None:
    async def main() -> None:
        stops = stops_of(StopSection(start_answer="Welcome back."))
        b = await box(stops=stops)
        await b.hears("START")
        assert await b.sent() == []  # there was nothing to undo
        await b.hears("stop")
        await b.rig.store.stops.add(1, ALICE)
        await b.hears("Start!")
        assert [(row["account_id"], row["number"]) for row in await b.rig.rows("smsstop")] == [
            (1, ALICE)
        ]
        assert [text for _, text, _, _ in await b.sent()] == [RASPISMS_ANSWER, "Welcome back."]
        b.rig.database.close()

    run(main())


def test_who_stops_and_starts_without_end_is_not_answered_without_end() -> None:
    async def main() -> None:
        b = await box(per_hour=3)
        for _ in range(10):
            await b.hears("stop")
            await b.hears("start")
        assert len(await b.sent()) == 3
        await asyncio.sleep(3601)
        await b.hears("stop")
        assert len(await b.sent()) == 4
        assert await b.stops() == [ALICE]
        b.rig.database.close()

    run(main())


@pytest.mark.parametrize(
    ("origin", "kept"),
    [("0612345678", ALICE), ("36111", "36111"), ("INFO", "INFO"), (OWN, OWN), ("", "")],
)
def test_national_numbers_are_known_and_who_cannot_read_is_not_answered(
    origin: str, kept: str
) -> None:
    async def main() -> None:
        b = await box()
        await b.hears("stop", origin)
        assert await b.stops() == [kept]
        assert [to for to, *_ in await b.sent()] == ([ALICE] if kept == ALICE else [])
        b.rig.database.close()

    run(main())


def test_nothing_is_sent_to_who_has_said_stop_and_the_message_says_why() -> None:
    async def main() -> None:
        b = await box(stops=Stops(DEFAULT.stop, DEFAULT.start))
        await b.hears("stop")
        for tag in (None, "SMS_STOP"):  # anybody could write that tag
            message = await b.rig.send(draft(tag=tag))
            story = await b.rig.story(message)
            assert (story["state"], story["fault_class"], story["fault_code"]) == (
                "failed", "stopped", "STOP",
            )  # fmt: skip
        other = await b.rig.send(draft("hello", BOB))
        assert [c.message for c in await claim(b.rig)] == [other]
        b.rig.database.close()

    run(main())


def test_a_stop_that_comes_while_a_message_waits_wins() -> None:
    async def main() -> None:
        b = await box()
        first = await b.rig.send(draft("waits"))
        later = await b.rig.gateway.accept(1, draft("later", at=START.replace(hour=13)), None)
        tagged = await b.rig.send(draft("waits", tag="SMS_STOP"))
        await b.hears("stop")
        claims = await claim(b.rig)
        assert [c.text for c in claims] == [RASPISMS_ANSWER]
        assert await b.rig.state(first) == await b.rig.state(tagged) == "failed"
        await asyncio.sleep(2 * 3600)
        assert await claim(b.rig) == []
        [row] = [r for r in await b.rig.rows("message") if r["scheduled_id"] == later.id]
        assert row["state"] == "failed"
        b.rig.database.close()

    run(main())


def test_what_had_begun_is_ended_and_not_cut_in_two() -> None:
    async def main() -> None:
        b = await box(stops=Stops(DEFAULT.stop))
        message = await b.rig.send(draft("long", parts=2))
        [taken] = await claim(b.rig)
        await b.rig.store.outgoing.begin_part(taken, 1, 2)
        await b.rig.store.outgoing.complete_part(taken.attempt, 1, "7")
        await b.rig.store.outgoing.release(taken.attempt, fault(), retry_at=b.rig.now())
        await b.hears("stop")
        assert [c.message for c in await claim(b.rig)] == [message]
        b.rig.database.close()

    run(main())


def test_an_accounts_stop_holds_that_account_alone() -> None:
    async def main() -> None:
        b = await box()
        stops = b.rig.store.stops
        assert await stops.add(2, ALICE) == await stops.add(2, ALICE)
        assert await stops.stopped(2, ALICE)
        assert not await stops.stopped(1, ALICE)
        await b.rig.send(draft())
        assert [c.destination for c in await claim(b.rig)] == [ALICE]
        assert await stops.all(1) == frozenset()
        assert await stops.all(2) == {ALICE}
        assert not await stops.remove(1, 1)
        assert await stops.remove(1, 2)
        assert not await stops.stopped(2, ALICE)
        b.rig.database.close()

    run(main())


def test_a_text_and_all_that_follows_from_it_are_one_transaction() -> None:
    async def main() -> None:
        b = await box()
        b.rig.database._connection.execute(
            "CREATE TEMP TRIGGER t BEFORE INSERT ON answer BEGIN SELECT RAISE(ABORT, 'crash'); END"
        )
        with pytest.raises(sqlite3.IntegrityError, match="crash"):
            await b.hears("stop", key="k")
        for table in ("received", "incoming", "smsstop", "message", "answer", "event"):
            assert await b.rig.rows(table) == [], table
        b.rig.database._connection.execute("DROP TRIGGER t")
        await b.hears("stop", key="k")
        assert (await b.stops(), len(await b.sent())) == ([ALICE], 1)
        b.rig.database.close()

    run(main())
