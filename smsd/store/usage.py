"""What phones have used of their limits, and when there is room again."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from smsd.model.message import Queued
from smsd.model.phone import Candidate, Count, PhoneId, Standing, Window
from smsd.store.database import Transaction, milliseconds, moment

Counts = Mapping[PhoneId, Sequence[Count]]


def candidates(tx: Transaction, standings: Sequence[Standing], counts: Counts) -> list[Candidate]:
    """The phones with what they have used of their limits, and their groups."""
    groups: dict[int, set[int]] = {}
    for row in tx.rows("grouped phones"):
        groups.setdefault(row["phone_id"], set()).add(row["group_id"])
    return [
        Candidate(
            standing,
            tuple(
                Window(count.limit, _used(tx, standing.phone.id, count))
                for count in counts.get(standing.phone.id, ())
            ),
            frozenset(groups.get(standing.phone.id, ())),
        )
        for standing in standings
    ]


def used_more(candidate: Candidate, queued: Queued) -> Candidate:
    """The phone after it was given a message; the rest of one that it began is counted already."""
    parts = queued.parts if queued.begun_on is None or queued.again else 0
    return replace(
        candidate,
        standing=replace(candidate.standing, idle=candidate.standing.idle - 1),
        windows=tuple(
            replace(window, used=window.used + (window.limit.weight(parts) if parts else 0))
            for window in candidate.windows
        ),
    )


def with_resets(tx: Transaction, candidate: Candidate, counts: Counts) -> Candidate:
    """The phone with the moments at which its limits have room again, or more of it."""
    windows = tuple(
        replace(window, resets_at=_room(tx, candidate.phone.id, window, count, 1))
        for window, count in zip(
            candidate.windows, counts.get(candidate.phone.id, ()), strict=False
        )
    )
    return replace(candidate, windows=windows)


def next_room(
    tx: Transaction, phones: Iterable[Candidate], counts: Counts, sizes: Collection[int]
) -> Iterator[datetime]:
    """When limits that leave no room for messages of some of these sizes will, for the smallest."""
    for candidate in phones:
        for window, count in zip(
            candidate.windows, counts.get(candidate.phone.id, ()), strict=False
        ):
            room = window.limit.volume - window.used
            needs = [need for parts in sizes if (need := window.limit.weight(parts)) > room]
            if needs:
                need = min(needs)
                at = _room(tx, candidate.phone.id, window, count, need)
                if at is not None:
                    yield at


def _used(tx: Transaction, phone: PhoneId, count: Count) -> int:
    tail = " messages" if count.limit.by_message else ""
    used: int = tx.value(f"used{tail}", phone=phone, since=milliseconds(count.since))
    reserved: int = tx.value(f"reserved{tail}", phone=phone)
    return used + reserved


def _room(
    tx: Transaction, phone: PhoneId, window: Window, count: Count, need: int
) -> datetime | None:
    """When so much as is needed has left a window, or the first part of it where it has room."""
    over = min(max(1, window.used + need - window.limit.volume), window.used)
    if over < 1:
        return None
    tail = " messages" if window.limit.by_message else ""
    begun: int | None = tx.value(
        f"leaves after{tail}", phone=phone, since=milliseconds(count.since), over=over
    )
    return None if begun is None else count.leaves(moment(begun))
