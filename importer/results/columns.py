"""The columns of the results: how each is written, and how a reader finds them again.

Source: docs/results.md.
"""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from importer.records import Outcome, Status
from schemas.results import column_positions

Value: TypeAlias = str | int | None

_RETRYABLE: Final = {None: None, True: "true", False: "false"}

# Cells that a spreadsheet takes for formulas: OWASP, "CSV Injection"; the last four are full-width.
_FORMULA_STARTS: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def defused(cell: str) -> str:
    """Return a cell with ``'`` in front of it if a spreadsheet would run it as a formula."""
    return f"'{cell}" if cell[:1] in _FORMULA_STARTS else cell


COLUMNS: Final[Mapping[str, Callable[[Outcome, int], Value]]] = {
    "row": lambda outcome, _: outcome.row,
    "line": lambda _, line: line,
    "orderRef": lambda outcome, _: defused(outcome.order_ref),
    "status": lambda outcome, _: outcome.status.value,
    "errorCode": lambda outcome, _: outcome.error_code,
    "error": lambda outcome, _: defused(outcome.error),
    "ref": lambda outcome, _: defused(outcome.ref),
    "href": lambda outcome, _: defused(outcome.href),
    "guestRef": lambda outcome, _: defused(outcome.guest_ref),
    "attempts": lambda outcome, _: outcome.attempts,
    "httpStatus": lambda outcome, _: outcome.http_status,
    "retryable": lambda outcome, _: _RETRYABLE[outcome.retryable],
}
"""Each column of the results with its value, from an outcome and the line of its record."""

_VALUES: Final = tuple(COLUMNS.values())

_CHANGES: Final = {Status.CREATED, Status.UPDATED, Status.DELETED, Status.UNKNOWN}


def cells_of(outcome: Outcome, line: int) -> list[Value]:
    """Return the cells of one record of the results; None is a blank cell.

    Args:
        outcome: Its outcome.
        line: The line of the source file at which it starts.
    """
    return [value_of(outcome, line) for value_of in _VALUES]


def has_results_of_changes(path: Path) -> bool:
    """Return whether a file contains results of a run that created, changed or deleted."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            positions = column_positions(next(rows, []))
            if len(positions) < len(COLUMNS):
                return False
            status = positions["status"]
            return any(len(row) > status and row[status] in _CHANGES for row in rows)
    except (OSError, ValueError, csv.Error):
        return False
