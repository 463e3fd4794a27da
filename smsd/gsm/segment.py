"""A text in as few parts as the standard permits (23.040 9.2.3.24.1, 23.038 6.2.1)."""

from __future__ import annotations

from smsd.gsm import header as udh
from smsd.gsm.alphabet import ESCAPE, to_septets
from smsd.gsm.coding import Alphabet, DataCoding, MessageClass
from smsd.gsm.errors import EncodeError
from smsd.gsm.graphemes import may_cut
from smsd.gsm.header import Concatenation, InformationElement
from smsd.gsm.tables import LOCKING, SINGLE, Language
from smsd.gsm.userdata import (
    MOST_OCTETS,
    UserData,
    from_units,
    pack_behind,
    put_behind,
    to_units,
)
from smsd.gsm.values import TYPE_CHECKING, dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_PARTS = 255  # the total is one octet


@dataclass(frozen=True, slots=True)
class _Plan:
    """One way to send a text: its alphabet, its elements on every part, and the pieces."""

    alphabet: Alphabet
    elements: tuple[InformationElement, ...]
    pieces: list[bytes]


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
    plan = _plan(text, wide, alphabet, languages, tuple(elements))
    coding = DataCoding.of(plan.alphabet, message_class)
    behind = pack_behind if plan.alphabet is Alphabet.GSM7 else put_behind
    return tuple(
        [
            UserData(coding, *behind(header, piece), len(header))
            for header, piece in _headed(plan, reference, wide)
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
    room, later_room = _rooms(Alphabet.DATA8, elements, wide)
    size = room if len(data) <= room else later_room
    pieces = [data[at : at + size] for at in range(0, max(len(data), 1), size)]
    plan = _Plan(Alphabet.DATA8, tuple(elements), _limited(pieces))
    coding = DataCoding.of(Alphabet.DATA8, message_class)
    return tuple(
        [
            UserData(coding, header + piece, len(header + piece), len(header))
            for header, piece in _headed(plan, reference, wide)
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
    return len(_plan(text, wide, alphabet, languages, tuple(elements)).pieces)


def _headed(plan: _Plan, reference: int, wide: bool) -> Iterator[tuple[bytes, bytes]]:
    """Yield header and piece of every part; a lone part needs nothing that ties it to others."""
    common = udh.encode(plan.elements)
    if len(plan.pieces) == 1:
        yield common, plan.pieces[0]
        return
    # All headers are alike but for the number of the part, the last octet of the first element.
    tie = Concatenation(reference, len(plan.pieces), 1, wide).element.encode()[:-1]
    start = bytes((len(tie) + max(len(common), 1),)) + tie
    for number, piece in enumerate(plan.pieces, 1):
        yield start + bytes((number,)) + common[1:], piece


def _plan(
    text: str,
    wide: bool,
    alphabet: Alphabet | None,
    languages: Sequence[str],
    elements: tuple[InformationElement, ...],
) -> _Plan:
    """Return the way with the fewest parts; of equals the one with the smaller header."""
    if alphabet is Alphabet.DATA8:
        raise EncodeError("alphabet", "8-bit data carry no text: see segment_data")
    septets = None if alphabet is Alphabet.UCS2 else to_septets(text)
    if septets is not None:  # national tables would only add a header, UCS-2 only octets
        rooms = _rooms(Alphabet.GSM7, elements, wide)
        return _Plan(Alphabet.GSM7, elements, _limited(_cut(text, _Septets(septets), rooms)))
    plans: list[_Plan] = []
    if alphabet is not Alphabet.UCS2:
        plans += _national_plans(text, wide, languages, elements)
    if alphabet is not Alphabet.GSM7:
        rooms = _rooms(Alphabet.UCS2, elements, wide)
        plans.append(_Plan(Alphabet.UCS2, elements, _cut(text, _Units(to_units(text)), rooms)))
    if not plans:
        raise EncodeError("text", f"the default alphabet with {[*languages]} cannot write it")
    best = min(plans, key=lambda plan: len(plan.pieces))
    _limited(best.pieces)
    return best


def _limited(pieces: list[bytes]) -> list[bytes]:
    if len(pieces) > MOST_PARTS:
        reason = f"it takes {len(pieces)} parts, at most {MOST_PARTS} make a message"
        raise EncodeError("text", reason)
    return pieces


def _national_plans(
    text: str, wide: bool, languages: Sequence[str], elements: tuple[InformationElement, ...]
) -> Iterator[_Plan]:
    """Yield the ways of the national tables, those with the smaller header first."""
    for locking, single in _pairs(languages):
        septets = to_septets(text, locking, single)
        if septets is not None:
            shifted = (*_shifts(locking, single), *elements)
            rooms = _rooms(Alphabet.GSM7, shifted, wide)
            yield _Plan(Alphabet.GSM7, shifted, _cut(text, _Septets(septets), rooms))


def _pairs(languages: Sequence[str]) -> list[tuple[int, int]]:
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


def _rooms(
    alphabet: Alphabet, elements: Sequence[InformationElement], wide: bool
) -> tuple[int, int]:
    """Return the room of a lone part and of one of several, in septets or octets."""
    alone = len(udh.encode(elements)) if elements else 0
    several = (alone or 1) + (6 if wide else 5)
    if several > MOST_OCTETS - 4:
        raise EncodeError("elements", f"{alone} octets of header leave no room for text")
    if alphabet is Alphabet.GSM7:
        return (MOST_OCTETS - alone) * 8 // 7, (MOST_OCTETS - several) * 8 // 7
    return MOST_OCTETS - alone, MOST_OCTETS - several


@dataclass(frozen=True, slots=True)
class _Septets:
    """A text as septets, one an octet; an escape and the septet after it are one character."""

    coded: bytes

    def whole(self, end: int) -> int:
        return end - 1 if self.coded[end - 1] == ESCAPE else end

    def characters(self, at: int, end: int) -> int:
        return end - at - self.coded.count(ESCAPE, at, end)

    def without_last(self, end: int) -> int:
        return end - (2 if self.coded[end - 2] == ESCAPE else 1)


@dataclass(frozen=True, slots=True)
class _Units:
    """A text as UTF-16 units, two octets each; two surrogates are one character."""

    coded: bytes

    def whole(self, end: int) -> int:
        end &= ~1
        return end - 2 if 0xD8 <= self.coded[end - 2] < 0xDC else end

    def characters(self, at: int, end: int) -> int:
        return len(from_units(self.coded[at:end]))

    def without_last(self, end: int) -> int:
        return end - (4 if 0xDC <= self.coded[end - 2] < 0xE0 else 2)


def _cut(text: str, code: _Septets | _Units, rooms: tuple[int, int]) -> list[bytes]:
    """Return the text in pieces that fit: one in the first room, or several in the second.

    As few as possible come first, then pieces that end where a reader sees a character end.
    """
    alone, several = rooms
    if len(code.coded) <= alone:
        return [code.coded]
    fewest = _pieces(text, code, several, whole_graphemes=False)
    kind = _pieces(text, code, several, whole_graphemes=True)
    return kind if len(kind) == len(fewest) else fewest


def _pieces(text: str, code: _Septets | _Units, room: int, *, whole_graphemes: bool) -> list[bytes]:
    pieces = []
    at = index = 0
    while len(code.coded) - at > room:
        end = code.whole(at + room)
        if whole_graphemes:
            longest = end
            characters = code.characters(at, end)
            while characters and not may_cut(text, index + characters):
                end = code.without_last(end)
                characters -= 1
            if not characters:  # longer than a part: it must be torn
                end, characters = longest, code.characters(at, longest)
            index += characters
        pieces.append(code.coded[at:end])
        at = end
    pieces.append(code.coded[at:])
    return pieces
