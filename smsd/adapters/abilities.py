"""What only some phones can do beside sending and receiving; each is asked for by its type."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from smsd.model.ussd import UssdReply


@runtime_checkable
class AsksNetwork(Protocol):
    """A phone that can hold a USSD dialogue. Each call raises the `PhoneError` that says why not.

    Such a phone says so in its `Capabilities` too.
    """

    async def ussd(self, code: str) -> UssdReply:
        """Begin a dialogue, and wait for the network's reply."""
        ...

    async def ussd_answer(self, text: str) -> UssdReply:
        """Answer the network's question in the dialogue that is open."""
        ...

    async def ussd_cancel(self) -> None:
        """End the dialogue, if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """What a modem said to a command: the lines, and the final result."""

    lines: tuple[str, ...]
    result: str


@dataclass(frozen=True, slots=True)
class WireLine:
    """A line of the wire that may be shown: its number, how many seconds ago, which way, what.

    ``direction``: ``>`` was written, ``<`` came, ``!`` is a note.
    """

    number: int
    age: float
    direction: str
    text: str


@runtime_checkable
class HasWire(Protocol):
    """A phone at the end of a wire that speaks AT."""

    async def command(self, line: str, *, force: bool, timeout: float) -> Answered:
        """Give a person's own command, in its turn.

        Raises `ValueError` in words where it may not be given, `PhoneError` where it cannot.
        """
        ...

    async def wire(self, after: int, wait: float) -> Sequence[WireLine]:
        """The last lines after that number; waits so many seconds for one if there is none."""
        ...
