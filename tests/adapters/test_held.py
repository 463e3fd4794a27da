"""Who has a port: named, and what keeps him off it."""

import os
from pathlib import Path

import pytest

from smsd.adapters.contract import PhoneLost
from smsd.adapters.modem.held import held, keep_off, lock_file, programs, refusal
from tests.adapters.plugboard import program


def gone(folder: Path) -> int:
    """The pid of a process that lives no more."""
    with program("short", folder) as pid:
        pass
    return pid


# Lock files ---------------------------------------------------------------------------------------


def test_a_lock_file_tells_our_pid_as_other_programs_expect_it(tmp_path: Path) -> None:
    path = tmp_path / "LCK..ttyUSB7"
    with lock_file("/dev/ttyUSB7", tmp_path):
        assert path.read_text() == f"{os.getpid():>10}\n"
        assert len(path.read_bytes()) == 11
    assert not path.exists()


@pytest.mark.parametrize("form", ["hdb", "binary"])
def test_a_lock_of_a_living_program_is_honoured(form: str, tmp_path: Path) -> None:
    with program("minicom", tmp_path) as pid:
        path = tmp_path / "LCK..ttyUSB7"
        octets = f"{pid:>10}\n".encode() if form == "hdb" else pid.to_bytes(4, "little")
        path.write_bytes(octets)
        with (
            pytest.raises(PhoneLost, match=rf"ttyUSB7 is held by minicom \(pid {pid}\)"),
            lock_file("/dev/ttyUSB7", tmp_path),
        ):
            pass
        assert path.read_bytes() == octets


@pytest.mark.parametrize("octets", [b"", b"nonsense\n", b"%(gone)10d\n", b"%(own)10d\n"])
def test_a_stale_lock_is_replaced(octets: bytes, tmp_path: Path) -> None:
    path = tmp_path / "LCK..ttyUSB7"
    names = {b"gone": gone(tmp_path), b"own": os.getpid()}
    path.write_bytes(octets % names if b"%" in octets else octets)
    with lock_file("/dev/ttyUSB7", tmp_path):
        assert int(path.read_text()) == os.getpid()
    assert not path.exists()


def test_a_folder_that_is_not_there_or_not_ours_costs_nothing(tmp_path: Path) -> None:
    with lock_file("/dev/ttyUSB7", tmp_path / "nowhere"):
        pass


def test_a_link_is_locked_by_what_it_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "modem"
    link.symlink_to("/dev/ttyUSB7")
    with lock_file(str(link), tmp_path):
        assert (tmp_path / "LCK..ttyUSB7").exists()
    with lock_file("/dev/pts/7", tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["modem"]


# Who it is ----------------------------------------------------------------------------------------


def test_a_program_is_found_by_its_name(tmp_path: Path) -> None:
    assert programs("smsd-test-rival") == []
    with program("smsd-test-rival", tmp_path) as pid:
        assert programs("smsd-test-rival") == [(pid, "smsd-test-rival")]


def test_a_holder_is_named_and_modemmanager_is_kept_off_by_a_line_for_udev(tmp_path: Path) -> None:
    other = held("/dev/ttyUSB0", [(7, "minicom")])
    assert str(other) == "/dev/ttyUSB0 is held by minicom (pid 7)"
    assert "stop that program" in (other.fault.hint or "")
    manager = held("/dev/ttyUSB0", [(7, "ModemManager")])
    assert 'ENV{ID_MM_DEVICE_IGNORE}="1"' in (manager.fault.hint or "")
    braille = held("/dev/ttyUSB0", [(7, "brltty")])
    assert "apt remove brltty" in (braille.fault.hint or "")
    nobody = refusal("/dev/ttyUSB0", BlockingIOError(11, "busy"))
    assert str(nobody).startswith("/dev/ttyUSB0 is held by another process")
    with program("ModemManager", tmp_path) as pid:  # root's: its files are not ours to see
        guessed = refusal("/dev/ttyUSB0", OSError(16, "busy"))
        assert "another process, probably ModemManager (pid " in str(guessed)
        assert (pid, "ModemManager") in programs("ModemManager")
        assert "ID_MM_DEVICE_IGNORE" in (guessed.fault.hint or "")


def test_a_refusal_says_what_to_do() -> None:
    denied = refusal("/dev/ttyUSB0", PermissionError(13, "denied"))
    assert "no permission" in str(denied)
    assert "dialout" in (denied.fault.hint or "")
    assert "cannot be opened" in str(refusal("/dev/ttyUSB0", OSError(5, "EIO")))


def test_the_line_for_udev_names_the_device(tmp_path: Path) -> None:
    usb = tmp_path / "devices" / "1-1.3"
    tty = usb / "1-1.3:1.2" / "ttyUSB2" / "tty" / "ttyUSB2"
    tty.mkdir(parents=True)
    (usb / "idVendor").write_text("12d1\n")
    (usb / "idProduct").write_text("1506\n")
    (tmp_path / "class" / "tty").mkdir(parents=True)
    (tmp_path / "class" / "tty" / "ttyUSB2").symlink_to(tty)
    line = keep_off("/dev/ttyUSB2", tmp_path)
    assert 'ATTR{idVendor}=="12d1", ATTR{idProduct}=="1506"' in line
    assert "ids from lsusb" in keep_off("/dev/ttyUSB3", tmp_path)
