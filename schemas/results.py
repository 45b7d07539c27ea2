"""What the results file looks like. Source: contract, section 5."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
import pandera.pandas as pa

RESULT_COLUMNS: Final = (
    "row",
    "line",
    "orderRef",
    "status",
    "ref",
    "href",
    "guestRef",
    "attempts",
    "httpStatus",
    "retryable",
    "errorCode",
    "error",
)
IMPORT_ERROR: Final = "importError"
"""The column that a rejects file has besides those of the source file."""

STATUSES: Final = (
    "created",
    "exists",
    "updated",
    "deleted",
    "absent",
    "duplicate",
    "valid",
    "invalid",
    "rejected",
    "failed",
    "unknown",
    "not_sent",
)
DONE_STATUSES: Final = (
    "created",
    "exists",
    "updated",
    "deleted",
    "absent",
    "duplicate",
    "valid",
)
"""Statuses that leave nothing to do; their rows are not retryable either way."""

_REF: Final = r"(?:[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12})?\Z"
_ERROR_CODE: Final = r"(?:[a-z]+(?:\.[A-Za-z0-9_]+)?)?\Z"


def results_schema(carried: Sequence[str] = ()) -> pa.DataFrameSchema:
    """Make the schema of a results file that was read as text.

    It is made for frames with one object column for each column of the file, in its order;
    every cell ``str``, blank is ``""``. Index: anything, as ``row`` is a column of the file.

    Args:
        carried: Names of the columns that ``--carry`` has added.
    """
    columns = dict.fromkeys(RESULT_COLUMNS, _column()) | {
        "line": _column(pa.Check.str_matches(r"[1-9][0-9]*\Z")),
        "status": _column(pa.Check.isin(STATUSES)),
        "ref": _column(pa.Check.str_matches(_REF)),
        "guestRef": _column(pa.Check.str_matches(_REF)),
        "attempts": _column(pa.Check.str_matches(r"[0-9]+\Z")),
        "httpStatus": _column(pa.Check.str_matches(r"(?:[1-5][0-9]{2})?\Z")),
        "retryable": _column(pa.Check.isin(("", "true", "false"))),
        "errorCode": _column(pa.Check.str_matches(_ERROR_CODE)),
    }
    return pa.DataFrameSchema(
        columns | dict.fromkeys(carried, _column()),
        checks=[
            pa.Check(_rows_count_from_1, error="rows count from 1 without gaps"),
            pa.Check(
                _are_retryable_when_undone, error="retryable is blank when, and only when, done"
            ),
            pa.Check(_say_why_when_undone, error="what is not done has an errorCode"),
        ],
        strict=True,
        ordered=True,
    )


def _rows_count_from_1(results: pd.DataFrame) -> bool:
    return results["row"].tolist() == [str(row) for row in range(1, len(results) + 1)]


def _are_retryable_when_undone(results: pd.DataFrame) -> pd.Series:
    return (results["retryable"] == "") == results["status"].isin(DONE_STATUSES)


def _say_why_when_undone(results: pd.DataFrame) -> pd.Series:
    return (results["errorCode"] != "") | results["status"].isin(DONE_STATUSES)


def _column(*checks: pa.Check) -> pa.Column:
    return pa.Column(object, [pa.Check(_is_text, error="text"), *checks])


def _is_text(cells: pd.Series) -> pd.Series:
    return cells.map(lambda cell: isinstance(cell, str)).astype(bool)
