"""The commands of 27.005 that send or store for sending."""

from hwsim import charset, textmode, tpdu
from hwsim.at import HEX, Outcome, Prompt, Refusal, Request, cms
from hwsim.commands.registry import command
from hwsim.commands.sms import one
from hwsim.faults import Fault
from hwsim.line import Line
from hwsim.sim import SENT, Record

# An SMS-SUBMIT without user data to one digit, and the longest of 23.040 9.2.2.2.
SHORTEST, LONGEST = 8, 164


def _length(line: Line, request: Request) -> int:
    if line.modem.inbox.text_mode:
        raise cms(303)
    text = request.arguments()[0] if request.form == "set" else ""
    if not text.isdecimal() or not SHORTEST <= int(text) <= LONGEST:
        raise cms(304)
    return int(text)


def _parsed(entry: str, length: int) -> tuple[bytes, bytes]:
    """Check what was typed at the prompt: SC address and TPDU, else +CMS ERROR: 304."""
    if not HEX.fullmatch(entry):
        raise cms(304)
    octets = bytes.fromhex(entry)
    centre = octets[: octets[0] + 1]
    body = octets[len(centre) :]
    if len(body) != length or len(centre) not in (1, *range(3, 13)) or not body:
        raise cms(304)
    return centre, body


def _destination(line: Line, request: Request) -> str | None:
    """Give the number of a text mode command; None in PDU mode."""
    if not line.modem.inbox.text_mode:
        return None
    first = request.arguments()[0] if request.form == "set" else ""
    if not first.startswith('"') or len(first) < 3:
        raise cms(303 if first.isdecimal() else 304)
    number = first.strip('"')
    if line.modem.settings.charset == "UCS2":
        try:
            number = charset.read(number, "UCS2")
        except ValueError as error:
            raise cms(304) from error
    if not number.strip("+*#0123456789") == "" or not number.strip("+"):
        raise cms(304)
    return number


@command("+CMGS", needs="messages")
def _send(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return []
    modem = line.modem
    number = _destination(line, request)
    length = _length(line, request) if number is None else 0
    modem.inbox.check_network()
    fault = modem.faults.strike()
    kind, value = (fault.kind, fault.value or 0) if fault else ("", 0)
    if kind == "cms-prompt":
        raise cms(int(value))
    stuck = modem.ills.acute("H6")
    if stuck:
        stuck.value -= 1
        stuck.acute = stuck.value > 0

    def entered(entry: str) -> None:
        if number is None:
            centre, body = _parsed(entry, length)
        else:
            centre, body = b"\x00", textmode.submit_of(modem, number, entry)
        submit(line, "+CMGS", centre, body, fault)

    return Prompt(
        entered,
        deaf=kind == "no-prompt",
        stuck=stuck is not None,
        delay=value if kind == "late-prompt" else 0.0,
        cut=int(value) if kind == "unplug-at" else None,
    )


@command("+CMGW", needs="messages")
def _write(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return []
    modem = line.modem
    number = _destination(line, request)
    length = _length(line, request) if number is None else 0
    status = ([*request.arguments(), ""][1] or "2") if number is None else "2"
    if status not in ("0", "1", "2", "3"):
        raise cms(302)

    def entered(entry: str) -> None:
        if number is None:
            centre, body = _parsed(entry, length)
        else:
            centre, body = b"\x00", textmode.submit_of(modem, number, entry)
        memory = modem.inbox.memories[modem.inbox.chosen[1]]
        if memory.full:
            raise cms(322)
        index = memory.add(Record(body, centre, int(status)))
        line.answer([[f"+CMGW: {index}"]])

    return Prompt(entered)


@command("+CMSS", needs="messages")
def _send_stored(line: Line, request: Request) -> Outcome:
    if request.form == "test":
        return []
    modem = line.modem
    memory = modem.inbox.memories[modem.inbox.chosen[1]]
    index = one(request, tuple(memory.records), 321)
    record = memory.records[index]
    modem.inbox.check_network()
    record.status = SENT
    submit(line, "+CMSS", record.sc, record.tpdu, modem.faults.strike())
    return None


def submit(line: Line, name: str, centre: bytes, body: bytes, fault: Fault | None) -> None:
    """Submit in the network's time, and answer as the fault wants it."""
    modem = line.modem
    try:
        outline = tpdu.outline_submit(body)
    except tpdu.Malformed as error:
        raise cms(304) from error
    if centre == b"\x00" and not modem.sim.smsc:
        raise cms(330)
    median, sigma = modem.personality.timing.send if modem.realistic else (0.0, 0.0)
    own = modem.rng.lognormvariate(0, sigma) * median if median else 0.0
    delay = own + modem.network.sending_time(modem, keep=modem.inbox.more > 0)
    if modem.inbox.more == 1:
        # 27.005 3.3.2: 1 keeps the link for the next one only, if that comes soon.
        modem.after(5.0, lambda: _let_go(line))

    def arrive() -> None:
        refusal = modem.network.refusal(modem, outline.number)
        try:
            modem.check_radio()
            if refusal is not None:
                raise cms(refusal)
            _accepted(line, name, body, fault)
        except Refusal as error:
            line.refuse(error)

    if delay > 0:
        modem.after(delay, arrive)
    else:
        arrive()


def _let_go(line: Line) -> None:
    if not line.modem.network.link_held(line.modem) and line.modem.inbox.more == 1:
        line.modem.inbox.more = 0


def _accepted(line: Line, name: str, body: bytes, fault: Fault | None) -> None:
    modem, inbox = line.modem, line.modem.inbox
    kind = fault.kind if fault else ""
    value = fault.value if fault else None
    if kind == "cms":
        raise cms(int(value or 0))
    if kind == "dead":
        modem.killed = True
        return
    if kind == "unplug-before":
        modem.vanish(value)
        return
    if kind == "swallow":
        line.leave_unanswered()
        return
    if constant := modem.ills.acute("H12"):
        line.answer([[f"{name}: {int(constant.value)}"]])
        return
    reference = modem.sim.next_reference()
    octets = body[:1] + bytes([reference]) + body[2:]
    inbox.urgent = kind == "report-first" or modem.network.settings.reports_early
    modem.network.submit(modem, octets, report_at_once=inbox.urgent)
    inbox.urgent = False
    if modem.personality.deaf_after_sending:
        modem.deaf = True
    blocks = [[f"{name}: {reference}"]]
    if kind == "error":
        raise Refusal("error")
    if kind == "silence":
        line.leave_unanswered()
    elif kind == "late":
        modem.after(value or 0, lambda: line.answer(blocks))
    elif kind == "unplug-after":
        modem.vanish(value)
    elif kind == "no-reference":
        line.answer()
    else:
        line.answer(blocks)
