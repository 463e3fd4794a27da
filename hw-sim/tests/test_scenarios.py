"""The golden scenarios play on a virtual clock, and in a living world."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hwsim import control, scenario
from hwsim.player import Player
from hwsim.scenario import names, parse

from .running import Client, opened, running, wait_until

GOLDEN = range(1, 26)


@pytest.mark.parametrize("name", names())
def test_every_scenario_plays(name: str) -> None:
    result = Player(scenario.load(name)).run()
    assert result["failures"] == []
    assert result["expect"]


def test_all_twenty_five_are_there() -> None:
    assert {int(name[:2]) for name in names()} == set(GOLDEN)


def test_what_does_not_come_about_is_a_failure() -> None:
    text = """
    about = "x"
    gateway = "y"
    [[step]]
    at = 0.0
    type = "AT\\r"
    see = "NEVER"
    never = "OK"
    [[step]]
    at = 1.0
    do = "nonsense"
    """
    result = Player(parse("mine", text)).run()
    assert len(result["failures"]) == 3
    with pytest.raises(ValueError, match="scenario mine"):
        parse("mine", 'about = "x"\nnonsense = 1')


def test_the_command_prints_what_the_network_saw(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        'about = "x"\ngateway = "y"\n[[step]]\nat = 0.0\nsend = "+33612345678 hello"\nsee = "CMGS"'
    )
    command = [sys.executable, "-m", "hwsim", "run", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["sent"][0]["text"] == "hello"


def test_a_living_world_is_subjected_to_one(tmp_path: Path) -> None:
    with running(tmp_path, "--scenario", "06-vanishes-in-pdu") as info:
        played = control.call(tmp_path, "play", "06-vanishes-in-pdu")
        assert played["expect"]["states"] == {"cut": "uncertain"}
        path = Path(info["modems"][0]["path"])
        armed = [{"kind": "unplug-at", "value": 20.0, "count": 1, "after": 0}]
        wait_until(lambda: control.call(tmp_path, "faults", "modem0") == armed)
        with opened(path) as client:
            assert isinstance(client, Client)
            client.ask("AT\r", "OK\r\n")
        assert control.call(tmp_path, "refused") == []
