"""Septets, semi-octets and alphabets, one bit at a time, from the text of 23.038 and 23.040.

Slow on purpose: every function follows the words of its clause, so that agreement with a fast codec
means something.
"""

from collections.abc import Iterable, Sequence

from hwsim.alphabets import BASIC, EXTENSION, LOCKING_SHIFT, SINGLE_SHIFT, UNDEFINED

ESCAPE = 0x1B


def bits_of(octets: bytes) -> list[int]:
    """Give the bits in the order in which 23.038 6.1.2.1 fills them: lowest of each octet first."""
    return [octet >> position & 1 for octet in octets for position in range(8)]


def octets_of(bits: Sequence[int]) -> bytes:
    """Undo `bits_of`; the last octet is filled with zeros."""
    octets = bytearray((len(bits) + 7) // 8)
    for position, bit in enumerate(bits):
        octets[position // 8] |= bit << position % 8
    return bytes(octets)


def pack(septets: Iterable[int], fill: int = 0) -> bytes:
    """Pack septets after `fill` zero bits (23.038 6.1.2.1, 23.040 9.2.3.24)."""
    bits = [0] * fill
    for septet in septets:
        bits.extend(septet >> position & 1 for position in range(7))
    return octets_of(bits)


def unpack(octets: bytes, count: int, fill: int = 0) -> list[int]:
    """Read `count` septets that begin after `fill` bits; raises IndexError beyond the octets."""
    bits = bits_of(octets)
    septets = []
    for start in range(fill, fill + 7 * count, 7):
        septets.append(sum(bits[start + position] << position for position in range(7)))
    return septets


def fill_bits(header_octets: int) -> int:
    """Give the bits between a header, its length octet included, and the next septet."""
    return -header_octets * 8 % 7


def spell(septets: Iterable[int], single: int = 0, locking: int = 0) -> str:
    """Turn septets into text; language numbers as in 23.038 6.2.1.2.4, unknown ones count as 0.

    Escape and a code without a symbol shows the symbol of the base table, escape twice a space
    (6.2.1.1), as does an escape with nothing behind it and a code without any symbol.
    """
    base = LOCKING_SHIFT.get(locking, BASIC)
    extension = SINGLE_SHIFT.get(single, EXTENSION)
    text = ""
    escaped = False
    for septet in septets:
        if septet == ESCAPE and not escaped:
            escaped = True
            continue
        symbol = base[septet]
        if escaped and septet in extension:
            symbol = extension[septet]
        text += " " if symbol == UNDEFINED else symbol
        escaped = False
    return text + " " if escaped else text


def septets_of(text: str, single: int = 0, locking: int = 0) -> list[int]:
    """Turn text into septets; raises ValueError naming a character outside the alphabet."""
    base = LOCKING_SHIFT.get(locking, BASIC)
    extension = {symbol: code for code, symbol in SINGLE_SHIFT.get(single, EXTENSION).items()}
    septets: list[int] = []
    for character in text:
        if character != UNDEFINED and character in base:
            septets.append(base.index(character))
        elif character in extension:
            septets += [ESCAPE, extension[character]]
        else:
            raise ValueError(f"U+{ord(character):04X} is not in the GSM alphabet")
    return septets


def semi_octets(digits: str, alphabet: str = "0123456789*#abc") -> bytes:
    """Write digits low half first, an odd last one beside 1111 (9.1.2.3, 24.008 10.5.4.7)."""
    values = [alphabet.index(digit) for digit in digits]
    if len(values) % 2:
        values.append(0xF)
    return bytes(values[i] | values[i + 1] << 4 for i in range(0, len(values), 2))


def digits_of(octets: bytes, count: int, alphabet: str = "0123456789*#abc") -> str:
    """Read `count` semi-octets; a filler inside the number is left out."""
    values = [half for octet in octets for half in (octet & 0xF, octet >> 4)][:count]
    return "".join(alphabet[value] for value in values if value < len(alphabet))


def swapped_decimal(octet: int) -> int:
    """Read one octet of two swapped decimal digits; raises ValueError when a half is above 9."""
    tens, units = octet & 0xF, octet >> 4
    if tens > 9 or units > 9:
        raise ValueError(f"octet {octet:02X} is not decimal")
    return tens * 10 + units


def decimal_swapped(number: int) -> int:
    """Write a number below 100 as two swapped decimal digits."""
    return number // 10 | number % 10 << 4
