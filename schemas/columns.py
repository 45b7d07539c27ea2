"""The rule of one value, applied to a whole column.

A parse gives the normal form of a value or a :class:`schemas.faults.Fault`; a faultless
column in normal form comes back as it is. Columns are object series, indexed by row number;
``""`` and ``()`` are blank and always in order, and a fault stays where it is.
"""

from collections.abc import Callable, Iterable
from itertools import chain, repeat
from operator import is_
from typing import Final, TypeAlias

import pandas as pd

from schemas.text import Fault, is_sendable, parse_text

Parse: TypeAlias = Callable[[str], str | Fault]
Holds: TypeAlias = Callable[[str], object]
Pairs: TypeAlias = tuple[tuple[str, str], ...]

# Of a cell that holds thousands of wrong items, a few say what is wrong.
_TOLD: Final = 5


def parse_values(cells: pd.Series, parse: Parse) -> pd.Series:
    """Parse a column of single values, each distinct one once."""
    values = cells.tolist()
    parsed = {value: parse(value) for value in set(values) if value and isinstance(value, str)}
    if all(map(is_, parsed.keys(), parsed.values())):
        return cells
    return _series([parsed.get(value, value) for value in values], cells)


def parse_lists(cells: pd.Series, parse: Parse) -> pd.Series:
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


def parse_texts(cells: pd.Series) -> pd.Series:
    """Parse a column of plain text; nearly always one look says that all of it is in order."""
    return cells if _is_plain(cells.tolist()) else parse_values(cells, parse_text)


def parse_text_lists(cells: pd.Series) -> pd.Series:
    """Parse a column of tuples of plain text."""
    return cells if _is_plain(_items(cells.tolist())) else parse_lists(cells, parse_text)


def parse_pairs(cells: pd.Series) -> pd.Series:
    """Parse a column of tuples of (provider, id) pairs."""
    values = cells.tolist()
    if _is_plain(chain.from_iterable(_items(values))):
        return cells
    fault = Fault("holds a control character; take it out")
    return _series(
        [value if isinstance(value, Fault) or _are_pairs(value) else fault for value in values],
        cells,
    )


def hold_values(cells: pd.Series, holds: Holds) -> pd.Series:
    """Tell which single values are in normal form."""
    values = cells.tolist()
    wrong = {
        value for value in set(values) if value and not (isinstance(value, str) and holds(value))
    }
    return _told([value not in wrong for value in values], cells)


def hold_lists(cells: pd.Series, holds: Holds) -> pd.Series:
    """Tell which tuples are in normal form."""
    return _told(
        [isinstance(value, tuple) and all(map(holds, value)) for value in cells.tolist()], cells
    )


def hold_texts(cells: pd.Series) -> pd.Series:
    """Tell which single values are plain text."""
    if _is_plain(cells.tolist()):
        return _told([True] * len(cells), cells)
    return hold_values(cells, is_sendable)


def hold_text_lists(cells: pd.Series) -> pd.Series:
    """Tell which tuples hold plain text alone."""
    values = cells.tolist()
    if _is_plain(_items(values)):
        return _told(list(map(isinstance, values, repeat(tuple))), cells)
    return hold_lists(cells, is_sendable)


def hold_pairs(cells: pd.Series) -> pd.Series:
    """Tell which tuples hold whole pairs of plain text alone."""
    values = cells.tolist()
    pairs = list(_items(values))
    if all(map(all, pairs)) and _is_plain(chain.from_iterable(pairs)):
        return _told(list(map(isinstance, values, repeat(tuple))), cells)
    return _told([isinstance(value, tuple) and _are_pairs(value) for value in values], cells)


def _are_pairs(pairs: Pairs) -> bool:
    return all(
        provider and identifier and is_sendable(provider) and is_sendable(identifier)
        for provider, identifier in pairs
    )


def _told(verdict: list[bool], cells: pd.Series) -> pd.Series:
    return pd.Series(verdict, cells.index, dtype=bool)


def _items(values: list[object]) -> Iterable[str]:
    return chain.from_iterable(value for value in values if isinstance(value, tuple))


def _is_plain(texts: Iterable[object]) -> bool:
    """Tell whether all is printable text; False is no verdict but asks for a closer look."""
    try:
        return "".join(texts).isprintable()  # type: ignore[arg-type]
    except TypeError:
        return False


def _parsed_list(items: tuple[str, ...], parsed: dict[str, str | Fault]) -> object:
    found = tuple(map(parsed.__getitem__, items))
    if Fault not in map(type, found):
        return found
    messages = [
        f"item {number}: {message}" if len(found) > 1 else message
        for number, item in enumerate(found, start=1)
        if isinstance(item, Fault)
        for message in item.messages
    ]
    if len(messages) > _TOLD:
        messages[_TOLD:] = [f"{len(messages) - _TOLD} more items are wrong"]
    return Fault(*messages)


def _series(values: list[object], like: pd.Series) -> pd.Series:
    return pd.Series(values, like.index, dtype=object)
