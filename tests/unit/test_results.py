"""The results: order, columns, formulas, counts and rejects."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from batches import ORDER, batch_of

import importer
from importer.records import Batch, BrokenRecord, Issue, Outcome, Status
from importer.results import Recorder, Tally, has_results_of_changes
from importer.results.columns import COLUMNS, cells_of, defused
from importer.results.recorder import Rejects
from schemas.results import RESULT_COLUMNS

HEADER = ("orderRef", "firstName")


def batch(first_row: int, *records: tuple[str, ...]) -> Batch:
    """Return a batch; records with another number of cells than the header are broken."""
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
    """Return the records of a CSV text."""
    return list(csv.DictReader(io.StringIO(text.getvalue(), newline="")))


def created(row: int) -> Outcome:
    """Return the outcome of a row that was created."""
    return Outcome(row=row, status=Status.CREATED, order_ref="o", ref=f"r{row}", attempts=1)


def failed(row: int, error: str = "down") -> Outcome:
    """Return the outcome of a row that failed."""
    return Outcome(
        row=row, status=Status.FAILED, retryable=True, error_code="http.500", error=error
    )


def test_outcomes_are_written_in_input_order() -> None:
    """In whatever order they arrive, also across batches."""
    results = io.StringIO(newline="")
    recorder = Recorder(results, HEADER, ())
    recorder.expect(batch(1, ("a", "b"), ("c", "d")), 10)
    recorder.expect(batch(3, ("e", "f")), 10)
    recorder.record([created(3), created(2)])
    assert rows_of(results) == []
    recorder.record([created(1)])
    assert [row["ref"] for row in rows_of(results)] == ["r1", "r2", "r3"]
    assert [row["line"] for row in rows_of(results)] == ["2", "3", "4"]


def test_row_numbers_may_have_gaps() -> None:
    """Within a batch and between two; the next row is the next record announced."""
    results = io.StringIO(newline="")
    recorder = Recorder(results, HEADER, (1,))
    first = batch(1, ("a", "b"), ("c", "d"), ("e", "f"))
    cells = first.cells.loc[[1, 3]]
    recorder.expect(Batch(cells, first.lines.loc[cells.index]), 10)
    recorder.expect(batch(7, ("g", "h")), 10)
    recorder.record([created(7), created(3)])
    assert rows_of(results) == []
    recorder.record([created(1)])
    written = [(row["row"], row["line"], row["firstName"]) for row in rows_of(results)]
    assert written == [("1", "2", "b"), ("3", "4", "f"), ("7", "8", "h")]


def test_carried_columns_come_after_those_of_results() -> None:
    """With the names and the cells of the source file."""
    results = io.StringIO(newline="")
    recorder = Recorder(results, HEADER, (1,))
    recorder.expect(batch(1, ("a", "Ann")), 10)
    recorder.record([created(1)])
    (row,) = rows_of(results)
    assert [*RESULT_COLUMNS, "firstName"] == list(row)
    assert row["firstName"] == "Ann"


@pytest.mark.parametrize(
    ("outcome", "cells"),
    [
        pytest.param(
            Outcome(
                row=7,
                status=Status.CREATED,
                order_ref="o",
                ref="r",
                href="h",
                guest_ref="g",
                attempts=2,
                http_status=201,
            ),
            ["7", "9", "o", "created", "", "", "r", "h", "g", "2", "201", ""],
            id="done",
        ),
        pytest.param(
            Outcome(
                row=1,
                status=Status.FAILED,
                order_ref="=o",
                retryable=True,
                error_code="network.reset",
                error="-1",
            ),
            ["1", "9", "'=o", "failed", "network.reset", "'-1", "", "", "", "0", "", "true"],
            id="retryable",
        ),
        pytest.param(
            Outcome(row=1, status=Status.INVALID, retryable=False, error_code="invalid.city"),
            ["1", "9", "", "invalid", "invalid.city", "", "", "", "", "0", "", "false"],
            id="not-retryable",
        ),
    ],
)
def test_each_column_has_its_value(outcome: Outcome, cells: list[str]) -> None:
    """In the order of the columns; what is unknown is blank."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells_of(outcome, 9))
    assert next(csv.reader(text.getvalue().splitlines())) == cells


def test_written_columns_are_those_of_the_schema() -> None:
    """In the same order."""
    assert tuple(COLUMNS) == RESULT_COLUMNS


def write_results(path: Path, header: Sequence[str], *rows: dict[str, str]) -> None:
    """Write a results file with a blank cell for each column that a row does not have."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([row.get(name, "") for name in header] for row in rows)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["valid", "created"], True),
        (["updated"], True),
        (["deleted"], True),
        (["unknown"], True),
        (["valid", "exists", "invalid", "duplicate", "rejected", "failed", "absent"], False),
        ([], False),
    ],
)
def test_results_of_changes_are_recognised(
    tmp_path: Path,
    statuses: list[str],
    expected: bool,  # noqa: FBT001 - a column
) -> None:
    """By a status that a dry run does not have, wherever the columns are."""
    path = tmp_path / "results.csv"
    for header in (RESULT_COLUMNS, RESULT_COLUMNS[::-1]):
        write_results(path, header, *({"status": one} for one in statuses))
        assert has_results_of_changes(path) is expected


def test_a_carried_status_column_is_not_the_status(tmp_path: Path) -> None:
    """The first column of a name is that of the results."""
    path = tmp_path / "results.csv"
    own = ["valid" if name == "status" else "x" for name in RESULT_COLUMNS]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([(*RESULT_COLUMNS, "status"), (*own, "created")])
    assert not has_results_of_changes(path)


@pytest.mark.parametrize("content", [None, b"", b"a,b\n1,2\n", b"\xff\xfe", b"status\ncreated\n"])
def test_other_files_are_not_results(tmp_path: Path, content: bytes | None) -> None:
    """A file that is absent, empty or something else is not an error."""
    path = tmp_path / "results.csv"
    if content is not None:
        path.write_bytes(content)
    assert not has_results_of_changes(path)


def test_rejects_hold_open_records_as_they_were_read() -> None:
    """Cell for cell, with reason and line; broken records keep their number of cells."""
    results, rejects = io.StringIO(newline=""), io.StringIO(newline="")
    recorder = Recorder(results, HEADER, ())
    recorder.keep_rejects(rejects, ";")
    recorder.expect(batch(1, ("a", "=1+1"), ("c", "d"), ("only",)), 10)
    recorder.record([failed(1), created(2), failed(3, "too few")])
    assert list(csv.reader(io.StringIO(rejects.getvalue(), newline=""), delimiter=";")) == [
        ["orderRef", "firstName", "importError", "importLine"],
        ["a", "=1+1", "down", "2"],
        ["only", "too few", "4"],
    ]


AGAIN = ("orderRef", "firstName", "importError", "importLine")
MOVED = ("importLine", "orderRef", "importError ", "firstName")
OLDER = ("orderRef", "importError", "firstName")


@pytest.mark.parametrize(
    ("header", "cells", "row"),
    [
        pytest.param(HEADER, ("a", "b"), ["a", "b", "why", "9"], id="first"),
        pytest.param(HEADER, ("a",), ["a", "why", "9"], id="first-short"),
        pytest.param(HEADER, ("a", "b", "c"), ["a", "b", "c", "why", "9"], id="first-long"),
        pytest.param(AGAIN, ("a", "b", "old", "2"), ["a", "b", "why", "9"], id="again"),
        pytest.param(AGAIN, ("a", "b"), ["a", "b", "", "why", "9"], id="again-two-short"),
        pytest.param(AGAIN, ("a", "b", "old"), ["a", "b", "old", "why", "9"], id="again-short"),
        pytest.param(AGAIN, ("a",), ["a", "why", "9"], id="again-lone"),
        pytest.param(MOVED, ("2", "a", "old", "b"), ["9", "a", "why", "b"], id="moved"),
        pytest.param(OLDER, ("a", "old", "b"), ["a", "why", "b", "9"], id="one-of-two"),
        pytest.param(OLDER, ("a", "b"), ["a", "b", "", "why", "9"], id="one-of-two-short"),
    ],
)
def test_rejects_of_rejects_have_each_column_once(
    header: tuple[str, ...], cells: tuple[str, ...], row: list[str]
) -> None:
    """A broken record never gets as many cells as the header has."""
    stream = io.StringIO(newline="")
    Rejects(stream, header, ",").write(cells, "why", 9)
    names, written = csv.reader(io.StringIO(stream.getvalue(), newline=""))
    assert sorted(name.strip() for name in names if name.startswith("import")) == [
        "importError",
        "importLine",
    ]
    assert row == written
    assert (len(written) == len(names)) == (len(cells) == len(header))


def test_cells_of_a_record_that_cannot_be_split_are_not_carried() -> None:
    """The text of a whole line is not the cell of its first column."""
    results = io.StringIO(newline="")
    recorder = Recorder(results, HEADER, (0, 1))
    recorder.expect(batch(1, ('a,"b',), ("a", "b", "c")), 10)
    recorder.record([failed(1), failed(2)])
    assert [(row["firstName"], row["error"]) for row in rows_of(results)] == [
        ("", "down"),
        ("b", "down"),
    ]
    assert '""b' not in results.getvalue()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_formulas_are_defused(start: str) -> None:
    """A spreadsheet shows them instead of running them."""
    assert f"'{start}cmd" == defused(f"{start}cmd")


def test_other_cells_are_unchanged() -> None:
    """Only what a spreadsheet would run is changed."""
    assert defused("a=b") == "a=b"


def test_counts_add_up() -> None:
    """Every outcome is counted once, with its error code."""
    recorder = Recorder(io.StringIO(newline=""), HEADER, ())
    recorder.expect(batch(1, ("a", "b"), ("c", "d")), 10)
    recorder.record([created(1), failed(2)])
    assert recorder.tally.rows == 2
    assert recorder.tally.statuses == {Status.CREATED: 1, Status.FAILED: 1}
    assert recorder.tally.errors == {"http.500": 1}
    assert not recorder.tally.is_all_done


class _Full(io.StringIO):
    def write(self, text: str) -> int:
        if text.startswith("1"):
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_after_a_full_disk_outcomes_are_still_counted() -> None:
    """Nothing more is written, and nothing waits for it."""
    recorder = Recorder(_Full(newline=""), HEADER, ())
    recorder.expect(batch(1, ("a", "b"), ("c", "d")), 10)
    recorder.record([created(1)])
    recorder.record([created(2)])
    recorder.expect(batch(3, ("e", "f")), 0)
    assert recorder.failure is not None
    assert recorder.tally.rows == 2


def recorder_of_three() -> Recorder:
    """Return a recorder that expects rows 1 to 3."""
    recorder = Recorder(io.StringIO(), ("firstName",), ())
    recorder.expect(batch_of(("Ann",), ("Bob",), ("Cy",)), 10)
    return recorder


def outcome(row: int, code: str = "") -> Outcome:
    """Return the outcome of a row, invalid if it has an error code."""
    status = Status.INVALID if code else Status.CREATED
    return Outcome(row=row, status=status, error_code=code)


def test_check_passes_when_each_row_has_one_outcome() -> None:
    """In any order."""
    recorder = recorder_of_three()
    recorder.record([outcome(row) for row in (2, 3, 1)])
    recorder.check()


@pytest.mark.parametrize("rows", [(), (1, 2), (1, 3), (1, 2, 3, 3), (2, 2, 3)])
def test_check_fails_when_a_row_has_no_outcome_or_two(rows: tuple[int, ...]) -> None:
    """Also when one row has two and another none."""
    recorder = recorder_of_three()
    recorder.record([outcome(row) for row in rows])
    with pytest.raises(importer.StoppedError, match="read: 3"):
        recorder.check()


def test_first_lines_of_each_error_are_kept() -> None:
    """In the order of the file, at most five."""
    recorder = Recorder(io.StringIO(), ("firstName",), ())
    recorder.expect(batch_of(*[("x",)] * 9), 10)
    recorder.record(
        [outcome(row, "invalid.city" if row != 3 else "http.400") for row in range(9, 0, -1)]
    )
    assert recorder.tally.first_lines == {"invalid.city": [2, 3, 5, 6, 7], "http.400": [4]}


def test_run_that_does_not_add_up_leaves_the_previous_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reports an internal error, and its exit status is that of a stopped run."""
    source, out = tmp_path / "contacts.csv", tmp_path / "results.csv"
    source.write_text(f"orderRef,firstName\n{ORDER},Ann\n{ORDER},Bob\n")
    out.write_text("yesterday")
    count = Tally.count

    def forgetful(self: Tally, outcome: Outcome) -> None:
        if outcome.row != 2:
            count(self, outcome)

    monkeypatch.setattr(Tally, "count", forgetful)
    with pytest.raises(importer.StoppedError, match="read: 2, with a result: 1") as caught:
        importer.import_contacts(source, dry_run=True, out=out)
    assert caught.value.exit_status is importer.ExitStatus.STOPPED
    assert out.read_text() == "yesterday"
