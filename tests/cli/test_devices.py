"""What an administrator asks of a phone, on the command line, against the simulator."""

import json
from pathlib import Path

from tests.acceptance.world import World, until, world

BALANCE = '{ ussd = "*100#", pattern = "([0-9]+[.,][0-9]+)", low = 1.0 }'


def of_gsm0(w: World, what: str) -> object:
    found = [p for p in w.get("/health")["phones"] if p["name"] == "gsm0"]
    return found[0].get(what)


def test_ussd_at_trace_calls_and_balance(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1", "--cloud", "smsmode") as w:
        w.configure(w.modem(0, balance=BALANCE), w.smsmode())
        w.start()
        w.available("gsm0", "cloud0")
        until("the balance", lambda: of_gsm0(w, "balance") == 12.34)
        table = w.smsd("phones").stdout
        assert "12.34" in table
        assert "TECHNOLOGY" in table

        asked = w.smsd("ussd", "gsm0", "*100#")
        assert (asked.returncode, asked.stdout) == (0, "12.34\n")
        asked = w.smsd("ussd", "1", "*123#", "--answer", "1", "--json")
        assert json.loads(asked.stdout) == {"status": "done", "text": "Simulated: *123#"}
        assert w.smsd("ussd", "gsm7", "*1#").returncode == 1
        refused = w.smsd("ussd", "cloud0", "*1#")
        assert (refused.returncode, "cannot talk USSD" in refused.stderr) == (1, True)

        given = w.smsd("at", "gsm0", "AT+CSQ")
        assert (given.returncode, given.stdout.splitlines()[-1]) == (0, "OK")
        assert json.loads(w.smsd("at", "gsm0", "+CMEE?", "--json").stdout) == {
            "lines": ["+CMEE: 1"], "result": "OK",
        }  # fmt: skip
        assert w.smsd("at", "gsm0", "AT+NONSENSE").returncode == 1
        refused = w.smsd("at", "gsm0", "AT+CFUN=0")
        assert (refused.returncode, "force" in refused.stderr) == (1, True)
        refused = w.smsd("at", "gsm0", 'AT+CPIN="4711"', "--force")
        assert (refused.returncode, "4711" in refused.stderr) == (1, False)
        assert w.smsd("at", "gsm0", "AT", "--timeout", "900").returncode == 1
        assert w.smsd("at", "cloud0", "AT").returncode == 1

        w.ctl("call", "modem0", "+33698765432")
        until("the call", lambda: w.get("/api/list/call/"))
        until("its end", lambda: w.get("/api/list/call/")[0]["end"])
        [call] = w.get("/api/list/call/")
        assert (call["origin"], call["direction"]) == ("+33698765432", "inbound")
        assert "+33698765432" in w.smsd("list", "call").stdout

        w.send("the words of a message")
        w.reaches(1, "delivered")
        traced = w.smsd("trace", "gsm0")
        assert "> AT+CMGS=" in traced.stdout
        assert "< OK" in traced.stdout
        assert "+33698765432" not in traced.stdout
        assert "12.34" not in traced.stdout
        lines = [json.loads(line) for line in w.smsd("trace", "1", "--json").stdout.splitlines()]
        assert [line["number"] for line in lines] == sorted(line["number"] for line in lines)
        assert w.smsd("trace", "gsm0", "--seconds", "0").stdout == ""
        followed = w.smsd("trace", "gsm0", "--follow", "--seconds", "0.5")
        unclocked = [
            told.stdout.splitlines()[0][len("00:00:00.000") :] for told in (followed, traced)
        ]
        assert unclocked[0] == unclocked[1] == " ! opened"
        assert w.smsd("trace", "cloud0").returncode == 1
        log = w.log.read_text()
        assert "+33698765432" not in log
        assert "12.34" not in log.replace("balance=12.34", "")


def test_a_phone_that_cannot_answer_says_why(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        device = f'device = "{tmp_path}/none"\npower_cycle = ["/no/such/uhubctl"]'
        w.configure(f'name = "gsm0"\nadapter = "modem"\n{device}')
        w.start()
        until("it is missed", lambda: "is not there" in str(of_gsm0(w, "reason")))
        for command in (("at", "gsm0", "AT"), ("ussd", "gsm0", "*100#")):
            asked = w.smsd(*command)
            assert asked.returncode == 1
            assert f"{tmp_path}/none is not there (is it plugged in?)" in asked.stderr
        assert '"/no/such/uhubctl" is no program' in w.log.read_text()
