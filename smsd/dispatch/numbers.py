"""Numbers as subscribers and networks write them, in the one form by which they are compared."""

import phonenumbers


def normal(number: object, region: str | None = None) -> str | None:
    """A number in E.164, ``None`` if it is not a valid one.

    ``region`` is that of national numbers, ``None`` where only international ones are taken.
    """
    if not isinstance(number, str) or not 3 <= len(number) <= 250:
        return None
    if any(char.isalpha() and char.isascii() for char in number.lower().partition("ext")[0]) and (
        not number.startswith("tel:")
    ):
        return None  # a vanity number is more often a mistake
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def region_of(number: str | None) -> str | None:
    """The region that an international number belongs to, ``None`` if it tells none."""
    if number is None:
        return None
    try:
        found: str | None = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return None
    return found
