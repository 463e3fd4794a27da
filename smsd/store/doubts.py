"""Messages in doubt, settled by a person, or sent again because their phone's owner wants that."""

from smsd.model.message import Change, Fault, FaultClass, Resolution, State
from smsd.store.database import Conflict, Database, Transaction
from smsd.store.states import keep_fault, move, review


class Doubts:
    """What a person decides. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def resolve(
        self, message: int, account: int | None, resolution: Resolution, who: str
    ) -> State | None:
        """Settle a message as somebody says; its state then, ``None`` if there is no such message.

        ``account`` ``None`` may settle anybody's. Raises `Conflict` if it is not in doubt: a
        report or a late answer that came before is right, whatever a person believes.
        """

        def work(tx: Transaction) -> State | None:
            row = tx.row("message", id=message, account=account)
            if row is None:
                return None
            if row["state"] != State.UNCERTAIN:
                raise Conflict(f"it is {row['state']}, not uncertain")
            match resolution:
                case Resolution.SENT:
                    _assume_sent(tx, message, row["phone_id"], who)
                case Resolution.RESEND:
                    resend(tx, message, f"{who} decided to send again what was in doubt")
                case Resolution.DROP:
                    words = f"given up by {who}: it may have gone"
                    keep_fault(tx, message, Fault(FaultClass.AMBIGUOUS, words))
                    move(tx, message, Change.REJECT, words)
            return State(tx.value("state of", id=message))

        return await self._database.transaction(work)


def resend(tx: Transaction, message: int, words: str, *, only_by: int | None = None) -> None:
    """Let the parts in doubt go again, and those that never went; ``only_by`` this phone.

    Where some parts are known to have gone, the phone that sent them sends the others anyway.
    """
    tx.run("write off parts", message=message)
    if only_by is not None:
        tx.run("begun on", id=message, phone=only_by)
    tx.run("give time", id=message, now=tx.now)
    move(tx, message, Change.RELEASE, words)


def _assume_sent(tx: Transaction, message: int, phone: int, who: str) -> None:
    """The parts in doubt had gone, says somebody; the others follow, if there are any.

    Where none is in doubt the whole is: it was held when a copy was restored.
    """
    words = f"{who} said that what was in doubt had gone"
    if not tx.run("assume parts sent", message=message, now=tx.now):
        keep_fault(tx, message, None)
        move(tx, message, Change.RECEIPT, words)
        return
    tx.run("begun on", id=message, phone=phone)
    tx.run("give time", id=message, now=tx.now)
    review(tx, message, words)
