"""``smsd backup``, ``restore``, ``export`` and ``erase``: copies of what is kept, and its end."""

import argparse
import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from smsd.cli.client import (
    BAD_CONFIG,
    RUNNING,
    UNREACHABLE,
    Failure,
    add_options,
    client,
)

KINDS = (
    "sended", "received", "scheduled", "message", "inbox", "call", "datagram", "contact", "group",
    "campaign", "smsstop",
)  # fmt: skip
LONG = 3600.0  # seconds; a large database on a slow card takes its time


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    parser = commands.add_parser("backup", help="copy the database, while smsd runs or not")
    parser.add_argument("file", nargs="?", help="where to; else beside the database, with the time")
    _with_config(parser, "the database, where no daemon answers")
    add_options(parser)
    parser.set_defaults(func=backup)

    parser = commands.add_parser("restore", help="put a copy in the place of the database")
    parser.add_argument("file", help="a copy that smsd backup made")
    parser.add_argument(
        "--send-waiting",
        action="store_true",
        help="send what waits in the copy: only if none of it has gone since the copy was made",
    )
    _with_config(parser, "the database")
    parser.add_argument("--json", action="store_true", help="JSON Lines instead of a table")
    parser.set_defaults(func=restore)

    parser = commands.add_parser("export", help="every row of a kind, as JSON Lines or CSV")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--format", choices=("json", "csv"), default="json")
    parser.add_argument("--since", metavar="DATE", help="not before, as 2026-03-01")
    parser.add_argument("--until", metavar="DATE", help="before, as 2026-04-01 or with a time")
    add_options(parser)
    parser.set_defaults(func=export)

    parser = commands.add_parser("erase", help="forget a number and all its texts")
    parser.add_argument("number")
    parser.add_argument(
        "--stops", action="store_true", help="forget too that it wants no more messages"
    )
    add_options(parser)
    parser.set_defaults(func=erase)


def _with_config(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--config", default="/etc/smsd/smsd.toml", metavar="FILE", help=f"names {what}"
    )


def backup(args: argparse.Namespace) -> int:
    """Have the daemon make a copy, or make it where none runs; print its name."""
    file = None if args.file is None else str(Path(args.file).absolute())
    try:
        made, _ = client(args, timeout=LONG).post("/api/backup/", {"file": file} if file else {})
    except Failure as failure:
        if failure.status != UNREACHABLE:
            raise
        made = _without_daemon(args.config, file)
    print(json.dumps(made) if args.json else f"{made['file']}: {made['size']} octets, verified")
    return 0


def _without_daemon(config: str, file: str | None) -> dict[str, object]:
    from smsd.store.backup import BackupError, back_up, stamp

    database = _database(config)
    target = Path(file or f"{database}.backup-{stamp(datetime.now(UTC))}")
    try:
        back_up(database, target)
    except BackupError as error:
        raise Failure(str(error)) from error
    return {"file": str(target), "size": target.stat().st_size}


def restore(args: argparse.Namespace) -> int:
    """Restore; 75 while a daemon has the database."""
    from smsd.daemon import AlreadyRunning, locked
    from smsd.store.backup import BackupError, give_to_owner
    from smsd.store.backup import restore as put_back

    database = _database(args.config)
    try:
        with locked(str(database)):
            give_to_owner(Path(f"{database}.lock"))
            aside = put_back(
                Path(args.file), database, datetime.now(UTC), hold=not args.send_waiting
            )
    except AlreadyRunning as error:
        raise Failure(str(error), RUNNING) from error
    except (BackupError, OSError) as error:
        raise Failure(str(error)) from error
    old = None if aside is None else str(aside)
    if args.json:
        print(json.dumps({"database": str(database), "aside": old}))
    else:
        print(f"{database} is what {args.file} was; before: {old or 'none'}")
    return 0


def _database(config_file: str) -> Path:
    from smsd import config

    try:
        return Path(config.load(config_file).store.path)
    except config.ConfigError as error:
        raise Failure(str(error), BAD_CONFIG) from error


def export(args: argparse.Namespace) -> int:
    """Copy what the daemon streams to standard output."""
    query = {"format": args.format, "since": args.since, "until": args.until}
    given = {name: value for name, value in query.items() if value is not None}
    with client(args).stream(f"/api/export/{args.kind}/", **given) as rows:
        shutil.copyfileobj(rows, sys.stdout.buffer)
    sys.stdout.flush()
    return 0


def erase(args: argparse.Namespace) -> int:
    """Erase, and print how many rows of what it was."""
    body = {"number": args.number, "stops": args.stops}
    found, _ = client(args, timeout=LONG).post("/api/erase/", body)
    if args.json:
        print(json.dumps(found))
    else:
        told = ", ".join(f"{number} {name}" for name, number in found.items() if number)
        print(f"erased: {told or 'nothing was there'}")
    return 0
