"""Requests that make something and may be repeated, by their ``Idempotency-Key``.

A handler reads its key with `once_of`, hands it to the store, which keeps the answer beside what it
makes (`smsd.store.once`), and is run within `answered_before`, so that a repetition gets its first
answer even where the request would be refused by now.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

from smsd.api.bulk import CsvError, Entries
from smsd.api.envelope import ApiError, Code, answer
from smsd.dispatch.gateway import Gateway
from smsd.store.database import Conflict
from smsd.store.once import Once

LONGEST_KEY: Final = 255  # characters


def once_of(request: web.Request, body: Mapping[str, Any]) -> Once | None:
    """The key with a digest of what was asked, ``None`` without one.

    What was asked is method, path and body; the API key is no part of it. Large arrays are read
    through for it.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        words = f"Idempotency-Key must have 1 to {LONGEST_KEY} ASCII characters."
        raise ApiError(Code.INVALID_PARAMETER, words)
    many = {name: value for name, value in body.items() if isinstance(value, Entries)}
    asked = {name: value for name, value in body.items() if name not in {"api_key", *many}}
    canonical = json.dumps([request.method, request.path.rstrip("/"), asked], sort_keys=True)
    digest = hashlib.sha256(canonical.encode())
    for name in sorted(many):
        digest.update(f"\0{name}".encode())
        # A file that cannot be read to its end is refused, and no answer to it is kept.
        with suppress(CsvError):
            for entry in many[name]:
                digest.update(b"\0" + json.dumps(entry, sort_keys=True).encode())
    return Once(key, digest.hexdigest())


def repeated(response: object, headers: Mapping[str, str]) -> web.Response:
    """The answer of a request that made something, the first time and every time."""
    reply = answer(response)
    reply.headers.update(headers)
    return reply


async def answered_before(
    gateway: Gateway, account: int, once: Once | None, error: ApiError
) -> web.Response:
    """The first answer of a request that is refused by now; raises ``error`` if it is new."""
    if once is not None:
        try:
            known = await gateway.store.answers.of(account, once)
        except Conflict as conflict:
            raise taken(conflict) from error
        if known is not None:
            return repeated(known.answer, known.headers)
    raise error


def taken(conflict: Conflict) -> ApiError:
    """The error of a request that cannot be done as things stand."""
    return ApiError(Code.INVALID_PARAMETER, f"{conflict}.", status=409)
