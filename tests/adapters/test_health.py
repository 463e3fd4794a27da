"""What a modem tells of itself, and how little it is asked for at rest."""

import asyncio

from tests.adapters.scripted import ScriptedModem, phone_of, until
from tests.virtual_time import run


def test_operator_technology_and_temperature() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CPMUTEMP": ["+CPMUTEMP: 41", "OK"]})
        modem.on["AT+COPS?"] = ['+COPS: 0,0,"Orange F",7', "OK"]
        modem.on["AT+CGMI"] = ["SIMCOM INCORPORATED", "OK"]
        modem.on["AT+CGMM"] = ["SIMCOM_SIM7600E", "OK"]
        async with phone_of(modem) as phone:
            await until(lambda: "temperature" in phone.sink.known)
            known = phone.sink.known
            assert (known["operator"], known["technology"]) == ("Orange F", "LTE")
            assert known["temperature"] == 41
            await asyncio.sleep(3000)
            assert modem.heard.count("AT+CPMUTEMP") <= 6

    run(main())


def test_an_idle_modem_gets_at_most_a_line_in_ten_seconds() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem):
            await asyncio.sleep(60)
            before = len(modem.heard)
            await asyncio.sleep(6000)
            assert (len(modem.heard) - before) / 6000 <= 0.1

    run(main())


def test_a_network_without_calls_is_asked_for_no_more_often() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CREG?": ["+CREG: 1,0", "OK"]})
        modem.on["AT+CEREG?"] = ["+CEREG: 1,1", "OK"]
        async with phone_of(modem):
            await asyncio.sleep(60)
            before = len(modem.heard)
            await asyncio.sleep(600)
            assert (len(modem.heard) - before) / 600 <= 0.1
            assert "AT+CREG?" not in modem.heard[before:]

    run(main())


def test_the_operator_is_asked_for_again_after_the_network_was_lost() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.on["AT+CREG?"] = ["+CREG: 1,2", "OK"]
            modem.lines(["+CREG: 2"])
            await until(lambda: not phone.available)
            modem.on.pop("AT+CREG?")
            modem.on["AT+COPS?"] = ['+COPS: 0,0,"Autre",0', "OK"]
            modem.lines(["+CREG: 5"])
            await until(lambda: phone.sink.known.get("operator") == "Autre", within=5)
            assert phone.sink.known["technology"] == "GSM"

    run(main())


def test_a_modem_that_tells_no_operator_leaves_what_is_known() -> None:
    async def main() -> None:
        async with phone_of(ScriptedModem(on={"AT+COPS?": ["ERROR"]})) as phone:
            assert "operator" not in phone.sink.known

    run(main())
