"""A modem family as data: what it says, what it offers, and its bad habits."""

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Personality:
    """One file of `personalities/`; every key there is a field here."""

    name: str
    about: str
    answers: dict[str, str | list[str]]
    memories: dict[str, list[int]]
    memories_of: list[list[str]]
    start_memories: list[str]
    report_memory: str
    cnmi_offer: list[str]
    cnmi_accept: list[str]
    line_ends: list[str] = field(default_factory=lambda: ["\r\n"])
    prompts: list[str] = field(default_factory=lambda: ["> "])
    late_blank: float = 0.0
    cancel_answer: str = "OK"
    lower_case_hex: bool = False
    reference_after_ok: bool = False
    empty_slot_is_ok: bool = False
    error_texts: bool = False
    type_ahead: bool = True
    urc_anywhere: bool = False
    routing_needs_service: bool = False
    without_ok: list[str] = field(default_factory=list)
    boot: list[str] = field(default_factory=list)
    boot_seconds: float = 0.5
    chatter: list[str] = field(default_factory=list)
    chatter_every: list[float] = field(default_factory=lambda: [1.0, 5.0])
    acknowledge_within: float = 5.0
    sim_busy_after_pin: float = 0.0


def load(name: str) -> Personality:
    """Read a personality by its file name; raises ValueError listing those that exist."""
    folder = resources.files("hwsim") / "personalities"
    file = folder / f"{name}.toml"
    if not file.is_file():
        raise ValueError(f"no personality {name}: there are {', '.join(names())}")
    table: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    try:
        return Personality(name=name, **table)
    except TypeError as error:
        raise ValueError(f"personality {name}: {error}") from error


def names() -> list[str]:
    """List the personalities that come with the simulator."""
    folder = resources.files("hwsim") / "personalities"
    found = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))
