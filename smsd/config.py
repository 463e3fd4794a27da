"""One TOML file: every key has a default that suits a stick on a Pi, and no mistake goes unnamed.

Secrets may be literal, ``env:NAME``, ``file:PATH`` or ``credential:NAME`` (systemd's credentials).
"""

import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct, field

from smsd.adapters.modem.catalogue import CatalogueError
from smsd.adapters.modem.catalogue import load as load_catalogue
from smsd.adapters.modem.probe import same_iccid
from smsd.adapters.modem.profiles import ProfileError
from smsd.adapters.modem.profiles import load as load_profiles
from smsd.dispatch.startpoints import StartpointError, window_start
from smsd.dispatch.telling import LOOPBACK
from smsd.model.hours import HoursError, window
from smsd.model.message import HIGHEST, LOWEST
from smsd.rules import (
    AutoreplySection,
    CommandSection,
    InboxSection,
    Sections,
    StopSection,
    WebhookSection,
    problems,
    secret_problems,
)
from smsd.store.retention import SHORTEST

NAME_LENGTH: Final = 150  # characters; RaspiSMS's column

Name = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH)]
Scope = Literal["send", "read", "admin"]
Validity = Annotated[int, Meta(ge=300, le=63 * 7 * 86_400)]
Days = Annotated[int, Meta(ge=0, le=36_500)]
Trouble = Literal["limit_reached", "no_credit", "unavailable"]


class ConfigError(Exception):
    """The configuration is wrong; the message names file, key and what was expected."""


class StoreSection(Struct, forbid_unknown_fields=True, frozen=True):
    """Where everything is kept."""

    url: str = "sqlite:///var/lib/smsd/smsd.db"

    @property
    def path(self) -> str:
        """The database's file."""
        return self.url.removeprefix("sqlite://")


class ApiSection(Struct, forbid_unknown_fields=True, frozen=True):
    """Who may reach smsd, and how."""

    socket: str = "/run/smsd/smsd.sock"
    listen: tuple[str, ...] = ()
    local_users: dict[str, Scope | tuple[Scope, ...]] = field(
        default_factory=lambda: {"root": "admin", "@smsd": ("send", "read")}
    )
    default_region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None


class LimitSection(Struct, forbid_unknown_fields=True, frozen=True):
    """At most ``volume`` since ``startpoint``."""

    volume: Annotated[int, Meta(ge=1)]
    startpoint: str


class RouteSection(Struct, forbid_unknown_fields=True, frozen=True):
    """Numbers with a prefix go by a phone, or by those that an operator serves."""

    prefix: Annotated[str, Meta(pattern=r"^\+[0-9]{1,15}$")]
    phone: str | None = None
    operator: Annotated[str, Meta(min_length=1)] | None = None


class DispatchSection(Struct, forbid_unknown_fields=True, frozen=True):
    """How messages leave. ``validity`` is in seconds.

    ``flood`` and ``loop`` guard a recipient: against too many messages, and too many with one text.
    """

    paused: bool = False
    validity: Validity = 86_400
    timezone: str | None = None
    sticky: bool = False
    routes: tuple[RouteSection, ...] = ()
    flood: LimitSection | None = None
    loop: LimitSection | None = None


class ModemsSection(Struct, forbid_unknown_fields=True, frozen=True):
    """How modems are found; ``profiles`` is a folder of TOML files that add to what is known."""

    auto: bool = True
    profiles: str = "/etc/smsd/profiles"


class KeepSection(Struct, forbid_unknown_fields=True, frozen=True):
    """For how many days what is kept; 0: for ever. Less than 7 would forget what is needed."""

    message: Days = 0
    received: Days = 0
    call: Days = 0
    datagram: Days = 0
    raw: Days = 90
    report: Days = 90
    event: Days = 90

    @property
    def periods(self) -> dict[str, timedelta]:
        """How long each kind is kept, without those that are for ever."""
        days = {name: getattr(self, name) for name in self.__struct_fields__}
        days["campaign"] = self.message
        return {name: timedelta(days=number) for name, number in days.items() if number}


class LogSection(Struct, forbid_unknown_fields=True, frozen=True):
    """What is told while smsd runs."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class UserSection(Struct, forbid_unknown_fields=True, frozen=True):
    """A RaspiSMS account; ``timezone`` is that of its wall clock, ``None``: the gateway's."""

    name: Name
    api_key: str
    suspended: bool = False
    timezone: str | None = None
    priority: Annotated[int, Meta(ge=LOWEST, le=HIGHEST)] = 0


class HoursSection(Struct, forbid_unknown_fields=True, frozen=True):
    """Hours at which messages leave, on the gateway's wall clock."""

    hours: str
    days: tuple[str, ...] = ("mon-sun",)


class PhoneSection(Struct, forbid_unknown_fields=True, frozen=True, tag_field="adapter"):
    """What every phone has."""

    name: Name
    priority: Annotated[int, Meta(ge=0)] = 0
    limits: tuple[LimitSection, ...] = ()
    limit_unit: Literal["parts", "messages"] = "parts"
    fallback: tuple[str, ...] | None = None
    fallback_on: tuple[Trouble, ...] = ("limit_reached",)
    unavailable_grace: Annotated[float, Meta(ge=0)] = 120.0
    on_uncertain: Literal["hold", "resend"] = "hold"
    validity: Validity | None = None
    send_windows: tuple[HoursSection, ...] = ()


class BalanceSection(Struct, forbid_unknown_fields=True, frozen=True):
    """How the balance is asked for: a USSD code, and a pattern whose first group is the number."""

    ussd: Annotated[str, Meta(pattern=r"^[*#0-9]{1,40}$")]
    pattern: Annotated[str, Meta(min_length=1, max_length=500)]
    every: Annotated[float, Meta(ge=300, le=31 * 86_400)] = 86_400.0
    low: float | None = None


class ModemSection(PhoneSection, tag="modem", kw_only=True, frozen=True):
    """A modem: by its IMEI, its SIM, its place on USB, or on a tty or behind ``tcp://host:port``."""

    device: Annotated[str, Meta(pattern=r"^(/.+|\./.+|tcp://[^/:]+:\d{1,5})$")] | None = None
    imei: Annotated[str, Meta(pattern="^[0-9]{14,17}$")] | None = None
    iccid: Annotated[str, Meta(pattern="^89[0-9]{16,18}$")] | None = None
    usb_path: Annotated[str, Meta(pattern=r"^[0-9]+-[0-9]+(\.[0-9]+)*$")] | None = None
    baud: Annotated[int, Meta(ge=300, le=4_000_000)] = 115_200
    pin: str | None = None
    smsc: Annotated[str, Meta(pattern=r"^\+?\d{3,20}$")] | None = None
    send_timeout: Annotated[float, Meta(ge=1, le=600)] | None = None
    number: Annotated[str, Meta(pattern=r"^\+\d{6,15}$")] | None = None
    selftest_interval: Annotated[float, Meta(ge=0)] = 21_600.0
    profile: str | None = None
    power_cycle: tuple[Annotated[str, Meta(min_length=1)], ...] | None = None
    calls: Literal["reject", "ignore"] = "reject"
    balance: BalanceSection | None = None


class SmsmodeSection(PhoneSection, tag="smsmode", kw_only=True, frozen=True):
    """An smsmode account. ``cost_limit`` counts SMS parts, as its prices do."""

    access_token: str
    base_url: str = "https://api.smsmode.com/http/"
    sender: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,11}$")] | None = None
    cost_limit: LimitSection | None = None


AnyPhone = ModemSection | SmsmodeSection


class Config(Sections, forbid_unknown_fields=True, frozen=True):
    """The whole file."""

    store: StoreSection = StoreSection()
    api: ApiSection = ApiSection()
    dispatch: DispatchSection = DispatchSection()
    modem: ModemsSection = ModemsSection()
    keep: KeepSection = KeepSection()
    log: LogSection = LogSection()
    user: tuple[UserSection, ...] = ()
    phone: tuple[AnyPhone, ...] = ()

    @property
    def zone(self) -> tzinfo:
        """The zone of the wall clock by which limits and ``at`` are meant."""
        return local_zone(self.dispatch.timezone)


NAMES_OF_A_MODEM: Final = ("imei", "iccid", "usb_path", "device")
_SAME: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "imei": lambda one, other: one[:14] == other[:14],  # the rest is check digit and version
    "iccid": same_iccid,
}
GUARDS: Final = ("dispatch.flood", "dispatch.loop")
SECRETS: Final = ("pin", "api_key", "access_token", "secret", "password")
_WITH_SECRETS: Final = ("user", "phone", "webhook", "command")
_LATER: Final = ("gammu", "vudumobile", "vavasms", "octopush", "raspisms", "test")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.+?)`")
_AT: Final = re.compile(r" - at `\$\.?(.*?)`$")


def load(path: str | Path) -> Config:
    """Read, check and resolve a file; raises `ConfigError`."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at octet {error.start}") from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    return parse(raw, str(path))


def parse(raw: dict[str, Any], path: str) -> Config:
    """A configuration from its TOML tables; ``path`` is for the messages."""
    _refuse_later_adapters(raw, path)
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explained(str(error))}") from error
    problems = list(_problems(config))
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    resolved = msgspec.convert(_resolved(raw, path), Config)
    for number, phone in enumerate(resolved.phone):
        pin = phone.pin if isinstance(phone, ModemSection) else None
        if pin is not None and not re.fullmatch("[0-9]{4,8}", pin):
            raise ConfigError(f"{path}: phone[{number}].pin: 4 to 8 digits expected")
    faults = list(secret_problems(resolved))
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    keys: dict[str, str] = {}
    for user in resolved.user:
        if (other := keys.setdefault(user.api_key, user.name)) != user.name:
            raise ConfigError(f'{path}: user: "{other}" and "{user.name}" have the same api_key')
    return resolved


def _refuse_later_adapters(raw: dict[str, Any], path: str) -> None:
    phones = raw.get("phone")
    for number, phone in enumerate(phones if isinstance(phones, list) else ()):
        if not isinstance(phone, dict):
            continue
        name = phone.get("adapter")
        where = f"{path}: phone[{number}].adapter"
        if name is None:
            raise ConfigError(f'{where}: missing; "modem" and "smsmode" are known')
        if name in _LATER:
            raise ConfigError(f'{where}: "{name}" is not in this version; use "modem" or "smsmode"')


def _explained(message: str) -> str:
    """Msgspec's words, the key path first, and the nearest valid key for one it does not know."""
    at = _AT.search(message)
    key = at[1] if at else ""
    words = _AT.sub("", message)
    unknown = _UNKNOWN.match(words)
    if unknown is None:
        words = words.replace("Object missing required field", "missing key")
        return f"{key}: {words}" if key else words
    full = f"{key}.{unknown[1]}" if key else unknown[1]
    valid = _valid_keys(key)
    near = _nearest(unknown[1], valid)
    hint = f'did you mean "{near}"?' if near else f"valid here: {', '.join(valid)}"
    return f"{full}: unknown key; {hint}"


def _nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like a wrong one."""
    import difflib  # for who has made a mistake: it takes half a megabyte

    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def _valid_keys(key: str) -> list[str]:
    section = key.partition("[")[0].partition(".")[0]
    if section == "phone" and key.endswith(".balance"):
        return list(BalanceSection.__struct_fields__)
    if section == "phone" and "send_windows" in key:
        return list(HoursSection.__struct_fields__)
    if key.startswith("dispatch.routes"):
        return list(RouteSection.__struct_fields__)
    if (section == "phone" and ("limits" in key or "cost_limit" in key)) or key in GUARDS:
        return list(LimitSection.__struct_fields__)
    kinds: dict[str, tuple[type[Struct], ...]] = {
        "": (Config,),
        "store": (StoreSection,),
        "api": (ApiSection,),
        "dispatch": (DispatchSection,),
        "modem": (ModemsSection,),
        "keep": (KeepSection,),
        "log": (LogSection,),
        "user": (UserSection,),
        "phone": (ModemSection, SmsmodeSection),
        "inbox": (InboxSection,),
        "stop": (StopSection,),
        "command": (CommandSection,),
        "autoreply": (AutoreplySection,),
        "webhook": (WebhookSection,),
    }
    found = [name for kind in kinds.get(section, ()) for name in kind.__struct_fields__]
    return sorted({*found, *(("adapter",) if section == "phone" else ())})


def _problems(config: Config) -> Iterator[str]:
    """What types alone do not tell."""
    if not config.store.url.startswith("sqlite://") or config.store.path in ("", ":memory:"):
        # Without a file SQLite keeps everything in memory, and a restart would lose it.
        yield 'store.url: "sqlite://PATH" expected; PostgreSQL is not in this version'
    for kind, names in (
        ("phone", [phone.name for phone in config.phone]),
        ("user", [user.name for user in config.user]),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f'{kind}: the name "{name}" is used twice'
    for name in KeepSection.__struct_fields__:
        if 0 < getattr(config.keep, name) < SHORTEST.days:
            yield f"keep.{name}: at least {SHORTEST.days} days expected, or 0 for ever"
    known = {phone.name for phone in config.phone}
    now = datetime.now(UTC)
    yield from _modems_named_twice(config)
    try:
        catalogue = load_catalogue(config.modem.profiles)
        profiles = load_profiles(Path(config.modem.profiles))
    except (CatalogueError, ProfileError) as error:
        yield f"modem.profiles: {error}"
    else:
        wanted = [
            (f"phone[{number}].profile", phone.profile)
            for number, phone in enumerate(config.phone)
            if isinstance(phone, ModemSection) and phone.profile is not None
        ]
        wanted += [
            (f"modem.profiles: {model.where}.profile", model.profile) for model in catalogue.models
        ]
        for where, name in wanted:
            if name not in profiles:
                yield f'{where}: "{name}" is none of {", ".join(sorted(profiles))}'
    if not 0 < len(os.fsencode(config.api.socket)) < 108:
        yield "api.socket: a path of 1 to 107 octets expected"
    for number, phone in enumerate(config.phone):
        if phone.name in (phone.fallback or ()):
            yield f"phone[{number}].fallback: a phone is not its own fallback"
        if isinstance(phone, ModemSection):
            named = [key for key in NAMES_OF_A_MODEM if getattr(phone, key) is not None]
            if len(named) != 1:
                have = f"{' and '.join(named)} are there" if named else "none is there"
                yield f"phone[{number}]: one of {', '.join(NAMES_OF_A_MODEM)} expected, {have}"
            if phone.power_cycle == ():
                yield f"phone[{number}].power_cycle: a program with its arguments expected"
            if phone.balance is not None:
                where = f"phone[{number}].balance.pattern"
                yield from _balance_problems(where, phone.balance.pattern)
        device = phone.device if isinstance(phone, ModemSection) else None
        if device is not None and device.startswith("tcp://") and not _has_port(device):
            yield f"phone[{number}].device: a port from 1 to 65535 expected"
        for name in phone.fallback or ():
            if name not in known:
                near = _nearest(name, known)
                hint = f'; did you mean "{near}"?' if near else ""
                yield f'phone[{number}].fallback: no phone is named "{name}"{hint}'
        for at, hours in enumerate(phone.send_windows):
            try:
                window(hours.days, hours.hours)
            except HoursError as error:
                yield f"phone[{number}].send_windows[{at}]: {error}"
        for at, limit in enumerate(limits_of(phone)):
            yield from _startpoint_problems(f"phone[{number}].limits[{at}]", limit, now)
        if isinstance(phone, SmsmodeSection):
            url = urlsplit(phone.base_url)
            if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
                yield f"phone[{number}].base_url: https expected (http only to this machine itself)"
    yield from _dispatch_problems(config.dispatch, known, now)
    yield from problems(config, [user.name for user in config.user])
    for address in config.api.listen:
        if not _has_port(address):
            yield f'api.listen: "{address}" is no "host:port"'
    zones: list[tuple[str, str | None]] = [("dispatch", config.dispatch.timezone)]
    zones += [(f"user[{n}]", user.timezone) for n, user in enumerate(config.user) if user.timezone]
    for key, zone in zones:
        try:
            local_zone(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            shown = zone or os.environ.get("TZ")
            yield f'{key}.timezone: "{shown}" is no zone such as "Europe/Paris"'


def _dispatch_problems(dispatch: DispatchSection, phones: set[str], now: datetime) -> Iterator[str]:
    for number, route in enumerate(dispatch.routes):
        where = f"dispatch.routes[{number}]"
        if (route.phone is None) == (route.operator is None):
            yield f"{where}: one of phone, operator expected"
        elif route.phone is not None and route.phone not in phones:
            near = _nearest(route.phone, phones)
            hint = f'; did you mean "{near}"?' if near else ""
            yield f'{where}.phone: no phone is named "{route.phone}"{hint}'
    for key in GUARDS:
        limit = getattr(dispatch, key.partition(".")[2])
        if limit is not None:
            yield from _startpoint_problems(key, limit, now)


def _startpoint_problems(where: str, limit: LimitSection, now: datetime) -> Iterator[str]:
    try:
        if window_start(limit.startpoint, now, UTC) >= now:
            yield f"{where}.startpoint: a time in the past expected"
    except StartpointError as error:
        yield f"{where}.startpoint: {error}"


def _modems_named_twice(config: Config) -> Iterator[str]:
    """Phones that name one modem in the same way."""
    for (_, first), (number, second) in combinations(enumerate(config.phone), 2):
        for key in NAMES_OF_A_MODEM:
            one, other = getattr(first, key, None), getattr(second, key, None)
            if one and other and (_SAME[key](one, other) if key in _SAME else one == other):
                where = f'phone[{number}].{key}: "{other}"'
                yield f'{where} is that of phone "{first.name}" already; one of its own expected'


def _balance_problems(where: str, pattern: str) -> Iterator[str]:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        yield f"{where}: no regular expression: {error}"
    else:
        if not groups:
            yield f'{where}: a group for the number expected, as in "([0-9]+[.,][0-9]+)"'


def _has_port(address: str) -> bool:
    host, _, port = address.rpartition(":")
    return bool(host and re.fullmatch("[0-9]{1,5}", port)) and 0 < int(port) < 65536


def missing_programs(config: Config) -> Iterator[str]:
    """The programs that are not there: reason for a complaint, and none to send nothing."""
    # A person's path may have no sbin, where such programs are; the service's has.
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin"
    named = [
        (f"phone[{number}].power_cycle", phone.power_cycle[0])
        for number, phone in enumerate(config.phone)
        if isinstance(phone, ModemSection) and phone.power_cycle
    ]
    named += [
        (f"command[{number}].program", command.program[0])
        for number, command in enumerate(config.command)
    ]
    for where, program in named:
        if shutil.which(program, path=path) is None:
            hint = "its full path" if "/" in program else "one on the PATH, or its full path"
            yield f'{where}: "{program}" is no program that can be run; {hint} expected'


def limits_of(phone: AnyPhone) -> tuple[LimitSection, ...]:
    """All limits of a phone, that on its cost included."""
    cost = phone.cost_limit if isinstance(phone, SmsmodeSection) else None
    return (*phone.limits, *((cost,) if cost else ()))


def _resolved(raw: dict[str, Any], path: str) -> dict[str, Any]:
    """The same tables with every secret in place of what names it."""
    found = dict(raw)
    for section in _WITH_SECRETS:
        if section in raw:
            found[section] = [
                {
                    key: secret(value, f"{path}: {section}[{number}].{key}")
                    if key in SECRETS and isinstance(value, str)
                    else value
                    for key, value in table.items()
                }
                for number, table in enumerate(raw[section])
            ]
    return found


def secret(value: str, where: str) -> str:
    """What a secret's value names; raises `ConfigError` if it is not there or empty."""
    kind, colon, name = value.partition(":")
    if not value:
        raise ConfigError(f"{where}: is empty")
    if not colon or kind not in ("env", "file", "credential"):
        return value
    if kind == "env":
        content = os.environ.get(name)
        if not content:
            raise ConfigError(f"{where}: the environment has no variable {name}, or an empty one")
        return content
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if kind == "credential" and directory is None:
        raise ConfigError(f"{where}: systemd gave no credentials (LoadCredential={name}:…)")
    file = Path(name) if kind == "file" else Path(directory or "", name)
    try:
        content = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{where}: {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: {file}: not UTF-8 at octet {error.start}") from None
    if not content:
        raise ConfigError(f"{where}: {file} is empty")
    return content


def effective(config: Config) -> dict[str, Any]:
    """The configuration with its defaults and its secrets masked, for ``smsd check --print``."""
    shown: dict[str, Any] = msgspec.to_builtins(config)
    for table in (table for section in _WITH_SECRETS for table in shown[section]):
        for key in SECRETS:
            if table.get(key):
                table[key] = "********"
    return shown


def local_zone(name: str | None) -> tzinfo:
    """A zone by its name; ``None``: that of the system, UTC if it has none."""
    wanted = name or os.environ.get("TZ", "").lstrip(":")
    if wanted:
        return ZoneInfo(wanted)
    try:
        with open("/etc/localtime", "rb") as file:
            return ZoneInfo.from_file(file)
    except OSError:
        return UTC
