"""smsmode's HTTP API 1.6 as its manual says: an account that reads parameters and writes text.

No socket here: `cloud.server` carries it. Where the manual is silent the simulator chooses what the
docstrings say.
"""

import random
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hwsim.alphabets import BASIC, EXTENSION
from hwsim.clock import ZONE, Clock

CHARSET = "iso8859-15"
# Manual, "Caractères et encodage": the GSM alphabet without its Greek capitals, and È.
PLAIN = (set(BASIC) - set("ΔΦΓΛΩΠΨΣΘΞ¤\x1b")) | {"È"}
DOUBLE = set(EXTENSION.values()) - {"\f"}
STOP = " STOP 36034"[:11]
RETURN_CODES = {
    0: "Accepté - le message a été accepté par le système et est en cours de traitement",
    31: "Erreur interne",
    32: "Erreur d'authentification",
    33: "Crédits insuffisants",
    35: "Paramètre obligatoire manquant",
    50: "Temporairement inaccessible",
    61: "SMS non trouvé",
}
STATUSES = {
    0: "Envoyé",
    2: "Erreur interne",
    10: "Programmé",
    11: "Reçu",
    12: "Partiellement délivré",
    13: "Délivré opérateur",
    14: "Délivré",
    21: "Non délivrable",
    22: "Rejeté",
    33: "Non envoyé - crédit insuffisant",
    34: "Erreur routage",
    35: "Erreur réception",
    36: "Erreur message",
    37: "Message expiré",
    38: "Message trop long",
    50: "Non délivré",
    999: "Indéfini",
    3501: "Erreur temporaire opérateur",
    3502: "Erreur temporaire absence",
    3503: "Erreur temporaire téléphone",
    3521: "Erreur permanente opérateur",
    3522: "Erreur permanente absence",
    3523: "Erreur permanente téléphone",
    3524: "Erreur permanente anti spam",
    3525: "Erreur permanente contenu",
    3526: "Erreur permanente portabilité",
    3527: "Erreur permanente roaming",
    3599: "Erreur autre",
    3998: "Destinataire invalide",
    3999: "Destinataire blacklisté",
}
FAULTS = ("close", "close-before", "http500", "html", "noid", "hang")


@dataclass(slots=True)
class Message:
    """An accepted request of sendSMS.do."""

    id: str
    numbers: list[str]
    text: str
    fields: dict[str, str]
    segments: int
    cost: float
    accepted: float
    date: datetime
    status: int
    status_delay: float
    warnings: list[str]


@dataclass(slots=True)
class Fault:
    """What befalls the next sending requests."""

    kind: str
    value: str = ""
    count: int = 1


@dataclass(slots=True)
class Answer:
    """What the server does: text to write, or None to close; after how many seconds."""

    text: str | None
    status: int = 200
    content_type: str = "text/plain"
    after: float = 0.0


@dataclass(slots=True)
class Account:
    """One customer's account."""

    clock: Clock
    token: str
    rng: random.Random
    credit: float = 1000.0
    status: int = 11
    status_delay: float = 0.0
    messages: list[Message] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)

    def answer(self, method: str, operation: str, query: str, body: str) -> Answer:
        """Answer one request; query and body are still percent-encoded."""
        parameters = parse(query, body)
        seen: dict[str, Any] = {
            "n": len(self.requests) + 1,
            "method": method,
            "path": operation,
            "parameters": parameters,
            "answered": None,
        }
        self.requests.append(seen)
        handler = {
            "sendSMS.do": self._send,
            "compteRendu.do": self._reports,
            "smsStatus.do": self._status,
            "credit.do": self._credit,
            "smsList.do": self._list,
            "deleteSMS.do": self._delete,
        }.get(operation)
        if handler is None:
            return Answer("", status=404)
        if "accessToken" not in parameters:
            answer = code(35)
        elif parameters["accessToken"] != self.token:
            answer = code(32)
        else:
            answer = handler(parameters, method)
        seen["answered"] = answer.text
        return answer

    # -------------------------------------------------------------------------------- sending

    def _send(self, parameters: dict[str, str], method: str) -> Answer:
        fault = self._strike()
        if fault and fault.kind == "close-before":
            return Answer(None)
        if fault and fault.kind == "answer":
            return code(int(fault.value))
        if fault and fault.kind == "http500" and fault.value != "accepted":
            return Answer("<html><h1>500</h1></html>", 500, "text/html")
        refusal, message = self._accept(parameters, method)
        if message is None:
            return code(refusal)
        text = f"0 | {RETURN_CODES[0]} | {message.id}"
        match fault.kind if fault else "":
            case "close":
                return Answer(None)
            case "http500":
                return Answer("<html><h1>500</h1></html>", 500, "text/html")
            case "html":
                return Answer("<html><body>Maintenance</body></html>", 200, "text/html")
            case "noid":
                return Answer("0 | Accepté")
            case "hang":
                return Answer(text, after=float(fault.value or 0) if fault else 0.0)
        return Answer(text)

    def _strike(self) -> Fault | None:
        if not self.faults:
            return None
        fault = self.faults[0]
        fault.count -= 1
        if not fault.count:
            self.faults.popleft()
        return fault

    def _accept(self, parameters: dict[str, str], method: str) -> tuple[int, Message | None]:
        """Check and keep a message, or give the return code that refuses it."""
        get = parameters.get
        numbers = [number.strip() for number in get("numero", "").split(",") if number.strip()]
        kind = get("classe_msg", "2")
        now = self.clock.now().astimezone(ZONE_OF_PROVIDER)
        date = _date(get("date_envoi"), now)
        most = get("nbr_msg", "5")
        wrong = (
            not get("message")
            or bool(numbers) == bool(get("groupe"))
            or (method == "GET" and len(numbers) > 300)
            or kind not in ("2", "4", "9")
            or not (most.isdecimal() and int(most))
            or get("stop", "1") not in ("1", "2")
            or date is None
        )
        if wrong or date is None:
            return 35, None
        text, warnings = _readable(parameters["message"], unicode=kind == "9")
        if "stop" in parameters and (len(text) <= 149 or parameters["stop"] == "2"):
            text += STOP
        whole = text
        text, segments = cut(whole, int(most), unicode=kind == "9")
        if text != whole:
            warnings.append("TEXT_CUT")
        sender = get("emetteur", "")
        if sender and (kind == "4" or not re.fullmatch(r"(?=.*[A-Za-z])[!-~]{1,11}", sender)):
            warnings.append("SENDER_REFUSED")
        if len(get("refClient", "")) > 40:
            warnings.append("REFERENCE_CUT")
        recipients = [_international(number) for number in numbers] or [f"group:{get('groupe')}"]
        cost = float(segments * len(recipients))
        if 0 <= self.credit < cost:
            return 33, None
        self.credit -= cost
        alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
        message = Message(
            id="".join(self.rng.choices(alphabet, k=12)),
            numbers=recipients,
            text=text,
            fields=parameters,
            segments=segments,
            cost=cost,
            accepted=self.clock.time() + (date - now).total_seconds(),
            date=date,
            status=self.status,
            status_delay=self.status_delay,
            warnings=warnings,
        )
        self.messages.append(message)
        return 0, message

    # -------------------------------------------------------------------------------- reading

    def _find(self, parameters: dict[str, str]) -> Message | None:
        wanted = parameters.get("smsID")
        return next((m for m in self.messages if m.id == wanted), None)

    def _state(self, message: Message) -> int:
        """Scheduled, then 0, then 13, then what `status` was when it was accepted."""
        age = self.clock.time() - message.accepted
        if age < 0:
            return 10
        if age < message.status_delay:
            return 0 if age < message.status_delay / 2 else 13
        return message.status

    def _reports(self, parameters: dict[str, str], method: str) -> Answer:
        if "smsID" not in parameters:
            return code(35)
        message = self._find(parameters)
        if message is None:
            return code(61)
        state = self._state(message)
        return Answer(" | ".join(f"{number} {state}" for number in message.numbers))

    def _status(self, parameters: dict[str, str], method: str) -> Answer:
        if "smsID" not in parameters:
            return code(35, "Paramètre(s) incorrect(s)")
        message = self._find(parameters)
        if message is None:
            return code(61, "smsID invalide")
        state = self._state(message)
        # This list knows a reception error as 39; 35 means a wrong parameter here.
        return code(39 if state == 35 else state, STATUSES.get(state, "Indéfini"))

    def _credit(self, parameters: dict[str, str], method: str) -> Answer:
        return Answer(f"{self.credit:.1f}")

    def _list(self, parameters: dict[str, str], method: str) -> Answer:
        start, size = parameters.get("start", "0"), parameters.get("offset", "50")
        if not start.isdecimal() or not size.isdecimal() or int(size) > 10000:
            return code(35)
        newest_first = self.messages[::-1][int(start) : int(start) + int(size)]
        return Answer(
            "\n\n".join(
                f"{m.id} | {m.date:%d/%m/%Y %H:%M} | {m.text} | {m.numbers[0]}"
                f" | {m.cost} | {len(m.numbers)} |"
                for m in newest_first
            )
        )

    def _delete(self, parameters: dict[str, str], method: str) -> Answer:
        if not parameters.get("smsID") and not parameters.get("numero"):
            return code(35)
        message = self._find(parameters)
        if "smsID" not in parameters:
            number = _international(parameters["numero"])
            message = next((m for m in self.messages[::-1] if number in m.numbers), None)
        if message is None:
            return code(61)
        self.messages.remove(message)
        return code(0, "SMS supprimé")

    # ------------------------------------------------------------------------------- control

    def control(self, key: str, arguments: list[str]) -> Any:
        """Run `hwsim ctl DIR cloud smsmode KEY …`; raises ValueError."""
        count = 1
        if "--count" in arguments:
            at = arguments.index("--count")
            count = int(arguments[at + 1])
            arguments = arguments[:at] + arguments[at + 2 :]
        value = arguments[0] if arguments else ""
        match key:
            case "requests":
                return self.requests
            case "sent":
                return [self._row(message) for message in self.messages]
            case "clear":
                self.requests.clear()
                self.messages.clear()
                self.faults.clear()
            case "credit":
                self.credit = float(value) if value else self.credit
                return {"credit": self.credit}
            case "answer":
                self.faults.append(Fault("answer", str(int(value)), count))
            case "fault":
                if value not in FAULTS:
                    raise ValueError(f"no fault {value}: there are {', '.join(FAULTS)}")
                self.faults.append(Fault(value, "".join(arguments[1:2]), count))
            case "status":
                self.status = int(value)
            case "status-delay":
                self.status_delay = float(value)
            case _:
                raise ValueError(f"no key {key}")
        return None

    def _row(self, message: Message) -> dict[str, Any]:
        given = message.fields
        return {
            "id": message.id,
            "numero": ",".join(message.numbers),
            "message": message.text,
            "emetteur": given.get("emetteur"),
            "refClient": given.get("refClient", "")[:40] or None,
            "classe_msg": given.get("classe_msg", "2"),
            "nbr_msg": given.get("nbr_msg"),
            "segments": message.segments,
            "cost": message.cost,
            "status": self._state(message),
            "warnings": message.warnings,
        }


def code(number: int, description: str | None = None) -> Answer:
    """Write a return code in its pipe form."""
    return Answer(f"{number} | {description or RETURN_CODES.get(number, 'Erreur')}")


def parse(query: str, body: str) -> dict[str, str]:
    """Decode the parameters of query and body, which wins; UTF-8 only with classe_msg=9."""

    def pairs(charset: str) -> dict[str, str]:
        both = (parse_qsl(part, True, encoding=charset) for part in (query, body))
        return {name: text for part in both for name, text in part}

    parameters = pairs(CHARSET)
    return pairs("utf-8") if parameters.get("classe_msg") == "9" else parameters


def _readable(text: str, *, unicode: bool) -> tuple[str, list[str]]:
    """Replace what the alphabet lacks; byte 80 counts as the euro."""
    if unicode:
        return text, ["NOT_UTF8"] if "�" in text else []
    text = text.replace("\x80", "€")
    kept = "".join(c if c in PLAIN or c in DOUBLE else "?" for c in text)
    return kept, ["CHAR_REPLACED"] if kept != text else []


def cut(text: str, most: int, *, unicode: bool) -> tuple[str, int]:
    """Cut the text to `most` messages and count those that it needs."""
    single, several = (70, 67) if unicode else (160, 153)
    room = single if most == 1 else several * most
    kept, used = "", 0
    for character in text:
        wide = ord(character) > 0xFFFF if unicode else character in DOUBLE
        if used + 1 + wide > room:
            break
        kept, used = kept + character, used + 1 + wide
    return kept, 1 if used <= single else -(-used // several)


def _international(number: str) -> str:
    """Write a number as answers do: 336…; only French ones may come as 06…."""
    digits = number.removeprefix("+")
    return "33" + digits[1:] if re.fullmatch(r"0\d{9}", digits) else digits


def _date(text: str | None, now: datetime) -> datetime | None:
    """Read date_envoi; None when it is malformed or past."""
    if text is None:
        return now
    if not re.fullmatch(r"\d{8}-\d{2}:\d{2}", text):
        return None
    try:
        date = datetime.strptime(text, "%d%m%Y-%H:%M").replace(tzinfo=ZONE_OF_PROVIDER)
    except ValueError:
        return None
    return date if date > now - timedelta(minutes=1) else None


def _zone() -> tzinfo:
    try:
        return ZoneInfo("Europe/Paris")
    except ZoneInfoNotFoundError:
        return ZONE


ZONE_OF_PROVIDER = _zone()
