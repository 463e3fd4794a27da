"""smsmode's HTTP API 1.6: send, delivery report, balance, list (the manual's items 3, 4, 5, 9).

Parameters are percent-encoded ISO-8859-15, or UTF-8 with ``classe_msg=9``; answers are fields
separated by ``|``. The same integers mean different things as return codes and as statuses.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from smsd.adapters.cloud.codec import Reply, Request
from smsd.adapters.cloud.lookup import Listed
from smsd.adapters.contract import (
    Capabilities,
    Declined,
    PhoneError,
    Rejected,
    Submission,
    Throttled,
    Unavailable,
    Uncertain,
)
from smsd.model.events import Awaited, Report, Verdict
from smsd.model.message import Fault, FaultClass
from smsd.model.phone import Health

BASE_URL: Final = "https://api.smsmode.com/http/"
MOST_SEGMENTS: Final = 5  # the text is cut beyond nbr_msg, and 5 is the most it takes
_SINGLE: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåÆæßÉÈ !\"#%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà_"
)
_DOUBLE: Final = frozenset("{|}~[\\]^€")
_REPORT: Final = re.compile(r"\+?(?P<number>[0-9]{6,15})\s+(?P<status>[0-9]{1,4})")
_LISTED: Final = re.compile(
    r"""
    ^[ \t]* (?P<id>\S+) [ \t]*\|
    [ \t]* (?P<date>\d{2}/\d{2}/\d{4}[ ]\d{2}:\d{2} | \d{8}-\d{2}:\d{2}) [ \t]*\|
    [ \t]* (?P<text>.*?) [ \t]*\|
    [ \t]* \+?(?P<number>\d{6,15}) [ \t]*\|
    [ \t]* -?\d+(?:[.,]\d+)? [ \t]*\|
    [ \t]* \d+ [ \t]*\|? [ \t]*$
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_BALANCE: Final = re.compile(r"-?[0-9]{1,12}(?:[.,][0-9]{1,6})?")
_PASSING: Final = (31, 50)  # return codes that say nothing of the account
_REFUSED_STATUSES: Final = (401, 403, 404, 405, 413)

_DELIVERED: Final = {
    11: "received by the handset",
    14: "delivered",
    16: "listened to",
    100: "read",
}
_FAILED: Final = {
    2: "internal error of smsmode",
    21: "cannot be delivered",
    22: "rejected",
    33: "not sent: no credit",
    34: "routing error",
    35: "reception error",
    36: "message error",
    37: "expired",
    38: "message too long",
    39: "reception error",
    50: "not delivered",
    3521: "the operator refuses it for good",
    3522: "the subscriber is gone for good",
    3523: "the telephone refuses it for good",
    3524: "refused as spam",
    3525: "refused for its content",
    3526: "the number was ported away",
    3527: "roaming does not allow it",
    3560: "cannot be routed",
    3599: "failed for another reason",
    3998: "invalid recipient",
    3999: "the recipient is on a blacklist",
}


@dataclass(frozen=True, slots=True)
class Smsmode:
    """An smsmode account. ``sender`` is at most 11 characters without accents or blanks."""

    access_token: str
    base_url: str = BASE_URL
    sender: str | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Four messages at a time; it has no flash messages."""
        return Capabilities(slots=4, cloud=True)

    def submit(self, submission: Submission) -> Request:
        """``sendSMS.do`` (item 3), in unicode (item 16) for what the table cannot carry."""
        text = submission.text
        units = sum(1 + (char in _DOUBLE) for char in text)
        plain = all(char in _SINGLE or char in _DOUBLE for char in text)
        single, chained = (160, 153) if plain else (70, 67)
        if not plain:
            units = len(text.encode("utf-16-be")) // 2
        segments = 1 if units <= single else -(-units // chained)
        if segments > MOST_SEGMENTS:
            words = f"smsmode takes {MOST_SEGMENTS} SMS a message, this one is {segments}"
            raise Declined(Fault(FaultClass.DECLINED, words))
        number = submission.destination.removeprefix("+")
        if not (number.isascii() and number.isdigit()):
            raise Rejected(Fault(FaultClass.PERMANENT, "the recipient is no telephone number"))
        parameters = {
            "accessToken": self.access_token,
            "numero": number,
            "message": text,
            "refClient": f"smsd-{submission.attempt}",
            "nbr_msg": str(segments),
        }
        if self.sender is not None:
            parameters["emetteur"] = self.sender
        if not plain:
            parameters["classe_msg"] = "9"
        return Request("POST", "1.6/sendSMS.do", _form(parameters, plain=plain))

    def receipt(self, reply: Reply) -> str:
        """The third field of ``0 | Accepté … | id``; all else is a refusal or a doubt."""
        answer = _answer(reply.text)
        if answer is None or reply.status >= 500:
            raise _unreadable(reply)
        code, words, identifier = answer
        if code == 0 and identifier and reply.status < 400:
            return identifier
        raise _refusal(code, words)

    def enquire(self, awaited: Awaited) -> Request:
        """``compteRendu.do`` (item 4)."""
        parameters = {"accessToken": self.access_token, "smsID": awaited.reference}
        return Request("GET", "1.6/compteRendu.do", _form(parameters))

    def verdict(self, awaited: Awaited, reply: Reply) -> Report | None:
        """The recipient's status in ``336… 11 | 336… 13``; ``None`` for an error or none of his."""
        parts = [part.strip() for part in reply.text.split("|") if part.strip()]
        found = [_REPORT.fullmatch(part) for part in parts]
        for match in found if all(found) else ():
            assert match is not None
            if match["number"][-9:] != awaited.recipient[-9:]:
                continue
            status = int(match["status"])
            verdict = Verdict.TRYING
            words = _DELIVERED.get(status) or _FAILED.get(status) or "under way"
            if status in _DELIVERED:
                verdict = Verdict.DELIVERED
            elif status in _FAILED:
                verdict = Verdict.FAILED
            return Report(awaited.reference, awaited.recipient, verdict, f"smsmode {status}", words)
        return None

    def enquire_list(self) -> Request:
        """``smsList.do`` (item 9): the newest come first; ``offset`` is how many."""
        parameters = {"accessToken": self.access_token, "start": "0", "offset": "200"}
        return Request("GET", "1.6/smsList.do", _form(parameters))

    def listed(self, reply: Reply) -> list[Listed]:
        """``id | date | text | number | cost | count |``; a text may hold bars and line ends.

        Dates are in one of two forms, in minutes of Paris. A message to several numbers shows one.
        """
        text = reply.text.replace("\r\n", "\n")
        records = list(_LISTED.finditer(text))
        if reply.status >= 400 or _answer(text) is not None or (text.strip() and not records):
            raise _unreadable(reply)
        found = []
        for record in records:
            form = "%d/%m/%Y %H:%M" if "/" in record["date"] else "%d%m%Y-%H:%M"
            try:
                at = datetime.strptime(record["date"], form).replace(tzinfo=_zone())
            except ValueError:
                raise _unreadable(reply) from None
            found.append(Listed(record["id"], at, record["number"], record["text"]))
        return found

    def probe(self) -> Request:
        """``credit.do`` (item 5)."""
        return Request("GET", "1.6/credit.do", _form({"accessToken": self.access_token}))

    def standing(self, reply: Reply) -> str:
        """The balance in words; a negative one is a post-paid account, zero is no credit."""
        text = reply.text.strip()
        if _BALANCE.fullmatch(text):
            amount = float(text.replace(",", "."))
            if amount == 0:
                raise Unavailable(
                    Fault(FaultClass.CREDIT, "the account is empty"), health=Health.NO_CREDIT
                )
            return f"balance {text}" if amount > 0 else "post-paid account"
        answer = _answer(text)
        if answer is None and reply.status in (*_REFUSED_STATUSES, 429):
            raise _unreadable(reply)
        code, words, _ = answer or (None, f"HTTP {reply.status}, not readable", "")
        kind = FaultClass.NETWORK if code in (None, *_PASSING) else FaultClass.CONFIGURATION
        raise Unavailable(Fault(kind, words, None if code is None else f"smsmode {code}"))


@cache
def _zone() -> tzinfo:
    """The provider's wall clock."""
    try:
        return ZoneInfo("Europe/Paris")
    except ZoneInfoNotFoundError:
        return UTC


def _answer(text: str) -> tuple[int, str, str] | None:
    """Code, words and id (empty if there is none) of ``code | words | id``; a last | is allowed."""
    code, *rest = [field.strip() for field in text.split("|")]
    if not rest or not re.fullmatch("[0-9]{1,4}", code):
        return None
    words, *more = rest[:-1] if len(rest) > 1 and not rest[-1] else rest
    if len(more) > 1 or any(len(field.split()) != 1 for field in more):
        return None
    return int(code), words, more[0] if more else ""


def _form(parameters: dict[str, str], *, plain: bool = True) -> bytes:
    encoding = "iso-8859-15" if plain else "utf-8"
    return urlencode(parameters, encoding=encoding).encode("ascii")


def _unreadable(reply: Reply) -> PhoneError:
    """A reply that is not in smsmode's form: a refusal only where the HTTP status proves one."""
    code = f"HTTP {reply.status}"
    if reply.status == 429:
        fault = Fault(FaultClass.LIMIT, "too many requests", code)
        return Unavailable(fault, health=Health.LIMIT_REACHED, seconds=60.0)
    if reply.status in _REFUSED_STATUSES:
        hint = "check access_token and base_url"
        return Unavailable(Fault(FaultClass.CONFIGURATION, "smsmode refuses us", code, hint))
    return Uncertain(
        Fault(
            FaultClass.AMBIGUOUS,
            "the answer says neither that it was accepted nor that it was refused",
            code,
            "smsmode is asked for it; look there by its refClient before sending it again",
        )
    )


def _refusal(code: int, words: str) -> PhoneError:
    """What a return code of ``sendSMS.do`` asks for; an unknown one proves nothing."""
    name = f"smsmode {code}"
    match code:
        case 32:
            hint = "check access_token"
            return Unavailable(Fault(FaultClass.CONFIGURATION, "wrong access token", name, hint))
        case 33:
            return Unavailable(
                Fault(FaultClass.CREDIT, "no credit left", name), health=Health.NO_CREDIT
            )
        case 35:
            return Declined(Fault(FaultClass.DECLINED, "a parameter is missing or wrong", name))
        case 50:
            fault = Fault(FaultClass.LATER, "temporarily not to be reached", name)
            return Throttled(fault, retry_after=60.0)
        case 0:
            doubt = "accepted, but no id came with it"
        case _:
            doubt = f"it answered {words or 'an error'}, which is no proof that it was not sent"
    return Uncertain(Fault(FaultClass.AMBIGUOUS, doubt, name))
