"""Writes what became of each record, in input order, however the outcomes come in."""

import csv
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TextIO

from importer.errors import StoppedError
from importer.records import Batch, Outcome
from importer.results.cells import defused
from importer.results.rejects import Rejects
from importer.results.tally import Tally
from schemas.results import RESULT_COLUMNS


class Recorder:
    """The results and, if asked for, the rejects of a run.

    Batches are announced in input order by :meth:`expect`; each of their records is then told
    once, in any order and from any thread. Row numbers ascend and may have gaps. A batch is
    written and forgotten as soon as all before it and its own first records are told, so memory
    is bounded by what is on its way.

    Args:
        results: Where the results go.
        header: Names of the source file's columns.
        carry: Positions of the columns to copy into the results.
    """

    def __init__(self, results: TextIO, header: Sequence[str], carry: Sequence[int]) -> None:
        self.tally = Tally()
        self._results = csv.writer(results)
        self._results.writerow((*RESULT_COLUMNS, *(defused(header[at]) for at in carry)))
        self._header = header
        self._carry = tuple(carry)
        self._rejects: Rejects | None = None
        self._batches: deque[_Pending] = deque()
        self._waiting: dict[int, Outcome] = {}
        self._expected = 0
        self._written = 0
        self.failure: OSError | None = None
        """Why nothing more is written, if so; the counts go on."""
        self._changed = threading.Condition()

    def keep_rejects(self, rejects: TextIO, delimiter: str, sep_line: str = "") -> None:
        """Also write the records that did not get in, as they were read.

        Args:
            rejects: Where they go.
            delimiter: That of the source file, so that the same options read them back.
            sep_line: Excel's line that names the delimiter, ``""`` if there was none.
        """
        self._rejects = Rejects(rejects, self._header, delimiter, sep_line)

    @property
    def keeps_cells(self) -> bool:
        """Whether the cells of batches are wanted."""
        return bool(self._carry) or self._rejects is not None

    def check(self) -> None:
        """See to it that every record announced was told once, and written.

        Raises:
            StoppedError: It was not, which is a fault of this program.
        """
        written = self._expected if self.failure else self._written
        if not self._expected == self.tally.rows == written:
            raise StoppedError(
                f"A fault of import-contacts: {self._expected:,} rows were read, "
                f"{self.tally.rows:,} have a result and {written:,} are written. The results are "
                "left as they were; please report it. The journal holds what was sent."
            )

    def expect(self, batch: Batch, most_pending: int) -> None:
        """Announce the next records; waits while more than ``most_pending`` are untold."""
        pending = _Pending(batch, len(self._header) if self.keeps_cells else 0)
        with self._changed:
            self._changed.wait_for(
                lambda: self.failure or self._expected - self._written <= most_pending
            )
            self._batches.append(pending)
            self._expected += len(batch.lines)

    def tell(self, outcomes: Iterable[Outcome]) -> None:
        """Take in outcomes and write all that are next in line."""
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
        """The row that is next in line; 0 when none is announced."""
        while self._batches and self._batches[0].is_written:
            self._batches.popleft()
        return self._batches[0].next_row if self._batches else 0

    def _write(self, outcome: Outcome) -> None:
        pending = self._batches[0]
        cells = pending.cells_of(outcome.row)
        # A lone cell may be the text of a whole line whose cells cannot be told apart.
        told = cells if len(cells) > 1 or len(self._header) == 1 else ()
        carried = [defused(told[at]) if at < len(told) else "" for at in self._carry]
        line = pending.line_of(outcome.row)
        self.tally.place(outcome, line)
        self._results.writerow((*_columns(outcome, line), *carried))
        if self._rejects is not None and not outcome.status.is_done:
            self._rejects.write(cells, outcome.error)
        pending.written += 1
        self._written += 1


class _Pending:
    """A batch whose records are being told."""

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


def _columns(outcome: Outcome, line: int) -> tuple[object, ...]:
    retryable = outcome.retryable
    return (
        outcome.row,
        line,
        defused(outcome.order_ref),
        outcome.status.value,
        defused(outcome.ref),
        defused(outcome.href),
        defused(outcome.guest_ref),
        outcome.attempts,
        "" if outcome.http_status is None else outcome.http_status,
        "" if retryable is None else str(retryable).lower(),
        outcome.error_code,
        defused(outcome.error),
    )
