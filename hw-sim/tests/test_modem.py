"""The AT engine on the desk: framing, prompts, PINs, memories, routing, faults."""

import pytest
from hwsim import commands, tpdu
from hwsim.desk import Desk, submit
from hwsim.faults import Fault
from hwsim.incoming import Incoming, cut
from hwsim.personality import load, names
from hypothesis import given
from hypothesis import strategies as st

OUTSIDE = "+33699999999"
COMMANDS = commands.TABLE.keys()


def quiet_desk(personality: str = "generic", modems: int = 1, *, warm: bool = False) -> Desk:
    desk = Desk(personality, modems, warm=warm)
    for modem in range(modems):
        desk.say("ATE0\r", modem)
    return desk


def incoming(desk: Desk, text: str = "hi", modem: int = 0, message_class: int | None = None) -> int:
    message = Incoming(OUTSIDE, text, message_class=message_class)
    parts = cut(message, desk.clock.now(), 7)
    for part in parts:
        desk.network.deliver(desk.modems[modem], part)
    return len(parts)


def arm(desk: Desk, kind: str, value: float | None = None, count: int = 1, after: int = 0) -> None:
    desk.modems[0].arm(Fault(kind, value, count, after))


# ------------------------------------------------------------------------------- V.250


def test_echo_is_on_until_it_is_switched_off() -> None:
    desk = Desk()
    assert desk.say("AT\r") == "AT\r\r\nOK\r\n"
    assert desk.say("ATE0\r") == "ATE0\r\r\nOK\r\n"
    assert desk.say("AT\r") == "\r\nOK\r\n"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("at", "\r\nOK\r\n"),
        ("at+cmgf=0;+csms?", "\r\n+CSMS: 0,1,1,1\r\n\r\nOK\r\n"),
        ("AT +CMGF = 0 ; E0", "\r\nOK\r\n"),
        ("ATE0+CMGF?;", "\r\n+CMGF: 0\r\n\r\nOK\r\n"),
        ("\x1bAT", "\r\nOK\r\n"),
        ("xyzAT", "\r\nOK\r\n"),
        ("AX\bT", "\r\nOK\r\n"),
        ("xyz", ""),
        ("", ""),
        ("AT+NOSUCH", "\r\nERROR\r\n"),
        ("AT+CSQ;+NOSUCH;+CMGF?", "\r\n+CSQ: 17,99\r\n\r\nERROR\r\n"),
        ("AT+CMGS", "\r\n+CMS ERROR: 304\r\n"),
        ("ATS3?", "\r\n013\r\n\r\nOK\r\n"),
        ("ATD0123;", "\r\nNO CARRIER\r\n"),
        ("ATV0", "0\r"),
        ("ATQ1", ""),
        ("AT^CURC=0", "\r\nERROR\r\n"),
    ],
)
def test_command_lines_of_all_kinds(line: str, answer: str) -> None:
    assert quiet_desk().say(line + "\r") == answer


def test_a_line_in_any_pieces_gives_the_same() -> None:
    whole, pieces = quiet_desk(), quiet_desk()
    expected = whole.say("AT+CMGF?;+CNMI?\r")
    assert "".join(pieces.say(character) for character in "AT+CMGF?;+CNMI?\r") == expected


def test_the_last_line_is_repeated_by_a_slash() -> None:
    desk = quiet_desk()
    assert desk.say("AT+CMGF?\r") == desk.say("A/\r")


def test_errors_follow_cmee_and_message_errors_are_always_numbers() -> None:
    desk = quiet_desk()
    assert desk.say("AT+CSCA=abc\r") == "\r\nERROR\r\n"
    desk.say("AT+CMEE=1\r")
    assert desk.say("AT+CSCA=abc\r") == "\r\n+CME ERROR: 50\r\n"
    desk.say("AT+CMEE=2\r")
    assert desk.say("AT+CSCA=abc\r") == "\r\n+CME ERROR: Incorrect parameters\r\n"
    assert desk.say("AT+CMGR=1\r") == "\r\n+CMS ERROR: 321\r\n"


def test_commands_typed_ahead_wait_their_turn() -> None:
    desk = quiet_desk()
    desk.network.settings.latency = 1.0
    assert desk.say("AT+CMGF?\rAT+CSMS?\r") == ""
    assert desk.wait(1.0) == "\r\n+CMGF: 0\r\n\r\nOK\r\n"
    assert desk.wait(1.0) == "\r\n+CSMS: 0,1,1,1\r\n\r\nOK\r\n"


def test_a_caller_rings_until_hung_up_or_tired() -> None:
    desk = quiet_desk()
    desk.say("AT+CLIP=1;+CRC=1\r")
    desk.modems[0].ring(OUTSIDE, 5)
    assert desk.wait(4).count(f'+CRING: VOICE\r\n\r\n+CLIP: "{OUTSIDE}",145') == 2
    assert desk.say("AT+CLCC\r").startswith(f'\r\n+CLCC: 1,1,4,0,0,"{OUTSIDE}",145')
    with pytest.raises(ValueError, match="in a call"):
        desk.modems[0].ring(OUTSIDE, 5)
    assert desk.wait(10) == "\r\nNO CARRIER\r\n"
    desk.modems[0].ring(OUTSIDE, 5)
    desk.say("AT+CHUP\r")
    assert desk.wait(10) == ""


# ---------------------------------------------------------------------------- card and network


def test_before_the_pin_nothing_of_the_card_answers() -> None:
    desk = Desk(pin="1234")
    desk.say("ATE0+CMEE=1\r")
    assert desk.say("AT+CPIN?\r") == "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n"
    assert desk.say("AT+CPMS?\r") == "\r\n+CMS ERROR: 311\r\n"
    assert desk.say("AT+CIMI\r") == "\r\n+CME ERROR: 11\r\n"
    assert "+CREG: 0,0" in desk.say("AT+CREG?;+CREG=1\r")
    assert desk.say('AT+CPIN="1234"\r') == "\r\nOK\r\n\r\n+CREG: 1\r\n"
    assert "+CPMS: " in desk.say("AT+CPMS?\r")
    assert desk.say('AT+CPIN="1234"\r') == "\r\n+CME ERROR: 3\r\n"


def test_three_wrong_pins_ask_for_the_puk_and_ten_wrong_puks_end_it() -> None:
    desk = Desk(pin="1234")
    desk.say("ATE0+CMEE=1\r")
    codes = [desk.say('AT+CPIN="0000"\r').split()[-1] for _ in range(3)]
    assert codes == ["16", "16", "12"]
    assert "SIM PIN,0,3" in desk.say("AT+CPINR\r")
    assert "SIM PUK" in desk.say("AT+CPIN?\r")
    for _ in range(10):
        desk.say('AT+CPIN="00000000","1111"\r')
    assert desk.say("AT+CPIN?\r") == "\r\n+CME ERROR: 13\r\n"
    assert desk.modems[0].pin_entered == 13


def test_the_puk_sets_a_new_pin() -> None:
    desk = Desk(pin="1234")
    for _ in range(3):
        desk.say("AT+CPIN=9999\r")
    desk.say('AT+CPIN="12345678","4321"\r')
    assert desk.modems[0].registration == 1
    assert desk.modems[0].sim.pin == "4321"


def test_the_card_number_is_read_as_its_file_holds_it() -> None:
    desk = quiet_desk()
    iccid = desk.modems[0].sim.iccid
    answer = desk.say("AT+CRSM=176,12258,0,0,10\r")
    digits = answer.split('"')[1]
    assert "".join(digits[i + 1] + digits[i] for i in range(0, 20, 2)) == iccid


def test_registration_is_told_when_it_changes() -> None:
    desk = quiet_desk()
    desk.say("AT+CREG=2\r")
    desk.network.register(2)
    assert desk.hear() == "\r\n+CREG: 2\r\n"
    assert "+CMS ERROR: 331" in desk.say("AT+CMGS=18\r")
    desk.network.register(5)
    assert desk.hear() == '\r\n+CREG: 5,"00C3","000A1B2C"\r\n'


def test_the_radio_can_be_switched_off_and_the_modem_restarted() -> None:
    desk = quiet_desk()
    vanished: list[float | None] = []
    desk.modems[0].vanish = vanished.append
    desk.say("AT+CFUN=4\r")
    assert "+CMS ERROR: 331" in desk.say("AT+CMGS=18\r")
    desk.say("AT+CFUN=1,1\r")
    desk.wait(0)
    assert vanished == [1.0]


# ------------------------------------------------------------------------------------- sending


def test_the_prompt_is_four_characters_and_the_reference_counts() -> None:
    desk = quiet_desk()
    octets = submit(OUTSIDE)
    assert desk.say(f"AT+CMGS={len(octets)}\r") == "\r\n> "
    first = desk.say(f"00{octets.hex()}\x1a")
    reference = desk.modems[0].sim.reference
    assert first == f"\r\n+CMGS: {reference}\r\n\r\nOK\r\n"
    assert desk.send(OUTSIDE) == f"\r\n+CMGS: {(reference + 1) % 256}\r\n\r\nOK\r\n"
    assert [sent.octets[1] for sent in desk.network.sent] == [reference, reference + 1]


def test_the_reference_wraps_after_255() -> None:
    desk = quiet_desk()
    desk.modems[0].sim.reference = 255
    assert "+CMGS: 0\r" in desk.send(OUTSIDE)


def test_escape_leaves_the_prompt() -> None:
    desk = quiet_desk()
    desk.say("AT+CMGS=18\r")
    assert desk.say("0011\x1b") == "\r\nOK\r\n"
    assert desk.say("AT\r") == "\r\nOK\r\n"
    assert desk.network.sent == []


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "00",
        "0",
        "00{pdu}00",
        "00 {pdu}",
        "00{pdu}\r\n",
        "00{pdu}zz",
        "01{pdu}",
        "{pdu}",
        "00FF{pdu}",
        "0C{pdu}",
    ],
)
def test_anything_but_the_announced_pdu_is_refused(entry: str) -> None:
    desk = quiet_desk()
    pdu = submit(OUTSIDE).hex()
    desk.say(f"AT+CMGS={len(pdu) // 2}\r")
    assert desk.say(entry.format(pdu=pdu) + "\x1a") == "\r\n+CMS ERROR: 304\r\n"
    assert desk.network.sent == []


def test_text_mode_and_pdu_mode_do_not_mix() -> None:
    desk = quiet_desk()
    assert desk.say('AT+CMGS="+336"\r') == "\r\n+CMS ERROR: 304\r\n"
    assert desk.say('AT+CMGL="ALL"\r') == "\r\n+CMS ERROR: 302\r\n"
    desk.say("AT+CMGF=1\r")
    assert desk.say("AT+CMGS=18\r") == "\r\n+CMS ERROR: 303\r\n"


def test_a_message_for_another_modem_arrives_there() -> None:
    desk = quiet_desk(modems=2)
    desk.say("AT+CNMI=2,1,0,2,0\r", 1)
    desk.say("AT+CNMI=2,1,0,2,0\r")
    desk.send(desk.modems[1].number, "grüße ✓", report=True)
    assert desk.wait(0.03, 1) == '\r\n+CMTI: "SM",1\r\n'
    assert desk.hear(0) == ""
    assert desk.wait(0.05) == '\r\n+CDSI: "SR",1\r\n'
    pdu = desk.say("AT+CMGR=1\r", 1).split("\r\n")[2]
    octets = bytes.fromhex(pdu)[8:]
    fields = tpdu.decode(octets, "from-sc")
    assert (fields["originator"]["number"], fields["text"]) == (desk.modems[0].number, "grüße ✓")
    assert fields["sent_at"].endswith("+01:00")


def test_a_report_names_the_reference_and_the_recipient() -> None:
    desk = quiet_desk()
    desk.say("AT+CNMI=2,1,0,1,0\r")
    desk.network.settings.report_status = 70
    desk.send(OUTSIDE, report=True)
    head, pdu = desk.wait(0.1).split("\r\n")[1:3]
    octets = bytes.fromhex(pdu)[8:]
    fields = tpdu.decode(octets, "from-sc")
    assert head == f"+CDS: {len(octets)}"
    assert fields["reference"] == desk.modems[0].sim.reference
    assert fields["recipient"]["number"] == OUTSIDE
    assert (fields["status"], fields["outcome"]) == (70, "failed")


def test_stored_messages_can_be_written_and_sent() -> None:
    desk = quiet_desk()
    octets = submit(OUTSIDE)
    desk.say(f"AT+CMGW={len(octets)}\r")
    assert desk.say(f"00{octets.hex()}\x1a") == "\r\n+CMGW: 1\r\n\r\nOK\r\n"
    assert "+CMSS: " in desk.say("AT+CMSS=1\r")
    assert len(desk.network.sent) == 1
    assert "+CMGL: 1,3,,18" in desk.say("AT+CMGL=4\r")


# -------------------------------------------------------------------------------------- receiving


def test_reading_marks_a_message_as_read_and_deleting_frees_its_slot() -> None:
    desk = quiet_desk()
    incoming(desk)
    desk.wait(0.1)
    assert "+CMGL: 1,0,," in desk.say("AT+CMGL=0\r")
    assert desk.say("AT+CMGL=0\r") == "\r\nOK\r\n"
    assert "+CMGR: 1,," in desk.say("AT+CMGR=1\r")
    assert desk.say("AT+CMGD=1\r") == "\r\nOK\r\n"
    assert desk.say("AT+CMGR=1\r") == "\r\n+CMS ERROR: 321\r\n"
    assert desk.say("AT+CMGD=99\r") == "\r\n+CMS ERROR: 321\r\n"


@pytest.mark.parametrize(("flag", "left"), [(1, [0, 2, 3]), (2, [0, 2]), (3, [0]), (4, [])])
def test_deleting_by_flag(flag: int, left: list[int]) -> None:
    desk = quiet_desk()
    octets = submit(OUTSIDE)
    for status in (0, 1, 2, 3):
        desk.say(f"AT+CMGW={len(octets)},{status}\r")
        desk.say(f"00{octets.hex()}\x1a")
    desk.say(f"AT+CMGD=1,{flag}\r")
    records = desk.modems[0].messages.read_memory.records.values()
    assert sorted(record.status for record in records) == left


def test_a_full_memory_keeps_messages_in_the_network_and_loses_none() -> None:
    desk = quiet_desk()
    for number in range(23):
        incoming(desk, f"message {number}")
    desk.wait(1)
    texts = []
    for _ in range(3):
        for line in desk.say("AT+CMGL=4\r").split("\r\n"):
            if line.startswith("07"):
                texts.append(tpdu.decode(bytes.fromhex(line)[8:], "from-sc")["text"])
        desk.say("AT+CMGD=1,4\r")
        desk.wait(0.3)
    assert texts == [f"message {number}" for number in range(23)]


def test_reports_fill_their_own_memory() -> None:
    desk = quiet_desk()
    desk.say("AT+CNMI=2,1,0,2,0\r")
    for _ in range(12):
        desk.send(OUTSIDE, report=True)
    desk.wait(1)
    assert '+CPMS: "SR",10,10' in desk.say('AT+CPMS="SR";+CPMS?\r')
    desk.say("AT+CMGD=1,4\r")
    assert desk.wait(0.3).count("+CDSI:") == 2


def test_without_indications_messages_are_stored_in_silence() -> None:
    desk = quiet_desk()
    incoming(desk)
    assert desk.wait(1) == ""
    assert '"SM",1,20' in desk.say("AT+CPMS?\r")


def test_routing_by_class() -> None:
    desk = quiet_desk()
    desk.say("AT+CNMI=2,2\r")
    for message_class in (None, 0, 1, 2, 3):
        incoming(desk, message_class=message_class)
    heard = desk.wait(1)
    assert (heard.count("+CMT: ,"), heard.count("+CMTI: ")) == (4, 1)
    desk.say("AT+CNMI=2,3\r")
    for message_class in (None, 3):
        incoming(desk, message_class=message_class)
    heard = desk.wait(1)
    assert (heard.count("+CMT: ,"), heard.count("+CMTI: ")) == (1, 1)


def test_indications_wait_while_mode_0_holds_them() -> None:
    desk = quiet_desk()
    desk.say("AT+CNMI=0,1\r")
    incoming(desk)
    assert desk.wait(1) == ""
    assert desk.say("AT+CNMI=2,1\r") == '\r\nOK\r\n\r\n+CMTI: "SM",1\r\n'


@pytest.mark.parametrize("wanted", ["3,1", "2,4", "2,1,1", "2,1,0,3", "2,1,0,0,2", "2,1,0,0,0,0"])
def test_what_is_not_offered_is_refused(wanted: str) -> None:
    desk = quiet_desk()
    assert "+CMS ERROR: 30" in desk.say(f"AT+CNMI={wanted}\r")
    assert "+CNMI: 0,0,0,0,0" in desk.say("AT+CNMI?\r")


def test_type_0_vanishes_and_replace_types_replace() -> None:
    desk = quiet_desk()
    fields = {"type": "deliver", "originator": tpdu.address_of(OUTSIDE), "text": "x"}
    for pid in (0x40, 0x41, 0x41, 0x42):
        desk.network.deliver(desk.modems[0], tpdu.encode(fields | {"pid": pid}))
    desk.wait(1)
    assert sorted(desk.modems[0].messages.read_memory.records) == [1, 2]


def test_unsolicited_codes_never_split_a_response() -> None:
    desk = quiet_desk()
    desk.say("AT+CNMI=2,1\r")
    desk.network.settings.latency = 1.0
    incoming(desk)
    desk.say("AT+CPMS?\r")
    assert desk.wait(0.5) == ""
    assert desk.wait(1).endswith('OK\r\n\r\n+CMTI: "SM",1\r\n')
    octets = submit(OUTSIDE)
    desk.say(f"AT+CMGS={len(octets)}\r")
    desk.wait(1)
    incoming(desk)
    assert desk.wait(1) == ""
    desk.say(f"00{octets.hex()}\x1a")
    assert desk.wait(1).endswith('OK\r\n\r\n+CMTI: "SM",2\r\n')


# ------------------------------------------------------------------------- acknowledgements


def test_with_service_1_the_next_message_waits_for_the_acknowledgement() -> None:
    desk = quiet_desk("noack")
    assert "+CMS ERROR: 303" in desk.say("AT+CNMI=2,2,0,1,0\r")
    desk.say("AT+CSMS=1;+CNMI=2,2,0,1,0\r")
    assert "+CMS ERROR: 340" in desk.say("AT+CNMA\r")
    incoming(desk, "x" * 200)
    assert desk.wait(0.5).count("+CMT: ,") == 1
    assert desk.say("AT+CNMA=0\r") == "\r\nOK\r\n"
    assert desk.wait(0.5).count("+CMT: ,") == 1
    desk.say("AT+CNMA=1,2\r")
    assert desk.say("0000\x1a") == "\r\nOK\r\n"
    assert desk.wait(5) == ""


def test_leaving_service_1_ends_routing() -> None:
    desk = quiet_desk("noack")
    desk.say("AT+CSMS=1;+CNMI=2,2,0,1,0;+CSMS=0\r")
    assert "+CNMI: 2,0,0,0,0" in desk.say("AT+CNMI?\r")


def test_without_acknowledgement_the_modem_goes_deaf_and_keeps_the_message() -> None:
    desk = quiet_desk("noack")
    desk.say("AT+CSMS=1;+CNMI=2,2,0,1,0\r")
    incoming(desk, "x" * 200)
    desk.wait(3)
    assert "+CNMI: 2,0,0,0,0" in desk.say("AT+CNMI?\r")
    assert desk.say("AT+CMGL=4\r").count("+CMGL: ") == 2


def test_a_negative_acknowledgement_brings_the_message_again() -> None:
    desk = quiet_desk("noack")
    desk.say("AT+CSMS=1;+CNMI=2,2,0,1,0\r")
    incoming(desk)
    first = desk.wait(0.1)
    desk.say("AT+CNMA=2\r")
    assert desk.wait(0.5) == first


# ------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    ("kind", "value", "answer", "accepted"),
    [
        ("cms", 38, "\r\n+CMS ERROR: 38\r\n", 0),
        ("error", None, "\r\nERROR\r\n", 1),
        ("silence", None, "", 1),
        ("swallow", None, "", 0),
        ("no-reference", None, "\r\nOK\r\n", 1),
    ],
)
def test_faults_after_the_pdu(kind: str, value: float | None, answer: str, accepted: int) -> None:
    desk = quiet_desk()
    arm(desk, kind, value)
    assert desk.send(OUTSIDE) == answer
    assert desk.wait(1000) == ""
    assert len(desk.network.sent) == accepted
    assert desk.say("AT\r") == "\r\nOK\r\n"
    assert "+CMGS: " in desk.send(OUTSIDE)


def test_a_refusal_instead_of_the_prompt() -> None:
    desk = quiet_desk()
    arm(desk, "cms-prompt", 500)
    assert desk.say("AT+CMGS=18\r") == "\r\n+CMS ERROR: 500\r\n"


def test_a_prompt_that_never_comes_is_left_by_escape_only() -> None:
    desk = quiet_desk()
    arm(desk, "no-prompt")
    octets = submit(OUTSIDE)
    assert desk.say(f"AT+CMGS={len(octets)}\r") == ""
    assert desk.say(f"00{octets.hex()}\x1aAT\r") == ""
    assert desk.say("\x1b") == "\r\nOK\r\n"
    assert desk.network.sent == []


def test_a_late_answer_keeps_the_modem_busy() -> None:
    desk = quiet_desk()
    arm(desk, "late", 30)
    assert desk.send(OUTSIDE) == ""
    assert len(desk.network.sent) == 1
    desk.say("AT+CMGF?\r")
    assert desk.wait(29) == ""
    heard = desk.wait(2)
    assert heard.startswith("\r\n+CMGS: ")
    assert heard.endswith("\r\n+CMGF: 0\r\n\r\nOK\r\n")


@pytest.mark.parametrize(("kind", "accepted"), [("unplug-before", 0), ("unplug-after", 1)])
def test_a_port_that_vanishes(kind: str, accepted: int) -> None:
    desk = quiet_desk()
    vanished: list[float | None] = []
    desk.modems[0].vanish = vanished.append
    arm(desk, kind, 5)
    assert desk.send(OUTSIDE) == ""
    assert vanished == [5]
    assert len(desk.network.sent) == accepted


@pytest.mark.parametrize("ds", [1, 2])
def test_a_report_before_the_answer(ds: int) -> None:
    desk = quiet_desk()
    desk.say(f"AT+CNMI=2,1,0,{ds},0\r")
    arm(desk, "report-first")
    heard = desk.send(OUTSIDE, report=True)
    assert heard.index("+CDS") < heard.index("+CMGS: ")
    assert desk.wait(1) == ""


def test_a_dead_modem_says_nothing_until_it_is_revived() -> None:
    desk = quiet_desk()
    arm(desk, "dead")
    assert desk.say("AT\r") == ""
    incoming(desk)
    desk.wait(10)
    desk.modems[0].revive()
    assert desk.say("AT\r") == "\r\nOK\r\n"
    desk.wait(1)
    assert '"SM",1,20' in desk.say("AT+CPMS?\r")


def test_death_can_wait_for_a_message() -> None:
    desk = quiet_desk()
    arm(desk, "dead", after=1)
    assert "+CMGS: " in desk.send(OUTSIDE)
    assert desk.send(OUTSIDE) == ""
    assert desk.say("AT\r") == ""
    assert len(desk.network.sent) == 1


def test_faults_queue_up_and_count() -> None:
    desk = quiet_desk()
    arm(desk, "cms", 1, count=2, after=1)
    arm(desk, "cms", 2)
    answers = [desk.send(OUTSIDE).split()[-1] for _ in range(5)]
    assert answers == ["OK", "1", "1", "2", "OK"]


def test_wrong_faults_are_refused() -> None:
    for kind, value in (("nonsense", None), ("cms", None), ("error", 3.0)):
        with pytest.raises(ValueError, match=kind):
            Fault(kind, value)


def test_a_reboot_forgets_settings_and_keeps_memories_and_the_reference() -> None:
    desk = quiet_desk()
    desk.say("AT+CNMI=2,1,0,2,0\r")
    incoming(desk)
    desk.wait(1)
    reference = desk.modems[0].sim.reference
    desk.modems[0].power_off()
    assert desk.say("AT\r") == ""
    incoming(desk)
    desk.wait(1)
    desk.modems[0].power_on()
    desk.wait(1)
    assert desk.say("AT+CNMI?\r").startswith("AT+CNMI?\r\r\n+CNMI: 0,0,0,0,0")
    assert '"SM",2,20' in desk.say("AT+CPMS?\r")
    assert desk.modems[0].sim.reference == reference


# ----------------------------------------------------------------------------------- personalities


SPEAKING = [name for name in names() if load(name).ports]


@pytest.mark.parametrize("name", SPEAKING)
def test_every_personality_sends_and_receives(name: str) -> None:
    desk = quiet_desk(name, modems=2, warm=True)
    desk.send(desk.modems[1].number, "hello")
    desk.wait(1)
    assert len(desk.network.sent) == 1
    listing = desk.say("AT+CMGL=4\r", 1)
    assert listing.count("+CMGL: ") == 1
    assert desk.send(desk.modems[1].number).count("+CMGS: ") == 1
    assert desk.wait(1, 1).count("+CMTI: ") == 0


def test_an_unknown_personality_names_those_that_exist() -> None:
    with pytest.raises(ValueError, match="ec25, generic, huawei"):
        load("nonsense")


def test_nasty_takes_one_setting_only() -> None:
    desk = quiet_desk("nasty")
    desk.say("AT+CMEE=2\r")
    assert "operation not supported" in desk.say("AT+CNMI=2,1,0,2,0\r")
    assert "OK" in desk.say("AT+CNMI=2,1,0,1,0\r")


def test_nasty_never_confirms_the_pin_question() -> None:
    desk = quiet_desk("nasty")
    assert "OK" not in desk.say("AT+CPIN?\r")
    assert "OK" in desk.say("AT\r")


def test_nasty_tells_the_reference_after_ok_in_every_line_end() -> None:
    desk = quiet_desk("nasty")
    answers = [desk.send(OUTSIDE) for _ in range(60)]
    assert all(answer.index("OK") < answer.index("+CMGS: ") for answer in answers)
    ends = {answer[: answer.index("OK")][-3:] for answer in answers}
    assert {"\r\r\n", "\n"} <= {end[-3:] if end.startswith("\r\r") else end[-1:] for end in ends}


def test_nasty_forgets_the_blank_of_the_prompt_or_sends_it_late() -> None:
    desk = quiet_desk("nasty")
    prompts = set()
    for _ in range(40):
        shown = "".join(c for c in desk.say("AT+CMGS=18\r")[-4:] if c in "> ")
        later = "".join(c for c in desk.wait(0.03)[:1] if c == " ")
        prompts.add((shown, later))
        desk.say("\x1b")
    assert {("> ", ""), (">", ""), (">", " ")} <= prompts


def test_nasty_counts_from_zero_and_finds_empty_slots_fine() -> None:
    desk = quiet_desk("nasty")
    assert desk.say("AT+CMGR=0\r").strip().endswith("OK")
    incoming(desk)
    desk.wait(0.05)
    assert "+CMGL: 0,0,," in desk.say("AT+CMGL=4\r")


def test_nasty_chatters_everywhere_and_loses_what_is_typed_ahead() -> None:
    desk = quiet_desk("nasty")
    chatter = ("^RSSI", "^BOOT", "^MODE", "^HCSQ", "+ZUSIMR")
    assert any(word in desk.wait(60) for word in chatter)
    for _ in range(3):
        incoming(desk)
    desk.wait(0.1)
    listing = desk.say("AT+CMGL=4\r")
    assert listing.count("+CMGL: ") == 3
    assert any(word in listing for word in chatter)
    desk.network.settings.latency = 1.0
    desk.say("AT\rAT+CMGF?\r")
    assert "+CMGF" not in desk.wait(5)


# ------------------------------------------------------------------------------------- anything

LINES = st.one_of(
    st.binary(max_size=30),
    st.builds(
        lambda name, form, tail: f"AT{name}{form}{tail}\r".encode("latin-1", "replace"),
        st.sampled_from(sorted(COMMANDS)),
        st.sampled_from(["", "?", "=?", "="]),
        st.text('0123456789,"A;', max_size=8),
    ),
    st.just(b"00" + submit(OUTSIDE).hex().encode() + b"\x1a"),
    st.sampled_from([b"\x1b", b"\x1a", b"AT\r"]),
)


@given(st.lists(LINES, max_size=20), st.sampled_from(SPEAKING), st.booleans())
def test_no_octets_bring_the_engine_down(chunks: list[bytes], name: str, locked: bool) -> None:
    desk = Desk(name, pin="1234" if locked else None, warm=True)
    for chunk in chunks:
        desk.modems[0].feed(chunk)
        incoming(desk)
        desk.clock.advance(0.1)
    # Some have just been told to reboot.
    desk.clock.advance(60)
    desk.say("\x1b\r")
    desk.say("\x1b\rATV1Q0E0\r")
    assert "OK" in desk.say("AT\r")
