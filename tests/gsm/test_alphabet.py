"""The default alphabet, its extension and the national tables (23.038 6.2.1, annex A)."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm import Language
from smsd.gsm.alphabet import to_septets, to_text
from smsd.gsm.tables import LOCKING, SINGLE, grid
from tests.gsm import strategies as any_

SHARED = Path(__file__).parents[3] / "shared" / "vectors" / "national-tables.json"
# 23.038 6.2.1 as the standard prints it, column by column; the dot is the escape.
PRINTED = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ.ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


def test_6_2_1_the_default_alphabet_is_the_standards() -> None:
    for code, character in enumerate(PRINTED):
        if code != 0x1B:
            assert to_septets(character) == bytes((code,))
            assert to_text(bytes((code,))) == character


def test_6_2_1_1_the_extension_table_is_the_standards() -> None:
    codes = {
        "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F,
        "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
    }  # fmt: skip
    for character, code in codes.items():
        assert to_septets(character) == bytes((0x1B, code))
        assert to_text(bytes((0x1B, code))) == character
        assert to_septets(f"a{character}b{character}") == bytes(
            (0x61, 0x1B, code, 0x62, 0x1B, code)
        )


def test_every_other_character_is_refused() -> None:
    known = set(any_.DEFAULT + any_.EXTENSION)
    for code in range(0x3100):
        assert (to_septets(chr(code)) is None) == (chr(code) not in known)
    for text in ("a`", "é\0", "\x1b", "ab\x80", "🙂", "½@", "\x7f"):
        assert to_septets(text) is None
        assert to_septets("é" * 20 + text) is None  # however late it comes


@given(any_.gsm_text)
def test_a_text_comes_back(text: str) -> None:
    septets = to_septets(text)
    assert septets is not None
    assert max(septets, default=0) < 128
    assert to_text(septets) == text


@given(st.text())
def test_a_text_is_written_wholly_or_not_at_all(text: str) -> None:
    septets = to_septets(text)
    assert (septets is None) == bool(set(text) - set(any_.DEFAULT + any_.EXTENSION))


def shown_slowly(septets: bytes, locking: int, single: int) -> str:
    """23.038 6.2.1.1, one septet after another."""
    base = grid(LOCKING.get(locking, LOCKING[0]))
    shifted = grid(SINGLE.get(single, SINGLE[0]))
    text, at = "", 0
    while at < len(septets):
        if septets[at] != 0x1B:
            text += base.get(septets[at], " ")
        elif at + 1 < len(septets):
            at += 1
            code = septets[at]
            text += " " if code == 0x1B else shifted.get(code, base.get(code, " "))
        at += 1
    return text


@given(
    st.lists(st.one_of(st.integers(0, 127), st.just(0x1B)), max_size=160).map(bytes),
    st.integers(0, 14),
    st.integers(0, 14),
)
def test_any_septets_show_what_the_standard_says(septets: bytes, locking: int, single: int) -> None:
    assert to_text(septets, locking, single) == shown_slowly(septets, locking, single)


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        (b"\x1b\x41", "A"),
        (b"\x1b\x1b", " "),
        (b"a\x1b", "a"),
        (b"\x1b", ""),
        (b"\x1b\x1b\x65", " e"),
        (b"\x1b\x1b\x1b\x65", " €"),
        (b"\x1b\x1b\x1b", " "),
        (b"\x10\x1b\x65", "Δ€"),
    ],
)
def test_6_2_1_1_escapes_that_mean_nothing(septets: bytes, text: str) -> None:
    assert to_text(septets) == text


@pytest.mark.parametrize("language", Language)
def test_every_national_character_comes_back(language: Language) -> None:
    locking = language if language in LOCKING else Language.DEFAULT
    text = "".join(grid(LOCKING[locking]).values()) + "".join(grid(SINGLE[language]).values())
    septets = to_septets(text, locking, language)
    assert septets is not None
    assert to_text(septets, locking, language) == text


def test_annex_a_has_12_locking_and_13_single_shift_tables() -> None:
    assert len(LOCKING) == 13
    assert len(SINGLE) == 14
    assert Language.SPANISH not in LOCKING
    for single in SINGLE:
        # Every single shift table has the euro, and keeps the codes of the default extension.
        extension = grid(SINGLE[0])
        shifted = grid(SINGLE[single])
        expected = extension | {code: shifted[code] for code in extension}
        assert {code: shifted[code] for code in extension} == expected


@pytest.mark.parametrize(
    ("language", "code", "character"),
    [
        (Language.TURKISH, 0x47, "Ğ"),
        (Language.TURKISH, 0x69, "ı"),
        (Language.SPANISH, 0x09, "ç"),
        (Language.PORTUGUESE, 0x7B, "ã"),
        (Language.HINDI, 0x1C, "०"),
        (Language.URDU, 0x1C, "۰"),
        (Language.TELUGU, 0x65, "€"),
    ],
)
def test_a_2_single_shift_tables_by_sample(language: Language, code: int, character: str) -> None:
    assert grid(SINGLE[language])[code] == character


@pytest.mark.parametrize(
    ("language", "code", "character"),
    [
        (Language.TURKISH, 0x04, "€"),
        (Language.TURKISH, 0x07, "ı"),
        (Language.TURKISH, 0x40, "İ"),
        (Language.PORTUGUESE, 0x15, "∞"),
        (Language.PORTUGUESE, 0x5C, "Õ"),
        (Language.BENGALI, 0x00, "ঁ"),
        (Language.HINDI, 0x00, "ँ"),
        (Language.KANNADA, 0x24, "ಡ"),
        (Language.URDU, 0x00, "ا"),
        (Language.TAMIL, 0x2C, ","),
    ],
)
def test_a_3_locking_shift_tables_by_sample(language: Language, code: int, character: str) -> None:
    assert grid(LOCKING[language])[code] == character


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is not here")
def test_annex_a_agrees_with_the_tables_that_three_implementations_share() -> None:
    agreed = json.loads(SHARED.read_text())
    for tables, name in ((LOCKING, "locking"), (SINGLE, "single")):
        theirs = {
            int(language): {int(code, 16): chr(int(point, 16)) for code, point in table.items()}
            for language, table in agreed[name].items()
        }
        assert {language: grid(rows) for language, rows in tables.items()} == theirs
