"""The same work by smsd and by its peers: ``python bench/peers.py [--messages N]``.

Single messages, then messages of seven parts, on one modem of the simulator without latency: from
the first to the last that the network took, messages and parts a second. Peers that are not
installed (Debian: smstools, gammu-smsd with libdbd-sqlite3) are left out. All run in one go, one
after the other, so that they meet the same machine.
"""

import argparse
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway import program, wait
from hwsim.control import call
from modems import LONG, SINGLE, world

PATIENCE = 60.0  # seconds without a message after which a peer has ended
SMSTOOLS = "/usr/sbin/smsd"
GAMMU = "/usr/bin/gammu-smsd"
SCHEMA = Path("/usr/share/doc/gammu-smsd/examples/sqlite.sql")

SMSTOOLS_SETTINGS = """\
devices = GSM1
outgoing = {folder}/outgoing
checked = {folder}/checked
incoming = {folder}/incoming
sent = {folder}/sent
failed = {folder}/failed
logfile = {folder}/log
infofile = {folder}/info
pidfile = {folder}/pid
delaytime = 1
delaytime_mainprocess = 1
errorsleeptime = 1
trust_outgoing = yes
receive_before_send = no
loglevel = 3
blockafter = 50

[GSM1]
device = {device}
incoming = no
baudrate = 115200
startsleeptime = 0
poll_faster = 100
detect_unexpected_input = no
detect_message_routing = no
check_network = 0
send_delay = 0
check_memory_method = 1
"""
GAMMU_SETTINGS = """\
[gammu]
device = {device}
connection = at115200
synchronizetime = no
[smsd]
logfile = {folder}/log
checksecurity = 0
checkbattery = 0
checksignal = 0
checknetwork = 0
receivefrequency = 0
statusfrequency = 0
commtimeout = 1
sendtimeout = 30
loopsleep = 0
"""
GAMMU_FILES = """\
service = files
inboxpath = {folder}/incoming/
outboxpath = {folder}/outgoing/
sentsmspath = {folder}/sent/
errorsmspath = {folder}/failed/
"""
GAMMU_SQLITE = """\
service = sql
driver = sqlite3
dbdir = {folder}
database = smsd.db
"""
INSERT = (
    "INSERT INTO outbox (DestinationNumber, TextDecoded, Coding, UDH, CreatorID, MultiPart,"
    " Class, DeliveryReport) VALUES (?, ?, 'Default_No_Compression', ?, 'bench', ?, -1, 'no')"
)


def by_smsd(count: int, text: str) -> list[float]:
    with world(1) as w:
        w.ctl("network", "reports", "off")
        w.send(count, text)
        w.drained()
        return [float(sent["at"]) for sent in w.ctl("sent")]


@contextmanager
def simulated(folder: Path) -> Iterator[Path]:
    """A modem, and a folder for a peer's files."""
    for name in ("outgoing", "checked", "incoming", "sent", "failed"):
        (folder / name).mkdir()
    command = [program("hwsim"), "up", "--dir", str(folder / "hw"), "--warm"]
    simulator = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert simulator.stdout is not None
    simulator.stdout.readline()
    try:
        yield folder / "hw" / "modem0"
    finally:
        simulator.terminate()
        simulator.wait()


def run(folder: Path, command: list[str], parts: int) -> list[float]:
    """The times at which the network took the parts that a peer sends."""
    peer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    taken: list[float] = []
    last = time.monotonic()
    try:
        while len(taken) < parts and time.monotonic() < last + PATIENCE and peer.poll() is None:
            wait(0.5)
            before, taken = len(taken), [float(s["at"]) for s in call(folder / "hw", "sent")]
            last = time.monotonic() if len(taken) > before else last
    finally:
        peer.terminate()
        peer.wait()
    return taken


def by_smstools(count: int, text: str) -> list[float]:
    with tempfile.TemporaryDirectory() as made, simulated(Path(made)) as device:
        folder = Path(made)
        (folder / "conf").write_text(SMSTOOLS_SETTINGS.format(folder=folder, device=device))
        for number in range(count):
            name = folder / "outgoing" / f"m{number:05d}"
            name.write_text(f"To: 3361{number:07d}\n\n{text}")
        command = [SMSTOOLS, "-c", str(folder / "conf"), "-t"]
        return run(folder, command, count * (7 if text is LONG else 1))


def by_gammu_files(count: int, text: str) -> list[float]:
    with tempfile.TemporaryDirectory() as made, simulated(Path(made)) as device:
        folder = Path(made)
        settings = (GAMMU_SETTINGS + GAMMU_FILES).format(folder=folder, device=device)
        (folder / "conf").write_text(settings)
        for number in range(count):
            moment = f"20260101_{number // 60 % 60:02d}{number // 3600:02d}{number % 60:02d}"
            name = folder / "outgoing" / f"OUTA{moment}_00_+3361{number:07d}_sms.txtd"
            name.write_text(text)
        command = [GAMMU, "-c", str(folder / "conf")]
        return run(folder, command, count * (7 if text is LONG else 1))


def by_gammu_sqlite(count: int, text: str) -> list[float]:
    if text is LONG:
        return []  # its parts must be inserted by hand, header and all
    with tempfile.TemporaryDirectory() as made, simulated(Path(made)) as device:
        folder = Path(made)
        settings = (GAMMU_SETTINGS + GAMMU_SQLITE).format(folder=folder, device=device)
        (folder / "conf").write_text(settings)
        with closing(sqlite3.connect(folder / "smsd.db")) as database, database:
            database.executescript(SCHEMA.read_text())
            rows = [(f"+3361{number:07d}", text, "", "false") for number in range(count)]
            database.executemany(INSERT, rows)
        return run(folder, [GAMMU, "-c", str(folder / "conf")], count)


PEERS: dict[str, tuple[Callable[[int, str], list[float]], tuple[str, ...], int]] = {
    "smsd": (by_smsd, (), 1),
    "smstools": (by_smstools, (SMSTOOLS,), 1),
    "gammu-smsd, files": (by_gammu_files, (GAMMU,), 10),  # it waits 700 ms a part by itself
    "gammu-smsd, SQLite": (by_gammu_sqlite, (GAMMU, str(SCHEMA)), 10),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=300)
    count = parser.parse_args().messages
    for words, text, share in (("single", SINGLE, 1), ("seven parts", LONG, 5)):
        for name, (send, needs, less) in PEERS.items():
            if not all(Path(path).exists() for path in needs):
                print(f"{name:20} is not installed")
                continue
            messages = count // share // less
            times = sorted(send(messages, text))
            expected = messages * (7 if text is LONG else 1)
            if len(times) < 2:
                print(f"{name:20} {words:12} -")
                continue
            rate = (len(times) - 1) / (times[-1] - times[0])
            lost = f", {expected - len(times)} never came" if len(times) < expected else ""
            print(f"{name:20} {words:12} {rate:7.1f} parts/s{lost}", flush=True)


if __name__ == "__main__":
    main()
