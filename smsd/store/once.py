"""Requests that may be repeated: what an ``Idempotency-Key`` was answered within a day.

Whatever makes something in a transaction calls `answered` first and `keep_answer` last: the answer
is kept with what it tells of, or neither is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from smsd.store.database import Conflict, Database, Transaction, ms

REPEATABLE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Once:
    """A request under its sender's key; ``headers`` are those of its answer."""

    key: str
    digest: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """The first answer: the ``response`` of the envelope, and its own headers."""

    answer: Any
    headers: Mapping[str, str]


class Answers:
    """What was answered before. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, account: int, once: Once) -> Answered | None:
        """The answer that this request got within a day; `Conflict` if the key was another's."""
        return await self._database.transaction(lambda tx: answered(tx, account, once))


def answered(tx: Transaction, account: int, once: Once | None) -> Answered | None:
    """The answer that a request got before, ``None`` if it is new (or has no key).

    Raises `Conflict` where its key was used for another request.
    """
    if once is None:
        return None
    since = tx.now - ms(REPEATABLE)
    known = tx.row("idempotent", account=account, key=once.key, since=since)
    if known is None:
        return None
    if known["digest"] != once.digest:
        raise Conflict("this Idempotency-Key was used for another request")
    return Answered(json.loads(str(known["answer"])), json.loads(known["headers"] or "{}"))


def keep_answer(tx: Transaction, account: int, once: Once | None, answer: object) -> None:
    """Keep what a request was answered, beside what it made."""
    if once is None:
        return
    tx.run(
        "remember idempotent", account=account, key=once.key, digest=once.digest,
        answer=json.dumps(answer), headers=json.dumps(dict(once.headers)), now=tx.now,
    )  # fmt: skip
