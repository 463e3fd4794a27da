"""Logging: a constant sentence and fields, to the journal under systemd, else to stderr.

No text of a message, PIN, key or full number is ever a field: `short` is how a number is named.
"""

import logging
import os
import socket
import sys
from contextvars import ContextVar
from typing import Final

JOURNAL: Final = "/run/systemd/journal/socket"
PHONE: Final[ContextVar[str | None]] = ContextVar("phone", default=None)
"""Whose task this is: its records bear that phone's name if they name none themselves."""
_PRIORITY: Final = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}


def fields(**values: object) -> dict[str, object]:
    """The ``extra`` of a log call; ``None`` is left out."""
    return {"fields": {key: value for key, value in values.items() if value is not None}}


def short(number: str) -> str:
    """A number or sender with its middle left out: enough to recognise, not to call."""
    return number if len(number) < 8 else f"{number[:3]}…{number[-3:]}"


def _fields_of(record: logging.LogRecord) -> dict[str, object]:
    found: dict[str, object] = getattr(record, "fields", {})
    phone = PHONE.get()
    return found if phone is None or "phone" in found else {"phone": phone} | found


class TerminalFormatter(logging.Formatter):
    """``12:00:01 info message sent message=42 phone=gsm0`` on one line; a traceback after it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without its traceback."""
        line = super().formatMessage(record)
        tail = " ".join(f"{key}={value}" for key, value in _fields_of(record).items())
        return f"{line} {tail}".rstrip().replace("\n", " ")


class JournalHandler(logging.Handler):
    """journald's native protocol: a datagram of ``KEY=value`` lines (systemd.journal-fields).

    A value with a newline is written as its name, its length in eight octets, and the octets.
    """

    def __init__(self, path: str = JOURNAL) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))  # the rest are fields
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; a journal that is gone is no reason to stop."""
        tail = " ".join(f"{key}={value}" for key, value in _fields_of(record).items())
        message = f"{self.format(record)} {tail}".rstrip()
        entry = {
            "MESSAGE": message,
            "PRIORITY": _PRIORITY.get(record.levelname, 6),
            "SYSLOG_IDENTIFIER": "smsd",
            "SMSD_LOGGER": record.name,
            **{f"SMSD_{key.upper()}": value for key, value in _fields_of(record).items()},
        }
        try:
            self._socket.sendto(b"".join(_entry(*item) for item in entry.items()), self._path)
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()


def _entry(key: str, value: object) -> bytes:
    data = str(value).encode(errors="replace")
    if b"\n" in data:
        return key.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
    return key.encode() + b"=" + data + b"\n"


def set_up(level: str) -> None:
    """Log to the journal where systemd connected stderr to it, else to stderr."""
    handler: logging.Handler
    if os.environ.get("JOURNAL_STREAM") and os.path.exists(JOURNAL):
        handler = JournalHandler()
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(TerminalFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What it says of a request that is no HTTP quotes it, keys and texts included.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
