"""Batches of cells become batches of fields, column by column."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Self, TypeAlias

import pandas as pd

from importer.mapping.columns import Columns, fields_of, ignored_columns, settle_columns
from importer.mapping.lists import pair, pair_splitter, text_splitter
from importer.mapping.tables import Tables
from importer.records import Issue, Mapped
from importer.settings import MappingOptions, UnknownColumns
from schemas.fields import IDENTIFIERS, ORDER_REF, TEXT_LIST_FIELDS
from schemas.text import BLANKS, Fault, trim, trim_all

if TYPE_CHECKING:
    Values: TypeAlias = tuple[object, ...]
    ValuesOrFaults: TypeAlias = Sequence[Values | Fault]


class Mapper:
    """Maps batches of the source file to API fields.

    Attributes:
        fields: The API fields that have a column or a default, in the order of the API page.
        columns: The fields that have columns, and the names of those.
        ignored: Names of the columns that are not used, in file order.
        warning: The one text about columns that are ignored, ``""`` if none needs it.
        carry: Positions (from 0) of the columns that are copied into the results.
    """

    def __init__(
        self, header: tuple[str, ...], columns: Columns, options: MappingOptions, tables: Tables
    ) -> None:
        self.fields = fields_of(columns, tables.defaults)
        self.columns: Mapping[str, tuple[str, ...]] = MappingProxyType(
            {
                field: tuple(header[position] for position in positions)
                for field in self.fields
                if (positions := columns.of_field(field))
            }
        )
        self.ignored = tuple(column.name for column in columns.unused)
        is_quiet = options.unknown_columns is UnknownColumns.IGNORE
        self.warning = "" if is_quiet else ignored_columns(columns)
        self.carry = columns.carry
        self._columns = columns
        self._tables = tables
        self._splitters = {
            field: text_splitter(field, options.list_separator) for field in TEXT_LIST_FIELDS
        }
        self._split_pairs = pair_splitter(options.list_separator)

    @classmethod
    def of(cls, header: tuple[str, ...], options: MappingOptions, line: int = 1) -> Self:
        """Find out which column of *header*, which starts on *line*, holds what.

        Raises:
            UsageError: Options name fields or columns that do not exist; the text names them all.
            InputError: The header cannot be used; the text names every problem.
        """
        tables = Tables.of(options)
        columns = settle_columns(header, options, line, tables.defaults)
        return cls(header, columns, options, tables)

    def apply(self, cells: pd.DataFrame) -> Mapped:
        """Return the fields of a batch.

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
                fields[field] = self._list(field, cells, rows, issues)
            else:
                fields[field] = self._single(field, cells)
        return Mapped(pd.DataFrame(fields, index=cells.index, dtype=object), tuple(issues))

    def orders(self, cells: pd.DataFrame) -> dict[int, str]:
        """Return the order of each row of a batch as it stands there; none without a column."""
        if ORDER_REF not in self.fields:
            return {}
        orders = self._single(ORDER_REF, cells)
        return dict(zip(cells.index.tolist(), map(str, orders), strict=True))

    def _cells(self, cells: pd.DataFrame, position: int) -> list[str]:
        """Return the cells of a column as they stand, those of ``--null`` blank."""
        column: list[str] = cells[position].tolist()
        if null := self._tables.null:
            column = ["" if cell.strip(BLANKS) in null else cell for cell in column]
        return column

    def _single(self, field: str, cells: pd.DataFrame) -> Sequence[object]:
        default = self._tables.defaults.get(field, "")
        positions = self._columns.whole(field)
        if not positions:
            return [default] * len(cells)
        values = trim_all(self._cells(cells, positions[0]))
        if table := self._tables.translations.get(field):
            values = [table.get(value.casefold(), value) for value in values]
        return [value or default for value in values] if default else values

    def _list(
        self, field: str, cells: pd.DataFrame, rows: list[int], issues: list[Issue]
    ) -> Sequence[object]:
        split: Callable[[str], Values | Fault] = self._splitters[field]
        found: list[ValuesOrFaults] = [
            list(map(split, trim_all(self._cells(cells, position))))
            for position in self._columns.whole(field)
        ]
        values = _combined(field, found, rows, issues) if found else [()] * len(rows)
        if table := self._tables.translations.get(field):
            values = [
                tuple(filter(None, (table.get(str(item).casefold(), item) for item in items)))
                for items in values
            ]
        default = self._tables.defaults.get(field)
        return [items or default for items in values] if default else values

    def _identifiers(self, cells: pd.DataFrame) -> "list[ValuesOrFaults]":
        columns = self._columns
        found: list[ValuesOrFaults] = [
            list(map(self._split_pairs, trim_all(self._cells(cells, position))))
            for position in columns.whole(IDENTIFIERS)
        ]
        for provider, identifier in columns.pairs():
            found.append(
                list(map(pair, self._cells(cells, provider), self._cells(cells, identifier)))
            )
        for name, position in columns.providers:
            ids = (trim(cell) for cell in self._cells(cells, position))
            found.append([((name, identifier),) if identifier else () for identifier in ids])
        return found


def _combined(
    field: str, columns: "list[ValuesOrFaults]", rows: list[int], issues: list[Issue]
) -> "list[Values]":
    """Join the values of several columns row by row; faults become issues."""
    sound: list[list[Values]] = []
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
