"""Which phone a message leaves by, and why: a pure function of what the store and phones say.

The same rows give the same answer on every node and in every test; the words of the answer are
kept with the message, so that nobody has to guess.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from smsd.model.message import Decision, Fault, FaultClass, Queued, Refuse, Route, Wait
from smsd.model.phone import Candidate, Health, Window

BUSY: Final = (Health.AVAILABLE, "is busy")


def route(message: Queued, candidates: Sequence[Candidate], now: datetime) -> Decision:
    """Choose a phone for a message.

    With a phone, a phone group or a route of its number: those phones, else their fallback for the
    reasons that they allow. Without: the phones that are no cloud, else their fallback. Among
    several the one that its recipient knows, then by priority (higher first, a seeded draw among
    equals). A message that a phone has begun stays with it. Phones that are held (paused, or
    outside their hours) are passed over; where they alone might take it, it waits.
    """
    if message.begun_on is not None:
        return _stay(message, candidates, now)
    own, why = _wanted(message, candidates)
    if not own and (why is not None or not candidates):
        return Wait(why or "no phone is configured")
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
            words = _why(candidate, message, why, reasons)
            return Route(int(candidate.phone.id), f"{candidate.phone.name}: {words}")
        if _is_known(candidate, message) and obstacle == BUSY:
            return Wait(f"{candidate.phone.name}, which its recipient knows, is busy")
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


def _wanted(message: Queued, candidates: Sequence[Candidate]) -> tuple[list[Candidate], str | None]:
    """The phones to look at first, and what chose them; if there are none, why.

    Without a choice (``None``): one's own. Voice is for who asks for that phone.
    """
    if message.phone is not None:
        found = [c for c in candidates if c.phone.id == message.phone]
        return found, "asked for" if found else "the phone asked for is not configured any more"
    if message.group is not None:
        found = [c for c in candidates if message.group in c.groups]
        words = f"of phone group {message.group}"
        return found, words if found else "the phone group asked for has no phone"
    routed = {
        prefix
        for candidate in candidates
        for prefix in candidate.standing.prefixes
        if message.destination.startswith(prefix)
    }
    if routed:
        longest = max(routed, key=len)
        found = [c for c in candidates if longest in c.standing.prefixes]
        return found, f"by the route for {longest}"
    return [c for c in candidates if not c.phone.cloud and not c.phone.voice], None


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
    if (never := _never(candidate, message)) is not None:
        return Health.AVAILABLE, never
    if status is not Health.AVAILABLE:
        return status, f"is {status}" + (f": {words}" if words else "")
    tight = next(
        (
            window
            for window in candidate.windows
            if window.used + window.limit.weight(message.parts) > window.limit.volume
        ),
        None,
    )
    if tight is not None:
        return Health.LIMIT_REACHED, f"would pass its limit: {_limit_words(tight)}"
    if not candidate.standing.idle:
        held = candidate.standing.held
        return (Health.AVAILABLE, held) if held else BUSY
    return None


def _never(candidate: Candidate, message: Queued) -> str | None:
    """Why a phone will not take the message at any time, ``None`` if it may."""
    if int(candidate.phone.id) in message.declined_by:
        return "has declined it"
    if message.flash and not candidate.phone.flash:
        return "sends no flash messages"
    if message.mms and not candidate.phone.mms:
        return "sends no MMS"
    return None


def _limit_words(window: Window) -> str:
    limit = window.limit
    unit = "messages" if limit.by_message else "parts"
    return f"{window.used} of {limit.volume} {unit} since {limit.startpoint}"


def _is_known(candidate: Candidate, message: Queued) -> bool:
    return message.known is not None and candidate.phone.id == message.known


def _by_priority(candidates: Iterable[Candidate], message: Queued) -> list[Candidate]:
    """The one that is known first, then higher priority.

    Equals in an order drawn from the message, the same on every node.
    """
    draw = random.Random(int(message.id))  # noqa: S311 fairness, not secrecy
    shuffled = sorted(candidates, key=lambda c: c.phone.id)
    draw.shuffle(shuffled)
    return sorted(shuffled, key=lambda c: (not _is_known(c, message), -c.phone.priority))


def _why(candidate: Candidate, message: Queued, chosen: str | None, passed: Sequence[str]) -> str:
    words = "" if chosen is None else f"{chosen}, "
    if message.phone is not None:
        words = "asked for"
    elif _is_known(candidate, message):
        words += "known to its recipient"
    else:
        words += f"priority {candidate.phone.priority}"
    return words + (f" ({'; '.join(passed)})" if passed else "")


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
    if _never(candidate, message) is not None:
        return True
    if status is Health.UNAVAILABLE:
        return status in candidate.phone.fallback_on and _away(candidate, now)
    return status in candidate.phone.fallback_on


def _stay(message: Queued, candidates: Sequence[Candidate], now: datetime) -> Decision:
    candidate = next((c for c in candidates if c.phone.id == message.begun_on), None)
    did = "may have sent it" if message.again else "sent some of its parts"
    if candidate is None:
        return Wait(f"the phone that {did} is not configured any more")
    if message.again:
        # It leaves as if for the first time, and counts anew.
        obstacle = _obstacle(candidate, message, now)
        if obstacle is not None:
            return Wait(f"{candidate.phone.name}, which {did}, {obstacle[1]}")
        return Route(int(candidate.phone.id), f"{candidate.phone.name}: it {did}")
    status, words = health(candidate)
    # Its parts were counted when it was begun: a limit met since then does not cut it in two.
    if status not in (Health.AVAILABLE, Health.LIMIT_REACHED) or not candidate.standing.idle:
        how = candidate.standing.held or f"is {status} {words}"
        return Wait(f"{candidate.phone.name}, which sent some of its parts, {how}")
    return Route(int(candidate.phone.id), f"{candidate.phone.name}: it sent the first parts")


def _nobody(message: Queued, asked: Sequence[Candidate], reasons: Sequence[str]) -> Decision:
    """Wait, unless no phone that might take the message ever will."""
    if asked and all(_never(candidate, message) is not None for candidate in asked):
        declined = message.declined_by.issuperset(int(c.phone.id) for c in asked)
        words = "every phone has declined it" if declined else "; ".join(reasons)
        return Refuse(Fault(FaultClass.DECLINED, words))
    return Wait("; ".join(reasons) or "no phone is configured")
