"""``smsd queue``: what is under way, and the whole story of one message."""

import argparse
import json

from smsd.cli.client import add_options, client
from smsd.cli.output import printable, show

UNDER_WAY = ("queued", "claimed", "uncertain")
COLUMNS = ("id", "state", "destination", "parts", "id_phone", "due_at", "why")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("queue", help="what is under way, or all about one message")
    parser.add_argument("id", nargs="?", type=int, help="one message")
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print what is queued, claimed and uncertain; or one message with all its changes."""
    daemon = client(args)
    if args.id is not None:
        message = daemon.get(f"/api/message/{args.id}/")
        if args.json:
            print(json.dumps(message, ensure_ascii=False))
        else:
            _story(message)
        return 0
    rows = [row for state in UNDER_WAY for row in daemon.all("/api/list/message/", state=state)]
    for row in rows:
        row["why"] = row["error"]["words"] if row["error"] else None
    show(rows, COLUMNS, as_json=args.json)
    return 0


def _story(message: "dict[str, object]") -> None:
    print(f"message {message['id']} to {message['destination']}: {message['state']}")
    print(f"route: {printable(message['route'])}")
    error = message["error"]
    if isinstance(error, dict):
        told = " ".join(filter(None, (error["code"], error["words"], error["hint"])))
        print(printable(f"error: {told}"))
    changes, attempts = message["changes"], message["attempts"]
    for change in changes if isinstance(changes, list) else ():
        reason = f": {change['reason']}" if change["reason"] else ""
        print(printable(f"  {change['at']}  {change['state']}{reason}"))
    for attempt in attempts if isinstance(attempts, list) else ():
        print(printable(f"attempt {attempt['id']} by {attempt['phone']}: {attempt['outcome']}"))
        if attempt["error"]:
            error = attempt["error"]
            told = " ".join(filter(None, (error["code"], error["words"], error["hint"])))
            print(printable(f"  {told}"))
        for part in attempt["parts"]:
            report = f", {part['report']}: {part['report_words']}" if part["report"] else ""
            reference = "" if part["reference"] is None else f" reference {part['reference']}"
            line = f"  part {part['number']}/{part['total']} {part['state']}{reference}{report}"
            print(printable(line))
