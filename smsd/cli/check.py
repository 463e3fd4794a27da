"""``smsd check``: is the configuration right, and what does it come to?"""

import argparse
import json
import sys

from smsd.cli.client import BAD_CONFIG


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("check", help="check the configuration file")
    parser.add_argument("--config", default="/etc/smsd/smsd.toml", metavar="FILE")
    parser.add_argument(
        "--print", action="store_true", help="print what is in force, secrets masked"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Check; 78 and every problem on stderr if there is one."""
    from smsd import config

    try:
        settings = config.load(args.config)
        if missing := [f"{args.config}: {words}" for words in config.missing_programs(settings)]:
            raise config.ConfigError("\n".join(missing))
    except config.ConfigError as error:
        if args.json:
            print(json.dumps({"ok": False, "problems": str(error).splitlines()}))
        print(f"smsd: {error}", file=sys.stderr)
        return BAD_CONFIG
    shown = config.effective(settings)
    if args.json:
        print(json.dumps({"ok": True, **({"config": shown} if args.print else {})}))
    elif args.print:
        print(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        print(f"{args.config}: right; {len(settings.phone)} phones, {len(settings.user)} users")
    return 0
