"""A message's way out: kept, claimed for a phone, sent part by part, or given back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from smsd.model.message import (
    AttemptId,
    Change,
    Claim,
    Decision,
    Draft,
    Fault,
    FaultClass,
    Later,
    MessageId,
    Queued,
    Refuse,
    Route,
    ScheduledId,
    State,
    Wait,
)
from smsd.model.phone import Candidate, Limit, PhoneId, Standing, Window
from smsd.store.database import Conflict, Database, Row, Sync, Transaction, milliseconds, moment, ms
from smsd.store.doubts import resend
from smsd.store.once import Once, answered, keep_answer
from smsd.store.reports import apply_early_reports, apply_reports_to_doubts
from smsd.store.states import columns, doubt, expire, keep_fault, move, review

RECHECK: Final = timedelta(seconds=15)
"""After that a message that no phone could take is looked at again: windows of limits move, and
absences grow long, without telling anybody."""
_EARLIEST: Final = (2**31, -1, -1)

Choose = Callable[[Queued, Sequence[Candidate]], Decision]
Starts = Mapping[PhoneId, Sequence[tuple[Limit, datetime]]]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a request to send came to: the scheduled row's id; ``again``: answered before."""

    id: ScheduledId
    again: bool = False


class Outgoing:
    """Scheduled rows, messages, attempts and parts. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def schedule(self, account: int, draft: Draft, once: Once | None = None) -> Accepted:
        """Keep a draft; what is due now is queued in the same transaction.

        The same request under a key again gives the first answer; `Conflict` if it is another.
        """

        def work(tx: Transaction) -> Accepted:
            if (known := answered(tx, account, once)) is not None:
                return Accepted(ScheduledId(known.answer), again=True)
            at = tx.now if draft.at is None else milliseconds(draft.at)
            scheduled: int = tx.value(
                "add scheduled", account=account, at=at, text=draft.text, parts=draft.parts,
                flash=draft.flash, mms=draft.mms, tag=draft.tag, phone=draft.phone,
                validity=draft.validity, priority=draft.priority,
                send_windows=draft.send_windows, now=tx.now,
            )  # fmt: skip
            tx.run_many(
                "add scheduled number",
                (
                    {"scheduled": scheduled, "number": number, "data": data, "now": tx.now}
                    for number, data in draft.numbers
                ),
            )
            keep_answer(tx, account, once, scheduled)
            if at <= tx.now:
                _expand(tx, scheduled)
            return Accepted(ScheduledId(scheduled))

        return await self._database.transaction(work)

    async def cancel(self, scheduled: int, account: int | None) -> bool:
        """Take back a scheduled message, or those of its messages that no phone has begun.

        ``account`` ``None`` may take back anybody's. False if there is nothing left to take back.
        """

        def work(tx: Transaction) -> bool:
            if tx.value("remove scheduled", id=scheduled, account=account) is not None:
                return True
            waiting = tx.rows("queued of scheduled", id=scheduled, account=account)
            for row in waiting:
                move(tx, row["id"], Change.CANCEL, "cancelled by its sender")
            return bool(waiting)

        return await self._database.transaction(work)

    async def cancel_message(self, message: int, account: int | None, who: str) -> bool:
        """Take back one message that waits; False if there is no such message.

        Raises `Conflict` if it does not wait, or some of its parts have gone.
        """

        def work(tx: Transaction) -> bool:
            row = tx.row("message", id=message, account=account)
            if row is None:
                return False
            if row["state"] != State.QUEUED:
                raise Conflict(f"it is {row['state']}")
            if row["begun_on"] is not None:
                raise Conflict("some of its parts have gone")
            move(tx, message, Change.CANCEL, f"cancelled by {who}")
            return True

        return await self._database.transaction(work)

    async def claim(
        self, standings: Sequence[Standing], starts: Starts, choose: Choose
    ) -> tuple[list[Claim], datetime | None]:
        """Give due messages to phones that are idle, until no idle phone has a message to take.

        ``choose`` decides, from the message and what each phone has used since ``starts``; what it
        chose and why is kept with the attempt. Scheduled rows whose time has come become messages
        first, and messages whose validity is over end here. Returns the claims, and when something
        is due next (``None``: nothing is).
        """
        await self._database.transaction(lambda tx: _make_due(tx, choose))

        def work(tx: Transaction) -> tuple[list[Claim], list[Refused], datetime | None]:
            open_ones = {c.phone.id: c for c in candidates(tx, standings, starts)}
            claims: list[Claim] = []
            refused: list[Refused] = []
            place = _EARLIEST
            passed: dict[int, set[int]] = {}
            while any(candidate.standing.idle for candidate in open_ones.values()):
                found = _next_due(tx, place, passed, open_ones, choose)
                if found is None:
                    break
                place = (found["priority"], found["due_at"], found["id"])
                queued = _queued(found)
                decision = choose(queued, tuple(open_ones.values()))
                if isinstance(decision, Route):
                    claims.append(_claim(tx, queued, found, decision))
                    phone = PhoneId(decision.phone)
                    # The parts of a message that was begun have been counted since then.
                    parts = queued.parts if queued.begun_on is None else 0
                    open_ones[phone] = _used_more(open_ones[phone], parts)
                    passed.clear()  # what waited for this phone may now have another's fallback
                elif isinstance(decision, Refuse):
                    refused.append((queued.id, decision.fault))
                elif isinstance(decision, Wait) and not queued.declined_by:
                    passed.setdefault(found["lane"], set()).add(queued.parts)
            due = tx.value("next due", now=tx.now)
            idle = any(candidate.standing.idle for candidate in open_ones.values())
            if idle and tx.value("something waits", now=tx.now):
                due = min(due, tx.now + ms(RECHECK))  # what waits has an end of its validity
            return claims, refused, None if due is None else moment(due)

        # A claim that a power cut takes back is a message that waits: nothing of it has begun.
        claims, refused, due = await self._database.transaction(work, sync=Sync.WHENEVER)
        if refused:
            await self._database.transaction(lambda tx: _refuse(tx, refused))
        return claims, due

    async def shift(self, step: timedelta, adopt: Callable[[], None]) -> None:
        """The clock is set forward or back by ``step``: nothing expires or waits for that.

        ``adopt`` sets it, between this transaction and the next one.
        """

        def work(tx: Transaction) -> None:
            tx.run("shift messages", step=ms(step))
            tx.run("shift parts", step=ms(step))
            adopt()

        await self._database.transaction(work)

    async def begin_part(self, claim: Claim, part: int, total: int) -> None:
        """The part is about to leave: from here on it may have gone."""

        def work(tx: Transaction) -> None:
            row = tx.row("attempt", id=claim.attempt)
            if row is None or row["state"] != State.CLAIMED or row["outcome"] is not None:
                raise Conflict("the message is no longer this phone's to send")
            if tx.row("part begun", attempt=claim.attempt, number=part) is not None:
                raise Conflict("the part has left before")
            tx.run(
                "begin part", message=claim.message, attempt=claim.attempt, phone=claim.phone,
                number=part, total=total, size=max(1, row["parts"] // total), now=tx.now,
            )  # fmt: skip

        await self._database.transaction(work)

    async def complete_part(self, attempt: AttemptId, part: int, reference: str | None) -> bool:
        """The network took the part; the message is sent with its last one.

        A report that was here before its reference is applied. False if that part is not in doubt.
        """

        def work(tx: Transaction) -> bool:
            row = tx.row(
                "complete part",
                attempt=attempt,
                number=part,
                reference=reference,
                now=tx.now,
            )
            if row is None:
                return False
            tx.run("begun on", id=row["message_id"], phone=row["phone_id"])
            if reference is not None:
                apply_early_reports(tx, row, reference)
            review(tx, row["message_id"])
            return True

        # What a power cut takes back of this is a part in doubt, as if the answer had not come.
        return await self._database.transaction(work, sync=Sync.SOON)

    async def release(
        self, attempt: AttemptId, fault: Fault, *, retry_at: datetime, tries: int | None = None
    ) -> None:
        """Proven not sent: the message waits again.

        After ``tries`` attempts of this phone that ended so it is declined: another phone may have
        it, unless this one has sent some of its parts already.
        """

        def work(tx: Transaction) -> None:
            row = tx.row("attempt", id=attempt)
            if row is None:
                return
            failures = 1 + tx.value(
                "attempts that failed so",
                message=row["message_id"],
                phone=row["phone_id"],
                fault_code=fault.code,
            )
            exhausted = tries is not None and failures >= tries
            outcome = "declined" if exhausted and row["begun_on"] is None else "refused"
            message = self._end(tx, attempt, outcome, fault)
            if message is None:
                return
            if exhausted and outcome == "refused":
                move(tx, message, Change.REJECT, f"{fault.words}, {failures} times")
                return
            due_at = tx.now if exhausted else milliseconds(retry_at)
            tx.run("postpone", id=message, due_at=due_at)
            move(tx, message, Change.RELEASE, fault.words)

        await self._database.transaction(work)

    async def decline(self, attempt: AttemptId, fault: Fault) -> None:
        """The phone will not take this message; the router looks for another."""

        def work(tx: Transaction) -> None:
            if (message := self._end(tx, attempt, "declined", fault)) is not None:
                move(tx, message, Change.RELEASE, fault.words)

        await self._database.transaction(work)

    async def reject(self, attempt: AttemptId, fault: Fault) -> None:
        """The message will not go."""

        def work(tx: Transaction) -> None:
            if (message := self._end(tx, attempt, "refused", fault)) is not None:
                move(tx, message, Change.REJECT, fault.words)

        await self._database.transaction(work)

    async def doubt(self, attempt: AttemptId, fault: Fault) -> None:
        """A part may have gone, so nobody sends it again by himself."""

        def work(tx: Transaction) -> None:
            row = tx.row("attempt", id=attempt)
            if row is None or row["state"] != State.CLAIMED:
                return
            self._end(tx, attempt, "uncertain", fault, parts_went=True)
            doubt(tx, row["message_id"], row["phone_id"], fault.words)
            review(tx, row["message_id"])
            apply_reports_to_doubts(tx, PhoneId(row["phone_id"]))

        await self._database.transaction(work)

    def _end(
        self,
        tx: Transaction,
        attempt: AttemptId,
        outcome: str,
        fault: Fault,
        *,
        parts_went: bool = False,
    ) -> MessageId | None:
        """Close an attempt; ``None`` if its message has moved on: a report may have settled it."""
        row = tx.row("attempt", id=attempt)
        if row is None or row["state"] != State.CLAIMED:
            return None
        if not parts_went:
            tx.run("refuse parts", attempt=attempt)
        tx.run("end attempt", id=attempt, now=tx.now, outcome=outcome, **columns(fault))
        message = MessageId(row["message_id"])
        keep_fault(tx, message, fault)
        return message

    async def recover(self) -> dict[State, int]:
        """After a start: what was claimed is queued if nothing of it had begun, else in doubt."""

        def work(tx: Transaction) -> dict[State, int]:
            found = {State.QUEUED: 0, State.UNCERTAIN: 0}
            for row in tx.rows("claimed"):
                parts = tx.rows("parts", message=row["id"])
                if any(part["state"] == "begun" for part in parts):
                    fault = Fault(
                        FaultClass.AMBIGUOUS,
                        "smsd stopped while the network's answer was awaited: it may have gone",
                    )
                    self._end(tx, row["attempt"], "uncertain", fault, parts_went=True)
                    doubt(tx, row["id"], row["phone_id"], fault.words)
                    apply_reports_to_doubts(tx, PhoneId(row["phone_id"]))
                    found[State.UNCERTAIN] += 1
                else:
                    fault = Fault(FaultClass.RETRY, "smsd stopped before it was handed over")
                    self._end(tx, row["attempt"], "refused", fault)
                    move(tx, row["id"], Change.RELEASE, fault.words)
                    found[State.QUEUED] += 1
            return found

        return await self._database.transaction(work)


Refused = tuple[MessageId, Fault]


def _make_due(tx: Transaction, choose: Choose) -> None:
    """Turn scheduled rows whose time has come into messages; end those whose validity is over."""
    for row in tx.rows("due scheduled", now=tx.now):
        _expand(tx, row["id"])
    _mind_hours(tx, choose)
    for row in tx.rows("expired", now=tx.now):
        expire(tx, row["id"])
    for row in tx.rows("doubts to resend", now=tx.now):
        words = 'in doubt, and sent again: the phone\'s on_uncertain is "resend"'
        resend(tx, row["id"], words, only_by=row["phone_id"])


def _mind_hours(tx: Transaction, choose: Choose) -> None:
    """Let what is due outside its own hours wait for them; its validity does not run meanwhile.

    All of those hours at once: there may be a hundred thousand.
    """
    hours = ""
    while (hours := tx.value("next hours", after=hours)) is not None:
        decision = choose(_any_message(None, hours=hours), ())
        if isinstance(decision, Later):
            since, until = milliseconds(decision.since), milliseconds(decision.until)
            tx.run("wait for hours", hours=hours, now=tx.now, since=since, until=until)


def _refuse(tx: Transaction, refused: Sequence[Refused]) -> None:
    for message, fault in refused:
        tx.run("fault if none", id=message, **columns(fault))
        move(tx, message, Change.REJECT, fault.words)


def _expand(tx: Transaction, scheduled: int) -> None:
    tx.run("expand scheduled", id=scheduled, now=tx.now)
    tx.run("tell new messages", id=scheduled, now=tx.now)
    tx.run("remove scheduled", id=scheduled, account=None)


def _next_due(
    tx: Transaction,
    place: tuple[int, int, int],
    passed: Mapping[int, set[int]],
    open_ones: Mapping[PhoneId, Candidate],
    choose: Choose,
) -> Row | None:
    """The next message in order, of the lanes that a phone takes something from now.

    ``passed`` are, for each lane, the sizes of messages that have to wait: there may be thousands.
    """
    everyone = tuple(open_ones.values())
    lanes: list[tuple[int, Queued]] = [(0, _any_message(None))]
    for phone in open_ones:
        lanes += [(phone, _any_message(phone)), (-phone, _any_message(None, begun_on=phone))]
    priority, due_at, after = place
    found = [
        tx.row(
            "due",
            now=tx.now,
            lane=lane,
            priority=priority,
            due_at=due_at,
            id=after,
            passed="," + "".join(f"{parts}," for parts in passed.get(lane, ())),
        )
        for lane, any_one in lanes
        if not isinstance(choose(any_one, everyone), Wait)
    ]
    return min((row for row in found if row is not None), key=_order, default=None)


def _order(row: Row) -> tuple[int, int, int]:
    return -row["priority"], row["due_at"], row["id"]


def _claim(tx: Transaction, queued: Queued, row: Row, route: Route) -> Claim:
    """Give a message to a phone."""
    move(tx, queued.id, Change.CLAIM, route.words)
    tx.run("claim", id=queued.id, phone=route.phone)
    attempt = tx.value(
        "add attempt", message=queued.id, phone=route.phone, route=route.words, now=tx.now
    )
    sent = (
        {part["number"]: part["reference"] for part in tx.rows("sent parts", message=queued.id)}
        if queued.begun_on is not None
        else {}
    )
    return Claim(
        queued.id, AttemptId(attempt), route.phone, queued.destination, row["text"],
        queued.flash, moment(row["expires_at"]), row["attempts"] + 1, sent,
    )  # fmt: skip


def candidates(tx: Transaction, standings: Sequence[Standing], starts: Starts) -> list[Candidate]:
    """The phones with what they have used of their limits."""
    return [
        Candidate(
            standing,
            tuple(
                Window(limit, _used(tx, standing.phone.id, since))
                for limit, since in starts.get(standing.phone.id, ())
            ),
        )
        for standing in standings
    ]


def _used(tx: Transaction, phone: PhoneId, since: datetime) -> int:
    used: int = tx.value("used", phone=phone, since=milliseconds(since))
    reserved: int = tx.value("reserved", phone=phone)
    return used + reserved


def _used_more(candidate: Candidate, parts: int) -> Candidate:
    return Candidate(
        replace(candidate.standing, idle=candidate.standing.idle - 1),
        tuple(Window(window.limit, window.used + parts) for window in candidate.windows),
    )


def _any_message(
    phone: int | None, *, begun_on: int | None = None, hours: str | None = None
) -> Queued:
    return Queued(MessageId(0), "", 1, phone, begun_on, send_windows=hours)


def _queued(row: Row) -> Queued:
    declined = row["declined_by"] or ""
    return Queued(
        MessageId(row["id"]), row["destination"], row["parts"], row["wanted_phone_id"],
        row["begun_on"], frozenset(int(phone) for phone in declined.split(",") if phone),
        bool(row["flash"]), row["send_windows"],
    )  # fmt: skip
