"""A person's command to a modem, in its turn at the port."""

import asyncio
from collections.abc import Sequence

import pytest

from smsd.adapters.abilities import Answered, AsksNetwork, HasWire
from smsd.adapters.contract import PhoneError, Throttled, Unavailable
from smsd.at.console import Refused
from tests.adapters.scripted import SILENCE, Phone, ScriptedModem, phone_of, until
from tests.virtual_time import run


async def give(phone: Phone, line: str, *, force: bool = False, timeout: float = 30) -> Answered:
    return await phone.adapter.command(line, force=force, timeout=timeout)


def test_its_lines_and_its_result_are_told() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ;+CREG?": ["+CSQ: 20,99", "+CREG: 1,1", "OK"]})
        modem.on["AT^SCFG?"] = ["^SCFG: 1", "^SCFG: 2", "OK"]
        modem.on["AT+CGMI;+X"] = ["Huawei", "+CME ERROR: 4"]
        async with phone_of(modem) as phone:
            assert isinstance(phone.adapter, AsksNetwork)
            assert isinstance(phone.adapter, HasWire)
            answered = await give(phone, "AT+CSQ;+CREG?")
            assert answered == Answered(("+CSQ: 20,99", "+CREG: 1,1"), "OK")
            assert (await give(phone, "^SCFG?")).lines == ("^SCFG: 1", "^SCFG: 2")
            assert await give(phone, "AT+CGMI;+X") == Answered(("Huawei",), "+CME ERROR: 4")

    run(main())


def test_what_is_refused_is_not_written() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            heard = len(modem.heard)
            for line in ("AT+CFUN=0", 'AT+CPIN="1234"', "nonsense\r"):
                with pytest.raises(Refused):
                    await give(phone, line)
            assert modem.heard[heard:] == []

    run(main())


def test_after_a_forced_command_the_modem_is_set_up_anew() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            heard = len(modem.heard)
            await give(phone, "ATZ", force=True)
            await until(lambda: "AT+CMGF=0" in modem.heard[heard:])

    run(main())


def test_no_part_is_written_in_text_mode_after_a_forced_command() -> None:
    async def main() -> None:
        modem = ScriptedModem()

        def submitted(pdu: str) -> Sequence[str]:
            asyncio.get_running_loop().call_later(20, modem.lines, ["+CMGS: 7", "OK"])
            return SILENCE

        modem.after_pdu = submitted
        async with phone_of(modem) as phone, asyncio.TaskGroup() as group:
            sending = group.create_task(phone.send("x" * 200))
            await asyncio.sleep(1)
            heard = len(modem.heard)
            assert (await give(phone, "AT&F", force=True)).result == "OK"
            await sending
            assert modem.heard[heard : heard + 2] == ["AT&F", "AT+CMGF=0"]
            second = next(n for n, line in enumerate(modem.heard[heard:]) if "CMGS" in line)
            assert second >= 2

    run(main())


@pytest.mark.parametrize("answer", [["ERROR"], SILENCE])
def test_a_forced_command_that_fails_is_told_and_the_modem_set_up_anew(
    answer: Sequence[str],
) -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT&F": answer})
        async with phone_of(modem) as phone:
            heard = len(modem.heard)
            if answer:
                assert (await give(phone, "AT&F", force=True)).result == "ERROR"
            else:
                with pytest.raises(Throttled):
                    await give(phone, "AT&F", force=True)
            await until(lambda: modem.heard[heard:].count("AT+CMGF=0") == 2)

    run(main())


def test_it_waits_for_the_part_on_the_wire() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSQ": ["+CSQ: 20,99", "OK"]})

        def submitted(pdu: str) -> Sequence[str]:
            asyncio.get_running_loop().call_later(20, modem.lines, ["+CMGS: 7", "OK"])
            return SILENCE

        modem.after_pdu = submitted
        async with phone_of(modem) as phone, asyncio.TaskGroup() as group:
            sending = group.create_task(phone.send())
            await asyncio.sleep(1)
            began = asyncio.get_running_loop().time()
            assert (await give(phone, "AT+CSQ")).lines == ("+CSQ: 20,99",)
            assert asyncio.get_running_loop().time() - began == pytest.approx(19, abs=1)
            assert (await sending).completed == [(1, "7")]

    run(main())


def test_silence_ends_with_the_time_that_was_given() -> None:
    async def main() -> None:
        async with phone_of(ScriptedModem(on={"AT+SLOW": SILENCE})) as phone:
            with pytest.raises(Throttled, match="5 seconds"):
                await give(phone, "AT+SLOW", timeout=5)
            assert (await phone.send()).completed == [(1, "1")]

    run(main())


def test_a_modem_that_is_gone_is_told() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+SLOW": SILENCE})
        async with phone_of(modem) as phone:
            async with asyncio.TaskGroup() as group:
                giving = group.create_task(_raised(phone))
                await asyncio.sleep(1)
                modem.vanish()
            assert isinstance(giving.result(), Unavailable)
            await until(lambda: phone.ended)
            assert isinstance(await _raised(phone), Unavailable)

    run(main())


async def _raised(phone: Phone) -> PhoneError:
    with pytest.raises(PhoneError) as raised:
        await give(phone, "AT+SLOW")
    return raised.value
