"""From the ttys of a USB device to the ports that are worth a question, the best first. Pure.

A port of a known role that is not ours (GPS, diagnostics, audio) is never a candidate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from smsd.adapters.modem.catalogue import LEFT_ALONE, Catalogue, Kind, Model, Role

NOWHERE: Final = 1 << 16  # behind every interface that has a number
MODEM_DRIVERS: Final = frozenset({"option", "option1", "sierra", "qcserial", "hso"})
"""Drivers that bind to modems alone, so that an unlisted device is one too."""
TAGGED: Final = 3  # the rank of a port that ModemManager's rules know
_TAGS: Final = (
    ("ID_MM_PORT_TYPE_AT_SECONDARY", Role.AT),
    ("ID_MM_PORT_TYPE_AT_PRIMARY", Role.AT),
    ("ID_MM_PORT_TYPE_AT_GPS_CONTROL", Role.AT),
    ("ID_MM_PORT_TYPE_AT_PPP", Role.MODEM),
    ("ID_MM_PORT_TYPE_QCDM", Role.DIAG),
    ("ID_MM_PORT_TYPE_GPS", Role.GPS),
    ("ID_MM_PORT_TYPE_AUDIO", Role.AUDIO),
    ("ID_MM_PORT_IGNORE", Role.OTHER),
)
_WORDS: Final = (
    ("pcui", Role.AT),
    ("diag", Role.DIAG),
    ("nmea", Role.GPS),
    ("gps", Role.GPS),
    ("audio", Role.AUDIO),
    ("voice", Role.AUDIO),
    ("modem", Role.MODEM),
    ("at", Role.AT),
)


@dataclass(frozen=True, slots=True)
class Tty:
    """One tty as udev and sysfs show it.

    ``path`` is its place in sysfs, ``device`` its node, ``usb_path`` the USB device that it belongs
    to (``1-1.3``; ``None``: no USB), ``interface`` its USB interface, ``triple`` that interface's
    ``class/subclass/protocol`` in hex, ``words`` what the interface calls itself.
    """

    path: str
    device: str
    usb_path: str | None = None
    vid: str = ""
    pid: str = ""
    interface: int | None = None
    triple: str = ""
    words: str = ""
    driver: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usb:
    """One USB device; ``number`` changes each time that it is plugged in."""

    path: str
    usb_path: str
    vid: str
    pid: str
    name: str = ""
    number: str = ""


Node = Tty | Usb


@dataclass(frozen=True, slots=True)
class TtyPort:
    """One port of a stick; ``rank`` orders those that may be asked, the lowest first."""

    device: str
    interface: int | None
    role: Role
    driver: str
    rank: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stick:
    """A USB device with its ports; ``model`` is ``None`` for one that nobody has listed."""

    usb_path: str
    vid: str
    pid: str
    name: str
    ports: tuple[TtyPort, ...] = ()
    model: Model | None = None

    @property
    def kind(self) -> Kind:
        """What it is to us; an unlisted one is what its driver says."""
        if self.model is not None:
            return self.model.kind
        known = any(
            port.driver in MODEM_DRIVERS or (port.role is Role.AT and port.rank[0] == TAGGED)
            for port in self.ports
        )
        return Kind.MODEM if known else Kind.NEVER

    @property
    def profile(self) -> str:
        """The name of its family's profile."""
        return self.model.profile if self.model is not None else "generic"

    @property
    def tries(self) -> int:
        """How often a port is asked for a sign of life."""
        return self.model.tries if self.model is not None else 3

    @property
    def complete(self) -> bool:
        """Whether every port is there that the catalogue would have us ask."""
        wanted = set(self.model.at) if self.model is not None else set()
        return bool(wanted) and wanted <= {port.interface for port in self.ports}

    def __str__(self) -> str:
        return f"{self.name} ({self.vid}:{self.pid} at USB {self.usb_path})"


def stick_of(usb: Usb, ttys: Iterable[Tty], catalogue: Catalogue) -> Stick:
    """What a USB device and its ttys are."""
    model = catalogue.model(usb.vid, usb.pid)
    ports = [_port(tty, model, catalogue) for tty in ttys]
    ports.sort(key=lambda port: (_place(port.interface), port.device))
    listed = model is not None and catalogue.listed(usb.vid, usb.pid)
    name = model.name if model is not None and (listed or not usb.name) else usb.name
    return Stick(usb.usb_path, usb.vid, usb.pid, name or "a USB device", tuple(ports), model)


def elect(stick: Stick) -> tuple[TtyPort, ...]:
    """The ports that may take AT commands, in the order in which they are to be asked.

    Where some are known to, the unknown ones are left in peace.
    """
    able = sorted(
        (port for port in stick.ports if port.role not in LEFT_ALONE), key=lambda port: port.rank
    )
    known = tuple(port for port in able if port.role is not Role.UNKNOWN)
    return known or tuple(able)


def _port(tty: Tty, model: Model | None, catalogue: Catalogue) -> TtyPort:
    role, rank = _role(tty, model, catalogue)
    return TtyPort(tty.device, tty.interface, role, tty.driver, rank)


def _role(tty: Tty, model: Model | None, catalogue: Catalogue) -> tuple[Role, tuple[int, int]]:
    """What a port is for and how good it is: the first source that knows has the word."""
    place = _place(tty.interface)
    classes = catalogue.classes(tty.vid)
    if classes is not None and (role := classes.role(tty.triple)) is not None:
        return role, (1 if role is Role.MODEM else 0, place)
    if model is not None and tty.interface is not None:
        if tty.interface in model.at:
            return Role.AT, (2, model.at.index(tty.interface))
        if (left := model.left_alone.get(tty.interface)) is not None:
            return left, (9, place)
    for order, (tag, role) in enumerate(_TAGS):
        if tty.tags.get(tag) == "1":
            return role, (TAGGED, order * NOWHERE + place)
    if model is not None and model.at:
        return Role.UNKNOWN, (8, place)  # a listed layout: what it does not name is not asked first
    words = tty.words.lower()
    for order, (word, role) in enumerate(_WORDS):
        if word in (words.split() if word == "at" else words):
            return role, (4, order * NOWHERE + place)
    return Role.UNKNOWN, (8, place)


def _place(interface: int | None) -> int:
    return NOWHERE if interface is None else interface
