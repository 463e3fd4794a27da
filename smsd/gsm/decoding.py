"""Octets to messages (23.040 9.2.2)."""

from __future__ import annotations

from smsd.gsm import address, timestamp, userdata
from smsd.gsm.address import Address
from smsd.gsm.coding import CODINGS, DataCoding
from smsd.gsm.errors import DecodeError, octet, require
from smsd.gsm.status import STATUS
from smsd.gsm.tpdu import (
    LP,
    MMS,
    RD,
    RP,
    SRI,
    SRQ,
    SRR,
    UDHI,
    VPF,
    Command,
    Deliver,
    DeliverReport,
    FromMs,
    FromSc,
    StatusReport,
    Submit,
    SubmitReport,
)
from smsd.gsm.userdata import UserData
from smsd.gsm.validity import Absolute, Enhanced, Relative, Validity
from smsd.gsm.values import TYPE_CHECKING, maker

if TYPE_CHECKING:
    from datetime import datetime

_deliver_of = maker(Deliver)
_status_report_of = maker(StatusReport)


def decode_from_sc(octets: bytes, at: int = 0, *, strict: bool = False) -> FromSc:
    """Return what a service centre sent, from offset `at` on.

    Lenient unless `strict`: a bad date is `None`, trailing octets and a header that lies are
    ignored, so the text survives. Raises `DecodeError` and nothing else.
    """
    match octet(octets, at, "mti") & 0b11:
        case 0b10:
            return _status_report(octets, at, strict)
        case 0b01:
            return _submit_report(octets, at, strict)
    return _deliver(octets, at, strict)  # the reserved type is read as a DELIVER too (9.2.3.1)


def decode_from_ms(octets: bytes, at: int = 0, *, strict: bool = False) -> FromMs:
    """Return what a mobile sent to its service centre; see `decode_from_sc`."""
    match octet(octets, at, "mti") & 0b11:
        case 0b00:
            return _deliver_report(octets, at, strict)
        case 0b01:
            return _submit(octets, at, strict)
        case 0b10:
            return _command(octets, at, strict)
    raise DecodeError("mti", at, "message type 3 is reserved")


def _address(octets: bytes, at: int, after: int, field: str, strict: bool) -> Address:
    if strict:
        address.check(octets[at:after], at, field)
    return address.decode(octets[at:after])


def _time(octets: bytes, at: int, field: str, strict: bool) -> datetime | None:
    time = timestamp.decode(octets[at : at + timestamp.SIZE])
    if time is None and strict:
        raise DecodeError(field, at, "these seven octets are no time")
    return time


def _user_data(
    octets: bytes, at: int, coding: DataCoding, has_header: int, strict: bool
) -> UserData:
    user_data = userdata.decode(octets, at, coding, has_header)
    if strict:
        userdata.check(user_data, at, has_header)
        _end(octets, at + 1 + len(user_data.octets))
    return user_data


def _end(octets: bytes, at: int) -> None:
    if len(octets) > at:
        raise DecodeError("tpdu", at, f"{len(octets) - at} octets too many")


def _deliver(octets: bytes, at: int, strict: bool) -> Deliver:
    first = octets[at]
    if strict and first & 0b11:
        raise DecodeError("mti", at, "message type 3 is reserved")
    pid = address.end(octets, at + 1, "originator")
    dcs, scts, udl = pid + 1, pid + 2, pid + 9
    if len(octets) <= udl:
        require(octets, pid, 1, "pid")
        require(octets, dcs, 1, "dcs")
        require(octets, scts, timestamp.SIZE, "sent_at")
    coding = CODINGS[octets[dcs]]
    return _deliver_of(
        _address(octets, at + 1, pid, "originator", strict),
        octets[pid],
        coding,
        _time(octets, scts, "sent_at", strict),
        _user_data(octets, udl, coding, first & UDHI, strict),
        not first & MMS,
        first & SRI != 0,
        first & RP != 0,
        first & LP != 0,
        first & 0x10,
    )


def _submit(octets: bytes, at: int, strict: bool) -> Submit:
    first = octets[at]
    reference = octet(octets, at + 1, "reference")
    pid = address.end(octets, at + 2, "destination")
    require(octets, pid, 1, "pid")
    coding = CODINGS[octet(octets, pid + 1, "dcs")]
    validity, udl = _validity(octets, pid + 2, first & VPF, strict)
    return Submit(
        _address(octets, at + 2, pid, "destination", strict),
        _user_data(octets, udl, coding, first & UDHI, strict),
        reference=reference,
        pid=octets[pid],
        coding=coding,
        validity=validity,
        reject_duplicates=first & RD != 0,
        report_requested=first & SRR != 0,
        reply_path=first & RP != 0,
    )


def _validity(octets: bytes, at: int, form: int, strict: bool) -> tuple[Validity | None, int]:
    """Return TP-VP of the form that TP-VPF names (9.2.3.3) and the offset after it."""
    if form == 0x00:
        return None, at
    if form == 0x10:
        return Relative(octet(octets, at, "validity")), at + 1
    require(octets, at, timestamp.SIZE, "validity")
    after = at + timestamp.SIZE
    if form == 0x08:
        return Enhanced(octets[at:after]), after
    return Absolute(_time(octets, at, "validity", strict)), after


def _status_report(octets: bytes, at: int, strict: bool) -> StatusReport:
    first = octets[at]
    scts = address.end(octets, at + 2, "recipient")
    dt, st, after = scts + 7, scts + 14, scts + 15
    if len(octets) < after:
        require(octets, scts, timestamp.SIZE, "sent_at")
        require(octets, dt, timestamp.SIZE, "discharged_at")
        require(octets, st, 1, "status")
    pid, coding, user_data = None, None, None
    if len(octets) > after:
        pid, coding, user_data = _parameters(octets, after, after + 1, first & UDHI, strict)
    return _status_report_of(
        octets[at + 1],
        _address(octets, at + 2, scts, "recipient", strict),
        _time(octets, scts, "sent_at", strict),
        _time(octets, dt, "discharged_at", strict),
        STATUS[octets[st]],
        first & SRQ != 0,
        not first & MMS,
        first & LP != 0,
        first & 0x90,
        pid,
        coding,
        user_data,
    )


def _parameters(
    octets: bytes, indicator: int, at: int, has_header: int, strict: bool
) -> tuple[int | None, DataCoding | None, UserData | None]:
    """Return PID, DCS and user data at `at` as far as TP-PI at `indicator` announces them.

    TP-PI may be extended by more octets, which have no meaning yet (9.2.3.27).
    """
    announced = octet(octets, indicator, "pi")
    while octet(octets, indicator, "pi") & 0x80:
        indicator, at = indicator + 1, at + 1
    pid, coding, user_data = None, None, None
    if announced & 0b001:
        pid = octet(octets, at, "pid")
        at += 1
    if announced & 0b010:
        coding = CODINGS[octet(octets, at, "dcs")]
        at += 1
    if announced & 0b100:
        user_data = _user_data(octets, at, coding or CODINGS[0], has_header, strict)
    elif strict:
        _end(octets, at)
    return pid, coding, user_data


def _failure(octets: bytes, at: int) -> int | None:
    """Return the TP-FCS at `at`, or `None` where TP-PI stands in its place.

    Only an RP-ERROR carries TP-FCS, which the layer below knows; but its values have bit 7 set
    (9.2.3.22), which in TP-PI would announce an extension that the standard does not define.
    """
    following = octet(octets, at, "pi")
    return following if following & 0x80 else None


def _deliver_report(octets: bytes, at: int, strict: bool) -> DeliverReport:
    cause = _failure(octets, at + 1)
    pi = at + 1 if cause is None else at + 2
    pid, coding, user_data = _parameters(octets, pi, pi + 1, octets[at] & UDHI, strict)
    return DeliverReport(cause, pid, coding, user_data, octets[at] & 0xBC)


def _submit_report(octets: bytes, at: int, strict: bool) -> SubmitReport:
    cause = _failure(octets, at + 1)
    pi = at + 1 if cause is None else at + 2
    require(octets, pi, 1, "pi")
    require(octets, pi + 1, timestamp.SIZE, "sent_at")
    pid, coding, user_data = _parameters(octets, pi, pi + 8, octets[at] & UDHI, strict)
    sent_at = _time(octets, pi + 1, "sent_at", strict)
    return SubmitReport(sent_at, cause, pid, coding, user_data, octets[at] & 0xBC)


def _command(octets: bytes, at: int, strict: bool) -> Command:
    first = octets[at]
    for offset, field in enumerate(("reference", "pid", "command", "message_number"), at + 1):
        require(octets, offset, 1, field)
    length = address.end(octets, at + 5, "destination")
    count = octet(octets, length, "data.length")
    require(octets, length + 1, count, "data")
    if strict:
        _end(octets, length + 1 + count)
    reference, pid, command, message_number = octets[at + 1 : at + 5]
    return Command(
        _address(octets, at + 5, length, "destination", strict),
        command,
        message_number,
        octets[length + 1 : length + 1 + count],
        reference,
        pid,
        first & SRR != 0,
        first & UDHI != 0,
        first & 0x9C,
    )
