"""Which of the messages that arrived belong together (23.040 9.2.3.24.1)."""

from __future__ import annotations

from smsd.gsm.assemble import assemble
from smsd.gsm.values import TYPE_CHECKING, dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from smsd.gsm.address import Address
    from smsd.gsm.tpdu import Deliver

    _Key = tuple[Address, int, int, bool]


@dataclass(frozen=True, slots=True)
class Message:
    """The parts of one message that have arrived, in their order, and how many it has."""

    parts: tuple[Deliver, ...]
    total: int

    @property
    def complete(self) -> bool:
        """Whether every part is there."""
        return len(self.parts) == self.total

    @property
    def originator(self) -> Address:
        """Who sent it."""
        return self.parts[0].originator

    @property
    def text(self) -> str:
        """The text; where parts are missing their neighbours follow each other."""
        runs: list[list[Deliver]] = []
        last = None
        for part in self.parts:
            tie = part.user_data.concatenation
            number = tie.number if tie else 1
            if last is None or number != last + 1:
                runs.append([])
            runs[-1].append(part)
            last = number
        # Only true neighbours are joined before decoding: an escape at a gap is no one's.
        return "".join([assemble([part.user_data for part in run]) for run in runs])


def collect(delivers: Iterable[Deliver]) -> Iterator[Message]:
    """Yield each message as soon as its last part is there, and at the end those with gaps.

    Parts belong together where originator, reference, width of the reference and total agree.
    A repeat of a part is dropped. Another part with a number that is there already begins a new
    message: the reference has come round, and the older message will never be complete.
    """
    waiting: dict[_Key, dict[int, Deliver]] = {}
    finished: dict[_Key, dict[int, Deliver]] = {}
    for deliver in delivers:
        tie = deliver.user_data.concatenation
        if tie is None:
            yield Message((deliver,), 1)
            continue
        key = (deliver.originator, tie.reference, tie.total, tie.wide)
        parts = waiting.setdefault(key, {})
        if deliver in (parts.get(tie.number), finished.get(key, {}).get(tie.number)):
            continue
        if tie.number in parts:
            yield _message(waiting.pop(key), tie.total)
            parts = waiting.setdefault(key, {})
        parts[tie.number] = deliver
        if len(parts) == tie.total:
            finished[key] = waiting.pop(key)
            yield _message(parts, tie.total)
    for (_, _, total, _), parts in waiting.items():
        if parts:
            yield _message(parts, total)


def _message(parts: dict[int, Deliver], total: int) -> Message:
    return Message(tuple([parts[number] for number in sorted(parts)]), total)
