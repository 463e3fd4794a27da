"""455 PDUs found in the wild, with the fields that at least two decoders agree on."""

import json
from pathlib import Path
from typing import Any

import pytest

from smsd.gsm import PDU, Absolute, Deliver, Relative, StatusReport, Submit

SHARED = Path(__file__).parents[3] / "shared" / "vectors" / "pdu-public.json"
VECTORS = json.loads(SHARED.read_text())["vectors"] if SHARED.exists() else []
TYPES = {"deliver": Deliver, "submit": Submit, "status-report": StatusReport}

pytestmark = pytest.mark.skipif(not VECTORS, reason="../shared is not here")


def fields_of(pdu: PDU) -> dict[str, object]:
    """Return the fields under the names that the vectors use."""
    tpdu = pdu.tpdu
    assert isinstance(tpdu, Deliver | Submit | StatusReport)
    fields: dict[str, object] = {"smsc": pdu.sc.number if pdu.sc else None, "pid": tpdu.pid}
    match tpdu:
        case Deliver():
            fields["number"] = tpdu.originator.number
            fields["scts"] = tpdu.sent_at and tpdu.sent_at.isoformat()
        case Submit():
            fields |= {"number": tpdu.destination.number, "mr": tpdu.reference}
            if isinstance(tpdu.validity, Relative):
                fields["vp_minutes"] = tpdu.validity.minutes
            elif isinstance(tpdu.validity, Absolute) and tpdu.validity.until:
                fields["vp"] = tpdu.validity.until.isoformat()
        case StatusReport():
            fields |= {"number": tpdu.recipient.number, "mr": tpdu.reference}
            fields["scts"] = tpdu.sent_at and tpdu.sent_at.isoformat()
            fields["discharge"] = tpdu.discharged_at and tpdu.discharged_at.isoformat()
            fields["status"] = tpdu.status.octet
    user_data = tpdu.user_data
    if user_data is not None:
        coding = user_data.coding
        fields |= {"dcs": coding.octet, "class": coding.message_class, "text": user_data.text}
        fields |= {"data": user_data.data.hex(), "udh": user_data.header.hex()}
        if tie := user_data.concatenation:
            fields["concat"] = {"ref": tie.reference, "total": tie.total, "seq": tie.number}
        if ports := user_data.ports:
            bits = 16 if ports.wide else 8
            fields["ports"] = {"dst": ports.destination, "src": ports.source, "bits": bits}
    return fields


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_pdu_from_the_wild(vector: dict[str, Any]) -> None:
    from_sc = vector["direction"] == "MT"
    pdu = PDU.from_hex(vector["pdu"], from_sc=from_sc, sc=vector["has_smsc"])
    expected = dict(vector["expect"])
    assert isinstance(pdu.tpdu, TYPES[expected.pop("type")])
    for key in ("data", "udh"):
        if key in expected:
            expected[key] = expected[key].lower()
    fields = fields_of(pdu)
    assert {key: fields.get(key) for key in expected} == expected
    by_length = PDU.from_hex(vector["pdu"].lower(), from_sc=from_sc, length=vector["tpdu_len"])
    assert by_length == pdu


def test_all_are_there() -> None:
    assert len(VECTORS) == 455
