"""TP-DCS, TP-UDL and TP-UD: alphabets, headers, and the text of one part or of several."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hwsim import bits


class Malformed(ValueError):
    """The octets, or the dictionary, are no such TPDU."""


# ---------------------------------------------------------------- data coding (23.038 4)


@dataclass(frozen=True, slots=True)
class Coding:
    """What a TP-DCS says: the alphabet, whether compressed, the class or None."""

    alphabet: str
    compressed: bool
    message_class: int | None


def coding_of(dcs: int) -> Coding:
    """Read a data coding scheme; reserved ones count as the default alphabet."""
    group = dcs >> 4
    if group < 8:
        alphabet = ("gsm7", "data8", "ucs2", "gsm7")[dcs >> 2 & 3]
        return Coding(alphabet, bool(dcs & 0x20), dcs & 3 if dcs & 0x10 else None)
    if group == 0xE:
        return Coding("ucs2", False, None)
    if group == 0xF:
        return Coding("data8" if dcs & 4 else "gsm7", False, dcs & 3)
    return Coding("gsm7", False, None)


# ------------------------------------------------------------ user data (23.040 9.2.3.16, .24)


def decode_header(octets: bytes) -> list[dict[str, Any]] | None:
    """Read the elements behind the length octet; None when their lengths do not fit."""
    elements = []
    at = 0
    while at < len(octets):
        if at + 1 >= len(octets) or at + 2 + octets[at + 1] > len(octets):
            return None
        size = octets[at + 1]
        elements.append({"iei": octets[at], "data": octets[at + 2 : at + 2 + size].hex().upper()})
        at += 2 + size
    return elements


def concat_of(elements: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Find how the part belongs to its message; the last valid element wins."""
    found = None
    for element in elements:
        data = bytes.fromhex(element["data"])
        wide = element["iei"] == 8
        if (element["iei"], len(data)) not in ((0, 3), (8, 4)):
            continue
        total, number = data[-2], data[-1]
        if total and 0 < number <= total:
            reference = int.from_bytes(data[:-2], "big")
            found = {"reference": reference, "total": total, "number": number, "wide": wide}
    return found


def ports_of(elements: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Find the application ports; the last valid element wins."""
    found = None
    for element in elements:
        data = bytes.fromhex(element["data"])
        half = len(data) // 2
        if (element["iei"], len(data)) in ((4, 2), (5, 4)):
            found = {
                "destination": int.from_bytes(data[:half], "big"),
                "source": int.from_bytes(data[half:], "big"),
                "wide": element["iei"] == 5,
            }
    return found


def _languages(elements: list[dict[str, Any]]) -> tuple[int, int]:
    """Give the single and the locking shift language that the header announces."""
    single = locking = 0
    for element in elements:
        if element["iei"] in (0x24, 0x25) and len(element["data"]) == 2:
            if element["iei"] == 0x24:
                single = int(element["data"], 16)
            else:
                locking = int(element["data"], 16)
    return single, locking


@dataclass(frozen=True, slots=True)
class Body:
    """User data cut into header and the rest: `units` holds septets for gsm7, else octets."""

    elements: list[dict[str, Any]]
    coding: Coding
    units: bytes

    def text(self) -> str | None:
        """Give the text, None when it is data."""
        return text_of(self.coding, [self.units], *_languages(self.elements))


def text_of(coding: Coding, units: list[bytes], single: int = 0, locking: int = 0) -> str | None:
    """Join the units of all parts, then read them: a pair cut between two parts stays a pair."""
    joined = b"".join(units)
    if coding.compressed or coding.alphabet == "data8":
        return None
    if coding.alphabet == "ucs2":
        return joined[: len(joined) & ~1].decode("utf-16-be", "replace")
    return bits.spell(joined, single, locking)


def join(bodies: list[Body]) -> str | None:
    """Read the text of a whole message from the bodies of its parts."""
    single, locking = _languages(bodies[0].elements)
    return text_of(bodies[0].coding, [body.units for body in bodies], single, locking)


def cut_body(dcs: int, udhi: bool, length: int, data: bytes) -> Body:
    """Cut user data by TP-UDL; raises when the octets are fewer than it says."""
    coding = coding_of(dcs)
    seven = coding.alphabet == "gsm7" and not coding.compressed
    octets = (length * 7 + 7) // 8 if seven else length
    if octets > 140 or len(data) < octets:
        raise Malformed(f"user_data: length {length}, {len(data)} octets there")
    data = data[:octets]
    header = 0
    elements: list[dict[str, Any]] = []
    if udhi and octets:
        header = data[0] + 1
        if header > octets:
            raise Malformed(f"user_data.udh: {data[0]} octets do not fit into {octets}")
        elements = decode_header(data[1:header]) or []
    if not seven:
        return Body(elements, coding, data[header:])
    skipped = (header * 8 + 6) // 7
    if skipped > length:
        raise Malformed("user_data.udh: the header ends behind the user data")
    fill = bits.fill_bits(header)
    return Body(elements, coding, bytes(bits.unpack(data[header:], length - skipped, fill)))


def body_fields(dcs: int, body: Body) -> dict[str, Any]:
    """Describe user data with the keys of a decoded TPDU."""
    text = body.text()
    seven = body.coding.alphabet == "gsm7"
    binary = body.coding.alphabet == "data8" or body.coding.compressed
    return {
        "dcs": dcs,
        "alphabet": body.coding.alphabet,
        "class": body.coding.message_class,
        "text": text,
        "data": body.units.hex().upper() if binary or (text is None and not seven) else None,
        "udh": body.elements,
        "concat": concat_of(body.elements),
        "ports": ports_of(body.elements),
    }


def _elements_of(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Take the header as given, or make it from `concat` and `ports`."""
    if fields.get("udh"):
        return list(fields["udh"])
    elements = []
    if concat := fields.get("concat"):
        width = 2 if concat["wide"] else 1
        tail = bytes([concat["total"], concat["number"]])
        data = concat["reference"].to_bytes(width, "big") + tail
        elements.append({"iei": 8 if concat["wide"] else 0, "data": data.hex()})
    if ports := fields.get("ports"):
        width = 2 if ports["wide"] else 1
        data = b"".join(ports[side].to_bytes(width, "big") for side in ("destination", "source"))
        elements.append({"iei": 5 if ports["wide"] else 4, "data": data.hex()})
    return elements


def encode_body(fields: Mapping[str, Any]) -> tuple[bool, bytes]:
    """Write TP-UDL and TP-UD from the keys of a decoded TPDU; tells whether there is a header."""
    coding = coding_of(fields.get("dcs", 0))
    elements = _elements_of(fields)
    header = b"".join(
        bytes([e["iei"], len(e["data"]) // 2]) + bytes.fromhex(e["data"]) for e in elements
    )
    present = bool(elements) or bool(fields.get("flags", {}).get("udhi"))
    if present:
        header = bytes([len(header)]) + header
    if coding.alphabet == "gsm7" and not coding.compressed:
        septets = bits.septets_of(fields.get("text") or "", *_languages(elements))
        length = (len(header) * 8 + 6) // 7 + len(septets)
        user_data = header + bits.pack(septets, bits.fill_bits(len(header)))
        user_data = user_data[: (length * 7 + 7) // 8]
    else:
        if coding.alphabet == "ucs2" and not coding.compressed:
            user_data = header + (fields.get("text") or "").encode("utf-16-be", "surrogatepass")
        else:
            user_data = header + bytes.fromhex(fields.get("data") or "")
        length = len(user_data)
    if len(user_data) > 140:
        raise Malformed(f"user data of {len(user_data)} octets, 140 are allowed")
    return present, bytes([length]) + user_data
