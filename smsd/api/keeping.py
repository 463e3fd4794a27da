"""Copies of what is kept, whole or as tables, and the end of what is known of a number."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from smsd.api import items
from smsd.api.auth import Account, Doorkeeper
from smsd.api.envelope import ApiError, Code, Route, answer
from smsd.api.forms import truth
from smsd.api.raspisms import body_of
from smsd.dispatch.gateway import Gateway
from smsd.dispatch.numbers import written_forms
from smsd.store.backup import BackupError, back_up, stamp
from smsd.store.database import Conflict, milliseconds

Show = Callable[[items.Row, tzinfo, int], items.Item]
EXPORTS: Final[Mapping[str, Show]] = {
    "sended": lambda row, zone, _: items.sended(row, zone),
    "received": items.received,
    "scheduled": lambda row, zone, _: items.scheduled(row, zone),
    "message": lambda row, zone, _: items.message(row, zone),
    "inbox": lambda row, zone, _: items.inbox(row, zone),
    "call": items.call,
    "datagram": items.datagram,
    "contact": lambda row, zone, _: items.contact(row, zone),
    "group": lambda row, zone, _: items.group(row, zone),
    "campaign": lambda row, zone, _: items.campaign(row, zone),
    "smsstop": lambda row, zone, _: items.smsstop(row, zone),
}
READING: Final = frozenset({"received", "inbox", "call", "datagram", "smsstop"})
FILTERS: Final[Mapping[str, dict[str, Any]]] = {
    "message": {"scheduled": None, "state": None},
    "contact": {"group": None},
}
STEP: Final = 100  # rows that are read at once: some milliseconds, and others have their turn
_PLAIN: Final = re.compile(r"\+?[0-9]*")


class Archive:
    """The handlers; ``default_region`` is that of national numbers."""

    def __init__(self, gateway: Gateway, door: Doorkeeper, default_region: str | None) -> None:
        self._gateway = gateway
        self._door = door
        self._region = default_region

    def routes(self) -> list[Route]:
        """Every path, without its last slash."""
        return [
            ("GET", "/api/export/{kind}", self.export),
            ("POST", "/api/backup", self.backup),
            ("POST", "/api/erase", self.erase),
        ]

    async def export(self, request: web.Request) -> web.StreamResponse:
        """``GET /api/export/{kind}/``: every row, as JSON Lines or CSV, read as it is sent."""
        account = self._door.account(request, {})
        kind, form = request.match_info["kind"], request.query.get("format", "json")
        if kind not in EXPORTS:
            words = f"kind must be one of : {', '.join(EXPORTS)}."
            raise ApiError(Code.INVALID_PARAMETER, words, status=404)
        if form not in ("json", "csv"):
            raise ApiError(Code.INVALID_PARAMETER, "format must be json or csv.", status=404)
        account.need("read" if kind in READING else "send")
        since, until = (self._moment(request, name) for name in ("since", "until"))
        found = self._rows(kind, account, since, until)
        rows = await anext(found, None)  # what goes wrong at once is still told in an envelope
        content_type = "text/csv" if form == "csv" else "application/x-ndjson"
        response = web.StreamResponse(headers={"Content-Type": f"{content_type}; charset=utf-8"})
        await response.prepare(request)
        header = True
        while rows is not None:
            text = as_csv(rows, header=header) if form == "csv" else as_lines(rows)
            await response.write(text.encode())
            header, rows = False, await anext(found, None)
        await response.write_eof()
        return response

    def _moment(self, request: web.Request, name: str) -> int | None:
        """A bound in the store's milliseconds; a date alone is its first moment."""
        given = request.query.get(name)
        if given is None:
            return None
        try:
            at = datetime.fromisoformat(given)
            at = at if at.tzinfo is not None else at.replace(tzinfo=self._gateway.zone)
            return milliseconds(at.astimezone(UTC))
        except (ValueError, OverflowError) as error:
            words = f"{name} must be a date, as 2026-03-31 or 2026-03-31 12:00:00."
            raise ApiError(Code.INVALID_PARAMETER, words, status=404) from error

    async def _rows(
        self, kind: str, account: Account, since: int | None, until: int | None
    ) -> AsyncIterator[list[items.Item]]:
        """The rows of a kind as a list shows them, some at a time; never an empty list."""
        after = 0
        while rows := await self._gateway.store.views.page(
            kind, account=account.sees, after=after, limit=STEP, **FILTERS.get(kind, {})
        ):
            after = rows[-1]["id"]
            shown = [
                EXPORTS[kind](row, self._gateway.zone, account.id)
                for row in rows
                if (since is None or row["created_at"] >= since)
                and (until is None or row["created_at"] < until)
            ]
            if shown:
                yield shown

    async def backup(self, request: web.Request) -> web.Response:
        """``POST /api/backup/``: a copy beside the database, or in ``file``."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("admin")
        database = await self._gateway.store.views.file()
        if not database:
            raise ApiError(Code.CANNOT_CREATE, " : the database is in memory.")
        target = Path(f"{database}.backup-{stamp(self._gateway.now())}")
        if (file := body.get("file")) not in (None, ""):
            if not isinstance(file, str) or not file.startswith("/") or "\0" in file:
                raise ApiError(Code.INVALID_PARAMETER, "file : an absolute path is expected.")
            target = Path(file)
        try:
            await asyncio.to_thread(back_up, Path(database), target)
        except BackupError as error:
            raise ApiError(Code.CANNOT_CREATE, f" : {error}") from error
        return answer({"file": str(target), "size": target.stat().st_size})

    async def erase(self, request: web.Request) -> web.Response:
        """``POST /api/erase/``: ``number``, and ``stops=1`` for the lists of STOPs as well."""
        body = await body_of(request)
        account = self._door.account(request, body)
        account.need("admin")
        number = body.get("number")
        if not isinstance(number, str) or not number.strip():
            raise ApiError(Code.MISSING_PARAMETER, "number")
        forms = written_forms(number.strip(), self._region)
        try:
            found = await self._gateway.store.erasure.erase(forms, stops=truth(body.get("stops")))
        except Conflict as error:
            raise ApiError(Code.CANNOT_DELETE, f" : {error}.", status=409) from error
        return answer(found)


def as_lines(rows: Iterable[items.Item]) -> str:
    """JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_csv(rows: Iterable[items.Item], *, header: bool) -> str:
    """CSV as RFC 4180 has it; what is no scalar as JSON in its cell."""
    import csv  # as in smsd.api.bulk

    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        if header:
            writer.writerow(row)
            header = False
        writer.writerow(_cell(value) for value in row.values())
    return text.getvalue()


def _cell(value: Any) -> object:
    """A value as a spreadsheet may have it: no text that came from outside is run as a formula.

    One that begins like a formula gets an apostrophe in front; numbers with their plus stay whole.
    """
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") and not _PLAIN.fullmatch(value):
        return "'" + value
    return value
