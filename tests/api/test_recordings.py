"""What RaspiSMS's own software answered, asked again here: all that concerns what exists so far.

Lists in which the database's own ids and times show are left to `test_api`; so is all that needs
contacts, groups, CSV files or media.
"""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from yarl import URL

from smsd.api.auth import Doorkeeper, Key
from smsd.api.server import application, serving, tcp_socket
from smsd.dispatch.gateway import Gateway
from smsd.model.message import Draft
from tests.rig import Rig, Scripted

FOLDER = Path(__file__).parents[3] / "shared/vectors/raspisms"
PARIS = ZoneInfo("Europe/Paris")
SECTIONS = (
    "auth", "scheduled-text", "scheduled-at", "scheduled-numbers", "scheduled-mms-off", "delete",
    "errors",
)  # fmt: skip
PATHS = ("/api/scheduled", "/api/list/")
LATER = ("/api/list/media", "/api/list/contact")  # seeded lists that are empty here

DIFFERENT = {
    "sch-json": "JSON bodies are read here",
    "sch-text-plain": "a body that is no form is refused as such",
    "sch-text-nul": "a NUL is no text that a phone could show",
    "auth-json-body": "JSON bodies are read here",
}
"""Records that smsd answers otherwise on purpose."""


def seed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "seed.json").read_text())
    return found


def recorded(section: str) -> list[dict[str, Any]]:
    lines = (FOLDER / "recordings.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if row["section"] == section]


def concerns_us(row: dict[str, Any]) -> bool:
    form = json.dumps([row.get("form"), row.get("multipart"), row.get("raw_body")])
    if row["path"].startswith(LATER):
        return row["answer"]["status"] in (401, 403)
    later = ("contacts", "groups", "numbers_csv", "medias", "id_phone_group")
    return (
        row["id"] not in DIFFERENT
        and row["compare"] != "none"
        and (row["method"] != "GET" or row["section"] in ("auth", "errors"))
        and row["path"].startswith(PATHS)
        and not any(f'"{name}' in form for name in later)
    ) or (row["section"] == "errors" and row.get("want_status") == [404])


async def seeded(folder: Path) -> tuple[Rig, Doorkeeper]:
    """The seed as far as there is a place for it here: accounts, phones, scheduled messages."""
    data = seed()
    clock = datetime.fromisoformat(data["clock"]).replace(tzinfo=PARIS)
    rig = Rig(folder / "db", now=lambda: clock)
    rig.gateway = Gateway(rig.store, rig.phones, rig.outbox, rig.now, PARIS, 86_400)
    for phone in data["phones"]:
        await rig.add(phone["name"], Scripted())
    keys = [
        Key(
            await rig.store.registry.account(user["email"]),
            user["api_key"],
            suspended=user["status"] == "suspended",
        )
        for user in data["users"]
    ]
    for row in data["scheduled"]:
        at = datetime.fromisoformat(row["at"]).replace(tzinfo=PARIS)
        numbers = tuple((n["number"], n["data"]) for n in row["numbers"])
        draft = Draft(row["text"], numbers, 1, at=at, tag=row["tag"])
        next_scheduled(rig, row["id"])
        await rig.store.outgoing.schedule(row["user"], draft)
    next_scheduled(rig, 7)
    return rig, Doorkeeper(keys, {})


def next_scheduled(rig: Rig, number: int) -> None:
    """The id that the next scheduled row gets: records that are left out took some."""
    statement = "UPDATE sqlite_sequence SET seq = ? WHERE name = 'scheduled'"
    rig.database._connection.execute(statement, (number - 1,))


async def ask(session: aiohttp.ClientSession, base: str, row: dict[str, Any]) -> tuple[int, Any]:
    headers = dict(row["headers"])
    data: Any = None
    if "form" in row:
        data = aiohttp.FormData([tuple(pair) for pair in row["form"]])
    elif "multipart" in row:
        data = aiohttp.FormData(default_to_multipart=True)
        for part in row["multipart"]:
            data.add_field(part["name"], part["value"])
    elif "raw_body" in row:
        data = row["raw_body"].encode()
    url = URL(base + row["path"], encoded=True)
    async with session.request(row["method"], url, headers=headers, data=data) as answer:
        octets = await answer.read()
        return answer.status, json.loads(octets) if octets else None


def compare(row: dict[str, Any], status: int, body: Any) -> None:
    answer = row["answer"]
    if row["compare"] == "want":
        wanted = row["want_status"]
        assert (
            400 <= status < 500
            if wanted == "4xx"
            else status in [200 if s == 201 else s for s in wanted]
        )
        if status >= 400:
            assert body["error"] in row.get("want_error", [body["error"]])
            assert body["error"] != 0
        return
    assert status == (200 if answer["status"] == 201 else answer["status"])
    expected = answer.get("body_unescaped", answer["body"])
    if expected is None or status == 204:
        assert body is None
        return
    for key in ("error", "response", "next", "prev"):
        assert body[key] == expected.get(key), key
    if row["compare"] == "full" and expected["message"] is not None:
        words, _, named = body["message"].partition(" Not valid: ")
        assert words == expected["message"]
        assert not named or status == 400


@pytest.mark.skipif(not FOLDER.exists(), reason="the recorded vectors are not here")
@pytest.mark.parametrize("section", SECTIONS)
def test_recorded_answers(tmp_path: Path, section: str) -> None:
    async def main() -> None:
        rig, door = await seeded(tmp_path)
        listening = tcp_socket("127.0.0.1:0")  # where nobody is known by his socket
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        jar = aiohttp.DummyCookieJar()
        asked = 0
        async with (
            serving(application(rig.gateway, door, None), [listening]),
            aiohttp.ClientSession(cookie_jar=jar) as session,
        ):
            for row in recorded(section):
                if not concerns_us(row):
                    if row.get("created", {}).get("kind") == "scheduled":
                        next_scheduled(rig, row["created"]["id"] + 1)
                else:
                    status, body = await ask(session, base, row)
                    try:
                        compare(row, status, body)
                    except AssertionError as error:
                        raise AssertionError(f"{row['id']} ({row['note']}): {body}") from error
                    asked += 1
                    if row["compare"] == "want" and status == 200:  # upstream failed: no id taken
                        await rig.store.outgoing.cancel(body["response"], None)
                        next_scheduled(rig, body["response"])
        rig.database.close()
        assert asked

    asyncio.run(main())
