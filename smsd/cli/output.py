"""Tables for people, JSON Lines for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def printable(value: object) -> str:
    """One line without control characters: a message must not steer the terminal it is shown on."""
    text = "" if value is None else str(value)
    return "".join(char if char.isprintable() else " " for char in text)


def show(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows: all of each as JSON, or the columns as a table."""
    rows = list(rows)
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    table = [[printable(row.get(column)) for column in columns] for row in rows]
    table.insert(0, [column.upper().replace("_", " ") for column in columns])
    widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
