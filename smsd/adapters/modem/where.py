"""Where a modem is: what its adapter waits for before it opens a port."""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

from smsd.adapters.modem.open import present

APPEARS: Final = 1.0  # seconds between looks for a device that is not there


@dataclass(frozen=True, slots=True)
class Found:
    """Where a modem is at this moment.

    ``device`` is its AT port, a path or ``tcp://host:port``; ``profile`` the name of its family's
    profile, "generic" where that is unknown; ``usb_path`` such as ``1-1.3``, ``None`` where it is
    on no USB; ``others`` are further AT ports of the same modem.
    """

    device: str
    profile: str = "generic"
    usb_path: str | None = None
    others: tuple[str, ...] = ()


class Where(Protocol):
    """What an adapter is told of its modem: how to find it."""

    @property
    def words(self) -> str:
        """What is looked for: ``/dev/ttyUSB0``, ``the modem with IMEI 356…678``."""
        ...

    async def found(self) -> Found:
        """Wait until it is there.

        Raises `Absent`, in words and once, where a person must act first; the next call waits on.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """A device that has a name of its own: a serial port, a link, a bridge over TCP."""

    device: str
    profile: str = "generic"

    @property
    def words(self) -> str:
        """The device."""
        return self.device

    async def found(self) -> Found:
        """Wait until the path exists; of a far one nobody knows."""
        while not present(self.device):  # noqa: ASYNC110 nothing tells when a path comes into being
            await asyncio.sleep(APPEARS)
        return Found(self.device, self.profile)
