"""The families: what each says of itself, how it starts, and what silences it."""

from typing import Any

import pytest
from hwsim.cards import make_sim
from hwsim.desk import Desk, submit
from hwsim.personality import load, names, parse

USB = [name for name in names() if load(name).usb]


def desk_of(name: str, *, warm: bool = True, pin: str | None = None) -> Desk:
    desk = Desk(name, pin=pin, warm=warm)
    desk.say("ATE0+CMEE=1\r")
    return desk


@pytest.mark.parametrize(
    ("name", "ids", "ports", "best"),
    [
        ("huawei-e173", "12d1:1436", 5, 4),
        ("huawei-e3372-stick", "12d1:1506", 3, 1),
        ("huawei-e220", "12d1:1003", 2, 1),
        ("zte-mf112", "19d2:0031", 3, 1),
        ("zte-mf823", "19d2:1405", 0, 0),
        ("sim7600", "1e0e:9001", 5, 2),
        ("ec25", "2c7c:0125", 4, 2),
        ("telit-le910", "1bc7:1201", 5, 4),
        ("ublox-sara-u2", "1546:1102", 7, 2),
        ("sierra-mc7455", "1199:9071", 3, 3),
    ],
)
def test_the_families_on_usb(name: str, ids: str, ports: int, best: int) -> None:
    family = load(name)
    assert family.usb is not None
    assert f"{family.usb.vendor}:{family.usb.product}" == ids
    assert len(family.ports) == ports
    assert ports == 0 or [p.role for p in family.ports if p.interface == best] == ["at"]


@pytest.mark.parametrize("name", ["sim800", "siemens-tc35", "wavecom"])
def test_a_serial_line_stays_when_the_modem_behind_it_reboots(name: str) -> None:
    desk = desk_of(name)
    gone: list[float | None] = []
    desk.modems[0].vanish = gone.append
    assert "OK" in desk.say("AT+CFUN=1,1\r")
    desk.wait(2)
    assert desk.say("AT\r") == ""
    desk.wait(12)
    assert "OK" in desk.say("AT\r")
    assert gone == []


ICCID = {
    "huawei-e173": "^ICCID?",
    "huawei-e3372-stick": "^ICCID?",
    "zte-mf112": "+ZICCID?",
    "sim800": "+CCID",
    "sim7600": "+CICCID",
    "ec25": "+QCCID",
    "telit-le910": "#CCID",
    "ublox-sara-u2": "+CCID",
    "sierra-mc7455": "!ICCID?",
    "siemens-tc35": "^SCID",
    "wavecom": "+CCID",
}
COUNTER = {
    "huawei-e173": ("^CPIN?", "^CPIN: SIM PIN,,10,3,10,3"),
    "huawei-e220": ("^CPIN?", "^CPIN: SIM PIN,,10,3,10,3"),
    "zte-mf112": ("+ZPINPUK=?", "+ZPINPUK: 3,10"),
    "sim800": ("+SPIC", "+SPIC: 3,10,3,10"),
    "sim7600": ("+SPIC", "+SPIC: 3,10,3,10"),
    "ec25": ("+QPINC?", '+QPINC: "SC",3,10'),
    "telit-le910": ("#PCT", "#PCT: 3"),
    "ublox-sara-u2": ("+UPINCNT", "+UPINCNT: 3,3,10,10"),
    "sierra-mc7455": ("+CPINC?", "+CPINC: 3,3,10,10"),
    "siemens-tc35": ('^SPIC="SC"', "^SPIC: 3"),
    "generic": ("+CPINR", "+CPINR: SIM PIN,3,3"),
}


@pytest.mark.parametrize("name", ICCID)
def test_the_card_number_in_the_words_of_the_family(name: str) -> None:
    desk = desk_of(name)
    answer = desk.say(f"AT{ICCID[name]}\r")
    assert desk.modems[0].sim.iccid in answer
    desk.modems[0].remove_card()
    assert "+CME ERROR: " in desk.say(f"AT+CMEE=1;{ICCID[name]}\r") or name == "zte-mf112"


@pytest.mark.parametrize("name", COUNTER)
def test_the_tries_that_are_left_in_the_words_of_the_family(name: str) -> None:
    desk = desk_of(name, pin="1234")
    command, answer = COUNTER[name]
    assert answer in desk.say(f"AT{command}\r")
    desk.say('AT+CPIN="0000"\r')
    assert desk.modems[0].sim.pin_tries == 2
    assert answer not in desk.say(f"AT{command}\r")


SILENCE = {
    "huawei-e173": "^CURC=0",
    "huawei-e3372-stick": "^CURC=0",
    "zte-mf112": "+CPMS?",
}


@pytest.mark.parametrize("name", SILENCE)
def test_chatter_goes_on_until_it_is_silenced(name: str) -> None:
    desk = desk_of(name)
    assert desk.wait(120) != ""
    assert "OK" in desk.say(f"AT{SILENCE[name]}\r")
    heard = desk.wait(600)
    assert "^RSSI" not in heard
    assert "+ZUSIMR" not in heard


def test_an_old_one_cannot_be_silenced() -> None:
    desk = desk_of("huawei-e220")
    assert desk.say("AT^CURC=0\r").strip() == "COMMAND NOT SUPPORT"
    assert "^BOOT:" in desk.wait(30)


def test_the_flood_begins_again_with_the_pin() -> None:
    desk = desk_of("zte-mf112", pin="1234")
    assert "+ZUSIMR:2" in desk.wait(5)
    desk.say("AT+CPMS?\r")
    assert desk.say('AT+CPIN="1234"\r').strip() == "OK"
    assert "+ZUSIMR:2" in desk.wait(5)


def test_the_silence_of_some_takes_the_messages_too() -> None:
    desk = desk_of("huawei-e3372-stick")
    desk.say("AT^CURC=0;+CNMI=2,1\r")
    desk.send(desk.modems[0].number)
    assert "+CMTI" not in desk.wait(1)
    assert desk.say("AT+CMGL=4\r").count("+CMGL:") == 1


def test_a_boot_has_its_time() -> None:
    desk = Desk("sim800")
    assert desk.say("AT\r") == ""
    heard = desk.wait(2.5)
    assert "RDY" in heard
    assert "SMS Ready" not in heard
    desk.say("ATE0\r")
    assert desk.say("AT+CNMI?\r").strip() == "+CMS ERROR: 302"
    assert "SMS Ready" in desk.wait(7)
    assert "OK" in desk.say("AT+CNMI?\r")
    desk.say("AT+CIURC=0\r")


def test_reports_announced_in_the_wrong_memory() -> None:
    desk = desk_of("ec25")
    desk.say("AT+CNMI=2,1,0,2,0\r")
    desk.send("+33699999999", report=True)
    assert desk.wait(1).strip() == '+CDSI: "SM",0'
    assert "+CMGL: 0," in desk.say('AT+CPMS="SR";+CMGL=4\r')


def test_codes_go_to_the_port_that_was_chosen() -> None:
    desk = desk_of("ec25")
    other = desk.modems[0].lines[1]
    heard = bytearray()
    other.write = heard.extend
    desk.say('AT+CNMI=2,1;+QURCCFG="urcport","usbmodem"\r')
    desk.send(desk.modems[0].number)
    assert "+CMTI" not in desk.wait(1)
    assert b"+CMTI" in heard
    desk.modems[0].power_off()
    desk.modems[0].power_on(warm=True)
    answer = desk.say('AT+QURCCFG="urcport"\r')
    assert '+QURCCFG: "urcport","usbmodem"' in answer
    assert "usbat" not in answer


def test_realistic_worlds_take_their_time() -> None:
    desk = desk_of("huawei-e173")
    desk.modems[0].realistic = True
    assert desk.say("AT\r") == ""
    assert "OK" in desk.wait(0.02)
    octets = submit("+33699999999")
    desk.say(f"AT+CMGS={len(octets)}\r")
    assert ">" not in desk.wait(0.03)
    assert ">" in desk.wait(0.1)
    desk.say(f"00{octets.hex()}\x1a")
    assert "+CMGS" not in desk.wait(0.5)
    assert "+CMGS" in desk.wait(20)


def test_the_ports_of_a_stick_have_roles() -> None:
    modem = Desk("sim7600", warm=True).modems[0]
    heard: dict[int, bytearray] = {}
    for channel in modem.channels:
        heard[channel.kind.interface] = bytearray()
        channel.write = heard[channel.kind.interface].extend
        channel.opened()
        channel.feed(b"AT\r")
    assert b"$GPRMC" in heard[1]
    assert heard[0].endswith(b"\x7e")
    assert b"OK" in heard[2]
    assert b"OK" in heard[3]
    assert heard[4] == b""


def test_damaged_reports_and_busy_cards() -> None:
    desk = desk_of("wavecom", pin="1234")
    assert desk.say("AT+CPIN?\r") == "\r\n+CPIN: SIM PIN\r\n"
    desk.say('AT+CPIN="1234"\r')
    assert desk.say("AT+CIMI\r").strip() == "+CME ERROR: 515"
    assert desk.say("AT+CNMI?\r").strip() == "+CMS ERROR: 515"
    desk.wait(5)
    assert "OK" in desk.say("AT+CNMI=2,1,0,1,0\r")
    desk.send("+33699999999", report=True)
    assert "000000FF00" in desk.wait(1)
    assert desk.say("AT+COPS=0\r") == ""
    assert desk.say("AT\r") == ""


@pytest.mark.parametrize(
    ("name", "enable", "out", "back"),
    [
        ("ec25", "+QSIMSTAT=1", "+QSIMSTAT: 1,0", "+QUSIM: 1"),
        ("telit-le910", "#QSS=2", "#QSS: 0", "#QSS: 3"),
        ("siemens-tc35", "^SCKS=1", "^SCKS: 0", "^SCKS: 1"),
        ("ublox-sara-u2", "+USIMSTAT=3", "+UUSIMSTAT: 0", "+UUSIMSTAT: 4"),
    ],
)
def test_a_card_that_comes_and_goes(name: str, enable: str, out: str, back: str) -> None:
    desk = desk_of(name)
    desk.say(f"AT{enable}\r")
    modem = desk.modems[0]
    modem.remove_card()
    assert out in desk.hear()
    assert "+CME ERROR: " in desk.say("AT+CMEE=1;+CPIN?\r")
    assert modem.registration == 0
    modem.insert_card(make_sim(7, modem.rng))
    assert back in desk.hear()
    assert modem.number == "+33600000007"
    assert "+CPIN: READY" in desk.say("AT+CPIN?\r")


def test_some_see_a_new_card_only_after_a_reboot() -> None:
    desk = desk_of("huawei-e173")
    modem = desk.modems[0]
    modem.remove_card()
    modem.insert_card(make_sim(7, modem.rng))
    assert "+CME ERROR: 10" in desk.say("AT+CPIN?\r")
    modem.power_off()
    modem.power_on()
    desk.wait(5)
    assert "+CPIN: READY" in desk.say("AT+CPIN?\r")


def test_a_full_memory_is_told() -> None:
    desk = desk_of("huawei-e173")
    for _ in range(25):
        desk.send(desk.modems[0].number)
    assert desk.wait(2).count('^SMMEMFULL: "SM"') == 1
    desk.say("AT+CMGD=0,4\r")
    desk.wait(1)
    assert len(desk.modems[0].inbox.memories["SM"].records) == 5


def test_mt_is_card_and_modem_together() -> None:
    desk = desk_of("siemens-tc35")
    for _ in range(22):
        desk.send(desk.modems[0].number)
    desk.wait(1)
    assert '"MT",22,45,"MT",22,45,"MT",22,45' in desk.say("AT+CPMS?\r")
    assert "+CMGR: 0," in desk.say("AT+CMGR=22\r")
    assert "+CPMS: 20,20,22,45" in desk.say('AT+CPMS="SM"\r')
    assert "+CPMS: 2,25,22,45" in desk.say('AT+CPMS="ME";+CMGD=2\r')
    assert desk.say('AT+CPMS="MT";+CMGL=4\r').count("+CMGL:") == 21
    assert "+CMGL: 21," in desk.say("AT+CMGL=4\r")


def test_calls_in_dialect() -> None:
    desk = desk_of("ec25")
    desk.say("AT^DSCI=1\r")
    desk.modems[0].ring("+33612345678", 4)
    assert "^DSCI: 1,1,4,0,+33612345678" in desk.wait(1)
    desk.say("AT+CHUP\r")
    assert "^DSCI: 1,1,6" in desk.wait(1)
    desk = desk_of("huawei-e173")
    desk.modems[0].ring("+33612345678", 4)
    assert "^CEND:" in desk.wait(10)


@pytest.mark.parametrize(
    ("table", "reason"),
    [({"nonsense": 1}, "nonsense"), ({"ports": [{"interface": 0, "role": "x"}]}, "role x")],
)
def test_a_file_with_a_mistake_is_named(table: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse("mine", {"about": ""} | table)
