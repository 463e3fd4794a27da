"""Large bodies: their arrays are read entry by entry, as often as somebody asks for them.

A hundred thousand recipients as Python values take fifty megabytes; as the octets that came, three.
"""

import codecs
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, Final
from urllib.parse import unquote_plus

import msgspec

from smsd.api.forms import DEEPEST, MOST_FIELDS, FormError, bounded, from_pairs, from_urlencoded

MANY: Final = ("numbers", "contacts", "groups")  # what may come a hundred thousand times
WINDOW: Final = 65_536  # octets of a JSON array that are text at one time
_GAP: Final = re.compile(r"[\s,]*")
_FIELD: Final = re.compile(rb"[^&]+")
_ENTRY: Final = re.compile(r"(?:0|[1-9][0-9]{0,17})?")  # keys that keep their order, and []


class Entries:
    """The values of an array, in their order; each iteration reads them anew."""

    def __init__(self, read: Callable[[], Iterator[Any]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[Any]:
        return self._read()


def urlencoded(octets: bytes | bytearray) -> dict[str, Any]:
    """As `forms.from_urlencoded`; arrays of `MANY` whose keys come in their order are `Entries`."""
    pairs: list[tuple[str, str]] = []
    highest: dict[str, int] = {}
    unfinished: dict[str, bool] = {}  # whether the next field may belong to the same entry
    for name, value in _fields(octets):
        root, key, rest = _split(name)
        if root not in MANY:
            pairs.append((name, _unquoted(value)))
            continue
        if key is None or not _ENTRY.fullmatch(key) or rest.count("[") >= DEEPEST:
            return from_urlencoded(bytes(octets))
        before = highest.get(root, -1)
        index = before + 1 if key == "" else int(key)
        inner = rest.startswith("[")
        if index < before or (index == before and not (inner and unfinished[root])):
            return from_urlencoded(bytes(octets))  # out of order, or one that replaces another
        highest[root], unfinished[root] = index, inner and key != ""
    found = from_pairs(pairs)
    for root in highest:
        if root in found:
            return from_urlencoded(bytes(octets))
        found[root] = Entries(lambda root=root: _entries(octets, root))  # type: ignore[misc]
    return found


def _fields(octets: bytes | bytearray) -> Iterator[tuple[str, bytes | bytearray]]:
    """Names, and values as they came."""
    for number, match in enumerate(_FIELD.finditer(octets)):
        if number >= MOST_FIELDS:
            raise FormError(f"at most {MOST_FIELDS} fields a request")
        name, _, value = match[0].partition(b"=")
        yield _unquoted(name), value


def _unquoted(octets: bytes | bytearray) -> str:
    try:
        text = octets.decode()
        return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text
    except UnicodeDecodeError as error:
        raise FormError("the form is not UTF-8") from error


def _split(name: str) -> tuple[str, str | None, str]:
    """The parts of ``numbers[7][data]``: ``numbers``, ``7`` and ``[data]``."""
    root, bracket, tail = name.partition("[")
    key, closing, rest = tail.partition("]")
    return root.lstrip(), key if bracket and closing and "[" not in key else None, rest


def _entries(octets: bytes | bytearray, root: str) -> Iterator[Any]:
    """The values of one array; the fields of one entry follow one another."""
    entry: list[tuple[str, str]] = []
    current = ""
    for name, value in _fields(octets):
        head, key, rest = _split(name)
        if head != root or key is None:
            continue
        if entry and (key == "" or key != current):
            yield from_pairs(entry)["x"]
            entry = []
        current = key
        if rest.startswith("["):
            entry.append(("x" + rest, _unquoted(value)))
        else:
            yield _unquoted(value)
    if entry:
        yield from_pairs(entry)["x"]


def from_json(octets: bytes | bytearray) -> dict[str, Any]:
    """As `forms.from_json`; lists of `MANY` are `Entries`."""
    try:
        fields = msgspec.json.decode(octets, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormError("the body is not a JSON object") from error
    found: dict[str, Any] = {}
    for name, raw in fields.items():
        if name in MANY and bytes(memoryview(raw)[:1]) == b"[":
            found[name] = Entries(lambda raw=raw: _elements(raw))  # type: ignore[misc]
        else:
            found[name] = _value(raw, DEEPEST)
    return found


def _elements(raw: msgspec.Raw) -> Iterator[Any]:
    """The elements of a JSON array that is known to be right, read in windows."""
    octets, place = memoryview(raw), 1
    decoder, scan = codecs.getincrementaldecoder("utf-8")(), json.JSONDecoder().raw_decode
    text, at = "", 0
    while True:
        gap = _GAP.match(text, at)
        at = at if gap is None else gap.end()
        try:
            value, end = scan(text, at)
        except ValueError:
            end = len(text)  # the window ends before it does
        except RecursionError as error:
            raise FormError("the body is not JSON") from error
        if end < len(text) and text[end] in ",] \t\r\n":  # else a number could go on
            bounded(value, DEEPEST - 1)
            yield value
            at = end
        elif place >= len(octets):
            return
        else:
            wider = max(WINDOW, len(text))
            text, at = text[at:] + decoder.decode(octets[place : place + wider]), 0
            place += wider


def _value(raw: msgspec.Raw, depth: int) -> Any:
    try:
        value = json.loads(bytes(raw))
    except (ValueError, RecursionError) as error:
        raise FormError("the body is not JSON") from error
    bounded(value, depth)
    return value


class CsvError(ValueError):
    """A CSV file that cannot be taken; the message says where, in RaspiSMS's words if any."""


def csv_file(file: IO[bytes]) -> Entries:
    """The recipients of an uploaded CSV file, as ``{number, data}``."""

    def read() -> Iterator[dict[str, Any]]:
        file.seek(0)
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        try:
            yield from csv_rows(text)
        finally:
            text.detach()

    return Entries(read)


def csv_rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Rows of a CSV text: a header, then a number and its data on each line.

    What RaspiSMS loses without a word is an error: a file without a header, columns that share a
    name, rows longer than the header. Raises `CsvError`.
    """
    import csv  # few send one, and a Pi has little memory

    rows = csv.reader(lines)
    try:
        header = next(rows, [])
        names = [re.sub(r"\W", "", name) for name in header[1:]]
        if header and re.fullmatch(r"\s*\+?[0-9][0-9 .()/-]{5,}", header[0]):
            raise CsvError("the first line must name the columns, and it holds a number.")
        if len(set(names)) < len(names):
            raise CsvError("two columns have the same name.")
        for line, row in enumerate(rows, 2):
            if len(row) > len(header):
                raise CsvError(f"line {line} has more columns than the first one.")
            data = {name: value for name, value in zip(names, row[1:], strict=False) if value}
            yield {"number": row[0] if row else "", "data": data or [], "line": line}
    except UnicodeDecodeError as error:
        raise CsvError("the file is not UTF-8.") from error
    except csv.Error as error:
        raise CsvError(f"the file cannot be read: {error}.") from error
