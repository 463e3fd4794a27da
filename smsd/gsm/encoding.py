"""Messages to octets (23.040 9.2.2)."""

from __future__ import annotations

from smsd.gsm import timestamp
from smsd.gsm.address import Address
from smsd.gsm.coding import CODINGS, DataCoding
from smsd.gsm.errors import EncodeError
from smsd.gsm.tpdu import (
    LP,
    MMS,
    RD,
    RP,
    SRI,
    SRQ,
    SRR,
    TPDU,
    UDHI,
    Command,
    Deliver,
    DeliverReport,
    StatusReport,
    Submit,
    SubmitReport,
)
from smsd.gsm.userdata import MOST_OCTETS, UserData
from smsd.gsm.validity import Absolute, Enhanced, Relative, Validity
from smsd.gsm.values import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_FORMATS = {Enhanced: 0x08, Absolute: 0x18}  # TP-VPF (23.040 9.2.3.3)


def encode(tpdu: TPDU) -> bytes:
    """Return the octets of a message; `EncodeError` where the standard has none for a value."""
    try:
        return _ENCODERS[type(tpdu)](tpdu)
    except (ValueError, OverflowError) as error:
        if isinstance(error, EncodeError):
            raise
        raise EncodeError("tpdu", f"a field is no octet: {error}") from None


def _user_data_octets(user_data: UserData, coding: DataCoding) -> bytes:
    if user_data.coding.alphabet is not coding.alphabet:
        raise EncodeError(
            "coding", f"user data of {user_data.coding.alphabet} in a message of {coding.alphabet}"
        )
    octets = user_data.octets
    if len(octets) > MOST_OCTETS:
        raise EncodeError("user_data", f"{len(octets)} octets, at most {MOST_OCTETS}")
    return b"%c%b" % (user_data.length, octets)


def _encode_submit(tpdu: Submit) -> bytes:
    first = 0
    if tpdu.user_data.header_size:
        first = UDHI
    if tpdu.reject_duplicates:
        first |= RD
    if tpdu.report_requested:
        first |= SRR
    if tpdu.reply_path:
        first |= RP
    head = submit_head(
        first, tpdu.reference, tpdu.destination, tpdu.pid, tpdu.coding, tpdu.validity
    )
    return head + _user_data_octets(tpdu.user_data, tpdu.coding)


def submit_head(
    flags: int,
    reference: int,
    destination: Address,
    pid: int,
    coding: DataCoding,
    validity: Validity | None,
) -> bytes:
    """Return all of a SUBMIT that stands before TP-UDL; every part of a message has the same."""
    address = destination.encode("destination")
    if validity is None:
        return b"%c%c%b%c%c" % (0x01 | flags, reference, address, pid, coding.octet)
    if type(validity) is Relative:
        period = validity.octet
        return b"%c%c%b%c%c%c" % (0x11 | flags, reference, address, pid, coding.octet, period)
    first = 0x01 | flags | _FORMATS[type(validity)]
    return b"%c%c%b%c%c%b" % (first, reference, address, pid, coding.octet, validity.encode())


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


_ENCODERS: dict[type[TPDU], Callable[..., bytes]] = {
    Submit: _encode_submit,
    Deliver: _encode_deliver,
    StatusReport: _encode_status_report,
    DeliverReport: _encode_deliver_report,
    SubmitReport: _encode_submit_report,
    Command: _encode_command,
}
