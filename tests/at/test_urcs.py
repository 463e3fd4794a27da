"""What comes unasked, and what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.at.dialogue import Dialogue, Urc
from smsd.at.urcs import (
    CallEnded,
    CallerLine,
    MemoryFull,
    MessageArrived,
    MessageStored,
    Noise,
    RegistrationChanged,
    Restarted,
    Ring,
    SimChanged,
    SubmissionAnswered,
    Unsolicited,
    UssdArrived,
    is_unsolicited,
    read,
)

CHATTER = [
    # Huawei (MM huawei.c; gammu atgen.c; chan_dongle)
    "^RSSI: 17", "^HCSQ:\"WCDMA\",34,30,52", "^MODE:5,4", "^BOOT:20293,0,0,0,20", "^SIMST: 1",
    "^SRVST: 2", "^DSFLOWRPT:0000000A,00,00,00,00,00,00", "^STIN: 1,0,0",
    # ZTE
    "+ZUSIMR:2", "+ZPASR: \"UMTS\"", "+ZPSTM: 1", "+ZDONR: \"x\",208,1", "+ZEND",
    "+SPNWNAME: \"x\"", "+PSBEARER: 0,0",
    # SIMCom
    "NORMAL POWER DOWN", "PB DONE", "SMS DONE", "+NITZ: 26/03/02,12:00:00+04", "*PSUTTZ: 26,3,2",
    "DST: 0", "+CTZV: +4", "+CNSMOD: 4", "VOICE CALL: BEGIN",
    "+RXDTMF: 1",
    # Quectel, Telit, u-blox, Cinterion
    '+QIND: "csq",20,99', "+QUSIM: 1", "+QGPSURC: 1", '+QLWURC: "x"',
    "+QTONEDET: 1", "POWERED DOWN", "^DSCI: 1", "#STN: 1", "+UUPSDA: 0,1",
    "+UCALLSTAT: 1,2", "+PBREADY", "+CIEV: service,1", "^SLCC: 1", "^SMGO: 0",
    # Wavecom, Option, Ericsson, Icera, toolkits, clones
    "+WIND: 7", "_OSIGQ: 10,0", "+PACSP0", "*EMRDY: 1", "%NWSTATE: 0", "+STIN: 25", "+CUSATP: 1",
    "+CUSATEND", "NOT FOND ^,NOT CUSTOM AT", "SAMSUNG PTS DG Test", "+CGEV: NW DETACH",
    "^ORIG:1,0", "^CONF:1", "^CONN:1,0", "+CUSD: x",
]  # fmt: skip


@pytest.mark.parametrize("line", CHATTER)
def test_chatter_of_the_field_is_known_and_asks_for_nothing(line: str) -> None:
    dialogue = Dialogue()
    assert dialogue.receive(f"\r\n{line}\r\n".encode()) == [Urc(line)]
    head, colon, _ = line.partition(":")
    assert is_unsolicited(line, head + colon)
    assert read(line) == Noise()


@pytest.mark.parametrize(
    ("line", "body", "meaning"),
    [
        ('+CMTI: "SM",3', (), MessageStored("SM", 3)),
        ("+CMTI: SM,0", (), MessageStored("SM", 0)),
        ('+CDSI: "SR",12', (), MessageStored("SR", 12)),
        ('+CMTI: "SM"', (), Noise()),
        ('+CMTI: "SM",²', (), Noise()),
        ('+CMT: "",25', ("00AA",), MessageArrived("00AA", 25)),
        ("+CDS: ,25", ("00AA",), MessageArrived("00AA", 25)),
        ("+CDS: 25", ("00AA",), MessageArrived("00AA", 25)),
        ("+CDS: x²", ("00AA",), MessageArrived("00AA", None)),
        ("+CMT: 25", (), Noise()),
        ("+CREG: 2", (), RegistrationChanged()),
        ('+CEREG: 1,"00","11",7', (), RegistrationChanged()),
        ("+CMGS: 7", (), SubmissionAnswered(7)),  # type: ignore[arg-type]
        ("+CMGS: x", (), SubmissionAnswered(None)),
        ('^SMMEMFULL: "SM"', (), MemoryFull()),
        ('+QIND: "smsfull","ME"', (), MemoryFull()),
        ("^SMGO: 1", (), MemoryFull()),
        ("#SMOV: SM", (), MemoryFull()),
        ("+CPIN: NOT INSERTED", (), SimChanged()),
        ("+QSIMSTAT: 1,0", (), SimChanged()),
        ("+CSMINS: 1,1", (), SimChanged()),
        ("#QSS: 0", (), SimChanged()),
        ("^SCKS: 0", (), SimChanged()),
        ("+WIND: 0", (), SimChanged()),
        ("+UUSIMSTAT: 1", (), SimChanged()),
        ("+CIEV: simlocal,0", (), SimChanged()),
        ("RDY", (), Restarted()),
        ("Call Ready", (), Restarted()),
        ("SMS Ready", (), Restarted()),
        ("^SYSSTART", (), Restarted()),
        ("^SYSSTART AIRPLANE MODE", (), Restarted()),
        ("+AT: READY", (), Restarted()),
        ("RING", (), Ring()),
        ("+CRING: VOICE", (), Ring()),
        ('+CLIP: "+33612345678",145,,,,0', (), CallerLine("+33612345678")),
        ('+CLIP: "",128', (), CallerLine("")),
        ('+CLIP: "Unknown",128', (), CallerLine("")),
        ("NO CARRIER", (), CallEnded()),
        ("^CEND:1,0,104,0", (), CallEnded()),
        ("VOICE CALL: END: 000003", (), CallEnded()),
        ("MISSED_CALL: 12:00 +33612345678", (), CallEnded()),
        ("+WIND: 6,1", (), CallEnded()),
        ("+UCALLSTAT: 1,6", (), CallEnded()),
        ("+CUSD: 2", (), UssdArrived(2)),
        ("+CUSD: 0, balance", (), UssdArrived(0, "balance")),
        ('+CUSD: 0,"x",15', (), UssdArrived(0, "x", 15)),
        ('+CUSD: 0,""', (), UssdArrived(0, "")),
        ('+CUSD: 1,"say "yes"\nor, "no"", 72', (), UssdArrived(1, 'say "yes"\nor, "no"', 72)),
        ('+CUSD: 1,"never closed', (), UssdArrived(1, "never closed")),
    ],
)
def test_what_is_acted_on(line: str, body: tuple[str, ...], meaning: Unsolicited) -> None:
    assert read(line, body) == meaning


@pytest.mark.parametrize("line", ["RDY", "^SYSSTART", "+AT: READY"])
def test_a_restart_is_noticed_inside_a_command(line: str) -> None:
    assert is_unsolicited(line, line.partition(":")[0] + ":" * (":" in line))


@given(st.text(max_size=40), st.lists(st.text(max_size=10), max_size=2))
def test_no_line_is_too_odd_to_have_a_meaning(line: str, body: list[str]) -> None:
    for prefix in ("", "+CMTI:", "+CDSI:", "+CMT:", "+CMGS:", "+CREG:", "+CUSD:", "+CLIP:"):
        read(prefix + line, tuple(body))
