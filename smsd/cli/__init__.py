"""The ``smsd`` command: a client of the daemon's socket, and ``smsd run``, the daemon itself."""

import argparse
import sys

from smsd.cli import (
    at,
    campaign,
    check,
    keeping,
    listing,
    pdu,
    phones,
    queue,
    run,
    send,
    status,
    trace,
    ussd,
)
from smsd.cli.client import Failure

COMMANDS = (
    run,
    check,
    send,
    listing,
    phones,
    status,
    queue,
    campaign,
    keeping,
    ussd,
    at,
    trace,
    pdu,
)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="smsd",
        description="The SMS gateway: send, look, run.",
        epilog="Exit status: 0 done, 1 refused or failed, 2 wrong usage, 69 daemon not reachable, "
        "75 already running, 77 no permission, 78 configuration wrong.",
    )
    top.add_argument("--version", action="version", version=_version())
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return top


def _version() -> str:
    from smsd import __version__

    return f"smsd {__version__}"


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    args = parser().parse_args(argv)
    try:
        return int(args.func(args))
    except Failure as failure:
        print(f"smsd: {failure}", file=sys.stderr)
        return failure.status
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has enough
        return 1
    except KeyboardInterrupt:
        return 130
