"""``smsd webhooks``: who is told of events, what they never took, and telling it once more."""

import argparse
from urllib.parse import urlsplit

from smsd.cli.client import Client, add_options, client
from smsd.cli.output import show

COLUMNS = ("id", "name", "host", "events", "enabled", "failures", "dead_letters", "error")
LETTERS = ("id", "event", "type", "given_up_at", "wanted_again", "error")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("webhooks", help="who is told of events, and what was not taken")
    parser.add_argument("id", nargs="?", type=int, help="the dead letters of this one")
    parser.add_argument(
        "--resend",
        nargs="?",
        const="",
        metavar="EVENT",
        help="have all its dead letters told once more, or that of one event",
    )
    add_options(parser)
    parser.set_defaults(func=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Print the webhooks, or the dead letters of one; or have those told once more."""
    daemon = client(args)
    if args.id is None:
        if args.resend is not None:
            args.parser.error("--resend wants a webhook's id before it")
        rows = daemon.all("/api/list/webhook/")
        if not args.json:
            rows = [
                {**row, "host": _host(row["url"]), "events": " ".join(row["events"])}
                for row in rows
            ]
        show(rows, COLUMNS, as_json=args.json)
    elif args.resend is None:
        show(_letters(daemon, args.id), LETTERS, as_json=args.json)
    else:
        body = {"event": args.resend} if args.resend else {}
        count, _ = daemon.post(f"/api/webhook/{args.id}/resend/", body)
        print(f'{{"resent": {count}}}' if args.json else f"{count} are told once more")
    return 0


def _letters(daemon: Client, webhook: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    path = f"/api/webhook/{webhook}/dead/"
    while page := daemon.get(path, after=str(found[-1]["id"] if found else 0)):
        found += page
    return found


def _host(url: str) -> str:
    """Where it is; the rest of its address may hold a key."""
    return urlsplit(url).hostname or ""
