"""The data coding scheme (23.038 4)."""

import pytest

from smsd.gsm import Alphabet, DataCoding, MessageClass, MessageWaiting, Waiting

GSM7, DATA8, UCS2 = Alphabet


def expected_alphabet(octet: int) -> Alphabet:
    """23.038 4, row by row."""
    bits = f"{octet:08b}"
    if bits[0] == "0":
        return {"00": GSM7, "01": DATA8, "10": UCS2, "11": GSM7}[bits[4:6]]
    if bits.startswith("10"):
        return GSM7  # reserved: assume the default alphabet
    if bits.startswith(("1100", "1101")):
        return GSM7
    if bits.startswith("1110"):
        return UCS2
    return DATA8 if bits[5] == "1" else GSM7


@pytest.mark.parametrize("octet", range(256))
def test_4_every_octet(octet: int) -> None:
    coding = DataCoding(octet)
    bits = f"{octet:08b}"
    assert coding.alphabet is expected_alphabet(octet)
    has_class = (bits[0] == "0" and bits[3] == "1") or bits.startswith("1111")
    assert coding.message_class == (int(bits[6:], 2) if has_class else None)
    assert coding.compressed == (bits[0] == "0" and bits[2] == "1")
    assert coding.auto_delete == bits.startswith("01")
    assert coding.reserved == (
        (bits[0] == "0" and bits[4:6] == "11")
        or bits.startswith("10")
        or (bits.startswith("1111") and bits[4] == "1")
    )
    assert (coding.waiting is not None) == (bits[:4] in ("1100", "1101", "1110"))


@pytest.mark.parametrize(
    ("octet", "waiting"),
    [
        (0xC8, MessageWaiting(Waiting.VOICEMAIL, active=True, store=False)),
        (0xC1, MessageWaiting(Waiting.FAX, active=False, store=False)),
        (0xDA, MessageWaiting(Waiting.EMAIL, active=True, store=True)),
        (0xE3, MessageWaiting(Waiting.OTHER, active=False, store=True)),
    ],
)
def test_4_messages_that_wait(octet: int, waiting: MessageWaiting) -> None:
    assert DataCoding(octet).waiting == waiting


@pytest.mark.parametrize(
    ("alphabet", "message_class", "octet"),
    [
        (GSM7, None, 0x00),
        (DATA8, None, 0x04),
        (UCS2, None, 0x08),
        (GSM7, 0, 0x10),
        (DATA8, MessageClass.EQUIPMENT, 0x15),
        (UCS2, 3, 0x1B),
    ],
)
def test_the_general_coding(
    alphabet: Alphabet, message_class: MessageClass | int | None, octet: int
) -> None:
    coding = DataCoding.of(alphabet, message_class)
    assert coding == DataCoding(octet)
    assert coding.alphabet is alphabet
    assert coding.message_class == message_class


def test_the_default_is_the_default_alphabet() -> None:
    assert DataCoding.of() == DataCoding() == DataCoding(0)
    with pytest.raises(ValueError, match="4"):
        DataCoding.of(GSM7, 4)
