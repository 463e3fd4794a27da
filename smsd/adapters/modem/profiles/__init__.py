"""What differs from modem to modem, as data: one family a TOML file beside this one.

A file of a user's own, in the folder that the configuration names, adds a family or takes the
place of one of the same name. ``like`` names the profile whose values stand where a file has none.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from smsd.at.ussd import Form
from smsd.model.message import FaultClass

Indications = tuple[int, int, int, int, int]
Seconds = Annotated[float, Meta(ge=0)]
_Line = Annotated[str, Meta(pattern="^AT[!-~ ]*$")]


class ProfileError(Exception):
    """A profile's file is wrong; the message names file, key and what was expected."""


class Counter(Struct, frozen=True, forbid_unknown_fields=True):
    """How a modem tells the tries that a PIN has left.

    The first group of ``pattern`` in the answer is the number, in hexadecimal digits.
    """

    command: _Line
    pattern: str = r"(\d+)"


class Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """A setting that the modem keeps for good.

    ``write`` goes only where no line that answers ``read`` fits the pattern ``wanted``; a modem
    that refuses the question is left as it is.
    """

    read: _Line
    wanted: str
    write: _Line


class Profile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a family of modems is set up and used. Times are in seconds."""

    name: str
    about: str = ""
    identified_by: tuple[str, ...] = ()
    """Patterns of ``maker model`` in lower case, for modems that no USB id told apart."""
    first: tuple[_Line, ...] = ()
    """Sent as soon as echo is off and errors have numbers, at every set-up: what silences the
    family's chatter. Nothing that a modem keeps in its flash, which wears."""
    unmute: tuple[_Line, ...] = ()
    """Undoes `first`, on a model that was found to leave out +CMTI with it."""
    settings: tuple[_Line, ...] = ()
    """Command lines of the family's own, whose refusal is no reason to stop."""
    usb_kept: tuple[Kept, ...] = ()
    """What is set for good where the modem is on the USB."""
    leave_out: tuple[_Line, ...] = ()
    """Of the usual settings those that do harm."""
    indications: tuple[Indications, ...]
    """``+CNMI`` values to try in order: messages stored and announced (mt 1), reports stored and
    announced (ds 2), else handed over (ds 1), else none."""
    memories: tuple[str, ...] = ("SM", "ME")
    report_memory: str = "SR"
    iccid: tuple[_Line, ...] = ()
    """Commands that tell the SIM's number, in the order in which they are tried: the first that
    tells it is asked from then on. A family's own come first, EF_ICCID (+CRSM) is any family's."""
    pin_tries: tuple[Counter, ...] = ()
    after_pin: Seconds = 1.0
    """Rest after the PIN before the SIM's data are touched."""
    after_radio: Seconds = 0.0
    """Rest after the radio was switched on, where its OK comes before the modem is ready."""
    sim_ready: Seconds = 60.0
    send_timeout: Seconds = 120.0
    rest: Seconds = 0.0
    """Between a final result and the next command."""
    rest_after_loss: Seconds = 0.0
    """The same from when a command went without an answer on: a buffer that may have overrun."""
    registration_poll: Annotated[float, Meta(ge=1)] = 60.0
    sweep_every: Annotated[float, Meta(ge=1)] = 300.0
    polling_every: Annotated[float, Meta(ge=1)] = 15.0
    """Between sweeps where no indication could be switched on."""
    radio: tuple[_Line, ...] = ("AT+CFUN=4", "AT+CFUN=1")
    """Switches the radio off and on; empty where the modem does not come back from that."""
    reset: tuple[_Line, ...] = ("AT+CFUN=1,1",)
    """Commands that start the firmware anew, the first that is accepted counts."""
    reset_takes: Seconds = 60.0
    ussd: tuple[Form, ...] = (Form.TEXT, Form.PACKED, Form.UCS2)
    """How a USSD string may stand in +CUSD, the likeliest first."""
    temperature: _Line | None = None
    errors: Literal["siemens", "simcom"] | None = None
    """Whose reading of the error numbers from 512 on is the family's; ``None``: nobody's."""
    cms: Mapping[str, FaultClass] = {}
    """Classes of ``+CMS ERROR`` numbers that mean something else here than elsewhere."""
    cme: Mapping[str, FaultClass] = {}


def parse(text: str, where: str, known: Mapping[str, Profile]) -> Profile:
    """A profile from its file's text; raises `ProfileError`."""
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{where}: {error}") from error
    for others in ("usb", "class"):  # the catalogue of USB devices reads these
        table.pop(others, None)
    like = table.pop("like", None)
    if like is not None:
        if like not in known:
            names = ", ".join(sorted(known))
            raise ProfileError(f'{where}: like: no profile is named "{like}"; there are {names}')
        table = _values(known[like]) | table
    try:
        profile = msgspec.convert(table, Profile)
        for pattern in (*profile.identified_by, *(one.wanted for one in profile.usb_kept)):
            re.compile(pattern)
        for counter in profile.pin_tries:
            if re.compile(counter.pattern).groups < 1:
                raise ProfileError(f"{where}: pin_tries: {counter.pattern!r} has no group")
    except msgspec.ValidationError as error:
        raise ProfileError(f"{where}: {error}") from error
    except re.error as error:
        raise ProfileError(f"{where}: {error.pattern!r} is no pattern: {error}") from error
    return profile


def _names_one(text: str) -> bool:
    """Whether a file holds a profile at all: it may list USB devices alone."""
    try:
        return not tomllib.loads(text).keys() <= {"usb", "class"}
    except tomllib.TOMLDecodeError:
        return True


def _values(profile: Profile) -> dict[str, Any]:
    """What a profile hands on: all but what it is called and known by."""
    values: dict[str, Any] = msgspec.to_builtins(profile)
    for own in ("name", "about", "identified_by"):
        del values[own]
    return values


def load(folder: Path | None = None) -> dict[str, Profile]:
    """The profiles that come with smsd and those of a folder, by name; raises `ProfileError`.

    A folder that is not there holds none.
    """
    profiles = dict(_shipped())
    for file in sorted(folder.glob("*.toml")) if folder is not None else ():
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ProfileError(f"{file}: {error}") from error
        if _names_one(text):
            profile = parse(text, str(file), profiles)
            profiles[profile.name] = profile
    return profiles


@cache
def _shipped() -> dict[str, Profile]:
    """The files beside this one; those that are like another come after it."""
    texts = {
        file.stem: file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("*.toml")
    }
    profiles: dict[str, Profile] = {}
    while texts:
        ready = [
            name
            for name, text in texts.items()
            if tomllib.loads(text).get("like", "") in ("", *profiles)
        ]
        assert ready, "profiles that are like one another in a circle"
        for name in sorted(ready):
            profiles[name] = parse(texts.pop(name), f"{name}.toml", profiles)
    return profiles


GENERIC: Final = load()["generic"]


def recognised(profiles: Iterable[Profile], words: str) -> Profile | None:
    """The profile whose patterns fit a modem's maker and model; the longest match wins."""
    found = [
        (len(match[0]), profile.name, profile)
        for profile in profiles
        for pattern in profile.identified_by
        if (match := re.search(pattern, words.lower()))
    ]
    return max(found, key=lambda one: one[:2])[2] if found else None
