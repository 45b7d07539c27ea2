"""The record room: order, columns, formulas and rejects."""

import csv
import io

import pandas as pd
import pytest

from importer.records import Batch, BrokenRecord, Issue, Outcome, Status
from importer.results import Recorder
from importer.results.cells import defused
from importer.results.rejects import Rejects
from schemas.results import RESULT_COLUMNS

HEADER = ("orderRef", "firstName")


def batch(first_row: int, *records: tuple[str, ...]) -> Batch:
    """A batch; records of another width than the header are broken."""
    rows = range(first_row, first_row + len(records))
    sound = {row: cells for row, cells in zip(rows, records, strict=True) if len(cells) == 2}
    broken = tuple(
        BrokenRecord(Issue(row, "invalid.record", "too few"), cells)
        for row, cells in zip(rows, records, strict=True)
        if len(cells) != 2
    )
    return Batch(
        cells=pd.DataFrame(list(sound.values()), index=list(sound), columns=[0, 1], dtype=object),
        lines=pd.Series([row + 1 for row in rows], index=list(rows)),
        broken=broken,
    )


def rows_of(text: io.StringIO) -> list[dict[str, str]]:
    """The records of a CSV text."""
    return list(csv.DictReader(io.StringIO(text.getvalue(), newline="")))


def created(row: int) -> Outcome:
    """A row that got in."""
    return Outcome(row=row, status=Status.CREATED, order_ref="o", ref=f"r{row}", attempts=1)


def failed(row: int, error: str = "down") -> Outcome:
    """A row that did not."""
    return Outcome(
        row=row, status=Status.FAILED, retryable=True, error_code="http.500", error=error
    )


def test_outcomes_are_written_in_input_order() -> None:
    """However they come in, over batches as well."""
    results = io.StringIO(newline="")
    recorder = Recorder(results, HEADER, ())
    recorder.expect(batch(1, ("a", "b"), ("c", "d")), 10)
    recorder.expect(batch(3, ("e", "f")), 10)
    recorder.tell([created(3), created(2)])
    assert rows_of(results) == []
    recorder.tell([created(1)])
    assert [row["ref"] for row in rows_of(results)] == ["r1", "r2", "r3"]
    assert [row["line"] for row in rows_of(results)] == ["2", "3", "4"]


def test_row_numbers_may_have_gaps() -> None:
    """Within a batch and between two; what is next in line is the next record announced."""
    results = io.StringIO(newline="")
    recorder = Recorder(results, HEADER, (1,))
    first = batch(1, ("a", "b"), ("c", "d"), ("e", "f"))
    cells = first.cells.loc[[1, 3]]
    recorder.expect(Batch(cells, first.lines.loc[cells.index]), 10)
    recorder.expect(batch(7, ("g", "h")), 10)
    recorder.tell([created(7), created(3)])
    assert rows_of(results) == []
    recorder.tell([created(1)])
    told = [(row["row"], row["line"], row["firstName"]) for row in rows_of(results)]
    assert told == [("1", "2", "b"), ("3", "4", "f"), ("7", "8", "h")]


def test_columns_are_those_of_the_contract_and_then_the_carried_ones() -> None:
    """A carried column comes last, with the name and the cells of the source file."""
    results = io.StringIO(newline="")
    recorder = Recorder(results, HEADER, (1,))
    recorder.expect(batch(1, ("a", "Ann")), 10)
    recorder.tell([created(1)])
    (row,) = rows_of(results)
    assert [*RESULT_COLUMNS, "firstName"] == list(row)
    assert row["firstName"] == "Ann"


def test_rejects_hold_what_did_not_get_in_as_it_was_read() -> None:
    """Cell for cell, broken records with the number of cells that they had."""
    results, rejects = io.StringIO(newline=""), io.StringIO(newline="")
    recorder = Recorder(results, HEADER, ())
    recorder.keep_rejects(rejects, ";")
    recorder.expect(batch(1, ("a", "=1+1"), ("c", "d"), ("only",)), 10)
    recorder.tell([failed(1), created(2), failed(3, "too few")])
    assert list(csv.reader(io.StringIO(rejects.getvalue(), newline=""), delimiter=";")) == [
        ["orderRef", "firstName", "importError"],
        ["a", "=1+1", "down"],
        ["only", "too few"],
    ]


REJECTED_AGAIN = ("orderRef", "importError", "firstName")


@pytest.mark.parametrize(
    ("header", "cells", "row"),
    [
        pytest.param(HEADER, ("a", "b"), ["a", "b", "why"], id="sound"),
        pytest.param(HEADER, ("a",), ["a", "why"], id="short"),
        pytest.param(HEADER, ("a", "b", "c"), ["a", "b", "c", "why"], id="long"),
        pytest.param(REJECTED_AGAIN, ("a", "old", "b"), ["a", "why", "b"], id="again"),
        pytest.param(REJECTED_AGAIN, ("a", "b"), ["a", "b", "", "why"], id="short-again"),
        pytest.param(REJECTED_AGAIN, ("a",), ["a", "why"], id="lone-again"),
    ],
)
def test_rejects_of_rejects_are_rejects(
    header: tuple[str, ...], cells: tuple[str, ...], row: list[str]
) -> None:
    """One reason a record, and no broken record gets as many cells as the header has."""
    stream = io.StringIO(newline="")
    Rejects(stream, header, ",").write(cells, "why")
    names, written = csv.reader(io.StringIO(stream.getvalue(), newline=""))
    assert names.count("importError") == 1
    assert row == written
    assert (len(written) == len(names)) == (len(cells) == len(header))


def test_no_cell_of_a_record_without_cells_is_carried() -> None:
    """The text of a whole line is no cell of its first column."""
    results = io.StringIO(newline="")
    recorder = Recorder(results, HEADER, (0, 1))
    recorder.expect(batch(1, ('a,"b',), ("a", "b", "c")), 10)
    recorder.tell([failed(1), failed(2)])
    assert [(row["firstName"], row["error"]) for row in rows_of(results)] == [
        ("", "down"),
        ("b", "down"),
    ]
    assert '""b' not in results.getvalue()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_formulas_are_defused(start: str) -> None:
    """A spreadsheet shows them instead of running them."""
    assert f"'{start}cmd" == defused(f"{start}cmd")


def test_other_cells_are_left_alone() -> None:
    """Only what a spreadsheet would run is changed."""
    assert defused("a=b") == "a=b"


def test_counts_add_up() -> None:
    """Every outcome is counted once, with its error code."""
    recorder = Recorder(io.StringIO(newline=""), HEADER, ())
    recorder.expect(batch(1, ("a", "b"), ("c", "d")), 10)
    recorder.tell([created(1), failed(2)])
    assert recorder.tally.rows == 2
    assert recorder.tally.statuses == {Status.CREATED: 1, Status.FAILED: 1}
    assert recorder.tally.errors == {"http.500": 1}
    assert not recorder.tally.is_all_done


class _Full(io.StringIO):
    def write(self, text: str) -> int:
        if text.startswith("1"):
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_full_disk_ends_the_writing_and_not_the_counting() -> None:
    """The rest of the run is still counted and waits for nobody."""
    recorder = Recorder(_Full(newline=""), HEADER, ())
    recorder.expect(batch(1, ("a", "b"), ("c", "d")), 10)
    recorder.tell([created(1)])
    recorder.tell([created(2)])
    recorder.expect(batch(3, ("e", "f")), 0)
    assert recorder.failure is not None
    assert recorder.tally.rows == 2
