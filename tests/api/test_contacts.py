"""Contacts, groups and campaigns over HTTP."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from smsd.store.campaigns import BATCH
from tests.api.test_api import BAD, OTHER, Client, served
from tests.rig import ALICE, BOB

UPDATE = "Cannot update this entry : "
MISSING = "One require parameter is missing : "


async def created(client: Client, kind: str, **fields: Any) -> int:
    answer = await client.post(f"/api/{kind}/", json=fields)
    assert (answer.status, answer.body["error"]) == (200, 0), answer.body
    return int(answer.body["response"])


def test_a_contact_is_made_read_changed_listed_and_deleted(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        form = {"name": "Zoé", "number": "+33 6 12 34 56 78", "data[city]": "Orléans"}
        id_ = (await client.post("/api/contact", data=form)).body["response"]
        one = (await client.get(f"/api/contact/{id_}/")).body["response"]
        assert list(one) == ["id", "id_user", "name", "number", "data", "created_at", "updated_at"]
        assert (one["name"], one["number"], json.loads(one["data"])) == (
            "Zoé", ALICE, {"city": "Orléans"}
        )  # fmt: skip
        assert one["updated_at"] is None
        assert (await client.get("/api/list/contact/")).body["response"] == [one]
        changed = await client.post(f"/api/contact/{id_}/", data={"name": "Zoe"})
        assert changed.body["response"] is True
        after = (await client.get(f"/api/contact/{id_}/")).body["response"]
        assert (after["name"], after["number"], after["data"]) == ("Zoe", ALICE, one["data"])
        assert after["updated_at"]
        assert (await client.call("DELETE", f"/api/contact/{id_}/")).status == 204
        assert (await client.get(f"/api/contact/{id_}/")).status == 404
        assert (await client.call("DELETE", f"/api/contact/{id_}/")).error[:2] == (400, 32)

    served(tmp_path, test)


def test_a_group_has_contacts(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        a = await created(client, "contact", name="a", number=ALICE, data={"x": 1})
        b = await created(client, "contact", name="b", number=BOB)
        group = await created(client, "group", name="both", contacts=[b, a, a])
        [row] = (await client.get("/api/list/group/")).body["response"]
        assert list(row) == [
            "id", "id_user", "name", "created_at", "updated_at", "nb_contact", "contacts",
        ]  # fmt: skip
        assert (row["nb_contact"], [c["id"] for c in row["contacts"]]) == (2, [a, b])
        assert (await client.get(f"/api/group/{group}/")).body["response"] == row
        await client.post(f"/api/group/{group}/", data={"contacts[]": str(b)})
        found = (await client.get(f"/api/list/contact/?group={group}")).body["response"]
        assert [c["id"] for c in found] == [b]
        await client.post(f"/api/group/{group}/", data={"name": "none", "contacts": ""})
        row = (await client.get(f"/api/group/{group}/")).body["response"]
        assert (row["name"], row["nb_contact"]) == ("none", 0)
        assert (await client.call("DELETE", f"/api/group/{group}/")).status == 204

    served(tmp_path, test)


def test_what_is_wrong_is_named_and_changes_nothing(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        a = await created(client, "contact", name="a", number=ALICE)
        for path, body, code, words in (
            ("contact", {"number": ALICE}, 4, MISSING + "name"),
            ("contact", {"name": "a"}, 4, MISSING + "number"),
            ("contact", {"name": "a", "number": "06"}, 2, BAD + "number : no valid phone number."),
            (
                "contact", {"name": "a" * 101, "number": ALICE}, 2,
                BAD + "name must be a text of at most 100 char.",
            ),
            *(
                (kind, {"name": f"a{odd}", "number": ALICE}, 2,
                 BAD + "name : not valid Unicode text.")
                for kind in ("contact", "group", f"contact/{a}") for odd in ("\ud800", "\0")
            ),
            (
                "contact", {"name": "a", "number": ALICE, "data": "{"}, 2,
                BAD + "number data must be a valid json or leave not set.",
            ),
            (
                "group", {"name": "g", "contacts": [a, 99]}, 2,
                BAD + "contacts : 1 of the contacts are not there.",
            ),
            (
                "group", {"name": "g", "contacts": ["x"]}, 2,
                BAD + "contacts : a list of at most 100000 ids is expected.",
            ),
            ("contact/99", {"name": "b"}, 128, UPDATE + "No contact with this id."),
            (f"contact/{a}", {}, 128, UPDATE + "nothing to change is given."),
        ):  # fmt: skip
            assert (await client.post(f"/api/{path}/", json=body)).error == (400, code, words)
        assert len(await client.rig.rows("contact")) == 1
        assert await client.rig.rows("contact_group") == await client.rig.rows("member") == []

    served(tmp_path, test)


def test_what_is_anothers_is_not_there(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        a = await created(client, "contact", name="a", number=ALICE)
        assert (await client.get(f"/api/contact/{a}/", key=OTHER)).status == 404
        assert (await client.get("/api/list/contact/", key=OTHER)).body["response"] == []
        assert (await client.call("DELETE", f"/api/contact/{a}/", key=OTHER)).status == 400
        changed = await client.post(f"/api/contact/{a}/", data={"name": "x"}, key=OTHER)
        assert changed.status == 400
        stolen = await client.post("/api/group/", json={"name": "g", "contacts": [a]}, key=OTHER)
        assert stolen.status == 400
        answer = await client.post(json={"text": "hi", "contacts": [a]}, key=OTHER)
        assert answer.error[:2] == (400, 4)
        unknown = {"text": "hi", "contacts": [a], "groups": [9], "numbers": BOB}
        answer = await client.post(json=unknown, key=OTHER)
        assert answer.headers["X-Smsd-Left-Out"] == "invalid=2"
        assert [row["destination"] for row in await client.rig.rows("message")] == [BOB]

    served(tmp_path, test)


def test_a_campaign_shows_how_far_it_has_come(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        numbers = [f"+336120{n:05}" for n in range(BATCH + 5)]
        a = await created(client, "contact", name="a", number=numbers[3])
        body = {"text": "hi", "numbers": [*numbers, "12"], "contacts": [a]}
        answer = await client.post(json=body, headers={"Idempotency-Key": "k"})
        id_ = answer.body["response"]
        again = await client.post(json=body, headers={"Idempotency-Key": "k"})
        assert again.body["response"] == id_
        assert answer.headers["X-Smsd-Invalid-Numbers"] == "12"
        found = (await client.get(f"/api/campaign/{id_}/")).body["response"]
        assert found["state"] == "expanding"
        assert (found["total"], found["waiting"], found["expanded"]) == (BATCH + 7, 6, BATCH)
        [row] = (await client.get("/api/list/scheduled/")).body["response"]
        assert [n["number"] for n in row["numbers"]] == numbers[BATCH:]
        assert [c["id"] for c in row["contacts"]] == [a]
        async with client.rig.sending():
            while (await client.get(f"/api/campaign/{id_}/")).body["response"][
                "state"
            ] != "expanded":
                pass
        [found] = (await client.get("/api/list/campaign/")).body["response"]
        assert found["left_out"] == {"duplicate": 1, "stopped": 0, "invalid": 1}
        assert sum(found["messages"].values()) == found["expanded"] == BATCH + 5
        assert (await client.get("/api/list/scheduled/")).body["response"] == []
        assert (await client.get(f"/api/campaign/{id_}/", key=OTHER)).status == 404

    served(tmp_path, test)


def test_a_campaign_is_cancelled_as_any_scheduled_row(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        numbers = [f"+336120{n:05}" for n in range(BATCH + 5)]
        id_ = (await client.post(json={"text": "hi", "numbers": numbers})).body["response"]
        assert (await client.call("DELETE", f"/api/scheduled/{id_}/", key=OTHER)).status == 400
        assert (await client.call("DELETE", f"/api/scheduled/{id_}/")).status == 204
        found = (await client.get(f"/api/campaign/{id_}/")).body["response"]
        assert (found["state"], found["messages"]) == ("cancelled", {"cancelled": BATCH})
        assert (found["withdrawn"], found["total"]) == (5, BATCH + 5)
        assert (await client.call("DELETE", f"/api/scheduled/{id_}/")).status == 400

    served(tmp_path, test)


def test_a_csv_file_is_uploaded_and_its_mistakes_are_told(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        def form(csv: str) -> aiohttp.FormData:
            fields = aiohttp.FormData()
            fields.add_field("text", "hi")
            fields.add_field("at", "2030-01-01 10:00:00")
            fields.add_field("numbers_csv", csv.encode(), filename="a.csv")
            return fields

        lines = [f"+336120{n:05},Nº {n}" for n in range(5000)]  # past what is read in one piece
        answer = await client.post(data=form("\n".join(["number,name", *lines])))
        assert answer.status == 200, answer.body
        found = await client.rig.rows("scheduled_number")
        assert len(found) == 5000
        assert json.loads(found[4999]["data"]) == {"name": "Nº 4999"}
        wrong = await client.post(data=form("\n".join(["number", *lines])))
        assert wrong.error == (400, 2, BAD + "csv : line 2 has more columns than the first one.")
        assert len(await client.rig.rows("scheduled")) == 1

    served(tmp_path, test)


def test_large_forms_of_each_kind_are_accepted_and_checked(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        numbers = [f"+336120{n:05}" for n in range(5000)]
        fields = [("text", "hi"), *((f"numbers[{i}][number]", n) for i, n in enumerate(numbers))]
        fields += [("numbers[5000][number]", ALICE), ("numbers[5000][data]", "{bad")]
        bad = "number data must be a valid json or leave not set."
        assert (await client.post(data=fields)).error == (400, 2, BAD + bad)
        assert (await client.post(data=fields[:-1])).status == 200
        deep = [*fields[:-1], ("numbers[5001][a][b][c][d][e]", "x")]
        assert (await client.post(data=deep)).status == 400
        entries = [{"number": n, "data": {"n": n}} for n in numbers]
        key = {"Idempotency-Key": "k"}
        first = await client.post(json={"text": "hi", "numbers": entries}, headers=key)
        again = await client.post(json={"text": "hi", "numbers": entries}, headers=key)
        other = await client.post(json={"text": "hi", "numbers": entries[:-1]}, headers=key)
        assert first.status == again.status == 200
        assert (first.body["response"], other.status) == (again.body["response"], 409)
        assert len(await client.rig.rows("campaign")) == 2

    served(tmp_path, test)


def test_the_same_key_makes_one_contact_and_one_group(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        for path, body in (
            ("/api/contact/", {"name": "a", "number": ALICE}),
            ("/api/group/", {"name": "g", "contacts": [1]}),
        ):
            key = {"Idempotency-Key": path}
            ids = [
                (await client.post(path, json=body, headers=key)).body["response"] for _ in "twice"
            ]
            assert set(ids) == {1}
            other = await client.post(path, json=body | {"name": "b"}, headers=key)
            assert other.status == 409
        assert len(await client.rig.rows("contact")) == 1
        assert len(await client.rig.rows("contact_group")) == 1

    served(tmp_path, test)


def test_the_members_of_a_large_request_are_part_of_it(tmp_path: Path) -> None:
    """Also of a small one that does not tell its length."""

    async def test(client: Client) -> None:
        ids = [await created(client, "contact", name="c", number=n) for n in (ALICE, BOB)]
        key = {"Idempotency-Key": "k", "Content-Type": "application/json"}

        async def chunks(contacts: list[int]) -> AsyncIterator[bytes]:
            yield json.dumps({"name": "g", "contacts": contacts}).encode()

        first = await client.post("/api/group/", data=chunks(ids), headers=key)
        again = await client.post("/api/group/", data=chunks(ids), headers=key)
        other = await client.post("/api/group/", data=chunks(ids[:1]), headers=key)
        assert (first.status, again.body, other.status) == (200, first.body, 409)
        assert len(await client.rig.rows("contact_group")) == 1

    served(tmp_path, test)


def test_a_large_request_is_answered_again_even_where_it_would_be_refused_by_now(
    tmp_path: Path,
) -> None:
    async def test(client: Client) -> None:
        numbers = [f"+336120{n:05}" for n in range(5000)]
        body = {"text": "hi", "numbers": numbers, "id_phone": 1}
        key = {"Idempotency-Key": "k"}
        first = await client.post(json=body, headers=key)
        client.rig.phones._phones.clear()
        assert (await client.post(json=body)).status == 400
        assert (await client.post(json=body, headers=key)).body == first.body
        other = await client.post(json=body | {"numbers": numbers[1:]}, headers=key)
        assert (first.status, other.status) == (200, 409)

    served(tmp_path, test)


def test_a_large_file_that_is_none_is_refused_under_a_key_too(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        form = aiohttp.FormData({"text": "hi"})
        form.add_field("numbers_csv", b"number,a\n+33612345678,1,2\n" * 9, filename="x.csv")
        refused = await client.post(data=form, headers={"Idempotency-Key": "k"})
        assert refused.error[:2] == (400, 2)
        assert "line 2" in refused.error[2]
        await client.nothing_stored()

    served(tmp_path, test)
