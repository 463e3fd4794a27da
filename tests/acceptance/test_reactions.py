"""STOP, commands, replies and webhooks with the real daemon, killed in the middle as well."""

import hashlib
import hmac
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from smsd.rules import RASPISMS_ANSWER
from tests.acceptance.world import World, until, world

SECRET = "the-secret-of-the-webhook"
PERSON = "+33699887766"
KILLS = 8
TEXTS = 40


class Receiver:
    """A program that is told of events, in a thread; every tenth request fails if it is flaky."""

    def __init__(self, *, flaky: bool) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.heard.append((dict(self.headers), body))
                self.send_response(500 if flaky and len(told.heard) % 10 == 0 else 200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    @property
    def events(self) -> list[Any]:
        return [json.loads(body) for _, body in list(self.heard)]


@contextmanager
def receiver(*, flaky: bool = False) -> Iterator[Receiver]:
    made = Receiver(flaky=flaky)
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()


def sent_to(w: World, number: str) -> list[str]:
    return [message["text"] for message in w.ctl("messages") if message["to"] == number]


def test_a_stop_a_command_and_a_question_are_dealt_with(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = f"import sys; open({str(out)!r}, 'a').write(sys.stdin.read()); print('pump is on')"
    with world(tmp_path, "--modems", "1") as w, receiver() as r:
        more = f"""
            [[command]]
            name = "pump"
            program = {json.dumps([sys.executable, "-c", code])}
            senders = ["{PERSON}"]
            answer = true
            [[autoreply]]
            name = "hours"
            keyword = "hours"
            text = "We are open from 9 to 18."
            [[webhook]]
            name = "crm"
            url = "{r.url}"
            events = ["receive_sms", "send_sms", "send_sms_status_change"]
            secret = "{SECRET}"
        """
        w.configure(w.modem(0), more=more)
        w.start()
        w.available("gsm0")
        w.ctl("incoming", "modem0", PERSON, "PUMP on; $(rm -rf /)")
        until("the command's answer", lambda: "pump is on" in sent_to(w, PERSON))
        assert json.loads(out.read_text())["arguments"] == "on; $(rm -rf /)"
        w.ctl("incoming", "modem0", PERSON, "Hours?")
        until("the reply", lambda: "We are open from 9 to 18." in sent_to(w, PERSON))
        w.ctl("incoming", "modem0", PERSON, "Stop.")
        until("the confirmation", lambda: RASPISMS_ANSWER in sent_to(w, PERSON))
        message = w.send("an advertisement", number=PERSON)
        assert w.message(message)["error"]["class"] == "stopped"
        assert PERSON in w.smsd("list", "smsstop").stdout
        listed = w.smsd("list", "command", "--json").stdout
        assert json.loads(listed)["state"] == "done"
        until("ten events", lambda: len(r.heard) >= 10)
        received = [e["data"]["text"] for e in r.events if e["type"] == "receive_sms"]
        assert received == ["PUMP on; $(rm -rf /)", "Hours?", "Stop."]
        assert {e["data"]["status"] for e in r.events if e["type"] == "send_sms_status_change"} == {
            "delivered"
        }
        for headers, body in r.heard:
            signed = headers["X-Smsd-Timestamp"].encode() + b"." + body
            digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
            assert headers["X-Smsd-Signature"] == f"sha256={digest}"
        shown = w.smsd("webhooks")
        assert "127.0.0.1" in shown.stdout
        assert w.smsd("webhooks", "1").returncode == 0
        assert w.smsd("webhooks", "1", "--resend").stdout == "0 are told once more\n"
        assert w.smsd("webhooks", "9").returncode == 1
        assert w.stop() == 0
        log = w.log.read_text()
        for secret in (SECRET, "advertisement", "rm -rf", PERSON, r.url):
            assert secret not in log


def test_killed_again_and_again_everything_is_done_once_and_told_in_order(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = (
        f"import os; os.write(os.open({str(out)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT), b'x')"
    )
    with world(tmp_path, "--modems", "1") as w, receiver(flaky=True) as r:
        more = f"""
            [inbox]
            answers_per_hour = 1000
            [stop]
            answer = "stopped"
            [[command]]
            name = "pump"
            program = {json.dumps([sys.executable, "-c", code])}
            senders = ["{PERSON}"]
        """
        w.configure(w.modem(0), more=more)
        w.start()
        w.available("gsm0")
        hook = w.post("/api/webhook/", url=r.url, events=["receive_sms"], secret=SECRET)
        for number in range(TEXTS):
            w.ctl("incoming", "modem0", f"+3361200{number:04d}", "stop")
            w.ctl("incoming", "modem0", PERSON, f"pump {number}")
            if number % (TEXTS // KILLS) == TEXTS // KILLS - 1:
                w.kill()
                w.start()
        w.available("gsm0")
        until("every text", lambda: len(_rows(w, "received")) == 2 * TEXTS)
        until("every command's end", lambda: _ended(w))
        until("every event", lambda: len({e["id"] for e in r.events}) == 2 * TEXTS)
        commands = _rows(w, "command")
        done = sum(row["state"] == "done" for row in commands)
        interrupted = [row for row in commands if row["state"] == "interrupted"]
        assert done + len(interrupted) == TEXTS
        assert done <= len(out.read_bytes()) <= TEXTS
        assert {row["number"] for row in _rows(w, "smsstop")} == {
            f"+3361200{number:04d}" for number in range(TEXTS)
        }
        answers = [row for row in _rows(w, "message") if row["text"] == "stopped"]
        assert len(answers) == len({row["destination"] for row in answers}) == TEXTS
        # At least once each, under one id, and none before those that were there before it.
        ids = [int(event["id"].rpartition("-")[2]) for event in r.events]
        assert ids == sorted(ids)
        texts = {(event["id"], event["data"]["id"]) for event in r.events}
        assert len(texts) == 2 * TEXTS
        assert w.get(f"/api/webhook/{hook}/")["dead_letters"] == 0


def _rows(w: World, entry: str) -> list[Any]:
    rows: list[Any] = []
    while page := w.get(f"/api/list/{entry}/after/{rows[-1]['id'] if rows else 0}/"):
        rows += page
    return rows


def _ended(w: World) -> bool:
    rows = _rows(w, "command")
    return len(rows) == TEXTS and all(row["ended_at"] for row in rows)
