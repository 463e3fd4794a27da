"""A message's state, changed inside a transaction: by the table of states and by its parts."""

from typing import Final
from uuid import uuid4

from smsd.model.events import Verdict
from smsd.model.message import Change, Fault, FaultClass, State, sources, target
from smsd.store.database import Transaction

SENDED: Final = {
    State.SENT: "unknown",
    State.UNCERTAIN: "unknown",
    State.DELIVERED: "delivered",
    State.FAILED: "failed",
    State.EXPIRED: "failed",
}
"""RaspiSMS's status for the states in which a message shows among the sent ones."""

MOST_RESENDS: Final = 3  # where on_uncertain is "resend": a modem that never answers is held then


def move(tx: Transaction, message: int, change: Change, words: str | None = None) -> bool:
    """Make one change of the table of states, with its event and its row in ``sended``."""
    allowed = sources(change)
    first, second, third = (*allowed, *allowed[-1:] * 2)[:3]
    state = target(change)
    if tx.row("move", id=message, state=state, from_1=first, from_2=second, from_3=third) is None:
        return False
    tx.run("tell state", id=message, state=state, words=words, now=tx.now)
    if (status := SENDED.get(state)) is not None:
        added = tx.run("add sended", id=message, uid=uuid4().hex, now=tx.now, status=status)
        if not added:
            tx.run("sended status", id=message, now=tx.now, status=status)
    return True


def expire(tx: Transaction, message: int) -> None:
    """End a message whose validity is over, and tell how much of it had gone."""
    parts = tx.rows("parts", message=message)
    words = "its validity ended before it could be sent"
    if parts:
        words = f"its validity ended after {len(parts)} of {parts[0]['total']} parts had gone"
    move(tx, message, Change.EXPIRE, words)


def doubt(tx: Transaction, message: int, phone: int, words: str) -> None:
    """A part may have gone: nobody sends it again, but where the phone's owner wants that.

    Then it is released after the phone's ``resend_after``, unless it has settled by then, and
    `MOST_RESENDS` times at most.
    """
    if move(tx, message, Change.DOUBT, words):
        tx.run("resend later", id=message, phone=phone, now=tx.now, most=MOST_RESENDS)


def review(tx: Transaction, message: int, words: str | None = None) -> None:
    """Draw the message's state from its parts, after one of them changed; ``words`` say why."""
    row = tx.row("message state", id=message)
    parts = tx.rows("parts", message=message)
    assert row is not None
    if not parts or any(part["state"] == "begun" for part in parts):
        return
    if len({part["number"] for part in parts}) < parts[0]["total"]:
        if row["state"] == State.UNCERTAIN:
            known = "the part in doubt had gone: the rest may"
            move(tx, message, Change.RELEASE, words or known)
        return
    if row["state"] in sources(Change.RECEIPT):
        attempt = max(part["attempt_id"] for part in parts)
        tx.run("end attempt", id=attempt, now=tx.now, outcome="sent", **columns(None))
        if row["fault_class"] is not None:
            keep_fault(tx, message, None)
        move(tx, message, Change.RECEIPT, words)
    bounced = [part for part in parts if part["verdict"] == Verdict.FAILED]
    if bounced and row["state"] != State.FAILED:
        told = bounced[0]["verdict_words"]
        fault = Fault(FaultClass.PERMANENT, told, bounced[0]["verdict_code"])
        if move(tx, message, Change.BOUNCE, f"the network could not deliver it: {told}"):
            keep_fault(tx, message, fault)
    elif all(part["verdict"] == Verdict.DELIVERED for part in parts):
        keep_fault(tx, message, None)
        move(tx, message, Change.DELIVER)


def judge(tx: Transaction, part: int, verdict: str, code: str, words: str) -> None:
    """Note what a report says of a part, and draw its message's state from it."""
    message = tx.value(
        "judge part", id=part, verdict=str(verdict), code=code, words=words, now=tx.now
    )
    if message is not None:
        review(tx, message)


def columns(fault: Fault | None) -> dict[str, str | None]:
    """A fault as the columns of an attempt or a message."""
    if fault is None:
        return dict.fromkeys(("fault_class", "fault_code", "fault_words", "fault_hint"))
    return {
        "fault_class": str(fault.kind),
        "fault_code": fault.code,
        "fault_words": fault.words,
        "fault_hint": fault.hint,
    }


def keep_fault(tx: Transaction, message: int, fault: Fault | None) -> None:
    """Note the newest fault of a message, or that it has none any more."""
    tx.run("fault", id=message, **columns(fault))
