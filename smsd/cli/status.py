"""``smsd status``: one look at everything; exit status 1 if no phone can send."""

import argparse
import json

from smsd.cli.client import REFUSED, add_options, client
from smsd.cli.output import printable
from smsd.cli.phones import limit_words


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("status", help="is everything well?")
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print the state of store, queue and phones."""
    health = client(args).get("/health")
    if args.json:
        print(json.dumps(health, ensure_ascii=False))
    else:
        _for_people(health)
    return 0 if health["status"] == "ok" else REFUSED


def _for_people(health: "dict[str, object]") -> None:
    queue = health["queue"]
    if health["paused"]:
        print("PAUSED: nothing is sent, everything is kept; smsd queue resume ends it")
    print(f"{health['status']}; store {printable(health['store'])}")
    problems = health["problems"]
    for problem in problems if isinstance(problems, list) else ():
        print(printable(f"! {problem}"))
    notices = health["notices"]
    for notice in notices if isinstance(notices, list) else ():
        print(printable(f"! {notice}"))
    if isinstance(queue, dict):
        print(
            f"queue: {queue['queued']} waiting (oldest {queue['oldest_seconds']} s), "
            f"{queue['claimed']} on their way, {queue['uncertain']} uncertain"
        )
    phones = health["phones"]
    for phone in phones if isinstance(phones, list) else ():
        line = f"{phone['name']}: {phone['status']} since {phone['since']}"
        if phone["reason"]:
            line += f", {phone['reason']}"
        if phone.get("held"):
            line += f", {phone['held']}"
        if phone["hint"]:
            line += f" ({phone['hint']})"
        print(printable(line))
        for limit in phone["limits"]:
            print(printable(f"  {limit_words(limit)}"))
