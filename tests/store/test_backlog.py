"""What one claim costs, in steps of SQLite's machine, however much waits; and in which order."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsd.dispatch.route import route
from smsd.model.message import MessageId, Queued, Route, State
from smsd.model.phone import Candidate, Health
from smsd.store.database import milliseconds
from smsd.store.usage import used_more
from tests.rig import BOB, Rig, Scripted, claim, draft, takes
from tests.virtual_time import START, now, run

FEW, MANY = 300, 6000
HOUR = 3_600_000  # milliseconds
AT = milliseconds(START)


def fill(rig: Rig, count: int, **more: Any) -> None:
    """So many messages that wait."""
    row = {
        "account_id": 1, "scheduled_id": 1, "destination": "+33612345678", "text": "hello",
        "parts": 1, "flash": 0, "mms": 0, "state": "queued", "created_at": AT, "due_at": AT,
        "expires_at": AT + 24 * HOUR, **more,
    }  # fmt: skip
    names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    statement = f"INSERT INTO message ({names}) VALUES ({values})"
    rig.database._connection.executemany(statement, [row] * count)


async def decline(rig: Rig, declined: Mapping[int, Sequence[int]]) -> None:
    """As if those messages had been given to those phones, which had declined them."""
    rig.database._connection.executemany(
        "INSERT INTO attempt (message_id, phone_id, route, started_at, outcome)"
        " VALUES (?, ?, '', 0, 'declined')",
        [(message, phone) for message, phones in declined.items() for phone in phones],
    )
    rows = [{"id": message} for message in declined]
    await rig.database.transaction(lambda tx: tx.run_many("declined", rows))
    rig.database._connection.execute(
        "UPDATE message SET attempts ="
        " (SELECT count(*) FROM attempt a WHERE a.message_id = message.id)"
    )


async def all_declined(rig: Rig, *phones: int) -> None:
    await decline(rig, {row["id"]: phones for row in await rig.rows("message")})


async def sent_already(rig: Rig, parts: int) -> None:
    """So many parts have left by the first phone."""
    message = await rig.send(draft(parts=parts, phone=1))
    [given] = await claim(rig)
    assert given.message == message
    for part in range(1, parts + 1):
        await rig.store.outgoing.begin_part(given, part, parts)
        await rig.store.outgoing.complete_part(given.attempt, part, str(part))


async def with_one_phone(count: int) -> Rig:
    rig = Rig()
    await rig.add("gsm0", Scripted())
    fill(rig, count)
    return rig


async def declined_and_away(count: int) -> Rig:
    """The phone has declined them, and the cloud that would take over is not there."""
    rig = await with_one_phone(count)
    await all_declined(rig, 1)
    cloud = await rig.add("cloud0", Scripted(cloud=True))
    rig.phones.set_health(cloud, Health.UNAVAILABLE, "away")
    fill(rig, 1, parts=2)
    return rig


async def declined_by_every_phone(count: int) -> Rig:
    rig = await with_one_phone(count)
    await all_declined(rig, 1)
    return rig


async def nearly_full(count: int) -> Rig:
    """Two parts are left of the limit: of those that wait, only the newest is as small."""
    rig = Rig()
    await rig.add("gsm0", Scripted(), limits=[(5, "-1 day")])
    await sent_already(rig, 3)
    fill(rig, count, parts=3)
    fill(rig, 1, parts=2)
    return rig


async def put_off(count: int) -> Rig:
    """All but the newest, which is less urgent, wait for their hours."""
    rig = await with_one_phone(0)
    fill(rig, count, priority=1, due_at=AT + HOUR)
    fill(rig, 1, parts=2)
    return rig


async def steps(rig: Rig) -> tuple[int, list[int]]:
    """How many steps a claim takes, in hundreds, and the sizes of what it claims."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    rig.database._connection.set_progress_handler(count, 100)
    claims = await claim(rig)
    rig.database._connection.set_progress_handler(None, 0)
    return counted, [(await rig.story(given.message))["parts"] for given in claims]


@pytest.mark.parametrize(
    ("made", "sizes"),
    [
        (with_one_phone, [1]),
        (declined_and_away, [2]),
        (declined_by_every_phone, []),
        (nearly_full, [2]),
        (put_off, [2]),
    ],
)
def test_a_claim_costs_the_same_however_much_waits(made: Any, sizes: list[int]) -> None:
    async def main() -> None:
        few, many = await made(FEW), await made(MANY)
        (cost, claimed), (more, claimed_too) = await steps(few), await steps(many)
        assert claimed == claimed_too == sizes
        assert more <= 1.2 * cost + 2
        few.database.close()
        many.database.close()

    run(main())


def test_what_every_phone_has_declined_is_refused_by_the_hundred_until_none_is_left() -> None:
    async def main() -> None:
        rig = await declined_by_every_phone(250)
        fill(rig, 1)
        assert await claim(rig) == []
        assert [row["state"] for row in await rig.rows("message")].count(State.FAILED) == 100
        async with rig.sending():
            await asyncio.sleep(1)
        assert [row["state"] for row in await rig.rows("message")] == [State.FAILED] * 250 + [
            State.SENT
        ]
        rig.database.close()

    run(main())


def test_each_limit_has_room_again_for_the_sizes_that_wait_for_it() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(takes(2)), limits=[(3, "-30 days")])
        await rig.add("gsm1", Scripted(takes(2), takes(5)), limits=[(5, "-1 hour")])
        async with rig.sending():
            await rig.send(draft("a", parts=2, phone=1))
            await rig.send(draft("b", BOB, parts=2, phone=2))
            await asyncio.sleep(60)
            await rig.send(draft("a", parts=2, phone=1))
            larger = await rig.send(draft("b", BOB, parts=5, phone=2))
            await asyncio.sleep(3600)
        assert await rig.state(larger) == State.SENT
        rig.database.close()

    run(main())


_waiting = st.lists(
    st.fixed_dictionaries(
        {
            "parts": st.integers(1, 4),
            "priority": st.integers(0, 1),
            "due_at": st.integers(AT - 2, AT + 1),
            "wanted_phone_id": st.none() | st.integers(1, 3),
            "flash": st.integers(0, 1),
            "declined": st.frozensets(st.integers(1, 3), max_size=2),
        }
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(_waiting, st.integers(0, 3), st.integers(1, 8))
def test_claims_are_those_of_who_looks_at_each_message_in_order(
    waiting: list[dict[str, Any]], slots: int, limit: int
) -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted(slots=slots), limits=[(limit, "-1 day")])
        await rig.add("gsm1", Scripted(slots=2), flash=False, fallback=("gsm0",))
        await rig.add("cloud0", Scripted(slots=2, cloud=True))
        for row in waiting:
            fill(rig, 1, **{k: v for k, v in row.items() if k != "declined"})
        await decline(rig, {n: sorted(row["declined"]) for n, row in enumerate(waiting, 1)})
        candidates = await rig.store.views.candidates(rig.phones.standings(), rig.phones.counts())
        expected = one_by_one(waiting, candidates)
        assert [(given.message, given.phone) for given in await claim(rig)] == expected
        rig.database.close()

    run(main())


def one_by_one(
    waiting: Sequence[dict[str, Any]], candidates: Sequence[Candidate]
) -> list[tuple[int, int]]:
    """The first message in order that may leave, and again, until none may."""
    ones = {candidate.phone.id: candidate for candidate in candidates}
    order = sorted(
        (-row["priority"], row["due_at"], number)
        for number, row in enumerate(waiting, 1)
        if row["due_at"] <= AT
    )
    taken: list[tuple[int, int]] = []
    while any(candidate.standing.idle for candidate in ones.values()):
        for place in order:
            row = waiting[place[-1] - 1]
            queued = Queued(
                MessageId(place[-1]), "+33612345678", row["parts"], row["wanted_phone_id"],
                declined_by=row["declined"], flash=bool(row["flash"]),
            )  # fmt: skip
            decision = route(queued, tuple(ones.values()), now())
            if isinstance(decision, Route):
                break
        else:
            break
        order.remove(place)
        phone = next(phone for phone in ones if phone == decision.phone)
        ones[phone] = used_more(ones[phone], queued)
        taken.append((place[-1], decision.phone))
    return taken
