"""What the configuration says of texts that come in and of webhooks, and what is made of it."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from smsd.dispatch.commands import Program
from smsd.dispatch.numbers import region_of
from smsd.dispatch.phones import Phones
from smsd.dispatch.reactions import EVERYBODY, Autoreply, Permission, Rules, Stops
from smsd.dispatch.stopwords import START_WORDS, STOP_WORDS, Wish, plain, wish, words
from smsd.dispatch.telling import problem_of
from smsd.logs import fields
from smsd.store.webhooks import WebhookDraft

log: Final = logging.getLogger(__name__)

PATTERN_TIMEOUT: Final = 0.05  # seconds; it is looked for while the store waits
Words = tuple[Annotated[str, Meta(min_length=1, max_length=60)], ...]
Label = Annotated[str, Meta(pattern="^[A-Za-z0-9_.-]{1,40}$")]
Text = Annotated[str, Meta(min_length=1, max_length=1000)]
LANGUAGES: Final = ("fr", "en", "de", "es", "it", "nl", "pt")
RASPISMS_ANSWER: Final = "Demande prise en compte, vous ne recevrez plus de messages."


class InboxSection(Struct, forbid_unknown_fields=True, frozen=True):
    """How often smsd answers one number by itself, whatever the reason."""

    answers_per_hour: Annotated[int, Meta(ge=0, le=1000)] = 5


class StopSection(Struct, forbid_unknown_fields=True, frozen=True):
    """Words by which people want no more messages, or want them again."""

    enabled: bool = True
    languages: tuple[str, ...] = LANGUAGES
    words: Words = ()
    start_words: Words = ()
    answer: Annotated[str, Meta(max_length=1000)] = RASPISMS_ANSWER
    start_answer: Annotated[str, Meta(max_length=1000)] = ""


class CommandSection(Struct, forbid_unknown_fields=True, frozen=True):
    """A program that a text may have run; ``timeout`` is in seconds."""

    name: Label
    program: tuple[Annotated[str, Meta(min_length=1)], ...]
    senders: tuple[str, ...]
    password: str | None = None
    phones: tuple[str, ...] = ()
    timeout: Annotated[float, Meta(gt=0, le=3600)] = 30.0
    answer: bool = False


class AutoreplySection(Struct, forbid_unknown_fields=True, frozen=True):
    """A text that answers others; ``every`` is in seconds."""

    name: Label
    text: Text
    keyword: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    pattern: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    every: Annotated[float, Meta(ge=60, le=366 * 86_400)] = 86_400.0
    phones: tuple[str, ...] = ()


class WebhookSection(Struct, forbid_unknown_fields=True, frozen=True):
    """A receiver of events."""

    name: Label
    url: str
    events: tuple[str, ...]
    form: Literal["smsd", "raspisms"] = "smsd"
    secret: str | None = None
    user: str | None = None
    allow_http: bool = False


class Sections(Struct, frozen=True):
    """The part of a configuration that is spoken of here."""

    inbox: InboxSection = InboxSection()
    stop: StopSection = StopSection()
    command: tuple[CommandSection, ...] = ()
    autoreply: tuple[AutoreplySection, ...] = ()
    webhook: tuple[WebhookSection, ...] = ()


def problems(config: Sections, users: Sequence[str]) -> Iterator[str]:
    """What types alone do not tell."""
    for kind, names in (
        ("command", [command.name.casefold() for command in config.command]),
        ("autoreply", [autoreply.name for autoreply in config.autoreply]),
        ("webhook", [webhook.name for webhook in config.webhook]),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f'{kind}: the name "{name}" is used twice'
    unknown = [language for language in config.stop.languages if language not in STOP_WORDS]
    for language in unknown:
        yield f'stop.languages: "{language}" is none of {", ".join(STOP_WORDS)}'
    for key, given in (("words", config.stop.words), ("start_words", config.stop.start_words)):
        yield from (f'stop.{key}: "{word}" has no letter' for word in given if not plain(word))
    if not unknown:
        for number, command in enumerate(config.command):
            yield from _command_problems(f"command[{number}]", command, stops_of(config.stop))
    for number, autoreply in enumerate(config.autoreply):
        yield from _autoreply_problems(f"autoreply[{number}]", autoreply)
    for number, hook in enumerate(config.webhook):
        where = f"webhook[{number}]"
        if hook.user is not None and hook.user not in users:
            yield f'{where}.user: no user is named "{hook.user}"'
        if hook.form == "raspisms" and hook.secret is None and hook.user is None:
            yield f"{where}.secret: expected, or a user, whose api_key it then is"
        fault = problem_of(hook.url, hook.events, hook.form, None, allow_http=hook.allow_http)
        if fault is not None and not (fault.startswith("secret") and hook.secret is not None):
            yield f"{where}.{fault}"


def secret_problems(config: Sections) -> Iterator[str]:
    """What is wrong with the secrets, once they are known."""
    for number, hook in enumerate(config.webhook):
        if hook.secret is not None and not 16 <= len(hook.secret) <= 200:
            yield f"webhook[{number}].secret: 16 to 200 characters expected"
    for number, command in enumerate(config.command):
        if command.password is not None and not re.fullmatch(r"\S{6,40}", command.password):
            yield f"command[{number}].password: 6 to 40 characters without blanks expected"


def _command_problems(where: str, command: CommandSection, stops: Stops) -> Iterator[str]:
    if not command.program:
        yield f"{where}.program: a program with its arguments expected"
    if not command.senders:
        yield f'{where}.senders: numbers such as "+33612345678", or "{EVERYBODY}", expected'
    for sender in command.senders:
        if sender != EVERYBODY and not re.fullmatch(r"\+[0-9]{6,15}", sender):
            yield f'{where}.senders: "{sender}" is no number such as "+33612345678"'
    if EVERYBODY in command.senders and command.password is None:
        yield f"{where}.password: expected, as anybody may send it"
    if (meant := wish(command.name, stops.stop, stops.start)) is not None:
        other = "no more messages" if meant is Wish.STOP else "messages again"
        yield f'{where}.name: "{command.name}" says that somebody wants {other}'


def _autoreply_problems(where: str, autoreply: AutoreplySection) -> Iterator[str]:
    if autoreply.keyword is not None and not plain(autoreply.keyword):
        yield f"{where}.keyword: a word with a letter or digit expected"
    if autoreply.pattern is not None:
        import regex  # only where there is a pattern

        try:
            regex.compile(autoreply.pattern)
        except regex.error as error:
            yield f"{where}.pattern: no regular expression: {error}"


def _finder(name: str, pattern: str) -> Callable[[str], bool]:
    """Whether a pattern is in a text; for a text that takes it too long it is not.

    Anybody may send a text, and one can be made for which a careless pattern takes for ever.
    """
    import regex

    compiled = regex.compile(pattern, regex.IGNORECASE)

    def found(text: str) -> bool:
        try:
            return compiled.search(text, timeout=PATTERN_TIMEOUT) is not None
        except TimeoutError:
            log.warning("the pattern of an automatic reply is too slow", extra=fields(name=name))
            return False

    return found


def stops_of(section: StopSection) -> Stops:
    """The words that stop and start messages."""
    if not section.enabled:
        return Stops()
    stop = words(STOP_WORDS, section.languages) | {plain(word) for word in section.words}
    start = words(START_WORDS, section.languages) | {plain(word) for word in section.start_words}
    return Stops(stop, start - stop, section.answer, section.start_answer)


def rules_of(
    config: Sections, phones: Phones, region: str | None, account: int, validity: int
) -> Rules:
    """What is done about texts. ``account`` is that of the answers."""

    def phone(number: int) -> tuple[str, str | None]:
        record = phones[number].record
        return record.name, region or region_of(record.number)

    def own() -> set[str]:
        return {p.record.number for p in phones.all() if p.record.number is not None}

    return Rules(
        phone=phone,
        own=own,
        account=account,
        validity=validity,
        per_hour=config.inbox.answers_per_hour,
        stops=stops_of(config.stop),
        autoreplies=tuple(
            Autoreply(
                each.name,
                each.text,
                each.keyword,
                None if each.pattern is None else _finder(each.name, each.pattern),
                each.every,
                frozenset(each.phones),
            )
            for each in config.autoreply
        ),
        commands=tuple(
            Permission(each.name, frozenset(each.senders), each.password, frozenset(each.phones))
            for each in config.command
        ),
    )


def unanswered(config: Sections) -> timedelta:
    """How long at most an automatic reply is not given again: so long it has to be known."""
    return timedelta(seconds=max((each.every for each in config.autoreply), default=0.0))


def programs_of(config: Sections) -> dict[str, Program]:
    """What each command runs."""
    return {each.name: Program(each.program, each.timeout, each.answer) for each in config.command}


def drafts_of(config: Sections, account: Callable[[str], int]) -> list[WebhookDraft]:
    """The file's webhooks as the store keeps them: without their secrets."""
    return [
        WebhookDraft(
            each.url,
            each.events,
            each.form,
            allow_http=each.allow_http,
            account=None if each.user is None else account(each.user),
            name=each.name,
        )
        for each in config.webhook
    ]


def secrets_of(config: Sections) -> Mapping[str, str]:
    """The secrets of the file's webhooks by their names."""
    return {each.name: each.secret for each in config.webhook if each.secret is not None}
