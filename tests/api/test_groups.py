"""Phone groups over HTTP, and messages for them."""

from pathlib import Path

import pytest

from tests.api.test_api import BAD, FIELDS, OTHER, Client, served
from tests.rig import Scripted, claimed


async def made(client: Client, name: str = "north", *phones: int) -> int:
    answer = await client.post(
        "/api/phone_group/", json={"name": name, "phones": list(phones or (1, 2))}
    )
    assert answer.status == 200
    return int(answer.body["response"])


def test_a_group_from_its_making_to_its_end(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await client.rig.add("gsm1", Scripted())
        form = {"name": "north", "phones[0]": "1", "phones[1]": "2"}
        assert (await client.post("/api/phone_group/", data=form)).body["response"] == 1
        one = (await client.get("/api/phone_group/1/")).body["response"]
        assert list(one) == [
            "id", "id_user", "name", "created_at", "updated_at", "nb_phone", "phones",
        ]  # fmt: skip
        assert (one["name"], one["nb_phone"], one["id_user"]) == ("north", 2, 1)
        assert [(p["name"], p["status"]) for p in one["phones"]] == [
            ("gsm0", "available"), ("gsm1", "available"),
        ]  # fmt: skip
        assert (await client.get("/api/list/phone_group/")).body["response"] == [one]
        changed = await client.post("/api/phone_group/1/", data={"phones[]": "2", "name": "south"})
        assert changed.body["response"] is True
        one = (await client.get("/api/phone_group/1")).body["response"]
        assert (one["name"], one["nb_phone"]) == ("south", 1)
        assert one["updated_at"] is not None
        assert (await client.call("DELETE", "/api/phone_group/1/")).status == 204
        assert (await client.get("/api/phone_group/1/")).status == 404
        assert (await client.call("DELETE", "/api/phone_group/1/")).error == (
            400, 32, "Cannot delete this entry.",
        )  # fmt: skip

    served(tmp_path, test)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "One require parameter is missing : name"),
        ({"name": "x"}, 400, "at least one phone"),
        ({"name": "x", "phones": []}, 400, "at least one phone"),
        ({"name": "x", "phones": [9]}, 400, "no phone has the id 9"),
        ({"name": "x", "phones": ["1x"]}, 400, "no phone has the id 1x"),
        ({"name": "x", "phones": [{"id": 1}]}, 400, "no phone has the id"),
        ({"name": "x" * 101, "phones": [1]}, 400, "at most 100 char"),
        ({"name": ["x"], "phones": [1]}, 400, "name must be a text"),
        ({"name": "north", "phones": [1]}, 400, "of that name is there already"),
    ],
)
def test_what_is_wrong_with_a_new_group_is_said(
    tmp_path: Path, body: dict[str, object], status: int, words: str
) -> None:
    async def test(client: Client) -> None:
        await made(client, "north", 1)
        answer = await client.post("/api/phone_group/", json=body)
        assert answer.status == status
        assert words in answer.body["message"]
        assert len(await client.rig.rows("phone_group")) == 1

    served(tmp_path, test)


def test_the_same_key_makes_a_group_once(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        key = {"Idempotency-Key": "k"}
        body = {"name": "north", "phones": [1]}
        for _ in range(2):
            answer = await client.post("/api/phone_group/", json=body, headers=key)
            assert (answer.status, answer.body["response"]) == (200, 1)
        other = await client.post("/api/phone_group", json=body | {"name": "x"}, headers=key)
        assert other.status == 409
        sent = await client.post("/api/scheduled/", json=FIELDS, headers=key)
        assert sent.status == 409
        many = await client.post("/api/phone_group/", json={"name": "x", "phones": [1] * 1001})
        assert (many.status, "at most 1000" in many.body["message"]) == (400, True)

    served(tmp_path, test)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/api/phone_group/1/", {}, "at least one name or phones"),
        ("/api/phone_group/1/", {"phones": []}, "at least one phone"),
        ("/api/phone_group/1/", {"name": "south"}, "of that name is there already"),
        ("/api/phone_group/9/", {"name": "x"}, "No phone group with this id"),
        ("/api/phone_group/1x/", {"name": "x"}, "No phone group with this id"),
    ],
)
def test_what_is_wrong_with_a_change_is_said(
    tmp_path: Path, path: str, body: dict[str, object], words: str
) -> None:
    async def test(client: Client) -> None:
        await made(client, "north", 1)
        await made(client, "south", 1)
        before = await client.rig.rows("phone_group")
        answer = await client.post(path, json=body)
        assert answer.status == 400
        assert words in answer.body["message"]
        assert await client.rig.rows("phone_group") == before

    served(tmp_path, test)


def test_a_group_is_its_accounts_own(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        group = await made(client, "north", 1)
        path = f"/api/phone_group/{group}/"
        assert (await client.get(path, key=OTHER)).status == 404
        assert (await client.call("DELETE", path, key=OTHER)).status == 400
        assert (await client.post(path, key=OTHER, json={"name": "x"})).status == 400
        assert (await client.get("/api/list/phone_group/", key=OTHER)).body["response"] == []
        asked = await client.post(data=FIELDS | {"id_phone_group": str(group)}, key=OTHER)
        assert asked.status == 400
        assert (await client.get(path, key=None)).status == 200  # a local user sees all

    served(tmp_path, test)


def test_a_message_for_a_group_goes_by_its_phones(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await client.rig.add("gsm1", Scripted())
        group = await made(client, "north", 2)
        at = {"at": "2030-01-01 00:00:00"}
        await client.post(data=FIELDS | at | {"id_phone_group": str(group)})
        [row] = (await client.get("/api/list/scheduled/")).body["response"]
        assert row["id_phone_group"] == group
        assert (await client.post(data=FIELDS | {"id_phone_group": str(group)})).status == 200
        assert (await claimed(client.rig)).phone == 2
        message = (await client.get("/api/message/1/")).body["response"]
        assert message["id_phone_group"] == group
        assert message["route"] == f"gsm1: of phone group {group}, priority 0"
        assert message["attempts"][0]["route"] == message["route"]
        assert (await client.call("DELETE", f"/api/phone_group/{group}/")).status == 400
        for wrong in ("9", "x", "-1"):
            answer = await client.post(data=FIELDS | {"id_phone_group": wrong})
            assert answer.error == (
                400, 2, BAD + "id_phone_group : You must specify an id_phone_group number among "
                "thoses of user phone groups.",
            )  # fmt: skip

    served(tmp_path, test)


def test_sticky_is_asked_for_or_refused_by_the_request(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        for value in ("1", "0", ""):
            await client.post(data=FIELDS | {"sticky": value})
        client.rig.gateway.sticky = True
        for value in ("1", "0", ""):
            await client.post(data=FIELDS | {"sticky": value})
        await client.post(data=FIELDS)
        rows = await client.rig.rows("message")
        assert [row["sticky"] for row in rows] == [1, 0, 0, 1, 0, 1, 1]

    served(tmp_path, test)


def test_limits_and_bars_are_shown_to_a_monitor(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await client.rig.add("gsm1", Scripted(), limits=[(5, "today")])
        [first, second] = (await client.get("/health")).body["response"]["phones"]
        assert (first["limits"], first["until"]) == ([], None)
        [limit] = second["limits"]
        assert (limit["used"], limit["left"], limit["resets_at"]) == (0, 5, None)

    served(tmp_path, test)
