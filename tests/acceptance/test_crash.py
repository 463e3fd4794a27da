"""SIGKILL at ten points of a run: nothing lost, nothing doubled, what is in doubt says so."""

from collections import Counter
from pathlib import Path

from tests.acceptance.world import World, until, world

MESSAGES = 100
KILLS = 10


def test_killed_ten_times_in_a_run_of_a_hundred_messages(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1", "--latency", "0.005") as w:
        w.configure(w.modem(0))
        w.ctl("network", "reports", "off")  # so that no report settles what is in doubt
        w.start()
        w.available("gsm0")
        accepted = {w.send(f"message {n}", number=f"+3361200{n:04d}"): n for n in range(MESSAGES)}
        for kill in range(KILLS):
            wanted = (kill + 1) * MESSAGES // (KILLS + 1)
            until(f"{wanted} messages at the network", lambda n=wanted: len(w.ctl("sent")) >= n)  # type: ignore[misc]
            w.kill()
            w.start()
        until("the end of the queue", lambda: _settled(w.get("/health")["queue"]))
        seen = Counter(message["text"] for message in w.ctl("sent"))
        states = {number: w.message(number)["state"] for number in accepted}
        uncertain = {n for n, state in states.items() if state == "uncertain"}
        doubled = [text for text, count in seen.items() if count > 1]
        lost = [
            n for n, nth in accepted.items() if not seen[f"message {nth}"] and n not in uncertain
        ]
        assert doubled == []
        assert lost == []
        assert all(states[n] == "sent" for n in accepted if n not in uncertain)
        assert len(uncertain) <= KILLS
        # What was in doubt is still there after one more start, and still not sent again.
        w.kill()
        w.start()
        w.available("gsm0")
        assert {n for n in accepted if w.message(n)["state"] == "uncertain"} == uncertain
        assert len(w.ctl("sent")) == sum(seen.values())


def test_killed_between_the_parts_of_a_long_message_the_rest_follows_once(tmp_path: Path) -> None:
    text = "a long message of many parts " * 30
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        w.ctl("network", "latency", "0.15")
        message = w.send(text)
        until("two parts at the network", lambda: len(w.ctl("sent")) >= 2)
        w.kill()
        w.ctl("network", "latency", "0")
        w.start()
        w.available("gsm0")
        # If the part on the wire had gone, its report settles it and the others follow; if it had
        # not, nobody can know, and it is held.
        state = until("its state", lambda: _known(w, message))
        numbers = [sent["concat"]["number"] for sent in w.ctl("sent")]
        assert numbers == list(range(1, len(numbers) + 1))
        [whole] = w.ctl("messages")
        assert whole["complete"] is (state == "delivered")
        if state == "delivered":
            assert (whole["text"], whole["times_received"]) == (text, 1)


def test_what_came_in_while_it_was_killed_is_stored_once(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure(w.modem(0))
        w.start()
        w.available("gsm0")
        for number in range(30):
            w.ctl("incoming", "modem0", "+33699887766", f"incoming {number} " + "x" * 170)
            if number % 6 == 5:
                w.kill()
                w.start()
        w.available("gsm0")
        until("all of them", lambda: len(_received(w)) >= 30)
        texts = Counter(row["text"].split()[1] for row in _received(w))
        assert texts == Counter(str(number) for number in range(30))


def _known(w: World, message: int) -> str | None:
    """Delivered; or uncertain, while the network has not got the part in doubt."""
    story = w.message(message)
    if story["state"] == "delivered":
        return "delivered"
    begun = [part for part in story["attempts"][-1]["parts"] if part["state"] == "begun"]
    held = {sent["concat"]["number"] for sent in w.ctl("sent")}
    if story["state"] == "uncertain" and begun and begun[0]["number"] not in held:
        return "uncertain"
    return None


def _received(w: World) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    while page := w.get(f"/api/list/received/after/{rows[-1]['id'] if rows else 0}/"):
        rows += page
    return rows


def _settled(queue: dict[str, int]) -> bool:
    return queue["queued"] == queue["claimed"] == 0
