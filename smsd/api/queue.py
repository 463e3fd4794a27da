"""What a person decides about the queue: messages in doubt, what is taken back, pauses."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from smsd.api.auth import Doorkeeper
from smsd.api.envelope import ApiError, Code, Route, answer
from smsd.api.raspisms import body_of, integer
from smsd.dispatch.gateway import Gateway
from smsd.model.message import Resolution
from smsd.store.database import Conflict
from smsd.store.pauses import EVERYTHING


class Queue:
    """The handlers."""

    def __init__(self, gateway: Gateway, door: Doorkeeper) -> None:
        self._gateway = gateway
        self._door = door

    def routes(self) -> list[Route]:
        """Every path, without its last slash."""
        return [
            ("POST", "/api/message/{id}/resolve", self.resolve),
            ("DELETE", "/api/message/{id}", self.cancel),
            ("POST", "/api/queue/pause", self.pause),
            ("POST", "/api/queue/resume", self.resume),
        ]

    async def resolve(self, request: web.Request) -> web.Response:
        """``POST /api/message/{id}/resolve/``: ``as`` is ``sent``, ``resend`` or ``drop``."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("send")
        wanted = body.get("as")
        if wanted in (None, ""):
            raise ApiError(Code.MISSING_PARAMETER, "as.")
        if wanted not in list(Resolution):
            words = f"as must be one of {', '.join(Resolution)}."
            raise ApiError(Code.INVALID_PARAMETER, words)
        try:
            state = await self._gateway.resolve(
                integer(request.match_info["id"]), account.changes, Resolution(wanted), account.who
            )
        except Conflict as error:
            raise ApiError(Code.CANNOT_UPDATE, f"{error}.", status=409) from error
        if state is None:
            raise ApiError(Code.INVALID_PARAMETER, "no message has this id.", status=404)
        return answer(str(state))

    async def cancel(self, request: web.Request) -> web.Response:
        """``DELETE /api/message/{id}/``: take back one message, if no phone has begun it."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("send")
        try:
            found = await self._gateway.store.outgoing.cancel_message(
                integer(request.match_info["id"]), account.changes, account.who
            )
        except Conflict as error:
            raise ApiError(Code.CANNOT_UPDATE, f"{error}.", status=409) from error
        if not found:
            raise ApiError(Code.INVALID_PARAMETER, "no message has this id.", status=404)
        return web.Response(status=204)

    async def pause(self, request: web.Request) -> web.Response:
        """``POST /api/queue/pause/``: nothing leaves, or nothing by ``id_phone``."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("admin")
        await self._gateway.pause(self._phone(body), account.who)
        return answer(self._gateway.pauses())

    async def resume(self, request: web.Request) -> web.Response:
        """``POST /api/queue/resume/``: everything leaves again, or what waits for ``id_phone``."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("admin")
        await self._gateway.resume(self._phone(body), account.who)
        return answer(self._gateway.pauses())

    def _phone(self, body: Mapping[str, Any]) -> int:
        text = str(body.get("id_phone") or EVERYTHING)
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else -1
        if number != EVERYTHING and number not in self._gateway.phones:
            raise ApiError(Code.INVALID_PARAMETER, "id_phone : no phone has this id.")
        return number
