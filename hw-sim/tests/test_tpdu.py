"""Both directions of every TPDU, and what is refused."""

import contextlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hwsim import bits, tpdu, userdata
from hwsim.alphabets import BASIC, EXTENSION
from hypothesis import given
from hypothesis import strategies as st

VECTORS = Path(__file__).parents[3] / "shared/vectors/pdu-public.json"
GSM = "".join(sorted((set(BASIC) - {"\x1b"}) | set(EXTENSION.values())))


@st.composite
def addresses(draw: st.DrawFn) -> dict[str, str]:
    if draw(st.booleans()):
        return tpdu.address_of("+" + draw(st.text("0123456789", min_size=1, max_size=15)))
    if draw(st.booleans()):
        return tpdu.address_of(draw(st.text("0123456789*#abc", min_size=1, max_size=20)))
    letters = "".join(sorted(set(BASIC) - {"\x1b"}))
    name = draw(st.text(letters, min_size=1, max_size=11))
    return {"number": name, "ton": "alphanumeric", "npi": "unknown"}


@st.composite
def times(draw: st.DrawFn) -> str:
    quarters = draw(st.integers(-48, 56))
    seconds = draw(st.integers(946_684_800, 3_786_000_000))  # 2000 to 2089
    zone = timezone(timedelta(minutes=15 * quarters))
    return datetime.fromtimestamp(seconds, zone).isoformat()


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    wide = draw(st.booleans())
    total = draw(st.integers(1, 255))
    concat = {
        "reference": draw(st.integers(0, 65535 if wide else 255)),
        "total": total,
        "number": draw(st.integers(1, total)),
        "wide": wide,
    }
    ports = {"destination": draw(st.integers(0, 255)), "source": 1, "wide": draw(st.booleans())}
    body: dict[str, Any] = {
        "concat": draw(st.sampled_from([None, concat])),
        "ports": draw(st.sampled_from([None, ports])),
        "dcs": draw(st.sampled_from([0x00, 0x04, 0x08, 0x10, 0x15, 0x1A, 0xF1, 0xF5, 0xC8, 0xE0])),
    }
    match userdata.coding_of(body["dcs"]).alphabet:
        case "data8":
            body |= {"text": None, "data": draw(st.binary(max_size=120)).hex().upper()}
        case "ucs2":
            text = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
            body |= {"text": text, "data": None}
        case _:
            body |= {"text": draw(st.text(GSM, max_size=70)), "data": None}
    return body


@st.composite
def validities(draw: st.DrawFn) -> dict[str, Any] | None:
    minutes = tpdu.relative_minutes(draw(st.integers(0, 255)))
    shot = {"single_shot": draw(st.booleans())}
    until: dict[str, Any] = {"until": draw(times())}
    choice: dict[str, Any] | None = draw(
        st.sampled_from(
            [
                None,
                {"relative_minutes": minutes},
                until,
                shot,
                shot | {"relative_minutes": minutes},
                shot | {"seconds": draw(st.integers(0, 255))},
                shot | {"clock": "23:05:59"},
            ]
        )
    )
    return choice


def check(fields: dict[str, Any], direction: str) -> None:
    """What is encoded and decoded holds everything that went in."""
    back = tpdu.decode(tpdu.encode(fields), direction)
    for name, value in fields.items():
        if name == "flags":
            assert {k: back["flags"][k] for k in value} == value
        else:
            assert back[name] == value, name
    assert tpdu.encode(back) == tpdu.encode(fields)


@given(addresses(), times(), bodies(), st.integers(0, 255))
def test_a_deliver_survives(
    originator: dict[str, str], sent_at: str, body: dict[str, Any], pid: int
) -> None:
    flags = {"mms": True, "sri": False, "rp": True, "lp": False}
    fields = {"type": "deliver", "originator": originator, "sent_at": sent_at, "pid": pid}
    check(fields | {"flags": flags} | body, "from-sc")


@given(addresses(), validities(), bodies(), st.integers(0, 255), st.booleans())
def test_a_submit_survives_and_the_air_accepts_it(
    to: dict[str, str], validity: Any, body: dict[str, Any], reference: int, asked: bool
) -> None:
    fields = {"type": "submit", "destination": to, "validity": validity, "reference": reference}
    fields |= {"flags": {"srr": asked, "rd": not asked, "rp": asked}}
    check(fields | body, "to-sc")
    outline = tpdu.outline_submit(tpdu.encode(fields | body))
    assert outline.number == to["number"]
    assert outline.report_requested == asked


@given(addresses(), times(), times(), st.integers(0, 255), st.integers(0, 255))
def test_a_status_report_survives(
    recipient: dict[str, str], sent: str, discharged: str, reference: int, status: int
) -> None:
    fields = {"type": "status-report", "recipient": recipient, "reference": reference}
    fields |= {"sent_at": sent, "discharged_at": discharged, "status": status}
    check(fields, "from-sc")
    check(fields | {"pid": 3, "dcs": 8, "text": "é😀"}, "from-sc")


@given(addresses(), st.binary(max_size=100), times())
def test_commands_and_reports_survive(to: dict[str, str], data: bytes, sent_at: str) -> None:
    command = {"type": "command", "reference": 1, "pid": 0, "command": 2, "message_number": 9}
    check(command | {"destination": to, "data": data.hex().upper()}, "to-sc")
    check({"type": "deliver-report", "pid": 0}, "to-sc")
    check({"type": "deliver-report", "cause": 0xD3, "text": "full", "dcs": 0}, "to-sc")
    check({"type": "submit-report", "sent_at": sent_at}, "from-sc")
    check({"type": "submit-report", "sent_at": sent_at, "cause": 0xC5, "pid": 1}, "from-sc")


@given(st.binary(max_size=200), st.sampled_from(["from-sc", "to-sc"]))
def test_any_octets_give_a_dictionary_or_malformed(octets: bytes, direction: str) -> None:
    with contextlib.suppress(tpdu.Malformed):
        assert tpdu.decode(octets, direction)["type"]


@given(st.binary(max_size=180))
def test_what_the_air_accepts_can_be_decoded(octets: bytes) -> None:
    octets = bytes([octets[0] & 0xFC | 1]) + octets[1:] if octets else b""
    try:
        tpdu.outline_submit(octets)
    except tpdu.Malformed:
        return
    assert tpdu.decode(octets, "to-sc")["type"] == "submit"


@pytest.mark.parametrize(
    ("octet", "minutes"),
    [(0, 5), (143, 720), (144, 750), (167, 1440), (168, 2880), (196, 43200), (197, 50400)],
)
def test_relative_validity_has_four_ranges(octet: int, minutes: int) -> None:
    assert tpdu.relative_minutes(octet) == minutes
    assert tpdu.relative_value(minutes) == octet


@pytest.mark.parametrize(
    ("dcs", "coding"),
    [
        (0x00, ("gsm7", False, None)),
        (0x0C, ("gsm7", False, None)),
        (0x20, ("gsm7", True, None)),
        (0x18, ("ucs2", False, 0)),
        (0x48, ("ucs2", False, None)),
        (0x80, ("gsm7", False, None)),
        (0xC8, ("gsm7", False, None)),
        (0xD8, ("gsm7", False, None)),
        (0xE8, ("ucs2", False, None)),
        (0xF1, ("gsm7", False, 1)),
        (0xF5, ("data8", False, 1)),
    ],
)
def test_data_coding_schemes(dcs: int, coding: tuple[str, bool, int | None]) -> None:
    found = userdata.coding_of(dcs)
    assert (found.alphabet, found.compressed, found.message_class) == coding


@pytest.mark.parametrize(
    ("octets", "moment"),
    [
        ("42506070809032", "2024-05-06T07:08:09+05:45"),
        ("42506070809049", "2024-05-06T07:08:09-03:30"),
        ("42506070809004", "2024-05-06T07:08:09+10:00"),
        ("99103000000000", "1999-01-03T00:00:00+00:00"),
        ("42316070809000", None),
        ("00000000000000", None),
        ("FFFFFFFFFFFFFF", None),
    ],
)
def test_time_stamps_keep_their_zone(octets: str, moment: str | None) -> None:
    assert tpdu.decode_time(bytes.fromhex(octets)) == moment


def test_the_last_at_sign_of_seven_and_eight_septets_is_text() -> None:
    for text in ("1234567", "123456@", "1234567@", "@" * 160):
        fields = {"type": "submit", "destination": tpdu.address_of("+1"), "text": text}
        assert tpdu.decode(tpdu.encode(fields), "to-sc")["text"] == text


@pytest.mark.parametrize(
    "elements",
    [
        [("00", "010001")],
        [("00", "010203"), ("00", "010304")],
        [("08", "00010200")],
    ],
)
def test_impossible_concatenation_is_no_concatenation(elements: list[tuple[str, str]]) -> None:
    header = [{"iei": int(iei, 16), "data": data} for iei, data in elements]
    assert userdata.concat_of(header) is None


def test_the_last_concatenation_wins() -> None:
    header = [{"iei": 0, "data": "010201"}, {"iei": 0, "data": "020302"}]
    assert userdata.concat_of(header) == {"reference": 2, "total": 3, "number": 2, "wide": False}


def test_a_header_of_length_zero_is_skipped_with_its_fill_bits() -> None:
    body = userdata.cut_body(0, True, 5, bytes([0]) + bits.pack(bits.septets_of("abc"), 6))
    assert body.text() == "abc"


def test_the_header_names_the_language() -> None:
    header = [{"iei": 0x25, "data": "06"}, {"iei": 0x24, "data": "06"}]
    fields = {"type": "submit", "destination": tpdu.address_of("+1"), "udh": header}
    check(fields | {"text": "नमस्ते १ A"}, "to-sc")


def test_a_pair_cut_between_two_parts_is_whole_when_joined() -> None:
    coding = userdata.coding_of(8)
    high, low = "😀".encode("utf-16-be")[:2], "😀".encode("utf-16-be")[2:]
    assert userdata.text_of(coding, [b"\x00a" + high, low]) == "a😀"
    assert userdata.text_of(userdata.coding_of(0), [b"a\x1b", b"\x65"]) == "a€"


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "00",
        "0100",
        "01000B913306000000",  # address cut short
        "01000B9133060000001100000141",  # no filler beside the odd digit
        "01000B913306000000F1000002C8",  # one octet too few
        "01000B913306000000F1000001C800",  # one too many
        "01000B113306000000F1000001C8",  # a type of address without its top bit
        "41000B913306000000F1000403050001",  # header longer than the user data
        "01001591330600000000000000000000F1000001C8",  # 21 digits
        "19000B913306000000F100000000000000000001C8",  # no such date
        "01000B913306000000F10004A1" + "00" * 161,  # 161 octets
    ],
)
def test_the_air_refuses_nonsense(broken: str) -> None:
    with pytest.raises(tpdu.Malformed):
        tpdu.outline_submit(bytes.fromhex(broken))


def _expectation(vector: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    octets = bytes.fromhex(vector["pdu"])
    if vector["has_smsc"]:
        octets = octets[octets[0] + 1 :]
    direction = "from-sc" if vector["direction"] == "MT" else "to-sc"
    got = tpdu.decode(octets[: vector.get("tpdu_len")], direction)
    address = got.get("originator") or got.get("destination") or got.get("recipient")
    assert address is not None
    mine = {
        "type": got["type"],
        "number": address["number"].lstrip("+"),
        "pid": got.get("pid"),
        "dcs": got.get("dcs", 0),
        "mr": got.get("reference"),
        "status": got.get("status"),
        "text": got.get("text"),
    }
    expected = dict(vector["expect"])
    expected["number"] = expected["number"].lstrip("+")
    return mine, expected


@pytest.mark.skipif(not VECTORS.exists(), reason="the collected PDUs are not here")
def test_real_pdus_read_as_others_read_them() -> None:
    wrong = []
    for vector in json.loads(VECTORS.read_text())["vectors"]:
        try:
            mine, expected = _expectation(vector)
        except tpdu.Malformed as error:
            wrong.append((vector["id"], str(error)))
            continue
        for name, value in mine.items():
            if name in expected and expected[name] != value:
                wrong.append((vector["id"], f"{name}: {value!r}, they say {expected[name]!r}"))
    assert wrong == []
