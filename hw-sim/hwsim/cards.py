"""The cards of a world: numbers that are the same for every seed, identities that are not."""

import random

from hwsim.sim import Sim

SMSC = "+33609001390"


def make_sim(position: int, rng: random.Random, pin: str | None = None) -> Sim:
    """Make the card of the modem at `position`; its number is the same for every seed."""
    body = f"893301{position:02}{rng.randrange(10**11):011}"
    return Sim(
        number=f"+336000000{position:02}",
        iccid=body + luhn(body),
        imsi=f"20801{rng.randrange(10**10):010}",
        smsc=SMSC,
        pin=pin,
        reference=rng.randrange(256),
    )


def make_imei(rng: random.Random) -> str:
    """Make a serial number with its check digit."""
    body = f"35{rng.randrange(10**12):012}"
    return body + luhn(body)


def luhn(digits: str) -> str:
    """Give the check digit of ITU-T E.118."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
