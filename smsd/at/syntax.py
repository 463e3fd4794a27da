"""Reading information lines: numbers, quoted strings, lists and ranges (V.250 5.4, 27.007 4)."""

import re
from collections.abc import Sequence
from typing import Final

LONGEST_RANGE: Final = 256  # no parameter of 27.005 counts further; a garbled one may claim to


class AnswerError(Exception):
    """A modem's answer does not have the form that its command asks for."""

    def __init__(self, line: str, wanted: str) -> None:
        super().__init__(f"{wanted} wanted, {line!r} came")


def fields(line: str) -> list[str]:
    """The comma-separated values after the prefix: quotes taken off, blanks around them too.

    A group in parentheses stays one value, as written.
    """
    values: list[str] = []
    depth, quoted, value = 0, False, ""
    for char in line.partition(":")[2]:
        if char == '"':
            quoted = not quoted
            value += char if depth else ""
        elif char == "," and not quoted and not depth:
            values.append(value.strip())
            value = ""
        else:
            depth += (char == "(") - (char == ")") if not quoted else 0
            value += char
    return [*values, value.strip()]


def natural(value: str) -> int | None:
    """An unsigned decimal value of at most nine digits; ``None`` for anything else."""
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else None


def number(value: str, line: str) -> int:
    """The same; raises `AnswerError` naming the line it stood in."""
    found = natural(value)
    if found is None:
        raise AnswerError(line, "a number")
    return found


def find(lines: Sequence[str], prefix: str) -> str | None:
    """The first line with that prefix."""
    return next((line for line in lines if line.startswith(prefix)), None)


def only(lines: Sequence[str], prefix: str) -> str:
    """The line with that prefix; raises `AnswerError` if there is none."""
    line = find(lines, prefix)
    if line is None:
        raise AnswerError("; ".join(lines), prefix)
    return line


def ranges(value: str) -> tuple[int, ...]:
    """The numbers of a list such as ``(0-2,4)``; what is not a number is left out."""
    found: list[int] = []
    for first, last in re.findall(r"\b([0-9]{1,9})(?:-([0-9]{1,9}))?\b", value):
        low, high = int(first), int(last or first)
        found += range(low, min(high, low + LONGEST_RANGE) + 1)
    return tuple(found)


def strings(value: str) -> tuple[str, ...]:
    """The quoted names of a list such as ``("SM","ME")``; what cannot be a name is left out."""
    return tuple(re.findall(r'"([A-Za-z0-9_]+)"', value))


def is_pdu(line: str) -> bool:
    """Whether a line is octets in hex, as a PDU is written."""
    return len(line) % 2 == 0 and all(char in "0123456789abcdefABCDEF" for char in line)
