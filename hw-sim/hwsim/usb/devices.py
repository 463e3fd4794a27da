"""What udev would know of a stick, from its personality: pure data, in the order of appearance."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hwsim.personality import Personality, PortKind, Usb

MAJOR = {"ttyUSB": 188, "ttyACM": 166}
# What a HiLink stick shows: an ethernet interface and a web page, nothing for us.
HILINK = Usb(
    vendor="12d1",
    product="14db",
    manufacturer="HUAWEI_MOBILE",
    product_name="HUAWEI_MOBILE",
    driver="cdc_ether",
    network=True,
)
_HOST = "platform-fd500000.pcie-pci-0000:01:00.0-usb-0"


@dataclass(frozen=True, slots=True)
class Device:
    """One device of sysfs; `after` are the seconds between the one before it and it."""

    subsystem: str
    name: str
    parent: str | None  # the name of its parent among those of the stick
    attributes: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    link: str = ""  # where its node leads to
    after: float = 0.0

    def message(self) -> dict[str, Any]:
        """Give it as the testbed wants it."""
        return {"do": "add", **asdict(self)}


def _identity(usb: Usb, product: str, product_name: str) -> dict[str, str]:
    vendor = usb.manufacturer.replace(" ", "_").replace(",", "_")
    model = product_name.replace(" ", "_").replace(",", "_")
    known = {
        "ID_BUS": "usb",
        "ID_VENDOR": vendor,
        "ID_VENDOR_ID": usb.vendor,
        "ID_MODEL": model,
        "ID_MODEL_ID": product,
        "ID_REVISION": "0000",
        "ID_SERIAL": "_".join(part for part in (vendor, model, usb.serial) if part),
    }
    if usb.serial:
        known["ID_SERIAL_SHORT"] = usb.serial
    return known


def usb_device(usb: Usb, place: str, *, storage: bool = False, number: int = 5) -> Device:
    """Describe the device itself, as a modem or as the storage that it is at first."""
    product = usb.before if storage else usb.product
    name = usb.before_name if storage else usb.product_name
    attributes = {
        "idVendor": usb.vendor,
        "idProduct": product,
        "manufacturer": usb.manufacturer,
        "product": name,
        "busnum": "1",
        "devnum": str(number),
        "devpath": place.partition("-")[2],
        "bDeviceClass": "00",
        "bConfigurationValue": "1",
        "authorized": "1",
        "speed": "480",
    }
    if usb.serial:
        attributes["serial"] = usb.serial
    properties = _identity(usb, product, name) | {
        "DEVTYPE": "usb_device",
        "DRIVER": "usb",
        "PRODUCT": f"{int(usb.vendor, 16):x}/{int(product or '0', 16):x}/0",
        "BUSNUM": "001",
        "DEVNUM": f"{number:03}",
        "ID_PATH": f"{_HOST}:{place.partition('-')[2]}",
    }
    return Device("usb", place, None, attributes, properties)


def _interface(
    usb: Usb, place: str, number: int, usb_class: str, label: str, driver: str, after: float
) -> Device:
    kind, subclass, protocol = usb_class.split("/")
    attributes = {
        "bInterfaceNumber": f"{number:02x}",
        "bInterfaceClass": kind,
        "bInterfaceSubClass": subclass,
        "bInterfaceProtocol": protocol,
        "bNumEndpoints": "03",
    }
    if label:
        attributes["interface"] = label
    properties = {
        "DEVTYPE": "usb_interface",
        "DRIVER": driver,
        "INTERFACE": f"{int(kind, 16)}/{int(subclass, 16)}/{int(protocol, 16)}",
        "PRODUCT": f"{int(usb.vendor, 16):x}/{int(usb.product, 16):x}/0",
    }
    name = f"{place}:1.{number}"
    return Device("usb", name, place, attributes, properties, after=after)


def tty(usb: Usb, place: str, port: PortKind, number: int, link: str) -> list[Device]:
    """Describe one port: its interface, the serial device, and the tty."""
    name = f"{usb.node}{number}"
    interface = _interface(
        usb, place, port.interface, port.usb_class, port.label, usb.driver, usb.between_ports
    )
    path = f"{_HOST}:{place.partition('-')[2]}:1.{port.interface}"
    identity = _identity(usb, usb.product, usb.product_name)
    by_id = f"/dev/serial/by-id/usb-{identity['ID_SERIAL']}-if{port.interface:02x}-port0"
    properties = identity | {
        "DEVNAME": f"/dev/{name}",
        "MAJOR": str(MAJOR.get(usb.node, 188)),
        "MINOR": str(number),
        "ID_USB_INTERFACE_NUM": f"{port.interface:02x}",
        "ID_USB_DRIVER": usb.driver,
        "ID_PATH": path,
        "ID_PATH_TAG": path.replace(":", "_").replace(".", "_"),
        "ID_TYPE": "generic",
        "DEVLINKS": f"{by_id} /dev/serial/by-path/{path}-port0",
        "TAGS": ":systemd:",
    }
    node = {"dev": f"{MAJOR.get(usb.node, 188)}:{number}"}
    parent = interface.name
    devices = [interface]
    if usb.node == "ttyUSB":
        devices.append(Device("usb-serial", f"{name}@serial", parent))
        parent = f"{name}@serial"
    devices.append(Device("tty", name, parent, node, properties, link))
    return devices


# What the rules of ModemManager add where it is installed.
_TAGS = {
    "at": "ID_MM_PORT_TYPE_AT_PRIMARY",
    "at-silent": "ID_MM_PORT_TYPE_AT_SECONDARY",
    "diag": "ID_MM_PORT_TYPE_QCDM",
    "gps": "ID_MM_PORT_TYPE_GPS",
    "audio": "ID_MM_PORT_TYPE_AUDIO",
    "mute": "ID_MM_PORT_IGNORE",
}


def tagged(family: Personality, row: list[Device]) -> list[Device]:
    """Add to each tty what ModemManager's rules would."""
    roles = {f"{port.interface:02x}": port.role for port in family.ports}
    found = []
    for device in row:
        role = roles.get(device.properties.get("ID_USB_INTERFACE_NUM", ""))
        tags = {"ID_MM_CANDIDATE": "1", _TAGS[role]: "1"} if role else {}
        found.append(replace(device, properties=device.properties | tags))
    return found


def network_of(usb: Usb, place: str) -> list[Device]:
    """Describe the network interface of those that have one."""
    interface = _interface(usb, place, 8, "02/06/00", "CDC Ethernet", "cdc_ether", 0.1)
    card = Device(
        "net", f"wwan{sum(map(ord, place)) % 10}", interface.name, {"address": "0c:5b:8f:27:9a:64"}
    )
    return [interface, card]


def storage_of(usb: Usb, place: str) -> list[Device]:
    """Describe the CD-ROM that a stick is before its mode is switched."""
    disk = _interface(usb, place, 0, "08/06/50", "Mass Storage", "usb-storage", 0.1)
    return [usb_device(usb, place, storage=True), disk]


def stick_of(family: Personality, place: str, numbers: list[int], links: list[str]) -> list[Device]:
    """Describe a stick in modem mode; a number and a link for each of its ports."""
    usb = family.usb
    if usb is None:
        return []
    devices = [usb_device(usb, place)]
    for port, number, link in zip(family.ports, numbers, links, strict=True):
        devices += tty(usb, place, port, number, link)
    if usb.network:
        devices += network_of(usb, place)
    return devices
