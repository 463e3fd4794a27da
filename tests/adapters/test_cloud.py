"""The cloud adapter against a server that misbehaves in every way that matters."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from smsd.adapters.cloud.adapter import LONGEST_BODY, PATIENCE, PROBE_EVERY, CloudAdapter
from smsd.adapters.cloud.smsmode import Smsmode
from smsd.adapters.contract import Declined, PhoneError, Rejected, Unavailable, Uncertain
from smsd.model.events import Awaited, Verdict
from smsd.model.phone import Health
from tests.adapters.scripted import Notes, Steps, submission, until
from tests.virtual_time import START, run

TOKEN = "secret-token"
ACCEPTED = b"0 | Accepte | id1"
Behaviour = Callable[["Server", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """Speaks HTTP as badly as it is told; answers by the request's last word."""

    on: dict[str, bytes | Behaviour] = field(default_factory=dict)
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            request = head + await reader.readexactly(length)
            self.requests.append(request)
            name = request.split(b".do")[0].rpartition(b"/")[2].decode()
            behaviour = self.on.get(name, b"212.5" if name == "credit" else b"")
            if isinstance(behaviour, bytes):
                writer.write(answer(behaviour))
            else:
                await behaviour(self, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def sendings(self) -> list[bytes]:
        return [request for request in self.requests if b"/sendSMS.do" in request]


def answer(body: bytes, status: str = "200 OK", extra: str = "", length: int = -1) -> bytes:
    size = len(body) if length < 0 else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\n{extra}Content-Length: {size}\r\n"
    return head.encode() + b"\r\n" + body


def says(octets: bytes) -> Behaviour:
    async def behave(server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)

    return behave


def in_pieces(octets: bytes) -> Behaviour:
    async def behave(server: Server, writer: asyncio.StreamWriter) -> None:
        for octet in octets:
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(0.01)

    return behave


async def closes(server: Server, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def hangs(server: Server, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(100_000)


@dataclass
class Account:
    adapter: CloudAdapter
    sink: Notes
    server: Server

    async def send(self, text: str = "hello") -> Steps:
        steps = Steps()
        await self.adapter.send(submission(text, 7), steps)
        return steps


@asynccontextmanager
async def account(on: dict[str, bytes | Behaviour], *, up: bool = True) -> AsyncIterator[Account]:
    server = Server(on)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    sink = Notes()
    adapter = CloudAdapter(Smsmode(TOKEN, base_url=f"http://127.0.0.1:{server.port}/http"))
    if not up:
        listener.close()
        await listener.wait_closed()
    task = asyncio.get_running_loop().create_task(adapter.run(sink))
    try:
        await until(lambda: sink.healths or not up or adapter._failures)
        await asyncio.sleep(0.1)
        yield Account(adapter, sink, server)
    finally:
        task.cancel()
        await asyncio.wait([task])
        listener.close()
        for other in asyncio.all_tasks() - {asyncio.current_task()}:
            other.cancel()
        await asyncio.sleep(0.1)


def ends(behaviour: bytes | Behaviour, expected: type[PhoneError], *, up: bool = True) -> None:
    async def main() -> None:
        async with account({"sendSMS": behaviour}, up=up) as phone:
            with pytest.raises(PhoneError) as raised:
                await phone.send()
            assert type(raised.value) is expected
            assert TOKEN not in str(raised.value)
            assert TOKEN not in repr(raised.value.fault)
            assert len(phone.server.sendings()) == (1 if up else 0)

    run(main())


# Out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [
        ACCEPTED,
        says(answer(ACCEPTED, "201 Created")),
        in_pieces(answer(ACCEPTED)),
        in_pieces(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"4\r\n0 | \r\n9\r\nAccepte |\r\n4\r\n id1\r\n0\r\n\r\n"
        ),
        says(b"HTTP/1.0 200 OK\r\n\r\n" + ACCEPTED),
    ],
)
def test_an_accepted_message(behaviour: bytes | Behaviour) -> None:
    async def main() -> None:
        async with account({"sendSMS": behaviour}) as phone:
            steps = await phone.send("5€ à 10h")
            assert steps.begun == [1]
            assert steps.completed == [(1, "id1")]
            [request] = phone.server.sendings()
            assert request.startswith(b"POST /http/1.6/sendSMS.do HTTP/1.1")
            assert TOKEN.encode() not in request.split(b"\r\n")[0]
            assert b"message=5%A4+%E0+10h" in request

    run(main())


@pytest.mark.parametrize(
    "behaviour",
    [
        closes,
        hangs,
        says(b""),
        says(b"rubbish\r\n\r\n"),
        says(answer(ACCEPTED, length=100)),
        says(answer(b"33 | Credits", length=100)),
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0 | \r\n"),
        says(answer(b"", "500 Oops")),
        says(answer(b"<html>", "502 Bad Gateway")),
        says(answer(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n")),
        b"<html>maintenance</html>",
        b"0 | Accepte",
        b"31 | Erreur interne",
        b"x" * (LONGEST_BODY + 1),
        says(answer(ACCEPTED, extra="Content-Encoding: gzip\r\n")),
    ],
)
def test_whatever_is_no_clear_answer_is_a_doubt_and_is_asked_once(
    behaviour: bytes | Behaviour,
) -> None:
    ends(behaviour, Uncertain)


def test_a_redirect_is_not_followed() -> None:
    async def main() -> None:
        async with account({}) as phone:
            place = f"Location: http://127.0.0.1:{phone.server.port}/http/1.6/other.do\r\n"
            phone.server.on["sendSMS"] = says(answer(b"", "307 Temporary", place))
            with pytest.raises(Uncertain):
                await phone.send()
            assert not any(b"other.do" in request for request in phone.server.requests)

    run(main())


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (b"33 | Credits insuffisants", Unavailable),
        (b"32 | Erreur", Unavailable),
        (b"35 | Parametre", Declined),
        (says(answer(b"<html>", "403 Forbidden")), Unavailable),
    ],
)
def test_a_refusal_is_one(behaviour: bytes | Behaviour, expected: type[PhoneError]) -> None:
    ends(behaviour, expected)


def test_a_connection_that_is_refused_proves_that_nothing_was_sent() -> None:
    ends(b"", Unavailable, up=False)


@pytest.mark.parametrize("base_url", ["http://", "nonsense", "http://127.0.0.1:99999/"])
def test_an_address_that_is_none_is_no_doubt(base_url: str) -> None:
    async def main() -> None:
        adapter = CloudAdapter(Smsmode(TOKEN, base_url=base_url))
        task = asyncio.get_running_loop().create_task(adapter.run(Notes()))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await adapter.send(submission(), Steps())
        task.cancel()
        await asyncio.wait([task])

    run(main())


def test_nothing_is_begun_for_what_cannot_be_sent() -> None:
    async def main() -> None:
        async with account({}) as phone:
            steps = Steps()
            with pytest.raises(Rejected):
                await phone.adapter.send(submission(destination="BANK"), steps)
            assert steps.begun == []

    run(main())


def test_an_adapter_that_does_not_run_sends_nothing() -> None:
    async def main() -> None:
        adapter = CloudAdapter(Smsmode(TOKEN))
        await adapter.check()
        with pytest.raises(Unavailable, match="not running"):
            await adapter.send(submission(), Steps())
        assert adapter.capabilities.cloud

    run(main())


def test_a_connection_serves_one_sending() -> None:
    async def main() -> None:
        async with account({"sendSMS": ACCEPTED}) as phone:
            await phone.send()
            await phone.send()
            assert len(phone.server.sendings()) == 2
            assert all(b"connection: close" in one.lower() for one in phone.server.sendings())

    run(main())


def test_cancelling_a_sending_leaves_the_account_usable() -> None:
    async def main() -> None:
        async with account({"sendSMS": hangs}) as phone:
            task = asyncio.get_running_loop().create_task(phone.send())
            await until(phone.server.sendings)
            task.cancel()
            await asyncio.wait([task])
            phone.server.on["sendSMS"] = ACCEPTED
            assert (await phone.send()).completed == [(1, "id1")]

    run(main())


# Health ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "health"),
    [
        (b"212.5", Health.AVAILABLE),
        (b"-3", Health.AVAILABLE),
        (b"0", Health.NO_CREDIT),
        (b"32 | Erreur d'authentification", Health.UNAVAILABLE),
        (says(answer(b"", "429 Too Many")), Health.LIMIT_REACHED),
    ],
)
def test_what_the_account_says_counts_at_once(behaviour: bytes | Behaviour, health: Health) -> None:
    async def main() -> None:
        async with account({"credit": behaviour}) as phone:
            assert [one for one, _ in phone.sink.healths] == [health]

    run(main())


@pytest.mark.parametrize(
    "behaviour", [closes, says(answer(b"", "503 Busy")), b"31 | Erreur", b"<html>"]
)
def test_a_provider_that_stumbles_is_given_patience(behaviour: bytes | Behaviour) -> None:
    async def main() -> None:
        async with account({"credit": b"1"}) as phone:
            phone.server.on["credit"] = behaviour
            for _ in range(PATIENCE - 1):
                await phone.adapter.check()
            assert [one for one, _ in phone.sink.healths] == [Health.AVAILABLE]
            await phone.adapter.check()
            phone.server.on["credit"] = b"1"
            await asyncio.sleep(PROBE_EVERY)
            told = [one for one, _ in phone.sink.healths]
            assert told == [Health.AVAILABLE, Health.UNAVAILABLE, Health.AVAILABLE]

    run(main())


# Reports ---------------------------------------------------------------------------------------


def test_a_report_is_asked_for_until_it_has_come() -> None:
    async def main() -> None:
        async with account({"sendSMS": ACCEPTED, "compteRendu": b"33612345678 0"}) as phone:
            await phone.send()
            phone.sink.waiting = [Awaited("id1", "+33612345678", START)]
            await phone.send()
            await until(lambda: phone.sink.reports, within=5.0)
            assert phone.sink.reports[0].verdict is Verdict.TRYING
            phone.sink.waiting = [Awaited("id1", "+33612345678", START)]
            phone.server.on["compteRendu"] = b"33612345678 11"
            await until(lambda: len(phone.sink.reports) == 2, within=4000.0)
            assert phone.sink.reports[1].verdict is Verdict.DELIVERED

    run(main())


@pytest.mark.parametrize(
    "behaviour",
    [b"33612345678 0", b"33612345678 11", b"61 | SMS non trouve", closes, b"<html>"],
)
def test_a_report_that_stays_awaited_is_asked_for_less_and_less(
    behaviour: bytes | Behaviour,
) -> None:
    async def main() -> None:
        async with account({"compteRendu": behaviour}) as phone:
            sink = phone.sink

            async def awaited() -> list[Awaited]:
                return [Awaited("id1", "+33612345678", START)]

            sink.awaited = awaited  # type: ignore[method-assign]
            phone.server.on["sendSMS"] = ACCEPTED
            await phone.send()
            await asyncio.sleep(3600)
            asked = [one for one in phone.server.requests if b"compteRendu" in one]
            assert 5 <= len(asked) <= 24  # the library asks twice where the connection closed

    run(main())


def test_a_message_sent_while_reports_are_asked_for_is_not_forgotten() -> None:
    async def main() -> None:
        async with account({"sendSMS": ACCEPTED}) as phone:

            async def slow(server: Server, writer: asyncio.StreamWriter) -> None:
                await phone.send()
                phone.sink.waiting = [Awaited("id2", "+33612345678", START)]
                phone.server.on["compteRendu"] = b"33612345678 11"
                writer.write(answer(b"61 | inconnu"))

            phone.server.on["compteRendu"] = slow
            phone.sink.waiting = [Awaited("id1", "+33612345678", START)]
            await phone.send()
            await until(lambda: phone.sink.reports, within=10.0)
            assert phone.sink.reports[0].reference == "id2"

    run(main())


def test_no_log_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with account({"credit": closes, "sendSMS": closes}) as phone:
            with pytest.raises(Uncertain):
                await phone.send()

    with caplog.at_level(logging.DEBUG):
        run(main())
    assert TOKEN not in caplog.text
