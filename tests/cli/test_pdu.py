"""`smsd pdu` (the documented surface: keys, exit statuses, JSON Lines)."""

import argparse
import io
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.cli.pdu import add_parser, visible
from smsd.gsm import PDU, Address, DataCoding, Deliver, UserData, segment

DELIVER = "07913306091093F0040B913316325476F8000062506070809000" + "05E8329BFD06"
REPORT = "0006070B913316325476F8625060708090006250607080900000"


class Run:
    """The command as a user runs it: arguments and standard input in, status and output out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        self.status = 0
        self.err = ""

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers())
        parsed = parser.parse_args(["pdu", *arguments])
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self.status = parsed.func(parsed)
        captured = self.capsys.readouterr()
        self.err = captured.err
        return captured.out

    def json(self, *arguments: str, stdin: str = "") -> list[dict[str, Any]]:
        out = self(*arguments, "--json", stdin=stdin)
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(monkeypatch, capsys)


# decode


def test_decode_a_deliver(run: Run) -> None:
    assert run.json("decode", DELIVER) == [
        {
            "type": "deliver",
            "sc": "+33609001390",
            "originator": {"number": "+33612345678", "ton": "international", "npi": "isdn"},
            "sent_at": "2026-05-06T07:08:09+00:00",
            "pid": 0,
            "dcs": 0,
            "alphabet": "gsm7",
            "class": None,
            "text": "hello",
            "udh": [],
            "concat": None,
            "ports": None,
            "flags": {"mms": True, "lp": False, "sri": False, "rp": False, "udhi": False},
        }
    ]
    assert run.status == 0


def test_decode_a_status_report(run: Run) -> None:
    [found] = run.json("decode", REPORT)
    assert found["type"] == "status-report"
    assert found["sc"] is None
    assert found["reference"] == 7
    assert found["recipient"]["number"] == "+33612345678"
    assert found["sent_at"] == found["discharged_at"] == "2026-05-06T07:08:09+00:00"
    assert (found["status"], found["outcome"], found["permanent"]) == (0, "delivered", False)
    assert found["words"] == "delivered to the recipient"
    assert found["flags"] == {"mms": True, "lp": False, "srq": False, "udhi": False}


@pytest.mark.parametrize(
    ("vp", "validity"),
    [
        ("01", None),
        ("11 A7", {"relative_minutes": 1440}),
        ("19 62506070809000", {"until": "2026-05-06T07:08:09+00:00"}),
        ("19 00000000000000", {"until": None}),
        (
            "09 420A0000000000",
            {"enhanced": "420A0000000000", "seconds": 10, "single_shot": True},
        ),
    ],
)
def test_decode_a_submit(run: Run, vp: str, validity: object) -> None:
    first, _, period = vp.partition(" ")
    pdu = f"00{first}050281F20018{period}020416"
    request = json.dumps({"pdu": pdu, "direction": "to-sc"})
    [found] = run.json("decode", "-", stdin=request)
    assert found["type"] == "submit"
    assert found["reference"] == 5
    assert found["destination"] == {"number": "2", "ton": "unknown", "npi": "isdn"}
    assert found["validity"] == validity
    assert (found["dcs"], found["alphabet"], found["class"]) == (24, "ucs2", 0)
    assert found["text"] == "Ж"
    assert found["flags"].keys() == {"rd", "srr", "rp", "udhi"}


def test_decode_data_with_a_header(run: Run) -> None:
    pdu = "0044038121F3000462506070809000" + "0D0B05040B8423F00003420201" + "FF"
    [found] = run.json("decode", pdu)
    assert found["text"] is None
    assert found["data"] == "FF"
    assert found["udh"] == [{"iei": 5, "data": "0B8423F0"}, {"iei": 0, "data": "420201"}]
    assert found["concat"] == {"reference": 66, "total": 2, "number": 1, "wide": False}
    assert found["ports"] == {"destination": 2948, "source": 9200, "wide": True}
    assert found["flags"]["udhi"] is True


def test_decode_the_other_types(run: Run) -> None:
    lines = [
        {"pdu": "002205400209" + "0281F2" + "020102", "direction": "to-sc"},
        {"pdu": "0000D300", "direction": "to-sc"},
        {"pdu": "0001C00162506070809000" + "40"},
        {"pdu": "000100" + "62506070809000"},
    ]
    found = run.json("decode", "-", stdin="\n".join(map(json.dumps, lines)))
    assert run.status == 0
    command, deliver_report, submit_report, accepted = found
    assert command["type"] == "command"
    assert (command["command"], command["message_number"], command["data"]) == (2, 9, "0102")
    assert (command["reference"], command["pid"]) == (5, 0x40)
    assert command["flags"] == {"srr": True, "udhi": False}
    assert deliver_report["type"] == "deliver-report"
    assert (deliver_report["failure_cause"], deliver_report["words"]) == (
        0xD3,
        "memory capacity exceeded",
    )
    assert submit_report["type"] == "submit-report"
    assert (submit_report["failure_cause"], submit_report["pid"]) == (0xC0, 0x40)
    assert submit_report["sent_at"] == "2026-05-06T07:08:09+00:00"
    assert "failure_cause" not in accepted


def test_decode_an_mms_notification(run: Run) -> None:
    push = (
        bytes.fromhex("000603BEAF84") + b"\x8c\x82\x83http://a/\0\x8e\x01\x40\x88\x03\x81\x01\x3c"
    )
    for data, expected in (
        (
            push,
            {"url": "http://a/", "size": 64, "from": None, "subject": None, "expiry": "0:01:00"},
        ),
        (push[:-1], None),
        (b"\0\7", None),
    ):
        header = bytes.fromhex("0605040B8423F0")
        user_data = UserData.of_octets(data, DataCoding(4), header)
        deliver = Deliver(Address.parse("1"), 0, DataCoding(4), None, user_data)
        [found] = run.json("decode", PDU(None, deliver).hex)
        assert found.get("mms_notification") == expected


def test_a_line_that_cannot_be_decoded_is_an_error_and_the_others_go_on(run: Run) -> None:
    lines = [DELIVER, "xyz", "", DELIVER[:40], "[1]", '{"pdu": 5}', '{"pdu"', "{}", REPORT]
    lines += ['{"pdu": "00", "direction": "up"}', '{"pdu": "00", "length": true}', '{"a":' * 9999]
    found = run.json("decode", "-", stdin="\n".join(lines))
    assert run.status == 1
    assert [f.get("type") for f in found] == [
        "deliver", None, None, None, None, None, None, "status-report", None, None, None,
    ]  # fmt: skip
    errors = [f["error"] for f in found if "error" in f]
    assert errors[0] == {"field": "pdu", "octet": 0, "reason": "no hexadecimal digit"}
    assert errors[1] == {"field": "sent_at", "octet": 19, "reason": "7 octets wanted, 1 left"}
    assert [error["field"] for error in errors[2:]] == [
        "pdu", "pdu", "request", "sc", "direction", "length", "request",
    ]  # fmt: skip


def test_a_line_that_is_no_text_is_an_error_like_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["pdu", "decode", "-", "--json"])
    octets = b"\xff\xfe\n" + DELIVER.encode() + b"\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(octets), encoding="utf-8"))
    assert parsed.func(parsed) == 1
    error, found = map(json.loads, capsys.readouterr().out.splitlines())
    assert error["error"]["field"] == "pdu"
    assert found["text"] == "hello"


def test_the_length_and_the_centre_of_a_request(run: Run) -> None:
    tpdu = DELIVER[16:]
    size = len(tpdu) // 2
    lines = [
        {"pdu": tpdu, "length": size},
        {"pdu": DELIVER, "length": size},
        {"pdu": tpdu, "sc": False},
        {"pdu": DELIVER, "sc": True},
        {"pdu": DELIVER, "length": size + 1},
    ]
    found = run.json("decode", "-", stdin="\n".join(map(json.dumps, lines)))
    assert [f.get("text") for f in found] == ["hello"] * 4 + [None]
    assert run.json("decode", tpdu, "--no-sc")[0]["text"] == "hello"
    assert run.json("decode", tpdu, "--length", str(size))[0]["sc"] is None
    submit = "0001050281F2000005E8329BFD06"
    assert run.json("decode", submit, "--direction", "to-sc")[0]["type"] == "submit"


def test_strict(run: Run) -> None:
    assert run.json("decode", DELIVER + "00")[0]["text"] == "hello"
    assert "error" in run.json("decode", DELIVER + "00", "--strict")[0]
    assert run.status == 1


def test_a_dissection_for_people(run: Run) -> None:
    out = run("decode", DELIVER)
    assert out.count("\n") == 9
    assert "0B 91 33 16 32 54 76 F8" in out
    assert "9.2.3.7" in out
    assert "+33612345678 (international, isdn)" in out
    assert "hello" in out
    assert run("decode", DELIVER[16:], "--no-sc").startswith("04  ")
    assert run("decode", DELIVER[16:], "--length", "24").startswith("04  ")
    assert run("decode", "-", stdin=f"{DELIVER}\n{DELIVER}\n").count("hello") == 2


def test_an_error_for_people_is_on_standard_error(run: Run) -> None:
    assert run("decode", "0004", DELIVER).count("hello") == 1
    assert run.err == "smsd pdu: originator at octet 2: 1 octet wanted, 0 left\n"
    assert run.status == 1


def test_a_text_cannot_command_the_terminal(run: Run) -> None:
    text = "a\x1b[2Jb\x07\u202ec\x9b"
    user_data = UserData.of_octets(text.encode("utf-16-be"), DataCoding(8))
    deliver = Deliver(Address.parse("1"), 0, DataCoding(8), None, user_data)
    out = run("decode", PDU(None, deliver).hex)
    assert "a\\x1b[2Jb\\x07\\u202ec\\x9b" in out
    joined = run("join", "-", stdin=PDU(None, deliver).hex)
    assert joined == "1: a\\x1b[2Jb\\x07\\u202ec\\x9b\n"


@given(st.text())
def test_what_is_visible_obeys_nothing(text: str) -> None:
    shown = visible(text)
    assert all(character.isprintable() or character == "\u200d" for character in shown)
    assert not text.isprintable() or shown == text


# encode


def test_encode_from_the_options(run: Run) -> None:
    [found] = run.json("encode", "--to", "+33612345678", "--text", "hello")
    assert found == {
        "alphabet": "gsm7",
        "segments": 1,
        "parts": [{"length": 18, "pdu": "0001000B913316325476F8000005E8329BFD06"}],
    }


def test_encode_with_everything(run: Run) -> None:
    [found] = run.json(
        "encode", "--to", "36789", "--text", "é" * 161, "--sc", "+33609001390", "--flash",
        "--report",
        "--validity-minutes", "1440", "--reference", "9", "--concat-reference", "300",
    )  # fmt: skip
    assert found["segments"] == 2
    for number, part in enumerate(found["parts"], 1):
        request = {"pdu": part["pdu"], "direction": "to-sc", "length": part["length"]}
        [back] = run.json("decode", "-", stdin=json.dumps(request))
        assert back["sc"] == "+33609001390"
        assert (back["class"], back["reference"], back["flags"]["srr"]) == (0, 9, True)
        assert back["validity"] == {"relative_minutes": 1440}
        assert back["concat"] == {"reference": 300, "total": 2, "number": number, "wide": True}


def test_encode_objects(run: Run) -> None:
    lines: list[dict[str, object]] = [
        {"to": "36789", "text": "ğ" * 70, "languages": ["default", "turkish"]},
        {"to": "36789", "data": "0102", "ports": {"destination": 2948, "source": 9200}},
        {"to": "36789", "data": "", "ports": 5},
        {"to": "36789", "text": "a", "ports": {"destination": 5, "source": 6, "wide": False}},
        {"to": "36789", "text": "a", "alphabet": "ucs2", "flash": False},
        {"to": "36789", "text": "l’été…", "transliterate": True},
        {"to": "36789", "text": "я" * 71, "concat_reference": 7, "sc": None},
    ]
    found = run.json("encode", "-", stdin="\n".join(map(json.dumps, lines)))
    assert run.status == 0
    assert [(f["alphabet"], f["segments"]) for f in found] == [
        ("gsm7", 1), ("data8", 1), ("data8", 1), ("gsm7", 1), ("ucs2", 1), ("gsm7", 1), ("ucs2", 2),
    ]  # fmt: skip
    assert found[5]["replaced"] == {"’": "'", "…": "..."}
    assert "replaced" not in found[0]
    requests = [json.dumps({"pdu": f["parts"][0]["pdu"], "direction": "to-sc"}) for f in found]
    back = run.json("decode", "-", stdin="\n".join(requests))
    assert back[0]["text"] == "ğ" * 70
    assert back[1]["data"] == "0102"
    assert back[1]["ports"] == {"destination": 2948, "source": 9200, "wide": True}
    assert back[2]["ports"] == {"destination": 5, "source": 0, "wide": True}
    assert back[3]["ports"] == {"destination": 5, "source": 6, "wide": False}
    assert back[5]["text"] == "l'été..."
    assert back[6]["concat"] == {"reference": 7, "total": 2, "number": 1, "wide": False}


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"text": "a"}, "to"),
        ({"to": 5, "text": "a"}, "to"),
        ({"to": "1"}, "text"),
        ({"to": "1", "text": "a", "data": "00"}, "text"),
        ({"to": "1", "text": ["a"]}, "text"),
        ({"to": "1", "data": "0"}, "data"),
        ({"to": "1", "text": "a", "ports": "x"}, "ports"),
        ({"to": "1", "text": "a", "ports": {}}, "ports"),
        ({"to": "1", "text": "a", "ports": 70000}, "user_data.udh"),
        ({"to": "1", "text": "a", "alphabet": "latin"}, "alphabet"),
        ({"to": "1", "text": "a", "alphabet": "data8"}, "alphabet"),
        ({"to": "1", "text": "a" * 161, "concat_reference": 70000}, "user_data.udh"),
        ({"to": "1", "text": "ğ", "languages": ["klingon"]}, "languages"),
        ({"to": "1", "text": "a", "validity_minutes": 0}, "validity_minutes"),
        ({"to": "1", "text": "a", "validity_minutes": True}, "validity_minutes"),
        ({"to": "1", "text": "a", "reference": 256}, "tpdu"),
        ({"to": "1" * 21, "text": "a"}, "destination"),
        ({"to": "1", "text": "a", "sc": "Bank"}, "sc"),
        ({"to": "1", "text": "я" * 20000}, "text"),
        ({"to": "1", "text": "\ud83d"}, "text"),
    ],
)
def test_what_cannot_be_encoded_names_the_field(
    run: Run, request_: dict[str, object], field: str
) -> None:
    good = json.dumps({"to": "1", "text": "a"})
    found = run.json("encode", "-", stdin=f"{json.dumps(request_)}\n{good}\n")
    assert run.status == 1
    assert found[0]["error"]["field"] == field
    assert found[0]["error"]["reason"]
    assert found[1]["segments"] == 1


def test_encode_for_people(run: Run) -> None:
    out = run("encode", "--to", "1", "--text", "l’été", "--transliterate")
    assert out.splitlines()[:2] == ["gsm7, 1 segments", "length  pdu"]
    assert "replaced '’' by \"'\"" in out
    assert run("encode", "--to", "1", "--text", "") != ""
    assert run("encode", "--text", "a") == ""
    assert run.err == "smsd pdu: to: a number is needed\n"
    assert run.status == 1


# join


def received(text: str, reference: int = 1) -> list[str]:
    return [
        PDU(None, Deliver(Address.parse("Bank"), 0, part.coding, None, part)).hex
        for part in segment(text, reference=reference)
    ]


def test_join(run: Run) -> None:
    first, second = received("a" * 300, 1), received("я" * 200, 2)
    lines = [first[1], second[2], "zz", REPORT, first[1], first[0], second[0], *received("hi")]
    found = run.json("join", "-", stdin="\n".join(lines))
    assert run.status == 1
    assert [f.get("error", {}).get("field") for f in found[:2]] == ["pdu", "pdu"]
    bank = {"number": "Bank", "ton": "alphanumeric", "npi": "unknown"}
    assert found[2:] == [
        {"originator": bank, "text": "a" * 300, "parts": 2, "total": 2, "complete": True},
        {"originator": bank, "text": "hi", "parts": 1, "total": 1, "complete": True},
        {"originator": bank, "text": "я" * 133, "parts": 2, "total": 3, "complete": False},
    ]


def test_join_takes_objects_too(run: Run) -> None:
    [pdu] = received("hi")
    request = json.dumps({"pdu": pdu[2:], "sc": False})
    assert run.json("join", "-", stdin=request)[0]["text"] == "hi"
    assert run.status == 0
    assert run.json("join", "-", stdin='{"pdu": 5}')[0]["error"]["field"] == "pdu"


def test_join_for_people(run: Run) -> None:
    assert run("join", "-", stdin=received("a" * 300)[0]) == f"Bank (1 of 2 parts): {'a' * 153}\n"


# The whole way


@pytest.mark.parametrize("arguments", [[], ["decode"], ["join"], ["encode", "x"], ["fly"]])
def test_wrong_usage_is_2(run: Run, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2


def test_every_line_of_a_long_input_is_answered_in_its_order() -> None:
    """How many a second is a figure of bench/codec.py."""
    count = 30_000
    lines = [DELIVER if n % 1000 else f"bad{n:05d}" for n in range(count)]
    program = (
        "import argparse, sys; from smsd.cli.pdu import add_parser; p = argparse.ArgumentParser();"
        "add_parser(p.add_subparsers()); a = p.parse_args(sys.argv[1:]); sys.exit(a.func(a))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "pdu", "decode", "-", "--json"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    answers = done.stdout.splitlines()
    assert done.returncode == 1
    assert len(answers) == count
    assert [n for n, line in enumerate(answers) if "error" in line] == [*range(0, count, 1000)]
