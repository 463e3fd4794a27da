"""Parts back to messages (23.040 9.2.3.24.1)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm import (
    Address,
    Concatenation,
    DataCoding,
    Deliver,
    InformationElement,
    Message,
    UserData,
    assemble,
    assemble_data,
    collect,
    segment,
)
from smsd.gsm.header import encode as header_of

ALICE, BOB = Address.parse("+33611111111"), Address.parse("+33622222222")
SENT = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


def received(
    text: str, reference: int = 1, originator: Address = ALICE, *, wide: bool = False
) -> list[Deliver]:
    return [
        Deliver(originator, 0, part.coding, SENT, part)
        for part in segment(text, reference=reference, wide=wide)
    ]


def texts(delivers: list[Deliver]) -> list[str]:
    return [message.text for message in collect(delivers) if message.complete]


def gaps(delivers: list[Deliver]) -> list[Message]:
    return [message for message in collect(delivers) if not message.complete]


# Joining before decoding


def test_an_escape_that_the_sender_split_survives() -> None:
    first = UserData.of_septets(b"a\x1b")
    second = UserData.of_septets(b"\x65b")
    assert assemble([first, second]) == "a€b"
    assert (first.text, second.text) == ("a", "eb")


@pytest.mark.parametrize("count", [1, 2, 8, 9, 40])
def test_parts_of_every_shape_are_joined(count: int) -> None:
    headers = [b"", header_of([Concatenation(1, 2, 1).element]), b"\0", b"\3\x70\1\0"]
    texts = [f"{number}" * (number % 140) for number in range(count)]
    parts = [
        UserData.of_septets(text.encode(), header=headers[number % 4])
        for number, text in enumerate([text[:140] for text in texts])
    ]
    assert assemble(parts) == "".join([text[:140] for text in texts])


def test_parts_that_claim_more_or_hold_more_than_a_message_can() -> None:
    gsm7 = DataCoding(0)
    longest = UserData(gsm7, bytes(224), 255)
    padded = UserData(gsm7, UserData.of_text("ab").octets + bytes(200), 2)
    short = UserData(gsm7, b"", 2)
    assert assemble([longest, padded]) == "@" * 255 + "ab"
    assert assemble([padded, UserData(gsm7, bytes(140), 160), short]) == "ab" + "@" * 162


def test_surrogates_that_the_sender_split_survive() -> None:
    units = "я🙂я".encode("utf-16-be")
    parts = [
        UserData.of_octets(units[:4], DataCoding(8)),
        UserData.of_octets(units[4:], DataCoding(8)),
    ]
    assert assemble(parts) == "я🙂я"


def test_an_odd_octet_at_the_end_of_a_part_shifts_nothing() -> None:
    parts = [UserData.of_octets(b"\0a\0", DataCoding(8)), UserData.of_octets(b"\0b", DataCoding(8))]
    assert assemble(parts) == "ab"


def test_parts_in_different_alphabets_are_decoded_apart() -> None:
    turkish = UserData.of_text("ğ", elements=[InformationElement(0x24, b"\1")])
    parts = [
        UserData.of_text("a"),
        UserData.of_octets("я".encode("utf-16-be"), DataCoding(8)),
        turkish,
        UserData.of_octets(b"\1\2", DataCoding(4)),
        UserData.of_octets(b"\1\2", DataCoding(0x20)),
        UserData.of_text("b"),
    ]
    assert assemble(parts) == "aяğb"
    assert assemble_data(parts[3:5]) == b"\1\2\1\2"
    assert assemble([]) == ""


def test_a_class_does_not_part_what_belongs_together() -> None:
    parts = [
        UserData.of_septets(b"a\x1b", DataCoding(0x10)),
        UserData.of_septets(b"\x65", DataCoding(0)),
    ]
    assert assemble(parts) == "a€"


# Collecting


@pytest.mark.parametrize("wide", [False, True])
def test_parts_in_any_order(wide: bool) -> None:
    text = "abcdefgh" * 100
    parts = received(text, wide=wide)
    assert len(parts) == 6
    for order in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [2, 0, 5, 1, 4, 3]):
        assert texts([parts[at] for at in order]) == [text]


def test_a_message_is_there_as_soon_as_its_last_part_is() -> None:
    arriving = collect([*received("a" * 300), *received("b", 2), *received("c" * 300, 3)[:1]])
    assert [message.text[:1] for message in arriving] == ["a", "b", "c"]


def test_repeats_are_dropped() -> None:
    parts = received("a" * 400)
    assert texts([parts[0], parts[0], parts[1], parts[0], parts[2], parts[1], parts[2]]) == [
        "a" * 400
    ]
    assert gaps([parts[0], parts[0]]) == [Message((parts[0],), 3)]


def test_messages_may_be_interleaved() -> None:
    first, second = received("a" * 300, 1), received("b" * 300, 2)
    assert texts([first[0], second[0], second[1], first[1]]) == ["b" * 300, "a" * 300]


@pytest.mark.parametrize(
    "other",
    [
        received("b" * 300, 1, BOB),
        received("b" * 300, 2),
        received("b" * 400, 1),
        received("b" * 300, 1, wide=True),
    ],
)
def test_the_key_is_originator_reference_total_and_width(other: list[Deliver]) -> None:
    mine = received("a" * 300, 1)
    found = texts([mine[0], other[0], mine[1], *other[1:]])
    assert sorted(text[0] for text in found) == ["a", "b"]
    assert len({len(set(text)) for text in found}) == 1


def test_references_of_16_bits_differ_in_all_of_them() -> None:
    one, two = received("a" * 300, 0x0134, wide=True), received("b" * 300, 0x0234, wide=True)
    assert texts([one[0], two[0], one[1], two[1]]) == ["a" * 300, "b" * 300]


def test_a_reference_that_has_come_round_begins_a_new_message() -> None:
    old, new = received("a" * 300, 1), received("b" * 300, 1)
    assert texts([*old, *new]) == ["a" * 300, "b" * 300]
    # The old message was never completed: it comes as it is, and the new one is whole.
    messages = list(collect([old[0], new[0], new[1]]))
    assert [(message.text, message.complete) for message in messages] == [
        ("a" * 153, False),
        ("b" * 300, True),
    ]
    assert [message.total for message in messages] == [2, 2]


def test_a_part_with_a_bad_element_is_a_message_of_its_own() -> None:
    for octets in ("0003010200", "0003010203", "0003010001", "00030102"):
        header = bytes((len(octets) // 2,)) + bytes.fromhex(octets)
        part = UserData.of_septets(b"hello", header=header)
        [message] = collect([Deliver(ALICE, 0, part.coding, SENT, part)])
        assert (message.text, message.complete, message.total) == ("hello", True, 1)


def test_255_parts() -> None:
    text = "".join(chr(97 + at % 26) for at in range(255 * 153))
    parts = received(text)
    assert texts(parts[::-1]) == [text]


def test_missing_parts_leave_a_gap() -> None:
    parts = received("a" * 153 + "b" * 153 + "c" * 153)
    [message] = gaps([parts[2], parts[0]])
    assert (message.text, message.total, len(message.parts)) == ("a" * 153 + "c" * 153, 3, 2)
    assert message.originator == ALICE


def test_nothing_is_joined_over_a_gap() -> None:
    def part(number: int, septets: bytes) -> Deliver:
        header = header_of([Concatenation(1, 3, number).element])
        return Deliver(ALICE, 0, DataCoding(0), SENT, UserData.of_septets(septets, header=header))

    [message] = gaps([part(1, b"a\x1b"), part(3, b"\x65")])
    assert message.text == "ae"
    [message] = list(collect([part(1, b"a\x1b"), part(3, b"\x14"), part(2, b"\x65\x1b")]))
    assert message.text == "a€^"


@given(st.data())
def test_any_order_and_any_repeats(data: st.DataObject) -> None:
    parts = [*received("a" * 500, 1), *received("я" * 200, 2), *received("c" * 320, 1, BOB)]
    once = data.draw(st.permutations(parts))
    repeated = data.draw(st.lists(st.sampled_from(parts), max_size=10))
    assert sorted(texts([*once, *repeated])) == ["a" * 500, "c" * 320, "я" * 200]


def test_a_repeat_of_a_finished_part_with_another_time_is_not_dropped() -> None:
    parts = received("a" * 300)
    later = replace(parts[0], sent_at=None)
    assert gaps([*parts, later]) == [Message((later,), 2)]
