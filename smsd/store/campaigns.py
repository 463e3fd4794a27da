"""From one request to its messages: a few at once, many in batches, each recipient once.

What has become messages is taken out of the scheduled row in the same transaction. So wherever
smsd is stopped it goes on with the next recipient, and nobody is written to twice.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from smsd.model.message import Change, Draft, Guard, State
from smsd.store.database import Conflict, Database, Row, Transaction, milliseconds
from smsd.store.guards import refuse_too_many
from smsd.store.states import move
from smsd.store.stops import refuse_stopped

BATCH: Final = 500  # recipients a transaction: a few milliseconds, and then others have their turn
SOURCES: Final = ("numbers", "contacts", "groups")  # RaspiSMS's order: the first of equals wins
Left = dict[str, int]
"""How many recipients get nothing, by the reason."""


class NobodyKnown(Conflict):
    """A request names contacts and groups alone, and none of them is there."""


def progress(tx: Transaction, scheduled: int) -> dict[str, Any]:
    """How many recipients wait, and how many messages are in which state."""
    row = tx.row("states of campaign", id=scheduled)
    assert row is not None
    states = {state: int(row[state]) for state in State if row[state]}
    return {"waiting": tx.value("waiting recipients", id=scheduled), "states": states}


async def cancel(database: Database, scheduled: int, account: int | None) -> bool:
    """Take back a request: what is not expanded, and those messages that no phone has begun.

    ``account`` ``None`` may take back anybody's. False if there is nothing left to take back. A
    large one is taken back in batches; should smsd be stopped in between, `end_cancelling` goes on.
    """

    def stop(tx: Transaction) -> bool:
        owner = tx.value("is campaign", id=scheduled)
        large = owner is not None and account in (None, owner)
        withdrawn = tx.value("waiting recipients", id=scheduled) if large else 0
        removed = tx.value("remove scheduled", id=scheduled, account=account) is not None
        begun = bool(tx.rows("queued of scheduled", id=scheduled, account=account, limit=1))
        if large and (removed or begun):
            tx.run("cancel campaign", id=scheduled, now=tx.now, withdrawn=withdrawn)
        if begun:
            _take_back(tx, scheduled)
        return removed or begun

    found = await database.transaction(stop)
    if found:
        await _take_all_back(database, scheduled)
    return found


async def end_cancelling(database: Database) -> None:
    """After a start: go on with what was being cancelled."""
    for row in await database.transaction(lambda tx: tx.rows("cancelling")):
        await _take_all_back(database, row["id"])


async def _take_all_back(database: Database, scheduled: int) -> None:
    while await database.transaction(lambda tx: _take_back(tx, scheduled)):
        pass


def _take_back(tx: Transaction, scheduled: int) -> bool:
    """Cancel a batch; whether there may be more."""
    rows = tx.rows("queued of scheduled", id=scheduled, account=None, limit=BATCH)
    for row in rows:
        move(tx, row["id"], Change.CANCEL, "cancelled by its sender")
    if len(rows) == BATCH:
        return True
    tx.run("end campaign", id=scheduled, now=tx.now)
    return False


def keep_recipients(
    tx: Transaction, scheduled: int, draft: Draft, account: int | None, guards: Sequence[Guard]
) -> Left:
    """Keep whom a request is for; those that are few and due now have become messages.

    ``account`` is whose contacts and groups may be used, ``None``: anybody's.
    """
    row = tx.row("scheduled to expand", id=scheduled)
    assert row is not None
    invalid, due = draft.invalid, draft.at is None or milliseconds(draft.at) <= tx.now
    large = len(draft.numbers) > BATCH or bool(draft.contacts or draft.groups)
    if due and not large:
        if invalid:
            _begin(tx, row, invalid)
        numbers = [number for number, _ in draft.numbers]
        left = _queue(tx, row, numbers, guards, first=not invalid)
        tx.run("remove scheduled", id=scheduled, account=None)
        if invalid or any(left.values()):
            tx.run("end campaign", id=scheduled, now=tx.now)
        return left | {"invalid": invalid}
    tx.run_many(
        "add scheduled number",
        (
            {"scheduled": scheduled, "number": number, "data": data, "now": tx.now}
            for number, data in draft.numbers
        ),
    )
    recipients = len(draft.numbers)
    for kind, ids in (("contacts", draft.contacts), ("groups", draft.groups)):
        if ids:
            known = tx.run(
                f"add scheduled {kind}", scheduled=scheduled, ids=json.dumps(ids), account=account
            )
            invalid += len(set(ids)) - known
            recipients += known
    if not recipients and (draft.contacts or draft.groups):
        raise NobodyKnown("no such contact or group")
    if invalid or large:
        _begin(tx, row, invalid)
    if due:
        expand(tx, scheduled, BATCH, guards)
    return {"invalid": invalid}


def _begin(tx: Transaction, scheduled: Row, invalid: int) -> None:
    tx.run(
        "add campaign", id=scheduled["id"], account=scheduled["account_id"], now=tx.now,
        invalid=invalid,
    )  # fmt: skip


def expand_due(tx: Transaction, guards: Sequence[Guard]) -> None:
    """Turn what is due into messages, as much as one transaction should; the rest is due still."""
    room = BATCH
    for row in tx.rows("due scheduled", now=tx.now):
        room -= expand(tx, row["id"], room, guards)
        if room <= 0:
            return


def expand(tx: Transaction, scheduled: int, room: int, guards: Sequence[Guard]) -> int:
    """Turn recipients into messages, at most ``room`` of them; returns how many it was.

    With the last one the scheduled row goes.
    """
    row = tx.row("scheduled to expand", id=scheduled)
    assert row is not None
    taken = 0
    for source in SOURCES:
        rows = tx.rows(f"recipients by {source}", id=scheduled, limit=room - taken)
        if rows:
            _queue(tx, row, [each["number"] for each in rows], guards, first=False)
            tx.run(f"expanded {source}", **{**dict(rows[-1]), "scheduled": scheduled})
        taken += len(rows)
    if taken < room:
        tx.run("remove scheduled", id=scheduled, account=None)
        tx.run("end campaign", id=scheduled, now=tx.now)
    else:
        tx.run("expanded once more", id=scheduled)
    return taken


def _queue(
    tx: Transaction,
    scheduled: Row,
    numbers: Sequence[str],
    guards: Sequence[Guard],
    *,
    first: bool,
) -> Left:
    """Messages to those numbers, but to none twice; those that may not leave have failed at once.

    ``first``: the request has no messages yet, nor a campaign's row.
    """
    id_ = scheduled["id"]
    fresh = dict.fromkeys(numbers)
    if not first:
        for known in tx.rows("already messages", id=id_, numbers=json.dumps(list(fresh))):
            del fresh[known["destination"]]
    left = {"duplicate": len(numbers) - len(fresh), "stopped": 0}
    if fresh:
        after = tx.value("newest message")
        asked = json.dumps(list(fresh))
        tx.run("add messages", id=id_, numbers=asked, watched=bool(guards), now=tx.now)
        tx.run("tell new messages", after=after, now=tx.now)
        left["stopped"] = refuse_stopped(tx, id_, after)
        refuse_too_many(tx, id_, guards, after)
    if any(left.values()) or (not first and tx.value("is campaign", id=id_) is not None):
        tx.run(
            "count campaign", id=id_, account=scheduled["account_id"], now=tx.now,
            expanded=len(fresh) - left["stopped"], **left,
        )  # fmt: skip
    return left
