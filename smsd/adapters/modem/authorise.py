"""Taking a modem off the USB and back, as if somebody had pulled and plugged it."""

import asyncio
import os
from pathlib import Path
from typing import Final

from smsd.adapters.modem.apart import Stuck, apart

DEVICES: Final = Path("/sys/bus/usb/devices")
OFF: Final = 2.0  # seconds between off and on
WRITE_TIMEOUT: Final = 20.0  # seconds: the driver of a dead port may take its time to let go


def switch(usb_path: str, devices: Path = DEVICES) -> Path:
    """The file that authorises a USB device (Documentation/usb/authorization.rst)."""
    return devices / usb_path / "authorized"


def allowed(usb_path: str, devices: Path = DEVICES) -> bool:
    """Whether we may use that file."""
    return os.access(switch(usb_path, devices), os.W_OK)


async def reauthorise(usb_path: str, devices: Path = DEVICES) -> None:
    """Withdraw the device's authorisation and give it back, whatever happens in between.

    `OSError` where we may not, `TimeoutError` where the kernel does not come back. A modem that was
    left without it would stay dead until somebody pulls it.
    """
    file = switch(usb_path, devices)

    def give_back(_: object = None) -> None:
        file.write_text("1")

    try:
        try:
            await apart(usb_path, lambda: file.write_text("0"), WRITE_TIMEOUT, late=give_back)
            await asyncio.sleep(OFF)
        finally:
            await apart(usb_path, give_back, WRITE_TIMEOUT)
    except Stuck as error:
        raise TimeoutError(str(error)) from error
