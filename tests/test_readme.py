"""What the README shows works as it stands there."""

import re
import shlex
from pathlib import Path

import pytest
from hwsim.personality import load, names
from hwsim.scenario import load as load_scenario
from hwsim.scenario import names as scenarios

from smsd.adapters.modem.catalogue import load as load_catalogue
from smsd.adapters.modem.profiles import load as load_profiles
from smsd.cli import parser
from smsd.config import parse

README = Path(__file__).parent.parent.joinpath("README.md").read_text(encoding="utf-8")
ROWS, PROFILE = re.findall(r"```toml\n(# /etc/smsd/profiles/mine\.toml.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^\$ (?:.*\| )?smsd (.*)$", README, re.MULTILINE)


@pytest.mark.parametrize("files", [(ROWS, PROFILE), (PROFILE + ROWS,)])
def test_the_profile_and_the_rows_load_apart_and_as_one_file(
    tmp_path: Path, files: tuple[str, ...]
) -> None:
    for number, text in enumerate(files):
        (tmp_path / f"{number}.toml").write_text(text)
    model = load_catalogue(tmp_path).model("1234", "5678")
    mine, huawei = (load_profiles(tmp_path)[name] for name in ("mine", "huawei"))
    assert model is not None
    assert (model.name, model.at) == ("My stick", (2, 0))
    assert (mine.reset, mine.rest, mine.cms) == (("AT+BOOT",), 0.1, {"777": "retry"})
    assert mine.radio == huawei.radio
    parse({"modem": {"profiles": str(tmp_path)}}, "smsd.toml")


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_line_is_one(line: str) -> None:
    parser().parse_args(shlex.split(line.partition(" > ")[0], comments=True))


def test_the_commands_of_a_modem_are_shown() -> None:
    shown = {line.split()[0] for line in COMMANDS}
    assert {"send", "queue", "list", "phones", "status", "ussd", "at", "trace", "check"} <= shown


def test_every_simulated_modem_has_its_row_with_the_scenarios_that_are_played_on_it() -> None:
    rows = {
        match[1]: match[0].split("|")
        for match in re.finditer(r"^\| `([a-z0-9-]+)`.*\|$", README, re.MULTILINE)
        if match[1] in names()
    }
    assert rows.keys() == set(names())
    for name, row in rows.items():
        if name == "generic":
            continue
        played = {
            each.partition("-")[0]
            for each in scenarios()
            if load_scenario(each).personality == name
        }
        assert set(re.findall(r"\d\d[a-e]?", row[6])) == played, name
        if row[3].strip():
            assert row[4].strip().startswith("✓" if load(name).usb else "¹"), name
            assert row[5].strip() == ("–" if load(name).uart else "✓"), name
