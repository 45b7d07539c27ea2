"""How far the run is: a bar on a terminal, a line now and then in a log."""

import logging
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, NoReturn, Self

from importer.log import event
from importer.records import Status

if TYPE_CHECKING:
    from tqdm import tqdm

_SECONDS_BETWEEN_COUNTS: Final = 0.5
_SECONDS_BETWEEN_LINES: Final = 30.0


class Progress:
    """Tells how many records are done, of how many, and how long the rest may take.

    Args:
        total: Records of the run; None when they were not counted beforehand.
        bar: Whether to draw a bar; None draws one on a terminal only. Without a bar, a line
            goes to the log every 30 seconds.
    """

    def __init__(self, total: int | None, *, bar: bool | None) -> None:
        self._total = total
        self._done = 0
        self._started = self._told = time.monotonic()
        self._bar: "tqdm[NoReturn] | None" = None  # noqa: UP037 - imported for types only
        self._lock = threading.Lock()
        if bar or (bar is None and sys.stderr is not None and sys.stderr.isatty()):
            from tqdm import tqdm  # noqa: PLC0415 - --help need not pay for it

            self._bar = tqdm(total=total, unit=" rows", file=sys.stderr, dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, rows: int, statuses: Mapping[Status, int]) -> None:
        """Count ``rows`` more records as done; ``statuses`` are the counts of all."""
        with self._lock:
            self._done += rows
            now = time.monotonic()
            if self._bar is not None:
                if now - self._told >= _SECONDS_BETWEEN_COUNTS:
                    # A postfix costs 20 µs, an update of the bar a hundredth of that.
                    self._told = now
                    self._bar.set_postfix_str(_counts(statuses), refresh=False)
                self._bar.update(rows)
            elif now - self._told >= _SECONDS_BETWEEN_LINES:
                self._told = now
                self._tell_line(now, statuses)

    def _tell_line(self, now: float, statuses: Mapping[Status, int]) -> None:
        seconds = now - self._started
        of_total, left = "", ""
        if self._total:
            of_total = f" of {self._total:,} ({self._done / self._total:.0%})"
            remaining = seconds / self._done * (self._total - self._done) if self._done else 0.0
            left = f", about {remaining:.0f} s left"
        event(
            logging.INFO,
            "run.progress",
            f"{self._done:,}{of_total} rows: {_counts(statuses)}{left}",
            rows=self._done,
            total=self._total,
            seconds=round(seconds, 1),
            statuses={status.value: count for status, count in statuses.items()},
        )


def _counts(statuses: Mapping[Status, int]) -> str:
    return " ".join(f"{status}={statuses[status]}" for status in Status if statuses[status])
