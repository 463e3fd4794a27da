"""Each command's line, and its answer as modems of the field give it."""

import contextlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.at import commands
from smsd.at.commands import Fill, Memories, Operator, Registration, Stored
from smsd.at.dialogue import Command
from smsd.at.syntax import AnswerError

ICCID = "8933150319080162432"


CPINR = commands.pin_tries("AT+CPINR", r'SIM PIN"?, *(\d+)')


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (commands.attention(), "AT"),
        (commands.setting("ATE0"), "ATE0"),
        (commands.functionality(), "AT+CFUN?"),
        (commands.set_functionality(commands.Functionality.FULL), "AT+CFUN=1"),
        (commands.pin_state(), "AT+CPIN?"),
        (commands.enter_pin("1234"), 'AT+CPIN="1234"'),
        (commands.select_memories("SM", "ME"), 'AT+CPMS="SM","ME"'),
        (commands.indications(2, 1, 0, 2, 0), "AT+CNMI=2,1,0,2,0"),
        (commands.list_messages(), "AT+CMGL=4"),
        (commands.read_message(7), "AT+CMGR=7"),
        (commands.delete_message(7), "AT+CMGD=7"),
        (commands.send_pdu("00AA", 23), "AT+CMGS=23"),
        (commands.acknowledge(), "AT+CNMA"),
        (commands.registration("CEREG"), "AT+CEREG?"),
        (commands.serial_number(), "AT+CGSN"),
    ],
)
def test_the_line_that_is_sent(command: Command[Any], line: str) -> None:
    assert command.line == line
    assert command.timeout > 0


@pytest.mark.parametrize(
    ("command", "lines", "answer"),
    [
        (commands.attention(), [], None),
        (commands.identity("AT+CGMI"), ["huawei"], "huawei"),
        (commands.identity("AT+CGMI"), ["", '+CGMI: "SIMCOM"'], "SIMCOM"),
        (commands.identity("AT+CGMI"), ["+CGMI: ", "x"], "x"),
        (commands.identity("AT+CGMI"), [], ""),
        (commands.serial_number(), ["FOO: 1", "861234567890123"], "861234567890123"),
        (commands.serial_number(), ['+CGSN: "861234567890123"'], "861234567890123"),
        (commands.serial_number(), ["+GARBLED: 3"], ""),
        (commands.functionality(), ["+CFUN: 1,0"], 1),
        (commands.pin_state(), ["+CPIN: READY"], "READY"),
        (commands.pin_state(), ['+CPIN:"sim pin"'], "SIM PIN"),
        (commands.pin_state(), [], ""),
        (CPINR, ["+CPINR: SIM PIN2,3,3", "+CPINR: SIM PIN,2,3"], 2),
        (CPINR, ["+CPINR: SIM PIN,²"], None),
        (CPINR, ["+CPINR: SIM PIN"], None),
        (CPINR, [], None),
        (commands.pin_tries("AT+CSIM=1", "63C([0-9A-F])"), ['+CSIM: 4,"63CA"'], 10),
        (commands.pin_tries("AT+SPIC", r"(\d+)"), ["+CREG: 1", "^RSSI: 20", "+SPIC: 3,10"], 3),
        (commands.pin_tries("AT+SPIC", r"(\d+)"), ["+CREG: 1"], None),
        (commands.registration("CREG"), ["+CREG: 5", "+CREG: 1,1"], Registration.HOME),
        (commands.registration("CREG"), ['+CREG: 2,5,"00C3","1A"'], Registration.ROAMING),
        (commands.registration("CREG"), ["+CREG: 0,77"], Registration.UNKNOWN),
        (commands.signal_quality(), ["+CSQ: 17,99"], -79),
        (commands.signal_quality(), ["+CSQ: 99,99"], None),
        (
            commands.memories(),
            ['+CPMS: ("SM","ME","SR"),("SM"),("ME","SM")'],
            Memories(("SM", "ME", "SR"), ("SM",), ("ME", "SM")),
        ),
        (
            commands.memories(),
            ['+CPMS: (("SM","BM","SR"),("SM"))'],
            Memories(("SM", "BM", "SR"), ("SM",), ("SM", "BM", "SR")),
        ),
        (
            commands.memories(),
            ['+CPMS: ("SM"),(),("")'],
            Memories(("SM",), ("SM",), ("SM",)),
        ),
        (commands.select_memories("SM"), ["+CPMS: 3,20,3,20,3,20"], Fill(3, 20)),
        (commands.select_memories("SM"), ["+CPMS: 3"], None),
        (commands.select_memories("SM"), ["+CPMS: ²,20"], None),
        (commands.select_memories("SM"), [], None),
        (
            commands.offered_indications(),
            ["+CNMI: (0-2),(0,1),0,(0-2),(1)"],
            ((0, 1, 2), (0, 1), (0,), (0, 1, 2), (1,)),
        ),
        (
            commands.list_messages(),
            [
                "+CMGL: 0,1,,23",
                "00aa",
                "+CMGL: 9,1,,5",
                "+CMGL: ,1,,23",
                "00BB",
                "hello",
                '+CMGL: 12,0,"",x²',
                "not hex",
                "00CC",
                "00DD",
            ],
            (Stored(0, "00AA", 23), Stored(12, "00CC", None)),
        ),
        (commands.read_message(4), ["+CMGR: 0,,23", "^odd", "00aa"], Stored(4, "00AA", 23)),
        (commands.read_message(4), ["+CMGR: 0,,²", "00aa"], Stored(4, "00AA", None)),
        (commands.read_message(4), ["+CMGR: 0,,0"], None),
        (commands.read_message(4), [], None),
        (commands.send_pdu("00AA", 23), ["+CMGS: 255"], 255),
        (commands.send_pdu("00AA", 23), ["+CMGS: 7,00AA"], 7),
        (commands.send_pdu("00AA", 23), ["+CMGS: ²"], None),
        (commands.send_pdu("00AA", 23), [], None),
        (commands.service(), ["+CSMS: 1,1,1,1"], 1),
        (commands.operator(), ['+COPS: 0,0,"Orange F",2'], Operator("Orange F", "UMTS")),
        (commands.operator(), ['+COPS: 0,0,"Orange F",99'], Operator("Orange F")),
        (commands.operator(), ['+COPS: 0,0,"Orange F"'], Operator("Orange F")),
        (commands.operator(), ["+COPS: 0"], Operator()),
        (commands.operator(), [], Operator()),
        (commands.temperature("AT+CPMUTEMP"), ["+CPMUTEMP: 32"], 32),
        (commands.temperature("AT+QTEMP"), ["+QTEMP: 32,31,30"], 32),
        (commands.temperature("AT+QTEMP"), ['+QTEMP:"pa","31"', '+QTEMP:"xo","-3"'], 31),
        (commands.temperature("AT^CHIPTEMP?"), ["^CHIPTEMP: 247,238,65535,65535"], 25),
        (commands.temperature("AT#TEMPMON=1"), ["#TEMPMON: 0,28"], 28),
        (commands.temperature("AT^SCTM?"), ["^SCTM: 0,0,27"], 27),
        (commands.temperature("AT+CMTE?"), ["+CMTE: 1,27.74"], 28),
        (commands.temperature("AT+QTEMP"), ["+QTEMP: x"], None),
        (commands.temperature("?"), [], None),
        (commands.iccid("AT+CCID"), [f"+CCID: {ICCID}"], ICCID),
        (commands.iccid("AT^ICCID?"), [f'^ICCID: "{ICCID}F"'], ICCID),
        (commands.iccid("AT+CCID"), ["odd: 1", f"{ICCID}F"], ICCID),
        (
            commands.iccid(commands.EF_ICCID),
            ['+CRSM: 144,0,"98335130918010264223"'],
            "89331503190801622432",
        ),
        (
            commands.iccid(commands.EF_ICCID),
            ['+CRSM: 144,0,"983351309180102634F2"'],
            "8933150319080162432",
        ),
    ],
)
def test_the_answer_is_read(command: Command[Any], lines: Sequence[str], answer: object) -> None:
    assert command.parse(lines) == answer


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (commands.functionality(), []),
        (commands.functionality(), ["+CFUN: x"]),
        (commands.registration("CREG"), ["+CREG: 5"]),
        (commands.registration("CREG"), ["+CREG: 2,x"]),
        (commands.signal_quality(), ["+CSQ: -,"]),
        (commands.memories(), ["+CPMS: "]),
        (commands.memories(), ["+CPMS: (())"]),
        (commands.memories(), []),
        (commands.service(), []),
        (commands.offered_indications(), []),
        (commands.iccid("AT+CCID"), ["+CCID: ERROR"]),
        (commands.iccid(commands.EF_ICCID), ["+CRSM: 148,4"]),
        (commands.pin_tries("AT+CPINC?", "(.*)"), ["+CPINC: three"]),
    ],
)
def test_an_answer_of_another_form_is_told(command: Command[Any], lines: Sequence[str]) -> None:
    with pytest.raises(AnswerError):
        command.parse(lines)


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "١٢٣٤", '12"4'])
def test_what_is_no_pin_is_never_entered(pin: str) -> None:
    with pytest.raises(ValueError, match="a PIN has 4 to 8 digits") as raised:
        commands.enter_pin(pin)
    assert not pin or pin not in str(raised.value)


@pytest.mark.parametrize(
    ("registration", "registered"),
    [(r, r in (1, 5, 6, 7, 9, 10)) for r in Registration],
)
def test_who_is_registered(registration: Registration, registered: bool) -> None:
    assert registration.registered is registered


EVERY: tuple[Command[Any], ...] = (
    commands.identity("AT+CGMM"), commands.serial_number(), commands.functionality(),
    commands.pin_state(), CPINR, commands.iccid("AT+CCID"), commands.iccid(commands.EF_ICCID),
    commands.registration("CREG"), commands.signal_quality(), commands.memories(),
    commands.select_memories("SM"), commands.offered_indications(), commands.list_messages(),
    commands.read_message(1), commands.send_pdu("00", 1), commands.service(), commands.operator(),
)  # fmt: skip
PREFIXES = ["", "+CFUN:", "+CPIN:", "+CPINR:", "+CREG:", "+CSQ:", "+CPMS:", "+CNMI:", "+CMGL:",
            "+CMGR:", "+CMGS:", "+CSMS:", "+COPS:", "+CSCA:", "+CCID:", "+CRSM:"]  # fmt: skip
LINES = st.lists(
    st.builds(str.__add__, st.sampled_from(PREFIXES), st.text('0129²(),"-:AF SM\xe9', max_size=12)),
    max_size=4,
)


@given(st.sampled_from(EVERY), LINES)
def test_any_lines_give_a_value_or_the_documented_error(
    command: Command[Any], lines: list[str]
) -> None:
    with contextlib.suppress(AnswerError):
        command.parse(lines)
