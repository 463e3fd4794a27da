"""From a text straight to what a modem takes, for who wants nothing in between."""

from __future__ import annotations

from smsd.gsm.encoding import submit_head
from smsd.gsm.pdu import centre
from smsd.gsm.segment import headed_parts
from smsd.gsm.tpdu import SRR, UDHI
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
    coding, parts = headed_parts(text, reference, wide, None, message_class, languages, ())
    flags = SRR if report_requested else 0
    if parts[0][2]:
        flags |= UDHI
    start = centre(sc)
    head = submit_head(flags, 0, destination, 0, coding, validity)
    rest = len(head) + 1
    before = start + head
    composed = []
    for octets, length, _ in parts:
        pdu = b"%b%c%b" % (before, length, octets)
        composed.append((rest + len(octets), pdu.hex().upper()))
    return composed
