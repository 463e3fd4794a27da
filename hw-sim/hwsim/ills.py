"""The long-lasting illnesses of modems in the field: H1 to H13, and what cures each."""

from dataclasses import dataclass

# Kind: what the value means and its default; whether a power cycle cures it.
KINDS: dict[str, tuple[str, float, bool]] = {
    "H1": ("seconds between the ^BOOT lines of a modem that answers nothing", 20, True),
    "H2": ("minutes until it neither sends nor receives", 0, True),
    "H3": ("seconds of EIO while the node stays; 0: until `plug`", 0, True),
    "H4": ("minutes until messages stop coming in, registered as ever", 0, True),
    "H5": ("unsolicited lines a second; unsilenced for 30 s it crashes", 50, True),
    "H6": ("how many +CMGS stay at the prompt until ESC", 1, True),
    "H7": ("1: +CMGL never ends; 2: it has impossible indexes; 3: it has garbage in it", 1, True),
    "H8": ("seconds between reboots by itself", 90, False),
    "H9": ("seconds until unsolicited codes are lost, as after a suspend", 0, True),
    "H10": ("an MMS notification ends reception until a message is deleted (1)", 1, False),
    "H11": ("seconds in which nothing is read: writes and drains block", 30, True),
    "H12": ("the reference that every sending is answered with; nothing leaves", 7, False),
    "H13": ("everything is answered ERROR until +CFUN=1 (1), after every power on", 1, False),
}


@dataclass(slots=True)
class Ill:
    """One illness at work."""

    kind: str
    value: float
    acute: bool = True  # False: it breaks out later


def ill(kind: str, value: float | None) -> Ill:
    """Make an illness; raises ValueError for one that is not known."""
    if kind not in KINDS:
        raise ValueError(f"no fault {kind}: there are {', '.join(KINDS)}")
    return Ill(kind, KINDS[kind][1] if value is None else value)


class Ills:
    """Those of one modem, by kind."""

    def __init__(self) -> None:
        self.all: dict[str, Ill] = {}

    def acute(self, kind: str) -> Ill | None:
        """Give it if it is at work."""
        found = self.all.get(kind)
        return found if found and found.acute else None

    def add(self, one: Ill) -> None:
        """Fall ill."""
        self.all[one.kind] = one

    def power_cycle(self) -> None:
        """Forget those that a power cycle cures."""
        self.all = {kind: one for kind, one in self.all.items() if not KINDS[kind][2]}
