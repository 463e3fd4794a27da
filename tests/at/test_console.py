"""A person's own AT command: what is given, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.at.console import LONGEST, Refused, changes, check, command, parse


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("AT+CSQ", ("+CSQ",)),
        ("at+csq", ("+csq",)),
        ("+CSQ", ("+CSQ",)),
        ("ATI", ("I",)),
        ("AT E0 V1 +CSQ", ("E0", "V1", "+CSQ")),
        ("ATE0V1&F0S3=13", ("E0", "V1", "&F0", "S3=13")),
        ("AT+CSQ;+CREG?", ("+CSQ", "+CREG?")),
        ('AT+COPS=0,2,"a;b";+CSQ', ('+COPS=0,2,"a;b"', "+CSQ")),
        ('AT+X="never closed;+CSQ', ('+X="never closed;+CSQ',)),
        ("AT^SYSINFOEX", ("^SYSINFOEX",)),
        ("ATDT0612345678;+CSQ", ("DT0612345678;+CSQ",)),
        ("ATS3?", ("S3?",)),
        ("AT;;+CSQ;", ("+CSQ",)),
    ],
)
def test_a_line_is_read_apart(line: str, commands: tuple[str, ...]) -> None:
    assert parse(line) == commands


@pytest.mark.parametrize(
    "line",
    ["", "  ", "+++", "AT+CSQ\rAT+CFUN=0", "AT+CSQ\x1a", "AT+é", "AT" + "A" * LONGEST, "AT=1", "?"],
)
def test_what_is_no_command_is_refused(line: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(line)
    assert not refused.value.forcible


@pytest.mark.parametrize(
    "line",
    [
        "AT+CSQ", "ATI", "AT+CFUN?", "AT+CFUN=?", "AT+CFUN=1", "AT+CMGF=0",
        "AT+CPMS?", "AT+CMGL=4", "AT+CMGR=1",
        "AT+COPS=?", "AT^SYSINFO", 'AT+CLCK="SC",2', "AT+CPIN?", "AT+CMGS=?",
        "AT+CRSM=176,12258,0,0,10",
        "ATE0", "ATV1", "AT+CPINR", "AT+QTEMP", "ATQ0", "ATI9", "ATS3?", 'AT+CLCK="SC",2,,7',
        'AT+QCFG="usbnet"', 'AT+QENG="servingcell"', "AT+ZPINPUK=?", "AT+CPBR=1,10",
        'AT+CPINR="SIM PIN"', 'AT^SPIC="SC"',
    ],
)  # fmt: skip
def test_what_only_looks_is_given(line: str) -> None:
    check(parse(line))
    assert not changes(parse(line))


@pytest.mark.parametrize(
    "line",
    [
        "AT+CFUN=0", "AT+CFUN=1,1", "AT+CFUN=4", 'AT+CPMS="SM"', "AT+CNMI=2,1",
        "AT^RESET", "AT+CRESET", "ATE1", "ATV0", "ATQ1", "ATZ", "ATZ0", "AT&F", "ATD0612345678;",
        "AT+CSQ;+CFUN=0", "ATE0Q1", "AT +cfun = 0", "ATS3=10", 'AT+CUSD=1,"*100#"', "AT+IPR=9600",
        "ATA", "ATH", 'AT+CSCS="UCS2"', "AT+CPOWD=1", "AT#SHDN", "AT!RESET",
        "ATV", "ATQ", "ATE", 'AT+CSCA="+331"', "AT+CSMP=17", "AT+COPS=2", "AT+CGATT=0", "ATD+336?",
        'AT+QCFG="usbnet",1', "AT+CREG=2", "AT^GETPORTMODE", "AT+CNMI", "AT+NOBODY=KNOWS", "AT%E2",
    ],
)  # fmt: skip
def test_what_changes_the_modem_wants_force(line: str) -> None:
    with pytest.raises(Refused) as refused:
        check(parse(line))
    assert refused.value.forcible
    check(parse(line), force=True)
    assert changes(parse(line))


@pytest.mark.parametrize(
    "line",
    [
        'AT+CPIN="1234"', "AT+CPIN=1234", 'AT+CPIN="12345678","1234"', "AT+CMGS=23",
        'AT+CMGS="+336"',
        "AT+CMSS=1", "AT+CMGF=1", "AT+CMGF=",
        "AT+CMGW=12", "AT+CMGC=1", "AT+CMGD=1", "AT+CMGD=1,4", "AT+CNMA", "AT+CNMA=0",
        'AT+CPWD="SC","1","2"', 'AT+CLCK="SC",1,"1234"', 'AT+CLCK="SC",0,"1"', "AT+CSQ;+CPIN=1",
        "ATE0+CMGD=1", 'AT+CSIM=26,"0020"', "AT+CRSM=214,1,0,0,1", "AT^CPIN=1", "at+cpin=1",
        'AT+CPIN="1?', 'AT+CPIN="=?"x', 'AT+CPIN2="1"', 'AT+CPIN=1234 ?', 'AT+CPIN="1234",=?',
        'AT+CMGS="1?"', "AT+CMGD=1?", 'AT+CMGDA="DEL ALL"', "AT+CMGDA=6", 'AT+CMSSEX=0,"+336"',
        'AT+CMGSO="+336","x"', 'AT+CMGSEX="+33"', 'AT+QCMGS="+33",1,1,1', "AT#CMGS=1", "AT^HCMGS=1",
        'AT^SLCK="SC",1,"0000"', 'AT^SPWD="SC","0000","1111"', 'AT*ECPIN="1"', 'AT+CPINE="1"',
        'AT^SCPIN="1"', 'AT+QMGDA="DEL ALL"', "AT+CMGRD=1", 'AT+CLCK="SC",2,"1"',
        "AT^CRSM=214,1", "AT+CMGF", 'AT+CGLA=1,4,"00"',
    ],
)  # fmt: skip
def test_what_would_break_a_promise_is_never_given(line: str) -> None:
    for force in (False, True):
        with pytest.raises(Refused) as refused:
            check(parse(line), force=force)
        assert not refused.value.forcible


def test_a_refusal_quotes_no_value() -> None:
    with pytest.raises(Refused) as refused:
        check(parse('AT+CPIN="4711"'), force=True)
    assert "4711" not in str(refused.value)
    assert "AT+CPIN" in str(refused.value)


def test_the_line_that_is_written() -> None:
    made = command(parse("AT E0 +CSQ;+CREG? ; ^SYSINFO"), timeout=5.0)
    assert made.line == "ATE0+CSQ;+CREG?;^SYSINFO"
    assert made.answers == ("+CREG:", "+CSQ:", "E0:", "^SYSINFO:")
    assert (made.timeout, made.repeats) == (5.0, True)
    assert made.parse(["a", "b"]) == ("a", "b")
    assert command(parse("AT")).line == "AT"


@given(st.text(max_size=30) | st.text('AT+CPIN=;"?&1DSE ', max_size=20))
def test_any_line_is_a_command_or_is_refused(line: str) -> None:
    try:
        commands = parse(line)
        check(commands, force=True)
    except Refused:
        return
    written = command(commands).line
    assert parse(written) == commands
    assert "\r" not in written
    assert "+CPIN=1" not in written.replace(" ", "").upper()
