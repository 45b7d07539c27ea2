"""Every record that was announced has one result, and the counts say so."""

import io
from pathlib import Path

import pytest
from batches import ORDER, batch_of

import importer
from importer.records import Outcome, Status
from importer.results import Recorder, Tally


def recorder_of_three() -> Recorder:
    """A recorder that expects rows 1 to 3."""
    recorder = Recorder(io.StringIO(), ("firstName",), ())
    recorder.expect(batch_of(("Ann",), ("Bob",), ("Cy",)), 10)
    return recorder


def outcome(row: int, code: str = "") -> Outcome:
    """What came of a row."""
    status = Status.INVALID if code else Status.CREATED
    return Outcome(row=row, status=status, error_code=code)


def test_all_is_well_when_each_was_told_once() -> None:
    """In any order."""
    recorder = recorder_of_three()
    recorder.tell([outcome(row) for row in (2, 3, 1)])
    recorder.check()


@pytest.mark.parametrize("rows", [(), (1, 2), (1, 3), (1, 2, 3, 3), (2, 2, 3)])
def test_a_row_too_few_or_too_many_is_a_fault(rows: tuple[int, ...]) -> None:
    """Whether it was lost, or took the place of another."""
    recorder = recorder_of_three()
    recorder.tell([outcome(row) for row in rows])
    with pytest.raises(importer.StoppedError, match="3 rows were read"):
        recorder.check()


def test_the_first_lines_of_each_error_are_kept() -> None:
    """In the order of the file, five at the most."""
    recorder = Recorder(io.StringIO(), ("firstName",), ())
    recorder.expect(batch_of(*[("x",)] * 9), 10)
    recorder.tell(
        [outcome(row, "invalid.city" if row != 3 else "http.400") for row in range(9, 0, -1)]
    )
    assert recorder.tally.first_lines == {"invalid.city": [2, 3, 5, 6, 7], "http.400": [4]}


def test_a_run_that_does_not_add_up_leaves_the_old_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, and its exit status is that of a stopped run."""
    source, out = tmp_path / "contacts.csv", tmp_path / "results.csv"
    source.write_text(f"orderRef,firstName\n{ORDER},Ann\n{ORDER},Bob\n")
    out.write_text("yesterday")
    count = Tally.count

    def forgetful(self: Tally, outcome: Outcome) -> None:
        if outcome.row != 2:
            count(self, outcome)

    monkeypatch.setattr(Tally, "count", forgetful)
    with pytest.raises(importer.StoppedError, match="2 rows were read, 1 have a result") as caught:
        importer.import_contacts(source, dry_run=True, out=out)
    assert caught.value.exit_status is importer.ExitStatus.STOPPED
    assert out.read_text() == "yesterday"
