"""What comes in: kept raw, once; long messages joined in any order."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsd.model.content import Content
from smsd.model.events import Incoming, Place
from smsd.model.phone import PhoneId
from smsd.store.database import StoreUnavailable
from tests.rig import ALICE, BOB, Rig, Scripted
from tests.virtual_time import START, run


def join(raws: Sequence[str | None]) -> Content | None:
    """Words, a dash for a part that never came; octets are no text."""
    return None if "octets" in raws else Content(" ".join(raw or "-" for raw in raws))


def part(
    words: str, number: int, total: int, *, reference: int = 7, sent_at: datetime | None = START,
    wide: bool = False, origin: str = ALICE,
) -> Incoming:  # fmt: skip
    """A part of a long message whose raw form is its words."""
    place = Place(reference, wide, total, number)
    key = f"{words} {sent_at} {origin}"
    return Incoming(key, words, origin, sent_at, words, place)


def whole(text: str, key: str = "k") -> Incoming:
    return Incoming(key, "raw", ALICE, START, text)


async def rig_with_phone(path: str | Path = ":memory:") -> tuple[Rig, PhoneId]:
    rig = Rig(path)
    phone = await rig.add("gsm0", Scripted())
    return rig, phone.record.id


async def texts(rig: Rig) -> list[str]:
    return [row["text"] for row in await rig.rows("received")]


def test_a_message_and_its_event_are_stored_together() -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone()
        received = await rig.store.arrivals.receive(phone, whole("hi"), join)
        [row] = await rig.rows("received")
        assert (row["id"], row["text"], row["origin"], row["complete"]) == (
            received,
            "hi",
            ALICE,
            1,
        )
        assert [event["received_id"] for event in await rig.rows("event")] == [received]
        rig.database.close()

    run(main())


def test_a_copy_vanishes_for_seven_days_and_then_is_another_message() -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone()
        receive = rig.store.arrivals.receive
        await receive(phone, whole("hi"), join)
        assert await receive(phone, whole("hi"), join) is None
        await asyncio.sleep(timedelta(days=7).total_seconds())
        assert await receive(phone, whole("hi"), join) is None
        await asyncio.sleep(1)
        assert await receive(phone, whole("hi"), join) == 2
        other = await rig.add("gsm1", Scripted())
        assert await receive(other.record.id, whole("hi"), join) == 3
        rig.database.close()

    run(main())


@pytest.mark.parametrize(
    "incoming",
    [
        Incoming("k", "00FF", error="user_data: cut off"),
        Incoming("k", "00FF", ALICE, START, None),
        Incoming("k", "00FF", ALICE, START, "", silent=True),
    ],
)
def test_what_shows_nothing_is_kept_raw(incoming: Incoming) -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone()
        assert await rig.store.arrivals.receive(phone, incoming, join) is None
        assert await rig.rows("received") == await rig.rows("event") == []
        [row] = await rig.rows("incoming")
        assert (row["raw"], row["error"]) == ("00FF", incoming.error)
        rig.database.close()

    run(main())


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_parts_join_in_any_order_with_repeats_and_restarts(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    async def main() -> None:
        for number in order:
            rig, phone = await rig_with_phone(tmp_path / "db")
            for _ in range(2):
                await rig.store.arrivals.receive(phone, part(f"w{number}", number, 3), join)
            shown = await texts(rig)
            rig.database.close()
        assert shown == ["w1 w2 w3"]

    run(main())


def test_a_card_that_moves_to_another_modem_brings_nothing_twice(tmp_path: Path) -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone(tmp_path / "db")
        receive = rig.store.arrivals.receive
        assert await receive(phone, whole("hi"), join, sim="8933150319080162432") == 1
        assert await receive(phone, part("a", 1, 2), join, sim="8933150319080162432") is None
        rig.database.close()
        rig = Rig(tmp_path / "db")
        receive = rig.store.arrivals.receive
        other = (await rig.add("gsm1", Scripted())).record.id
        assert await receive(other, whole("hi"), join, sim="8933150319080162432") is None
        assert await receive(other, part("a", 1, 2), join, sim="8933150319080162432") is None
        # The rest of a long message finds its beginning too.
        assert await receive(other, part("b", 2, 2), join, sim="8933150319080162432") == 2
        # A twin to another card is another message, in whatever modem.
        assert await receive(other, whole("hi"), join, sim="8933150319080162433") == 3
        assert await receive(phone, whole("hi"), join) is None  # before its card is known
        rig.database.close()

    run(main())


def test_other_senders_totals_and_reference_sizes_do_not_mix() -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone()
        for one in (
            part("a1", 1, 2),
            part("b2", 2, 2, origin=BOB),
            part("c2", 2, 2, wide=True),
            part("d2", 2, 3),
            part("e2", 2, 2, reference=8),
        ):
            assert await rig.store.arrivals.receive(phone, one, join) is None
        await rig.store.arrivals.receive(phone, part("a2", 2, 2), join)
        assert await texts(rig) == ["a1 a2"]
        rig.database.close()

    run(main())


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_a_reference_used_again_after_a_part_was_lost_does_not_mix(order: tuple[int, ...]) -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone()
        receive = rig.store.arrivals.receive
        await receive(phone, part("old1", 1, 3), join)
        await asyncio.sleep(7200)
        later = START + timedelta(hours=2)
        for number in order:
            await receive(phone, part(f"new{number}", number, 3, sent_at=later), join)
        assert await texts(rig) == ["new1 new2 new3"]
        await asyncio.sleep(90_000)
        await rig.store.arrivals.give_up_series(join)
        assert await texts(rig) == ["new1 new2 new3", "old1 - -"]
        rig.database.close()

    run(main())


def test_a_part_that_the_network_delivers_hours_late_still_joins() -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone()
        await rig.store.arrivals.receive(phone, part("w1", 1, 2), join)
        await asyncio.sleep(20 * 3600)
        late = part("w2", 2, 2, sent_at=START + timedelta(seconds=3))
        await rig.store.arrivals.receive(phone, late, join)
        assert await texts(rig) == ["w1 w2"]
        rig.database.close()

    run(main())


def test_parts_without_a_time_join_too() -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone()
        await rig.store.arrivals.receive(phone, part("w1", 1, 2, sent_at=None), join)
        await asyncio.sleep(60)
        await rig.store.arrivals.receive(phone, part("w2", 2, 2, sent_at=None), join)
        assert await texts(rig) == ["w1 w2"]
        rig.database.close()

    run(main())


def test_what_stays_incomplete_is_given_once_after_a_day_as_it_is() -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone()
        for number in (3, 1):
            await rig.store.arrivals.receive(phone, part(f"w{number}", number, 3), join)
        await asyncio.sleep(86_400)
        assert await rig.store.arrivals.give_up_series(join) == []
        await asyncio.sleep(1)
        assert await rig.store.arrivals.give_up_series(join) == [1]
        assert await rig.store.arrivals.give_up_series(join) == []
        [row] = await rig.rows("received")
        assert (row["text"], row["complete"]) == ("w1 - w3", 0)
        rig.database.close()

    run(main())


def test_nothing_is_taken_in_that_cannot_be_stored(tmp_path: Path) -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone(tmp_path / "db")
        rig.fill()
        big = Incoming("k", "0" * 100_000, ALICE, START, "hi")
        with pytest.raises(StoreUnavailable):
            await rig.store.arrivals.receive(phone, big, join)
        rig.empty()
        assert await rig.store.arrivals.receive(phone, big, join) == 1
        rig.database.close()

    run(main())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_interleaving_of_messages_joins_each_of_them_once(data: st.DataObject) -> None:
    """Several messages, each with a reference of its own, shuffled and with repeats."""
    totals = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    references = count(1)
    sent = [
        [part(f"m{m}p{n}", n, total, reference=reference) for n in range(1, total + 1)]
        for m, (total, reference) in enumerate(zip(totals, references, strict=False))
    ]
    everything = [one for message in sent for one in message]
    order = data.draw(st.permutations(everything + everything[:2]))

    async def main() -> None:
        rig, phone = await rig_with_phone()
        for one in order:
            await rig.store.arrivals.receive(phone, one, join)
        assert sorted(await texts(rig)) == sorted(" ".join(p.raw for p in one) for one in sent)
        rig.database.close()

    run(main())


def test_a_long_message_of_octets_is_kept_and_shown_to_nobody() -> None:
    async def main() -> None:
        rig, phone = await rig_with_phone()
        for number in (1, 2):
            piece = part("octets", number, 2, sent_at=START + timedelta(seconds=number))
            assert await rig.store.arrivals.receive(phone, piece, join) is None
        assert await texts(rig) == []
        await asyncio.sleep(2 * 86_400)
        assert await rig.store.arrivals.give_up_series(join) == []
        text = part("w", 1, 1)
        assert await rig.store.arrivals.receive(phone, text, join) == 1

    run(main())
