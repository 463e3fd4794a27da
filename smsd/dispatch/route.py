"""Which phone a message leaves by, and why: a pure function of what the store and phones say.

The same rows give the same answer on every node and in every test; the words of the answer are
kept with the message, so that nobody has to guess.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import datetime

from smsd.model.message import Decision, Fault, FaultClass, Queued, Refuse, Route, Wait
from smsd.model.phone import Candidate, Health, Window


def route(message: Queued, candidates: Sequence[Candidate], now: datetime) -> Decision:
    """Choose a phone for a message.

    With a phone asked for: that phone, else its fallback for the reasons that it allows. Without:
    the phones by priority (higher first, a seeded draw among equals), else their fallback.
    A message that a phone has begun stays with it. Phones that are held (paused, or outside their
    hours) are passed over; where they alone might take it, it waits.
    """
    if message.begun_on is not None:
        return _stay(message, candidates)
    wanted = [c for c in candidates if message.phone in (None, int(c.phone.id))]
    if not wanted:
        return Wait(
            "no phone is configured"
            if message.phone is None
            else "the phone asked for is not configured any more"
        )
    own = [c for c in wanted if message.phone is not None or not c.phone.cloud]
    takers = [c for c in _by_priority(own, message) if not _switched_off(c)]
    if own and not takers:
        return Wait("; ".join(f"{c.phone.name} is disabled: {health(c)[1]}" for c in own))
    held = [candidate for candidate in takers if candidate.standing.held]
    reasons = [f"{candidate.phone.name} {candidate.standing.held}" for candidate in held]
    if held and len(held) == len(takers):
        return Wait("; ".join(reasons))  # what was paused is kept, and calls no fallback
    takers = [candidate for candidate in takers if candidate not in held]
    for candidate in takers:
        obstacle = _obstacle(candidate, message, now)
        if obstacle is None:
            why = "asked for" if message.phone is not None else _why(candidate, reasons)
            return Route(int(candidate.phone.id), f"{candidate.phone.name}: {why}")
        reasons.append(f"{candidate.phone.name} {obstacle[1]}")
    fallbacks = _fallbacks(takers, candidates, message, now)
    for candidate in fallbacks:
        obstacle = _obstacle(candidate, message, now)
        if obstacle is None:
            first = takers[0].phone.name if takers else "any phone"
            because = "; ".join(reasons) or "no phone of one's own is configured"
            return Route(
                int(candidate.phone.id), f"{candidate.phone.name}: fallback of {first} ({because})"
            )
        reasons.append(f"{candidate.phone.name} {obstacle[1]}")
    return _nobody(message, (*held, *takers, *fallbacks), reasons)


def health(candidate: Candidate) -> tuple[Health, str]:
    """A phone's status in RaspiSMS's words, its limits and the operator's verdict included."""
    standing = candidate.standing
    if standing.health is Health.DISABLED:
        return standing.health, standing.words or "was switched off"
    full = next((w for w in candidate.windows if w.used >= w.limit.volume), None)
    if full is not None:
        return Health.LIMIT_REACHED, _limit_words(full)
    return standing.health, standing.words


def _obstacle(candidate: Candidate, message: Queued, now: datetime) -> tuple[Health, str] | None:
    """Why a phone does not take the message now, ``None`` if it does."""
    status, words = health(candidate)
    if int(candidate.phone.id) in message.declined_by:
        return Health.AVAILABLE, "has declined it"
    if status is not Health.AVAILABLE:
        return status, f"is {status}" + (f": {words}" if words else "")
    tight = next((w for w in candidate.windows if w.used + message.parts > w.limit.volume), None)
    if tight is not None:
        return Health.LIMIT_REACHED, f"would pass its limit: {_limit_words(tight)}"
    if not candidate.standing.idle:
        return Health.AVAILABLE, candidate.standing.held or "is busy"
    return None


def _limit_words(window: Window) -> str:
    return f"{window.used} of {window.limit.volume} parts since {window.limit.startpoint}"


def _by_priority(candidates: Iterable[Candidate], message: Queued) -> list[Candidate]:
    """Higher priority first; equals in an order drawn from the message, the same on every node."""
    draw = random.Random(int(message.id))  # noqa: S311 fairness, not secrecy
    shuffled = sorted(candidates, key=lambda c: c.phone.id)
    draw.shuffle(shuffled)
    return sorted(shuffled, key=lambda c: -c.phone.priority)


def _why(candidate: Candidate, passed: Sequence[str]) -> str:
    return f"priority {candidate.phone.priority}" + (f" ({'; '.join(passed)})" if passed else "")


def _fallbacks(
    tried: Sequence[Candidate], candidates: Sequence[Candidate], message: Queued, now: datetime
) -> list[Candidate]:
    """The phones that take over, in order.

    Only when a phone that was tried allows it for its reason, and every other one does too or has
    been away for its grace: a stick that was never plugged in keeps nobody waiting.
    """
    letting = [candidate for candidate in tried if _lets_go(candidate, message, now)]
    if tried and not letting:
        return []
    if not all(candidate in letting or _away(candidate, now) for candidate in tried):
        return []
    by_name = {candidate.phone.name: candidate for candidate in candidates}
    clouds = [c for c in candidates if c.phone.cloud and not c.phone.voice]
    found: list[Candidate] = []
    for names in [candidate.phone.fallback for candidate in letting] or [None]:
        if names is None:
            found += _by_priority(clouds, message)
        else:
            found += [by_name[name] for name in names if name in by_name]
    return [c for c in dict.fromkeys(found) if c not in tried]


def _switched_off(candidate: Candidate) -> bool:
    return candidate.standing.health is Health.DISABLED


def _away(candidate: Candidate, now: datetime) -> bool:
    away = (now - candidate.standing.since).total_seconds()
    absent = candidate.standing.health is Health.UNAVAILABLE
    return absent and away >= candidate.phone.unavailable_grace


def _lets_go(candidate: Candidate, message: Queued, now: datetime) -> bool:
    obstacle = _obstacle(candidate, message, now)
    assert obstacle is not None  # it was tried before, and passed over
    status, _ = obstacle
    if int(candidate.phone.id) in message.declined_by:
        return True
    if status is Health.UNAVAILABLE:
        return status in candidate.phone.fallback_on and _away(candidate, now)
    return status in candidate.phone.fallback_on


def _stay(message: Queued, candidates: Sequence[Candidate]) -> Decision:
    candidate = next((c for c in candidates if c.phone.id == message.begun_on), None)
    if candidate is None:
        return Wait("the phone that sent some of its parts is not configured any more")
    status, words = health(candidate)
    # Its parts were counted when it was begun: a limit met since then does not cut it in two.
    if status not in (Health.AVAILABLE, Health.LIMIT_REACHED) or not candidate.standing.idle:
        how = candidate.standing.held or f"is {status} {words}"
        return Wait(f"{candidate.phone.name}, which sent some of its parts, {how}")
    return Route(int(candidate.phone.id), f"{candidate.phone.name}: it sent the first parts")


def _nobody(message: Queued, asked: Sequence[Candidate], reasons: Sequence[str]) -> Decision:
    """Wait, unless every phone that might take the message has declined it."""
    if asked and message.declined_by.issuperset(int(c.phone.id) for c in asked):
        return Refuse(Fault(FaultClass.DECLINED, "every phone has declined it"))
    return Wait("; ".join(reasons) or "no phone is configured")
