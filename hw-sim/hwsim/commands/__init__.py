"""The commands: V.250, 27.007, 27.005, and what a personality adds."""

from hwsim import at
from hwsim.commands import basic, calls, card, device, sending, sms, ussd
from hwsim.commands.registry import NEEDS, TABLE
from hwsim.line import Line

__all__ = ["TABLE", "basic", "calls", "card", "device", "run", "sending", "sms", "ussd"]


def run(line: Line, request: at.Request) -> at.Outcome:
    """Run one request; raises `at.Refusal`."""
    modem, text = line.modem, request.text
    personality = modem.personality
    if personality.hangs and text in personality.hangs:
        return None
    fixed = personality.answers.get(text)
    if fixed is not None:
        return _fixed(line, fixed)
    if text in personality.urc_port_setting:
        modem.settings.plain[request.name] = request.value
        for outlet in modem.outlets:
            if isinstance(outlet, Line):
                outlet.carries_codes = outlet.kind.interface == personality.urc_port_setting[text]
        return []
    reset = personality.resets.get(text)
    if reset is not None:
        modem.reboot(reset)
        return []
    handler = TABLE.get(request.name)
    if request.name in personality.lacks:
        raise at.Refusal("unknown")
    if handler is None:
        return _setting(line, request)
    needs = NEEDS[request.name]
    if needs and request.form != "test":
        if needs == "card":
            modem.check_card()
        else:
            modem.check_messages()
    return handler(line, request)


def _fixed(line: Line, fixed: str | list[str]) -> at.Outcome:
    lines = [fixed] if isinstance(fixed, str) else fixed
    if lines == ["OK"]:
        return []
    if lines == [line.modem.personality.unknown]:
        raise at.Refusal("unknown")
    if lines == ["ERROR"]:
        raise at.Refusal("error")
    if lines[0].startswith(("+CME ERROR: ", "+CMS ERROR: ")):
        raise at.Refusal(lines[0][1:4].lower(), int(lines[0].rpartition(" ")[2]))
    if any("{iccid}" in template for template in lines) and not line.modem.card_in:
        raise at.cme(10)
    if any("{imsi}" in template for template in lines):
        line.modem.check_card()
    said = [line.modem.words(template) for template in lines]
    return [text for text in said if text is not None]


def _setting(line: Line, request: at.Request) -> at.Outcome:
    """A setting of the family that is only kept: its start value is in the personality."""
    kept = line.modem.settings.plain
    if request.name not in line.modem.personality.settings:
        raise at.Refusal("unknown")
    if request.form == "read":
        return [f"{request.name}: {kept[request.name]}"]
    if request.form == "set":
        kept[request.name] = request.value
    return []
