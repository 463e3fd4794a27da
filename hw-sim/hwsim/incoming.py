"""What the SC writes: messages from the outside cut into parts, and delivery reports."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hwsim import bits, tpdu


def dialled(number: str) -> str:
    """Give the subscriber number that a subscriber of this French network dials."""
    if number.startswith("00"):
        return "+" + number[2:]
    return "+33" + number[1:] if number.startswith("0") else number


def deliver_of(outline: tpdu.Outline, sender: str, accepted: datetime) -> bytes:
    """Turn a submitted message into the SMS-DELIVER that its destination gets."""
    first = 0x04 | outline.first & 0xC0
    octets = bytes([first]) + tpdu.encode_address(tpdu.address_of(sender))
    octets += bytes([outline.pid, outline.dcs]) + tpdu.encode_time(accepted.isoformat())
    return octets + outline.user_data


def status_report(
    reference: int, outline: tpdu.Outline, accepted: datetime, done: datetime, status: int
) -> bytes:
    """Write the SMS-STATUS-REPORT; TP-RA is the destination, octet for octet."""
    octets = bytes([0x06, reference]) + outline.destination
    octets += tpdu.encode_time(accepted.isoformat()) + tpdu.encode_time(done.isoformat())
    return octets + bytes([status])


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from the outside, before it is cut into parts."""

    sender: str
    text: str | None
    data: bytes = b""
    reference: int | None = None
    wide: bool = False
    message_class: int | None = None


def cut(message: Incoming, sent_at: datetime, fallback_reference: int) -> list[bytes]:
    """Cut a message into SMS-DELIVER TPDUs, no escape or surrogate pair across two of them."""
    alphabet, units = _units(message)
    room, short = {"gsm7": (160, 7), "ucs2": (70, 3), "data8": (140, 6)}[alphabet]
    if len(units) > room:
        # Six octets of header, seven when the reference is wide: 7 or 8 septets, 3 or 4 units.
        room -= short + (1 if message.wide else 0)
    elif message.reference is not None:
        room -= short + (1 if message.wide else 0)
    chunks = _chunks(units, room, alphabet) or [[]]
    if len(chunks) > 255:
        raise ValueError(f"{len(chunks)} parts, 255 are possible")
    reference = fallback_reference if message.reference is None else message.reference
    concatenated = len(chunks) > 1 or message.reference is not None
    dcs = {"gsm7": 0, "data8": 4, "ucs2": 8}[alphabet]
    if message.message_class is not None:
        dcs |= 0x10 | message.message_class
    parts = []
    for number, chunk in enumerate(chunks, 1):
        fields: dict[str, Any] = {
            "type": "deliver",
            "flags": {"mms": number == len(chunks)},
            "originator": tpdu.address_of(message.sender),
            "sent_at": sent_at.isoformat(),
            "dcs": dcs,
        }
        if alphabet == "data8":
            fields["data"] = bytes(chunk).hex()
        elif alphabet == "ucs2":
            octets = b"".join(unit.to_bytes(2, "big") for unit in chunk)
            fields["text"] = octets.decode("utf-16-be", "surrogatepass")
        else:
            fields["text"] = bits.spell(chunk)
        if concatenated:
            fields["concat"] = {
                "reference": reference,
                "total": len(chunks),
                "number": number,
                "wide": message.wide,
            }
        parts.append(tpdu.encode(fields))
    return parts


def _units(message: Incoming) -> tuple[str, list[int]]:
    if message.text is None:
        return "data8", list(message.data)
    try:
        return "gsm7", bits.septets_of(message.text)
    except ValueError:
        octets = message.text.encode("utf-16-be", "surrogatepass")
        pairs = range(0, len(octets), 2)
        return "ucs2", [int.from_bytes(octets[i : i + 2], "big") for i in pairs]


def _chunks(units: list[int], room: int, alphabet: str) -> list[list[int]]:
    chunks = []
    while units:
        end = min(room, len(units))
        if end < len(units) and (
            (alphabet == "gsm7" and units[end - 1] == bits.ESCAPE)
            or (alphabet == "ucs2" and 0xD800 <= units[end - 1] < 0xDC00)
        ):
            end -= 1
        chunks.append(units[:end])
        units = units[end:]
    return chunks
