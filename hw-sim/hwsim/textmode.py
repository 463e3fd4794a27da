"""Text mode of 27.005: how messages are shown, and how a typed one becomes a TPDU."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hwsim import charset, tpdu
from hwsim.at import cms
from hwsim.engine import Engine
from hwsim.sim import READ, SENT, UNREAD, UNSENT, Record

STATUSES = {UNREAD: "REC UNREAD", READ: "REC READ", UNSENT: "STO UNSENT", SENT: "STO SENT"}


def _time(moment: str | None) -> str:
    if moment is None:
        return ""
    when = datetime.fromisoformat(moment)
    offset = when.utcoffset()
    quarters = round(offset.total_seconds() / 900) if offset else 0
    return f"{when:%y/%m/%d,%H:%M:%S}{quarters:+03}"


def _address(modem: Engine, address: dict[str, str]) -> tuple[str, int]:
    number = address["number"]
    shown = charset.write(number, modem.settings.charset)
    kind = 145 if number.startswith("+") else 129 if number.strip("*#").isdecimal() else 208
    return f'"{shown}"', kind


def _body(modem: Engine, fields: dict[str, Any]) -> str:
    if fields.get("text") is None:
        return fields.get("data") or ""
    text: str = fields["text"]
    if modem.settings.charset in ("GSM", "IRA", "HEX") and not charset.fits_gsm(text):
        return charset.write(text, "UCS2")
    return charset.write(text, modem.settings.charset)


def _decode(record: Record) -> dict[str, Any] | None:
    direction = "to-sc" if record.status in (UNSENT, SENT) else "from-sc"
    try:
        return tpdu.decode(record.tpdu, direction)
    except (tpdu.Malformed, ValueError):
        return None


def _report(modem: Engine, fields: dict[str, Any], first: int) -> str:
    to, kind = _address(modem, fields["recipient"])
    times = f'"{_time(fields["sent_at"])}","{_time(fields["discharged_at"])}"'
    return f"{first},{fields['reference']},{to},{kind},{times},{fields['status']}"


def _tail(modem: Engine, record: Record, fields: dict[str, Any], kind: int) -> str:
    centre = modem.sim.smsc
    shown = f'"{charset.write(centre, modem.settings.charset)}",145'
    length = len(fields.get("text") or "") or len(fields.get("data") or "") // 2
    return (
        f",{kind},{record.tpdu[0]},{fields.get('pid', 0)},{fields.get('dcs', 0)},{shown},{length}"
    )


def listed(modem: Engine, record: Record, index: int | None) -> list[str]:
    """Show a record for +CMGL, or without an index for +CMGR."""
    fields = _decode(record)
    status = f'"{STATUSES[record.status]}"'
    head = f"+CMGR: {status}" if index is None else f"+CMGL: {index},{status}"
    if fields is None:
        return [f'{head},"",,', record.tpdu.hex().upper()]
    if fields["type"] == "status-report":
        return [f"{head},{_report(modem, fields, record.tpdu[0])}"]
    address, kind = _address(modem, fields.get("originator") or fields["destination"])
    moment = f',"{_time(fields["sent_at"])}"' if "sent_at" in fields else ""
    line = f"{head},{address},{moment}"
    if modem.inbox.show_header:
        if index is None:
            line += _tail(modem, record, fields, kind)
        else:
            line += f",{kind},{len(fields.get('text') or '')}"
    return [line, _body(modem, fields)]


def cmt_lines(modem: Engine, record: Record) -> tuple[str, str]:
    """Show a record as +CMT or +CDS do: what follows the colon, and the text if there is one."""
    fields = _decode(record)
    if fields is None:
        return '"",,""', record.tpdu.hex().upper()
    if fields["type"] == "status-report":
        return _report(modem, fields, record.tpdu[0]), ""
    address, kind = _address(modem, fields["originator"])
    line = f'{address},,"{_time(fields["sent_at"])}"'
    if modem.inbox.show_header:
        line += _tail(modem, record, fields, kind)
    return line, _body(modem, fields)


def submit_of(modem: Engine, number: str, entry: str) -> bytes:
    """Make the SMS-SUBMIT of a typed text by +CSMP; refuses what does not fit."""
    first, period, pid, dcs = modem.inbox.text_parameters
    fields: dict[str, Any] = {
        "type": "submit",
        "flags": {"srr": bool(first & 0x20), "rd": bool(first & 4), "rp": bool(first & 0x80)},
        "destination": tpdu.address_of(number),
        "pid": pid,
        "dcs": dcs,
        "validity": {"relative_minutes": tpdu.relative_minutes(period)}
        if first >> 3 & 3 == 2
        else None,
    }
    entry = entry.replace("\r", "\n")
    try:
        if first & 0x40:
            # The header is typed with the text, in hex (27.005 3.5.3).
            raw = bytes.fromhex(entry)
            fields["udh"] = tpdu.header_of(raw)
            rest = raw[raw[0] + 1 :]
            if dcs & 0x0C == 8:
                fields["text"] = rest.decode("utf-16-be", "surrogatepass")
            else:
                fields["data"] = rest.hex()
                fields["dcs"] = dcs | 4
        elif dcs & 0x0C == 4:
            fields["data"] = entry
        elif dcs & 0x0C == 8:
            fields["text"] = charset.read(entry, "UCS2")
        else:
            fields["text"] = charset.read(entry, modem.settings.charset)
        return tpdu.encode(fields)
    except (ValueError, IndexError, KeyError) as error:
        raise cms(305) from error
