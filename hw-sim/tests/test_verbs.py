"""The verbs: what the network refuses, delays, loses and doubles, and USSD."""

import statistics
from typing import Any

import pytest
from hwsim import tpdu, verbs
from hwsim.clock import ManualClock
from hwsim.network import Settings
from hwsim.rack import Options, Rack

OUTSIDE = "+33699999999"


class Bench(Rack):
    """A rack with warm modems whose words are collected."""

    def __init__(self, personality: str = "generic", modems: int = 1) -> None:
        self.time = ManualClock()
        options = Options(personality=personality, modems=modems, warm=True)
        super().__init__(options, Settings(), self.time)
        self.heard: list[bytearray] = []
        for stick in self.sticks:
            heard = bytearray()
            stick.modem.write = heard.extend
            self.heard.append(heard)
            stick.modem.feed(b"ATE0+CMEE=1;+CNMI=2,1\r")
            heard.clear()

    def do(self, words: str, *more: str) -> Any:
        verb, *arguments = words.split()
        return verbs.run(self, verb, [*arguments, *more])

    def say(self, text: str, modem: int = 0) -> str:
        self.heard[modem].clear()
        self.sticks[modem].modem.feed(text.encode("latin-1"))
        return self.hear(modem)

    def hear(self, modem: int = 0) -> str:
        text = self.heard[modem].decode("latin-1")
        self.heard[modem].clear()
        return text

    def wait(self, seconds: float, modem: int = 0) -> str:
        self.time.advance(seconds)
        return self.hear(modem)

    def send(self, to: str = OUTSIDE, *, report: bool = False) -> str:
        octets = tpdu.encode(
            {
                "type": "submit",
                "flags": {"srr": report},
                "destination": tpdu.address_of(to),
                "text": "hello",
            }
        )
        self.say(f"AT+CMGS={len(octets)}\r")
        return self.say(f"00{octets.hex()}\x1a")


def test_an_error_of_the_network_for_a_while() -> None:
    bench = Bench()
    bench.do("network error 38 30")
    assert "+CMS ERROR: 38" in bench.send()
    bench.wait(29)
    assert "+CMS ERROR: 38" in bench.send()
    bench.wait(2)
    assert "+CMGS: " in bench.send()
    assert bench.do("attempts") == {"attempts": 3, "accepted": 1}
    bench.do("network error 500")
    bench.wait(10**6)
    assert "+CMS ERROR: 500" in bench.send()
    bench.do("network error off")
    assert "+CMGS: " in bench.send()


def test_a_destination_that_is_refused() -> None:
    bench = Bench()
    bench.do("network refuse +33600000099 1")
    assert "+CMS ERROR: 1" in bench.send("0600000099")
    assert "+CMGS: " in bench.send()
    bench.do("network refuse +33600000099 500 1")
    assert "+CMS ERROR: 500" in bench.send("+33600000099")
    assert "+CMGS: " in bench.send("+33600000099")


def test_credit_runs_out() -> None:
    bench = Bench()
    bench.do("credit modem0 2")
    answers = [bench.send().split()[-1] for _ in range(3)]
    assert answers == ["OK", "OK", "21"]
    assert bench.do("credit modem0") == {"credit": 0}
    bench.do("credit modem0 unlimited")
    assert "+CMGS: " in bench.send()


def test_the_network_takes_its_time() -> None:
    bench = Bench()
    bench.do("network send-latency 0.3")
    assert bench.send() == ""
    assert bench.wait(0.29) == ""
    assert "+CMGS: " in bench.wait(0.02)
    bench.do("network send-latency lognormal 2.0 0.5")
    samples = [bench.network.settings.send_latency.sample(bench.network.rng) for _ in range(999)]
    assert 1.7 < statistics.median(samples) < 2.3
    with pytest.raises(ValueError, match="no key send-latency"):
        bench.do("network send-latency")


def test_the_link_is_kept_between_parts_when_asked_for() -> None:
    bench = Bench()
    bench.do("network send-latency 0.1")
    bench.do("network link-setup 1")
    bench.say("AT+CMMS=2\r")
    bench.send()
    assert bench.wait(1.0) == ""
    assert "+CMGS: " in bench.wait(0.2)
    bench.send()
    assert "+CMGS: " in bench.wait(0.2)
    bench.wait(6)
    bench.send()
    assert bench.wait(0.5) == ""


def test_messages_are_lost_doubled_and_overtaken() -> None:
    bench = Bench()
    own = bench.sticks[0].modem.number
    bench.do("network duplicate 1")
    bench.do("incoming modem0 +331 twice")
    assert bench.wait(1).count("+CMTI") == 2
    bench.do("network duplicate 0")
    bench.do("network loss 1")
    bench.send(own)
    assert bench.wait(5) == ""
    bench.do("network loss 0")
    bench.do("network reorder 0.5")
    bench.do("incoming modem0 +331", "n{n}", "--count", "8")
    bench.wait(3)
    records = bench.sticks[0].modem.inbox.memories["SM"].records.values()
    texts = [tpdu.decode(record.tpdu, "from-sc")["text"] for record in records][2:]
    assert sorted(texts) == [f"n{n}" for n in range(1, 9)]
    assert texts != sorted(texts)


def test_reports_early_never_and_lost() -> None:
    bench = Bench()
    bench.say("AT+CNMI=2,1,0,1,0\r")
    bench.do("network reports early")
    answer = bench.send(report=True) + bench.wait(1)
    assert answer.count("+CDS") == 1
    bench.do("network reports never")
    bench.send(report=True)
    assert "+CDS" not in bench.wait(9)
    bench.do("network reports on")
    bench.do("network report-loss 1")
    bench.send(report=True)
    assert "+CDS" not in bench.wait(9)


def test_one_modem_alone_loses_its_service() -> None:
    bench = Bench(modems=2)
    bench.say("AT+CREG=1\r")
    bench.do("service modem0 denied")
    assert "+CREG: 3" in bench.hear()
    assert "+CMS ERROR: 331" in bench.say("AT+CMGS=18\r")
    assert "+CREG: 0,1" in bench.say("AT+CREG?\r", 1)
    bench.do("service modem0 network")
    bench.do("network service roaming")
    assert "+CREG: 1,5" in bench.say("AT+CREG?\r")


@pytest.mark.parametrize(
    ("kind", "class_", "pid"),
    [("flash", 0, 0), ("class2", 2, 0), ("type0", None, 0x40), ("replace3", None, 0x43),
     ("mwi", None, 0), ("wap", None, 0), ("mms", None, 0), ("binary", None, 0),
     ("sim-download", 2, 0x7F), ("voicemail", None, 0)],
)  # fmt: skip
def test_messages_of_special_kinds(kind: str, class_: int | None, pid: int) -> None:
    bench = Bench()
    answer = bench.do(f"special modem0 {kind} +33612345678 0102")
    fields = tpdu.decode(bytes.fromhex(answer["tpdu"]), "from-sc")
    assert (fields["class"], fields["pid"]) == (class_, pid)
    assert ("+CMTI" in bench.wait(1)) == (kind != "type0")


def test_a_swapped_card_has_another_number_and_the_old_one_waits() -> None:
    bench = Bench()
    before = bench.sticks[0].modem.number
    answer = bench.do("sim modem0 swap 2")
    assert answer["number"] == before
    assert "+CME ERROR: 10" in bench.say("AT+CPIN?\r")
    bench.wait(3)
    modem = bench.sticks[0].modem
    assert modem.number != before
    assert "+CPIN: READY" in bench.say("AT+CPIN?\r")
    bench.send(before)
    assert "+CMTI" not in bench.wait(5)
    bench.send(modem.number)
    assert "+CMTI" in bench.wait(5)


def test_a_busy_card() -> None:
    bench = Bench()
    bench.do("sim modem0 busy 20")
    assert "+CME ERROR: 14" in bench.say("AT+CPIN?\r")
    assert "+CMS ERROR: 314" in bench.say("AT+CPMS?\r")
    bench.wait(20)
    assert "READY" in bench.say("AT+CPIN?\r")


def test_lines_inside_an_answer() -> None:
    bench = Bench()
    bench.do("store modem0 SM 040B911346610089F60000208062917314080CC8F71D14969741F977FD07 3")
    bench.do("say modem0", "UNDER-VOLTAGE WARNNING", "--inside", "+CMGL")
    lines = bench.say("AT+CMGL=4\r").split("\r\n")
    assert 2 < lines.index("UNDER-VOLTAGE WARNNING") < len(lines) - 3
    bench.do("say modem0", "RDY")
    assert bench.hear() == "\r\nRDY\r\n"


def test_a_quirk_changes_one_modem() -> None:
    bench = Bench()
    bench.do("quirk modem0 line_ends", '["\\n"]')
    assert bench.say("AT\r") == "\nOK\n"
    with pytest.raises(ValueError, match="no quirk nonsense"):
        bench.do("quirk modem0 nonsense 1")
    with pytest.raises(ValueError, match="is a list"):
        bench.do("quirk modem0 line_ends 1")
    assert "line_ends" in bench.do("quirk modem0")


# ----------------------------------------------------------------------------------------- USSD


def test_a_menu_is_a_session() -> None:
    bench = Bench()
    bench.do("ussd *123#", "Menu\\n1 Balance", "--reply")
    bench.do("ussd *123#>1", "You have 5 €")
    assert bench.say('AT+CUSD=1,"*123#",15\r').strip() == "OK"
    assert bench.wait(1) == '\r\n+CUSD: 1,"Menu\n1 Balance",15\r\n'
    bench.say('AT+CUSD=1,"1",15\r')
    assert bench.wait(1).startswith('\r\n+CUSD: 0,"You have 5 \x1be"')
    bench.say('AT+CUSD=1,"1",15\r')
    assert "Simulated: 1" in bench.wait(1)


def test_ussd_double_empty_early_and_never() -> None:
    bench = Bench()
    bench.do("ussd *1#", "a", "--twice", "--release")
    bench.say('AT+CUSD=1,"*1#",15\r')
    assert [line[:8] for line in bench.wait(1).split("\r\n") if line] == [
        "+CUSD: 0",
        "+CUSD: 0",
        "+CUSD: 2",
    ]
    bench.do("ussd *2#", "b", "--before-ok")
    assert bench.say('AT+CUSD=1,"*2#",15\r') == '\r\n+CUSD: 0,"b",15\r\n\r\nOK\r\n'
    bench.do("ussd *3# -")
    bench.say('AT+CUSD=1,"*3#",15\r')
    assert bench.wait(600) == ""
    bench.do("ussd *4#", "c", "--empty-first")
    bench.say('AT+CUSD=1,"*4#",15\r')
    assert bench.wait(1).startswith("\r\n+CUSD: 0\r\n")
    bench.do("ussd push modem0", "hello")
    assert bench.hear() == '\r\n+CUSD: 0,"hello",15\r\n'


def test_ussd_in_hex_of_septets() -> None:
    bench = Bench("huawei-e173")
    assert "+CME ERROR: 50" in bench.say('AT+CUSD=1,"*100#",15\r')
    assert "OK" in bench.say('AT+CUSD=1,"AA180C3602",15\r')
    assert bench.wait(0.1) == '\r\n+CUSD: 0,"31996B4603",15\r\n'
    bench.do("ussd *100#", "é ✓")
    bench.say('AT+CUSD=1,"AA180C3602",15\r')
    assert '"00E900202713",72' in bench.wait(1)
    bench.say("AT^USSDMODE=0\r")
    assert "OK" in bench.say('AT+CUSD=1,"*100#",15\r')


def test_ussd_in_ucs2() -> None:
    bench = Bench("sim7600")
    bench.say('AT+CSCS="UCS2"\r')
    bench.say('AT+CUSD=1,"002A0031003000300023",15\r')
    assert '+CUSD: 0,"00310032002E00330034",15' in bench.wait(1)


# ------------------------------------------------------------------------------------ text mode


def test_text_mode_sends_lists_and_reads() -> None:
    bench = Bench()
    own = bench.sticks[0].modem.number
    bench.say("AT+CMGF=1;+CSMP=49,167,0,0;+CSDH=1\r")
    assert bench.say(f'AT+CMGS="{own}"\r') == "\r\n> "
    assert "+CMGS: " in bench.say("Hi\x00there\x1a")
    assert '+CMTI: "SM",1' in bench.wait(1)
    listing = bench.say('AT+CMGL="ALL"\r')
    assert f'+CMGL: 1,"REC UNREAD","{own}",,"26/01/01,' in listing
    assert "Hi\x00there" in listing
    assert bench.say("AT+CMGR=1\r").startswith(f'\r\n+CMGR: "REC READ","{own}",,"26/')
    assert "\r\n+CMGR: 6," not in bench.say("AT+CNMI=2,2,0,1,0\r")
    bench.do("incoming modem0 +331 again")
    assert bench.wait(1).startswith('\r\n+CMT: "+331",,"26/01/01')
    (sent,) = bench.do("sent")
    assert (sent["text"], sent["report_requested"]) == ("Hi@there", True)
    assert "+CMGW: 2" in bench.say('AT+CMGW="+331"\rdraft\x1a')
    assert '"STO UNSENT","+331"' in bench.say("AT+CMGR=2\r")


def test_text_mode_in_ucs2() -> None:
    bench = Bench()
    bench.say('AT+CMGF=1;+CSCS="UCS2";+CSMP=17,167,0,8\r')
    number = "+331".encode("utf-16-be").hex()
    bench.say(f'AT+CMGS="{number}"\r')
    assert "+CMGS: " in bench.say("00E92713\x1a")
    assert bench.do("sent")[0]["text"] == "é✓"
    assert "+CMS ERROR: 304" in bench.say('AT+CMGS="xyz"\r')


# ----------------------------------------------------------------------------------------- card


def test_locks_passwords_and_files() -> None:
    bench = Bench()
    assert "OK" in bench.say('AT+CLCK="SC",1,"1234"\r')
    assert "+CLCK: 1" in bench.say('AT+CLCK="SC",2\r')
    assert "OK" in bench.say('AT+CPWD="SC","1234","4321"\r')
    assert "+CME ERROR: 16" in bench.say('AT+CLCK="SC",0,"1234"\r')
    assert '+CSIM: 4,"63C2"' in bench.say('AT+CSIM=10,"0020000100"\r')
    assert '+CSIM: 4,"63CA"' in bench.say('AT+CSIM=10,"002C000100"\r')
    bench.do("sim modem0 keep-pin")
    assert "+CME ERROR: 13" in bench.say('AT+CLCK="SC",0,"4321"\r')
    assert "+CRSM: 144,0," in bench.say("AT+CRSM=178,28480,1,4,28\r")
    bench.say('AT+CPBS="ON"\r')
    assert '+CPBR: 1,"+33600000000",145,""' in bench.say("AT+CPBR=1\r")
    bench.say('AT+CPBS="SM"\r')
    assert "+CME ERROR: 22" in bench.say("AT+CPBR=1\r")
    bench.say('AT+CPBW=1,"+331",145,"Ann"\r')
    assert '+CPBR: 1,"+331",145,"Ann"' in bench.say("AT+CPBR=1,250\r")
    assert "+CCLK: " in bench.say("AT+CCLK?\r")
    assert "+CPAS: 0" in bench.say("AT+CPAS\r")
