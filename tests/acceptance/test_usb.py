"""The real daemon on a mocked USB bus, with an unchanged udev library (Debian's umockdev)."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.world import PATIENCE, World, program, until, world

BOARD = Path(__file__).with_name("usb_board.py")
HAVE = shutil.which("umockdev-wrapper") is not None and Path("/usr/lib/python3/dist-packages/gi")
pytestmark = pytest.mark.skipif(
    not HAVE, reason="needs umockdev, gir1.2-umockdev-1.0 and python3-gi"
)
EC25 = "2c7c:0125"


class Bus:
    """The USB bus of a daemon that runs on it."""

    def __init__(self, w: World, board: "subprocess.Popen[str]") -> None:
        self._w = w
        self._board = board

    def plug(self, usb_path: str, modem: int | None, first: int = 0, id_: str = EC25) -> None:
        """A stick whose AT port is a modem of the simulator's; its other ports lead nowhere."""
        nowhere = str(self._w.folder / "nowhere")
        ttys = {number: [f"ttyUSB{first + number}", nowhere] for number in range(4)}
        ttys[2][1] = f"{self._w.folder}/hw/modem{modem}"
        self._order(plug=usb_path, id=id_, ttys=ttys if modem is not None else {})

    def pull(self, usb_path: str) -> None:
        self._order(pull=usb_path)

    def _order(self, **order: Any) -> None:
        assert self._board.stdin is not None
        assert self._board.stdout is not None
        self._board.stdin.write(json.dumps(order) + "\n")
        self._board.stdin.flush()
        assert self._board.stdout.readline()


@contextmanager
def bus(w: World) -> Iterator[Bus]:
    """Start the daemon on a bus without devices; it answers when this returns."""
    config = str(w.folder / "smsd.toml")
    command = ["umockdev-wrapper", sys.executable, str(BOARD), program("smsd"), "run"]
    with open(w.log, "ab") as log:
        board = subprocess.Popen(
            [*command, "--config", config],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        until("the API answers", lambda: w.get("/health"))
        yield Bus(w, board)
    finally:
        board.communicate(timeout=PATIENCE)


def available(w: World, *names: str) -> None:
    """Wait until these are there and available."""
    for name in names:
        until(
            f"{name} is available",
            lambda name=name: phones(w).get(name, {}).get("status") == "available",  # type: ignore[misc]
        )


def phones(w: World) -> dict[str, Any]:
    return {phone["name"]: phone for phone in w.get("/health")["phones"]}


def imei(w: World, modem: int) -> str:
    return str(w.modems[modem]["imei"])


def test_sticks_become_phones_and_stay_themselves_when_they_change_places(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "2") as w:
        w.configure()
        names = [f"modem-{imei(w, number)[-6:]}" for number in range(2)]
        with bus(w) as usb:
            assert phones(w) == {}
            usb.plug("1-1.3", 0)
            available(w, names[0])
            usb.plug("1-1.4", 1, first=4)
            available(w, *names)
            before = phones(w)
            assert [before[name]["usb_path"] for name in names] == ["1-1.3", "1-1.4"]
            assert [before[name]["device"] for name in names] == ["/dev/ttyUSB2", "/dev/ttyUSB6"]
            for number, usb_path in enumerate(("1-1.3", "1-1.4")):
                w.ctl("unplug", f"modem{number}")
                usb.pull(usb_path)
            until("both are missed", lambda: "is not there" in str(phones(w)[names[1]]["reason"]))
            queued = w.send("waits for its stick", id_phone=before[names[0]]["id"])
            for number in range(2):
                w.ctl("plug", f"modem{number}")
            usb.plug("1-1.3", 1, first=0)
            began = time.monotonic()
            usb.plug("1-1.4", 0, first=4)
            w.reaches(queued, "sent", "delivered")
            assert time.monotonic() - began < 5
            available(w, *names)
            after = phones(w)
            assert [after[name]["usb_path"] for name in names] == ["1-1.4", "1-1.3"]
            assert [after[name]["id"] for name in names] == [before[n]["id"] for n in names]
        with bus(w) as usb:  # known over a restart, and waited for
            assert {name: p["status"] for name, p in phones(w).items()} == dict.fromkeys(
                names, "unavailable"
            )
            usb.plug("2-1", 0, first=7)
            available(w, names[0])
            assert phones(w)[names[0]]["id"] == before[names[0]]["id"]
        w.configure(f'name = "gsm0"\nadapter = "modem"\nimei = "{imei(w, 0)}"')
        with bus(w) as usb:  # a name of its own: it is the same phone
            usb.plug("1-1.3", 0)
            available(w, "gsm0")
            assert phones(w)["gsm0"]["id"] == before[names[0]]["id"]


def test_a_stick_in_storage_mode_is_told_with_what_mends_it(tmp_path: Path) -> None:
    with world(tmp_path, "--modems", "1") as w:
        w.configure('name = "gsm0"\nadapter = "modem"\nusb_path = "1-1.3"')
        with bus(w) as usb:
            usb.plug("1-1.3", None, id_="12d1:1446")
            until("the hint", lambda: "usb_modeswitch" in str(phones(w)["gsm0"]["hint"]))
            assert any("storage mode" in problem for problem in w.get("/health")["problems"])
            usb.pull("1-1.3")
            usb.plug("1-1.3", 0)
            available(w, "gsm0")
            assert not any("storage mode" in problem for problem in w.get("/health")["problems"])
            shown = w.smsd("phones", "--ports").stdout
            [line] = [line for line in shown.splitlines() if "/dev/ttyUSB2" in line]
            assert line.split()[:2] == ["1-1.3", EC25]
            assert "gsm0" in line
            assert "gps" in shown
