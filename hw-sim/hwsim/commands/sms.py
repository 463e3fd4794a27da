"""The commands of 27.005 that do not send."""

from hwsim import textmode
from hwsim.at import HEX, Outcome, Prompt, Request, cms
from hwsim.commands.registry import command
from hwsim.inbox import Inbox
from hwsim.line import Line
from hwsim.personality import Personality
from hwsim.sim import READ, SENT, UNREAD, UNSENT, Record

STATUSES = {"REC UNREAD": 0, "REC READ": 1, "STO UNSENT": 2, "STO SENT": 3, "ALL": 4}


def one(request: Request, allowed: tuple[int, ...], code: int) -> int:
    """Read the first argument as one of the allowed numbers."""
    text = request.arguments()[0] if request.form == "set" else ""
    if not text.isdecimal() or int(text) not in allowed:
        raise cms(code)
    return int(text)


@command("+CMGF")
def _format(line: Line, request: Request) -> Outcome:
    inbox = line.modem.inbox
    if request.form == "test":
        return ["+CMGF: (0,1)"]
    if request.form == "read":
        return [f"+CMGF: {int(inbox.text_mode)}"]
    inbox.text_mode = bool(one(request, (0, 1), 303))
    return []


@command("+CSDH")
def _show_header(line: Line, request: Request) -> Outcome:
    inbox = line.modem.inbox
    if request.form == "test":
        return ["+CSDH: (0,1)"]
    if request.form == "read":
        return [f"+CSDH: {int(inbox.show_header)}"]
    inbox.show_header = bool(one(request, (0, 1), 302))
    return []


@command("+CSMP", needs="messages")
def _text_parameters(line: Line, request: Request) -> Outcome:
    inbox = line.modem.inbox
    if request.form == "test":
        return []
    if request.form == "read":
        return ["+CSMP: " + ",".join(map(str, inbox.text_parameters))]
    for position, text in enumerate(request.strings()[:4]):
        if text and not text.isdecimal():
            raise cms(305)
        if text:
            inbox.text_parameters[position] = int(text) & 255
    return []


@command("+CSAS", "+CRES")
def _profile(line: Line, request: Request) -> Outcome:
    return []


@command("+CSMS", needs="messages")
def _service(line: Line, request: Request) -> Outcome:
    inbox = line.modem.inbox
    if request.form == "test":
        return ["+CSMS: (0,1)"]
    if request.form == "read":
        return [f"+CSMS: {inbox.service},1,1,1"]
    inbox.service = one(request, (0, 1), 303)
    if not inbox.service and line.modem.personality.routing_needs_service:
        inbox.cnmi[1] = inbox.cnmi[3] = 0
    return ["+CSMS: 1,1,1"]


@command("+CMMS")
def _more_messages(line: Line, request: Request) -> Outcome:
    inbox = line.modem.inbox
    if request.form == "test":
        return ["+CMMS: (0-2)"]
    if request.form == "read":
        return [f"+CMMS: {inbox.more}"]
    inbox.more = one(request, (0, 1, 2), 302)
    return []


@command("+CPMS", needs="messages")
def _choose(line: Line, request: Request) -> Outcome:
    inbox, personality = line.modem.inbox, line.modem.personality
    offered = personality.memories_of
    if request.form == "test":
        fixed = personality.answers.get("+CPMS=?")
        lists = ["(" + ",".join(f'"{name}"' for name in column) + ")" for column in offered]
        return ["+CPMS: " + ",".join(lists)] if fixed is None else [str(fixed)]
    if request.form == "set":
        names = [name.upper() for name in request.strings()]
        if not 0 < len(names) <= personality.cpms_takes:
            raise cms(302)
        for name, column in zip(names, offered, strict=False):
            if name not in column:
                raise cms(302)
        if personality.third_memory_stays:
            names = names[:2]
        inbox.chosen[: len(names)] = names
        inbox.freed()
    chosen = [inbox.memories[name] for name in inbox.chosen[: len(offered)]]
    if request.form == "read":
        counts = [f'"{m.name}",{len(m.records)},{m.total}' for m in chosen]
    else:
        counts = [f"{len(m.records)},{m.total}" for m in chosen]
    return ["+CPMS: " + ",".join(counts)]


@command("+CNMI", needs="messages")
def _indications(line: Line, request: Request) -> Outcome:
    modem, inbox = line.modem, line.modem.inbox
    personality = modem.personality
    if request.form == "test":
        return ["+CNMI: " + ",".join(personality.cnmi_offer)]
    if request.form == "read":
        return ["+CNMI: " + ",".join(map(str, inbox.cnmi))]
    wanted = _wanted(inbox, request)
    if not _allowed(personality, inbox, wanted):
        raise cms(303)
    inbox.cnmi = wanted
    modem.network.retry(modem)
    if wanted[0]:
        buffered, inbox.buffered = inbox.buffered, []
        for lines in buffered if wanted[4] == 0 else []:
            modem.announce(lines)
    return []


def _wanted(inbox: Inbox, request: Request) -> list[int]:
    if request.form == "run":
        return [0, 0, 0, 0, 0]
    given = [argument.strip() for argument in request.arguments()]
    if len(given) > 5 or any(g and not g.isdecimal() for g in given):
        raise cms(302)
    wanted = list(inbox.cnmi)
    for position, text in enumerate(given):
        if text:
            wanted[position] = int(text)
    return wanted


def _allowed(personality: Personality, inbox: Inbox, wanted: list[int]) -> bool:
    if personality.cnmi_accept:
        if ",".join(map(str, wanted)) not in personality.cnmi_accept:
            return False
    else:
        pairs = zip(wanted, personality.cnmi_offer, strict=True)
        if not all(number in _offered(offer) for number, offer in pairs):
            return False
    routes = wanted[1] > 1 or wanted[3] == 1
    return not (personality.routing_needs_service and routes) or inbox.service == 1


def _offered(offer: str) -> set[int]:
    """Read a list of 27.007 5.3 such as (0-2) or (0,2)."""
    found: set[int] = set()
    for piece in offer.strip("()").split(","):
        low, _, high = piece.partition("-")
        found |= set(range(int(low), int(high or low) + 1))
    return found


@command("+CNMA", needs="messages")
def _acknowledge(line: Line, request: Request) -> Outcome:
    modem, inbox = line.modem, line.modem.inbox
    if request.form == "test":
        return ["+CNMA: (0-2)"]
    if inbox.service == 0 or inbox.unacknowledged is None:
        raise cms(340)
    arguments = request.numbers() if request.form == "set" else [0]
    if arguments[0] not in (0, 1, 2):
        raise cms(302)

    def settle() -> None:
        octets, inbox.unacknowledged = inbox.unacknowledged, None
        if arguments[0] == 2 and octets is not None:
            modem.network.give_back(modem, octets)
        else:
            # The next one must not overtake the OK of this acknowledgement.
            modem.after(0, lambda: modem.network.resume(modem))

    def entered(entry: str) -> None:
        if not HEX.fullmatch(entry) or len(entry) // 2 != arguments[1]:
            raise cms(304)
        settle()
        line.answer()

    if len(arguments) > 1 and arguments[1]:
        return Prompt(entered)
    settle()
    return []


@command("+CMGL", needs="messages")
def _list(line: Line, request: Request) -> Outcome:
    modem, inbox = line.modem, line.modem.inbox
    if request.form == "test":
        if not inbox.text_mode:
            return ["+CMGL: (0-4)"]
        return ["+CMGL: (" + ",".join(f'"{name}"' for name in STATUSES) + ")"]
    wanted = _status_wanted(inbox, request)
    lines: list[str] = []
    for index, record in sorted(inbox.read_memory.records.items()):
        if wanted in (4, record.status):
            lines += _shown(line, record, index)
            record.status = READ if record.status == UNREAD else record.status
    if sick := modem.ills.acute("H7"):
        return _sick_listing(line, int(sick.value), lines)
    return lines


def _status_wanted(inbox: Inbox, request: Request) -> int:
    if inbox.text_mode:
        word = request.strings()[0].upper() if request.form == "set" else "REC UNREAD"
        if word not in STATUSES:
            raise cms(305)
        return STATUSES[word]
    return 0 if request.form == "run" else one(request, (0, 1, 2, 3, 4), 302)


def _shown(line: Line, record: Record, index: int | None) -> list[str]:
    inbox = line.modem.inbox
    if inbox.text_mode:
        return textmode.listed(line.modem, record, index)
    length, pdu = inbox.show(record)
    name = "+CMGR: " if index is None else f"+CMGL: {index},"
    return [f"{name}{record.status},{length}", pdu]


def _sick_listing(line: Line, kind: int, lines: list[str]) -> Outcome:
    """A listing that never ends, has impossible indexes, or garbage in it (H7)."""
    filler = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
    if kind == 1:
        line.go_on(lines or ["+CMGL: 0,1,,38", filler])
        return None
    if kind == 2:
        return [text.replace("+CMGL: ", "+CMGL: 655") for text in lines]
    middle = len(lines) // 2
    return [*lines[:middle], "\x7f\x02\x80+CM", *lines[middle:]]


def _slot(inbox: Inbox, request: Request) -> tuple[int, Record | None]:
    """Find the slot that the first argument names; refuses one that does not exist."""
    text = request.arguments()[0] if request.form == "set" else ""
    if not text.isdecimal() or not inbox.read_memory.holds(int(text)):
        raise cms(321)
    return int(text), inbox.read_memory.records.get(int(text))


@command("+CMGR", needs="messages")
def _read(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return []
    _, record = _slot(line.modem.inbox, request)
    if record is None:
        if line.modem.personality.empty_slot_is_ok:
            return []
        raise cms(321)
    lines = _shown(line, record, None)
    record.status = READ if record.status == UNREAD else record.status
    return lines


@command("+CMGD", needs="messages")
def _delete(line: Line, request: Request) -> Outcome:
    modem, inbox = line.modem, line.modem.inbox
    memory = inbox.read_memory
    if request.form == "test":
        return [f"+CMGD: ({','.join(map(str, sorted(memory.records)))}),(0-4)"]
    flags = [*request.arguments(), ""][1]
    if flags not in ("", "0", "1", "2", "3", "4"):
        raise cms(302)
    if flags in ("", "0"):
        index, _ = _slot(inbox, request)
        memory.records.pop(index, None)
    else:
        doomed = [{READ}, {READ, SENT}, {READ, SENT, UNSENT}, {READ, SENT, UNSENT, UNREAD}]
        statuses = doomed[int(flags) - 1]
        for index in [i for i, r in memory.records.items() if r.status in statuses]:
            del memory.records[index]
    modem.reception_broken = False
    inbox.freed()
    return []
