"""The provider: its parameters, codes and characters; then its server and its faults."""

import asyncio
import random
from urllib.parse import urlencode

import aiohttp
import pytest
from hwsim.clock import ManualClock
from hwsim.cloud.server import SmsmodeServer
from hwsim.cloud.smsmode import Account, Answer, cut

NUMBER = "33612345678"


def account() -> Account:
    return Account(ManualClock(), "secret", random.Random(0))


def ask(account: Account, operation: str, charset: str = "iso8859-15", **given: str) -> Answer:
    parameters = {"accessToken": "secret"} | given
    query = urlencode(parameters, encoding=charset, errors="xmlcharrefreplace")
    return account.answer("POST", operation + ".do", "", query)


def send(account: Account, text: str = "Bonjour", **given: str) -> str:
    return ask(account, "sendSMS", **({"message": text, "numero": NUMBER} | given)).text or ""


def id_of(answer: str) -> str:
    return answer.split(" | ")[2]


def test_a_message_is_accepted_reported_and_listed() -> None:
    provider = account()
    first = id_of(send(provider, "un", numero="0612345678,+33699999999"))
    second = id_of(send(provider, "a | b\nc"))
    report = ask(provider, "compteRendu", smsID=first).text
    assert report == "33612345678 11 | 33699999999 11"
    assert ask(provider, "smsStatus", smsID=second).text == "11 | Reçu"
    listed = (ask(provider, "smsList").text or "").split("\n\n")
    assert [line.split(" | ")[0] for line in listed] == [second, first]
    assert listed[1].endswith("| un | 33612345678 | 2.0 | 2 |")
    assert ask(provider, "smsList", start="1", offset="1").text == listed[1]


@pytest.mark.parametrize(
    ("operation", "given", "code"),
    [
        ("sendSMS", {"accessToken": "wrong", "message": "x", "numero": NUMBER}, "32"),
        ("sendSMS", {"numero": NUMBER}, "35"),
        ("sendSMS", {"message": "x"}, "35"),
        ("sendSMS", {"message": "x", "numero": NUMBER, "groupe": "all"}, "35"),
        ("sendSMS", {"message": "x", "numero": NUMBER, "classe_msg": "3"}, "35"),
        ("sendSMS", {"message": "x", "numero": NUMBER, "date_envoi": "01012000-00:00"}, "35"),
        ("sendSMS", {"message": "x", "numero": NUMBER, "date_envoi": "soon"}, "35"),
        ("sendSMS", {"Message": "x", "numero": NUMBER}, "35"),
        ("compteRendu", {}, "35"),
        ("compteRendu", {"smsID": "none"}, "61"),
        ("smsStatus", {}, "35"),
        ("smsStatus", {"smsID": "none"}, "61"),
        ("deleteSMS", {}, "35"),
        ("deleteSMS", {"smsID": "none"}, "61"),
        ("smsList", {"offset": "10001"}, "35"),
        ("credit", {"accessToken": "wrong"}, "32"),
    ],
)
def test_what_is_refused(operation: str, given: dict[str, str], code: str) -> None:
    assert (ask(account(), operation, **given).text or "").split(" | ")[0] == code


def test_the_token_is_needed() -> None:
    assert (
        account().answer("GET", "credit.do", "", "").text == "35 | Paramètre obligatoire manquant"
    )


def test_get_takes_300_recipients_and_post_more() -> None:
    provider = account()
    query = urlencode({"accessToken": "secret", "message": "x", "numero": ",".join([NUMBER] * 301)})
    assert (provider.answer("GET", "sendSMS.do", query, "").text or "").startswith("35")
    assert (provider.answer("POST", "sendSMS.do", "", query).text or "").startswith("0")


def test_the_body_wins_over_the_query() -> None:
    provider = account()
    query = urlencode({"accessToken": "secret", "message": "query", "numero": NUMBER})
    provider.answer("POST", "sendSMS.do", query, "message=body")
    assert provider.messages[0].text == "body"


@pytest.mark.parametrize(
    ("encoded", "text", "warned"),
    [
        ("%E9%A4%80%7B", "é€€{", False),
        ("%EA%E7%C0%A8", "????", True),
        ("%C3%A9", "??", True),
        ("+%2B", " +", False),
    ],
)
def test_characters_of_the_western_charset(encoded: str, text: str, warned: bool) -> None:
    provider = account()
    provider.answer("GET", "sendSMS.do", f"accessToken=secret&numero=1&message={encoded}", "")
    assert provider.messages[0].text == text
    assert ("CHAR_REPLACED" in provider.messages[0].warnings) == warned


def test_unicode_is_utf_8() -> None:
    provider = account()
    ask(provider, "sendSMS", "utf-8", message="☺ é", numero=NUMBER, classe_msg="9")
    assert provider.messages[0].text == "☺ é"


@pytest.mark.parametrize(
    ("text", "most", "unicode", "kept", "segments"),
    [
        ("a" * 160, 5, False, 160, 1),
        ("a" * 161, 5, False, 161, 2),
        ("a" * 161, 1, False, 160, 1),
        ("€" * 160, 2, False, 153, 2),
        ("a" * 900, 5, False, 765, 5),
        ("☺" * 70, 5, True, 70, 1),
        ("😀" * 36, 5, True, 36, 2),
        ("☺" * 400, 5, True, 335, 5),
    ],
)
def test_texts_are_counted_and_cut(
    text: str, most: int, unicode: bool, kept: int, segments: int
) -> None:
    found, count = cut(text, most, unicode=unicode)
    assert (len(found), count) == (kept, segments)


def test_stop_is_added_when_it_costs_nothing_or_always() -> None:
    provider = account()
    for text, stop in (("a" * 149, "1"), ("a" * 150, "1"), ("a" * 150, "2")):
        send(provider, text, stop=stop)
    assert [len(message.text) for message in provider.messages] == [160, 150, 161]


def test_credit_is_spent_until_none_is_left_and_debt_is_allowed() -> None:
    provider = account()
    provider.control("credit", ["1.5"])
    assert send(provider).startswith("0 | ")
    assert ask(provider, "credit").text == "0.5"
    assert send(provider).startswith("33 | ")
    provider.control("credit", ["-3"])
    assert send(provider).startswith("0 | ")
    assert ask(provider, "credit").text == "-4.0"


def test_the_status_changes_with_time() -> None:
    provider = account()
    provider.control("status-delay", ["10"])
    provider.control("status", ["35"])
    sms = id_of(send(provider))
    states = []
    for _ in range(3):
        states.append((ask(provider, "compteRendu", smsID=sms).text or "").split()[1])
        assert isinstance(provider.clock, ManualClock)
        provider.clock.advance(5.1)
    assert states == ["0", "13", "35"]
    assert ask(provider, "smsStatus", smsID=sms).text == "39 | Erreur réception"


def test_a_scheduled_message_can_be_deleted() -> None:
    provider = account()
    sms = id_of(send(provider, date_envoi="31122026-12:00"))
    assert (ask(provider, "smsStatus", smsID=sms).text or "").startswith("10 | ")
    assert ask(provider, "deleteSMS", numero="0612345678").text == "0 | SMS supprimé"
    assert ask(provider, "smsList").text == ""


def test_answers_and_faults_befall_the_next_sendings() -> None:
    provider = account()
    provider.control("answer", ["50", "--count", "2"])
    provider.control("fault", ["noid"])
    provider.control("fault", ["html"])
    codes = [send(provider).split(" | ")[0] for _ in range(5)]
    assert codes[:3] == ["50", "50", "0"]
    assert "<html>" in codes[3]
    assert codes[4] == "0"
    rows = provider.control("sent", [])
    assert len(rows) == 3
    assert rows[0]["numero"] == NUMBER
    answered = [request["answered"] for request in provider.control("requests", [])]
    assert answered[2] == "0 | Accepté"
    for key, value in (("fault", "nonsense"), ("nonsense", "")):
        with pytest.raises(ValueError, match="nonsense"):
            provider.control(key, [value])


async def _over_the_wire() -> None:
    async with SmsmodeServer(account()) as server, aiohttp.ClientSession() as client:
        url = server.info()["url"] + "1.6/"
        token = {"accessToken": "secret"}
        message = token | {"message": "e", "numero": NUMBER}
        async with client.get(url + "credit.do", params=token) as answer:
            assert answer.headers["Content-Type"] == "text/plain; charset=ISO-8859-15"
            assert await answer.text() == "1000.0"
        async with client.post(url + "sendSMS.do", data=b"accessToken=secret") as answer:
            assert (await answer.read()).startswith("35 | Paramètre".encode("iso8859-15"))
        for closing, accepted in (("close-before", 0), ("close", 1)):
            server.account.control("fault", [closing])
            with pytest.raises(aiohttp.ClientError):
                await client.post(url + "sendSMS.do", data=message)
            assert len(server.account.messages) == accepted
        for fault, accepted in ((["http500"], 1), (["http500", "accepted"], 2)):
            server.account.control("fault", fault)
            async with client.post(url + "sendSMS.do", data=message) as answer:
                assert answer.status == 500
            assert len(server.account.messages) == accepted
        server.account.control("fault", ["hang", "0.01"])
        async with client.post(url + "sendSMS.do", data=message) as answer:
            assert (await answer.read()).startswith(b"0 | ")
        async with client.get(url + "nothing.do") as answer:
            assert answer.status == 404


def test_over_the_wire() -> None:
    asyncio.run(_over_the_wire())
