"""The second codec: every TPDU of 23.040 to a plain dictionary and back, octet by octet.

The keys are those of `smsd pdu`. `decode` never guesses: what the standard calls impossible raises
`Malformed`. `outline_submit` looks at the structure only and is what the simulated air uses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from hwsim import bits
from hwsim.userdata import (
    Body,
    Malformed,
    body_fields,
    coding_of,
    cut_body,
    decode_header,
    encode_body,
)

__all__ = [
    "Malformed",
    "Outline",
    "Reader",
    "address_of",
    "decode",
    "decode_address",
    "decode_time",
    "decode_with_body",
    "encode",
    "encode_address",
    "encode_sc_address",
    "encode_time",
    "outcome_of",
    "outline_submit",
    "relative_minutes",
    "relative_value",
]

TON = (
    "unknown",
    "international",
    "national",
    "network-specific",
    "subscriber",
    "alphanumeric",
    "abbreviated",
    "reserved",
)
NPI = {0: "unknown", 1: "isdn", 3: "data", 4: "telex", 8: "national", 9: "private", 10: "ermes"}

FROM_SC = {0: "deliver", 1: "submit-report", 2: "status-report", 3: "deliver"}
TO_SC = {0: "deliver-report", 1: "submit", 2: "command"}
INDICATOR = {
    "deliver-report": 0,
    "submit": 1,
    "command": 2,
    "deliver": 0,
    "submit-report": 1,
    "status-report": 2,
}
# The booleans of the first octet and their bits; mms is the bit as it stands, so 1 means "no more".
FLAGS = {
    "deliver": {"mms": 2, "lp": 3, "sri": 5, "udhi": 6, "rp": 7},
    "submit": {"rd": 2, "srr": 5, "udhi": 6, "rp": 7},
    "status-report": {"mms": 2, "lp": 3, "srq": 5, "udhi": 6},
    "deliver-report": {"udhi": 6},
    "submit-report": {"udhi": 6},
    "command": {"srr": 5, "udhi": 6},
}


class Reader:
    """Octets with a place; every step checks that they are there."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.place = 0
        self.body: Body | None = None

    def take(self, count: int, field: str) -> bytes:
        """Give the next `count` octets."""
        if self.place + count > len(self.octets):
            raise Malformed(f"{field}: {count} octets wanted at {self.place}, none there")
        self.place += count
        return self.octets[self.place - count : self.place]

    def octet(self, field: str) -> int:
        """Give the next octet."""
        return self.take(1, field)[0]

    @property
    def left(self) -> int:
        """How many octets are still unread."""
        return len(self.octets) - self.place


# ------------------------------------------------------------------ addresses (23.040 9.1.2.5)


def decode_address(length: int, kind: int, octets: bytes) -> dict[str, str]:
    """Read an address of `length` semi-octets whose type-of-address octet is `kind`."""
    ton, npi = TON[kind >> 4 & 7], NPI.get(kind & 0xF, f"reserved-{kind & 0xF}")
    if ton == "alphanumeric":
        number = bits.spell(bits.unpack(octets, length * 4 // 7))
    else:
        number = bits.digits_of(octets, length)
        if ton == "international" and number:
            number = "+" + number
    return {"number": number, "ton": ton, "npi": npi}


def encode_address(address: Mapping[str, str]) -> bytes:
    """Write length, type of address and value."""
    ton, npi = address["ton"], address["npi"]
    numbering = next((n for n, name in NPI.items() if name == npi), None)
    kind = 0x80 | TON.index(ton) << 4
    kind |= int(npi.removeprefix("reserved-")) if numbering is None else numbering
    if ton == "alphanumeric":
        septets = bits.septets_of(address["number"])
        if len(septets) > 11:
            raise Malformed("an alphanumeric address holds 11 septets")
        value = bits.pack(septets)
        return bytes([(len(septets) * 7 + 3) // 4, kind]) + value
    digits = address["number"].removeprefix("+")
    if len(digits) > 20:
        raise Malformed("an address holds 20 digits")
    return bytes([len(digits), kind]) + bits.semi_octets(digits)


def address_of(number: str) -> dict[str, str]:
    """Guess the address of what a person types: +33…, digits, or a name."""
    if number.startswith("+"):
        return {"number": number, "ton": "international", "npi": "isdn"}
    if number and all(character in "0123456789*#abc" for character in number):
        return {"number": number, "ton": "unknown", "npi": "isdn"}
    return {"number": number, "ton": "alphanumeric", "npi": "unknown"}


def encode_sc_address(number: str) -> bytes:
    """Write an SC address as 27.005 wants it in front of a PDU: its length counts octets."""
    if not number:
        return b"\x00"
    value = encode_address(address_of(number))[1:]
    return bytes([len(value)]) + value


def _read_address(reader: Reader, field: str) -> dict[str, str]:
    length = reader.octet(field)
    if length > 20:
        raise Malformed(f"{field}: {length} semi-octets, at most 20 are allowed")
    kind = reader.octet(field)
    return decode_address(length, kind, reader.take((length + 1) // 2, field))


# --------------------------------------------------------- times (23.040 9.2.3.11, .12, .13)


def decode_time(octets: bytes) -> str | None:
    """Read a seven-octet time stamp to ISO 8601 with its offset, None when it is none."""
    try:
        year, month, day, hour, minute, second = map(bits.swapped_decimal, octets[:6])
        quarters = bits.swapped_decimal(octets[6] & 0xF7)
        zone = timezone(timedelta(minutes=15 * (-quarters if octets[6] & 8 else quarters)))
        century = 1900 if year >= 90 else 2000
        return datetime(century + year, month, day, hour, minute, second, tzinfo=zone).isoformat()
    except ValueError:
        return None


def encode_time(moment: str | None) -> bytes:
    """Write an ISO 8601 time with offset; None becomes seven zero octets."""
    if moment is None:
        return bytes(7)
    when = datetime.fromisoformat(moment)
    offset = when.utcoffset()
    if offset is None:
        raise Malformed(f"the time {moment} has no zone")
    quarters = int(offset.total_seconds()) // 900
    parts = (when.year % 100, when.month, when.day, when.hour, when.minute, when.second)
    zone = bits.decimal_swapped(abs(quarters)) | (8 if quarters < 0 else 0)
    return bytes(map(bits.decimal_swapped, parts)) + bytes([zone])


def relative_minutes(value: int) -> int:
    """Read a relative validity period (9.2.3.12.1)."""
    if value <= 143:
        return (value + 1) * 5
    if value <= 167:
        return 12 * 60 + (value - 143) * 30
    return (value - 166) * 24 * 60 if value <= 196 else (value - 192) * 7 * 24 * 60


def relative_value(minutes: int) -> int:
    """Give the smallest relative validity period that lasts at least `minutes`."""
    return next((v for v in range(256) if relative_minutes(v) >= minutes), 255)


def _decode_validity(reader: Reader, form: int) -> dict[str, Any] | None:
    if form == 0:
        return None
    if form == 2:
        return {"relative_minutes": relative_minutes(reader.octet("validity"))}
    octets = reader.take(7, "validity")
    if form == 3:
        return {"until": decode_time(octets)}
    # Enhanced (9.2.3.12.3): functionality indicator, its extensions, then what the form needs.
    at = 0
    while octets[at] & 0x80 and at < 6:
        at += 1
    enhanced: dict[str, Any] = {"single_shot": bool(octets[0] & 0x40)}
    kind, rest = octets[0] & 7, octets[at + 1 :]
    if kind == 1 and rest:
        enhanced["relative_minutes"] = relative_minutes(rest[0])
    elif kind == 2 and rest:
        enhanced["seconds"] = rest[0]
    elif kind == 3 and len(rest) >= 3:
        hours, minutes, seconds = (_lenient_decimal(octet) for octet in rest[:3])
        enhanced["clock"] = f"{hours:02}:{minutes:02}:{seconds:02}"
    return enhanced


def _lenient_decimal(octet: int) -> int:
    return min(octet & 0xF, 9) * 10 + min(octet >> 4, 9)


def _encode_validity(validity: Mapping[str, Any] | None) -> tuple[int, bytes]:
    """Give the validity period format (9.2.3.3) and the octets."""
    if validity is None:
        return 0, b""
    if "until" in validity:
        return 3, encode_time(validity["until"])
    if "single_shot" not in validity:
        return 2, bytes([relative_value(validity["relative_minutes"])])
    first = 0x40 if validity["single_shot"] else 0
    if "relative_minutes" in validity:
        octets = bytes([first | 1, relative_value(validity["relative_minutes"])])
    elif "seconds" in validity:
        octets = bytes([first | 2, validity["seconds"]])
    elif "clock" in validity:
        clock = (int(number) for number in validity["clock"].split(":"))
        octets = bytes([first | 3, *map(bits.decimal_swapped, clock)])
    else:
        octets = bytes([first])
    return 1, octets.ljust(7, b"\x00")


# --------------------------------------------------------------------------- whole TPDUs


def decode(octets: bytes, direction: str) -> dict[str, Any]:
    """Read a TPDU without SC address; `direction` is "from-sc" or "to-sc". Raises `Malformed`."""
    return decode_with_body(octets, direction)[0]


def decode_with_body(octets: bytes, direction: str) -> tuple[dict[str, Any], Body | None]:
    """Read a TPDU and keep its user data cut but not yet spelt, so that parts can be joined."""
    reader = Reader(octets)
    fields = _decode(reader, direction)
    return fields, reader.body


def _decode(reader: Reader, direction: str) -> dict[str, Any]:
    first = reader.octet("first")
    kinds = FROM_SC if direction == "from-sc" else TO_SC
    if first & 3 not in kinds:
        raise Malformed(f"first: message type {first & 3} {direction}")
    kind = kinds[first & 3]
    fields: dict[str, Any] = {"type": kind}
    fields["flags"] = {name: bool(first >> bit & 1) for name, bit in FLAGS[kind].items()}
    udhi = bool(first & 0x40)
    if kind == "deliver":
        fields["originator"] = _read_address(reader, "originator")
        fields["pid"], dcs = reader.take(2, "pid")
        fields["sent_at"] = decode_time(reader.take(7, "sent_at"))
        fields |= _read_body(reader, dcs, udhi)
    elif kind == "submit":
        fields["reference"] = reader.octet("reference")
        fields["destination"] = _read_address(reader, "destination")
        fields["pid"], dcs = reader.take(2, "pid")
        fields["validity"] = _decode_validity(reader, first >> 3 & 3)
        fields |= _read_body(reader, dcs, udhi)
    elif kind == "status-report":
        fields["reference"] = reader.octet("reference")
        fields["recipient"] = _read_address(reader, "recipient")
        fields["sent_at"] = decode_time(reader.take(7, "sent_at"))
        fields["discharged_at"] = decode_time(reader.take(7, "discharged_at"))
        fields["status"] = reader.octet("status")
        fields["outcome"] = outcome_of(fields["status"])
        fields |= _read_optional(reader, udhi)
    elif kind == "command":
        fields["reference"] = reader.octet("reference")
        fields["pid"], fields["command"], fields["message_number"] = reader.take(3, "command")
        fields["destination"] = _read_address(reader, "destination")
        fields["data"] = reader.take(reader.octet("data"), "data").hex().upper()
    else:
        # Only RP-ERROR carries a cause (9.2.2.1a, 9.2.2.2a); causes have their top bit set, and
        # no indicator of a known version has.
        if reader.left and reader.octets[reader.place] & 0x80:
            fields["cause"] = reader.octet("cause")
        if kind == "submit-report":
            indicator = reader.octet("indicator")
            fields["sent_at"] = decode_time(reader.take(7, "sent_at"))
            fields |= _read_indicated(reader, indicator, udhi)
        else:
            fields |= _read_optional(reader, udhi)
    return fields


def _read_body(reader: Reader, dcs: int, udhi: bool) -> dict[str, Any]:
    length = reader.octet("user_data")
    reader.body = cut_body(dcs, udhi, length, reader.take(reader.left, "user_data"))
    return body_fields(dcs, reader.body)


def _read_optional(reader: Reader, udhi: bool) -> dict[str, Any]:
    return _read_indicated(reader, reader.octet("indicator"), udhi) if reader.left else {}


def _read_indicated(reader: Reader, indicator: int, udhi: bool) -> dict[str, Any]:
    """Read what TP-PI announces (9.2.3.27), its extension octets skipped."""
    last = indicator
    while last & 0x80:
        last = reader.octet("indicator")
    fields: dict[str, Any] = {}
    if indicator & 1:
        fields["pid"] = reader.octet("pid")
    dcs = 0
    if indicator & 2:
        dcs = fields["dcs"] = reader.octet("dcs")
    if indicator & 4:
        fields |= _read_body(reader, dcs, udhi)
        if not indicator & 2:
            del fields["dcs"]
    return fields


def outcome_of(status: int) -> str:
    """Give the class of a TP-ST (9.2.3.15); reserved ones count as rejected."""
    return "delivered" if status < 0x20 else "trying" if status < 0x40 else "failed"


def encode(fields: Mapping[str, Any]) -> bytes:
    """Write a TPDU from a dictionary as `decode` gives it; flags that are missing are 0."""
    kind = fields["type"]
    first = INDICATOR[kind]
    for name, bit in FLAGS[kind].items():
        first |= bool(fields.get("flags", {}).get(name)) << bit
    if kind == "deliver":
        udhi, body = encode_body(fields)
        octets = encode_address(fields["originator"])
        octets += bytes([fields.get("pid", 0), fields.get("dcs", 0)])
        octets += encode_time(fields.get("sent_at")) + body
    elif kind == "submit":
        udhi, body = encode_body(fields)
        form, validity = _encode_validity(fields.get("validity"))
        first |= form << 3
        octets = bytes([fields.get("reference", 0)]) + encode_address(fields["destination"])
        octets += bytes([fields.get("pid", 0), fields.get("dcs", 0)]) + validity + body
    elif kind == "status-report":
        octets = bytes([fields["reference"]]) + encode_address(fields["recipient"])
        octets += encode_time(fields.get("sent_at")) + encode_time(fields.get("discharged_at"))
        octets += bytes([fields["status"]])
        udhi, indicator, rest = _encode_optional(fields)
        octets += bytes([indicator]) + rest if indicator else b""
    elif kind == "command":
        udhi, data = False, bytes.fromhex(fields.get("data") or "")
        octets = bytes([fields[k] for k in ("reference", "pid", "command", "message_number")])
        octets += encode_address(fields["destination"]) + bytes([len(data)]) + data
    else:
        octets = bytes([fields["cause"]]) if "cause" in fields else b""
        udhi, indicator, rest = _encode_optional(fields)
        stamp = encode_time(fields.get("sent_at")) if kind == "submit-report" else b""
        octets += bytes([indicator]) + stamp + rest
    return bytes([first | (0x40 if udhi else 0)]) + octets


def _encode_optional(fields: Mapping[str, Any]) -> tuple[bool, int, bytes]:
    indicator, octets, udhi = 0, b"", False
    if "pid" in fields:
        indicator |= 1
        octets += bytes([fields["pid"]])
    if "dcs" in fields:
        indicator |= 2
        octets += bytes([fields["dcs"]])
    if fields.get("text") is not None or fields.get("data") is not None:
        indicator |= 4
        udhi, body = encode_body(fields)
        octets += body
    return udhi, indicator, octets


@dataclass(frozen=True, slots=True)
class Outline:
    """Where the pieces of an SMS-SUBMIT lie, each as its raw octets; nothing is translated."""

    first: int
    destination: bytes
    pid: int
    dcs: int
    user_data: bytes

    @property
    def report_requested(self) -> bool:
        """TP-SRR (9.2.3.5)."""
        return bool(self.first & 0x20)

    @property
    def number(self) -> str:
        """The destination as a person writes it."""
        return decode_address(self.destination[0], self.destination[1], self.destination[2:])[
            "number"
        ]


def outline_submit(octets: bytes) -> Outline:
    """Check an SMS-SUBMIT as strictly as an SC and cut it; raises `Malformed`."""
    reader = Reader(octets)
    first = reader.octet("first")
    if first & 3 != 1:
        raise Malformed("first: no SMS-SUBMIT")
    reader.octet("reference")
    start = reader.place
    length = reader.octet("destination")
    if not 0 < length <= 20:
        raise Malformed(f"destination: {length} semi-octets")
    kind = reader.octet("destination")
    value = reader.take((length + 1) // 2, "destination")
    if not kind & 0x80 or kind >> 4 & 7 == 7:
        raise Malformed(f"destination: type {kind:02X}")
    if kind >> 4 & 7 != 5 and length % 2 and value[-1] >> 4 != 0xF:
        raise Malformed("destination: an odd number without its filler")
    destination = octets[start : reader.place]
    pid, dcs = reader.take(2, "pid")
    form = first >> 3 & 3
    validity = reader.take((0, 7, 1, 7)[form], "validity")
    if form == 3 and decode_time(validity) is None:
        raise Malformed("validity: no such time")
    length = reader.octet("user_data")
    coding = coding_of(dcs)
    seven = coding.alphabet == "gsm7" and not coding.compressed
    wanted = (length * 7 + 7) // 8 if seven else length
    if wanted > 140 or reader.left != wanted:
        raise Malformed(f"user_data: length {length}, {reader.left} octets there")
    if first & 0x40 and (not wanted or octets[reader.place] >= wanted):
        raise Malformed("user_data.udh: longer than the user data")
    return Outline(first, destination, pid, dcs, octets[reader.place - 1 :])


def header_of(octets: bytes) -> list[dict[str, Any]]:
    """Read the elements of a user data header that begins with its length octet."""
    elements = decode_header(octets[1 : 1 + octets[0]])
    if elements is None:
        raise Malformed("user_data.udh: the lengths do not fit")
    return elements
