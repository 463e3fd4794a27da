"""``smsd send``: hand a message to the daemon."""

import argparse
import json
import sys
import uuid

from smsd.cli.client import UNREACHABLE, USAGE, Failure, add_options, client


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("send", help="send a message")
    parser.add_argument("number", nargs="+", help="recipients, as +33612345678")
    parser.add_argument("--text", help="the text; - or nothing reads it from standard input")
    parser.add_argument("--at", metavar="'Y-M-D H:M:S'", help="not before then")
    parser.add_argument("--phone", metavar="ID|NAME", help="by this phone only (and its fallback)")
    parser.add_argument("--group", metavar="ID|NAME", help="by a phone of this phone group only")
    parser.add_argument(
        "--sticky", action="store_true", help="by the phone that the recipient knows, if any"
    )
    parser.add_argument("--flash", action="store_true", help="shown at once, not stored (class 0)")
    parser.add_argument("--tag", help="a mark of yours that the message keeps")
    parser.add_argument(
        "--key", help="an idempotency key: the same again within a day sends nothing"
    )
    parser.add_argument("--validity", type=int, metavar="MINUTES", help="give up after that")
    parser.add_argument(
        "--priority", type=int, metavar="-128…127", help="higher ones go first; usual is 0"
    )
    parser.add_argument(
        "--hours",
        action="append",
        metavar="'[DAYS] HH:MM-HH:MM'",
        help="leave only then, as 'mon-fri 08:00-20:00'; may be given again",
    )
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Send, and print the id of the scheduled message and those of its messages."""
    text = args.text
    if text in (None, "-"):
        if sys.stdin.isatty():
            raise Failure("no text: give --text, or pipe it in", USAGE)
        text = sys.stdin.read().removesuffix("\n")
    daemon = client(args)
    body = {
        "text": text,
        "numbers": args.number,
        "at": args.at,
        "tag": args.tag,
        "flash": args.flash,
        "id_phone": _id(args, "phone"),
        "id_phone_group": _id(args, "phone_group"),
        "sticky": args.sticky or None,
        "validity_minutes": args.validity,
        "priority": args.priority,
        "send_windows": [_window(hours) for hours in args.hours] if args.hours else None,
    }
    request = {key: value for key, value in body.items() if value is not None}
    # With a key the request may be repeated: an answer that was lost sends nothing twice.
    headers = {"Idempotency-Key": args.key or uuid.uuid4().hex}
    try:
        response, reply = daemon.post("/api/scheduled/", request, **headers)
    except Failure as failure:
        if failure.status != UNREACHABLE:
            raise
        response, reply = daemon.post("/api/scheduled/", request, **headers)
    try:
        found = daemon.all("/api/list/message/", originating_scheduled=str(response))
        messages = [message["id"] for message in found]
    except Failure as failure:
        print(f"smsd: accepted, but its messages cannot be listed: {failure}", file=sys.stderr)
        messages = []
    dropped = reply.get("X-Smsd-Invalid-Numbers")
    if dropped:
        print(f"smsd: left out, not valid numbers: {dropped}", file=sys.stderr)
    if args.json:
        print(json.dumps({"scheduled": response, "messages": messages, "dropped": dropped}))
    else:
        shown = ", ".join(map(str, messages)) or "later"
        print(f"accepted as {response}; messages: {shown}")
    return 0


def _window(words: str) -> dict[str, object]:
    """One of the hours that were given; the daemon says what is wrong with them."""
    *days, hours = words.replace(",", " ").split() or [""]
    return {"days": days or ["mon-sun"], "hours": hours}


def _id(args: argparse.Namespace, kind: str) -> str | None:
    """The id of the phone or phone group that was named, by whichever of both."""
    wanted = args.phone if kind == "phone" else args.group
    if wanted is None or wanted.isdigit():
        return str(wanted) if wanted else None
    for row in client(args).all(f"/api/list/{kind}/"):
        if row["name"] == wanted:
            return str(row["id"])
    raise Failure(f'no {kind.replace("_", " ")} is named "{wanted}"')
