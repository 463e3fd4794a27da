"""H1 to H13: each shows its symptom, and what cures it in the field cures it here."""

import pytest
from hwsim import verbs
from hwsim.desk import Desk, submit
from hwsim.ills import KINDS, ill
from hwsim.rack import Options, Rack
from hwsim.stick import Stick

OUTSIDE = "+33699999999"


def sick(kind: str, value: float | None = None, name: str = "generic") -> Desk:
    desk = Desk(name, warm=True)
    desk.say("ATE0+CNMI=2,1;+CREG=1\r")
    desk.modems[0].fall_ill(ill(kind, value))
    return desk


def receives(desk: Desk) -> bool:
    desk.hear()
    desk.send(desk.modems[0].number)
    return "+CMTI" in desk.wait(2)


def test_h1_a_zombie_tells_only_that_it_lives() -> None:
    desk = sick("H1", 20, "huawei-e173")
    assert desk.say("AT\r\x1bAT\r").count("OK") == 0
    assert desk.wait(100).count("^BOOT:") == 5
    desk.modems[0].power_off()
    desk.modems[0].power_on()
    assert "OK" in desk.say("AT\r")
    assert "H1" not in desk.modems[0].ills.all


def test_h2_deaf_and_dumb_after_a_while() -> None:
    desk = sick("H2", 20)
    assert receives(desk)
    desk.wait(20 * 60)
    assert "+CMS ERROR: 500" in desk.send(OUTSIDE)
    assert not receives(desk)
    assert "+CREG: 1,1" in desk.say("AT+CREG?\r")
    desk.modems[0].power_off()
    desk.modems[0].power_on()
    desk.say("AT+CNMI=2,1\r")
    assert receives(desk)


def test_h4_reception_stalls_until_the_radio_was_off() -> None:
    desk = sick("H4")
    assert not receives(desk)
    assert "+CMGS: " in desk.send(OUTSIDE)
    assert "+CREG: 1,1" in desk.say("AT+CREG?\r")
    desk.say("AT+CFUN=4\r")
    desk.say("AT+CFUN=1\r")
    assert "+CMTI" in desk.wait(1)


def test_h5_a_flood_kills_it_unless_it_is_silenced() -> None:
    desk = sick("H5", 50, "zte-mf112")
    assert desk.wait(1).count("+ZUSIMR:2") > 40
    desk.wait(31)
    assert desk.say("AT\r") == ""
    desk = sick("H5", 50, "zte-mf112")
    desk.say("AT+CPMS?\r")
    assert "+ZUSIMR:2" not in desk.wait(60)
    assert "OK" in desk.say("AT\r")


@pytest.mark.parametrize("kind", ["H1", "H5"])
def test_a_crash_ends_with_the_illness_or_with_the_power(kind: str) -> None:
    desk = sick(kind, 50, "zte-mf112")
    desk.wait(31)
    assert "OK" not in desk.say("AT\r")
    desk.modems[0].recover()
    assert "OK" in desk.say("AT\r")
    desk = sick(kind, 50, "zte-mf112")
    desk.wait(31)
    desk.modems[0].ills.all.clear()
    assert "OK" not in desk.say("AT\r")
    desk.modems[0].power_off()
    desk.modems[0].power_on()
    desk.wait(10)
    assert "OK" in desk.say("AT\r")


def test_h6_stuck_at_the_prompt() -> None:
    desk = sick("H6")
    octets = submit(OUTSIDE)
    assert desk.say(f"AT+CMGS={len(octets)}\r") == "\r\n> "
    assert desk.say(f"00{octets.hex()}\x1a") == ""
    assert desk.say("AT\r\x1a") == ""
    assert "OK" in desk.say("\x1b")
    assert "+CMGS: " in desk.send(OUTSIDE)
    assert len(desk.network.sent) == 1


def test_h7_listings_that_never_end_or_lie() -> None:
    desk = sick("H7", 1)
    desk.say("AT+CMGL=4\r")
    assert desk.wait(10).count("+CMGL: ") > 100
    assert desk.say("AT\r") == ""
    for value in (2, 3):
        desk = sick("H7", value)
        desk.send(desk.modems[0].number)
        desk.wait(1)
        assert desk.say("AT+CMGL=4\r").endswith("OK\r\n")


def test_h8_restarts_by_itself() -> None:
    desk = Desk()
    stick = Stick(desk.modems[0], "1-1.1")
    comings: list[bool] = []
    stick.watchers.append(lambda _, there: comings.append(there))
    stick.fall_ill(ill("H8", 90))
    desk.wait(300)
    assert comings == [False, True] * 3
    desk.modems[0].recover()
    desk.wait(300)
    assert len(comings) == 6


def test_h9_codes_are_lost_after_a_suspend() -> None:
    desk = sick("H9", 10)
    assert receives(desk)
    desk.wait(10)
    assert not receives(desk)
    assert '"SM",2,20' in desk.say("AT+CPMS?\r")
    desk.modems[0].lines[0].opened()
    assert receives(desk)


def test_h10_an_mms_notification_ends_reception() -> None:
    desk = sick("H10")
    rack = RackOf(desk)
    verbs.run(rack, "special", ["modem0", "mms", "+33612345678"])
    assert "+CMTI" in desk.wait(1)
    assert not receives(desk)
    desk.say("AT+CMGD=1\r")
    assert "+CMTI" in desk.wait(1)


class RackOf(Rack):
    """The verbs over a desk."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(Options(modems=0), desk.network.settings, desk.clock)
        self.network = desk.network
        self.sticks = [Stick(modem, "1-1.1") for modem in desk.modems]


def test_h12_says_sent_and_sends_nothing() -> None:
    desk = sick("H12", 7)
    assert [desk.send(OUTSIDE).split()[1] for _ in range(3)] == ["7"] * 3
    assert desk.network.sent == []


def test_h13_nothing_before_the_radio_is_on() -> None:
    desk = sick("H13")
    assert desk.say("AT\r").strip() == "ERROR"
    assert desk.say("AT+CPIN?\r").strip() == "ERROR"
    assert "OK" in desk.say("AT+CFUN=1\r")
    assert "OK" in desk.say("AT+CPIN?\r")
    desk.modems[0].power_off()
    desk.modems[0].power_on()
    assert "ERROR" in desk.say("AT\r")


@pytest.mark.parametrize("kind", KINDS)
def test_every_illness_can_be_taken_away(kind: str) -> None:
    desk = Desk(warm=True)
    rack = RackOf(desk)
    verbs.run(rack, "fault", ["modem0", kind.lower()])
    listed = verbs.run(rack, "faults", ["modem0"])
    assert [row["kind"] for row in listed] == [kind]
    assert verbs.run(rack, "faults", ["modem0", "clear"]) == []
    assert "OK" in desk.say("AT\r")


def test_a_port_that_vanishes_behind_a_character_of_the_pdu() -> None:
    desk = Desk()
    stick = Stick(desk.modems[0], "1-1.1")
    verbs.run(RackOf(desk), "fault", ["modem0", "unplug-at", "20"])
    desk.modems[0].vanish = stick.unplug
    octets = submit(OUTSIDE)
    desk.say(f"AT+CMGS={len(octets)}\r")
    desk.say(octets.hex()[:10])
    assert stick.plugged
    desk.say(octets.hex()[10:30])
    assert not stick.plugged


def test_a_prompt_that_comes_late() -> None:
    desk = Desk()
    verbs.run(RackOf(desk), "fault", ["modem0", "late-prompt", "5"])
    octets = submit(OUTSIDE)
    assert ">" not in desk.say(f"AT+CMGS={len(octets)}\r")
    assert ">" in desk.wait(5)
