"""Identifiers: the provider and id by which the API finds the guest of a contact.

An id that several people share makes them one guest, which no deletion separates again. So an
id that does not identify anybody, or not the person any more, is refused.

Source: docs/values.md, "Identifiers", and docs/identity.md.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final, TypeAlias

from schemas.text import Fault, fault, invisible, why_damaged

Pair: TypeAlias = tuple[str, str]

PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_-]*[1-9][A-Za-z0-9_-]*\Z")
"""The usual id, accepted at once: a digit other than 0 among letters, digits, - and _."""

# A hexadecimal id may well be written 12E5; a decimal mark, or a sign after the E, is a number.
_SCIENTIFIC: Final = re.compile(
    r"[+-]?\d+(?:[.,]\d*\s*E\s*[+-]?\d+|\s*E\+\d+|(?:[.,]\d+)?\s*[x\u00d7*]\s*10\^?[+-]?\d+)\Z",
    re.IGNORECASE,
)
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[ ,.']\d{3})+)[.,]0*\Z")
_WRAPPING: Final = "()[]<>{}'\"`"
_NULLS: Final = frozenset(("null", "nil", "none", "nan", "-nan", "undefined", "n/a", "\\n"))
_PLACEHOLDERS: Final = _NULLS | {
    "nat", "void", "na", "n.a.", "n.a", "n\\a", "n.v.", "\\0", "unknown", "missing", "empty",
    "blank", "no id", "not available", "not applicable", "not set", "unset", "tbd", "tba",
    "dbnull", "system.dbnull", "object object", "00000000-0000-0000-0000-000000000000", "0" * 32,
}  # fmt: skip
_TEMPLATE: Final = re.compile(r"\{\{.*\}\}\Z|\$\{.*\}\Z|«.*»\Z|%[a-zA-Z_]+%\Z")
_NAMED: Final = 3
"""At most so many providers are named in a message."""


def parse_identifier(pair: Pair, providers: Sequence[str] = ()) -> Pair | Fault:
    """Return *pair* unchanged, or what is wrong with it.

    Args:
        pair: Provider and id, trimmed.
        providers: The providers of the organisation's identity rules; empty accepts any.
    """
    provider, identifier = pair
    if not provider:
        return Fault("an id without its provider; both are needed")
    if not identifier:
        return Fault("a provider without its id; both are needed")
    messages: list[str] = []
    if providers:
        if provider not in providers:
            messages.append(_why_not_of(provider, providers))
    elif reason := _why_not_a_name(provider, _NULLS):
        messages += [f"the provider {text}" for text in fault(provider, reason).messages]
    if not PLAIN_ID.match(identifier) and (reason := _why_not_an_id(identifier)):
        messages += [f"the id {text}" for text in fault(identifier, reason).messages]
    return Fault(*messages) if messages else pair


def is_identifier(pair: Pair) -> bool:
    """Return whether *pair* can be sent."""
    return parse_identifier(pair) is pair


def _why_not_an_id(text: str) -> str:
    if _SCIENTIFIC.match(text):
        return "was cut by a spreadsheet (1.2E+15); export the column as text"
    if _DECIMAL.match(text):
        return "was made a decimal number (.0 at its end); export the column as text"
    return _why_not_a_name(text, _PLACEHOLDERS)


def _why_not_a_name(text: str, placeholders: frozenset[str]) -> str:
    if text.strip(_WRAPPING).strip().casefold() in placeholders or _TEMPLATE.match(text):
        return "is a placeholder such as NULL; leave it blank where there is none"
    if invisible(text):
        return "has a character that cannot be seen; remove it"
    if not any(map(str.isalnum, text)):
        return "has neither letters nor digits; leave it blank where there is none"
    if text.startswith("'"):
        return "starts with an apostrophe; remove it"
    return why_damaged(text)


def _why_not_of(provider: str, providers: Sequence[str]) -> str:
    folded = {name.casefold(): name for name in reversed(providers)}
    if near := get_close_matches(provider.casefold(), folded, n=1, cutoff=0.5):
        hint = f"; did you mean {folded[near[0]]:.60}?"
    else:
        more = ", …" if len(providers) > _NAMED else ""
        hint = f": {', '.join(f'{name:.30}' for name in providers[:_NAMED])}{more}"
    return f"the provider is not one of --identity-provider{hint}"
