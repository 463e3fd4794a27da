"""Webhooks by the API: made, changed, removed; their dead letters shown and told once more."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from smsd.api import items
from smsd.api.auth import OWN, Account, Doorkeeper
from smsd.api.envelope import ApiError, Code, Route, answer
from smsd.api.forms import items as listed
from smsd.api.forms import truth
from smsd.api.once import once_of, taken
from smsd.api.raspisms import body_of, integer
from smsd.dispatch.gateway import Gateway
from smsd.dispatch.telling import Form, problem_of
from smsd.store.database import Conflict
from smsd.store.registry import LOCAL_ACCOUNT
from smsd.store.webhooks import WebhookDraft


class Webhooks:
    """The handlers. All of it is for administrators: a webhook shows every text that comes in."""

    def __init__(self, gateway: Gateway, door: Doorkeeper) -> None:
        self._gateway = gateway
        self._store = gateway.store.webhooks
        self._door = door

    def routes(self) -> list[Route]:
        """Every path, without its last slash."""
        return [
            ("POST", "/api/webhook", self.create),
            ("POST", "/api/webhook/{id}", self.update),
            ("DELETE", "/api/webhook/{id}", self.delete),
            ("GET", "/api/webhook/{id}/dead", self.dead),
            ("POST", "/api/webhook/{id}/resend", self.resend),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """``POST /api/webhook/``: ``url``, ``events[]`` (or ``type``), ``secret``, ``form``."""
        body = await body_of(request)
        account = self._account(request, body)
        for name in ("url", "events"):
            if not _given(body, name):
                raise ApiError(Code.MISSING_PARAMETER, f"{name}.")
        draft = _draft(body, account, {})
        try:
            made = await self._store.create(account.id, draft, once_of(request, body))
        except Conflict as error:
            raise taken(error) from error
        self._gateway.webhooks.changed()
        return answer(made)

    async def update(self, request: web.Request) -> web.Response:
        """``POST /api/webhook/{id}/``: what is given is changed; one that was off is on again."""
        body = await body_of(request)
        account = self._account(request, body)
        row = await self._row(request, account, Code.CANNOT_UPDATE)
        if row["name"] is not None:
            words = f'"{row["name"]}" is in the configuration\'s file, which changes it.'
            raise ApiError(Code.CANNOT_UPDATE, words)
        await self._store.change(row["id"], _draft(body, account, row))
        self._gateway.webhooks.changed()
        return answer(True)

    async def delete(self, request: web.Request) -> web.Response:
        """``DELETE /api/webhook/{id}/``, its dead letters with it."""
        account = self._account(request, await body_of(request))
        if not await self._store.remove(integer(request.match_info["id"]), account.changes):
            raise ApiError(Code.CANNOT_DELETE)
        self._gateway.webhooks.changed()
        return web.Response(status=204)

    async def dead(self, request: web.Request) -> web.Response:
        """``GET /api/webhook/{id}/dead/``: 25 events that it never took, ``after`` an id."""
        account = self._account(request, {})
        row = await self._row(request, account, Code.INVALID_PARAMETER, status=404)
        after = integer(request.query.get("after"))
        letters = await self._store.letters(row["id"], after=after)
        return answer([items.dead_letter(letter, self._gateway.zone) for letter in letters])

    async def resend(self, request: web.Request) -> web.Response:
        """``POST /api/webhook/{id}/resend/``: all its dead letters, or that of one ``event``.

        The answer is how many; whether the receiver takes them shows in the list of them.
        """
        body = await body_of(request)
        account = self._account(request, body)
        row = await self._row(request, account, Code.CANNOT_UPDATE)
        if not row["enabled"]:
            how = "an update" if row["name"] is None else "a restart"
            raise ApiError(Code.CANNOT_UPDATE, f"this webhook is off; {how} switches it on.")
        event = body.get("event")
        count = await self._store.again(
            row["id"], None if event in (None, "") else integer(str(event).rpartition("-")[2])
        )
        self._gateway.webhooks.retry(row["id"])
        return answer(count)

    def _account(self, request: web.Request, body: Mapping[str, Any]) -> Account:
        account = self._door.account(request, body)
        account.need(OWN)
        return account

    async def _row(
        self, request: web.Request, account: Account, code: Code, *, status: int = 400
    ) -> Mapping[str, Any]:
        row = await self._store.row(integer(request.match_info["id"]), account.changes)
        if row is None:
            raise ApiError(code, "no webhook has this id.", status=status)
        return row


def _given(body: Mapping[str, Any], name: str) -> object:
    """A field; RaspiSMS's webhooks have one ``type``, ours one or more ``events``."""
    value = body.get(name)
    return body.get("type") if name == "events" and value in (None, "") else value


def _draft(body: Mapping[str, Any], account: Account, row: Mapping[str, Any]) -> WebhookDraft:
    """What is wanted, and for what is not given what there is; raises the error that names it."""
    events, allow_http = _given(body, "events"), body.get("allow_http")
    draft = WebhookDraft(
        url=_text(body, "url", row.get("url", "")),
        events=tuple(json.loads(row["events"]))
        if events in (None, "")
        else tuple(dict.fromkeys(str(event) for event in listed(events) if event != "")),
        form=_text(body, "form", row.get("form", str(Form.SMSD))),
        secret=_text(body, "secret", row.get("secret") or "") or None,
        allow_http=bool(row.get("allow_http")) if allow_http is None else truth(allow_http),
        account=row["account_id"] if row else account.sees,
    )
    fault = problem_of(
        draft.url, draft.events, draft.form, draft.secret, allow_http=draft.allow_http
    )
    if fault is None and draft.secret is None and account.id == LOCAL_ACCOUNT:
        fault = "secret: expected, as no account's API key is there to sign with"
    if fault is not None:
        key, _, words = fault.partition(": ")
        raise ApiError(Code.INVALID_PARAMETER, f"{key} : {words}.")
    return draft


def _text(body: Mapping[str, Any], name: str, otherwise: str) -> str:
    value = body.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, str) or not value.isprintable():
        raise ApiError(Code.INVALID_PARAMETER, f"{name} : a text without control signs expected.")
    return value
