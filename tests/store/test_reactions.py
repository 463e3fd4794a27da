"""What the store keeps of STOPs, commands, webhooks and dead letters."""

import asyncio
from typing import Any

import pytest

from smsd.model.events import Incoming
from smsd.model.reactions import Answer, Heard, Order, Reaction
from smsd.store.commands import Ending
from smsd.store.database import Conflict, StoreUnavailable
from smsd.store.webhooks import MOST_WEBHOOKS, WebhookDraft
from tests.rig import ALICE, BOB, Rig, Scripted, draft
from tests.virtual_time import START, run

HOOK = WebhookDraft("https://example.org/", ("receive_sms",), "smsd", "s" * 16)


def answer(rule: str = "autoreply a", **more: Any) -> Answer:
    values = {"every": 0.0, "per_hour": 5, "number": ALICE, **more}
    return Answer(rule, text="answer", parts=1, account=1, validity=600, **values)


async def rig_with_phone() -> Rig:
    rig = Rig()
    await rig.add("gsm0", Scripted())
    return rig


async def receive(rig: Rig, text: str, reaction: Reaction | None, key: str = "k") -> int | None:
    phone = rig.phones.all()[0].record.id
    incoming = Incoming(key, "raw", ALICE, START, text)
    return await rig.store.arrivals.receive(phone, incoming, lambda raws: None, lambda _: reaction)


def test_a_reaction_is_kept_with_its_text_and_undone_with_it() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        rig.pragma("query_only", 1)
        whole = Reaction(stop=ALICE, order=Order("pump", "on"), answer=answer("stop"), text="***")
        with pytest.raises(StoreUnavailable):
            await receive(rig, "secret", whole)
        rig.pragma("query_only", 0)
        for table in ("received", "smsstop", "command_run", "answer", "message"):
            assert await rig.rows(table) == []
        for _ in range(2):
            await receive(rig, "secret", whole)
        tables = ("received", "smsstop", "command_run", "answer", "message")
        assert [len(await rig.rows(table)) for table in tables] == [1, 1, 1, 1, 1]
        [row] = await rig.rows("received")
        assert (row["text"], row["command"]) == ("***", 1)
        [message] = await rig.rows("message")
        assert message["expires_at"] - message["created_at"] == 600_000
        rig.database.close()

    run(main())


def test_what_is_heard_is_the_whole_text_and_its_sender() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        heard: list[Heard] = []

        def react(what: Heard) -> Reaction | None:
            heard.append(what)
            return None

        phone = rig.phones.all()[0].record.id
        for incoming in (
            Incoming("k1", "raw", ALICE, START, "hello"),
            Incoming("k2", "raw", ALICE, START, None, data=b"x", ports=(1, 2)),
            Incoming("k3", "raw", ALICE, START, "silent", silent=True),
            Incoming("k4", "raw", BOB, START, None, error="cut off"),
        ):
            await rig.store.arrivals.receive(phone, incoming, lambda raws: None, react)
        assert heard == [Heard(phone, ALICE, "hello")]
        rig.database.close()

    run(main())


def test_a_message_may_be_erased_with_what_hangs_on_it() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        await receive(rig, "x", Reaction(order=Order("pump", ""), answer=answer()))
        hook = await rig.store.webhooks.create(1, HOOK)
        await rig.store.webhooks.refused(hook, 1, "HTTP 410", gone=True)
        assert len(await rig.rows("dead_letter")) == 1
        execute = rig.database._connection.execute
        execute("UPDATE message SET destination = 'erased'")
        assert [row["number"] for row in await rig.rows("answer")] == ["erased"]
        for table in ("event", "message", "incoming", "received"):
            execute(f"DELETE FROM {table}")
        for table in ("dead_letter", "answer", "command_run"):
            assert await rig.rows(table) == []
        rig.database.close()

    run(main())


def test_a_command_is_begun_once_and_ended_once() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        commands = rig.store.commands
        await receive(rig, "pump on", Reaction(order=Order("pump", "on")))
        [order] = await commands.waiting()
        assert (order["name"], order["arguments"], order["origin"], order["phone"]) == (
            "pump", "on", ALICE, "gsm0",
        )  # fmt: skip
        assert await commands.begin(1)
        assert not await commands.begin(1)
        assert await commands.waiting() == []
        assert await commands.end(1, Ending("done", 0), answer("command pump"))
        assert not await commands.end(1, Ending("failed", 1), answer("command pump"))
        assert await commands.interrupted() == []
        [row] = await rig.rows("command_run")
        assert (row["state"], row["status"]) == ("done", 0)
        assert len(await rig.rows("message")) == 1
        rig.database.close()

    run(main())


def test_only_so_many_webhooks_are_kept() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        for _ in range(MOST_WEBHOOKS):
            await rig.store.webhooks.create(1, HOOK)
        with pytest.raises(Conflict, match="the most that may be"):
            await rig.store.webhooks.create(1, HOOK)
        rig.database.close()

    run(main())


def test_the_files_webhooks_keep_their_place_and_go_with_their_names() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        webhooks = rig.store.webhooks
        made = await webhooks.create(1, HOOK)
        named = WebhookDraft("https://a.example/", ("receive_sms",), "smsd", name="a")
        other = WebhookDraft("https://b.example/", ("receive_sms",), "smsd", name="b")
        first = await webhooks.configure([named, other])
        await receive(rig, "x", None)
        assert await webhooks.configure([other, named]) == first[::-1]
        assert [hook.place for hook in await webhooks.enabled()] == [0, 0, 0]
        assert not await webhooks.remove(first[0], None)  # the file has it
        await webhooks.refused(first[0], 1, "HTTP 410", gone=True)
        assert [hook.id for hook in await webhooks.enabled()] == [made, first[1]]
        assert await webhooks.configure([named]) == [first[0]]
        assert [(hook.id, hook.place) for hook in await webhooks.enabled()] == [
            (made, 0), (first[0], 1),
        ]  # fmt: skip
        assert await webhooks.configure([]) == []
        assert [hook.id for hook in await webhooks.enabled()] == [made]
        rig.database.close()

    run(main())


def test_a_place_never_goes_back() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        hook = await rig.store.webhooks.create(1, HOOK)
        for number in range(3):
            await receive(rig, "x", None, f"k{number}")
        await rig.store.webhooks.taken(hook, 3)
        await rig.store.webhooks.taken(hook, 1)
        await rig.store.webhooks.passed(hook, 2)
        [found] = await rig.store.webhooks.enabled()
        assert found.place == 3
        rig.database.close()

    run(main())


def test_who_listens_is_told_after_the_commit_and_of_events_alone() -> None:
    async def main() -> None:
        rig = await rig_with_phone()
        told: list[int] = []
        events = "SELECT count(*) FROM event"
        execute = rig.database._connection.execute
        rig.store.webhooks.listen(lambda: told.append(execute(events).fetchone()[0]))
        await rig.store.stops.add(1, ALICE)
        await rig.store.views.counts()
        await asyncio.sleep(1)
        assert told == []
        await rig.send(draft("hello", BOB))
        await asyncio.sleep(1)
        assert told == [1]
        rig.store.webhooks.listen(None)
        await rig.send(draft("hello", BOB))
        await asyncio.sleep(1)
        assert told == [1]
        rig.database.close()

    run(main())
