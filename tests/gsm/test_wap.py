"""MMS notifications in WAP push (WAP-230 8.2, OMA MMS-ENC)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm import DecodeError
from smsd.gsm.wap import MmsNotification, mms_notification

# gammu at-sms/40 and ofono test-sms, both real (see the public vectors).
REAL = bytes.fromhex(
    "0106246170706C69636174696F6E2F766E642E7761702E6D6D732D6D65737361676500AF84B486"
    "8C82984F67514B4B42008D9089088045726F74696B009650696E2D557073008A808E02400088058103"
    "03F48083687474703A2F2F657073332E64652F4F2F5A39495A4F00"
)
HEAD = bytes.fromhex("000603BEAF84") + b"\x8c\x82"


def test_a_real_notification() -> None:
    assert mms_notification(REAL) == MmsNotification(
        transaction="OgQKKB",
        sender="Erotik",
        subject="Pin-Ups",
        size=0x4000,
        url="http://eps3.de/O/Z9IZO",
        expiry=timedelta(seconds=0x03F480),
    )


@pytest.mark.parametrize("content", ["01BE", "03BE8184", "05 04BE8183EA".replace(" ", "")])
def test_the_content_type_as_a_number_or_with_parameters(content: str) -> None:
    head = bytes.fromhex("0006") + (bytes.fromhex(content) if content != "05 04BE8183EA" else b"")
    found = mms_notification(head + b"\x8c\x82\x83http://a/\0")
    assert found is not None
    assert found.url == "http://a/"


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        (b"\x89\x01\x81", "sender", None),
        (b"\x89\x0f\x80+33612345678\0", "sender", None),
        (b"\x89\x0e\x80+33612345678\0", "sender", "+33612345678"),
        (b"\x89\x18\x80+33612345678/TYPE=PLMN\0", "sender", "+33612345678"),
        (b"\x89\x06\x80\x04\xeaab\0", "sender", "ab"),
        (b"\x89\x00", "sender", None),
        (b"\x96hi\0", "subject", "hi"),
        (b"\x96\x05\xea\xc3\xa9!\0", "subject", "é!"),
        (b"\x96\x06\x02\x03\xe8hi\0", "subject", "hi"),
        (b"\x98\x00", "transaction", ""),
        (b"\x98T1\0", "transaction", "T1"),
        (b"\x8e\x03\x01\x00\x00", "size", 65536),
        (b"\x8e\x1f\x02\x01\x00", "size", 256),
        (b"\x88\x03\x81\x01\x3c", "expiry", timedelta(seconds=60)),
        (b"\x88\x02\x81\xbc", "expiry", timedelta(seconds=60)),
        (
            b"\x88\x06\x80\x04\x60\x00\x00\x00",
            "expiry",
            datetime(2021, 1, 14, 8, 25, 36, tzinfo=UTC),
        ),
        (b"\x98\x05\xff\xfe\xfd\xfc\0", "transaction", "\ufffd\ufffd\ufffd\ufffd"),
        (b"\x88\x02\x81\x80", "expiry", timedelta(0)),
        (b"\x98 T\0", "transaction", " T"),
        (b"\x80\x99\x98T3\0", "transaction", "T3"),
        (b"X-Odd\0yes\0\x98T2\0", "transaction", "T2"),
        (b"\x98T1\0\x98T2\0", "transaction", "T2"),
    ],
)
def test_each_field(field: bytes, name: str, value: object) -> None:
    if field.startswith(b"\x89\x0f"):
        with pytest.raises(DecodeError, match="octets wanted"):
            mms_notification(HEAD + field)
        return
    found = mms_notification(HEAD + field)
    assert found is not None
    assert getattr(found, name) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\6\1",
        b"\0\7\1\xbe\x8c\x82",
        b"\0\6\1\xae\x8c\x82",
        b"\0\6\1\xbe\x8c\x80",
        b"\0\6\1\xbe\x98T\0",
        b"\0\6\3\3\xaeab",
    ],
)
def test_other_pushes_are_none(data: bytes) -> None:
    assert mms_notification(data) is None


@pytest.mark.parametrize(
    ("rest", "field"),
    [
        (b"\x98", "push.field"),
        (b"\x98abc", "push.field"),
        (b"\x8e\x05\1", "push.field"),
        (b"\x8e\x1f", "push.field"),
        (b"\x8e\x1f\xff\xff\xff\xff\xff\1", "push.field"),
        (b"\x88\x0c\x80\x0a" + b"\xff" * 10, "push.expiry"),
        (b"\x88\x0c\x81\x0a" + b"\xff" * 10, "push.expiry"),
    ],
)
def test_octets_that_are_not_what_the_standard_says(rest: bytes, field: str) -> None:
    with pytest.raises(DecodeError) as caught:
        mms_notification(HEAD + rest)
    assert caught.value.field == field


def test_a_long_header_has_its_length_in_two_octets() -> None:
    head = b"\0\6\x81\1\xbe" + b"\xaf\x84" * 64
    found = mms_notification(head + b"\x8c\x82\x83u\0")
    assert found is not None
    assert found.url == "u"


def test_a_length_of_the_headers_that_does_not_end() -> None:
    with pytest.raises(DecodeError, match=r"push.headers at octet 2"):
        mms_notification(b"\0\6\xff\xff")


@given(st.binary(max_size=100))
def test_any_octets_give_a_notification_none_or_a_decode_error(data: bytes) -> None:
    for octets in (data, HEAD + data):
        try:
            found: object = mms_notification(octets)
        except DecodeError as error:
            found = error
        assert found is None or isinstance(found, MmsNotification | DecodeError)
