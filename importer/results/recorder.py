"""Writes the results and the rejects in input order, in whatever order the outcomes arrive.

Threads: the reader of the source file calls :meth:`Recorder.expect`, it and the sending loop
call :meth:`Recorder.record`. One lock guards all state, the files included.
"""

import csv
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TextIO

from importer.errors import StoppedError
from importer.records import Batch, Outcome
from importer.results.columns import COLUMNS, cells_of, defused
from importer.results.tally import Tally
from schemas.results import IMPORT_ERROR, IMPORT_LINE, REJECTS_COLUMNS


class Recorder:
    """The results and, if requested, the rejects of a run.

    :meth:`expect` announces batches in input order; after that, :meth:`record` takes the
    outcome of each of their records once, in any order and from any thread. Row numbers ascend
    and may have gaps. A record is written as soon as all records before it are, and a batch is
    dropped after its last one, so memory is bounded by the records on their way.

    Args:
        results: The stream for the results.
        header: Names of the source file's columns.
        carry: Positions of the columns to copy into the results.
    """

    def __init__(self, results: TextIO, header: Sequence[str], carry: Sequence[int]) -> None:
        self.tally = Tally()
        self._results = csv.writer(results)
        self._results.writerow((*COLUMNS, *(defused(header[at]) for at in carry)))
        self._header = header
        self._carry = tuple(carry)
        self._rejects: Rejects | None = None
        self._batches: deque[_Pending] = deque()
        self._waiting: dict[int, Outcome] = {}
        self._expected = 0
        self._written = 0
        self.failure: OSError | None = None
        """The error after which nothing more is written; outcomes are still counted."""
        self._changed = threading.Condition()

    def keep_rejects(self, rejects: TextIO, delimiter: str, preamble: str = "") -> None:
        """Also write the records that are not done, as they were read.

        Args:
            rejects: The stream for them.
            delimiter: That of the source file, so that the same options read them again.
            preamble: Lines of the source file before its header, each with a line end.
        """
        self._rejects = Rejects(rejects, self._header, delimiter, preamble)

    @property
    def keeps_cells(self) -> bool:
        """Whether the cells of batches are needed."""
        return bool(self._carry) or self._rejects is not None

    def check(self) -> None:
        """Check that every announced record has exactly one outcome and was written.

        Raises:
            StoppedError: The numbers differ, which is an internal error.
        """
        written = self._expected if self.failure else self._written
        if not self._expected == self.tally.rows == written:
            raise StoppedError(
                "Internal error in import-contacts: the numbers of rows differ (read: "
                f"{self._expected:,}, with a result: {self.tally.rows:,}, written: {written:,}). "
                "The previous results file was left as it is. The journal holds what was sent. "
                "Please report this."
            )

    def expect(self, batch: Batch, most_pending: int) -> None:
        """Announce the next records; wait while more than ``most_pending`` are not written."""
        pending = _Pending(batch, len(self._header) if self.keeps_cells else 0)
        with self._changed:
            self._changed.wait_for(
                lambda: self.failure or self._expected - self._written <= most_pending
            )
            self._batches.append(pending)
            self._expected += len(batch.lines)

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Count outcomes, and write all records that are next in input order."""
        with self._changed:
            for outcome in outcomes:
                self.tally.count(outcome)
                if self.failure is None:
                    self._waiting[outcome.row] = outcome
            try:
                while (row := self._next_row()) in self._waiting:
                    self._write(self._waiting.pop(row))
            except OSError as error:
                self.failure = error
                self._waiting.clear()
                self._batches.clear()
            self._changed.notify_all()

    def _next_row(self) -> int:
        """Return the row to be written next; 0 when none is announced."""
        while self._batches and self._batches[0].is_written:
            self._batches.popleft()
        return self._batches[0].next_row if self._batches else 0

    def _write(self, outcome: Outcome) -> None:
        pending = self._batches[0]
        cells = pending.cells_of(outcome.row)
        # A lone cell may be the text of a whole line whose cells cannot be told apart.
        known = cells if len(cells) > 1 or len(self._header) == 1 else ()
        carried = [defused(known[at]) if at < len(known) else "" for at in self._carry]
        line = pending.line_of(outcome.row)
        self.tally.add_line(outcome, line)
        self._results.writerow((*cells_of(outcome, line), *carried))
        if self._rejects is not None and not outcome.status.is_done:
            self._rejects.write(cells, outcome.error, line)
        pending.written += 1
        self._written += 1


class Rejects:
    """Writes records that are not done, to a file that can be corrected and imported again.

    Rejects may be rejected again: then the columns for the reason and the line are there
    already, and are filled anew.

    Args:
        stream: The stream to write to.
        header: Names of the source file's columns.
        delimiter: That of the source file, so that the same options read them again.
        preamble: Lines of the source file before its header, each with a line end.

    Source: docs/results.md.
    """

    def __init__(
        self, stream: TextIO, header: Sequence[str], delimiter: str, preamble: str = ""
    ) -> None:
        stream.write(preamble)
        self._writer = csv.writer(stream, delimiter=delimiter)
        self._width = len(header)
        names = [name.strip() for name in header]
        added = [name for name in REJECTS_COLUMNS if name not in names]
        self._blanks = [""] * len(added)
        self._error_at = (names + added).index(IMPORT_ERROR)
        self._line_at = (names + added).index(IMPORT_LINE)
        self._writer.writerow([*header, *added])

    def write(self, cells: Sequence[str], error: str, line: int) -> None:
        """Write one record, cell for cell.

        Args:
            cells: Its cells, of which a broken record has more or fewer than the header.
            error: Why it is not done.
            line: The line of the source file at which it starts.
        """
        if len(cells) == self._width:
            row = [*cells, *self._blanks]
            row[self._error_at], row[self._line_at] = error, str(line)
        else:
            row = [*cells, error, str(line)]
            if len(row) == self._width + len(self._blanks):
                # With as many cells as the header, it would be read again as a valid record.
                row.insert(len(cells), "")
        self._writer.writerow(row)


class _Pending:
    """A batch of which some records are not written yet."""

    def __init__(self, batch: Batch, width: int) -> None:
        self._lines: dict[int, int] = dict(
            zip(batch.lines.index.tolist(), batch.lines.tolist(), strict=True)
        )
        self._rows = list(self._lines)
        self.written = 0
        columns = [batch.cells.iloc[:, at].tolist() for at in range(width)]
        self._cells: dict[int, Sequence[str]] = {}
        if columns:
            rows = zip(*columns, strict=True)
            self._cells.update(zip(batch.cells.index.tolist(), rows, strict=True))
            self._cells.update((broken.issue.row, broken.cells) for broken in batch.broken)

    @property
    def is_written(self) -> bool:
        return self.written == len(self._rows)

    @property
    def next_row(self) -> int:
        return self._rows[self.written]

    def cells_of(self, row: int) -> Sequence[str]:
        return self._cells.get(row, ())

    def line_of(self, row: int) -> int:
        return self._lines[row]
