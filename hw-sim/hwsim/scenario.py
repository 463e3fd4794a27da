"""Scenarios: a set-up, events in time, and what must come of them; files of `scenarios/`."""

import shlex
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One moment: a verb of `hwsim ctl`, or octets that are typed and what must be heard."""

    at: float
    do: str = ""
    modem: str = "modem0"
    port: int | None = None  # an interface number, else the best port
    type: str | None = None
    send: str | None = None  # "NUMBER TEXT": a whole +CMGS, its PDU typed at the prompt
    see: str | None = None  # a regular expression over what was heard until the next step
    never: str | None = None

    @property
    def verb(self) -> str:
        """The verb of `do`."""
        return shlex.split(self.do)[0]

    @property
    def arguments(self) -> list[str]:
        """The words behind it."""
        return shlex.split(self.do)[1:]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One file: `gateway` says in words what a gateway under test must do, `expect` in keys."""

    name: str
    about: str
    gateway: str
    personality: str = "generic"
    modems: int = 1
    pin: str | None = None
    seed: int = 0
    warm: bool = True
    seconds: float = 60.0
    steps: list[Step] = field(default_factory=list)
    expect: dict[str, Any] = field(default_factory=dict)
    # What the gateway under test is asked to send: {at, to, text}.
    ask: list[dict[str, Any]] = field(default_factory=list)
    network: dict[str, Any] = field(default_factory=dict)

    def events(self) -> list[Step]:
        """The steps that are verbs."""
        return [step for step in self.steps if step.do]


def names() -> list[str]:
    """List the scenarios that come with the simulator."""
    folder = resources.files("hwsim") / "scenarios"
    found = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def load(name: str) -> Scenario:
    """Read a scenario by its name, or by the path of its file; raises ValueError."""
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        text = path.read_text(encoding="utf-8")
    else:
        file = resources.files("hwsim") / "scenarios" / f"{name}.toml"
        if not file.is_file():
            raise ValueError(f"no scenario {name}: there are {', '.join(names())}")
        text = file.read_text(encoding="utf-8")
    return parse(path.stem, text)


def parse(name: str, text: str) -> Scenario:
    """Make a scenario of the text of its file."""
    table = tomllib.loads(text)
    try:
        steps = [Step(**row) for row in table.pop("step", [])]
        return Scenario(name=name, steps=steps, **table)
    except TypeError as error:
        raise ValueError(f"scenario {name}: {error}") from error
