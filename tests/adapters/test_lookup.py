"""What is in doubt, looked for in a provider's list: found and settled, or in doubt as before."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from smsd.adapters.cloud.codec import Reply
from smsd.adapters.cloud.lookup import Listed, found
from smsd.adapters.cloud.smsmode import Smsmode
from smsd.adapters.contract import PhoneError, Uncertain
from smsd.model.events import Awaited, Doubt, LateAnswer
from smsd.model.message import AttemptId
from tests.adapters.test_cloud import ACCEPTED, account, closes
from tests.virtual_time import now, run

AT = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
ALICE, BOB = "+33612345678", "+33687654321"


def doubt(attempt: int = 1, *, to: str = ALICE, text: str = "hi", flight: bool = False) -> Doubt:
    return Doubt(AttemptId(attempt), 1, to, text, AT, in_flight=flight)


def listed(id_: str = "a", *, to: str = ALICE, text: str = "hi", after: float = -30.0) -> Listed:
    return Listed(id_, AT + timedelta(seconds=after), to.removeprefix("+"), text)


def test_one_that_is_listed_was_taken() -> None:
    assert found([doubt()], [listed("b", to=BOB), listed()], []) == {doubt(): "a"}
    assert found([doubt(text="a  b\nc")], [listed(text=" a b c")], []) != {}


@pytest.mark.parametrize(
    "other",
    [
        listed(to=BOB),
        listed(text="hi there"),
        listed(text="h"),
        listed(after=-200),
        listed(after=700),
    ],
)
def test_one_that_is_not_listed_stays_in_doubt(other: Listed) -> None:
    assert found([doubt()], [other], []) == {}
    assert found([doubt()], [], []) == {}


def test_an_id_belongs_to_one_message() -> None:
    assert found([doubt()], [listed()], ["a"]) == {}
    assert found([doubt()], [listed("b"), listed()], ["a"]) == {doubt(): "b"}


def test_of_equals_all_are_found_or_none() -> None:
    equals = [doubt(1), doubt(2)]
    assert found(equals, [listed()], []) == {}
    assert found(equals, [listed("b", after=30), listed()], []) == {
        equals[0]: "a", equals[1]: "b",
    }  # fmt: skip
    # An equal one that is being sent may be the one that is listed.
    assert found([doubt(1), doubt(2, flight=True)], [listed(), listed("b")], []) == {}
    assert found([doubt(1), doubt(2, flight=True, to=BOB)], [listed()], []) == {doubt(1): "a"}


def read(text: str, status: int = 200) -> list[Listed]:
    return Smsmode("t").listed(Reply(status, text.encode("iso-8859-15"), "ISO-8859-15"))


def test_the_list_of_smsmode_is_read() -> None:
    summer = ZoneInfo("Europe/Paris")
    text = (
        "S7EpYZ5kmS87 | 02/07/2026 14:05 | Un texte | à barres\net lignes | 33612345678 | 1.0 | 1 |"
        "\n\n12345678 | 02072026-14:04 | 5€ | +33687654321 | 2,5 | 1\r\n\r\n"
        "abcd | 02/07/2026 14:03 |  | 33612345678 | -1 | 1 |"
    )
    assert read(text) == [
        Listed("S7EpYZ5kmS87", datetime(2026, 7, 2, 14, 5, tzinfo=summer), "33612345678",
               "Un texte | à barres\net lignes"),
        Listed("12345678", datetime(2026, 7, 2, 14, 4, tzinfo=summer), "33687654321", "5€"),
        Listed("abcd", datetime(2026, 7, 2, 14, 3, tzinfo=summer), "33612345678", ""),
    ]  # fmt: skip
    assert read("") == read(" \n") == []


@pytest.mark.parametrize(
    ("text", "status"),
    [("35 | Parametre", 200), ("<html>maintenance</html>", 200), ("", 500), ("32 | x |", 200),
     ("a | 31/02/2026 10:00 | x | 33612345678 | 1 | 1 |", 200)],
)  # fmt: skip
def test_what_is_no_list_is_no_empty_one(text: str, status: int) -> None:
    with pytest.raises(PhoneError):
        read(text, status)


def list_of(*texts: str) -> bytes:
    at = now().astimezone(ZoneInfo("Europe/Paris"))
    return "\n\n".join(
        f"id{n} | {at:%d/%m/%Y %H:%M} | {text} | 33612345678 | 1.0 | 1 |"
        for n, text in enumerate(texts)
    ).encode()


def test_a_message_whose_answer_was_lost_is_settled_by_the_list() -> None:
    async def main() -> None:
        async with account({"sendSMS": closes, "smsList": list_of("hello")}) as phone:
            with pytest.raises(Uncertain):
                await phone.send()
            phone.sink.doubted = [Doubt(AttemptId(7), 1, ALICE, "hello", now())]
            await asyncio.sleep(6)
            assert phone.sink.late == [LateAnswer(AttemptId(7), 1, "id0")]
            await asyncio.sleep(600)
            assert len(phone.sink.late) == 1
            asked = [request for request in phone.server.requests if b"smsList" in request]
            assert len(asked) == 1  # nothing is in doubt any more

    run(main())


def test_what_the_list_lacks_stays_in_doubt_and_is_looked_for_three_times() -> None:
    async def main() -> None:
        shown_at_last = list_of("hello")
        async with account({"sendSMS": closes, "smsList": list_of("other")}) as phone:
            with pytest.raises(Uncertain):
                await phone.send()
            phone.sink.doubted = [Doubt(AttemptId(7), 1, ALICE, "hello", now())]
            await asyncio.sleep(3600)
            assert phone.sink.late == []
            asked = [request for request in phone.server.requests if b"smsList" in request]
            assert len(asked) == 3
            # A new doubt, and the old one with it.
            phone.server.on["smsList"] = shown_at_last
            with pytest.raises(Uncertain):
                await phone.send("again")
            await asyncio.sleep(6)
            assert [answer.reference for answer in phone.sink.late] == ["id0"]

    run(main())


def test_a_list_that_does_not_answer_is_asked_until_it_does() -> None:
    async def main() -> None:
        async with account({"sendSMS": closes, "smsList": closes}) as phone:
            with pytest.raises(Uncertain):
                await phone.send()
            phone.sink.doubted = [Doubt(AttemptId(7), 1, ALICE, "hello", now())]
            await asyncio.sleep(600)
            assert phone.sink.late == []
            phone.server.on["smsList"] = list_of("hello")
            await asyncio.sleep(3600)
            assert [answer.reference for answer in phone.sink.late] == ["id0"]

    run(main())


def test_what_was_left_in_doubt_before_a_restart_is_looked_for() -> None:
    async def main() -> None:
        async with account({"sendSMS": ACCEPTED, "smsList": list_of("hello")}) as phone:
            phone.sink.waiting = [Awaited("other", ALICE, now())]
            phone.sink.doubted = [Doubt(AttemptId(3), 1, ALICE, "hello", now())]
            await asyncio.sleep(10)
            assert phone.sink.late == [LateAnswer(AttemptId(3), 1, "id0")]

    run(main())
