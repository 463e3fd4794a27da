"""USSD strings as modems write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.at.ussd import Form, cancel, decode, encode, request
from smsd.gsm.errors import EncodeError
from smsd.gsm.ussd import pack_ussd


def packed(text: str) -> str:
    return pack_ussd(text).hex().upper()


def ucs2(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (Form.TEXT, 'AT+CUSD=1,"*123#",15'),
        (Form.PACKED, 'AT+CUSD=1,"AA986C3602",15'),
        (Form.UCS2, 'AT+CUSD=1,"002A0031003200330023",15'),
    ],
)
def test_a_request_in_each_form(form: Form, line: str) -> None:
    command = request("*123#", form)
    assert command.line == line
    assert command.parse(()) is None


def test_the_end_of_a_session() -> None:
    assert cancel().line == "AT+CUSD=2"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", Form.TEXT), ("1" * 183, Form.UCS2), ('1"', Form.TEXT), ("é", Form.TEXT),
        ("1\r", Form.TEXT), ("ж", Form.PACKED),
    ],
)  # fmt: skip
def test_what_a_form_cannot_say_is_refused(text: str, form: Form) -> None:
    with pytest.raises(EncodeError):
        encode(text, form)


@pytest.mark.parametrize(
    ("string", "coding", "form", "text"),
    [
        ("Solde: 12,50 EUR", 15, Form.TEXT, "Solde: 12,50 EUR"),
        # Huawei: packed, and a text under a packed request (chan-dongle#38)
        (packed("Your balance is 5.20"), 15, Form.PACKED, "Your balance is 5.20"),
        ("Your balance is 5.20", 15, Form.PACKED, "Your balance is 5.20"),
        (packed("1234567"), 15, Form.PACKED, "1234567"),
        # packed although the request was a text
        (packed("Your balance is 5.20"), 15, Form.TEXT, "Your balance is 5.20"),
        # UCS2 as it says, and under 15 (gammu#358)
        (ucs2("Баланс 12"), 72, Form.TEXT, "Баланс 12"),
        (ucs2("余额"), 0x48, Form.TEXT, "余额"),
        (ucs2("Egyenleg: 100 Ft, érvényes"), 15, Form.TEXT, "Egyenleg: 100 Ft, érvényes"),
        (ucs2("Egyenleg"), None, Form.PACKED, "Egyenleg"),
        # 0x11: two packed letters name the language, or nobody put them there
        ("E57C" + ucs2("Hallo"), 0x11, Form.TEXT, "Hallo"),
        (ucs2("Hallo"), 0x11, Form.TEXT, "Hallo"),
        # figures are figures
        ("12345678", 15, Form.TEXT, "12345678"),
        ("1234", 15, Form.TEXT, "1234"),
        ("CAFE", 15, Form.TEXT, "CAFE"),
        ("0041", 15, Form.TEXT, "0041"),
        ("123", 72, Form.TEXT, "123"),
        ("004100", 72, Form.TEXT, "004100"),
        # hex that is no text of either kind stays what it is
        (packed("\f" * 8), 15, Form.PACKED, packed("\f" * 8)),
        ("", 15, Form.TEXT, ""),
        # octets of the default alphabet, of UTF-8, of Latin 1
        ("Solde: 5\x1b\x65", 15, Form.TEXT, "Solde: 5€"),
        ("cr\x05dit", 15, Form.TEXT, "crédit"),
        ("crédit".encode().decode("latin-1"), 15, Form.TEXT, "crédit"),
        ("crédit", 15, Form.TEXT, "crédit"),
        ("a\nb\tc", 15, Form.TEXT, "a\nb\tc"),
    ],
)
def test_replies_of_the_field(string: str, coding: int | None, form: Form, text: str) -> None:
    assert decode(string, coding, form) == text


@given(st.text("abcdefghij 0123456789.,:", min_size=12, max_size=90), st.sampled_from(Form))
def test_a_text_is_read_in_whatever_form_it_comes(text: str, form: Form) -> None:
    assert decode(ucs2("Solde " + text), 15, form) == "Solde " + text
    assert decode(packed("Solde " + text), 15, form) == "Solde " + text
    assert decode("Solde " + text, 15, form) == "Solde " + text


@given(
    st.text(max_size=60) | st.text("0123456789ABCDEF", max_size=60),
    st.none() | st.integers(0, 255),
    st.sampled_from(Form),
)
def test_no_reply_is_too_odd_to_be_read(string: str, coding: int | None, form: Form) -> None:
    assert isinstance(decode(string, coding, form), str)
