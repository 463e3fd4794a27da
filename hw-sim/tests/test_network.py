"""Segmenting, delays, reports, and what `sent` and `messages` tell."""

import pytest
from hwsim import tpdu
from hwsim.desk import Desk
from hwsim.history import History
from hwsim.incoming import Incoming, cut
from hypothesis import given
from hypothesis import strategies as st

OUTSIDE = "+33699999999"
NOW = Desk().clock.now()


def parts_of(text: str, *, wide: bool = False, message_class: int | None = None) -> list[bytes]:
    message = Incoming("Bank", text, wide=wide, message_class=message_class)
    return cut(message, NOW, 7)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=700), st.booleans())
def test_any_text_is_whole_again_when_its_parts_are_joined(text: str, wide: bool) -> None:
    fields = [tpdu.decode(part, "from-sc") for part in parts_of(text, wide=wide)]
    assert "".join(part["text"] for part in fields) == text
    if len(fields) > 1:
        assert [part["concat"]["number"] for part in fields] == list(range(1, len(fields) + 1))
        assert {part["concat"]["wide"] for part in fields} == {wide}


@pytest.mark.parametrize(
    ("text", "wide", "count"),
    [
        ("a" * 160, False, 1),
        ("a" * 161, False, 2),
        ("a" * 306, False, 2),
        ("a" * 307, False, 3),
        ("a" * 304, True, 2),
        ("a" * 305, True, 3),
        ("€" * 80, False, 1),
        ("€" * 152, False, 2),
        ("€" * 153, False, 3),
        ("ê" * 70, False, 1),
        ("ê" * 134, False, 2),
        ("ê" * 133, True, 3),
        ("😀" * 35, False, 1),
        ("😀" * 66, False, 2),
        ("😀" * 67, False, 3),
        ("", False, 1),
    ],
)
def test_how_many_parts_a_text_needs(text: str, wide: bool, count: int) -> None:
    assert len(parts_of(text, wide=wide)) == count


def test_more_than_255_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="256 parts"):
        parts_of("a" * (255 * 153 + 1))


def send_long(desk: Desk, to: str, text: str, *, numbers: list[int] | None = None) -> None:
    """Send the parts of `text`, or those with `numbers` in that order, from modem 0."""
    for part in [parts_of(text)[n - 1] for n in numbers or range(1, len(parts_of(text)) + 1)]:
        fields = tpdu.decode(part, "from-sc")
        wanted = ("dcs", "text", "data", "concat")
        octets = tpdu.encode(
            {key: fields[key] for key in wanted}
            | {"type": "submit", "destination": tpdu.address_of(to)}
        )
        desk.say(f"AT+CMGS={len(octets)}\r")
        desk.say(f"00{octets.hex()}\x1a")


def test_messages_joins_parts_and_shows_doubles() -> None:
    desk = Desk(modems=2)
    history = History(desk.network.sent)
    send_long(desk, OUTSIDE, "x" * 200)
    send_long(desk, OUTSIDE, "x" * 200)
    send_long(desk, OUTSIDE, "y" * 200, numbers=[2, 2, 1])
    send_long(desk, OUTSIDE, "z" * 200, numbers=[1])
    desk.send(OUTSIDE, "short")
    rows = history.messages()
    told = [(r["text"][:1], len(r["text"]), r["complete"], r["times_received"]) for r in rows]
    assert told == [
        ("x", 200, True, 1),
        ("x", 200, True, 1),
        ("y", 200, True, 2),
        ("z", 153, False, 1),
        ("s", 5, True, 1),
    ]
    assert [row["n"] for row in history.sent()] == list(range(1, 10))
    history.clear()
    assert history.sent() == history.messages() == []


def test_sent_tells_what_was_asked_for() -> None:
    desk = Desk()
    desk.send("12345", "é ☺", report=True)
    (row,) = History(desk.network.sent).sent()
    assert row["to"] == "12345"
    assert (row["text"], row["alphabet"], row["report_requested"]) == ("é ☺", "ucs2", True)
    assert (row["class"], row["concat"], row["modem"]) == (None, None, "modem0")
    assert row["reference"] == desk.modems[0].sim.reference


@pytest.mark.parametrize("dialled", ["+33600000001", "0600000001", "0033600000001"])
def test_a_number_reaches_its_modem_however_it_is_dialled(dialled: str) -> None:
    desk = Desk(modems=2)
    desk.send(dialled)
    desk.wait(1)
    assert len(desk.modems[1].messages.read_memory.records) == 1


def test_reports_can_be_switched_off_and_messages_lost() -> None:
    desk = Desk(modems=2)
    desk.say("AT+CNMI=2,1,0,1,0\r")
    desk.network.settings.reports = False
    desk.send(OUTSIDE, report=True)
    assert desk.wait(10) == ""
    desk.network.settings.reports = True
    desk.network.settings.loss = True
    desk.send(desk.modems[1].number, report=True)
    assert desk.wait(10) == ""
    assert desk.modems[1].messages.read_memory.records == {}
    assert len(desk.network.sent) == 2


def test_the_report_waits_until_the_other_modem_has_the_message() -> None:
    desk = Desk(modems=2)
    desk.say("AT+CNMI=2,1,0,1,0\r")
    desk.modems[1].power_off()
    desk.send(desk.modems[1].number, report=True)
    assert desk.wait(10) == ""
    desk.modems[1].power_on()
    assert "+CDS: " in desk.wait(1)
