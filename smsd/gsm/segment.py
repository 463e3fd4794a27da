"""A text in as few parts as the standard permits (23.040 9.2.3.24.1, 23.038 6.2.1)."""

from __future__ import annotations

from smsd.gsm import header as udh
from smsd.gsm.alphabet import to_septets
from smsd.gsm.coding import DATA8, GSM7, UCS2, Alphabet, DataCoding, MessageClass
from smsd.gsm.cutting import cut_septets, cut_units
from smsd.gsm.errors import EncodeError
from smsd.gsm.header import Concatenation, InformationElement
from smsd.gsm.tables import LOCKING, SINGLE, Language
from smsd.gsm.userdata import (
    MOST_OCTETS,
    UserData,
    pack_behind,
    put_behind,
    to_units,
)
from smsd.gsm.values import TYPE_CHECKING, maker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    # An alphabet, the header that every part begins with, and the coded pieces.
    _Plan = tuple[Alphabet, bytes, list[bytes]]

MOST_PARTS = 255  # the total is one octet
_LEAST_ROOM = 4  # octets: two escaped septets or a surrogate pair

_user_data = maker(UserData)


def segment(
    text: str,
    *,
    reference: int = 0,
    wide: bool = False,
    alphabet: Alphabet | None = None,
    message_class: MessageClass | int | None = None,
    languages: Sequence[str] = ("default",),
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
    found, common, pieces = plan(text, wide, alphabet, languages, elements)
    coding = DataCoding.of(found, message_class)
    behind = pack_behind if found is GSM7 else put_behind
    if len(pieces) == 1:
        octets, length = behind(common, pieces[0])
        return (_user_data(coding, octets, length, len(common)),)
    parts = []
    for header, piece in zip(headers(common, len(pieces), reference, wide), pieces, strict=True):
        octets, length = behind(header, piece)
        parts.append(_user_data(coding, octets, length, len(header)))
    return tuple(parts)


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
    pieces = _limited([data[at : at + room] for at in range(0, max(len(data), 1), room)])
    coding = DataCoding.of(DATA8, message_class)
    return tuple(
        [
            UserData.of_octets(piece, coding, header)
            for header, piece in zip(
                headers(common, len(pieces), reference, wide), pieces, strict=True
            )
        ]
    )


def count_parts(
    text: str,
    *,
    wide: bool = False,
    alphabet: Alphabet | None = None,
    languages: Sequence[str] = ("default",),
    elements: Sequence[InformationElement] = (),
) -> int:
    """Return how many parts `segment` makes of the text, without making them."""
    return len(plan(text, wide, alphabet, languages, elements)[2])


def headers(common: bytes, total: int, reference: int, wide: bool) -> list[bytes]:
    """Return the header of each part; a lone part needs nothing that ties it to others."""
    if total == 1:
        return [common]
    # All are alike but for the number of the part, the last octet of the first element.
    tie = Concatenation(reference, total, 1, wide).element.encode()[:-1]
    start = bytes((len(tie) + max(len(common), 1),)) + tie
    rest = common[1:]
    return [b"%b%c%b" % (start, number, rest) for number in range(1, total + 1)]


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
        if len(septets) <= (MOST_OCTETS - len(common)) * 8 // 7:
            return GSM7, common, [septets]
        room = _several(common, wide) * 8 // 7
        return GSM7, common, _limited(cut_septets(text, septets, room, national=False))
    national = () if alphabet is UCS2 else _pairs(languages)
    plans = [*_national_plans(text, wide, national, elements)] if national else []
    if alphabet is not GSM7:
        units = to_units(text)
        alone = len(units) + len(common) <= MOST_OCTETS
        pieces = [units] if alone else cut_units(text, units, _several(common, wide))
        if not plans:
            return UCS2, common, _limited(pieces)
        plans.append((UCS2, common, pieces))
    if not plans:
        raise EncodeError("text", f"the {alphabet} alphabet cannot write it")
    best = min(plans, key=lambda plan: len(plan[2]))
    _limited(best[2])
    return best


def _limited(pieces: list[bytes]) -> list[bytes]:
    if len(pieces) > MOST_PARTS:
        reason = f"it takes {len(pieces)} parts, at most {MOST_PARTS} make a message"
        raise EncodeError("text", reason)
    return pieces


def _cut_septets(
    text: str, septets: bytes, common: bytes, wide: bool, *, national: bool = False
) -> list[bytes]:
    if len(septets) <= (MOST_OCTETS - len(common)) * 8 // 7:
        return [septets]
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
            pieces = _cut_septets(text, septets, common, wide, national=True)
            yield GSM7, common, pieces


def _pairs(languages: Sequence[str]) -> Sequence[tuple[int, int]]:
    """Return the pairs of tables that the languages allow: one shift before two."""
    if languages == ("default",):
        return ()
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
