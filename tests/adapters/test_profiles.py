"""Families of modems as files: those that come with smsd, and a user's own."""

import re
from pathlib import Path

import pytest

from smsd.adapters.modem.profiles import GENERIC, Profile, ProfileError, load, parse, recognised

FAMILIES = [
    "cinterion", "ericsson", "generic", "huawei", "huawei-2008", "mediatek", "neoway", "novatel",
    "option", "quectel", "sierra", "sim800", "simcom", "telit", "ublox", "wavecom", "zte",
]  # fmt: skip


def test_every_family_has_its_file() -> None:
    assert sorted(load()) == FAMILIES


@pytest.mark.parametrize("profile", load().values(), ids=lambda profile: profile.name)
def test_no_profile_breaks_what_a_gateway_lives_by(profile: Profile) -> None:
    lines = [*profile.first, *profile.settings, *profile.iccid, *profile.radio, *profile.reset]
    for values in profile.indications:
        assert values[1] in (0, 1), "a message handed over (mt 2) would be lost with us"
    for never in ("AT+CMGD", "AT+CPIN=", "AT+CMGF=1", "AT+CSMS=1", "AT&F", "ATZ", "AT+CNMI"):
        assert not [line for line in lines if line.startswith(never)]
    assert profile.send_timeout >= 60
    assert profile.pin_tries, "a PIN is not tried blindly where the tries can be asked for"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("huawei E173", "huawei"),
        ("huawei E173s", "huawei"),
        ("huawei E1750", "huawei"),
        ("huawei E153", "huawei"),
        ("huawei E1752", "huawei-2008"),
        ("huawei E1550", "huawei-2008"),
        ("huawei E3372", "huawei"),
        ("HUAWEI TECHNOLOGIES CO., LTD K3765", "huawei-2008"),
        ("ZTE INCORPORATED MF112", "zte"),
        ("SIMCOM_Ltd SIMCOM_SIM800L", "sim800"),
        ("SIMCOM INCORPORATED SIMCOM_SIM7600E-H", "simcom"),
        ("SIMCOM INCORPORATED A7670E", "simcom"),
        ("Quectel EC25", "quectel"),
        ("Telit LE910C1-EU", "telit"),
        ("u-blox SARA-U270", "ublox"),
        ("Sierra Wireless, Incorporated MC7455", "sierra"),
        ("SIEMENS TC35i", "cinterion"),
        ("Cinterion PLS8-E", "cinterion"),
        (" WAVECOM MODEM MULTIBAND  900E  1800", "wavecom"),
        ("Option N.V. GlobeTrotter HSUPA", "option"),
        ("Ericsson F5521gw", "ericsson"),
        ("Novatel Wireless MC950D", "novatel"),
        ("Neoway M590", "neoway"),
        ("Acme X1", None),
        ("", None),
    ],
)
def test_a_modem_is_known_by_what_it_says(words: str, name: str | None) -> None:
    found = recognised(load().values(), words)
    assert (found.name if found else None) == name


def test_a_user_adds_a_family(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(
        'name = "acme"\nlike = "huawei"\nidentified_by = ["acme"]\nreset = ["AT+BOOM"]\n'
    )
    profiles = load(tmp_path)
    acme = profiles["acme"]
    assert acme.reset == ("AT+BOOM",)
    assert acme.first == profiles["huawei"].first
    assert acme.about == ""
    assert recognised(profiles.values(), "ACME X1") is acme


def test_a_user_takes_the_place_of_a_family(tmp_path: Path) -> None:
    (tmp_path / "zte.toml").write_text('name = "zte"\nlike = "zte"\nsend_timeout = 90.0\n')
    zte = load(tmp_path)["zte"]
    assert zte.send_timeout == 90.0
    assert zte.first == load()["zte"].first


def test_a_folder_that_is_not_there_holds_none(tmp_path: Path) -> None:
    assert load(tmp_path / "nowhere") == load()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "acme.toml"),
        ('name = "a"\nlike = "huwei"', 'no profile is named "huwei"; there are'),
        ('name = "a"\nlike = "generic"\nsetings = []', "unknown field `setings`"),
        ('name = "a"\nlike = "generic"\nreset = ["CFUN"]', "reset"),
        ('name = "a"\nlike = "generic"\nrest = -1', "rest"),
        ('name = "a"\nlike = "generic"\nindications = [[2, 1]]', "indications"),
        ('name = "a"\nlike = "generic"\nidentified_by = ["("]', "is no pattern"),
        ('name = "a"\nlike = "generic"\ncms = { 513 = "sad" }', "cms"),
        (
            'name = "a"\nlike = "generic"\npin_tries = [{ command = "AT+X", pattern = "x" }]',
            "has no group",
        ),
        ('name = "a"', "indications"),
    ],
)
def test_a_wrong_file_is_named(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(text)
    with pytest.raises(ProfileError, match=re.escape(words)) as raised:
        load(tmp_path)
    assert "acme.toml" in str(raised.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_bytes(b"\xff")
    with pytest.raises(ProfileError, match=r"acme\.toml"):
        load(tmp_path)


def test_values_are_handed_on_and_names_are_not() -> None:
    child = parse('name = "child"\nlike = "generic"', "child.toml", {"generic": GENERIC})
    assert child.indications == GENERIC.indications
    assert child.identified_by == ()
