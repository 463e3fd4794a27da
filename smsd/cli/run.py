"""``smsd run``: the daemon, in the foreground."""

import argparse
import sys

from smsd.cli.client import BAD_CONFIG, NO_PERMISSION, REFUSED, RUNNING


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("run", help="run the daemon in the foreground")
    parser.add_argument("--config", default="/etc/smsd/smsd.toml", metavar="FILE")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM; 75 if another smsd has the database, 78 if the configuration is wrong."""
    from smsd import config, daemon, logs
    from smsd.api.server import SocketTaken
    from smsd.store.database import StoreUnavailable
    from smsd.store.migrate import SchemaTooNew

    try:
        settings = config.load(args.config)
    except config.ConfigError as error:
        print(f"smsd: {error}", file=sys.stderr)
        return BAD_CONFIG
    logs.set_up(settings.log.level)
    try:
        daemon.run(settings)
    except (daemon.AlreadyRunning, SocketTaken) as error:
        print(f"smsd: {error}", file=sys.stderr)
        return RUNNING
    except StoreUnavailable as error:
        print(f"smsd: {error}", file=sys.stderr)
        return REFUSED
    except SchemaTooNew as error:
        print(f"smsd: {settings.store.path}: {error}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"smsd: {error}", file=sys.stderr)
        return NO_PERMISSION if isinstance(error, PermissionError) else REFUSED
    return 0
