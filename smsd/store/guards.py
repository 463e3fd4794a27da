"""Guards: what is too much for one recipient is refused before it is queued for long."""

from collections.abc import Sequence
from typing import Final

from smsd.model.message import Change, Fault, FaultClass, Guard
from smsd.store.database import Transaction, milliseconds, moment
from smsd.store.states import columns, move

WORDS: Final = {
    "flood": "messages",
    "loop": "messages with this text",
}


def refuse_too_many(tx: Transaction, scheduled: int, guards: Sequence[Guard], after: int) -> None:
    """Fail those of a scheduled row's new messages that a guard refuses, with the reason.

    New are those that came ``after`` that message. Call it while the scheduled row is there. A
    refused message counts for nobody afterwards, so that a storm does not keep its own guard shut.
    """
    for guard in guards:
        over = tx.rows(
            "over a guard", scheduled=scheduled, after=after, same_text=guard.same_text,
            volume=guard.volume,
            since=milliseconds(guard.since(moment(tx.now))),
        )  # fmt: skip
        for row in over:
            fault = _fault(guard)
            tx.run("not watched", id=row["id"])
            tx.run("fault", id=row["id"], **columns(fault))
            move(tx, row["id"], Change.REJECT, fault.words)


def _fault(guard: Guard) -> Fault:
    what = WORDS[guard.name]
    return Fault(
        FaultClass.GUARD,
        f"its recipient has had {guard.volume} {what} since {guard.startpoint}, and gets no more",
        guard.name.upper(),
        f"if they are meant, raise dispatch.{guard.name}",
    )
