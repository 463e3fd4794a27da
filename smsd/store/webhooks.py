"""Who is told of events, how far each has come, and what it never took.

Nothing is written for a webhook when something happens: it reads the table of events in its order
from its own place on, and the place moves when the receiver has taken an event. So what is told
is exactly what was committed, and a dead receiver costs nothing but its place.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from smsd.store.database import Conflict, Database, Sync, Transaction, ms
from smsd.store.once import Once, answered, keep_answer

GIVE_UP: Final = timedelta(hours=72)  # of a receiver's failing while an event waits for it
BATCH: Final = 200  # events a look
MOST_WEBHOOKS: Final = 100  # each has a task and may have a connection


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver. ``account``: of whose messages it is told, ``None``: of everybody's.

    ``secret`` is ``None`` where the file or the account's API key has it; ``place`` is the last
    event that it need not be told of any more.
    """

    id: int
    name: str | None
    account: int | None
    url: str
    events: tuple[str, ...]
    form: str
    secret: str | None
    place: int


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    """A receiver as somebody wants it; see `Webhook`."""

    url: str
    events: tuple[str, ...]
    form: str
    secret: str | None = None
    allow_http: bool = False
    account: int | None = None
    name: str | None = None


class Webhooks:
    """The tables of webhooks and dead letters. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listen(self, told: Callable[[], None] | None) -> None:
        """Have ``told`` called after every commit that brought events; ``None``: nobody."""
        self._database.told = told

    async def configure(self, drafts: Sequence[WebhookDraft]) -> list[int]:
        """Make the webhooks of the file those that are given; their ids.

        A name keeps its place; a new one is told of what happens from now on. One whose receiver
        had said that it is gone is tried anew.
        """

        def work(tx: Transaction) -> list[int]:
            names = json.dumps([draft.name for draft in drafts])
            tx.run("no other named webhooks", names=names)
            ids = []
            for draft in drafts:
                values = _columns(tx, draft)
                known = tx.value("webhook named", name=draft.name)
                if known is None:
                    known = tx.value("add webhook", **values)
                else:
                    tx.run("change webhook", id=known, **values)
                    tx.run("enable webhook", id=known, now=tx.now)
                ids.append(int(known))
            return ids

        return await self._database.transaction(work)

    async def create(self, account: int, draft: WebhookDraft, once: Once | None = None) -> int:
        """Keep a new one; it is told of what happens from now on. Returns its id.

        ``once`` is the asking account's, as for messages. Raises `Conflict`.
        """

        def work(tx: Transaction) -> int:
            if (known := answered(tx, account, once)) is not None:
                return int(known.answer)
            if tx.value("count webhooks") >= MOST_WEBHOOKS:
                raise Conflict(f"there are {MOST_WEBHOOKS} webhooks, the most that may be")
            made = int(tx.value("add webhook", **_columns(tx, draft)))
            keep_answer(tx, account, once, made)
            return made

        return await self._database.transaction(work)

    async def change(self, webhook: int, draft: WebhookDraft) -> None:
        """Give one other properties; it keeps its place, and is tried anew."""

        def work(tx: Transaction) -> None:
            tx.run("change webhook", id=webhook, **_columns(tx, draft))
            tx.run("enable webhook", id=webhook, now=tx.now)

        await self._database.transaction(work)

    async def remove(self, webhook: int, account: int | None) -> bool:
        """Forget one of the API's with its dead letters; False if there is none that may be."""

        def work(tx: Transaction) -> bool:
            return bool(tx.run("remove webhook", id=webhook, account=account))

        return await self._database.transaction(work)

    async def row(self, webhook: int, account: int | None) -> Mapping[str, Any] | None:
        """All that is known of one; ``account`` ``None`` sees everybody's."""

        def work(tx: Transaction) -> Mapping[str, Any] | None:
            rows = tx.rows("list webhook", account=account, after=webhook - 1, before=webhook + 1)
            return dict(rows[0]) if rows else None

        return await self._database.transaction(work)

    async def enabled(self) -> list[Webhook]:
        """Those that are to be told, by id."""

        def work(tx: Transaction) -> list[Webhook]:
            return [
                Webhook(
                    row["id"], row["name"], row["account_id"], row["url"],
                    tuple(json.loads(row["events"])), row["form"], row["secret"], row["place"],
                )
                for row in tx.rows("enabled webhooks")
            ]  # fmt: skip

        return await self._database.transaction(work, sync=Sync.WHENEVER)

    async def switched_off(self) -> list[tuple[str, str]]:
        """Those that are told no more: how the log calls each, and why."""

        def work(tx: Transaction) -> list[tuple[str, str]]:
            rows = tx.rows("webhooks that are off")
            return [(row["name"] or f"webhook {row['id']}", row["fault"] or "") for row in rows]

        return await self._database.transaction(work, sync=Sync.WHENEVER)

    async def after(self, place: int) -> list[Mapping[str, Any]]:
        """The next events after a place, with what tells their type and whose they are."""

        def work(tx: Transaction) -> list[Mapping[str, Any]]:
            return [dict(row) for row in tx.rows("events after", place=place, limit=BATCH)]

        # Answered with the commit of what it may have seen: nothing is told that may not stay.
        return await self._database.transaction(work, sync=Sync.SOON)

    async def wanted_again(self, webhook: int) -> list[Mapping[str, Any]]:
        """The dead letters that somebody wants told once more, as `after` has events."""

        def work(tx: Transaction) -> list[Mapping[str, Any]]:
            return [dict(row) for row in tx.rows("letters wanted again", webhook=webhook)]

        return await self._database.transaction(work, sync=Sync.WHENEVER)

    async def subject(self, event: int) -> Mapping[str, Any] | None:
        """An event with the rows that it is about; ``None``: erased since."""

        def work(tx: Transaction) -> Mapping[str, Any] | None:
            row = tx.row("subject of event", id=event)
            return None if row is None else dict(row)

        return await self._database.transaction(work, sync=Sync.WHENEVER)

    async def passed(self, webhook: int, place: int) -> None:
        """Everything up to there was none of its business."""
        # What a power cut takes back is read once more.
        await self._database.transaction(
            lambda tx: tx.run("webhook passed", id=webhook, place=place), sync=Sync.WHENEVER
        )

    async def taken(self, webhook: int, event: int) -> None:
        """The receiver took an event: a dead letter, or the next one."""

        def work(tx: Transaction) -> None:
            tx.run("remove letter", webhook=webhook, event=event)
            tx.run("webhook took", id=webhook, place=event)

        # What a power cut takes back is told once more, with the same id.
        await self._database.transaction(work, sync=Sync.WHENEVER)

    async def refused(self, webhook: int, event: int, fault: str, *, gone: bool = False) -> bool:
        """The receiver did not take an event; True if it is a dead letter from now on.

        It is when the receiver has taken nothing for all the `GIVE_UP` that the event waited; at
        once if it had been one before, or if the receiver says that it is ``gone``, which
        switches the webhook off.
        """

        def work(tx: Transaction) -> bool:
            since = tx.value("webhook failed", id=webhook, fault=fault, now=tx.now)
            was = tx.value("event came at", id=event)
            if since is None or was is None:
                return True  # the webhook is gone, or the event
            if gone:
                tx.run("disable webhook", id=webhook, now=tx.now)
            elif not tx.run(
                "letter failed", webhook=webhook, event=event, fault=fault
            ) and tx.now - max(since, was) < ms(GIVE_UP):
                return False
            tx.run("bury", webhook=webhook, event=event, fault=fault, now=tx.now)
            tx.run("webhook passed", id=webhook, place=event)
            return True

        return await self._database.transaction(work, sync=Sync.SOON)

    async def letters(
        self, webhook: int, *, after: int = 0, limit: int = 25
    ) -> list[Mapping[str, Any]]:
        """Its dead letters by id, with what tells their type."""

        def work(tx: Transaction) -> list[Mapping[str, Any]]:
            rows = tx.rows("letters", webhook=webhook, after=after, limit=limit)
            return [dict(row) for row in rows]

        return await self._database.transaction(work)

    async def again(self, webhook: int, event: int | None = None) -> int:
        """Have its dead letters told once more, or that of one event; how many there are."""

        def work(tx: Transaction) -> int:
            return tx.run("want letters again", webhook=webhook, event=event)

        return await self._database.transaction(work)


def _columns(tx: Transaction, draft: WebhookDraft) -> dict[str, object]:
    return {
        "name": draft.name, "account": draft.account, "url": draft.url,
        "events": json.dumps(draft.events), "form": draft.form, "secret": draft.secret,
        "allow_http": draft.allow_http, "now": tx.now,
    }  # fmt: skip
