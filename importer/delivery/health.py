"""Whether the API is there at all: the breaker that leaves a dead one alone.

When several rows in a row have failed for reasons that are not theirs, one request at a time
probes the API, further and further apart. The first good answer ends that; if none comes in
time, the run stops. All times are seconds of one monotonic clock.
"""

import logging
from random import Random
from typing import Final

from importer.delivery.policy import Stop, backoff
from importer.log import event

_ROWS_THAT_TELL: Final = 5
_PATIENCE: Final = 45.0
"""Seconds without a single good answer after which the run stops; with the longest exchange
that is well within the two minutes that a scheduler may be kept waiting."""
_PROBE_CAP: Final = 6
_ORDERS_THAT_TELL: Final = 5


class Health:
    """What the latest answers say about the API as a whole."""

    def __init__(self) -> None:
        self._succeeded = False
        self._failing_since: float | None = None
        self._last_well = float("-inf")
        self._was_ever_well = False
        self._failing_rows: set[int] = set()
        self._probes = 0
        self._missing_orders: set[str] = set()
        self._last_trouble = ""

    @property
    def is_probing(self) -> bool:
        """Whether so much went wrong that one request at a time is enough."""
        return len(self._failing_rows) >= _ROWS_THAT_TELL

    def well(self, now: float) -> None:
        """An answer came that the API gives when it works, be it a refusal of one row."""
        self._last_well = now
        self._was_ever_well = True
        if self.is_probing:
            event(logging.WARNING, "api.recovered", "The API answers again.")
        self._failing_since = None
        self._failing_rows.clear()
        self._probes = 0

    def created(self) -> None:
        """A contact was created: destination and credentials are right."""
        self._succeeded = True
        self._missing_orders.clear()

    def order_missing(self, order_ref: str) -> Stop | None:
        """The API knows no such order; many in a row and no success mean the wrong API."""
        self._missing_orders.add(order_ref)
        if self._succeeded or len(self._missing_orders) < _ORDERS_THAT_TELL:
            return None
        return Stop(
            "orders_not_found",
            f"None of the first {len(self._missing_orders)} orders exists there (HTTP 404). "
            "Check --region or --base-url and the order column, then run again.",
        )

    def trouble(self, row: int, what: str, started: float, now: float) -> Stop | None:
        """A request of ``row`` that left at ``started`` failed for no fault of the row."""
        if started < self._last_well:
            return None  # the API has worked since: it cannot keep up, but it is there
        self._last_trouble = what
        was_probing = self.is_probing
        self._failing_rows.add(row)
        if self.is_probing and not was_probing:
            event(
                logging.WARNING,
                "api.trouble",
                f"{_ROWS_THAT_TELL} rows in a row failed ({what}). One request at a time probes "
                f"the API; the run stops if none succeeds within {_PATIENCE:.0f} seconds.",
            )
        if self._failing_since is None:
            self._failing_since = now
        # One row may be at fault itself. To wait for five would take 150 seconds and more when
        # one request at a time meets silence.
        is_telling = len(self._failing_rows) > 1 or not self._was_ever_well
        if is_telling and now - self._failing_since >= _PATIENCE:
            return self.down()
        return None

    def next_probe(self, random: Random) -> float:
        """Seconds to leave the API alone before the next probe."""
        self._probes += 1
        # Half of it fixed: with full jitter alone, probes could follow one another at once.
        step = min(self._probes, _PROBE_CAP)
        return 0.25 * 2.0 ** (step - 1) + backoff(step, random) / 2.0

    def down(self) -> Stop:
        """The reason to stop when the API is not there."""
        return Stop(
            "api_down",
            f"The API is down or cannot be reached ({self._last_trouble}). "
            "Run the same command again when it is back; it goes on from here.",
        )
