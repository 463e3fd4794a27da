"""Phone groups: phones by a name that a sender may ask for with ``id_phone_group``."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from smsd.api import items
from smsd.api.auth import Doorkeeper
from smsd.api.envelope import ApiError, Code, Route, answer
from smsd.api.forms import items as listed
from smsd.api.once import once_of, taken
from smsd.api.raspisms import body_of, integer
from smsd.dispatch.gateway import Gateway
from smsd.store.database import Conflict
from smsd.store.groups import NameTaken

LONGEST_NAME: Final = 100  # characters; RaspiSMS's column
MOST_PHONES: Final = 1000


class PhoneGroups:
    """The handlers, in RaspiSMS's style; a group belongs to the account that made it."""

    def __init__(self, gateway: Gateway, door: Doorkeeper) -> None:
        self._gateway = gateway
        self._groups = gateway.store.phone_groups
        self._door = door

    def routes(self) -> list[Route]:
        """Every path, without its last slash."""
        return [
            ("POST", "/api/phone_group", self.create),
            ("GET", "/api/phone_group/{id}", self.read),
            ("POST", "/api/phone_group/{id}", self.update),
            ("DELETE", "/api/phone_group/{id}", self.delete),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """``POST /api/phone_group/``: ``name`` and ``phones[]``; answers with the id."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("send")
        name = self._name(body)
        if name is None:
            raise ApiError(Code.MISSING_PARAMETER, "name")
        phones = self._phones(body)
        if not phones:
            # RaspiSMS drops what is sent to an empty group without a word.
            raise ApiError(Code.MISSING_PARAMETER, "phones : at least one phone is expected.")
        try:
            once = once_of(request, body)
            return answer(await self._groups.create(account.id, name, phones, once))
        except NameTaken as error:
            raise ApiError(Code.INVALID_PARAMETER, f"name : {error}.") from error
        except Conflict as error:
            raise taken(error) from error

    async def read(self, request: web.Request) -> web.Response:
        """``GET /api/phone_group/{id}/``."""
        account = self._door.account(request, {})
        account.need("send")
        row = await self._groups.one(integer(request.match_info["id"]), account.sees)
        if row is None:
            raise ApiError(Code.INVALID_PARAMETER, "no phone group has this id.", status=404)
        statuses = await self._gateway.statuses()
        return answer(items.phone_group(row, self._gateway.zone, account.id, statuses))

    async def update(self, request: web.Request) -> web.Response:
        """``POST /api/phone_group/{id}/``: ``name``, ``phones[]`` or both."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("send")
        name, phones = self._name(body), self._phones(body)
        if name is None and phones is None:
            raise ApiError(Code.MISSING_PARAMETER, "You must specify at least one name or phones.")
        if phones == []:
            raise ApiError(Code.INVALID_PARAMETER, "phones : at least one phone is expected.")
        try:
            found = await self._groups.update(
                integer(request.match_info["id"]), account.changes, name, phones
            )
        except NameTaken as error:
            raise ApiError(Code.INVALID_PARAMETER, f"name : {error}.") from error
        if not found:
            raise ApiError(Code.CANNOT_UPDATE, "No phone group with this id.")
        self._gateway.phones.changed()  # one that is new there may take what waits for it
        return answer(True)

    async def delete(self, request: web.Request) -> web.Response:
        """``DELETE /api/phone_group/{id}/``: 204; 400 while messages wait for it."""
        account = self._door.account(request, await body_of(request))
        account.need("send")
        if not await self._groups.delete(integer(request.match_info["id"]), account.changes):
            raise ApiError(Code.CANNOT_DELETE)
        return web.Response(status=204)

    def _name(self, body: Mapping[str, Any]) -> str | None:
        name = body.get("name")
        if name in (None, ""):
            return None
        if not (isinstance(name, str) and len(name) <= LONGEST_NAME and name.isprintable()):
            words = f"name must be a text of at most {LONGEST_NAME} char."
            raise ApiError(Code.INVALID_PARAMETER, words)
        return name

    def _phones(self, body: Mapping[str, Any]) -> list[int] | None:
        """The ids under ``phones``, each of a phone that there is; ``None`` if it is absent."""
        if body.get("phones") is None:
            return None
        given = list(listed(body["phones"]))
        if len(given) > MOST_PHONES:
            raise ApiError(Code.INVALID_PARAMETER, f"phones : at most {MOST_PHONES} phones.")
        found = []
        for item in given:
            number = integer(str(item)) if isinstance(item, str | int) else 0
            if number not in self._gateway.phones:
                shown = "".join(filter(str.isprintable, str(item)))[:30]
                raise ApiError(Code.INVALID_PARAMETER, f"phones : no phone has the id {shown}.")
            found.append(number)
        return found
