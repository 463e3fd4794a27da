"""Strings on the line in the character set of +CSCS (27.007 5.5)."""

from hwsim import bits


def write(text: str, charset: str) -> str:
    """Give the characters that a modem sends for a text."""
    if charset == "UCS2":
        return text.encode("utf-16-be", "surrogatepass").hex().upper()
    if charset == "HEX":
        return "".join(f"{septet:02X}" for septet in _septets(text))
    if charset == "GSM":
        return "".join(map(chr, _septets(text)))
    return text.encode("latin-1", "replace").decode("latin-1")


def read(entry: str, charset: str) -> str:
    """Understand what a computer wrote; raises ValueError."""
    if charset == "UCS2":
        return bytes.fromhex(entry).decode("utf-16-be", "surrogatepass")
    if charset == "HEX":
        return bits.spell(octet & 0x7F for octet in bytes.fromhex(entry))
    if charset == "GSM":
        return bits.spell(ord(character) & 0x7F for character in entry)
    return entry


def _septets(text: str) -> list[int]:
    found: list[int] = []
    for character in text:
        try:
            found += bits.septets_of(character)
        except ValueError:
            found.append(0x3F)
    return found


def fits_gsm(text: str) -> bool:
    """Tell whether every character is of the default alphabet."""
    try:
        bits.septets_of(text)
    except ValueError:
        return False
    return True
