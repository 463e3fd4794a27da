"""The six messages of the transfer layer (23.040 9.2.2)."""

from __future__ import annotations

from smsd.gsm.address import Address
from smsd.gsm.coding import CODINGS, DataCoding
from smsd.gsm.status import Status
from smsd.gsm.userdata import UserData
from smsd.gsm.validity import Validity
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
