"""smsmode's answers and requests: providers.md 5 and its vectors 21 to 34. Pure."""

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.adapters.cloud.codec import Reply
from smsd.adapters.cloud.smsmode import Smsmode
from smsd.adapters.contract import (
    Declined,
    PhoneError,
    Rejected,
    Throttled,
    Unavailable,
    Uncertain,
)
from smsd.model.events import Awaited, Verdict
from smsd.model.message import FaultClass
from smsd.model.phone import Health
from tests.adapters.scripted import submission
from tests.virtual_time import START

TOKEN = "secret-token"
PROVIDER = Smsmode(TOKEN)
AWAITED = Awaited("S7EpYZ5kmS87", "+33600000000", START)
ACCEPTED = "0 | Accepté - le message a été accepté par le système et est en cours de traitement"


def reply(text: str, status: int = 200, charset: str | None = "ISO-8859-15") -> Reply:
    return Reply(status, text.encode(charset or "utf-8"), charset)


def form_of(text: str, encoding: str = "iso-8859-15", **changes: object) -> dict[str, str]:
    request = PROVIDER.submit(submission(text, 42, **changes))
    assert (request.method, request.path) == ("POST", "1.6/sendSMS.do")
    return {k: v[0] for k, v in parse_qs(request.form.decode(), encoding=encoding).items()}


# Requests --------------------------------------------------------------------------------------


def test_a_message_goes_by_post_with_its_tag_and_length() -> None:
    assert form_of("Forêt"[:3] + "€", destination="+33612345678") == {
        "accessToken": TOKEN,
        "numero": "33612345678",
        "message": "For€",
        "refClient": "smsd-42",
        "nbr_msg": "1",
    }


def test_a_sender_is_told() -> None:
    request = Smsmode(TOKEN, sender="Mairie").submit(submission("a"))
    assert b"emetteur=Mairie" in request.form


def test_the_euro_is_written_in_the_account_charset() -> None:
    assert b"message=5%A4" in PROVIDER.submit(submission("5€")).form


@pytest.mark.parametrize(
    ("text", "segments", "unicode"),
    [
        ("a" * 160, 1, False),
        ("a" * 160 + "[", 2, False),  # vector 33
        ("a" * 159 + "€", 2, False),
        ("a" * 765, 5, False),
        ("Forêt à 5€", 1, True),  # vector 32
        ("ê" * 70, 1, True),
        ("ê" * 71, 2, True),
        ("😀" * 35, 1, True),
        ("😀" * 36, 2, True),
        ("ê" * 335, 5, True),
        ("È", 1, False),
        ("Ω", 1, True),
    ],
)
def test_lengths_and_characters(text: str, segments: int, unicode: bool) -> None:
    form = form_of(text, "utf-8" if unicode else "iso-8859-15")
    assert form["message"] == text
    assert form["nbr_msg"] == str(segments)
    assert (form.get("classe_msg") == "9") is unicode


@pytest.mark.parametrize("text", ["a" * 766, "ê" * 336])
def test_what_would_be_cut_is_declined(text: str) -> None:
    with pytest.raises(Declined):
        PROVIDER.submit(submission(text))


@pytest.mark.parametrize("destination", ["", "+", "+33x", "+33²", "BANK"])
def test_what_is_no_number_is_rejected(destination: str) -> None:
    with pytest.raises(Rejected):
        PROVIDER.submit(submission(destination=destination))


def test_the_other_requests_are_reads() -> None:
    assert PROVIDER.enquire(AWAITED).method == PROVIDER.probe().method == "GET"
    assert b"smsID=S7EpYZ5kmS87" in PROVIDER.enquire(AWAITED).form
    assert PROVIDER.probe().path == "1.6/credit.do"


# Receipts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        (f"{ACCEPTED} | S7EpYZ5kmS87", "S7EpYZ5kmS87"),  # vector 21
        (f" {ACCEPTED} | S7EpYZ5kmS87 |\r\n", "S7EpYZ5kmS87"),
        ("0|ok|12345678", "12345678"),
        ("0 | | x", "x"),
    ],
)
@pytest.mark.parametrize("charset", ["ISO-8859-15", "utf-8", "utf-8-sig", None])
def test_an_acceptance_carries_an_id(text: str, identifier: str, charset: str | None) -> None:
    assert PROVIDER.receipt(reply(text, charset=charset)) == identifier
    assert PROVIDER.receipt(reply(text, 201, charset=charset)) == identifier


@pytest.mark.parametrize(
    ("answer", "error", "kind"),
    [
        (reply("0 | Accepté"), Uncertain, FaultClass.AMBIGUOUS),  # vector 22
        (reply("0 | Accepté |"), Uncertain, FaultClass.AMBIGUOUS),
        (reply("0 | Accepté | two words"), Uncertain, FaultClass.AMBIGUOUS),
        (reply("0 | Accepté | a | b"), Uncertain, FaultClass.AMBIGUOUS),
        (reply("31 | Erreur interne"), Uncertain, FaultClass.AMBIGUOUS),
        (reply("32 | Erreur d'authentification"), Unavailable, FaultClass.CONFIGURATION),
        (reply("33 | Crédits insuffisants"), Unavailable, FaultClass.CREDIT),  # vector 23
        (reply("35 | Paramètre obligatoire manquant"), Declined, FaultClass.DECLINED),
        (reply("50 | Temporairement inaccessible"), Throttled, FaultClass.LATER),
        (reply("61 | SMS non trouvé"), Uncertain, FaultClass.AMBIGUOUS),
        (reply("99 |"), Uncertain, FaultClass.AMBIGUOUS),
        (reply(""), Uncertain, FaultClass.AMBIGUOUS),
        (reply("0"), Uncertain, FaultClass.AMBIGUOUS),
        (reply("33"), Uncertain, FaultClass.AMBIGUOUS),
        (reply("12345 | x"), Uncertain, FaultClass.AMBIGUOUS),
        (reply("² | x"), Uncertain, FaultClass.AMBIGUOUS),
        (reply("<html>0 | ok | x</html>"), Uncertain, FaultClass.AMBIGUOUS),
        (reply("", 302), Uncertain, FaultClass.AMBIGUOUS),
        (reply(f"{ACCEPTED} | id", 500), Uncertain, FaultClass.AMBIGUOUS),
        (reply("33 | Crédits insuffisants", 503), Uncertain, FaultClass.AMBIGUOUS),
        (reply(f"{ACCEPTED} | id", 404), Uncertain, FaultClass.AMBIGUOUS),
        (reply("33 | Crédits insuffisants", 402), Unavailable, FaultClass.CREDIT),
        (reply("<html>", 401), Unavailable, FaultClass.CONFIGURATION),
        (reply("<html>", 403), Unavailable, FaultClass.CONFIGURATION),
        (reply("<html>", 404), Unavailable, FaultClass.CONFIGURATION),
        (reply("<html>", 405), Unavailable, FaultClass.CONFIGURATION),
        (reply("<html>", 413), Unavailable, FaultClass.CONFIGURATION),
        (reply("<html>", 429), Unavailable, FaultClass.LIMIT),
        (reply("<html>", 408), Uncertain, FaultClass.AMBIGUOUS),
        (reply("<html>", 400), Uncertain, FaultClass.AMBIGUOUS),
        (reply("<html>", 502), Uncertain, FaultClass.AMBIGUOUS),
    ],
)
def test_what_is_no_acceptance(answer: Reply, error: type[PhoneError], kind: FaultClass) -> None:
    with pytest.raises(PhoneError) as raised:
        PROVIDER.receipt(answer)
    assert type(raised.value) is error
    assert raised.value.fault.kind is kind
    assert TOKEN not in str(raised.value)


def test_no_credit_is_the_accounts_health() -> None:
    with pytest.raises(Unavailable) as raised:
        PROVIDER.receipt(reply("33 | Crédits insuffisants"))
    assert raised.value.health is Health.NO_CREDIT


# Reports ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("33600000000 11 | 33611111111 13", Verdict.DELIVERED),  # vector 24
        ("33611111111 13 | +33600000000 13 |", Verdict.TRYING),
        ("0600000000 14", Verdict.DELIVERED),
        ("33600000000 0", Verdict.TRYING),
        ("33600000000 35", Verdict.FAILED),  # vector 25
        ("33600000000 3501", Verdict.TRYING),
        ("33600000000 3998", Verdict.FAILED),
        ("33600000000 999", Verdict.TRYING),
        ("35 | Paramètre obligatoire manquant", None),
        ("61 | SMS non trouvé", None),
        ("33611111111 11", None),
        ("", None),
        ("<html>", None),
    ],
)
def test_what_a_report_says(text: str, verdict: Verdict | None) -> None:
    report = PROVIDER.verdict(AWAITED, reply(text))
    assert (report.verdict if report else None) is verdict
    if report is not None:
        assert (report.reference, report.recipient) == (AWAITED.reference, AWAITED.recipient)
        assert report.words


# The account -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("212.5", "balance 212.5"),
        (" 32\n", "balance 32"),
        ("0,5", "balance 0,5"),
        ("-10.5", "post-paid account"),
    ],
)
def test_an_account_that_can_send(text: str, words: str) -> None:  # vector 26
    assert PROVIDER.standing(reply(text)) == words


@pytest.mark.parametrize(
    ("answer", "health", "kind"),
    [
        (reply("0"), Health.NO_CREDIT, FaultClass.CREDIT),
        (reply("0.0"), Health.NO_CREDIT, FaultClass.CREDIT),
        (reply("32 | Erreur d'authentification"), Health.UNAVAILABLE, FaultClass.CONFIGURATION),
        (reply("31 | Erreur interne"), Health.UNAVAILABLE, FaultClass.NETWORK),
        (reply("50 | Temporairement"), Health.UNAVAILABLE, FaultClass.NETWORK),
        (reply("<html>", 502), Health.UNAVAILABLE, FaultClass.NETWORK),
        (reply("<html>", 401), Health.UNAVAILABLE, FaultClass.CONFIGURATION),
        (reply("<html>", 429), Health.LIMIT_REACHED, FaultClass.LIMIT),
    ],
)
def test_an_account_that_cannot(answer: Reply, health: Health, kind: FaultClass) -> None:
    with pytest.raises(Unavailable) as raised:
        PROVIDER.standing(answer)
    assert (raised.value.health, raised.value.fault.kind) == (health, kind)


# Anything --------------------------------------------------------------------------------------


@pytest.mark.parametrize("charset", ["hex", "undefined", "idna", "utf-16", "no-such", "a\0b", ""])
def test_a_charset_that_is_none_is_no_matter(charset: str) -> None:
    assert Reply(200, "é".encode("latin-1") + b"a" * 80, charset).text


@given(
    st.integers(100, 599),
    st.one_of(st.binary(max_size=60), st.from_regex(r"\s*\d{1,5} ?\|[ a-zé|]*\n?").map(str.encode)),
    st.sampled_from([None, "utf-8", "ISO-8859-15", "ascii"]),
)
def test_any_reply_is_an_acceptance_or_an_error(
    status: int, body: bytes, charset: str | None
) -> None:
    answer = Reply(status, body, charset)
    PROVIDER.verdict(AWAITED, answer)
    for read in (PROVIDER.receipt, PROVIDER.standing):
        try:
            assert read(answer)
        except PhoneError:
            continue


def test_a_reply_of_blanks_is_read_in_no_time() -> None:
    with pytest.raises(Uncertain):
        PROVIDER.receipt(reply("12 |" + " " * 60_000 + "| a |" + " " * 60_000 + "x"))
