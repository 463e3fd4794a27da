"""``smsd at``: one AT command to a modem, in its turn between those of the daemon."""

import argparse
import json

from smsd.cli.client import REFUSED, add_options, client
from smsd.cli.naming import phone_id
from smsd.cli.output import printable

QUEUE = 180.0  # seconds that a part on the wire before it may take


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "at",
        help="give a modem an AT command",
        description="What would send, delete or acknowledge messages, or burn a SIM's tries, is "
        "never given; what takes the modem out of service or changes how it talks, with --force.",
    )
    parser.add_argument("phone", metavar="PHONE", help="id or name")
    parser.add_argument("command", metavar="COMMAND", help="as AT+CSQ, or 'AT+CSQ;+CREG?'")
    parser.add_argument("--force", action="store_true", help="give it although it changes things")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS")
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print the lines and the final result; exit status 1 unless that is OK."""
    daemon = client(args, timeout=QUEUE + max(0.0, args.timeout))
    body = {"command": args.command, "force": args.force, "timeout": args.timeout}
    found, _ = daemon.post(f"/api/phone/{phone_id(daemon, args.phone)}/at/", body)
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for line in (*found["lines"], found["result"]):
            print(printable(line))
    return 0 if found["result"] == "OK" else REFUSED
