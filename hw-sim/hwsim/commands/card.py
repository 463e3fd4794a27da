"""The commands of 27.007 about the card: PIN, files, locks, phonebook."""

from hwsim import tpdu
from hwsim.at import Outcome, Request, cme
from hwsim.commands.device import quoted
from hwsim.commands.registry import command
from hwsim.engine import Engine
from hwsim.line import Line

EF_ICCID, EF_MSISDN, EF_SMSP, EF_IMSI, EF_AD = 0x2FE2, 0x6F40, 0x6F42, 0x6F07, 0x6FAD
ABBREVIATED = range(1, 251)


def _wrong_pin(modem: Engine) -> None:
    modem.sim.pin_tries -= 1
    raise cme(16 if modem.sim.pin_tries else 12)


@command("+CPIN")
def _pin(line: Line, request: Request) -> Outcome:
    modem, sim = line.modem, line.modem.sim
    if request.form == "test":
        return []
    if not modem.card_in:
        raise cme(10)
    if modem.sim_busy:
        raise cme(modem.card_error)
    if request.form == "read":
        if modem.pin_state == "BLOCKED":
            raise cme(13)
        return [f"+CPIN: {modem.pin_state}"]
    modem.pin_entered += 1
    secrets = request.strings()
    if modem.pin_state == "SIM PIN" and len(secrets) == 1:
        if secrets[0] != sim.pin:
            _wrong_pin(modem)
    elif modem.pin_state == "SIM PUK" and len(secrets) == 2:
        if secrets[0] != sim.puk:
            sim.puk_tries -= 1
            raise cme(16 if sim.puk_tries else 13)
        sim.pin, sim.puk_tries = secrets[1], 10
    else:
        raise cme({"SIM PUK": 12, "BLOCKED": 13}.get(modem.pin_state, 3))
    sim.pin_tries = 3
    modem.unlock()
    return []


@command("+CPINR")
def _pin_tries(line: Line, request: Request) -> Outcome:
    sim = line.modem.sim
    if request.form == "test":
        return []
    if not line.modem.card_in:
        raise cme(10)
    lines = [f"+CPINR: SIM PIN,{sim.pin_tries},3", f"+CPINR: SIM PUK,{sim.puk_tries},10"]
    wanted = request.strings()[0] if request.form == "set" else ""
    return [text for text in lines if wanted.rstrip("*") in text]


@command("+CLCK")
def _lock(line: Line, request: Request) -> Outcome:
    modem, sim = line.modem, line.modem.sim
    if request.form == "test":
        return ['+CLCK: ("SC")']
    facility, mode, password = [*request.strings(), "", "", ""][:3]
    if facility.upper() != "SC":
        raise cme(4)
    if not modem.card_in:
        raise cme(10)
    if mode == "2":
        return [f"+CLCK: {0 if sim.pin is None else 1}"]
    if mode not in ("0", "1"):
        raise cme(50)
    if sim.pin is None and mode == "0":
        raise cme(3)
    if not sim.may_disable_pin:
        raise cme(13)
    if sim.pin is None:
        sim.pin = password or "0000"
    elif password != sim.pin:
        _wrong_pin(modem)
    elif mode == "0":
        sim.pin, sim.pin_tries = None, 3
        if not modem.unlocked:
            modem.unlock()
    return []


@command("+CPWD")
def _password(line: Line, request: Request) -> Outcome:
    modem, sim = line.modem, line.modem.sim
    if request.form == "test":
        return ['+CPWD: ("SC",8),("P2",8)']
    facility, old, new = [*request.strings(), "", "", ""][:3]
    if facility.upper() != "SC" or not new.isdecimal() or not 4 <= len(new) <= 8:
        raise cme(50)
    modem.check_card()
    if sim.pin is None:
        raise cme(3)
    if old != sim.pin:
        _wrong_pin(modem)
    sim.pin, sim.pin_tries = new, 3
    return []


@command("+CIMI", needs="card")
def _imsi(line: Line, request: Request) -> Outcome:
    return [] if request.form == "test" else [line.modem.sim.imsi]


@command("+CCID")
def _iccid(line: Line, request: Request) -> Outcome:
    if not line.modem.card_in:
        raise cme(10)
    return [] if request.form == "test" else [f"+CCID: {line.modem.sim.iccid}"]


def _file(line: Line, number: int) -> str | None:
    """Give an elementary file of 31.102 as hex."""
    sim = line.modem.sim
    if number == EF_ICCID:
        return sim.iccid_file()
    if number == EF_AD:
        return "00000002"  # two digits of the IMSI are the network
    if number == EF_IMSI:
        digits = "9" + sim.imsi
        swapped = "".join(digits[i + 1] + digits[i] for i in range(0, len(digits) - 1, 2))
        return "08" + swapped
    if number == EF_SMSP:
        return (
            ("FF" * 12 + "FD" + "FF" * 12)
            + tpdu.encode_sc_address(sim.smsc).hex().ljust(24, "F").upper()
            + "FFFFFF"
        )
    if number == EF_MSISDN:
        address = tpdu.encode_address(tpdu.address_of(sim.number))[1:]
        body = bytes([len(address)]) + address
        return ("FF" * 14 + body.hex().ljust(28, "F")).upper()
    return None


@command("+CRSM")
def _card_file(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return []
    modem = line.modem
    if not modem.card_in:
        raise cme(10)
    arguments = [*request.strings(), "", "", "", "", ""]
    if not all(part.isdecimal() or not part for part in arguments[:5]):
        raise cme(50)
    operation, file = (int(part or 0) for part in arguments[:2])
    if file != EF_ICCID:
        # EF_ICCID is read whatever the PIN (31.102 4.2); the others are not.
        modem.check_card()
    content = _file(line, file)
    if content is None:
        return ["+CRSM: 106,130"]
    if operation in (176, 178):
        wanted = int(arguments[4] or 0)
        shown = content if not wanted else content[: 2 * wanted]
        return [f'+CRSM: 144,0,"{shown}"']
    if operation == 192:
        return [f'+CRSM: 144,0,"0000{len(content) // 2:04X}{file:04X}040000000000000000"']
    raise cme(4)


@command("+CSIM")
def _apdu(line: Line, request: Request) -> Outcome:
    """VERIFY without a body tells the tries left as 63Cx (102 221 11.1.9)."""
    if request.form == "test":
        return []
    modem = line.modem
    if not modem.card_in:
        raise cme(10)
    if request.value in ("0", "1"):
        return []  # the lock around raw APDUs that one family wants
    arguments = [*request.strings(), ""]
    apdu = arguments[1].upper()
    if len(apdu) % 2 or str(len(apdu)) != arguments[0]:
        raise cme(50)
    tries = {"0020000100": modem.sim.pin_tries, "002C000100": modem.sim.puk_tries}.get(apdu)
    answer = "6D00" if tries is None else f"63C{tries:X}" if tries else "6983"
    return [f'+CSIM: {len(answer)},"{answer}"']


@command("+CNUM", needs="card")
def _own_number(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return []
    return [f"+CNUM: ,{quoted(line, line.modem.sim.number)},145"]


@command("+CPBS", needs="card")
def _phonebook(line: Line, request: Request) -> Outcome:
    modem = line.modem
    if request.form == "test":
        return ['+CPBS: ("SM","ON","ME","FD")']
    if request.form == "read":
        used = 1 if modem.settings.phonebook == "ON" else len(modem.sim.phonebook)
        return [f'+CPBS: "{modem.settings.phonebook}",{used},250']
    name = request.strings()[0].upper()
    if name not in ("SM", "ON", "ME", "FD"):
        raise cme(50)
    modem.settings.phonebook = name
    return []


def _entries(modem: Engine) -> dict[int, tuple[str, str]]:
    book = modem.settings.phonebook
    if book == "ON":
        return {1: (modem.sim.number, "")}
    return modem.sim.phonebook if book == "SM" else {}


@command("+CPBR", needs="card")
def _read_phonebook(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CPBR: (1-250),40,14"]
    bounds = [number for number in request.numbers() if number is not None]
    if not bounds or bounds[0] not in ABBREVIATED:
        raise cme(21)
    rows = _entries(line.modem)
    wanted = range(bounds[0], bounds[-1] + 1)
    found = [
        f'+CPBR: {index},"{number}",{145 if number.startswith("+") else 129},{quoted(line, name)}'
        for index, (number, name) in sorted(rows.items())
        if index in wanted
    ]
    if not found and len(bounds) == 1:
        raise cme(22)
    return found


@command("+CPBW", needs="card")
def _write_phonebook(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return ["+CPBW: (1-250),40,(129,145),14"]
    arguments = [*request.strings(), "", "", "", ""]
    modem = line.modem
    if modem.settings.phonebook == "ON":
        modem.sim.number = arguments[1] or modem.sim.number
    elif arguments[0].isdecimal() and int(arguments[0]) in ABBREVIATED:
        if arguments[1]:
            modem.sim.phonebook[int(arguments[0])] = (arguments[1], arguments[3])
        else:
            modem.sim.phonebook.pop(int(arguments[0]), None)
    else:
        raise cme(21)
    return []
