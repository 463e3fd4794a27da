"""Calls: answered, rejected, listed, and those that the computer dials."""

from hwsim.at import Outcome, Refusal, Request, cme
from hwsim.commands.registry import command, number
from hwsim.line import Line


@command("D")
def _dial(line: Line, request: Request) -> Outcome:
    line.answer(final="NO CARRIER")
    return None


@command("A")
def _pick_up(line: Line, request: Request) -> Outcome:
    caller = line.modem.caller
    if caller is None:
        line.answer(final="NO CARRIER")
        return None
    caller.accepted = True
    return []


@command("H", "+CHUP")
def _hang_up(line: Line, request: Request) -> Outcome:
    line.modem.hang_up()
    return []


@command("+CHLD")
def _hold(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CHLD: (0,1,2,3)"]
    if line.modem.caller is None:
        raise cme(3)
    if request.value[:1] in ("0", "1"):
        line.modem.hang_up()
    return []


@command("+CLCC")
def _calls(line: Line, request: Request) -> Outcome:
    caller = line.modem.caller
    if request.form == "test" or caller is None:
        return []
    state = 0 if caller.accepted else 4
    return [f'+CLCC: 1,1,{state},0,0,"{caller.number}",145']


@command("+CPAS")
def _activity(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CPAS: (0,2,3,4)"]
    caller = line.modem.caller
    return [f"+CPAS: {0 if caller is None else 4 if caller.accepted else 3}"]


@command("+CLIP")
def _caller_line(line: Line, request: Request) -> Outcome:
    kept = line.modem.settings.plain
    if request.form == "test":
        return ["+CLIP: (0,1)"]
    if request.form == "read":
        value = kept.get("+CLIP", "0")
        # 27.007 7.6 adds whether the subscriber has the service; field parsers read the first.
        return [f"+CLIP: {value},1" if line.modem.personality.clip_state else f"+CLIP: {value}"]
    kept["+CLIP"] = str(number(request, (0, 1)))
    return []


@command("+VTS")
def _tone(line: Line, request: Request) -> Outcome:
    if line.modem.caller is None:
        raise Refusal("error")
    return []
