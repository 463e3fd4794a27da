"""One TOML file: defaults that suit, and no mistake that goes unnamed."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.cli import main
from smsd.config import (
    Config,
    ConfigError,
    ModemSection,
    SmsmodeSection,
    effective,
    limits_of,
    load,
    local_zone,
    parse,
)

MODEM = {"name": "gsm0", "adapter": "modem", "device": "/dev/ttyUSB0"}
CLOUD = {"name": "cloud0", "adapter": "smsmode", "access_token": "secret-token"}


def wrong(raw: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(raw, "smsd.toml")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("smsd.toml: ") for line in lines)
    return "\n".join(line.removeprefix("smsd.toml: ") for line in lines)


def test_an_empty_file_is_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "smsd.toml").write_text("")
    config = load(tmp_path / "smsd.toml")
    assert config == Config()
    assert config.store.path == "/var/lib/smsd/smsd.db"
    assert (config.api.socket, config.dispatch.validity) == ("/run/smsd/smsd.sock", 86_400)


def test_the_file_of_the_documentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("APP_KEY", "key-from-env")
    (tmp_path / "gsm0-pin").write_text("1234\n")
    (tmp_path / "smsmode").write_text("token")
    (tmp_path / "smsd.toml").write_text("""
        [store]
        url = "sqlite:///var/lib/smsd/smsd.db"
        [api]
        listen = ["127.0.0.1:8790", "[::1]:8790"]
        local_users = { root = "admin", "@smsd" = ["send", "read"] }
        default_region = "FR"
        [dispatch]
        paused = false
        timezone = "Europe/Paris"
        [[user]]
        name = "app"
        api_key = "env:APP_KEY"
        [[phone]]
        name = "gsm0"
        adapter = "modem"
        device = "/dev/ttyUSB0"
        pin = "credential:gsm0-pin"
        priority = 10
        limits = [{ volume = 100, startpoint = "today" }]
        fallback = ["cloud0"]
        fallback_on = ["limit_reached", "no_credit", "unavailable"]
        unavailable_grace = 120
        on_uncertain = "hold"
        [[phone]]
        name = "cloud0"
        adapter = "smsmode"
        access_token = "credential:smsmode"
        base_url = "http://127.0.0.1:9/"
        cost_limit = { volume = 50, startpoint = "this month midnight" }
    """)
    config = load(tmp_path / "smsd.toml")
    modem, cloud = config.phone
    assert isinstance(modem, ModemSection)
    assert isinstance(cloud, SmsmodeSection)
    assert (config.user[0].api_key, modem.pin, cloud.access_token) == (
        "key-from-env", "1234", "token",
    )  # fmt: skip
    assert [limit.volume for limit in limits_of(cloud)] == [50]
    assert str(config.zone) == "Europe/Paris"


def test_what_is_shown_has_no_secrets() -> None:
    user = {"name": "app", "api_key": "secret-key"}
    config = parse({"user": [user], "phone": [MODEM | {"pin": "8642"}, CLOUD]}, "x")
    shown = json.dumps(effective(config))
    assert "gsm0" in shown
    assert "********" in shown
    for hidden in ("secret-key", "secret-token", "8642"):
        assert hidden not in shown


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"pohne": []}, 'pohne: unknown key; did you mean "phone"?'),
        ({"api": {"sokcet": "x"}}, 'api.sokcet: unknown key; did you mean "socket"?'),
        ({"dispatch": {"zzz": 1}}, "dispatch.zzz: unknown key; valid here: flood, "),
        ({"phone": [MODEM | {"devise": 1}]},
         'phone[0].devise: unknown key; did you mean "device"?'),
        (
            {"phone": [MODEM | {"limits": [{"volume": 1, "startpoint": "today", "volum": 1}]}]},
            'phone[0].limits[0].volum: unknown key; did you mean "volume"?',
        ),
        ({"dispatch": {"paused": "no"}}, "dispatch.paused: Expected `bool`, got `str`"),
        ({"dispatch": {"validity": 5}}, "dispatch.validity: Expected `int` >= 300"),
        ({"phone": [{"name": "a", "adapter": "modem"}]},
         "phone[0]: one of imei, iccid, usb_path, device expected, none is there"),
        ({"phone": [MODEM | {"imei": "356938035643809"}]},
         "phone[0]: one of imei, iccid, usb_path, device expected, imei and device are there"),
        ({"phone": [{"name": "a", "adapter": "modem", "imei": "35693803564380X"}]},
         "phone[0].imei: Expected `str` matching"),
        ({"phone": [{"name": "a", "adapter": "modem", "iccid": "1234"}]},
         "phone[0].iccid: Expected `str` matching"),
        ({"phone": [{"name": "a", "adapter": "modem", "usb_path": "/dev/bus/usb"}]},
         "phone[0].usb_path: Expected `str` matching"),
        ({"phone": [{"name": n, "adapter": "modem", "usb_path": "1-1.3"} for n in "ab"]},
         'phone[1].usb_path: "1-1.3" is that of phone "a" already; one of its own expected'),
        ({"phone": [{"name": n, "adapter": "modem", "iccid": f"8933150319080162432{d}"}
                    for n, d in (("a", "7"), ("b", ""))]},
         'phone[1].iccid: "8933150319080162432" is that of phone "a" already'),
        ({"phone": [MODEM, CLOUD, MODEM | {"name": "gsm1"}]},
         'phone[2].device: "/dev/ttyUSB0" is that of phone "gsm0" already'),
        ({"phone": [{"name": n, "adapter": "modem", "imei": f"3569380356438{d}"}
                    for n, d in (("a", "09"), ("b", "0"))]},
         'phone[1].imei: "35693803564380" is that of phone "a" already'),
        ({"phone": [MODEM | {"imie": "1"}]}, 'phone[0].imie: unknown key; did you mean "imei"?'),
        ({"modem": {"auot": True}}, 'modem.auot: unknown key; did you mean "auto"?'),
        ({"modem": {"auto": "yes"}}, "modem.auto: Expected `bool`, got `str`"),
        ({"phone": [{"name": "a"}]}, ""),
        ({"phone": {"name": "a"}}, "phone: Expected `array`, got `object`"),
        ({"phone": [3]}, "phone[0]: Expected `object`, got `int`"),
        ({"phone": [MODEM | {"device": "ttyUSB0"}]}, "phone[0].device: Expected `str` matching"),
        ({"phone": [MODEM | {"limits": [{"volume": 0, "startpoint": "today"}]}]},
         "phone[0].limits[0].volume: Expected `int` >= 1"),
        ({"phone": [MODEM | {"limits": [{"volume": 1, "startpoint": "tomorow"}]}]},
         'phone[0].limits[0].startpoint: "tomorow" is no startpoint'),
        ({"phone": [MODEM | {"limits": [{"volume": 1, "startpoint": "-9999 years"}]}]},
         'phone[0].limits[0].startpoint: "-9999 years" leaves the calendar'),
        ({"phone": [MODEM | {"calls": "answer"}]}, "phone[0].calls: Invalid enum value 'answer'"),
        ({"phone": [MODEM | {"power_cycle": []}]},
         "phone[0].power_cycle: a program with its arguments expected"),
        ({"phone": [MODEM | {"power_cycle": [""]}]},
         "phone[0].power_cycle[0]: Expected `str` of length >= 1"),
        ({"phone": [MODEM | {"balance": {"ussd": "*1#", "pattern": "(x)", "evry": 1}}]},
         'phone[0].balance.evry: unknown key; did you mean "every"?'),
        ({"phone": [MODEM | {"balance": {"ussd": "balance", "pattern": "(x)"}}]},
         "phone[0].balance.ussd: Expected `str` matching"),
        ({"phone": [MODEM | {"balance": {"ussd": "*1#", "pattern": "(x)", "every": 5}}]},
         "phone[0].balance.every: Expected `float` >= 300"),
        ({"phone": [MODEM | {"balance": {"ussd": "*1#", "pattern": "(x"}}]},
         "phone[0].balance.pattern: no regular expression: missing )"),
        ({"phone": [MODEM | {"balance": {"ussd": "*1#", "pattern": "x"}}]},
         "phone[0].balance.pattern: a group for the number expected"),
        ({"phone": [MODEM, MODEM]}, 'phone: the name "gsm0" is used twice'),
        ({"phone": [MODEM | {"fallback": ["clod0"]}, CLOUD]},
         'phone[0].fallback: no phone is named "clod0"; did you mean "cloud0"?'),
        ({"phone": [CLOUD | {"base_url": "http://api.smsmode.com/"}]},
         "phone[0].base_url: https expected"),
        ({"phone": [MODEM | {"name": ""}]}, "phone[0].name: Expected `str` of length >= 1"),
        ({"user": [{"name": "a", "api_key": "1"}, {"name": "a", "api_key": "2"}]},
         'user: the name "a" is used twice'),
        ({"user": [{"name": "a", "api_key": "same"}, {"name": "b", "api_key": "same"}]},
         'user: "a" and "b" have the same api_key'),
        ({"store": {"url": "postgresql://x"}}, 'store.url: "sqlite://PATH" expected'),
        ({"store": {"url": "sqlite://"}}, 'store.url: "sqlite://PATH" expected'),
        ({"store": {"url": "sqlite://:memory:"}}, 'store.url: "sqlite://PATH" expected'),
        ({"api": {"listen": ["8790"]}}, 'api.listen: "8790" is no "host:port"'),
        ({"api": {"default_region": "fr"}}, "api.default_region: Expected `str` matching"),
        ({"api": {"local_users": {"root": "god"}}}, "api.local_users"),
        ({"dispatch": {"timezone": "Mars/Base"}}, 'dispatch.timezone: "Mars/Base" is no zone'),
        ({"dispatch": {"timezone": "../../etc/passwd"}}, "dispatch.timezone"),
        ({"dispatch": {"timezone": "Europe"}}, 'dispatch.timezone: "Europe" is no zone'),
        ({"dispatch": {"timezone": "a\0b"}}, "dispatch.timezone"),
        ({"phone": [MODEM], "dispatch": {"routes": [{"prefix": "+33", "phone": "gsm00"}]}},
         'dispatch.routes[0].phone: no phone is named "gsm00"; did you mean "gsm0"?'),
        ({"dispatch": {"routes": [{"prefix": "+33"}]}},
         "dispatch.routes[0]: one of phone, operator expected"),
        ({"phone": [MODEM],
          "dispatch": {"routes": [{"prefix": "+33", "phone": "gsm0", "operator": "x"}]}},
         "dispatch.routes[0]: one of phone, operator expected"),
        ({"dispatch": {"routes": [{"prefix": "336", "operator": "x"}]}},
         "dispatch.routes[0].prefix: Expected `str` matching"),
        ({"dispatch": {"routes": [{"prefix": "+336", "phon": "x"}]}},
         'dispatch.routes[0].phon: unknown key; did you mean "phone"?'),
        ({"dispatch": {"flood": {"volume": 3, "startpoint": "whenever"}}},
         'dispatch.flood.startpoint: "whenever" is no startpoint'),
        ({"dispatch": {"loop": {"volume": 3, "startpoint": "tomorrow"}}},
         "dispatch.loop.startpoint: a time in the past expected"),
        ({"dispatch": {"flood": {"volume": 0, "startpoint": "today"}}},
         "dispatch.flood.volume: Expected `int` >= 1"),
        ({"dispatch": {"flood": {"volum": 3}}}, 'dispatch.flood.volum'),
        ({"phone": [MODEM | {"limit_unit": "sms"}]}, "phone[0].limit_unit: Invalid enum value"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(raw: dict[str, Any], words: str) -> None:
    if words:
        assert wrong(raw).startswith(words)
    else:
        with pytest.raises(ConfigError, match=r'phone\[0\].adapter: missing; "modem"'):
            parse(raw, "smsd.toml")


def test_a_modem_is_named_in_one_of_four_ways() -> None:
    for key, value in (
        ("imei", "356938035643809"),
        ("iccid", "8933150319080162432"),
        ("usb_path", "1-1.3"),
        ("device", "tcp://10.0.0.7:3001"),
    ):
        config = parse({"phone": [{"name": "a", "adapter": "modem", key: value}]}, "x")
        assert getattr(config.phone[0], key) == value
    assert parse({}, "x").modem.auto


def test_a_mistake_in_a_users_catalogue_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[[usb]]\nids = ["1234:5678"]\natt = [2]\n')
    words = wrong({"modem": {"profiles": str(tmp_path)}})
    assert words.startswith(f"modem.profiles: {tmp_path}/mine.toml: usb[0].att: unknown key")


def test_an_unknown_profile_in_a_users_catalogue_is_named(tmp_path: Path) -> None:
    row = '[[usb]]\nids = ["1234:5678"]\nprofile = "{}"\n'
    (tmp_path / "mine.toml").write_text(row.format("huawei") + row.format("hawei"))
    words = wrong({"modem": {"profiles": str(tmp_path)}})
    assert words.startswith(f'modem.profiles: {tmp_path}/mine.toml: usb[1].profile: "hawei" is')
    assert "huawei" in words
    (tmp_path / "own.toml").write_text('name = "hawei"\nlike = "huawei"\n')
    parse({"modem": {"profiles": str(tmp_path)}}, "x")


@pytest.mark.parametrize("program", ["/no/such/uhubctl", "no-such-uhubctl", "/etc/passwd", " "])
def test_a_program_that_cannot_be_run_is_named_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], program: str
) -> None:
    file = tmp_path / "smsd.toml"
    words = '[[phone]]\nname = "a"\nadapter = "modem"\ndevice = "/dev/x"\npower_cycle = ["{}"]\n'
    file.write_text(words.format(program))
    assert main(["check", "--config", str(file)]) == 78
    assert f'{file}: phone[0].power_cycle: "{program}" is no program' in capsys.readouterr().err
    load(file)
    file.write_text(words.format("true"))
    assert main(["check", "--config", str(file)]) == 0


def test_an_adapter_of_a_later_version_is_named() -> None:
    with pytest.raises(ConfigError, match='"gammu" is not in this version'):
        parse({"phone": [{"name": "a", "adapter": "gammu"}]}, "smsd.toml")
    assert "adapter" in wrong({"phone": [{"name": "a", "adapter": "nonsense"}]})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "is empty"),
        ("env:SMSD_TEST_NOT_THERE", "the environment has no variable SMSD_TEST_NOT_THERE"),
        ("env:SMSD_TEST_EMPTY", "or an empty one"),
        ("file:/nowhere/key", "/nowhere/key: No such file"),
        ("file:EMPTY", "EMPTY is empty"),
        ("file:OCTETS", "OCTETS: not UTF-8"),
        ("credential:app-key", "systemd gave no credentials (LoadCredential=app-key:"),
    ],
)
def test_a_secret_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    """An empty key would let everybody in who sends an empty key."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("SMSD_TEST_EMPTY", "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "EMPTY").write_text(" \n")
    (tmp_path / "OCTETS").write_bytes(b"\xff\xfe secret")
    with pytest.raises(ConfigError) as caught:
        parse({"user": [{"name": "app", "api_key": value}]}, "smsd.toml")
    assert "smsd.toml: user[0].api_key: " in str(caught.value)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("octets", "words"),
    [(b"a = ", "Invalid value"), (b"\xff", "not UTF-8 at octet 0"), (None, "No such file")],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, octets: bytes | None, words: str
) -> None:
    path = tmp_path / "smsd.toml"
    if octets is not None:
        path.write_bytes(octets)
    with pytest.raises(ConfigError, match=words) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_errors_never_show_a_secret() -> None:
    raw = {"phone": [CLOUD | {"pin": "8642", "access_token": 3}, CLOUD | {"base_url": "ftp://x"}]}
    assert "8642" not in wrong(raw)
    assert "secret-token" not in wrong({"phone": [CLOUD | {"base_url": "ftp://x"}]})


def test_the_zone_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Europe/Paris")
    assert str(local_zone(None)) == "Europe/Paris"
    monkeypatch.setenv("TZ", "Nonsense/Zone")
    assert 'dispatch.timezone: "Nonsense/Zone" is no zone' in wrong({})
    monkeypatch.delenv("TZ")
    assert local_zone(None) is not None


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["name", "adapter", "url", "limits", "x"]), inner)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["store", "api", "dispatch", "log", "user", "phone", "x"]), _values
    )
)
def test_any_tables_give_a_configuration_or_an_error_in_words(raw: dict[str, Any]) -> None:
    with suppress(ConfigError):
        assert msgspec.to_builtins(parse(raw, "smsd.toml"))


def test_order_and_time() -> None:
    phone = MODEM | {
        "on_uncertain": "resend", "validity": 3600,
        "send_windows": [{"days": ["mon-fri"], "hours": "08:00-20:00"}, {"hours": "09:00-12:00"}],
    }  # fmt: skip
    user = {"name": "a", "api_key": "k", "timezone": "Asia/Tokyo", "priority": -5}
    config = parse({"phone": [phone], "user": [user]}, "f")
    assert (config.phone[0].on_uncertain, config.phone[0].validity) == ("resend", 3600)
    assert config.phone[0].send_windows[1].days == ("mon-sun",)
    assert (config.user[0].timezone, config.user[0].priority) == ("Asia/Tokyo", -5)


@pytest.mark.parametrize(
    ("phone", "words"),
    [
        ({"on_uncertain": "forget"}, "phone[0].on_uncertain"),
        ({"validity": 10}, "phone[0].validity"),
        ({"send_windows": [{"hours": "8-20"}]}, 'phone[0].send_windows[0]: "8-20" are no hours'),
        ({"send_windows": [{"hours": "08:00-20:00", "days": ["x"]}]}, '"x" is no day'),
        ({"send_windows": [{"hour": "08:00-20:00"}]}, 'did you mean "hours"?'),
    ],
)
def test_what_is_wrong_with_order_and_time_is_named(phone: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        parse({"phone": [MODEM | phone]}, "f")


@pytest.mark.parametrize(
    ("user", "words"),
    [({"timezone": "Mars"}, 'user[0].timezone: "Mars"'), ({"priority": 128}, "user[0].priority")],
)
def test_what_is_wrong_with_a_user_is_named(user: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        parse({"user": [{"name": "a", "api_key": "k"} | user]}, "f")


def test_what_is_kept_for_how_long() -> None:
    periods = parse({}, "smsd.toml").keep.periods
    assert {name: period.days for name, period in periods.items()} == {
        "raw": 90, "report": 90, "event": 90
    }  # fmt: skip
    periods = parse({"keep": {"message": 30, "raw": 0}}, "smsd.toml").keep.periods
    assert {name: period.days for name, period in periods.items()} == {
        "message": 30, "campaign": 30, "report": 90, "event": 90
    }  # fmt: skip
    assert wrong({"keep": {"raw": 6}}) == "keep.raw: at least 7 days expected, or 0 for ever"
    assert wrong({"keep": {"mesage": 30}}) == 'keep.mesage: unknown key; did you mean "message"?'
    assert "keep.message" in wrong({"keep": {"message": -1}})
