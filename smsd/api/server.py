"""The HTTP server on its sockets; what goes wrong is answered in RaspiSMS's envelope."""

import contextlib
import errno
import logging
import os
import socket
import stat
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from smsd.api.auth import Doorkeeper
from smsd.api.contacts import ContactBook
from smsd.api.devices import Devices
from smsd.api.envelope import ApiError, Code, answer
from smsd.api.groups import PhoneGroups
from smsd.api.keeping import Archive
from smsd.api.queue import Queue
from smsd.api.raspisms import RaspiSms
from smsd.api.stops import Stops
from smsd.api.webhooks import Webhooks
from smsd.dispatch.gateway import Gateway
from smsd.logs import fields
from smsd.store.database import StoreUnavailable

log: Final = logging.getLogger(__name__)

LARGEST_BODY: Final = 10 * 1024 * 1024  # octets
SOCKET_MODE: Final = 0o660
BACKLOG: Final = 128
LAST_WORDS: Final = 2.0  # seconds that requests under way have when the server stops

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SocketTaken(Exception):
    """Another process answers on the socket's path."""


def application(gateway: Gateway, door: Doorkeeper, default_region: str | None) -> web.Application:
    """All routes, with the error handling around them."""
    app = web.Application(middlewares=[_errors], client_max_size=LARGEST_BODY)

    async def health(request: web.Request) -> web.Response:
        if door.local(request) is None:
            door.account(request, {})
        report = await gateway.health()
        return answer(report, status=200 if report["store"] == "ok" else 503)

    async def ports(request: web.Request) -> web.Response:
        if door.local(request) is None:
            door.account(request, {})
        return answer(await gateway.ports())

    table = [
        *Stops(gateway, door, default_region).routes(),
        *Webhooks(gateway, door).routes(),
        *Devices(gateway, door).routes(),
        *Queue(gateway, door).routes(),
        *Archive(gateway, door, default_region).routes(),
        *ContactBook(gateway, door, default_region).routes(),
        *PhoneGroups(gateway, door).routes(),
        *RaspiSms(gateway, door, default_region).routes(),
        ("GET", "/health", health),
        ("GET", "/ports", ports),
    ]
    for method, path, handler in table:
        for slash in ("", "/"):
            app.router.add_route(method, path + slash, handler)
    return app


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return answer(error=error.code, message=str(error), status=error.status)
    except StoreUnavailable as error:
        message = f"Cannot create a new entry. : nothing can be stored at the moment ({error})."
        return answer(error=Code.CANNOT_CREATE, message=message, status=503)
    except web.HTTPRequestEntityTooLarge:
        message = (
            "You have specified an invalid parameter : the body is larger than "
            f"{LARGEST_BODY // 1024 // 1024} MB."
        )
        return answer(error=Code.INVALID_PARAMETER, message=message, status=413)
    except web.HTTPException as error:
        message = f"{error.reason} : {request.method} {request.path}"
        return answer(error=Code.INVALID_PARAMETER, message=message, status=error.status)
    except ConnectionError:
        raise
    except Exception as error:  # noqa: BLE001 logged below, without what it quotes
        # Its words may quote the request: type and place are enough to find it.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename}:{place.lineno}"
        log.error(
            "a request failed in an unforeseen way",
            extra=fields(error=type(error).__name__, at=where),
        )
        return answer(error=Code.CANNOT_CREATE, message="Internal error.", status=500)


@asynccontextmanager
async def serving(app: web.Application, sockets: Sequence[socket.socket]) -> AsyncIterator[None]:
    """Answer on listening sockets while the block runs; then let requests under way end."""
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=LAST_WORDS)
    await runner.setup()
    try:
        for listening in sockets:
            await web.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()


def unix_socket(path: str) -> socket.socket:
    """A listening socket of our own, for owner and group (0660).

    A file that a predecessor left is replaced; raises `SocketTaken` if somebody answers there.
    """
    if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
            if probe.connect_ex(path) == 0:
                raise SocketTaken(f"another process answers on {path}")
        os.unlink(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    old = os.umask(0o777 & ~SOCKET_MODE)
    try:
        listening.bind(path)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(old)
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


def tcp_socket(address: str) -> socket.socket:
    """A listening TCP socket for ``host:port``."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, int(port)), family=family, backlog=BACKLOG)
    except OSError as error:
        raise OSError(error.errno or errno.EADDRINUSE, f"{address}: {error.strerror}") from error
    listening.setblocking(False)
    return listening
