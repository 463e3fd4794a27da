"""Messages in doubt, looked for among those that a provider says it has sent. Pure.

Only what is found settles anything (the provider took it, under that id): that a listing lacks a
message proves nothing, so it stays in doubt.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from smsd.model.events import Doubt

BEFORE: Final = timedelta(minutes=2)  # that a provider's clock may be behind ours
AFTER: Final = timedelta(minutes=10)  # in which it has listed what it took


@dataclass(frozen=True, slots=True)
class Listed:
    """A message in a provider's list: its id, when it took it, to whom, and the text."""

    id: str
    at: datetime
    recipient: str
    text: str


def found(
    doubts: Sequence[Doubt], listed: Sequence[Listed], bound: Collection[str]
) -> dict[Doubt, str]:
    """The ids of those doubts that the list settles; ``bound`` are ids that messages have already.

    Of equal messages (one text to one number) either all are found or none is settled: nobody could
    tell which of them went. One that is still being sent is among the equals.
    """
    settled: dict[Doubt, str] = {}
    for doubt in doubts:
        if doubt in settled:
            continue
        equal = [other for other in doubts if _equals(doubt) == _equals(other)]
        ids = [
            one.id
            for one in sorted(listed, key=lambda one: one.at)
            if one.id not in bound and any(_fits(one, other) for other in equal)
        ]
        if len(ids) >= len(equal) and not any(other.in_flight for other in equal):
            settled |= dict(zip(equal, ids, strict=False))
    return settled


def _equals(doubt: Doubt) -> tuple[str, str]:
    return doubt.recipient, _plain(doubt.text)


def _fits(one: Listed, doubt: Doubt) -> bool:
    """Whether it can be this one; a list in minutes is some seconds behind."""
    same = one.recipient.lstrip("+") == doubt.recipient.lstrip("+")
    meant = same and _plain(one.text) == _plain(doubt.text)
    return meant and doubt.begun_at - BEFORE <= one.at <= doubt.begun_at + AFTER


def _plain(text: str) -> str:
    """A text as any list shows it: blanks and line ends are not told apart."""
    return " ".join(text.split())
