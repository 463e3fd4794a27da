"""What goes wrong with modems, ports, PINs, instances and stops is told, and nothing doubles."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.world import program, until, world


def test_a_modem_that_is_not_there_is_waited_for_and_the_api_answers(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.ctl("unplug", "modem0")
        w.configure(w.modem(0))
        w.start()
        until("it is missed", lambda: "is not there" in w.phone("gsm0")["reason"])
        message = w.send("as soon as you can")
        assert w.message(message)["state"] == "queued"
        assert "gsm0" in w.message(message)["route"]
        w.ctl("plug", "modem0")
        w.reaches(message, "delivered")


@pytest.mark.parametrize("exclusive", ["True", "False"])
def test_a_port_that_is_held_names_its_holder(tmp_path: Path, exclusive: str) -> None:
    with world(tmp_path, "--modems", "1") as w:
        opened = f"s = serial.Serial(sys.argv[1], exclusive={exclusive})"
        script = f"import serial, sys; {opened}; print(); input()"
        holder = subprocess.Popen(
            [sys.executable, "-c", script, w.modems[0]["path"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert holder.stdout is not None
        holder.stdout.readline()
        w.configure(w.modem(0))
        w.start()
        until("the holder", lambda: f"pid {holder.pid}" in (w.phone("gsm0")["reason"] or ""))
        holder.communicate(b"\n")
        w.available("gsm0")


def test_a_wrong_pin_is_tried_once_over_three_starts(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1", "--pin", "1234") as w:
        w.configure(w.modem(0, pin='"9999"'))
        for _ in range(3):
            w.start()
            until("the refusal", lambda: "PIN" in (w.phone("gsm0")["reason"] or ""))
            w.stop()
        state = w.ctl("modem", "modem0")
        assert (state["pin_entered"], state["pin_tries"]) == (1, 2)
        assert "9999" not in w.log.read_text()
        w.configure(w.modem(0, pin='"1234"'))
        w.start()
        w.available("gsm0")


def test_a_second_instance_ends_with_75_and_names_the_first(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        first = w.start()
        second = w.smsd("run", "--config", str(tmp_path / "smsd.toml"))
        assert second.returncode == 75
        assert f"pid {first.pid}" in second.stderr
        assert w.get("/health")["store"] == "ok"


def test_it_stops_within_five_seconds_when_idle(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1", "--cloud", "smsmode") as w:
        w.configure(w.modem(0), w.smsmode())
        w.start()
        w.available("gsm0", "cloud0")
        began = time.monotonic()
        assert w.stop() == 0
        assert time.monotonic() - began < 5
        assert not (tmp_path / "smsd.sock").exists()


def test_an_exchange_on_the_wire_is_finished_before_the_end(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        w.ctl("network", "latency", "0.4")
        long = w.send("many parts " * 60)
        until("the first part is on its way", lambda: w.message(long)["attempts"])
        assert w.stop() == 0
        seen = len(w.ctl("sent"))
        assert seen < 5
        w.ctl("network", "latency", "0")
        w.start()
        w.available("gsm0")
        message = w.reaches(long, "delivered")
        [whole] = w.ctl("messages")
        assert (whole["complete"], whole["times_received"]) == (True, 1)
        assert len(w.ctl("sent")) == len({s["concat"]["number"] for s in w.ctl("sent")})
        assert len(message["attempts"]) == 2


def test_a_refusal_that_is_final_fails_the_message_with_its_words(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        w.ctl("fault", "modem0", "cms", "1")
        message = w.reaches(w.send("to nobody"), "failed")
        assert message["error"]["code"] == "+CMS ERROR: 1"
        assert message["error"]["class"] == "permanent"
        assert w.ctl("sent") == []
        w.reaches(w.send("to somebody"), "delivered")


def test_silence_after_the_pdu_is_in_doubt_until_the_report_settles_it(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1", "--report-delay", "6") as w:
        w.configure(w.modem(0, send_timeout="2"))
        w.start()
        w.available("gsm0")
        w.reaches(w.send("first"), "sent")
        w.ctl("fault", "modem0", "silence")
        message = w.send("second")
        told = w.reaches(message, "uncertain")
        assert told["error"]["class"] == "ambiguous"
        w.reaches(message, "delivered")
        assert [sent["text"] for sent in w.ctl("sent")] == ["first", "second"]


def test_a_bare_error_after_the_pdu_is_in_doubt(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        w.ctl("network", "reports", "off")
        w.ctl("fault", "modem0", "error")
        w.reaches(w.send("perhaps"), "uncertain")
        w.reaches(w.send("surely"), "sent")
        assert [sent["text"] for sent in w.ctl("sent")] == ["perhaps", "surely"]


def test_an_answer_that_comes_late_is_its_own_command_s(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0, send_timeout="1"))
        w.start()
        w.available("gsm0")
        w.ctl("network", "reports", "off")
        w.ctl("fault", "modem0", "late", "3")
        late, following = w.send("late"), w.send("following")
        assert w.reaches(late, "sent")["attempts"][0]["parts"][0]["reference"] == "131"
        w.reaches(following, "sent")
        assert [sent["text"] for sent in w.ctl("sent")] == ["late", "following"]


def test_unplugged_after_the_pdu_it_is_in_doubt_and_the_rest_goes_on_after_the_replug(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        w.ctl("network", "reports", "off")
        w.ctl("fault", "modem0", "unplug-after", "1")
        doubtful = w.send("doubtful")
        w.reaches(doubtful, "uncertain")
        w.reaches(w.send("after the replug"), "sent")
        assert w.message(doubtful)["state"] == "uncertain"
        assert [sent["text"] for sent in w.ctl("sent")] == ["doubtful", "after the replug"]


def test_a_prompt_that_never_comes_sends_nothing_twice(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        w.ctl("fault", "modem0", "cms-prompt", "38")
        message = w.send("refused before the prompt")
        told = until("it waits", lambda: (m := w.message(message))["attempts"] and m)
        until("it is queued again", lambda: w.message(message)["state"] == "queued")
        assert told["id"] == message
        assert "network out of order" in w.message(message)["route"]
        assert w.ctl("sent") == []


def test_it_works_with_modems_that_split_answers_and_route_directly(tmp_path: Path) -> None:
    for personality in ("nasty", "noack"):
        folder = tmp_path / personality
        folder.mkdir()
        with world(folder, "--modems", "1", "--personality", personality) as w:
            w.configure(w.modem(0))
            w.start()
            w.available("gsm0")
            text = "through a modem with habits of its own €" + "x" * 200
            w.ctl("incoming", "modem0", "+33699887766", text)
            w.reaches(w.send(text), "delivered")
            [row] = until("it is received", lambda w=w: w.get("/api/list/received/"))  # type: ignore[misc]
            assert row["text"] == text


def test_one_dead_modem_stops_no_other(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "2") as w:
        w.configure(w.modem(0), w.modem(1))
        w.start()
        w.available("gsm0", "gsm1")
        w.ctl("fault", "modem0", "dead")
        w.send("into the void", id_phone=1)
        for number in range(5):
            w.reaches(w.send(f"alive {number}", id_phone=2), "delivered")
        w.kill()


def test_a_socket_handed_over_by_systemd_is_served(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(tmp_path / "smsd.sock"))
        listening.listen()
        code = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3, inheritable=True); "
            "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid())); "
            "os.execv(sys.argv[2], sys.argv[2:])"
        )
        command = [sys.executable, "-c", code, str(listening.fileno()), program("smsd"), "run"]
        with open(w.log, "ab") as log:
            w.daemon = subprocess.Popen(
                [*command, "--config", str(tmp_path / "smsd.toml")],
                pass_fds=[listening.fileno()],
                stderr=log,
                start_new_session=True,
            )
        listening.close()
        until("the API answers", lambda: w.get("/health"))
        assert w.stop() == 0
        assert (tmp_path / "smsd.sock").exists()


def test_systemd_is_told(tmp_path: Path) -> None:
    with (
        world(tmp_path, "--modems", "1") as w,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
    ):
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(20)
        w.configure(w.modem(0))
        w.start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="400000")
        told: list[bytes] = []
        while not ({b"READY=1", b"WATCHDOG=1"} <= set(told) and told.count(b"WATCHDOG=1") > 2):
            told.append(notify.recv(4096))
        w.available("gsm0")
        until("a status line", lambda: b"gsm0 available" in notify.recv(4096))
        w.stop()
        while notify.recv(4096) != b"STOPPING=1":
            pass


def test_the_socket_is_for_owner_and_group(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        assert os.stat(tmp_path / "smsd.sock").st_mode & 0o777 == 0o660
        assert os.stat(tmp_path / "smsd.db").st_mode & 0o077 == 0


def test_a_stale_socket_file_is_replaced_and_a_live_one_is_not(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.kill()
        assert (tmp_path / "smsd.sock").exists()
        w.start()
        other = (tmp_path / "smsd.toml").read_text().replace("smsd.db", "other.db")
        (tmp_path / "other.toml").write_text(other)
        refused = w.smsd("run", "--config", str(tmp_path / "other.toml"))
        assert refused.returncode == 75
        assert "smsd.sock" in refused.stderr
