"""The commands of V.250 and 27.007; those of 27.005 are in `messages`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hwsim import at, messages
from hwsim.at import Request, cme

if TYPE_CHECKING:
    from hwsim.modem import Modem

# Lines of the answer, a prompt, or None: the command answers by itself.
Outcome = list[str] | at.Prompt | None
Handler = Callable[["Modem", Request], Outcome]
TABLE: dict[str, Handler] = {}
# Refused while the card wants its PIN.
_OF_CARD = {"+CIMI", "+CNUM", "+CSCA", "+CUSD"}
_OF_NO_CARD = {"+CMGF", "+CMMS"}
LAC, CELL = "00C3", "000A1B2C"


@dataclass(slots=True)
class Settings:
    """What a reset brings back."""

    echo: bool = True
    verbose: bool = True
    quiet: bool = False
    error_level: int = 0
    charset: str = "GSM"
    operator_form: int = 0
    registration: dict[str, int] = field(
        default_factory=lambda: {"+CREG": 0, "+CGREG": 0, "+CEREG": 0}
    )
    registers: dict[str, int] = field(default_factory=lambda: {"S3": 13, "S4": 10, "S5": 8})
    plain: dict[str, str] = field(default_factory=dict)


def run(modem: Modem, request: Request) -> Outcome:
    """Run one request; raises `at.Refusal`."""
    fixed = modem.personality.answers.get(request.text)
    if fixed is not None:
        if fixed in ("OK", "ERROR"):
            if fixed == "ERROR":
                raise at.Refusal("error")
            return []
        return [fixed] if isinstance(fixed, str) else list(fixed)
    handler = messages.TABLE.get(request.name)
    if handler is not None:
        if request.form != "test" and request.name not in _OF_NO_CARD:
            messages.check_card(modem)
        return handler(modem.messages, request)
    handler_here = TABLE.get(request.name)
    if handler_here is None:
        raise at.Refusal("error")
    if request.name in _OF_CARD and request.form != "test":
        _check_card(modem)
    return handler_here(modem, request)


def _check_card(modem: Modem) -> None:
    if not modem.unlocked:
        raise cme({"SIM PIN": 11, "SIM PUK": 12}.get(modem.pin_state, 13))
    if modem.sim_busy:
        raise cme(14)


def _command(*names: str) -> Callable[[Handler], Handler]:
    def add(handler: Handler) -> Handler:
        for name in names:
            TABLE[name] = handler
        return handler

    return add


def _number(request: Request, allowed: range | tuple[int, ...]) -> int:
    """Read the single number of a basic or set command; absent means 0."""
    text = request.value
    if text and not text.isdecimal():
        raise at.Refusal("error")
    value = int(text or 0)
    if value not in allowed:
        raise at.Refusal("error")
    return value


# ---------------------------------------------------------------------------------- V.250


@_command("E")
def _echo(modem: Modem, request: Request) -> Outcome:
    modem.settings.echo = bool(_number(request, (0, 1)))
    return []


@_command("V")
def _verbose(modem: Modem, request: Request) -> Outcome:
    modem.settings.verbose = bool(_number(request, (0, 1)))
    return []


@_command("Q")
def _quiet(modem: Modem, request: Request) -> Outcome:
    modem.settings.quiet = bool(_number(request, (0, 1)))
    return []


@_command("Z", "&F")
def _reset(modem: Modem, request: Request) -> Outcome:
    modem.settings = Settings()
    if request.name == "&F":
        modem.messages.reset()
    return []


@_command("I", "X", "L", "M", "&C", "&D", "&K", "&W", "&S")
def _accepted(modem: Modem, request: Request) -> Outcome:
    return []


@_command("S0", "S3", "S4", "S5", "S7", "S8", "S10")
def _register(modem: Modem, request: Request) -> Outcome:
    if request.form == "read":
        return [f"{modem.settings.registers.get(request.name, 0):03}"]
    modem.settings.registers[request.name] = int(request.value)
    return []


@_command("D")
def _dial(modem: Modem, request: Request) -> Outcome:
    modem.answer(final="NO CARRIER")
    return None


@_command("H", "+CHUP")
def _hang_up(modem: Modem, request: Request) -> Outcome:
    modem.caller = None
    return []


# ---------------------------------------------------------------------------------- 27.007


@_command("+CGSN", "+GSN")
def _serial(modem: Modem, request: Request) -> Outcome:
    return [] if request.form == "test" else [modem.imei]


@_command("+CMEE")
def _error_level(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CMEE: (0-2)"]
    if request.form == "read":
        return [f"+CMEE: {modem.settings.error_level}"]
    modem.settings.error_level = _number(request, (0, 1, 2))
    return []


@_command("+CSCS")
def _charset(modem: Modem, request: Request) -> Outcome:
    charsets = ("GSM", "IRA", "UCS2")
    if request.form == "test":
        return ["+CSCS: (" + ",".join(f'"{name}"' for name in charsets) + ")"]
    if request.form == "read":
        return [f'+CSCS: "{modem.settings.charset}"']
    name = request.strings()[0].upper()
    if name not in charsets:
        raise cme(50)
    modem.settings.charset = name
    return []


def quoted(modem: Modem, text: str) -> str:
    """Write a string parameter in the character set of +CSCS."""
    if modem.settings.charset == "UCS2":
        text = text.encode("utf-16-be").hex().upper()
    return f'"{text}"'


@_command("+CPIN")
def _pin(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return []
    if request.form == "read":
        if modem.pin_state == "BLOCKED":
            raise cme(13)
        return [f"+CPIN: {modem.pin_state}"]
    modem.pin_entered += 1
    secrets = request.strings()
    if modem.pin_state == "SIM PIN" and len(secrets) == 1:
        if secrets[0] != modem.sim.pin:
            modem.sim.pin_tries -= 1
            raise cme(16 if modem.sim.pin_tries else 12)
    elif modem.pin_state == "SIM PUK" and len(secrets) == 2:
        if secrets[0] != modem.sim.puk:
            modem.sim.puk_tries -= 1
            raise cme(16 if modem.sim.puk_tries else 13)
        modem.sim.pin, modem.sim.puk_tries = secrets[1], 10
    else:
        raise cme({"SIM PUK": 12, "BLOCKED": 13}.get(modem.pin_state, 3))
    modem.sim.pin_tries = 3
    modem.unlock()
    return []


@_command("+CPINR")
def _pin_tries(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return []
    lines = [
        f"+CPINR: SIM PIN,{modem.sim.pin_tries},3",
        f"+CPINR: SIM PUK,{modem.sim.puk_tries},10",
    ]
    wanted = request.strings()[0] if request.form == "set" else ""
    return [line for line in lines if wanted.rstrip("*") in line]


@_command("+CLCK")
def _lock(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return ['+CLCK: ("SC")']
    arguments = [*request.strings(), "", ""]
    if arguments[0].upper() != "SC":
        raise cme(4)
    if arguments[1] == "2":
        return [f"+CLCK: {0 if modem.sim.pin is None else 1}"]
    # The simulated card keeps the PIN that it was made with: only the query is meaningful.
    raise cme(3)


@_command("+CREG", "+CGREG", "+CEREG")
def _registration(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return [f"{request.name}: (0-2)"]
    levels = modem.settings.registration
    if request.form == "read":
        level = levels[request.name]
        text = registration_text(modem.registration, level)
        return [f"{request.name}: {level},{text}"]
    levels[request.name] = _number(request, (0, 1, 2))
    return []


def registration_text(state: int, level: int) -> str:
    """Give the state, at level 2 with the place, as +CREG tells it."""
    return f'{state},"{LAC}","{CELL}"' if level == 2 and state in (1, 5) else str(state)


@_command("+COPS")
def _operator(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return ['+COPS: (2,"Simulated","SIM","20899",2),,(0-4),(0-2)']
    if request.form == "read":
        if modem.registration not in (1, 5):
            return ["+COPS: 0"]
        form = modem.settings.operator_form
        return [f'+COPS: 0,{form},"{("Simulated", "SIM", "20899")[form]}",2']
    numbers = request.numbers() if '"' not in request.value else [0]
    if numbers[0] == 3:
        wanted = numbers[1] if len(numbers) > 1 else None
        if wanted is None or wanted > 2:
            raise cme(50)
        modem.settings.operator_form = wanted
    elif numbers[0] not in (0, 1, 2, 4):
        raise cme(50)
    return []


@_command("+CSQ")
def _signal(modem: Modem, request: Request) -> Outcome:
    return ["+CSQ: 17,99" if modem.registration in (1, 5) else "+CSQ: 99,99"]


@_command("+CFUN")
def _function(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CFUN: (0,1,4),(0,1)"]
    if request.form == "read":
        return [f"+CFUN: {modem.radio}"]
    numbers = request.numbers()
    radio = numbers[0]
    if radio is None or radio not in (0, 1, 4) or numbers[1:] not in ([], [0], [1]):
        raise cme(50)
    modem.radio = radio
    if numbers[1:] == [1]:
        modem.after(0, lambda: modem.vanish(1.0))
    modem.registration_changed()
    return []


@_command("+CIMI")
def _imsi(modem: Modem, request: Request) -> Outcome:
    return [] if request.form == "test" else [modem.sim.imsi]


@_command("+CCID")
def _iccid(modem: Modem, request: Request) -> Outcome:
    return [] if request.form == "test" else [f"+CCID: {modem.sim.iccid}"]


@_command("+CRSM")
def _card_file(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return []
    numbers = request.numbers()
    if numbers[:2] == [176, 12258]:
        return [f'+CRSM: 144,0,"{modem.sim.iccid_file()}"']
    return ["+CRSM: 106,130"]


@_command("+CNUM")
def _own_number(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return []
    return [f"+CNUM: ,{quoted(modem, modem.sim.number)},145"]


@_command("+CSCA")
def _service_centre(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return []
    if request.form == "read":
        kind = 145 if modem.sim.smsc.startswith("+") else 129
        return [f"+CSCA: {quoted(modem, modem.sim.smsc)},{kind}"]
    number = request.strings()[0]
    if modem.settings.charset == "UCS2":
        try:
            number = bytes.fromhex(number).decode("utf-16-be")
        except ValueError as error:
            raise cme(50) from error
    if number.strip("+0123456789"):
        raise cme(50)
    modem.sim.smsc = number
    return []


@_command("+CUSD")
def _ussd(modem: Modem, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CUSD: (0-2)"]
    if request.form == "read":
        return [f"+CUSD: {modem.settings.plain.get('+CUSD', '0')}"]
    arguments = request.strings()
    if arguments[0] not in ("0", "1", "2"):
        raise cme(50)
    modem.settings.plain["+CUSD"] = "1" if arguments[0] == "1" else "0"
    if len(arguments) > 1 and arguments[1]:
        reply = quoted(modem, f"Simulated: {arguments[1]}" if arguments[1] != "*100#" else "12.34")
        modem.after(0.05, lambda: modem.announce([f"+CUSD: 0,{reply},15"]))
    return []


@_command("+CLIP", "+CRC", "+CGSMS", "+CVHU", "+CTZU", "+CTZR", "+CMER", "+CIND", "+CGDCONT")
def _kept(modem: Modem, request: Request) -> Outcome:
    kept = modem.settings.plain
    if request.form == "read":
        return [f"{request.name}: {kept.get(request.name, '0')}"]
    if request.form == "test":
        return [f"{request.name}: (0,1)"]
    kept[request.name] = request.value
    return []


@_command("+CLCC")
def _calls(modem: Modem, request: Request) -> Outcome:
    if request.form == "test" or modem.caller is None:
        return []
    return [f'+CLCC: 1,1,4,0,0,"{modem.caller.number}",145']
