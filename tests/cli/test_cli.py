"""The command line as a person and a script use it: against the real daemon, and without one."""

import json
from pathlib import Path

import pytest

from smsd.cli import main
from smsd.cli.output import printable
from tests.acceptance.world import until, world


def test_send_queue_list_phones_and_status(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1", "--cloud", "smsmode") as w:
        w.configure(w.modem(0), w.smsmode())
        w.start()
        w.available("gsm0", "cloud0")
        sent = w.smsd("send", "+33612345678", "--text", "Hello €", "--phone", "gsm0", "--json")
        answer = json.loads(sent.stdout)
        assert (sent.returncode, answer["scheduled"], answer["messages"]) == (0, 1, [1])
        w.reaches(1, "delivered")
        story = w.smsd("queue", "1").stdout
        assert "message 1 to +33612345678: delivered" in story
        assert "part 1/1 sent reference 131" in story
        assert json.loads(w.smsd("queue", "1", "--json").stdout)["state"] == "delivered"
        piped = w.smsd("send", "+33612345678", text="from a pipe\n")
        assert (piped.returncode, piped.stdout) == (0, "accepted as 2; messages: 2\n")
        w.reaches(2, "delivered")
        rows = [json.loads(line) for line in w.smsd("list", "sended", "--json").stdout.splitlines()]
        assert [row["text"] for row in rows] == ["Hello €", "from a pipe"]
        assert "gsm0" in w.smsd("phones").stdout
        status = w.smsd("status")
        assert (status.returncode, "gsm0: available" in status.stdout) == (0, True)
        later = w.smsd("send", "+33612345678", "--text", "later", "--at", "2099-01-01 08:00:00")
        assert later.stdout == "accepted as 3; messages: later\n"
        assert "+33612345678" in w.smsd("list", "scheduled").stdout


def test_bad_input_is_refused_with_its_reason_and_stores_nothing(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        for arguments, words in (
            (("12", "--text", "x"), "Not valid"),
            (("+33612345678", "--text", "x" * 1001), "less than 1000"),
            (("+33612345678", "--text", "x", "--at", "tomorrow"), "Y-m-d H:i:s"),
            (("+33612345678", "--text", "x", "--phone", "gsm7"), "gsm7"),
            (("+33612345678", "--text", "x", "--phone", "99"), "id_phone"),
            (("+33612345678", "--text", ""), "text"),
        ):
            refused = w.smsd("send", *arguments)
            assert (refused.returncode, words in refused.stderr) == (1, True), arguments
        assert w.get("/api/list/message/") == []
        assert w.get("/api/list/scheduled/") == []
        assert w.smsd("queue", "7").returncode == 1
        partly = w.smsd("send", "+33612345678", "0612", "--text", "to one of two")
        assert (partly.returncode, "0612" in partly.stderr) == (0, True)


def test_the_same_key_sends_once(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        command = ("send", "+33612345678", "--text", "backup failed", "--key", "night-1")
        first, again = w.smsd(*command), w.smsd(*command)
        assert first.stdout == again.stdout
        w.available("gsm0")
        w.reaches(1, "delivered")
        assert len(w.ctl("sent")) == 1
        other = w.smsd("send", "+33612345678", "--text", "else", "--key", "night-1")
        assert other.returncode == 1


def test_without_a_daemon_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--socket", str(tmp_path / "none")]) == 69
    assert "no daemon answers" in capsys.readouterr().err


def test_a_wrong_configuration_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "smsd.toml"
    path.write_text('[[phone]]\nname = "a"\nadapter = "modem"\ndevice = "/dev/x"\npiority = 1\n')
    for command in ("check", "run"):
        assert main([command, "--config", str(path)]) == 78
        told = capsys.readouterr().err
        assert f'{path}: phone[0].piority: unknown key; did you mean "priority"?' in told
    path.write_text('[[user]]\nname = "a"\napi_key = "secret-key"\n')
    assert main(["check", "--config", str(path), "--print"]) == 0
    shown = capsys.readouterr().out
    assert "secret-key" not in shown
    assert '"/run/smsd/smsd.sock"' in shown


def test_an_empty_configuration_runs_and_answers(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure()
        w.start()
        message = w.send("to nobody yet")
        assert w.message(message)["route"] == "waits: no phone is configured"
        assert w.smsd("status").returncode == 1


def test_a_text_cannot_steer_the_terminal(tmp_path: Path) -> None:
    assert printable("a\x1b[31mb\nc") == "a [31mb c"
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        w.ctl("incoming", "modem0", "+33699887766", "evil \u009b31m text")
        until("it is received", lambda: w.get("/api/list/received/"))
        assert "\x9b" not in w.smsd("list", "received").stdout


def test_wrong_usage_ends_with_2() -> None:
    for arguments in ([], ["send"], ["list", "nonsense"], ["nonsense"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
