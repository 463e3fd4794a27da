"""From a text straight to what a modem takes, for who wants nothing in between."""

from __future__ import annotations

from smsd.gsm.coding import DataCoding
from smsd.gsm.encoding import submit_head
from smsd.gsm.segment import header_around_number, lay_out, plan
from smsd.gsm.tpdu import SRR, UDHI
from smsd.gsm.userdata import put_behind
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
    flags = SRR if report_requested else 0
    centre = b"\0" if sc is None else sc.encode_sc()
    alphabet, common, coded, cuts = plan(text, wide, None, languages, ())
    if common or cuts:
        flags |= UDHI
    coding = DataCoding.of(alphabet, message_class)
    head = centre + submit_head(flags, 0, destination, 0, coding, validity)
    if not cuts:
        octets, length = put_behind(common, coded, alphabet)
        pdu = b"%b%c%b" % (head, length, octets)
        return [(len(pdu) - len(centre), pdu.hex().upper())]
    # All that parts have not alike are number, TP-UDL and text: the rest is written once.
    before, behind = header_around_number(common, len(cuts) + 1, reference, wide)
    octets, places = lay_out(alphabet, coded, cuts, len(before) + 1 + len(behind))
    head_digits, digits = head.hex().upper(), octets.hex().upper()
    before_digits, behind_digits = before.hex().upper(), behind.hex().upper()
    fixed = len(head) - len(centre) + 2 + len(before) + len(behind)
    return [
        (
            fixed + stop - start,
            f"{head_digits}{_HEX[length]}{before_digits}{_HEX[number]}{behind_digits}"
            f"{digits[2 * start : 2 * stop]}",
        )
        for number, (length, start, stop) in enumerate(places, 1)
    ]


_HEX = tuple([f"{octet:02X}" for octet in range(256)])
