"""Makes devices that an unchanged pyudev sees: the other half of `bus`, under umockdev-wrapper.

It runs in the interpreter that has PyGObject, takes a line of JSON on stdin for each event, and
ends with its stdin. Its first line tells the folder that a client needs as UMOCKDEV_DIR.
"""

import json
import sys
from pathlib import Path
from typing import Any


class Testbed:
    """One umockdev testbed; `apply` does what a message says."""

    def __init__(self) -> None:
        import gi  # type: ignore[import-not-found,unused-ignore]

        gi.require_version("UMockdev", "1.0")
        from gi.repository import UMockdev  # type: ignore[import-not-found,unused-ignore]

        class Through(UMockdev.IoctlBase):  # type: ignore[misc,unused-ignore]
            """Runs a terminal's ioctl where the client called it: the node is a real terminal."""

            def do_handle_ioctl(self, client: Any) -> bool:
                result, number = client.execute()
                client.complete(result, number)
                return True

        self._through = Through
        self._handlers: dict[str, Any] = {}
        self._testbed = UMockdev.Testbed.new()
        self.root = Path(self._testbed.get_root_dir())
        self._paths: dict[str, str] = {}
        hub = [("idVendor", "1d6b"), ("idProduct", "0002"), ("product", "xHCI Host Controller")]
        self._hub = self._testbed.add_device(
            "usb", "usb1", None, _flat(dict(hub)), _flat({"DEVTYPE": "usb_device"})
        )

    def apply(self, message: dict[str, Any]) -> None:
        """Add, remove or change one device."""
        name = message["name"]
        if message["do"] == "add":
            self._add(message)
        elif message["do"] == "remove":
            path = self._paths.pop(name, None)
            if path is not None:
                self._testbed.uevent(path, "remove")
                self._testbed.remove_device(path)
                if self._handlers.pop(name, None) is not None:
                    self._testbed.detach_ioctl(f"/dev/{name}")
                    (self.root / "dev" / name).unlink(missing_ok=True)
        elif name in self._paths:
            self._testbed.uevent(self._paths[name], message["do"])

    def path(self, name: str) -> str:
        """Give where a device lies in the file system, empty when it is gone."""
        return str(self.root) + self._paths[name] if name in self._paths else ""

    def _add(self, message: dict[str, Any]) -> None:
        name, parent = message["name"], message["parent"]
        # The node exists before anybody hears of it.
        if message["link"]:
            node = self.root / "dev" / name
            node.parent.mkdir(parents=True, exist_ok=True)
            node.unlink(missing_ok=True)
            node.symlink_to(message["link"])
            self._handlers[name] = self._through()
            self._testbed.attach_ioctl(f"/dev/{name}", self._handlers[name])
        self._paths[name] = self._testbed.add_device(
            message["subsystem"],
            name.removesuffix("@serial"),
            self._paths[parent] if parent else self._hub,
            _flat(message["attributes"]),
            _flat(message["properties"]),
        )


def _flat(table: dict[str, str]) -> list[str]:
    return [text for pair in table.items() for text in pair]


def main() -> None:
    """Run until stdin ends."""
    testbed = Testbed()
    print(json.dumps({"root": str(testbed.root)}), flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        testbed.apply(message)
        print(json.dumps({"path": testbed.path(message["name"])}), flush=True)


if __name__ == "__main__":
    main()
