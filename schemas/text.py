"""Faults, and the rules of text: blanks, names, order references, titles and genders.

Source: docs/values.md, "Blank cells", "Every field", "Text", "Order references" and
"Titles and genders".
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import repeat
from typing import Final

from schemas.fields import GENDERS, TITLES

BLANKS: Final = " \t\r\n"
"""What is trimmed from a value. Anything else, a no-break space for example, is part of it."""

ORDER_REF_FORM: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
"""The form in which order references are sent: a UUID in lower case."""

# Characters without ink: spaces, zero-width and directional characters, fillers, variation
# selectors. ``str.isprintable`` does not know all of them.
_INVISIBLE: Final = BLANKS + "".join(
    chr(point)
    for first, last in (
        (0x00A0, 0x00A0), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160),
        (0x1680, 0x1680), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2000, 0x200F), (0x2028, 0x202F),
        (0x205F, 0x206F), (0x2800, 0x2800), (0x3000, 0x3000), (0x3164, 0x3164), (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xE0000, 0xE01EF),
    )
    for point in range(first, last + 1)
)  # fmt: skip

# Control characters, and lone surrogates, which a JSON cell can spell but UTF-8 cannot encode.
_UNSENDABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# The errors of Excel, LibreOffice and Google Sheets in any language end with ! or ?, but for
# those that are listed; a column that is too narrow is exported as #####.
_SPREADSHEET_ERROR: Final = re.compile(
    r"#[¡¿]?[^\W\d_][^\s#]+[!?]\Z"
    r"|#(?:N/A(?: N/A)?|N/D|N/B|NV|I/T|YOK|\u041d/\u0414|HIÁNYZIK|GETTING_DATA|LOADING\.\.\.)\Z"
    r"|#{3,}\Z|#?Err:[0-9]{3}\Z",
    re.IGNORECASE,
)
_FORMULA: Final = re.compile(r'="[^"]*"\Z')
# A text may well begin with an apostrophe ('t Hart, 's-Hertogenbosch); where a digit or the
# first character of a formula follows, it is the mark by which spreadsheets know text.
_TEXT_MARK: Final = re.compile(r"'[0-9=+@-]")
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


def trim(text: str) -> str:
    """Return *text* without the blanks at its ends; ``""`` when nothing in it is visible."""
    text = text.strip(BLANKS)
    return text if text.isascii() or text.strip(_INVISIBLE) else ""


def trim_all(texts: Sequence[str]) -> list[str]:
    """Return *texts*, each as ``trim`` returns it."""
    trimmed = list(map(str.strip, texts, repeat(BLANKS)))
    if "".join(trimmed).isascii():
        return trimmed
    return [text if text.isascii() else trim(text) for text in trimmed]


def comparable(text: str) -> str:
    """Return the form in which two texts are compared: NFC, nothing invisible at the ends."""
    if text.isascii():
        return text.strip()
    if text[0].isalnum() and text[-1].isalnum() and unicodedata.is_normalized("NFC", text):
        return text
    return unicodedata.normalize("NFC", text).strip(_INVISIBLE).strip()


_C1: Final = range(0x80, 0xA0)


def is_sendable(text: str) -> bool:
    """Return whether *text* has neither control characters nor lone surrogates."""
    return text.isprintable() or _UNSENDABLE.search(text) is None


def are_plain(texts: Sequence[str]) -> bool:
    """Return whether ``parse_text`` surely accepts all of *texts*; False asks for a closer look."""
    joined = f" {' '.join(texts)}"
    return joined.isprintable() and not any(
        mark in joined for mark in (" #", " '", ' ="', "\N{REPLACEMENT CHARACTER}", "rr:", "RR:")
    )


def parse_text(text: str) -> str | Fault:
    """Return *text* unchanged, or what is wrong with it."""
    reason = why_damaged(text)
    if not reason and _TEXT_MARK.match(text):
        reason = _APOSTROPHE
    return Fault(reason) if reason else text


def parse_code(text: str) -> str | Fault:
    """Return *text*, a code that never begins with an apostrophe, or what is wrong with it."""
    return Fault(_APOSTROPHE) if text.startswith("'") else parse_text(text)


def parse_order_ref(text: str) -> str | Fault:
    """Return the UUID in lower case, or what is wrong with *text*.

    An order reference becomes a segment of the request path, so nothing but a UUID is accepted.
    """
    for ref in (text, text.lower()):
        if ORDER_REF_FORM.match(ref):
            return ref
    return fault(text, "not a UUID; the column for other order numbers is referenceId")


def parse_title(text: str) -> str | Fault:
    """Return a title of the API reference in its spelling there, any other unchanged."""
    return _TITLES.get(text.removesuffix(".").casefold()) or parse_text(text)


def parse_gender(text: str) -> str | Fault:
    """Return the gender in lower case, or what is wrong with *text*."""
    gender = text.lower()
    if gender in GENDERS:
        return gender
    return fault(text, f"not {', '.join(GENDERS)}; translate with --value gender:FROM=TO")


_APOSTROPHE: Final = "starts with the apostrophe by which spreadsheets mark text; remove it"


def fault(text: str, reason: str) -> Fault:
    """Return why *text* cannot be sent: the damage that it shows, or else *reason*."""
    if damage := why_damaged(text):
        return Fault(damage)
    if text.startswith("'"):
        return Fault(_APOSTROPHE)
    return Fault(f"{reason}{invisible(text)}")


def why_damaged(text: str) -> str:
    """Return what a spreadsheet, an export or a wrong decoding has done to *text*, or ``""``."""
    if not text.isprintable() and (found := _UNSENDABLE.search(text)):
        point = ord(found.group())
        # Files of Windows that are read as latin-1 have these in place of quotes and dashes.
        hint = "; with --encoding latin-1, use --encoding cp1252" if point in _C1 else ""
        return f"contains a control character (U+{point:04X}); remove it{hint}"
    if "\N{REPLACEMENT CHARACTER}" in text:
        return (
            "contains a replacement character (U+FFFD), so letters were lost before the file was"
            " written; export it again"
        )
    if text.startswith(("#", "E", "e")) and _SPREADSHEET_ERROR.match(text):
        return "is a spreadsheet error (#N/A, #REF!); correct the formula, or leave it blank"
    if _FORMULA.match(text):
        return 'is a spreadsheet formula (="…"); write its value alone'
    return ""


def invisible(text: str) -> str:
    """Return a hint that names the first invisible character of *text*, or ``""``."""
    for character in text:
        if not character.isprintable() or (character != " " and character in _INVISIBLE):
            name = unicodedata.name(character, "without a name").lower()
            return f" (contains an invisible U+{ord(character):04X}, {name:.40})"
    return ""
