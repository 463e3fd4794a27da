"""``smsd queue``, ``cancel`` and what ``send`` says of order and time, against the real daemon."""

import json
from pathlib import Path

import pytest

from smsd.cli import main
from tests.acceptance.world import World, until, world


def story(w: World, message: int) -> str:
    return w.smsd("queue", str(message)).stdout


def test_pause_resume_cancel_and_priorities(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        paused = w.smsd("queue", "pause")
        assert (paused.returncode, "PAUSED: nothing is sent" in paused.stdout) == (0, True)
        for text, more in (("news", ()), ("never", ()), ("alert", ("--priority", "100"))):
            sent = w.smsd("send", "+33612345678", "--text", text, *more)
            assert sent.returncode == 0
        w.kill()
        w.start()  # a pause outlives it
        w.available("gsm0")
        status = w.smsd("status")
        assert (status.returncode, status.stdout.startswith("PAUSED")) == (1, True)
        assert "sending is paused" in w.smsd("queue").stdout
        assert "sending is paused" in story(w, 1)
        assert w.smsd("cancel", "2").stdout == "2 is cancelled\n"
        refused = w.smsd("cancel", "--message", "2")
        assert (refused.returncode, "it is cancelled" in refused.stderr) == (1, True)
        assert w.smsd("queue", "pause", "gsm0").returncode == 0
        assert json.loads(w.smsd("queue", "resume", "--json").stdout) == {
            "paused": False, "phones": [],
        }  # fmt: skip
        w.reaches(1, "delivered")
        w.reaches(3, "delivered")
        assert [sent["text"] for sent in w.ctl("sent")] == ["alert", "news"]
        held = w.smsd("send", "+33612345678", "--text", "x", "--hours", "mon,sun 03:00-03:01")
        assert held.returncode == 0
        assert "its hours begin at" in story(w, 4)
        wrong = w.smsd("send", "+33612345678", "--text", "x", "--hours", "office")
        assert (wrong.returncode, "send_windows" in wrong.stderr) == (1, True)


def test_a_message_in_doubt_is_settled(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.ctl("network", "reports", "off")
        w.start()
        for number in (1, 2):
            w.available("gsm0")
            w.ctl("network", "latency", "3")
            w.send(f"in doubt {number}")
            until("a part on the wire", lambda n=number: _begun(w, n))  # type: ignore[misc]
            w.kill()
            w.ctl("network", "latency", "0")
            w.start()
            w.reaches(number, "uncertain")
        w.available("gsm0")
        for usage in (("resolve", "1"), ("resolve", "--sent"), ("1", "--sent"), ("mend", "1")):
            assert w.smsd("queue", *usage).returncode == 2
        dropped = w.smsd("queue", "resolve", "1", "--drop")
        assert (dropped.returncode, dropped.stdout) == (0, "message 1 is failed now\n")
        assert "given up by local user" in story(w, 1)
        again = w.smsd("queue", "resolve", "1", "--sent")
        assert (again.returncode, "it is failed, not uncertain" in again.stderr) == (1, True)
        resent = w.smsd("queue", "resolve", "2", "--resend", "--json")
        assert json.loads(resent.stdout)["message"] == 2
        w.reaches(2, "sent")
        assert w.smsd("queue", "resolve", "9", "--drop").returncode == 1


def _begun(w: World, message: int) -> bool:
    attempts = w.message(message)["attempts"]
    return any(part["state"] == "begun" for attempt in attempts for part in attempt["parts"])


def test_the_forms_are_shown_to_who_gets_them_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue", "pause", "a", "--sent"]) == 2
    assert "smsd queue resolve ID --sent" in capsys.readouterr().err
