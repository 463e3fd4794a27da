"""The same request again, under the same key of its sender's, gets the first answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from smsd.store.database import Conflict, Transaction, ms

KEPT: Final = timedelta(hours=24)


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
