"""A number is taken out of every row, and its octets out of the files."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from smsd.gsm import PDU, Address, Deliver, segment
from smsd.model.events import CallBegan, Incoming, Report, Verdict
from smsd.store.contacts import Contact, Group
from smsd.store.database import Conflict
from smsd.store.once import Once
from tests.rig import ALICE, Rig, Scripted, claim, claimed, draft, fault, phone_id, send_part
from tests.store.test_arrivals import join
from tests.virtual_time import START

SECRET = "+33698765432"
FORMS = (SECRET, "33698765432", "0033698765432", "0698765432")
TEXT = "Xanthippe's appointment"
REPLY = "I shall come, says Xanthippe"


def raw(number: str, text: str) -> str:
    """A PDU as a modem gives it."""
    [data] = segment(text)
    deliver = Deliver(Address.parse(number), 0, data.coding, START, data)
    return PDU(sc=None, tpdu=deliver).hex


@contextmanager
def rig_at(folder: Path) -> Iterator[Rig]:
    rig = Rig(folder / "db", now=lambda: START, inline=False)
    try:
        yield rig
    finally:
        rig.database.close()


def traces(folder: Path) -> set[str]:
    """What of the number and its texts stands in any file, in any form that it takes there."""
    swapped = "".join(b + a for a, b in zip(SECRET[1::2], SECRET[2::2] + "F", strict=True))
    patterns = [SECRET[1:], "0698765432", TEXT, REPLY, swapped, raw(SECRET, REPLY)[-20:]]
    found = set()
    for path in folder.iterdir():
        octets = path.read_bytes()
        found |= {pattern for pattern in patterns if pattern.encode() in octets}
    return found


async def fill(rig: Rig) -> None:
    """Something about the number in every table, among a lot about others."""
    random.seed(1)
    phone = await rig.add("gsm0", Scripted(slots=9), limits=[(999, "today")])
    id_ = phone_id(phone)
    store = rig.store
    mine = await store.contacts.create(1, Contact("Xan", SECRET, '{"x": 1}'), 1)
    other = await store.contacts.create(1, Contact("Al", ALICE, "[]"), 1)
    await store.contacts.create(1, Group("both", [mine, other]), 1)
    later = START + timedelta(days=1)
    for n in range(60):
        others = [f"+336{random.randrange(10**8):08d}" for _ in range(random.choice([0, 2, 9]))]
        text = "y" * random.randrange(1, 200) if others else TEXT
        at = later if n % 4 == 0 else None
        await store.outgoing.schedule(1, draft(text, SECRET, *others, at=at, tag="t"))
        for taken in await claim(rig):
            await send_part(rig, taken, 1, 1, str(n))
            verdict = Report(
                str(n), taken.destination, Verdict.DELIVERED, "0", "it got there", key=f"r{n}"
            )
            await store.reports.report(id_, verdict)
        for _ in range(2):
            number = f"+336{random.randrange(10**8):08d}"
            filler = Incoming(f"f{random.random()}", raw(number, "hi"), number, START, "hi")
            await store.arrivals.receive(id_, filler, join)
    await store.outgoing.schedule(1, draft("for both", contacts=(mine, other), at=later))
    wrong = Once("k", "d", {"X-Smsd-Invalid-Numbers": "0698765432"})
    await store.outgoing.schedule(1, draft("for one", SECRET, at=later), wrong)
    for n, form in enumerate(FORMS):
        message = Incoming(f"k{n}", raw(SECRET, REPLY), form, START, REPLY)
        assert await store.arrivals.receive(id_, message, join)
        octets = Incoming(
            f"o{n}", raw(SECRET, REPLY), form, START, None, data=REPLY.encode(), ports=(1, 2)
        )
        await store.arrivals.receive(id_, octets, join)
        await store.calls.begin(id_, CallBegan(f"c{n}", form))
        await store.reports.report(id_, Report("9", form, Verdict.TRYING, "32", TEXT, key=f"l{n}"))
    stop = "INSERT INTO smsstop (account_id, number, created_at) VALUES (0, ?, 0)"
    await rig.database.transaction(lambda tx: tx._connection.execute(stop, (SECRET,)))


def test_nothing_of_it_stands_in_any_file_and_limits_count_as_before(tmp_path: Path) -> None:
    async def main() -> None:
        with rig_at(tmp_path) as rig:
            await fill(rig)
            assert len(traces(tmp_path)) == 6

            async def used() -> int:
                found = await rig.store.views.candidates(
                    rig.phones.standings(), rig.phones.counts()
                )
                return found[0].windows[0].used

            before, others = await used(), len(await rig.rows("received"))
            counts = await rig.store.erasure.erase(FORMS, stops=True)
            assert traces(tmp_path) == set()
            assert await used() == before > 0
            assert len(await rig.rows("received")) == others - 4
            assert counts == {
                "message": 45, "raw": 8, "report": 4, "call": 4, "datagram": 4, "received": 4,
                "contact": 1, "scheduled": 7, "smsstop": 1,
            }  # fmt: skip
            left = [row["text"] for row in await rig.rows("scheduled")]
            assert "for both" in left
            assert "for one" not in left
            erased = [row for row in await rig.rows("message") if row["destination"] == "erased"]
            assert {(row["text"], row["tag"]) for row in erased} == {("", None)}
            assert {row["state"] for row in erased} == {"delivered", "sent"}
            copy = Incoming("k0", raw(SECRET, REPLY), SECRET, START, REPLY)
            await rig.store.arrivals.receive(phone_id(rig.phones.all()[0]), copy, join)
            assert traces(tmp_path) == set()  # a repeat is known by its key still

    asyncio.run(main())


def test_what_waits_is_cancelled_and_what_is_under_way_refuses(tmp_path: Path) -> None:
    async def main() -> None:
        with rig_at(tmp_path) as rig:
            await rig.add("gsm0", Scripted())
            await rig.send(draft("first", SECRET))
            doubt = await claimed(rig)
            waits = await rig.send(draft("second", SECRET))
            with pytest.raises(Conflict, match="1 messages to it are on their way or uncertain"):
                await rig.store.erasure.erase(FORMS, stops=False)
            await rig.store.outgoing.begin_part(doubt, 1, 1)
            await rig.store.outgoing.doubt(doubt.attempt, fault())
            with pytest.raises(Conflict):
                await rig.store.erasure.erase(FORMS, stops=False)
            assert [row["text"] for row in await rig.rows("message")] == ["first", "second"]
            assert await rig.state(waits) == "queued"
            await rig.store.outgoing.complete_part(doubt.attempt, 1, "7")
            assert (await rig.store.erasure.erase(FORMS, stops=False))["message"] == 2
            assert [await rig.state(1), await rig.state(waits)] == ["sent", "cancelled"]
            assert await claim(rig) == []

    asyncio.run(main())


def test_who_wanted_no_more_still_gets_none_unless_that_is_forgotten_too(tmp_path: Path) -> None:
    async def main() -> None:
        with rig_at(tmp_path) as rig:
            await fill(rig)
            assert "smsstop" not in await rig.store.erasure.erase(FORMS, stops=False)
            await rig.store.outgoing.schedule(1, draft("again", SECRET))
            assert (await rig.rows("message"))[-1]["state"] == "failed"
            assert (await rig.store.erasure.erase(FORMS, stops=True))["smsstop"] == 1
            await rig.store.outgoing.schedule(1, draft("again", SECRET))
            assert (await rig.rows("message"))[-1]["state"] == "queued"

    asyncio.run(main())


def test_a_number_that_is_nowhere_is_erased_already(tmp_path: Path) -> None:
    async def main() -> None:
        with rig_at(tmp_path) as rig:
            await rig.send(draft())
            assert not any((await rig.store.erasure.erase(FORMS, stops=True)).values())
            assert await rig.state(1) == "queued"

    asyncio.run(main())
