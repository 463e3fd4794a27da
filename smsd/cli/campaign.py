"""``smsd campaign``: how far large requests have come."""

import argparse

from smsd.cli.client import add_options, client
from smsd.cli.output import show

COLUMNS = ("id", "state", "at", "total", "waiting", "expanded", "left out", "messages")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    parser = commands.add_parser("campaign", help="how far large requests have come")
    parser.add_argument("id", nargs="?", type=int, help="one, by its scheduled id")
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print one or all of them."""
    daemon = client(args)
    if args.id is None:
        rows = daemon.all("/api/list/campaign/")
    else:
        rows = [daemon.get(f"/api/campaign/{args.id}/")]
    if not args.json:
        rows = [
            {**row, "left out": _counts(row["left_out"]), "messages": _counts(row["messages"])}
            for row in rows
        ]
    show(rows, COLUMNS, as_json=args.json)
    return 0


def _counts(counts: "dict[str, int]") -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number)
