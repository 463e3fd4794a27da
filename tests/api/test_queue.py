"""What a person decides about the queue, over HTTP."""

import asyncio
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smsd.api.auth import Account, Doorkeeper, Key
from smsd.api.envelope import ApiError
from smsd.model.message import State
from smsd.store.once import REPEATABLE
from tests.api.test_api import FIELDS, KEY, OTHER, SUSPENDED, Client, served
from tests.rig import ALICE, claimed, draft, fault, send_part


async def doubted(client: Client) -> int:
    """A message of the first account that is in doubt."""
    message = await client.rig.send(draft())
    given = await claimed(client.rig)
    await client.rig.store.outgoing.begin_part(given, 1, 1)
    await client.rig.store.outgoing.doubt(given.attempt, fault())
    return message


@pytest.mark.parametrize(
    ("how", "state"), [("sent", "sent"), ("resend", "queued"), ("drop", "failed")]
)
def test_a_message_in_doubt_is_settled_by_its_owner_once(
    tmp_path: Path, how: str, state: str
) -> None:
    async def test(client: Client) -> None:
        message = await doubted(client)
        path = f"/api/message/{message}/resolve/"
        assert (await client.post(path, json={"as": how}, key=OTHER)).error[:2] == (404, 2)
        assert (await client.post(path, json={"as": how}, key=SUSPENDED)).error[:2] == (403, 16)
        for wrong in ("", None):
            assert (await client.post(path, json={"as": wrong})).error[:2] == (400, 4)
        bad: list[object] = ["lost", ["sent"], 1]
        for unknown in bad:
            answer = await client.post(path, json={"as": unknown})
            assert answer.error[:2] == (400, 2)
        assert await client.rig.state(message) == State.UNCERTAIN
        answer = await client.post(path, data={"as": how})
        assert (answer.status, answer.body["response"]) == (200, state)
        again = await client.post(path, data={"as": how})
        assert again.error == (
            409,
            128,
            f"Cannot update this entry : it is {state}, not uncertain.",
        )
        story = (await client.get(f"/api/message/{message}/")).body["response"]
        assert "app" in story["changes"][-1]["reason"]
        assert story["final"] is (state == "failed")
        for nowhere in ("999", "x", "-1", "9" * 40):
            answer = await client.post(f"/api/message/{nowhere}/resolve/", json={"as": how})
            assert answer.error[:2] == (404, 2)

    served(tmp_path, test)


def test_a_report_that_comes_at_the_same_time_wins_or_is_told(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        message = await doubted(client)
        attempt = (await client.rig.story(message))["attempts"][0]["id"]
        async with asyncio.TaskGroup() as group:
            late = group.create_task(client.rig.store.outgoing.complete_part(attempt, 1, "7"))
            asked = group.create_task(
                client.post(f"/api/message/{message}/resolve/", json={"as": "resend"})
            )
        assert late.result()
        assert asked.result().status == 409
        assert await client.rig.state(message) == State.SENT

    served(tmp_path, test)


def test_one_message_is_taken_back(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        message = await client.rig.send(draft())
        path = f"/api/message/{message}/"
        assert (await client.call("DELETE", path, key=OTHER)).error[:2] == (404, 2)
        assert (await client.call("DELETE", path)).status == 204
        assert (await client.call("DELETE", path)).error[:2] == (409, 128)
        assert await client.rig.state(message) == State.CANCELLED
        begun = await client.rig.send(draft(parts=2))
        given = await claimed(client.rig)
        await send_part(client.rig, given, 1, 2, "1")
        assert (await client.call("DELETE", f"/api/message/{begun}/")).error[:2] == (409, 128)
        await client.rig.store.outgoing.release(given.attempt, fault(), retry_at=client.rig.now())
        answer = await client.call("DELETE", f"/api/message/{begun}/")
        assert answer.error == (
            409, 128, "Cannot update this entry : some of its parts have gone.",
        )  # fmt: skip

    served(tmp_path, test)


def test_pausing_all_and_one(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        everything, one = {"paused": True, "phones": []}, {"paused": False, "phones": ["gsm0"]}
        assert (await client.post("/api/queue/pause/", key=None)).body["response"] == everything
        assert (await client.get("/health")).body["response"]["paused"] is True
        assert (await client.post("/api/scheduled/", data=FIELDS)).status == 200
        none = {"paused": False, "phones": []}
        assert (await client.post("/api/queue/resume", key=None)).body["response"] == none
        assert (await client.post("/api/queue/pause", key=None, data={"id_phone": 1})).body[
            "response"
        ] == one
        health = (await client.get("/health")).body["response"]
        assert (health["paused"], health["phones"][0]["held"]) == (False, "is paused")
        assert (await client.post("/api/queue/resume/", key=None, json={"id_phone": 1})).body[
            "response"
        ] == none
        for wrong in ("7", "x", "-1", ["1"], "9" * 40):
            answer = await client.post("/api/queue/pause/", key=None, json={"id_phone": wrong})
            assert answer.error[:2] == (400, 2)
        assert await client.rig.rows("pause") == []

    served(tmp_path, test)


def test_who_may_send_may_not_pause_nor_settle_for_others(tmp_path: Path) -> None:
    """A local user without admin decides about the messages of the box's own account alone."""
    sender = Account(2, frozenset({"send"}), None, "local user bob")
    with pytest.raises(ApiError) as refused:
        sender.need("admin")
    assert refused.value.status == 403

    async def test(client: Client) -> None:
        answer = await client.post("/api/queue/pause/", key=None)
        assert (answer.status, answer.body["response"]["paused"]) == (200, True)
        [row] = await client.rig.rows("pause")
        assert row["account"].startswith("local user ")

    served(tmp_path, test, local_users={})
    assert (sender.changes, replace(sender, scopes=frozenset({"admin"})).changes) == (2, None)


def test_priority_hours_and_zone_of_a_message(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        hours = [{"days": ["mon-fri"], "hours": "08:00-20:00"}]
        answer = await client.post(json=FIELDS | {"priority": 7, "send_windows": hours})
        assert answer.status == 200
        form = FIELDS | {
            "priority": "-3", "send_windows[0][days][]": "sat",
            "send_windows[0][hours]": "09:00-12:00",
        }  # fmt: skip
        assert (await client.post(data=form)).status == 200
        text = FIELDS | {"send_windows": '[{"hours": "09:00-12:00"}]'}
        assert (await client.post(data=text)).status == 200
        await client.post(data=FIELDS)
        found = [(await client.get(f"/api/message/{n}/")).body["response"] for n in (1, 2, 3, 4)]
        assert [row["priority"] for row in found] == [7, -3, 0, 0]
        assert [row["send_windows"] for row in found] == [
            hours, [{"days": ["sat"], "hours": "09:00-12:00"}], [{"hours": "09:00-12:00"}], None,
        ]  # fmt: skip
        priorities: list[object] = ["x", "128", "-129", "1.5", True, [1]]
        for priority in priorities:
            answer = await client.post(json=FIELDS | {"priority": priority})
            assert answer.error[:2] == (400, 2), priority
        windows: list[object] = ["always", [{"hours": "8-20"}], [{}], {"hours": "08:00-20:00"}, 5]
        for window in windows:
            answer = await client.post(json=FIELDS | {"send_windows": window})
            assert answer.error[:2] == (400, 2), window
            assert "send_windows" in answer.error[2]
        assert len(await client.rig.rows("message")) == 4

    served(tmp_path, test)


def test_an_account_has_its_zone_and_its_priority() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    door = Doorkeeper([Key(1, KEY, suspended=False, name="app", zone=tokyo, priority=9)], {})
    account = door._by_key(KEY, None)
    assert (account.who, account.zone, account.priority) == ("app", tokyo, 9)


# Idempotency -----------------------------------------------------------------------------------


def test_a_repetition_is_answered_byte_for_byte_even_where_it_would_be_refused_by_now(
    tmp_path: Path,
) -> None:
    async def test(client: Client) -> None:
        key = {"Idempotency-Key": "k"}
        body = {"text": "hi", "numbers": [ALICE, "12"], "id_phone": 1}
        first = await client.post(json=body, headers=key)
        assert (first.status, first.headers["X-Smsd-Invalid-Numbers"]) == (200, "12")
        for _ in range(2):
            again = await client.post(json=body, headers=key)
            assert (again.status, again.body) == (200, first.body)
            same = ("X-Smsd-Invalid-Numbers", "Content-Type", "Content-Length")
            assert [again.headers[name] for name in same] == [first.headers[name] for name in same]
            client.rig.phones._phones.clear()  # the phone asked for is gone: a new one is refused
        assert (await client.post(json=body)).error[:2] == (400, 2)
        other = await client.post(json=body | {"text": "other"}, headers=key)
        assert other.error[:2] == (409, 2)
        unknown = await client.post(json=body, headers={"Idempotency-Key": "new"})
        assert unknown.error[:2] == (400, 2)
        assert len(await client.rig.rows("message")) == 1

    served(tmp_path, test)


def test_form_and_json_that_ask_the_same_are_the_same_and_another_path_is_not(
    tmp_path: Path,
) -> None:
    async def test(client: Client) -> None:
        key = {"Idempotency-Key": "k"}
        first = await client.post("/api/scheduled/", data=FIELDS, headers=key)
        again = await client.post("/api/scheduled", json=FIELDS, headers=key)
        assert again.body == first.body
        assert REPEATABLE.total_seconds() == 24 * 3600

    served(tmp_path, test)
