"""What a modem's error means for a message and for the phone: number → class, words, hint.

Words are the standards' (27.005 3.2.5, 27.007 9.2, 24.011 E.2, 23.040 9.2.3.22); the class is a
judgement of ours, from what each means in the field.
"""

from typing import Final

from smsd.adapters.contract import (
    Declined,
    PhoneError,
    Rejected,
    Throttled,
    Unavailable,
    Uncertain,
)
from smsd.at.dialogue import FinalResult
from smsd.gsm import cme_error, cms_error
from smsd.model.message import Fault, FaultClass
from smsd.model.phone import Health

_C = FaultClass
_CMS: Final[dict[FaultClass, tuple[int | range, ...]]] = {
    _C.PERMANENT: (1, 129, 130, 143, 195, 196, range(224, 255)),
    _C.LIMIT: (8, 10, 21, 29, 50, 69, 193),
    _C.SIM: (28, 30, 213, range(310, 314), range(315, 319), 770),
    _C.NETWORK: (331, 615, 616),
    _C.LATER: (27, 38, 41, 42, 47, 127, 192, 194, 301, 514),
    _C.RETRY: (
        11, 17, 81, 98, 111, 128, 212, 255, 302, 314, 500, 512, 515, 521, 522, 532, 535, 640,
        771, 772,
    ),
    _C.CONFIGURATION: (
        95, 96, 97, 99, 144, 145, 159, 160, 161, 175, 176, 198, 199, 303, 304, 305, 330,
        range(516, 521), 538, range(549, 555),
    ),
    _C.MEMORY: (22, 208, 209, 211, 320, 322),
    _C.MODEM: (210, 300, 767, 769),
    _C.DUPLICATE: (197,),
    # The network took the PDU and fell silent: it may have it.
    _C.AMBIGUOUS: (332, 513),
}  # fmt: skip
_CME: Final[dict[FaultClass, tuple[int | range, ...]]] = {
    _C.SIM: (*range(5, 8), 10, 11, 12, 13, 15, 16, *range(40, 49), 103, 106),
    _C.NETWORK: (30, 32, 107, *range(111, 116)),
    _C.LATER: (132, 133, 134),
    _C.RETRY: (14, 31, 100, 256, 258, 515),
    _C.MEMORY: (20, 23),
    _C.MODEM: (0, 1, 2),
    _C.CONFIGURATION: (3, 4, 21, 22, *range(24, 28), *range(50, 61)),
}
_HINTS: Final = {
    "+CMS ERROR: 21": "often no credit, or a wrong service centre number",
    "+CMS ERROR: 96": "often a wrong service centre number: see smsc in the phone's configuration",
    "+CMS ERROR: 330": "set smsc in the phone's configuration to the operator's service centre",
    "+CMS ERROR: 304": "the modem refused the PDU; please report it with the modem's model",
    "+CMS ERROR: 38": "the network is out of order; it is tried again",
    "+CMS ERROR: 500": "check signal, supply and whether the operator allows SMS on this network",
    "+CME ERROR: 10": "no SIM: is it in its holder?",
}
RETRY_AFTER: Final = 10.0  # seconds
LATER_AFTER: Final = 60.0
TRIES: Final = 5  # attempts that end in the same passing error before it is taken for good
BARRED_FOR: Final = 3600.0  # seconds that an operator's bar is taken to last


def fault_of(result: FinalResult) -> Fault:
    """The fault that a final result stands for; a number that no table has is told as it is."""
    for number, table, words in (
        (result.cms, _CMS, cms_error),
        (result.cme, _CME, cme_error),
    ):
        if number is not None:
            kind = next((kind for kind, codes in table.items() if _has(codes, number)), _C.RETRY)
            text = words(number) or f"an error that this modem's maker numbered {number}"
            return Fault(kind, text, result.text, _HINTS.get(result.text))
    words_of_it = result.text.partition(":")[2]
    if (number := _NUMBERS.get((result.text[:4], _plain(words_of_it)))) is not None:
        fault = fault_of(FinalResult(f"{result.text.partition(':')[0]}: {number}"))
        return Fault(fault.kind, fault.words, result.text, fault.hint)
    return Fault(_C.RETRY, words_of_it.strip().lower() or "the modem refused it", result.text)


def _plain(words: str) -> str:
    """Letters and digits alone: modems that write errors in words (+CMEE=2) spell them freely."""
    return "".join(char for char in words.lower() if char.isalnum())


_NUMBERS: Final = {
    (prefix, _plain(words)): number
    for prefix, name in (("+CMS", cms_error), ("+CME", cme_error))
    for number in range(1024)
    if (words := name(number)) is not None
}


def _has(codes: tuple[int | range, ...], number: int) -> bool:
    return any(number == code or (isinstance(code, range) and number in code) for code in codes)


def error_of(fault: Fault) -> PhoneError:
    """The error that says what comes next for a message that met the fault, proven not sent."""
    match fault.kind:
        case _C.AMBIGUOUS:
            return Uncertain(fault)
        case _C.PERMANENT:
            return Rejected(fault)
        case _C.CONFIGURATION | _C.DECLINED:
            return Declined(fault)  # a phone that is set up otherwise may take it
        case _C.LIMIT:
            return Unavailable(fault, health=Health.LIMIT_REACHED, seconds=BARRED_FOR)
        case _C.NETWORK | _C.SIM:
            return Unavailable(fault, seconds=RETRY_AFTER)
        case _C.LATER:
            return Throttled(fault, retry_after=LATER_AFTER)
        case _:
            return Throttled(fault, retry_after=RETRY_AFTER, tries=TRIES)
