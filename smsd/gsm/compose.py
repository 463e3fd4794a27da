"""From a text straight to what a modem takes, for who wants nothing in between."""

from __future__ import annotations

from smsd.gsm.alphabet import to_septets
from smsd.gsm.coding import GSM7, UCS2, DataCoding
from smsd.gsm.encoding import submit_head
from smsd.gsm.segment import headers, plan
from smsd.gsm.septets import pack
from smsd.gsm.tpdu import SRR, UDHI
from smsd.gsm.userdata import MOST_OCTETS, MOST_SEPTETS, pack_behind, put_behind, to_units
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
    start = b"\0" if sc is None else sc.encode_sc()
    lone = _lone_part(text, languages)
    if lone is not None:
        alphabet, octets, length = lone
        coding = DataCoding.of(alphabet, message_class)
        head = submit_head(flags, 0, destination, 0, coding, validity)
        pdu = b"%b%b%c%b" % (start, head, length, octets)
        return [(len(pdu) - len(start), pdu.hex().upper())]
    alphabet, common, pieces = plan(text, wide, None, languages, ())
    coding = DataCoding.of(alphabet, message_class)
    if common or len(pieces) > 1:
        flags |= UDHI
    before = start + submit_head(flags, 0, destination, 0, coding, validity)
    behind = pack_behind if alphabet is GSM7 else put_behind
    composed = []
    for header, piece in zip(headers(common, len(pieces), reference, wide), pieces, strict=True):
        octets, length = behind(header, piece)
        pdu = b"%b%c%b" % (before, length, octets)
        composed.append((len(pdu) - len(start), pdu.hex().upper()))
    return composed


def _lone_part(text: str, languages: Sequence[str]) -> tuple[Alphabet, bytes, int] | None:
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
