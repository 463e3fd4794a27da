"""The tables of 23.038: default alphabet, extension, and the national languages of annex A.

The tables of the Indic languages are written down as annex A builds them: a fixed order of places,
filled with the characters of the language's block in the order of their code points.
"""

# Stands at the place of the escape and at places without a symbol.
UNDEFINED = "\x1b"

# 23.038 6.2.1, read row by row: eight rows of sixteen; the escape stands at 0x1B.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

# 23.038 6.2.1.1
EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

# 23.038 A.2.1 to A.2.3: Turkish, Spanish, Portuguese.
SINGLE_SHIFT: dict[int, dict[int, str]] = {
    0: EXTENSION,
    1: EXTENSION | {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş"},
    2: EXTENSION
    | {0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú"}
    | {0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú"},
    3: EXTENSION
    | {0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á"}
    | {0x12: "Φ", 0x13: "Γ", 0x15: "Ω", 0x16: "Π", 0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê"}
    | {0x41: "À", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x5B: "Ã", 0x5C: "Õ"}
    | {0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ã", 0x7C: "õ", 0x7F: "â"},
}

# 23.038 A.3.1 and A.3.3: Turkish, Portuguese; Spanish has none.
LOCKING_SHIFT: dict[int, str] = {
    0: BASIC,
    1: (
        "@£$¥€éùıòÇ\nĞğ\rÅå"
        "Δ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ"
        " !\"#¤%&'()*+,-./"
        "0123456789:;<=>?"
        "İABCDEFGHIJKLMNO"
        "PQRSTUVWXYZÄÖÑÜ§"
        "çabcdefghijklmno"
        "pqrstuvwxyzäöñüà"
    ),
    3: (
        "@£$¥êéúíóç\nÔô\rÁá"
        "Δ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ"
        " !\"#º%&'()*+,-./"
        "0123456789:;<=>?"
        "ÍABCDEFGHIJKLMNO"
        "PQRSTUVWXYZÃÕÚÜ§"
        "~abcdefghijklmno"
        "pqrstuvwxyzãõ`üà"
    ),
}


def _places(text: str) -> list[int]:
    """Read hex numbers and ranges of them: "00-02 05"."""
    found: list[int] = []
    for piece in text.split():
        low, _, high = piece.partition("-")
        found += range(int(low, 16), int(high or low, 16) + 1)
    return found


# A.2.4 to A.2.13: what all these single shift tables share, and the places where they differ.
_SHARED = dict(enumerate("@£$¥¿\"¤%&'\f*+\x1b-/<=>¡^¡_#*")) | EXTENSION
_SHARED |= {0x41 + n: chr(0x41 + n) for n in range(26)}
_OWN_PLACES = _places("19-1A 1C-27 2A-2E 30-3A 3B 3F")
_OWN_SINGLE = {
    4: "09E6-09EF 09DF 09E0-09E3 09F2-09FA",
    5: "0964-0965 0AE6-0AEF",
    6: "0964-0965 0966-096F 0951-0954 0958-095F 0960-0963 0970-0971",
    7: "0964-0965 0CE6-0CEF 0CDE 0CF1-0CF2",
    8: "0964-0965 0D66-0D75 0D7A-0D7F",
    9: "0964-0965 0B66-0B6F 0B5C-0B5D 0B5F 0B70-0B71",
    10: "0964-0965 0A66-0A6F 0A59-0A5C 0A5E 0A75",
    11: "0964-0965 0BE6-0BEF 0BF3-0BF8 0BFA",
    13: "0600-0601 06F0-06F9 060C-0614 061B 061F 0640 0652 0658 066B-066C 0672-0673 06CD 06D4",
}


def _single(own: str, skipped: int = 0) -> dict[int, str]:
    pairs = zip(_OWN_PLACES[skipped:], map(chr, _places(own)), strict=False)
    shared = {place: symbol for place, symbol in _SHARED.items() if symbol != UNDEFINED}
    return shared | dict(pairs)


for _language, _own in _OWN_SINGLE.items():
    SINGLE_SHIFT[_language] = _single(_own)
# Telugu leaves the first two places empty (A.2.12).
SINGLE_SHIFT[12] = _single("0C66-0C6F 0C58-0C59 0C78-0C7F", skipped=2)

# A.3.4 to A.3.13: the places of letters; the last six are each language's own.
_LETTERS = _places("00-09 0B-0C 0E-1A 1C-1F 22-27 2A-2B 2D 2F 3C-3E 40-5F")
_LAST = _places("60 7B-7F")
_COMMON = dict(zip(_places("0A 0D 20-21 28-29 2C 2E"), "\n\r !)(,.", strict=True))
_COMMON |= {0x30 + n: symbol for n, symbol in enumerate("0123456789:;")} | {0x3F: "?"}
_COMMON |= {0x61 + n: chr(0x61 + n) for n in range(26)}
# The order of the letters as offsets in a block, then: block, offsets that it lacks, its last six.
_ORDER = _places("01-03 05-39 3C-4D")
_INDIC = {
    4: (0x0980, "0D-0E 11-12 29 31 33-35 45-46 49-4A", "09CE 09D7 09DC-09DD 09F0-09F1"),
    5: (0x0A80, "0E 12 29 31 34 46 4A", "0AD0 0AE0-0AE3 0AF1"),
    6: (0x0900, "", "0950 0972 097B-097C 097E-097F"),
    7: (0x0C80, "01 0D 11 29 34 45 49", "0CD5-0CD6 0CE0-0CE3"),
    8: (0x0D00, "01 0D 11 29 3C 45 49", "0D57 0D60-0D63 0D79"),
    9: (0x0B00, "0D-0E 11-12 29 31 34 45-46 49-4A", "0B56-0B57 0B60-0B63"),
    10: (0x0A00, "0B-0E 11-12 29 31 34 37 3D 43-46 49-4A", "0A51 0A70-0A74"),
    11: (
        0x0B80,
        "01 0B-0D 11 16-18 1B 1D 20-22 25-27 2B-2D 3C-3D 43-45 49",
        "0BD0 0BD7 0BF0-0BF2 0BF9",
    ),
    12: (0x0C00, "0D 11 29 34 3C 45 49", "0C55-0C56 0C60-0C63"),
}
_URDU = (
    "0627 0622 0628 067B 0680 067E 06A6 062A 06C2 067F 0679 067D 067A 067C 062B 062C 0681 0684"
    " 0683 0685-0687 062D-062F 068C 0688-068A 068F 068D 0630-0631 0691 0693 0699 0632 0696 0698"
    " 069A 0633-0639 0641-0642 06A9-06AB 06AF 06B3 06B1 0644-0646 06BA-06BC 0648 06C4 06D5 06C1"
    " 06BE 0621 06CC 06D0 06D2 064D 0650 064F 0657 0654 0655 0651 0653 0656 0670"
)


def _locking(letters: list[str]) -> str:
    table = _COMMON | dict(zip(_LETTERS + _LAST, letters, strict=True))
    return "".join(table.get(place, UNDEFINED) for place in range(128))


for _language, (_block, _lacking, _last) in _INDIC.items():
    _missing = _places(_lacking)
    _letters = [UNDEFINED if n in _missing else chr(_block + n) for n in _ORDER]
    LOCKING_SHIFT[_language] = _locking(_letters + [chr(code) for code in _places(_last)])
LOCKING_SHIFT[13] = _locking([chr(code) for code in _places(_URDU)])
