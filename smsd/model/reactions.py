"""What smsd does of itself when a text comes in: note a STOP, run a command, answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

STOP_TAG: Final = "SMS_STOP"
"""RaspiSMS's tag of the answer to a STOP; in the hands of others it opens nothing."""
STOP_RULE: Final = "stop"
START_RULE: Final = "start"


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole text that came in, and the phone that it came to."""

    phone: int
    origin: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that smsd writes by itself, by the phone that it was told on.

    ``rule`` is what wrote it; a rule answers a number once in ``every`` seconds, and all rules
    together at most ``per_hour`` times an hour. ``validity`` is in seconds.
    """

    rule: str
    number: str
    text: str
    parts: int
    account: int
    validity: int
    per_hour: int
    every: float = 0.0
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A command that is to be run, and what followed its name."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """What is done in one transaction with the message's being kept.

    ``stop`` and ``start`` are a number that wants no more messages, or wants them again; the
    answer is for the first time only. ``text`` is kept in place of the text: a password masked.
    """

    stop: str | None = None
    start: str | None = None
    order: Order | None = None
    answer: Answer | None = None
    text: str | None = None


React = Callable[[Heard], Reaction | None]
