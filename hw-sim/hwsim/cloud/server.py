"""The loopback HTTP server that carries a simulated provider."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from aiohttp import web

from hwsim.cloud.smsmode import CHARSET, Account


class SmsmodeServer:
    """smsmode on an ephemeral port; an asynchronous context manager."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._port = 0

    async def __aenter__(self) -> SmsmodeServer:
        """Listen on loopback."""
        application = web.Application()
        application.router.add_route("*", "/http/{version}/{operation}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening and drop what is still open."""
        await self._runner.cleanup()

    def info(self) -> dict[str, Any]:
        """Give what the first line of `hwsim up` tells about it."""
        return {
            "url": f"http://127.0.0.1:{self._port}/http/",
            "access_token": self.account.token,
        }

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = ""
        if request.method == "POST":
            # The charset of a form is the provider's business, never the header's.
            body = (await request.read()).decode("latin-1")
        answer = self.account.answer(
            request.method, request.match_info["operation"], request.rel_url.raw_query_string, body
        )
        if answer.after:
            await asyncio.sleep(answer.after)
        if answer.text is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.Response(
            body=answer.text.encode(CHARSET, "replace"),
            status=answer.status,
            headers={"Content-Type": f"{answer.content_type}; charset=ISO-8859-15"},
        )
