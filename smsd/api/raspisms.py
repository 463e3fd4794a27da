"""The RaspiSMS routes: translation between HTTP and the gateway, nothing else."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from smsd import memory
from smsd.api import bulk, items, scheduled
from smsd.api.auth import OWN, Account, Doorkeeper
from smsd.api.envelope import ApiError, Code, Route, answer
from smsd.api.forms import FormError, from_json, from_pairs, from_urlencoded
from smsd.api.once import answered_before, once_of, repeated, taken
from smsd.dispatch.gateway import Gateway
from smsd.model.message import State
from smsd.store.campaigns import NobodyKnown
from smsd.store.database import Conflict
from smsd.store.views import PAGE

LISTS: Final = (
    "sended", "received", "scheduled", "contact", "group", "conditional_group", "phone",
    "phone_group", "media",
)  # fmt: skip
OWN_LISTS: Final = (
    "message", "call", "inbox", "datagram", "campaign", "smsstop", "webhook", "command",
)  # fmt: skip
_EMPTY: Final = frozenset({"conditional_group", "media"})
_NEEDS: Final = {
    **dict.fromkeys(("received", "call", "inbox", "datagram", "smsstop"), "read"),
    "webhook": OWN,
    "command": "admin",
}
"""The scope for what is not to be seen by all who may send."""
LARGE_BODY: Final = 65_536  # octets from which reading and checking goes to a thread
DROPPED: Final = "X-Smsd-Invalid-Numbers"
LEFT_OUT: Final = "X-Smsd-Left-Out"


class RaspiSms:
    """The handlers; ``default_region`` is that of national numbers."""

    def __init__(self, gateway: Gateway, door: Doorkeeper, default_region: str | None) -> None:
        self._gateway = gateway
        self._door = door
        self._region = default_region

    def routes(self) -> list[Route]:
        """Every path, without its last slash."""
        return [
            ("GET", "/api/list/{entry_type}", self.page),
            ("GET", "/api/list/{entry_type}/after/{after}", self.page),
            ("GET", "/api/list/{entry_type}/before/{before}", self.page),
            ("GET", "/api/list/{entry_type}/{page}", self.page),
            ("POST", "/api/scheduled", self.create_scheduled),
            ("DELETE", "/api/scheduled/{id}", self.delete_scheduled),
            ("GET", "/api/message/{id}", self.message),
            ("POST", "/api/phone/{id}/status", self.phone_status),
            ("GET", "/api/{entry_type}/{id}", self.one),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """``GET /api/list/{entry_type}/``: 25 rows by id."""
        account = self._door.account(request, {})
        entry = request.match_info["entry_type"]
        if entry not in LISTS + OWN_LISTS:
            words = f"entry_type must be one of : {', '.join(LISTS)}."
            raise ApiError(Code.INVALID_PARAMETER, words, status=404)
        account.need(_NEEDS.get(entry, "send"))
        page = max(0, integer(request.match_info.get("page")))
        after = _given(request.match_info.get("after"))
        before = _given(request.match_info.get("before"))
        found = await self._items(entry, account, request, page, after, before)
        return answer(found, links=_links(request, entry, found, page, after, before))

    async def one(self, request: web.Request) -> web.Response:
        """``GET /api/{type}/{id}/``: one row of a list."""
        account = self._door.account(request, {})
        entry, number = request.match_info["entry_type"], integer(request.match_info["id"])
        if entry not in LISTS + OWN_LISTS:
            raise web.HTTPNotFound
        account.need(_NEEDS.get(entry, "send"))
        found = await self._items(entry, account, request, 0, number - 1, number + 1)
        if not found:
            raise ApiError(Code.INVALID_PARAMETER, f"no {entry} has this id.", status=404)
        return answer(found[0])

    async def _items(
        self,
        entry: str,
        account: Account,
        request: web.Request,
        page: int,
        after: int | None,
        before: int | None,
    ) -> list[items.Item]:
        if entry in _EMPTY:
            return []
        filters: dict[str, Any] = {}
        if entry == "message":
            filters["scheduled"] = _given(request.query.get("originating_scheduled"))
            filters["state"] = state = request.query.get("state")
            if state is not None and state not in list(State):
                words = f"state must be one of : {', '.join(State)}."
                raise ApiError(Code.INVALID_PARAMETER, words)
        if entry == "contact":
            filters["group"] = _given(request.query.get("group"))
        rows = await self._gateway.store.views.page(
            entry, account=account.sees, page=page, after=after, before=before, **filters
        )
        zone = account.zone or self._gateway.zone
        match entry:
            case "sended":
                return [items.sended(row, zone) for row in rows]
            case "received":
                return [items.received(row, zone, account.id) for row in rows]
            case "scheduled":
                return [items.scheduled(row, zone) for row in rows]
            case "contact":
                return [items.contact(row, zone) for row in rows]
            case "group":
                return [items.group(row, zone) for row in rows]
            case "campaign":
                return [items.campaign(row, zone) for row in rows]
            case "call":
                return [items.call(row, zone, account.id) for row in rows]
            case "inbox":
                return [items.inbox(row, zone) for row in rows]
            case "datagram":
                return [items.datagram(row, zone, account.id) for row in rows]
            case "phone_group":
                status = await self._gateway.statuses()
                return [items.phone_group(row, zone, account.id, status) for row in rows]
            case "message":
                waits = await self._gateway.waits(rows)
                return [{**items.message(row, zone), "waits": waits.get(row["id"])} for row in rows]
            case "smsstop":
                return [items.smsstop(row, zone) for row in rows]
            case "webhook":
                return [items.webhook(row, zone) for row in rows]
            case "command":
                return [items.command(row, zone) for row in rows]
            case _:
                status = await self._gateway.statuses()
                return [
                    items.phone(row, zone, account.id, status.get(row["id"], "unavailable"))
                    for row in rows
                ]

    async def create_scheduled(self, request: web.Request) -> web.Response:
        """``POST /api/scheduled/``: the answer comes once the message is durable."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("send")

        group = integer(str(body.get("id_phone_group") or 0))
        known = group and await self._gateway.store.phone_groups.one(group, account.sees)

        def check() -> scheduled.Checked:
            return scheduled.check(
                body,
                phones=lambda phone: phone in self._gateway.phones,
                group=group if known else None,
                sticky=self._gateway.sticky,
                zone=account.zone or self._gateway.zone,
                region=self._region,
                validity=self._gateway.validity_by,
                priority=account.priority,
                count_parts=self._gateway.count_parts,
            )

        once = None
        try:
            if _large(request):
                once = await asyncio.to_thread(once_of, request, body)
                checked = await asyncio.to_thread(check)
            else:
                once = once_of(request, body)
                checked = check()
        except ApiError as error:
            return await answered_before(self._gateway, account.id, once, error)
        except FormError as error:
            raise ApiError(Code.INVALID_PARAMETER, f"{error}.") from error
        headers = _dropped(checked.dropped)
        if once is not None:
            once = replace(once, headers=headers)
        body.clear()  # 10 MB, perhaps
        try:
            accepted = await self._gateway.accept(
                account.id, checked.draft, once, anybodys=account.sees is None
            )
        except NobodyKnown as error:
            words = f"You must specify at least one valid number, contact or group : {error}."
            raise ApiError(Code.MISSING_PARAMETER, words) from error
        except Conflict as error:
            raise taken(error) from error
        if _large(request):
            memory.trim()  # what it took to read it is not kept for the next one
        if left := {reason: n for reason, n in accepted.left_out.items() if n}:
            headers[LEFT_OUT] = ", ".join(f"{why}={n}" for why, n in left.items())
        return repeated(accepted.id, headers)

    async def delete_scheduled(self, request: web.Request) -> web.Response:
        """``DELETE /api/scheduled/{id}/``: also takes back what is queued and not begun."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("send")
        number = request.match_info["id"]
        if not (
            number.isascii() and number.isdigit()
        ) or not await self._gateway.store.outgoing.cancel(integer(number), account.changes):
            raise ApiError(Code.CANNOT_DELETE)
        return web.Response(status=204)

    async def message(self, request: web.Request) -> web.Response:
        """``GET /api/message/{id}/``: all that is known of one outgoing message."""
        account = self._door.account(request, {})
        account.need("send")
        found = await self._gateway.message(integer(request.match_info["id"]), account.sees)
        if found is None:
            raise ApiError(Code.INVALID_PARAMETER, "no message has this id.", status=404)
        row, route = found
        zone = account.zone or self._gateway.zone
        return answer(items.whole_message(row, zone, route, self._gateway.now()))

    async def phone_status(self, request: web.Request) -> web.Response:
        """``POST /api/phone/{id}/status/``: look at the phone now."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("send")
        status = await self._gateway.look(integer(request.match_info["id"]))
        if status is None:
            raise ApiError(Code.CANNOT_UPDATE)
        if status == "disabled":
            words = "Phone have been manually disabled, you need to re-enable it manually."
            raise ApiError(Code.CANNOT_UPDATE, words)
        return answer(status)


async def body_of(request: web.Request) -> dict[str, Any]:
    """The fields of a body: a form, or JSON; an empty one has none."""
    try:
        if request.content_type == "multipart/form-data":
            return from_pairs(await _multipart(request))
        if _large(request):
            octets = await _gathered(request)
            return await asyncio.to_thread(_read, request.content_type, octets, LARGE)
        return _read(request.content_type, await request.read(), SMALL)
    except FormError as error:
        raise ApiError(Code.INVALID_PARAMETER, f"{error}.") from error
    except (HttpProcessingError, RequestPayloadError) as error:
        words = "the body is cut off, or not encoded as it says."
        raise ApiError(Code.INVALID_PARAMETER, words) from error


Octets = bytes | bytearray
Readers = Mapping[str, Callable[[Octets], dict[str, Any]]]
SMALL: Final[Readers] = {"json": from_json, "form": from_urlencoded}
LARGE: Final[Readers] = {"json": bulk.from_json, "form": bulk.urlencoded}


def _read(content_type: str, octets: Octets, readers: Readers) -> dict[str, Any]:
    if not octets or octets.isspace():
        return {}
    match content_type:
        case "application/json":
            return readers["json"](octets)
        case "application/x-www-form-urlencoded" | "application/octet-stream":
            return readers["form"](octets)
        case _:
            raise FormError("the body must be a form or JSON")


async def _gathered(request: web.Request) -> bytearray:
    """The body, held once: `web.Request.read` keeps it a second time."""
    octets = bytearray()
    async for chunk in request.content.iter_any():
        octets += chunk
        if len(octets) > request.client_max_size:
            raise web.HTTPRequestEntityTooLarge(request.client_max_size, len(octets))
    return octets


def _large(request: web.Request) -> bool:
    """Whether a body may take long to read; one that does not tell its length may."""
    return request.content_length is None or request.content_length > LARGE_BODY


async def _multipart(request: web.Request) -> list[tuple[str, Any]]:
    """The fields of a multipart form as text; a CSV file as its rows, of others their name."""
    try:
        form = await request.post()
        return [(name, _field(name, value)) for name, value in form.items()]
    except (ValueError, LookupError, RuntimeError, AssertionError, HttpProcessingError) as error:
        # aiohttp's words for a part without a name, a charset or an encoding that there is not.
        raise FormError("the multipart form cannot be read") from error


def _field(name: str, value: str | bytes | bytearray | web.FileField) -> str | bulk.Entries:
    match value:
        case web.FileField() if name == "numbers_csv":
            return bulk.csv_file(value.file)
        case web.FileField():
            return value.filename
        case str():
            return value
        case _:
            return bytes(value).decode()


def _dropped(numbers: Sequence[str]) -> dict[str, str]:
    """The header that names what was no number."""
    named = [number.encode("ascii", "replace").decode() for number in numbers]
    shown = ", ".join("".join(filter(str.isprintable, number)) for number in named)
    return {DROPPED: shown} if shown else {}


def integer(text: str | None) -> int:
    """A number in a path as PHP casts it, but only a whole one: all else is 0, as for PHP."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0


def _given(text: str | None) -> int | None:
    return None if text is None else integer(text)


def _links(
    request: web.Request,
    entry: str,
    found: list[items.Item],
    page: int,
    after: int | None,
    before: int | None,
) -> tuple[str | None, str | None]:
    """The pages beyond the last and the first row, as RaspiSMS links them."""
    if not found:
        return None, None
    key = request.query.get("api_key") or request.headers.get("X-Api-Key")
    tail = "?" + urlencode({"api_key": key}) if key else ""
    base = f"{request.scheme}://{request.host}/api/list/{entry}"
    forward = len(found) == PAGE or before
    backward = page > 0 or after or before
    return (
        f"{base}/after/{found[-1]['id']}/{tail}" if forward else None,
        f"{base}/before/{found[0]['id']}/{tail}" if backward else None,
    )
