"""USSD by a modem: every dialect, order and silence of the field."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from smsd.adapters.contract import Declined, PhoneError, Throttled, Unavailable
from smsd.gsm.ussd import pack_ussd
from smsd.model.ussd import UssdReply, UssdStatus
from tests.adapters.scripted import OK, SILENCE, Phone, ScriptedModem, phone_of, until
from tests.virtual_time import run

PACKED_123 = f'AT+CUSD=1,"{pack_ussd("*123#").hex().upper()}",15'
UCS2_123 = 'AT+CUSD=1,"002A0031003200330023",15'
DONE = UssdReply(UssdStatus.DONE, "Solde: 5 EUR")


def asked(modem: ScriptedModem) -> list[str]:
    return [line for line in modem.heard if line.startswith(("AT+CUSD", "AT+CSCS"))][1:]


def replies(
    modem: ScriptedModem, *lines: str, after: float = 0.0
) -> Callable[[str], Sequence[str]]:
    """OK at once, and the lines after so many seconds."""

    def answer(_: str) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        for number, line in enumerate(lines):
            loop.call_later(after * (number + 1), modem.say, f"\r\n{line}\r\n")
        return OK

    return answer


def test_a_reply_comes_after_the_ok() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        modem.on["AT+CUSD"] = replies(modem, '+CUSD: 0,"Solde: 5 EUR",15', after=40)
        async with phone_of(modem) as phone:
            assert phone.adapter.capabilities.ussd
            assert await phone.adapter.ussd("*123#") == DONE
            assert asked(modem) == ['AT+CUSD=1,"*123#",15']

    run(main())


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        # before OK
        (['+CUSD: 0,"Solde: 5 EUR",15', "OK"], DONE),
        # with the release after it (python-gsmmodem)
        (["OK", '+CUSD: 0,"Solde: 5 EUR",15', "+CUSD: 2"], DONE),
        # empty first, then full
        (["OK", "+CUSD: 0", '+CUSD: 0,"Solde: 5 EUR",15'], DONE),
        # of several lines, quotes inside
        (
            ["OK", '+CUSD: 0,"1 Solde\r\n2 "Max"\r\n3 Fin",15'],
            UssdReply(UssdStatus.DONE, '1 Solde\n2 "Max"\n3 Fin'),
        ),
        (["OK", "+CUSD: 2"], UssdReply(UssdStatus.TERMINATED)),
        (["OK", "+CUSD: 3"], UssdReply(UssdStatus.OTHER_CLIENT)),
        (["OK", "+CUSD: 4"], UssdReply(UssdStatus.NOT_SUPPORTED)),
        (["OK", "+CUSD: 5"], UssdReply(UssdStatus.TIMED_OUT)),
        (["OK", '+CUSD: 9,"x"'], UssdReply(UssdStatus.DONE, "x")),
    ],
)
def test_replies_of_the_field(lines: list[str], reply: UssdReply) -> None:
    async def main() -> None:
        async with phone_of(ScriptedModem(on={"AT+CUSD": lines})) as phone:
            assert await phone.adapter.ussd("*123#") == reply

    run(main())


def test_the_form_is_tried_out_once() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CUSD": ["ERROR"]})
        modem.on[PACKED_123] = ["OK", f'+CUSD: 0,"{pack_ussd("Solde: 5 EUR").hex()}",15']
        async with phone_of(modem) as phone:
            for _ in range(2):
                assert await phone.adapter.ussd("*123#") == DONE
            assert asked(modem) == ['AT+CUSD=1,"*123#",15', PACKED_123, PACKED_123]

    run(main())


def test_a_form_that_only_the_network_refuses_is_not_remembered() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CUSD": ["OK", "+CUSD: 4"]})
        modem.on[PACKED_123] = ["OK", '+CUSD: 0,"Solde: 5 EUR",15']
        async with phone_of(modem) as phone:
            assert await phone.adapter.ussd("*123#") == DONE
            modem.on[PACKED_123] = ["OK", "+CUSD: 2"]
            assert (await phone.adapter.ussd("*123#")).status is UssdStatus.TERMINATED
            assert asked(modem) == ['AT+CUSD=1,"*123#",15', PACKED_123, PACKED_123]

    run(main())


def test_ucs2_needs_its_character_set_for_as_long_as_the_dialogue_lasts() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CUSD": ["+CME ERROR: 50"]})
        text = "Solde: 5 EUR".encode("utf-16-be").hex()
        modem.on[UCS2_123] = ["OK", f'+CUSD: 0,"{text}",72']
        async with phone_of(modem) as phone:
            assert await phone.adapter.ussd("*123#") == DONE
            assert asked(modem)[2:] == ['AT+CSCS="UCS2"', UCS2_123, 'AT+CSCS="GSM"']
            assert phone.sink.known["operator"] == "Reseau"

    run(main())


def test_a_dialogue_is_answered_and_ended() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        modem.on['AT+CUSD=1,"*123#",15'] = ["OK", '+CUSD: 1,"1 Solde\r\n2 Fin",15']
        modem.on['AT+CUSD=1,"1",15'] = ["OK", '+CUSD: 0,"Solde: 5 EUR",15']
        async with phone_of(modem) as phone:
            question = await phone.adapter.ussd("*123#")
            assert question == UssdReply(UssdStatus.ANSWER_WANTED, "1 Solde\n2 Fin")
            assert await phone.adapter.ussd_answer("1") == DONE
            with pytest.raises(Declined, match="asked nothing"):
                await phone.adapter.ussd_answer("1")
            await phone.adapter.ussd("*123#")
            await phone.adapter.ussd_cancel()
            assert modem.heard[-1] == "AT+CUSD=2"
            with pytest.raises(Declined):
                await phone.adapter.ussd_answer("1")

    run(main())


def test_a_new_dialogue_ends_the_old_one() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CUSD=2": ["OK", "+CUSD: 2"]})
        modem.on['AT+CUSD=1,"*1#",15'] = ["OK", '+CUSD: 1,"more?",15']
        modem.on["AT+CUSD"] = replies(modem, '+CUSD: 0,"Solde: 5 EUR",15', after=8)
        async with phone_of(modem) as phone:
            await phone.adapter.ussd("*1#")
            assert await phone.adapter.ussd("*123#") == DONE

    run(main())


def test_a_question_that_nobody_answers_is_ended() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CUSD=2": ["ERROR"]})
        modem.on["AT+CUSD"] = ["OK", '+CUSD: 1,"more?",15']
        async with phone_of(modem) as phone:
            await phone.adapter.ussd("*123#")
            await until(lambda: "AT+CUSD=2" in modem.heard, within=200)
            with pytest.raises(Declined):
                await phone.adapter.ussd_answer("1")

    run(main())


def test_the_network_ends_its_own_question() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CUSD": ["OK", '+CUSD: 1,"more?",15']})
        async with phone_of(modem) as phone:
            await phone.adapter.ussd("*123#")
            modem.lines(["+CUSD: 2"])
            await asyncio.sleep(1)
            with pytest.raises(Declined):
                await phone.adapter.ussd_answer("1")
            modem.lines(['+CUSD: 1,"from the network"'])
            await asyncio.sleep(1)

    run(main())


def test_silence_is_ended_after_a_minute_and_messages_go_on() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CUSD=2": ["ERROR"]})
        async with phone_of(modem) as phone:
            loop = asyncio.get_running_loop()
            began = loop.time()
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(_raised(phone, "*123#"))
                await asyncio.sleep(5)
                assert (await phone.send()).completed == [(1, "1")]
                assert not asking.done()
            assert isinstance(asking.result(), Throttled)
            assert loop.time() - began == pytest.approx(60, abs=2)
            assert modem.heard[-1] == "AT+CUSD=2"

    run(main())


async def _raised(phone: Phone, code: str) -> PhoneError:
    with pytest.raises(PhoneError) as raised:
        await phone.adapter.ussd(code)
    return raised.value


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (["ERROR"], Declined),  # in every form
        (["+CME ERROR: 30"], Unavailable),  # no network: no form would help
        (["+CME ERROR: 256"], Throttled),
        (["+CMS ERROR: 500"], Throttled),
        (SILENCE, Throttled),
    ],
)
def test_what_a_modem_refuses(answer: Sequence[str], kind: type[PhoneError]) -> None:
    async def main() -> None:
        async with phone_of(ScriptedModem(on={"AT+CUSD": answer})) as phone:
            assert isinstance(await _raised(phone, "*123#"), kind)

    run(main())


def test_a_text_that_no_form_can_say_is_declined() -> None:
    async def main() -> None:
        async with phone_of(ScriptedModem()) as phone:
            assert isinstance(await _raised(phone, "1" * 200), Declined)

    run(main())


def test_one_dialogue_at_a_time() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        modem.on["AT+CUSD"] = replies(modem, '+CUSD: 0,"Solde: 5 EUR",15', after=20)
        async with phone_of(modem) as phone, asyncio.TaskGroup() as group:
            first = group.create_task(phone.adapter.ussd("*123#"))
            await asyncio.sleep(1)
            assert isinstance(await _raised(phone, "*1#"), Throttled)
            assert await first == DONE

    run(main())


def test_whoever_goes_away_leaves_no_dialogue_behind() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(5):
                    await phone.adapter.ussd("*123#")
            await until(lambda: "AT+CUSD=2" in modem.heard, within=60)

    run(main())


def test_a_modem_that_is_not_there_is_not_asked() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CUSD": SILENCE})
        async with phone_of(modem) as phone:
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(_raised(phone, "*123#"))
                await asyncio.sleep(1)
                modem.vanish()
            assert isinstance(asking.result(), Unavailable)
            await until(lambda: phone.ended)
            assert isinstance(await _raised(phone, "*123#"), Unavailable)

    run(main())


def test_without_a_network_nobody_is_asked() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CREG?": ["+CREG: 0,2", "OK"]})
        async with phone_of(modem, ready=False) as phone:
            await until(lambda: len(phone.sink.healths) > 1)
            await asyncio.sleep(1)
            assert isinstance(await _raised(phone, "*123#"), Unavailable)

    run(main())
