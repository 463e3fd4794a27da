"""The notification that an MMS waits, as WAP push carries it (WAP-230 8.2, OMA MMS-ENC 6.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from smsd.gsm.errors import DecodeError
from smsd.gsm.values import dataclass

PUSH_PORT = 2948
_PUSH = 0x06
_MMS_CONTENT = (b"\xbe", b"application/vnd.wap.mms-message\0")
_NOTIFICATION_IND = 0x82

# Header field names with the top bit set, as they stand (OMA MMS-ENC table 12).
_CONTENT_LOCATION = 0x83
_EXPIRY = 0x88
_FROM = 0x89
_MESSAGE_CLASS = 0x8A
_MESSAGE_TYPE = 0x8C
_VERSION = 0x8D
_SIZE = 0x8E
_SUBJECT = 0x96
_TRANSACTION = 0x98


@dataclass(frozen=True, slots=True)
class MmsNotification:
    """What is announced: from whom, how big (octets), where it lies, until when.

    `expiry` is a moment, or a period after the notification was sent.
    """

    transaction: str | None
    sender: str | None
    subject: str | None
    size: int | None
    url: str | None
    expiry: datetime | timedelta | None


def mms_notification(data: bytes) -> MmsNotification | None:
    """Return the notification in the joined data of a push to port 2948, `None` for another push.

    Raises `DecodeError` where it is one and its octets are not what the standard says.
    """
    if len(data) < 4 or data[1] != _PUSH:
        return None
    length, at = _uintvar(data, 2, "push.headers")
    # The content type stands alone, or after the length of it and its parameters.
    if not (data.startswith(_MMS_CONTENT, at) or data.startswith(_MMS_CONTENT, at + 1)):
        return None
    fields = _fields(data, at + length)
    if fields.get(_MESSAGE_TYPE) != bytes((_NOTIFICATION_IND,)):
        return None
    size, expiry = fields.get(_SIZE), fields.get(_EXPIRY)
    return MmsNotification(
        transaction=_text(fields.get(_TRANSACTION)),
        sender=_sender(fields.get(_FROM)),
        subject=_encoded_text(fields.get(_SUBJECT)),
        size=None if size is None else int.from_bytes(size, "big"),
        url=_text(fields.get(_CONTENT_LOCATION)),
        expiry=None if expiry is None else _expiry(expiry),
    )


def _uintvar(data: bytes, at: int, field: str) -> tuple[int, int]:
    """Return an integer of seven bits an octet, and the offset after it (WAP-230 8.1.2)."""
    value = 0
    for offset in range(at, min(at + 5, len(data))):
        value = value << 7 | data[offset] & 0x7F
        if not data[offset] & 0x80:
            return value, offset + 1
    raise DecodeError(field, at, "the integer does not end")


def _fields(data: bytes, at: int) -> dict[int, bytes]:
    """Return the value of each header field; of one that comes twice the last."""
    fields = {}
    while at < len(data):
        name = data[at]
        if name < 0x80:  # a field with a name in letters: skip the name and the text after it
            _, at = _value(data, at)
            _, at = _value(data, at)
            continue
        fields[name], at = _value(data, at + 1)
    return fields


def _value(data: bytes, at: int) -> tuple[bytes, int]:
    """Return a field's value and the offset after it; the first octet tells its form (8.4.1.2)."""
    if at >= len(data):
        raise DecodeError("push.field", at, "the value is missing")
    first = data[at]
    if first >= 0x80:
        return data[at : at + 1], at + 1
    if first > 31:
        end = data.find(b"\0", at)
        if end < 0:
            raise DecodeError("push.field", at, "the text does not end")
        return data[at : end + 1], end + 1
    count, start = (first, at + 1) if first < 31 else _uintvar(data, at + 1, "push.field")
    if start + count > len(data):
        raise DecodeError("push.field", at, f"{count} octets wanted, {len(data) - start} left")
    return data[start : start + count], start + count


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.rstrip(b"\0").decode("utf-8", "replace")


def _encoded_text(value: bytes | None) -> str | None:
    """Return a text that may begin with its character set, nearly always UTF-8 (OMA 6.2.9)."""
    if value and (value[0] >= 0x80 or value[0] < 32):
        skip = 1 if value[0] >= 0x80 else 1 + value[0]
        return _text(value[skip:])
    return _text(value)


def _sender(value: bytes | None) -> str | None:
    """Return the address without its type; `None` where the server is to insert it."""
    if not value or value[0] != 0x80:
        return None
    inner = value[1:]
    if inner and inner[0] < 32:  # a length, a character set and the text
        inner = inner[1:]
    address = _encoded_text(inner)
    return address.partition("/TYPE=")[0] if address else None


def _expiry(value: bytes) -> datetime | timedelta:
    number = value[1:]
    short = number and number[0] >= 0x80
    seconds = number[0] & 0x7F if short else int.from_bytes(number[1:], "big")
    try:
        if value[:1] == b"\x80":
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        return timedelta(seconds=seconds)
    except OverflowError:
        raise DecodeError("push.expiry", 0, f"{seconds} seconds are no time") from None
