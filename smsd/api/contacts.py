"""Contacts and groups: what RaspiSMS's users make by hand, and programs need as well."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from smsd.api.auth import Account, Doorkeeper
from smsd.api.envelope import ApiError, Code, Route, answer
from smsd.api.forms import items as values
from smsd.api.once import once_of, taken
from smsd.api.raspisms import body_of, integer
from smsd.api.scheduled import MOST_RECIPIENTS, data_of, storable
from smsd.dispatch.gateway import Gateway
from smsd.dispatch.numbers import normal
from smsd.store.contacts import Contact, Group, Kind, UnknownMember
from smsd.store.database import Conflict

LONGEST_NAME: Final = 100  # characters; RaspiSMS's column
KINDS: Final[tuple[Kind, ...]] = ("contact", "group")


class ContactBook:
    """The handlers; ``default_region`` is that of national numbers."""

    def __init__(self, gateway: Gateway, door: Doorkeeper, default_region: str | None) -> None:
        self._gateway = gateway
        self._door = door
        self._region = default_region

    def routes(self) -> list[Route]:
        """Every path, without its last slash."""
        return [
            (method, f"/api/{kind}{tail}", self._about(kind, handler))
            for kind in KINDS
            for method, tail, handler in (
                ("POST", "", self.create),
                ("POST", "/{id}", self.change),
                ("DELETE", "/{id}", self.delete),
            )
        ]

    def _about(self, kind: Kind, handler: Any) -> Any:
        async def about(request: web.Request) -> web.Response:
            body = await body_of(request)
            account = self._door.account(request, body)
            account.need("send")
            response: web.Response = await handler(kind, request, body, account)
            return response

        return about

    async def create(
        self, kind: Kind, request: web.Request, body: Mapping[str, Any], account: Account
    ) -> web.Response:
        """``POST /api/contact/`` with name, number, data; ``/api/group/`` with name, contacts."""
        for name in ("name", "number") if kind == "contact" else ("name",):
            if body.get(name) in (None, ""):
                raise ApiError(Code.MISSING_PARAMETER, name)
        new = self._read(kind, body)
        what = (
            Contact(new["name"], new["number"], new.get("data", "[]"))
            if kind == "contact"
            else Group(new["name"], new.get("contacts", ()))
        )
        contacts, once = self._gateway.store.contacts, once_of(request, body)
        try:
            return answer(await contacts.create(account.id, what, account.sees, once))
        except UnknownMember as error:
            raise ApiError(Code.INVALID_PARAMETER, f"contacts : {error}.") from error
        except Conflict as error:
            raise taken(error) from error

    async def change(
        self, kind: Kind, request: web.Request, body: Mapping[str, Any], account: Account
    ) -> web.Response:
        """``POST /api/contact/{id}/``: what is not given stays as it is."""
        new = self._read(kind, body)
        if not new:
            raise ApiError(Code.CANNOT_UPDATE, "nothing to change is given.")
        id_ = integer(request.match_info["id"])
        try:
            known = await self._gateway.store.contacts.change(
                kind, id_, account.changes, account.sees, **new
            )
        except UnknownMember as error:
            raise ApiError(Code.INVALID_PARAMETER, f"contacts : {error}.") from error
        if not known:
            raise ApiError(Code.CANNOT_UPDATE, f"No {kind} with this id.")
        return answer(True)

    async def delete(
        self, kind: Kind, request: web.Request, body: Mapping[str, Any], account: Account
    ) -> web.Response:
        """``DELETE /api/contact/{id}/``: 204, or 400."""
        id_ = integer(request.match_info["id"])
        if not await self._gateway.store.contacts.delete(kind, id_, account.changes):
            raise ApiError(Code.CANNOT_DELETE)
        return web.Response(status=204)

    def _read(self, kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
        """What is given, checked, and in the form in which it is kept."""
        new: dict[str, Any] = {}
        if body.get("name") not in (None, ""):
            name = body["name"]
            if not isinstance(name, str) or len(name) > LONGEST_NAME:
                words = f"name must be a text of at most {LONGEST_NAME} char."
                raise ApiError(Code.INVALID_PARAMETER, words)
            storable(name, "name")
            new["name"] = name
        if kind == "contact" and body.get("number") not in (None, ""):
            number = normal(body["number"], self._region)
            if number is None:
                raise ApiError(Code.INVALID_PARAMETER, "number : no valid phone number.")
            new["number"] = number
        if kind == "contact" and body.get("data") is not None:
            new["data"] = data_of(body["data"])
        if kind == "group" and "contacts" in body:
            new["contacts"] = _ids(body["contacts"])
        return new


def _ids(given: object) -> list[int]:
    """Ids of contacts; an empty form field is an empty list."""
    found = [integer(str(each)) for each in values(given) if each != ""]
    if 0 in found or len(found) > MOST_RECIPIENTS:
        words = f"contacts : a list of at most {MOST_RECIPIENTS} ids is expected."
        raise ApiError(Code.INVALID_PARAMETER, words)
    return found
