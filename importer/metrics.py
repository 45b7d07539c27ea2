"""Statistics of a run's requests over time, in memory that does not grow with the run.

Time is divided into slices; when there are too many, every two are merged. Latencies are
counted in bins whose bounds grow by a tenth, so a percentile is right within 5 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

_MOST_SLICES: Final = 96
_FIRST_WIDTH: Final = 0.25  # seconds
_FASTEST: Final = 0.0005  # seconds; the upper bound of the first bin
_GROWTH: Final = 1.1
_BINS: Final = 144  # the last one begins at 380 seconds
_LOG_GROWTH: Final = math.log(_GROWTH)


@dataclass(slots=True)
class Slice:
    """The requests that ended within one slice of time.

    Attributes:
        requests: How many.
        trouble: Those among them that failed for another reason than their row.
        in_flight: Most requests in flight at once.
        latencies: Requests by bin of their latency.
    """

    requests: int = 0
    trouble: int = 0
    in_flight: int = 0
    latencies: list[int] = field(default_factory=lambda: [0] * _BINS)

    def add(self, other: "Slice") -> None:
        """Add the requests of another slice."""
        self.requests += other.requests
        self.trouble += other.trouble
        self.in_flight = max(self.in_flight, other.in_flight)
        self.latencies = [a + b for a, b in zip(self.latencies, other.latencies, strict=True)]

    def percentile(self, percent: float) -> float | None:
        """Return the seconds within which this percentage of the requests ended.

        None when there are no requests.
        """
        if not self.requests:
            return None
        wanted = self.requests * percent / 100.0
        number = next(
            number for number, seen in enumerate(accumulate(self.latencies)) if seen >= wanted
        )
        # In the middle of the bin, which lies between two powers of its growth.
        return _FASTEST * math.pow(_GROWTH, number - 0.5)


class Metrics:
    """Counts the requests of a run as they end. Not thread-safe."""

    def __init__(self) -> None:
        self._slices: list[Slice] = []
        self._started = 0.0
        self.width = _FIRST_WIDTH
        """Seconds of one slice."""

    @property
    def slices(self) -> Sequence[Slice]:
        """The slices from the first request on, without gaps."""
        return self._slices

    @property
    def total(self) -> Slice:
        """All requests of the run together."""
        total = Slice()
        for one in self._slices:
            total.add(one)
        return total

    def observe(self, now: float, seconds: float, is_trouble: bool, in_flight: int) -> None:  # noqa: FBT001 - one of four plain facts
        """Count a request.

        Args:
            now: When it ended, seconds of the monotonic clock.
            seconds: How long it took.
            is_trouble: Whether it failed for another reason than its row.
            in_flight: Requests in flight when it ended, including itself.
        """
        if not self._slices:
            self._started = now - seconds
        while (place := self._place(now)) >= _MOST_SLICES:
            self._halve()
        while place >= len(self._slices):
            self._slices.append(Slice())
        one = self._slices[place]
        one.requests += 1
        one.trouble += is_trouble
        one.in_flight = max(one.in_flight, in_flight)
        one.latencies[_bin(seconds)] += 1
        for earlier in self._slices[self._place(now - seconds) : place]:
            earlier.in_flight = max(earlier.in_flight, 1)

    def _place(self, moment: float) -> int:
        return int(max(0.0, moment - self._started) / self.width)

    def _halve(self) -> None:
        merged = self._slices[::2]
        for into, other in zip(merged, self._slices[1::2], strict=False):
            into.add(other)
        self._slices = merged
        self.width *= 2


def _bin(seconds: float) -> int:
    if seconds <= _FASTEST:
        return 0
    return min(_BINS - 1, math.ceil(math.log(seconds / _FASTEST) / _LOG_GROWTH))
