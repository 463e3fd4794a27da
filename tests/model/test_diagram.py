"""The diagram of the states in the README is the table's."""

import re
from pathlib import Path

from smsd.model.diagram import mermaid
from smsd.model.message import TRANSITIONS

README = Path(__file__).parent.parent.parent / "README.md"


def test_the_readme_shows_the_table_of_states() -> None:
    [shown] = re.findall(r"```mermaid\n(.*?)\n```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert shown == mermaid()


def test_every_change_is_drawn() -> None:
    drawn = mermaid().splitlines()
    assert all(f"    {one} --> {to}: {by}" in drawn for (one, by), to in TRANSITIONS.items())
