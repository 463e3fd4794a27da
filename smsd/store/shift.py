"""The clock was set: what was recorded by the wrong one is moved with it, and keeps its age."""

from typing import Final

from smsd.store.database import Transaction

SHIFTED: Final = (
    "hours", "messages", "parts", "reports", "incoming", "received", "datagrams", "calls",
    "events", "scheduled", "campaigns", "answers", "idempotent", "webhooks",
    "pulse",
)  # fmt: skip
"""All that waits, counts, is known again or is forgotten by its time, in the order of moving."""


def shift(tx: Transaction, step: int, began: int) -> None:
    """Move what was recorded since ``began`` by ``step``, both in milliseconds.

    And what is later than the new time: that a clock was wrong by which it was, too, is certain.
    """
    since = min(began, tx.now + step)
    for what in SHIFTED:
        tx.run(f"shift {what}", step=step, since=since, now=tx.now)
