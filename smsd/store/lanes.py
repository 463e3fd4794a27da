"""Lanes of the queue: what is of one lane and size waits for the same phones, whatever its age.

The column ``message.lane`` spells the lane of each message (``0007_routes.sql``).
"""

import re
from functools import lru_cache
from typing import Final

from smsd.model.message import MessageId, Queued

_LANE: Final = re.compile(
    r"(?:b(?P<begun_on>\d+))?(?:p(?P<phone>\d+))?(?:g(?P<group>\d+))?(?:k(?P<known>\d+))?"
    r"(?:r(?P<prefix>\+\d+))?(?P<flash>f)?(?P<mms>m)?(?:d(?P<declined>[\d,]+))?"
)


def group_of(lane: str) -> int | None:
    """The phone group that the messages of a lane were sent to."""
    match = _LANE.fullmatch(lane)
    assert match is not None
    return int(match["group"]) if match["group"] else None


def phones_in(declined: str | None) -> frozenset[int]:
    """The phones that the column ``message.declined`` names."""
    return frozenset(map(int, declined.split(","))) if declined else frozenset()


@lru_cache(maxsize=1024)
def any_of(lane: str, parts: int) -> Queued:
    """Any message of a lane and a size, as the router sees it: it speaks for the others."""
    match = _LANE.fullmatch(lane)
    assert match is not None  # the column is made from the same parts
    number = {
        name: int(match[name]) if match[name] else None
        for name in ("begun_on", "phone", "group", "known")
    }
    return Queued(
        MessageId(0), match["prefix"] or "", parts, number["phone"], number["begun_on"],
        phones_in(match["declined"]), bool(match["flash"]), bool(match["mms"]), number["group"],
        number["known"],
    )  # fmt: skip
