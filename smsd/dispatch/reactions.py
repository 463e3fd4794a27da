"""What smsd does of itself when a text comes in: a pure function of the text and of the rules.

A command goes first, then a STOP or START, then automatic replies, and at most one of them acts.
Nothing is answered that may answer by itself: short codes, names, our own phones, other machines.
"""

import hmac
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from smsd.dispatch.numbers import normal
from smsd.dispatch.stopwords import Wish, plain, wish
from smsd.gsm import count_parts
from smsd.model.reactions import (
    START_RULE,
    STOP_RULE,
    STOP_TAG,
    Answer,
    Heard,
    Order,
    Reaction,
)

EVERYBODY: Final = "*"
MASK: Final = "********"
LONGEST_SEARCHED: Final = 1000  # characters that are looked at; a pattern may be a slow one
LONGEST_ANSWER: Final = 1000  # characters, as RaspiSMS's texts
MACHINES: Final = re.compile(
    r"\b(auto(matic|matique|matische)? ?(reply|response|responder|reponse|antwort|antwoord)"
    r"|automatische[rs]? (antwort|antwoord)|(reponse|respuesta|risposta|resposta) automati\w*"
    r"|automatic(ally)? (generated )?(message|reply|response)"
    r"|message automatique|mensaje automatico|messaggio automatico|mensagem automatica"
    r"|out of (the )?office|absence du bureau|je suis absente?|abwesenheit\w*|afwezigheid\w*"
    r"|fuera de la oficina|fuori sede|fora do escritorio"
    r"|(do|please) not reply|no ?reply|ne pas repondre|nicht antworten|no (responder|contestar))\b"
)
"""What machines say of themselves, in plain words."""


@dataclass(frozen=True, slots=True)
class Stops:
    """Which words stop and start messages (in plain form), and what is answered, if anything."""

    stop: frozenset[str] = frozenset()
    start: frozenset[str] = frozenset()
    answer: str = ""
    start_answer: str = ""


@dataclass(frozen=True, slots=True)
class Autoreply:
    """A text that answers others: to a keyword, a pattern, or, without either, to any text.

    ``pattern`` tells whether its pattern is found in a text. Once per sender in ``every`` seconds;
    ``phones`` are names, none: every phone.
    """

    name: str
    text: str
    keyword: str | None = None
    pattern: Callable[[str], bool] | None = None
    every: float = 86_400.0
    phones: frozenset[str] = frozenset()

    def matches(self, phone: str, text: str, said: str) -> bool:
        """Whether it answers this text, ``said`` in plain words, on this phone."""
        if self.phones and phone not in self.phones:
            return False
        if self.keyword is not None and said != plain(self.keyword):
            return False
        return self.pattern is None or self.pattern(text[:LONGEST_SEARCHED])


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may have a command run: numbers (`EVERYBODY` for any), and a password if there is one."""

    name: str
    senders: frozenset[str]
    password: str | None = None
    phones: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that is configured; ``own`` are the numbers of our own phones.

    ``phone`` is a phone's name and the region of its national numbers. Answers belong to
    ``account``; all of them together go to one number at most ``per_hour`` times an hour.
    """

    phone: Callable[[int], tuple[str, str | None]]
    own: Callable[[], Collection[str]]
    account: int = 0
    validity: int = 86_400
    per_hour: int = 5
    stops: Stops = field(default_factory=Stops)
    autoreplies: tuple[Autoreply, ...] = ()
    commands: tuple[Permission, ...] = ()

    def react(self, heard: Heard) -> Reaction | None:
        """What is done about a text; ``None``: it is only kept."""
        phone, region = self.phone(heard.phone)
        number = normal(heard.origin, region)
        if (found := self._command(heard, phone, number)) is not None:
            return found
        wanted = wish(heard.text, self.stops.stop, self.stops.start)
        if wanted is Wish.STOP:
            answer = self.answer(STOP_RULE, number, self.stops.answer, tag=STOP_TAG)
            return Reaction(stop=number or heard.origin, answer=answer)
        if wanted is Wish.START:
            answer = self.answer(START_RULE, number, self.stops.start_answer)
            return Reaction(start=number or heard.origin, answer=answer)
        said = plain(heard.text[:LONGEST_SEARCHED]) if self.autoreplies else ""
        if self._is_a_machine(said):
            return None
        for rule in self.autoreplies:
            if rule.matches(phone, heard.text, said):
                name = f"autoreply {rule.name}"
                reply = self.answer(name, number, rule.text, every=rule.every)
                return None if reply is None else Reaction(answer=reply)
        return None

    def answer(
        self,
        rule: str,
        number: str | None,
        text: str,
        *,
        every: float = 0.0,
        tag: str | None = None,
    ) -> Answer | None:
        """An answer, ``None`` if there is nothing to say, or nobody who would read it.

        ``number`` is ``None`` for who cannot be answered: short codes and names.
        """
        if number is None or not text.strip() or number in self.own():
            return None
        return Answer(
            rule, number, text, count_parts(text), self.account, self.validity, self.per_hour,
            every, tag,
        )  # fmt: skip

    def _is_a_machine(self, said: str) -> bool:
        ours = {plain(rule.text) for rule in self.autoreplies}
        return said in ours or MACHINES.search(said) is not None

    def _command(self, heard: Heard, phone: str, number: str | None) -> Reaction | None:
        for permission in self.commands:
            if permission.phones and phone not in permission.phones:
                continue
            named = ordered(heard.text, permission)
            if named is None:
                continue
            arguments, masked = named
            if {EVERYBODY, number or heard.origin} & permission.senders:
                return Reaction(order=Order(permission.name, arguments), text=masked)
            if masked is not None:
                return Reaction(text=masked)  # the right password of one who may not have it
        return None


def ordered(text: str, permission: Permission) -> tuple[str, str | None] | None:
    """What follows a command's name, and the text with the password masked (``None``: no need).

    ``NAME ARGUMENTS``, with a password ``NAME PASSWORD ARGUMENTS``; or RaspiSMS's JSON object with
    ``command``, ``args`` and ``password`` (``login`` is of no account here). ``None``: the text is
    not this command, or the password is not right.
    """
    secret = permission.password
    if text.lstrip().startswith("{"):
        return _from_json(text, permission)
    name, rest = _first_word(text)
    if name.casefold() != permission.name.casefold():
        return None
    if secret is None:
        return rest, None
    given, arguments = _first_word(rest)
    if not _same(given, secret):
        return None
    return arguments, f"{name} {MASK} {arguments}".strip()


def _first_word(text: str) -> tuple[str, str]:
    word, *rest = text.split(None, 1) or [""]
    return word, rest[0].strip() if rest else ""


def _from_json(text: str, permission: Permission) -> tuple[str, str | None] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    name = found.get("command") if isinstance(found, dict) else None
    if not isinstance(name, str) or name.casefold() != permission.name.casefold():
        return None
    given, arguments = found.get("password"), found.get("args", "")
    if permission.password is not None and not _same(given, permission.password):
        return None
    if isinstance(arguments, list):
        arguments = " ".join(str(each) for each in arguments)
    masked = None
    if "password" in found:
        masked = json.dumps({**found, "password": MASK}, ensure_ascii=False)
    return str("" if arguments is None else arguments), masked


def _same(given: object, secret: str) -> bool:
    octets = given.encode(errors="surrogatepass") if isinstance(given, str) else b""
    return hmac.compare_digest(octets, secret.encode())
