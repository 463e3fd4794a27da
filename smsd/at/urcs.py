"""What comes unasked: a table of prefixes, and what the ones we act on mean."""

import re
from dataclasses import dataclass
from typing import Final, NewType

from smsd.at.syntax import fields, natural

Reference = NewType("Reference", int)
"""TP-MR: what the modem calls a part that it submitted (23.040 9.2.3.6)."""

WITH_BODY: Final = frozenset({"+CMT:", "+CDS:", "+CBM:"})
"""Unsolicited results followed by a PDU on a line of its own (27.005 3.4.1)."""

_PREFIXES: Final = frozenset(
    {
        # 27.005 3.4.1 and 27.007: what any modem may say; commands that ask for one declare it.
        "+CMTI:", "+CDSI:", "+CBMI:", "+CMGS:", "+CREG:", "+CGREG:", "+CEREG:", "+CIEV:", "+CRING:",
        "+CLIP:", "+CCWA:", "+CUSD:", "+CUSATP:", "+CUSATEND", "+CTZV:", "+CTZE:", "+CGEV:",
        "+CPIN:", "+CFUN:", "+CSQN:",
        # Vendors' chatter that looks like an answer (tests/at/test_urcs.py names who says it).
        "+ZUSIMR:", "+ZPASR:", "+ZPSTM:", "+ZDONR:", "+ZEND", "+SPNWNAME:", "+PSBEARER:", "+PACSP0",
        "+NITZ:", "+CNSMOD:", "+RXDTMF:", "+QIND:", "+QUSIM:", "+QSIMSTAT:", "+QGPSURC:",
        "+QLWURC:", "+QTONEDET:", "+UUPSDA:", "+UUSIMSTAT:", "+UCALLSTAT:", "+PBREADY",
        "+WIND:", "+STIN:", "+CSMINS:", "DST:", "VOICE CALL:", "MISSED_CALL:",
    }
)  # fmt: skip
_LINES: Final = frozenset(
    {
        "RING", "NO CARRIER", "RDY", "Call Ready", "SMS Ready", "PB DONE", "SMS DONE",
        "NORMAL POWER DOWN", "POWERED DOWN", "UNDER-VOLTAGE WARNNING", "OVER-VOLTAGE WARNNING",
        "UNDER-VOLTAGE POWER DOWN", "OVER-VOLTAGE POWER DOWN", "NOT FOND ^,NOT CUSTOM AT",
        "SAMSUNG PTS DG Test", "+AT: READY",
    }
)  # fmt: skip
_VENDOR_MARKS: Final = ("^", "*", "%", "_O", "#", "$")
# Call Ready, SMS Ready: the only signs that a SIM800 gives where it finds its speed by itself.
ECHO: Final = "ATE1"
"""Stands for a modem that repeats commands again: it has forgotten what it was told."""
_RESTARTS: Final = frozenset({ECHO, "RDY", "^SYSSTART", "+AT: READY", "Call Ready", "SMS Ready"})

# A memory is full: Huawei, Quectel, Cinterion, Telit.
_FULL: Final = ("^SMMEMFULL", '+QIND: "smsfull"', "^SMGO: 1", "^SMGO: 2", "#SMOV:")
# The SIM: any modem, Quectel, SIMCom, Telit, Cinterion, Wavecom, u-blox.
_SIM: Final = (
    "+CPIN: NOT", "+CPIN: SIM REMOVED", "+QSIMSTAT:", "+CSMINS:", "#QSS:", "^SCKS:",
    "+CIEV: simlocal", "+WIND: 0", "+WIND: 1", "+UUSIMSTAT:",
)  # fmt: skip


_SUPPLY: Final = ("UNDER-VOLTAGE", "OVER-VOLTAGE")  # SIM800 spells the rest as it likes

# Sent when a call that came in has ended; a vendor's line may say so before the standard's does.
_CALL_ENDS: Final = re.compile(
    r"NO CARRIER|\^CEND:|VOICE CALL: ?END|MISSED_CALL:|\+WIND: ?6|\+UCALLSTAT: ?\d+,6\b|#CEND\b"
)


def is_known(line: str, prefix: str) -> bool:
    """Whether a line is surely a modem's own: no text of a network begins so."""
    return prefix in _PREFIXES or prefix in WITH_BODY or line in _LINES


def is_unsolicited(line: str, prefix: str) -> bool:
    """Whether a line that no command asked for is known to come by itself.

    Vendors mark their own with a sign that no standard command's answer begins with.
    """
    return prefix in _PREFIXES or line in _LINES or line.startswith(_VENDOR_MARKS)


@dataclass(frozen=True, slots=True)
class MessageStored:
    """``+CMTI`` or ``+CDSI``: something lies in a memory. A hint: it may be gone, or elsewhere."""

    memory: str
    index: int


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """``+CMT`` or ``+CDS``: a PDU handed over directly, kept nowhere else; ``length`` in octets.

    ``length`` is ``None`` where the modem gave none that can be read.
    """

    pdu: str
    length: int | None


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """``+CREG``, ``+CGREG`` or ``+CEREG``: a hint to ask for the registration."""


@dataclass(frozen=True, slots=True)
class SubmissionAnswered:
    """``+CMGS`` after its OK, or the answer to a command that was given up."""

    reference: Reference | None


@dataclass(frozen=True, slots=True)
class Restarted:
    """The modem has booted: everything that was set is to be set again."""


@dataclass(frozen=True, slots=True)
class MemoryFull:
    """A memory is full: nothing more comes in until it is emptied."""


@dataclass(frozen=True, slots=True)
class SimChanged:
    """The SIM was taken out, put in, or has started anew: a hint to look at it."""


@dataclass(frozen=True, slots=True)
class Ring:
    """``RING`` or ``+CRING``: a call comes in (27.007 6.11)."""


@dataclass(frozen=True, slots=True)
class CallerLine:
    """``+CLIP``: who calls; empty where the number is withheld (27.007 7.6)."""

    number: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over, whoever ended it."""


@dataclass(frozen=True, slots=True)
class UssdArrived:
    """``+CUSD:`` as it stands: <m>, the string, ``None`` without one, its coding (27.007 7.15)."""

    status: int
    string: str | None = None
    coding: int | None = None


@dataclass(frozen=True, slots=True)
class SupplyOdd:
    """The modem itself complains of its supply, in its own ``words``."""

    words: str


@dataclass(frozen=True, slots=True)
class Noise:
    """Known or unknown chatter that asks for nothing."""


Unsolicited = (
    MessageStored
    | MessageArrived
    | RegistrationChanged
    | SubmissionAnswered
    | Restarted
    | MemoryFull
    | SimChanged
    | Ring
    | CallerLine
    | CallEnded
    | UssdArrived
    | SupplyOdd
    | Noise
)


def read(line: str, body: tuple[str, ...] = ()) -> Unsolicited:
    """The meaning of an unsolicited line; `Noise` for all that nothing is to be done about."""
    values = fields(line)
    match line.partition(":")[0]:
        case "+CMTI" | "+CDSI" if len(values) > 1 and (index := natural(values[1])) is not None:
            return MessageStored(values[0], index)
        case "+CMT" | "+CDS" if body:
            # ZTE writes "+CDS: ,25" and others "+CMT: "",25": the length is the last number.
            return MessageArrived(body[0], natural(values[-1]))
        case "+CREG" | "+CGREG" | "+CEREG" if len(values) != 2:  # two are the answer to a question
            return RegistrationChanged()
        case "+CMGS":
            reference = natural(values[0])
            return SubmissionAnswered(None if reference is None else Reference(reference))
        case "RING" | "+CRING":
            return Ring()
        case "+CLIP":
            return CallerLine(values[0] if re.fullmatch(r"\+?[0-9*#]+", values[0]) else "")
        case "+CUSD":
            return _ussd(line)
        case _ if _CALL_ENDS.match(line):
            return CallEnded()
        case _ if line in _RESTARTS or line.startswith("^SYSSTART"):
            return Restarted()
        case _ if line.startswith(_SUPPLY):
            return SupplyOdd(line.lower())
        case _ if line.startswith(_FULL):
            return MemoryFull()
        case _ if line.startswith(_SIM):
            return SimChanged()
        case _:
            return Noise()


def _ussd(line: str) -> "UssdArrived | Noise":
    """The string may hold quotes and line ends of its own: it goes to the last quote."""
    status, _, rest = line.removeprefix("+CUSD:").partition(",")
    number = natural(status.strip())
    if number is None:
        return Noise()
    _, quote, string = rest.partition('"')
    if not quote:
        return UssdArrived(number, rest.partition(",")[0].strip() or None)
    string, closed, tail = string.rpartition('"')
    if not closed:  # the closing quote never came
        return UssdArrived(number, tail)
    return UssdArrived(number, string, natural(tail.strip(", ")))
