"""Batches as ``importer.reading`` returns them, made from rows of text."""

from datetime import UTC, datetime

import pandas as pd

from importer.mapping import Mapper
from importer.planning import plan
from importer.records import Batch, Contact
from importer.settings import MappingOptions, Rules
from importer.validation import Validated, Validator

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"


def batch_of(*rows: tuple[str, ...], width: int | None = None, first: int = 1) -> Batch:
    """Return a batch of *rows*, numbered from *first*, each on a line of its own."""
    numbers = pd.RangeIndex(first, first + len(rows))
    width = len(rows[0]) if width is None else width
    cells = pd.DataFrame(
        {
            place: pd.Series([row[place] for row in rows], numbers, dtype=object)
            for place in range(width)
        },
        index=numbers,
    )
    return Batch(cells, pd.Series(range(first + 1, first + 1 + len(rows)), numbers))


def validated(
    header: tuple[str, ...],
    *rows: tuple[str, ...],
    options: MappingOptions | None = None,
    rules: Rules | None = None,
) -> Validated:
    """Map and validate *rows*."""
    batch = batch_of(*rows, width=len(header))
    mapped = Mapper.of(header, options or MappingOptions()).apply(batch.cells)
    return Validator(rules or Rules(), NOW).validate(mapped, batch)


def body_of(field: str, cell: str, **options: object) -> object:
    """Return what a cell of *field* becomes in the body, or the issues of its row."""
    found = validated(("orderRef", field), (ORDER, cell), **options)  # type: ignore[arg-type]
    if found.issues:
        return [issue.message for issue in found.issues[1]]
    (contact,) = contacts_from(found)
    return contact.fields.get(field)


def contacts_of(header: tuple[str, ...], *rows: tuple[str, ...]) -> list[Contact]:
    """Return the contacts of the valid *rows*."""
    return contacts_from(validated(header, *rows))


def contacts_from(found: Validated) -> list[Contact]:
    """Return the contacts of the valid rows of a batch."""
    return [one.contact for one in plan(found.valid, lambda order, _: order.encode())]
