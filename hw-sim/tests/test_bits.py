"""The alphabet and the packing against figures of the standards."""

import json
from pathlib import Path

import pytest
from hwsim import bits
from hwsim.alphabets import BASIC, EXTENSION, LOCKING_SHIFT, SINGLE_SHIFT, UNDEFINED
from hypothesis import given
from hypothesis import strategies as st

TABLES = Path(__file__).parents[3] / "shared/vectors/national-tables.json"
ALPHABET = "".join(sorted((set(BASIC) - {"\x1b"}) | set(EXTENSION.values())))


def test_the_basic_table_has_128_places_and_no_double() -> None:
    assert len(BASIC) == 128
    assert len(set(BASIC)) == 128
    assert BASIC[bits.ESCAPE] == "\x1b"


@pytest.mark.parametrize("table", LOCKING_SHIFT.values())
def test_every_locking_table_has_128_places(table: str) -> None:
    assert len(table) == 128
    assert table[bits.ESCAPE] == "\x1b"


@pytest.mark.skipif(not TABLES.exists(), reason="the collected tables are not here")
@pytest.mark.parametrize("kind", ["single", "locking"])
def test_tables_are_those_that_others_collected(kind: str) -> None:
    tables = json.loads(TABLES.read_text())[kind]
    ours = SINGLE_SHIFT if kind == "single" else dict(LOCKING_SHIFT)
    for language, table in ours.items():
        theirs = {int(k, 16): chr(int(v, 16)) for k, v in tables[str(language)].items()}
        mine = dict(enumerate(table)) if isinstance(table, str) else dict(table)
        mine = {place: symbol for place, symbol in mine.items() if symbol != UNDEFINED}
        theirs.pop(bits.ESCAPE, None)
        assert mine == theirs, f"{kind} {language}"


def test_hellohello_packs_as_everyone_knows() -> None:
    assert bits.pack(bits.septets_of("hellohello")).hex().upper() == "E8329BFD4697D9EC37"


@given(st.lists(st.integers(0, 127), max_size=160), st.integers(0, 6))
def test_unpacking_gives_what_was_packed(septets: list[int], fill: int) -> None:
    assert bits.unpack(bits.pack(septets, fill), len(septets), fill) == septets


@given(st.text(ALPHABET))
def test_spelling_gives_what_was_encoded(text: str) -> None:
    assert bits.spell(bits.septets_of(text)) == text


def test_escapes_that_mean_nothing_are_shown_as_the_standard_says() -> None:
    assert bits.spell([bits.ESCAPE, 0x61]) == "a"
    assert bits.spell([bits.ESCAPE, bits.ESCAPE, 0x61]) == " a"
    assert bits.spell([0x61, bits.ESCAPE]) == "a "


def test_a_character_outside_the_alphabet_is_named() -> None:
    with pytest.raises(ValueError, match=r"U\+00EA"):
        bits.septets_of("ê")


@given(st.data(), st.integers(0, 13), st.integers(0, 13))
def test_every_language_is_spelt_as_it_was_encoded(
    data: st.DataObject, single: int, locking: int
) -> None:
    letters = set(LOCKING_SHIFT.get(locking, BASIC)) | set(SINGLE_SHIFT[single].values())
    text = data.draw(st.text("".join(sorted(letters - {UNDEFINED}))))
    assert bits.spell(bits.septets_of(text, single, locking), single, locking) == text


def test_all_languages_of_the_standard_are_here() -> None:
    assert sorted(SINGLE_SHIFT) == list(range(14))
    assert sorted(LOCKING_SHIFT) == [0, 1, *range(3, 14)]


def test_turkish_is_written_with_its_tables() -> None:
    assert bits.spell(bits.septets_of("ğışĞİŞ", 1, 1), 1, 1) == "ğışĞİŞ"


@given(st.text("0123456789*#abc", max_size=20))
def test_digits_survive_semi_octets(digits: str) -> None:
    assert bits.digits_of(bits.semi_octets(digits), len(digits)) == digits


@pytest.mark.parametrize("header_octets", range(1, 20))
def test_fill_bits_reach_a_septet_boundary(header_octets: int) -> None:
    assert (header_octets * 8 + bits.fill_bits(header_octets)) % 7 == 0
