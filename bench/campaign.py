"""Large requests in figures: ``python bench/campaign.py [--million] [--cycles N]``.

Shown, not tested: how long 100,000 recipients take to be accepted, by each way that they can be
sent, until all of them are messages, and what the daemon's memory does meanwhile; how long a
single message needs to reach the network beside it; with ``--million`` the same for ten of them.
"""

import argparse
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from gateway import KEY, connect, memory, wait
from modems import World

RECIPIENTS = 100_000


def number(n: int) -> str:
    return f"+336{n:08d}"


def bodies() -> Iterator[tuple[str, str, bytes]]:
    """Each way to send them: its name, content type and body."""
    numbers = [number(n) for n in range(RECIPIENTS)]
    data = [{"name": f"Recipient {n}", "city": "Orléans"} for n in range(RECIPIENTS)]
    form = "application/x-www-form-urlencoded"
    fields = "".join(f"&numbers[]={quote_plus(n)}" for n in numbers)
    yield "form", form, f"text=Hello{fields}".encode()
    fields = "".join(
        f"&numbers[{i}][number]={quote_plus(n)}&numbers[{i}][data]=%7B%22n%22%3A{i}%7D"
        for i, n in enumerate(numbers)
    )
    yield "form with data", form, f"text=Hello{fields}".encode()
    yield "JSON", "application/json", json.dumps({"text": "Hello 🙂", "numbers": numbers}).encode()
    entries = [{"number": n, "data": d} for n, d in zip(numbers, data, strict=True)]
    body = json.dumps({"text": "Hello", "numbers": entries}, ensure_ascii=False).encode()
    yield "JSON with data", "application/json", body
    rows = "number,name,city\r\n" + "".join(
        f"{n},{d['name']},{d['city']}\r\n" for n, d in zip(numbers, data, strict=True)
    )
    yield (
        "CSV",
        "multipart/form-data; boundary=b",
        (
            '--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nHello\r\n--b\r\n'
            'Content-Disposition: form-data; name="numbers_csv"; filename="a.csv"\r\n'
            f"Content-Type: text/csv\r\n\r\n{rows}\r\n--b--\r\n"
        )
        .replace("\r\n\r\n--b--", "\r\n--b--")
        .encode(),
    )


def highest(pid: int, *, reset: bool = False) -> float:
    """The most megabytes that were resident since the last reset."""
    if reset:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no VmHWM")


def post(w: World, content_type: str, body: bytes) -> Any:
    connection = connect(w.run / "smsd.sock")
    headers = {"X-Api-Key": KEY, "Content-Type": content_type}
    connection.request("POST", "/api/scheduled/", body, headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    if answer["error"]:
        raise SystemExit(answer["message"])
    return answer["response"]


def expanded(w: World, campaign: Any) -> None:
    while w.ask(f"/api/campaign/{campaign}/")["state"] != "expanded":
        wait(0.1)


def beside(w: World, runs: int = 20) -> float:
    """Median milliseconds until a single message is accepted."""
    found = []
    for n in range(runs):
        began = time.perf_counter()
        w.ask("/api/scheduled/", text="alarm", numbers=number(n))
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--million", action="store_true")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        w = World(Path(folder), 1, paused=True)
        try:
            wait(1)
            pid = w.daemon.pid
            print(f"at rest: {memory(pid):.1f} MB; {RECIPIENTS} recipients as")
            for name, content_type, body in bodies():
                highest(pid, reset=True)
                began = time.perf_counter()
                campaign = post(w, content_type, body)
                accepted = time.perf_counter() - began
                after, peak = memory(pid), highest(pid)
                alone = beside(w)
                expanded(w, campaign)
                took = time.perf_counter() - began
                print(
                    f"  {name:15} {len(body) / 1e6:4.1f} MB  accepted in {accepted:5.2f} s  "
                    f"expanded after {took:5.1f} s  memory {peak:5.1f} MB at most, "
                    f"{after:5.1f} after, {memory(pid):5.1f} in the end; "
                    f"one message beside it {alone:.1f} ms"
                )
            if asked.million:
                _, content_type, body = next(bodies())
                for _ in range(5):
                    expanded(w, post(w, content_type, body))
                queued = w.ask("/health")["queue"]["queued"]
                print(f"  {queued} queued: {memory(pid):.1f} MB, {highest(pid):.1f} at most; "
                      f"one message {beside(w):.1f} ms")  # fmt: skip
        except http.client.HTTPException as error:
            raise SystemExit(f"the daemon gave no answer: {error}") from error
        finally:
            w.close()


if __name__ == "__main__":
    main()
