"""The command `hwsim`: `up` runs a world until it is told to stop, `ctl` talks to one."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from hwsim import control
from hwsim.personality import names

UNAVAILABLE = 69
CLOUDS = ("smsmode",)


def main() -> None:
    """Run the command line."""
    arguments = _parser().parse_args()
    runs = {"up": _up, "ctl": _ctl, "run": _scenario, "scenarios": _scenarios}
    sys.exit(runs[arguments.command](arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("hwsim", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="run modems, network and providers in the foreground")
    up.add_argument("--dir", type=Path, required=True, help="folder of the links and the socket")
    up.add_argument("--modems", type=int, default=1, metavar="N")
    up.add_argument(
        "--personality",
        default="generic",
        metavar="NAME[,NAME…]",
        help=f"of: {', '.join(names())}; several are dealt out in turn",
    )
    up.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    up.add_argument("--cloud", default="", help=f"comma-separated, of: {', '.join(CLOUDS)}")
    up.add_argument("--seed", type=int, default=0)
    up.add_argument("--pin", help="the PIN that every SIM asks for")
    up.add_argument("--warm", action="store_true", help="they were started long ago")
    up.add_argument("--realistic", action="store_true", help="commands take the family's time")
    up.add_argument("--usb", action="store_true", help="a bus that pyudev sees (needs umockdev)")
    up.add_argument(
        "--mm-tags", action="store_true", help="… with the tags of ModemManager's rules"
    )
    up.add_argument("--scenario", help="set up modems as this scenario wants them")
    up.add_argument("--report-delay", type=float, default=0.05, metavar="SECONDS")
    up.add_argument("--deliver-delay", type=float, default=0.02, metavar="SECONDS")
    ctl = commands.add_parser("ctl", help="run one verb in a running world")
    ctl.add_argument("dir", type=Path)
    ctl.add_argument("verb")
    ctl.add_argument("args", nargs=argparse.REMAINDER)
    run = commands.add_parser("run", help="play a scenario on a virtual clock")
    run.add_argument("scenario", help="a name of `hwsim scenarios`, or a file")
    commands.add_parser("scenarios", help="list the scenarios")
    return parser


def _scenario(arguments: argparse.Namespace) -> int:
    from hwsim import scenario
    from hwsim.player import Player

    try:
        result = Player(scenario.load(arguments.scenario)).run()
    except ValueError as error:
        print(f"hwsim: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result, ensure_ascii=False, indent=1))
    return 0 if result["passed"] else 1


def _scenarios(arguments: argparse.Namespace) -> int:
    from hwsim import scenario

    for name in scenario.names():
        print(f"{name}: {scenario.load(name).about}")
    return 0


def _up(arguments: argparse.Namespace) -> int:
    clouds = tuple(name for name in arguments.cloud.split(",") if name)
    if unknown := set(clouds) - set(CLOUDS):
        print(f"hwsim: no provider {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    if arguments.scenario:
        from hwsim import scenario

        try:
            wanted = scenario.load(arguments.scenario)
        except ValueError as error:
            print(f"hwsim: {error}", file=sys.stderr)
            return 2
        arguments.personality, arguments.modems = wanted.personality, wanted.modems
        arguments.pin, arguments.warm = wanted.pin, wanted.warm
    if unknown := set(arguments.personality.split(",")) - set(names()):
        print(f"hwsim: no personality {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    if not 0 <= arguments.modems <= 99:
        print("hwsim: 0 to 99 modems", file=sys.stderr)
        return 2
    try:
        control.call(arguments.dir, "info")
    except control.NotRunning:
        pass
    else:
        print(f"hwsim: {arguments.dir} is in use by another simulator", file=sys.stderr)
        return 1
    try:
        asyncio.run(_run(arguments, clouds))
    except (OSError, ValueError) as error:
        print(f"hwsim: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(arguments: argparse.Namespace, clouds: tuple[str, ...]) -> None:
    from hwsim.network import Settings  # `ctl` needs none of this and should start at once
    from hwsim.rack import Options
    from hwsim.world import World

    folder = arguments.dir.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    options = Options(
        folder=folder,
        modems=arguments.modems,
        personality=arguments.personality,
        clouds=clouds,
        seed=arguments.seed,
        pin=arguments.pin,
        warm=arguments.warm,
        realistic=arguments.realistic,
        usb=arguments.usb,
        mm_tags=arguments.mm_tags,
    )
    settings = Settings(
        report_delay=arguments.report_delay,
        deliver_delay=arguments.deliver_delay,
        latency=arguments.latency,
        seed=arguments.seed,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with World(options, settings) as world:
        print(json.dumps(world.info()), flush=True)
        await stop.wait()


def _ctl(arguments: argparse.Namespace) -> int:
    try:
        answer = control.call(arguments.dir, arguments.verb, *arguments.args)
    except control.Refused as error:
        print(f"hwsim: {error}", file=sys.stderr)
        return 1
    except control.NotRunning as error:
        print(f"hwsim: {error}", file=sys.stderr)
        return UNAVAILABLE
    print(json.dumps(answer, ensure_ascii=False))
    return 0
