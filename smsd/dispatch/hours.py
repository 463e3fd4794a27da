"""Whether a message's own hours let it leave, asked before any phone is."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from smsd.dispatch.route import route
from smsd.model.hours import read, shut
from smsd.model.message import Decision, Later, Queued
from smsd.model.phone import Candidate


def choose(
    message: Queued, candidates: Sequence[Candidate], now: datetime, zone: tzinfo
) -> Decision:
    """A phone for a message, or `Later` outside its hours, which are those of ``zone``."""
    if message.send_windows is not None:
        span = shut(read(message.send_windows), now, zone)
        if span is not None:
            return Later(*span, f"its hours begin at {span[1].astimezone(zone):%Y-%m-%d %H:%M}")
    return route(message, candidates, now)
