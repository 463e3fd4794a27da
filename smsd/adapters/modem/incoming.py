"""What a modem's PDU means: a message, a part of one, or a report on one of ours. Pure."""

import hashlib

from smsd.adapters.modem.kinds import content, waiting
from smsd.gsm import PDU, Concatenation, DecodeError, Deliver, Outcome, StatusReport
from smsd.model.content import Content
from smsd.model.events import Incoming, Place, Report, Verdict

_VERDICTS = {
    Outcome.DELIVERED: Verdict.DELIVERED,
    Outcome.TRYING: Verdict.TRYING,
    Outcome.FAILED: Verdict.FAILED,
}


def read_pdu(pdu: str, length: int | None) -> Incoming | Report:
    """A PDU from a modem, as it lies in a memory or was handed over.

    ``length`` is the octets of its TPDU as the modem told, ``None`` if it did not; it tells
    whether a service centre address stands in front. What cannot be decoded is an `Incoming` with
    its error: it is kept all the same.
    """
    raw = pdu.upper()
    try:
        tpdu = PDU.from_hex(raw, length=length).tpdu
    except DecodeError as error:
        return Incoming(key=_key(raw), raw=raw, error=str(error))
    body = raw[-2 * length :] if length and 2 * length <= len(raw) else raw
    match tpdu:
        case StatusReport():
            return Report(
                reference=str(tpdu.reference),
                recipient=tpdu.recipient.number,
                verdict=_VERDICTS[tpdu.status.outcome],
                code=f"TP-ST {tpdu.status.octet:02X}",
                words=tpdu.status.words,
                at=tpdu.discharged_at,
                accepted_at=tpdu.sent_at,
                key=_key(body),
            )
        case Deliver():
            joint = tpdu.user_data.concatenation
            whole = content([tpdu]) or Content()
            return Incoming(
                key=_key(body),
                raw=_without_sc(raw, tpdu),
                originator=tpdu.originator.number,
                sent_at=tpdu.sent_at,
                text=whole.text,
                place=_place(joint),
                flash=whole.flash,
                silent=whole.silent,
                kind=whole.kind,
                replaces=whole.replaces,
                data=whole.data,
                ports=whole.ports,
                waiting=waiting([tpdu]),
            )
        case _:
            return Incoming(
                key=_key(raw),
                raw=raw,
                error=f"a {type(tpdu).__name__} does not come from a network",
            )


def _place(joint: Concatenation | None) -> Place | None:
    if joint is None:
        return None
    return Place(joint.reference, joint.wide, joint.total, joint.number)


def _without_sc(raw: str, tpdu: Deliver) -> str:
    """The TPDU's own hex: joining needs no service centre, and copies may differ in it."""
    octets = int(raw[:2], 16)
    rest = raw[2 + 2 * octets :]
    try:
        return rest if PDU.from_hex(rest, sc=False).tpdu == tpdu else raw
    except DecodeError:
        return raw


def _key(raw: str) -> str:
    """The same for every copy of a PDU: its originator, time and text are all in it."""
    return hashlib.sha256(raw.encode()).hexdigest()[:32]
