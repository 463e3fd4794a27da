"""What a modem's error means for a message and for the phone: number → class, words, hint.

Words are the standards' (27.005 3.2.5, 27.007 9.2, 24.011 E.2, 23.040 9.2.3.22); the class is a
judgement of ours, from what each means in the field. From 512 on the numbers are the makers': what
they mean hangs on the family (`Profile.errors`), and a profile may put any number in another class.
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
from smsd.adapters.modem.profiles import GENERIC, Profile
from smsd.at.dialogue import FinalResult
from smsd.gsm import cme_error, cms_error
from smsd.model.message import Fault, FaultClass
from smsd.model.phone import Health

_C = FaultClass
_CMS: Final[dict[FaultClass, tuple[int | range, ...]]] = {
    _C.PERMANENT: (1, 129, 130, 143, 195, 196, range(224, 255)),
    _C.LIMIT: (8, 10, 21, 29, 50, 69, 193),
    _C.SIM: (28, 30, 213, range(310, 314), range(315, 319)),
    _C.NETWORK: (38, 42, 47, 192, 331, 332),
    _C.LATER: (27, 41, 127, 194, 301),
    _C.RETRY: (11, 17, 81, 98, 111, 128, 212, 255, 302, 314, 500),
    _C.CONFIGURATION: (
        95, 96, 97, 99, 144, 145, 159, 160, 161, 175, 176, 198, 199, 303, 304, 305, 330, 340,
    ),
    _C.MEMORY: (22, 208, 209, 211, 320, 321, 322),
    _C.MODEM: (210, 300),
    _C.DUPLICATE: (197,),
}  # fmt: skip
_CME: Final[dict[FaultClass, tuple[int | range, ...]]] = {
    _C.SIM: (*range(5, 8), *range(10, 14), 15, 16, 17, 18, *range(40, 49), 103, 106),
    _C.NETWORK: (30, 31, 32, 107, 108, *range(111, 116), 122, 126),
    _C.LATER: (130, 131, 132, 133, 134, 148),
    _C.RETRY: (14, 100, 256, 258, 515),
    _C.MEMORY: (20, 21, 22, 23),
    _C.MODEM: (0, 1, 2, 60),
    _C.CONFIGURATION: (
        3, 4, *range(24, 28), *range(49, 60), 61, 63, 127, 128, 129, 149, 150, *range(171, 177),
    ),
    _C.LIMIT: (62,),
}  # fmt: skip
# The makers' +CMS ERROR numbers, by whose reading a family has.
_MAKERS: Final[dict[str | None, dict[int, tuple[FaultClass, str]]]] = {
    "siemens": {
        512: (_C.RETRY, "the link could not be established (weak signal, or a message came in)"),
        # After 28 or 42 s without an acknowledgement: what was lost may be only that.
        513: (_C.AMBIGUOUS, "the network did not acknowledge"),
        514: (_C.NETWORK, "network congestion"),
        515: (_C.RETRY, "please wait, the modem is being initialised"),
    },
    "simcom": {
        512: (_C.RETRY, "aborted by the user"),
        513: (_C.MEMORY, "unable to store"),
        514: (_C.CONFIGURATION, "invalid status"),
        515: (_C.CONFIGURATION, "invalid character in the address"),
        516: (_C.CONFIGURATION, "invalid length"),
        517: (_C.CONFIGURATION, "invalid character in the pdu"),
        518: (_C.CONFIGURATION, "invalid parameter"),
        519: (_C.CONFIGURATION, "invalid length or character"),
        520: (_C.CONFIGURATION, "invalid character in the text"),
        521: (_C.AMBIGUOUS, "the timer expired"),  # which one it does not tell: it may have gone
    },
    # A family whose reading nobody knows: of two meanings the more careful one.
    None: {
        512: (_C.RETRY, "the link could not be established, or it was aborted"),
        513: (_C.AMBIGUOUS, "the network did not acknowledge, or the message could not be stored"),
        514: (_C.LATER, "network congestion, or an invalid status"),
        515: (_C.RETRY, "please wait, or an invalid character in the address"),
        **dict.fromkeys(range(516, 521), (_C.CONFIGURATION, "invalid length or character")),
        521: (_C.AMBIGUOUS, "the timer expired"),  # which one it does not tell: it may have gone
    },
}
_ALL_MAKERS: Final[dict[int, tuple[FaultClass, str]]] = {
    522: (_C.RETRY, "operation temporarily not allowed"),
    532: (_C.RETRY, "the sim is not ready"),
    535: (_C.RETRY, "the packet service is busy"),
    538: (_C.CONFIGURATION, "invalid parameter"),
    549: (_C.CONFIGURATION, "invalid length of the pdu"),
    550: (_C.CONFIGURATION, "invalid message type"),
    551: (_C.CONFIGURATION, "invalid first octet"),
    552: (_C.CONFIGURATION, "invalid user data length"),
    553: (_C.CONFIGURATION, "invalid length of the service centre's address"),
    554: (_C.CONFIGURATION, "invalid address"),
    615: (_C.NETWORK, "network failure"),
    616: (_C.NETWORK, "the network is down"),
    640: (_C.RETRY, "operation temporarily not allowed"),
    767: (_C.MODEM, "operation failed"),
    769: (_C.MODEM, "no control of the module"),
    770: (_C.SIM, "the sim is invalid: rejected by the network"),
    771: (_C.RETRY, "a call is in progress"),
    772: (_C.RETRY, "the sim is powered down"),
}
_CME_WORDS: Final = {
    256: "operation temporarily not allowed",
    258: "the modem is busy with something else",
    515: "please wait, the modem or its sim is being initialised",
}
_UNKNOWN: Final = "an error that only this modem's maker can name"
_HINTS: Final = {
    "+CMS ERROR: 21": "often no credit, or a wrong service centre number",
    "+CMS ERROR: 96": "often a wrong service centre number: see smsc in the phone's configuration",
    "+CMS ERROR: 330": "set smsc in the phone's configuration to the operator's service centre",
    "+CMS ERROR: 304": "the modem refused the PDU; please report it with the modem's model",
    "+CMS ERROR: 38": "the network is out of order; it is tried again",
    "+CMS ERROR: 500": "check signal, supply and whether the operator allows SMS on this network",
    "+CME ERROR: 10": "no SIM: is it in its holder?",
}
BOOTING: Final = (
    "+CMS ERROR: 302", "+CMS ERROR: 314", "+CMS ERROR: 330", "+CMS ERROR: 500", "+CMS ERROR: 515",
    "+CME ERROR: 3", "+CME ERROR: 14", "+CME ERROR: 515",
)  # fmt: skip
"""What a modem answers to all that has to do with messages until it has loaded them.

As `numeric` writes it.
"""
MISREAD: Final = "+CMS ERROR: 304"
"""An invalid PDU: ours, or one that came to harm on a serial line; a second time tells which."""
RETRY_AFTER: Final = 10.0  # seconds
LATER_AFTER: Final = 60.0
TRIES: Final = 5  # attempts that end in the same passing error before it is taken for good
BARRED_FOR: Final = 3600.0  # seconds that an operator's bar is taken to last


def fault_of(result: FinalResult, profile: Profile = GENERIC) -> Fault:
    """The fault that a final result of a modem stands for.

    A number that no table has is told as it is and tried again.
    """
    if (number := result.cms) is not None:
        kind, words = _cms(number, profile)
        return Fault(kind, words, result.text, _HINTS.get(result.text))
    if (number := result.cme) is not None:
        own = profile.cme.get(str(number))
        words = cme_error(number) or _CME_WORDS.get(number) or _UNKNOWN
        return Fault(own or _class(_CME, number), words, result.text, _HINTS.get(result.text))
    if (code := numeric(result.text)) != result.text:
        fault = fault_of(FinalResult(code), profile)
        return Fault(fault.kind, fault.words, result.text, fault.hint)
    words_of_it = result.text.partition(":")[2]
    return Fault(_C.RETRY, words_of_it.strip().lower() or "the modem refused it", result.text)


def numeric(text: str) -> str:
    """A final result with its number, where the modem wrote it in words (+CMEE=2); else as it is.

    Whatever compares results with those of a table does so by this.
    """
    head, _, words = text.partition(":")
    number = _NUMBERS.get((head[:4], _plain(words)))
    if number is None and words.strip().isascii() and words.strip().isdigit():
        number = int(words)
    return text if number is None else f"{head}: {number}"


def _cms(number: int, profile: Profile) -> tuple[FaultClass, str]:
    made = _MAKERS[profile.errors].get(number) or _ALL_MAKERS.get(number)
    kind, words = made or (_class(_CMS, number), cms_error(number) or _UNKNOWN)
    return profile.cms.get(str(number), kind), words


def _class(table: dict[FaultClass, tuple[int | range, ...]], number: int) -> FaultClass:
    return next((kind for kind, codes in table.items() if _has(codes, number)), _C.RETRY)


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
        case _C.CONFIGURATION if numeric(fault.code or "") == MISREAD:
            return Throttled(fault, retry_after=RETRY_AFTER, tries=2)
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
