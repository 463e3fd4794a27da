"""Copies, exports, erasing and campaigns from the command line, against the real daemon."""

import csv
import io
import json
from pathlib import Path

import pytest

from smsd.cli import main
from smsd.store.campaigns import BATCH
from tests.acceptance.world import World, until, world

ALICE, BOB = "+33612345678", "+33612345679"


def one(stdout: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(stdout)
    return found


def test_backup_while_it_runs_and_restore_when_it_does_not(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        w.reaches(w.send("before"), "delivered")
        config = ("--config", str(tmp_path / "smsd.toml"))
        made = w.smsd("backup", "--json")
        copy = Path(str(one(made.stdout)["file"]))
        assert (copy.parent, copy.stat().st_mode & 0o777) == (tmp_path, 0o600)
        w.reaches(w.send("after"), "delivered")
        refused = offline(w, "restore", str(copy), *config)
        assert (refused[0], "already running" in refused[1]) == (75, True)
        w.stop()
        damaged = tmp_path / "damaged"
        damaged.write_bytes(copy.read_bytes()[:5000])
        assert offline(w, "restore", str(damaged), *config)[0] == 1
        assert offline(w, "restore", str(copy), *config)[0] == 0
        w.start()
        w.available("gsm0")
        assert [row["text"] for row in w.get("/api/list/sended/")] == ["before"]
        assert len(list(tmp_path.glob("smsd.db.replaced-*"))) == 1
        w.stop()
        assert len(w.ctl("sent")) == 2


def offline(w: World, *args: str) -> tuple[int, str]:
    ran = w.smsd(*args)
    return ran.returncode, ran.stderr


def test_without_a_daemon_the_backup_is_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure()
        w.start()
        w.send("kept")
        w.kill()
        named = str(tmp_path / "copy.db")
        config = ("--config", str(tmp_path / "smsd.toml"), "--socket", str(tmp_path / "smsd.sock"))
        assert main(["backup", named, *config]) == 0
        assert "copy.db: " in capsys.readouterr().out
        assert main(["backup", named, *config]) == 1
        assert "is there already" in capsys.readouterr().err
        # What the killed daemon's journal held is in it: a restore gives it back, held.
        assert main(["restore", named, *config[:2], "--json"]) == 0
        w.start()
        assert w.message(1)["state"] == "uncertain"
        assert main(["backup", "--config", str(tmp_path / "none"), "--socket", "/none"]) == 78


def test_export_and_erase(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        for text, number in (("=1+1", ALICE), ("two", BOB)):
            w.reaches(w.send(text, number), "delivered")
        w.ctl("incoming", "modem0", ALICE, "hello\nyou")
        until("it is received", lambda: w.get("/api/list/received/"))
        table = w.smsd("export", "sended", "--format", "csv", "--since", "2000-01-01").stdout
        rows = list(csv.DictReader(io.StringIO(table)))
        assert [(row["text"], row["destination"]) for row in rows] == [
            ("'=1+1", ALICE),
            ("two", BOB),
        ]
        received = one(w.smsd("export", "received").stdout)
        assert received["text"] == "hello\nyou"
        assert w.smsd("export", "sended", "--until", "2000-01-01").stdout == ""
        wrong = w.smsd("export", "sended", "--since", "soon")
        assert (wrong.returncode, "since must be a date" in wrong.stderr) == (1, True)
        assert w.smsd("erase", ALICE).stdout.startswith("erased: 1 message, 1 raw")
        exported = w.smsd("export", "message").stdout + w.smsd("export", "received").stdout
        assert ALICE not in exported
        assert BOB in exported
        w.stop()
        assert ALICE[1:].encode() not in (tmp_path / "smsd.db").read_bytes()


def test_a_campaign_is_followed_and_cancelled(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(more="[dispatch]\npaused = true\n")
        w.start()
        numbers = [f"+336120{n:05}" for n in range(BATCH + 1)]
        id_ = w.post("/api/scheduled/", text="hi", numbers=[*numbers, numbers[0], "12"])
        until("all is expanded", lambda: w.get(f"/api/campaign/{id_}/")["state"] == "expanded")
        shown = one(w.smsd("campaign", str(id_), "--json").stdout)
        assert (shown["total"], shown["expanded"]) == (BATCH + 3, BATCH + 1)
        table = w.smsd("campaign").stdout
        assert f"1 duplicate, 1 invalid  {BATCH + 1} queued" in table
        assert w.smsd("cancel", str(id_)).stdout == f"{id_} is cancelled\n"
        assert f"{BATCH + 1} cancelled" in w.smsd("campaign", str(id_)).stdout
        assert w.smsd("cancel", str(id_)).returncode == 1
        assert w.smsd("campaign", "99").returncode == 1


def test_a_campaign_goes_on_after_a_kill_in_the_middle_and_doubles_nobody(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(more="[dispatch]\npaused = true\n")
        w.start()
        numbers = [f"+33612{n:06}" for n in range(20_000)]
        id_ = w.post("/api/scheduled/", text="hi", numbers=numbers)
        w.kill()
        w.start()
        found = until(
            "all is expanded",
            lambda: (c := w.get(f"/api/campaign/{id_}/"))["state"] == "expanded" and c,
        )
        assert found["messages"] == {"queued": 20_000}
        exported = w.smsd("export", "message").stdout.splitlines()
        assert [json.loads(line)["destination"] for line in exported] == numbers
