"""Who asks: an API key in query, body or header, or a local user whom the socket itself names."""

import grp
import hmac
import os
import pwd
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from aiohttp import web

from smsd.api.envelope import ApiError, Code
from smsd.store.registry import LOCAL_ACCOUNT

OWN: Final = "own"
"""The scope for what concerns an account's own rows alone: its key has it, and ``admin``."""
_OF_KEYS: Final = frozenset({"send", "read", OWN})


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks and what he may do; ``sees``: whose rows he sees, ``None`` for everybody's.

    ``who`` names him in what is recorded; ``zone`` is that of his wall clock, ``None``: the
    gateway's; ``priority`` that of his messages. The machine and everybody's rows are the business
    of the local users with the scope ``admin``, which no API key brings.
    """

    id: int
    scopes: frozenset[str]
    sees: int | None
    who: str = ""
    zone: tzinfo | None = None
    priority: int = 0

    @property
    def changes(self) -> int | None:
        """Whose rows he may change, take back or settle, ``None`` for everybody's."""
        return None if "admin" in self.scopes and self.sees is None else self.id

    def need(self, scope: str) -> None:
        """Raise the error for one who may not."""
        if scope in self.scopes or "admin" in self.scopes:
            return
        wanted = "admin" if scope == OWN else scope
        words = f'This local user may not {wanted}: see "local_users" in the configuration.'
        if self.sees is not None:
            words = "This is for local administrators, and for no API key."
        raise ApiError(Code.INVALID_CREDENTIALS, f" {words}", status=403)


@dataclass(frozen=True, slots=True)
class Key:
    """An account's API key."""

    account: int
    api_key: str
    suspended: bool
    name: str = ""
    zone: tzinfo | None = None
    priority: int = 0


class Doorkeeper:
    """Knows the keys and the local users of the configuration."""

    def __init__(
        self, keys: Iterable[Key], local_users: Mapping[str, str | tuple[str, ...]]
    ) -> None:
        self._keys = tuple(keys)
        # What is sent from the command line belongs to the box's own account, the first one.
        self._own = self._keys[0].account if self._keys else LOCAL_ACCOUNT
        self._local_users = local_users

    def account(self, request: web.Request, body: Mapping[str, Any]) -> Account:
        """The account that a request comes from.

        The first credential that is present counts, in the order query, body, header, even if it
        is wrong; without any, the user at the other end of the socket.
        """
        for given in (
            request.query.get("api_key"),
            body.get("api_key"),
            request.headers.get("X-Api-Key"),
        ):
            if given is not None:
                return self._by_key(str(given), self.local(request))
        local = self.local(request)
        if local is None:
            hint = "" if request.remote else " Or name this user in api.local_users."
            raise ApiError(Code.INVALID_CREDENTIALS, hint, status=401)
        return local

    def _by_key(self, given: str, local: Account | None) -> Account:
        """An account by its key; an administrator of the machine stays one with a key in hand."""
        found = None
        octets = given.encode(errors="surrogatepass")  # a header may hold any octets
        for key in self._keys:  # all of them, so that the time taken tells nothing
            if hmac.compare_digest(key.api_key.encode(), octets):
                found = key
        if found is None:
            raise ApiError(Code.INVALID_CREDENTIALS, status=401)
        if found.suspended:
            raise ApiError(Code.SUSPENDED_USER, status=403)
        scopes = _OF_KEYS | ({"admin"} & local.scopes if local is not None else set())
        return Account(found.account, scopes, found.account, found.name, found.zone, found.priority)

    def local(self, request: web.Request) -> Account | None:
        """The local user at the other end of a Unix socket (SO_PEERCRED), if he may do anything."""
        transport = request.transport
        peer = transport.get_extra_info("socket") if transport is not None else None
        if peer is None or peer.family != socket.AF_UNIX:
            return None
        raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, uid, gid = struct.unpack("3i", raw)
        scopes = self._scopes(uid, gid)
        return Account(self._own, scopes, None, f"local user {_user(uid)}") if scopes else None

    def _scopes(self, uid: int, gid: int) -> frozenset[str]:
        if uid == os.getuid():
            return frozenset({"admin"})  # whoever runs the daemon has its files anyway
        try:
            name = pwd.getpwuid(uid).pw_name
            groups = {*os.getgrouplist(name, gid), gid}
        except KeyError:
            name, groups = str(uid), {gid}
        found: set[str] = set()
        for who, granted in self._local_users.items():
            if who == name or (who.startswith("@") and _gid(who[1:]) in groups):
                found |= {granted} if isinstance(granted, str) else set(granted)
        return frozenset(found)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _gid(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None
