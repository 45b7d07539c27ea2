"""From the columns of a file to the fields of the API.

The header is settled once for a run; after that each batch is mapped column by column.
"""

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Self, TypeAlias

import pandas as pd

from importer.mapping.columns import Columns, settle_columns
from importer.mapping.lists import pair, pair_splitter, text_splitter
from importer.records import Issue, Mapped
from schemas.fields import IDENTIFIERS, ORDER_REF, TEXT_LIST_FIELDS
from schemas.text import BLANKS, Fault, trim_all

if TYPE_CHECKING:
    from importer.settings import MappingOptions

__all__ = ["Mapping"]

Value: TypeAlias = tuple[object, ...]
Read: TypeAlias = Sequence[Value | Fault]


class Mapping:
    """Which column holds what, ready to be applied to batches.

    Attributes:
        fields: The API fields that have a column, in the order of the API page.
        carry: Positions (from 0) of the columns that are copied into the results.
        warnings: A text for each column that is ignored.
    """

    def __init__(self, columns: Columns, list_separator: str | None = None) -> None:
        self.fields = columns.fields()
        self.carry = columns.carry
        self.warnings = columns.warnings
        self._columns = columns
        self._splitters = {
            field: text_splitter(field, list_separator) for field in TEXT_LIST_FIELDS
        }
        self._split_pairs = pair_splitter(list_separator)

    @classmethod
    def of(cls, header: tuple[str, ...], options: "MappingOptions", line: int = 1) -> Self:
        """Settle which column of *header*, which starts on *line*, holds what.

        Raises:
            UsageError: Options name fields or columns that do not exist; all at once.
            InputError: The header contradicts itself or lacks the order; all at once.

        Source: contract, section 3.
        """
        return cls(settle_columns(header, options, line), options.list_separator)

    def apply(self, cells: pd.DataFrame) -> Mapped:
        """Give the fields of a batch.

        Args:
            cells: Index: row number, unique; one object column for each column of the
                header, labelled by position from 0; every cell ``str``.
        """
        rows = cells.index.tolist()
        issues: list[Issue] = []
        fields: dict[str, Sequence[object]] = {}
        for field in self.fields:
            if field == IDENTIFIERS:
                fields[field] = _combined(field, self._identifiers(cells), rows, issues)
            elif field in TEXT_LIST_FIELDS:
                fields[field] = _combined(field, self._texts(field, cells), rows, issues)
            else:
                (position,) = self._columns.positions(field)
                fields[field] = trim_all(cells[position].tolist())
        return Mapped(pd.DataFrame(fields, index=cells.index, dtype=object), tuple(issues))

    def orders(self, cells: pd.DataFrame) -> dict[int, str]:
        """Give the order of each row of a batch as it stands there, ``""`` without a column."""
        positions = self._columns.positions(ORDER_REF)
        if not positions:
            return {}
        found = (cell.strip(BLANKS) for cell in cells[positions[0]].tolist())
        return dict(zip(cells.index.tolist(), found, strict=True))

    def _texts(self, field: str, cells: pd.DataFrame) -> list[Read]:
        split = self._splitters[field]
        return [
            list(map(split, cells[position].tolist()))
            for position in self._columns.positions(field)
        ]

    def _identifiers(self, cells: pd.DataFrame) -> list[Read]:
        columns = self._columns
        found: list[Read] = [
            list(map(self._split_pairs, cells[position].tolist()))
            for position in columns.positions(IDENTIFIERS)
        ]
        for provider, identifier in columns.pairs():
            found.append(list(map(pair, cells[provider].tolist(), cells[identifier].tolist())))
        for name, position in columns.providers:
            ids = (cell.strip(BLANKS) for cell in cells[position].tolist())
            found.append([((name, identifier),) if identifier else () for identifier in ids])
        return found


def _combined(field: str, columns: list[Read], rows: list[int], issues: list[Issue]) -> list[Value]:
    """Join the values of several columns row by row; faults become issues."""
    sound: list[list[Value]] = []
    for values in columns:
        sound.append([() if isinstance(value, Fault) else value for value in values])
        if Fault in map(type, values):
            issues += [
                Issue(row, f"invalid.{field}", f"{field}: {message}")
                for row, value in zip(rows, values, strict=True)
                if isinstance(value, Fault)
                for message in value.messages
            ]
    if len(sound) == 1:
        return sound[0]
    return [tuple(chain.from_iterable(values)) for values in zip(*sound, strict=True)]
