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


def test_flags_are_read_in_pairs() -> None:
    text = "a🇫🇷🇩🇪🇮"
    assert [at for at in range(1, len(text)) if may_cut(text, at)] == [1, 3, 5]
