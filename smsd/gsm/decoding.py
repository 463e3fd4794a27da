"""Octets to messages (23.040 9.2.2)."""

from __future__ import annotations

from smsd.gsm import address, timestamp, userdata
from smsd.gsm.coding import CODINGS, DataCoding
from smsd.gsm.errors import DecodeError, octet, require
from smsd.gsm.memo import memo
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
    from collections.abc import Callable
    from typing import Final, NoReturn

# A gateway talks to a few again and again, and at any high rate stamps of one second repeat.
_addresses = memo(address.decode, 1024)
_times = memo(timestamp.decode, 1024)
_deliver_of = maker(Deliver)
_status_report_of = maker(StatusReport)


def decode_from_sc(octets: bytes, at: int = 0, *, strict: bool = False) -> FromSc:
    """Return what a service centre sent, from offset `at` on.

    Lenient unless `strict`: a bad date is `None`, trailing octets and a header that lies are
    ignored, so the text survives. Raises `DecodeError` and nothing else.
    """
    return FROM_SC[octet(octets, at, "mti") & 0b11](octets, at, strict)


def decode_from_ms(octets: bytes, at: int = 0, *, strict: bool = False) -> FromMs:
    """Return what a mobile sent to its service centre; see `decode_from_sc`."""
    return FROM_MS[octet(octets, at, "mti") & 0b11](octets, at, strict)


def _check(octets: bytes, at: int, after: int, field: str, times: dict[str, int]) -> None:
    """Raise `DecodeError` for an address or times that only lenient decoding lets pass."""
    address.check(octets[at:after], at, field)
    for name, offset in times.items():
        if timestamp.decode(octets[offset : offset + timestamp.SIZE]) is None:
            raise DecodeError(name, offset, "these seven octets are no time")


def _check_user_data(octets: bytes, at: int, user_data: UserData, has_header: int) -> None:
    """Raise `DecodeError` for user data, or octets after them, that lenient decoding lets pass."""
    userdata.check(user_data, at, has_header)
    _end(octets, at + 1 + len(user_data.octets))


def _end(octets: bytes, at: int) -> None:
    if len(octets) > at:
        raise DecodeError("tpdu", at, f"{len(octets) - at} octets too many")


def _deliver(octets: bytes, at: int, strict: bool) -> Deliver:
    size = len(octets)
    if size < at + 2 or size < (pid := at + 3 + (octets[at + 1] + 1 >> 1)) + 10:
        _refuse_deliver(octets, at)
    first, udl = octets[at], pid + 9
    coding = CODINGS[octets[pid + 1]]
    user_data = userdata.decode(octets, udl, coding, first & UDHI)
    if strict:
        if first & 0b11:
            raise DecodeError("mti", at, "message type 3 is reserved")
        _check(octets, at + 1, pid, "originator", {"sent_at": pid + 2})
        _check_user_data(octets, udl, user_data, first & UDHI)
    more, report_indicated, reply_path, loop_prevention, spare = _DELIVER_FLAGS[first]
    return _deliver_of(
        _addresses[octets[at + 1 : pid]],
        octets[pid],
        coding,
        _times[octets[pid + 2 : udl]],
        user_data,
        more,
        report_indicated,
        reply_path,
        loop_prevention,
        spare,
    )


# What the first octet says, by its value.
_DELIVER_FLAGS = tuple(
    [
        (not first & MMS, first & SRI != 0, first & RP != 0, first & LP != 0, first & 0x10)
        for first in range(256)
    ]
)


def _refuse_deliver(octets: bytes, at: int) -> NoReturn:
    """Raise `DecodeError` for the field that the octets end in, TP-UDL at the latest."""
    pid = address.end(octets, at + 1, "originator")
    require(octets, pid, 1, "pid")
    require(octets, pid + 1, 1, "dcs")
    require(octets, pid + 2, timestamp.SIZE, "sent_at")
    raise DecodeError("user_data.length", pid + 9, "1 octet wanted, 0 left")


def _submit(octets: bytes, at: int, strict: bool) -> Submit:
    first = octets[at]
    reference = octet(octets, at + 1, "reference")
    pid = address.end(octets, at + 2, "destination")
    require(octets, pid, 1, "pid")
    coding = CODINGS[octet(octets, pid + 1, "dcs")]
    validity, udl = _validity(octets, pid + 2, first & VPF)
    require(octets, udl, 1, "user_data.length")
    user_data = userdata.decode(octets, udl, coding, first & UDHI)
    if strict:
        absolute = {"validity": pid + 2} if isinstance(validity, Absolute) else {}
        _check(octets, at + 2, pid, "destination", absolute)
        _check_user_data(octets, udl, user_data, first & UDHI)
    return Submit(
        _addresses[octets[at + 2 : pid]],
        user_data,
        reference=reference,
        pid=octets[pid],
        coding=coding,
        validity=validity,
        reject_duplicates=first & RD != 0,
        report_requested=first & SRR != 0,
        reply_path=first & RP != 0,
    )


def _validity(octets: bytes, at: int, form: int) -> tuple[Validity | None, int]:
    """Return TP-VP of the form that TP-VPF names (9.2.3.3) and the offset after it."""
    if form == 0x00:
        return None, at
    if form == 0x10:
        return Relative(octet(octets, at, "validity")), at + 1
    require(octets, at, timestamp.SIZE, "validity")
    after = at + timestamp.SIZE
    if form == 0x08:
        return Enhanced(octets[at:after]), after
    return Absolute(timestamp.decode(octets[at:after])), after


def _status_report(octets: bytes, at: int, strict: bool) -> StatusReport:
    size = len(octets)
    if size < at + 3 or size < (scts := at + 4 + (octets[at + 2] + 1 >> 1)) + 15:
        _refuse_status_report(octets, at)
    first, dt, st, pi = octets[at], scts + 7, scts + 14, scts + 15
    if strict:
        _check(octets, at + 2, scts, "recipient", {"sent_at": scts, "discharged_at": dt})
    pid, coding, user_data = None, None, None
    if size > pi:
        announced, after = _indicator(octets, pi)
        pid, coding, user_data = _parameters(octets, announced, after, first & UDHI, strict)
    return _status_report_of(
        octets[at + 1],
        _addresses[octets[at + 2 : scts]],
        _times[octets[scts:dt]],
        _times[octets[dt:st]],
        STATUS[octets[st]],
        first & SRQ != 0,
        not first & MMS,
        first & LP != 0,
        first & 0x90,
        pid,
        coding,
        user_data,
    )


def _refuse_status_report(octets: bytes, at: int) -> NoReturn:
    """Raise `DecodeError` for the field that the octets end in, TP-ST at the latest."""
    require(octets, at + 1, 1, "reference")
    scts = address.end(octets, at + 2, "recipient")
    require(octets, scts, timestamp.SIZE, "sent_at")
    require(octets, scts + 7, timestamp.SIZE, "discharged_at")
    raise DecodeError("status", scts + 14, "1 octet wanted, 0 left")


def _indicator(octets: bytes, at: int) -> tuple[int, int]:
    """Return the first octet of the TP-PI at `at`, and the offset after its last.

    Those that extend it have no meaning yet (9.2.3.27).
    """
    first = last = octet(octets, at, "pi")
    while last & 0x80:
        at += 1
        last = octet(octets, at, "pi")
    return first, at + 1


def _parameters(
    octets: bytes, announced: int, at: int, has_header: int, strict: bool
) -> tuple[int | None, DataCoding | None, UserData | None]:
    """Return PID, DCS and user data at `at` as far as TP-PI announces them (9.2.3.27)."""
    pid, coding, user_data = None, None, None
    if announced & 0b001:
        pid = octet(octets, at, "pid")
        at += 1
    if announced & 0b010:
        coding = CODINGS[octet(octets, at, "dcs")]
        at += 1
    if announced & 0b100:
        require(octets, at, 1, "user_data.length")
        user_data = userdata.decode(octets, at, coding or CODINGS[0], has_header)
        if strict:
            _check_user_data(octets, at, user_data, has_header)
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
    announced, after = _indicator(octets, at + 1 if cause is None else at + 2)
    parameters = _parameters(octets, announced, after, octets[at] & UDHI, strict)
    return DeliverReport(cause, *parameters, octets[at] & 0xBC)


def _submit_report(octets: bytes, at: int, strict: bool) -> SubmitReport:
    cause = _failure(octets, at + 1)
    announced, scts = _indicator(octets, at + 1 if cause is None else at + 2)
    after = scts + timestamp.SIZE
    require(octets, scts, timestamp.SIZE, "sent_at")
    sent_at = timestamp.decode(octets[scts:after])
    if sent_at is None and strict:
        raise DecodeError("sent_at", scts, "these seven octets are no time")
    parameters = _parameters(octets, announced, after, octets[at] & UDHI, strict)
    return SubmitReport(sent_at, cause, *parameters, octets[at] & 0xBC)


def _command(octets: bytes, at: int, strict: bool) -> Command:
    first = octets[at]
    for offset, field in enumerate(("reference", "pid", "command", "message_number"), at + 1):
        require(octets, offset, 1, field)
    length = address.end(octets, at + 5, "destination")
    count = octet(octets, length, "data.length")
    require(octets, length + 1, count, "data")
    if strict:
        _check(octets, at + 5, length, "destination", {})
        _end(octets, length + 1 + count)
    reference, pid, command, message_number = octets[at + 1 : at + 5]
    return Command(
        address.decode(octets[at + 5 : length]),
        command,
        message_number,
        octets[length + 1 : length + 1 + count],
        reference,
        pid,
        first & SRR != 0,
        first & UDHI != 0,
        first & 0x9C,
    )


def _reserved(octets: bytes, at: int, strict: bool) -> NoReturn:
    raise DecodeError("mti", at, "message type 3 is reserved")


# By TP-MTI (9.2.3.1); a mobile reads the reserved type as a DELIVER too.
FROM_SC: Final[tuple[Callable[[bytes, int, bool], FromSc], ...]] = (
    _deliver,
    _submit_report,
    _status_report,
    _deliver,
)
FROM_MS: Final[tuple[Callable[[bytes, int, bool], FromMs], ...]] = (
    _deliver_report,
    _submit,
    _command,
    _reserved,
)
