"""Export, backup and erasing over HTTP."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from smsd.api.keeping import EXPORTS, STEP, as_csv
from smsd.dispatch.numbers import written_forms
from smsd.model.events import CallBegan, Incoming
from smsd.model.phone import PhoneId
from tests.api.test_api import BAD, KEY, OTHER, Client, served
from tests.rig import ALICE, BOB
from tests.store.test_arrivals import join
from tests.virtual_time import START


async def text(client: Client, path: str, key: str = KEY) -> str:
    headers = {"X-Api-Key": key}
    async with client.session.get(client.base + path, headers=headers) as answer:
        assert answer.status == 200
        return await answer.text()


async def lines(client: Client, path: str, key: str = KEY) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await text(client, path, key)).splitlines()]


def test_every_row_of_a_kind_is_exported_as_a_list_shows_it(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        numbers = [f"+336120{n:05}" for n in range(STEP + 3)]
        await client.post(json={"text": "é\n😀", "numbers": numbers})
        await client.post(json={"text": "other's", "numbers": ALICE}, key=OTHER)
        async with client.rig.sending():
            while len(await client.rig.rows("message")) < STEP + 4:
                await client.get("/health")
        found = await lines(client, "/api/export/message/")
        assert [row["destination"] for row in found] == numbers
        [first, *_] = (await client.get("/api/list/message/")).body["response"]
        assert first.pop("waits")  # of this moment, and no row's
        assert found[0] | {"state": 0} == first | {"state": 0}
        assert [row["text"] for row in await lines(client, "/api/export/message/", OTHER)] == [
            "other's"
        ]
        table = await text(client, "/api/export/message/?format=csv")
        rows = list(csv.DictReader(io.StringIO(table, newline="")))
        assert [row["destination"] for row in rows] == numbers
        assert rows[0].keys() == found[0].keys()
        assert rows[0]["text"] == "é\n😀"

    served(tmp_path, test)


@pytest.mark.parametrize("kind", EXPORTS)
@pytest.mark.parametrize("form", ["json", "csv"])
def test_each_kind_can_be_exported(tmp_path: Path, kind: str, form: str) -> None:
    async def test(client: Client) -> None:
        phone = PhoneId(1)
        receive = client.rig.store.arrivals.receive
        await receive(phone, Incoming("k", "raw", ALICE, START, "hi"), join)
        octets = Incoming("o", "raw", BOB, START, None, data=b"x", ports=(1, 2))
        await receive(phone, octets, join)
        await client.rig.store.calls.begin(phone, CallBegan("c", ALICE))
        await client.rig.store.stops.add(1, "+33699999999")
        contact = await client.post("/api/contact/", data={"name": "a", "number": ALICE})
        await client.post("/api/group/", json={"name": "g", "contacts": [1]})
        await client.post(json={"text": "a", "numbers": ALICE, "at": "2030-01-01 10:00:00"})
        await client.post(json={"text": "a", "contacts": [contact.body["response"]]})
        connection = client.rig.database._connection
        connection.execute(
            "INSERT INTO sended (message_id, account_id, adapter, uid, at, status, created_at)"
            " VALUES (1, 1, 'modem', 'u', 0, 'unknown', 0)"
        )
        found = await text(client, f"/api/export/{kind}/?format={form}")
        listed = (await client.get(f"/api/list/{kind}/")).body["response"]
        for row in listed:
            row.pop("waits", None)
        assert len(found.splitlines()) == len(listed) + (form == "csv") > 0
        if form == "json":
            assert [json.loads(line) for line in found.splitlines()] == listed

    served(tmp_path, test)


def test_bounds_in_time_are_dates_of_the_zone(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await client.post(
            json={"text": "a", "numbers": ALICE}
        )  # at START, noon of the 2nd of March
        for query, count in (
            ("since=2026-03-02", 1), ("since=2026-03-02T12:00:00Z", 1), ("since=2026-03-03", 0),
            ("until=2026-03-02", 0), ("until=2026-03-02 12:00:01", 1),
            ("since=2026-03-01&until=2026-03-03", 1),
        ):  # fmt: skip
            assert len(await lines(client, f"/api/export/message/?{query}")) == count, query
        for query in ("since=yesterday", "until=", "format=xml"):
            assert (await client.get(f"/api/export/message/?{query}")).error[:2] == (404, 2)
        assert (await client.get("/api/export/phone/")).status == 404
        assert (await client.get("/api/export/message/", key="x")).status == 401

    served(tmp_path, test)


def test_no_text_from_outside_is_a_formula_in_a_spreadsheet() -> None:
    values = ["=1+1", "+33612345678", "+1;x", "-1", "@x", "\tx", "x=1", None, True, {"k": "é"}, -5]
    row = dict(zip("abcdefghijk", values, strict=True))
    header, line = csv.reader(io.StringIO(as_csv([row], header=True), newline=""))
    assert header == list(row)
    assert line == [
        "'=1+1", "+33612345678", "'+1;x", "'-1", "'@x", "'\tx", "x=1", "", "1", '{"k": "é"}', "-5",
    ]  # fmt: skip


def test_a_backup_is_made_where_a_local_user_says_or_beside_the_database(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await client.post(json={"text": "a", "numbers": ALICE})
        made = (await client.post("/api/backup/", key=None)).body["response"]
        assert made["file"] == f"{tmp_path / 'db'}.backup-20260302T120000Z"
        assert made["size"] > 50_000
        again = await client.post("/api/backup/", key=None)
        words = f"Cannot create a new entry. : {made['file']} is there already"
        assert again.error == (400, 8, words)
        named = str(tmp_path / "mine")
        assert (await client.post("/api/backup/", json={"file": named}, key=None)).status == 200
        assert (await client.post("/api/backup/", json={"file": named}, key=None)).status == 400
        relative = await client.post("/api/backup/", json={"file": "mine"}, key=None)
        assert relative.error == (400, 2, BAD + "file : an absolute path is expected.")

    served(tmp_path, test)


def test_a_number_is_erased_in_all_its_forms(tmp_path: Path) -> None:
    assert written_forms("+33 6 98 76 54 32", None) == [
        "+33698765432", "33698765432", "0033698765432", "0698765432",
    ]  # fmt: skip
    assert written_forms("0698765432", "FR")[0] == "+33698765432"
    assert written_forms("INFO", "FR") == ["INFO"]

    async def test(client: Client) -> None:
        await client.rig.store.arrivals.receive(
            PhoneId(1), Incoming("k", "raw", "0612345678", START, "hi"), join
        )
        await client.post(json={"text": "a", "numbers": ALICE})
        found = (await client.post("/api/erase/", key=None, data={"number": ALICE})).body[
            "response"
        ]
        assert (found["message"], found["received"]) == (1, 1)
        assert (await client.post("/api/erase/", key=None, data={})).error[:2] == (400, 4)
        await client.post(json={"text": "a", "numbers": BOB})
        client.rig.database._connection.execute("UPDATE message SET state = 'claimed' WHERE id = 2")
        refused = await client.post("/api/erase/", key=None, data={"number": BOB})
        assert refused.error[:2] == (409, 32)
        assert "on their way or uncertain (2)" in refused.body["message"]

    served(tmp_path, test)
