"""Hours of random faults on modems of many families, under virtual time; `bench/soak.py` is real.

Nothing lost, nothing doubled, every phone back without a hand, everything received once.
"""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest
from hwsim.network import Settings
from hwsim.rack import Options

from tests.acceptance.stage import internal_errors, stage
from tests.virtual_time import run

FAMILIES = "huawei-e173,ec25,zte-mf112,sim7600,telit-le910,sierra-mc7455,generic,nasty"
MODEMS = 8
HOURS = 1.0
FAULTS = [
    *(f"fault {{m}} {kind}" for kind in (
        "cms 500", "cms 38", "cms 304", "cms 512", "cms 322", "cms 27", "cms-prompt 500", "error",
        "silence", "swallow", "late 30", "late 150", "no-prompt", "late-prompt 8", "report-first",
        "no-reference", "unplug-before 5", "unplug-after 5", "H1", "H2", "H3", "H5", "H6", "H7 1",
        "H7 2", "H7 3", "H9", "H11 30", "H13",
    )),
    "unplug {m} 5", "unplug {m} 60", "sim {m} busy 20", "call {m} +33698000002 20",
    "network error 38 30", "ussd push {m} flood",
    "incoming {m} +33698000003 'storm {n}' --count 30",
]  # fmt: skip


# What nobody cures on a serial line without a switch for the power: H7's value stands behind it.
BY_PLUG = ("H1", "H2", "H3", "H5", "1", "2", "3")


@pytest.mark.parametrize("seed", range(2))
def test_hours_of_faults(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)

    async def main() -> None:
        options = Options(modems=MODEMS, personality=FAMILIES, warm=True, seed=seed)
        settings = Settings(seed=seed)
        async with stage(tmp_path, options=options, settings=settings, selftest=900.0) as made:
            loop = asyncio.get_running_loop()
            made.do("network send-latency lognormal 2.0 0.5")
            numbers = [stick.modem.number for stick in made.sticks]
            names = [stick.modem.name for stick in made.sticks]
            inbound: list[str] = []
            asked: dict[str, str] = {}
            struck = 0.0
            while loop.time() < HOURS * 3600:
                n = len(asked)
                text = f"out {n} " + "A long one. " * (rng.randrange(60) if n % 4 == 0 else 0)
                asked[text.strip()] = rng.choice([*numbers, f"+3361{n:07d}"])
                await made.ask(asked[text.strip()], text.strip())
                inbound.append(f"in {len(inbound)}")
                made.do(f"incoming {rng.choice(names)} +33698000000 '{inbound[-1]}'")
                if loop.time() >= struck:
                    struck = loop.time() + rng.uniform(60, 300)
                    stick = rng.choice(made.sticks)
                    fault = rng.choice(FAULTS).format(m=stick.modem.name, n="{n}")
                    if stick.modem.personality.usb is None and fault.split()[-1] in BY_PLUG:
                        continue
                    if "storm" in fault:
                        fault = fault.replace("storm", f"storm {len(inbound)}")
                    try:
                        made.do(fault)
                    except ValueError:
                        continue  # what the modem's state does not allow
                await asyncio.sleep(rng.uniform(5.0, 25.0))
            states = await made.settled(within=6 * 3600.0)
            assert set(states.values()) <= {"sent", "delivered", "uncertain"}
            await made.until(made.available, within=7200.0, what=str(made.words[-5:]))
            await made.until(
                lambda: not any(made.network.waiting(stick.modem) for stick in made.sticks),
                within=3 * 3600.0,
                what="everything is received",
            )
            await made.until(lambda: not made.stored_left(), within=900.0, what="empty memories")
            await made.honest()
            received = Counter(row["text"] for row in await made.received())
            whole = set(made.whole())
            ours = [text for text, to in asked.items() if to in numbers and text in whole]
            assert [text for text in (*inbound, *ours) if received[text] != 1] == []
            assert [text for text, count in received.items() if count > 1] == []

    with internal_errors() as errors:
        run(main())
    assert errors == []
