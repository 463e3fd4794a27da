"""Pages as RaspiSMS cuts them, one message with its story, and counts."""

import asyncio
from typing import Any

from tests.rig import ALICE, BOB, Rig, Scripted, claimed, draft, send_part
from tests.virtual_time import run


async def ids(rig: Rig, entry: str = "message", **how: Any) -> list[int]:
    filters = {"scheduled": None, "state": None} if entry == "message" else {}
    how.setdefault("account", None)
    return [row["id"] for row in await rig.store.views.page(entry, **filters | how)]


async def rig_with_messages(n: int) -> Rig:
    rig = Rig()
    await rig.store.outgoing.schedule(1, draft("hi", *(f"+336000{i:05}" for i in range(n))))
    return rig


def test_pages_have_25_rows_by_id() -> None:
    async def main() -> None:
        rig = await rig_with_messages(60)
        assert await ids(rig) == list(range(1, 26))
        assert await ids(rig, page=2) == list(range(51, 61))
        assert await ids(rig, page=3) == await ids(rig, page=10**16) == []
        assert await ids(rig, after=0) == list(range(1, 26))
        assert await ids(rig, after=50) == list(range(51, 61))
        assert await ids(rig, before=60) == list(range(35, 60))
        assert await ids(rig, before=4) == [1, 2, 3]
        assert await ids(rig, before=1) == []
        rig.database.close()

    run(main())


def test_everybody_sees_his_own_and_the_local_user_sees_all() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        for account in (1, 2):
            await rig.store.outgoing.schedule(account, draft())
            await send_part(rig, await claimed(rig), 1, 1, "1")
        for entry in ("message", "sended"):
            assert await ids(rig, entry, account=1) == [1]
            assert await ids(rig, entry, account=2) == [2]
            assert await ids(rig, entry, account=None) == [1, 2]
            assert await ids(rig, entry, account=3) == []
        assert await rig.store.views.message(1, 2) is None
        assert await rig.store.views.message(99, None) is None
        rig.database.close()

    run(main())


def test_messages_by_request_and_state() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        await rig.store.outgoing.schedule(1, draft("hi", ALICE, BOB))
        await rig.store.outgoing.schedule(1, draft())
        await send_part(rig, await claimed(rig), 1, 1, "1")
        assert await ids(rig, scheduled=1) == [1, 2]
        assert await ids(rig, state="queued") == [2, 3]
        assert await ids(rig, scheduled=1, state="sent") == [1]
        rig.database.close()

    run(main())


def test_the_story_of_a_message() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", Scripted())
        message = await rig.send(draft(parts=2))
        taken = await claimed(rig)
        await send_part(rig, taken, 1, 2, "10")
        await send_part(rig, taken, 2, 2, "11")
        story = await rig.story(message)
        assert [change["state"] for change in story["changes"]] == ["queued", "claimed", "sent"]
        [attempt] = story["attempts"]
        assert attempt["phone"] == "gsm0"
        assert [(p["number"], p["reference"]) for p in attempt["parts"]] == [(1, "10"), (2, "11")]
        rig.database.close()

    run(main())


def test_counts() -> None:
    async def main() -> None:
        rig = Rig()
        assert await rig.store.views.counts() == {
            "queued": 0, "claimed": 0, "uncertain": 0, "oldest": 0,
        }  # fmt: skip
        await rig.add("gsm0", Scripted())
        for _ in range(3):
            await rig.send(draft())
        await claimed(rig)
        await asyncio.sleep(7)
        assert await rig.store.views.counts() == {
            "queued": 2, "claimed": 1, "uncertain": 0, "oldest": 7000,
        }  # fmt: skip
        rig.database.close()

    run(main())
