"""Progress of a run: a bar on a terminal, a line every 30 seconds in a log."""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, NoReturn, Self, TextIO

from importer.log import counted, event
from importer.records import Status

if TYPE_CHECKING:
    from tqdm import tqdm

_SECONDS_BETWEEN_COUNTS: Final = 0.5
_SECONDS_BETWEEN_LINES: Final = 30.0


class Progress:
    """Shows how many records have a result, of how many, and the time left.

    Args:
        total: Records of the run; None when they were not counted beforehand.
        bar: Whether to draw a bar; None draws one on a terminal only. Without a bar, a line is
            logged every 30 seconds, even when no record was finished meanwhile.
        clock: Seconds of a monotonic clock.
    """

    def __init__(
        self,
        total: int | None,
        *,
        bar: bool | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._done = 0
        self._clock = clock
        self._started = self._counted = self._advanced = clock()
        self._statuses: Mapping[Status, int] = {}
        self._bar: "tqdm[NoReturn] | None" = None  # noqa: UP037 - imported for types only
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._ticker: threading.Thread | None = None
        stream = sys.stderr
        if stream is not None and (bar or (bar is None and stream.isatty())):
            from tqdm import tqdm  # noqa: PLC0415 - loaded only for a bar

            self._bar = tqdm(total=total, unit=" rows", file=_Lenient(stream), dynamic_ncols=True)

    def __enter__(self) -> Self:
        if self._bar is None:
            self._ticker = threading.Thread(target=self._tick, daemon=True)
            self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._ticker is not None:
            self._ticker.join()
        if self._bar is not None:
            self._bar.close()

    def advance(self, rows: int, statuses: Mapping[Status, int]) -> None:
        """Add ``rows`` finished records; ``statuses`` counts all of them."""
        with self._lock:
            self._done += rows
            self._statuses = statuses
            now = self._advanced = self._clock()
            if self._bar is not None:
                if now - self._counted >= _SECONDS_BETWEEN_COUNTS:
                    # A new postfix costs far more than moving the bar.
                    self._counted = now
                    self._bar.set_postfix_str(_counts(statuses), refresh=False)
                self._bar.update(rows)

    def log(self) -> None:
        """Log the progress."""
        with self._lock:
            now, done = self._clock(), self._done
            statuses = dict(self._statuses)
            idle = now - self._advanced
        seconds = now - self._started
        rows = counted(done, "row")
        if self._total:
            rows = f"{done:,} of {counted(self._total, 'row')} ({done / self._total:.0%})"
        event(
            logging.INFO,
            "run.progress",
            f"{rows}: {_counts(statuses) or 'none yet'}{self._outlook(done, seconds, idle)}",
            rows=done,
            total=self._total,
            seconds=round(seconds, 1),
            statuses={status.value: count for status, count in statuses.items()},
        )

    def _outlook(self, done: int, seconds: float, idle: float) -> str:
        if idle >= _SECONDS_BETWEEN_LINES:
            return f"; no row finished for {idle:.0f} s"
        if not (self._total and done):
            return ""
        return f"; about {seconds / done * (self._total - done):.0f} s left"

    def _tick(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_LINES):
            self.log()


class _Lenient:
    """A stream whose errors are ignored, as nothing may read it any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def __eq__(self, other: object) -> bool:
        # tqdm compares streams to find the bars that a line would break.
        return other is self._stream or other is self

    def __hash__(self) -> int:
        return hash(self._stream)


def _counts(statuses: Mapping[Status, int]) -> str:
    return " ".join(f"{status}={statuses[status]}" for status in Status if statuses.get(status))
