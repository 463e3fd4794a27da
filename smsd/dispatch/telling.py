"""What a webhook's receiver is told of an event: its type, its body, its headers. Pure.

Each event has one type and one id, the same however often it is told; what is told is drawn from
rows that the event itself made, so that a later telling says the same.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from smsd import __version__
from smsd.model.message import State
from smsd.store.states import SENDED

Row = Mapping[str, Any]


class Kind(StrEnum):
    """The types of events; the first four are RaspiSMS's."""

    SEND_SMS = "send_sms"  # it left, or will not leave
    SEND_SMS_STATUS_CHANGE = "send_sms_status_change"
    RECEIVE_SMS = "receive_sms"
    INBOUND_CALL = "inbound_call"
    END_CALL = "end_call"
    MESSAGE_STATE = "message_state"  # every other change of a message's state


class Form(StrEnum):
    """How an event is told."""

    SMSD = "smsd"
    RASPISMS = "raspisms"


FORMS: Final[Mapping[Form, tuple[Kind, ...]]] = {
    Form.SMSD: tuple(Kind),
    Form.RASPISMS: (
        Kind.SEND_SMS, Kind.SEND_SMS_STATUS_CHANGE, Kind.RECEIVE_SMS, Kind.INBOUND_CALL,
    ),
}  # fmt: skip
"""The types that each form has."""
LONGEST_URL: Final = 2000  # characters
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Told:
    """A request as it goes over the wire."""

    body: bytes
    headers: Mapping[str, str]


def kind_of(event: Row) -> Kind | None:
    """The type of an event, ``None`` where it is of none.

    ``shown`` is the state in which its message showed among the sent ones before, ``again`` that
    its call was told of before.
    """
    match event["kind"]:
        case "received":
            return Kind.RECEIVE_SMS
        case "call":
            return None if event["again"] else Kind.INBOUND_CALL
        case "call ended":
            return Kind.END_CALL
        case "state":
            status = SENDED.get(State(event["state"]))
            if status is None:
                return Kind.MESSAGE_STATE
            if event["shown"] is None:
                return Kind.SEND_SMS
            before = SENDED[State(event["shown"])]
            return Kind.MESSAGE_STATE if before == status else Kind.SEND_SMS_STATUS_CHANGE
        case _:
            return None


def concerns(event: Row, account: int | None) -> bool:
    """Whether an event is told to an account's webhook: what comes in is everybody's."""
    return account is None or event["account_id"] in (None, account)


def event_id(event: Row) -> str:
    """The id of an event: its time is in it, so that a database that was restored makes others."""
    return f"{event['at']}-{event['id']}"


def told(form: Form, kind: Kind, subject: Row, secret: str, now: datetime, zone: tzinfo) -> Told:
    """An event as a request, signed with ``secret`` at ``now``."""
    stamp = str(int(now.timestamp()))
    if form is Form.RASPISMS:
        return _as_raspisms(kind, subject, secret, stamp, zone)
    at = datetime.fromtimestamp(subject["at"] / 1000, UTC).astimezone(zone)
    whole = {
        "id": event_id(subject),
        "type": str(kind),
        "at": at.isoformat(timespec="milliseconds"),
        "data": {**_data(kind, subject, zone), **_more(kind, subject)},
    }
    body = json.dumps(whole, separators=(",", ":")).encode()
    return Told(
        body,
        {
            "Content-Type": "application/json",
            "User-Agent": f"smsd/{__version__}",
            "X-Smsd-Event": event_id(subject),
            "X-Smsd-Type": str(kind),
            "X-Smsd-Timestamp": stamp,
            "X-Smsd-Signature": "sha256=" + signature(secret, f"{stamp}.".encode() + body),
        },
    )


def signature(secret: str, octets: bytes) -> str:
    """HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), octets, hashlib.sha256).hexdigest()


def _as_raspisms(kind: Kind, subject: Row, secret: str, stamp: str, zone: tzinfo) -> Told:
    # RaspiSMS draws these 32 digits by lot; drawn from the event they are the same every time.
    digits = signature(secret, b"webhook_random_id " + event_id(subject).encode())[:32]
    random_id = f"{subject['at'] // 1000}-{digits}"
    fields = {
        "webhook_timestamp": stamp,
        "webhook_type": str(kind),
        "webhook_random_id": random_id,
        "webhook_signature": signature(secret, random_id.encode()),
        "body": json.dumps(_data(kind, subject, zone), separators=(",", ":")),
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": f"smsd/{__version__}",
    }
    return Told(urlencode(fields).encode(), headers)


def _data(kind: Kind, row: Row, zone: tzinfo) -> dict[str, Any]:
    """RaspiSMS's fields, in its order."""
    match kind:
        case Kind.SEND_SMS:
            return {
                "id": row["sended_id"],
                "at": _local(row["sended_at"], zone),
                "status": SENDED[State(row["state"])],
                "text": row["text"],
                "destination": row["destination"],
                "origin": row["phone_id"],
                "mms": bool(row["mms"]),
                "medias": [],
                "originating_scheduled": row["scheduled_id"],
            }
        case Kind.SEND_SMS_STATUS_CHANGE:
            return {"id": row["sended_id"], "status": SENDED[State(row["state"])]}
        case Kind.RECEIVE_SMS:
            return {
                "id": row["received_id"],
                "at": _local(row["received_at"], zone),
                "text": row["received_text"],
                "destination": row["received_phone"],
                "origin": row["origin"],
                "command": bool(row["command"]),
                "mms": False,
                "medias": [],
            }
        case Kind.INBOUND_CALL | Kind.END_CALL:
            ended = row["ended_at"] if kind is Kind.END_CALL else None
            return {
                "id_user": None,
                "id_phone": row["called_phone"],
                "uid": row["uid"],
                "start": _local(row["started_at"], zone),
                "end": _local(ended, zone),
                "direction": "inbound",
                "origin": row["caller"],
                "destination": None,
                "id": row["called_id"],
            }
        case Kind.MESSAGE_STATE:
            return {}


def _more(kind: Kind, row: Row) -> dict[str, Any]:
    """What RaspiSMS has no field for."""
    if row["message_id"] is not None:
        more = {"message": row["message_id"], "state": row["state"], "reason": row["words"]}
        if kind is not Kind.SEND_SMS_STATUS_CHANGE:
            more |= {"originating_scheduled": row["scheduled_id"], "tag": row["tag"]}
        return more
    if kind is Kind.RECEIVE_SMS:
        return {"kind": row["received_kind"], "complete": bool(row["complete"])}
    return {}


def _local(at: int | None, zone: tzinfo) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def problem_of(
    url: str, events: tuple[str, ...], form: str, secret: str | None, *, allow_http: bool
) -> str | None:
    """What is wrong with a webhook, as "key: words"; ``None`` if nothing is."""
    if form not in tuple(Form):
        return f"form: one of {', '.join(Form)} expected"
    known = FORMS[Form(form)]
    if not events:
        return f"events: one or more of {', '.join(known)} expected"
    for event in events:
        if event not in known:
            return f'events: "{event[:40]}" is none of {", ".join(known)}'
    if (fault := _url_problem(url, allow_http=allow_http)) is not None:
        return f"url: {fault}"
    if form == Form.SMSD and secret is None:
        return "secret: expected: what is told is signed with it"
    if secret is not None and not 16 <= len(secret) <= 200:
        return "secret: 16 to 200 characters expected"
    return None


def _url_problem(url: str, *, allow_http: bool) -> str | None:
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        return f"at most {LONGEST_URL} characters without blanks expected"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "no URL"
    if parts.scheme not in ("http", "https") or not host:
        return "https://… expected"
    if parts.scheme == "http" and host not in LOOPBACK and not allow_http:
        return (
            "https expected; plain http, which anybody on the way can read, only to this machine "
            "itself, or with allow_http"
        )
    return None
