"""``smsd phones``: the phones, how they are and why."""

import argparse

from smsd.cli.client import add_options, client
from smsd.cli.output import show

COLUMNS = (
    "id", "name", "adapter", "status", "limit", "operator", "technology", "signal_dbm",
    "temperature", "balance", "balance_at", "balance_error", "waiting_voicemail", "imei",
    "usb_path", "until", "reason", "hint",
)  # fmt: skip
PORTS = (
    "usb_path", "id", "device", "interface", "role", "driver", "phone", "used", "holder",
    "modem", "problem",
)  # fmt: skip


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("phones", help="show the phones and how they are")
    parser.add_argument(
        "--ports", action="store_true", help="the serial ports of USB devices, and who has them"
    )
    add_options(parser)
    parser.set_defaults(func=run)


def limit_words(limit: "dict[str, object]") -> str:
    """A limit in a line: what is used of it, and when there is more room."""
    words = f"{limit['used']}/{limit['volume']} {limit['unit']} since {limit['startpoint']}"
    return words + (f", resets at {limit['resets_at']}" if limit["resets_at"] else "")


def run(args: argparse.Namespace) -> int:
    """Print one line a phone, or one a port."""
    if args.ports:
        ports = client(args).get("/ports")
        shown = [c for c in PORTS if c in PORTS[:5] or any(port.get(c) for port in ports)]
        if not args.json:
            ports = [port | {"used": "*" if port["used"] else ""} for port in ports]
        show(ports, shown, as_json=args.json)
        return 0
    phones = client(args).get("/health")["phones"]
    if not args.json:
        phones = [
            phone | {"limit": "; ".join(map(limit_words, phone["limits"]))} for phone in phones
        ]
    shown = [
        c
        for c in COLUMNS
        if c in COLUMNS[:4] or any(phone.get(c) not in (None, "") for phone in phones)
    ]
    show(phones, shown, as_json=args.json)
    return 0
