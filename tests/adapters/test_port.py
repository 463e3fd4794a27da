"""One owner for a port: what callers get, whatever the modem and other callers do."""

import asyncio
import logging
import socket
from typing import Any

import pytest

from smsd.adapters.contract import PhoneLost
from smsd.adapters.modem.port import PROBES, Gone, ModemError, NoAnswer, Port
from smsd.at import commands
from smsd.at.dialogue import Command, FinalResult, Late, Urc
from smsd.at.syntax import AnswerError
from tests.adapters.scripted import OK, SILENCE, ScriptedModem, port_of, until
from tests.virtual_time import run

PDU = "0011000B913316325476F80000AA05E8329BFD06"
SEND = commands.send_pdu(PDU, 19)


async def outcome(port: Port, command: Any) -> tuple[type[BaseException] | None, bool | None]:
    """How a command ended: its error's class, and whether it says "submitted"."""
    try:
        await port.execute(command)
    except (ModemError, NoAnswer, Gone) as error:
        return type(error), error.submitted
    return None, None


async def in_order(port: Port) -> bool:
    """Whether the next commands get their own answers."""
    return (await port.execute(commands.signal_quality())) == -73 and (
        await port.execute(commands.serial_number())
    ) == "861234567890123"


# What callers get --------------------------------------------------------------------------------


def test_a_command_is_answered() -> None:
    async def main() -> None:
        async with port_of(ScriptedModem()) as (port, _):
            assert await port.execute(commands.signal_quality()) == -73
            assert await port.execute(SEND) == 1

    run(main())


def test_commands_of_many_callers_are_answered_each_with_its_own() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with port_of(modem) as (port, _), asyncio.TaskGroup() as group:
            signals = [group.create_task(port.execute(commands.signal_quality())) for _ in "123"]
            serial = group.create_task(port.execute(commands.serial_number()))
            sent = [group.create_task(port.execute(SEND)) for _ in "12"]
        assert {task.result() for task in signals} == {-73}
        assert serial.result() == "861234567890123"
        assert sorted(task.result() or 0 for task in sent) == [1, 2]

    run(main())


def test_a_refusal_is_told_with_what_it_says() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ": ["+CME ERROR: 14"]})
        async with port_of(modem) as (port, _):
            with pytest.raises(ModemError, match="CME ERROR: 14") as raised:
                await port.execute(commands.signal_quality())
            assert raised.value.result.cme == 14
            assert not raised.value.submitted

    run(main())


def test_an_answer_that_cannot_be_read_breaks_nothing() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ": ["+CSQ: x", "OK"]})
        async with port_of(modem) as (port, _):
            with pytest.raises(AnswerError):
                await port.execute(commands.signal_quality())
            modem.on.clear()
            assert await in_order(port)

    run(main())


def test_silence_is_told_once_the_line_is_in_order() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ": SILENCE})
        async with port_of(modem) as (port, _):
            assert await outcome(port, commands.signal_quality()) == (NoAnswer, False)
            assert not port.silent
            modem.on.clear()
            assert await in_order(port)
            assert not port.silent

    run(main())


# Is it proven not sent? --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("modem", "expected"),
    [
        (ScriptedModem(on={"AT+CMGS=19": ["+CMS ERROR: 310"]}), (ModemError, False)),
        (ScriptedModem(on={"AT+CMGS=19": SILENCE}), (NoAnswer, False)),
        (ScriptedModem(on={"AT+CMGS=19": OK}), (NoAnswer, False)),
        (ScriptedModem(prompt=None), (NoAnswer, False)),
        (ScriptedModem(prompt=None, escape=["OK"]), (NoAnswer, False)),
        (ScriptedModem(prompt=None, escape=["+CMS ERROR: 500"]), (ModemError, False)),
        (ScriptedModem(prompt=None, escape=["ERROR"]), (ModemError, False)),
        (ScriptedModem(after_pdu=["+CMS ERROR: 38"]), (ModemError, True)),
        (ScriptedModem(after_pdu=["ERROR"]), (ModemError, True)),
        (ScriptedModem(after_pdu=SILENCE), (NoAnswer, True)),
        (ScriptedModem(after_pdu=["STRANGE"]), (NoAnswer, True)),
        (ScriptedModem(after_pdu=["^RSSI: 1", ">"]), (NoAnswer, True)),
        (ScriptedModem(after_pdu=["+CMGS: 9"]), (None, None)),
        (ScriptedModem(after_pdu=["^RSSI: 1", "+CMGS: 9", "OK"]), (None, None)),
        (ScriptedModem(after_pdu=["OK"]), (None, None)),
    ],
)
def test_whether_a_pdu_was_submitted(
    modem: ScriptedModem, expected: tuple[type[BaseException] | None, bool | None]
) -> None:
    async def main() -> None:
        async with port_of(modem) as (port, _):
            assert await outcome(port, SEND) == expected
            assert await in_order(port)

    run(main())


def test_an_ok_after_giving_up_is_no_proof_of_a_submission() -> None:
    """The modem lost the Ctrl-Z: the ESC of giving up cancels, and is answered OK."""

    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE)
        async with port_of(modem) as (port, _), asyncio.TaskGroup() as group:
            sending = group.create_task(outcome(port, SEND))
            await until(lambda: modem.pdus)
            modem.on["AT+CMEE?"] = ["OK", "+CMEE: 1", "OK"]
            await until(sending.done)
            assert sending.result() == (NoAnswer, True)

    run(main())


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (["+CMGS: 200", "OK"], (None, None)),
        (["+CMGS: 200", "+CMS ERROR: 38"], (None, None)),
        (["+CMS ERROR: 38"], (NoAnswer, True)),  # it may as well be the probe's
        (["+CME ERROR: 4"], (NoAnswer, True)),
    ],
)
def test_a_late_answer_still_reaches_its_caller(
    late: list[str], expected: tuple[type[BaseException] | None, bool | None]
) -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE)
        async with port_of(modem) as (port, _), asyncio.TaskGroup() as group:
            sending = group.create_task(outcome(port, SEND))
            await until(lambda: modem.pdus)
            modem.on["AT+CMEE?"] = [*late, "+CMEE: 1", "OK"]
            await until(sending.done)
            assert sending.result() == expected
            assert await in_order(port)

    run(main())


def test_an_answer_without_final_result_is_one() -> None:
    """Wavecom's +CPIN? (modems.md 1.3)."""

    async def main() -> None:
        modem = ScriptedModem(on={"AT+CPIN?": ["+CPIN: SIM PIN"]})
        async with port_of(modem) as (port, _):
            assert await port.execute(commands.pin_state()) == "SIM PIN"
            assert not port.silent
            assert await in_order(port)

    run(main())


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (ScriptedModem(on={"AT+CMGS=19": SILENCE}), (Gone, False)),
        (ScriptedModem(after_pdu=SILENCE), (Gone, True)),
    ],
)
def test_a_port_that_vanishes(
    prepare: ScriptedModem, expected: tuple[type[BaseException], bool]
) -> None:
    async def main() -> None:
        async with port_of(prepare) as (port, _), asyncio.TaskGroup() as group:
            sending = group.create_task(outcome(port, SEND))
            waiting = group.create_task(outcome(port, SEND))
            await until(lambda: "AT+CMGS=19" in prepare.heard)
            await until(lambda: prepare.pdus or not expected[1])
            prepare.vanish()
            await until(waiting.done)
            assert sending.result() == expected
            assert waiting.result() == (Gone, False)
            assert await outcome(port, SEND) == (Gone, False)

    run(main())


def test_a_port_that_vanishes_while_a_submission_is_being_given_up() -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE)
        async with port_of(modem) as (port, _), asyncio.TaskGroup() as group:
            sending = group.create_task(outcome(port, SEND))
            await until(lambda: modem.pdus)
            modem.on["AT+CMEE?"] = SILENCE
            await until(lambda: modem.heard.count("AT+CMEE?") > 1)
            modem.vanish()
            await until(sending.done)
            assert sending.result() == (Gone, True)

    run(main())


def test_a_modem_that_answers_nothing_is_lost() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        port = Port(reader, writer, lambda event: None)
        with pytest.raises(PhoneLost, match="does not answer"):
            await port.run()
        assert theirs.recv(4096).count(b"+CMEE?") == PROBES
        writer.transport.abort()
        theirs.close()

    run(main())


def test_a_port_that_takes_nothing_is_lost() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        reader, writer = await asyncio.open_connection(sock=ours)
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(b"x" * 1_000_000)
        port = Port(reader, writer, lambda event: None)
        with pytest.raises(PhoneLost, match="takes no data"):
            await port.run()
        writer.transport.abort()
        theirs.close()

    run(main())


# Back in order -----------------------------------------------------------------------------------


@pytest.mark.parametrize("probes", [2, 3, 4])
@pytest.mark.parametrize("at_once", [True, False])
def test_the_answers_of_all_probes_are_waited_for(probes: int, at_once: bool) -> None:
    """A modem that was busy answers each probe; none of that is the next command's answer."""

    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ": SILENCE})
        async with port_of(modem) as (port, _), asyncio.TaskGroup() as group:
            await port.execute(commands.attention())
            before = modem.heard.count("AT+CMEE?")
            first = group.create_task(outcome(port, commands.signal_quality()))
            modem.on["AT+CMEE?"] = SILENCE
            sending = group.create_task(outcome(port, SEND))
            await until(lambda: modem.heard.count("AT+CMEE?") - before == probes)
            for _ in range(probes):
                assert not sending.done()
                assert modem.pdus == []
                modem.lines(["+CMEE: 1", "OK"])
                if not at_once:
                    await asyncio.sleep(0.3)
            modem.on.clear()
            await until(sending.done)
            assert first.result() == (NoAnswer, False)
            assert sending.result() == (None, None)
            assert len(modem.pdus) == 1

    run(main())


def test_chatter_without_pause_keeps_nobody_waiting_for_ever() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ": SILENCE})
        async with port_of(modem) as (port, _), asyncio.TaskGroup() as group:
            waiting = group.create_task(outcome(port, commands.signal_quality()))
            await until(lambda: "AT+CSQ" in modem.heard)
            before = modem.heard.count("AT+CMEE?")
            modem.on["AT+CMEE?"] = SILENCE
            await until(lambda: modem.heard.count("AT+CMEE?") - before == 2)
            modem.lines(["+CMEE: 1", "OK"])

            async def chatter() -> None:
                while True:
                    modem.lines(["+ZUSIMR:2"])
                    await asyncio.sleep(0.5)

            noise = group.create_task(chatter())
            await until(waiting.done, within=60.0)
            noise.cancel()
            assert waiting.result() == (NoAnswer, False)

    run(main())


# Callers who go away -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", [commands.signal_quality(), SEND])
def test_cancelling_a_caller_at_any_step_leaves_the_line_in_order(command: Any) -> None:
    async def main(steps: int) -> bool:
        modem = ScriptedModem()
        async with port_of(modem) as (port, unasked), asyncio.TaskGroup() as group:
            await port.execute(commands.attention())
            task = group.create_task(outcome(port, command))
            for _ in range(steps):
                await asyncio.sleep(0)
            finished = task.done()
            task.cancel()
            assert await in_order(port)
            if modem.pdus and not finished:
                assert (
                    unasked == [Late(SEND, ("+CMGS: 1",), FinalResult("OK"))]
                    or len(modem.pdus) == 1
                )
            assert len(modem.pdus) <= 1
            return finished

    steps = 0
    while not run(main(steps)):
        steps += 1
    assert steps > 5


def test_what_became_of_a_part_is_told_even_when_its_sender_is_gone() -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE)
        async with port_of(modem) as (port, unasked), asyncio.TaskGroup() as group:
            task = group.create_task(port.execute(SEND))
            await until(lambda: modem.pdus)
            task.cancel()
            modem.lines(["+CMGS: 9", "OK"])
            await until(lambda: unasked)
            assert unasked == [Late(SEND, ("+CMGS: 9",), FinalResult("OK"))]
            assert await in_order(port)

    run(main())


def test_a_caller_who_left_before_his_turn_is_passed_over() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ": SILENCE})
        async with port_of(modem) as (port, _), asyncio.TaskGroup() as group:
            first = group.create_task(outcome(port, commands.signal_quality()))
            await until(lambda: "AT+CSQ" in modem.heard)
            second = group.create_task(port.execute(SEND))
            await asyncio.sleep(0.1)
            second.cancel()
            await until(first.done)
            assert await port.execute(commands.serial_number())
            assert "AT+CMGS=19" not in modem.heard

    run(main())


def test_a_part_goes_before_what_may_be_asked_later_and_no_second_does() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ": SILENCE})
        async with port_of(modem) as (port, _), asyncio.TaskGroup() as group:
            group.create_task(outcome(port, commands.signal_quality()))
            await until(lambda: "AT+CSQ" in modem.heard)
            reads = commands.read_message(3)
            parts = SEND, commands.send_pdu("00AA", 1)
            before = len(modem.heard)
            for command in (commands.serial_number(), reads, *parts):
                group.create_task(outcome(port, command))
            await until(lambda: "AT+CMGS=1" in modem.heard)
            order = [line for line in modem.heard[before:] if "CMEE" not in line]
            assert order == ["AT+CGSN", "AT+CMGS=19", "AT+CMGR=3", "AT+CMGS=1"]

    run(main())


def test_a_modem_that_lost_a_command_gets_a_rest_between_them_from_then_on() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        modem = ScriptedModem()
        async with port_of(modem) as (port, _):
            port.rest_after_loss = 0.3

            async def three() -> float:
                began = loop.time()
                for _ in range(3):
                    await port.execute(commands.serial_number())
                return loop.time() - began

            assert await three() < 0.3
            modem.on["AT+CSQ"] = SILENCE
            assert await outcome(port, commands.signal_quality()) == (NoAnswer, False)
            assert 0.59 < await three() < 1.0

    run(main())


def test_closing_the_port_tells_everybody_who_waits() -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE)
        async with asyncio.TaskGroup() as group:
            async with port_of(modem) as (port, _):
                sending = group.create_task(outcome(port, SEND))
                waiting = group.create_task(outcome(port, commands.signal_quality()))
                await until(lambda: modem.pdus)
            await until(waiting.done)
        assert sending.result() == (Gone, True)
        assert waiting.result() == (Gone, False)

    run(main())


def test_an_answer_to_a_caller_who_left_after_a_time_out_is_nobodys() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ": SILENCE})
        async with port_of(modem) as (port, unasked), asyncio.TaskGroup() as group:
            task = group.create_task(port.execute(commands.signal_quality()))
            await until(lambda: "AT+CSQ" in modem.heard)
            task.cancel()
            modem.on["AT+CMEE?"] = ["+CSQ: 1,99", "OK", "+CMEE: 1", "OK"]
            assert await port.execute(commands.serial_number()) == "861234567890123"
            assert unasked == []

    run(main())


# What is told and what is not --------------------------------------------------------------------


def test_lines_that_nobody_asked_for_are_handed_on() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ": ['+CMTI: "SM",3', "+CSQ: 20,99", "RING", "OK"]})
        async with port_of(modem) as (port, unasked):
            assert await port.execute(commands.signal_quality()) == -73
            modem.lines(["+CDS: 25", "00AA"])
            await until(lambda: len(unasked) == 3)
            assert unasked == [Urc('+CMTI: "SM",3'), Urc("RING"), Urc("+CDS: 25", ("00AA",))]

    run(main())


def test_the_trace_shows_the_wire_without_pin_and_pdu(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        modem = ScriptedModem(echo=True)
        modem.on["AT+CSQ"] = lambda line: ("+CSQ: 20,99", "OK")
        async with port_of(modem) as (port, _):
            await port.execute(commands.enter_pin("4711"))
            await port.execute(SEND)
            await port.execute(commands.signal_quality())
            for piece in ("\r\n+CMT: ,23\r\n", PDU[:20], PDU[20:], "\r\n"):
                modem.say(piece)
                await asyncio.sleep(1)

    with caplog.at_level(logging.DEBUG, logger="smsd.at.trace"):
        run(main())
    assert "+CSQ: 20,99" in caplog.text
    assert "AT+CPIN=" in caplog.text
    assert "AT+CPIN=…" in caplog.text
    assert f"<{len(PDU)}>" in caplog.text
    assert "4711" not in caplog.text
    assert PDU[:12] not in caplog.text
    assert PDU[-12:] not in caplog.text


def test_no_error_quotes_a_pin_or_a_pdu() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CPIN": SILENCE, "AT+CMGS=19": SILENCE})
        async with port_of(modem) as (port, _):
            secrets: tuple[Command[Any], ...] = (commands.enter_pin("4711"), SEND)
            for command in secrets:
                with pytest.raises(NoAnswer) as raised:
                    await port.execute(command)
                assert "4711" not in str(raised.value)
                assert PDU not in str(raised.value)

    run(main())
