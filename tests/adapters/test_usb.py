"""Which port of a stick is asked, and which is never touched."""

import pytest

from smsd.adapters.modem.catalogue import LEFT_ALONE, Kind, Model, Role, load
from smsd.adapters.modem.usb import Stick, Tty, Usb, elect, stick_of

CATALOGUE = load()
LISTED = [model for model in CATALOGUE.models if model.kind is Kind.MODEM]


def tty(interface: int, vid: str = "ffff", pid: str = "0001", **more: object) -> Tty:
    values: dict[str, object] = {
        "path": f"/sys/{interface}",
        "device": f"/dev/ttyUSB{interface}",
        "usb_path": "1-1.3",
        "vid": vid,
        "pid": pid,
        "interface": interface,
    }
    return Tty(**(values | more))  # type: ignore[arg-type]


def stick(*ttys: Tty) -> Stick:
    usb = Usb("/sys/usb", "1-1.3", ttys[0].vid, ttys[0].pid, "As it calls itself")
    return stick_of(usb, ttys, CATALOGUE)


def elected(*ttys: Tty) -> list[int | None]:
    return [port.interface for port in elect(stick(*ttys))]


@pytest.mark.parametrize("model", LISTED, ids=lambda model: model.ids[0])
def test_every_listed_layout_is_asked_where_it_says_and_nowhere_else(model: Model) -> None:
    for id_ in model.ids:
        vid, _, pid = id_.partition(":")
        pid = pid.replace("*", "").ljust(4, "0")
        if CATALOGUE.model(vid, pid) is not model:
            continue  # that pid has a row of its own
        ttys = [tty(number, vid, pid, triple="ff/ff/ff") for number in range(13)]
        found = elected(*ttys)
        if model.at:
            assert tuple(found) == model.at
        assert not set(found) & set(model.left_alone)
        made = stick(*ttys)
        assert {p.interface for p in made.ports if p.role in LEFT_ALONE} == set(model.left_alone)
        assert made.kind is Kind.MODEM
        assert made.complete is bool(model.at)


def test_the_table_comes_before_tags_and_words() -> None:
    tagged = {"ID_MM_PORT_TYPE_AT_PRIMARY": "1"}
    ttys = [
        tty(0, "2c7c", "0125", tags=tagged),
        tty(1, "2c7c", "0125", words="AT port"),
        tty(3, "2c7c", "0125"),
        tty(2, "2c7c", "0125"),
    ]
    assert elected(*ttys) == [2, 3]


def test_the_tags_of_modemmanager_come_before_words() -> None:
    ttys = [
        tty(0, words="PCUI"),
        tty(1, tags={"ID_MM_PORT_TYPE_AT_PPP": "1"}),
        tty(2, tags={"ID_MM_PORT_TYPE_AT_PRIMARY": "1"}),
        tty(3, tags={"ID_MM_PORT_TYPE_AT_SECONDARY": "1"}),
        tty(4, tags={"ID_MM_PORT_TYPE_GPS": "1"}, words="at"),
        tty(5, tags={"ID_MM_PORT_IGNORE": "1"}),
        tty(6, tags={"ID_MM_PORT_TYPE_QCDM": "1"}),
        tty(7, tags={"ID_MM_PORT_TYPE_AUDIO": "1"}),
    ]
    assert elected(*ttys) == [3, 2, 1, 0]


def test_what_a_port_calls_itself_counts_where_nothing_else_tells() -> None:
    ttys = [
        tty(0, words="HS Modem"),
        tty(1, words="Diagnostics"),
        tty(2, words="Data port"),
        tty(3, words="HS PCUI"),
        tty(4, words="NMEA"),
        tty(5, words="Voice"),
        tty(6, words="Mobile AT Interface"),
    ]
    assert elected(*ttys) == [3, 0, 6]


def test_unknown_ports_are_asked_from_the_lowest() -> None:
    assert elected(tty(4), tty(2), tty(0)) == [0, 2, 4]
    assert stick(tty(0, driver="option")).kind is Kind.MODEM
    assert stick(tty(0, tags={"ID_MM_PORT_TYPE_AT_PRIMARY": "1"})).kind is Kind.MODEM


def test_a_huawei_port_is_told_by_its_class_even_where_numbers_say_otherwise() -> None:
    """12d1:1506 is many sticks: old ones have audio on if02, the E3372 has PCUI there."""
    e3372 = [
        tty(0, "12d1", "1506", triple="ff/02/01"),
        tty(1, "12d1", "1506", triple="ff/02/03"),
        tty(2, "12d1", "1506", triple="ff/02/02"),
    ]
    assert elected(*e3372) == [2, 0]
    assert [port.role for port in stick(*e3372).ports] == [Role.MODEM, Role.DIAG, Role.AT]
    e171 = [tty(number, "12d1", "1506", triple="ff/ff/ff") for number in range(4)]
    assert elected(*e171) == [3, 0]


def test_a_listed_modem_in_another_layout_is_asked_all_the_same() -> None:
    assert elected(tty(7, "1bc7", "1201"), tty(8, "1bc7", "1201")) == [7, 8]


def test_what_nobody_knows_is_no_modem_by_itself() -> None:
    made = stick(tty(0, "2341", "0043", driver="cdc_acm"))
    assert (made.kind, made.profile, made.name, made.tries) == (
        Kind.NEVER, "generic", "As it calls itself", 3,
    )  # fmt: skip
    assert not made.complete
    assert stick(tty(0, "0403", "6001", driver="ftdi_sio")).kind is Kind.BRIDGE


def test_a_stick_says_what_it_is() -> None:
    assert str(stick(tty(0, "19d2", "0031"))) == (
        "ZTE MF110, MF112, MF190, MF636, K4505-Z (19d2:0031 at USB 1-1.3)"
    )
    assert stick(tty(0, "19d2", "ffff")).name == "As it calls itself"
