"""A message's way out: kept, claimed for a phone, sent part by part, or given back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from smsd.model.message import (
    AttemptId,
    Change,
    Claim,
    Decision,
    Draft,
    Fault,
    FaultClass,
    Guard,
    Later,
    MessageId,
    Queued,
    Refuse,
    Route,
    ScheduledId,
    State,
    Wait,
)
from smsd.model.phone import Candidate, PhoneId, Standing
from smsd.store.campaigns import cancel, end_cancelling, expand_due, keep_recipients
from smsd.store.database import Conflict, Database, Row, Sync, Transaction, milliseconds, moment, ms
from smsd.store.doubts import resend
from smsd.store.lanes import any_of, phones_in
from smsd.store.once import Once, answered, keep_answer
from smsd.store.reports import apply_early_reports, apply_reports_to_doubts
from smsd.store.shift import shift
from smsd.store.states import columns, doubt, expire, keep_fault, move, review
from smsd.store.stops import STOPPED, wants_none
from smsd.store.usage import Counts, candidates, next_room, used_more

_REFUSED: Final = 100  # messages a claim: who waits for the store waits for them

Choose = Callable[[Queued, Sequence[Candidate]], Decision]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a request to send came to: the scheduled row's id; ``again``: answered before.

    ``left_out``: how many recipients were, by the reason, as far as that is known yet.
    """

    id: ScheduledId
    again: bool = False
    left_out: Mapping[str, int] = field(default_factory=dict)


class Outgoing:
    """Scheduled rows, messages, attempts and parts. Each method is one transaction.

    ``guards`` say how many messages a recipient may get.
    """

    def __init__(self, database: Database, guards: Sequence[Guard] = ()) -> None:
        self._database = database
        self._guards = guards
        self._newest: int | None = None

    async def schedule(
        self, account: int, draft: Draft, once: Once | None = None, *, anybodys: bool = False
    ) -> Accepted:
        """Keep a draft; what is due now is queued in the same transaction, unless it is a lot.

        The same request under a key again gives the first answer; `Conflict` if it is another.
        ``anybodys``: not only the account's own contacts and groups may be named.
        """

        def work(tx: Transaction) -> Accepted:
            if (known := answered(tx, account, once)) is not None:
                return Accepted(ScheduledId(known.answer), again=True)
            scheduled, left = self._keep(tx, account, draft, None if anybodys else account)
            keep_answer(tx, account, once, scheduled)
            return Accepted(ScheduledId(scheduled), left_out=left)

        return await self._database.transaction(work)

    def _keep(
        self, tx: Transaction, account: int, draft: Draft, whose: int | None
    ) -> tuple[int, dict[str, int]]:
        at = tx.now if draft.at is None else milliseconds(draft.at)
        scheduled: int = tx.value(
            "add scheduled", account=account, at=at, text=draft.text, parts=draft.parts,
            flash=draft.flash, mms=draft.mms, tag=draft.tag, phone=draft.phone,
            group=draft.group, sticky=draft.sticky,
            validity=draft.validity, priority=draft.priority, send_windows=draft.send_windows,
            now=tx.now,
        )  # fmt: skip
        return scheduled, keep_recipients(tx, scheduled, draft, whose, self._guards)

    async def cancel(self, scheduled: int, account: int | None) -> bool:
        """Take back a scheduled message, or those of its messages that no phone has begun.

        ``account`` ``None`` may take back anybody's. False if there is nothing left to take back.
        A large request is taken back in several transactions: see `smsd.store.campaigns.cancel`.
        """
        return await cancel(self._database, scheduled, account)

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
        self, standings: Sequence[Standing], counts: Counts, choose: Choose
    ) -> tuple[list[Claim], datetime | None]:
        """Give due messages to phones that are idle, until no idle phone has a message to take.

        ``choose`` decides, from the message and what each phone has used by ``counts``; what it
        chose and why is kept with the attempt. Scheduled rows whose time has come become messages
        first, and messages whose validity is over end here. Returns the claims, and when something
        is due next, or a limit has room again for what waits (``None``: nothing is).
        """

        def work(tx: Transaction) -> tuple[list[Claim], datetime | None]:
            self._make_due(tx, choose)
            open_ones = {c.phone.id: c for c in candidates(tx, standings, counts)}
            claims: list[Claim] = []
            refused: list[Refused] = []
            lanes = [_Lane(*row) for row in tx.rows("lanes")]
            again = False
            while not again and any(candidate.standing.idle for candidate in open_ones.values()):
                found = _next_due(tx, lanes, tuple(open_ones.values()), choose)
                if found is None:
                    break
                begun = found["begun_on"] is not None
                went = begun and bool(tx.value("some part went", message=found["id"]))
                queued = queued_of(found, went=went)
                decision = choose(queued, tuple(open_ones.values()))
                if isinstance(decision, Route) and wants_none(tx, queued.id):
                    refused.append((queued.id, STOPPED))  # said since it was queued
                elif isinstance(decision, Route):
                    claims.append(self._claim(tx, queued, found, decision))
                    phone = PhoneId(decision.phone)
                    open_ones[phone] = used_more(open_ones[phone], queued)
                elif isinstance(decision, Refuse):
                    refused.append((queued.id, decision.fault))
                # All whose hours have ended this moment are put off at once.
                again = len(refused) == _REFUSED or isinstance(decision, Later)
            due = tx.value("next due", now=tx.now)
            moments = [] if due is None else [moment(due)]
            if again:
                moments.append(moment(tx.now))
            moments += next_room(tx, open_ones.values(), counts, {lane.parts for lane in lanes})
            _refuse(tx, refused)
            return claims, min(moments, default=None)

        # A claim that a power cut takes back is a message that waits: nothing of it has begun. But
        # on a disk that takes nothing it would be answered, undone and made again without end.
        sync = Sync.NOW if self._database.failing else Sync.WHENEVER
        return await self._database.transaction(work, sync=sync)

    def _make_due(self, tx: Transaction, choose: Choose) -> None:
        """Turn due scheduled rows into messages; end messages whose validity is over."""
        expand_due(tx, self._guards)
        _mind_hours(tx, choose)
        for row in tx.rows("expired", now=tx.now):
            expire(tx, row["id"])
        for row in tx.rows("doubts to resend", now=tx.now):
            words = 'in doubt, and sent again: the phone\'s on_uncertain is "resend"'
            resend(tx, row["id"], words, only_by=row["phone_id"])

    def _claim(self, tx: Transaction, queued: Queued, row: Row, route: Route) -> Claim:
        """Give a message to a phone.

        A claim is answered before it is committed, and may be undone behind the back of who has
        it. So no two attempts have one id: of one that was undone nobody finds anything.
        """
        move(tx, queued.id, Change.CLAIM, route.words)
        tx.run("claim", id=queued.id, phone=route.phone)
        if row["sticky"] and queued.known is None:
            tx.run("known from now on", phone=route.phone, destination=queued.destination)
        if self._newest is None:
            self._newest = tx.value("newest attempt")
        self._newest += 1
        tx.run(
            "add attempt", id=self._newest, message=queued.id, phone=route.phone,
            route=route.words, now=tx.now,
        )  # fmt: skip
        sent = (
            {part["number"]: part["reference"] for part in tx.rows("sent parts", message=queued.id)}
            if queued.begun_on is not None
            else {}
        )
        return Claim(
            queued.id, AttemptId(self._newest), route.phone, queued.destination, row["text"],
            queued.flash, moment(row["expires_at"]), row["attempts"] + 1, sent,
        )  # fmt: skip

    async def shift(self, step: timedelta, began: datetime, adopt: Callable[[], None]) -> None:
        """The clock is set forward or back by ``step``: nothing expires, waits or counts for that.

        ``began`` is when what is recorded by the clock that was wrong begins; ``adopt`` sets it,
        between this transaction and the next one.
        """

        def work(tx: Transaction) -> None:
            shift(tx, ms(step), milliseconds(began))
            adopt()

        await self._database.transaction(work)

    async def begin_part(self, claim: Claim, part: int, total: int) -> None:
        """The part is about to leave: from here on it may have gone."""

        def work(tx: Transaction) -> None:
            begun = tx.run(
                "begin part", attempt=claim.attempt, number=part, total=total, now=tx.now
            )
            if not begun:
                raise Conflict("the message is not this phone's to send, or the part has left")

        await self._database.transaction(work)

    async def complete_part(self, attempt: AttemptId, part: int, reference: str | None) -> bool:
        """The network took the part; the message is sent with its last one.

        A report that was here before its reference is applied. False if that part is not in doubt,
        and was not written off to be sent again either.
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
            found = tx.row("what a part changes", id=row["id"])
            assert found is not None
            if found["begun_on"] != row["phone_id"]:
                tx.run("begun on", id=row["message_id"], phone=row["phone_id"])
            if reference is not None and found["reported"]:
                apply_early_reports(tx, row, reference)
            if (
                found["state"] != State.CLAIMED
                or found["number"] >= found["total"]
                or found["later"]
            ):
                review(tx, row["message_id"])  # not for one of which more parts are to come
            if found["doubts"]:
                apply_reports_to_doubts(tx, PhoneId(row["phone_id"]))  # one may have waited for it
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
        if outcome == "declined":
            tx.run("declined", id=message)
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

        recovered = await self._database.transaction(work)
        await end_cancelling(self._database)
        return recovered


Refused = tuple[MessageId, Fault]


def _mind_hours(tx: Transaction, choose: Choose) -> None:
    """Let what is due outside its own hours wait for them; its validity does not run meanwhile.

    All of those hours at once: there may be a hundred thousand.
    """
    hours = ""
    while (hours := tx.value("next hours", after=hours)) is not None:
        decision = choose(Queued(MessageId(0), "", 1, send_windows=hours), ())
        if isinstance(decision, Later):
            since, until = milliseconds(decision.since), milliseconds(decision.until)
            tx.run("wait for hours", hours=hours, now=tx.now, since=since, until=until)


def _refuse(tx: Transaction, refused: Sequence[Refused]) -> None:
    for message, fault in refused:
        tx.run("fault if none", id=message, **columns(fault))
        move(tx, message, Change.REJECT, fault.words)


@dataclass(slots=True)
class _Lane:
    """A lane's messages of one priority and size, and how far one claim has looked at them."""

    name: str
    priority: int
    parts: int
    place: tuple[int, int] = (-1, -1)
    """When the last one that was looked at was due, and its id."""


def _next_due(
    tx: Transaction, lanes: Sequence[_Lane], everyone: Sequence[Candidate], choose: Choose
) -> Row | None:
    """The next message in order, of the lanes that a phone takes something from now.

    However many wait in each, it is found by one look into it; the highest priority comes first.
    """
    for _, equals in groupby(lanes, key=lambda lane: lane.priority):
        found = [
            (row["due_at"], row["id"], lane, row)
            for lane in equals
            if not isinstance(choose(any_of(lane.name, lane.parts), everyone), Wait)
            and (row := _first(tx, lane)) is not None
        ]
        if found:
            due_at, number, lane, row = min(found)  # no two have one id
            lane.place = (due_at, number)
            return row
    return None


def _first(tx: Transaction, lane: _Lane) -> Row | None:
    due_at, number = lane.place
    return tx.row(
        "due", now=tx.now, lane=lane.name, priority=lane.priority, parts=lane.parts,
        due_at=due_at, id=number,
    )  # fmt: skip


def queued_of(row: Row | Mapping[str, Any], *, went: bool) -> Queued:
    """A row of ``message`` as the router sees it; ``went``: one of its parts has gone."""
    return Queued(
        MessageId(row["id"]), row["destination"], row["parts"], row["wanted_phone_id"],
        row["begun_on"], phones_in(row["declined"]),
        bool(row["flash"]), bool(row["mms"]), row["wanted_group_id"], row["known_phone_id"],
        row["send_windows"], row["begun_on"] is not None and not went,
    )  # fmt: skip
