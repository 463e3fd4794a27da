"""What differs from modem to modem, as data; one family a value.

The generic profile follows 27.005 and 27.007 and takes nothing for granted that a modem may refuse.
"""

from dataclasses import dataclass
from typing import Final

Indications = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Profile:
    """How a family of modems is set up and used. Times are in seconds.

    ``settings`` are command lines whose refusal is no reason to stop; ``indications`` the
    ``+CNMI`` values to try in order, the best first: messages stored and announced (mt 1), reports
    stored and announced (ds 2), else handed over (ds 1), else none.
    """

    name: str
    settings: tuple[str, ...]
    indications: tuple[Indications, ...]
    memories: tuple[str, ...] = ("SM", "ME")
    report_memory: str = "SR"
    send_timeout: float = 120.0
    sim_ready: float = 60.0
    registration_poll: float = 30.0
    sweep_every: float = 300.0
    polling_every: float = 15.0
    """Between sweeps where no indication could be switched on."""
    ussd: tuple[str, ...] = ("text", "packed", "ucs2")
    """How a USSD string may stand in +CUSD, the likeliest first."""
    temperature: str | None = None
    """The maker's command for the modem's temperature, if it has one."""


GENERIC: Final = Profile(
    name="generic",
    settings=(
        "ATV1",
        "AT+CMEE=1",
        'AT+CSCS="GSM"',
        "AT+CSMS=0",  # with 1 what is handed over must be acknowledged in time, behind a long CMGS
        "AT+CREG=1",
        "AT+COPS=3,0",
        "AT+CLIP=1",  # numbers of callers
        "AT+CRC=1",
        "AT+CVHU=0",  # ATH hangs up
    ),
    indications=(
        (2, 1, 0, 2, 0),
        (2, 1, 0, 1, 0),
        (2, 1, 0, 0, 0),
        (1, 1, 0, 2, 0),
        (1, 1, 0, 1, 0),
        (1, 1, 0, 0, 0),
        (3, 1, 0, 0, 0),
    ),
)
