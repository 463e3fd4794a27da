"""The catalogue is data: every row is right in itself, and a user's rows come before ours."""

from pathlib import Path

import pytest

from smsd.adapters.modem.catalogue import (
    CatalogueError,
    Kind,
    Model,
    Role,
    load,
    read,
    udev_rules,
)
from smsd.adapters.modem.profiles import load as load_profiles

CATALOGUE = load()
PROFILES = load_profiles()
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("model", CATALOGUE.models, ids=lambda model: model.ids[0])
def test_a_row_is_right_in_itself(model: Model) -> None:
    assert model.name
    assert len(set(model.at)) == len(model.at)
    assert not set(model.at) & set(model.left_alone)
    if model.kind is Kind.MODEM:
        assert model.profile in PROFILES
    if model.kind in (Kind.STORAGE, Kind.HILINK, Kind.DEAD):
        assert model.mend
        assert not model.at
    if model.kind is Kind.STORAGE:
        assert model.becomes
    for id_ in model.becomes:
        vid, _, pid = id_.partition(":")
        after = CATALOGUE.model(vid, pid.rstrip("*").ljust(4, "0"))
        assert after is not None
        assert after.kind in (Kind.MODEM, Kind.HILINK)


def test_no_id_is_in_two_rows() -> None:
    ids = [id_ for model in CATALOGUE.models for id_ in model.ids]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("id_", "kind", "profile", "at"),
    [
        ("12d1:1001", Kind.MODEM, "huawei-2008", (2, 0)),
        ("12d1:1003", Kind.MODEM, "huawei", (1, 0)),
        ("12d1:140c", Kind.MODEM, "huawei-2008", (3, 0)),
        ("12d1:1465", Kind.MODEM, "huawei-2008", ()),
        ("12D1:1506", Kind.MODEM, "huawei", (3, 0)),
        ("12d1:ffff", Kind.MODEM, "huawei", ()),
        ("12d1:14dc", Kind.HILINK, "generic", ()),
        ("12d1:1446", Kind.STORAGE, "generic", ()),
        ("19d2:0031", Kind.MODEM, "zte", (1, 3)),
        ("19d2:2000", Kind.STORAGE, "generic", ()),
        ("19d2:1405", Kind.HILINK, "generic", ()),
        ("1e0e:9001", Kind.MODEM, "simcom", (2, 3)),
        ("2c7c:0125", Kind.MODEM, "quectel", (2, 3)),
        ("2c7c:6005", Kind.MODEM, "quectel", ()),
        ("1bc7:1201", Kind.MODEM, "telit", (4, 5)),
        ("1546:1102", Kind.MODEM, "ublox", (2, 0, 4)),
        ("1546:01a8", Kind.NEVER, "generic", ()),
        ("1199:9071", Kind.MODEM, "sierra", (3,)),
        ("1199:68a3", Kind.MODEM, "sierra", (3, 4)),
        ("114f:1234", Kind.MODEM, "wavecom", ()),
        ("1e2d:0061", Kind.MODEM, "cinterion", (2, 0)),
        ("0af0:7501", Kind.MODEM, "option", (2, 0)),
        ("0bdb:1900", Kind.MODEM, "ericsson", ()),
        ("1410:4400", Kind.MODEM, "novatel", ()),
        ("2001:7d02", Kind.MODEM, "mediatek", (1, 0, 2, 3)),
        ("1bbb:0017", Kind.MODEM, "generic", (5,)),
        ("1a86:7523", Kind.BRIDGE, "generic", ()),
        ("10c4:ea60", Kind.BRIDGE, "generic", ()),
        ("0403:6001", Kind.BRIDGE, "generic", ()),
        ("067b:2303", Kind.BRIDGE, "generic", ()),
        ("05c6:9008", Kind.DEAD, "generic", ()),
    ],
)
def test_a_device_is_known(id_: str, kind: Kind, profile: str, at: tuple[int, ...]) -> None:
    model = CATALOGUE.model(*id_.split(":"))
    assert model is not None
    assert (model.kind, model.profile, model.at) == (kind, profile, at)


def test_what_nobody_has_listed_is_not_known() -> None:
    assert CATALOGUE.model("2341", "0043") is None  # an Arduino


def test_a_class_tells_a_port_and_the_narrower_one_counts() -> None:
    huawei = CATALOGUE.classes("12D1")
    assert huawei is not None
    roles = [huawei.role(t) for t in ("ff/01/02", "ff/02/01", "ff/01/03", "ff/06/14", "ff/ff/ff")]
    assert roles == [Role.AT, Role.MODEM, Role.DIAG, Role.GPS, None]
    assert CATALOGUE.classes("19d2") is None


def test_a_users_rows_come_first(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("""
        [[usb]]
        ids = ["12d1:1506", "abcd:1234"]
        name = "Mine"
        at = [0x05]
        [[class]]
        vendor = "abcd"
        at = ["ff/00/01"]
        [[profile]]
        name = "not ours to read"
    """)
    catalogue = load(tmp_path)
    for vid, pid in (("12d1", "1506"), ("abcd", "1234")):
        model = catalogue.model(vid, pid)
        assert model is not None
        assert (model.name, model.at) == ("Mine", (5,))
    other = catalogue.model("12d1", "1001")
    assert other is not None
    assert other.profile == "huawei-2008"
    assert catalogue.classes("abcd") is not None
    assert load(tmp_path / "nowhere").models == CATALOGUE.models


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("usb = [", "mine.toml: "),
        ("usb = 3", "mine.toml: [[usb]] and [[class]] expected"),
        ("[[usb]]", 'mine.toml: usb[0].ids: "vvvv:pppp" expected, at least one'),
        ('[[usb]]\nids = ["12d1"]', 'usb[0].ids: "12d1" is no "vvvv:pppp" in hex'),
        ('[[usb]]\nids = ["12d1:*"]\nat = ["2"]', "usb[0].at: a list of numbers expected"),
        ('[[usb]]\nids = ["12d1:*"]\nids2 = 1', "usb[0].ids2: unknown key; valid here: at, audio"),
        ('[[usb]]\nids = ["12d1:*"]\nkind = "x"', "usb[0].kind: one of modem, storage"),
        ('[[usb]]\nids = ["12d1:*"]\ntries = 0', "usb[0].tries: a number from 1 to 60"),
        ('[[usb]]\nids = ["12d1:*"]\nname = 1', "usb[0].name: a text expected"),
        ('[[class]]\nvendor = "x"', 'class[0].vendor: "vvvv" in hex expected'),
        ('[[class]]\nvendor = "12d1"\nx = 1', "class[0].x: unknown key; valid here: vendor, at"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, words: str) -> None:
    with pytest.raises(CatalogueError) as raised:
        read(text, "mine.toml")
    assert words in str(raised.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(b"\xff")
    with pytest.raises(CatalogueError, match=r"own\.toml"):
        load(tmp_path)


def test_the_udev_rules_are_those_of_the_catalogue() -> None:
    rules = (ROOT / "udev" / "70-smsd.rules").read_text()
    assert rules == udev_rules(CATALOGUE.models), "run: make udev"
    active = [line for line in rules.splitlines() if not line.startswith("#")]
    assert not any("ID_MM_DEVICE_IGNORE" in line for line in active)
    for bridge in ("1a86", "10c4", "0403", "067b"):
        assert not any(bridge in line for line in active)
    labels = {line.split('"')[1] for line in active if line.startswith("LABEL=")}
    assert all(
        line.split('GOTO="')[1].split('"')[0] in labels for line in active if "GOTO=" in line
    )
