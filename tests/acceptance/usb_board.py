"""Run the daemon on a mocked USB bus: it sees devices by an unchanged udev library.

Started inside ``umockdev-wrapper``: ``usb_board.py COMMAND…``. Reads JSON lines: ``{"plug":
"1-1.3", "id": "2c7c:0125", "ttys": {"2": ["ttyUSB2", "/path/of/a/terminal"]}}`` and
``{"pull": "1-1.3"}``; prints a line when it is done.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.append("/usr/lib/python3/dist-packages")  # where Debian has gi

import gi  # type: ignore[import-not-found, unused-ignore]

gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev  # type: ignore[import-not-found, unused-ignore]  # noqa: E402


class Board:
    def __init__(self) -> None:
        self._bed = UMockdev.Testbed.new()
        self.root: str = self._bed.get_root_dir()
        self._dev = Path(self.root, "dev")
        self._dev.mkdir(exist_ok=True)
        self._there: dict[str, list[tuple[str, Path | None]]] = {}
        self._plugs = 1

    def plug(self, usb_path: str, id_: str, ttys: dict[str, list[str]]) -> None:
        vid, _, pid = id_.partition(":")
        self._plugs += 1
        usb = self._add(
            "usb", usb_path, None, "usb_device", idVendor=vid, idProduct=pid,
            devnum=str(self._plugs), bDeviceClass="00",
        )  # fmt: skip
        made: list[tuple[str, Path | None]] = [(usb, None)]
        for number, (name, terminal) in ttys.items():
            interface = self._add(
                "usb", f"{usb_path}:1.{number}", usb, "usb_interface",
                bInterfaceNumber=f"{int(number):02x}", bInterfaceClass="ff",
                bInterfaceSubClass="ff", bInterfaceProtocol="ff",
            )  # fmt: skip
            node = self._dev / name
            node.symlink_to(terminal)
            made += [(interface, None), (self._add("tty", name, interface, None), node)]
        self._there[usb_path] = made

    def _add(
        self, subsystem: str, name: str, parent: str | None, kind: str | None, **values: str
    ) -> str:
        attributes = [word for pair in values.items() for word in pair]
        properties = ["DEVTYPE", kind] if kind else ["DEVNAME", f"/dev/{name}"]
        path: str = self._bed.add_device(subsystem, name, parent, attributes, properties)
        return path

    def pull(self, usb_path: str) -> None:
        gone = self._there.pop(usb_path)
        for _, node in gone:  # all at once: umockdev ends a process that looks at one going
            if node is not None:
                node.unlink()
        for path, _ in reversed(gone):
            self._bed.uevent(path, "remove")
        for path, _ in reversed(gone):
            self._bed.remove_device(path)


def main() -> None:
    board = Board()
    environment = {**os.environ, "UMOCKDEV_DIR": board.root}
    daemon = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, env=environment)
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        if "plug" in order:
            board.plug(order["plug"], order["id"], order["ttys"])
        else:
            board.pull(order["pull"])
        sys.stdout.write("done\n")
        sys.stdout.flush()
    daemon.terminate()
    daemon.wait(20)


main()
