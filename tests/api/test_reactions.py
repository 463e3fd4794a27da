"""Stops, webhooks, dead letters and commands over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from smsd.api.auth import Account, Doorkeeper
from smsd.api.server import application, serving, unix_socket
from smsd.model.events import Incoming
from smsd.model.phone import PhoneId
from smsd.model.reactions import Order, Reaction
from smsd.store.contacts import Contact, Group
from smsd.store.webhooks import WebhookDraft
from tests.api.test_api import KEY, OTHER, Client, served
from tests.rig import ALICE, BOB, Rig, Scripted, claim, draft
from tests.virtual_time import START

HOOK = {"url": "https://example.org/hook", "events[]": "receive_sms", "secret": "s" * 16}


async def incoming(client: Client, text: str, reaction: Reaction | None = None) -> None:
    incoming = Incoming(text, "raw", ALICE, START, text)
    await client.rig.store.arrivals.receive(
        PhoneId(1), incoming, lambda raws: None, lambda _: reaction
    )


def test_a_stop_is_made_read_listed_and_removed(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        for _ in range(2):  # the same number again is the same stop
            answer = await client.post("/api/smsstop/", data={"number": ALICE})
            assert (answer.status, answer.body["response"]) == (200, 1)
        row = (await client.get("/api/smsstop/1/")).body["response"]
        assert row == {
            "id": 1, "id_user": 1, "number": ALICE, "created_at": "2026-03-02 12:00:00",
            "updated_at": None,
        }  # fmt: skip
        assert (await client.get("/api/list/smsstop/")).body["response"] == [row]
        assert (await client.get("/api/list/smsstop/", key=OTHER)).body["response"] == []
        assert (await client.get("/api/smsstop/1/", key=OTHER)).error[:2] == (404, 2)
        for key, state in ((KEY, []), (OTHER, [ALICE])):
            await client.post(data={"text": "x", "numbers": ALICE}, key=key)
            assert [c.destination for c in await claim(client.rig)] == state
        assert (await client.call("DELETE", "/api/smsstop/1/", key=OTHER)).error[:2] == (400, 32)
        assert (await client.call("DELETE", "/api/smsstop/1/")).status == 204
        assert (await client.call("DELETE", "/api/smsstop/1/")).error[:2] == (400, 32)

    served(tmp_path, test)


def test_the_same_idempotency_key_makes_one_stop(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        headers = {"Idempotency-Key": "stop"}
        for path in ("/api/smsstop/", "/api/smsstop"):
            answer = await client.post(path, data={"number": ALICE}, headers=headers)
            assert answer.body["response"] == 1
        answer = await client.post("/api/smsstop/", data={"number": BOB}, headers=headers)
        assert answer.error[:2] == (409, 2)
        answer = await client.post("/api/webhook/", data=HOOK, headers=headers)
        assert answer.error[:2] == (409, 2)
        assert len(await client.rig.rows("smsstop")) == 1

    served(tmp_path, test)


def test_a_local_users_stop_holds_everybody_and_no_account_may_lift_it(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await client.post("/api/smsstop/", data={"number": ALICE}, key=None)
        for key in (KEY, OTHER):
            answer = await client.post(data={"text": "x", "numbers": ALICE}, key=key)
            assert answer.status == 200
            [row] = (await client.get("/api/list/sended/", key=key)).body["response"]
            assert (row["status"], row["destination"]) == ("failed", ALICE)
            message = (await client.get("/api/list/message/", key=key)).body["response"][0]
            assert message["error"]["class"] == "stopped"
        assert await claim(client.rig) == []
        assert (await client.call("DELETE", "/api/smsstop/1/", key=OTHER)).error[:2] == (400, 32)
        assert len(await client.rig.rows("smsstop")) == 1
        assert (await client.call("DELETE", "/api/smsstop/1/", key=None)).status == 204

    served(tmp_path, test)


@pytest.mark.parametrize(
    ("fields", "code"),
    [({}, 4), ({"number": ""}, 4), ({"number": "0612"}, 2), ({"number": "x" * 300}, 2)],
)
def test_a_stop_without_a_number_is_refused(
    tmp_path: Path, fields: dict[str, str], code: int
) -> None:
    async def test(client: Client) -> None:
        answer = await client.post("/api/smsstop/", data=fields)
        assert answer.error[:2] == (400, code)
        assert await client.rig.rows("smsstop") == []

    served(tmp_path, test)


def test_a_webhook_is_made_changed_read_and_removed(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        assert (await client.post("/api/webhook/", data=HOOK)).body["response"] == 1
        row = (await client.get("/api/webhook/1/")).body["response"]
        assert row == {
            "id": 1, "id_user": 1, "url": HOOK["url"], "events": ["receive_sms"], "form": "smsd",
            "name": None, "source": "api", "allow_http": False, "enabled": True, "failures": 0,
            "failing_since": None, "error": None, "dead_letters": 0,
            "created_at": "2026-03-02 12:00:00", "updated_at": None,
        }  # fmt: skip
        change: dict[str, Any] = {"json": {"events": ["send_sms", "inbound_call", "send_sms"]}}
        assert (await client.post("/api/webhook/1/", **change)).body["response"] is True
        row = (await client.get("/api/list/webhook/")).body["response"][0]
        assert (row["events"], row["url"]) == (["send_sms", "inbound_call"], HOOK["url"])
        [kept] = await client.rig.rows("webhook")
        assert kept["secret"] == HOOK["secret"]
        for method, path in (("GET", "/api/webhook/1/"), ("GET", "/api/webhook/1/dead/")):
            assert (await client.call(method, path, key=OTHER)).error[:2] == (404, 2)
        assert (await client.post("/api/webhook/1/", key=OTHER)).error[:2] == (400, 128)
        assert (await client.post("/api/webhook/1/resend/", key=OTHER)).error[:2] == (400, 128)
        assert (await client.call("DELETE", "/api/webhook/1/", key=OTHER)).error[:2] == (400, 32)
        assert (await client.call("DELETE", "/api/webhook/1/")).status == 204
        assert (await client.get("/api/webhook/1/")).error[:2] == (404, 2)

    served(tmp_path, test)


def test_raspismss_kind_of_webhook_has_one_type_and_needs_no_secret(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        fields = {"url": "https://example.org/", "type": "receive_sms", "form": "raspisms"}
        assert (await client.post("/api/webhook/", data=fields)).status == 200
        [row] = await client.rig.rows("webhook")
        assert (row["secret"], row["events"]) == (None, '["receive_sms"]')
        wrong = fields | {"type": "message_state"}
        assert (await client.post("/api/webhook/", data=wrong)).error[:2] == (400, 2)

    served(tmp_path, test)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"url": ""}, 4, "url"), ({"events[]": ""}, 2, "events : one or more of"),
        ({"events[]": "quota_level"}, 2, 'events : "quota_level" is none of send_sms'),
        ({"url": "http://example.org/"}, 2, "allow_http"),
        ({"url": "ftp://example.org/"}, 2, "https"),
        ({"url": "example.org"}, 2, "url"), ({"url": "https://:9/"}, 2, "url"),
        ({"url": "https://a:b:c/"}, 2, "url"), ({"url": "https://a/ b"}, 2, "url"),
        ({"url": "https://a:99999/"}, 2, "url"), ({"url": "https://a/" + "x" * 2000}, 2, "url"),
        ({"url": "https://a/\r\nX: y"}, 2, "url"),
        ({"url": "http://127.0.0.1.example.org/"}, 2, "url"),
        ({"secret": "short"}, 2, "secret"), ({"secret": ""}, 2, "secret"),
        ({"form": "xml"}, 2, "form"),
    ],
)  # fmt: skip
def test_a_wrong_webhook_is_refused_in_words(
    tmp_path: Path, change: dict[str, str], code: int, words: str
) -> None:
    async def test(client: Client) -> None:
        answer = await client.post("/api/webhook/", data=HOOK | change)
        assert answer.error[:2] == (400, code)
        assert words in answer.error[2]
        assert await client.rig.rows("webhook") == []
        if code == 2:
            await client.post("/api/webhook/", data=HOOK)
            changed = await client.post("/api/webhook/1/", data=change)
            assert changed.status == 400
            assert (await client.rig.rows("webhook"))[0]["url"] == HOOK["url"]

    served(tmp_path, test)


def test_plain_http_goes_to_this_machine_or_where_somebody_allows_it(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        for more in (
            {"url": "http://127.0.0.1:8000/"}, {"url": "http://localhost/x"}, {"url": "http://[::1]/"},
            {"url": "http://example.org/", "allow_http": "1"},
        ):  # fmt: skip
            assert (await client.post("/api/webhook/", data=HOOK | more)).status == 200

    served(tmp_path, test)


def test_the_same_idempotency_key_makes_one_webhook(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        headers = {"Idempotency-Key": "hook"}
        for _ in range(2):
            answer = await client.post("/api/webhook/", data=HOOK, headers=headers)
            assert answer.body["response"] == 1
        other = HOOK | {"url": "https://example.org/other"}
        answer = await client.post("/api/webhook/", data=other, headers=headers)
        assert answer.error[:2] == (409, 2)
        assert len(await client.rig.rows("webhook")) == 1

    served(tmp_path, test)


def test_dead_letters_are_listed_and_wanted_again(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        store = client.rig.store.webhooks
        await client.post("/api/webhook/", data=HOOK | {"events[]": "receive_sms"})
        for number in range(27):
            await incoming(client, f"text {number}")
            await store.refused(1, number + 1, "HTTP 410", gone=True)
        refused = await client.post("/api/webhook/1/resend/")
        assert refused.error[:2] == (400, 128)
        assert "off" in refused.error[2]
        await client.post("/api/webhook/1/", data={})
        assert (await client.get("/api/webhook/1/")).body["response"]["dead_letters"] == 27
        page = (await client.get("/api/webhook/1/dead/")).body["response"]
        assert len(page) == 25
        assert page[0] == {
            "id": 1, "event": f"{int(START.timestamp())}000-1", "type": "receive_sms",
            "at": "2026-03-02T12:00:00.000+00:00",
            "given_up_at": "2026-03-02T12:00:00.000+00:00", "error": "HTTP 410",
            "wanted_again": False, "message": None, "received": 1, "call": None,
        }  # fmt: skip
        rest = (await client.get(f"/api/webhook/1/dead/?after={page[-1]['id']}")).body["response"]
        assert [row["received"] for row in rest] == [26, 27]
        one = {"event": page[3]["event"]}
        assert (await client.post("/api/webhook/1/resend/", data=one)).body["response"] == 1
        assert [row["id"] for row in await store.wanted_again(1)] == [4]
        assert (await client.post("/api/webhook/1/resend/")).body["response"] == 27
        assert (await client.post("/api/webhook/1/resend/", data={"event": "999"})).body[
            "response"
        ] == 0

    served(tmp_path, test)


def test_a_webhook_of_the_file_is_changed_there(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        draft = WebhookDraft("https://a.example/", ("receive_sms",), "smsd", name="crm")
        await client.rig.store.webhooks.configure([draft])
        assert (await client.get("/api/list/webhook/")).body["response"] == []  # everybody's
        [row] = (await client.get("/api/list/webhook/", key=None)).body["response"]
        assert (row["name"], row["source"], row["id_user"]) == ("crm", "file", None)
        refused = await client.post("/api/webhook/1/", data={"url": "https://b/"}, key=None)
        assert refused.error[:2] == (400, 128)
        assert '"crm" is in the configuration' in refused.error[2]
        assert (await client.call("DELETE", "/api/webhook/1/", key=None)).error[:2] == (400, 32)

    served(tmp_path, test)


def test_commands_and_what_became_of_them_are_listed(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await incoming(client, "pump on", Reaction(order=Order("pump", "on")))
        [row] = (await client.get("/api/list/command/", key=None)).body["response"]
        assert row == (await client.get("/api/command/1/", key=None)).body["response"]
        assert (row["name"], row["arguments"], row["origin"], row["state"], row["received"]) == (
            "pump", "on", ALICE, "waiting", 1,
        )  # fmt: skip
        [received] = (await client.get("/api/list/received/")).body["response"]
        assert received["command"] == 1

    served(tmp_path, test)


def test_one_row_of_every_list_can_be_read(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await incoming(client, "hello")
        await client.rig.send(draft("x", BOB))
        await client.post(data={"text": "later", "numbers": BOB, "at": "2030-01-01 00:00:00"})
        for entry, number in (("received", 1), ("inbox", 1), ("scheduled", 2), ("phone", 1)):
            one = await client.get(f"/api/{entry}/{number}")
            assert one.status == 200, entry
            assert one.body["response"]["id"] == number
            assert (await client.get(f"/api/{entry}/99/")).error[:2] == (404, 2)
        for path in ("/api/nonsense/1/", "/api/contact/1/", "/api/smsstop/x/"):
            assert (await client.get(path)).error[:2] == (404, 2)

    served(tmp_path, test)


def test_who_may_only_send_and_read_sees_and_makes_no_webhook(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        assert (await client.post("/api/smsstop/", data={"number": ALICE})).status == 200
        for method, where in (
            ("GET", "/api/list/webhook/"), ("GET", "/api/webhook/1/"), ("POST", "/api/webhook/"),
            ("POST", "/api/webhook/1/resend/"), ("GET", "/api/webhook/1/dead/"),
            ("DELETE", "/api/webhook/1/"), ("GET", "/api/list/command/"),
            ("DELETE", "/api/smsstop/1/"),
        ):  # fmt: skip
            answer = await client.call(method, where)
            assert answer.error[:2] == (403, 1), where

    asyncio.run(_as_sender(tmp_path, test))


def test_who_may_only_send_and_read_sees_everybodys_rows_and_changes_his_accounts_alone(
    tmp_path: Path,
) -> None:
    async def test(client: Client) -> None:
        store = client.rig.store
        for account in (1, 2):
            contact = await store.contacts.create(account, Contact("c", ALICE, "[]"), None)
            await store.contacts.create(account, Group("g", (contact,)), None)
            await store.phone_groups.create(account, "p", [1])
            await store.outgoing.schedule(account, draft("later", at=START + timedelta(days=1)))
        for kind in ("contact", "group", "phone_group", "scheduled"):
            rows = (await client.get(f"/api/list/{kind}/")).body["response"]
            assert [row["id"] for row in rows] == [1, 2], kind
            if kind != "scheduled":
                path, new = f"/api/{kind}/", {"name": "new"}
                assert (await client.post(f"{path}2/", data=new)).error[:2] == (400, 128), kind
                assert (await client.post(f"{path}1/", data=new)).status == 200, kind
        both = await client.post("/api/group/1/", json={"contacts": [1, 2]})
        assert both.status == 200
        for kind in ("scheduled", "phone_group", "group", "contact"):
            refused = await client.call("DELETE", f"/api/{kind}/2/")
            assert refused.error[:2] == (400, 32), kind
            assert (await client.call("DELETE", f"/api/{kind}/1/")).status == 204, kind

    asyncio.run(_as_sender(tmp_path, test))


async def _as_sender(tmp_path: Path, test: Callable[[Client], Awaitable[None]]) -> None:
    class Door(Doorkeeper):
        """Everybody is a local user who may send and read."""

        def account(self, request: Any, body: Any) -> Account:
            return Account(1, frozenset({"send", "read"}), None)

    rig = Rig(tmp_path / "db", now=lambda: START)
    await rig.add("gsm0", Scripted())
    app = application(rig.gateway, Door([], {}), None)
    path = str(tmp_path / "smsd.sock")
    async with (
        serving(app, [unix_socket(path)]),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as session,
    ):
        await test(Client(session, rig))
    rig.database.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/backup/"), ("POST", "/api/erase/"), ("POST", "/api/queue/pause/"),
        ("POST", "/api/queue/resume/"), ("POST", "/api/phone/1/ussd/"),
        ("POST", "/api/phone/1/at/"), ("GET", "/api/phone/1/trace/"),
        ("GET", "/api/list/command/"), ("GET", "/api/command/1/"),
    ],
)  # fmt: skip
def test_no_api_key_is_the_machines_administrator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setattr("smsd.api.auth.os.getuid", lambda: -1)  # who asks is not who runs smsd

    async def test(client: Client) -> None:
        await client.post(data={"text": "x", "numbers": ALICE}, key=OTHER)
        body = {"number": ALICE, "stops": 1, "code": "*1#"}
        answer = await client.call(method, path, json=None if method == "GET" else body)
        assert answer.error[:2] == (403, 1)
        assert "local administrators" in answer.error[2]
        assert len(await client.rig.rows("message")) == 1
        assert await client.rig.rows("pause") == []

    served(tmp_path, test)
    assert [file for file in tmp_path.iterdir() if "backup" in file.name] == []


def test_an_administrator_stays_one_with_a_key_in_hand(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        assert (await client.post("/api/queue/pause/")).status == 200
        await client.post(data={"text": "x", "numbers": ALICE, "at": "2030-01-01 10:00:00"})
        # But for rows he is that account, and no other.
        assert (await client.call("DELETE", "/api/scheduled/1/", key=OTHER)).status == 400
        assert (await client.get("/api/list/scheduled/", key=OTHER)).body["response"] == []

    served(tmp_path, test)


def test_a_key_takes_back_the_stops_of_its_own_account(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await client.post("/api/smsstop/", data={"number": ALICE})
        assert (await client.call("DELETE", "/api/smsstop/1/", key=OTHER)).error[:2] == (400, 32)
        assert (await client.call("DELETE", "/api/smsstop/1/")).status == 204
        assert await client.rig.rows("smsstop") == []

    served(tmp_path, test)
