"""A string with line ends in it: networks' menus stand so between the quotes of ``+CUSD``."""

import re
from typing import Final

MOST_LINES: Final = 40  # a menu has ten; the text of USSD has at most 182 characters
_OPENED: Final = re.compile(r'\+CUSD: *\d *, *"')
_CLOSED: Final = re.compile(r'" *, *\d* *\Z')


def is_open(text: str) -> bool:
    """Whether the quote that ``+CUSD:`` opens is still to be closed by a later line.

    A string may hold quotes: it surely ends where a coding scheme follows, and without one where
    no quote is left over.
    """
    opened = _OPENED.match(text)
    if opened is None:
        return False
    rest = text[opened.end() :]
    if _CLOSED.search(rest):
        return False
    return not (rest.rstrip().endswith('"') and rest.count('"') % 2)
