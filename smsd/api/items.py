"""Rows of the store as the items that RaspiSMS lists, key by key in its order."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from smsd.dispatch.telling import event_id, kind_of
from smsd.model.message import FINAL, State

Item = dict[str, Any]
Row = Mapping[str, Any]
WHEN: Final = "%Y-%m-%d %H:%M:%S"


def local(at: int | None, zone: tzinfo) -> str | None:
    """A time of the store as RaspiSMS writes it: the wall clock's, to the second."""
    return (
        None
        if at is None
        else datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).strftime(WHEN)
    )


def exact(at: int | None, zone: tzinfo) -> str | None:
    """A time of the store in ISO 8601 with its offset, to the millisecond."""
    if at is None:
        return None
    return (
        datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).isoformat(timespec="milliseconds")
    )


def sended(row: Row, zone: tzinfo) -> Item:
    """A message that left, or was refused for good."""
    return {
        "id": row["id"],
        "at": local(row["at"], zone),
        "text": row["text"],
        "destination": row["destination"],
        "flash": row["flash"],
        "status": row["status"],
        "uid": row["uid"],
        "adapter": row["adapter"],
        "id_user": row["account_id"],
        "id_phone": row["phone_id"],
        "mms": row["mms"],
        "originating_scheduled": row["scheduled_id"],
        "created_at": local(row["created_at"], zone),
        "updated_at": local(row["updated_at"], zone),
        "tag": row["tag"],
        "medias": [],
    }


def received(row: Row, zone: tzinfo, account: int) -> Item:
    """A message that came in."""
    return {
        "id": row["id"],
        "at": local(row["at"], zone),
        "text": row["text"],
        "origin": row["origin"],
        "command": row["command"],
        "status": "unread",
        "id_user": account,
        "id_phone": row["phone_id"],
        "mms": 0,
        "created_at": local(row["created_at"], zone),
        "updated_at": local(row["updated_at"], zone),
        "medias": [],
    }


def inbox(row: Row, zone: tzinfo) -> Item:
    """A message that came in, with what RaspiSMS has no field for; our own item."""
    return {
        "id": row["id"],
        "at": exact(row["at"], zone),
        "sent_at": exact(row["sent_at"], zone),
        "origin": row["origin"],
        "text": row["text"],
        "kind": row["kind"],
        "flash": bool(row["flash"]),
        "complete": bool(row["complete"]),
        "replaced_by": row["replaced_by"],
        "id_phone": row["phone_id"],
    }


def call(row: Row, zone: tzinfo, account: int) -> Item:
    """A call that came in; ``end`` is none while it lasts, or where nobody saw it end."""
    return {
        "id": row["id"],
        "id_user": account,
        "id_phone": row["phone_id"],
        "uid": row["uid"],
        "start": local(row["started_at"], zone),
        "end": local(row["ended_at"], zone),
        "direction": "inbound",
        "origin": row["origin"],
        "destination": None,
        "created_at": local(row["created_at"], zone),
        "updated_at": local(row["updated_at"], zone),
    }


def datagram(row: Row, zone: tzinfo, account: int) -> Item:
    """A message for programs; our own item."""
    return {
        "id": row["id"],
        "at": local(row["at"], zone),
        "origin": row["origin"],
        "destination_port": row["destination_port"],
        "source_port": row["source_port"],
        "data": row["data"],
        "id_user": account,
        "id_phone": row["phone_id"],
        "created_at": local(row["created_at"], zone),
    }


def smsstop(row: Row, zone: tzinfo) -> Item:
    """Who wants no more messages; of user 0: whoever sends."""
    return {
        "id": row["id"],
        "id_user": row["account_id"],
        "number": row["number"],
        "created_at": local(row["created_at"], zone),
        "updated_at": local(row["updated_at"], zone),
    }


def webhook(row: Row, zone: tzinfo) -> Item:
    """A receiver of events and how it fares; its secret is shown to nobody."""
    return {
        "id": row["id"],
        "id_user": row["account_id"],
        "url": row["url"],
        "events": json.loads(row["events"]),
        "form": row["form"],
        "name": row["name"],
        "source": "api" if row["name"] is None else "file",
        "allow_http": bool(row["allow_http"]),
        "enabled": bool(row["enabled"]),
        "failures": row["failures"],
        "failing_since": exact(row["failing_since"], zone),
        "error": row["fault"],
        "dead_letters": row["dead"],
        "created_at": local(row["created_at"], zone),
        "updated_at": local(row["updated_at"], zone),
    }


def dead_letter(row: Row, zone: tzinfo) -> Item:
    """An event that a receiver never took."""
    kind = kind_of({**row, "again": 0})
    return {
        "id": row["id"],
        "event": event_id({"at": row["event_at"], "id": row["event_id"]}),
        "type": None if kind is None else str(kind),
        "at": exact(row["event_at"], zone),
        "given_up_at": exact(row["at"], zone),
        "error": row["fault"],
        "wanted_again": bool(row["again"]),
        "message": row["message_id"],
        "received": row["received_id"],
        "call": row["called_id"],
    }


def command(row: Row, zone: tzinfo) -> Item:
    """A command that came in, and what became of it."""
    return {
        "id": row["id"],
        "received": row["received_id"],
        "name": row["name"],
        "arguments": row["arguments"],
        "origin": row["origin"],
        "id_phone": row["phone_id"],
        "state": row["state"],
        "status": row["status"],
        "reason": row["words"],
        "created_at": exact(row["created_at"], zone),
        "begun_at": exact(row["begun_at"], zone),
        "ended_at": exact(row["ended_at"], zone),
    }


def scheduled(row: Row, zone: tzinfo) -> Item:
    """A message whose time has not come."""
    return {
        "id": row["id"],
        "id_user": row["account_id"],
        "at": local(row["at"], zone),
        "text": row["text"],
        "flash": row["flash"],
        "id_phone": row["phone_id"],
        "id_phone_group": row["phone_group_id"],
        "mms": row["mms"],
        "created_at": local(row["created_at"], zone),
        "updated_at": local(row["updated_at"], zone),
        "tag": row["tag"],
        "numbers": [
            {
                "id": number["id"],
                "id_scheduled": number["scheduled_id"],
                "number": number["number"],
                "data": number["data"],
                "created_at": local(number["created_at"], zone),
                "updated_at": local(number["updated_at"], zone),
            }
            for number in row["numbers"]
        ],
        "contacts": [contact(each, zone) for each in row["contacts"]],
        "groups": [_named(each, zone) for each in row["groups"]],
        "conditional_groups": [],
        "medias": [],
    }


def contact(row: Row, zone: tzinfo) -> Item:
    """Somebody to write to."""
    return {
        "id": row["id"],
        "id_user": row["account_id"],
        "name": row["name"],
        "number": row["number"],
        "data": row["data"],
        "created_at": local(row["created_at"], zone),
        "updated_at": local(row["updated_at"], zone),
    }


def group(row: Row, zone: tzinfo) -> Item:
    """Contacts under one name."""
    return {
        **_named(row, zone),
        "nb_contact": row["members"],
        "contacts": [contact(each, zone) for each in row["contacts"]],
    }


def _named(row: Row, zone: tzinfo) -> Item:
    return {
        "id": row["id"],
        "id_user": row["account_id"],
        "name": row["name"],
        "created_at": local(row["created_at"], zone),
        "updated_at": local(row["updated_at"], zone),
    }


def campaign(row: Row, zone: tzinfo) -> Item:
    """How far a request has come; our own item.

    ``state``: ``waiting`` for its time, ``expanding`` into messages, ``expanded``, ``cancelled``.
    ``messages`` by state only where one is asked for.
    """
    left = {"duplicate": row["duplicate"], "stopped": row["stopped"], "invalid": row["invalid"]}
    total = row["expanded"] + row["withdrawn"] + sum(left.values()) + row["waiting"]
    if row["cancelled_at"] is not None:
        state = "cancelled"
    elif row["ended_at"] is not None:
        state = "expanded"
    else:
        state = "expanding" if row["batches"] else "waiting"
    return {
        "id": row["id"],
        "id_user": row["account_id"],
        "state": state,
        "at": local(row["at"], zone),
        "total": total,
        "waiting": row["waiting"],
        "expanded": row["expanded"],
        "withdrawn": row["withdrawn"],
        "left_out": left,
        "messages": row["states"],
        "created_at": exact(row["created_at"], zone),
        "cancelled_at": exact(row["cancelled_at"], zone),
        "ended_at": exact(row["ended_at"], zone),
    }


def phone(row: Row, zone: tzinfo, account: int, status: str) -> Item:
    """A phone; those of the configuration file say so in ``adapter_data``."""
    return {
        "id": row["id"],
        "id_user": account,
        "adapter": row["adapter"],
        "adapter_data": row["adapter_data"],
        "name": row["name"],
        "priority": row["priority"],
        "created_at": local(row["created_at"], zone),
        "updated_at": local(row["updated_at"], zone),
        "status": status,
    }


def phone_group(row: Row, zone: tzinfo, account: int, statuses: Mapping[int, str]) -> Item:
    """Phones that a sender may ask for together."""
    return {
        "id": row["id"],
        "id_user": row["account_id"],
        "name": row["name"],
        "created_at": local(row["created_at"], zone),
        "updated_at": local(row["updated_at"], zone),
        "nb_phone": len(row["phones"]),
        "phones": [
            phone(member, zone, account, statuses.get(member["id"], "unavailable"))
            for member in row["phones"]
        ],
    }


def message(row: Row, zone: tzinfo) -> Item:
    """Where one outgoing message stands; our own item, with exact times."""
    return {
        "id": row["id"],
        "state": row["state"],
        "destination": row["destination"],
        "text": row["text"],
        "parts": row["parts"],
        "flash": row["flash"],
        "tag": row["tag"],
        "priority": row["priority"],
        "id_user": row["account_id"],
        "id_phone": row["phone_id"],
        "id_phone_group": row["wanted_group_id"],
        "originating_scheduled": row["scheduled_id"],
        "created_at": exact(row["created_at"], zone),
        "due_at": exact(row["due_at"], zone),
        "expires_at": exact(row["expires_at"], zone),
        "error": _fault(row),
    }


def whole_message(row: Row, zone: tzinfo, route: str | None, now: datetime) -> Item:
    """One message with its history, its attempts and why it went where it went.

    ``route`` is the reason of its newest attempt, or why it waits. ``final``: nothing more is
    awaited; of a sent message a report is, until its validity ends.
    """
    over = row["expires_at"] <= now.timestamp() * 1000
    return {
        **message(row, zone),
        "final": row["state"] in FINAL or (row["state"] == State.SENT and over),
        "send_windows": None if row["send_windows"] is None else json.loads(row["send_windows"]),
        "resend_at": exact(row["resend_at"], zone) if row["state"] == State.UNCERTAIN else None,
        "route": route,
        "changes": [
            {"state": change["state"], "at": exact(change["at"], zone), "reason": change["words"]}
            for change in row["changes"]
        ],
        "attempts": [_attempt(attempt, zone) for attempt in row["attempts"]],
    }


def _attempt(row: Row, zone: tzinfo) -> Item:
    return {
        "id": row["id"],
        "id_phone": row["phone_id"],
        "phone": row["phone"],
        "route": row["route"],
        "started_at": exact(row["started_at"], zone),
        "ended_at": exact(row["ended_at"], zone),
        "outcome": row["outcome"],
        "error": _fault(row),
        "parts": [
            {
                "number": part["number"],
                "total": part["total"],
                "state": part["state"],
                "reference": part["reference"],
                "begun_at": exact(part["begun_at"], zone),
                "sent_at": exact(part["sent_at"], zone),
                "report": part["verdict"],
                "report_code": part["verdict_code"],
                "report_words": part["verdict_words"],
                "reported_at": exact(part["verdict_at"], zone),
            }
            for part in row["parts"]
        ],
    }


def _fault(row: Row) -> Item | None:
    if row["fault_class"] is None:
        return None
    return {
        "class": row["fault_class"],
        "code": row["fault_code"],
        "words": row["fault_words"],
        "hint": row["fault_hint"],
    }
