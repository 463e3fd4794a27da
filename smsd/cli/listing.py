"""``smsd list``: what was sent, what came in, who called, what is planned."""

import argparse

from smsd.cli.client import add_options, client
from smsd.cli.output import show

COLUMNS = {
    "sended": ("id", "at", "destination", "status", "id_phone", "text"),
    "received": ("id", "at", "origin", "id_phone", "text"),
    "scheduled": ("id", "at", "recipients", "id_phone", "text"),
    "message": ("id", "state", "destination", "parts", "id_phone", "text"),
    "contact": ("id", "name", "number", "data"),
    "group": ("id", "name", "nb_contact"),
    "call": ("id", "start", "end", "origin", "id_phone"),
    "datagram": ("id", "at", "origin", "destination_port", "source_port", "id_phone", "data"),
    "inbox": ("id", "at", "kind", "flash", "origin", "id_phone", "text"),
    "phone_group": ("id", "name", "members"),
    "phone": ("id", "name", "adapter", "status", "priority"),
    "smsstop": ("id", "number", "id_user", "created_at"),
    "command": ("id", "created_at", "name", "origin", "state", "status", "reason"),
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("list", help="list messages, calls and phones")
    parser.add_argument("what", choices=sorted(COLUMNS))
    parser.add_argument("--page", type=int, default=0, help="25 rows a page, from 0")
    parser.add_argument("--all", action="store_true", help="every row")
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print one page, or all of it."""
    path = f"/api/list/{args.what}/"
    rows = client(args).all(path) if args.all else client(args).get(f"{path}{args.page}/")
    if args.what == "scheduled" and not args.json:
        rows = [
            {**row, "recipients": ", ".join(n["number"] for n in row["numbers"][:3])}
            for row in rows
        ]
    if args.what == "phone_group" and not args.json:
        rows = [{**row, "members": ", ".join(p["name"] for p in row["phones"])} for row in rows]
    show(rows, COLUMNS[args.what], as_json=args.json)
    return 0
