"""The rule of one value, applied to a whole column.

A parse returns the normal form of a value or a :class:`~schemas.text.Fault`; a column whose
values are all in normal form is returned unchanged. Columns are object series, indexed by row
number; ``""`` and ``()`` are blank and always accepted, and a fault stays a fault.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain, repeat
from operator import is_
from typing import Any, Final, TypeAlias, TypeVar

import pandas as pd

from schemas.identifiers import PLAIN_ID, Pair, is_identifier, parse_identifier
from schemas.text import Fault, are_plain, is_sendable, parse_text

Parse: TypeAlias = Callable[[str], str | Fault]
Accepts: TypeAlias = Callable[[str], object]
_Item = TypeVar("_Item", bound=Hashable)

# Most faulty items of one cell that are reported.
_REPORTED: Final = 5


def parse_values(cells: pd.Series, parse: Parse) -> pd.Series:
    """Parse a column of single values, each distinct one once."""
    values = cells.tolist()
    parsed = {value: parse(value) for value in set(values) if value and isinstance(value, str)}
    if all(map(is_, parsed.keys(), parsed.values())):
        return cells
    return _series([parsed.get(value, value) for value in values], cells)


def parse_lists(cells: pd.Series, parse: Callable[[_Item], _Item | Fault]) -> pd.Series:
    """Parse a column of tuples, each distinct item once."""
    values = cells.tolist()
    parsed = {item: parse(item) for item in set(_items(values))}
    changed = {item for item, result in parsed.items() if result is not item}
    if not changed:
        return cells
    return _series(
        [
            value
            if isinstance(value, Fault) or changed.isdisjoint(value)
            else _parsed_list(value, parsed)
            for value in values
        ],
        cells,
    )


def parse_texts(cells: pd.Series, parse: Parse = parse_text) -> pd.Series:
    """Parse a column of plain text; usually one look at all of it is enough."""
    values = cells.tolist()
    return cells if _all_are(values, str) and are_plain(values) else parse_values(cells, parse)


def parse_text_lists(cells: pd.Series) -> pd.Series:
    """Parse a column of tuples of plain text."""
    return cells if are_plain(list(_items(cells.tolist()))) else parse_lists(cells, parse_text)


def parse_pairs(cells: pd.Series, providers: Sequence[str] = ()) -> pd.Series:
    """Parse a column of tuples of (provider, id) pairs."""
    pairs = list(_items(cells.tolist()))
    # A plain id cannot be at fault, so only its provider has to be looked at, once for all rows.
    careful = {pair for pair in pairs if not PLAIN_ID.match(pair[1])}
    parsed = {pair: parse_identifier(pair, providers) for pair in careful}
    of_provider = {
        provider: parse_identifier((provider, "1"), providers)
        for provider in {provider for provider, _ in pairs}
    }

    def parse(pair: Pair) -> Pair | Fault:
        if pair in parsed:
            return parsed[pair]
        found = of_provider[pair[0]]
        return found if isinstance(found, Fault) else pair

    results = chain(parsed.values(), of_provider.values())
    return parse_lists(cells, parse) if Fault in map(type, results) else cells


def check_values(cells: pd.Series, accepts: Accepts) -> pd.Series:
    """Return which single values are in normal form."""
    values = cells.tolist()
    wrong = {
        value for value in set(values) if value and not (isinstance(value, str) and accepts(value))
    }
    return _verdicts([value not in wrong for value in values], cells)


def check_lists(cells: pd.Series, accepts: Accepts) -> pd.Series:
    """Return which tuples are in normal form."""
    values = cells.tolist()
    if all(map(accepts, _items(values))):
        return _verdicts(list(map(isinstance, values, repeat(tuple))), cells)
    return _verdicts(
        [isinstance(value, tuple) and all(map(accepts, value)) for value in values], cells
    )


def check_texts(cells: pd.Series) -> pd.Series:
    """Return which single values are plain text."""
    values = cells.tolist()
    if _all_are(values, str) and "".join(values).isprintable():
        return _verdicts([True] * len(cells), cells)
    return check_values(cells, is_sendable)


def check_text_lists(cells: pd.Series) -> pd.Series:
    """Return which tuples contain only plain text."""
    values = cells.tolist()
    if "".join(_items(values)).isprintable():
        return _verdicts(list(map(isinstance, values, repeat(tuple))), cells)
    return check_lists(cells, is_sendable)


def check_pairs(cells: pd.Series) -> pd.Series:
    """Return which tuples contain only complete pairs of plain text."""
    values = cells.tolist()
    pairs = list(_items(values))
    if all(map(all, pairs)) and "".join(chain.from_iterable(pairs)).isprintable():
        return _verdicts(list(map(isinstance, values, repeat(tuple))), cells)
    return _verdicts(
        [isinstance(value, tuple) and all(map(is_identifier, value)) for value in values], cells
    )


def _verdicts(verdicts: list[bool], cells: pd.Series) -> pd.Series:
    return pd.Series(verdicts, cells.index, dtype=bool)


def _items(values: list[Any]) -> Iterable[Any]:
    return chain.from_iterable(value for value in values if isinstance(value, tuple))


def _all_are(values: list[object], kind: type) -> bool:
    return all(map(isinstance, values, repeat(kind)))


def _parsed_list(items: tuple[_Item, ...], parsed: dict[_Item, _Item | Fault]) -> object:
    found = tuple(map(parsed.__getitem__, items))
    if Fault not in map(type, found):
        return found
    messages = [
        f"item {number}: {message}" if len(found) > 1 else message
        for number, item in enumerate(found, start=1)
        if isinstance(item, Fault)
        for message in item.messages
    ]
    if len(messages) > _REPORTED:
        messages[_REPORTED:] = [f"{len(messages) - _REPORTED} more items are wrong"]
    return Fault(*messages)


def _series(values: list[object], like: pd.Series) -> pd.Series:
    return pd.Series(values, like.index, dtype=object)
