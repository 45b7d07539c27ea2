"""How many requests may be in flight, and when the next one may leave.

Additive increase, multiplicative decrease, as in TCP: the number in flight is reduced on 429,
5xx, timeouts and growing latency, at most once per generation of requests, and increased by
one per generation without trouble. All times are seconds of one monotonic clock.
"""

import threading
from typing import Final

_LATENCY_WEIGHT: Final = 0.1
_LATENCY_GROWTH: Final = 3.0
_LATENCY_FLOOR: Final = 0.5  # seconds; smaller differences are noise, not overload
_LATENCY_DECREASE: Final = 0.8
_CAUTION: Final = 0.125  # slows the increase to the size that was too large before


class Pace:
    """The window of requests in flight and the gate through which they leave.

    Args:
        most: Maximum number of requests in flight.
        rate: Maximum number of requests per second; None for no limit.
    """

    def __init__(self, most: int, rate: float | None) -> None:
        self.most = most
        self._window = float(most)
        self._interval = 1.0 / rate if rate else 0.0
        self._next_departure = 0.0
        self._turns = threading.Lock()
        self._paused_until = 0.0
        self._probe_at = 0.0
        self._last_decrease = float("-inf")
        self._ceiling = 0.0  # the window that was too large the last time
        self._proven = False
        self._latency = 0.0
        self._best_latency = float("inf")
        self.lowest = most

    @property
    def limit(self) -> int:
        """Requests that may be in flight now; only one until the first success."""
        return int(self._window) if self._proven else 1

    def ahead(self, seconds: float, most: int) -> int:
        """Return how many requests to keep ready beyond those in flight, at most ``most``.

        As many as leave within ``seconds`` at the present pace, but at least as many as are in
        flight: the answers of a distant API arrive in waves.
        """
        if not self._proven:
            return 0
        leaving = seconds * self._window / max(self._latency, 1e-6)
        return int(min(most, max(leaving, self._window)))

    def opens_at(self, now: float) -> float:
        """Return when the next request may leave, ``now`` at the earliest."""
        return max(now, self._next_departure, self._paused_until, self._probe_at)

    def is_free(self, now: float) -> bool:
        """Whether only the number in flight limits requests."""
        return not self._interval and self._paused_until <= now

    def departed(self, now: float) -> None:
        """Count a request that leaves at ``now``."""
        if self._interval:
            with self._turns:
                # Up to one interval is caught up on, so that late wake-ups do not lower the rate.
                start = max(self._next_departure, now - self._interval)
                self._next_departure = start + self._interval

    def take_turn(self, now: float) -> float:
        """Count a further request of a call that is in flight, such as a page, from any thread.

        Returns:
            Seconds until it may leave.
        """
        with self._turns:
            start = self.opens_at(now)
            self._next_departure = start + self._interval
        return start - now

    def pause(self, until: float) -> None:
        """Hold all requests back until ``until``."""
        self._paused_until = max(self._paused_until, until)

    def probe_at(self, when: float) -> None:
        """Hold all requests back until ``when``, or until a success before then."""
        self._probe_at = when

    def went_well(self, started: float, now: float) -> None:
        """Count a success of a request that left at ``started``."""
        self._probe_at = 0.0
        self._proven = True
        latency = now - started
        self._latency += _LATENCY_WEIGHT * (latency - (self._latency or latency))
        self._latency = self._latency or latency
        self._best_latency = min(self._best_latency, self._latency)
        if self._latency > _LATENCY_GROWTH * self._best_latency + _LATENCY_FLOOR:
            self._decrease(started, now, _LATENCY_DECREASE)
        else:
            step = 1.0 / self._window
            if int(self._window) < int(self._ceiling) <= self._window + 1.0:
                step *= _CAUTION
            self._window = min(float(self.most), self._window + step)

    def went_badly(self, started: float, now: float) -> None:
        """Count a sign of overload on a request that left at ``started``."""
        self._decrease(started, now, 0.5)

    def _decrease(self, started: float, now: float, factor: float) -> None:
        # Requests that left before the last decrease reflect the window before it.
        if started <= self._last_decrease:
            return
        self._last_decrease = now
        self._ceiling = self._window
        self._window = max(1.0, self._window * factor)
        self.lowest = min(self.lowest, int(self._window))
