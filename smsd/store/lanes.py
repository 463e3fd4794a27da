"""Lanes of the queue: what is of one lane waits for the same phones, whatever its size and age.

The column ``message.lane`` spells the lane of each message (``0007_routes.sql``).
"""

import re
from functools import lru_cache
from typing import Final

from smsd.model.message import MessageId, Queued

_LANE: Final = re.compile(
    r"(?:b(?P<begun_on>\d+))?(?:p(?P<phone>\d+))?(?:g(?P<group>\d+))?(?:k(?P<known>\d+))?"
    r"(?:r(?P<prefix>\+\d+))?(?P<flash>f)?(?P<mms>m)?(?P<declined>d)?"
)


def group_of(lane: str) -> int | None:
    """The phone group that the messages of a lane were sent to."""
    match = _LANE.fullmatch(lane)
    assert match is not None
    return int(match["group"]) if match["group"] else None


@lru_cache(maxsize=1024)
def any_of(lane: str) -> Queued | None:
    """The smallest message of a lane that there may be, as the router sees it.

    ``None`` where each has been declined by phones of its own: no one speaks for the others.
    """
    match = _LANE.fullmatch(lane)
    assert match is not None  # the column is made from the same parts
    if match["declined"]:
        return None
    number = {
        name: int(match[name]) if match[name] else None
        for name in ("begun_on", "phone", "group", "known")
    }
    return Queued(
        MessageId(0), match["prefix"] or "", 1, number["phone"], number["begun_on"],
        flash=bool(match["flash"]), mms=bool(match["mms"]), group=number["group"],
        known=number["known"],
    )  # fmt: skip
