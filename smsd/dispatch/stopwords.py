"""Whether a text says that its sender wants no more messages, or wants them again. Pure.

The whole text counts, never a word in it; case, accents, punctuation and an added "SMS" or short
code do not. RaspiSMS's rule, exactly "stop" or "stop sms", is a part of this one.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

LONGEST: Final = 60  # characters: a longer text is more than a word
_ADDED: Final = re.compile(r" ?sms$| ?[0-9]{3,6}$")  # "STOP SMS", "STOPSMS", "STOP 36111"


class Wish(StrEnum):
    """What a subscriber wants."""

    STOP = "stop"
    START = "start"


# "cancel" is not among them: it is what people answer to a reminder of an appointment.
STOP_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "cs": ("stop", "odhlásit", "zrušit odběr"),
    "da": ("stop", "afmeld"),
    "de": ("stop", "stopp", "abmelden", "abbestellen", "austragen"),
    "en": ("stop", "stopall", "stop all", "unsubscribe", "opt out", "optout", "quit", "end"),
    "es": ("stop", "alto", "baja", "parar", "cancelar suscripción"),
    "fi": ("stop", "lopeta"),
    "fr": ("stop", "arrêt", "arrêter", "arrêtez", "désabonnement", "désabonner", "désinscription"),
    "it": ("stop", "ferma", "basta", "disiscrivi", "cancellami"),
    "nl": ("stop", "afmelden", "uitschrijven", "stoppen"),
    "no": ("stopp", "stop", "meld av"),
    "pl": ("stop", "wypisz", "rezygnuję"),
    "pt": ("stop", "pare", "parar", "sair", "cancelar inscrição"),
    "ro": ("stop", "dezabonare"),
    "ru": ("стоп", "stop", "отписаться"),
    "sv": ("stopp", "stop", "avsluta", "avregistrera"),
    "tr": ("stop", "durdur"),
    "uk": ("стоп", "stop", "відписатися"),
}
START_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "cs": ("start",),
    "da": ("start", "tilmeld"),
    "de": ("start", "anmelden"),
    "en": ("start", "unstop", "resume", "subscribe", "opt in", "optin"),
    "es": ("start", "alta", "iniciar"),
    "fi": ("start", "aloita"),
    "fr": ("start", "reprendre", "réabonner", "réabonnement"),
    "it": ("start", "inizia", "iscrivi"),
    "nl": ("start", "aanmelden"),
    "no": ("start", "meld på"),
    "pl": ("start", "zapisz"),
    "pt": ("start", "iniciar", "voltar"),
    "ro": ("start", "abonare"),
    "ru": ("старт", "start"),
    "sv": ("start", "starta"),
    "tr": ("start", "başla"),
    "uk": ("старт", "start"),
}


def plain(text: str) -> str:
    """A text without case, accents, punctuation and more than single blanks."""
    folded = unicodedata.normalize("NFKD", text).casefold()  # what is folded may decompose again
    decomposed = unicodedata.normalize("NFKD", folded).casefold()
    kept = (
        char if char.isalnum() else " "
        for char in decomposed
        if unicodedata.category(char) not in ("Mn", "Cf")
    )
    return " ".join("".join(kept).split())


def words(table: Mapping[str, Iterable[str]], languages: Iterable[str]) -> frozenset[str]:
    """The words of some languages, in their plain form."""
    return frozenset(plain(word) for language in languages for word in table[language])


def wish(text: str, stop: frozenset[str], start: frozenset[str]) -> Wish | None:
    """What a text wants, by plain words; ``None``: it is a message like others."""
    if len(text.strip()) > LONGEST:
        return None
    said = plain(text)
    for wanted, known in ((Wish.STOP, stop), (Wish.START, start)):
        if said in known or _ADDED.sub("", said) in known:
            return wanted
    return None
