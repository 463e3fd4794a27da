"""Taking a modem off the USB and back, as if somebody had pulled and plugged it."""

import asyncio
import os
from pathlib import Path
from typing import Final

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
    """Withdraw the device's authorisation and give it back; `OSError` where we may not."""
    file = switch(usb_path, devices)
    async with asyncio.timeout(WRITE_TIMEOUT):
        await asyncio.to_thread(file.write_text, "0")
        await asyncio.sleep(OFF)
        await asyncio.to_thread(file.write_text, "1")
