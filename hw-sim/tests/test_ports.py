"""The ttys of a stick: links and roles, and what befalls a port."""

import errno
import fcntl
import os
from pathlib import Path

import pytest
from hwsim import control

from .running import opened, running, wait_until


def test_a_stick_has_all_its_ports(tmp_path: Path) -> None:
    with running(
        tmp_path, "--personality", "huawei-e173,sim800", "--modems", "2", "--warm"
    ) as info:
        stick, serial = info["modems"]
        assert (stick["vid"], stick["pid"], stick["usb_path"]) == ("12d1", "1436", "1-1.1")
        assert [port["interface"] for port in stick["ports"]] == [0, 1, 2, 3, 4]
        assert stick["path"] == stick["ports"][4]["path"] == str(tmp_path / "modem0")
        assert stick["ports"][0]["path"].endswith("modem0.if00")
        assert (serial["vid"], len(serial["ports"])) == (None, 1)
        with opened(tmp_path / "modem0.if00") as modem, opened(tmp_path / "modem0") as best:
            assert "OK" in modem.ask("AT\r", "OK\r\n")
            best.ask("ATE0+CNMI=2,1\r", "OK\r\n")
            control.call(tmp_path, "incoming", "modem0", "+331", "hello")
            assert "+CMTI" in best.ask("", "+CMTI")
            assert control.call(tmp_path, "modem", "modem0")["opened"] == [0, 4]
            control.call(tmp_path, "unplug", "modem0")
            assert modem.gone()
            assert best.gone()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["ctl", "modem1"]


def test_a_network_card_has_no_port(tmp_path: Path) -> None:
    with running(tmp_path, "--personality", "zte-mf823") as info:
        assert info["modems"][0]["path"] is None
        assert info["modems"][0]["ports"] == []


def test_h3_the_node_stays_and_answers_with_an_error(tmp_path: Path) -> None:
    with running(tmp_path) as info:
        path = Path(info["modems"][0]["path"])
        with opened(path) as client:
            client.ask("AT\r", "OK\r\n")
            control.call(tmp_path, "fault", "modem0", "H3")
            assert client.gone()
            with pytest.raises(OSError, match="Input/output") as caught:
                os.write(client.descriptor, b"AT\r")
            assert caught.value.errno == errno.EIO
        for _ in range(2):
            wait_until(path.exists)
            with opened(path) as client:
                assert client.gone()
        control.call(tmp_path, "plug", "modem0")
        with opened(path) as client:
            assert "OK" in client.ask("AT\r", "OK\r\n")


def fill(descriptor: int) -> None:
    for _ in range(1000):
        os.write(descriptor, b"AT" * 500 + b"\r")


def test_h11_nothing_is_read(tmp_path: Path) -> None:
    with running(tmp_path) as info, opened(Path(info["modems"][0]["path"])) as client:
        client.ask("ATE0\r", "OK\r\n")
        control.call(tmp_path, "fault", "modem0", "H11", "0.3")
        with pytest.raises(BlockingIOError):
            fill(client.descriptor)
        wait_until(lambda: control.call(tmp_path, "modem", "modem0")["log"][-1] != "ATE0")


def refused(path: Path) -> bool:
    """Tell whether opening (EBUSY) or locking fails; who is root may open."""
    try:
        with opened(path) as client:
            fcntl.flock(client.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def test_another_program_holds_the_port(tmp_path: Path) -> None:
    with running(tmp_path):
        control.call(tmp_path, "hold", "modem0")
        path = tmp_path / "modem0"
        assert refused(path)
        control.call(tmp_path, "release", "modem0")
        wait_until(lambda: not control.call(tmp_path, "modem", "modem0")["open"])
        with opened(path) as client:
            fcntl.flock(client.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            client.ask("AT\r", "OK\r\n")


def test_a_program_lets_a_port_go_that_was_unplugged(tmp_path: Path) -> None:
    with running(tmp_path) as info:
        control.call(tmp_path, "hold", "modem0")
        control.call(tmp_path, "unplug", "modem0")
        control.call(tmp_path, "release", "modem0")
        control.call(tmp_path, "plug", "modem0")
        assert not refused(Path(info["modems"][0]["path"]))
