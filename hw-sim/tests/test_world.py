"""The whole program: ptys, the control socket, signals; bounded in time by its own time-outs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hwsim import control
from hwsim.desk import submit

from .running import PATIENCE, opened, running, wait_until


def test_two_modems_exchange_a_message(tmp_path: Path) -> None:
    started = time.monotonic()
    with running(tmp_path, "--modems", "2", "--seed", "1") as info:
        assert time.monotonic() - started < 2
        assert info == control.call(tmp_path, "info")
        zero, one = (Path(modem["path"]) for modem in info["modems"])
        assert os.readlink(zero) == info["modems"][0]["pts"]
        with opened(zero) as sender, opened(one) as receiver:
            receiver.ask("ATE0+CNMI=2,1\r", "OK\r\n")
            octets = submit(info["modems"][1]["number"], "over the air")
            sender.ask(f"AT+CMGS={len(octets)}\r", "> ")
            sender.ask(f"00{octets.hex()}\x1a", "OK\r\n")
            assert receiver.ask("", "+CMTI") == '\r\n+CMTI: "SM",1\r\n'
        (message,) = control.call(tmp_path, "messages")
        assert message["text"] == "over the air"
        state = control.call(tmp_path, "modem", "modem1")
        assert state["storage"]["SM"] == {"used": 1, "total": 20, "indexes": [1]}
        assert state["log"] == ["ATE0+CNMI=2,1"]


def test_a_port_can_be_closed_and_opened_again_without_old_answers(tmp_path: Path) -> None:
    with running(tmp_path):
        path = tmp_path / "modem0"
        for _ in range(3):
            with opened(path) as client:
                client.ask("ATE0\r", "OK\r\n")
                os.write(client.descriptor, b"AT+CSQ\r")
            wait_until(lambda: not control.call(tmp_path, "modem", "modem0")["open"])
        with opened(path) as client:
            assert "+CSQ" not in client.ask("AT\r", "OK\r\n")


def test_an_unplugged_modem_comes_back_rebooted_on_another_terminal(tmp_path: Path) -> None:
    with running(tmp_path) as info:
        path = tmp_path / "modem0"
        with opened(path) as client:
            client.ask("ATE0\r", "OK\r\n")
            control.call(tmp_path, "unplug", "modem0")
            assert client.gone()
        assert not path.exists()
        assert control.call(tmp_path, "modem", "modem0")["plugged"] is False
        control.call(tmp_path, "plug", info["modems"][0]["number"])
        assert os.readlink(path) != info["modems"][0]["pts"]
        control.call(tmp_path, "unplug", "modem0", "0.05")
        control.call(tmp_path, "plug", "modem0")
        control.call(tmp_path, "unplug", "modem0")
        control.call(tmp_path, "unplug", "modem0", "0.05")
        wait_until(path.exists)
        with opened(path) as client:
            assert client.ask("AT\r", "OK\r\n") == "AT\r\r\nOK\r\n"


def test_incoming_messages_and_preloaded_memories(tmp_path: Path) -> None:
    with running(tmp_path, "--deliver-delay", "0") as info:
        number = info["modems"][0]["number"]
        answer = control.call(tmp_path, "incoming", number, "Bank", "x" * 200, "--reverse")
        assert answer["parts"] == 2
        control.call(tmp_path, "incoming", "modem0", "+331", "00FF", "--raw", "--repeat", 2)
        control.call(tmp_path, "incoming", "modem0", "+331", "--dashes", "--class", 1)
        control.call(tmp_path, "incoming-pdu", "modem0", answer["tpdus"][0])
        assert control.call(tmp_path, "store", "modem0", "ME", answer["tpdus"][0]) == {"index": 1}
        storage = control.call(tmp_path, "modem", "modem0")["storage"]
        assert (storage["SM"]["used"], storage["ME"]["used"]) == (6, 1)


@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        (["nonsense"], "no verb nonsense"),
        (["unplug", "modem9"], "no modem modem9"),
        (["fault", "modem0", "nonsense"], "no fault nonsense"),
        (["fault", "modem0"], "required: kind"),
        (["network", "registered", "7"], "registered 7"),
        (["network", "nonsense", "1"], "no key nonsense"),
        (["incoming", "modem0"], "TO FROM TEXT"),
        (["store", "modem0", "XX", "00"], "XX"),
        (["cloud", "smsmode", "sent"], "no provider smsmode"),
    ],
)
def test_wrong_verbs_are_refused_with_a_reason(world: Path, verb: list[str], reason: str) -> None:
    with pytest.raises(control.Refused, match=reason):
        control.call(world, *verb)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("world")
    with running(folder):
        yield folder


def test_every_setting_of_the_network_is_taken(world: Path) -> None:
    pairs = [("reports", "off"), ("reports", "on"), ("report-delay", "1"), ("deliver-delay", "0")]
    pairs += [("latency", "0"), ("report-status", "70"), ("report-status", "0"), ("loss", "0")]
    pairs += [("registered", "5"), ("registered", "1")]
    for key, value in pairs:
        assert control.call(world, "network", key, value) == {"ok": True}


def test_a_folder_in_use_is_left_alone(world: Path) -> None:
    command = [sys.executable, "-m", "hwsim", "up", "--dir", str(world)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "in use" in done.stderr
    assert control.call(world, "sent") == []


def test_faults_are_listed_and_cleared(world: Path) -> None:
    control.call(world, "fault", "modem0", "late", "2.5", "--count", "3", "--after", "1")
    armed = [{"kind": "late", "value": 2.5, "count": 3, "after": 1}]
    assert control.call(world, "faults", "modem0") == armed
    assert control.call(world, "faults", "modem0", "clear") == []


def ctl(folder: Path, *verb: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hwsim", "ctl", str(folder), *verb]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_the_command_prints_one_line_and_tells_by_its_exit_code(
    world: Path, tmp_path: Path
) -> None:
    done = ctl(world, "sent")
    assert (done.returncode, done.stdout) == (0, "[]\n")
    refused = ctl(world, "nonsense")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no verb" in refused.stderr
    assert ctl(tmp_path, "sent").returncode == 69


def test_a_provider_is_started_on_demand(tmp_path: Path) -> None:
    with running(tmp_path, "--modems", "0", "--cloud", "smsmode") as info:
        assert info["cloud"]["smsmode"]["url"].startswith("http://127.0.0.1:")
        assert control.call(tmp_path, "cloud", "smsmode", "credit") == {"credit": 1000.0}
