"""The hangs of the field, H1 to H13 (modems.md 12.3): recovered without a hand, under virtual time.

What a person does with a plug, the gateway does by the file that authorises a USB device.
"""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest
from hwsim.network import Settings
from hwsim.personality import load, names
from hwsim.rack import Options

from tests.acceptance.stage import Stage, internal_errors, stage
from tests.virtual_time import run

MOMENTS = 25
EVERY = 10.0  # seconds between messages while an illness strikes
SOME = ["huawei-e173", "ec25", "sim7600"]
FAMILIES = sorted(set(names()) - {"zte-mf823"})  # which has no tty
ON_USB = [name for name in FAMILIES if load(name).usb]


def seconds() -> float:
    return asyncio.get_running_loop().time()


class Stream:
    """A message every so often, in both directions, as long as the block runs."""

    def __init__(self, made: Stage, every: float = EVERY) -> None:
        self.made, self.every = made, every
        self.inbound = 0

    async def run(self) -> None:
        n = 0
        while True:
            await self.made.ask(f"+33612000{n:03d}", f"outbound {n}")
            self.made.do(f"incoming modem0 +33698000000 'inbound {n}'")
            n += 1
            self.inbound = n
            await asyncio.sleep(self.every)

    async def whole(self) -> None:
        """Everything that came from outside is here, each once."""
        texts = Counter(row["text"] for row in await self.made.received())
        tests = Counter(text for text in texts if text.startswith("smsd self-test"))
        assert texts - tests == Counter(f"inbound {n}" for n in range(self.inbound))


async def known_sent(made: Stage) -> int:
    """How many parts the gateway knows to be sent: what only the network has does not count."""
    return sum(row["state"] == "sent" for row in await made.rig.rows("part"))


async def sick(
    folder: Path,
    ill: str,
    *,
    personality: str = "huawei-e173",
    at: float = 60.0,
    lasts: float = 300.0,
    afterwards: float = 900.0,
    selftest: float = 0.0,
    cured: str = "",
    every: float = EVERY,
    in_flight: bool = False,
) -> float:
    """Fall ill in a stream of messages; the seconds until the gateway knows the next one sent."""
    options = Options(personality=personality, warm=True)
    settings = Settings()
    async with stage(folder, options=options, settings=settings, selftest=selftest) as made:
        await made.until(made.available, what="the phone is available")
        made.do("network send-latency lognormal 2.5 0.4")
        stream = Stream(made, every)
        task = asyncio.get_running_loop().create_task(stream.run())
        await asyncio.sleep(at)
        if in_flight:
            modem = made.sticks[0].modem
            await made.until(lambda: modem.busy and modem.log[-1].startswith("AT+CMGS"))
        before, began = await known_sent(made), seconds()
        made.do(f"fault modem0 {ill}")
        while await known_sent(made) == before:
            assert seconds() - began < lasts, "no further message was sent"
            await asyncio.sleep(0.5)
        took = seconds() - began
        await asyncio.sleep(lasts)
        if cured:
            made.do(cured)
        task.cancel()
        await asyncio.wait([task])
        await made.settled(within=4 * 3600.0)
        await asyncio.sleep(afterwards)
        assert made.available(), made.words[-3:]
        states = await made.states()
        await made.honest()
        assert set(states.values()) <= {"sent", "delivered", "uncertain"}
        assert Counter(states.values())["uncertain"] <= 2
        assert made.stored_left() == 0
        await stream.whole()
        return took


def test_a_modem_that_hung_before_the_gateway_came(tmp_path: Path) -> None:
    """Found silent by whoever looks for modems, who has nothing but the plug."""

    async def main() -> None:
        options = Options(personality="huawei-e173", warm=True)
        async with stage(tmp_path, options=options) as made:
            made.do("fault modem0 H1")
            await made.ask("+33612345678", "at last")
            assert set((await made.settled(within=120.0)).values()) <= {"sent", "delivered"}
            await made.honest()

    run(main())


def test_h1_zombies_are_cured_within_ninety_seconds(tmp_path: Path) -> None:
    """The 95th percentile over moments and personalities (R-01.2), with a message a minute."""
    times = []
    for moment in range(MOMENTS):
        at = random.Random(moment).uniform(60.0, 180.0)
        personality = ON_USB[moment % len(ON_USB)]
        folder = tmp_path / str(moment)
        took = run(sick(folder, "H1", personality=personality, at=at, every=60.0, afterwards=300.0))
        times.append(took)
    times.sort()
    assert times[int(0.95 * len(times)) - 1] <= 90.0, times


@pytest.mark.parametrize("personality", ON_USB)
def test_h1_behind_a_pdu_takes_the_network_s_time_more(tmp_path: Path, personality: str) -> None:
    """What is on its way may take 120 s: until then nobody can tell a slow network from a hang."""
    took = run(sick(tmp_path, "H1", personality=personality, in_flight=True))
    slow = 15.0 if personality == "telit-le910" else 0.0  # in being asked, and in starting
    assert took <= 120.0 + 90.0 + slow


@pytest.mark.parametrize("personality", SOME)
@pytest.mark.parametrize(
    ("ill", "within"),
    [
        ("H3", 90.0),
        ("H3 20", 90.0),
        ("H5", 180.0),
        ("H6", 150.0),
        ("H7 1", 600.0),
        ("H7 2", 600.0),
        ("H7 3", 600.0),
        ("H8 90", 60.0),
        ("H9", 60.0),
        ("H10", 60.0),
        ("H11 30", 90.0),
        ("H13", 60.0),
    ],
)
def test_a_hang_is_recovered_from(
    tmp_path: Path, personality: str, ill: str, within: float
) -> None:
    cured = "faults modem0 clear" if ill.startswith("H8") else ""
    with internal_errors() as errors:
        took = run(sick(tmp_path, ill, personality=personality, cured=cured))
    assert errors == []
    assert took <= within


@pytest.mark.parametrize("personality", FAMILIES)
def test_h2_a_modem_that_neither_sends_nor_hears(tmp_path: Path, personality: str) -> None:
    with internal_errors() as errors:
        took = run(sick(tmp_path, "H2", personality=personality, lasts=600.0))
    assert errors == []
    assert took <= (360.0 if personality == "nasty" else 300.0)  # which says idly that it boots


@pytest.mark.parametrize("personality", SOME)
def test_h4_a_deaf_modem_tests_itself(tmp_path: Path, personality: str) -> None:
    with internal_errors() as errors:
        run(sick(tmp_path, "H4", personality=personality, selftest=900.0, lasts=3600.0))
    assert errors == []


def test_h10_a_notification_that_ends_reception(tmp_path: Path) -> None:
    async def main() -> None:
        options = Options(personality="sim7600", warm=True)
        async with stage(tmp_path, options=options) as made:
            await made.until(made.available)
            made.do("fault modem0 H10")
            made.do("special modem0 mms +33698000000")
            made.do("incoming modem0 +33698000000 'after it'")
            await asyncio.sleep(30.0)
            assert [row["text"] for row in await made.received()][-1] == "after it"

    run(main())


def test_h12_what_never_leaves_is_never_called_delivered(tmp_path: Path) -> None:
    async def main() -> None:
        options = Options(personality="huawei-e173", warm=True)
        async with stage(tmp_path, options=options) as made:
            await made.until(made.available)
            made.do("fault modem0 H12")
            for n in range(5):
                await made.ask("+33612345678", f"gone {n}")
            await asyncio.sleep(600.0)
            assert set((await made.states()).values()) == {"sent"}
            made.do("faults modem0 clear")
            await made.ask("+33612345678", "well")
            await asyncio.sleep(60.0)
            states = await made.states()
            assert states.pop("well") == "delivered"
            assert set(states.values()) == {"sent"}
            assert made.whole() == ["well"]

    run(main())
