"""A modem as a phone: set up, sending, taking in, over scripted modems and the simulator's."""

import asyncio
import contextlib
import logging
import random
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hwsim.clock import LoopClock
from hwsim.faults import Fault as SimulatedFault
from hwsim.modem import Modem as Simulated
from hwsim.network import Network, Settings
from hwsim.personality import load, names
from hwsim.world import make_sim
from hypothesis import given
from hypothesis import strategies as st

from smsd.adapters.contract import (
    Declined,
    PhoneError,
    PhoneLost,
    Rejected,
    Throttled,
    Unavailable,
    Uncertain,
)
from smsd.adapters.modem.adapter import ModemAdapter, ModemSettings
from smsd.adapters.modem.faults import error_of, fault_of
from smsd.adapters.modem.incoming import read_pdu
from smsd.adapters.modem.open import Streams
from smsd.adapters.modem.profiles import load as load_profiles
from smsd.adapters.modem.setup import set_up
from smsd.adapters.modem.where import Fixed
from smsd.adapters.supervisor import supervise
from smsd.at.dialogue import FinalResult
from smsd.gsm import PDU, Submit
from smsd.model.events import Incoming, LateAnswer, Report, Verdict
from smsd.model.message import AttemptId, FaultClass
from smsd.model.phone import Health
from tests.adapters.scripted import (
    HELLO,
    HELLO_LENGTH,
    HERE,
    ICCID,
    OK,
    PIN,
    SILENCE,
    Answer,
    Notes,
    Phone,
    ScriptedModem,
    Steps,
    deliver,
    phone_of,
    plugged,
    port_of,
    submission,
    until,
)
from tests.virtual_time import run

LONG = "ab" * 160


def report(reference: int) -> str:
    """A status report: delivered to +33612345678."""
    return f"07913396050066F006{reference:02X}0B913316325476F8623020210000006230202100000000"


def locked(after_pin: str = "READY") -> ScriptedModem:
    """A modem whose SIM asks for its PIN."""
    modem = ScriptedModem(on={"AT+CPIN?": ["+CPIN: SIM PIN", "OK"], "AT+CPINR": ["ERROR"]})

    def enter(line: str) -> Sequence[str]:
        modem.on["AT+CPIN?"] = [f"+CPIN: {after_pin}", "OK"]
        return OK

    modem.on["AT+CPIN"] = enter
    return modem


def pins(modem: ScriptedModem) -> list[str]:
    return [line for line in modem.heard if line.startswith("AT+CPIN=")]


# Set up ----------------------------------------------------------------------------------------


def test_a_modem_is_set_up_and_told() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CGMM": ["E173", "OK"]})
        async with phone_of(modem) as phone:
            assert "AT+CMGF=0" in modem.heard
            assert modem.heard.index("ATE0") < modem.heard.index("AT+CMGF=0")
            assert "AT+CNMI=2,1,0,2,0" in modem.heard
            facts = phone.sink.known
            assert facts["model"] == "E173"
            assert facts["imei"] == "861234567890123"
            assert facts["iccid"] == ICCID
            assert facts["operator"] == "Reseau"
            assert facts["signal_dbm"] == -73
            assert facts["registration"] == "home"

    run(main())


def test_a_phone_of_one_sim_serves_no_other() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem, iccid=ICCID[:-1]) as phone:
            assert phone.available  # some modems leave out the check digit
            modem.on["AT+CRSM"] = ['+CRSM: 144,0,"983351309180102644F2"', "OK"]
            await until(lambda: phone.ended)
            assert "not the one" in str(phone.ended[0])
            with pytest.raises(Unavailable):
                await phone.send()
            assert modem.pdus == []

    run(main())


def test_a_profile_that_is_configured_is_used() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem, profile="zte") as phone:
            assert phone.sink.known["profile"] == "zte"
            assert "AT+CPMS?" in modem.heard[:6]

    run(main())


def test_everything_but_pdu_mode_may_be_refused() -> None:
    async def main() -> None:
        refused = [
            "ATE0", "ATV1", "AT+CMEE", "AT+CSCS", "AT+CREG", "AT+CEREG", "AT+CGREG", "AT+COPS",
            "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "AT+CFUN", "AT+CRSM", "AT+CCID",
            "AT+ICCID", "AT+QCCID", "AT^ICCID", "AT+CICCID", "AT+CPMS", "AT+CNMI", "AT+CSMS",
            "AT+CSQ",
        ]  # fmt: skip
        modem = ScriptedModem(on={name: ["ERROR"] for name in refused})
        modem.on["AT+CMEE?"] = ["+CMEE: 0", "OK"]
        async with phone_of(modem) as phone:
            assert (await phone.send()).completed == [(1, "1")]

    run(main())


def test_without_pdu_mode_nothing_is_sent() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CMGF": ["ERROR"]})
        with pytest.raises(PhoneLost, match="PDU mode"):
            async with phone_of(modem):
                pass

    run(main())


def test_the_radio_is_switched_on() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CFUN?": ["+CFUN: 4", "OK"]})
        async with phone_of(modem):
            assert "AT+CFUN=1" in modem.heard

    run(main())


def test_a_busy_sim_is_waited_for() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CPIN?": ["+CME ERROR: 14"]})
        async with phone_of(modem, ready=False) as phone:
            await until(lambda: modem.heard.count("AT+CPIN?") > 5)
            modem.on["AT+CPIN?"] = ["+CPIN: READY", "OK"]
            await until(lambda: phone.available)

    run(main())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (["+CME ERROR: 10"], "sim not inserted"),
        (["+CPIN: PH-NET PIN", "OK"], "the SIM says PH-NET PIN"),
        (["+CPIN: SIM PUK", "OK"], "asks for its PUK"),
        (SILENCE, "does not tell the state of its SIM|answers no commands"),
    ],
)
def test_a_sim_that_cannot_be_used_is_told(answer: Answer, words: str) -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CPIN?": answer})
        with pytest.raises(PhoneLost, match=words):
            async with phone_of(modem, pin=PIN):
                pass
        assert pins(modem) == []

    run(main())


def test_a_modem_without_a_sim_is_started_anew_now_and_then_to_look_for_one() -> None:
    """Many see a SIM that is put in only when they start."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        modem = ScriptedModem(on={"AT+CPIN?": ["+CME ERROR: 10"], "AT^RESET": ["ERROR"]})
        phone = Phone(
            ModemAdapter(HERE, ModemSettings(profile="huawei"), open_streams=plugged(modem)),
            Notes(),
        )
        life = loop.create_task(supervise("gsm0", phone.adapter, phone.sink))
        began, starts = loop.time(), list[float]()
        while len(starts) < 4:
            heard = len(modem.heard)
            await until(lambda: "AT+CFUN=16" in modem.heard[heard:], within=3600.0)  # noqa: B023
            starts.append(loop.time() - began)
        assert starts[0] >= 60.0
        gaps = [after - before for before, after in pairwise(starts)]
        assert gaps == sorted(gaps)
        assert gaps[-1] > 400.0
        modem.on["AT+CPIN?"] = ["+CPIN: READY", "OK"]
        await until(lambda: phone.available, within=60.0)
        life.cancel()
        await asyncio.wait([life])

    run(main())


@pytest.mark.parametrize("state", ["+CPIN: READY", "+CPIN: SIM PIN2", "+CPIN: SIM PUK2", None])
def test_states_of_a_sim_that_can_be_used(state: str | None) -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CPIN?": [state, "OK"] if state else OK})
        async with phone_of(modem, pin=PIN):
            assert pins(modem) == []

    run(main())


@pytest.mark.parametrize(("family", "seconds"), [("sierra", 10), ("wavecom", 5), ("generic", 0)])
def test_a_modem_whose_radio_was_switched_on_is_left_in_peace(family: str, seconds: int) -> None:
    """modems.md 13.7: its OK comes early, and what follows may crash it."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        on, after = [0.0], [0.0]

        def switched(line: str) -> Sequence[str]:
            on[0] = loop.time()
            return OK

        def asked(line: str) -> Sequence[str]:
            after[0] = after[0] or loop.time()
            return ("+CPIN: READY", "OK")

        modem = ScriptedModem(on={"AT+CFUN?": ["+CFUN: 4", "OK"], "AT+CFUN": switched})
        modem.on |= {"AT+CPIN?": asked, "AT!ICCID?": ["ERROR"], "AT+CCID": ["ERROR"]}
        async with phone_of(modem, profile=family):
            assert after[0] - on[0] == pytest.approx(seconds, abs=1)

    run(main())


# The PIN ---------------------------------------------------------------------------------------


def test_a_pin_is_entered_and_its_try_is_claimed_before() -> None:
    async def main() -> None:
        modem = locked()
        async with phone_of(modem, pin=PIN) as phone:
            assert pins(modem) == [f'AT+CPIN="{PIN}"']
            assert phone.sink.tried == [(ICCID, PIN)]
            assert phone.sink.accepted == [(ICCID, PIN)]

    run(main())


@pytest.mark.parametrize("result", ["+CME ERROR: 16", "ERROR", "+CME ERROR: incorrect password"])
def test_a_refused_pin_is_never_tried_again(result: str, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        modem, sink = locked(), Notes()
        modem.on["AT+CPIN"] = [result]
        modem.on["AT+CPIN?"] = ["+CPIN: SIM PIN", "OK"]
        for _ in range(3):
            with pytest.raises(PhoneLost) as raised:
                async with phone_of(modem, sink, pin=PIN):
                    pass
            assert PIN not in str(raised.value)
            assert PIN not in repr(raised.value.fault)
        assert len(pins(modem)) == 1
        assert sink.accepted == []

    with caplog.at_level(logging.DEBUG):
        run(main())
    assert PIN not in caplog.text


def _tries(*counts: int) -> Answer:
    """A SIM that tells these tries one after the other, the last for ever."""
    left = list(counts)

    def answer(line: str) -> Sequence[str]:
        return (f"+CPINR: SIM PIN,{left.pop(0) if len(left) > 1 else left[0]},3", "OK")

    return answer


@pytest.mark.parametrize(
    ("result", "counts", "settled", "entered"),
    [
        ("+CME ERROR: SIM busy", (3,), "accepted", 3),
        ("+CMS ERROR: 314", (), "accepted", 3),
        ("+CME ERROR: 3", (3,), "", 3),
        ("ERROR", (3,), "", 3),
        ("ERROR", (), "", 1),
        ("ERROR", (2,), "", 1),
        ("ERROR", (3, 2), "refused", 1),
        ("+CME ERROR: 14", (3, 2), "refused", 1),
        ("+CME ERROR: 12", (), "refused", 1),
        ("+CME ERROR: SIM PUK required", (), "refused", 1),
    ],
)
def test_a_pin_is_refused_only_where_the_sim_says_so_or_a_try_is_gone(
    result: str, counts: tuple[int, ...], settled: str, entered: int
) -> None:
    """After any error the counter is read before anything else (modems.md 11.3)."""

    async def main() -> None:
        modem, sink = locked(), Notes()
        modem.on["AT+CPIN"] = [result]
        modem.on["AT+CPIN?"] = ["+CPIN: SIM PIN", "OK"]
        if counts:
            modem.on["AT+CPINR"] = _tries(*counts)
        for _ in range(3):
            with pytest.raises(PhoneLost):
                async with phone_of(modem, sink, pin=PIN):
                    pass
        assert len(pins(modem)) == entered
        assert bool(sink.refused) == (settled == "refused")
        assert bool(sink.accepted) == (settled == "accepted")
        after = modem.heard[modem.heard.index(pins(modem)[0]) + 1]
        assert after == "AT+CPINR"

    run(main())


HIDDEN: dict[str, Answer] = {
    line: ["+CME ERROR: 11"]
    for line in ("AT+CRSM", "AT+CCID", "AT+ICCID", "AT+QCCID", "AT^ICCID", "AT+CICCID")
}


@pytest.mark.parametrize("hides", [True, False])
def test_a_sim_that_hides_its_number_gets_its_pin_after_a_restart_too(hides: bool) -> None:
    async def main() -> None:
        modem = locked()
        asking, showing = dict(modem.on), dict(modem.on)

        def lock() -> None:
            modem.on["AT+CPIN?"] = asking["AT+CPIN?"]
            if hides:
                modem.on.update(HIDDEN)

        def enter(line: str) -> Sequence[str]:
            modem.on = dict(showing) | {"AT+CPIN?": ["+CPIN: READY", "OK"], "AT+CPIN": enter}
            return OK

        modem.on["AT+CPIN"] = enter
        lock()
        async with phone_of(modem, pin=PIN) as phone:
            lock()
            modem.lines(["RDY"])
            await until(lambda: len(pins(modem)) == 2 and phone.available)
            assert not phone.ended
            assert {sim for sim, _ in phone.sink.accepted} == {
                "861234567890123" if hides else ICCID
            }
            await asyncio.sleep(30)
            lock()
            if not hides:
                modem.on.update(HIDDEN)
                modem.lines(["RDY"])
                await until(lambda: phone.ended)
                assert len(pins(modem)) == 2  # it never hid it: this may be another

    run(main())


def test_a_sim_that_still_asks_for_a_pin_it_took_is_waited_for() -> None:
    """Ericsson MBM says SIM PIN for a moment after it took it (modems.md 13.9)."""

    async def main() -> None:
        modem = locked(after_pin="SIM PIN")
        async with phone_of(modem, pin=PIN, ready=False) as phone:
            await until(lambda: modem.heard.count("AT+CPIN?") > 4)
            modem.on["AT+CPIN?"] = ["+CPIN: READY", "OK"]
            await until(lambda: phone.available)
            assert len(pins(modem)) == 1
            assert phone.sink.accepted == [(ICCID, PIN)]

    run(main())


def test_a_sim_that_asks_for_ever_gets_its_pin_once() -> None:
    async def main() -> None:
        modem = locked(after_pin="SIM PIN")
        with pytest.raises(PhoneLost, match="SIM PIN"):
            async with phone_of(modem, pin=PIN):
                pass
        assert len(pins(modem)) == 1

    run(main())


@pytest.mark.parametrize("tries", [0, 1])
def test_the_last_try_is_left_to_a_person(tries: int) -> None:
    async def main() -> None:
        modem, sink = locked(), Notes()
        modem.on["AT+CPINR"] = [f"+CPINR: SIM PIN,{tries},3", "OK"]
        with pytest.raises(PhoneLost, match="left for its PIN"):
            async with phone_of(modem, sink, pin=PIN):
                pass
        assert pins(modem) == []
        assert sink.tried == []

    run(main())


def test_a_sim_with_a_pin_that_nobody_configured() -> None:
    async def main() -> None:
        modem = locked()
        with pytest.raises(PhoneLost, match="asks for a PIN") as raised:
            async with phone_of(modem):
                pass
        assert raised.value.fault.kind is FaultClass.SIM
        assert pins(modem) == []

    run(main())


def test_a_modem_that_vanishes_under_the_pin_does_not_get_it_twice() -> None:
    async def main() -> None:
        modem, sink = locked(), Notes()

        def vanish(line: str) -> Sequence[str]:
            modem.vanish()
            return ()

        modem.on["AT+CPIN"] = vanish
        for _ in range(2):
            with pytest.raises(PhoneLost):
                async with phone_of(modem, sink, pin=PIN):
                    pass
        assert len(pins(modem)) == 1

    run(main())


def test_settings_do_not_show_their_pin() -> None:
    assert PIN not in repr(ModemSettings(pin=PIN))


# Memories and indications ----------------------------------------------------------------------


def test_messages_are_received_into_the_largest_memory() -> None:
    async def main() -> None:
        modem = ScriptedModem(memories={"SM": {}, "ME": {}, "SR": {}})
        modem.on['AT+CPMS="SM"'] = ["+CPMS: 0,10,0,10,0,10", "OK"]
        modem.on['AT+CPMS="ME"'] = ["+CPMS: 0,255,0,255,0,10", "OK"]
        async with phone_of(modem):
            assert 'AT+CPMS="ME","ME","ME"' in modem.heard

    run(main())


@pytest.mark.parametrize(
    ("taken", "memories", "expected"),
    [
        ("AT+CNMI=2,1,0,1,0", ("SM", "SR"), "AT+CNMI=2,1,0,1,0"),
        ("AT+CNMI=2,1,0,1,0", ("SM",), "AT+CNMI=2,1,0,1,0"),
        ("AT+CNMI=2,1,0,0,1", ("SM",), "AT+CNMI=2,1,0,0,1"),
        ("AT+CNMI=3,1,0,0,0", ("SM", "SR"), "AT+CNMI=3,1,0,0,0"),
    ],
)
def test_the_first_indications_that_a_modem_takes(
    taken: str, memories: Sequence[str], expected: str
) -> None:
    async def main() -> None:
        modem = ScriptedModem(memories={name: {} for name in memories})
        modem.on["AT+CNMI"] = lambda line: OK if line == taken else ["+CMS ERROR: 303"]
        modem.on["AT+CNMI=?"] = ["+CNMI: (0-2),(0,1),(0),(0),(1)", "OK"]
        async with phone_of(modem):
            tried = [line for line in modem.heard if line.startswith("AT+CNMI=")]
            assert tried[-1] == expected
            handed_over = next(n for n, line in enumerate(tried) if line.endswith(",1,0"))
            stored = [n for n, line in enumerate(tried) if line.endswith(",2,0")]
            assert ("SR" in memories) == any(n < handed_over for n in stored)

    run(main())


def test_a_modem_without_indications_is_polled() -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CNMI": ["ERROR"]})
        async with phone_of(modem) as phone:
            modem.memories["SM"][3] = HELLO
            await until(lambda: phone.sink.incoming, within=20.0)

    run(main())


# In --------------------------------------------------------------------------------------------


def test_what_lies_in_the_memories_is_kept_first_and_deleted_after() -> None:
    async def main() -> None:
        modem = ScriptedModem(memories={"SM": {0: deliver(1), 7: deliver(2)}, "SR": {1: report(9)}})
        held: list[int] = []
        sink = Notes(witness=lambda: held.append(sum(map(len, modem.memories.values()))))
        async with phone_of(modem, sink) as phone:
            assert len(phone.sink.incoming) == 2
            assert [one.reference for one in phone.sink.reports] == ["9"]
            assert held == [3, 3, 1]  # a memory is emptied once all that lies in it is kept
            assert modem.memories == {"SM": {}, "SR": {}}

    run(main())


def test_a_modem_that_cannot_list_is_read_record_by_record() -> None:
    async def main() -> None:
        records = {0: deliver(1), 7: deliver(2), 20: deliver(3)}
        modem = ScriptedModem(memories={"SM": records, "SR": {}}, on={"AT+CMGL": ["ERROR"]})
        async with phone_of(modem) as phone:
            assert len(phone.sink.incoming) == 3
            assert modem.memories["SM"] == {}
            modem.memories["SM"][5] = deliver(4)
            modem.lines(['+CMTI: "SM",99'])  # not where it is
            await until(lambda: not modem.memories["SM"])
            assert len(phone.sink.incoming) == 4
            assert modem.heard.count("AT+CMGL=4") == 1

    run(main())


def test_many_that_are_announced_at_once_are_listed_once() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            before = len(modem.heard)
            for index in range(20):
                modem.memories["SM"][index] = deliver(index)
                modem.lines([f'+CMTI: "SM",{index}'])
            await until(lambda: len(phone.sink.incoming) == 20)
            await until(lambda: not modem.memories["SM"])
            asked = modem.heard[before:]
            assert sum(line.startswith("AT+CMGL") for line in asked) <= 4
            assert sum(line.startswith("AT+CMGD") for line in asked) == 20
            assert len(asked) <= 45

    run(main())


def test_nothing_is_deleted_that_could_not_be_kept() -> None:
    async def main() -> None:
        modem = ScriptedModem(memories={"SM": {4: HELLO}, "SR": {}})
        sink = Notes(fails=RuntimeError("the disk is full"))
        with pytest.raises(RuntimeError, match="disk is full"):
            async with phone_of(modem, sink):
                pass
        assert modem.memories["SM"] == {4: HELLO}
        assert not any("CMGD" in line for line in modem.heard)

    run(main())


def test_a_record_that_moved_since_it_was_listed_is_not_deleted() -> None:
    async def main() -> None:
        modem = ScriptedModem(memories={"SM": {4: deliver(1)}, "SR": {}})
        sink = Notes()

        def shift() -> None:
            modem.memories["SM"][4] = deliver(2)

        sink.witness = shift
        async with phone_of(modem, sink):
            assert modem.memories["SM"] == {4: deliver(2)}

    run(main())


def test_an_announced_message_is_fetched() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.memories["SM"][3] = HELLO
            modem.lines(['+CMTI: "SM",3'])
            await until(lambda: phone.sink.incoming, within=1.0)
            await until(lambda: not modem.memories["SM"], within=1.0)

    run(main())


@pytest.mark.parametrize("hint", ['+CMTI: "SM",9', '+CMTI: "XX",0', '+CDSI: "SM",0'])
def test_a_message_is_found_wherever_it_lies(hint: str) -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.memories["SR"][2] = report(5)
            modem.memories["SM"][3] = HELLO
            modem.lines([hint])
            await until(lambda: phone.sink.reports and phone.sink.incoming, within=5.0)
            await until(lambda: modem.memories == {"SM": {}, "SR": {}}, within=5.0)

    run(main())


def test_a_memory_that_is_refused_leaves_the_others_alone() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.memories["SM"][3] = HELLO
            modem.on['AT+CPMS="SR"'] = ["+CMS ERROR: 302"]
            modem.lines(['+CDSI: "SR",3'])
            await until(lambda: phone.sink.incoming, within=5.0)
            await until(lambda: not modem.memories["SM"])

    run(main())


def test_what_is_not_announced_is_found_by_the_sweep() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.memories["SM"][3] = HELLO
            await until(lambda: phone.sink.incoming, within=301.0)

    run(main())


@pytest.mark.parametrize("service", [0, 1])
def test_a_message_that_is_handed_over_is_kept_and_then_acknowledged(service: int) -> None:
    async def main() -> None:
        modem = ScriptedModem(on={"AT+CSMS?": [f"+CSMS: {service},1,1,1", "OK"]})
        acknowledged: list[int] = []
        sink = Notes(witness=lambda: acknowledged.append(modem.heard.count("AT+CNMA")))
        async with phone_of(modem, sink) as phone:
            modem.lines([f"+CMT: ,{HELLO_LENGTH}", HELLO])
            await until(lambda: phone.sink.incoming)
            await phone.send()
            assert acknowledged == [0]
            assert modem.heard.count("AT+CNMA") == service

    run(main())


def test_a_message_handed_over_just_before_the_modem_vanished_is_kept() -> None:
    async def main() -> None:
        modem, sink = ScriptedModem(), Notes()
        async with phone_of(modem, sink) as phone:
            modem.on["AT+CMGL"] = SILENCE
            modem.lines(['+CMTI: "XX",1'])
            await until(lambda: modem.heard[-1] == "AT+CMGL=4")
            modem.lines([f"+CMT: ,{HELLO_LENGTH}", HELLO])
            await asyncio.sleep(0.1)
            modem.vanish()
            await until(lambda: phone.ended)
            assert len(sink.incoming) == 1

    run(main())


def test_a_record_that_the_modem_keeps_is_left_in_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        modem = ScriptedModem(
            memories={"SM": {4: HELLO}, "SR": {}}, on={"AT+CMGD": ["+CMS ERROR: 320"]}
        )
        async with phone_of(modem):
            await asyncio.sleep(3000)
            assert sum("CMGD" in line for line in modem.heard) == 3

    with caplog.at_level(logging.WARNING):
        run(main())
    assert "does not delete" in caplog.text
    assert HELLO[-20:] not in caplog.text


def test_a_garbled_listing_hides_one_record_and_not_the_others() -> None:
    async def main() -> None:
        modem = ScriptedModem(memories={"SM": {4: HELLO}, "SR": {}})
        modem.on["AT+CMGL"] = lambda line: (
            ["+CMGL: ,1,,23", deliver(1), "+CMGL: 4,1,,²", HELLO, "OK"]
            if modem.selected == "SM"
            else OK
        )
        async with phone_of(modem) as phone:
            assert len(phone.sink.incoming) == 1

    run(main())


def test_a_modem_that_starts_anew_is_set_up_again() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.lines(["RDY"])
            await until(lambda: modem.heard.count("AT+CMGF=0") == 2)
            await until(lambda: phone.available)
            assert (await phone.send()).completed == [(1, "1")]

    run(main())


def test_a_silent_modem_is_opened_anew() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.on |= {"AT+CREG": SILENCE, "AT+CEREG": SILENCE, "AT+CGREG": SILENCE}
            modem.on |= {"AT+CSQ": SILENCE, "AT+COPS": SILENCE}
            await until(lambda: phone.ended)
            assert isinstance(phone.ended[0], PhoneLost)
            with pytest.raises(Unavailable):
                await phone.send()

    run(main())


def test_a_power_cycle_that_failed_is_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    class Deaf(ScriptedModem):
        def _answer(self, line: str) -> Sequence[str]:
            return SILENCE

    async def main() -> None:
        settings = ModemSettings(power_cycle=("/no/such",))
        adapter, sink = ModemAdapter(HERE, settings, open_streams=plugged(Deaf())), Notes()
        life = asyncio.get_running_loop().create_task(supervise("gsm0", adapter, sink))
        await until(lambda: "recovery_L7" in sink.known, within=600)
        life.cancel()
        assert (sink.known["recovery_L1"], sink.known["recovery_L6"]) == (1, 0)

    run(main())
    assert "power_cycle could not be run" in caplog.text


def test_a_modem_that_leaves_the_network_says_so_and_comes_back() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.on |= {name: [f"+{name[3:]}: 1,2", "OK"] for name in ("AT+CREG", "AT+CEREG")}
            modem.on["AT+CGREG"] = ["+CGREG: 1,2", "OK"]
            modem.lines(["+CREG: 2"])
            await until(lambda: not phone.available, within=2.0)
            assert "searching" in phone.sink.healths[-1][1]
            with pytest.raises(Unavailable) as raised:
                await phone.send()
            assert raised.value.fault.kind is FaultClass.NETWORK
            del modem.on["AT+CREG"]
            await phone.adapter.check()
            assert phone.available

    run(main())


def test_looking_at_a_phone_that_is_not_there_does_nothing() -> None:
    async def main() -> None:
        adapter = ModemAdapter(Fixed("/dev/none"), ModemSettings())
        await adapter.check()
        with pytest.raises(Unavailable, match="not ready"):
            await adapter.send(submission(), Steps())

    run(main())


# Out -------------------------------------------------------------------------------------------


def test_a_long_message_is_sent_part_by_part() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem, smsc="+33689004000") as phone:
            steps = await phone.send(LONG)
            assert steps.begun == [1, 2, 3]
            assert steps.completed == [(1, "1"), (2, "2"), (3, "3")]
            tpdus = [PDU.from_hex(pdu, from_sc=False) for pdu in modem.pdus]
            assert all(isinstance(pdu.tpdu, Submit) for pdu in tpdus)
            assert {pdu.sc and pdu.sc.number for pdu in tpdus} == {"+33689004000"}

    run(main())


def test_parts_that_the_network_took_are_not_sent_again() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            steps = await phone.send(LONG, taken={1: "7", 3: None})
            assert steps.begun == [2]
            assert len(modem.pdus) == 1

    run(main())


def ends(modem: ScriptedModem, expected: type[PhoneError] | None) -> None:
    """Whatever a modem does with a part: how sending it ends, and that the phone goes on."""

    async def main() -> None:
        async with phone_of(modem) as phone:
            if expected is None:
                await phone.send(attempt=1)
            else:
                with pytest.raises(PhoneError) as raised:
                    await phone.send(attempt=1)
                assert type(raised.value) is expected
                assert "33612345678" not in str(raised.value)
            modem.prompt, modem.after_pdu = "\r\n> ", None
            modem.on.pop(next(iter(modem.on), ""), None)
            await until(lambda: phone.available)
            sent = len(modem.pdus)
            await phone.send(attempt=2)
            assert len(modem.pdus) == sent + 1
            assert phone.sink.late == []

    run(main())


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("+CMS ERROR: 1", Rejected),
        ("+CMS ERROR: 303", Declined),
        ("+CMS ERROR: 304", Throttled),
        ("+CMS ERROR: 38", Unavailable),
        ("+CMS ERROR: 512", Throttled),
        ("+CMS ERROR: 332", Unavailable),
        ("+CMS ERROR: 331", Unavailable),
        ("+CMS ERROR: 513", Throttled),
        ("+CME ERROR: SIM busy", Unavailable),
        ("ERROR", Throttled),
        ("OK", Throttled),
    ],
)
def test_a_refusal_before_the_pdu_is_never_a_doubt(result: str, expected: type[PhoneError]) -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            modem.on |= {f"AT+CMGS={n}": [result] for n in range(200)}
            with pytest.raises(PhoneError) as raised:
                await phone.send()
            assert type(raised.value) is expected

    run(main())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (["+CMS ERROR: 1"], Rejected),
        (["+CMS ERROR: 38"], Unavailable),
        (["+CMS ERROR: 21"], Throttled),
        (["+CMS ERROR: 303"], Declined),
        (["+CMS ERROR: 332"], Unavailable),
        (["+CMS ERROR: 50"], Unavailable),
        (["+CMS ERROR: 22"], Throttled),
        (["+CMS ERROR: 513"], Uncertain),
        (["+CMS ERROR: unknown error"], Unavailable),
        (["+CMS ERROR: no network service"], Unavailable),
        (["ERROR"], Uncertain),
        (["NO CARRIER", "BUSY"], Uncertain),
        (["CONNECT OK"], Uncertain),
        (SILENCE, Uncertain),
        (["SOMETHING ODD"], Uncertain),
        (["+CMS ERROR: 197"], None),
        (["OK"], None),
        (["+CMGS: x", "OK"], None),
    ],
)
def test_what_follows_from_the_answer_to_a_pdu(
    answer: Sequence[str], expected: type[PhoneError] | None
) -> None:
    ends(ScriptedModem(after_pdu=answer), expected)


@pytest.mark.parametrize("escape", [(), ("OK",), ("+CMS ERROR: 500",), ("ERROR",)])
def test_a_prompt_that_does_not_come_is_no_doubt_and_no_success(escape: Sequence[str]) -> None:
    with_cause = escape == ("+CMS ERROR: 500",)  # so soon it may still be loading
    ends(ScriptedModem(prompt=None, escape=escape), Unavailable if with_cause else Throttled)


def test_two_recipients_refused_alike_bar_the_phone_and_one_does_not() -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=["+CMS ERROR: 21"])
        async with phone_of(modem) as phone:
            with pytest.raises(Throttled):
                await phone.send()
            with pytest.raises(Declined):
                await phone.send()
            with pytest.raises(Unavailable) as raised:
                await phone.send(destination="+33698765432")
            assert raised.value.health is Health.LIMIT_REACHED

    run(main())


def test_a_part_is_begun_after_the_prompt_and_what_begin_raises_stops_it() -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:

            class Full(Exception):
                pass

            class Steps:
                async def begin(self, part: int, total: int) -> None:
                    assert modem.heard[-1].startswith("AT+CMGS=")
                    raise Full

                async def complete(self, part: int, reference: str | None) -> None:
                    raise AssertionError("nothing has left")

            with pytest.raises(Full):
                await phone.adapter.send(submission(), Steps())
            assert modem.pdus == []
            assert (await phone.send()).completed

    run(main())


def test_a_reference_may_follow_its_ok() -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=["OK", "+CMGS: 41"])
        async with phone_of(modem) as phone:
            assert (await phone.send()).completed == [(1, "41")]

    run(main())


def test_a_reference_that_follows_an_ok_is_not_given_to_a_part_in_doubt() -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE)
        async with phone_of(modem) as phone:
            with pytest.raises(Uncertain):
                await phone.send(attempt=1)
            modem.after_pdu = OK
            await phone.send(attempt=2)
            modem.lines(["+CMGS: 77"])
            await phone.adapter.check()
            assert phone.sink.late == []

    run(main())


def test_an_answer_that_comes_after_all_settles_the_doubt() -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE)
        async with phone_of(modem) as phone:
            with pytest.raises(Uncertain, match="may have gone"):
                await phone.send(attempt=5)
            modem.lines(["+CMGS: 77"])
            await until(lambda: phone.sink.late)
            assert phone.sink.late == [LateAnswer(AttemptId(5), 1, "77")]
            modem.lines(["+CMGS: 78"])
            await phone.adapter.check()
            assert len(phone.sink.late) == 1

    run(main())


def test_an_answer_that_comes_when_the_port_was_opened_anew_settles_the_doubt() -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE)
        async with phone_of(modem) as phone, asyncio.TaskGroup() as group:

            async def busy() -> None:
                await until(lambda: modem.pdus)
                modem.on["AT+CMEE?"] = SILENCE

            group.create_task(busy())
            with pytest.raises(Uncertain):
                await phone.send(attempt=5)
            await until(lambda: phone.ended)
            modem.on["AT+CMEE?"] = ["+CMGS: 9", "OK", "+CMEE: 1", "OK"]
            again = group.create_task(phone.adapter.run(phone.sink))
            await until(lambda: phone.sink.late)
            again.cancel()
            assert phone.sink.late == [LateAnswer(AttemptId(5), 1, "9")]

    run(main())


def test_a_cancelled_sending_leaves_the_phone_usable_and_is_answered_late() -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE)
        async with phone_of(modem) as phone, asyncio.TaskGroup() as group:
            sending = group.create_task(phone.send(attempt=5))
            await until(lambda: modem.pdus)
            sending.cancel()
            modem.lines(["+CMGS: 9", "OK"])
            await until(lambda: phone.sink.late)
            assert phone.sink.late == [LateAnswer(AttemptId(5), 1, "9")]
            modem.after_pdu = None
            assert (await phone.send(attempt=6)).completed == [(1, "2")]

    run(main())


def test_cancelling_a_sending_at_any_step_leaves_the_phone_usable() -> None:
    async def main(steps: int) -> bool:
        modem = ScriptedModem()
        async with phone_of(modem) as phone, asyncio.TaskGroup() as group:
            sending = group.create_task(phone.send("first", attempt=1))
            for _ in range(steps):
                await asyncio.sleep(0)
            finished = sending.done()
            sending.cancel()
            done = await phone.send("second", attempt=2)
            assert done.completed == [(1, str(len(modem.pdus)))]
            assert len(modem.pdus) <= 2
            return finished

    steps = 0
    while not run(main(steps)):
        steps += 1
    assert steps > 5


@pytest.mark.parametrize("taken", [False, True])
def test_a_modem_that_vanishes_with_a_message(taken: bool) -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE, prompt="\r\n> " if taken else None)
        async with phone_of(modem) as phone, asyncio.TaskGroup() as group:

            async def send() -> type[PhoneError] | None:
                try:
                    await phone.send()
                except PhoneError as error:
                    return type(error)
                return None

            sending = group.create_task(send())
            await until(lambda: any("CMGS" in line for line in modem.heard))
            await until(lambda: modem.pdus or not taken)
            modem.vanish()
            await until(lambda: phone.ended and sending.done())
            assert sending.result() is (Uncertain if taken else Unavailable)
            assert isinstance(phone.ended[0], PhoneLost)

    run(main())


@pytest.mark.parametrize(
    "changes",
    [
        {"destination": "+33612x45678"},
        {"destination": ""},
        {"destination": "+" + "123456789" * 3},
        {"text": "x" * 50_000},
    ],
)
def test_what_cannot_be_encoded_is_rejected_before_anything_is_begun(
    changes: dict[str, str],
) -> None:
    async def main() -> None:
        modem = ScriptedModem()
        async with phone_of(modem) as phone:
            steps = Steps()
            with pytest.raises(Rejected) as raised:
                await phone.adapter.send(submission(**changes), steps)  # type: ignore[arg-type]
            assert steps.begun == []
            assert "xxxx" not in str(raised.value)
            assert changes.get("destination", "x") == "" or (
                changes.get("destination", "none") not in str(raised.value)
            )

    run(main())


def test_a_full_memory_is_swept_at_once() -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=["+CMS ERROR: 322"])
        async with phone_of(modem) as phone:
            modem.memories["SM"][1] = HELLO
            with pytest.raises(Throttled):
                await phone.send()
            await until(lambda: not modem.memories["SM"], within=2.0)

    run(main())


def test_unknown_lines_anywhere_break_nothing() -> None:
    async def main() -> None:
        chatter = ["^BOOT:1,0", "HELLO", "+FOO: 1", "> ", "*X: ²", "+CSQ", "+CMGS"]
        modem = ScriptedModem(memories={"SM": {4: HELLO}, "SR": {}})
        answer: Callable[[str], Sequence[str]] = modem._answer

        def chatty(line: str) -> Sequence[str]:
            known = answer(line)
            return [*chatter, *known] if line != "AT+CSMS?" else known

        modem._answer = chatty  # type: ignore[method-assign]
        modem.after_pdu = [*chatter, "+CMGS: 9", *chatter, "OK"]
        async with phone_of(modem) as phone:
            assert len(phone.sink.incoming) == 1
            assert modem.memories["SM"] == {}
            assert phone.sink.known["imei"] == "861234567890123"
            assert (await phone.send()).completed == [(1, "9")]

    run(main())


# Faults ----------------------------------------------------------------------------------------


def test_every_number_has_words_and_says_what_is_next() -> None:
    for text in (f"+{kind} ERROR: {number}" for kind in ("CMS", "CME") for number in range(800)):
        fault = fault_of(FinalResult(text))
        assert fault.words
        assert fault.code == text
        if fault.kind is not FaultClass.DUPLICATE:
            assert isinstance(error_of(fault), PhoneError)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("+CMS ERROR: 8", FaultClass.LIMIT),
        ("+CMS ERROR: 50", FaultClass.LIMIT),
        ("+CMS ERROR: 69", FaultClass.LIMIT),
        ("+CMS ERROR: 28", FaultClass.SIM),
        ("+CMS ERROR: 42", FaultClass.NETWORK),
        ("+CMS ERROR: 96", FaultClass.CONFIGURATION),
        ("+CMS ERROR: 195", FaultClass.PERMANENT),
        ("+CMS ERROR: 197", FaultClass.DUPLICATE),
        ("+CMS ERROR: 322", FaultClass.MEMORY),
        ("+CMS ERROR: 331", FaultClass.NETWORK),
        ("+CMS ERROR: 500", FaultClass.RETRY),
        ("+CMS ERROR: 12345", FaultClass.RETRY),
        ("+CME ERROR: 10", FaultClass.SIM),
        ("+CME ERROR: 30", FaultClass.NETWORK),
        ("+CME ERROR: SIM busy", FaultClass.RETRY),
        ("ERROR", FaultClass.RETRY),
    ],
)
def test_classes_of_faults(text: str, kind: FaultClass) -> None:
    assert fault_of(FinalResult(text)).kind is kind


def test_a_lack_of_credit_makes_a_phone_say_so() -> None:
    fault = fault_of(FinalResult("+CMS ERROR: 21"))
    error = error_of(fault)
    assert isinstance(error, Unavailable)
    assert error.health is Health.LIMIT_REACHED
    assert fault.hint


# PDUs ------------------------------------------------------------------------------------------


def test_a_message_is_read() -> None:
    found = read_pdu(HELLO, HELLO_LENGTH)
    assert isinstance(found, Incoming)
    assert found.originator == "+33602345678"
    assert (found.text, found.error) == ("12345", None)
    assert found.raw == HELLO[16:]


def test_copies_of_a_message_are_known_again_whatever_service_centre_they_name() -> None:
    other = "07913396050066F1" + HELLO[16:]
    assert isinstance(a := read_pdu(HELLO, HELLO_LENGTH), Incoming)
    assert isinstance(b := read_pdu(other.lower(), HELLO_LENGTH), Incoming)
    assert isinstance(c := read_pdu(deliver(9), HELLO_LENGTH), Incoming)
    assert a.key == b.key != c.key


def test_a_report_is_read() -> None:
    found = read_pdu(report(9), None)
    assert isinstance(found, Report)
    assert (found.reference, found.recipient) == ("9", "+33612345678")
    assert found.verdict is Verdict.DELIVERED


def test_what_a_modem_did_not_receive_is_kept_with_its_error() -> None:
    found = read_pdu("0001000B913316325476F80000AA05E8329BFD06", None)
    assert isinstance(found, Incoming)
    assert found.error


HEX = st.binary(max_size=180).map(bytes.hex)


@given(st.one_of(HEX, HEX.map(lambda tail: HELLO[:20] + tail), HEX.map(lambda t: report(1) + t)),
       st.one_of(st.none(), st.integers(0, 200)))  # fmt: skip
def test_any_octets_are_a_message_a_report_or_kept_with_an_error(
    pdu: str, length: int | None
) -> None:
    found = read_pdu(pdu, length)
    assert found.key


# The simulator's modems ------------------------------------------------------------------------


class _Line:
    """A simulated modem at the other end of a socket pair."""

    def __init__(self, modem: Simulated) -> None:
        self._modem = modem

    async def __aenter__(self) -> Streams:
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        theirs.setblocking(False)
        self._theirs = theirs
        self._modem.write = lambda octets: None if theirs.fileno() < 0 else _put(theirs, octets)
        self._modem.vanish = lambda seconds: theirs.close()
        loop.add_reader(theirs, self._read)
        reader, self._writer = await asyncio.open_connection(sock=ours)
        return reader, self._writer

    def _read(self) -> None:
        data = self._theirs.recv(4096) if self._theirs.fileno() >= 0 else b""
        if data:
            self._modem.feed(data)
        else:
            asyncio.get_running_loop().remove_reader(self._theirs)

    async def __aexit__(self, *reason: object) -> None:
        if self._theirs.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._theirs)
        self._theirs.close()
        self._writer.transport.abort()


def _put(sock: socket.socket, octets: bytes) -> None:
    with contextlib.suppress(OSError):
        sock.send(octets)


# Every family that has an AT port.
PERSONALITIES = sorted(set(names()) - {"zte-mf823"})


@asynccontextmanager
async def simulated(
    personality: str, pin: str | None = None
) -> AsyncIterator[tuple[Phone, Simulated, Network]]:
    network = Network(LoopClock(asyncio.get_running_loop()), Settings())
    sim = make_sim(0, random.Random(0), pin)
    modem = Simulated("modem0", "350000000000000", sim, load(personality), network)
    network.connect(modem)
    adapter = ModemAdapter(
        HERE, ModemSettings(pin=pin), open_streams=lambda device, baud: _Line(modem)
    )
    phone = Phone(adapter, Notes())

    async def life() -> None:
        try:
            await adapter.run(phone.sink)
        except PhoneLost as error:
            phone.ended.append(error)

    task = asyncio.get_running_loop().create_task(life())
    try:
        await until(lambda: phone.available or phone.ended)
        yield phone, modem, network
    finally:
        modem.power_off()
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize("personality", PERSONALITIES)
@pytest.mark.parametrize("pin", [None, PIN])
def test_a_simulated_modem_sends_and_receives(personality: str, pin: str | None) -> None:
    async def main() -> None:
        async with simulated(personality, pin) as (phone, modem, network):
            assert phone.available
            steps = await patiently(phone, LONG)
            assert [number for number, _ in steps.completed] == [1, 2, 3]
            assert len(network.sent) == 3
            references = {reference for _, reference in steps.completed}
            assert len(references) == 3
            if personality != "wavecom":  # which spoils reports, so none are asked for
                known = phone.sink.reports
                await until(lambda: {one.reference for one in known} == references, within=900.0)
            network.deliver(modem, bytes.fromhex(HELLO[16:]))
            await until(lambda: phone.sink.incoming, within=900.0)
            assert set(phone.sink.texts) == {"12345"}

    run(main())


async def patiently(phone: Phone, text: str = "hello", attempt: int = 1) -> Steps:
    """Send once the phone can: it is set up anew whenever it says that it has restarted."""
    while True:
        try:
            return await phone.send(text, attempt)
        except Unavailable as error:
            if phone.ended or not any(words in str(error) for words in NOT_YET):
                raise
            await asyncio.sleep(error.seconds or 0.1)


# What modems say that have only just started.
NOT_YET = (
    "not ready", "+CMS ERROR: 302", "+CMS ERROR: 314", "+CMS ERROR: 330", "+CMS ERROR: 500",
    "+CMS ERROR: 515",
)  # fmt: skip


FAULTS = ["cms 38", "cms 1", "cms-prompt 38", "error", "silence", "swallow", "late 20", "late 130",
          "late 200", "no-prompt", "unplug-before", "unplug-after", "report-first", "no-reference",
          "dead"]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("personality", ["generic", "nasty"])
def test_no_fault_loses_a_message_or_sends_it_twice(personality: str, fault: str) -> None:
    """What the network accepted is sent or in doubt; what it did not is never called sent."""

    async def main() -> None:
        async with simulated(personality) as (phone, modem, network):
            kind, *values = fault.split()
            modem.arm(SimulatedFault(kind, float(values[0]) if values else None))
            outcome: type[PhoneError] | None = None
            try:
                await patiently(phone)
            except PhoneError as error:
                outcome = type(error)
            if network.sent:
                assert outcome in (None, Uncertain)
            else:
                assert outcome is not None
            if kind in ("cms", "cms-prompt", "no-prompt"):
                assert outcome in (Throttled, Rejected, Unavailable)
            await asyncio.sleep(1.0)
            await until(lambda: phone.available or phone.ended)
            if phone.ended or modem.dead:
                return
            before = len(network.sent)
            steps = await patiently(phone, attempt=2)
            assert len(steps.completed) == 1
            assert len(network.sent) == before + 1
            assert len(phone.sink.late) <= (outcome is Uncertain)

    run(main())


@pytest.mark.parametrize(
    ("usb", "answer", "written"),
    [
        (True, ['+QURCCFG: "urcport","usbmodem"', "OK"], 1),
        (True, ['+QURCCFG: "urcport","usbat"', "OK"], 0),
        (True, ["ERROR"], 0),
        (False, ['+QURCCFG: "urcport","uart1"', "OK"], 0),
    ],
)
def test_what_stays_in_the_flash_is_written_once_and_on_the_usb_alone(
    usb: bool, answer: Sequence[str], written: int
) -> None:
    async def main() -> None:
        modem = ScriptedModem(on={'AT+QURCCFG="urcport"': answer})
        profiles = load_profiles()
        async with port_of(modem) as (port, _):
            await set_up(port, profiles["quectel"], profiles, lambda _: None, Notes(), usb=usb)
        assert modem.heard.count('AT+QURCCFG="urcport","usbat"') == written

    run(main())
