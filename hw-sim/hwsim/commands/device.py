"""The commands of 27.007 about the device and the network."""

from datetime import timedelta

from hwsim import charset
from hwsim.at import Outcome, Request, cme
from hwsim.commands.registry import command, number
from hwsim.engine import registration_text
from hwsim.line import Line
from hwsim.personality import Reset

OPERATOR = ("Simulated", "SIM", "20899")


@command("+CGSN", "+GSN")
def _serial(line: Line, request: Request) -> Outcome:
    return [] if request.form == "test" else [line.modem.imei]


@command("+CMEE")
def _error_level(line: Line, request: Request) -> Outcome:
    levels = line.modem.personality.error_levels
    if request.form == "test":
        return ["+CMEE: (0-2)" if len(levels) == 3 else f"+CMEE: ({levels[0]}-{levels[-1]})"]
    if request.form == "read":
        return [f"+CMEE: {line.manners.error_level}"]
    line.manners.error_level = number(request, tuple(levels))
    return []


@command("+CSCS")
def _charset(line: Line, request: Request) -> Outcome:
    charsets = line.modem.personality.charsets
    if request.form == "test":
        return ["+CSCS: (" + ",".join(f'"{name}"' for name in charsets) + ")"]
    if request.form == "read":
        return [f'+CSCS: "{line.modem.settings.charset}"']
    name = request.strings()[0].upper()
    if name not in charsets:
        raise cme(50)
    line.modem.settings.charset = name
    return []


@command("+CREG", "+CGREG", "+CEREG")
def _registration(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return [f"{request.name}: (0-2)"]
    levels = line.modem.settings.registration
    if request.form == "read":
        level = levels[request.name]
        return [f"{request.name}: {level},{registration_text(line.modem.registration, level)}"]
    levels[request.name] = number(request, (0, 1, 2))
    return []


@command("+COPS")
def _operator(line: Line, request: Request) -> Outcome:
    modem = line.modem
    technology = f",{modem.personality.technology}" if modem.personality.technology else ""
    if request.form == "test":
        return [f'+COPS: (2,"Simulated","SIM","20899"{technology}),,(0-4),(0-2)']
    if request.form == "read":
        if modem.registration not in (1, 5):
            return ["+COPS: 0"]
        form = modem.settings.operator_form
        # Some write the name in ASCII whatever +CSCS says: this does too.
        return [f'+COPS: 0,{form},"{OPERATOR[form]}"{technology}']
    numbers = request.numbers() if '"' not in request.value else [0]
    if numbers[0] == 3:
        wanted = numbers[1] if len(numbers) > 1 else None
        if wanted is None or wanted > 2:
            raise cme(50)
        modem.settings.operator_form = wanted
    elif numbers[0] not in (0, 1, 2, 4):
        raise cme(50)
    return []


@command("+CSQ")
def _signal(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CSQ: (0-31,99),(0-7,99)"]
    return [f"+CSQ: {line.modem.facts()['csq']},99"]


@command("+CFUN")
def _function(line: Line, request: Request) -> Outcome:
    modem = line.modem
    if request.form == "test":
        return ["+CFUN: (0,1,4),(0,1)"]
    if request.form == "read":
        return [f"+CFUN: {modem.radio}"]
    numbers = request.numbers()
    radio = numbers[0]
    if radio is None or radio not in (0, 1, 4) or numbers[1:] not in ([], [0], [1]):
        raise cme(50)
    if numbers[1:] == [1]:
        modem.radio = radio
        modem.reboot(Reset(drop=0, away=1.0))
        return []
    if radio != modem.radio:
        modem.radio = radio
        modem.radio_changed()
    return []


@command("+CCLK")
def _clock(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return []
    modem = line.modem
    if request.form == "read":
        now = modem.clock.now() + timedelta(seconds=modem.clock_offset)
        return [f'+CCLK: "{now:%y/%m/%d,%H:%M:%S}+04"']
    if not request.strings()[0]:
        raise cme(50)
    return []


@command("+CGMI", "+GMI", "+CGMM", "+GMM", "+CGMR", "+GMR")
def _identity(line: Line, request: Request) -> Outcome:
    names = {"I": "Simulated Modems", "M": "SM-1", "R": "1.00"}
    return [] if request.form == "test" else [names[request.name[-1]]]


@command("+GCAP")
def _capabilities(line: Line, request: Request) -> Outcome:
    return ["+GCAP: +CGSM"]


@command("+WS46")
def _side(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return ["(12,22,25)"]
    return ["12"] if request.form == "read" else []


@command(
    "+CRC", "+CGSMS", "+CVHU", "+CTZU", "+CTZR", "+CMER", "+CIND", "+CGDCONT", "+CGEREP", "+CCWA",
    "+COLP", "+CSSN", "+CGATT", "+CLIR", "+CBST", "+CR", "+CSTA", "+CMOD", "+CSCB", "+CUSATEND",
    "+CGACT", "+CGCLASS",
)  # fmt: skip
def _kept(line: Line, request: Request) -> Outcome:
    kept = line.modem.settings.plain
    if request.form == "read":
        return [f"{request.name}: {kept.get(request.name, '0')}"]
    if request.form == "test":
        return [f"{request.name}: (0,1)"]
    kept[request.name] = request.value
    return []


def quoted(line: Line, text: str) -> str:
    """Write a string parameter in the character set of +CSCS."""
    return f'"{charset.write(text, line.modem.settings.charset)}"'


@command("+CSCA", needs="card")
def _service_centre(line: Line, request: Request) -> Outcome:
    sim = line.modem.sim
    if request.form == "test":
        return []
    if request.form == "read":
        kind = 145 if sim.smsc.startswith("+") else 129
        return [f"+CSCA: {quoted(line, sim.smsc)},{kind}"]
    number_of = request.strings()[0]
    if line.modem.settings.charset == "UCS2":
        try:
            number_of = charset.read(number_of, "UCS2")
        except ValueError as error:
            raise cme(50) from error
    if number_of.strip("+0123456789"):
        raise cme(50)
    sim.smsc = number_of
    return []
