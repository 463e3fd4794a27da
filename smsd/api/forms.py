"""Bodies as PHP reads them: ``numbers[0][number]=…`` becomes nested values, with bounds.

An array is a dict in the order of its keys, as in PHP; a value is a string, or what JSON says.
"""

import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl

DEEPEST: Final = 5
MOST_FIELDS: Final = 400_000  # 100,000 recipients with number and data, and room to spare
_KEY: Final = re.compile(r"\[([^\[\]]*)\]")


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
    here: dict[str, Any] = found
    *outer, last = [head.lstrip(), *keys]
    for depth, key in enumerate(outer):
        place = key if key or not depth else _next_index(here)
        inner = here.get(place)
        if not isinstance(inner, dict):
            inner = here[place] = {}
        here = inner
    here[last if last or not outer else _next_index(here)] = value


def _next_index(array: dict[str, Any]) -> str:
    """The key of ``[]``: one more than the highest number in use; the last one, as a rule."""
    last = next(reversed(array), None)
    if last is None:
        return "0"
    if last.isdigit() and len(array) == int(last) + 1:
        return str(len(array))
    numbers = [int(key) for key in array if key.isdigit()]
    return str(max(numbers, default=-1) + 1)


def from_urlencoded(body: bytes) -> dict[str, Any]:
    """``application/x-www-form-urlencoded``, UTF-8."""
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")  # curl -d 'text=é' sends it so
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except UnicodeDecodeError as error:
        raise FormError("the form is not UTF-8") from error
    except ValueError as error:
        raise FormError(f"at most {MOST_FIELDS} fields a request") from error
    return from_pairs(pairs)


def from_json(body: bytes) -> dict[str, Any]:
    """``application/json``: an object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FormError("the body is not JSON") from error
    if not isinstance(value, dict):
        raise FormError("the body is not a JSON object")
    _bounded(value, DEEPEST + 1)
    return {str(key): inner for key, inner in value.items()}


def _bounded(value: object, depth: int) -> None:
    if depth < 0:
        raise FormError(f"the body is nested more than {DEEPEST} deep")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        if isinstance(item, dict | list):
            _bounded(item, depth - 1)


def items(value: object) -> list[Any]:
    """What may come once or as an array: a scalar is a list of one, nothing an empty list."""
    if value is None:
        return []
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else [value]


def truth(value: object) -> bool:
    """A flag: absent, empty, ``0``, ``false``, ``no`` and ``off`` are false.

    PHP takes the last three for true; whoever writes them means what they say.
    """
    if isinstance(value, str):
        return value.strip().lower() not in ("", "0", "false", "no", "off")
    return bool(value)
