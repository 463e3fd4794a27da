"""``smsd trace``: the last lines between the daemon and a modem, without texts and PINs."""

import argparse
import json
import sys
import time

from smsd.cli.client import add_options, client
from smsd.cli.naming import phone_id
from smsd.cli.output import printable

WAIT = 20.0  # seconds that the daemon waits for a new line


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("trace", help="show what a modem and smsd said to each other")
    parser.add_argument("phone", metavar="PHONE", help="id or name")
    parser.add_argument("--follow", action="store_true", help="go on with what comes")
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="N",
        help="only the lines of the last N seconds; with --follow, end after N seconds",
    )
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print the lines that are kept, and those that come."""
    daemon = client(args)
    path = f"/api/phone/{phone_id(daemon, args.phone)}/trace/"
    began, after, wait = time.monotonic(), 0, 0.0
    while True:
        lines = daemon.get(path, after=str(after), wait=f"{wait:.1f}")
        for line in lines:
            after = line["number"]
            if args.follow or args.seconds is None or line["age"] <= args.seconds:
                _show(line, as_json=args.json)
        sys.stdout.flush()
        left = WAIT if args.seconds is None else args.seconds - (time.monotonic() - began)
        if not args.follow or left <= 0:
            return 0
        wait = min(WAIT, left)


def _show(line: "dict[str, object]", *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(line, ensure_ascii=False))
    else:
        clock = str(line["at"]).partition("T")[2][:12]
        print(printable(f"{clock} {line['direction']} {line['text']}"))
