"""A text in the fewest parts, and back (23.040 9.2.3.24.1, 23.038 6.2.1)."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsd.gsm import (
    Address,
    Alphabet,
    Concatenation,
    DataCoding,
    EncodeError,
    InformationElement,
    Ports,
    Submit,
    UserData,
    assemble,
    assemble_data,
    count_parts,
    encode,
    segment,
    segment_data,
)
from smsd.gsm.alphabet import to_septets
from smsd.gsm.graphemes import may_cut
from tests.gsm import strategies as any_

GSM7, DATA8, UCS2 = Alphabet
TIE = {"wide": False}
LANGUAGES = ("default", "turkish", "spanish", "portuguese", "hindi", "urdu")
long_text = st.lists(
    st.sampled_from(
        [*"ab@ €{\r\néğя한", "🙂", "e\u0301", "👨\u200d👩\u200d👧", "🇫🇷", "👍🏽", "नि"]
    ),
    max_size=400,
).map("".join)


def texts_of(parts: tuple[UserData, ...]) -> list[str]:
    return [part.text or "" for part in parts]


@settings(deadline=None)
@given(st.one_of(st.text(max_size=500), long_text, any_.gsm_text), st.booleans(), st.booleans())
def test_segmentation_then_assembly_is_identity(text: str, wide: bool, national: bool) -> None:
    languages = LANGUAGES if national else ("default",)
    reference = 0xABCD if wide else 0xAB
    parts = segment(text, reference=reference, wide=wide, languages=languages)
    assert assemble(parts) == text
    assert "".join(texts_of(parts)) == text  # nothing is split, so each part reads alone too
    assert count_parts(text, wide=wide, languages=languages) == len(parts)
    ties = [part.concatenation for part in parts]
    if len(parts) == 1:
        assert ties == [None]
    else:
        total = len(parts)
        assert ties == [Concatenation(reference, total, n, wide) for n in range(1, total + 1)]
    for part in parts:
        assert len(part.octets) <= 140
        encode(Submit(Address.parse("1"), part, coding=part.coding))


@settings(deadline=None)
@given(long_text, st.booleans())
def test_the_fewest_parts(text: str, wide: bool) -> None:
    parts = segment(text, wide=wide)
    assert len(parts) == fewest(text, wide=wide)


def fewest(text: str, *, wide: bool) -> int:
    """Count the parts character by character, as anyone would by hand."""
    septets = to_septets(text)
    sizes = [
        len(to_septets(character) or b"") if septets is not None else 1 + (character > "\uffff")
        for character in text
    ]
    alone, several = (
        (160, 152 if wide else 153) if septets is not None else (70, 66 if wide else 67)
    )
    if sum(sizes) <= alone:
        return 1
    count, used = 1, 0
    for size in sizes:
        if used + size > several:
            count, used = count + 1, 0
        used += size
    return count


@settings(deadline=None)
@given(long_text)
def test_no_grapheme_is_torn_where_that_costs_no_part(text: str) -> None:
    parts = texts_of(segment(text))
    cuts = list(itertools.accumulate(map(len, parts)))[:-1]
    if all(may_cut(text, cut) for cut in cuts):
        return
    # Torn: then whole graphemes would have taken more parts.
    room = 153 if to_septets(text) is not None else 67
    assert gentle_count(text, room) > len(parts)


def gentle_count(text: str, room: int) -> int:
    def size(piece: str) -> int:
        septets = to_septets(piece) if room == 153 else None
        return len(septets) if septets is not None else len(piece.encode("utf-16-be")) // 2

    clusters: list[str] = []
    for at in range(len(text)):
        if at and not may_cut(text, at):
            clusters[-1] += text[at]
        else:
            clusters.append(text[at])
    count, used = 1, 0
    for cluster in clusters:
        wanted = size(cluster)
        if wanted > room:
            return 10**6
        if used + wanted > room:
            count, used = count + 1, 0
        used += wanted
    return count


@pytest.mark.parametrize("parts", range(1, 11))
def test_the_tables_of_the_providers(parts: int) -> None:
    """160/153 and 70/67, as VuduMobile's table of ten and smsmode's of three say."""
    gsm = 160 if parts == 1 else 153 * parts
    ucs2 = 70 if parts == 1 else 67 * parts
    assert count_parts("a" * gsm) == parts
    assert count_parts("a" * (gsm + 1)) == parts + (2 if parts == 0 else 1)
    assert count_parts("ê" * ucs2) == parts
    assert count_parts("ê" * (ucs2 + 1)) == parts + 1


def test_a_wide_reference_takes_an_octet_of_every_part() -> None:
    for text, room in (("a", 152), ("я", 66)):
        assert count_parts(text * 2 * room, wide=True) == 2
        assert count_parts(text * (2 * room + 1), wide=True) == 3
        assert count_parts(text * 2 * (room + 1)) == 2


def test_extension_characters_count_two() -> None:
    for character in "^{}\\[~]|€":
        assert count_parts(character * 80) == 1
        assert count_parts(character * 81) == 2
        assert count_parts("a" * 159 + character) == 2
    assert count_parts("a" * 160 + "[") == 2
    assert texts_of(segment("a" * 152 + "€" + "b" * 20)) == ["a" * 152, "€" + "b" * 20]
    assert texts_of(segment("€" * 76 + "ab€" + "b" * 10)) == ["€" * 76 + "a", "b€" + "b" * 10]


def test_surrogates_stay_together() -> None:
    assert texts_of(segment("я" * 66 + "🙂" + "я" * 9)) == ["я" * 66, "🙂" + "я" * 9]
    assert count_parts("🙂" * 35) == 1
    assert count_parts("🙂" * 36) == 2
    assert len(segment("🙂" * 35)[0].octets) == 140


def test_graphemes_stay_together_where_it_costs_no_part() -> None:
    family = "👨\u200d👩\u200d👧\u200d👦"
    for whole in ("e\u0301", "👍🏽", "🇫🇷", family, "नि", "\u1112\u1161\u11ab"):
        for before in range(68 - len(whole), 67):
            text = "я" * before + whole + "я" * 8
            assert whole in "|".join(texts_of(segment(text)))
    assert texts_of(segment("a" * 152 + "\r\n" + "b" * 10)) == ["a" * 152, "\r\n" + "b" * 10]
    # There is no room to spare in two full parts: the pair is torn and nothing is lost.
    assert texts_of(segment("a" * 152 + "\r\n" + "b" * 152)) == ["a" * 152 + "\r", "\n" + "b" * 152]


def test_a_grapheme_longer_than_a_part_is_torn() -> None:
    text = "e" + "\u0301" * 200
    parts = segment(text)
    assert len(parts) == 3
    assert assemble(parts) == text
    for before in (1, 40, 66):  # a part of its own does not hold it either
        torn = "я" * before + "e" + "\u0301" * 80 + "яя"
        assert assemble(segment(torn)) == torn
        assert all(len(part.octets) <= 140 for part in segment(torn))
    mixed = "я" * 60 + "e" + "\u0301" * 66 + "я" * 20
    assert assemble(segment(mixed)) == mixed


def test_flags_are_pairs_counted_from_the_first() -> None:
    text = "я" + "🇫🇷" * 30 + "🇩🇪" * 10
    for part in texts_of(segment(text)):
        assert (len(part) - part.count("я")) % 2 == 0


@pytest.mark.parametrize(
    ("text", "languages", "alphabet", "shifts", "parts"),
    [
        ("ğ" * 70, ("default",), UCS2, [], 1),
        ("ğ" * 70, ("default", "turkish"), GSM7, [0x24], 1),
        ("ğ" * 100, ("turkish",), GSM7, [0x25], 1),
        ("ğ" * 155, ("turkish",), GSM7, [0x25], 1),
        ("ğ" * 156, ("turkish",), GSM7, [0x25], 2),
        ("hello", ("turkish",), GSM7, [], 1),
        ("ça va", ("spanish",), GSM7, [0x24], 1),
        ("नमस्ते" * 30, ("hindi",), GSM7, [0x25], 2),
        ("नमस्ते A" * 16, ("hindi",), GSM7, [0x25, 0x24], 1),
        ("نمک" * 20, ("default", "urdu", "hindi"), GSM7, [0x25], 1),
        ("ğя", ("turkish",), UCS2, [], 1),
    ],
)
def test_national_tables_are_taken_where_they_save_parts(
    text: str, languages: tuple[str, ...], alphabet: Alphabet, shifts: list[int], parts: int
) -> None:
    found = segment(text, languages=languages)
    assert found[0].coding.alphabet is alphabet
    assert len(found) == parts == count_parts(text, languages=languages)
    assert [e.iei for e in found[0].elements if e.iei in (0x24, 0x25)] == shifts
    assert assemble(found) == text


def test_graphemes_of_national_tables_stay_together() -> None:
    text = "क" * 147 + "नि" + "क" * 100
    parts = segment(text, languages=("hindi",))
    assert len(parts) == 2
    assert [part.coding.alphabet for part in parts] == [GSM7, GSM7]
    for before in range(140, 150):
        text = "क" * before + "नि" + "क" * 60
        for cut in itertools.accumulate(
            [len(part.text or "") for part in segment(text, languages=("hindi",))][:-1]
        ):
            assert may_cut(text, cut)


def test_an_unknown_language_is_refused() -> None:
    for languages in (("klingon",), ("default", "")):
        with pytest.raises(EncodeError, match=r"languages: '.*' is no language"):
            segment("ğ", languages=languages)


def test_an_alphabet_can_be_forced() -> None:
    [part] = segment("a", alphabet=UCS2)
    assert (part.coding, part.octets) == (DataCoding(8), b"\0a")
    [part] = segment("a", alphabet=GSM7)
    assert part.coding == DataCoding(0)
    assert len(segment("a" * 71, alphabet=UCS2)) == 2 == count_parts("a" * 71, alphabet=UCS2)
    with pytest.raises(EncodeError, match="text: the gsm7 alphabet cannot write it"):
        segment("ğ", alphabet=GSM7)
    with pytest.raises(EncodeError, match="text: the gsm7 alphabet cannot write it"):
        count_parts("ğ", alphabet=GSM7)
    [part] = segment("ğ", alphabet=GSM7, languages=("turkish",))
    assert part.languages == (0, 1)
    for call in (segment, count_parts):
        with pytest.raises(EncodeError, match="alphabet: 8-bit data carry no text"):
            call("a", alphabet=DATA8)


@pytest.mark.parametrize(("text", "octet"), [("a", 0x10), ("ğ", 0x18), ("a" * 200, 0x10)])
def test_a_class_is_on_every_part(text: str, octet: int) -> None:
    assert {part.coding.octet for part in segment(text, message_class=0)} == {octet}


def test_elements_are_on_every_part_behind_the_concatenation() -> None:
    ports = Ports(5000, 1)
    [part] = segment("a" * 152, elements=[ports.element])
    assert part.header == bytes.fromhex("060504 1388 0001")
    for part in segment("a" * 153, reference=9, elements=[ports.element]):
        assert part.header[:5] == b"\x0b\0\3\x09\2"
        assert part.ports == ports
        assert len(part.octets) <= 140
    assert count_parts("a" * 153, elements=[ports.element]) == 2
    assert len(segment("ğ" * 66, elements=[ports.element])) == 1
    assert len(segment("ğ" * 67, elements=[ports.element])) == 2


def test_elements_that_leave_no_room_are_refused() -> None:
    assert len(segment("ab" * 40, elements=[InformationElement(0x70, bytes(126))])) > 1
    with pytest.raises(EncodeError, match="leave no room"):
        segment("ab" * 40, elements=[InformationElement(0x70, bytes(130))])


@pytest.mark.parametrize(("text", "most"), [("a", 255 * 153), ("я", 255 * 67)])
def test_255_parts_are_the_most(text: str, most: int) -> None:
    parts = segment(text * most)
    assert len(parts) == 255
    assert parts[-1].concatenation == Concatenation(0, 255, 255)
    for call in (segment, count_parts):
        with pytest.raises(EncodeError, match="text: it takes 256 parts, at most 255"):
            call(text * (most + 1))


def test_a_reference_out_of_range_is_refused() -> None:
    for reference, wide in ((256, False), (-1, False), (0x10000, True)):
        with pytest.raises(EncodeError, match="out of range"):
            segment("a" * 161, reference=reference, wide=wide)
    assert segment("a" * 161, reference=255)[0].header == b"\5\0\3\xff\2\1"
    assert segment("a" * 161, reference=0xFFFF, wide=True)[1].header == b"\6\x08\4\xff\xff\2\2"


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(EncodeError, match="text: character 1 is half a surrogate pair"):
        segment("a\ud83d")


def test_an_empty_text_is_one_empty_part() -> None:
    [part] = segment("")
    assert (part.text, part.length, count_parts("")) == ("", 0, 1)


@given(
    st.binary(max_size=600),
    st.booleans(),
    st.lists(any_.ports.map(lambda p: p.element), max_size=1),
)
def test_data_come_back(data: bytes, wide: bool, elements: list[InformationElement]) -> None:
    parts = segment_data(data, reference=7, wide=wide, elements=elements)
    assert assemble_data(parts) == data
    room = 140 - (7 if wide else 6) - len(elements) * len(elements and elements[0].encode())
    assert len(parts) == 1 or len(parts) == -(-len(data) // room)
    assert all(len(part.octets) <= 140 and part.coding.octet == 4 for part in parts)
    assert len(parts) > 1 or parts[0].concatenation is None


@pytest.mark.parametrize("wide", [False, True])
def test_every_part_of_data_has_its_header(wide: bool) -> None:
    ports = Ports(2948, 9200)
    [part] = segment_data(bytes(133), wide=wide, elements=[ports.element])
    assert (part.ports, part.header_size, part.concatenation) == (ports, 7, None)
    parts = segment_data(bytes(134), reference=9, wide=wide, elements=[ports.element])
    assert [part.concatenation for part in parts] == [
        Concatenation(9, 2, 1, wide),
        Concatenation(9, 2, 2, wide),
    ]
    assert [part.ports for part in parts] == [ports, ports]
    assert [len(part.octets) for part in parts] == [140, 134 - (127 if wide else 128) + 12 + wide]


def test_limits_of_data() -> None:
    assert segment_data(bytes(141))[0].header == b"\5\0\3\0\2\1"
    assert len(segment_data(bytes(140))) == 1
    assert len(segment_data(bytes(141))) == 2
    assert len(segment_data(b"")) == 1
    assert segment_data(b"a", message_class=1)[0].coding.octet == 0x15
    assert len(segment_data(bytes(255 * 134))) == 255
    with pytest.raises(EncodeError, match="256 parts"):
        segment_data(bytes(255 * 134 + 1))


def test_the_middle_of_a_message_may_be_any_text() -> None:
    assert assemble(segment("ab" * 200)[1:2]) == ("ab" * 200)[153:306]
