"""From a text straight to what a modem takes, for who wants nothing in between."""

from __future__ import annotations

from smsd.gsm.coding import GSM7, DataCoding
from smsd.gsm.encoding import submit_head
from smsd.gsm.segment import headers, plan
from smsd.gsm.tpdu import SRR, UDHI
from smsd.gsm.userdata import pack_behind, put_behind
from smsd.gsm.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smsd.gsm.address import Address
    from smsd.gsm.coding import MessageClass
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
    alphabet, common, pieces = plan(text, wide, None, languages, ())
    coding = DataCoding.of(alphabet, message_class)
    behind = pack_behind if alphabet is GSM7 else put_behind
    several = len(pieces) > 1
    flags = (SRR if report_requested else 0) | (UDHI if common or several else 0)
    start = b"\0" if sc is None else sc.encode_sc()
    before = start + submit_head(flags, 0, destination, 0, coding, validity)
    if not several:
        octets, length = behind(common, pieces[0])
        pdu = b"%b%c%b" % (before, length, octets)
        return [(len(pdu) - len(start), pdu.hex().upper())]
    composed = []
    for header, piece in zip(headers(common, len(pieces), reference, wide), pieces, strict=True):
        octets, length = behind(header, piece)
        pdu = b"%b%c%b" % (before, length, octets)
        composed.append((len(pdu) - len(start), pdu.hex().upper()))
    return composed
