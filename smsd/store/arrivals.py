"""What comes in: every PDU raw, repeats once, long messages joined by a table."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from smsd.model.events import Incoming
from smsd.model.phone import PhoneId
from smsd.store.database import Database, Row, Transaction, milliseconds, ms

DEDUPE: Final = timedelta(days=7)  # how long a repeated message from a modem is known again
SAME_MESSAGE: Final = timedelta(hours=24)  # how long missing parts are waited for
SAME_SENDING: Final = timedelta(hours=1)
"""Parts whose service centre times are further apart share a reference by chance: a sender hands
in all of them at once, and one that is delivered late keeps the time at which it was handed in."""

Join = Callable[[Sequence[str | None]], str | None]
"""One text of a message's raw parts in order; ``None`` is a missing part, and no text."""


class Arrivals:
    """Incoming parts and the messages they make. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receive(self, phone: PhoneId, incoming: Incoming, join: Join) -> int | None:
        """Keep what came in, once; returns the id of the message that it completes, if it does.

        A copy of what came in the last seven days changes nothing.
        """

        def work(tx: Transaction) -> int | None:
            since = tx.now - ms(DEDUPE)
            if tx.row("same incoming", phone=phone, key=incoming.key, since=since) is not None:
                return None
            place = incoming.place
            sent_at = None if incoming.sent_at is None else milliseconds(incoming.sent_at)
            series = None
            if place is not None:
                series = tx.value(
                    "open series", phone=phone, origin=incoming.originator, wide=place.wide,
                    reference=place.reference, total=place.total, number=place.number,
                    since=tx.now - ms(SAME_MESSAGE), apart=ms(SAME_SENDING),
                    sent_at=tx.now if sent_at is None else sent_at,
                ) or tx.value("new series")  # fmt: skip
            row = tx.value(
                "add incoming", phone=phone, key=incoming.key, raw=incoming.raw,
                origin=incoming.originator, now=tx.now, sent_at=sent_at,
                reference=place and place.reference, wide=place and place.wide,
                total=place and place.total, number=place and place.number,
                series=series, error=incoming.error,
            )  # fmt: skip
            if place is not None:
                parts = tx.rows("series", series=series)
                if len(parts) < place.total:
                    return None
                return _joined(tx, parts, join)
            if incoming.silent or incoming.text is None:
                return None
            received: int = tx.value(
                "add received", phone=phone, now=tx.now, origin=incoming.originator,
                sent_at=sent_at, text=incoming.text, flash=incoming.flash, complete=True,
            )  # fmt: skip
            tx.run("incoming is received", id=row, received=received)
            tx.run("tell received", id=received, now=tx.now)
            return received

        return await self._database.transaction(work)

    async def give_up_series(self, join: Join) -> list[int]:
        """Messages that lack parts since a day ago: what came of them, once, as it is."""

        def work(tx: Transaction) -> list[int]:
            before = tx.now - ms(SAME_MESSAGE)
            given = []
            for (series,) in tx.rows("stale series", before=before):
                received = _joined(tx, tx.rows("series", series=series), join)
                given += [] if received is None else [received]
            return given

        return await self._database.transaction(work)


def _joined(tx: Transaction, parts: Sequence[Row], join: Join) -> int | None:
    """Close a series, whole or not; ``None`` if its parts are no text."""
    first, total = parts[0], parts[0]["total"]
    raws = {part["number"]: part["raw"] for part in parts}
    text = join([raws.get(number) for number in range(1, total + 1)])
    if text is None:
        tx.run("close series", series=first["series"])
        return None
    received: int = tx.value(
        "add received", phone=first["phone_id"], now=tx.now, sent_at=first["sent_at"],
        origin=first["origin"], text=text, flash=False, complete=len(parts) == total,
    )  # fmt: skip
    tx.run("series is received", series=first["series"], received=received)
    tx.run("tell received", id=received, now=tx.now)
    return received
