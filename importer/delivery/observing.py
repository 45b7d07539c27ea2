"""What every answer tells of the run as a whole: its pace, its health, orders that are none."""

from collections import OrderedDict
from random import Random
from typing import Final

from importer.api import Answer
from importer.delivery import policy
from importer.delivery.health import Health
from importer.delivery.pace import Pace
from importer.delivery.policy import Stop

_MISSING_ORDERS_KEPT: Final = 10_000


class Observer:
    """Keeps pace and health informed.

    Args:
        pace: Learns of every answer.
        random: Source of jitter.
    """

    def __init__(self, pace: Pace, random: Random) -> None:
        self.pace = pace
        self._random = random
        self._missing_orders = OrderedDict[str, Answer]()
        self._answers = self._failures = 0
        self._paused_at = float("-inf")
        self.health = Health()

    @property
    def is_unreachable(self) -> bool:
        """Whether something was asked, and nothing ever answered."""
        return self._failures > 0 and self._answers == 0

    def saw_list(self, started: float, now: float, pages: int) -> None:
        """A list was read; whether creating works, too, it does not tell."""
        self._answers += 1
        # Pages come one after the other and wait for their turns, which is no slow answer.
        if pages == 1:
            self.pace.went_well(started, now)

    def saw(self, row: int, answer: Answer, started: float, now: float) -> Stop | None:
        """Take in an answer that came ``now``; the stop, if any.

        Args:
            row: What it is about.
            answer: What came.
            started: When the request left, seconds of the monotonic clock.
            now: When the answer was there.
        """
        self._answers += answer.http_status is not None
        self._failures += answer.http_status is None
        if not policy.is_trouble(answer):
            self.pace.went_well(started, now)
            self.health.well(now)
            return None
        self.pace.went_badly(started, now)
        if answer.retry_after is not None:
            self.pace.pause(now + min(answer.retry_after, policy.LONGEST_RETRY_AFTER))
        stop = self.health.trouble(row, _trouble_of(answer), started, now)
        # Of the requests that left before the last pause, each tells the same as the first.
        if self.health.is_probing and started >= self._paused_at:
            self._paused_at = now
            self.pace.probe_at(now + self.health.next_probe(self._random))
        return stop

    def saw_missing_order(self, order_ref: str, answer: Answer) -> Stop | None:
        """The API knows no such order: its other rows need not be tried."""
        if len(self._missing_orders) >= _MISSING_ORDERS_KEPT:
            self._missing_orders.popitem(last=False)
        self._missing_orders[order_ref] = answer
        return self.health.order_missing(order_ref)

    def missing_order(self, order_ref: str) -> Answer | None:
        """The answer that said that there is no such order, if any did."""
        return self._missing_orders.get(order_ref)


def _trouble_of(answer: Answer) -> str:
    # The API's own words may quote what was sent, so they are for the results alone.
    return answer.message if answer.http_status is None else answer.error_code
