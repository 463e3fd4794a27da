"""The commands of 27.007: what each says to be read, tested and set."""

import pytest
from hwsim.desk import Desk


def ask(desk: Desk, line: str) -> list[str]:
    """Give the lines of an answer."""
    return [text for text in desk.say(line + "\r").split("\r\n") if text]


def desk_with(setting: str = "+CMEE=1") -> Desk:
    desk = Desk()
    desk.say(f"ATE0{setting}\r")
    return desk


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("ATI", ["Manufacturer: Simulated Modems", "Model: SM-1", "Revision: 1.00", "OK"]),
        ("AT+CGMI", ["Simulated Modems", "OK"]),
        ("AT+CGSN", ["350000000000000", "OK"]),
        ("AT+CGSN=?", ["OK"]),
        ("AT+CMEE?", ["+CMEE: 1", "OK"]),
        ("AT+CMEE=?", ["+CMEE: (0-2)", "OK"]),
        ("AT+CMEE=3", ["ERROR"]),
        ("AT+CMEE=x", ["ERROR"]),
        ("AT+CSCS?", ['+CSCS: "GSM"', "OK"]),
        ("AT+CSCS=?", ['+CSCS: ("GSM","IRA","UCS2")', "OK"]),
        ('AT+CSCS="KLINGON"', ["+CME ERROR: 50"]),
        (
            'AT+CSCS="UCS2";+CSCA?',
            ['+CSCA: "002B00330033003600300039003000300031003300390030",145', "OK"],
        ),
        ('AT+CSCS="UCS2";+CSCA="0031";+CSCS="GSM";+CSCA?', ['+CSCA: "1",129', "OK"]),
        ('AT+CSCS="UCS2";+CSCA="zz"', ["+CME ERROR: 50"]),
        ("AT+CPIN?", ["+CPIN: READY", "OK"]),
        ("AT+CPIN=?", ["OK"]),
        ("AT+CPINR=?", ["OK"]),
        ('AT+CPINR="SIM PUK"', ["+CPINR: SIM PUK,10,10", "OK"]),
        ('AT+CLCK="SC",2', ["+CLCK: 0", "OK"]),
        ("AT+CLCK=?", ['+CLCK: ("SC")', "OK"]),
        ('AT+CLCK="AO",2', ["+CME ERROR: 4"]),
        ('AT+CLCK="SC",0,"1234"', ["+CME ERROR: 3"]),
        ("AT+CREG?", ["+CREG: 0,1", "OK"]),
        ("AT+CEREG=?", ["+CEREG: (0-2)", "OK"]),
        ("AT+CGREG=2;+CGREG?", ['+CGREG: 2,1,"00C3","000A1B2C"', "OK"]),
        ("AT+CREG=3", ["ERROR"]),
        ("AT+COPS?", ['+COPS: 0,0,"Simulated",2', "OK"]),
        ("AT+COPS=3,2;+COPS?", ['+COPS: 0,2,"20899",2', "OK"]),
        ("AT+COPS=3,9", ["+CME ERROR: 50"]),
        ("AT+COPS=9", ["+CME ERROR: 50"]),
        ("AT+COPS=0", ["OK"]),
        ('AT+COPS=1,2,"20899"', ["OK"]),
        ("AT+COPS=?", ['+COPS: (2,"Simulated","SIM","20899",2),,(0-4),(0-2)', "OK"]),
        ("AT+CSQ", ["+CSQ: 17,99", "OK"]),
        ("AT+CFUN=?", ["+CFUN: (0,1,4),(0,1)", "OK"]),
        ("AT+CFUN=4;+CFUN?;+CSQ;+COPS?", ["+CFUN: 4", "+CSQ: 99,99", "+COPS: 0", "OK"]),
        ("AT+CFUN=7", ["+CME ERROR: 50"]),
        ("AT+CRSM=176,28486,0,0,10", ["+CRSM: 106,130", "OK"]),
        ("AT+CNUM", ['+CNUM: ,"+33600000000",145', "OK"]),
        ("AT+CUSD?", ["+CUSD: 0", "OK"]),
        ("AT+CUSD=?", ["+CUSD: (0-2)", "OK"]),
        ("AT+CUSD=7", ["+CME ERROR: 50"]),
        ("AT+CLIP=1;+CLIP?", ["+CLIP: 1", "OK"]),
        ("AT+CRC=?", ["+CRC: (0,1)", "OK"]),
        ("AT+CLCC", ["OK"]),
        ("ATZ", ["OK"]),
        ("AT&F;+CNMI?", ["+CNMI: 0,0,0,0,0", "OK"]),
        ("ATH", ["OK"]),
        ("AT&C1X4", ["OK"]),
        ("ATS7=30;S7?", ["030", "OK"]),
    ],
)
def test_answers(line: str, answer: list[str]) -> None:
    assert ask(desk_with(), line) == answer


def test_a_reset_brings_the_echo_back() -> None:
    desk = desk_with()
    desk.say("ATZ\r")
    assert desk.say("AT\r").startswith("AT\r")


def test_ussd_answers_later_in_the_character_set_of_the_moment() -> None:
    desk = desk_with()
    assert ask(desk, 'AT+CUSD=1,"*100#",15') == ["OK"]
    assert desk.wait(0.1) == '\r\n+CUSD: 0,"12.34",15\r\n'


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("AT+CMGF=?", ["+CMGF: (0,1)", "OK"]),
        ("AT+CMGF=2", ["+CMS ERROR: 303"]),
        ("AT+CSMS=?", ["+CSMS: (0,1)", "OK"]),
        ("AT+CSMS=1", ["+CSMS: 1,1,1", "OK"]),
        ("AT+CMMS=1;+CMMS?", ["+CMMS: 1", "OK"]),
        ("AT+CMMS=?", ["+CMMS: (0-2)", "OK"]),
        ("AT+CPMS=?", ['+CPMS: ("SM","ME","SR"),("SM","ME"),("SM","ME")', "OK"]),
        ('AT+CPMS="SR"', ["+CPMS: 0,10,0,20,0,20", "OK"]),
        (
            'AT+CPMS="ME","ME","ME";+CPMS?',
            ["+CPMS: 0,50,0,50,0,50", '+CPMS: "ME",0,50,"ME",0,50,"ME",0,50', "OK"],
        ),
        ('AT+CPMS="SM","SR"', ["+CMS ERROR: 302"]),
        ('AT+CPMS="XX"', ["+CMS ERROR: 302"]),
        ("AT+CNMI=?", ["+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)", "OK"]),
        ("AT+CNMI=2,,,1;+CNMI?", ["+CNMI: 2,0,0,1,0", "OK"]),
        ("AT+CNMI=x", ["+CMS ERROR: 302"]),
        ("AT+CMGL=?", ["+CMGL: (0-4)", "OK"]),
        ("AT+CMGL=5", ["+CMS ERROR: 302"]),
        ("AT+CMGL", ["OK"]),
        ("AT+CMGR=?", ["OK"]),
        ("AT+CMGD=?", ["+CMGD: (),(0-4)", "OK"]),
        ("AT+CMGD=1,5", ["+CMS ERROR: 302"]),
        ("AT+CMGS=?", ["OK"]),
        ("AT+CMGS=7", ["+CMS ERROR: 304"]),
        ("AT+CMGS=165", ["+CMS ERROR: 304"]),
        ("AT+CMGW=?", ["OK"]),
        ("AT+CMGW=18,9", ["+CMS ERROR: 302"]),
        ("AT+CMSS=?", ["OK"]),
        ("AT+CMSS=1", ["+CMS ERROR: 321"]),
        ("AT+CNMA=?", ["+CNMA: (0-2)", "OK"]),
        ("AT+CNMA", ["+CMS ERROR: 340"]),
        ("AT+CMGS=18;+CSQ", ["ERROR"]),
    ],
)
def test_message_commands(line: str, answer: list[str]) -> None:
    assert ask(desk_with(), line) == answer


def test_a_message_without_service_centre_is_refused() -> None:
    desk = desk_with('+CSCA=""')
    assert "+CMS ERROR: 330" in desk.send("+33699999999")
