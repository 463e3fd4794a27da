"""USSD and calls over every family that the simulator knows."""

import asyncio
from importlib.resources import files

import pytest
from hwsim.network import UssdReply as Says
from hwsim.personality import load

from smsd.adapters.contract import Unavailable
from smsd.model.events import CallBegan, CallEnded
from smsd.model.ussd import UssdReply, UssdStatus
from tests.adapters.scripted import Phone, until
from tests.adapters.test_modem import patiently, simulated
from tests.virtual_time import run

FAMILIES = sorted(
    entry.name.removesuffix(".toml")
    for entry in files("hwsim").joinpath("personalities").iterdir()
    if entry.name.endswith(".toml")
)
WITH_TTY = [name for name in FAMILIES if name != "zte-mf823"]
MENU = "1 Solde\n2 Options"
CALLER = "+33698765432"


async def settled(phone: Phone) -> None:
    """Families take their time to boot, and some say so after they are used."""
    await asyncio.sleep(120)
    await until(lambda: phone.available)


async def asked(phone: Phone, code: str) -> UssdReply:
    """Ask once the phone is there: it is set up anew whenever it says that it has restarted."""
    while True:
        try:
            return await phone.adapter.ussd(code)
        except Unavailable:
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("family", WITH_TTY)
def test_a_dialogue_is_read_in_every_dialect(family: str) -> None:
    async def main() -> None:
        async with simulated(family) as (phone, _, network):
            await settled(phone)
            network.ussd["*123#"] = [Says(MENU, 1, delay=3.0)]
            network.ussd["*123#>1"] = [Says(None, delay=1.0), Says("Solde: 5,20 EUR", delay=2.0)]
            network.ussd["*124#"] = [Says("Solde 5 € ✓", delay=1.0, coding="ucs2"), Says(None, 2)]
            network.ussd["*125#"] = [
                Says("Egyenleg: 100 Ft", at_once=True, coding="ucs2", scheme=15)
            ]
            network.ussd["*126#"] = [Says("1234567", delay=30.0)]
            question = await asked(phone, "*123#")
            assert question == UssdReply(UssdStatus.ANSWER_WANTED, MENU)
            answer = await phone.adapter.ussd_answer("1")
            assert answer == UssdReply(UssdStatus.DONE, "Solde: 5,20 EUR")
            for code, text in (
                ("*124#", "Solde 5 € ✓"), ("*125#", "Egyenleg: 100 Ft"), ("*126#", "1234567"),
                ("*100#", "12.34"),
            ):  # fmt: skip
                await asyncio.sleep(2)
                assert await asked(phone, code) == UssdReply(UssdStatus.DONE, text)
            assert (await patiently(phone)).completed

    if not load(family).ussd.offered:
        pytest.skip("it offers no USSD")
    run(main())


@pytest.mark.parametrize("family", WITH_TTY)
def test_a_call_is_told_and_rejected_by_every_family(family: str) -> None:
    async def main() -> None:
        async with simulated(family) as (phone, modem, _):
            await settled(phone)
            began = asyncio.get_running_loop().time()
            modem.ring(CALLER, 20.0)
            await until(lambda: modem.caller is None, within=20)
            assert asyncio.get_running_loop().time() - began <= 3
            await until(lambda: len(phone.sink.calls) >= 2, within=70)
            [first, *_rest, last] = phone.sink.calls
            assert isinstance(first, CallBegan)
            # Some tell the number with the second ring: by then the call is rejected.
            late = load(family).calls.clip_at_second_ring
            assert first.number == ("" if late else CALLER)
            assert isinstance(last, CallEnded)
            assert (await patiently(phone)).completed

    run(main())
