"""``smsd phones``: the phones, how they are and why."""

import argparse

from smsd.cli.client import add_options, client
from smsd.cli.output import show

COLUMNS = (
    "id", "name", "adapter", "status", "operator", "technology", "signal_dbm", "temperature",
    "balance", "balance_at", "balance_error", "waiting_voicemail", "imei", "reason", "hint",
)  # fmt: skip


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("phones", help="show the phones and how they are")
    add_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print one line a phone."""
    phones = client(args).get("/health")["phones"]
    shown = [
        c
        for c in COLUMNS
        if c in COLUMNS[:4] or any(phone.get(c) not in (None, "") for phone in phones)
    ]
    show(phones, shown, as_json=args.json)
    return 0
