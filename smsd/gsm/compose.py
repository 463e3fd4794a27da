"""From a text straight to what a modem takes, for who wants nothing in between."""

from __future__ import annotations

from smsd.gsm.alphabet import to_septets
from smsd.gsm.coding import GSM7, UCS2, DataCoding
from smsd.gsm.encoding import submit_head
from smsd.gsm.segment import header_around_number, lay_out, plan
from smsd.gsm.septets import pack
from smsd.gsm.tpdu import SRR, UDHI
from smsd.gsm.userdata import MOST_OCTETS, MOST_SEPTETS, put_behind, to_units
from smsd.gsm.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smsd.gsm.address import Address
    from smsd.gsm.coding import Alphabet, MessageClass
    from smsd.gsm.validity import Validity


def compose(
    destination: Address,
    text: str,
    *,
    reference: int = 0,
    wide: bool = False,
    message_class: MessageClass | int | None = None,
    languages: Sequence[str] = ("default",),
    validity: Validity | None = None,
    report_requested: bool = False,
    sc: Address | None = None,
) -> list[tuple[int, str]]:
    """Return what AT+CMGS takes for each part of a text: the length and the octets in hex.

    The same as `segment`, then `PDU(sc, Submit(…))` for each part, at half the cost: what all
    parts have alike is written once, and no value is made of what is only passed on.
    """
    flags = SRR if report_requested else 0
    centre = b"\0" if sc is None else sc.encode_sc()
    cuts: list[int] = []
    alone = _alone(text, languages)
    if alone is not None:
        alphabet, octets, length = alone
    else:
        alphabet, common, coded, cuts = plan(text, wide, None, languages, ())
        octets, length = (b"", 0) if cuts else put_behind(common, coded, alphabet)
        if common or cuts:
            flags |= UDHI
    coding = DataCoding.of(alphabet, message_class)
    head = centre + submit_head(flags, 0, destination, 0, coding, validity)
    if cuts:
        ends = header_around_number(common, len(cuts) + 1, reference, wide)
        parts = lay_out(alphabet, coded, cuts, len(ends[0]) + 1 + len(ends[1]))
        return _several(head, len(head) - len(centre), ends, parts)
    pdu = b"%b%c%b" % (head, length, octets)
    return [(len(pdu) - len(centre), pdu.hex().upper())]


def _alone(text: str, languages: Sequence[str]) -> tuple[Alphabet, bytes, int] | None:
    """Return alphabet, TP-UD and TP-UDL of a text that needs no header, as nearly all do."""
    if len(text) > MOST_SEPTETS:
        return None
    septets = to_septets(text)
    if septets is not None:
        return (GSM7, pack(septets), len(septets)) if len(septets) <= MOST_SEPTETS else None
    if languages != ("default",):
        return None
    units = to_units(text)
    return (UCS2, units, len(units)) if len(units) <= MOST_OCTETS else None


_HEX = tuple([f"{octet:02X}" for octet in range(256)])


def _several(
    head: bytes, counted: int, header: tuple[bytes, bytes], parts: list[tuple[int, bytes]]
) -> list[tuple[int, str]]:
    """Return the PDUs of several parts; `counted` octets of the head belong to the TPDU.

    Only their number, TP-UDL and text tell them apart: what else they have is written once.
    """
    counted += 2 + len(header[0]) + len(header[1])
    start, before, after = [octets.hex().upper() for octets in (head, *header)]
    return [
        (
            counted + len(octets),
            f"{start}{_HEX[length]}{before}{_HEX[number]}{after}{octets.hex().upper()}",
        )
        for number, (length, octets) in enumerate(parts, 1)
    ]
