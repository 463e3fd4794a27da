"""`smsd pdu`: read, write and join SMS PDUs; needs no daemon."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO, TypeVar

from smsd.gsm import (
    PDU,
    Absolute,
    Address,
    Alphabet,
    Command,
    Concatenation,
    DataCoding,
    DecodeError,
    Deliver,
    DeliverReport,
    EncodeError,
    Enhanced,
    Message,
    Ports,
    Relative,
    StatusReport,
    Submit,
    SubmitReport,
    UserData,
    collect,
    failure_cause,
    segment,
    segment_data,
)
from smsd.gsm.dissect import dissect
from smsd.gsm.transliterate import transliterate
from smsd.gsm.wap import PUSH_PORT, mms_notification

Json = dict[str, object]
T = TypeVar("T")

_TYPES = {
    Deliver: "deliver",
    Submit: "submit",
    StatusReport: "status-report",
    Command: "command",
    DeliverReport: "deliver-report",
    SubmitReport: "submit-report",
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `pdu` with its sub-commands; each sets `func` to what runs it."""
    parser = commands.add_parser("pdu", help="read, write and join SMS PDUs (no daemon needed)")
    verbs = parser.add_subparsers(dest="pdu_command", metavar="COMMAND", required=True)

    decode = verbs.add_parser(
        "decode",
        help="read PDUs",
        description="Read PDUs: hexadecimal digits as arguments, or '-' for one a line on standard "
        'input, bare or as {"pdu": …, "direction": "from-sc" | "to-sc", "sc": true | false, '
        '"length": n}. What cannot be read is an error on its line; the exit status is then 1.',
    )
    decode.add_argument("pdu", nargs="+", metavar="HEX", help="a PDU, or - for standard input")
    decode.add_argument("--direction", choices=("from-sc", "to-sc"), default="from-sc")
    decode.add_argument("--no-sc", action="store_true", help="no service centre address in front")
    decode.add_argument("--length", type=int, help="TPDU octets, as +CMGR tells")
    decode.add_argument("--strict", action="store_true", help="refuse what a receiver forgives")
    decode.set_defaults(func=_decode)

    encode = verbs.add_parser(
        "encode",
        help="write SUBMIT PDUs",
        description="Write a text or data as SUBMIT PDUs, from the options or, with '-', from one "
        "JSON object a line on standard input with keys named like the options.",
    )
    encode.add_argument("source", nargs="?", choices=("-",), help="read JSON Lines")
    encode.add_argument("--to", metavar="NUMBER")
    content = encode.add_mutually_exclusive_group()
    content.add_argument("--text")
    content.add_argument("--data", metavar="HEX", help="8-bit data")
    encode.add_argument("--sc", metavar="NUMBER", help="service centre; by default the SIM's")
    encode.add_argument("--flash", action="store_true", help="class 0: show it at once")
    encode.add_argument("--report", action="store_true", help="ask for a delivery report")
    encode.add_argument("--validity-minutes", type=int, metavar="N")
    encode.add_argument("--reference", type=int, metavar="N", help="TP-MR; modems set their own")
    encode.add_argument("--concat-reference", type=int, metavar="N", help="over 255 takes 16 bits")
    encode.add_argument("--languages", nargs="+", metavar="NAME", help="national tables allowed")
    encode.add_argument("--alphabet", choices=("gsm7", "ucs2"), help="instead of the cheapest")
    encode.add_argument(
        "--transliterate", action="store_true", help="replace what the default alphabet lacks"
    )
    encode.set_defaults(func=_encode)

    join = verbs.add_parser(
        "join",
        help="join parts to messages",
        description="Read DELIVER PDUs, one a line as for decode, and print the messages they "
        "make: complete ones at once, the others at the end.",
    )
    join.add_argument("source", choices=("-",), help="standard input")
    join.set_defaults(func=_join)
    for verb in (decode, encode, join):
        verb.add_argument("--json", action="store_true", help="JSON Lines")


# Reading requests.


class _BadRequestError(ValueError):
    """A line that is no request; `field` names what is wrong with it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def _lines(stream: TextIO) -> Iterator[str]:
    """Yield the lines that are not blank, each as soon as it is there."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # what is no text is no PDU, and an error on its line
    for line in stream:
        stripped = line.strip()
        if stripped:
            yield stripped


def _object(line: str) -> Json:
    try:
        request = json.loads(line)
    except ValueError as error:
        raise _BadRequestError("request", f"no JSON: {error}") from None
    except RecursionError:
        raise _BadRequestError("request", "nested too deeply") from None
    if not isinstance(request, dict):
        raise _BadRequestError("request", "no JSON object")
    return request


def _take(request: Json, key: str, kind: type[T]) -> T | None:
    """Return a value of the request, `None` where it is not given."""
    value = request.get(key)
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _BadRequestError(key, f"{kind.__name__} expected, not {value!r}")
    return value


# Decoding.


def _decode(arguments: argparse.Namespace) -> int:
    defaults: Json = {
        "direction": arguments.direction,
        "sc": False if arguments.no_sc else None,
        "length": arguments.length,
    }
    lines = _lines(sys.stdin) if arguments.pdu == ["-"] else arguments.pdu
    write = _json_line if arguments.json else _dissection
    return _answer(
        lines, lambda line: write(*_read(line, defaults, strict=arguments.strict)), arguments.json
    )


def _answer(lines: Iterable[str], answer: Callable[[str], str], as_json: bool) -> int:
    """Print the answer to each line; an error is printed in its place and makes the status 1."""
    status = 0
    for line in lines:
        try:
            out = answer(line)
        except DecodeError as error:
            status = 1
            out = _error(as_json, error.field, error.reason, error.offset)
        except (EncodeError, _BadRequestError) as error:
            status = 1
            out = _error(as_json, error.field, error.reason)
        sys.stdout.write(out)
        sys.stdout.flush()  # whoever writes line by line waits for the answer
    return status


def _error(as_json: bool, field: str, reason: str, octet: int | None = None) -> str:
    """Return the line that stands for an error; for people it goes to standard error instead."""
    if as_json:
        return json.dumps({"error": {"field": field, "octet": octet, "reason": reason}}) + "\n"
    place = "" if octet is None else f" at octet {octet}"
    print(f"smsd pdu: {visible(field)}{place}: {visible(reason)}", file=sys.stderr)
    return ""


def _read(line: str, defaults: Json, *, strict: bool = False) -> tuple[PDU, str, Json]:
    """Return the PDU of a line, its digits and the request with all defaults filled in."""
    if not line.startswith("{"):
        request, digits = defaults, line
    else:
        given = _object(line)
        request = defaults | given
        digits = _take(given, "pdu", str) or ""
    direction = _take(request, "direction", str)
    if direction not in ("from-sc", "to-sc"):
        raise _BadRequestError("direction", f"from-sc or to-sc expected, not {direction!r}")
    pdu = PDU.from_hex(
        digits,
        from_sc=direction == "from-sc",
        length=_take(request, "length", int),
        sc=_take(request, "sc", bool),
        strict=strict,
    )
    return pdu, digits, request


def _json_line(pdu: PDU, digits: str, request: Json) -> str:
    return json.dumps(describe(pdu)) + "\n"


def describe(pdu: PDU) -> Json:
    """Return a PDU under the keys of the documented interface, as far as they apply."""
    tpdu = pdu.tpdu
    found: Json = {"type": _TYPES[type(tpdu)], "sc": pdu.sc and pdu.sc.number}
    flags: dict[str, bool] = {}
    match tpdu:
        case Deliver():
            found["originator"] = _address(tpdu.originator)
            found["sent_at"] = tpdu.sent_at and tpdu.sent_at.isoformat()
            flags |= {"mms": not tpdu.more, "lp": tpdu.loop_prevention}  # the bit is inverted
            flags |= {"sri": tpdu.report_indicated, "rp": tpdu.reply_path}
        case Submit():
            found |= {"reference": tpdu.reference, "destination": _address(tpdu.destination)}
            found["validity"] = _validity(tpdu)
            flags |= {"rd": tpdu.reject_duplicates, "srr": tpdu.report_requested}
            flags["rp"] = tpdu.reply_path
        case StatusReport():
            found |= {"reference": tpdu.reference, "recipient": _address(tpdu.recipient)}
            found["sent_at"] = tpdu.sent_at and tpdu.sent_at.isoformat()
            found["discharged_at"] = tpdu.discharged_at and tpdu.discharged_at.isoformat()
            found |= {"status": tpdu.status.octet, "outcome": str(tpdu.status.outcome)}
            found |= {"permanent": tpdu.status.permanent, "words": tpdu.status.words}
            flags |= {"mms": not tpdu.more, "lp": tpdu.loop_prevention, "srq": tpdu.for_command}
        case Command():
            found |= {"reference": tpdu.reference, "destination": _address(tpdu.destination)}
            found |= {"pid": tpdu.pid, "command": tpdu.command}
            found |= {"message_number": tpdu.message_number, "data": tpdu.data.hex().upper()}
            flags |= {"srr": tpdu.report_requested, "udhi": tpdu.has_header}
            return found | {"flags": flags}
        case DeliverReport() | SubmitReport():
            if tpdu.failure_cause is not None:
                found["failure_cause"] = tpdu.failure_cause
                found["words"] = failure_cause(tpdu.failure_cause)
            if isinstance(tpdu, SubmitReport):
                found["sent_at"] = tpdu.sent_at and tpdu.sent_at.isoformat()
    if tpdu.pid is not None:
        found["pid"] = tpdu.pid
    user_data = tpdu.user_data
    coding = tpdu.coding if user_data is None else user_data.coding
    if coding is not None:
        found |= _coding(coding)
    flags["udhi"] = user_data is not None and user_data.has_header
    if user_data is not None:
        found |= _user_data(user_data)
    return found | {"flags": flags}


def _address(address: Address) -> Json:
    ton, npi = (name.lower().replace("_", "-") for name in (address.ton.name, address.npi.name))
    return {"number": address.number, "ton": ton, "npi": npi}


def _coding(coding: DataCoding) -> Json:
    message_class = coding.message_class
    found: Json = {
        "dcs": coding.octet,
        "alphabet": str(coding.alphabet),
        "class": None if message_class is None else int(message_class),
    }
    if coding.compressed:
        found["compressed"] = True
    return found


def _user_data(user_data: UserData) -> Json:
    text = user_data.text
    found: Json = {"text": text}
    if text is None:
        found["data"] = user_data.data.hex().upper()
    found["udh"] = [{"iei": e.iei, "data": e.data.hex().upper()} for e in user_data.elements]
    tie, ports = user_data.concatenation, user_data.ports
    found["concat"] = tie and _concatenation(tie)
    found["ports"] = ports and {
        "destination": ports.destination,
        "source": ports.source,
        "wide": ports.wide,
    }
    if ports is not None and ports.destination == PUSH_PORT and (tie is None or tie.total == 1):
        found |= _notification(user_data.data)
    return found


def _notification(data: bytes) -> Json:
    """Return what an MMS notification says, nothing for other pushes and broken ones."""
    try:
        notification = mms_notification(data)
    except DecodeError:
        return {}
    if notification is None:
        return {}
    expiry = notification.expiry
    return {
        "mms_notification": {
            "from": notification.sender,
            "subject": notification.subject,
            "size": notification.size,
            "url": notification.url,
            "expiry": None if expiry is None else str(expiry),
        }
    }


def _concatenation(tie: Concatenation) -> Json:
    return {
        "reference": tie.reference,
        "total": tie.total,
        "number": tie.number,
        "wide": tie.wide,
    }


def _validity(submit: Submit) -> Json | None:
    match submit.validity:
        case Relative() as period:
            return {"relative_minutes": period.minutes}
        case Absolute(until):
            return {"until": until and until.isoformat()}
        case Enhanced() as enhanced:
            return {
                "enhanced": enhanced.octets.hex().upper(),
                "seconds": enhanced.seconds,
                "single_shot": enhanced.single_shot,
            }
    return None


def _dissection(pdu: PDU, digits: str, request: Json) -> str:
    """Return the fields as a table for people."""
    octets = bytes.fromhex(digits)
    length = _take(request, "length", int)
    no_centre = request["sc"] is False or (request["sc"] is None and length == len(octets))
    rows = []
    for row in dissect(octets, pdu, 0 if no_centre else 1 + octets[0]):
        raw = row.octets.hex(" ").upper()
        shown = raw if len(raw) <= 32 else raw[:30] + " …"
        rows.append(f"{shown:32}  {row.field:21} {row.clause:15} {visible(row.meaning)}\n")
    return "".join(rows) + "\n"


def visible(text: str) -> str:
    """Return a text that a terminal shows and does not obey: controls become escapes."""
    # The joiner of emoji and the line end are harmless; all else that is not printable may not be.
    return "".join(
        [
            character
            if character.isprintable() or character == "\u200d"
            else character.encode("unicode_escape").decode("ascii")
            for character in text
        ]
    )


# Encoding.


def _encode(arguments: argparse.Namespace) -> int:
    if arguments.source == "-":
        return _answer(_lines(sys.stdin), lambda line: _submits(_object(line), as_json=True), True)
    given = {key: value for key, value in vars(arguments).items() if value not in (None, False)}
    return _answer([""], lambda _: _submits(given, as_json=arguments.json), arguments.json)


def _submits(request: Json, *, as_json: bool) -> str:
    number = _take(request, "to", str)
    if not number:
        raise _BadRequestError("to", "a number is needed")
    parts, replaced = _parts(request)
    minutes = _take(request, "validity_minutes", int)
    if minutes is not None and minutes < 1:
        raise _BadRequestError("validity_minutes", "at least 1 expected")
    sc = _take(request, "sc", str)
    pdus = [
        PDU(
            Address.parse(sc) if sc else None,
            Submit(
                Address.parse(number),
                user_data,
                coding=user_data.coding,
                reference=_take(request, "reference", int) or 0,
                validity=None if minutes is None else Relative.covering(minutes),
                report_requested=_take(request, "report", bool) or False,
            ),
        )
        for user_data in parts
    ]
    alphabet = str(parts[0].coding.alphabet)
    encoded = [{"length": pdu.length, "pdu": pdu.hex} for pdu in pdus]
    if as_json:
        answer: Json = {"alphabet": alphabet, "segments": len(parts), "parts": encoded}
        return json.dumps(answer | ({"replaced": replaced} if replaced else {})) + "\n"
    lines = [f"{alphabet}, {len(parts)} segments", "length  pdu"]
    lines += [f"{part['length']:6}  {part['pdu']}" for part in encoded]
    lines += [f"replaced {odd!r} by {plain!r}" for odd, plain in replaced.items()]
    return "\n".join(lines) + "\n"


def _parts(request: Json) -> tuple[tuple[UserData, ...], dict[str, str]]:
    """Return the parts of the request's text or data, and what was replaced in the text."""
    text, data = _take(request, "text", str), _take(request, "data", str)
    if (text is None) == (data is None):
        raise _BadRequestError("text", "either text or data is needed")
    reference = _take(request, "concat_reference", int) or 0
    ports = _ports(request)
    elements = () if ports is None else (ports.element,)
    message_class = 0 if _take(request, "flash", bool) else None
    wide = reference > 255
    if text is None:
        octets = _octets(data or "")
        return segment_data(
            octets,
            reference=reference,
            wide=wide,
            message_class=message_class,
            elements=elements,
        ), {}
    replaced: dict[str, str] = {}
    if _take(request, "transliterate", bool):
        plain = transliterate(text)
        text, replaced = plain.text, plain.replaced
    languages = _take(request, "languages", list) or ["default"]
    alphabet = _take(request, "alphabet", str)
    return segment(
        text,
        reference=reference,
        wide=wide,
        alphabet=None if alphabet is None else _alphabet(alphabet),
        message_class=message_class,
        languages=[str(language) for language in languages],
        elements=elements,
    ), replaced


def _alphabet(name: str) -> Alphabet:
    try:
        return Alphabet(name)
    except ValueError:
        raise _BadRequestError("alphabet", f"gsm7 or ucs2 expected, not {name!r}") from None


def _octets(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise _BadRequestError("data", "no hexadecimal octets") from None


def _ports(request: Json) -> Ports | None:
    """Return the ports, given as `{"destination", "source", "wide"}` or as a destination alone."""
    given = request.get("ports")
    if given is None:
        return None
    ports: Json = {"destination": given} if isinstance(given, int) else dict(_mapping(given))
    destination, source = _take(ports, "destination", int), _take(ports, "source", int) or 0
    wide = _take(ports, "wide", bool)
    if destination is None:
        raise _BadRequestError("ports", "a destination is needed")
    return Ports(destination, source, True if wide is None else wide)


def _mapping(value: object) -> Json:
    if not isinstance(value, dict):
        raise _BadRequestError("ports", f"an object expected, not {value!r}")
    return value


# Joining.


def _join(arguments: argparse.Namespace) -> int:
    status = 0

    def delivers() -> Iterator[Deliver]:
        nonlocal status
        for line in _lines(sys.stdin):
            try:
                pdu = _read(line, {"direction": "from-sc", "sc": None, "length": None})[0]
                if not isinstance(pdu.tpdu, Deliver):
                    raise _BadRequestError(
                        "pdu", f"a deliver expected, not {_TYPES[type(pdu.tpdu)]}"
                    )
            except DecodeError as error:
                status = 1
                sys.stdout.write(_error(arguments.json, error.field, error.reason, error.offset))
            except _BadRequestError as error:
                status = 1
                sys.stdout.write(_error(arguments.json, error.field, error.reason))
            else:
                yield pdu.tpdu

    for message in collect(delivers()):
        sys.stdout.write(_joined(message) if arguments.json else _shown(message))
        sys.stdout.flush()
    return status


def _joined(message: Message) -> str:
    found: Json = {
        "originator": _address(message.originator),
        "text": message.text,
        "parts": len(message.parts),
        "total": message.total,
        "complete": message.complete,
    }
    return json.dumps(found) + "\n"


def _shown(message: Message) -> str:
    state = "" if message.complete else f" ({len(message.parts)} of {message.total} parts)"
    return f"{visible(message.originator.number)}{state}: {visible(message.text)}\n"
