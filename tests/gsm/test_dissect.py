"""A PDU field by field for people."""

import pytest
from hypothesis import given

from smsd.gsm import PDU, Address, FromMs, FromSc
from smsd.gsm.dissect import Row, dissect
from tests.gsm import strategies as any_


@given(any_.from_sc | any_.from_ms, any_.numbers)
def test_every_octet_is_in_one_row(tpdu: FromSc | FromMs, sc: Address) -> None:
    pdu = PDU(sc, tpdu)
    octets = pdu.octets + b"\0"
    again = PDU.from_hex(octets.hex(), from_sc=isinstance(tpdu, FromSc))
    rows = list(dissect(octets, again, 1 + octets[0]))
    assert b"".join(row.octets for row in rows) == octets
    assert all(row.field for row in rows)


def rows_of(text: str, *, from_sc: bool = True) -> dict[str, Row]:
    octets = bytes.fromhex(text)
    pdu = PDU.from_hex(octets.hex(), from_sc=from_sc)
    return {row.field: row for row in dissect(octets, pdu, 1 + octets[0])}


DELIVER = "07913306091093F0 {first} 0B913316325476F8 {pid} {dcs} 62506070809000 {ud}"


def deliver(first: str = "04", pid: str = "00", dcs: str = "00", ud: str = "00") -> dict[str, Row]:
    return rows_of(DELIVER.format(first=first, pid=pid, dcs=dcs, ud=ud))


def test_a_deliver() -> None:
    rows = deliver(ud="05E8329BFD06")
    assert rows["service centre"].meaning == "+33609001390 (international, isdn)"
    assert rows["first octet"].meaning == "SMS-DELIVER: no flags"
    assert rows["originator"] == Row(
        bytes.fromhex("0B913316325476F8"),
        "originator",
        "9.2.3.7",
        "+33612345678 (international, isdn)",
    )
    assert rows["sent at"].meaning == "2026-05-06 07:08:09+00:00"
    assert rows["user data length"].meaning == "5 septets"
    assert rows["text"].meaning == "hello"


def test_the_flags() -> None:
    assert deliver("EC", ud="0100")["first octet"].meaning == (
        "SMS-DELIVER: a header follows (UDHI), loop prevention (LP), report wanted (SRI), "
        "reply path (RP)"
    )
    assert deliver("00")["first octet"].meaning == "SMS-DELIVER: more messages wait (MMS)"


@pytest.mark.parametrize(
    ("pid", "meaning"),
    [
        ("00", "short message, no interworking"),
        ("40", "type 0: acknowledged, neither stored nor shown"),
        ("43", "replace short message type 3"),
        ("5F", "return call message"),
        ("7F", "(U)SIM data download"),
        ("22", "telematic interworking"),
        ("80", "reserved or specific"),
    ],
)
def test_9_2_3_9_the_protocol(pid: str, meaning: str) -> None:
    assert deliver(pid=pid)["protocol"].meaning == meaning


@pytest.mark.parametrize(
    ("dcs", "meaning"),
    [
        ("00", "default alphabet"),
        ("F5", "8-bit data, class 1 (equipment)"),
        ("18", "UCS-2, class 0 (display)"),
        ("C8", "default alphabet, voicemail waits, discard the message"),
        ("D1", "default alphabet, fax no longer waits, store the message"),
        ("20", "default alphabet, compressed"),
        ("44", "8-bit data, auto delete"),
        ("80", "default alphabet, reserved"),
    ],
)
def test_23_038_4_the_coding(dcs: str, meaning: str) -> None:
    assert deliver(dcs=dcs)["data coding"].meaning == meaning


@pytest.mark.parametrize(
    ("header", "field", "meaning"),
    [
        ("050003420201", "concatenation, 8-bit reference", "part 1 of 2, reference 66"),
        ("06080412340201", "concatenation, 16-bit reference", "part 1 of 2, reference 4660"),
        ("0605040B8423F0", "application ports, 16 bit", "to 2948 from 9200"),
        ("04 0402F0F1", "application ports, 8 bit", "to 240 from 241"),
        ("03240101", "national language single shift", "turkish"),
        ("032501FF", "national language locking shift", "reserved: default"),
        ("0401028005", "special message indication", "8005"),
        ("030B0100", "enhanced messaging, element 0B", "00"),
        ("027000", "(U)SIM toolkit security header", ""),
        ("02EE00", "element EE", ""),
        ("0200FF", "header", "malformed: ignored"),
        ("0200FF", "header length", "2 octets, malformed: ignored"),
        ("00", "header length", "0 octets"),
    ],
)
def test_9_2_3_24_the_elements(header: str, field: str, meaning: str) -> None:
    size = len(bytes.fromhex(header))
    rows = deliver("44", dcs="04", ud=f"{size + 1:02X}{header}41")
    assert rows[field].meaning == meaning
    assert rows["data"].meaning == "1 octets"


@pytest.mark.parametrize(
    ("octets", "field", "meaning"),
    [
        ("00 01 05 0281F2 00 00 0161", "reference", "5"),
        ("00 11 05 0281F2 00 00 A7 0161", "validity", "1440 minutes after it reaches the centre"),
        ("00 19 05 0281F2 00 00 62506070809000 00", "validity", "until 2026-05-06 07:08:09+00:00"),
        ("00 19 05 0281F2 00 00 00000000000000 0161", "validity", "until no valid time"),
        ("00 09 05 0281F2 00 00 420A0000000000 00", "validity",
         "enhanced: 10 seconds, single shot"),
        ("00 09 05 0281F2 00 00 00000000000000 0161", "validity", "enhanced: none"),
        ("00 25 05 0281F2 00 00 0161", "first octet",
         "SMS-SUBMIT: reject duplicates (RD), report wanted (SRR)"),
        ("00 22 05 00 02 09 0281F2 00", "command", "delete message"),
        ("00 22 05 00 07 09 0281F2 00", "command", "reserved"),
        ("00 22 05 00 02 09 0281F2 00", "first octet", "SMS-COMMAND: report wanted (SRR)"),
        ("00 00 D3 00", "failure cause", "memory capacity exceeded"),
        ("00 00 F0 00", "failure cause", "reserved or application specific"),
        ("00 00 00", "parameter indicator", "nothing follows"),
    ],
)  # fmt: skip
def test_what_a_mobile_sends(octets: str, field: str, meaning: str) -> None:
    assert rows_of(octets, from_sc=False)[field].meaning == meaning


def test_reports_of_a_centre() -> None:
    report = rows_of("00 26 07 0281F2 62506070809000 00000000000000 30 07 40 00 0161")
    assert report["first octet"].meaning == "SMS-STATUS-REPORT: for a command (SRQ)"
    assert report["discharged at"].meaning == "no valid time"
    assert report["status"].meaning.startswith("trying: temporary error")
    assert report["parameter indicator"].meaning == "pid, dcs, user data"
    refused = rows_of("00 01 C0 01 62506070809000 40 FF")
    assert refused["failure cause"].meaning == "service centre busy"
    assert refused["beyond the end"].octets == b"\xff"
    assert rows_of("00 06 07 0281F2 62506070809000 62506070809000 00").keys() == {
        "service centre", "first octet", "reference", "recipient", "sent at",
        "discharged at", "status",
    }  # fmt: skip
    assert (
        rows_of("00 06 07 0281F2 62506070809000 62506070809000 00 81 01 40")[
            "parameter indicator"
        ].octets
        == b"\x81\1"
    )
