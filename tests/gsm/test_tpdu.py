"""Every TPDU both ways (23.040 9.2.2)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm import (
    Absolute,
    Address,
    Command,
    DataCoding,
    DecodeError,
    Deliver,
    DeliverReport,
    EncodeError,
    Enhanced,
    FromMs,
    FromSc,
    Outcome,
    Relative,
    Status,
    StatusReport,
    Submit,
    SubmitReport,
    UserData,
    decode_from_ms,
    decode_from_sc,
    encode,
)
from tests.gsm import strategies as any_

SENT = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
OSCAR = Address.parse("+33612345678")
HELLO = UserData.of_text("hello")
DELIVER = Deliver(OSCAR, 0, DataCoding(0), SENT, HELLO)
DELIVER_OCTETS = bytes.fromhex("040B913316325476F80000625060708090000 5E8329BFD06".replace(" ", ""))


@given(any_.from_sc)
def test_what_a_centre_sends_is_read_back(tpdu: FromSc) -> None:
    assert decode_from_sc(encode(tpdu)) == tpdu


@given(any_.from_ms)
def test_what_a_mobile_sends_is_read_back(tpdu: FromMs) -> None:
    assert decode_from_ms(encode(tpdu)) == tpdu


@given(any_.from_sc, any_.octet)
def test_octets_before_the_message_only_shift_it(tpdu: FromSc, before: int) -> None:
    assert decode_from_sc(bytes((before,)) + encode(tpdu), 1) == tpdu


def outcome(octets: bytes, *, from_sc: bool, strict: bool = False) -> object:
    """Return the message or the documented error; anything else flies."""
    try:
        return (decode_from_sc if from_sc else decode_from_ms)(octets, strict=strict)
    except DecodeError as error:
        return error


@given(any_.octets, st.booleans(), st.booleans())
def test_any_octets_give_a_value_or_a_decode_error(
    octets: bytes, from_sc: bool, strict: bool
) -> None:
    found = outcome(octets, from_sc=from_sc, strict=strict)
    if isinstance(found, DecodeError):
        assert 0 <= found.offset <= len(octets)
        assert found.field
        assert found.reason
    else:
        assert isinstance(found, FromSc if from_sc else FromMs)


@given(any_.octets, st.booleans())
def test_what_strict_decoding_takes_is_written_as_it_was_or_shorter(
    octets: bytes, from_sc: bool
) -> None:
    found = outcome(octets, from_sc=from_sc, strict=True)
    if isinstance(found, FromSc | FromMs):
        assert outcome(encode(found), from_sc=from_sc) == found


@given(any_.from_sc | any_.from_ms, st.data())
def test_a_message_that_was_cut_off_is_refused(tpdu: FromSc | FromMs, data: st.DataObject) -> None:
    octets = encode(tpdu)
    cut = data.draw(st.integers(0, len(octets) - 1))
    found = outcome(octets[:cut], from_sc=isinstance(tpdu, FromSc))
    if isinstance(found, DecodeError):
        assert found.offset <= cut
    else:  # all from TP-PI on may be missing at the end of a report (9.2.3.27)
        assert isinstance(found, StatusReport)
        assert found.user_data is None


# Deliver (9.2.2.1)


def test_deliver_octet_by_octet() -> None:
    assert encode(DELIVER) == DELIVER_OCTETS
    assert decode_from_sc(DELIVER_OCTETS, strict=True) == DELIVER


@pytest.mark.parametrize(
    ("bit", "changes"),
    [
        (0x04, {"more": True}),
        (0x08, {"loop_prevention": True}),
        (0x10, {"spare": 0x10}),
        (0x20, {"report_indicated": True}),
        (0x80, {"reply_path": True}),
    ],
)
def test_9_2_3_each_flag_of_a_deliver_is_its_bit(bit: int, changes: dict[str, Any]) -> None:
    octets = bytes((DELIVER_OCTETS[0] ^ bit,)) + DELIVER_OCTETS[1:]
    assert decode_from_sc(octets) == replace(DELIVER, **changes)
    assert encode(replace(DELIVER, **changes)) == octets


def test_9_2_3_1_the_reserved_type_is_read_as_a_deliver_unless_strict() -> None:
    octets = bytes((DELIVER_OCTETS[0] | 3,)) + DELIVER_OCTETS[1:]
    assert decode_from_sc(octets) == DELIVER
    with pytest.raises(DecodeError, match="mti at octet 0"):
        decode_from_sc(octets, strict=True)
    with pytest.raises(DecodeError, match="mti at octet 0: message type 3"):
        decode_from_ms(octets)


def test_an_empty_message_has_no_type() -> None:
    for decode in (decode_from_sc, decode_from_ms):
        with pytest.raises(DecodeError, match="mti at octet 0"):
            decode(b"")


@pytest.mark.parametrize(
    ("size", "field", "offset"),
    [
        (1, "originator", 1),
        (8, "originator", 1),
        (9, "pid", 9),
        (10, "dcs", 10),
        (11, "sent_at", 11),
        (17, "sent_at", 11),
        (18, "user_data.length", 18),
        (19, "user_data", 19),
        (23, "user_data", 19),
    ],
)
def test_a_deliver_cut_short_names_the_field(size: int, field: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_from_sc(DELIVER_OCTETS[:size])
    assert (caught.value.field, caught.value.offset) == (field, offset)


def test_9_2_3_11_a_bad_time_costs_no_text() -> None:
    for filling in (b"\0" * 7, b"\xff" * 7, bytes.fromhex("42316070809000")):
        octets = DELIVER_OCTETS[:11] + filling + DELIVER_OCTETS[18:]
        deliver = decode_from_sc(octets)
        assert isinstance(deliver, Deliver)
        assert deliver.sent_at is None
        assert deliver.user_data.text == "hello"
        with pytest.raises(DecodeError, match="sent_at at octet 11"):
            decode_from_sc(octets, strict=True)


def test_9_2_3_16_octets_beyond_the_length_are_ignored_unless_strict() -> None:
    assert decode_from_sc(DELIVER_OCTETS + b"\0\1") == DELIVER
    with pytest.raises(DecodeError, match="tpdu at octet 24: 2 octets too many"):
        decode_from_sc(DELIVER_OCTETS + b"\0\1", strict=True)


def test_strict_refuses_an_address_that_breaks_the_rules() -> None:
    octets = DELIVER_OCTETS[:8] + b"\x87" + DELIVER_OCTETS[9:]
    decode_from_sc(octets)
    with pytest.raises(DecodeError, match="originator at octet 3"):
        decode_from_sc(octets, strict=True)


def test_user_data_of_another_alphabet_are_not_written() -> None:
    with pytest.raises(EncodeError, match="coding"):
        encode(replace(DELIVER, coding=DataCoding(8)))


# Submit (9.2.2.2)

SUBMIT = Submit(OSCAR, HELLO)
SUBMIT_HEX = "0100 0B913316325476F8 0000 05E8329BFD06"


def test_submit_octet_by_octet() -> None:
    assert encode(SUBMIT) == bytes.fromhex(SUBMIT_HEX)
    assert decode_from_ms(bytes.fromhex(SUBMIT_HEX), strict=True) == SUBMIT


@pytest.mark.parametrize(
    ("first", "changes"),
    [
        (0x05, {"reject_duplicates": True}),
        (0x21, {"report_requested": True}),
        (0x81, {"reply_path": True}),
    ],
)
def test_9_2_3_each_flag_of_a_submit_is_its_bit(first: int, changes: dict[str, Any]) -> None:
    octets = bytes((first,)) + encode(SUBMIT)[1:]
    assert encode(replace(SUBMIT, **changes)) == octets
    assert decode_from_ms(octets) == replace(SUBMIT, **changes)


@pytest.mark.parametrize(
    ("first", "octets", "validity"),
    [
        (0x11, "A7", Relative(167)),
        (0x19, "62506070809000", Absolute(SENT)),
        (0x09, "420A0000000000", Enhanced(bytes.fromhex("420A0000000000"))),
    ],
)
def test_9_2_3_3_each_format_of_the_validity(
    first: int, octets: str, validity: Relative | Absolute | Enhanced
) -> None:
    submit = replace(SUBMIT, validity=validity)
    plain = bytes.fromhex(SUBMIT_HEX)
    written = bytes((first,)) + plain[1:12] + bytes.fromhex(octets) + plain[12:]
    assert encode(submit) == written
    assert decode_from_ms(written, strict=True) == submit
    with pytest.raises(DecodeError, match="validity at octet 12"):
        decode_from_ms(written[: 11 + len(octets) // 2])


def test_9_2_3_12_2_an_absolute_validity_that_is_no_time() -> None:
    octets = bytes.fromhex("1900 0B913316325476F8 0000 00000000000000 05E8329BFD06")
    assert decode_from_ms(octets) == replace(SUBMIT, validity=Absolute(None))
    with pytest.raises(DecodeError, match="validity at octet 12"):
        decode_from_ms(octets, strict=True)


@pytest.mark.parametrize(
    ("size", "field", "offset"),
    [(1, "reference", 1), (2, "destination", 2), (10, "pid", 10), (11, "dcs", 11)],
)
def test_a_submit_cut_short_names_the_field(size: int, field: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_from_ms(encode(SUBMIT)[:size])
    assert (caught.value.field, caught.value.offset) == (field, offset)


def test_strict_refuses_what_follows_a_submit() -> None:
    assert decode_from_ms(encode(SUBMIT) + b"\0") == SUBMIT
    with pytest.raises(DecodeError, match="too many"):
        decode_from_ms(encode(SUBMIT) + b"\0", strict=True)


def test_strict_refuses_a_destination_that_breaks_the_rules() -> None:
    octets = bytes.fromhex("0100 0B113316325476F8 0000 05E8329BFD06")
    assert decode_from_ms(octets) == SUBMIT
    with pytest.raises(DecodeError, match="destination at octet 3: bit 7"):
        decode_from_ms(octets, strict=True)


@pytest.mark.parametrize("wrong", [-1, 256])
def test_a_number_that_is_no_octet_is_an_encode_error(wrong: int) -> None:
    for message in (
        replace(SUBMIT, reference=wrong),
        replace(SUBMIT, pid=wrong),
        replace(DELIVER, pid=wrong),
        replace(REPORT, reference=wrong),
        replace(COMMAND, command=wrong),
    ):
        with pytest.raises(EncodeError, match="tpdu: a field is no octet"):
            encode(message)


def test_user_data_over_140_octets_are_not_written() -> None:
    too_long = UserData(DataCoding(4), bytes(141), 141)
    with pytest.raises(EncodeError, match="141 octets, at most 140"):
        encode(replace(SUBMIT, user_data=too_long, coding=DataCoding(4)))


# Status report (9.2.2.3)

REPORT = StatusReport(7, OSCAR, SENT, SENT, Status(0))
REPORT_HEX = "0607 0B913316325476F8 62506070809000 62506070809000 00"


def test_status_report_octet_by_octet() -> None:
    assert encode(REPORT) == bytes.fromhex(REPORT_HEX)
    assert decode_from_sc(bytes.fromhex(REPORT_HEX), strict=True) == REPORT
    assert REPORT.status.outcome is Outcome.DELIVERED


@pytest.mark.parametrize(
    ("first", "changes"),
    [
        (0x02, {"more": True}),
        (0x0E, {"loop_prevention": True}),
        (0x26, {"for_command": True}),
        (0x16, {"spare": 0x10}),
        (0x86, {"spare": 0x80}),
    ],
)
def test_9_2_3_each_flag_of_a_status_report_is_its_bit(first: int, changes: dict[str, Any]) -> None:
    octets = bytes((first,)) + encode(REPORT)[1:]
    assert encode(replace(REPORT, **changes)) == octets
    assert decode_from_sc(octets) == replace(REPORT, **changes)


@pytest.mark.parametrize(
    ("indicator", "octets", "changes"),
    [
        ("00", "", {}),
        ("01", "40", {"pid": 0x40}),
        ("02", "08", {"coding": DataCoding(8)}),
        ("04", "05E8329BFD06", {"user_data": HELLO}),
        (
            "07",
            "400805" + "0041004200"[:10],
            {
                "pid": 0x40,
                "coding": DataCoding(8),
                "user_data": UserData(DataCoding(8), bytes.fromhex("0041004200"), 5),
            },
        ),
        ("F9 03", "40", {"pid": 0x40}),
    ],
)
def test_9_2_3_27_what_the_parameter_indicator_announces(
    indicator: str, octets: str, changes: dict[str, Any]
) -> None:
    written = bytes.fromhex(REPORT_HEX + indicator + octets)
    expected = replace(REPORT, **changes)
    assert decode_from_sc(written, strict=True) == expected
    if indicator not in ("00", "F9 03"):
        assert encode(expected) == written
    if octets:
        with pytest.raises(DecodeError):
            decode_from_sc(written[:-1])


def test_strict_refuses_what_the_indicator_does_not_announce() -> None:
    written = bytes.fromhex(REPORT_HEX + "0000")
    assert decode_from_sc(written) == REPORT
    with pytest.raises(DecodeError, match="tpdu at octet 26"):
        decode_from_sc(written, strict=True)
    with pytest.raises(DecodeError, match="tpdu at octet 32: 1 octets too many"):
        decode_from_sc(bytes.fromhex(REPORT_HEX + "0405E8329BFD0600"), strict=True)


def test_strict_refuses_a_report_with_a_bad_time() -> None:
    for at, field in ((10, "sent_at"), (17, "discharged_at")):
        octets = bytearray(encode(REPORT))
        octets[at : at + 7] = bytes(7)
        report = decode_from_sc(bytes(octets))
        assert isinstance(report, StatusReport)
        assert (report.sent_at is None, report.discharged_at is None) == (at == 10, at == 17)
        with pytest.raises(DecodeError, match=f"{field} at octet {at}"):
            decode_from_sc(bytes(octets), strict=True)


@pytest.mark.parametrize(
    ("size", "field", "offset"),
    [
        (1, "reference", 1),
        (2, "recipient", 2),
        (12, "sent_at", 10),
        (18, "discharged_at", 17),
        (24, "status", 24),
    ],
)
def test_a_status_report_cut_short_names_the_field(size: int, field: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_from_sc(encode(REPORT)[:size])
    assert (caught.value.field, caught.value.offset) == (field, offset)


# Command and reports (9.2.2.4, 9.2.2.1a, 9.2.2.2a)

COMMAND = Command(OSCAR, 2, 9, b"\1\2", 5, 0x40, report_requested=True)


def test_command_octet_by_octet() -> None:
    octets = bytes.fromhex("22 05 40 02 09 0B913316325476F8 02 0102")
    assert encode(COMMAND) == octets
    assert decode_from_ms(octets, strict=True) == COMMAND
    assert decode_from_ms(octets + b"\0") == COMMAND
    with pytest.raises(DecodeError, match="tpdu at octet 16"):
        decode_from_ms(octets + b"\0", strict=True)
    assert encode(replace(COMMAND, has_header=True, spare=0x80))[0] == 0xE2


@pytest.mark.parametrize(
    ("size", "field", "offset"),
    [
        (1, "reference", 1),
        (2, "pid", 2),
        (3, "command", 3),
        (4, "message_number", 4),
        (5, "destination", 5),
        (13, "data.length", 13),
        (15, "data", 14),
    ],
)
def test_a_command_cut_short_names_the_field(size: int, field: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_from_ms(encode(COMMAND)[:size])
    assert (caught.value.field, caught.value.offset) == (field, offset)


def test_strict_refuses_a_command_to_an_address_that_breaks_the_rules() -> None:
    octets = bytes.fromhex("22 05 40 02 09 0B113316325476F8 02 0102")
    assert decode_from_ms(octets) == COMMAND
    with pytest.raises(DecodeError, match="destination at octet 6"):
        decode_from_ms(octets, strict=True)


def test_a_deliver_report_with_and_without_a_cause() -> None:
    assert encode(DeliverReport()) == bytes.fromhex("0000")
    assert encode(DeliverReport(0xD3)) == bytes.fromhex("00D300")
    full = DeliverReport(0xD3, 0, DataCoding(4), UserData.of_octets(b"\1", DataCoding(4)), 0x80)
    assert encode(full) == bytes.fromhex("80 D3 07 00 04 01 01")
    for report in (DeliverReport(), DeliverReport(0xD3), full):
        assert decode_from_ms(encode(report), strict=True) == report


def test_a_submit_report_with_and_without_a_cause() -> None:
    assert encode(SubmitReport(SENT)) == bytes.fromhex("01 00 62506070809000")
    failed = SubmitReport(SENT, 0xC0, user_data=HELLO)
    assert encode(failed) == bytes.fromhex("01 C0 04 62506070809000 05E8329BFD06")
    for report in (SubmitReport(SENT), failed, SubmitReport(SENT, None, 1, DataCoding(0), HELLO)):
        assert decode_from_sc(encode(report), strict=True) == report


@pytest.mark.parametrize(
    ("octets", "field", "offset"),
    [
        ("01", "pi", 1),
        ("01C0", "pi", 2),
        ("010062", "sent_at", 2),
        ("01C00062", "sent_at", 3),
        ("01 01 62506070809000", "pid", 9),
        ("01 02 62506070809000", "dcs", 9),
        ("01 04 62506070809000", "user_data.length", 9),
    ],
)
def test_a_submit_report_cut_short_names_the_field(octets: str, field: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_from_sc(bytes.fromhex(octets))
    assert (caught.value.field, caught.value.offset) == (field, offset)


def test_9_2_3_27_an_extended_indicator_stands_before_the_time() -> None:
    octets = bytes.fromhex("01 C0 8100 62506070809000 40")
    assert decode_from_sc(octets, strict=True) == SubmitReport(SENT, 0xC0, 0x40)


def test_a_submit_report_with_a_bad_time() -> None:
    octets = bytes.fromhex("01 00 00000000000000")
    assert decode_from_sc(octets) == SubmitReport(None)
    with pytest.raises(DecodeError, match="sent_at at octet 2"):
        decode_from_sc(octets, strict=True)


@pytest.mark.parametrize("cause", [0, 0x7F, 0x100])
def test_9_2_3_22_a_cause_is_within_128_and_255(cause: int) -> None:
    with pytest.raises(EncodeError, match="failure_cause"):
        encode(DeliverReport(cause))


# What an error names


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (replace(SUBMIT, destination=Address.parse("1" * 21)), "destination"),
        (replace(DELIVER, originator=Address.parse("1" * 21)), "originator"),
        (replace(REPORT, recipient=Address.parse("1" * 21)), "recipient"),
        (replace(COMMAND, destination=Address.parse("1" * 21)), "destination"),
        (replace(DELIVER, sent_at=SENT.replace(year=1980)), "sent_at"),
        (replace(REPORT, sent_at=SENT.replace(year=1980)), "sent_at"),
        (replace(REPORT, discharged_at=SENT.replace(year=1980)), "discharged_at"),
        (SubmitReport(SENT.replace(year=1980)), "sent_at"),
        (replace(SUBMIT, validity=Absolute(SENT.replace(year=1980))), "validity"),
        (DeliverReport(0x7F), "failure_cause"),
        (replace(SUBMIT, user_data=UserData(DataCoding(0), bytes(141), 161)), "user_data"),
    ],
)
def test_what_has_no_octets_names_its_field(message: FromSc | FromMs, field: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode(message)
    assert caught.value.field == field
    assert str(caught.value) == f"{field}: {caught.value.reason}"
    assert caught.value.args == (field, caught.value.reason)


def test_the_first_and_the_last_failure_cause() -> None:
    for cause in (0x80, 0xFF):
        assert decode_from_ms(encode(DeliverReport(cause))) == DeliverReport(cause)


def test_a_submit_that_ends_before_its_user_data() -> None:
    with pytest.raises(DecodeError) as caught:
        decode_from_ms(encode(SUBMIT)[:12])
    assert (caught.value.field, caught.value.offset) == ("user_data.length", 12)


def test_without_the_header_bit_a_header_is_text() -> None:
    header = UserData.of_octets(b"\5\0\3\1\2\1hello", DataCoding(4))
    for message in (
        replace(SUBMIT, user_data=header, coding=DataCoding(4)),
        replace(DELIVER, user_data=header, coding=DataCoding(4)),
    ):
        from_sc = isinstance(message, Deliver)
        found = (decode_from_sc if from_sc else decode_from_ms)(encode(message))
        assert found == message


@pytest.mark.parametrize(
    ("octets", "from_sc", "offset"),
    [
        ("44 0181F2 0004 62506070809000 02 0500", True, 14),
        ("41 00 0181F2 0004 02 0500", False, 8),
        ("42 07 0181F2 62506070809000 62506070809000 00 06 04 02 0500", True, 23),
        ("40 06 04 02 0500", False, 4),
        ("41 06 62506070809000 04 02 0500", True, 11),
    ],
)
def test_strict_refuses_a_header_that_lies_in_every_message(
    octets: str, from_sc: bool, offset: int
) -> None:
    raw = bytes.fromhex(octets)
    assert not isinstance(outcome(raw, from_sc=from_sc), DecodeError)
    found = outcome(raw, from_sc=from_sc, strict=True)
    assert isinstance(found, DecodeError)
    assert (found.field, found.offset) == ("user_data.udh", offset)


@pytest.mark.parametrize(
    ("octets", "from_sc"),
    [("00 D3 00 FF", False), ("01 C0 00 62506070809000 FF", True), ("00 00 FF", False)],
)
def test_strict_refuses_what_follows_a_report(octets: str, from_sc: bool) -> None:
    raw = bytes.fromhex(octets)
    assert not isinstance(outcome(raw, from_sc=from_sc), DecodeError)
    found = outcome(raw, from_sc=from_sc, strict=True)
    assert isinstance(found, DecodeError)
    assert found.field == "tpdu"


def test_bits_without_a_meaning_are_kept() -> None:
    for octets in ("BC 00", "BC D3 00"):
        raw = bytes.fromhex(octets)
        assert encode(decode_from_ms(raw)) == raw
    raw = bytes.fromhex("9E 05 40 02 09 0181F2 00")
    assert encode(decode_from_ms(raw)) == raw
    raw = bytes.fromhex("BD 00 62506070809000")
    assert encode(decode_from_sc(raw)) == raw
