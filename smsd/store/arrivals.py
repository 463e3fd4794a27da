"""What comes in: every PDU raw, repeats once, long messages joined by a table."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from smsd.model.content import Content, Kind
from smsd.model.events import Incoming
from smsd.model.phone import PhoneId
from smsd.model.reactions import Heard, React
from smsd.store.database import Database, Row, Transaction, milliseconds, ms
from smsd.store.reactions import apply

DEDUPE: Final = timedelta(days=7)  # how long a repeated message from a modem is known again
SAME_MESSAGE: Final = timedelta(hours=24)  # how long missing parts are waited for
SAME_SENDING: Final = timedelta(hours=1)
"""Parts whose service centre times are further apart share a reference by chance: a sender hands
in all of them at once, and one that is delivered late keeps the time at which it was handed in."""

Join = Callable[[Sequence[str | None]], Content | None]
"""One message of its raw parts in order; ``None`` is a missing part, and nothing to say."""


class Arrivals:
    """Incoming parts and the messages they make. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receive(
        self,
        phone: PhoneId,
        incoming: Incoming,
        join: Join,
        react: React | None = None,
        sim: str | None = None,
    ) -> int | None:
        """Keep what came in, once; returns the id of the message that it completes, if it does.

        A copy of what came in the last seven days changes nothing, in whatever modem the card
        (``sim``, its ICCID; ``None`` where that is not known) was then. ``react`` decides what
        follows from a whole text: it is done in the same transaction, so for each message once or
        never.
        """

        def work(tx: Transaction) -> int | None:
            since = tx.now - ms(DEDUPE)
            same = tx.row("same incoming", phone=phone, sim=sim, key=incoming.key, since=since)
            if same is not None:
                return None
            place = incoming.place
            sent_at = None if incoming.sent_at is None else milliseconds(incoming.sent_at)
            series = None
            if place is not None:
                series = tx.value(
                    "open series", phone=phone, sim=sim, origin=incoming.originator,
                    wide=place.wide, reference=place.reference, total=place.total,
                    number=place.number, since=tx.now - ms(SAME_MESSAGE), apart=ms(SAME_SENDING),
                    sent_at=tx.now if sent_at is None else sent_at,
                ) or tx.value("new series")  # fmt: skip
            row = tx.value(
                "add incoming", phone=phone, sim=sim, key=incoming.key, raw=incoming.raw,
                origin=incoming.originator, now=tx.now, sent_at=sent_at,
                reference=place and place.reference, wide=place and place.wide,
                total=place and place.total, number=place and place.number,
                series=series, error=incoming.error, kind=str(incoming.kind),
            )  # fmt: skip
            for waiting in incoming.waiting:
                told = "some" if waiting.count is None else str(waiting.count)
                tx.run("tell waiting", words=f"{waiting.kind}: {told}", now=tx.now)
            if place is not None:
                parts = tx.rows("series", series=series)
                if len(parts) < place.total:
                    return None
                return _joined(tx, parts, join, react)
            received, datagram = _keep(
                tx, phone, incoming.originator, sent_at, incoming.content, react, complete=True
            )
            tx.run("incoming is", id=row, received=received, datagram=datagram)
            return received

        return await self._database.transaction(work)

    async def are_awaited(self) -> bool:
        """Whether a long message lacks parts that may still come."""
        return bool(await self._database.transaction(lambda tx: tx.value("open series exist")))

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


def _joined(
    tx: Transaction, parts: Sequence[Row], join: Join, react: React | None = None
) -> int | None:
    """Close a series, whole or not; ``None`` if its parts are no text."""
    first, total = parts[0], parts[0]["total"]
    raws = {part["number"]: part["raw"] for part in parts}
    content = join([raws.get(number) for number in range(1, total + 1)])
    received = datagram = None
    if content is not None:
        received, datagram = _keep(
            tx, first["phone_id"], first["origin"], first["sent_at"], content, react,
            complete=len(parts) == total,
        )  # fmt: skip
    if received is None:
        tx.run("close series", series=first["series"], datagram=datagram)
        return None
    tx.run("series is", series=first["series"], received=received, datagram=datagram)
    return received


def _keep(
    tx: Transaction,
    phone: int,
    origin: str,
    sent_at: int | None,
    content: Content,
    react: React | None,
    *,
    complete: bool,
) -> tuple[int | None, int | None]:
    """Keep a whole message; returns its ids among the received and among the datagrams."""
    if content.silent:
        return None, None
    datagram = None
    if content.data is not None:
        destination, source = content.ports or (None, None)
        datagram = tx.value(
            "add datagram", phone=phone, now=tx.now, sent_at=sent_at, origin=origin,
            destination=destination, source=source, data=content.data.hex().upper(),
        )  # fmt: skip
        tx.run("tell datagram", id=datagram, now=tx.now)
    if content.text is None:
        return None, datagram
    heard = Heard(phone, origin, content.text)
    # A text that lacks parts may say anything, and what is for a program is nobody's wish.
    reaction = react(heard) if react and complete and content.kind is Kind.TEXT else None
    text = content.text if reaction is None or reaction.text is None else reaction.text
    received: int = tx.value(
        "add received", phone=phone, now=tx.now, origin=origin, sent_at=sent_at,
        text=text, flash=content.flash, complete=complete, kind=str(content.kind),
        replace_type=content.replaces,
    )  # fmt: skip
    if content.replaces is not None:
        _replace(tx, received, phone, origin, content.replaces, sent_at)
    tx.run("tell received", id=received, now=tx.now)
    if reaction is not None:
        apply(tx, received, phone, reaction)
    return received, datagram


def _replace(
    tx: Transaction, received: int, phone: int, origin: str, kind: int, sent_at: int | None
) -> None:
    """Hide the older ones behind the new one; or it behind a newer one that overtook it."""
    at = tx.now if sent_at is None else sent_at
    for row in tx.rows("replaceable", phone=phone, origin=origin, type=kind, id=received):
        older, newer = (row["id"], received) if row["at"] <= at else (received, row["id"])
        tx.run("replace", id=older, by=newer)
