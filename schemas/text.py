"""Text as people write it: kept to the byte, as long as JSON and a person can carry it.

Source: contract, section 4.
"""

import re
import unicodedata
from typing import Final

from schemas.faults import Fault

# Unicode category Cc, and the lone surrogates (a JSON cell can spell them) no encoding carries.
_UNSENDABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


_C1: Final = range(0x80, 0xA0)


def is_sendable(text: str) -> bool:
    """Tell whether *text* is free of control characters and lone surrogates."""
    return text.isprintable() or _UNSENDABLE.search(text) is None


def parse_text(text: str) -> str | Fault:
    """Give *text* as it stands, or what is wrong with it."""
    if is_sendable(text):
        return text
    found = _UNSENDABLE.search(text)
    point = ord(found.group()) if found else 0
    return Fault(f"holds a control character (U+{point:04X}); {_remedy(point)}")


def _remedy(point: int) -> str:
    """Return what to do about a control character."""
    # Files of Windows that are read as latin-1 have these in place of quotes and dashes.
    if point in _C1:
        return "with --encoding latin-1, use --encoding cp1252 instead; else take it out"
    return "take it out"


def invisible(text: str) -> str:
    """Give a hint about the first character of *text* that a person cannot see, or ``""``."""
    for character in text:
        if not character.isprintable():
            name = unicodedata.name(character, "control character").lower()
            return f" (holds an invisible U+{ord(character):04X}, {name})"
    return ""
