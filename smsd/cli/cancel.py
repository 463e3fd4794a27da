"""``smsd cancel``: take back what has not left."""

import argparse
import json
from typing import Final

from smsd.cli.client import add_options, client

LONGEST: Final = 300.0  # seconds: there may be a hundred thousand


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("cancel", help="take back what has not left")
    parser.add_argument("id", type=int, help="as smsd send told: what it was accepted as")
    parser.add_argument(
        "--message", action="store_true", help="ID is that of one message, not of all of them"
    )
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Cancel; what has left, or is on its way, cannot be taken back."""
    kind = "message" if args.message else "scheduled"
    client(args, timeout=LONGEST).delete(f"/api/{kind}/{args.id}/")
    print(
        json.dumps({kind: args.id, "cancelled": True}) if args.json else f"{args.id} is cancelled"
    )
    return 0
