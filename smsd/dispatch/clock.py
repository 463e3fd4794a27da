"""The time that smsd goes by: the system's, but for a clock that was set or that must be wrong.

A Raspberry Pi without a network wakes up in the past, and a clock may be set by hours under a
running daemon. Nothing may leave, end or count by a wrong clock, so smsd's own time goes on evenly
until the system's can be believed; then what waits is moved with it and keeps the time it had.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

STEP: Final = timedelta(seconds=60)  # less than that is a clock that is kept right
LEAP: Final = timedelta(days=1)  # ahead of the last certain time; see `Clock.sure`
SETTLES: Final = 600.0  # seconds that a clock which was set must stand by it; NTP corrects sooner
LOOK: Final = 60.0  # seconds between looks while it is doubted
EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)  # this smsd is younger than any time before


@dataclass(frozen=True, slots=True)
class _Anchor:
    """At ``steady`` seconds it was ``time``."""

    time: datetime
    steady: float


@dataclass(frozen=True, slots=True)
class _Doubt:
    """The system's clock is ``gap`` away from the time that it must be, set at ``since``.

    ``None``: it was never seen to be set, it was wrong when smsd started.
    """

    gap: timedelta
    since: float | None


class Clock:
    """``wall`` is the system's clock, ``steady`` seconds that nobody sets.

    ``synchronised`` tells whether something keeps the system's clock right: then it is believed at
    once. ``not_before`` is a time that has certainly been. `now` may be called in any thread;
    `mind` and `adopt` belong to one task.
    """

    def __init__(
        self,
        wall: Callable[[], datetime],
        steady: Callable[[], float],
        synchronised: Callable[[], bool] = lambda: False,
        not_before: datetime | None = None,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._synchronised = synchronised
        self._anchor = _Anchor(wall(), steady())
        self._doubt: _Doubt | None = None
        self._before: tuple[_Anchor, _Doubt | None] | None = None
        self._start = self._anchor.steady
        self._known = self._anchor
        self.not_before(not_before or EARLIEST)
        if not_before is None:
            self._known = self._anchor  # there is nothing yet to compare with

    def not_before(self, at: datetime) -> None:
        """It must be ``at`` by now: a clock that says less is wrong until it is set."""
        self._known = _Anchor(at, self._steady())
        gap = self._wall() - at
        if gap < -STEP:
            self._anchor = _Anchor(at, self._steady())
            self._doubt = _Doubt(gap, None)
            self._start = self._anchor.steady

    def now(self) -> datetime:
        """The time to go by."""
        told, anchor = self._wall(), self._anchor
        # In seconds, for this is asked some times for every part that leaves.
        even = anchor.time.timestamp() + self._steady() - anchor.steady
        if abs(told.timestamp() - even) <= STEP.total_seconds():
            return told
        return self._even()

    @property
    def began(self) -> datetime:
        """When smsd started, by the time that it goes by now: what is younger, it has recorded."""
        return self._even() - timedelta(seconds=self._steady() - self._start)

    def sure(self) -> bool:
        """Whether it is late enough to destroy something for its age.

        A clock that is ahead looks like a right one, but what is deleted by it is lost. So one that
        nothing keeps right, and that is far ahead of the last time that was certain, must have
        gone on from it for as long again. To ask while something keeps it right makes it certain.
        """
        steady, now = self._steady(), self.now()
        if self._synchronised():
            self._known = _Anchor(now, steady)
        went_on = timedelta(seconds=steady - self._known.steady)
        return now - (self._known.time + went_on) <= LEAP + went_on

    @property
    def doubt(self) -> str | None:
        """What is wrong with the system's clock, in words; ``None`` if it is believed."""
        if self._doubt is None:
            return None
        seconds = round(self._doubt.gap.total_seconds())
        words = f"the clock is {abs(seconds)} s {'behind' if seconds < 0 else 'ahead of'} smsd's"
        if self._doubt.since is None:
            return (
                f"{words}: it says less than it did before, so it is not believed until it is set"
            )
        return f"{words}: it was set, and is believed when it has stood so for 10 minutes"

    @property
    def look_again(self) -> datetime | None:
        """When `mind` wants to be called again, ``None``: when something else happens."""
        if self._doubt is None:
            return None
        since, steady = self._doubt.since, self._steady()
        left = LOOK if since is None else min(since + SETTLES - steady, LOOK)
        return self.now() + timedelta(seconds=max(left, 1.0))

    def mind(self) -> timedelta | None:
        """Compare the clocks; a step that is to be made (`adopt`), ``None`` if there is none."""
        self._before = None
        even, steady, wall = self._even(), self._steady(), self._wall()
        gap, doubt = wall - even, self._doubt
        if abs(gap) <= STEP:
            self._anchor, self._doubt = _Anchor(wall, steady), None
            return None
        if doubt is not None and doubt.since is None and gap > timedelta():
            return gap  # one that lagged was put right
        if doubt is None or abs(doubt.gap - gap) > STEP:
            doubt = self._doubt = _Doubt(gap, steady)
        stands = doubt.since is not None and steady - doubt.since >= SETTLES and wall >= EARLIEST
        return gap if stands or self._synchronised() else None

    def adopt(self, step: timedelta) -> None:
        """Make a step; whatever goes by the time is moved in the same transaction."""
        self._before = (self._anchor, self._doubt)
        self._anchor, self._doubt = _Anchor(self._even() + step, self._steady()), None

    def take_back(self) -> None:
        """The step could not be stored: if it was made, it is not yet."""
        if self._before is not None:
            self._anchor, self._doubt = self._before

    def _even(self) -> datetime:
        anchor = self._anchor
        return anchor.time + timedelta(seconds=self._steady() - anchor.steady)
