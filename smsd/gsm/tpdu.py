"""The transfer layer messages and their octets (23.040 9.2.2)."""

from __future__ import annotations

from smsd.gsm import address, timestamp, userdata
from smsd.gsm.address import Address
from smsd.gsm.coding import CODINGS, DataCoding
from smsd.gsm.errors import DecodeError, EncodeError, octet, require
from smsd.gsm.status import STATUS, Status
from smsd.gsm.userdata import UserData
from smsd.gsm.validity import Absolute, Enhanced, Relative, Validity
from smsd.gsm.values import TYPE_CHECKING, dataclass

if TYPE_CHECKING:
    from dataclasses import KW_ONLY
    from datetime import datetime

# Bits of the first octet (23.040 9.2.3.1 to 9.2.3.28).
MMS = 0x04  # DELIVER, STATUS-REPORT: *no* more messages
RD = 0x04  # SUBMIT: reject duplicates
LP = 0x08  # DELIVER, STATUS-REPORT: loop prevention
VPF = 0x18  # SUBMIT: validity period format
SRI = SRR = SRQ = 0x20
UDHI = 0x40
RP = 0x80


@dataclass(frozen=True, slots=True)
class Deliver:
    """SMS-DELIVER (9.2.2.1): a message from the service centre."""

    originator: Address
    pid: int
    coding: DataCoding
    sent_at: datetime | None
    user_data: UserData
    more: bool = False
    report_indicated: bool = False
    reply_path: bool = False
    loop_prevention: bool = False
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Submit:
    """SMS-SUBMIT (9.2.2.2): a message to the service centre."""

    destination: Address
    user_data: UserData
    _: KW_ONLY
    reference: int = 0
    pid: int = 0
    coding: DataCoding = CODINGS[0]
    validity: Validity | None = None
    reject_duplicates: bool = False
    report_requested: bool = False
    reply_path: bool = False


@dataclass(frozen=True, slots=True)
class StatusReport:
    """SMS-STATUS-REPORT (9.2.2.3): what became of a message or command.

    `pid`, `coding` and `user_data` are `None` where TP-PI does not announce them.
    """

    reference: int
    recipient: Address
    sent_at: datetime | None
    discharged_at: datetime | None
    status: Status
    for_command: bool = False
    more: bool = False
    loop_prevention: bool = False
    spare: int = 0
    pid: int | None = None
    coding: DataCoding | None = None
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """SMS-COMMAND (9.2.2.4): something to do about a message sent before."""

    destination: Address
    command: int
    message_number: int
    data: bytes = b""
    reference: int = 0
    pid: int = 0
    report_requested: bool = False
    has_header: bool = False
    spare: int = 0


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """SMS-DELIVER-REPORT (9.2.2.1a): how a message was received.

    `failure_cause` is there in an RP-ERROR and `None` in an RP-ACK.
    """

    failure_cause: int | None = None
    pid: int | None = None
    coding: DataCoding | None = None
    user_data: UserData | None = None
    spare: int = 0


@dataclass(frozen=True, slots=True)
class SubmitReport:
    """SMS-SUBMIT-REPORT (9.2.2.2a): how the service centre took a message or command.

    `failure_cause` is there in an RP-ERROR and `None` in an RP-ACK.
    """

    sent_at: datetime | None
    failure_cause: int | None = None
    pid: int | None = None
    coding: DataCoding | None = None
    user_data: UserData | None = None
    spare: int = 0


FromSc = Deliver | StatusReport | SubmitReport
FromMs = Submit | DeliverReport | Command
TPDU = FromSc | FromMs


def decode_from_sc(octets: bytes, *, strict: bool = False) -> FromSc:
    """Return what a service centre sent.

    Lenient unless `strict`: a bad date is `None`, trailing octets and a header that lies are
    ignored, so the text survives. Raises `DecodeError` and nothing else.
    """
    match octet(octets, 0, "mti") & 0b11:
        case 0b01:
            return _submit_report(octets, strict)
        case 0b10:
            return _status_report(octets, strict)
        case _:  # the reserved type shall be read as a DELIVER (9.2.3.1)
            return _deliver(octets, strict)


def decode_from_ms(octets: bytes, *, strict: bool = False) -> FromMs:
    """Return what a mobile sent to its service centre; see `decode_from_sc`."""
    match octet(octets, 0, "mti") & 0b11:
        case 0b00:
            return _deliver_report(octets, strict)
        case 0b01:
            return _submit(octets, strict)
        case 0b10:
            return _command(octets, strict)
        case _:
            raise DecodeError("mti", 0, "message type 3 is reserved")


def _address(octets: bytes, at: int, field: str, strict: bool) -> tuple[Address, int]:
    """Return the address at `at` and the offset after it."""
    after = at + address.size(octets, at, field)
    if strict:
        address.check(octets[at:after], at, field)
    return address.decode(octets[at:after]), after


def _time(octets: bytes, at: int, field: str, strict: bool) -> datetime | None:
    time = timestamp.decode(octets[at : at + timestamp.SIZE])
    if time is None and strict:
        raise DecodeError(field, at, "these seven octets are no time")
    return time


def _user_data(
    octets: bytes, at: int, coding: DataCoding, has_header: bool, strict: bool
) -> UserData:
    user_data = userdata.decode(octets, at, coding, has_header)
    if strict:
        userdata.check(user_data, at)
        _end(octets, at + 1 + len(user_data.octets))
    return user_data


def _end(octets: bytes, at: int) -> None:
    if len(octets) > at:
        raise DecodeError("tpdu", at, f"{len(octets) - at} octets too many")


def _deliver(octets: bytes, strict: bool) -> Deliver:
    first = octets[0]
    if strict and first & 0b11:
        raise DecodeError("mti", 0, "message type 3 is reserved")
    originator, at = _address(octets, 1, "originator", strict)
    require(octets, at, 9, "pid, dcs and sent_at")
    coding = CODINGS[octets[at + 1]]
    return Deliver(
        originator,
        octets[at],
        coding,
        _time(octets, at + 2, "sent_at", strict),
        _user_data(octets, at + 9, coding, first & UDHI != 0, strict),
        not first & MMS,
        first & SRI != 0,
        first & RP != 0,
        first & LP != 0,
        first & 0x10,
    )


def _submit(octets: bytes, strict: bool) -> Submit:
    first = octets[0]
    reference = octet(octets, 1, "reference")
    destination, at = _address(octets, 2, "destination", strict)
    require(octets, at, 2, "pid and dcs")
    coding = CODINGS[octets[at + 1]]
    validity, after = _validity(octets, at + 2, first & VPF, strict)
    return Submit(
        destination,
        _user_data(octets, after, coding, first & UDHI != 0, strict),
        reference=reference,
        pid=octets[at],
        coding=coding,
        validity=validity,
        reject_duplicates=first & RD != 0,
        report_requested=first & SRR != 0,
        reply_path=first & RP != 0,
    )


def _validity(octets: bytes, at: int, form: int, strict: bool) -> tuple[Validity | None, int]:
    """Return TP-VP of the form that TP-VPF names (9.2.3.3) and the offset after it."""
    match form:
        case 0x00:
            return None, at
        case 0x10:
            return Relative(octet(octets, at, "validity")), at + 1
    require(octets, at, timestamp.SIZE, "validity")
    after = at + timestamp.SIZE
    if form == 0x08:
        return Enhanced(octets[at:after]), after
    return Absolute(_time(octets, at, "validity", strict)), after


def _status_report(octets: bytes, strict: bool) -> StatusReport:
    first = octets[0]
    reference = octet(octets, 1, "reference")
    recipient, at = _address(octets, 2, "recipient", strict)
    require(octets, at, 15, "sent_at, discharged_at and status")
    pid, coding, user_data = None, None, None
    if len(octets) > at + 15:
        pid, coding, user_data = _parameters(octets, at + 15, first & UDHI != 0, strict)
    return StatusReport(
        reference,
        recipient,
        _time(octets, at, "sent_at", strict),
        _time(octets, at + 7, "discharged_at", strict),
        STATUS[octets[at + 14]],
        first & SRQ != 0,
        not first & MMS,
        first & LP != 0,
        first & 0x90,
        pid,
        coding,
        user_data,
    )


def _parameters(
    octets: bytes, at: int, has_header: bool, strict: bool
) -> tuple[int | None, DataCoding | None, UserData | None]:
    """Return PID, DCS and user data as far as TP-PI at `at` announces them (9.2.3.27)."""
    indicator = octet(octets, at, "pi")
    while octet(octets, at, "pi") & 0x80:  # the extension octets have no meaning yet
        at += 1
    at += 1
    pid, coding, user_data = None, None, None
    if indicator & 0b001:
        pid = octet(octets, at, "pid")
        at += 1
    if indicator & 0b010:
        coding = CODINGS[octet(octets, at, "dcs")]
        at += 1
    if indicator & 0b100:
        user_data = _user_data(octets, at, coding or CODINGS[0], has_header, strict)
    elif strict:
        _end(octets, at)
    return pid, coding, user_data


def _failure(octets: bytes) -> tuple[int | None, int]:
    """Return TP-FCS, if there is one, and the offset after it.

    Only an RP-ERROR carries it, which the layer below knows; but its values have bit 7 set
    (9.2.3.22), which in TP-PI, the octet in its place in an RP-ACK, would announce an extension
    that the standard does not define.
    """
    following = octet(octets, 1, "pi")
    return (following, 2) if following & 0x80 else (None, 1)


def _deliver_report(octets: bytes, strict: bool) -> DeliverReport:
    first = octets[0]
    cause, at = _failure(octets)
    pid, coding, user_data = _parameters(octets, at, first & UDHI != 0, strict)
    return DeliverReport(cause, pid, coding, user_data, first & 0xBC)


def _submit_report(octets: bytes, strict: bool) -> SubmitReport:
    first = octets[0]
    cause, at = _failure(octets)
    require(octets, at, 8, "pi and sent_at")
    # TP-SCTS stands between TP-PI and what it announces: take it out and read the rest as usual.
    rest = octets[: at + 1] + octets[at + 8 :]
    try:
        pid, coding, user_data = _parameters(rest, at, first & UDHI != 0, strict)
    except DecodeError as error:
        raise DecodeError(error.field, error.offset + 7, error.reason) from None
    sent_at = _time(octets, at + 1, "sent_at", strict)
    return SubmitReport(sent_at, cause, pid, coding, user_data, first & 0xBC)


def _command(octets: bytes, strict: bool) -> Command:
    first = octets[0]
    require(octets, 1, 4, "reference, pid, command and message_number")
    reference, pid, command, message_number = octets[1:5]
    destination, at = _address(octets, 5, "destination", strict)
    length = octet(octets, at, "data.length")
    require(octets, at + 1, length, "data")
    if strict:
        _end(octets, at + 1 + length)
    return Command(
        destination,
        command,
        message_number,
        octets[at + 1 : at + 1 + length],
        reference,
        pid,
        first & SRR != 0,
        first & UDHI != 0,
        first & 0x9C,
    )


def encode(tpdu: TPDU) -> bytes:
    """Return the octets of a message; `EncodeError` where the standard has none for a value."""
    try:
        match tpdu:
            case Submit():
                return _encode_submit(tpdu)
            case Deliver():
                return _encode_deliver(tpdu)
            case StatusReport():
                return _encode_status_report(tpdu)
            case DeliverReport():
                return _encode_deliver_report(tpdu)
            case SubmitReport():
                return _encode_submit_report(tpdu)
            case Command():
                return _encode_command(tpdu)
    except ValueError as error:
        if isinstance(error, EncodeError):
            raise
        raise EncodeError("tpdu", f"a field is no octet: {error}") from None


def _user_data_octets(user_data: UserData, coding: DataCoding) -> bytes:
    if user_data.coding.alphabet is not coding.alphabet:
        raise EncodeError(
            "coding", f"user data of {user_data.coding.alphabet} in a message of {coding.alphabet}"
        )
    return user_data.encode()


def _encode_submit(tpdu: Submit) -> bytes:
    validity = tpdu.validity
    first = (
        0x01
        | RD * tpdu.reject_duplicates
        | SRR * tpdu.report_requested
        | UDHI * tpdu.user_data.has_header
        | RP * tpdu.reply_path
    )
    period = b""
    if validity is not None:
        first |= {Relative: 0x10, Enhanced: 0x08, Absolute: 0x18}[type(validity)]
        period = validity.encode()
    return (
        bytes((first, tpdu.reference))
        + tpdu.destination.encode("destination")
        + bytes((tpdu.pid, tpdu.coding.octet))
        + period
        + _user_data_octets(tpdu.user_data, tpdu.coding)
    )


def _encode_deliver(tpdu: Deliver) -> bytes:
    first = (
        MMS * (not tpdu.more)
        | LP * tpdu.loop_prevention
        | SRI * tpdu.report_indicated
        | UDHI * tpdu.user_data.has_header
        | RP * tpdu.reply_path
        | tpdu.spare
    )
    return (
        bytes((first,))
        + tpdu.originator.encode("originator")
        + bytes((tpdu.pid, tpdu.coding.octet))
        + timestamp.encode(tpdu.sent_at, "sent_at")
        + _user_data_octets(tpdu.user_data, tpdu.coding)
    )


def _encode_status_report(tpdu: StatusReport) -> bytes:
    first = (
        0x02
        | MMS * (not tpdu.more)
        | LP * tpdu.loop_prevention
        | SRQ * tpdu.for_command
        | _header_bit(tpdu.user_data)
        | tpdu.spare
    )
    indicator, parameters = _encode_parameters(tpdu.pid, tpdu.coding, tpdu.user_data)
    return (
        bytes((first, tpdu.reference))
        + tpdu.recipient.encode("recipient")
        + timestamp.encode(tpdu.sent_at, "sent_at")
        + timestamp.encode(tpdu.discharged_at, "discharged_at")
        + bytes((tpdu.status.octet,))
        + (indicator + parameters if parameters else b"")
    )


def _header_bit(user_data: UserData | None) -> int:
    return UDHI if user_data is not None and user_data.has_header else 0


def _encode_parameters(
    pid: int | None, coding: DataCoding | None, user_data: UserData | None
) -> tuple[bytes, bytes]:
    """Return TP-PI and the fields that it announces."""
    indicator, octets = 0, b""
    if pid is not None:
        indicator, octets = 0b001, bytes((pid,))
    if coding is not None:
        indicator, octets = indicator | 0b010, octets + bytes((coding.octet,))
    if user_data is not None:
        indicator |= 0b100
        octets += _user_data_octets(user_data, coding or CODINGS[0])
    return bytes((indicator,)), octets


def _failure_octets(cause: int | None) -> bytes:
    if cause is None:
        return b""
    if not 0x80 <= cause <= 0xFF:
        raise EncodeError("failure_cause", f"{cause} is not within 128 and 255")
    return bytes((cause,))


def _encode_deliver_report(tpdu: DeliverReport) -> bytes:
    indicator, parameters = _encode_parameters(tpdu.pid, tpdu.coding, tpdu.user_data)
    first = _header_bit(tpdu.user_data) | tpdu.spare
    return bytes((first,)) + _failure_octets(tpdu.failure_cause) + indicator + parameters


def _encode_submit_report(tpdu: SubmitReport) -> bytes:
    indicator, parameters = _encode_parameters(tpdu.pid, tpdu.coding, tpdu.user_data)
    return (
        bytes((0x01 | _header_bit(tpdu.user_data) | tpdu.spare,))
        + _failure_octets(tpdu.failure_cause)
        + indicator
        + timestamp.encode(tpdu.sent_at, "sent_at")
        + parameters
    )


def _encode_command(tpdu: Command) -> bytes:
    first = 0x02 | SRR * tpdu.report_requested | UDHI * tpdu.has_header | tpdu.spare
    return (
        bytes((first, tpdu.reference, tpdu.pid, tpdu.command, tpdu.message_number))
        + tpdu.destination.encode("destination")
        + bytes((len(tpdu.data),))
        + tpdu.data
    )
