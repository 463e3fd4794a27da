"""Where every command has its handler."""

from collections.abc import Callable

from hwsim.at import Outcome, Refusal, Request
from hwsim.line import Line

Handler = Callable[[Line, Request], Outcome]
TABLE: dict[str, Handler] = {}
# What each needs before it runs: nothing, an open card, or the message service.
NEEDS: dict[str, str] = {}


def command(*names: str, needs: str = "") -> Callable[[Handler], Handler]:
    """Register a handler; `needs` is card or messages."""

    def add(handler: Handler) -> Handler:
        for name in names:
            TABLE[name] = handler
            NEEDS[name] = needs
        return handler

    return add


def number(request: Request, allowed: range | tuple[int, ...]) -> int:
    """Read the single number of a basic or set command; absent means 0."""
    text = request.value
    if text and not text.isdecimal():
        raise Refusal("error")
    value = int(text or 0)
    if value not in allowed:
        raise Refusal("error")
    return value
