"""Messages that are not for a person's inbox, ready to be injected."""

from datetime import datetime
from typing import Any

from hwsim import tpdu
from hwsim.incoming import Incoming, cut

# An m-notification-ind of OMA-MMS-ENC: transaction T1, version 1.0, sender, class, size, expiry,
# and the address of the message.
_MMS = bytes.fromhex(
    "0006"  # WSP: transaction, push
    "226170706c69636174696f6e2f766e642e7761702e6d6d732d6d65737361676500af84"
    "8c82983154003d3130008d90"
)
_URL = b"http://mms.example/m/1\x00"
_KINDS = ("flash", "class1", "class2", "class3", "type0", "mwi", "mwi-off", "wap", "mms", "replace",
          "binary", "sim-download", "voicemail")  # fmt: skip


def message(kind: str, sender: str, text: str, now: datetime) -> bytes:
    """Make the SMS-DELIVER of a kind; raises ValueError naming those that exist."""
    if kind not in _KINDS and not kind.startswith("replace"):
        raise ValueError(f"no kind {kind}: there are {', '.join(_KINDS)} (replace1 to replace7)")
    if kind in ("flash", "class1", "class2", "class3"):
        number = 0 if kind == "flash" else int(kind[-1])
        return cut(Incoming(sender, text, message_class=number), now, 1)[0]
    fields: dict[str, Any] = {
        "type": "deliver",
        "flags": {"mms": True},
        "originator": tpdu.address_of(sender),
        "sent_at": now.isoformat(),
        "pid": 0,
        "dcs": 0,
        "text": text,
    }
    if kind == "type0":
        fields["pid"] = 0x40
    elif kind.startswith("replace"):
        fields["pid"] = 0x40 + int(kind[7:] or 1)
    elif kind in ("mwi", "mwi-off"):
        # Discard group, voicemail indication active or not (23.038 4).
        fields["dcs"] = 0xC8 if kind == "mwi" else 0xC0
    elif kind == "voicemail":
        # Special SMS message indication: store, voicemail, three waiting (23.040 9.2.3.24.2).
        fields["udh"] = [{"iei": 1, "data": "8003"}]
    elif kind in ("wap", "mms"):
        push = _MMS + _URL if kind == "mms" else text.encode() or b"push"
        fields |= {"dcs": 4, "data": push[:130].hex()}
        fields["ports"] = {"destination": 2948, "source": 9200, "wide": True}
    elif kind == "binary":
        fields |= {"dcs": 4, "data": text or "00FF"}
    elif kind == "sim-download":
        fields |= {"pid": 0x7F, "dcs": 0xF6, "data": "027000"}
    return tpdu.encode(fields)
