"""``smsd campaign``: how far large requests have come. ``smsd cancel`` takes one back."""

import argparse
import json

from smsd.cli.client import add_options, client
from smsd.cli.output import show

COLUMNS = ("id", "state", "at", "total", "waiting", "expanded", "left out", "messages")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    parser = commands.add_parser("campaign", help="how far large requests have come")
    parser.add_argument("id", nargs="?", type=int, help="one, by its scheduled id")
    add_options(parser)
    parser.set_defaults(func=run)
    parser = commands.add_parser("cancel", help="take back what has not left of a request")
    parser.add_argument("id", type=int, help="its scheduled id, as smsd send tells it")
    add_options(parser)
    parser.set_defaults(func=cancel)


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


def cancel(args: argparse.Namespace) -> int:
    """Cancel, and say so."""
    client(args, timeout=300).delete(f"/api/scheduled/{args.id}/")
    print(json.dumps({"cancelled": args.id}) if args.json else f"cancelled {args.id}")
    return 0


def _counts(counts: "dict[str, int]") -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number)
