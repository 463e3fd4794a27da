"""Bodies as PHP reads them: ``numbers[0][number]=…`` becomes nested values, with bounds.

An array is a dict in the order of its keys, as in PHP; a value is a string, or what JSON says.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

DEEPEST: Final = 5
MOST_FIELDS: Final = 400_000  # 100,000 recipients with number and data, and room to spare
_KEY: Final = re.compile(r"\[([^\[\]]*)\]")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,17}")  # what PHP takes for a number, not for a name


class FormError(ValueError):
    """A body that is not what it says it is."""


def from_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Fields in their order as nested values; a name that comes again replaces, ``[]`` appends."""
    if len(pairs) > MOST_FIELDS:
        raise FormError(f"at most {MOST_FIELDS} fields a request")
    found: dict[str, Any] = {}
    for name, value in pairs:
        _put(found, name, value)
    return found


def _put(found: dict[str, Any], name: str, value: Any) -> None:
    head, bracket, _ = name.partition("[")
    keys = _KEY.findall(name[len(head) :]) if bracket else []
    if len(keys) > DEEPEST:
        raise FormError(f"a field name is nested more than {DEEPEST} deep")
    if not keys:
        found[head.lstrip()] = value
        return
    here = found.get(head.lstrip())
    if not isinstance(here, _Array):
        here = found[head.lstrip()] = _Array()
    for key in keys[:-1]:
        place = here.place(key)
        inner = here.get(place)
        if not isinstance(inner, _Array):
            inner = here[place] = _Array()
        here = inner
    here[here.place(keys[-1])] = value


class _Array(dict[str, Any]):
    """A PHP array; it knows which index ``[]`` gets: one more than the highest there ever was."""

    following = 0

    def place(self, key: str) -> str:
        """The key under which a value goes that was sent under ``key``."""
        key = key or str(self.following)
        if _INDEX.fullmatch(key):
            self.following = max(self.following, int(key) + 1)
        return key


def from_urlencoded(body: bytes | bytearray) -> dict[str, Any]:
    """``application/x-www-form-urlencoded``, UTF-8."""
    try:
        text = body.decode()  # not only ASCII: curl -d 'text=é' sends it so
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except UnicodeDecodeError as error:
        raise FormError("the form is not UTF-8") from error
    except ValueError as error:
        raise FormError(f"at most {MOST_FIELDS} fields a request") from error
    return from_pairs(pairs)


def from_json(body: bytes | bytearray) -> dict[str, Any]:
    """``application/json``: an object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FormError("the body is not JSON") from error
    if not isinstance(value, dict):
        raise FormError("the body is not a JSON object")
    bounded(value, DEEPEST + 1)
    return {str(key): inner for key, inner in value.items()}


def bounded(value: object, depth: int) -> None:
    """Raise `FormError` for what is nested more than ``depth`` deep."""
    if depth < 0:
        raise FormError(f"the body is nested more than {DEEPEST} deep")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        if isinstance(item, dict | list):
            bounded(item, depth - 1)


def items(value: object) -> Iterable[Any]:
    """What may come once or as an array: a scalar is a list of one, nothing an empty list."""
    match value:
        case None:
            return ()
        case dict():
            return value.values()
        case str() | bytes():
            return (value,)
        case Iterable():
            return value
        case _:
            return (value,)


def truth(value: object) -> bool:
    """A flag: absent, empty, ``0``, ``false``, ``no`` and ``off`` are false.

    PHP takes the last three for true; whoever writes them means what they say.
    """
    if isinstance(value, str):
        return value.strip().lower() not in ("", "0", "false", "no", "off")
    return bool(value)
