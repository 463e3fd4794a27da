"""Real HTTP on a real Unix socket: every path with good and bad input."""

import asyncio
import io
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from smsd.api.auth import Account, Doorkeeper, Key
from smsd.api.envelope import ApiError
from smsd.api.server import SocketTaken, application, serving, tcp_socket, unix_socket
from smsd.model.events import Incoming
from smsd.model.phone import PhoneId
from tests.rig import ALICE, BOB, Rig, Scripted, claim, claimed, draft, send_part
from tests.virtual_time import START

KEY, OTHER, SUSPENDED = "a" * 32, "b" * 32, "c" * 32
BAD = "You have specified an invalid parameter : "
NO_KEY = (
    "Invalid API Key. Please provide a valid API key as GET or POST parameter \"api_key\" or a "
    "HTTP \"X-Api-Key\"."
)  # fmt: skip
FIELDS = {"text": "hi", "numbers": ALICE}
ENVELOPE = ["error", "message", "response", "next", "prev"]


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def error(self) -> tuple[int, int, str]:
        return self.status, self.body["error"], self.body["message"]


@dataclass
class Client:
    """Somebody with a key at the socket."""

    session: aiohttp.ClientSession
    rig: Rig
    base: str = "http://smsd.test"

    async def call(self, method: str, path: str, *, key: str | None = KEY, **more: Any) -> Answer:
        headers = dict(more.pop("headers", {}))
        if key is not None:
            headers["X-Api-Key"] = key
        async with self.session.request(
            method, self.base + path, headers=headers, **more
        ) as answer:
            octets = await answer.read()
            body = json.loads(octets) if octets else None
            if body is not None:
                assert list(body) == ENVELOPE
                assert answer.content_type == "application/json"
            return Answer(answer.status, body, dict(answer.headers))

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.call("GET", path, **more)

    async def post(self, path: str = "/api/scheduled/", **more: Any) -> Answer:
        return await self.call("POST", path, **more)

    async def nothing_stored(self) -> None:
        for table in ("message", "scheduled", "event", "idempotency"):
            assert await self.rig.rows(table) == []


@asynccontextmanager
async def at_the_socket(
    folder: Path, *, local_users: dict[str, Any] | None = None, region: str | None = None
) -> AsyncIterator[Client]:
    rig = Rig(folder / "db", now=lambda: START)
    await rig.add("gsm0", Scripted())
    keys = [
        Key(await rig.store.registry.account(name), key, suspended=key == SUSPENDED, name=name)
        for name, key in (("app", KEY), ("other", OTHER), ("late", SUSPENDED))
    ]
    app = application(rig.gateway, Doorkeeper(keys, local_users or {}), region)
    path = str(folder / "smsd.sock")
    connector = aiohttp.UnixConnector(path)
    async with (
        serving(app, [unix_socket(path)]),
        aiohttp.ClientSession(connector=connector) as session,
    ):
        yield Client(session, rig)
    rig.database.close()


Test = Callable[[Client], Awaitable[None]]


def served(folder: Path, test: Test, **how: Any) -> None:
    async def main() -> None:
        async with at_the_socket(folder, **how) as client:
            await test(client)

    asyncio.run(main())


def test_an_accepted_message_is_durable_before_the_answer(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        for path in ("/api/scheduled/", "/api/scheduled"):
            answer = await client.post(path, data=FIELDS)
            assert (answer.status, answer.body["error"]) == (200, 0)
        assert answer.body["response"] == 2
        again = Rig(tmp_path / "db", now=lambda: START)
        assert [row["text"] for row in await again.rows("message")] == ["hi", "hi"]
        again.database.close()

    served(tmp_path, test)


@pytest.mark.parametrize("form", ["urlencoded", "multipart", "json", "json numbers as objects"])
def test_every_kind_of_body(tmp_path: Path, form: str) -> None:
    async def test(client: Client) -> None:
        at = "2030-05-01 10:00:00"
        body: dict[str, Any]
        if form == "json":
            body = {"json": {"text": "é😀", "numbers": [ALICE, BOB], "at": at, "flash": True}}
        elif form == "json numbers as objects":
            numbers = [{"number": ALICE}, {"number": BOB, "data": []}]
            body = {"json": {"text": "é😀", "numbers": numbers, "at": at, "flash": 1}}
        else:
            fields = {"text": "é😀", "numbers[0]": ALICE, "numbers[1][number]": BOB,
                      "at": at, "flash": "1"}  # fmt: skip
            data = aiohttp.FormData(fields)
            if form == "multipart":
                data.add_field("unused", b"x", filename="x.bin")
            body = {"data": data}
        assert (await client.post(**body)).body["response"] == 1
        [row] = (await client.get("/api/list/scheduled/")).body["response"]
        assert (row["text"], row["at"], row["flash"], row["id_user"]) == ("é😀", at, 1, 1)
        assert [number["number"] for number in row["numbers"]] == [ALICE, BOB]
        assert list(row) == [
            "id", "id_user", "at", "text", "flash", "id_phone", "id_phone_group", "mms",
            "created_at", "updated_at", "tag", "numbers", "contacts", "groups",
            "conditional_groups", "medias",
        ]  # fmt: skip

    served(tmp_path, test)


BOUNDARY = {"Content-Type": "multipart/form-data; boundary=b"}


def multipart(name: str, value: bytes) -> bytes:
    """A field of a multipart body, of a type that is not text."""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n'
    return f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + value + b"\r\n"


def test_a_multipart_field_is_text_whatever_its_type_says(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        octets = multipart("numbers", ALICE.encode()) + multipart("text", "é".encode()) + b"--b--"
        assert (await client.post(data=octets, headers=BOUNDARY)).status == 200
        assert [row["text"] for row in await client.rig.rows("message")] == ["é"]

    served(tmp_path, test)


@pytest.mark.parametrize(
    ("headers", "octets"),
    [
        ({"Content-Type": "text/plain"}, b"text=a"),
        ({"Content-Type": "application/json"}, b"[]"),
        ({"Content-Type": "application/json"}, b'{"text": '),
        ({"Content-Type": "application/json"}, b'{"a":' * 9 + b"1" + b"}" * 9),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a[x][x][x][x][x][x]=1"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"text=%FF"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"text=\xff"),
        ({"Content-Type": "multipart/form-data"}, b"--b--"),
        (BOUNDARY, b"garbage"),
        (BOUNDARY, b"--b\r\n\r\nno name\r\n--b--\r\n"),
        (
            BOUNDARY,
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n'
            b"Content-Type: text/plain; charset=klingon\r\n\r\nx\r\n--b--\r\n",
        ),
        (
            BOUNDARY,
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n'
            b"Content-Transfer-Encoding: klingon\r\n\r\nx\r\n--b--\r\n",
        ),
    ],
)
def test_a_body_that_is_no_form_is_refused_in_words(
    tmp_path: Path, headers: dict[str, str], octets: bytes
) -> None:
    async def test(client: Client) -> None:
        answer = await client.post(headers=headers, data=octets)
        assert answer.error[:2] == (400, 2)
        assert answer.error[2].startswith(BAD)
        await client.nothing_stored()
        assert (await client.post(data=FIELDS)).status == 200

    served(tmp_path, test)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"numbers": ALICE}, 4),
        ({"text": "a" * 1001, "numbers": ALICE}, 2),
        ({"text": "a"}, 4),
        ({"text": "a", "numbers": "0612345678"}, 4),
        ({"text": "a", "numbers": ALICE, "at": "tomorrow"}, 2),
        ({"text": "a", "numbers": ALICE, "id_phone": "9"}, 2),
        ({"text": "a", "numbers": ALICE, "mms": "1"}, 2),
    ],
)
def test_what_is_wrong_changes_nothing(tmp_path: Path, fields: dict[str, str], code: int) -> None:
    async def test(client: Client) -> None:
        answer = await client.post(data=fields)
        assert answer.error[:2] == (400, code)
        await client.nothing_stored()

    served(tmp_path, test)


def test_numbers_that_were_left_out_are_named(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        answer = await client.post(json={"text": "a", "numbers": [ALICE, "06\r\nX: y", "é1"]})
        assert answer.status == 200
        assert answer.headers["X-Smsd-Invalid-Numbers"] == "06X: y, ?1"
        assert "X-Smsd-Invalid-Numbers" not in (await client.post(data=FIELDS)).headers

    served(tmp_path, test)


def test_too_large_a_body_is_refused_with_the_limit(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        large = b"text=" + b"a" * (10 * 1024 * 1024)
        kinds: list[tuple[dict[str, str], Any]] = [
            (FORM, io.BytesIO(large)),
            (FORM, _chunks(large)),
            (BOUNDARY, io.BytesIO(multipart("text", large) + b"--b--")),
        ]
        for headers, data in kinds:
            answer = await client.post(data=data, headers=headers)
            assert answer.error[:2] == (413, 2)
            assert "10 MB" in answer.error[2]
        await client.nothing_stored()

    served(tmp_path, test)


async def _chunks(octets: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(octets), 1 << 20):
        yield octets[at : at + (1 << 20)]


def test_too_many_recipients_are_refused_with_the_limit(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        numbers = b"text=a" + b"&numbers[]=1" * 100_001
        answer = await client.post(data=io.BytesIO(numbers), headers=FORM)
        assert answer.error == (400, 2, BAD + "numbers : at most 100000 recipients a request.")
        fields = b"text=a" + b"&n[]=1" * 1_000_000
        answer = await client.post(data=io.BytesIO(fields), headers=FORM)
        assert answer.error[:2] == (400, 2)
        assert "400000 fields" in answer.error[2]
        await client.nothing_stored()

    served(tmp_path, test)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_thousand_recipients_are_all_kept(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        numbers = [f"+336120{n:05}" for n in range(1005)]
        body = "text=a&" + "&".join(f"numbers[]={quote(n)}" for n in numbers)
        body += "&at=" + quote("2030-05-01 10:00:00")
        assert (await client.post(data=body, headers=FORM)).status == 200
        assert len(await client.rig.rows("scheduled_number")) == 1005
        assert await client.rig.rows("message") == []  # an "at" after many fields counts

    served(tmp_path, test)


@pytest.mark.parametrize(
    ("query", "body", "header", "status"),
    [
        (None, None, KEY, 200), (None, KEY, None, 200), (KEY, None, None, 200),
        (KEY, "bad", "bad", 200), (None, KEY, "bad", 200),
        ("bad", KEY, KEY, 401), ("", KEY, KEY, 401), (None, "bad", KEY, 401), (None, "", KEY, 401),
        (None, None, "bad", 401), (None, None, "", 401), (None, None, KEY.upper(), 401),
        (None, None, KEY + " x", 401), (None, None, KEY[:-1], 401), ("%", None, None, 401),
        (None, None, SUSPENDED, 403), (SUSPENDED, None, None, 403), (None, SUSPENDED, None, 403),
        ("\ud800", None, None, 401),
    ],
)  # fmt: skip
def test_the_first_key_that_is_present_counts(
    tmp_path: Path, query: str | None, body: str | None, header: str | None, status: int
) -> None:
    async def test(client: Client) -> None:
        tail = "" if query is None else "?api_key=" + quote(query, errors="surrogatepass")
        fields = FIELDS | ({} if body is None else {"api_key": body})
        answer = await client.post(f"/api/scheduled/{tail}", data=fields, key=header)
        assert answer.status == status
        if status == 401:
            assert answer.error == (401, 1, NO_KEY)
        if status == 403:
            assert answer.error == (403, 16, "This user account is currently suspended.")
        if status != 200:
            await client.nothing_stored()

    served(tmp_path, test)


@pytest.mark.parametrize("path", ["/api/list/sended/", "/api/message/1/", "/health"])
def test_reading_needs_a_key_too(tmp_path: Path, path: str) -> None:
    async def test(client: Client) -> None:
        door = Doorkeeper([Key(1, KEY, suspended=False)], {})
        app = application(client.rig.gateway, door, None)
        listening = tcp_socket("127.0.0.1:0")  # where nobody is known by his socket
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with serving(app, [listening]), aiohttp.ClientSession() as session:
            from_afar = Client(session, client.rig, base)
            assert (await from_afar.get(path, key=None)).error == (401, 1, NO_KEY)
            assert (await from_afar.get(path, key="bad")).error == (401, 1, NO_KEY)
            assert (await from_afar.get(path)).status in (200, 404)

    served(tmp_path, test)


def test_octets_that_are_no_text_are_no_key(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "smsd.sock"))
        writer.write(
            b"GET /api/list/sended/ HTTP/1.1\r\nHost: x\r\nX-Api-Key: \xff\xfe\r\n"
            b"Connection: close\r\n\r\n"
        )
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 401 ")
        body = {"api_key": "\ud800", **FIELDS}
        assert (await client.post(json=body, key=None)).status == 401

    served(tmp_path, test)


def test_local_users_are_known_by_the_socket(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        """Whoever runs the daemon administers it: the first account is his, and he sees all."""
        assert (await client.post(data=FIELDS)).status == 200
        assert (await client.post(data=FIELDS, key=OTHER)).status == 200
        assert (await client.post(data=FIELDS, key=None)).status == 200
        found = (await client.get("/api/list/message/", key=None)).body["response"]
        assert [row["id_user"] for row in found] == [1, 2, 1]
        for key, ids in ((KEY, [1, 3]), (OTHER, [2])):
            found = (await client.get("/api/list/message/", key=key)).body["response"]
            assert [row["id"] for row in found] == ids
        assert (await client.get("/api/message/1/", key=OTHER)).error[:2] == (404, 2)

    served(tmp_path, test)


def test_scopes_of_other_local_users() -> None:
    uid = os.getuid() + 54_321
    door = Doorkeeper([], {str(uid): "read", "@no such group": "admin", "root": ("send", "read")})
    assert door._scopes(uid, 54_321) == {"read"}
    assert door._scopes(uid + 1, 54_321) == frozenset()
    assert door._scopes(os.getuid(), os.getgid()) == {"admin"}
    by_group = Doorkeeper([], {"@root": "send", "@daemon": "read"})
    assert by_group._scopes(uid, 0) == {"send"}


@pytest.mark.parametrize(
    ("scopes", "need", "may"),
    [
        ({"admin"}, "send", True),
        ({"send"}, "send", True),
        ({"read"}, "send", False),
        ((), "read", False),
    ],
)
def test_a_scope_is_needed(scopes: Any, need: str, *, may: bool) -> None:
    account = Account(0, frozenset(scopes), None)
    if may:
        account.need(need)
        return
    with pytest.raises(ApiError, match=f"may not {need}") as caught:
        account.need(need)
    assert (caught.value.status, caught.value.code) == (403, 1)


@pytest.mark.parametrize("path", ["/", "/api", "/api/", "/api/unknown/", "/API/list/sended/",
                                  "/api//list/sended/", "/api/scheduled/1/2/", "/api/list/",
                                  "/smsAPI/"])  # fmt: skip
def test_an_unknown_path_is_404_in_json(tmp_path: Path, path: str) -> None:
    async def test(client: Client) -> None:
        assert (await client.get(path, key=None)).error[:2] == (404, 2)

    served(tmp_path, test)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/scheduled/"), ("PUT", "/api/scheduled/"), ("PATCH", "/api/scheduled/1/"),
        ("POST", "/api/scheduled/1/"), ("DELETE", "/api/scheduled/"), ("POST", "/api/list/sended/"),
        ("DELETE", "/api/phone/1/status/"), ("OPTIONS", "/health"), ("POST", "/api/message/1/"),
    ],
)  # fmt: skip
def test_a_wrong_verb_is_405_in_json(tmp_path: Path, method: str, path: str) -> None:
    async def test(client: Client) -> None:
        assert (await client.call(method, path)).error[:2] == (405, 2)

    served(tmp_path, test)


def test_the_same_idempotency_key_gives_the_same_answer(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        headers = {"Idempotency-Key": "order 42"}
        first = await client.post(data=FIELDS, headers=headers)
        again = await client.post(data=FIELDS | {"api_key": KEY}, headers=headers)
        assert first.body == again.body
        assert len(await client.rig.rows("message")) == 1
        other = await client.post(data=FIELDS | {"text": "other"}, headers=headers)
        assert other.error[:2] == (409, 2)
        assert "Idempotency-Key" in other.error[2]
        assert (await client.post(data=FIELDS, headers=headers, key=OTHER)).body["response"] == 2
        for wrong in ("", "k" * 256, "é"):
            answer = await client.post(data=FIELDS, headers={"Idempotency-Key": wrong})
            assert answer.error[:2] == (400, 2)
        assert len(await client.rig.rows("message")) == 2

    served(tmp_path, test)


def test_many_at_once_with_one_idempotency_key_are_one_message(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(client.post(data=FIELDS, headers={"Idempotency-Key": "k"}))
                for _ in range(20)
            ]
        assert {task.result().body["response"] for task in tasks} == {1}
        assert len(await client.rig.rows("message")) == 1

    served(tmp_path, test)


def test_deleting_takes_back_what_has_not_begun(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        later = FIELDS | {"at": "2030-05-01 10:00:00"}
        for _ in range(2):
            await client.post(data=later)
        await client.post(data=FIELDS)
        assert (await client.call("DELETE", "/api/scheduled/1/", key=OTHER)).error == (
            400, 32, "Cannot delete this entry.",
        )  # fmt: skip
        for path in ("/api/scheduled/1/", "/api/scheduled/2", "/api/scheduled/3/"):
            answer = await client.call("DELETE", path)
            assert (answer.status, answer.body) == (204, None)
            assert (await client.call("DELETE", path)).error[:2] == (400, 32)
        for wrong in ("0", "-4", "abc", "4abc", "1.0", "%201", "9" * 30, "٢"):
            answer = await client.call("DELETE", f"/api/scheduled/{wrong}/")
            assert answer.error[:2] == (400, 32)
        assert await claim(client.rig) == []
        assert await client.rig.state(1) == "cancelled"

    served(tmp_path, test)


def test_lists_have_pages_linked_by_ids(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        numbers = [f"+336120{n:05}" for n in range(60)]
        await client.post(json={"text": "a", "numbers": numbers})
        base = "http://smsd.test/api/list/message"
        seen: list[int] = []
        path: str | None = "/api/list/message/?" + f"api_key={KEY}"
        pages = 0
        while path:
            answer = await client.get(path, key=None)
            seen += [row["id"] for row in answer.body["response"]]
            path = answer.body["next"] and answer.body["next"].removeprefix("http://smsd.test")
            pages += 1
        assert (seen, pages) == (list(range(1, 61)), 3)
        second = await client.get("/api/list/message/1/")
        assert second.body["next"] == f"{base}/after/50/?api_key={KEY}"
        assert second.body["prev"] == f"{base}/before/26/?api_key={KEY}"
        back = await client.get("/api/list/message/before/26/")
        assert [row["id"] for row in back.body["response"]] == list(range(1, 26))
        assert back.body["next"] == f"{base}/after/25/?api_key={KEY}"
        beyond = await client.get("/api/list/message/9/")
        assert (beyond.body["response"], beyond.body["next"], beyond.body["prev"]) == (
            [],
            None,
            None,
        )
        for odd in ("abc", "-1", "1.5", "9" * 40):
            assert len((await client.get(f"/api/list/message/{odd}")).body["response"]) == 25
        local = await client.get("/api/list/message/", key=None)
        assert local.body["next"] == f"{base}/after/25/"

    served(tmp_path, test)


@pytest.mark.parametrize("kind", ["contact", "group", "conditional_group", "media"])
def test_lists_of_what_there_is_not_yet_are_empty(tmp_path: Path, kind: str) -> None:
    async def test(client: Client) -> None:
        answer = await client.get(f"/api/list/{kind}/")
        assert answer.body == {
            "error": 0, "message": None, "response": [], "next": None, "prev": None,
        }  # fmt: skip

    served(tmp_path, test)


def test_a_list_of_nonsense_names_what_there_is(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        answer = await client.get("/api/list/nonsense/")
        assert answer.error == (
            404, 2, BAD + "entry_type must be one of : sended, received, scheduled, contact, "
            "group, conditional_group, phone, phone_group, media.",
        )  # fmt: skip

    served(tmp_path, test)


def test_what_was_sent_and_received_as_raspisms_lists_it(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await client.post(data=FIELDS | {"tag": "t"})
        await send_part(client.rig, await claimed(client.rig), 1, 1, "5")
        [row] = (await client.get("/api/list/sended/")).body["response"]
        uid = row.pop("uid")
        assert re.fullmatch("[0-9a-f]{32}", uid)
        assert row == {
            "id": 1, "at": "2026-03-02 12:00:00", "text": "hi", "destination": ALICE, "flash": 0,
            "status": "unknown", "adapter": "modem", "id_user": 1, "id_phone": 1, "mms": 0,
            "originating_scheduled": 1, "created_at": "2026-03-02 12:00:00", "updated_at": None,
            "tag": "t", "medias": [],
        }  # fmt: skip
        came = Incoming("k", "raw", ALICE, START, '<b>&é😀"')
        await client.rig.store.arrivals.receive(PhoneId(1), came, lambda _: None)
        [row] = (await client.get("/api/list/received/")).body["response"]
        assert row == {
            "id": 1, "at": "2026-03-02 12:00:00", "text": "<b>&é😀\"", "origin": ALICE,
            "command": 0, "status": "unread", "id_user": 1, "id_phone": 1, "mms": 0,
            "created_at": "2026-03-02 12:00:00", "updated_at": None, "medias": [],
        }  # fmt: skip

    served(tmp_path, test)


def test_phones_and_their_status(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        [row] = (await client.get("/api/list/phone/")).body["response"]
        assert row == {
            "id": 1, "id_user": 1, "adapter": "modem", "adapter_data": "[]", "name": "gsm0",
            "priority": 0, "created_at": "2026-03-02 12:00:00", "updated_at": None,
            "status": "available",
        }  # fmt: skip
        bodies: list[Any] = [
            None,
            {"x": "y"},
            aiohttp.FormData({"x": "y"}, default_to_multipart=True),
        ]
        for body in bodies:
            answer = await client.post("/api/phone/1/status/", data=body)
            assert (answer.status, answer.body["response"]) == (200, "available")
        with_key = aiohttp.FormData({"api_key": KEY}, default_to_multipart=True)
        assert (await client.post("/api/phone/1/status/", data=with_key, key=None)).status == 200
        for unknown in ("9", "abc", "0"):
            answer = await client.post(f"/api/phone/{unknown}/status/")
            assert answer.error == (400, 128, "Cannot update this entry : ")
        client.rig.phones[1].disabled = True
        assert (await client.post("/api/phone/1/status/")).error == (
            400, 128, "Cannot update this entry : Phone have been manually disabled, you need to "
            "re-enable it manually.",
        )  # fmt: skip

    served(tmp_path, test)


def test_one_message_with_its_story(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await client.post(data=FIELDS)
        await send_part(client.rig, await claimed(client.rig), 1, 1, "5")
        found = (await client.get("/api/message/1/")).body["response"]
        assert (found["state"], found["route"]) == ("sent", "gsm0: priority 0")
        assert [change["state"] for change in found["changes"]] == ["queued", "claimed", "sent"]
        assert found["attempts"][0]["parts"][0]["reference"] == "5"
        assert found["changes"][0]["at"] == "2026-03-02T12:00:00.000+00:00"
        for unknown in ("9", "abc", "0", "9" * 30):
            assert (await client.get(f"/api/message/{unknown}")).error[:2] == (404, 2)
        listed = (await client.get("/api/list/message/?originating_scheduled=1&state=sent")).body
        assert [row["id"] for row in listed["response"]] == [1]
        assert (await client.get("/api/list/message/?state=nonsense%FF")).error[:2] == (400, 2)

    served(tmp_path, test)


def test_health_and_the_disk(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        for path in ("/health", "/health/"):
            answer = await client.get(path, key=None)
            assert (answer.status, answer.body["response"]["status"]) == (200, "ok")
        client.rig.pragma("query_only", 1)
        answer = await client.post(data=FIELDS)
        assert answer.error[:2] == (503, 8)
        assert answer.error[2].startswith("Cannot create a new entry. : nothing can be stored")
        assert (await client.get("/health")).status == 503
        client.rig.pragma("query_only", 0)
        assert (await client.post(data=FIELDS)).body["response"] == 1
        assert (await client.get("/health")).status == 200

    served(tmp_path, test)


def test_a_full_disk_is_503_and_recovers(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        client.rig.fill()
        numbers = [f"+336120{n:05}" for n in range(500)]
        many = {"text": "a" * 1000, "numbers": numbers}
        assert (await client.post(json=many)).error[:2] == (503, 8)
        assert await client.rig.rows("message") == []
        client.rig.empty()
        assert (await client.post(json=many)).status == 200
        assert len(await client.rig.rows("message")) == 500

    served(tmp_path, test)


def test_national_numbers_where_a_region_is_configured(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        assert (await client.post(data={"text": "a", "numbers": "06 12 34 56 78"})).status == 200
        assert [row["destination"] for row in await client.rig.rows("message")] == [ALICE]

    served(tmp_path, test, region="FR")


def test_the_socket_is_for_owner_and_group_and_replaces_a_dead_one(tmp_path: Path) -> None:
    path = tmp_path / "s"
    unix_socket(str(path)).close()  # a predecessor that was killed leaves its file
    listening = unix_socket(str(path))
    try:
        assert path.stat().st_mode & 0o777 == 0o660
        with pytest.raises(SocketTaken):
            unix_socket(str(path))
    finally:
        listening.close()
    path.unlink()
    path.write_text("no socket")
    with pytest.raises(OSError, match="in use"):
        unix_socket(str(path))
    assert path.read_text() == "no socket"


def test_an_address_that_is_taken_is_named() -> None:
    first = tcp_socket("127.0.0.1:0")
    try:
        port = first.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
            tcp_socket(f"127.0.0.1:{port}")
    finally:
        first.close()


def test_a_paused_draft_stays_where_it_is(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        client.rig.outbox.paused = True
        message = await client.rig.send(draft())
        found = (await client.get(f"/api/message/{message}/")).body["response"]
        assert found["route"] == "waits: sending is paused"

    served(tmp_path, test)
