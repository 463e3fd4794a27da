"""What the log says, and above all what it never says."""

import asyncio
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from smsd.adapters.contract import PhoneLost, Rejected, Throttled, Unavailable, Uncertain
from smsd.api.auth import Doorkeeper, Key
from smsd.api.server import application, serving, unix_socket
from smsd.dispatch.inbox import Inbox
from smsd.logs import JournalHandler, TerminalFormatter, fields, set_up, short
from smsd.model.events import Incoming, Report, Verdict
from smsd.model.phone import Health
from tests.rig import ALICE, BOB, Rig, Scripted, draft, fault, raises, takes
from tests.virtual_time import START, run

TEXT, KEY, PIN = "the text that nobody may read", "k3y-" * 8, "86421357"


@contextmanager
def journal(tmp_path: Path) -> Iterator[tuple[JournalHandler, socket.socket]]:
    path = str(tmp_path / "journal")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        handler = JournalHandler(path)
        try:
            yield handler, listening
        finally:
            handler.close()


def record(said: str, level: int = logging.INFO, **values: object) -> logging.LogRecord:
    made = logging.LogRecord("smsd.test", level, "x.py", 1, said, None, None)
    made.__dict__.update(fields(**values))
    return made


def read(octets: bytes) -> dict[str, str]:
    """A datagram of the journal's native protocol."""
    found = {}
    while octets:
        line, _, octets = octets.partition(b"\n")
        key, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(octets[:8], "little")
            value, octets = octets[8 : 8 + size], octets[9 + size :]
        found[key.decode()] = value.decode()
    return found


def test_a_line_for_people() -> None:
    formatter = TerminalFormatter()
    line = formatter.format(record("message sent", message=42, phone="gsm0", hint=None))
    assert line[8:] == " INFO message sent message=42 phone=gsm0"
    assert "\n" not in formatter.format(record("odd", reason="two\nlines"))
    assert formatter.format(record("plain")).endswith("plain")


def test_a_traceback_follows_its_line() -> None:
    made = record("it failed", logging.ERROR, phone="gsm0")
    try:
        raise ValueError("why")
    except ValueError:
        made.exc_info = sys.exc_info()
    first, *rest = TerminalFormatter().format(made).splitlines()
    assert first.endswith("it failed phone=gsm0")
    assert rest[-1] == "ValueError: why"


def test_the_journal_gets_fields(tmp_path: Path) -> None:
    with journal(tmp_path) as (handler, listening):
        handler.emit(record("message sent", logging.WARNING, message_id=42, phone="gsm0"))
        found = read(listening.recv(65_536))
    assert found == {
        "MESSAGE": "message sent message_id=42 phone=gsm0", "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "smsd", "SMSD_LOGGER": "smsd.test", "SMSD_MESSAGE_ID": "42",
        "SMSD_PHONE": "gsm0",
    }  # fmt: skip


@pytest.mark.parametrize("value", ["two\nlines", "a=b\nMESSAGE=forged", "é😀", "\ud800", ""])
def test_no_value_breaks_the_journal_or_forges_a_field(tmp_path: Path, value: str) -> None:
    with journal(tmp_path) as (handler, listening):
        handler.emit(record("odd", reason=value))
        found = read(listening.recv(65_536))
    assert found["SMSD_REASON"] == value.replace("\ud800", "?")
    assert found["MESSAGE"].startswith("odd")


def test_a_journal_that_is_gone_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with journal(tmp_path) as (handler, _):
        (tmp_path / "journal").unlink()
        handler.emit(record("nobody hears this"))
    assert "nobody hears this" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "shown"),
    [(ALICE, "+33…678"), ("36789", "36789"), ("InfoPromo", "Inf…omo"), ("", "")],
)
def test_numbers_are_shortened(number: str, shown: str) -> None:
    assert short(number) == shown


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:], root.level = handlers, level


@pytest.mark.usefixtures("restored_logging")
def test_without_a_journal_it_goes_to_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    set_up("info")
    logging.getLogger("smsd.test").info("hello", extra=fields(phone="gsm0"))
    logging.getLogger("smsd.test").debug("silence")
    assert capsys.readouterr().err.endswith(" INFO hello phone=gsm0\n")


def test_no_text_key_pin_or_full_number_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Every kind of ending, in and out, at the most talkative level."""

    async def main() -> None:
        rig = Rig()
        answers = [
            raises(Uncertain(fault())), raises(Rejected(fault())),
            raises(Throttled(fault(), retry_after=1)),
            raises(PhoneLost(fault())), raises(RuntimeError("a fault of ours")),
            raises(Unavailable(fault())), takes(),
        ]  # fmt: skip
        phone = await rig.add("gsm0", Scripted(*answers))
        sink = Inbox(phone, rig.phones, rig.store)
        async with rig.sending():
            for _ in range(8):
                await rig.send(draft(TEXT))
                await asyncio.sleep(100)
                sink.health(Health.AVAILABLE)
                await asyncio.sleep(100)
            await sink.received(Incoming("k", "raw", BOB, START, TEXT))
            await sink.received(Incoming("e", TEXT, error="cut off"))
            report = Report("1", ALICE, Verdict.DELIVERED, "TP-ST 00", "delivered", key="r")
            await sink.reported(report)
            await sink.pin_may_be_tried("sim", PIN, None)
            rig.pragma("query_only", 1)
            await asyncio.sleep(20)
        rig.database.close()

    caplog.set_level(logging.DEBUG)
    run(main())
    assert_silent(caplog)
    assert "message sent" in caplog.text
    assert "message not sent" in caplog.text


def test_requests_good_and_bad_leave_no_secret_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "db", now=lambda: START)
        door = Doorkeeper([Key(1, KEY, suspended=False)], {})
        path = str(tmp_path / "s")
        async with (
            serving(application(rig.gateway, door, None), [unix_socket(path)]),
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as session,
        ):
            for fields_ in (
                {"text": TEXT, "numbers": ALICE},
                {"text": TEXT, "numbers": ALICE[1:]},
                {"text": TEXT, "numbers": ALICE, "at": KEY},
            ):
                for key in (KEY, "x" + KEY):
                    url = f"http://x/api/scheduled/?api_key={key}"
                    async with session.post(url, data=fields_) as answer:
                        assert answer.status in (200, 400, 401)
            rig.pragma("query_only", 1)
            good = {"text": TEXT, "numbers": ALICE, "api_key": KEY}
            async with session.post("http://x/api/scheduled/", data=good) as answer:
                assert answer.status == 503
        rig.database.close()

    caplog.set_level(logging.DEBUG)
    asyncio.run(main())
    assert_silent(caplog)


def assert_silent(caplog: pytest.LogCaptureFixture) -> None:
    everything = caplog.text + "".join(str(r.__dict__) for r in caplog.records)
    for hidden in (TEXT, KEY, PIN, ALICE, BOB, ALICE[1:], ALICE[3:]):
        assert hidden not in everything
