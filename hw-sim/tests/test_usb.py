"""What an unchanged pyudev sees when sticks are plugged and unplugged."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hwsim import control
from hwsim.personality import load, names
from hwsim.usb import bus, devices

from .running import running, wait_until

WATCHER = Path(__file__).with_name("udev_watcher.py")
PYUDEV = "/usr/bin/python3"


def usable() -> bool:
    try:
        bus.interpreter()
    except bus.Unavailable:
        return False
    probe = [PYUDEV, "-c", "import pyudev"]
    return Path(PYUDEV).exists() and subprocess.run(probe, capture_output=True).returncode == 0


needs_umockdev = pytest.mark.skipif(
    shutil.which(bus.WRAPPER) is None or not usable(), reason="umockdev and pyudev are not here"
)
Next = Callable[[], dict[str, Any]]


@contextmanager
def watcher(info: dict[str, Any], events: int) -> Iterator[Next]:
    """A client that lists and monitors; it ends by itself."""
    environment = {**os.environ, **info["usb"]["environment"]}
    command = [PYUDEV, "-W", "ignore", str(WATCHER), str(events)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        stream = process.stdout

        def following() -> dict[str, Any]:
            line = stream.readline()
            assert line, "no event in time"
            row: dict[str, Any] = json.loads(line)
            return row

        try:
            yield following
        finally:
            process.terminate()
            process.wait(5)


def ttys_until_ready(following: Next) -> list[dict[str, Any]]:
    rows = []
    while (row := following())["action"] != "ready":
        rows.append(row)
    return rows


@needs_umockdev
def test_pyudev_sees_a_stick_come_and_go(tmp_path: Path) -> None:
    with running(tmp_path, "--usb", "--personality", "huawei-e173", "--warm") as info:
        assert info["modems"][0]["ttys"] == [f"/dev/ttyUSB{n}" for n in range(5)]
        with watcher(info, 200) as following:
            there = ttys_until_ready(following)
            assert [row["interface"] for row in there] == ["00", "01", "02", "03", "04"]
            assert {row["ids"] for row in there} == {"12d1:1436"}
            assert {row["slot"] for row in there} == {"1-1.1"}
            assert {(row["class"], row["driver"], row["there"]) for row in there} == {
                ("ff", "option", True)
            }
            control.call(tmp_path, "unplug", "modem0")
            gone = [following() for _ in range(11)]
            assert {row["action"] for row in gone} == {"remove"}
            assert [row["node"] for row in gone if row["subsystem"] == "tty"] == [
                f"/dev/ttyUSB{n}" for n in (4, 3, 2, 1, 0)
            ]
            control.call(tmp_path, "plug", "modem0")
            back = [following() for _ in range(11)]
            assert {row["action"] for row in back} == {"add"}
            # Renumbered, as in the field.
            assert [row["node"] for row in back if row["subsystem"] == "tty"] == [
                f"/dev/ttyUSB{n}" for n in (5, 6, 7, 8, 9)
            ]


@needs_umockdev
def test_a_storage_is_switched_and_a_hilink_stick_has_no_tty(tmp_path: Path) -> None:
    with running(tmp_path, "--usb", "--personality", "zte-mf112", "--warm") as info:
        with watcher(info, 200) as following:
            assert len(ttys_until_ready(following)) == 3
            control.call(tmp_path, "usb", "storage", "modem0")
            rows = [following() for _ in range(9)]
            assert [row["action"] for row in rows[:7]] == ["remove"] * 7
            assert [row["ids"] for row in rows[7:]] == ["19d2:2000", "None:None"]
            control.call(tmp_path, "usb", "hilink", "1-1.7")
            rows = [following() for _ in range(2)]
            assert rows[0]["ids"] == "12d1:14db"
            control.call(tmp_path, "usb", "remove", "1-1.7")
        assert control.call(tmp_path, "usb", "list")["devices"] == {"1-1.1": []}


@needs_umockdev
def test_unplugged_in_the_middle_of_appearing(tmp_path: Path) -> None:
    options = ("--usb", "--personality", "huawei-e173", "--warm")
    with running(tmp_path, *options) as info, watcher(info, 200) as following:
        ttys_until_ready(following)
        control.call(tmp_path, "unplug", "modem0")
        for _ in range(11):
            following()
        control.call(tmp_path, "plug", "modem0")
        assert following()["name"] == "1-1.1"
        while following()["subsystem"] != "tty":
            pass
        control.call(tmp_path, "unplug", "modem0")
        actions: list[tuple[str, str]] = []
        while not actions or actions[-1] != ("remove", "1-1.1"):
            row = following()
            actions.append((row["action"], row["name"]))
        assert control.call(tmp_path, "usb", "list")["devices"] == {}


@needs_umockdev
def test_two_of_a_kind_are_told_apart_by_their_place(tmp_path: Path) -> None:
    options = ("--usb", "--modems", "2", "--personality", "huawei-e3372-stick", "--warm")
    with running(tmp_path, *options) as info, watcher(info, 200) as following:
        there = ttys_until_ready(following)
        assert len({row["node"] for row in there}) == 6
        assert {row["slot"] for row in there} == {"1-1.1", "1-1.2"}
        before = {modem["imei"]: modem["usb_path"] for modem in info["modems"]}
        control.call(tmp_path, "exchange", "modem0", "modem1", "0")
        after = {m["imei"]: m["usb_path"] for m in control.call(tmp_path, "info")["modems"]}
        assert list(after.values()) == list(reversed(before.values()))
        wait_until(lambda: all(m["ttys"] for m in control.call(tmp_path, "info")["modems"]))
        assert control.call(tmp_path, "modem", "modem1")["plugged"]


AUTHORIZE = """
import pyudev, sys
for device in pyudev.Context().list_devices(subsystem="usb", DEVTYPE="usb_device"):
    if device.sys_name == "1-1.1":
        open(device.sys_path + "/authorized", "w").write(sys.argv[1])
"""


@needs_umockdev
def test_a_stick_is_forbidden_and_allowed_again(tmp_path: Path) -> None:
    options = ("--usb", "--personality", "zte-mf112", "--warm")
    with running(tmp_path, *options) as info, watcher(info, 200) as following:
        ttys_until_ready(following)
        environment = {**os.environ, **info["usb"]["environment"]}
        control.call(tmp_path, "fault", "modem0", "H1")
        for value, action in (("0", "remove"), ("1", "add")):
            command = [PYUDEV, "-c", AUTHORIZE, value]
            subprocess.run(command, env=environment, timeout=10, check=True)
            rows = [following() for _ in range(6)]
            assert {row["action"] for row in rows} == {action}
            assert "1-1.1" not in {row["name"] for row in rows}
        assert control.call(tmp_path, "faults", "modem0") == []


def test_without_a_bus_its_verbs_are_refused(tmp_path: Path) -> None:
    with running(tmp_path), pytest.raises(control.Refused, match="--usb"):
        control.call(tmp_path, "usb", "list")


@pytest.mark.parametrize("name", [name for name in names() if load(name).usb])
def test_the_devices_of_every_family(name: str) -> None:
    family = load(name)
    count = len(family.ports)
    row = devices.stick_of(family, "1-1.2", list(range(count)), ["/x"] * count)
    known = {device.name for device in row}
    assert all(device.parent is None or device.parent in known for device in row)
    assert [device.subsystem for device in row].count("tty") == count
    assert row[0].properties["ID_VENDOR_ID"] == row[0].attributes["idVendor"]
    assert family.usb is not None
    if family.usb.before:
        disk = devices.storage_of(family.usb, "1-1.2")[1]
        assert disk.attributes["bInterfaceClass"] == "08"


TALK = """
import fcntl, os, select, termios
descriptor = os.open("/dev/ttyUSB4", os.O_RDWR | os.O_NOCTTY)
fcntl.ioctl(descriptor, termios.TIOCEXCL)
os.write(descriptor, b"AT\\r")
heard = b""
while b"OK" not in heard and select.select([descriptor], [], [], 5)[0]:
    heard += os.read(descriptor, 100)
fcntl.ioctl(descriptor, termios.TIOCNXCL)
print(heard)
"""


@needs_umockdev
def test_the_node_that_pyudev_names_is_the_modem(tmp_path: Path) -> None:
    with running(tmp_path, "--usb", "--personality", "huawei-e173", "--warm") as info:
        environment = {**os.environ, **info["usb"]["environment"]}
        done = subprocess.run(
            [PYUDEV, "-c", TALK], capture_output=True, env=environment, timeout=10, check=True
        )
        assert b"OK" in done.stdout
