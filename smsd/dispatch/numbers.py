"""Numbers as people and networks write them, in the one form by which they are compared.

Quickly, for a request may have a hundred thousand of them.
"""

import re
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

_INTERNATIONAL: Final = re.compile(r"\+[1-9][0-9]{6,14}")


@cache
def _library() -> ModuleType:
    """The numbering plans of the world, read with the first number: two megabytes."""
    import phonenumbers

    return phonenumbers


def normal(number: object, region: str | None = None) -> str | None:
    """A number in E.164, ``None`` if it is not a valid one.

    ``region`` is that of national numbers, ``None`` where only international ones are taken.
    """
    if not isinstance(number, str) or not 3 <= len(number) <= 250:
        return None
    if _INTERNATIONAL.fullmatch(number) and _plainly_valid(number):
        return number
    if any(char.isalpha() and char.isascii() for char in number.lower().partition("ext")[0]) and (
        not number.startswith("tel:")
    ):
        return None  # a vanity number is more often a mistake
    if ";" in number and ";ext=" not in number and ";phone-context=" not in number:
        return None  # two numbers in one: the library takes the second for an extension
    library = _library()
    try:
        parsed = library.parse(number, region)
    except library.NumberParseException:
        return None
    if not library.is_valid_number(parsed):
        return None
    e164: str = library.format_number(parsed, library.PhoneNumberFormat.E164)
    return e164


class _Plan:
    """What the library knows of a country code's numbers, ready to be asked many times."""

    def __init__(self, regions: "Iterable[PhoneMetadata]") -> None:
        self._regions = [
            (_compiled(region.leading_digits), _Kind(region.general_desc), _kinds(region))
            for region in regions
        ]
        self._prefixes = [
            prefix
            for region in regions
            if (prefix := _compiled(region.national_prefix_for_parsing)) is not None
        ]

    def has(self, national: str) -> bool:
        """Whether it is plainly a valid number: False also for what wants a closer look."""
        if any(prefix.match(national) for prefix in self._prefixes):
            return False  # a national prefix, perhaps, that does not belong there
        for leading, general, kinds in self._regions:
            # The first region that claims a number decides, as in the library.
            valid = general.has(national) and any(kind.has(national) for kind in kinds)
            if valid or (leading is not None and leading.match(national)):
                return valid and (leading is None or leading.match(national) is not None)
        return False


class _Kind:
    """One kind of number: its lengths and its pattern."""

    def __init__(self, desc: "PhoneNumberDesc | None") -> None:
        self._lengths = frozenset(desc.possible_length) if desc is not None else frozenset()
        pattern = None if desc is None else desc.national_number_pattern
        self._pattern = re.compile(pattern or r"(?!)")

    def has(self, national: str) -> bool:
        fits = not self._lengths or len(national) in self._lengths
        return fits and self._pattern.fullmatch(national) is not None


def _kinds(region: "PhoneMetadata") -> list[_Kind]:
    return [
        _Kind(desc)
        for desc in (
            region.mobile, region.fixed_line, region.premium_rate, region.toll_free,
            region.shared_cost, region.voip, region.personal_number, region.pager, region.uan,
            region.voicemail,
        )
        if desc is not None and desc.national_number_pattern
    ]  # fmt: skip


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return None if pattern is None else re.compile(pattern)


@cache
def _plan(code: int) -> _Plan | None:
    library = _library()
    regions = library.COUNTRY_CODE_TO_REGION_CODE.get(code)
    if regions is None:
        return None
    found = [library.PhoneMetadata.metadata_for_region(region, None) for region in regions]
    return _Plan([region for region in found if region is not None])


def _plainly_valid(number: str) -> bool:
    for end in (2, 3, 4):  # no country code begins another
        plan = _plan(int(number[1:end]))
        if plan is not None:
            return plan.has(number[end:])
    return False


def written_forms(number: str, region: str | None) -> list[str]:
    """All forms in which a number may stand in what came in; another sender only as it is given."""
    e164 = normal(number, region)
    if e164 is None:
        return [number]
    library = _library()
    parsed = library.parse(e164, None)
    national = library.format_number(parsed, library.PhoneNumberFormat.NATIONAL)
    digits = "".join(filter(str.isdigit, national))
    return [e164, e164[1:], f"00{e164[1:]}", digits]


def region_of(number: str | None) -> str | None:
    """The region that an international number belongs to, ``None`` if it tells none."""
    if number is None:
        return None
    library = _library()
    try:
        found: str | None = library.region_code_for_number(library.parse(number, None))
    except library.NumberParseException:
        return None
    return found
