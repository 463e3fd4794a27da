"""What a reader sees as one character (UAX 29)."""

import pytest

from smsd.gsm.graphemes import may_cut


@pytest.mark.parametrize(
    "text",
    [
        "\r\n", "e\u0301", "👍🏽", "🇫🇷", "👩\u200d👧",
        "❤\ufe0f", "नि", "\u1100\u1161", "\u1161\u11a8",
        "\uac00\u11a8", "\uac01\u11a8", "\u1100\u1100", "\u1100\uac00",
        "\u1161\u1161", "\uac00\u1161",
        "\u11a8\u11a8", "🏴\U000e0067", "a\u200d",
    ],
)  # fmt: skip
def test_one_character(text: str) -> None:
    assert not may_cut(text, 1)


@pytest.mark.parametrize(
    "text",
    [
        "ab", "\n\r", "\rx", "x\n", "e\u02ff", "яя", "日本", "🙂🙂", "\uac01\u1161", "\uac00\uac00",
        "\u11a8\u1161",
        "a\u1161", "\u1161a", "\u11a8\u1100", "\u1100\u11a8", "a🇫", "🙂a", "\u1100a",
    ],
)  # fmt: skip
def test_two_characters(text: str) -> None:
    assert may_cut(text, 1)


@pytest.mark.parametrize(
    "ends",
    [
        ("\U0001f3fa", "\U0001f3fb", "\U0001f3ff", "\U0001f400"),
        ("\U000e001f", "\U000e0020", "\U000e007f", "\U000e0080"),
    ],
)
def test_the_ends_of_what_joins(ends: tuple[str, str, str, str]) -> None:
    below, first, last, above = ends
    assert may_cut("🙂" + below, 1)
    assert may_cut("🙂" + above, 1)
    assert not may_cut("🙂" + first, 1)
    assert not may_cut("🙂" + last, 1)


def test_the_ends_of_the_flag_letters_and_of_hangul() -> None:
    first, last = "\U0001f1e6", "\U0001f1ff"
    for pair in (first + last, last + first):
        assert not may_cut(pair, 1)
        assert [at for at in (1, 2, 3) if may_cut(pair + pair, at)] == [2]
    assert may_cut("\U0001f1e5" + first, 1)
    assert may_cut("\ud7a4\u11a8", 1)
    assert not may_cut("\ud7a3\u11a8", 1)
    assert may_cut("\ud7a3\u1161", 1)
    assert not may_cut("\ud788\u1161", 1)
    assert not may_cut("a\u0300", 1)
    for last_of_kind, after in (("\u115f", "\u11a7"), ("\u11a7", "\u11ff"), ("\u11ff", "\u11ff")):
        assert not may_cut(last_of_kind + after, 1)


def test_flags_are_read_in_pairs() -> None:
    text = "a🇫🇷🇩🇪🇮"
    assert [at for at in range(1, len(text)) if may_cut(text, at)] == [1, 3, 5]
