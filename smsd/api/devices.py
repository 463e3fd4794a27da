"""What an administrator asks of a phone itself: USSD, an AT command, the last lines of its wire."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from aiohttp import web

from smsd.adapters.abilities import AsksNetwork, HasWire
from smsd.adapters.contract import Declined, PhoneError, Rejected, Unavailable
from smsd.api.auth import Doorkeeper
from smsd.api.envelope import ApiError, Code, Route, answer
from smsd.api.forms import truth
from smsd.api.raspisms import body_of
from smsd.at.console import LONGEST_TIMEOUT, SHORTEST_TIMEOUT, Refused
from smsd.dispatch.gateway import Gateway
from smsd.dispatch.phones import Phone
from smsd.model.phone import Health

LONGEST_WAIT: Final = 25.0  # seconds that a request for new lines may wait
DEFAULT_TIMEOUT: Final = 30.0  # seconds for an AT command


class Devices:
    """The handlers. All of it is for administrators: it costs money, or shows what others do."""

    def __init__(self, gateway: Gateway, door: Doorkeeper) -> None:
        self._gateway = gateway
        self._door = door

    def routes(self) -> list[Route]:
        """Every path, without its last slash."""
        return [
            ("POST", "/api/phone/{id}/ussd", self.ussd),
            ("POST", "/api/phone/{id}/at", self.command),
            ("GET", "/api/phone/{id}/trace", self.trace),
        ]

    async def ussd(self, request: web.Request) -> web.Response:
        """``POST /api/phone/{id}/ussd/``: one of ``code``, ``answer`` and ``cancel``."""
        body = await body_of(request)
        asked = self._phone(request, body)
        phone = asked.adapter
        if not isinstance(phone, AsksNetwork):
            raise _unable("talk USSD")
        given = [name for name in ("code", "answer", "cancel") if body.get(name) not in (None, "")]
        if len(given) != 1:
            words = "exactly one of code, answer and cancel is expected."
            code = Code.INVALID_PARAMETER if given else Code.MISSING_PARAMETER
            raise ApiError(code, words)
        [what] = given
        if what != "cancel" and not isinstance(body[what], str):
            raise ApiError(Code.INVALID_PARAMETER, f"{what} must be a text.")
        text = str(body[what])
        try:
            if what == "cancel":
                await phone.ussd_cancel()
                return answer({"status": "cancelled", "text": ""})
            reply = await (phone.ussd(text) if what == "code" else phone.ussd_answer(text))
        except PhoneError as error:
            raise _refused(error, asked) from error
        return answer({"status": str(reply.status), "text": reply.text})

    async def command(self, request: web.Request) -> web.Response:
        """``POST /api/phone/{id}/at/``: ``command``, ``force`` and ``timeout`` in seconds."""
        body = await body_of(request)
        asked = self._phone(request, body)
        phone = asked.adapter
        if not isinstance(phone, HasWire):
            raise _unable("take AT commands")
        line = body.get("command")
        if not isinstance(line, str) or not line.strip():
            raise ApiError(Code.MISSING_PARAMETER, "command.")
        timeout = _seconds(body.get("timeout"), DEFAULT_TIMEOUT)
        if not SHORTEST_TIMEOUT <= timeout <= LONGEST_TIMEOUT:
            words = f"timeout must be {SHORTEST_TIMEOUT:g} to {LONGEST_TIMEOUT:g} seconds."
            raise ApiError(Code.INVALID_PARAMETER, words)
        try:
            found = await phone.command(line, force=truth(body.get("force")), timeout=timeout)
        except Refused as error:
            hint = "; force=1 gives it all the same." if error.forcible else "."
            raise ApiError(Code.INVALID_PARAMETER, f"{error}{hint}") from error
        except PhoneError as error:
            raise _refused(error, asked) from error
        return answer({"lines": list(found.lines), "result": found.result})

    async def trace(self, request: web.Request) -> web.Response:
        """``GET /api/phone/{id}/trace/``: the lines ``after`` a number, waiting for new ones."""
        phone = self._phone(request, {}).adapter
        if not isinstance(phone, HasWire):
            raise _unable("show a wire")
        after = _seconds(request.query.get("after"), 0.0)
        wait = min(_seconds(request.query.get("wait"), 0.0), LONGEST_WAIT)
        lines = await phone.wire(int(after), wait)
        now = self._gateway.now().astimezone(self._gateway.zone)
        return answer(
            [
                {
                    "number": line.number,
                    "at": (now - timedelta(seconds=line.age)).isoformat(timespec="milliseconds"),
                    "age": round(line.age, 3),
                    "direction": line.direction,
                    "text": line.text,
                }
                for line in lines
            ]
        )

    def _phone(self, request: web.Request, body: Mapping[str, Any]) -> Phone:
        """The phone that is asked, if the asker may."""
        self._door.account(request, body).need("admin")
        text = request.match_info["id"]
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
        if number not in self._gateway.phones:
            raise ApiError(Code.INVALID_PARAMETER, "no phone has this id.", status=404)
        return self._gateway.phones[number]


def _unable(to: str) -> ApiError:
    return ApiError(Code.INVALID_PARAMETER, f"this phone cannot {to}.")


def _seconds(value: object, default: float) -> float:
    """A number of a form or a query; raises the error that names it where it is none."""
    if value in (None, ""):
        return default
    try:
        found = float(str(value))
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e12:
        raise ApiError(Code.INVALID_PARAMETER, "a number from 0 on is expected.")
    return found


def _refused(error: PhoneError, phone: Phone) -> ApiError:
    """What the phone says: 503 it is not ready, and why; 400 it never will, 409 not now."""
    never = isinstance(error, Declined | Rejected)
    status = 503 if isinstance(error, Unavailable) else 400 if never else 409
    words = str(error)
    if isinstance(error, Unavailable) and phone.health is not Health.AVAILABLE:
        words = phone.words + (f" ({phone.hint})" if phone.hint else "")
        if phone.disabled:
            words = "the phone is disabled"
    return ApiError(Code.CANNOT_UPDATE, f"{words}.", status=status)
