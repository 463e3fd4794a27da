"""One conversation with a modem, octet by octet: whose line is it?"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.at.dialogue import (
    LINE_LIMIT,
    PROBE,
    TRANSITIONS,
    Command,
    Dialogue,
    Event,
    FinalResult,
    Late,
    LocalError,
    Response,
    State,
    Urc,
)
from smsd.at.quoted import MOST_LINES

PDU = b"0011000B913316325476F80000AA05E8329BFD06"
ABANDONED = b"\x1bAT+CMEE?\r"
ABANDONED_AGAIN = b"\x1bATQ0V1+CMEE?\r"
PROBED = b"\r\n+CMEE: 1\r\n\r\nOK\r\n"


def command(line: str, *answers: str, payload: bytes | None = None) -> Command[Any]:
    return Command(line, tuple, answers=answers, payload=payload)


CSQ = command("AT+CSQ", "+CSQ:")
CMGL = command("AT+CMGL=4")
CMGS = command("AT+CMGS=19", "+CMGS:", payload=PDU)


def begun(what: Command[Any]) -> Dialogue:
    dialogue = Dialogue()
    dialogue.send(what)
    assert dialogue.data_to_send() == what.line.encode() + b"\r"
    return dialogue


def submitted() -> Dialogue:
    dialogue = begun(CMGS)
    assert dialogue.receive(b"\r\n> ") == []
    assert dialogue.data_to_send() == PDU + b"\x1a"
    return dialogue


def abandoned(dialogue: Dialogue) -> Dialogue:
    first = dialogue.state is not State.STALE
    dialogue.abandon()
    assert dialogue.data_to_send() == (ABANDONED if first else ABANDONED_AGAIN)
    return dialogue


def answered(what: Command[Any], *lines: str, result: str = "OK") -> Response:
    return Response(what, lines, FinalResult(result), submitted=what.payload is not None)


# Questions and answers ---------------------------------------------------------------------------


def test_a_command_is_answered() -> None:
    dialogue = begun(CSQ)
    assert dialogue.receive(b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n") == [answered(CSQ, "+CSQ: 17,99")]
    assert dialogue.state is State.IDLE


def test_a_payload_follows_the_prompt_by_itself() -> None:
    dialogue = submitted()
    assert dialogue.state is State.PAYLOAD
    assert dialogue.receive(b"\r\n+CMGS: 7\r\n\r\nOK\r\n") == [answered(CMGS, "+CMGS: 7")]
    assert dialogue.data_to_send() == b""


@pytest.mark.parametrize("prompt", [b"\r\n> ", b"\r\n>", b">", b"\r\r\n> ", b"\n> ", b"\0\r\n> "])
def test_prompts_of_the_field(prompt: bytes) -> None:
    dialogue = begun(CMGS)
    assert dialogue.receive(prompt) == []
    assert dialogue.data_to_send() == PDU + b"\x1a"


def test_a_prompt_sign_inside_a_line_is_none() -> None:
    dialogue = begun(CMGS)
    dialogue.receive(b'\r\n+CUSD: 1,"1> credit",15\r\n')
    assert dialogue.state is State.PROMPT


def test_a_prompt_that_nobody_waits_for_is_nothing() -> None:
    dialogue = begun(CSQ)
    assert dialogue.receive(b"\r\n> \r\n+CSQ: 1,99\r\n\r\nOK\r\n") == [
        answered(CSQ, ">", "+CSQ: 1,99")
    ]
    assert dialogue.data_to_send() == b""


def test_echoes_are_left_out() -> None:
    dialogue = begun(CMGS)
    dialogue.receive(b"AT+CMGS=19\r\r\n> ")
    dialogue.data_to_send()
    events = dialogue.receive(PDU + b"\x1a\r\n+CMGS: 7\r\n\r\nOK\r\n")
    assert events == [answered(CMGS, "+CMGS: 7")]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r\r\n", "\r\n\r\n", "\0\r\n"])
def test_line_ends_of_the_field(end: str) -> None:
    dialogue = begun(CSQ)
    stream = f"{end}+CSQ: 17,99{end}OK{end}".encode()
    assert dialogue.receive(stream) == [answered(CSQ, "+CSQ: 17,99")]


@pytest.mark.parametrize(
    "result",
    ["ERROR", "+CME ERROR: 14", "+CMS ERROR: 38", "+CME ERROR: SIM busy", "BUSY", "NO ANSWER",
     "NO DIALTONE", "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS", "CONNECT 9600"],
)  # fmt: skip
def test_everything_but_ok_is_an_error(result: str) -> None:
    [response] = begun(CSQ).receive(f"\r\n{result}\r\n".encode())
    assert response == answered(CSQ, result=result)
    assert isinstance(response, Response)
    assert not response.result.ok


@pytest.mark.parametrize(
    ("text", "cme", "cms"),
    [
        ("+CME ERROR: 14", 14, None),
        ("+CMS ERROR:500", None, 500),
        ("+CMS ERROR: network timeout", None, None),
        ("+CME ERROR: ²", None, None),
        ("ERROR", None, None),
        ("38", None, None),
    ],
)
def test_numbers_of_errors(text: str, cme: int | None, cms: int | None) -> None:
    assert (FinalResult(text).cme, FinalResult(text).cms) == (cme, cms)


def test_a_refusal_before_the_prompt_proves_that_nothing_was_submitted() -> None:
    [response] = begun(CMGS).receive(b"\r\n+CMS ERROR: 310\r\n")
    assert isinstance(response, Response)
    assert not response.submitted


def test_a_prompt_taken_back_at_once_leaves_the_payload_unwritten() -> None:
    dialogue = begun(CMGS)
    [response] = dialogue.receive(b"\r\n> \r\n+CMS ERROR: 512\r\n")
    assert isinstance(response, Response)
    assert not response.submitted
    assert dialogue.data_to_send() == b""


def test_an_ok_instead_of_the_prompt_is_no_success() -> None:
    dialogue = begun(CMGS)
    assert dialogue.receive(b"\r\nOK\r\n") == []
    assert dialogue.state is State.PROMPT


# What comes unasked ------------------------------------------------------------------------------


def test_what_comes_between_question_and_answer_is_told_apart() -> None:
    dialogue = begun(CMGL)
    events = dialogue.receive(
        b'AT+CMGL=4\r\r\n^RSSI: 17\r\n\r\n+CMGL: 1,1,,23\r\n+CMTI: "SM",4\r\n00AA\r\n'
        b"+CMT: ,23\r\n00BB\r\n+CMGL: 2,1,,23\r\n00CC\r\n\r\nOK\r\n"
    )
    assert events == [
        Urc("^RSSI: 17"),
        Urc('+CMTI: "SM",4'),
        Urc("+CMT: ,23", ("00BB",)),
        answered(CMGL, "+CMGL: 1,1,,23", "00AA", "+CMGL: 2,1,,23", "00CC"),
    ]


def test_a_declared_answer_is_taken_once() -> None:
    creg = command("AT+CREG?", "+CREG:")
    events = begun(creg).receive(b"\r\n+CREG: 1,1\r\n\r\n+CREG: 2\r\n\r\nOK\r\n")
    assert events == [Urc("+CREG: 2"), answered(creg, "+CREG: 1,1")]


def test_a_reference_that_comes_before_the_prompt_is_not_this_ones() -> None:
    dialogue = begun(CMGS)
    assert dialogue.receive(b"\r\n+CMGS: 6\r\n\r\n> ") == [Urc("+CMGS: 6")]
    assert dialogue.data_to_send() == PDU + b"\x1a"
    events = dialogue.receive(b"\r\n+CMGS: 7\r\n\r\nOK\r\n")
    assert events == [answered(CMGS, "+CMGS: 7")]


def test_chatter_between_a_handed_over_message_and_its_pdu() -> None:
    events = Dialogue().receive(b"\r\n+CDS: 25\r\n^BOOT:1,0\r\n00AA\r\n")
    assert events == [Urc("^BOOT:1,0"), Urc("+CDS: 25", ("00AA",))]


def test_a_serial_number_is_not_taken_for_a_pdu_that_failed_to_come() -> None:
    cgsn = command("AT+CGSN")
    dialogue = begun(cgsn)
    events = dialogue.receive(b"\r\n+CDS: 25\r\n\r\n861234567890123\r\n\r\nOK\r\n")
    assert events == [answered(cgsn, "861234567890123")]


def test_whatever_comes_while_nothing_was_asked_is_unsolicited() -> None:
    events = Dialogue().receive(b"\r\nOK\r\n\r\nhello\r\n\r\n+CSQ: 1,2\r\n\r\n+CMGS: 7\r\n")
    assert events == [Urc("OK"), Urc("hello"), Urc("+CSQ: 1,2"), Urc("+CMGS: 7")]


# Giving up ---------------------------------------------------------------------------------------


def test_a_late_answer_is_told_as_what_it_is() -> None:
    dialogue = abandoned(submitted())
    assert dialogue.was_submitted
    [late] = dialogue.receive(b"\r\n+CMGS: 7\r\n\r\nOK\r\n")
    assert late == Late(CMGS, ("+CMGS: 7",), FinalResult("OK"))
    assert late.answered
    assert dialogue.receive(PROBED) == []
    assert dialogue.state is State.IDLE


def test_a_late_refusal_is_told() -> None:
    [late] = abandoned(submitted()).receive(b"\r\n+CMS ERROR: 38\r\n")
    assert late == Late(CMGS, (), FinalResult("+CMS ERROR: 38"))
    assert not late.answered


def test_an_answer_without_its_result_is_told_once_the_probe_is_answered() -> None:
    dialogue = submitted()
    dialogue.receive(b"\r\n+CMGS: 7\r\n")
    assert dialogue.answered_in_part
    abandoned(dialogue)
    assert dialogue.receive(b"AT+CMEE?\r" + PROBED) == [Late(CMGS, ("+CMGS: 7",), None)]
    assert dialogue.state is State.IDLE
    assert not dialogue.answered_in_part


def test_chatter_is_no_answer() -> None:
    dialogue = submitted()
    dialogue.receive(b"\r\nSTRANGE\r\n")
    assert not dialogue.answered_in_part
    [late] = abandoned(dialogue).receive(PROBED)
    assert isinstance(late, Late)
    assert not late.answered


def test_the_answer_to_leaving_a_prompt_is_not_the_probes() -> None:
    dialogue = abandoned(begun(CMGS))
    assert not dialogue.was_submitted
    [late] = dialogue.receive(b"\r\nOK\r\n")
    assert isinstance(late, Late)
    assert not late.answered
    assert dialogue.receive(PROBED) == []
    assert dialogue.state is State.IDLE


def test_what_a_predecessor_left_is_nobodys() -> None:
    dialogue = abandoned(Dialogue())
    assert dialogue.receive(b"\r\n> \r\n+CMGS: 7\r\n\r\nOK\r\n\r\nERROR\r\n" + PROBED) == [
        Urc("+CMGS: 7")
    ]
    assert dialogue.state is State.IDLE


def test_unsolicited_lines_are_told_while_the_line_is_out_of_order() -> None:
    dialogue = abandoned(begun(CSQ))
    assert dialogue.receive(b'\r\n+CMTI: "SM",1\r\n') == [Urc('+CMTI: "SM",1')]


@pytest.mark.parametrize("probes", [2, 3, 4])
def test_every_probe_is_answered_before_the_next_command(probes: int) -> None:
    dialogue = begun(CSQ)
    for _ in range(probes):
        abandoned(dialogue)
    for _ in range(probes - 1):
        assert dialogue.receive(PROBED) == []
        assert dialogue.settling
        with pytest.raises(LocalError):
            dialogue.send(CSQ)
    assert dialogue.receive(PROBED) == []
    assert dialogue.state is State.IDLE
    assert not dialogue.settling


def test_a_modem_left_without_final_results_is_got_back() -> None:
    dialogue = abandoned(abandoned(Dialogue()))  # ATQ1: the first probe had no answer at all
    assert dialogue.receive(PROBED) == []
    dialogue.settle()
    assert dialogue.state is State.IDLE


def test_a_modem_left_with_digits_for_results_is_got_back() -> None:
    dialogue = abandoned(Dialogue())  # ATV0: a digit is no final result
    assert dialogue.receive(b"+CMEE: 1\r\n0\r") == []
    assert not dialogue.settling
    abandoned(dialogue)
    dialogue.receive(PROBED)
    dialogue.settle()
    assert dialogue.state is State.IDLE


def test_probes_that_were_lost_are_answered_by_silence() -> None:
    dialogue = abandoned(abandoned(begun(CSQ)))
    dialogue.receive(PROBED)
    assert dialogue.settling
    dialogue.receive(b"\r\nOK\r\n")
    assert dialogue.settling
    dialogue.settle()
    assert dialogue.state is State.IDLE
    dialogue.send(CMGS)
    abandoned_again = dialogue
    dialogue.data_to_send()
    abandoned(abandoned_again)
    assert dialogue.probes == 1
    assert not dialogue.settling


def test_misuse_is_ours() -> None:
    dialogue = begun(CSQ)
    with pytest.raises(LocalError, match="send while COMMAND"):
        dialogue.send(CSQ)
    with pytest.raises(LocalError, match="resynced while COMMAND"):
        dialogue.settle()


def test_every_state_can_be_left_and_reached() -> None:
    assert {state for state, _ in TRANSITIONS} == set(TRANSITIONS.values()) == set(State)


# Any slices, any octets --------------------------------------------------------------------------

URCS = [b"^RSSI: 17", b'+CMTI: "SM",1', b"+CMT: ,23\r\n00AA", b"RING", b"+CREG: 2", b"+ZUSIMR:2"]
# A string with line ends in it (+CUSD) --------------------------------------------------------

MENU = b'\r\n+CUSD: 1,"1 Solde\r\n\r\n*2# Options\n3 Say "Hi"\r\nOK",15\r\n'
MENU_READ = '+CUSD: 1,"1 Solde\n*2# Options\n3 Say "Hi"\nOK",15'


def test_a_menu_of_several_lines_is_one_event() -> None:
    assert Dialogue().receive(MENU) == [Urc(MENU_READ)]


def test_a_menu_without_its_coding_ends_with_the_last_quote() -> None:
    dialogue = Dialogue()
    assert dialogue.receive(b'+CUSD: 1,"1 Solde\r\n2 "Max"\r\n') == []
    assert dialogue.receive(b'3 Fin"\r\n') == [Urc('+CUSD: 1,"1 Solde\n2 "Max"\n3 Fin"')]


def test_a_menu_may_come_before_the_ok_and_between_the_lines_of_an_answer() -> None:
    dialogue = begun(CMGL)
    menu = b'\r\n+CUSD: 1,"a\r\nb",15\r\n'
    events = dialogue.receive(b"+CMGL: 1,1,,23\r\n" + menu + b"00AA\r\nOK\r\n")
    assert events == [Urc('+CUSD: 1,"a\nb",15'), answered(CMGL, "+CMGL: 1,1,,23", "00AA")]


@pytest.mark.parametrize("line", ['+CMTI: "SM",1', "RING", "+CREG: 1"])
def test_a_quote_that_never_closes_ends_with_what_is_surely_the_modems(line: str) -> None:
    dialogue = Dialogue()
    assert dialogue.receive(b'+CUSD: 0,"a 12" screen\r\nb\r\n') == []
    assert dialogue.receive(line.encode() + b"\r\n") == [
        Urc('+CUSD: 0,"a 12" screen\nb'),
        Urc(line),
    ]


def test_a_quote_that_never_closes_takes_no_answer() -> None:
    dialogue = begun(CSQ)
    events = dialogue.receive(b'+CUSD: 0,"a\r\n+CSQ: 20,99\r\nOK\r\n')
    assert events == [Urc('+CUSD: 0,"a'), answered(CSQ, "+CSQ: 20,99")]
    dialogue = begun(CSQ)
    assert dialogue.receive(b'+CUSD: 0,"a\r\nERROR\r\n') == [
        Urc('+CUSD: 0,"a'),
        answered(CSQ, result="ERROR"),
    ]


def test_a_quote_that_never_closes_takes_no_probe() -> None:
    dialogue = abandoned(begun(CSQ))
    assert dialogue.receive(b'+CUSD: 0,"a\r\n' + PROBED) == [Urc('+CUSD: 0,"a')]
    assert dialogue.state is State.IDLE


def test_a_quote_that_never_closes_is_bounded() -> None:
    dialogue = Dialogue()
    lines = [f"line {number}" for number in range(MOST_LINES)]
    events = dialogue.receive(('+CUSD: 0,"\r\n' + "\r\n".join(lines) + "\r\n").encode())
    assert events[0] == Urc('+CUSD: 0,"\n' + "\n".join(lines[: MOST_LINES - 1]))
    assert events[1:] == [Urc(lines[-1])]


def test_no_prompt_is_seen_inside_a_text() -> None:
    dialogue = begun(CMGS)
    dialogue.receive(b'\r\n+CUSD: 1,"menu\r\n> more\r\n')
    assert dialogue.data_to_send() == b""
    dialogue.receive(b'end",15\r\n\r\n> ')
    assert dialogue.data_to_send() == PDU + b"\x1a"


def test_a_message_whose_pdu_is_awaited_does_not_end_in_a_text() -> None:
    dialogue = Dialogue()
    events = dialogue.receive(b'+CMT: ,25\r\n+CUSD: 0,"open\r\n00AA\r\n')
    assert events == [Urc('+CUSD: 0,"open'), Urc("+CMT: ,25", ("00AA",))]


def test_prefixes_that_repeat_all_belong_to_their_command() -> None:
    console = Command("AT^SCFG?", tuple, answers=("^SCFG:",), repeats=True)
    dialogue = begun(console)
    lines = ["^SCFG: 1", "^SCFG: 2"]
    events = dialogue.receive("\r\n".join(["", *lines, "^RSSI: 1", "OK", ""]).encode())
    assert events == [Urc("^RSSI: 1"), answered(console, *lines)]


# Any slices ------------------------------------------------------------------------------------

LISTING = [b"+CMGL: 1,1,,23", b"00AA", b"+CMGL: 2,0,,5", b"0BADC0DE"]


@st.composite
def streams(draw: st.DrawFn, lines: Sequence[bytes], echo: bytes) -> bytes:
    """An answer in one modem's dress, with chatter wherever there is a line end."""
    end = draw(st.sampled_from([b"\r\n", b"\n", b"\r\r\n", b"\r\n\r\n"]))
    noise = st.lists(st.sampled_from(URCS), max_size=2)
    stream = draw(st.sampled_from([b"", echo + b"\r"])) + end
    for line in [*lines, b"OK"]:
        for chatter in draw(noise):
            stream += chatter.replace(b"\r\n", end) + end
        stream += line + end
    return stream


def slices(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    bounds = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[a:b] for a, b in pairwise(bounds)]


def events_of(dialogue: Dialogue, chunks: Iterable[bytes]) -> list[Event]:
    events: list[Event] = []
    for chunk in chunks:
        events += dialogue.receive(chunk)
        dialogue.data_to_send()
    return events


CUTS = st.lists(st.integers(0, 5000), max_size=40)


@given(streams(LISTING, b"AT+CMGL=4"), CUTS)
def test_any_slices_of_a_listing_give_the_same_events(stream: bytes, cuts: list[int]) -> None:
    whole = events_of(begun(CMGL), [stream])
    assert events_of(begun(CMGL), slices(stream, cuts)) == whole
    assert whole[-1] == answered(CMGL, *(line.decode() for line in LISTING))


QUOTED = st.sampled_from(
    [MENU, b'+CUSD: 0,"a\r\n', b'"', b'",15\r\n', b"b\n", b'\r\n+CUSD: 2\r\n', b"OK\r\n",
     b"RING\r\n",
     b"+CSQ: 20,99\r\n", b"+CMT: ,2\r\n", b"00AA\r\n", b"> "]
)  # fmt: skip


@given(st.lists(QUOTED, max_size=12).map(b"".join), CUTS, st.sampled_from([None, CSQ, CMGL]))
def test_any_slices_of_texts_between_quotes_give_the_same_events(
    stream: bytes, cuts: list[int], what: Command[Any] | None
) -> None:
    def run(cut: Iterable[int]) -> list[Event]:
        return events_of(begun(what) if what else Dialogue(), slices(stream, cut))

    assert run(cuts) == run([])


@given(
    st.sampled_from([b"\r\n> ", b"\r\n>", b"AT+CMGS=19\r\r\n> ", b"^RSSI: 1\n>"]),
    streams([b"+CMGS: 7"], PDU + b"\x1a"),
    CUTS,
)
def test_any_slices_of_a_submission_give_the_same_events(
    prompt: bytes, answer: bytes, cuts: list[int]
) -> None:
    def run(cut: Iterable[int]) -> list[Event]:
        dialogue = begun(CMGS)
        return events_of(dialogue, slices(prompt, cut)) + events_of(dialogue, slices(answer, cut))

    assert run(cuts) == run([])
    assert run([])[-1] == answered(CMGS, "+CMGS: 7")


@given(CUTS, st.integers(0, 3 * LINE_LIMIT))
def test_any_slices_of_an_endless_line_give_the_same_events(cuts: list[int], length: int) -> None:
    stream = b"+X: " + b"7" * length + b"\r\nRING\r\n"
    assert events_of(Dialogue(), slices(stream, cuts)) == Dialogue().receive(stream)


PIECES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b"\r\n> ", b"\r\nOK\r\n", b"\r\nERROR\r\n", PROBED, b"+CMGS: 7\r\n", b"\n",
                     b"+CMT: 1\r\n", PDU + b"\r\n", b"+CMEE: 1\r\n", b"AT", b"\x1b", b"\x1a"]),
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.sampled_from([CSQ, CMGL, CMGS, None])), max_size=40))
def test_any_octets_at_any_time_give_events_and_never_an_exception(
    steps: list[bytes | Command[Any] | None],
) -> None:
    dialogue = Dialogue()
    running: Command[Any] | None = None
    for step in steps:
        match step:
            case bytes():
                for event in dialogue.receive(step):
                    if isinstance(event, Response):
                        assert event.command is running
                        assert not event.submitted or event.command.payload is not None
                        running = None
                    elif isinstance(event, Late):
                        assert event.command is running
            case None:
                dialogue.abandon()
            case Command() if dialogue.state is State.IDLE:
                running = step
                dialogue.send(step)
            case _ if dialogue.settling:
                dialogue.settle()
        if step is not None:
            dialogue.data_to_send()


@given(st.lists(st.binary(min_size=1, max_size=300).map(lambda b: b.translate(None, b"\r\n"))))
def test_a_line_without_end_takes_a_bounded_room(chunks: list[bytes]) -> None:
    dialogue = begun(CSQ)
    for chunk in chunks * 20:
        assert dialogue.receive(chunk) == []
    for event in dialogue.receive(b"\r\nOK\r\n"):
        match event:
            case Response(lines=lines):
                assert sum(map(len, lines)) <= LINE_LIMIT
            case Urc(line=line):
                assert len(line) <= LINE_LIMIT


def test_the_probe_is_a_question_that_every_modem_answers() -> None:
    assert PROBE == b"AT+CMEE?\r"


def test_what_was_given_up_tells_whether_it_had_been_submitted() -> None:
    assert abandoned(submitted()).submitted
    assert not abandoned(begun(CMGS)).submitted
