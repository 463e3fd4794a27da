"""The last lines of a wire: what they show, and what they never show."""

import asyncio
import logging
import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsd.adapters.contract import Uncertain
from smsd.adapters.modem.trace import LINES, LONGEST_LINE, Trace, command
from tests.adapters.scripted import SILENCE, ScriptedModem, phone_of, until
from tests.virtual_time import run

PDU = "07913396050066F0040B913306325476F80000623020210000000531D98C56B301"


def shown(*steps: tuple[str, bytes]) -> list[str]:
    """The lines that a trace shows of what was written (``>``) and what came (``<``)."""

    async def main() -> list[str]:
        trace = Trace()
        for way, data in steps:
            (trace.sent if way == ">" else trace.received)(data)
        return [line.text for line in await trace.lines(0, 0.0)]

    return run(main())


def came(*lines: str, asked: str = "AT+CSQ") -> list[str]:
    text = "".join(f"\r\n{line}\r\n" for line in lines)
    return shown((">", asked.encode() + b"\r"), ("<", text.encode("latin-1")))[1:]


@pytest.mark.parametrize(
    ("line", "as_shown"),
    [
        ("AT+CSQ", "AT+CSQ"),
        ("AT+CMGS=23", "AT+CMGS=23"),
        ('AT+CPMS="SM","SM","SR"', 'AT+CPMS="SM","SM","SR"'),
        ("AT+CNMI=2,1,0,2,0", "AT+CNMI=2,1,0,2,0"),
        ("AT+CPMS=?", "AT+CPMS=?"),
        ('AT+CPIN="4711"', "AT+CPIN=…"),
        ("AT+CSQ;+CPIN=4711", "AT+CSQ;+CPIN=…"),
        ('AT+CPWD="SC","4711","1234"', "AT+CPWD=…"),
        ('AT+CLCK="SC",0,"4711"', "AT+CLCK=…"),
        ('AT+CUSD=1,"*100*4711#",15', "AT+CUSD=<17>"),
        ('AT+CSCA="+33609001390",145', "AT+CSCA=<18>"),
        ('AT+CMGS="+33612345678"', "AT+CMGS=<14>"),
        ('AT+X="a;4711";+CSQ', "AT+X=<8>;+CSQ"),
        ("ATDT0612345678;", "<14>;"),
        ("AT+CRSM=176,12258,0,0,10", "AT+CRSM=176,12258,0,0,10"),
    ],
)
def test_what_is_written(line: str, as_shown: str) -> None:
    assert command(line) == as_shown
    assert shown((">", line.encode() + b"\r")) == [as_shown]


def test_a_message_and_the_way_out_of_a_prompt() -> None:
    assert shown((">", PDU.encode() + b"\x1a")) == [f"{len(PDU)} hex digits and Ctrl-Z"]
    assert shown((">", b"\x1bAT+CMEE?\r")) == ["ESC", "AT+CMEE?"]


@pytest.mark.parametrize(
    ("lines", "as_shown"),
    [
        (["OK"], ["OK"]),
        (["+CME ERROR: 10"], ["+CME ERROR: 10"]),
        (["+CMS ERROR: SIM not inserted"], ["+CMS ERROR: SIM not inserted"]),
        (['+COPS: 0,0,"Orange F",2'], ['+COPS: 0,0,"Orange F",2']),
        (['+CLIP: "+33612345678",145'], ['+CLIP: "+33…678",145']),
        (['+CNUM: "Anna","+33612345678",145'], ['+CNUM: "<4>","+33…678",145']),
        (["RING", "NO CARRIER"], ["RING", "NO CARRIER"]),
        (["+CPIN: SIM PIN"], ["+CPIN: SIM PIN"]),
        (["+CMGL: 1,1,,23", PDU, "OK"], ["+CMGL: 1,1,,23", f"<{len(PDU)}>", "OK"]),
        # what a modem in text mode says
        (
            ['+CMT: "+33612345678","Anna","26/03/02"', "hello you", "4711", "+CREG: 1"],
            ['+CMT: "+33…678","<4>","<8>"', "<9>", "<4>", "+CREG: 1"],
        ),
        (['+CUSD: 0,"Solde: 5 EUR",15'], ["+CUSD: <12>,15"]),
        (["+CUSD: 2"], ["+CUSD: 2"]),
        (["+CUSD: 0, Solde 5"], ["+CUSD: <11>"]),
        (['+CUSD: 0,"Solde" 5'], ["+CUSD: <8>"]),
        (
            ['+CUSD: 1,"1 Solde', "*2# secret", 'end",15', "+CSQ: 1,99"],
            ["+CUSD: <7>", "<10> of the text", "<7> of the text", "+CSQ: 1,99"],
        ),
        (
            ['+CUSD: 1,"never closed', "secret", "+CREG: 1", "more"],
            ["+CUSD: <12>", "<6> of the text", "+CREG: 1", "<4>"],
        ),
        (["^UNKNOWN: secret 12"], ["^UNKNOWN: <10>"]),
        (["what: is this"], ["<13>"]),
        (['AT+CPIN="4711"'], ["AT+CPIN=…"]),
        (['T+CPIN="4711"'], ["<13>"]),
    ],
)
def test_what_comes(lines: list[str], as_shown: list[str]) -> None:
    assert came(*lines) == as_shown


def test_make_and_model_are_shown_where_they_were_asked_for() -> None:
    assert came("Huawei", "OK", asked="AT+CGMI") == ["Huawei", "OK"]
    assert came("861234567890123", asked="AT+CGSN") == ["86…123"]
    assert came("x" * 41, asked="ATI") == ["<41>"]
    assert came("secret", asked="AT+CGMI;+X") == ["<6>"]
    assert came("Huawei", asked="AT+CMGL=4") == ["<6>"]


def test_a_text_without_an_end_is_bounded() -> None:
    lines = came('+CUSD: 1,"menu', *(f"line {n}" for n in range(60)))
    assert len(lines) == 61
    assert all(re.fullmatch(r"<\d+>( of the text)?", line) for line in lines[1:])


def test_a_line_without_an_end_is_told_by_its_length() -> None:
    size = 3 * LONGEST_LINE
    for chunks in (
        [b"4" * size + b"\r"],
        [b"4" * 1000] * (size // 1000) + [b"4" * (size % 1000), b"\r\n"],
    ):
        lines = shown(*(("<", chunk) for chunk in chunks))
        assert lines == [f"<{size} octets without an end>"]


SECRET = "q7w8x9"  # neither in a number's shown ends nor in any word of ours
secrets = st.sampled_from(
    [
        'AT+CPIN="{}"\r', "\r\n+CUSD: 0,\"{}\",15\r\n", '\r\n+CUSD: 1,"a\r\n*{}#\r\n{}",15\r\n',
        "\r\n+CMT: ,23\r\n{}\r\n",
        '\r\n+CMGR: 1,"{}"\r\n{}\r\n{}\r\nOK\r\n', '\r\n+CUSD: 0,"{}\r\n',
        '\r\n+CMGL: 1,1,"{}",5\r\n{}\r\n', "\r\n{}\r\n", "\r\n^X: {}\r\n",
        '\r\n+CNUM: "{}","1"\r\n',
        "AT+CPWD=\"SC\",\"{}\",\"{}\"\r", "{}\x1a\r\n", "\r\nAT+CSQ;+CLCK=\"SC\",1,\"{}\"\r\n",
        'AT+CUSD=1,"{}",15\r',
    ]
)  # fmt: skip
harmless = st.sampled_from(
    [
        "\r\nOK\r\n",
        "\r\n+CREG: 1\r\n",
        "\r\nRING\r\n",
        "\r\n> ",
        "\r\n+CSQ: 1,99\r\n",
        "\r\nERROR\r\n",
    ]
)
asked = st.sampled_from([b"AT+CSQ\r", b"AT+CMGL=4\r", b"AT+CPIN?\r", b"\x1bAT+CMEE?\r"])


@settings(max_examples=300)
@given(
    st.lists(secrets | harmless, max_size=12), st.lists(st.integers(0, 2000), max_size=20), asked
)
def test_no_secret_is_ever_shown_whatever_the_slicing(
    pieces: Sequence[str], cuts: Sequence[int], question: bytes
) -> None:
    stream = "".join(pieces).replace("{}", SECRET).encode()
    bounds = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    chunks = [("<", stream[a:b]) for a, b in pairwise(bounds)]
    lines = shown((">", question), *chunks)
    assert SECRET not in " ".join(lines)
    assert SECRET not in "".join(lines)
    assert lines == shown((">", question), ("<", stream))


@given(st.text("0123456789", min_size=4, max_size=8))
def test_no_pin_is_ever_shown(pin: str) -> None:
    for line in (
        f'AT+CPIN="{pin}"',
        f"AT+CPIN={pin}",
        f'AT+CPIN="{pin}","{pin}"',
        f"ATE0;+CPIN={pin}",
    ):
        [text] = shown((">", line.encode() + b"\r"))
        assert pin not in text


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_any_octets_can_be_traced(chunks: list[bytes]) -> None:
    for line in shown(*((way, chunk) for chunk in chunks for way in "<>")):
        assert "\r" not in line


def test_the_same_failure_again_and_again_is_written_ever_more_seldom(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        trace = Trace("modem")
        for _ in range(24 * 60):
            trace.failed("the PIN is wrong")
            await asyncio.sleep(60)
        trace.failed("another one")

    with caplog.at_level(logging.WARNING, logger="smsd.at.trace"):
        run(main())
    assert len(caplog.records) == 8


# The ring ----------------------------------------------------------------------------------------


def test_so_many_lines_are_kept_and_told_from_any_number_on() -> None:
    async def main() -> None:
        trace = Trace()
        for _ in range(LINES + 10):
            trace.received(b"OK\r\n")
        lines = await trace.lines(0, 0.0)
        assert len(lines) == LINES
        assert [line.number for line in lines] == list(range(11, LINES + 11))
        await asyncio.sleep(5)
        [last] = await trace.lines(LINES + 9, 60.0)
        assert (last.age, last.direction) == (5.0, "<")

    run(main())


def test_whoever_follows_waits_for_the_next_line() -> None:
    async def main() -> None:
        trace = Trace()
        loop = asyncio.get_running_loop()
        assert await trace.lines(0, 20.0) == []
        assert loop.time() == 20
        loop.call_later(5, trace.received, b"OK\r\n")
        assert [line.text for line in await trace.lines(0, 20.0)] == ["OK"]
        assert loop.time() == 25

    run(main())


def test_a_failure_writes_the_lines_and_not_too_often(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        modem = ScriptedModem(after_pdu=SILENCE)
        async with phone_of(modem) as phone:
            for attempt in (1, 2):
                with pytest.raises(Uncertain):
                    await phone.send("the text of it", attempt)
            await asyncio.sleep(700)
            modem.lines(["RDY"])
            await until(lambda: len(caplog.records) > 1)

    with caplog.at_level(logging.WARNING, logger="smsd.at.trace"):
        run(main())
    dumps = [record for record in caplog.records if record.name == "smsd.at.trace"]
    assert len(dumps) == 2
    first, second = (record.__dict__["fields"] for record in dumps)
    assert "AT+CMGS=" in first["wire"]
    assert "hex digits and Ctrl-Z" in first["wire"]
    assert first["modem"] == first["device"] == "tcp://modem:1"
    assert "the modem has started anew" in second["wire"]
    assert "opened" not in second["wire"]
