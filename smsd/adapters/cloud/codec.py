"""A provider is a codec too: a submission becomes a request value, a reply a value or an error."""

from dataclasses import dataclass
from typing import Protocol

from smsd.adapters.cloud.lookup import Listed
from smsd.adapters.contract import Capabilities, Submission
from smsd.model.events import Awaited, Report


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a provider: ``path`` under its base URL, ``form`` as body or query."""

    method: str
    path: str
    form: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete HTTP answer; ``charset`` is the header's, ``None`` if it names none."""

    status: int
    body: bytes
    charset: str | None = None

    @property
    def text(self) -> str:
        """The body in the charset of its header, else UTF-8, else ISO-8859-15."""
        for charset in (self.charset, "utf-8", "iso-8859-15"):
            try:
                if charset is not None:
                    return self.body.decode(charset).removeprefix("\ufeff")
            except (ValueError, LookupError):  # not in it, or no charset at all
                continue
        raise AssertionError("every octet is a character of ISO-8859-15")


class Provider(Protocol):
    """One provider's HTTP API; pure."""

    @property
    def base_url(self) -> str:
        """Where its paths begin."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def submit(self, submission: Submission) -> Request:
        """The request that sends a message; raises a `PhoneError` if it cannot be sent this way."""
        ...

    def receipt(self, reply: Reply) -> str:
        """The provider's id of an accepted message.

        Raises the `PhoneError` that the reply means; `Uncertain` wherever it proves neither
        acceptance nor refusal.
        """
        ...

    def enquire(self, awaited: Awaited) -> Request:
        """The request that asks what became of a message."""
        ...

    def verdict(self, awaited: Awaited, reply: Reply) -> Report | None:
        """What became of it; ``None`` where the reply does not tell."""
        ...

    def enquire_list(self) -> Request | None:
        """The request for the newest messages that it was given, ``None`` if it lists none."""
        ...

    def listed(self, reply: Reply) -> list[Listed]:
        """Those messages; raises a `PhoneError` where the reply is no such list, whole."""
        ...

    def probe(self) -> Request:
        """A request that costs nothing and tells whether the account can send."""
        ...

    def standing(self, reply: Reply) -> str:
        """What the probe found, in words; raises the `PhoneError` that stands in the way."""
        ...
