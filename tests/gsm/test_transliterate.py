"""Keeping a text in the default alphabet, when asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gsm.alphabet import to_septets
from smsd.gsm.transliterate import Transliteration, transliterate


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("l’été", "l'été"),
        ("“a” „b‟ «c»", '"a" "b" "c"'),
        ("1–2 — 3…", "1-2 - 3..."),
        ("forêt, ça, œuf, Œuvre", "foret, ca, oeuf, OEuvre"),
        ("ﬁn ﬂou", "fin flou"),
        ("Łódź", "Lodz"),
        ("a\u00a0b\u202fc", "a b c"),
        ("e\u0301te\u0302", "éte"),
        ("x²½™", "x21/2TM"),
        ("½", "1/2"),
        ("ẽ\u0323", "e"),
        ("©®×÷", "(c)(R)x/"),
        ("a\u200bb\ufeff", "ab"),
        ("İstanbul ğı", "Istanbul gi"),
        ("\t", " "),
        ("Ångström @€{", "Ångström @€{"),
    ],
)
def test_what_stands_for_what(text: str, plain: str) -> None:
    found = transliterate(text)
    assert found.text == plain
    assert not found.left
    assert to_septets(found.text) is not None


def test_it_says_what_it_replaced() -> None:
    found = transliterate("l’île… l’île")
    assert found.text == "l'ile... l'ile"
    assert found.replaced == {"’": "'", "î": "i", "…": "..."}


def test_a_text_that_needs_nothing_is_untouched() -> None:
    assert transliterate("été") == Transliteration("été", {}, frozenset())
    assert transliterate("…") == Transliteration("...", {"…": "..."}, frozenset())
    assert transliterate("㎯") == Transliteration("rad/s2", {"㎯": "rad/s2"}, frozenset())
    assert transliterate("㋿").left == frozenset("㋿")


@pytest.mark.parametrize(("text", "left"), [("l’🙂", "🙂"), ("…привет…", "привет"), ("日–", "日")])
def test_a_text_that_needs_ucs2_anyhow_is_untouched(text: str, left: str) -> None:
    found = transliterate(text)
    assert (found.text, found.replaced) == (text, {})
    assert found.left == frozenset(left)


@given(st.text())
def test_any_text_is_made_plain_or_left_alone(text: str) -> None:
    found = transliterate(text)
    assert (to_septets(found.text) is not None) == (not found.left)
    assert not found.left or found.text == text
