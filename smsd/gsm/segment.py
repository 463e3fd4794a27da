"""A text in as few parts as the standard permits (23.040 9.2.3.24.1, 23.038 6.2.1)."""

from __future__ import annotations

from itertools import count

from smsd.gsm import header as udh
from smsd.gsm.alphabet import to_septets
from smsd.gsm.coding import DATA8, GSM7, UCS2, Alphabet, DataCoding, MessageClass
from smsd.gsm.cutting import cut_septets, cut_units
from smsd.gsm.errors import EncodeError
from smsd.gsm.header import Concatenation, InformationElement
from smsd.gsm.septets import pack_each
from smsd.gsm.tables import LOCKING, SINGLE, Language
from smsd.gsm.userdata import (
    FILLED,
    MOST_OCTETS,
    MOST_SEPTETS,
    UserData,
    put_behind,
    to_units,
)
from smsd.gsm.values import TYPE_CHECKING, maker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    # An alphabet, the header that every part begins with, the coded text and where it is cut.
    _Plan = tuple[Alphabet, bytes, bytes, list[int]]

MOST_PARTS = 255  # the total is one octet
_DEFAULT = ("default",)
_LEAST_ROOM = 4  # octets: two escaped septets or a surrogate pair

_user_data = maker(UserData)


def segment(
    text: str,
    *,
    reference: int = 0,
    wide: bool = False,
    alphabet: Alphabet | None = None,
    message_class: MessageClass | int | None = None,
    languages: Sequence[str] = _DEFAULT,
    elements: Sequence[InformationElement] = (),
) -> tuple[UserData, ...]:
    """Return the text as the fewest parts, each knowing its `coding`.

    The default alphabet is taken where it can write the text, then the national tables of the
    `languages` ("turkish", "spanish", …), then UCS-2; `alphabet` forces one. `reference`, of 16
    bits if `wide`, ties the parts together and should differ from that of the last message to the
    same number. `elements` go into every part. No escape and no surrogate pair is split, nor,
    where it costs no part, what a reader sees as one character. More than 255 parts, or a text
    that the alphabet cannot write, are an `EncodeError`.
    """
    found, common, coded, cuts = plan(text, wide, alphabet, languages, elements)
    return _parts(found, message_class, common, coded, cuts, reference, wide)


def _parts(
    alphabet: Alphabet,
    message_class: MessageClass | int | None,
    common: bytes,
    coded: bytes,
    cuts: list[int],
    reference: int,
    wide: bool,
) -> tuple[UserData, ...]:
    coding = DataCoding.of(alphabet, message_class)
    if not cuts:
        octets, length = put_behind(common, coded, alphabet)
        return (_user_data(coding, octets, length, len(common)),)
    start, rest = header_around_number(common, len(cuts) + 1, reference, wide)
    size = len(start) + 1 + len(rest)
    return tuple(
        [
            _user_data(coding, b"%b%c%b%b" % (start, number, rest, octets), length, size)
            for number, (length, octets) in enumerate(lay_out(alphabet, coded, cuts, size), 1)
        ]
    )


def segment_data(
    data: bytes,
    *,
    reference: int = 0,
    wide: bool = False,
    message_class: MessageClass | int | None = None,
    elements: Sequence[InformationElement] = (),
) -> tuple[UserData, ...]:
    """Return octets as the fewest parts of 8-bit data; `elements` (ports) go into every part."""
    common = udh.encode(elements)
    room = MOST_OCTETS - len(common)
    if len(data) > room:
        room = _several(common, wide)
    cuts = _limited(list(range(room, len(data), room)))
    return _parts(DATA8, message_class, common, data, cuts, reference, wide)


def count_parts(
    text: str,
    *,
    wide: bool = False,
    alphabet: Alphabet | None = None,
    languages: Sequence[str] = _DEFAULT,
    elements: Sequence[InformationElement] = (),
) -> int:
    """Return how many parts `segment` makes of the text, without making them."""
    return len(plan(text, wide, alphabet, languages, elements)[3]) + 1


def header_around_number(
    common: bytes, total: int, reference: int, wide: bool
) -> tuple[bytes, bytes]:
    """Return the header of one of several parts, before and after the number of the part.

    That number, the last octet of the first element, is all that tells their headers apart.
    """
    tie = Concatenation(reference, total, 1, wide).encode()[:-1]
    return bytes((len(tie) + max(len(common), 1),)) + tie, common[1:]


def lay_out(
    alphabet: Alphabet, coded: bytes, cuts: list[int], header_size: int
) -> list[tuple[int, bytes]]:
    """Return TP-UDL of each part, and its TP-UD without the header that counts in it."""
    bounds = zip([0, *cuts], [*cuts, len(coded)], strict=True)
    if alphabet is not GSM7:
        return [(header_size + b - a, coded[a:b]) for a, b in bounds]
    # The header takes whole septets, fill bits included.
    place = bytes(FILLED[header_size])
    pieces = [place + coded[a:b] for a, b in bounds]
    packed = pack_each(pieces)
    return [
        (len(piece), packed[at + header_size : at + (len(piece) * 7 + 7) // 8])
        for piece, at in zip(pieces, count(0, MOST_OCTETS), strict=False)
    ]


def _several(common: bytes, wide: bool) -> int:
    """Return the octets that each of several parts has for text or data."""
    room = MOST_OCTETS - (len(common) or 1) - (6 if wide else 5)
    if room < _LEAST_ROOM:
        raise EncodeError("elements", f"{len(common)} octets of header leave no room for text")
    return room


def plan(
    text: str,
    wide: bool,
    alphabet: Alphabet | None,
    languages: Sequence[str],
    elements: Sequence[InformationElement],
) -> _Plan:
    """Return the way with the fewest parts; of equals the one with the smaller header."""
    common = udh.encode(elements) if elements else b""
    if alphabet is DATA8:
        raise EncodeError("alphabet", "8-bit data carry no text: see segment_data")
    septets = None if alphabet is UCS2 else to_septets(text)
    if septets is not None:  # national tables would only add a header, UCS-2 only octets
        if len(septets) <= MOST_SEPTETS and not common:
            return GSM7, common, septets, []
        cuts = _cut_septets(text, septets, common, wide, national=False)
        return GSM7, common, septets, _limited(cuts)
    if alphabet is UCS2 or (alphabet is None and languages == _DEFAULT):
        units, cuts = _units(text, common, wide)
        return UCS2, common, units, _limited(cuts)
    plans = [*_national_plans(text, wide, _pairs(languages), elements)]
    if alphabet is not GSM7:
        plans.append((UCS2, common, *_units(text, common, wide)))
    if not plans:
        raise EncodeError("text", f"the {alphabet} alphabet cannot write it")
    best = min(plans, key=lambda plan: len(plan[3]))
    _limited(best[3])
    return best


def _units(text: str, common: bytes, wide: bool) -> tuple[bytes, list[int]]:
    units = to_units(text)
    if len(units) + len(common) <= MOST_OCTETS:
        return units, []
    return units, cut_units(text, units, _several(common, wide))


def _limited(cuts: list[int]) -> list[int]:
    if len(cuts) >= MOST_PARTS:
        reason = f"it takes {len(cuts) + 1} parts, at most {MOST_PARTS} make a message"
        raise EncodeError("text", reason)
    return cuts


def _cut_septets(
    text: str, septets: bytes, common: bytes, wide: bool, *, national: bool
) -> list[int]:
    if len(septets) <= (MOST_OCTETS - len(common)) * 8 // 7:
        return []
    return cut_septets(text, septets, _several(common, wide) * 8 // 7, national=national)


def _national_plans(
    text: str,
    wide: bool,
    pairs: Sequence[tuple[int, int]],
    elements: Sequence[InformationElement],
) -> Iterator[_Plan]:
    """Yield the ways of the national tables, those with the smaller header first."""
    for locking, single in pairs:
        septets = to_septets(text, locking, single)
        if septets is not None:
            common = udh.encode((*_shifts(locking, single), *elements))
            cuts = _cut_septets(text, septets, common, wide, national=True)
            yield GSM7, common, septets, cuts


def _pairs(languages: Sequence[str]) -> Sequence[tuple[int, int]]:
    """Return the pairs of tables that the languages allow: one shift before two."""
    chosen = []
    for name in languages:
        try:
            chosen.append(Language[name.upper()])
        except KeyError:
            raise EncodeError("languages", f"{name!r} is no language of 23.038") from None
    national = [language for language in chosen if language]
    singles = [language for language in national if language in SINGLE]
    lockings = [language for language in national if language in LOCKING]
    return [
        *((0, single) for single in singles),
        *((locking, 0) for locking in lockings),
        *((locking, single) for locking in lockings for single in singles),
    ]


def _shifts(locking: int, single: int) -> list[InformationElement]:
    return [
        InformationElement(iei, bytes((language,)))
        for iei, language in ((udh.LOCKING_SHIFT, locking), (udh.SINGLE_SHIFT, single))
        if language
    ]
