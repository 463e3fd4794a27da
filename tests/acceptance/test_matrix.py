"""What the peers were put through (peers.md 5.1), by the whole gateway under virtual time.

Everywhere: nothing lost, nothing doubled at the network, what is in doubt is uncertain and stays.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hwsim.network import Settings
from hwsim.personality import load, names
from hwsim.rack import Options

from smsd.dispatch.inbox import join
from tests.acceptance.stage import Stage, internal_errors, stage
from tests.virtual_time import run

FAMILIES = ["generic", "huawei-e173", "ec25"]
VANISHING = [name for name in sorted(set(names()) - {"zte-mf823"}) if not load(name).uart]
LONG = " ".join(f"{n}. It is a long way." for n in range(1, 48))  # seven parts
NETWORK_TIMEOUT = 120.0  # seconds that +CMGS may take
Test = Callable[[Stage], Coroutine[Any, Any, None]]


def play(folder: Path, test: Test, personality: str = "generic", *, reports: bool = True) -> None:
    """Run a test on a gateway with one modem that is available."""

    async def main() -> None:
        async with served(folder, personality) as made:
            made.do(f"network reports {'on' if reports else 'off'}")
            await test(made)
            await made.honest()

    with internal_errors() as errors:
        run(main())
    assert errors == []


@asynccontextmanager
async def served(folder: Path, personality: str) -> AsyncIterator[Stage]:
    options = Options(personality=personality, warm=True)
    async with stage(folder, options=options, settings=Settings()) as made:
        await made.until(made.available, what="the phone is available")
        yield made


async def flow(made: Stage, count: int, name: str = "message", every: float = 0.0) -> list[str]:
    """Ask for some messages, each to a recipient of its own."""
    texts = [f"{name} {n}" for n in range(count)]
    for n, text in enumerate(texts):
        await made.ask(f"+33612000{n:03d}", text)
        await asyncio.sleep(every)
    return texts


def longest_gap(made: Stage) -> float:
    """The longest time between two messages at the network."""
    times = [row["at"] for row in made.history.sent()]
    return max((b - a for a, b in itertools.pairwise(times)), default=0.0)


def seconds() -> float:
    return asyncio.get_running_loop().time()


# Answers that come late or never ---------------------------------------------------------------


@pytest.mark.parametrize("personality", FAMILIES)
@pytest.mark.parametrize("late", [20, 90])
def test_a_modem_that_hangs_and_then_accepts(tmp_path: Path, personality: str, late: int) -> None:
    async def test(made: Stage) -> None:
        made.do(f"fault modem0 late {late} --after 1")
        await flow(made, 6)
        states = await made.settled()
        assert set(states.values()) <= {"sent", "delivered"}
        assert len(made.whole()) == 6
        assert longest_gap(made) <= late + 1.5

    play(tmp_path, test, personality)


@pytest.mark.parametrize("personality", FAMILIES)
@pytest.mark.parametrize("reports", [True, False])
def test_an_answer_that_is_lost(tmp_path: Path, personality: str, reports: bool) -> None:
    """Silence lasts as long as the network may take; a report settles the doubt."""

    async def test(made: Stage) -> None:
        made.do("fault modem0 silence --after 1")
        await flow(made, 6)
        states = await made.settled()
        await asyncio.sleep(600.0)
        states = await made.states()
        wanted = {"delivered": 6} if reports else {"sent": 5, "uncertain": 1}
        assert Counter(states.values()) == wanted
        assert len(made.whole()) == 6
        assert longest_gap(made) <= NETWORK_TIMEOUT + 15.0

    play(tmp_path, test, personality, reports=reports)


@pytest.mark.parametrize("personality", FAMILIES)
@pytest.mark.parametrize("fault", ["silence", "cms 500", "cms 38", "cms-prompt 500", "no-prompt"])
def test_a_long_message_goes_on_at_the_part_that_failed(
    tmp_path: Path, personality: str, fault: str
) -> None:
    async def test(made: Stage) -> None:
        made.do(f"fault modem0 {fault} --after 3")
        await made.ask("+33612345678", LONG)
        await made.until(lambda: LONG in made.whole(), within=900.0, what="the whole message")
        rows = made.history.sent()
        assert [row["concat"]["number"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
        assert len({row["concat"]["reference"] for row in rows}) == 1
        await asyncio.sleep(900.0)
        assert len(made.history.sent()) == 7
        assert await made.states() == {LONG: "delivered"}

    play(tmp_path, test, personality)


@pytest.mark.parametrize("fault", ["silence", "swallow", "unplug-before 5", "unplug-after 5"])
def test_a_part_in_doubt_holds_its_message_and_no_other(tmp_path: Path, fault: str) -> None:
    async def test(made: Stage) -> None:
        made.do(f"fault modem0 {fault} --after 3")
        await made.ask("+33612345678", LONG)
        await flow(made, 3)
        states = await made.settled()
        await asyncio.sleep(3600.0)
        assert await made.states() == states
        assert states.pop(LONG) == "uncertain"
        assert set(states.values()) == {"sent"}
        parts = [row for row in made.history.sent() if row["concat"]]
        assert len(parts) == (4 if fault in ("silence", "unplug-after 5") else 3)

    play(tmp_path, test, reports=False)


# Unplugged, and started anew -------------------------------------------------------------------


@pytest.mark.parametrize("personality", VANISHING)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("away", [5, 60])
def test_unplugged_at_the_moment_of_sending(
    tmp_path: Path, personality: str, when: str, away: int
) -> None:
    async def test(made: Stage) -> None:
        back: list[float] = []
        made.sticks[0].watchers.append(lambda stick, there: back.append(seconds()))
        made.do(f"fault modem0 unplug-{when} {away} --after 2")
        texts = await flow(made, 7)
        states = await made.settled()
        assert Counter(states.values()) == {"sent": 6, "uncertain": 1}
        assert len(made.whole()) == (7 if when == "after" else 6)
        boot = made.sticks[0].modem.personality.boot
        ready = max(boot.silent, boot.card_ready, boot.sms_ready)
        started = made.network.clock.time() - made.network.elapsed
        after = [
            row["at"] + started for row in made.history.sent() if row["at"] + started >= back[1]
        ]
        assert min(after) - back[1] - ready <= 5.0
        assert states[texts[2]] == "uncertain"

    play(tmp_path, test, personality, reports=False)


@pytest.mark.parametrize("personality", FAMILIES)
@pytest.mark.parametrize("echo", [True, False])
def test_a_modem_that_started_anew_without_a_word_hears_again(
    tmp_path: Path, personality: str, echo: bool
) -> None:
    async def test(made: Stage) -> None:
        await flow(made, 2, "before")
        await made.settled()
        modem = made.sticks[0].modem
        modem.power_off()
        modem.power_on(warm=True)
        for line in modem.lines:
            line.manners.echo = echo
        for n in range(5):
            made.do(f"incoming modem0 +33612345678 'inbound {n}'")
            await asyncio.sleep(1.0)
        await flow(made, 2, "after")
        await made.settled()
        await asyncio.sleep(360.0)
        assert len(await made.received()) == 5
        made.do("incoming modem0 +33612345678 'one more'")
        await asyncio.sleep(2.0)
        assert len(await made.received()) == 6, "its indications were not set again"
        assert made.stored_left() == 0

    play(tmp_path, test, personality)


# Errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("personality", FAMILIES)
@pytest.mark.parametrize("code", [500, 304, 38])
def test_an_error_that_comes_once_costs_no_message(
    tmp_path: Path, personality: str, code: int
) -> None:
    async def test(made: Stage) -> None:
        made.do(f"fault modem0 cms {code} --after 1")
        await flow(made, 5)
        states = await made.settled(within=300.0)
        assert Counter(states.values()) == {"delivered": 5} or set(states.values()) <= {
            "sent",
            "delivered",
        }
        assert len(made.whole()) == 5

    play(tmp_path, test, personality)


def test_one_recipient_that_fails_for_ever_holds_up_nobody(tmp_path: Path) -> None:
    async def test(made: Stage) -> None:
        made.do("network refuse +33612000000 500")
        texts = await flow(made, 7)
        await made.until(lambda: len(made.whole()) == 6, within=60.0, what="the others leave")
        states = await made.settled(within=7200.0)
        assert states.pop(texts[0]) == "failed"
        assert set(states.values()) <= {"sent", "delivered"}
        assert made.network.attempts <= 6 + 7  # five, and two until it was known whose fault it is

    play(tmp_path, test)


@pytest.mark.parametrize("personality", FAMILIES)
def test_a_network_that_is_out_of_order_for_a_while_costs_no_message(
    tmp_path: Path, personality: str
) -> None:
    async def test(made: Stage) -> None:
        made.do("network error 38 30")
        began = seconds()
        await flow(made, 10)
        states = await made.settled(within=240.0)
        assert set(states.values()) <= {"sent", "delivered"}
        assert len(made.whole()) == 10
        assert seconds() - began <= 120.0
        assert made.network.attempts <= 10 + 6

    play(tmp_path, test, personality)


# A bad line ------------------------------------------------------------------------------------


class Spoilt:
    """A line that garbles what the modem says: every so many writes."""

    def __init__(self, made: Stage, every: int, how: Callable[[bytes], bytes]) -> None:
        self.count, self.every, self.how = 0, every, how
        for node in made.bus.nodes.values():
            node.filter = self

    def __call__(self, octets: bytes) -> bytes:
        self.count += 1
        return octets if self.count % self.every else self.how(octets)


@pytest.mark.parametrize("seed", range(5))
def test_garbage_before_answers(tmp_path: Path, seed: int) -> None:
    async def test(made: Stage) -> None:
        rng = random.Random(seed)
        Spoilt(made, 5, lambda octets: rng.randbytes(8) + octets)
        await flow(made, 10)
        for n in range(10):
            made.do(f"incoming modem0 +33612345678 'inbound {n}'")
        states = await made.settled(within=3600.0)
        assert set(states.values()) <= {"sent", "delivered", "uncertain"}
        await asyncio.sleep(900.0)
        texts = Counter(row["text"] for row in await made.received())
        assert texts == Counter(f"inbound {n}" for n in range(10))

    play(tmp_path, test)


@pytest.mark.parametrize("every", [7, 9, 11])
def test_answers_that_are_cut_short(tmp_path: Path, every: int) -> None:
    async def test(made: Stage) -> None:
        Spoilt(made, every, lambda octets: octets[:3])
        await flow(made, 10)
        for n in range(10):
            made.do(f"incoming modem0 +33612345678 'inbound {n}'")
        states = await made.settled(within=4 * 3600.0)
        assert set(states.values()) <= {"sent", "delivered", "uncertain"}
        await asyncio.sleep(1800.0)
        texts = Counter(row["text"] for row in await made.received())
        assert texts == Counter(f"inbound {n}" for n in range(10))

    play(tmp_path, test)


# What comes in ---------------------------------------------------------------------------------


def test_a_part_that_never_comes(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path, "generic") as made:
            made.do(f"incoming modem0 +33612345678 '{LONG}' --drop 4")
            await asyncio.sleep(60.0)
            assert made.stored_left() == 0
            assert await made.received() == []
        await asyncio.sleep(25 * 3600.0)
        await made.rig.store.arrivals.give_up_series(join)
        [row] = await made.received()
        assert not row["complete"]
        assert row["text"].startswith(LONG[:100])
        assert row["text"].endswith(LONG[-100:])

    run(main())


@pytest.mark.parametrize("order", ["--reverse", "--repeat 2"])
def test_parts_out_of_order_and_twice(tmp_path: Path, order: str) -> None:
    async def test(made: Stage) -> None:
        made.do(f"incoming modem0 +33612345678 '{LONG}' {order}")
        await asyncio.sleep(60.0)
        assert [row["text"] for row in await made.received()] == [LONG]
        assert made.stored_left() == 0

    play(tmp_path, test)


def test_a_sim_full_of_foreign_messages(tmp_path: Path) -> None:
    async def main() -> None:
        options = Options(personality="ec25", warm=True)
        async with stage(tmp_path, options=options) as made:
            for n in range(50):
                made.do(
                    f"store modem0 SM 040B911326040000F0{n:02X}00208062917314080{5}C8F71D14{n:02X}"
                )
            for n in range(5):
                made.do(f"incoming modem0 +33612345678 'inbound {n}'")
            await asyncio.sleep(120.0)
            rows = await made.rig.rows("incoming")
            assert len(rows) == 55
            texts = [row["text"] for row in await made.received()]
            assert set(texts) >= {f"inbound {n}" for n in range(5)}
            assert made.stored_left() == 0

    run(main())


ODD = (
    "incoming modem0 +33612345678 00FF10 --raw",
    "special modem0 binary +33612345678 0102030405",
    "special modem0 flash +33612345678 flash",
    "special modem0 mwi +33612345678",
    "special modem0 voicemail +33612345678",
    "special modem0 wap +33612345678",
    "special modem0 mms +33612345678",
    "special modem0 class2 +33612345678 two",
    "special modem0 replace1 +33612345678 first",
    "special modem0 sim-download +33612345678",
    "incoming-pdu modem0 04FF",
    "incoming-pdu modem0 0C0B911326040000F000002080629173140805C8F71D14FF",
    "incoming-pdu modem0 440B911326040000F00000208062917314080A0500030003FF61F1",
    "incoming-pdu modem0 040B911326040000F0000820806291731408030041D8",
)


@pytest.mark.parametrize("personality", FAMILIES)
def test_odd_messages_are_kept_and_clog_nothing(tmp_path: Path, personality: str) -> None:
    async def test(made: Stage) -> None:
        for line in ODD:
            made.do(line)
            await asyncio.sleep(1.0)
        made.do("incoming modem0 +33612345678 'an ordinary one'")
        await asyncio.sleep(360.0)
        assert len(await made.rig.rows("incoming")) == len(ODD) + 1
        assert "an ordinary one" in [row["text"] for row in await made.received()]
        assert made.stored_left() == 0

    play(tmp_path, test, personality)
