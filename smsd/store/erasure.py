"""Everything about one number is taken out, and its octets out of the files."""

import json
from collections.abc import Sequence
from typing import Final

from smsd.model.message import Change
from smsd.store.database import Conflict, Database, Transaction
from smsd.store.states import move

ERASED: Final = "erased"
"""What stands in the place of a number that is no more."""


class Erasure:
    """See `erase`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def erase(self, numbers: Sequence[str], *, stops: bool) -> dict[str, int]:
        """Take a number, in all the forms in which it may stand, out of every row; how many.

        Messages that wait are cancelled. Rows that limits count stay, without number and text; what
        came in from it goes. ``stops``: out of the lists of those who want no more messages, too.
        The file is written anew, and everything else waits for that: seconds, for a large one.
        Raises `Conflict`, and changes nothing, while a message to it is on its way or in doubt.
        """
        erased = await self._database.transaction(lambda tx: _erase(tx, numbers, stops=stops))
        await self._database.rewrite()
        return erased


def _erase(tx: Transaction, numbers: Sequence[str], *, stops: bool) -> dict[str, int]:
    asked = json.dumps(list(numbers))
    found = tx.rows("messages to", numbers=asked)
    under_way = [row["id"] for row in found if row["begun"]]
    if under_way:
        shown = ", ".join(map(str, under_way[:5]))
        raise Conflict(f"{len(under_way)} messages to it are on their way or uncertain ({shown})")
    for row in found:
        move(tx, row["id"], Change.CANCEL)
    ids = json.dumps([row["id"] for row in found])
    for table in ("reports", "parts", "attempts", "events", "messages"):
        tx.run(f"erase {table} of messages", ids=ids, erased=ERASED)
    counts = {
        "message": len(found),
        "raw": tx.run("erase incoming", numbers=asked),
        "report": tx.run("erase reports", numbers=asked, erased=ERASED),
        "call": tx.run("erase calls", numbers=asked, erased=ERASED),
        "datagram": tx.run("erase datagrams", numbers=asked),
    }
    tx.run("erase events of received", numbers=asked)
    tx.run("hide replaced by erased", numbers=asked)
    counts["received"] = tx.run("erase received", numbers=asked)
    alone = json.dumps([row["id"] for row in tx.rows("scheduled for", numbers=asked)])
    tx.run("erase scheduled numbers", numbers=asked)
    counts["contact"] = tx.run("erase contacts", numbers=asked)
    tx.run("erase answers", numbers=asked)
    counts["scheduled"] = tx.run("erase scheduled", ids=alone)
    if stops:
        counts["smsstop"] = tx.run("erase stops", numbers=asked)
    return counts
