"""Whether a modem that vanishes is short of power, which looks like anything but that."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

AFTER_SENDING: Final = 10.0  # seconds: sending is when a modem draws most
TOO_OFTEN: Final = 3  # losses an hour
HOUR: Final = 3600.0  # seconds
HINT: Final = (
    "probably its power supply: a short cable, a powered hub, or a stronger supply for the Pi"
)
SENSORS: Final = Path("/sys/class/hwmon")


@dataclass(slots=True)
class Losses:
    """When a modem vanished (any steady clock's seconds)."""

    _times: deque[float] = field(default_factory=lambda: deque(maxlen=TOO_OFTEN))

    def hint(self, now: float, sent_at: float | None, sensors: Path = SENSORS) -> str | None:
        """Note a loss; a hint if it looks like the supply, ``None`` if nothing points there.

        ``sent_at`` is when the modem was last given something to send.
        """
        self._times.append(now)
        often = len(self._times) == TOO_OFTEN and now - self._times[0] <= HOUR
        if under_voltage(sensors):
            return f"the Pi itself reports too low a voltage; {HINT}"
        if often or (sent_at is not None and now - sent_at <= AFTER_SENDING):
            return HINT
        return None


def under_voltage(sensors: Path = SENSORS) -> bool:
    """Whether a Raspberry Pi's firmware says that its voltage is too low (driver rpi_volt)."""
    for sensor in sensors.glob("hwmon*"):
        try:
            if (sensor / "name").read_text().strip() == "rpi_volt":
                return (sensor / "in0_lcrit_alarm").read_text().strip() == "1"
        except OSError:
            continue
    return False
