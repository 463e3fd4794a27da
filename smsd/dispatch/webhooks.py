"""Telling programs over HTTP what happened: each receiver in its order, at its own pace.

An event is told until the receiver takes it: at least once, always under the same id. Every
receiver has a task of its own with one request at a time, so a slow or dead one delays nobody.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final

import aiohttp

from smsd.dispatch.persist import persist
from smsd.dispatch.telling import Form, concerns, kind_of, told
from smsd.logs import fields
from smsd.store.store import Store
from smsd.store.webhooks import BATCH, Webhook

log: Final = logging.getLogger(__name__)

CONNECT_TIMEOUT: Final = 10.0  # seconds
ANSWER_TIMEOUT: Final = 30.0  # seconds for all of it; the answer's body is not read
FIRST_PAUSE: Final = 1.0  # seconds after a failure, doubling
LONGEST_PAUSE: Final = 3600.0
WORTH_KEEPING: Final = 1000  # events passed over that a start should not read again
GONE: Final = 410

Secret = Callable[[Webhook], str | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a receiver made of a request; ``fault`` is ``None`` where it took the event."""

    fault: str | None = None
    gone: bool = False


@dataclass(slots=True)
class _Receiver:
    """A task's own view of its receiver."""

    hook: Webhook
    news: asyncio.Event = field(default_factory=asyncio.Event)
    urgent: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody wants it tried now."""
    fault: str | None = None
    failures: int = 0
    ended: bool = False

    @property
    def name(self) -> str:
        """How the log calls it; its URL may hold a key."""
        return self.hook.name or f"webhook {self.hook.id}"


class Webhooks:
    """All receivers. `changed` says that there are others, `retry` that one is to be tried now.

    ``secret`` tells the key of those that the store has none of; ``None``: there is none.
    """

    def __init__(
        self, store: Store, now: Callable[[], datetime], zone: tzinfo, secret: Secret
    ) -> None:
        self._store = store
        self._now = now
        self._zone = zone
        self._secret = secret
        self._off: list[tuple[str, str]] = []
        self._changed = asyncio.Event()
        self._receivers: dict[int, _Receiver] = {}

    def changed(self) -> None:
        """Webhooks were made, changed or removed."""
        self._changed.set()

    def retry(self, webhook: int) -> None:
        """Try a receiver now, and look for its dead letters that are wanted again."""
        if (receiver := self._receivers.get(webhook)) is not None:
            receiver.urgent.set()
            receiver.news.set()

    def problems(self) -> list[str]:
        """Receivers that do not take what they are told, or are told no more, in words."""
        return [f"{name} is switched off: {fault}" for name, fault in self._off] + [
            f"{receiver.name} has failed {receiver.failures} times: {receiver.fault}"
            for receiver in self._receivers.values()
            if receiver.failures > 1 and receiver.fault is not None
        ]

    async def run(self) -> None:
        """Tell until cancelled. Without webhooks nothing is opened, and nothing asked."""
        tasks: dict[int, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                hooks = {hook.id: hook for hook in await persist(self._store.webhooks.enabled)}
                self._off = await persist(self._store.webhooks.switched_off)
                for number, receiver in list(self._receivers.items()):
                    if receiver.ended or _same(receiver.hook) != _same(hooks.get(number)):
                        tasks.pop(number).cancel()
                        del self._receivers[number]
                for number, hook in hooks.items():
                    if number not in self._receivers:
                        receiver = self._receivers[number] = _Receiver(hook)
                        life = self._serve(receiver)
                        tasks[number] = group.create_task(life, name=f"webhook-{number}")
                self._store.webhooks.listen(self._news if tasks else None)
                self._news()  # what came before anybody listened
                await self._changed.wait()

    def _news(self) -> None:
        for receiver in self._receivers.values():
            receiver.news.set()

    async def _serve(self, receiver: _Receiver) -> None:
        """Tell one receiver, an event at a time, for as long as it is there."""
        # A kept-alive connection may be closed under a request: each has one of its own.
        connector = aiohttp.TCPConnector(force_close=True, limit=1)
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT, sock_connect=CONNECT_TIMEOUT)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            queue = _Queue(self._store, receiver.hook)
            while not receiver.ended:
                receiver.news.clear()
                if receiver.urgent.is_set():
                    receiver.urgent.clear()
                    queue.look_again()
                event = await queue.next()
                if event is None:
                    await receiver.news.wait()
                    continue
                verdict = await self._tell(session, receiver, event)
                if verdict.fault is None:
                    await self._took(receiver, event)
                    queue.settled(event)
                elif await self._refused(receiver, event, verdict.fault, gone=verdict.gone):
                    queue.settled(event)
                else:
                    await _pause(receiver)
        self._changed.set()

    async def _tell(
        self, session: aiohttp.ClientSession, receiver: _Receiver, event: Mapping[str, Any]
    ) -> Verdict:
        hook, kind = receiver.hook, kind_of(event)
        subject = await persist(lambda: self._store.webhooks.subject(event["id"]))
        if subject is None or kind is None:
            return Verdict()  # erased since: nothing is left to tell
        secret = hook.secret or self._secret(hook)
        if secret is None:
            return Verdict("there is no secret to sign with any more")
        try:
            request = told(Form(hook.form), kind, subject, secret, self._now(), self._zone)
            async with session.post(
                hook.url, data=request.body, headers=request.headers, allow_redirects=False
            ) as answer:
                return _judged(answer.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Verdict(_words(error))
        except Exception as error:  # what cannot be foreseen ends no other receiver's service
            log.exception("a webhook failed in an unforeseen way", extra=fields(webhook=hook.id))
            return Verdict(f"an internal error ({type(error).__name__}); the log has the details")

    async def _took(self, receiver: _Receiver, event: Mapping[str, Any]) -> None:
        await persist(lambda: self._store.webhooks.taken(receiver.hook.id, event["id"]))
        if receiver.fault is not None:
            log.info("a webhook's receiver is back", extra=fields(webhook=receiver.name))
        receiver.fault, receiver.failures = None, 0

    async def _refused(
        self, receiver: _Receiver, event: Mapping[str, Any], fault: str, *, gone: bool
    ) -> bool:
        """Keep that an event was not taken; True if it is given up."""
        hook = receiver.hook
        if receiver.fault != fault:
            log.warning(
                "a webhook's receiver does not take what it is told",
                extra=fields(webhook=receiver.name, event=event["id"], reason=fault),
            )
        receiver.fault, receiver.failures = fault, receiver.failures + 1
        dead = await persist(
            lambda: self._store.webhooks.refused(hook.id, event["id"], fault, gone=gone)
        )
        if gone:
            receiver.ended = True
            log.warning("a webhook is switched off", extra=fields(webhook=receiver.name))
        elif dead:
            log.error(
                "an event is given up for a webhook",
                extra=fields(webhook=receiver.name, event=event["id"], reason=fault),
            )
        return dead


async def _pause(receiver: _Receiver) -> None:
    """Wait, longer from time to time, or until somebody wants it tried now."""
    pause = min(FIRST_PAUSE * 2 ** min(receiver.failures - 1, 20), LONGEST_PAUSE)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(pause):
            await receiver.urgent.wait()


class _Queue:
    """What one receiver is still to be told: dead letters that are wanted again, then events."""

    def __init__(self, store: Store, hook: Webhook) -> None:
        self._store = store
        self._hook = hook
        self._place = self._kept = hook.place
        self._ready: deque[Mapping[str, Any]] = deque()

    def settled(self, event: Mapping[str, Any]) -> None:
        """The event that was next needs no more telling."""
        self._ready.popleft()
        self._kept = max(self._kept, event["id"])

    def look_again(self) -> None:
        """There may be dead letters that go first."""
        self._ready.clear()
        self._place = self._kept

    async def next(self) -> Mapping[str, Any] | None:
        """What is to be told next; ``None`` while there is nothing."""
        if not self._ready:
            hook, webhooks = self._hook, self._store.webhooks
            self._ready.extend(await persist(lambda: webhooks.wanted_again(hook.id)))
            while not self._ready:
                events = await persist(lambda: webhooks.after(self._place))
                if events:
                    self._place = events[-1]["id"]
                self._ready.extend(filter(self._is_told, events))
                if len(events) < BATCH:
                    break
            if not self._ready and self._place - self._kept > WORTH_KEEPING:
                await persist(lambda: webhooks.passed(hook.id, self._place))
                self._kept = self._place
        return self._ready[0] if self._ready else None

    def _is_told(self, event: Mapping[str, Any]) -> bool:
        kind = kind_of(event)
        return (
            kind is not None
            and str(kind) in self._hook.events
            and concerns(event, self._hook.account)
        )


def _same(hook: Webhook | None) -> tuple[object, ...] | None:
    """What makes a receiver another one when it changes; its place is none of that."""
    if hook is None:
        return None
    return hook.account, hook.url, hook.events, hook.form, hook.secret


def _judged(status: int) -> Verdict:
    if 200 <= status < 300:
        return Verdict()
    if 300 <= status < 400:
        return Verdict(f"HTTP {status}: a redirect, which is not followed")
    return Verdict(f"HTTP {status}", gone=status == GONE)


def _words(error: Exception) -> str:
    """An error in words; never its own, which may quote the URL."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientSSLError():
            return "no secure connection comes about (TLS)"
        case TimeoutError():
            return f"no answer within {ANSWER_TIMEOUT:g} s"
        case aiohttp.ClientConnectorError() if error.os_error.strerror:
            return f"no connection: {error.os_error.strerror}"
        case aiohttp.ServerDisconnectedError() | ConnectionError():
            return "the connection ended before the answer"
        case aiohttp.ClientResponseError():
            return "its answer is no HTTP"
        case _:
            return f"the request failed ({type(error).__name__})"
