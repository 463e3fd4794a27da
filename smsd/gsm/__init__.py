"""The SMS standards as values: octets in, values out, and back (23.038, 23.040, 27.005).

Usable alone: standard library only, no I/O, no clock. What few need has its own module:
`smsd.gsm.transliterate`, `smsd.gsm.wap` (MMS notifications) and `smsd.gsm.dissect`.
"""

from smsd.gsm.address import Address, NumberingPlan, TypeOfNumber
from smsd.gsm.assemble import assemble, assemble_data
from smsd.gsm.causes import cme_error, cms_error, failure_cause
from smsd.gsm.coding import Alphabet, DataCoding, MessageClass, MessageWaiting, Waiting
from smsd.gsm.collect import Message, collect
from smsd.gsm.compose import compose
from smsd.gsm.decoding import decode_from_ms, decode_from_sc
from smsd.gsm.encoding import encode
from smsd.gsm.errors import DecodeError, EncodeError
from smsd.gsm.header import Concatenation, InformationElement, Ports
from smsd.gsm.pdu import PDU
from smsd.gsm.segment import count_parts, segment, segment_data
from smsd.gsm.status import Outcome, Status
from smsd.gsm.tables import Language
from smsd.gsm.tpdu import (
    TPDU,
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

__all__ = [
    "PDU",
    "TPDU",
    "Absolute",
    "Address",
    "Alphabet",
    "Command",
    "Concatenation",
    "DataCoding",
    "DecodeError",
    "Deliver",
    "DeliverReport",
    "EncodeError",
    "Enhanced",
    "FromMs",
    "FromSc",
    "InformationElement",
    "Language",
    "Message",
    "MessageClass",
    "MessageWaiting",
    "NumberingPlan",
    "Outcome",
    "Ports",
    "Relative",
    "Status",
    "StatusReport",
    "Submit",
    "SubmitReport",
    "TypeOfNumber",
    "UserData",
    "Validity",
    "Waiting",
    "assemble",
    "assemble_data",
    "cme_error",
    "cms_error",
    "collect",
    "compose",
    "count_parts",
    "decode_from_ms",
    "decode_from_sc",
    "encode",
    "failure_cause",
    "segment",
    "segment_data",
]
