"""A person's own AT command: read apart, and refused where it would break what smsd promises.

``NEVER`` is what no one may force: it sends behind the queue's back, burns a SIM's tries, or
deletes and acknowledges what is not kept yet. Makers have commands of their own for all of these,
so names are matched by what they begin with, whatever stands before it. Of the rest, what reads is
given; what sets anything that is not ``HARMLESS`` wants force, and so does what ``FORCED`` names.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smsd.at.dialogue import Command

LONGEST: Final = 400  # characters; V.250 5.2.1 asks for 40, makers take 500 and more
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 1.0, 180.0  # seconds; +COPS=? takes up to three minutes


class Refused(ValueError):
    """A command that is not given; ``forcible``: ``force`` would."""

    def __init__(self, words: str, *, forcible: bool = False) -> None:
        super().__init__(words)
        self.forcible = forcible


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which commands, by the whole of one without blanks and in capitals, and why not."""

    pattern: str
    words: str


_ANY: Final = r"[^A-Z]?[A-Z]{0,2}"  # +, and what makers put there: #CMGS, ^HCMGS, +QCMGS
NEVER: Final = (
    _Rule(_ANY + r"CMG[SCW]|" + _ANY + "CMSS", "messages go through smsd's queue: use smsd send"),
    _Rule(
        r"(?!\+CPINR|\+QPINC)[^A-Z][A-Z]*(PIN|PUK)[A-Z0-9]*=",
        "a PIN is tried once, by smsd: see pin in its table",
    ),
    _Rule(r"[^A-Z][A-Z]*PWD[A-Z0-9]*=", "a wrong password locks the SIM"),
    _Rule(r"[^A-Z][A-Z]*LCK=(?![^,]*,2(,,\d+)?$)", "a wrong password locks the SIM"),
    _Rule(
        _ANY + r"(CSIM|CGLA|CRLA)=|" + _ANY + r"CRSM=(?!(176|178|192|242),)",
        "it could write to the SIM or burn a PIN",
    ),
    _Rule(_ANY + r"(CMGD|CMGRD|MGDA)", "smsd deletes a message once it is kept here"),
    _Rule(r"\+CMGF(?!=0$)", "in text mode a message would go to whom its length names"),
    _Rule(_ANY + r"CNMA", "smsd acknowledges a message once it is kept here"),
    _Rule(r"\+\+\+", "there is no data mode to leave"),
)
FORCED: Final = (
    _Rule(r"\+CFUN(?!=1$)", "it takes the modem out of service"),
    _Rule(
        r"\^RESET|\+CRESET|\+CPOWD|\+QPOWD|\+QRST|#SHDN|#REBOOT|\^SMSO|!RESET|\+ZRST|\+CPWROFF",
        "it resets it",
    ),
    _Rule(r"\+(CPMS|CNMI|CSMS|CSCS|CMEE|CMMS)", "smsd sets this itself"),
    _Rule(r"\+CUSD", "its reply would go to nobody: use smsd ussd"),
    _Rule(
        r"\+(CSCA|CSMP|CSAS|CRES)", "it decides how messages go, and some of it stays on the SIM"
    ),
    _Rule(r"\+(COPS|CGATT)=", "the modem would leave its network"),
    _Rule(r"\+IPR=|\+ICF=|\+IFC=|\+CMUX|\+QSCLK=|\+CSCLK=|\+UPSV=", "the line would be lost"),
    _Rule(
        r"\^U2DIAG|\^SETPORT|\+QCFG=.*,|\+CUSBPIDSWITCH|\+ZCDRUN|\^SYSCFG|\+QCDEFAULT",
        "it lasts for good",
    ),
    _Rule(r"\^GETPORTMODE", "some Huawei modules crash of it (MU609)"),
    _Rule(r"[DAO]|\+CGDATA|\+CGACT|\+CHUP|H", "calls and data are none of this port's business"),
    _Rule(r"(?![EVQI])[A-Z]|E(?!0$)|V(?!1$)|Q(?!0$)|[&\\%][A-Z]\d*$", "it changes how it answers"),
)
HARMLESS: Final = re.compile(
    r"\+CFUN=1$|\+CMGF=0$"
    r"|\+(CPINR|QPINC|CMG[LR]|CRSM|CLCK|CPB[RF])="  # what they read: the rest is in NEVER
    r"|\+Q(CFG|INDCFG|URCCFG|ENG)=[^,]*$"  # the name alone asks for its value
    r"|\^SPIC=[^,]*(,1)?$"
)
"""Of the commands that have values those that only look, or set what smsd itself sets."""
_READS: Final = re.compile(r'([+^*%#$!_/][^=?"]*|[Ss][0-9]+ *)=?\?')
_SETS: Final = "it may change how the modem is set up"


def parse(line: str) -> tuple[str, ...]:
    """The commands of a line, each as written without its AT; raises `Refused`.

    They stand one after the other, extended ones closed with a semicolon (V.250 5.2.1).
    """
    text = line.strip()
    if not text:
        raise Refused("an AT command is wanted")
    if len(text) > LONGEST:
        raise Refused(f"at most {LONGEST} characters")
    if not (text.isascii() and text.isprintable()):
        raise Refused("only printable ASCII characters can stand in a command")
    if text.startswith("+++"):
        raise Refused("there is no data mode to leave")
    if text[:2].upper() == "AT":
        text = text[2:]
    found: list[str] = []
    while text := text.lstrip(" ;"):
        match = _ONE.match(text)
        if match is None:
            raise Refused(f"this is no AT command: {text[:12]}")
        found.append(match[0].rstrip(" "))
        text = text[match.end() :]
    return tuple(found)


# An extended command goes to the semicolon that no quotes hold; a dial string to the end.
_ONE: Final = re.compile(
    r"""[+^*%#$!_/][A-Za-z0-9](?:[^;"]|"[^"]*(?:"|$))*
      | [Dd].*
      | [Ss][0-9]+[ ]*(?:=[ ]*[0-9]*|\?)?
      | [&\\%]?[A-Za-z][ ]*[0-9]*""",
    re.VERBOSE,
)


def check(commands: Sequence[str], *, force: bool = False) -> None:
    """Raise `Refused` where one of the commands must not be given."""
    for command in commands:
        if _READS.fullmatch(command):
            continue  # what reads, or asks for the range of values, changes nothing
        bare = re.sub(r'[ "]', "", command).upper()
        for rule in NEVER:
            if re.match(rule.pattern, bare):
                raise Refused(f"AT{_name(bare)} is not given: {rule.words}")
        if not force and (words := _doubt(bare)) is not None:
            raise Refused(f"AT{_name(bare)} is not given: {words}", forcible=True)


def _doubt(bare: str) -> str | None:
    """Why a command wants force, ``None`` where it does not."""
    if HARMLESS.match(bare):
        return None
    words = next((rule.words for rule in FORCED if re.match(rule.pattern, bare)), None)
    return words or (_SETS if "=" in bare else None)


def changes(commands: Sequence[str]) -> bool:
    """Whether one of them may have changed how the modem is set up, so that it is set up anew."""
    try:
        check(commands)
    except Refused:
        return True
    return False


def command(commands: Sequence[str], *, timeout: float = 30.0) -> Command[tuple[str, ...]]:
    """All of them as one line, whose answer is every line that came."""
    line = "AT"
    for number, one in enumerate(commands, 1):
        extended = not one[0].isalpha() and one[0] not in "&\\"
        line += one + (";" if extended and number < len(commands) else "")
    prefixes = {_name(one.upper()) + ":" for one in commands}
    return Command(line, tuple, answers=tuple(sorted(prefixes)), timeout=timeout, repeats=True)


def _name(bare: str) -> str:
    """A command without its values."""
    found = re.match(r"[^=?, ]+", bare)
    return found[0] if found else bare
