"""A modem family as data: what it says, what it offers, and its bad habits.

Words in braces are filled in when a line is said ({imei}, {iccid}, {csq} …: see `Engine.words`); a
line that begins with `[NAME=value]` is only said while that setting has that value.
"""

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

# at: commands and unsolicited codes; at-silent: commands only (the port for data connections).
ROLES = ("at", "at-silent", "diag", "gps", "mute", "audio")


@dataclass(frozen=True, slots=True)
class PortKind:
    """One tty of the device; `usb_class` is class/subclass/protocol in hex."""

    interface: int
    role: str
    usb_class: str = "ff/ff/ff"
    label: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"port role {self.role}: there are {', '.join(ROLES)}")


@dataclass(frozen=True, slots=True)
class Usb:
    """What the device says of itself on the bus, before and after the mode switch."""

    vendor: str
    product: str
    manufacturer: str = ""
    product_name: str = ""
    serial: str = ""
    driver: str = "option"
    node: str = "ttyUSB"
    before: str = ""  # the product id as a storage, empty for devices that need no switch
    before_name: str = "USB Storage"
    switch_seconds: float = 4.0
    between_ports: float = 0.15
    network: bool = False  # an ethernet interface instead of, or beside, the ttys


@dataclass(frozen=True, slots=True)
class Chatter:
    """Lines said now and then, one of `say` every so many seconds until one of `stops_at` runs."""

    say: list[str]
    every: list[float]
    stops_at: list[str] = field(default_factory=list)
    starts_at: list[str] = field(default_factory=list)
    running: bool = True
    again_after_pin: bool = False
    idle_only: bool = False  # sounds like a reboot: never inside a command


@dataclass(frozen=True, slots=True)
class Boot:
    """What happens after power on, in seconds."""

    says: list[list[Any]] = field(default_factory=list)
    silent: float = 0.0  # nothing is answered before
    card_ready: float = 0.0  # +CPIN? and everything of the card: `card_error` before
    card_error: int = 14
    sms_ready: float = 0.0  # message commands: `sms_error` before
    sms_error: int = 302
    needs_power_on: bool = False  # everything is answered ERROR until +CFUN=1


@dataclass(frozen=True, slots=True)
class Reset:
    """A command that reboots: `drop` seconds until the port goes, `away` until it is back."""

    drop: float = 0.5
    away: float = 10.0
    says: list[str] = field(default_factory=list)
    off: bool = False  # it does not come back by itself


@dataclass(frozen=True, slots=True)
class Calls:
    """The dialect of incoming calls; an empty list means the standard's word."""

    incoming: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=lambda: ["NO CARRIER"])
    rejected: list[str] = field(default_factory=list)
    clip_at_second_ring: bool = False


@dataclass(frozen=True, slots=True)
class CardSlot:
    """What is said when the card goes and comes."""

    out: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    needs_reboot: bool = False
    busy_after_pin: float = 0.0
    error_after_pin: int = 14


@dataclass(frozen=True, slots=True)
class Ussd:
    """How the strings of +CUSD are written: text, packed (hex of septets) or ucs2."""

    request: str = "text"
    reply: str = "text"
    mode_setting: str = ""  # setting whose value 0 means text, else `request` and `reply`
    offered: bool = True


@dataclass(frozen=True, slots=True)
class Timing:
    """What the family takes in the field; used by worlds that are started as `--realistic`."""

    command: float = 0.0
    prompt: float = 0.0
    send: list[float] = field(default_factory=lambda: [0.0, 0.0])  # median, sigma (log-normal)


@dataclass(frozen=True, slots=True)
class Personality:
    """One file of `personalities/`; every key there is a field here."""

    name: str
    about: str
    answers: dict[str, str | list[str]]
    memories: dict[str, list[int]]
    memories_of: list[list[str]]
    start_memories: list[str]
    report_memory: str
    cnmi_offer: list[str]
    cnmi_accept: list[str]
    # --- the device
    usb: Usb | None = None
    ports: list[PortKind] = field(default_factory=lambda: [PortKind(0, "at")])
    best_port: int = 0
    uart: bool = False  # a serial line: it does not vanish when the modem behind it reboots
    urc_port_setting: dict[str, int] = field(default_factory=dict)
    boot: Boot = field(default_factory=Boot)
    resets: dict[str, Reset] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)
    technology: str = "2"
    # --- what it says by itself
    chatter: list[Chatter] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    card: CardSlot = field(default_factory=CardSlot)
    full_sign: list[str] = field(default_factory=list)
    # --- commands
    settings: dict[str, str] = field(default_factory=dict)
    nonvolatile: list[str] = field(default_factory=list)  # settings that outlive a reboot
    lacks: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)  # never answered, and nothing after them
    ussd: Ussd = field(default_factory=Ussd)
    charsets: list[str] = field(default_factory=lambda: ["GSM", "IRA", "UCS2"])
    # --- errors
    unknown: str = "ERROR"
    error_level: int = 0
    error_levels: list[int] = field(default_factory=lambda: [0, 1, 2])
    error_texts: bool = False
    error_words: dict[str, str] = field(default_factory=dict)
    # --- framing
    line_ends: list[str] = field(default_factory=lambda: ["\r\n"])
    prompts: list[str] = field(default_factory=lambda: ["> "])
    late_blank: float = 0.0
    cancel_answer: str = "OK"
    lower_case_hex: bool = False
    reference_after_ok: bool = False
    without_ok: list[str] = field(default_factory=list)
    type_ahead: bool = True
    urc_anywhere: bool = False
    # --- messages
    empty_slot_is_ok: bool = False
    cpms_takes: int = 3
    third_memory_stays: bool = False
    first_memory_follows: bool = False
    report_announced_as: str = ""
    report_head: str = "+CDS: "
    damaged_reports: bool = False
    routing_needs_service: bool = False
    acknowledge_within: float = 5.0
    clip_state: bool = False
    busy_after_radio: float = 0.0
    radio_error: int = 515
    mutes_messages: list[str] = field(default_factory=list)
    unmutes_messages: list[str] = field(default_factory=list)
    deaf_after_sending: bool = False

    @property
    def gossip(self) -> list[str]:
        """Everything that may be said between echo and answer."""
        return [line for chatter in self.chatter if not chatter.idle_only for line in chatter.say]


_SECTIONS: dict[str, Any] = {
    "usb": Usb,
    "boot": Boot,
    "calls": Calls,
    "card": CardSlot,
    "ussd": Ussd,
    "timing": Timing,
}


def parse(name: str, table: dict[str, Any]) -> Personality:
    """Make a personality of a parsed file; raises ValueError for a key that means nothing."""
    values = dict(table)
    try:
        for key, kind in _SECTIONS.items():
            if key in values:
                values[key] = kind(**values[key])
        if "ports" in values:
            values["ports"] = [PortKind(**row) for row in values["ports"]]
        values["chatter"] = [Chatter(**row) for row in values.get("chatter", [])]
        values["resets"] = {k: Reset(**row) for k, row in values.get("resets", {}).items()}
        return Personality(name=name, **values)
    except TypeError as error:
        raise ValueError(f"personality {name}: {error}") from error


def load(name: str) -> Personality:
    """Read a personality by its file name; raises ValueError listing those that exist."""
    folder = resources.files("hwsim") / "personalities"
    file = folder / f"{name}.toml"
    if not file.is_file():
        raise ValueError(f"no personality {name}: there are {', '.join(names())}")
    return parse(name, tomllib.loads(file.read_text(encoding="utf-8")))


def names() -> list[str]:
    """List the personalities that come with the simulator."""
    folder = resources.files("hwsim") / "personalities"
    found = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))
