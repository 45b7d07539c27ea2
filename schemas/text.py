"""Faults, and the rules of text: blanks, names, order references, titles and genders.

Source: docs/values.md, "Text", "Order references" and "Titles and genders".
"""

import re
import unicodedata
from typing import Final

from schemas.fields import GENDERS, TITLES

BLANKS: Final = " \t\r\n"
"""What is trimmed from a value. Anything else, a no-break space for example, is part of it."""

ORDER_REF_FORM: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
"""The form in which order references are sent: a UUID in lower case."""

# Control characters, and lone surrogates, which a JSON cell can spell but UTF-8 cannot encode.
_UNSENDABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TITLES: Final = {title.casefold(): title for title in TITLES}


class Fault:
    """The reasons why a value cannot be sent.

    A fault replaces the value in a frame, so that no failure text of a library can contain it.

    Attributes:
        messages: What is wrong and how to fix it, one text each, without the value.
    """

    __slots__ = ("messages",)

    def __init__(self, *messages: str) -> None:
        self.messages = messages

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.messages == getattr(other, "messages", None)

    def __hash__(self) -> int:
        return hash((type(self), self.messages))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.messages))})"


class Missing(Fault):
    """A required value is blank."""

    __slots__ = ()


def is_sendable(text: str) -> bool:
    """Return whether *text* has neither control characters nor lone surrogates."""
    return text.isprintable() or _UNSENDABLE.search(text) is None


def parse_text(text: str) -> str | Fault:
    """Return *text* unchanged, or what is wrong with it."""
    if is_sendable(text):
        return text
    found = _UNSENDABLE.search(text)
    point = ord(found.group()) if found else 0
    return Fault(f"contains a control character (U+{point:04X}); remove it")


def parse_order_ref(text: str) -> str | Fault:
    """Return the UUID in lower case, or what is wrong with *text*.

    An order reference becomes a segment of the request path, so nothing but a UUID is accepted.
    """
    for ref in (text, text.lower()):
        if ORDER_REF_FORM.match(ref):
            return ref
    return Fault(
        "not a UUID (2d7de9df-45a2-45ea-872c-30e45139007d);"
        f" the column for other order numbers is referenceId{invisible(text)}"
    )


def parse_title(text: str) -> str | Fault:
    """Return a title of the API reference in its spelling there, any other unchanged."""
    return _TITLES.get(text.removesuffix(".").casefold()) or parse_text(text)


def parse_gender(text: str) -> str | Fault:
    """Return the gender in lower case, or what is wrong with *text*."""
    gender = text.lower()
    if gender in GENDERS:
        return gender
    return Fault(f"not one of {', '.join(GENDERS)}{invisible(text)}")


def invisible(text: str) -> str:
    """Return a hint that names the first invisible character of *text*, or ``""``."""
    for character in text:
        if not character.isprintable():
            name = unicodedata.name(character, "control character").lower()
            return f" (contains an invisible U+{ord(character):04X}, {name})"
    return ""
