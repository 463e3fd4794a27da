"""The same request again, under the same key of its sender's, gets the first answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from smsd.store.database import Conflict, Transaction, ms

KEPT: Final = timedelta(hours=24)


def answered(tx: Transaction, account: int, idempotency: tuple[str, str] | None) -> int | None:
    """The id that a request got before, ``None`` for a new one; raises `Conflict`.

    ``idempotency`` is the key with a digest of the request, ``None`` where there is none.
    """
    if idempotency is None:
        return None
    key, digest = idempotency
    known = tx.row("idempotent", account=account, key=key, since=tx.now - ms(KEPT))
    if known is None:
        return None
    if known["digest"] != digest:
        raise Conflict("this Idempotency-Key was used for another request")
    return int(known["scheduled_id"])


def remember(
    tx: Transaction, account: int, idempotency: tuple[str, str] | None, answer: int
) -> None:
    """Keep what a request is answered with."""
    if idempotency is not None:
        key, digest = idempotency
        tx.run(
            "remember idempotent", account=account, key=key, digest=digest, scheduled=answer,
            now=tx.now,
        )  # fmt: skip


Key = tuple[str, str]
"""A sender's key, and a digest of what was asked."""


def once(
    tx: Transaction, account: int, key: Key | None, make: Callable[[], int]
) -> tuple[int, bool]:
    """The id of what ``make`` makes, or made for that key before (then with True).

    Raises `Conflict` if the key came with another request. Without a key it is made each time.
    """
    if key is None:
        return make(), False
    name, digest = key
    since = tx.now - ms(KEPT)
    known = tx.row("idempotent", account=account, key=name, since=since)
    if known is not None:
        if known["digest"] != digest:
            raise Conflict("this Idempotency-Key was used for another request")
        return int(known["scheduled_id"]), True
    made = make()
    tx.run(
        "remember idempotent", account=account, key=name, digest=digest, scheduled=made, now=tx.now
    )
    return made, False
