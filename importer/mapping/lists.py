"""Cells that hold several values: separated, or a JSON array.

Source: docs/input.md, "Lists" and "Identifiers".
"""

import json
import re
from collections.abc import Callable
from html.entities import html5
from typing import Final, NoReturn, TypeAlias

from schemas.fields import IDENTIFIERS
from schemas.text import BLANKS, Fault, trim, trim_all

SplitText: TypeAlias = Callable[[str], tuple[str, ...] | Fault]
Pairs: TypeAlias = tuple[tuple[str, str], ...]

_SEPARATORS: Final = r"[;|\r\n]"
# No valid e-mail address or phone number needs a comma, but streets do.
_SEPARATORS_AND_COMMA: Final = r"[;|\r\n,]"
_COMMA_FIELDS: Final = ("emails", "phoneNumbers")
# "[Unit 5] High St" is an address that people have; a cell that also ends with a bracket, or
# continues with a quote or another bracket, was meant as an array, perhaps cut short.
_ARRAY: Final = re.compile(r"\[(?:.*\]\Z|[ \t\r\n]*(?:[\"'\[{]|\Z))", re.DOTALL)
_ENTITY: Final = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{0,31});")
_AFTER_AMPERSAND: Final = re.compile(_ENTITY.pattern[1:])
_USUAL_ENTITIES: Final = frozenset({"amp", "apos", "gt", "lt", "nbsp", "quot"})
# What makes a pair look like something else: an address, a path, a time, or two pairs.
_SCHEMES: Final = frozenset(
    {"http", "https", "ftp", "ftps", "sftp", "file", "mailto", "tel", "urn"}
)
_PATH: Final = re.compile(r"[A-Za-z]:[\\/]")
_TIME: Final = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ])?[0-9]{1,2}:[0-5][0-9](?![0-9])")
_SUSPICIOUS: Final = re.compile(r"[^\w.@-]")
_TWO_PAIRS: Final = re.compile(r"[^\w.:@-][^:]*:")
_IN_TWO_WAYS: Final = (
    "a pair can be read in two ways; write identifiers as JSON,"
    ' [{"provider": "…", "id": "…"}], or each provider in a column of its own, with'
    " --identifier PROVIDER=COLUMN"
)


def text_splitter(field: str, separator: str | None = None) -> SplitText:
    """Return the function that splits a trimmed cell of *field* into trimmed items."""
    between = _separators(field, separator)
    may_quote = field == "emails"

    def split(cell: str) -> tuple[str, ...] | Fault:
        if cell[:1] == "[" and _ARRAY.match(cell):
            return _json_texts(cell)
        if between.search(cell) is None:
            return (cell,) if cell else ()
        parts = _split(cell, between, may_quote=may_quote)
        return tuple(filter(None, _trimmed(cell, parts)))

    return split


def pair_splitter(separator: str | None = None) -> Callable[[str], Pairs | Fault]:
    """Return the function that splits a trimmed cell of identifiers into (provider, id) pairs."""
    between = _separators(IDENTIFIERS, separator)

    def split(cell: str) -> Pairs | Fault:
        if not cell:
            return ()
        if cell[:1] in {"[", "{"}:
            return _json_pairs(cell)
        pairs = []
        parts = _split(cell, between) if "&" in cell else between.split(cell)
        for item in _trimmed(cell, parts):
            if item:
                # Providers are names without a colon; ids may contain any number of them.
                provider, colon, identifier = item.partition(":")
                if not colon:
                    return Fault("provider:id is expected, several separated with ;")
                if not item.isascii() or " :" in item or ": " in item:
                    provider, identifier = trim(provider), trim(identifier)
                if provider and identifier and _is_ambiguous(provider, identifier):
                    return Fault(_IN_TWO_WAYS)
                pairs.append((provider, identifier))
        return _complete(tuple(pairs))

    return split


def _trimmed(cell: str, parts: list[str]) -> list[str]:
    """Return the parts of a trimmed cell, trimmed."""
    if cell.isascii():
        return [part.strip(BLANKS) for part in parts]
    return trim_all(parts)


def pair(provider: str, identifier: str) -> Pairs | Fault:
    """Return the pairs of one provider cell and one id cell."""
    provider, identifier = trim(provider), trim(identifier)
    return _complete(((provider, identifier),)) if provider or identifier else ()


def _separators(field: str, separator: str | None) -> re.Pattern[str]:
    """Return what separates the items of a cell of *field*; *separator* replaces the usual."""
    if separator:
        return re.compile(re.escape(separator))
    return re.compile(_SEPARATORS_AND_COMMA if field in _COMMA_FIELDS else _SEPARATORS)


def _is_ambiguous(provider: str, identifier: str) -> bool:
    """Return whether a pair may be several pairs, an address, a path or a time."""
    if provider.isalpha() and not _SUSPICIOUS.search(identifier):
        return provider.casefold() in _SCHEMES  # most pairs
    whole = f"{provider}:{identifier}"
    return (
        "," in whole
        or _TWO_PAIRS.search(identifier) is not None
        or identifier.startswith("//")
        or provider.casefold() in _SCHEMES
        or _PATH.match(whole) is not None
        or _TIME.match(whole) is not None
    )


def _complete(pairs: Pairs) -> Pairs | Fault:
    for provider, identifier in pairs:
        if not provider:
            return Fault("an id without its provider; both are needed")
        if not identifier:
            return Fault("a provider without its id; both are needed")
    return pairs


def _ends_of_entities(cell: str) -> set[int]:
    """Return the positions of each ``;`` that ends an HTML entity."""
    ends = set()
    for found in _ENTITY.finditer(cell):
        name, end = found[1], found.end()
        while _is_entity(name):
            ends.add(end - 1)
            # Text that was encoded twice has &amp;#39; for an apostrophe.
            again = _AFTER_AMPERSAND.match(cell, end) if name.lower() == "amp" else None
            if again is None:
                break
            name, end = again[1], again.end()
    return ends


def _is_entity(name: str) -> bool:
    return name[0] == "#" or f"{name};" in html5 or name.lower() in _USUAL_ENTITIES


def _split(cell: str, between: re.Pattern[str], *, may_quote: bool = False) -> list[str]:
    """Split at separators, but not at the end of an HTML entity.

    Args:
        cell: The cell.
        between: What separates items.
        may_quote: Whether quotes protect separators, as in the local part of an address.
    """
    has_quote = may_quote and '"' in cell
    if not has_quote and "&" not in cell:
        return between.split(cell)
    ends = _ends_of_entities(cell)
    marks = rf'\\.|"|{between.pattern}' if has_quote else between.pattern
    parts, start, in_quotes = [], 0, False
    for found in re.finditer(marks, cell, re.DOTALL):
        mark = found.group()
        if has_quote and mark == '"':
            in_quotes = not in_quotes
        elif not (
            in_quotes
            or (has_quote and mark[0] == "\\")
            or (mark[0] == ";" and found.start() in ends)
        ):
            parts.append(cell[start : found.start()])
            start = found.end()
    return _split(cell, between) if in_quotes else [*parts, cell[start:]]


def _json_texts(cell: str) -> tuple[str, ...] | Fault:
    items = _json_array(cell)
    if isinstance(items, Fault):
        return items
    if not all(isinstance(item, str) for item in items):
        return Fault('a JSON array of texts is expected, as in ["a", "b"]')
    return tuple(text for item in items if (text := trim(str(item))))


def _json_pairs(cell: str) -> Pairs | Fault:
    items = _json_array(cell)
    if isinstance(items, Fault):
        return items
    pairs = []
    for item in items:
        # Objects are tuples of (key, value) here, so that a repeated key is seen.
        match item:
            case tuple((("provider", str(provider)), ("id", str(identifier)))):
                pairs.append((trim(provider), trim(identifier)))
            case tuple((("id", str(identifier)), ("provider", str(provider)))):
                pairs.append((trim(provider), trim(identifier)))
            case _:
                return Fault('objects as {"provider": "…", "id": "…"} are expected in the array')
    return _complete(tuple(found for found in pairs if any(found)))


def _refuse(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


# Numbers are kept as their own text: all cells are text, and none may become 3.5e11.
_DECODER: Final = json.JSONDecoder(
    parse_int=str, parse_float=str, parse_constant=_refuse, object_pairs_hook=tuple
)


def _json_array(cell: str) -> list[object] | Fault:
    try:
        items = _DECODER.decode(cell)
    except (ValueError, RecursionError):
        mark = cell[0]
        return Fault(f"starts with {mark} but is not a JSON array; fix it, or remove the {mark}")
    # A lone object can only be meant as an array of one.
    return items if isinstance(items, list) else [items]
