"""A modem's power: whether one that vanishes is short of it, and switching it off and on.

Too weak a supply looks like anything but that.
"""

import asyncio
import contextlib
import logging
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from smsd.logs import fields

log: Final = logging.getLogger(__name__)

CYCLE_TIMEOUT: Final = 60.0  # seconds
STOP_TIMEOUT: Final = 20.0  # seconds that it has to end when we are to stop
REAP_TIMEOUT: Final = 5.0  # seconds: what hangs in the kernel cannot even be killed

AFTER_SENDING: Final = 10.0  # seconds: sending is when a modem draws most
AFTER_COMPLAINT: Final = 60.0  # seconds
TOO_OFTEN: Final = 3  # losses an hour
HOUR: Final = 3600.0  # seconds
HINT: Final = (
    "probably its power supply: a short cable, a powered hub, or a stronger supply for the Pi"
)
SENSORS: Final = Path("/sys/class/hwmon")


@dataclass(slots=True)
class Losses:
    """When a modem vanished (any steady clock's seconds)."""

    complained_at: float | None = None
    """When the modem itself last complained of its supply."""
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=TOO_OFTEN))

    def hint(self, now: float, sent_at: float | None, sensors: Path = SENSORS) -> str | None:
        """Note a loss; a hint if it looks like the supply, ``None`` if nothing points there.

        ``sent_at`` is when the modem was last given something to send.
        """
        self._times.append(now)
        often = len(self._times) == TOO_OFTEN and now - self._times[0] <= HOUR
        if under_voltage(sensors):
            return f"the Pi itself reports too low a voltage; {HINT}"
        complained = self.complained_at is not None and now - self.complained_at <= AFTER_COMPLAINT
        if often or complained or (sent_at is not None and now - sent_at <= AFTER_SENDING):
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


async def cycle(command: Sequence[str]) -> bool:
    """Run what switches a modem's power off and on: whether it did; its failure is logged.

    It does not outlive us, nor its time: with what it has started it is killed, and reaped.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
    except OSError as error:
        log.warning("power_cycle could not be run", extra=fields(reason=str(error)))
        return False
    try:
        async with asyncio.timeout(CYCLE_TIMEOUT):
            status = await process.wait()
    except TimeoutError:
        log.warning("power_cycle did not end in time", extra=fields(seconds=CYCLE_TIMEOUT))
    except asyncio.CancelledError:
        with contextlib.suppress(TimeoutError):  # half of it leaves the modem without power
            async with asyncio.timeout(STOP_TIMEOUT):
                await process.wait()
        raise
    else:
        if status:
            log.warning("power_cycle failed", extra=fields(status=status))
        return status == 0
    finally:
        if process.returncode is None:
            await _kill(process)
    return False


async def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REAP_TIMEOUT):
            await process.wait()
