"""A phone whose sendings fail again and again is left alone, for longer from time to time.

Then it gets one message: if that goes, all is well again; if not, it rests twice as long. Only
failures that prove nothing against the message count, so what is tried again elsewhere is what the
router may try elsewhere anyway; the breaker itself moves no message.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from smsd.model.phone import Bar, Health

PATIENCE: Final = 5  # failures in a row
CLOUD_PATIENCE: Final = 3  # (contracts of providers: network and 5xx, three in a row)
FIRST_REST: Final = timedelta(minutes=1)
LONGEST_REST: Final = timedelta(minutes=30)
HINT: Final = "one message is tried after that; it ends when one goes"


@dataclass(frozen=True, slots=True)
class Breaker:
    """How the last sendings of a phone went. Values: each event gives another one.

    ``message`` is the last one that failed, ``since`` when the first one of the row did, ``until``
    the end of its rest, ``None`` while it has not opened.
    """

    failures: int = 0
    message: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    openings: int = 0

    def failed(
        self, now: datetime, message: int, words: str, patience: float, *, by_itself: bool
    ) -> "Breaker":
        """A sending failed; ``by_itself``: the phone says that it is its own doing.

        Else one message that fails again and again counts once: it may be the message. With
        endless ``patience`` it does not open.
        """
        counts = by_itself or message != self.message or self.openings > 0
        failures = self.failures + counts
        since = self.since or now
        if not self.openings and failures < patience:
            return Breaker(failures, message, since, None, words)
        if self.until is not None and now < self.until:
            return self  # it was on its way when the breaker opened
        rest = min(FIRST_REST * 2 ** min(self.openings, 10), LONGEST_REST)
        return Breaker(failures, message, since, now + rest, words, self.openings + 1)

    @property
    def bar(self) -> Bar | None:
        """What it has to say against the phone, over or not; ``None`` while it has not opened."""
        if self.until is None or self.since is None:
            return None
        words = f"sending has failed again and again: {self.words}"
        return Bar(Health.UNAVAILABLE, words, HINT, self.since, self.until, self.openings)

    def half_open(self, now: datetime) -> bool:
        """Its rest is over, and nothing has gone since."""
        return self.until is not None and self.until <= now


def reopened(bar: Bar) -> Breaker:
    """The breaker that left this bar before a restart."""
    words = bar.words.partition(": ")[2]
    return Breaker(0, None, bar.since, bar.until, words, bar.openings)
