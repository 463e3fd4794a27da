"""Who else has a port: open files, kernel locks, and the lock files of older programs."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from smsd.adapters.contract import Broken, PhoneLost, lost
from smsd.adapters.modem.catalogue import ignore_line
from smsd.model.message import Fault, FaultClass

LOCKS: Final = Path("/var/lock")
MODEM_MANAGER: Final = "ModemManager"
BRLTTY: Final = "brltty"
WITHOUT_BRLTTY: Final = (
    "sudo apt remove brltty, or mask 85-brltty.rules in /etc/udev/rules.d and brltty.path; "
    "then unplug it and plug it in again"
)
PROC: Final = Path("/proc")
SYS: Final = Path("/sys")
_BROKEN: Final = (errno.EIO, errno.ENODEV, errno.ENXIO)
_BUSY: Final = (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)

Holder = tuple[int, str]


def refusal(device: str, error: Exception) -> PhoneLost:
    """Why a device could not be opened, in words."""
    number = error.errno if isinstance(error, OSError) else None
    holder = holders(device)
    if holder or number in _BUSY:
        return held(device, holder)
    if number in (errno.EACCES, errno.EPERM):
        return lost(f"no permission to open {device}", hint="smsd's user must be in group dialout")
    if number in _BROKEN:
        return Broken(Fault(FaultClass.MODEM, f"{device} cannot be opened: {error}"))
    return lost(f"{device} cannot be opened: {error}")


def held(device: str, holder: list[Holder]) -> PhoneLost:
    """The loss of a device to whoever has it; a holder that we may not see is guessed."""
    who = ", ".join(f"{name} (pid {pid})" for pid, name in holder)
    suspects = holder or programs(MODEM_MANAGER)
    if not holder and suspects:
        who = f"another process, probably {MODEM_MANAGER} (pid {suspects[0][0]})"
    names = {name for _, name in suspects}
    if MODEM_MANAGER in names:
        hint = keep_off(device)
    elif BRLTTY in names:
        hint = WITHOUT_BRLTTY
    else:
        hint = "stop that program, or keep it off this device: a port has one user"
    return lost(f"{device} is held by {who or 'another process'}", hint=hint)


def keep_off(device: str, sys: Path = SYS) -> str:
    """How ModemManager is kept off a device's modem."""
    vid, pid = _ids(device, sys) or ("vvvv", "pppp")
    where = "" if vid != "vvvv" else "(ids from lsusb) "
    return (
        f"keep ModemManager off it: {ignore_line(vid, pid)} {where}"
        "in /etc/udev/rules.d/61-my-modems.rules, then plug it in anew (more in 70-smsd.rules)"
    )


def _ids(device: str, sys: Path) -> tuple[str, str] | None:
    """The USB ids of a tty's device, from sysfs; ``None`` where it cannot be told."""
    place = Path(os.path.realpath(sys / "class" / "tty" / Path(os.path.realpath(device)).name))
    for folder in place.parents:
        with suppress(OSError):
            return (
                (folder / "idVendor").read_text().strip(),
                (folder / "idProduct").read_text().strip(),
            )
    return None


def programs(name: str) -> list[Holder]:
    """The processes of a program, whoever runs them."""
    found = []
    for process in PROC.glob("[0-9]*"):
        with suppress(OSError):
            if (process / "comm").read_text().strip() == name[:15]:
                found.append((int(process.name), name))
    return sorted(found)


def holders(device: str) -> list[Holder]:
    """The other processes that have a device open: pid and program, as far as we may look.

    Locks (flock) are told of every process, open files of our own user's and, as root, of all.
    """
    wanted = os.path.realpath(device)
    found = _lockers(wanted)
    for process in PROC.glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            opened_files = {os.path.realpath(fd) for fd in (process / "fd").iterdir()}
            # Whoever has the other end of a pseudo-terminal is the modem, not a rival.
            if wanted in opened_files and not any(path.endswith("ptmx") for path in opened_files):
                found.append((int(process.name), (process / "comm").read_text().strip()))
        except OSError:
            continue  # not ours to look into, or gone by now
    return sorted(set(found))


def _lockers(path: str) -> list[Holder]:
    """Who has locked a file, from /proc/locks: ``1: FLOCK ADVISORY WRITE 612 00:1b:3 0 EOF``."""
    found = []
    try:
        inode = str(os.stat(path).st_ino)
        for line in (PROC / "locks").read_text().splitlines():
            _, kind, _, _, pid, place, *_ = line.split()
            if kind == "FLOCK" and place.split(":")[2] == inode and int(pid) != os.getpid():
                found.append((int(pid), (PROC / pid / "comm").read_text().strip()))
    except (OSError, ValueError, IndexError):
        pass  # no such list, or a process that is gone
    return found


@contextmanager
def lock_file(device: str, folder: Path = LOCKS) -> Iterator[None]:
    """The classic ``LCK..ttyUSB0`` with our pid in it (HDB form), while the block runs.

    Raises `PhoneLost` if it names a process that lives; a stale one is replaced. Where the folder
    is not ours to write to, others' locks are honoured all the same.
    """
    real = Path(os.path.realpath(device))
    if real.parent.name == "pts":  # pseudo-terminals have no such lock, their names are used anew
        yield
        return
    path = folder / f"LCK..{real.name}"
    made = False
    for _ in range(2):
        if (pid := _living(path)) is not None:
            raise held(device, [(pid, _name(pid))])
        with suppress(OSError):
            path.unlink(missing_ok=True)
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
                file.write(f"{os.getpid():>10}\n")
            made = True
            break
        except FileExistsError:
            continue  # somebody was faster: is he alive?
        except OSError:
            break
    try:
        yield
    finally:
        if made:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _living(path: Path) -> int | None:
    """The pid in a lock file if that process lives and is not us; in digits or as four octets."""
    try:
        octets = path.read_bytes()
    except OSError:
        return None
    if octets.strip().isdigit():
        pid = int(octets)
    elif len(octets) == 4:
        pid = int.from_bytes(octets, "little")
    else:
        return None
    return pid if pid not in (0, os.getpid()) and (PROC / str(pid)).exists() else None


def _name(pid: int) -> str:
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return "a program"
