"""Who wants no more messages: entered and taken back by hand."""

from aiohttp import web

from smsd.api.auth import OWN, Doorkeeper
from smsd.api.envelope import ApiError, Code, Route, answer
from smsd.api.once import once_of, taken
from smsd.api.raspisms import body_of, integer
from smsd.dispatch.gateway import Gateway
from smsd.dispatch.numbers import normal
from smsd.store.database import Conflict
from smsd.store.stops import EVERYBODY


class Stops:
    """The handlers; ``region`` is that of national numbers."""

    def __init__(self, gateway: Gateway, door: Doorkeeper, region: str | None) -> None:
        self._gateway = gateway
        self._door = door
        self._region = region

    def routes(self) -> list[Route]:
        """Every path, without its last slash."""
        return [
            ("POST", "/api/smsstop", self.create),
            ("DELETE", "/api/smsstop/{id}", self.delete),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """``POST /api/smsstop/``: a ``number`` that is to get nothing; again, its id again.

        A key's stop holds that account's messages, a local user's everybody's.
        """
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("send")
        given = body.get("number")
        if given in (None, ""):
            raise ApiError(Code.MISSING_PARAMETER, "number.")
        number = normal(given, self._region)
        if number is None:
            raise ApiError(Code.INVALID_PARAMETER, "number : not a valid phone number.")
        owner = EVERYBODY if account.sees is None else account.sees
        once = once_of(request, body)
        try:
            return answer(await self._gateway.store.stops.add(owner, number, once))
        except Conflict as error:
            raise taken(error) from error

    async def delete(self, request: web.Request) -> web.Response:
        """``DELETE /api/smsstop/{id}/``: one's own, or, by an administrator, anybody's."""
        account = self._door.account(request, await body_of(request))
        account.need(OWN)
        stop = integer(request.match_info["id"])
        if not await self._gateway.store.stops.remove(stop, account.changes):
            raise ApiError(Code.CANNOT_DELETE)
        return web.Response(status=204)
