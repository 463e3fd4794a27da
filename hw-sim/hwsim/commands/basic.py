"""The commands of V.250."""

from hwsim.at import Outcome, Refusal, Request
from hwsim.commands.registry import TABLE, command, number
from hwsim.line import Line, Manners


@command("E")
def _echo(line: Line, request: Request) -> Outcome:
    line.manners.echo = bool(number(request, (0, 1)))
    return []


@command("V")
def _verbose(line: Line, request: Request) -> Outcome:
    line.manners.verbose = bool(number(request, (0, 1)))
    return []


@command("Q")
def _quiet(line: Line, request: Request) -> Outcome:
    line.manners.quiet = bool(number(request, (0, 1)))
    return []


@command("Z", "&F")
def _reset(line: Line, request: Request) -> Outcome:
    modem = line.modem
    line.manners = Manners(error_level=modem.personality.error_level)
    modem.forget_settings()
    if request.name == "&F":
        modem.inbox.reset()
    return []


@command(
    "I", "X", "L", "M", "P", "T", "N", "&C", "&D", "&K", "&W", "&S", "&V", "&Q", "&R", "+IPR",
    "+ICF", "+IFC", "+CMUX", "\\Q", "\\V",
)  # fmt: skip
def _accepted(line: Line, request: Request) -> Outcome:
    if request.name == "+CMUX":
        raise Refusal("error")
    if request.name == "+IPR" and request.form == "read":
        return ["+IPR: 115200"]
    return []


@command("S0", "S3", "S4", "S5", "S6", "S7", "S8", "S10")
def _register(line: Line, request: Request) -> Outcome:
    if request.form == "read":
        return [f"{line.registers.get(request.name, 0):03}"]
    line.registers[request.name] = int(request.value)
    return []


@command("+CLAC")
def _all_commands(line: Line, request: Request) -> Outcome:
    return [] if request.form == "test" else sorted(n for n in TABLE if n[0] in "+&")
