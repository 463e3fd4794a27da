"""The ``smsd`` command: a client of the daemon's socket, and ``smsd run``, the daemon itself."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from smsd.cli.client import Failure

COMMANDS: Final = (
    "run", "check", "send", "listing", "cancel", "phones", "status", "queue", "campaign",
    "keeping", "webhooks", "ussd", "at", "trace", "pdu",
)  # fmt: skip
"""The modules of the commands, in the order in which the help shows them."""


def parser(modules: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The command line: all of it, or of some modules alone."""
    top = argparse.ArgumentParser(
        prog="smsd",
        description="The SMS gateway: send, look, run.",
        epilog="Exit status: 0 done, 1 refused or failed, 2 wrong usage, 69 daemon not reachable, "
        "75 already running, 77 no permission, 78 configuration wrong.",
    )
    top.add_argument("--version", action="version", version=_version())
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for module in modules:
        import_module(f"smsd.cli.{module}").add_parser(commands)
    return top


def _version() -> str:
    from smsd import __version__

    return f"smsd {__version__}"


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    argv = sys.argv[1:] if argv is None else argv
    # The daemon does not keep in memory what its clients need.
    args = parser(("run",) if argv[:1] == ["run"] else COMMANDS).parse_args(argv)
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
