"""A phone's balance: asked for when due, read, and what it means for the phone."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from smsd.adapters.contract import Throttled
from smsd.dispatch.balance import AGAIN_AFTER, Balances, number, read
from smsd.dispatch.phones import Phone
from smsd.model.phone import BalanceRule, Health
from smsd.model.ussd import UssdReply, UssdStatus
from tests.rig import Rig, Scripted, fault
from tests.virtual_time import now, run

SECRET_WORDS = "Votre solde est de"
RULE = BalanceRule("*123#", r"solde.*?([0-9]+[.,][0-9]+)", every=3600, low=1.0)


class Asked(Scripted):
    """A phone whose network answers as written; silence is an error."""

    def __init__(self, *replies: str) -> None:
        super().__init__()
        self.replies = list(replies)
        self.codes: list[str] = []
        self.status = UssdStatus.DONE
        self.takes = 5.0

    async def ussd(self, code: str) -> UssdReply:
        self.codes.append(code)
        await asyncio.sleep(self.takes)
        if not self.replies:
            raise Throttled(fault(), retry_after=1.0)
        return UssdReply(self.status, self.replies.pop(0))

    async def ussd_answer(self, text: str) -> UssdReply:
        raise NotImplementedError

    async def ussd_cancel(self) -> None:
        self.codes.append("cancel")


@asynccontextmanager
async def asking(*adapters: Scripted, rule: BalanceRule = RULE) -> AsyncIterator[list[Phone]]:
    rig = Rig()
    phones = [await rig.add(f"gsm{n}", adapter, balance=rule) for n, adapter in enumerate(adapters)]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(Balances(rig.phones, now).run())
        yield phones
        task.cancel()
    rig.database.close()


def test_a_balance_is_a_fact_of_the_phone() -> None:
    async def main() -> None:
        adapter = Asked(f"{SECRET_WORDS} 12,50 EUR", f"{SECRET_WORDS} 11,00 EUR")
        async with asking(adapter) as [phone]:
            await asyncio.sleep(60)
            assert phone.facts["balance"] == 12.5
            assert phone.facts["balance_at"] == "2026-03-02T12:00:05+00:00"
            assert phone.facts["balance_reply"] == f"{SECRET_WORDS} 12,50 EUR"
            assert phone.standing(now()).health is Health.AVAILABLE
            await asyncio.sleep(3600)
            assert phone.facts["balance"] == 11.0
            assert adapter.codes == ["*123#", "*123#"]

    run(main())


def test_a_low_balance_bars_the_phone_until_a_later_one_says_otherwise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        adapter = Asked(*(f"{SECRET_WORDS} {amount}" for amount in ("0,50", "0.40", "5,00")))
        async with asking(adapter) as [phone]:
            await asyncio.sleep(60)
            standing = phone.standing(now())
            assert (standing.health, standing.words) == (
                Health.NO_CREDIT, "the balance is 0.5, below 1",
            )  # fmt: skip
            began = standing.since
            await asyncio.sleep(3700)
            assert phone.standing(now()).words == "the balance is 0.4, below 1"
            assert phone.standing(now()).since == began
            await asyncio.sleep(3700)
            assert phone.standing(now()).health is Health.AVAILABLE

    with caplog.at_level(logging.DEBUG):
        run(main())
    said = [record.message for record in caplog.records if "credit" in record.message]
    assert said == ["phone has no credit", "phone has credit again"]
    assert SECRET_WORDS not in caplog.text


def test_a_reply_that_does_not_match_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        adapter = Asked(f"{SECRET_WORDS} 0,50", "the menu is new", f"{SECRET_WORDS} x1,2,3,4")
        adapter.status = UssdStatus.ANSWER_WANTED
        async with asking(adapter) as [phone]:
            await asyncio.sleep(3700)
            assert phone.facts["balance_error"] == "the reply does not match balance.pattern"
            assert (phone.facts["balance"], phone.standing(now()).health) == (0.5, "no_credit")
            assert adapter.codes == ["*123#", "cancel"] * 2

    with caplog.at_level(logging.DEBUG):
        run(main())
    assert "the menu is new" not in "".join(str(vars(record)) for record in caplog.records)


def test_a_network_that_does_not_answer_is_asked_again_soon() -> None:
    async def main() -> None:
        adapter = Asked()
        async with asking(adapter) as [phone]:
            await asyncio.sleep(10)
            assert "as written" in str(phone.facts["balance_error"])
            adapter.replies.append(f"{SECRET_WORDS} 7,00")
            await asyncio.sleep(960)
            assert (phone.facts["balance"], phone.facts["balance_error"]) == (7.0, None)
            assert len(adapter.codes) == 2

    run(main())


def test_only_a_phone_that_is_there_and_free_is_asked() -> None:
    async def main() -> None:
        away, busy = Asked("solde 1,00"), Asked("solde 1,00")
        async with asking(away, busy) as [first, second]:
            first.health, second.busy = Health.UNAVAILABLE, 1
            await asyncio.sleep(300)
            assert (away.codes, busy.codes) == ([], [])
            first.health = Health.AVAILABLE
            await asyncio.sleep(400)
            assert (away.codes, busy.codes) == (["*123#"], ["*123#"])

    run(main())


def test_a_slow_network_holds_up_no_other_phone_and_is_asked_once() -> None:
    async def main() -> None:
        slow, quick = Asked("solde 1,00"), Asked("solde 2,00")
        slow.takes = 200.0
        rule = replace(RULE, low=None)
        async with asking(slow, quick, rule=rule) as [first, second]:
            await asyncio.sleep(100)
            assert (slow.codes, second.facts["balance"]) == (["*123#"], 2.0)
            await asyncio.sleep(150)
            assert first.facts["balance"] == 1.0

    run(main())


def test_a_phone_without_a_rule_is_let_alone() -> None:
    async def main() -> None:
        rig = Rig()
        await rig.add("gsm0", adapter := Asked())
        async with asyncio.TaskGroup() as group:
            task = group.create_task(Balances(rig.phones, now).run())
            await asyncio.sleep(100)
            task.cancel()
        assert adapter.codes == []
        rig.database.close()

    run(main())


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("12,50", 12.5), ("12.50", 12.5), ("1.234,50", 1234.5), ("1,234.50", 1234.5), ("7", 7.0),
        ("1 234,5", 1234.5), ("1'234.5", 1234.5), ("1.234.567", 1234567.0), ("-0,5", -0.5),
        (",5", 0.5), ("5,", 5.0), ("", None), (".", None), ("x", None), ("1,x", None), ("-", None),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(written: str, value: float | None) -> None:
    assert number(written) == value


def test_a_pattern_reads_over_lines_and_capitals() -> None:
    assert read("Votre SOLDE\nprincipal : 4,20 EUR", RULE.pattern) == 4.2
    assert read("a", "(b)?a") is None


def test_an_unforeseen_error_ends_no_watch() -> None:
    class Odd(Asked):
        async def ussd(self, code: str) -> UssdReply:
            if not self.codes:
                self.codes.append(code)
                raise ValueError("unforeseen")
            return await super().ussd(code)

    async def main() -> None:
        adapter = Odd(f"{SECRET_WORDS} 12,50 EUR")
        async with asking(adapter) as [phone]:
            await asyncio.sleep(60)
            assert "balance" not in phone.facts
            await asyncio.sleep(AGAIN_AFTER.total_seconds())
            assert phone.facts["balance"] == 12.5

    run(main())
