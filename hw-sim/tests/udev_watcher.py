"""An unchanged pyudev client: prints what is there and what happens, a line of JSON each."""

import json
import os
import sys

import pyudev  # type: ignore[import-not-found,import-untyped,unused-ignore]


def row(action: str, device: "pyudev.Device") -> dict[str, object]:
    whole = device.find_parent("usb", "usb_device")
    interface = device.find_parent("usb", "usb_interface")
    known = device.properties
    return {
        "action": action,
        "subsystem": device.subsystem,
        "name": device.sys_name,
        "node": device.device_node,
        "ids": f"{known.get('ID_VENDOR_ID')}:{known.get('ID_MODEL_ID')}",
        "interface": known.get("ID_USB_INTERFACE_NUM"),
        "driver": known.get("ID_USB_DRIVER"),
        "path": known.get("ID_PATH"),
        "slot": whole.sys_name if whole is not None else None,
        "class": interface.attributes.asstring("bInterfaceClass") if interface else None,
        "there": bool(device.device_node and os.path.exists(device.device_node)),
    }


def main() -> None:
    context = pyudev.Context()
    monitor = pyudev.Monitor.from_netlink(context)
    monitor.filter_by("tty")
    monitor.filter_by("usb")
    monitor.start()
    for device in context.list_devices(subsystem="tty"):
        if "ID_USB_INTERFACE_NUM" in device.properties:
            print(json.dumps(row("there", device)), flush=True)
    print(json.dumps({"action": "ready"}), flush=True)
    for _ in range(int(sys.argv[1])):
        device = monitor.poll(5)
        if device is None:
            return
        print(json.dumps(row(device.action, device)), flush=True)


main()
