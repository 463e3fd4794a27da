"""Programs that are not ours, against the simulator: where one fails, the simulator is wrong.

Each test needs its program and is skipped without it; each is bounded in time, and ends what it
started and nothing else.
"""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hwsim import control
from hwsim.usb import bus

from .running import running

OUTSIDE = "+33699887766"
SMSTOOLS = "/usr/sbin/smsd"
LIMIT = 60.0
FAMILIES = ["generic", "huawei-e173", "ec25", "sim800", "wavecom", "siemens-tc35", "sim7600"]


def installed(program: str) -> bool:
    return shutil.which(program) is not None


def until(what: str, look: Callable[[], Any], limit: float = LIMIT) -> Any:
    """Look now and then, without spinning; fails naming what did not come."""
    end = time.monotonic() + limit
    pause = threading.Event()
    while time.monotonic() < end:
        if found := look():
            return found
        pause.wait(0.1)
    raise AssertionError(f"{what}: not within {limit} s")


@contextmanager
def program(*command: str, log: Path, **environment: str) -> Iterator[None]:
    """Run something in the background and end it, and only it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **environment}
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


# ---------------------------------------------------------------------------------------- gammu


@pytest.mark.skipif(not installed("gammu"), reason="gammu is not here")
def test_gammu_with_one_modem_of_each_kind(tmp_path: Path) -> None:
    world = tmp_path / "world"
    options = ("--modems", str(len(FAMILIES)), "--personality", ",".join(FAMILIES), "--warm")
    with running(world, *options) as info, ThreadPoolExecutor(len(FAMILIES)) as pool:
        done = pool.map(lambda modem: use_gammu(tmp_path, modem), info["modems"])
        assert list(done) == FAMILIES
        texts = {sent["from"]: sent["text"] for sent in control.call(world, "messages")}
        assert texts == {m["number"]: f"from {m['personality']}" for m in info["modems"]}


def use_gammu(folder: Path, modem: dict[str, Any]) -> str:
    """Identify, read, send and ask for the balance; it takes its time between commands."""
    name = str(modem["personality"])
    settings = folder / f"{name}.gammurc"
    settings.write_text(
        f"[gammu]\ndevice = {modem['path']}\nconnection = at115200\nsynchronizetime = no\n"
    )

    def gammu(*words: str) -> str:
        command = ["gammu", "-c", str(settings), *words]
        done = subprocess.run(command, capture_output=True, timeout=LIMIT, check=False)
        output = done.stdout.decode("utf-8", "replace")
        assert done.returncode == 0, f"{name}: {output}"
        return output

    assert modem["imei"] in gammu("identify")
    control.call(folder / "world", "incoming", modem["name"], "+33612345678", "salut é")
    listing = gammu("getallsms")
    assert "salut" in listing
    assert "1 SMS parts in 1 SMS sequences" in listing
    gammu("sendsms", "TEXT", OUTSIDE, "-text", f"from {name}")
    assert "12.34" in gammu("getussd", "*100#")
    return name


# ------------------------------------------------------------------------------------- smstools

SMSTOOLS_SETTINGS = """\
devices = GSM1
outgoing = {spool}/outgoing
checked = {spool}/checked
incoming = {spool}/incoming
sent = {spool}/sent
failed = {spool}/failed
logfile = {folder}/smstools.log
infofile = {folder}/smstools.info
pidfile = {folder}/smstools.pid
delaytime = 1
delaytime_mainprocess = 1
trust_outgoing = yes
receive_before_send = no

[GSM1]
device = {world}/modem0
incoming = yes
baudrate = 115200
init = AT+CNMI=2,1,0,0,0
startsleeptime = 0
check_memory_method = 1
"""


@pytest.mark.skipif(not Path(SMSTOOLS).exists(), reason="smstools is not here")
@pytest.mark.parametrize("name", ["generic", "sim800"])
def test_smstools(name: str, tmp_path: Path) -> None:
    spool, world = tmp_path / "spool", tmp_path / "world"
    for folder in ("outgoing", "checked", "incoming", "sent", "failed"):
        (spool / folder).mkdir(parents=True)
    settings = tmp_path / "smstools.conf"
    settings.write_text(SMSTOOLS_SETTINGS.format(spool=spool, folder=tmp_path, world=world))
    with running(world, "--personality", name, "--warm"):
        control.call(world, "incoming", "modem0", "+33612345678", "to smstools")
        (spool / "outgoing" / "one").write_text(f"To: {OUTSIDE[1:]}\n\nfrom smstools\n")
        with program(SMSTOOLS, "-c", str(settings), "-t", log=tmp_path / "out"):
            until("it is sent", lambda: list((spool / "sent").iterdir()))
            (file,) = until("it is received", lambda: list((spool / "incoming").iterdir()))
            assert "to smstools" in file.read_text()
            (sent,) = control.call(world, "messages")
            assert (sent["to"], sent["text"]) == (OUTSIDE, "from smstools")
        memories = control.call(world, "modem", "modem0")["storage"].values()
        assert all(memory["used"] == 0 for memory in memories)


# --------------------------------------------------------------------------------- ModemManager


def has_testbed() -> bool:
    try:
        bus.interpreter()
    except bus.Unavailable:
        return False
    return True


@pytest.mark.skipif(
    not (installed("mmcli") and installed("dbus-daemon") and has_testbed()),
    reason="ModemManager, dbus-daemon or umockdev are not here",
)
@pytest.mark.parametrize("name", ["ec25", "huawei-e173"])
def test_modem_manager(name: str, tmp_path: Path) -> None:
    world, address = tmp_path / "world", f"unix:path={tmp_path}/bus"
    session = {"DBUS_SESSION_BUS_ADDRESS": address}

    def mmcli(*words: str) -> Any:
        command = ["mmcli", "--test-session", "-J", *words]
        done = subprocess.run(
            command, capture_output=True, timeout=LIMIT, env={**os.environ, **session}, check=False
        )
        if done.returncode:
            return None
        return json.loads(done.stdout) if done.stdout.startswith(b"{") else done.stdout.decode()

    options = ("--usb", "--mm-tags", "--warm", "--personality", name)
    daemon = ("dbus-daemon", "--session", f"--address={address}", "--nofork", "--nopidfile")
    with running(world, *options) as info, program(*daemon, log=tmp_path / "dbus.log"):
        until("the bus is there", (tmp_path / "bus").exists, 5)
        seen = {**info["usb"]["environment"], **session}
        with program("ModemManager", "--test-session", log=tmp_path / "mm.log", **seen):
            listed = until("a modem", lambda: (mmcli("-L") or {}).get("modem-list"))
            modem = listed[0]
            assert info["modems"][0]["imei"] in json.dumps(mmcli("-m", modem))
            until("it is enabled", lambda: mmcli("-m", modem, "-e"))
            draft = f"--messaging-create-sms=text='from mm',number='{OUTSIDE}'"
            created = until("a draft", lambda: mmcli("-m", modem, draft))
            path = created if isinstance(created, str) else json.dumps(created)
            sms = path[path.index("/org/") :].split('"')[0].split()[0]
            assert mmcli("-s", sms, "--send") is not None
            (sent,) = control.call(world, "messages")
            assert (sent["to"], sent["text"]) == (OUTSIDE, "from mm")
            control.call(world, "incoming", "modem0", "+33612345678", "to mm")

            def received() -> bool:
                paths = (mmcli("-m", modem, "--messaging-list-sms") or {}).get(
                    "modem.messaging.sms"
                )
                return any("to mm" in json.dumps(mmcli("-s", one)) for one in paths or [])

            until("it is received", received)
