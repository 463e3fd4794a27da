"""RaspiSMS's answers: one object with five keys in their order, and its codes."""

import json
from collections.abc import Awaitable, Callable
from enum import IntEnum

from aiohttp import web

Route = tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]
"""Method, path without its last slash, handler."""


class Code(IntEnum):
    """RaspiSMS's error codes."""

    NONE = 0
    INVALID_CREDENTIALS = 1
    INVALID_PARAMETER = 2
    MISSING_PARAMETER = 4
    CANNOT_CREATE = 8
    SUSPENDED_USER = 16
    CANNOT_DELETE = 32
    CANNOT_UPDATE = 128


_PREFIXES = {
    Code.INVALID_CREDENTIALS: "Invalid API Key. Please provide a valid API key as GET or POST "
    'parameter "api_key" or a HTTP "X-Api-Key".',
    Code.INVALID_PARAMETER: "You have specified an invalid parameter : ",
    Code.MISSING_PARAMETER: "One require parameter is missing : ",
    Code.CANNOT_CREATE: "Cannot create a new entry.",
    Code.SUSPENDED_USER: "This user account is currently suspended.",
    Code.CANNOT_DELETE: "Cannot delete this entry.",
    Code.CANNOT_UPDATE: "Cannot update this entry : ",
}


class ApiError(Exception):
    """A request that is answered with an error; nothing was changed."""

    def __init__(self, code: Code, words: str = "", *, status: int = 400) -> None:
        super().__init__(_PREFIXES.get(code, "") + words)
        self.code = code
        self.status = status


def answer(
    response: object = None,
    *,
    error: int = 0,
    message: str | None = None,
    links: tuple[str | None, str | None] = (None, None),
    status: int = 200,
) -> web.Response:
    """The envelope; ``links`` are the pages after and before."""
    envelope = {
        "error": int(error),
        "message": message,
        "response": response,
        "next": links[0],
        "prev": links[1],
    }
    return web.Response(
        body=json.dumps(envelope, separators=(",", ":")).encode("ascii"),
        status=status,
        content_type="application/json",
    )
