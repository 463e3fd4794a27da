"""What follows from a text that came in, in the transaction that keeps it: once, or not at all."""

from typing import Final

from smsd.model.reactions import STOP_RULE, Answer, Reaction
from smsd.store.database import Transaction
from smsd.store.stops import EVERYBODY, add_stop, is_stopped

HOUR: Final = 3_600_000  # milliseconds


def apply(tx: Transaction, received: int, phone: int, reaction: Reaction) -> None:
    """Do what is to be done about a received text; its answer leaves by ``phone``."""
    if reaction.stop is not None and add_stop(tx, EVERYBODY, reaction.stop) is None:
        return  # said before: nothing new, and nothing to answer
    if reaction.start is not None and not tx.run("remove stop of", number=reaction.start):
        return
    if reaction.order is not None:
        order = reaction.order
        tx.run("received is a command", id=received)
        tx.run(
            "add command run", received=received, name=order.name, arguments=order.arguments,
            now=tx.now,
        )  # fmt: skip
    if reaction.answer is not None:
        write(tx, received, phone, reaction.answer)


def write(tx: Transaction, received: int, phone: int, answer: Answer) -> bool:
    """Queue an answer, unless its number has had enough of them, or wants none; whether it did."""
    number, now = answer.number, tx.now
    if tx.value("answers since", number=number, since=now - HOUR, now=now) >= answer.per_hour:
        return False
    since = now - round(answer.every * 1000)
    if answer.every and tx.value(
        "answered by", rule=answer.rule, number=number, since=since, now=now
    ):
        return False
    if answer.rule != STOP_RULE and is_stopped(tx, answer.account, number):
        return False
    values = {
        "account": answer.account, "text": answer.text, "parts": answer.parts,
        "tag": answer.tag, "phone": phone, "now": now,
    }  # fmt: skip
    # Its row in scheduled is there for its id alone: every message has one of its own.
    scheduled = tx.value("reserve scheduled", **values, validity=answer.validity)
    message = tx.value(
        "add answering message", **values, scheduled=scheduled, number=number,
        expires_at=now + answer.validity * 1000,
    )  # fmt: skip
    tx.run("remove scheduled", id=scheduled, account=None)
    tx.run(
        "add answer", message=message, received=received, rule=answer.rule, number=number,
        now=now,
    )  # fmt: skip
    tx.run("tell state", id=message, state="queued", words=f"answers message {received}", now=now)
    return True
