"""Faults that are armed for coming +CMGS commands, and when each of them strikes."""

from collections import deque
from dataclasses import dataclass

# Kind and whether it takes a value: "yes", "no", or "may".
KINDS = {
    "cms": "yes",
    "cms-prompt": "yes",
    "error": "no",
    "silence": "no",
    "swallow": "no",
    "late": "yes",
    "no-prompt": "no",
    "late-prompt": "yes",
    "unplug-at": "yes",
    "unplug-before": "may",
    "unplug-after": "may",
    "report-first": "no",
    "no-reference": "no",
    "dead": "no",
}


@dataclass(slots=True)
class Fault:
    """A fault for `count` sendings, once `after` further ones went well."""

    kind: str
    value: float | None = None
    count: int = 1
    after: int = 0

    def __post_init__(self) -> None:
        wants = KINDS.get(self.kind)
        if wants is None:
            raise ValueError(f"no fault {self.kind}: there are {', '.join(KINDS)}")
        if (wants == "yes" and self.value is None) or (wants == "no" and self.value is not None):
            raise ValueError(f"{self.kind}: a value is {'needed' if wants == 'yes' else 'foreign'}")


class Faults:
    """The faults of one modem, one behind the other in the order in which they were armed."""

    def __init__(self) -> None:
        self.armed: deque[Fault] = deque()

    def strike(self) -> Fault | None:
        """Say what befalls the next sending."""
        if not self.armed:
            return None
        fault = self.armed[0]
        if fault.after:
            fault.after -= 1
            return None
        fault.count -= 1
        if not fault.count:
            self.armed.popleft()
        return fault
