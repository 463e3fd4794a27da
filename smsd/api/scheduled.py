"""A request to send, checked as RaspiSMS checks it and in its order. Pure."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from smsd.api.bulk import CsvError, Entries, csv_rows
from smsd.api.envelope import ApiError, Code
from smsd.api.forms import items, truth
from smsd.api.items import WHEN
from smsd.dispatch.numbers import normal
from smsd.model.hours import HoursError, read
from smsd.model.message import HIGHEST, LOWEST, Draft
from smsd.model.recipients import Recipients

LONGEST_TEXT: Final = 1000  # characters, before any template
MOST_RECIPIENTS: Final = 100_000
LONGEST_TAG: Final = 1000
NAMED: Final = 20  # of the numbers that were left out
NOT_YET: Final = ("conditional_groups", "medias")
_PRIORITY: Final = re.compile(r"-?[0-9]{1,3}")
_DIGITS: Final = re.compile(r"[0-9]{1,17}")


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft, and the first of the numbers that were left out because they are none."""

    draft: Draft
    dropped: tuple[str, ...]


def check(
    body: Mapping[str, Any],
    *,
    phones: Callable[[int], bool],
    group: int | None = None,
    sticky: bool = False,
    zone: tzinfo,
    region: str | None,
    validity: Callable[[int | None], int],
    priority: int = 0,
    count_parts: Callable[[str], int],
) -> Checked:
    """Read ``POST /api/scheduled/``; raises the `ApiError` of the first check that fails.

    ``phones`` tells whether a phone has that id; ``group`` is the phone group asked for, ``None``
    if there is none; ``sticky`` is what holds where the request says nothing. ``region`` is that of
    national numbers, ``None`` where only international ones are taken. ``validity`` is the usual
    one, in seconds, of messages for a phone (``None``: for any); ``priority`` the sender's usual
    one.
    """
    text = body.get("text")
    if text is None or text == "":
        raise ApiError(Code.MISSING_PARAMETER, "text")
    at = body.get("at") or None
    if at == "0":
        at = None
    if at is not None and not isinstance(at, str):
        raise ApiError(Code.INVALID_PARAMETER, " : at must be a string.")
    if not isinstance(text, str):
        raise ApiError(Code.INVALID_PARAMETER, " : text must be a string.")
    if len(text) > LONGEST_TEXT:
        raise ApiError(Code.INVALID_PARAMETER, f" : text must be less than {LONGEST_TEXT} char.")
    storable(text, "text")
    due = None if at is None else _instant(at, zone)
    if truth(body.get("mms")):
        raise ApiError(
            Code.INVALID_PARAMETER, "mms is set to true, but mms are disabled in settings."
        )
    tag = body.get("tag")
    if tag is not None and (not isinstance(tag, str) or len(tag) > LONGEST_TAG):
        words = f"tag must be a string of at most {LONGEST_TAG} char."
        raise ApiError(Code.INVALID_PARAMETER, words)
    storable(tag or "", "tag")
    for name in NOT_YET:
        if body.get(name):
            raise ApiError(Code.INVALID_PARAMETER, f"{name} : not in this version of smsd.")
    uploaded = _uploaded(body.get("numbers_csv"), region)
    numbers, dropped, invalid = _numbers(body, region)
    if numbers:
        numbers.extend(uploaded)
    else:
        numbers = uploaded
    contacts, groups = _ids(body, "contacts"), _ids(body, "groups")
    if len(numbers) + invalid + len(contacts) > MOST_RECIPIENTS:
        raise _too_many("numbers")
    if not (numbers or contacts or groups):
        named = f" Not valid: {', '.join(map(_quoted, dropped[:5]))}." if dropped else ""
        raise ApiError(
            Code.MISSING_PARAMETER,
            "You must specify at least one valid number, contact, group or conditional_group."
            + named,
        )
    templated = re.search(r"\{\{|\{%", text) is not None
    if templated and (contacts or groups or any(data != "[]" for _, data in numbers)):
        # Sent as it stands it would reach people as a template.
        raise ApiError(Code.INVALID_PARAMETER, "text : templates are not in this version of smsd.")
    phone = _phone(body, phones, group)
    return Checked(
        Draft(
            text=text,
            numbers=numbers,
            parts=count_parts(text),
            at=due,
            phone=phone,
            group=group,
            sticky=sticky if body.get("sticky") in (None, "") else truth(body["sticky"]),
            flash=truth(body.get("flash")),
            tag=tag,
            validity=_validity(body, validity(phone)),
            priority=_priority(body, priority),
            send_windows=_send_windows(body),
            contacts=contacts,
            groups=groups,
            invalid=invalid,
        ),
        tuple(dropped),
    )


def _instant(at: str, zone: tzinfo) -> datetime:
    """A wall-clock time of the gateway's zone; it must read back exactly as it was written."""
    try:
        local = datetime.strptime(at, WHEN)  # noqa: DTZ007 the zone follows
        due = local.replace(tzinfo=zone).astimezone(UTC)
        # An hour that the clock change skips does not read back either.
        if local.strftime(WHEN) != at or due.astimezone(zone).strftime(WHEN) != at:
            raise ValueError
        return due
    except (ValueError, OverflowError) as error:
        words = 'at must be a date of format "Y-m-d H:i:s".'
        raise ApiError(Code.INVALID_PARAMETER, words) from error


def _numbers(body: Mapping[str, Any], region: str | None) -> tuple[Recipients, list[str], int]:
    """The valid numbers with their data; the first that are none, and how many are."""
    found = Recipients()
    dropped: list[str] = []
    invalid = 0
    for item in items(body.get("numbers")):
        entry = item if isinstance(item, dict) else {"number": item}
        number = normal(entry.get("number"), region)
        if number is not None:
            found.add(number, data_of(entry.get("data")))
        else:
            invalid += 1
            if len(dropped) < NAMED:
                dropped.append(str(entry.get("number", ""))[:30])
        if len(found) + invalid > MOST_RECIPIENTS:
            raise _too_many("numbers")
    return found, dropped, invalid


def _uploaded(given: object, region: str | None) -> Recipients:
    """The recipients of a CSV file, or of a text that is one; one bad number refuses all of it."""
    found = Recipients()
    if given is None or given == "":
        return found
    if isinstance(given, str):
        text = given
        rows = Entries(lambda: csv_rows(text.splitlines(keepends=True)))
    elif isinstance(given, Entries):
        rows = given
    else:
        raise ApiError(Code.INVALID_PARAMETER, "csv : one file is expected.")
    try:
        for row in rows:
            number = normal(row["number"], region)
            if number is None:
                where = f"Erreur à la ligne {row['line']} colonne 1"
                raise CsvError(f"{where}, numéro de téléphone invalide.")
            found.add(number, json.dumps(row["data"]))
            if len(found) > MOST_RECIPIENTS:
                raise _too_many("csv")
        if not found:
            raise CsvError("no valid number in csv file.")
    except CsvError as error:
        raise ApiError(Code.INVALID_PARAMETER, f"csv : {error}") from error
    return found


def _ids(body: Mapping[str, Any], name: str) -> tuple[int, ...]:
    found = []
    for given in items(body.get(name)):
        if not (type(given) in (int, str) and _DIGITS.fullmatch(str(given))):
            raise ApiError(Code.INVALID_PARAMETER, f"{name} : a list of ids is expected.")
        found.append(int(given))
        if len(found) > MOST_RECIPIENTS:
            raise _too_many(name)
    return tuple(found)


def _too_many(name: str) -> ApiError:
    words = f"{name} : at most {MOST_RECIPIENTS} recipients a request."
    return ApiError(Code.INVALID_PARAMETER, words)


def data_of(data: object) -> str:
    """What templates may say of a recipient, as JSON; raises `ApiError` for what is none."""
    if data is None:
        return "[]"
    try:
        if not isinstance(data, str):
            return json.dumps(data, allow_nan=False)
        data.encode()  # raises for half a surrogate pair, which JSON can carry
        if json.loads(data, parse_constant=_no_json) is None:
            raise ValueError
    except (ValueError, RecursionError) as error:
        words = "number data must be a valid json or leave not set."
        raise ApiError(Code.INVALID_PARAMETER, words) from error
    return data


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _phone(body: Mapping[str, Any], phones: Callable[[int], bool], group: int | None) -> int | None:
    wanted = body.get("id_phone")
    wanted_group = body.get("id_phone_group")
    if wanted not in (None, "", "0", 0) and wanted_group not in (None, "", "0", 0):
        words = (
            "id_phone, id_phone_group : You must specify at most one of id_phone or "
            "id_phone_group, not both."
        )
        raise ApiError(Code.INVALID_PARAMETER, words)
    if wanted_group not in (None, "", "0", 0) and group is None:
        words = (
            "id_phone_group : You must specify an id_phone_group number among thoses of user "
            "phone groups."
        )
        raise ApiError(Code.INVALID_PARAMETER, words)
    if wanted in (None, "", "0", 0):
        return None
    text = str(wanted)
    if not (_DIGITS.fullmatch(text) and phones(int(text))):
        words = "id_phone : You must specify an id_phone number among thoses of user phones."
        raise ApiError(Code.INVALID_PARAMETER, words)
    return int(text)


def _validity(body: Mapping[str, Any], usual: int) -> int:
    """How long it may wait, in seconds: ours, RaspiSMS has no such parameter."""
    wanted = body.get("validity_minutes")
    if wanted in (None, ""):
        return usual
    text = str(wanted)
    if not (_DIGITS.fullmatch(text) and 1 <= int(text) <= 63 * 7 * 1440):
        words = "validity_minutes must be a number of minutes from 1 to 635040."
        raise ApiError(Code.INVALID_PARAMETER, words)
    return int(text) * 60


def _priority(body: Mapping[str, Any], usual: int) -> int:
    """Which messages go first: ours, as the validity."""
    wanted = body.get("priority")
    if wanted in (None, ""):
        return usual
    text = str(wanted)
    if not (_PRIORITY.fullmatch(text) and LOWEST <= int(text) <= HIGHEST):
        words = f"priority must be a whole number from {LOWEST} to {HIGHEST}."
        raise ApiError(Code.INVALID_PARAMETER, words)
    return int(text)


def _send_windows(body: Mapping[str, Any]) -> str | None:
    """The hours at which it may leave, ours too: a JSON list, as in the configuration."""
    wanted = body.get("send_windows")
    if wanted in (None, "", []):
        return None
    try:
        # A form's array is a dict, and so is each of its windows.
        rows = wanted
        if not isinstance(wanted, str):
            rows = json.dumps([_row(row) for row in items(wanted)])
        read(rows)
    except HoursError as error:
        raise ApiError(Code.INVALID_PARAMETER, f"send_windows : {error}.") from error
    return json.dumps(json.loads(rows))


def _row(row: Any) -> Any:
    days = row.get("days") if isinstance(row, dict) else None
    return {**row, "days": list(items(days))} if isinstance(days, dict) else row


def storable(text: str, name: str) -> None:
    """Refuse what is no text: half a surrogate pair, which JSON can carry, or a NUL."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ApiError(Code.INVALID_PARAMETER, f"{name} : not valid Unicode text.")


def _quoted(number: str) -> str:
    return '"' + "".join(char if char.isprintable() else "?" for char in number) + '"'
