"""Command lines of V.250: how they are cut into requests, and how a modem refuses one."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

CME_TEXTS = {
    0: "phone failure",
    3: "operation not allowed",
    4: "operation not supported",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    14: "SIM busy",
    15: "SIM wrong",
    16: "incorrect password",
    20: "memory full",
    21: "invalid index",
    22: "not found",
    23: "memory failure",
    30: "no network service",
    31: "network timeout",
    32: "network not allowed, emergency calls only",
    50: "Incorrect parameters",
    100: "unknown",
}
CMS_TEXTS = {
    300: "ME failure",
    301: "SMS service of ME reserved",
    302: "operation not allowed",
    303: "operation not supported",
    304: "invalid PDU mode parameter",
    305: "invalid text mode parameter",
    310: "SIM not inserted",
    311: "SIM PIN required",
    313: "SIM failure",
    314: "SIM busy",
    316: "SIM PUK required",
    320: "memory failure",
    321: "invalid memory index",
    322: "memory full",
    330: "SMSC address unknown",
    331: "no network service",
    332: "network timeout",
    340: "no +CNMA acknowledgement expected",
    500: "unknown error",
}


class Refusal(Exception):
    """A command fails: by 27.007 (`cme`), by 27.005 (`cms`), as unknown, or with a bare ERROR."""

    def __init__(self, kind: str, code: int = 0) -> None:
        super().__init__(kind, code)
        self.kind = kind
        self.code = code


def cme(code: int) -> Refusal:
    """Make a +CME ERROR (27.007 9.2)."""
    return Refusal("cme", code)


def cms(code: int) -> Refusal:
    """Make a +CMS ERROR (27.005 3.2.5)."""
    return Refusal("cms", code)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How a family words its errors: which kinds as text, and its own words."""

    kinds: str = "cme"
    unknown: str = "ERROR"
    own: Mapping[str, str] = field(default_factory=dict)


def final_of(refusal: Refusal, level: int, words: Vocabulary) -> str:
    """Word a refusal for +CMEE level 0, 1 or 2."""
    code, kind = refusal.code, refusal.kind
    if kind == "unknown":
        return words.unknown
    if kind == "cms" or (kind == "cme" and level):
        table = CMS_TEXTS if kind == "cms" else CME_TEXTS
        spelt = level == 2 and kind in words.kinds
        word = words.own.get(f"{kind} {code}", table.get(code)) if spelt else None
        return f"+{kind.upper()} ERROR: {word or code}"
    return "ERROR"


@dataclass(frozen=True, slots=True)
class Request:
    """One command of a line; `form` is run, read, test or set, `value` what follows the =."""

    name: str
    form: str
    value: str = ""

    @property
    def text(self) -> str:
        """The request as typed, its name in capitals."""
        return (
            self.name + {"run": "", "read": "?", "test": "=?", "set": "="}[self.form] + self.value
        )

    def arguments(self) -> list[str]:
        """Cut the value at commas outside quotes; quotes are kept."""
        return re.findall(r'((?:"[^"]*"|[^",])*)(?:,|$)', self.value)[: _commas(self.value) + 1]

    def numbers(self) -> list[int | None]:
        """Read the arguments as numbers, None for those left out; refuses anything else."""
        found: list[int | None] = []
        for argument in self.arguments():
            if argument and not argument.isdecimal():
                raise Refusal("error")
            found.append(int(argument) if argument else None)
        return found

    def strings(self) -> list[str]:
        """Read the arguments with their quotes taken off."""
        return [argument.strip('"') for argument in self.arguments()]


def _commas(value: str) -> int:
    return re.sub(r'"[^"]*"', "", value).count(",")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A command wants a PDU or a text; `entered` gets the characters before Ctrl-Z.

    A `deaf` prompt is never shown, and only ESC leaves it; a `stuck` one is shown, and only ESC
    leaves it. `delay` seconds pass until it is shown; with `cut` the port vanishes behind so many
    characters.
    """

    entered: Callable[[str], None]
    deaf: bool = False
    stuck: bool = False
    delay: float = 0.0
    cut: int | None = None


# Lines of the answer, a prompt, or None: the command answers by itself.
Outcome = list[str] | Prompt | None

HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BASIC = re.compile(r"(&?[A-Z])(\d*)", re.IGNORECASE)
_REGISTER = re.compile(r"S(\d+)(?:=(\d+)|(\?))", re.IGNORECASE)
_EXTENDED = re.compile(r"([+^%*$#!_][A-Z0-9]+)((?:\"[^\"]*\"|[^;\"])*)(?:;|$)", re.IGNORECASE)


def requests_of(body: str) -> list[Request]:
    """Cut what follows AT into requests (V.250 5.2.1); raises `Refusal` for bad syntax."""
    body = "".join(piece if piece[:1] == '"' else piece.replace(" ", "") for piece in _quoted(body))
    requests = []
    at = 0
    while at < len(body):
        if body[at] == ";":
            at += 1
        elif extended := _EXTENDED.match(body, at):
            requests.append(_extended(extended[1].upper(), extended[2]))
            at = extended.end()
        elif register := _REGISTER.match(body, at):
            form = "read" if register[3] else "set"
            requests.append(Request(f"S{int(register[1])}", form, register[2] or ""))
            at = register.end()
        elif basic := _BASIC.match(body, at):
            name = basic[1].upper()
            rest = body[at + 1 :] if name == "D" else basic[2]
            requests.append(Request(name, "run", rest))
            at = len(body) if name == "D" else basic.end()
        else:
            raise Refusal("error")
    return requests


def _quoted(body: str) -> list[str]:
    return re.findall(r'"[^"]*"?|[^"]+', body)


def _extended(name: str, rest: str) -> Request:
    if not rest:
        return Request(name, "run")
    if rest == "?":
        return Request(name, "read")
    if rest == "=?":
        return Request(name, "test")
    if rest[0] == "=":
        return Request(name, "set", rest[1:])
    raise Refusal("error")
