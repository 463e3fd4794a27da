"""+CUSD (27.007 7.15): strings in the family's coding, answers in the network's time."""

from hwsim import bits, charset
from hwsim.at import Outcome, Request, cme
from hwsim.commands.registry import command
from hwsim.engine import Engine
from hwsim.line import Line
from hwsim.network import UssdReply


def _packed(text: str) -> str:
    """Septets in hex; a multiple of seven is padded with a CR (23.038 6.1.2.3.1)."""
    septets = bits.septets_of(text)
    if len(septets) % 8 == 7:
        septets.append(0x0D)
    return bits.pack(septets).hex().upper()


def _unpacked(entry: str) -> str:
    octets = bytes.fromhex(entry)
    return bits.spell(bits.unpack(octets, len(octets) * 8 // 7)).rstrip("\r@\n")


def _coding(modem: Engine, direction: str) -> str:
    family = modem.personality.ussd
    coding = family.request if direction == "request" else family.reply
    if family.mode_setting and modem.settings.plain.get(family.mode_setting, "1") == "0":
        return "text"
    return coding


def understood(modem: Engine, entry: str) -> str:
    """Read the string of a request; refuses one in another coding."""
    coding = _coding(modem, "request")
    try:
        if coding == "packed":
            return _unpacked(entry)
        if coding == "ucs2":
            return charset.read(entry, "UCS2")
        return charset.read(entry, modem.settings.charset)
    except ValueError as error:
        raise cme(50) from error


def said(modem: Engine, reply: UssdReply) -> str:
    """Write a reply as the family shows it: what follows the mode."""
    if reply.text is None:
        return ""
    coding, text, scheme = _coding(modem, "reply"), reply.text, 15
    if reply.coding == "ucs2" or not charset.fits_gsm(text):
        shown, scheme = charset.write(text, "UCS2"), 72
    elif coding == "packed":
        shown = _packed(text)
    elif coding == "ucs2":
        shown, scheme = charset.write(text, "UCS2"), 72
    else:
        shown = charset.write(text, modem.settings.charset)
    if reply.scheme is not None:
        scheme = reply.scheme
    return f',"{shown}",{scheme}'


@command("+CUSD", needs="card")
def _ussd(line: Line, request: Request) -> Outcome:
    modem = line.modem
    if not modem.personality.ussd.offered:
        raise cme(4)
    if request.form == "test":
        return ["+CUSD: (0-2)"]
    if request.form == "read":
        return [f"+CUSD: {modem.settings.plain.get('+CUSD', '0')}"]
    arguments = request.strings()
    if arguments[0] not in ("0", "1", "2"):
        raise cme(50)
    if arguments[0] == "2":
        modem.session = None
        return []
    modem.settings.plain["+CUSD"] = arguments[0]
    if len(arguments) < 2 or not arguments[1]:
        return []
    if modem.registration not in (1, 5):
        raise cme(30)
    text = understood(modem, arguments[1])
    path = text if modem.session is None else f"{modem.session}>{text}"
    replies = modem.network.ussd_replies(path, text)
    modem.session = path if any(reply.mode == 1 for reply in replies) else None
    for reply in replies:
        if reply.at_once:
            line.say([f"+CUSD: {reply.mode}{said(modem, reply)}"])
        else:
            modem.after(reply.delay, lambda reply=reply: tell(modem, reply))  # type: ignore[misc]
    return []


def tell(modem: Engine, reply: UssdReply) -> None:
    """Present a reply, or what the network began by itself, if results are wanted."""
    if modem.settings.plain.get("+CUSD") != "0" and modem.powered:
        modem.announce([f"+CUSD: {reply.mode}{said(modem, reply)}"])
