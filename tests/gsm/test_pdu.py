"""A PDU as modems hand it over (27.005 4.3)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm import (
    PDU,
    Address,
    DataCoding,
    DecodeError,
    Deliver,
    FromMs,
    FromSc,
    Relative,
    Submit,
    UserData,
    compose,
    segment,
)
from tests.gsm import strategies as any_

HELLO = UserData.of_text("hello")
SENT = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
CENTRE = Address.parse("+33609001390")
TPDU = "040B913316325476F8000062506070809000" + "05E8329BFD06"
DELIVER = Deliver(Address.parse("+33612345678"), 0, DataCoding(0), SENT, HELLO)


@given(st.none() | any_.numbers, any_.from_sc | any_.from_ms)
def test_a_pdu_comes_back(sc: Address | None, tpdu: FromSc | FromMs) -> None:
    pdu = PDU(sc, tpdu)
    from_sc = isinstance(tpdu, FromSc)
    assert pdu.hex == pdu.octets.hex().upper()
    assert PDU.from_hex(pdu.hex, from_sc=from_sc) == pdu
    assert PDU.from_hex(pdu.hex.lower() + "\r\n", from_sc=from_sc, length=pdu.length) == pdu
    assert PDU.from_hex(pdu.hex, from_sc=from_sc, sc=True) == pdu
    tail = pdu.hex[len(pdu.hex) - 2 * pdu.length :]
    alone = PDU(None, tpdu)
    assert PDU.from_hex(tail, from_sc=from_sc, length=pdu.length) == alone
    assert PDU.from_hex(tail, from_sc=from_sc, sc=False) == alone


def test_octet_by_octet() -> None:
    assert PDU(CENTRE, DELIVER).hex == "07913306091093F0" + TPDU
    assert PDU(None, DELIVER).hex == "00" + TPDU
    assert PDU(CENTRE, DELIVER).length == PDU(None, DELIVER).length == len(TPDU) // 2
    assert PDU.from_hex("07913306091093F0" + TPDU, strict=True) == PDU(CENTRE, DELIVER)


@pytest.mark.parametrize(
    ("text", "field", "offset", "reason"),
    [
        ("", "sc", 0, "1 octets wanted, 0 left"),
        ("0", "pdu", 0, "half an octet at the end"),
        ("00112", "pdu", 2, "half an octet at the end"),
        ("00 04", "pdu", 1, "no hexadecimal digit"),
        ("0011zz", "pdu", 2, "no hexadecimal digit"),
        ("00é4", "pdu", 1, "no hexadecimal digit"),
        ("０４", "pdu", 0, "no hexadecimal digit"),
        ("07913306", "sc", 0, "8 octets wanted, 4 left"),
        ("00", "mti", 1, "1 octet wanted, 0 left"),
        ("0004", "originator", 2, "1 octet wanted, 0 left"),
        ("00" + TPDU[:40], "user_data", 20, "5 octets wanted, 1 left"),
    ],
)
def test_what_is_no_pdu_names_field_and_octet(
    text: str, field: str, offset: int, reason: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        PDU.from_hex(text)
    error = caught.value
    assert (error.field, error.offset, error.reason) == (field, offset, reason)
    assert str(error) == f"{field} at octet {offset}: {reason}"
    assert error.args == (field, offset, reason)


def test_27_005_the_length_decides_whether_a_centre_stands_in_front() -> None:
    size = len(TPDU) // 2
    assert PDU.from_hex(TPDU, length=size) == PDU(None, DELIVER)
    assert PDU.from_hex("00" + TPDU, length=size) == PDU(None, DELIVER)
    with pytest.raises(DecodeError, match=f"tpdu at octet {size - 1}: .* {size} announced"):
        PDU.from_hex("00" + TPDU[:-4], length=size)
    with pytest.raises(DecodeError, match="announced"):
        PDU.from_hex(TPDU[:-2], length=size, sc=False)


def test_27_005_more_octets_than_announced_are_refused_only_when_strict() -> None:
    size = len(TPDU) // 2
    assert PDU.from_hex("00" + TPDU + "0000", length=size) == PDU(None, DELIVER)
    with pytest.raises(DecodeError, match=f"tpdu at octet {size + 3}"):
        PDU.from_hex("00" + TPDU + "0000", length=size, strict=True)


@given(st.text(st.sampled_from("0123456789abcdefABCDEF \rg"), max_size=80), st.booleans())
def test_any_text_gives_a_pdu_or_a_decode_error(text: str, from_sc: bool) -> None:
    try:
        found: object = PDU.from_hex(text, from_sc=from_sc)
    except DecodeError as error:
        found = error
    assert isinstance(found, PDU | DecodeError)


@given(
    st.one_of(st.text(max_size=300), any_.gsm_text),
    st.integers(0, 255),
    st.none() | any_.validities,
    st.booleans(),
    st.none() | any_.numbers,
    st.none() | st.integers(0, 3),
)
def test_compose_is_segment_and_submit_in_one(
    text: str,
    reference: int,
    validity: Relative | None,
    report: bool,
    sc: Address | None,
    message_class: int | None,
) -> None:
    number = Address.parse("+33612345678")
    pdus = [
        PDU(
            sc,
            Submit(number, part, coding=part.coding, validity=validity, report_requested=report),
        )
        for part in segment(text, reference=reference, message_class=message_class)
    ]
    assert compose(
        number,
        text,
        reference=reference,
        validity=validity,
        report_requested=report,
        sc=sc,
        message_class=message_class,
    ) == [(pdu.length, pdu.hex) for pdu in pdus]


def test_strict_reaches_every_field() -> None:
    octets = "00" + TPDU.replace("0B91", "0B11")
    assert PDU.from_hex(octets) == PDU(None, DELIVER)
    with pytest.raises(DecodeError, match="originator at octet 3: bit 7"):
        PDU.from_hex(octets, strict=True)


def test_compose_without_options() -> None:
    number = Address.parse("36789")
    for text in ("a" * 160, "a" * 161, "ab€" * 450, "я" * 700, "я" * 70, "я" * 71, "🙂" * 36, ""):
        pdus = [PDU(None, Submit(number, part, coding=part.coding)) for part in segment(text)]
        assert compose(number, text) == [(pdu.length, pdu.hex) for pdu in pdus]
    [(length, pdu)] = compose(number, "ğ", languages=("turkish",))
    [part] = segment("ğ", languages=("turkish",))
    assert (length, pdu) == (17, PDU(None, Submit(number, part, coding=part.coding)).hex)


@pytest.mark.parametrize("text", ["a" * 400, "я" * 150, "🙂a" * 60])
def test_compose_several_parts_with_every_option(text: str) -> None:
    number = Address.parse("+33612345678")
    pdus = [
        PDU(
            CENTRE,
            Submit(
                number,
                part,
                coding=part.coding,
                validity=Relative(167),
                report_requested=True,
            ),
        )
        for part in segment(text, reference=300, wide=True, message_class=0)
    ]
    assert len(pdus) == 3
    assert compose(
        number,
        text,
        reference=300,
        wide=True,
        message_class=0,
        validity=Relative(167),
        report_requested=True,
        sc=CENTRE,
    ) == [(pdu.length, pdu.hex) for pdu in pdus]


@pytest.mark.parametrize("text", ["日本", "日本" * 40, "ğ日", "abc", "ğ", "ğ" * 200, ""])
def test_compose_where_national_tables_are_allowed(text: str) -> None:
    number = Address.parse("36789")
    parts = segment(text, languages=("turkish",))
    pdus = [PDU(None, Submit(number, part, coding=part.coding)) for part in parts]
    assert compose(number, text, languages=("turkish",)) == [(pdu.length, pdu.hex) for pdu in pdus]


def test_compose_with_national_tables_and_wide_references() -> None:
    number = Address.parse("36789")
    composed = compose(number, "ğ" * 200, wide=True, reference=300, languages=("turkish",))
    parts = segment("ğ" * 200, wide=True, reference=300, languages=("turkish",))
    assert composed == [
        (pdu.length, pdu.hex)
        for pdu in (PDU(None, Submit(number, part, coding=part.coding)) for part in parts)
    ]
