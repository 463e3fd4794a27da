"""A phone's own requests by HTTP: who may, what is refused, and how it is told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from smsd.adapters.abilities import Answered, WireLine
from smsd.adapters.contract import Declined, PhoneError, Rejected, Throttled, Unavailable
from smsd.at import console
from smsd.model.events import CallBegan, CallEnded, Incoming
from smsd.model.phone import Health
from smsd.model.ussd import UssdReply, UssdStatus
from tests.api.test_api import Client, at_the_socket
from tests.rig import ALICE, Scripted, fault
from tests.virtual_time import START

BAD = "You have specified an invalid parameter : "


class Talking(Scripted):
    """A phone with a wire and a network that answer as written."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.fails: PhoneError | None = None

    async def ussd(self, code: str) -> UssdReply:
        return self._reply(code, UssdStatus.ANSWER_WANTED, "1 Solde\n2 Fin")

    async def ussd_answer(self, text: str) -> UssdReply:
        return self._reply(text, UssdStatus.DONE, "5 EUR")

    async def ussd_cancel(self) -> None:
        self._reply("cancel", UssdStatus.DONE, "")

    def _reply(self, text: str, status: UssdStatus, words: str) -> UssdReply:
        if self.fails is not None:
            raise self.fails
        self.asked.append(text)
        return UssdReply(status, words)

    async def command(self, line: str, *, force: bool, timeout: float) -> Answered:
        console.check(console.parse(line), force=force)
        if self.fails is not None:
            raise self.fails
        self.asked.append(f"{line} {timeout:g}")
        return Answered(("+CSQ: 20,99",), "OK")

    async def wire(self, after: int, wait: float) -> Sequence[WireLine]:
        self.asked.append(f"after {after} wait {wait:g}")
        return [WireLine(7, 1.5, ">", "AT+CSQ")]


Test = Callable[[Client, Talking], Awaitable[None]]


def served(folder: Path, test: Test, **how: Any) -> None:
    async def main() -> None:
        async with at_the_socket(folder, **how) as client:
            phone = Talking()
            await client.rig.add("gsm1", phone)
            await test(client, phone)

    asyncio.run(main())


def test_a_ussd_dialogue(tmp_path: Path) -> None:
    async def test(client: Client, phone: Talking) -> None:
        for path in ("/api/phone/2/ussd/", "/api/phone/2/ussd"):
            answer = await client.post(path, key=None, data={"code": "*123#"})
            assert answer.body["response"] == {
                "status": "answer_wanted", "text": "1 Solde\n2 Fin",
            }  # fmt: skip
        answer = await client.post(path, key=None, data={"answer": "1"})
        assert answer.body["response"] == {"status": "done", "text": "5 EUR"}
        answer = await client.post(path, key=None, json={"cancel": 1})
        assert answer.body["response"]["status"] == "cancelled"
        assert phone.asked == ["*123#", "*123#", "1", "cancel"]

    served(tmp_path, test)


def test_what_is_no_question_is_refused(tmp_path: Path) -> None:
    async def test(client: Client, phone: Talking) -> None:
        path = "/api/phone/2/ussd/"
        assert (await client.post(path, key=None)).error[:2] == (400, 4)
        assert (await client.post(path, key=None, data={"code": ""})).error[:2] == (400, 4)
        both = await client.post(path, key=None, data={"code": "*1#", "answer": "1"})
        assert both.error[:2] == (400, 2)
        for odd in ({"code": {"a": 1}}, {"answer": 1}, {"code": ["*1#"]}):
            assert (await client.post(path, key=None, json=odd)).error == (
                400, 2, f"{BAD}{next(iter(odd))} must be a text.",
            )  # fmt: skip
        for unknown in ("9", "x", "9" * 30):
            missing = await client.post(
                f"/api/phone/{unknown}/ussd/", key=None, data={"code": "*1#"}
            )
            assert missing.error == (404, 2, BAD + "no phone has this id.")
        assert phone.asked == []

    served(tmp_path, test)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable(fault(words="the modem is not ready")), 503),
        (Declined(fault(words="it cannot")), 400),
        (Rejected(fault(words="it never goes")), 400),
        (Throttled(fault(words="another dialogue"), retry_after=1.0), 409),
    ],
)
def test_what_a_phone_says_no_to(tmp_path: Path, error: PhoneError, status: int) -> None:
    async def test(client: Client, phone: Talking) -> None:
        phone.fails = error
        for path, data in (("ussd", {"code": "*1#"}), ("at", {"command": "AT"})):
            answer = await client.post(f"/api/phone/2/{path}/", key=None, data=data)
            assert answer.error[:2] == (status, 128)
            assert error.fault.words in answer.error[2]

    served(tmp_path, test)


def test_a_phone_that_is_not_ready_says_why(tmp_path: Path) -> None:
    async def test(client: Client, phone: Talking) -> None:
        phone.fails = Unavailable(fault(words="the modem is not ready"))
        told = client.rig.phones[2]
        for words, hint, shown in (
            ("/dev/ttyUSB0 is being set up", None, "/dev/ttyUSB0 is being set up."),
            ("the SIM wants a PIN", "set pin", "the SIM wants a PIN (set pin)."),
        ):
            client.rig.phones.set_health(told, Health.UNAVAILABLE, words, hint=hint)
            for path, data in (("ussd", {"code": "*1#"}), ("at", {"command": "AT"})):
                answer = await client.post(f"/api/phone/2/{path}/", key=None, data=data)
                assert answer.error[:2] == (503, 128)
                assert answer.error[2].endswith(shown)
                assert "not ready" not in answer.error[2]
        told.disabled = True
        answer = await client.post("/api/phone/2/at/", key=None, data={"command": "AT"})
        assert answer.error[2].endswith("the phone is disabled.")

    served(tmp_path, test)


def test_an_at_command(tmp_path: Path) -> None:
    async def test(client: Client, phone: Talking) -> None:
        path = "/api/phone/2/at/"
        answer = await client.post(path, key=None, data={"command": "AT+CSQ"})
        assert answer.body["response"] == {"lines": ["+CSQ: 20,99"], "result": "OK"}
        await client.post(path, key=None, data={"command": "ATZ", "force": 1, "timeout": "5"})
        assert phone.asked == ["AT+CSQ 30", "ATZ 5"]
        for fields, words in (
            ({"command": "ATZ"}, "force=1"),
            ({"command": "AT+CMGD=1", "force": 1}, "smsd deletes"),
            ({"command": "AT\rAT"}, "printable"),
            ({"command": "AT", "timeout": "0.1"}, "1 to 180 seconds"),
            ({"command": "AT", "timeout": "soon"}, "a number"),
            ({"command": "AT", "timeout": "-1"}, "a number"),
        ):
            refused = await client.post(path, key=None, data=fields)
            assert refused.error[:2] == (400, 2)
            assert words in refused.error[2]
        for nothing in ({}, {"command": " "}, {"command[]": "AT"}):
            assert (await client.post(path, key=None, data=nothing)).error[:2] == (400, 4)
        assert len(phone.asked) == 2

    served(tmp_path, test)


def test_the_wire(tmp_path: Path) -> None:
    async def test(client: Client, phone: Talking) -> None:
        [line] = (await client.get("/api/phone/2/trace/", key=None)).body["response"]
        assert line == {
            "number": 7, "at": "2026-03-02T11:59:58.500+00:00", "age": 1.5, "direction": ">",
            "text": "AT+CSQ",
        }  # fmt: skip
        await client.get("/api/phone/2/trace/?after=7&wait=900", key=None)
        assert phone.asked == ["after 0 wait 0", "after 7 wait 25"]
        assert (await client.get("/api/phone/2/trace/?after=x", key=None)).error[:2] == (400, 2)

    served(tmp_path, test)


def test_a_phone_without_wire_and_network_says_so(tmp_path: Path) -> None:
    async def test(client: Client, _: Talking) -> None:
        for answer in (
            await client.post("/api/phone/1/ussd/", key=None, data={"code": "*1#"}),
            await client.post("/api/phone/1/at/", key=None, data={"command": "AT"}),
            await client.get("/api/phone/1/trace/", key=None),
        ):
            assert answer.error[:2] == (400, 2)
            assert "this phone cannot" in answer.error[2]

    served(tmp_path, test)


def test_only_an_administrator_may(tmp_path: Path) -> None:
    async def test(client: Client, phone: Talking) -> None:
        for answer in (
            await client.post("/api/phone/2/ussd/", data={"code": "*1#"}, key="wrong"),
            await client.post("/api/phone/2/at/", data={"command": "AT"}, key="wrong"),
            await client.get("/api/phone/2/trace/", key="wrong"),
        ):
            assert answer.error[:2] == (401, 1)
        assert phone.asked == []

    served(tmp_path, test)


def test_the_inbox_tells_what_raspisms_has_no_field_for(tmp_path: Path) -> None:
    async def test(client: Client, _: Talking) -> None:
        [phone, *_rest] = client.rig.phones.all()
        for key, text in (("a", "old"), ("b", "new")):
            incoming = Incoming(key, "raw", ALICE, START, text, flash=True, replaces=1)
            await client.rig.store.arrivals.receive(phone.record.id, incoming, lambda _: None)
        first, second = (await client.get("/api/list/inbox/")).body["response"]
        at = "2026-03-02T12:00:00.000+00:00"
        assert first == {
            "id": 1, "at": at, "sent_at": at, "origin": ALICE, "text": "old", "kind": "text",
            "flash": True, "complete": True, "replaced_by": 2, "id_phone": 1,
        }  # fmt: skip
        assert second["replaced_by"] is None
        [shown] = (await client.get("/api/list/received/")).body["response"]
        assert shown["text"] == "new"

    served(tmp_path, test)


def test_calls_and_datagrams_are_listed(tmp_path: Path) -> None:
    async def test(client: Client, _: Talking) -> None:
        [phone, *_rest] = client.rig.phones.all()
        calls = client.rig.store.calls
        await calls.begin(phone.record.id, CallBegan("c1", ""))
        await calls.begin(phone.record.id, CallBegan("c1", ALICE))
        await calls.end(CallEnded("c1"))
        await calls.end(CallEnded("c1"))
        await calls.begin(phone.record.id, CallBegan("c2", ""))
        first, second = (await client.get("/api/list/call/")).body["response"]
        at = "2026-03-02 12:00:00"
        assert first == {
            "id": 1, "id_user": 1, "id_phone": 1, "uid": "c1", "start": at, "end": at,
            "direction": "inbound", "origin": ALICE, "destination": None, "created_at": at,
            "updated_at": at,
        }  # fmt: skip
        assert (second["end"], second["origin"]) == (None, "")
        kinds = [row["kind"] for row in await client.rig.rows("event")]
        assert kinds == ["call", "call", "call ended", "call"]
        assert (await client.get("/api/list/datagram/")).body["response"] == []

    served(tmp_path, test)
