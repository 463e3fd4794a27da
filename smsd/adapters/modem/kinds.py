"""What kind of message its parts make (23.040 9.2.3.9, 9.2.3.24; 23.038 4). Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from smsd.gsm import DecodeError, Deliver, UserData, assemble
from smsd.gsm.header import SPECIAL_INDICATION
from smsd.gsm.wap import PUSH_PORT, MmsNotification, mms_notification
from smsd.model.content import Content, Kind, Waiting

GAP: Final = "[…]"

TYPE_0: Final = 0x40  # TP-PID: to be acknowledged, neither stored nor shown
REPLACES: Final = range(0x41, 0x48)  # TP-PID: replace short message type 1 to 7
RETURN_CALL: Final = 0x5F
# Bits 1 and 0 of the special indication's first octet (9.2.3.24.2).
_INDICATED: Final = ("voicemail", "fax", "email", "other")


def content(parts: Sequence[Deliver | None]) -> Content | None:
    """A message of its parts in their order; ``None`` is one that never came.

    ``None`` where there is nothing to say of them all.
    """
    there = [part for part in parts if part is not None]
    if not there:
        return None
    first = there[0]
    flash = first.coding.message_class == 0
    replaces = first.pid - TYPE_0 if first.pid in REPLACES else None
    ports = first.user_data.ports
    text = _text([None if part is None else part.user_data for part in parts])
    if first.pid == TYPE_0:
        return Content(text, Kind.SILENT, silent=True)
    if ports is None and text is not None:
        kind = Kind.TEXT
        if waiting(there):
            kind = Kind.WAITING
        elif first.pid == RETURN_CALL:
            kind = Kind.RETURN_CALL
        return Content(text, kind, flash, silent=_discarded(there), replaces=replaces)
    pair = None if ports is None else (ports.destination, ports.source)
    if len(there) < len(parts):
        return None  # octets with a hole in them are of no use to a program
    data = b"".join(part.user_data.data for part in there)
    notification = _notification(data) if pair and pair[0] == PUSH_PORT else None
    if notification is not None:
        return Content(_announced(notification, first.sent_at), Kind.MMS, data=data, ports=pair)
    return Content(None, Kind.DATA, flash, replaces=replaces, data=data, ports=pair)


def _text(run: Sequence[UserData | None]) -> str | None:
    """The text of parts, with a gap for each that never came; ``None`` if they are no text."""
    text, joined, is_text = "", [], False
    for user_data in (*run, None):
        if user_data is not None:
            is_text = is_text or user_data.text is not None
            joined.append(user_data)
            continue
        text += assemble(joined) + GAP
        joined = []
    return text.removesuffix(GAP) if is_text else None


def waiting(parts: Sequence[Deliver]) -> tuple[Waiting, ...]:
    """What the message says of others that wait; an element of its header over its coding."""
    found: dict[str, Waiting] = {}
    for part in parts:
        if (coded := part.coding.waiting) is not None:
            found[coded.kind] = Waiting(coded.kind, None if coded.active else 0)
        for element in part.user_data.elements:
            if element.iei == SPECIAL_INDICATION and len(element.data) == 2:
                kind = _INDICATED[element.data[0] & 0b11]
                found[kind] = Waiting(kind, element.data[1])
    return tuple(found.values())


def _discarded(parts: Sequence[Deliver]) -> bool:
    """Whether the network says that the message itself is not to be kept for people."""
    for part in parts:
        for element in part.user_data.elements:
            if element.iei == SPECIAL_INDICATION and len(element.data) == 2:
                return not element.data[0] & 0x80
    coded = parts[0].coding.waiting
    return coded is not None and not coded.store


def _notification(data: bytes) -> MmsNotification | None:
    try:
        return mms_notification(data)
    except DecodeError:
        return None  # it is kept as the octets that it is


def _announced(mms: MmsNotification, sent_at: datetime | None) -> str:
    """An MMS that waits, in words."""
    until = mms.expiry
    if isinstance(until, timedelta) and sent_at is not None:
        try:
            until = sent_at + until
        except OverflowError:
            until = None
    told = [f"MMS from {mms.sender or 'an unknown sender'}"]
    if mms.subject:
        told.append(f"“{mms.subject}”")
    if mms.size is not None:
        told.append(f"{max(1, round(mms.size / 1000))} kB")
    if isinstance(until, datetime):
        told.append(f"until {until:%Y-%m-%d %H:%M %Z}".rstrip())
    return ", ".join(told) + (f": {mms.url}" if mms.url else "")
