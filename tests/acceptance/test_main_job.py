"""In on the socket, out through a modem, by the cloud at the limit, and back in."""

import re
from pathlib import Path

from tests.acceptance.world import API_KEY, World, until, world

EMOJI = "Alarm 🚨 " + "the pump has stopped, the water rises. " * 4
LONG = "Grüße aus dem Keller " * 20 + "👍"


def test_a_long_text_leaves_in_parts_and_its_report_comes_back(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        message = w.reaches(w.send(EMOJI), "delivered")
        [attempt] = message["attempts"]
        assert [part["number"] for part in attempt["parts"]] == [1, 2, 3]
        assert all(part["reference"].isdigit() for part in attempt["parts"])
        assert [change["state"] for change in message["changes"]] == [
            "queued",
            "claimed",
            "sent",
            "delivered",
        ]
        [seen] = w.ctl("messages")
        assert (seen["text"], seen["times_received"]) == (EMOJI, 1)


def test_a_long_incoming_text_is_joined_once_and_leaves_the_memory(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        w.ctl("incoming", "modem0", "+33699887766", LONG, "--reverse", "--repeat", "2")
        w.ctl("incoming", "modem0", "Bank", "Code 4711")
        received = until(
            "both messages", lambda: len(rows := w.get("/api/list/received/")) == 2 and rows
        )
        assert {(row["origin"], row["text"]) for row in received} == {
            ("+33699887766", LONG),
            ("Bank", "Code 4711"),
        }
        until("an empty memory", lambda: _empty(w))


def test_what_lies_in_the_memories_at_the_start_is_taken_in(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.ctl("incoming", "modem0", "+33699887766", "waiting since yesterday")
        until("it lies there", lambda: not _empty(w))
        w.start()
        [row] = until("it is taken in", lambda: w.get("/api/list/received/"))
        assert row["text"] == "waiting since yesterday"
        until("an empty memory", lambda: _empty(w))


def test_at_the_limit_the_cloud_takes_over_and_the_message_tells_why(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1", "--cloud", "smsmode") as w:
        limits = '[{ volume = 2, startpoint = "today" }]'
        w.configure(w.modem(0, limits=limits, fallback='["cloud0"]'), w.smsmode())
        w.start()
        w.available("gsm0", "cloud0")
        for text in ("one", "two"):
            w.reaches(w.send(text, id_phone=1), "delivered")
        assert w.phone("gsm0")["status"] == "limit_reached"
        message = w.reaches(w.send("three", id_phone=1), "delivered")
        assert message["attempts"][0]["phone"] == "cloud0"
        assert "limit_reached" in message["route"]
        assert "2 of 2 parts since today" in message["route"]
        assert [sent["text"] for sent in w.ctl("sent")] == ["one", "two"]
        assert [sent["message"] for sent in w.ctl("cloud", "smsmode", "sent")] == ["three"]
        row = next(row for row in w.get("/api/list/phone/") if row["name"] == "gsm0")
        assert row["status"] == "limit_reached"


def test_a_text_too_long_for_what_is_left_of_the_limit_is_never_half_sent(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1", "--cloud", "smsmode") as w:
        limits = '[{ volume = 2, startpoint = "-24 hours" }]'
        w.configure(w.modem(0, limits=limits), w.smsmode())
        w.start()
        w.available("gsm0", "cloud0")
        message = w.reaches(w.send(EMOJI, id_phone=1), "sent", "delivered")
        assert message["attempts"][0]["phone"] == "cloud0"
        assert w.ctl("sent") == []


def test_a_cloud_answer_that_proves_nothing_leaves_the_message_in_doubt(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1", "--cloud", "smsmode") as w:
        w.configure(w.modem(0), w.smsmode())
        w.start()
        w.available("gsm0", "cloud0")
        cloud = next(p["id"] for p in w.get("/api/list/phone/") if p["name"] == "cloud0")
        w.ctl("cloud", "smsmode", "fault", "close")
        message = w.reaches(w.send("once", id_phone=cloud), "uncertain")
        assert message["error"]["class"] == "ambiguous"
        assert len(w.ctl("cloud", "smsmode", "sent")) == 1
        assert w.ctl("sent") == []


def test_scheduled_messages_wait_are_listed_and_can_be_taken_back(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        scheduled = w.post(
            "/api/scheduled/",
            text="later",
            numbers=["+33612345678", {"number": "+33612345679", "data": '{"a":1}'}],
            at="2099-01-01 10:00:00",
            tag="campaign",
        )
        [row] = w.get("/api/list/scheduled/")
        assert (row["id"], row["at"], row["tag"]) == (scheduled, "2099-01-01 10:00:00", "campaign")
        assert [number["number"] for number in row["numbers"]] == ["+33612345678", "+33612345679"]
        path = f"/api/scheduled/{scheduled}/"
        assert w.request("DELETE", path, X_Api_Key=API_KEY) == (204, None)
        assert w.get("/api/list/scheduled/") == []
        status, envelope = w.request("DELETE", path, X_Api_Key=API_KEY)
        assert (status, envelope["error"]) == (400, 32)


def test_no_text_key_or_number_is_in_the_log(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1", "--cloud", "smsmode", "--pin", "4711") as w:
        w.configure(w.modem(0, pin='"4711"'), w.smsmode(), more="")
        text = (w.folder / "smsd.toml").read_text().replace('"info"', '"debug"')
        (w.folder / "smsd.toml").write_text(text)
        w.start()
        w.available("gsm0", "cloud0")
        w.reaches(w.send("a secret text"), "delivered")
        w.ctl("incoming", "modem0", "+33699887766", "another secret text")
        until("it is received", lambda: w.get("/api/list/received/"))
        w.stop()
        log = w.log.read_text()
        secrets = ("secret text", "4711", API_KEY, w.cloud["smsmode"]["access_token"])
        found = [secret for secret in (*secrets, "33612345678", "33699887766") if secret in log]
        assert not found
        assert re.search(r"message sent .*parts=1", log)


def _empty(w: World) -> bool:
    return all(memory["used"] == 0 for memory in w.ctl("modem", "modem0")["storage"].values())
