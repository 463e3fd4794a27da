"""``smsd webhooks`` and what ``smsd list`` shows of stops, commands and replies."""

import json
from pathlib import Path

import pytest

from smsd.cli import main
from tests.acceptance.world import until, world

PERSON = "+33699887766"


def test_a_receiver_that_is_not_there_shows_and_costs_nothing(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        hook = """
            [[webhook]]
            name = "crm"
            url = "http://127.0.0.1:9/hook?key=hidden"
            events = ["receive_sms"]
            secret = "0123456789abcdef"
        """
        w.configure(w.modem(0), more=hook)
        w.start()
        w.available("gsm0")
        w.ctl("incoming", "modem0", PERSON, "hello")
        until("it fails", lambda: w.get("/health")["problems"])
        status = w.smsd("status")
        assert status.returncode == 1
        assert "crm has failed" in status.stdout
        assert "no connection: Connect" in status.stdout
        shown = w.smsd("webhooks")
        assert shown.returncode == 0
        line = shown.stdout.splitlines()[1].split()
        assert line[:4] == ["1", "crm", "127.0.0.1", "receive_sms"]
        assert "hidden" not in shown.stdout
        [row] = [json.loads(each) for each in w.smsd("webhooks", "--json").stdout.splitlines()]
        assert (row["source"], row["enabled"], row["dead_letters"]) == ("file", True, 0)
        letters = w.smsd("webhooks", "1")
        assert (letters.returncode, len(letters.stdout.splitlines())) == (0, 1)
        again = w.smsd("webhooks", "1", "--resend", "--json")
        assert json.loads(again.stdout) == {"resent": 0}
        refused = w.smsd("webhooks", "7", "--resend")
        assert (refused.returncode, "no webhook has this id" in refused.stderr) == (1, True)
        assert w.smsd("list", "smsstop").returncode == w.smsd("list", "command").returncode == 0
        assert w.stop() == 0
        assert "hidden" not in w.log.read_text()


def test_resending_wants_a_webhook() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["webhooks", "--resend"])
    assert ended.value.code == 2
