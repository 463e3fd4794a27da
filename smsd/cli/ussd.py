"""``smsd ussd``: ask the network itself, for a balance or through a menu."""

import argparse
import json

from smsd.cli.client import REFUSED, add_options, client
from smsd.cli.naming import phone_id
from smsd.cli.output import printable

TIMEOUT = 200.0  # seconds: the modem's part, and a minute for the network


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("ussd", help="ask the network: balance, tariff, menus")
    parser.add_argument("phone", metavar="PHONE", help="id or name")
    parser.add_argument("code", metavar="CODE", help="as *123#")
    parser.add_argument(
        "--answer", nargs="+", default=[], metavar="TEXT", help="answers to what it then asks"
    )
    parser.add_argument("--keep", action="store_true", help="leave the dialogue open at the end")
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print every reply; exit status 1 if the network refused."""
    daemon = client(args, timeout=TIMEOUT)
    path = f"/api/phone/{phone_id(daemon, args.phone)}/ussd/"
    reply = _asked(daemon.post(path, {"code": args.code})[0], as_json=args.json)
    for answer in args.answer:
        if reply["status"] != "answer_wanted":
            break
        reply = _asked(daemon.post(path, {"answer": answer})[0], as_json=args.json)
    if reply["status"] == "answer_wanted":
        if not args.keep:
            daemon.post(path, {"cancel": 1})
        return 0
    return 0 if reply["status"] == "done" or reply["text"] else REFUSED


def _asked(reply: "dict[str, str]", *, as_json: bool) -> "dict[str, str]":
    if as_json:
        print(json.dumps(reply, ensure_ascii=False))
        return reply
    for line in reply["text"].splitlines():
        print(printable(line))
    if reply["status"] != "done":
        print(f"({reply['status'].replace('_', ' ')})")
    return reply
