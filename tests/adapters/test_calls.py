"""Calls that come in: their number, their end, and a stick that stays free for messages."""

import asyncio
from collections.abc import Sequence

import pytest

from smsd.adapters.modem.calls import HANG_UP, Calls
from smsd.model.events import CallBegan, CallEnded
from tests.adapters.scripted import OK, SILENCE, Notes, ScriptedModem, phone_of, until
from tests.virtual_time import run

NUMBER = "+33612345678"
CLIP = f'+CLIP: "{NUMBER}",145,,,,0'
SETTINGS = ("AT+CLIP=1", "AT+CRC=1", "AT+CVHU=0")


def numbers(sink: Notes) -> list[str]:
    return [call.number for call in sink.calls if isinstance(call, CallBegan)]


def over(sink: Notes) -> bool:
    return bool(sink.calls) and isinstance(sink.calls[-1], CallEnded)


def hung_up(modem: ScriptedModem) -> list[str]:
    return [line for line in modem.heard if line in HANG_UP]


def test_a_modem_is_asked_to_tell_numbers_and_may_refuse() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={line: ["ERROR"] for line in SETTINGS})
        async with phone_of(modem):
            assert set(SETTINGS) <= set(modem.heard)

    run(main())


@pytest.mark.parametrize("ring", ["RING", "+CRING: VOICE"])
def test_a_call_is_told_with_its_number_and_rejected(ring: str) -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CHUP": ["OK", "NO CARRIER"]})
        async with phone_of(modem) as phone:
            loop = asyncio.get_running_loop()
            began = loop.time()
            modem.lines([ring, CLIP])
            await until(lambda: over(phone.sink))
            assert loop.time() - began < 3
            assert numbers(phone.sink) == [NUMBER]
            assert hung_up(modem) == ["AT+CHUP"]
            [begun, ended] = phone.sink.calls
            assert begun.key == ended.key

    run(main())


@pytest.mark.parametrize(
    ("refused", "heard"),
    [
        ((), ["AT+CHUP"]),
        (("AT+CHUP",), ["AT+CHUP", "ATH"]),
        (("AT+CHUP", "ATH"), ["AT+CHUP", "ATH", "AT+CHLD=0"]),
        (("AT+CHUP", "ATH", "AT+CHLD"), ["AT+CHUP", "ATH", "AT+CHLD=0"]),
    ],
)
def test_one_way_after_the_other(refused: Sequence[str], heard: list[str]) -> None:
    async def main() -> None:
        modem = ScriptedModem(on={line: ["ERROR"] for line in refused})
        async with phone_of(modem) as phone:
            modem.lines(["RING", CLIP])
            await until(lambda: len(hung_up(modem)) == len(heard))
            modem.lines(["NO CARRIER"])
            await until(lambda: over(phone.sink))
            assert hung_up(modem) == heard

    run(main())


def test_without_a_number_it_is_told_after_two_seconds_or_the_second_ring() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            loop = asyncio.get_running_loop()
            began = loop.time()
            modem.lines(["RING"])
            await until(lambda: phone.sink.calls)
            assert loop.time() - began == pytest.approx(2, abs=0.2)
            assert numbers(phone.sink) == [""]
            modem.lines(["NO CARRIER"])
            await until(lambda: over(phone.sink))
            began = loop.time()
            modem.lines(["RING", "RING"])
            await until(lambda: len(phone.sink.calls) == 3)
            assert loop.time() - began < 1

    run(main())


def test_a_number_may_come_first_with_the_second_ring_or_late() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.lines(["RING"])
            await asyncio.sleep(1)
            modem.lines(["RING", CLIP])
            await until(lambda: phone.sink.calls)
            modem.lines(["NO CARRIER", CLIP])
            await until(lambda: len(phone.sink.calls) == 3)
            assert numbers(phone.sink) == [NUMBER, NUMBER]
            modem.lines(["^CEND:1,0,104,0", "RING"])
            await asyncio.sleep(3)
            modem.lines(['+CLIP: "",128', CLIP])
            await until(lambda: len(phone.sink.calls) == 6)
            first, second = phone.sink.calls[-2:]
            assert isinstance(second, CallBegan)
            assert (first.key, second.number) == (second.key, NUMBER)

    run(main())


def test_a_call_that_is_over_before_its_number_is_told_all_the_same() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.lines(["RING", "MISSED_CALL: 12:00"])
            await until(lambda: over(phone.sink))
            assert numbers(phone.sink) == [""]
            assert hung_up(modem) == []

    run(main())


@pytest.mark.parametrize(
    ("calls", "hang_up", "seconds"),
    [(Calls.IGNORE, OK, 60), (Calls.REJECT, ["ERROR"], 60), (Calls.REJECT, OK, 10)],
)
def test_a_call_without_an_end_is_cleared(
    calls: Calls, hang_up: Sequence[str], seconds: float
) -> None:
    async def main() -> None:
        modem = ScriptedModem(on=dict.fromkeys(("AT+CHUP", "ATH", "AT+CHLD"), hang_up))
        async with phone_of(modem, calls=calls) as phone:
            loop = asyncio.get_running_loop()
            began = loop.time()
            modem.lines(["RING", CLIP])
            await until(lambda: over(phone.sink))
            assert loop.time() - began == pytest.approx(seconds, abs=1)

    run(main())


def test_a_call_that_rings_on_is_hung_up_again_and_another_one_is_told() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            for _ in range(3):
                modem.lines(["RING", CLIP])
                await asyncio.sleep(5)
            assert numbers(phone.sink) == [NUMBER]
            assert len(hung_up(modem)) == 3
            modem.lines(["RING", '+CLIP: "0699",129'])
            await asyncio.sleep(5)
            assert numbers(phone.sink) == [NUMBER, "0699"]
            assert sum(isinstance(call, CallEnded) for call in phone.sink.calls) == 1

    run(main())


def test_calls_may_be_let_ring() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem, calls=Calls.IGNORE) as phone:
            modem.lines(["RING", CLIP])
            await asyncio.sleep(5)
            modem.lines(["RING", CLIP, "NO CARRIER"])
            await until(lambda: over(phone.sink))
            assert numbers(phone.sink) == [NUMBER]
            assert hung_up(modem) == []

    run(main())


def test_the_end_of_no_call_is_nothing() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.lines(["NO CARRIER"])
            await asyncio.sleep(5)
            assert phone.sink.calls == []

    run(main())


def test_a_call_during_a_send_does_not_disturb_the_part_on_the_wire() -> None:
    async def main() -> None:
        modem = ScriptedModem()

        def submitted(pdu: str) -> Sequence[str]:
            loop = asyncio.get_running_loop()
            loop.call_later(1, modem.lines, ["RING", CLIP])
            loop.call_later(20, modem.lines, ["+CMGS: 7", "OK"])
            return SILENCE

        modem.after_pdu = submitted
        async with phone_of(modem) as phone:
            heard = len(modem.heard)
            steps = await phone.send("x" * 200)
            assert steps.completed == [(1, "7"), (2, "7")]
            during = modem.heard[heard:]
            assert during[:3] == ["AT+CMMS=1", "AT+CMGS=" + during[1][8:], "AT+CHUP"]
            assert numbers(phone.sink)[0] == NUMBER

    run(main())


def test_messages_go_on_after_twenty_calls() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CHUP": ["OK", "NO CARRIER"]})
        async with phone_of(modem) as phone:
            for _ in range(20):
                modem.lines(["RING", CLIP])
                await asyncio.sleep(5)
            assert numbers(phone.sink) == [NUMBER] * 20
            assert (await phone.send()).completed == [(1, "1")]

    run(main())


def test_a_call_ends_with_the_port_and_is_told_when_it_is_opened_again() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CHUP": SILENCE})
        async with phone_of(modem) as phone:
            modem.lines(["RING", CLIP])
            await until(lambda: hung_up(modem))
            modem.vanish()
            await until(lambda: phone.ended)
            assert not over(phone.sink)
            modem.on["AT+CHUP"] = OK
            again = asyncio.get_running_loop().create_task(phone.adapter.run(phone.sink))
            await until(lambda: over(phone.sink))
            again.cancel()
            await asyncio.wait([again])

    run(main())
