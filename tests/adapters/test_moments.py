"""What happens at the worst moment: between look and deletion, handing over and commit."""

import asyncio
from collections.abc import Sequence

import pytest

from smsd.adapters.contract import PhoneError
from smsd.adapters.modem.adapter import FINISH, ModemAdapter, ModemSettings
from smsd.adapters.supervisor import supervise
from smsd.model.events import Incoming
from smsd.model.phone import Health
from tests.adapters.scripted import (
    HELLO_LENGTH,
    HERE,
    OK,
    SILENCE,
    Notes,
    ScriptedModem,
    deliver,
    phone_of,
    plugged,
    until,
)
from tests.virtual_time import run

FIRST, SECOND = deliver(0x1111), deliver(0x2222)
HANDED = f"+CMT: ,{HELLO_LENGTH}"


def moved_by(news: str, at_look: int) -> ScriptedModem:
    """A modem that reads its other memory once there is news, at a look at the first message."""
    modem = ScriptedModem(memories={"SM": {}, "ME": {}, "SR": {}})
    looks: list[str] = []

    def read(line: str) -> Sequence[str]:
        pdu = modem.memories[modem.selected].get(int(line.partition("=")[2]))
        if pdu is None:
            return OK
        answer = f"+CMGR: 1,,{len(pdu) // 2 - 8}", pdu, "OK"
        looks.append(pdu)
        if pdu == FIRST and looks.count(FIRST) == at_look:
            modem.memories["ME"][1], modem.selected = SECOND, "ME"
            return *answer, news
        return answer

    modem.on["AT+CMGR"] = read
    return modem


@pytest.mark.parametrize("news", ['+CMTI: "ME",1', "^SYSSTART"])
@pytest.mark.parametrize("later", [False, True])
def test_nothing_takes_the_place_of_what_is_deleted(news: str, later: bool) -> None:
    async def main() -> None:
        modem = moved_by(news, at_look=2 if later else 1)
        if not later:
            modem.memories["SM"][1] = FIRST  # taken in by the sweep of the set-up
        async with phone_of(modem) as phone:
            if later:
                modem.memories["SM"][1] = FIRST
                modem.lines(['+CMTI: "SM",1'])
            await asyncio.sleep(700)
            assert {one.raw[-4:] for one in phone.sink.incoming} == {"1111", "2222"}
            assert not any(modem.memories.values())

    run(main())


def test_what_is_listed_and_cannot_be_read_is_deleted_all_the_same() -> None:
    async def main() -> None:
        modem = ScriptedModem(
            on={"AT+CMGR": ["+CMS ERROR: 500"]}, memories={"SM": {1: FIRST}, "SR": {}}
        )
        async with phone_of(modem) as phone:
            await asyncio.sleep(3600)
            assert len(phone.sink.incoming) == 1
            assert not modem.memories["SM"]

    run(main())


def test_a_modem_that_starts_anew_while_it_is_set_up_sends_nothing_before_it_is_set_up_again() -> (
    None
):
    async def main() -> None:
        modem = ScriptedModem()
        marks: list[int] = []

        def listed(line: str) -> Sequence[str]:
            if marks:
                return OK
            marks.append(len(modem.heard))
            return *OK, "^SYSSTART"

        modem.on["AT+CMGL"] = listed
        async with phone_of(modem, ready=False) as phone:
            async with asyncio.timeout(100):
                while not modem.pdus:
                    try:
                        await phone.send()
                    except PhoneError:
                        await asyncio.sleep(0)
            after = modem.heard[marks[0] :]
            assert "AT+CMGF=0" in after[: after.index("AT+CMGS=19")]

    run(main())


class Slow(Notes):
    """A sink whose store takes its time."""

    async def received(self, incoming: Incoming) -> None:
        await asyncio.sleep(3.0)
        await super().received(incoming)


class Full(Notes):
    """A sink whose store takes nothing."""

    async def received(self, incoming: Incoming) -> None:
        await asyncio.Event().wait()


def test_what_was_handed_over_is_kept_though_the_port_goes_meanwhile() -> None:
    async def main() -> None:
        modem, sink = ScriptedModem(), Slow()
        async with phone_of(modem, sink) as phone:
            modem.lines([HANDED, FIRST])
            modem.lines([HANDED, SECOND])
            await asyncio.sleep(1)
            modem.vanish()
            await until(lambda: phone.ended)
            assert {one.raw[-4:] for one in sink.incoming} == {"1111", "2222"}

    run(main())


def test_a_stop_waits_for_no_store_that_takes_nothing() -> None:
    async def main() -> None:
        modem, sink = ScriptedModem(), Full()
        adapter = ModemAdapter(HERE, ModemSettings(), open_streams=plugged(modem))
        life = asyncio.get_running_loop().create_task(supervise("gsm0", adapter, sink))
        await until(lambda: bool(sink.healths) and sink.healths[-1][0] is Health.AVAILABLE)
        modem.lines([HANDED, FIRST])
        modem.lines([HANDED, SECOND])
        await asyncio.sleep(0.5)
        life.cancel()
        await asyncio.sleep(FINISH + 1)
        assert life.cancelled()

    run(main())


def test_what_is_handed_over_during_the_set_up_is_acknowledged_after_it() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSMS=0": ["ERROR"], "AT+CSMS?": ["+CSMS: 1,1,1,1", "OK"]})
        handed: list[str] = []

        def indicate(line: str) -> Sequence[str]:
            if handed or line == "AT+CNMI?":
                return OK
            handed.append(line)
            return *OK, HANDED, FIRST

        modem.on["AT+CNMI"] = indicate
        async with phone_of(modem) as phone:
            await until(lambda: phone.sink.incoming)
            await until(lambda: any("CNMA" in line for line in modem.heard))
            assert len(phone.sink.incoming) == 1

    run(main())


def test_pdu_mode_follows_a_forced_command_whose_caller_has_left() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"ATZ": SILENCE})
        async with phone_of(modem) as phone, asyncio.TaskGroup() as group:
            begun = len(modem.heard)
            asked = group.create_task(phone.adapter.command("ATZ", force=True, timeout=30))
            await asyncio.sleep(0.5)
            group.create_task(phone.send())
            await asyncio.sleep(0.5)
            asked.cancel()
            await asyncio.sleep(0.5)
            modem.lines(OK)
            await until(lambda: modem.pdus)
            assert modem.heard[begun : begun + 3] == ["ATZ", "AT+CMGF=0", "AT+CMGS=19"]

    run(main())
