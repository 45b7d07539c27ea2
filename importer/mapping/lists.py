"""Cells that hold several values: separated, or a JSON array.

Source: contract, section 3.
"""

import json
import re
from collections.abc import Callable
from typing import Final, NoReturn, TypeAlias

from schemas.fields import IDENTIFIERS
from schemas.text import BLANKS, Fault

SplitText: TypeAlias = Callable[[str], tuple[str, ...] | Fault]
Pairs: TypeAlias = tuple[tuple[str, str], ...]

_SEPARATORS: Final = r"[;|\r\n]"
# No e-mail address or phone number of the contract holds a comma, but streets do.
_SEPARATORS_AND_COMMA: Final = r"[;|\r\n,]"
_COMMA_FIELDS: Final = ("emails", "phoneNumbers")
# "[Unit 5] High St" is an address that people have; what ends with a bracket too, or has a
# quote or another bracket right after the first, was meant as an array, perhaps cut short.
_ARRAY: Final = re.compile(r"\[(?:.*\]\Z|[ \t\r\n]*(?:[\"'\[{]|\Z))", re.DOTALL)


def separators(field: str, separator: str | None) -> re.Pattern[str]:
    """Give what separates the items of a cell of *field*; *separator* replaces the usual."""
    if separator:
        return re.compile(re.escape(separator))
    return re.compile(_SEPARATORS_AND_COMMA if field in _COMMA_FIELDS else _SEPARATORS)


def text_splitter(field: str, separator: str | None = None) -> SplitText:
    """Make the function that gives the items of a cell of *field*, trimmed, without blanks."""
    between = separators(field, separator)
    may_quote = field == "emails"

    def split(cell: str) -> tuple[str, ...] | Fault:
        cell = cell.strip(BLANKS)
        if cell[:1] == "[" and _ARRAY.match(cell):
            return _json_texts(cell)
        if between.search(cell) is None:
            return (cell,) if cell else ()
        parts = _split_outside_quotes(cell, between) if may_quote else between.split(cell)
        return tuple(filter(None, [part.strip(BLANKS) for part in parts]))

    return split


def pair_splitter(separator: str | None = None) -> Callable[[str], Pairs | Fault]:
    """Make the function that gives the (provider, id) pairs of a cell of identifiers."""
    between = separators(IDENTIFIERS, separator)

    def split(cell: str) -> Pairs | Fault:
        cell = cell.strip(BLANKS)
        if cell[:1] in {"[", "{"}:
            return _json_pairs(cell)
        pairs = []
        for part in between.split(cell):
            if item := part.strip(BLANKS):
                # Providers are names without a colon; ids may hold any number of them.
                provider, colon, identifier = item.partition(":")
                if not colon:
                    return Fault("provider:id is expected, several separated with ;")
                pairs.append((provider.strip(BLANKS), identifier.strip(BLANKS)))
        return _whole(tuple(pairs))

    return split


def pair(provider: str, identifier: str) -> Pairs | Fault:
    """Make the pairs of one provider cell and one id cell."""
    provider, identifier = provider.strip(BLANKS), identifier.strip(BLANKS)
    return _whole(((provider, identifier),)) if provider or identifier else ()


def _whole(pairs: Pairs) -> Pairs | Fault:
    for provider, identifier in pairs:
        if not provider:
            return Fault("an id without its provider; both are needed")
        if not identifier:
            return Fault("a provider without its id; both are needed")
    return pairs


def _split_outside_quotes(cell: str, between: re.Pattern[str]) -> list[str]:
    """Split at separators, but not within the quoted local part of an e-mail address."""
    if '"' not in cell:
        return between.split(cell)
    parts, start, quoted = [], 0, False
    for found in re.finditer(rf'\\.|"|{between.pattern}', cell, re.DOTALL):
        if found.group() == '"':
            quoted = not quoted
        elif not quoted and not found.group().startswith("\\"):
            parts.append(cell[start : found.start()])
            start = found.end()
    return between.split(cell) if quoted else [*parts, cell[start:]]


def _json_texts(cell: str) -> tuple[str, ...] | Fault:
    items = _json_array(cell)
    if isinstance(items, Fault):
        return items
    if not all(isinstance(item, str) for item in items):
        return Fault('a JSON array of texts is expected, as in ["a", "b"]')
    return tuple(text for item in items if (text := str(item).strip(BLANKS)))


def _json_pairs(cell: str) -> Pairs | Fault:
    items = _json_array(cell)
    if isinstance(items, Fault):
        return items
    pairs = []
    for item in items:
        # Objects come as tuples of (key, value), so that a key that stands twice is seen.
        match item:
            case tuple((("provider", str(provider)), ("id", str(identifier)))):
                pairs.append((provider.strip(BLANKS), identifier.strip(BLANKS)))
            case tuple((("id", str(identifier)), ("provider", str(provider)))):
                pairs.append((provider.strip(BLANKS), identifier.strip(BLANKS)))
            case _:
                return Fault('objects as {"provider": "…", "id": "…"} are expected in the array')
    return _whole(tuple(found for found in pairs if any(found)))


def _refuse(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


# Numbers stand for their own text: all cells are text, and none may become 3.5e11.
_DECODER: Final = json.JSONDecoder(
    parse_int=str, parse_float=str, parse_constant=_refuse, object_pairs_hook=tuple
)


def _json_array(cell: str) -> list[object] | Fault:
    try:
        items = _DECODER.decode(cell)
    except (ValueError, RecursionError):
        mark = cell[0]
        return Fault(
            f"starts with {mark} but is not a JSON array; mend it, or leave the {mark} out"
        )
    # A lone object is taken for the array of it: nothing else can be meant.
    return items if isinstance(items, list) else [items]
