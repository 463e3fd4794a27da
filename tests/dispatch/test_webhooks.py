"""Webhooks against real servers on loopback that answer, fail, hang and lie as they are told."""

import asyncio
import hashlib
import hmac
import json
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from smsd.dispatch.telling import Kind
from smsd.dispatch.webhooks import LONGEST_PAUSE, Webhooks
from smsd.model.events import CallBegan, CallEnded, Incoming, Report, Verdict
from smsd.store.webhooks import WebhookDraft
from tests.rig import ALICE, BOB, Rig, Scripted, claimed, draft, fault, send_part
from tests.virtual_time import START, now, run

SECRET = "0123456789abcdef-secret"
KEY = "the-api-key-of-account-1"
HOURS = 3600.0
ALL = tuple(str(kind) for kind in Kind)
Answer = Callable[["Receiver", web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Heard:
    """A request that reached the receiver."""

    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return str(self.event["data"]["text"])


@dataclass
class Receiver:
    """A program that is told of events; answers in order, then 204 for ever."""

    answers: list[int | Answer] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        self.heard.append(Heard(dict(request.headers), await request.read(), loop.time()))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, int):
            return web.Response(status=answer, headers={"Location": self.url + "/elsewhere"})
        return await answer(self, request)

    @property
    def texts(self) -> list[str]:
        return [heard.text for heard in self.heard]

    @property
    def ids(self) -> list[str]:
        return [heard.event["id"] for heard in self.heard]


@asynccontextmanager
async def receiver(
    *answers: int | Answer, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    made = Receiver(list(answers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    made.url = f"http{'s' if tls else ''}://127.0.0.1:{port}/hook"
    try:
        yield made
    finally:
        await runner.cleanup()


@dataclass
class Desk:
    """A gateway with webhooks that can be stopped and started like a daemon."""

    rig: Rig
    webhooks: Webhooks
    number: int = 0

    async def hook(self, url: str, *events: str, **more: Any) -> int:
        more = {"form": "smsd", "secret": SECRET, **more}
        wanted = WebhookDraft(url, events or ("receive_sms",), **more)
        made = await self.rig.store.webhooks.create(1, wanted)
        self.webhooks.changed()
        return made

    async def comes_in(self, text: str) -> None:
        self.number += 1
        phone = self.rig.phones.all()[0].record.id
        await self.rig.store.arrivals.receive(
            phone, Incoming(f"k{self.number}", "raw", ALICE, START, text), lambda raws: None
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.webhooks.run())
            yield task
            task.cancel()

    def again(self) -> None:
        """As a new daemon finds it."""
        self.webhooks = Webhooks(self.rig.store, now, self.webhooks._zone, lambda hook: KEY)

    async def row(self, webhook: int) -> Any:
        return await self.rig.store.webhooks.row(webhook, None)

    async def dead(self, webhook: int) -> list[int]:
        return [row["event_id"] for row in await self.rig.store.webhooks.letters(webhook)]


@asynccontextmanager
async def desk(path: str | Path = ":memory:") -> AsyncIterator[Desk]:
    rig = Rig(path)
    await rig.add("gsm0", Scripted())
    yield Desk(rig, Webhooks(rig.store, now, UTC, lambda hook: KEY))
    rig.database.close()


async def settle(condition: Callable[[], object], within: float = 600.0) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not condition():
        assert loop.time() - began < within, condition
        await asyncio.sleep(0.01 if within < HOURS else 10)


def test_events_are_told_in_order_once_each_and_signed() -> None:
    async def main() -> None:
        async with desk() as d, receiver() as r, d.running():
            await d.comes_in("before it was made")
            await d.hook(r.url)
            for number in range(30):
                await d.comes_in(f"message {number} é😀")
            await settle(lambda: len(r.heard) == 30)
            await asyncio.sleep(HOURS)
            assert r.texts == [f"message {number} é😀" for number in range(30)]
            assert len(set(r.ids)) == 30
            for heard in r.heard:
                stamp = heard.headers["X-Smsd-Timestamp"]
                expected = hmac.new(
                    SECRET.encode(), stamp.encode() + b"." + heard.body, hashlib.sha256
                ).hexdigest()
                assert heard.headers["X-Smsd-Signature"] == f"sha256={expected}"
                assert heard.headers["X-Smsd-Event"] == heard.event["id"]
                assert heard.headers["X-Smsd-Type"] == heard.event["type"] == "receive_sms"
                assert int(stamp) == int(START.timestamp() + heard.at)
            assert r.heard[0].event["data"] == {
                "id": 2, "at": "2026-03-02 12:00:00", "text": "message 0 é😀", "destination": 1,
                "origin": ALICE, "command": False, "mms": False, "medias": [], "kind": "text",
                "complete": True,
            }  # fmt: skip

    run(main())


def test_raspismss_own_form() -> None:
    async def main() -> None:
        async with desk() as d, receiver(500) as r, d.running():
            events = ("send_sms", "send_sms_status_change", "receive_sms", "inbound_call")
            await d.hook(r.url, *events, form="raspisms", secret=None, account=1)
            await d.rig.send(draft(tag="t"))
            claim = await claimed(d.rig)
            await send_part(d.rig, claim, 1, 1, "7")
            await d.comes_in("a & b")
            await d.rig.store.calls.begin(d.rig.phones.all()[0].record.id, CallBegan("c1", BOB))
            await settle(lambda: len(r.heard) == 4)
            forms = [parse_qsl(heard.body.decode(), strict_parsing=True) for heard in r.heard]
            for form in forms:
                assert [name for name, _ in form] == [
                    "webhook_timestamp", "webhook_type", "webhook_random_id", "webhook_signature",
                    "body",
                ]  # fmt: skip
                found = dict(form)
                signed = hmac.new(KEY.encode(), found["webhook_random_id"].encode(), hashlib.sha256)
                assert found["webhook_signature"] == signed.hexdigest()
                seconds, _, digits = found["webhook_random_id"].partition("-")
                assert (len(digits), int(seconds)) == (32, int(START.timestamp()))
            assert forms[0][2] == forms[1][2]  # the first was told twice, under one id
            assert forms[1][2] != forms[2][2]
            sms, sms_again, received, call = (dict(form) for form in forms)
            assert sms["body"] == sms_again["body"]
            assert (sms["webhook_type"], list(json.loads(sms["body"]).items())) == (
                "send_sms",
                [
                    ("id", 1), ("at", "2026-03-02 12:00:00"), ("status", "unknown"),
                    ("text", "hello"), ("destination", ALICE), ("origin", 1), ("mms", False),
                    ("medias", []), ("originating_scheduled", 1),
                ],
            )  # fmt: skip
            assert list(json.loads(received["body"])) == [
                "id", "at", "text", "destination", "origin", "command", "mms", "medias",
            ]  # fmt: skip
            assert list(json.loads(call["body"])) == [
                "id_user", "id_phone", "uid", "start", "end", "direction", "origin",
                "destination", "id",
            ]  # fmt: skip

    run(main())


def test_every_change_of_a_message_is_told_under_one_type() -> None:
    async def main() -> None:
        async with desk() as d, receiver() as r, d.running():
            await d.hook(r.url, *ALL)
            gone = await d.rig.send(draft("gone"))
            await send_part(d.rig, await claimed(d.rig), 1, 1, "7")
            doubt = await d.rig.send(draft("doubt"))
            claim = await claimed(d.rig)
            await d.rig.store.outgoing.begin_part(claim, 1, 1)
            await d.rig.store.outgoing.doubt(claim.attempt, fault())
            await d.rig.store.outgoing.complete_part(claim.attempt, 1, "8")
            refused = await d.rig.send(draft("refused"))
            await d.rig.store.outgoing.reject((await claimed(d.rig)).attempt, fault())
            assert (gone, doubt, refused) == (1, 2, 3)
            report = Report("7", ALICE, Verdict.DELIVERED, "TP-ST 00", "delivered", key="k")
            await d.rig.store.reports.report(d.rig.phones.all()[0].record.id, report)
            await settle(lambda: len(r.heard) == 11)
            told = [
                (h.event["data"]["message"], h.event["data"]["state"], h.event["type"])
                for h in r.heard
            ]
            assert told == [
                (1, "queued", "message_state"), (1, "claimed", "message_state"),
                (1, "sent", "send_sms"),
                (2, "queued", "message_state"), (2, "claimed", "message_state"),
                (2, "uncertain", "send_sms"), (2, "sent", "message_state"),
                (3, "queued", "message_state"), (3, "claimed", "message_state"),
                (3, "failed", "send_sms"), (1, "delivered", "send_sms_status_change"),
            ]  # fmt: skip
            assert r.heard[-1].event["data"] == {
                "id": 1, "status": "delivered", "message": 1, "state": "delivered", "reason": None,
            }  # fmt: skip

    run(main())


def test_a_call_is_told_once_however_late_its_number_comes() -> None:
    async def main() -> None:
        async with desk() as d, receiver() as r, d.running():
            await d.hook(r.url, "inbound_call", "end_call")
            phone = d.rig.phones.all()[0].record.id
            await d.rig.store.calls.begin(phone, CallBegan("c1", ""))
            await d.rig.store.calls.begin(phone, CallBegan("c1", BOB))
            await d.rig.store.calls.end(CallEnded("c1"))
            await d.rig.store.calls.end(CallEnded("c1"))
            await settle(lambda: len(r.heard) == 2)
            await asyncio.sleep(HOURS)
            assert [h.event["type"] for h in r.heard] == ["inbound_call", "end_call"]
            assert [h.event["data"]["end"] is None for h in r.heard] == [True, False]

    run(main())


def test_an_accounts_webhook_is_told_of_its_own_messages_and_of_all_that_comes_in() -> None:
    async def main() -> None:
        async with desk() as d, receiver() as mine, receiver() as others, d.running():
            await d.hook(mine.url, "message_state", "receive_sms", account=1)
            await d.hook(others.url, "message_state", "receive_sms", account=2)
            await d.rig.send(draft())
            await d.comes_in("to everybody")
            await settle(lambda: others.heard)
            await settle(lambda: len(mine.heard) == 2)
            assert [h.event["type"] for h in mine.heard] == ["message_state", "receive_sms"]
            assert [h.event["type"] for h in others.heard] == ["receive_sms"]

    run(main())


async def hangs(_: Receiver, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(10 * HOURS)
    return web.Response()


async def hangs_up(_: Receiver, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def half_an_answer(_: Receiver, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    request.transport.close()
    return web.Response()


async def no_http(_: Receiver, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"220 mail.example ESMTP\r\n\r\n")
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (500, "HTTP 500"), (404, "HTTP 404"), (429, "HTTP 429"), (100 + 299, "HTTP 399"),
        (302, "HTTP 302: a redirect, which is not followed"),
        (hangs, "no answer within 30 s"),
        (hangs_up, "the connection ended before the answer"),
        (half_an_answer, "the connection ended before the answer"),
        (no_http, "its answer is no HTTP"),
    ],
)  # fmt: skip
def test_what_was_not_taken_is_told_again_under_its_id_before_what_follows(
    answer: int | Answer, words: str
) -> None:
    async def main() -> None:
        async with desk() as d, receiver(200, answer, answer) as r, d.running():
            hook = await d.hook(r.url)
            for text in ("one", "two", "three"):
                await d.comes_in(text)
            await settle(lambda: len(r.heard) >= 2)
            await settle(lambda: d.webhooks._receivers[hook].fault is not None)
            row = await d.row(hook)
            assert row["fault"].startswith(words)
            assert row["failures"] >= 1
            await settle(lambda: len(r.heard) == 5)
            assert r.texts == ["one", "two", "two", "two", "three"]
            assert len(set(r.ids[1:4])) == 1
            bodies = {heard.body for heard in r.heard[1:4]}
            assert len(bodies) == 1
            await asyncio.sleep(1)
            row = await d.row(hook)
            assert (row["fault"], row["failures"], row["failing_since"]) == (None, 0, None)

    run(main())


def test_nobody_there_is_tried_again_more_and_more_seldom() -> None:
    async def main() -> None:
        async with desk() as d, receiver() as r, d.running():
            hook = await d.hook(r.url)
            r.answers = [503] * 16
            await d.comes_in("one")
            await settle(lambda: len(r.heard) == 17, 12 * HOURS)
            pauses = [b.at - a.at for a, b in zip(r.heard, r.heard[1:], strict=False)]
            assert [round(pause) for pause in pauses[:6]] == [1, 2, 4, 8, 16, 32]
            assert max(pauses) == pytest.approx(LONGEST_PAUSE, abs=1)
            assert await d.dead(hook) == []

    run(main())


def test_a_slow_or_dead_receiver_delays_nobody() -> None:
    async def main() -> None:
        async with desk() as d, receiver(*[hangs] * 9) as slow, receiver() as quick, d.running():
            dead = await d.hook("http://127.0.0.1:9/nobody")
            await d.hook(slow.url)
            await d.hook(quick.url)
            for number in range(20):
                await d.comes_in(str(number))
            await settle(lambda: len(quick.heard) == 20, within=5)
            assert quick.texts == [str(number) for number in range(20)]
            assert len(slow.heard) == 1
            await asyncio.sleep(10)
            [problem] = [p for p in d.webhooks.problems() if p.startswith(f"webhook {dead} ")]
            assert "no connection: Connect" in problem

    run(main())


def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("untrusted.pem"))
    return context


def test_who_is_not_who_he_says_is_told_nothing() -> None:
    async def main() -> None:
        async with desk() as d, receiver(tls=tls()) as r, receiver() as plain, d.running():
            forged = await d.hook(r.url)
            unencrypted = await d.hook(plain.url.replace("http:", "https:"))
            await d.comes_in("a secret")
            await asyncio.sleep(1)
            receivers = d.webhooks._receivers
            await settle(lambda: receivers[forged].failures and receivers[unencrypted].failures)
            assert receivers[forged].fault == "its certificate is not trusted"
            assert "TLS" in str(receivers[unencrypted].fault)
            assert (r.heard, plain.heard) == ([], [])

    run(main())


def test_after_72_hours_an_event_is_a_dead_letter_that_can_be_told_again() -> None:
    async def main() -> None:
        async with desk() as d, receiver(*[500] * 400) as r, d.running():
            hook = await d.hook(r.url)
            await d.comes_in("one")
            await asyncio.sleep(10 * HOURS)
            await d.comes_in("two")
            await asyncio.sleep(61 * HOURS)
            assert await d.dead(hook) == []
            assert set(r.texts) == {"one"}
            await asyncio.sleep(2 * HOURS)
            assert await d.dead(hook) == [1]
            await asyncio.sleep(10 * HOURS)
            assert await d.dead(hook) == [1, 2]
            assert len(r.heard) < 150
            # Each gets one more try, at once and in their order, and what fails stays.
            r.answers = [500, 200]
            r.heard.clear()
            assert await d.rig.store.webhooks.again(hook) == 2
            d.webhooks.retry(hook)
            await settle(lambda: len(r.heard) == 2, within=1)
            assert r.texts == ["one", "two"]
            await asyncio.sleep(1)
            assert await d.dead(hook) == [1]
            assert await d.rig.store.webhooks.again(hook, 1) == 1
            d.webhooks.retry(hook)
            await settle(lambda: len(r.heard) == 3, within=1)
            await asyncio.sleep(1)
            assert await d.dead(hook) == []
            assert await d.rig.store.webhooks.again(hook) == 0
            await d.comes_in("three")
            await settle(lambda: r.texts[-1] == "three", within=1)

    run(main())


def test_one_event_that_is_never_taken_costs_only_itself() -> None:
    async def main() -> None:
        async def poisoned(r: Receiver, request: web.Request) -> web.StreamResponse:
            return web.Response(status=500 if r.heard[-1].text == "poison" else 204)

        async with desk() as d, receiver(*[poisoned] * 500) as r, d.running():
            hook = await d.hook(r.url)
            await d.comes_in("poison")
            for number in range(50):
                await d.comes_in(str(number))
                await asyncio.sleep(60)
            await asyncio.sleep(80 * HOURS)
            assert await d.dead(hook) == [1]
            assert [text for text in r.texts if text != "poison"] == [str(n) for n in range(50)]
            assert (await d.row(hook))["failures"] == 0

    run(main())


def test_a_receiver_that_is_being_tried_is_tried_at_once_when_somebody_asks() -> None:
    async def main() -> None:
        async with desk() as d, receiver(*[500] * 12) as r, d.running():
            hook = await d.hook(r.url)
            await d.comes_in("one")
            await settle(lambda: len(r.heard) == 12, 3 * HOURS)
            await asyncio.sleep(1)
            d.webhooks.retry(hook)
            await settle(lambda: len(r.heard) == 13, within=1)
            assert set(r.texts) == {"one"}

    run(main())


def test_gone_switches_a_webhook_off_until_somebody_switches_it_on() -> None:
    async def main() -> None:
        async with desk() as d, receiver(410) as r, d.running():
            hook = await d.hook(r.url)
            await d.comes_in("one")
            await d.comes_in("two")
            await settle(lambda: r.heard)
            await asyncio.sleep(HOURS)
            assert r.texts == ["one"]
            row = await d.row(hook)
            assert (row["enabled"], row["fault"], await d.dead(hook)) == (0, "HTTP 410", [1])
            assert d.webhooks.problems() == [f"webhook {hook} is switched off: HTTP 410"]
            await d.rig.store.webhooks.change(hook, WebhookDraft(r.url, ALL, "smsd", SECRET))
            d.webhooks.changed()
            await asyncio.sleep(1)
            await d.comes_in("three")
            await settle(lambda: len(r.heard) == 2)
            assert r.texts == ["one", "three"]

    run(main())


def test_what_happens_to_a_webhook_takes_effect_at_once() -> None:
    async def main() -> None:
        async with desk() as d, receiver(*[hangs] * 3) as first, receiver() as second, d.running():
            hook = await d.hook(first.url)
            await d.comes_in("one")
            await settle(lambda: first.heard)
            changed = WebhookDraft(second.url, ("receive_sms",), "smsd", SECRET)
            await d.rig.store.webhooks.change(hook, changed)
            d.webhooks.changed()
            await settle(lambda: second.heard, within=1)  # what the first had not taken
            assert await d.rig.store.webhooks.remove(hook, None)
            d.webhooks.changed()
            await asyncio.sleep(0.1)
            await d.comes_in("two")
            await asyncio.sleep(HOURS)
            assert (first.texts, second.texts) == (["one"], ["one"])
            assert d.rig.database.told is None

    run(main())


def test_stopped_anywhere_each_event_is_told_at_least_once_in_order_under_one_id() -> None:
    """The daemon ends before the n-th request is answered, or right after, for every n."""

    async def main(stop_at: int, *, before: bool) -> None:
        async with desk() as d, receiver() as r:
            stop = asyncio.Event()

            async def answered(_: Receiver, request: web.Request) -> web.StreamResponse:
                if len(r.heard) == stop_at:
                    stop.set()
                    if before:
                        await asyncio.sleep(60)
                return web.Response(status=500 if len(r.heard) % 4 == 3 else 200)

            r.answers = [answered] * 40
            await d.hook(r.url)
            async with d.running():
                for number in range(6):
                    await d.comes_in(str(number))
                await stop.wait()
            await d.comes_in("6")
            d.again()
            async with d.running():
                await settle(lambda: r.texts[-1] == "6")
                await asyncio.sleep(HOURS)
            texts = r.texts
            assert sorted(set(texts)) == [str(number) for number in range(7)]
            assert texts == sorted(texts)
            assert len({(heard.text, heard.event["id"]) for heard in r.heard}) == 7
            assert len(texts) <= 7 + len([n for n in range(1, len(texts) + 1) if n % 4 == 3]) + 1

    for stop_at in range(1, 8):
        for before in (True, False):
            run(main(stop_at, before=before))


def test_a_disk_that_takes_nothing_loses_and_reorders_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path / "db") as d, receiver() as r, d.running():
            await d.hook(r.url)
            await d.comes_in("one")
            await settle(lambda: r.heard)
            await d.comes_in("two")
            d.rig.fill()
            await asyncio.sleep(30)
            d.rig.empty()
            await d.comes_in("three")
            await settle(lambda: r.texts[-1] == "three")
            assert sorted(set(r.texts), key=r.texts.index) == ["one", "two", "three"]

    run(main())


def test_without_news_nothing_is_asked_of_the_store() -> None:
    async def main() -> None:
        async with desk() as d, receiver() as r, d.running():
            asked: list[str] = []
            d.rig.database._connection.set_trace_callback(asked.append)
            await asyncio.sleep(HOURS)  # without any webhook
            assert len(asked) < 20
            await d.hook(r.url)
            await d.comes_in("one")
            await settle(lambda: r.heard)
            await asyncio.sleep(1)
            asked.clear()
            before = len(asyncio.all_tasks())
            await asyncio.sleep(24 * HOURS)
            assert asked == []
            assert len(asyncio.all_tasks()) == before

    run(main())


def test_events_that_are_none_of_its_business_are_not_read_again_after_a_start() -> None:
    async def main() -> None:
        async with desk() as d, receiver() as r:
            hook = await d.hook(r.url, "inbound_call")
            async with d.running():
                for _ in range(350):
                    await d.rig.gateway.accept(1, draft("x", ALICE, BOB, "+33612345670"), None)
                await asyncio.sleep(1)
            events = len(await d.rig.rows("event"))
            assert (events, (await d.row(hook))["place"]) == (1050, 1050)

    run(main())


def test_what_was_erased_is_told_to_nobody() -> None:
    async def main() -> None:
        async with desk() as d, receiver(500) as r, d.running():
            await d.hook(r.url)
            await d.comes_in("one")
            await settle(lambda: r.heard)
            d.rig.database._connection.execute("DELETE FROM event")
            await d.comes_in("two")
            await settle(lambda: len(r.heard) == 2)
            assert r.texts == ["one", "two"]

    run(main())


def test_what_comes_after_an_erasing_is_told_all_the_same() -> None:
    async def main() -> None:
        async with desk() as d, receiver() as r, d.running():
            await d.hook(r.url)
            for text in ("one", "two"):
                await d.comes_in(text)
            await settle(lambda: len(r.heard) == 2)
            for _ in range(2):
                d.rig.database._connection.execute("DELETE FROM event")
            assert [(e["id"], e["kind"]) for e in await d.rig.rows("event")] == [(2, "erased")]
            await d.comes_in("three")
            await settle(lambda: len(r.heard) == 3)
            assert len(set(r.ids)) == 3

    run(main())


def test_the_clock_that_is_set_gives_nothing_up() -> None:
    async def main() -> None:
        async with desk() as d, receiver(*[500] * 30) as r, d.running():
            hook = await d.hook(r.url)
            await d.comes_in("one")
            await settle(lambda: len(r.heard) == 2)
            before = (await d.row(hook))["failing_since"]
            await d.rig.store.outgoing.shift(timedelta(days=400), now(), lambda: None)
            assert (await d.row(hook))["failing_since"] - before == 400 * 86_400_000

    run(main())


def test_no_secret_text_or_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with desk() as d, receiver(500, 410) as r, d.running():
            with caplog.at_level(logging.DEBUG, "smsd"):
                await d.hook(r.url + "?token=hidden")
                await d.hook("http://127.0.0.1:9/hidden")
                await d.comes_in("a private text")
                await settle(lambda: len(r.heard) == 2)
                await asyncio.sleep(60)

    run(main())
    told = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "a webhook's receiver does not take what it is told" in told
    for secret in (SECRET, "hidden", "private", ALICE):
        assert secret not in told
