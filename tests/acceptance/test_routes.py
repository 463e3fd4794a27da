"""Routes, groups, limits and guards of the real daemon, as configured in its file."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.acceptance.world import until, world

FRENCH, GERMAN = "+33612345678", "+4915112345678"
DISPATCH = """
[dispatch]
timezone = "Europe/Paris"
routes = [{ prefix = "+336", phone = "gsm1" }]
flood = { volume = 3, startpoint = "-1 hour" }
"""


def test_messages_go_as_the_file_says_and_tell_why(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "2") as w:
        limits = '[{ volume = 2, startpoint = "this month midnight" }]'
        w.configure(w.modem(0, limits=limits, limit_unit='"messages"'), w.modem(1), more=DISPATCH)
        w.start()
        w.available("gsm0", "gsm1")
        routed = w.reaches(w.send("by route", FRENCH), "delivered")
        assert routed["route"] == "gsm1: by the route for +336, priority 0"
        group = w.post("/api/phone_group/", name="north", phones=[w.phone("gsm0")["id"]])
        sent = w.smsd("send", GERMAN, "--text", "é" * 100, "--group", "north", "--json")
        [message] = json.loads(sent.stdout)["messages"]
        told = w.reaches(message, "sent", "delivered")
        assert told["route"] == f"gsm0: of phone group {group}, priority 0"
        assert told["id_phone_group"] == group
        [limit] = w.phone("gsm0")["limits"]
        assert (limit["used"], limit["left"], limit["unit"]) == (1, 1, "messages")
        assert limit["resets_at"].endswith(("-01T00:00:00+01:00", "-01T00:00:00+02:00"))
        assert "1/2 messages since this month midnight" in w.smsd("phones").stdout
        assert "resets at" in w.smsd("status").stdout
        assert "north" in w.smsd("list", "phone_group").stdout
        for _ in range(2):
            w.reaches(w.send("more", FRENCH), "delivered")
        refused = w.message(w.send("too much", FRENCH))
        assert (refused["state"], refused["error"]["code"]) == ("failed", "FLOOD")
        assert "dispatch.flood" in w.smsd("queue", str(refused["id"])).stdout


def test_a_bar_and_the_routes_are_there_again_after_a_restart(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "2") as w:
        w.configure(w.modem(0), w.modem(1), more=DISPATCH)
        w.start()
        w.available("gsm0", "gsm1")
        barred = w.phone("gsm1")["id"]
        assert w.stop() == 0
        now = round(time.time() * 1000)
        with closing(sqlite3.connect(tmp_path / "smsd.db")) as database, database:
            database.execute(
                "INSERT INTO phone_bar VALUES (?, 'operator', 'limit_reached', 'not today', NULL,"
                " ?, ?, 0)",
                (barred, now - 1000, now + 3_600_000),
            )
        w.start()
        w.available("gsm0")
        until("the bar is told", lambda: w.phone("gsm1")["status"] == "limit_reached")
        assert w.phone("gsm1")["reason"] == "not today"
        assert w.phone("gsm1")["until"] is not None
        waits = w.message(w.send("waits", FRENCH))
        assert waits["route"] == "waits: gsm1 is limit_reached: not today"
        w.reaches(w.send("passes", GERMAN), "delivered")
        assert w.message(waits["id"])["state"] == "queued"
