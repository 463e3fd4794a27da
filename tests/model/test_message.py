"""The table of states, and that the store's one statement obeys it."""

from itertools import product

import pytest

from smsd.model.message import TRANSITIONS, Change, State, sources, target
from smsd.store.database import Transaction
from smsd.store.states import move
from tests.rig import Rig, draft
from tests.virtual_time import run

FINAL = {State.DELIVERED, State.EXPIRED, State.CANCELLED}


@pytest.mark.parametrize("change", list(Change))
def test_each_change_has_sources_and_one_target(change: Change) -> None:
    assert 1 <= len(sources(change)) <= 3  # the store's UPDATE asks for at most three
    for state in sources(change):
        assert TRANSITIONS[state, change] is target(change)


def test_every_state_can_be_reached_and_final_ones_are_never_left() -> None:
    assert {State.QUEUED} | set(TRANSITIONS.values()) == set(State)
    assert not {state for state, _ in TRANSITIONS} & FINAL


def test_a_message_in_doubt_is_not_claimed_cancelled_or_expired() -> None:
    allowed = {change for state, change in TRANSITIONS if state is State.UNCERTAIN}
    assert allowed == {Change.RECEIPT, Change.RELEASE, Change.REJECT}


def test_a_failure_is_corrected_by_a_delivery_and_never_the_other_way_round() -> None:
    assert TRANSITIONS[State.FAILED, Change.DELIVER] is State.DELIVERED
    assert (State.DELIVERED, Change.BOUNCE) not in TRANSITIONS


def test_the_store_moves_by_the_table_alone_and_tells_each_move_once() -> None:
    async def main() -> None:
        rig = Rig()
        for state, change in product(State, Change):
            message = await rig.send(draft())
            connection = rig.database._connection
            connection.execute("UPDATE message SET state = ? WHERE id = ?", (state, message))
            before = len((await rig.story(message))["changes"])

            def work(tx: Transaction, message: int = message, change: Change = change) -> bool:
                return move(tx, message, change, "why")

            moved = await rig.database.transaction(work)
            story = await rig.story(message)
            assert moved is ((state, change) in TRANSITIONS)
            assert story["state"] == (TRANSITIONS[state, change] if moved else state)
            told = story["changes"][before:]
            assert [c["state"] for c in told] == ([story["state"]] if moved else [])
        rig.database.close()

    run(main())
