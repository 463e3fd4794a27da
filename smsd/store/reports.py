"""Delivery reports, and the parts that they belong to."""

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from smsd.model.events import Awaited, Doubt, Report
from smsd.model.message import AttemptId, State
from smsd.model.phone import PhoneId
from smsd.store.database import Database, Row, Sync, Transaction, milliseconds, moment, ms
from smsd.store.states import judge, review

REPORT_WINDOW: Final = timedelta(hours=72)  # TP-MR comes round; older parts are not meant
CLOCK_SLACK: Final = timedelta(minutes=2)  # between our clock and the service centre's
NATIONAL_DIGITS: Final = 9  # networks rewrite the prefix of a number, never its end


class Reports:
    """What the network says of parts that left. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, phone: PhoneId, report: Report) -> bool:
        """Keep a delivery report and apply it to its part; False while it belongs to none.

        Parts are found by reference and recipient, newest first. A part in doubt has no reference
        yet: a report to its recipient under the reference that would have been next settles it.
        """

        def work(tx: Transaction) -> bool:
            if report.key and tx.row("same report", phone=phone, key=report.key) is not None:
                return True  # a copy of one that was applied or kept
            part = reported_part(tx, phone, report)
            if report.key:
                tx.run(
                    "add report", phone=phone, key=report.key, reference=report.reference,
                    recipient=report.recipient, verdict=str(report.verdict), code=report.code,
                    words=report.words, now=tx.now, part=part,
                    at=None if report.at is None else milliseconds(report.at),
                )  # fmt: skip
            if part is None:
                return False
            judge(tx, part, report.verdict, report.code, report.words)
            return True

        return await self._database.transaction(work)

    async def awaited(self, phone: PhoneId) -> list[Awaited]:
        """Parts of a phone on which a final report may still come, oldest first."""

        def work(tx: Transaction) -> list[Awaited]:
            since = tx.now - ms(REPORT_WINDOW)
            return [
                Awaited(row["reference"], row["destination"], moment(row["sent_at"]))
                for row in tx.rows("awaited", phone=phone, since=since)
            ]

        return await self._database.transaction(work)

    async def doubts(self, phone: PhoneId) -> list[Doubt]:
        """Parts of a phone that may have gone, in flight or given up, oldest first."""

        def work(tx: Transaction) -> list[Doubt]:
            since = tx.now - ms(REPORT_WINDOW)
            return [
                Doubt(
                    AttemptId(row["attempt_id"]), row["number"], row["destination"], row["text"],
                    moment(row["begun_at"]), row["state"] == State.CLAIMED,
                )
                for row in tx.rows("parts that may have gone", phone=phone, since=since)
            ]  # fmt: skip

        return await self._database.transaction(work, sync=Sync.WHENEVER)

    async def bound(self, phone: PhoneId, references: Collection[str]) -> set[str]:
        """Those of the references that parts of a phone have."""

        def work(tx: Transaction) -> set[str]:
            rows = tx.rows("bound references", phone=phone, references=json.dumps(list(references)))
            return {row["reference"] for row in rows}

        return await self._database.transaction(work, sync=Sync.WHENEVER)


def apply_early_reports(tx: Transaction, part: Row, reference: str) -> None:
    """Reports that were here before the reference that they speak of."""
    for loose in tx.rows(
        "loose reports", phone=part["phone_id"], reference=reference, since=part["begun_at"]
    ):
        message = tx.row("message", id=part["message_id"], account=None)
        assert message is not None
        if same_number(loose["recipient"], message["destination"]):
            tx.run("bind report", id=loose["id"], part=part["id"])
            judge(tx, part["id"], loose["verdict"], loose["code"], loose["words"])


def reported_part(tx: Transaction, phone: PhoneId, report: Report) -> int | None:
    """The part that a report is about; ``None`` while it can be about one that has no answer yet.

    Several may have gone to the recipient under that reference: the newest at the service
    centre's time is meant. Where no time fits (a clock is wrong), the report waits for the answer
    to a part that is in flight; with none, a part in doubt comes first, then the newest.
    """
    since = tx.now - ms(REPORT_WINDOW)
    found = [
        row
        for row in tx.rows(
            "part by reference", phone=phone, reference=report.reference, since=since
        )
        if same_number(row["destination"], report.recipient)
    ]
    for row in found:
        if report.accepted_at is None or _fits(row, milliseconds(report.accepted_at)):
            return int(row["id"])
    # One in flight may be meant as well as one in doubt: its answer will tell.
    in_flight = tx.rows("parts in flight", phone=phone)
    if any(same_number(row["destination"], report.recipient) for row in in_flight):
        return None
    doubts = [
        row
        for row in tx.rows("parts in doubt", phone=phone, since=since)
        if _settles(row, report.recipient, report.reference)
    ]
    if len(doubts) == 1:
        return settle_doubt(tx, doubts[0], report.reference)
    if doubts:
        return None  # one of them went, and nobody can tell which
    return int(found[0]["id"]) if found else None


def _fits(part: Row, accepted_at: int) -> bool:
    """Whether the service centre took something while the part was on its way."""
    slack = ms(CLOCK_SLACK)
    return bool(part["begun_at"] - slack <= accepted_at <= part["sent_at"] + slack)


def settle_doubt(tx: Transaction, part: Row, reference: str) -> int:
    """A part in doubt did go, under this reference."""
    tx.run(
        "complete part", attempt=part["attempt_id"], number=part["number"],
        reference=reference, now=tx.now,
    )  # fmt: skip
    tx.run("begun on", id=part["message_id"], phone=part["phone_id"])
    review(tx, part["message_id"])
    return int(part["id"])


def apply_reports_to_doubts(tx: Transaction, phone: PhoneId) -> None:
    """A report may have come while the answer to its part was still hoped for."""
    doubts = tx.rows("parts in doubt", phone=phone, since=tx.now - ms(REPORT_WINDOW))
    for part in doubts:
        for loose in tx.rows("all loose reports", phone=phone, since=part["begun_at"]):
            settled = [p for p in doubts if _settles(p, loose["recipient"], loose["reference"])]
            if settled == [part]:
                tx.run("bind report", id=loose["id"], part=part["id"])
                settle_doubt(tx, part, loose["reference"])
                judge(tx, part["id"], loose["verdict"], loose["code"], loose["words"])
                break


def same_number(one: str, other: str) -> bool:
    """Whether two forms of a number are the same subscriber's: networks rewrite prefixes."""
    a, b = (value.lstrip("+") for value in (one, other))
    return a == b or (
        min(len(a), len(b)) >= NATIONAL_DIGITS and a[-NATIONAL_DIGITS:] == b[-NATIONAL_DIGITS:]
    )


def _settles(part: Row, recipient: str, reference: str) -> bool:
    """Whether a report can only be about this part, which was begun and never answered."""
    return same_number(part["destination"], recipient) and _follows(part["previous"], reference)


def _follows(previous: str | None, reference: str) -> bool:
    """Whether TP-MR ``reference`` comes next after ``previous``; any does after none."""
    if previous is None or not previous.isdigit() or not reference.isdigit():
        return previous is None
    return int(reference) == (int(previous) + 1) % 256
