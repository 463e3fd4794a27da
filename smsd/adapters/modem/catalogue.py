"""What is known of USB modems, as data: ``usb.toml``, and what a user adds to it.

``python -m smsd.adapters.modem.catalogue --udev`` prints ``udev/70-smsd.rules``.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final


class CatalogueError(Exception):
    """A file of the catalogue is wrong; the message names file, row and what was expected."""


class Kind(StrEnum):
    """What a USB device is to us."""

    MODEM = "modem"
    STORAGE = "storage"
    """A modem that still pretends to be a CD."""
    HILINK = "hilink"
    """A modem that pretends to be a network card and has no AT port."""
    BRIDGE = "bridge"
    """A serial adapter: only the configuration can tell that a modem hangs there."""
    DEAD = "dead"
    NEVER = "never"


class Role(StrEnum):
    """What a port is for."""

    AT = "at"
    MODEM = "modem"
    """Takes AT commands too, but is where data calls go."""
    DIAG = "diag"
    GPS = "gps"
    AUDIO = "audio"
    OTHER = "other"
    UNKNOWN = "unknown"


LEFT_ALONE: Final = frozenset({Role.DIAG, Role.GPS, Role.AUDIO, Role.OTHER})


@dataclass(frozen=True, slots=True)
class Model:
    """One row: a layout of ports and how to treat it. ``at`` is in order of preference.

    ``left_alone`` tells the interfaces that are never opened, ``tries`` how often a port is asked
    for a sign of life, ``mend`` what a person has to do, ``where`` the row's place, for messages.
    """

    ids: tuple[str, ...]
    name: str
    profile: str = "generic"
    kind: Kind = Kind.MODEM
    at: tuple[int, ...] = ()
    left_alone: Mapping[int, Role] = field(default_factory=dict)
    tries: int = 3
    becomes: tuple[str, ...] = ()
    mend: str | None = None
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Classes:
    """How a vendor tells its ports by ``class/subclass/protocol`` of their interfaces."""

    vendor: str
    patterns: tuple[tuple[str, Role], ...]

    def role(self, triple: str) -> Role | None:
        """The role of an interface, ``None`` where the class tells nothing; in hex, lower case."""
        found = (role for pattern, role in self.patterns if fnmatchcase(triple, pattern))
        return next(found, None)


class Catalogue:
    """Rows in order: of those that name an id, the first counts."""

    def __init__(self, models: Iterable[Model], classes: Iterable[Classes]) -> None:
        self.models = tuple(models)
        self._classes = {one.vendor: one for one in reversed(tuple(classes))}
        self._exact: dict[str, Model] = {}
        self._patterns: dict[str, Model] = {}
        for model in self.models:
            for id_ in model.ids:
                (self._patterns if "*" in id_ else self._exact).setdefault(id_, model)

    def model(self, vid: str, pid: str) -> Model | None:
        """What a device is, by its ids in hex; ``None`` for one that nobody has listed."""
        id_ = f"{vid}:{pid}".lower()
        if (exact := self._exact.get(id_)) is not None:
            return exact
        found = [pattern for pattern in self._patterns if fnmatchcase(id_, pattern)]
        return self._patterns[max(found, key=len)] if found else None

    def listed(self, vid: str, pid: str) -> bool:
        """Whether a device is listed by its own id, not only by the beginning of it."""
        return f"{vid}:{pid}".lower() in self._exact

    def classes(self, vid: str) -> Classes | None:
        """How that vendor tells its ports."""
        return self._classes.get(vid.lower())


_ID: Final = re.compile(r"[0-9a-f]{4}:([0-9a-f]{4}|[0-9a-f]{0,3}\*)")
_NUMBERS: Final = ("at", "diag", "gps", "audio", "other")
_STRINGS: Final = ("ids", "becomes")
_KEYS: Final = frozenset({"name", "profile", "kind", "tries", "mend", *_NUMBERS, *_STRINGS})


def read(text: str, source: str) -> tuple[list[Model], list[Classes]]:
    """The rows of one file; raises `CatalogueError`. Tables of other names are others' business."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{source}: {error}") from error
    rows, classes = tables.get("usb", []), tables.get("class", [])
    if not isinstance(rows, list) or not isinstance(classes, list):
        raise CatalogueError(f"{source}: [[usb]] and [[class]] expected, with two brackets")
    return (
        [_model(row, f"{source}: usb[{number}]") for number, row in enumerate(rows)],
        [_classes(row, f"{source}: class[{number}]") for number, row in enumerate(classes)],
    )


def _model(row: dict[str, Any], where: str) -> Model:
    for key in row.keys() - _KEYS:
        raise CatalogueError(f"{where}.{key}: unknown key; valid here: {', '.join(sorted(_KEYS))}")
    ids = tuple(id_.lower() for id_ in _list(row, "ids", str, where))
    if not ids:
        raise CatalogueError(f'{where}.ids: "vvvv:pppp" expected, at least one')
    for id_ in ids:
        if not _ID.fullmatch(id_):
            raise CatalogueError(f'{where}.ids: "{id_}" is no "vvvv:pppp" in hex')
    kinds = [str(kind) for kind in Kind]
    if (kind := row.get("kind", "modem")) not in kinds:
        raise CatalogueError(f"{where}.kind: one of {', '.join(kinds)} expected")
    tries = row.get("tries", 3)
    if type(tries) is not int or not 1 <= tries <= 60:
        raise CatalogueError(f"{where}.tries: a number from 1 to 60 expected")
    for key in ("name", "profile", "mend"):
        if not isinstance(row.get(key, ""), str):
            raise CatalogueError(f"{where}.{key}: a text expected")
    return Model(
        ids=ids,
        name=row.get("name", ids[0]),
        profile=row.get("profile", "generic"),
        kind=Kind(kind),
        at=_list(row, "at", int, where),
        left_alone={
            number: Role(key) for key in _NUMBERS[1:] for number in _list(row, key, int, where)
        },
        tries=tries,
        becomes=_list(row, "becomes", str, where),
        mend=row.get("mend"),
        where=where,
    )


def _classes(row: dict[str, Any], where: str) -> Classes:
    vendor = row.get("vendor")
    if not isinstance(vendor, str) or not re.fullmatch("[0-9a-f]{4}", vendor.lower()):
        raise CatalogueError(f'{where}.vendor: "vvvv" in hex expected')
    roles = [str(role) for role in Role if role is not Role.UNKNOWN]
    for key in row.keys() - {"vendor", *roles}:
        raise CatalogueError(f"{where}.{key}: unknown key; valid here: vendor, {', '.join(roles)}")
    patterns = [
        (pattern.lower(), Role(key)) for key in roles for pattern in _list(row, key, str, where)
    ]
    # The narrower pattern counts: ff/01/03 before ff/*/03.
    patterns.sort(key=lambda one: one[0].count("*"))
    return Classes(vendor.lower(), tuple(patterns))


def _list(row: Mapping[str, Any], key: str, kind: type, where: str) -> tuple[Any, ...]:
    values = row.get(key, [])
    if not isinstance(values, list) or any(type(value) is not kind for value in values):
        words = "texts" if kind is str else "numbers"
        raise CatalogueError(f"{where}.{key}: a list of {words} expected")
    return tuple(values)


@cache
def _shipped() -> tuple[list[Model], list[Classes]]:
    text = Path(__file__).with_name("usb.toml").read_text(encoding="utf-8")
    return read(text, "usb.toml")


def load(folder: str | Path | None = None) -> Catalogue:
    """The catalogue, with the rows of the TOML files of a folder before its own.

    Raises `CatalogueError`; a folder that is not there adds nothing.
    """
    models: list[Model] = []
    classes: list[Classes] = []
    for path in sorted(Path(folder).glob("*.toml")) if folder is not None else ():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogueError(f"{path}: {error}") from error
        own_models, own_classes = read(text, str(path))
        models += own_models
        classes += own_classes
    shipped_models, shipped_classes = _shipped()
    return Catalogue([*models, *shipped_models], [*classes, *shipped_classes])


# udev -------------------------------------------------------------------------------------------

_RULES: Final = """\
# Made by "make udev" from smsd/adapters/modem/usb.toml: change that.

ACTION=="remove", GOTO="smsd_end"

# Stable names for the ports of USB modems: /dev/smsd/<USB path>-if<interface>, whatever number the
# kernel gives the tty. After 60-serial.rules, which tells the path.
SUBSYSTEM=="tty", ENV{{ID_PATH}}=="?*", ENV{{ID_USB_INTERFACE_NUM}}=="?*", GROUP="dialout", \
SYMLINK+="smsd/$env{{ID_PATH}}-if$env{{ID_USB_INTERFACE_NUM}}"

# Modems stay awake (asleep they lose what comes unasked), and smsd may take one that hangs off the
# bus and put it back.
SUBSYSTEM!="usb", GOTO="smsd_end"
ENV{{DEVTYPE}}!="usb_device", GOTO="smsd_end"
{sticks}
GOTO="smsd_end"

LABEL="smsd_stick"
TEST=="power/control", ATTR{{power/control}}="on"
TEST=="authorized", RUN+="/bin/chgrp smsd $sys$devpath/authorized", \
RUN+="/bin/chmod g+w $sys$devpath/authorized"

LABEL="smsd_end"

# ModemManager opens every modem that it finds. It is not kept off by this file, for it may have
# another modem of this machine's to look after. Keep it off those that are smsd's with lines like
# these in /etc/udev/rules.d/61-my-modems.rules (ids from lsusb), then plug the modem in anew:
#   SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_device", ATTR{{idVendor}}=="12d1", \
ATTR{{idProduct}}=="1506", ENV{{ID_MM_DEVICE_IGNORE}}="1"
# or off every stick that smsd knows, with this one in the same file:
#   SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_device", ATTR{{idVendor}}=="{vendors}", \
ENV{{ID_MM_DEVICE_IGNORE}}="1"
"""


def ignore_line(vid: str, pid: str) -> str:
    """The udev line that keeps ModemManager off a device."""
    return (
        'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", '
        f'ATTR{{idVendor}}=="{vid}", ATTR{{idProduct}}=="{pid}", ENV{{ID_MM_DEVICE_IGNORE}}="1"'
    )


def udev_rules(models: Sequence[Model]) -> str:
    """The udev rules for the modems among these."""
    products: dict[str, set[str]] = {}
    for model in models:
        if model.kind is Kind.MODEM:
            for id_ in model.ids:
                vendor, _, product = id_.partition(":")
                products.setdefault(vendor, set()).add(product)
    lines = [
        f'ATTR{{idVendor}}=="{vendor}", '
        f'ATTR{{idProduct}}=="{"*" if "*" in found else "|".join(sorted(found))}", '
        'GOTO="smsd_stick"'
        for vendor, found in sorted(products.items())
    ]
    return _RULES.format(sticks="\n".join(lines), vendors="|".join(sorted(products)))


if __name__ == "__main__":
    if sys.argv[1:] != ["--udev"]:
        sys.exit("usage: python -m smsd.adapters.modem.catalogue --udev")
    sys.stdout.write(udev_rules(_shipped()[0]))
