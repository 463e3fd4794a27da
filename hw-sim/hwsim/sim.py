"""The SIM card and the message memories: what survives a modem's reboot."""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field

UNREAD, READ, UNSENT, SENT = range(4)


@dataclass(slots=True)
class Record:
    """One slot: a TPDU, the SC address octets that stand before it, and its status."""

    tpdu: bytes
    sc: bytes
    status: int = UNREAD


@dataclass(slots=True)
class Memory:
    """A message memory of `total` slots that are counted from `first`."""

    name: str
    total: int
    first: int = 1
    records: MutableMapping[int, Record] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether no slot is left."""
        return len(self.records) >= self.total

    def holds(self, index: int) -> bool:
        """Tell whether there is such a slot, empty or not."""
        return self.first <= index < self.first + self.total

    def add(self, record: Record) -> int:
        """Use the lowest free slot; the caller has made sure that there is one."""
        slots = range(self.first, self.first + self.total)
        index = next(slot for slot in slots if slot not in self.records)
        self.records[index] = record
        return index


class JoinedRecords(MutableMapping[int, Record]):
    """The slots of several memories as one, counted on from `first` (27.005 3.1: MT)."""

    def __init__(self, parts: list[Memory], first: int) -> None:
        self._parts = parts
        self._first = first

    def _find(self, index: int) -> tuple[Memory, int]:
        place = index - self._first
        for memory in self._parts:
            if 0 <= place < memory.total:
                return memory, place + memory.first
            place -= memory.total
        raise KeyError(index)

    def __getitem__(self, index: int) -> Record:
        memory, place = self._find(index)
        return memory.records[place]

    def __setitem__(self, index: int, record: Record) -> None:
        memory, place = self._find(index)
        memory.records[place] = record

    def __delitem__(self, index: int) -> None:
        memory, place = self._find(index)
        del memory.records[place]

    def __iter__(self) -> Iterator[int]:
        offset = self._first
        for memory in self._parts:
            for place in sorted(memory.records):
                yield offset + place - memory.first
            offset += memory.total

    def __len__(self) -> int:
        return sum(len(memory.records) for memory in self._parts)


@dataclass(slots=True)
class Sim:
    """A card: who it is, what locks it, what it remembers."""

    number: str
    iccid: str
    imsi: str
    smsc: str
    pin: str | None = None
    puk: str = "12345678"
    pin_tries: int = 3
    puk_tries: int = 10
    reference: int = 0
    pin2: str = "5678"
    phonebook: dict[int, tuple[str, str]] = field(default_factory=dict)
    records: dict[int, Record] = field(default_factory=dict)
    may_disable_pin: bool = True

    def next_reference(self) -> int:
        """Count the TP-MR on; it wraps after 255 (23.040 9.2.3.6)."""
        self.reference = (self.reference + 1) % 256
        return self.reference

    def iccid_file(self) -> str:
        """Give EF_ICCID as hex, nibbles swapped (31.102 4.2)."""
        digits = self.iccid.ljust(20, "F")
        return "".join(digits[i + 1] + digits[i] for i in range(0, 20, 2))
