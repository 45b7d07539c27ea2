"""How long to wait before the same thing is tried again."""

from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Final

from importer.api import Answer, NextStep

_BASE: Final = 0.5  # seconds
_CAP: Final = 30.0  # seconds
_IMMEDIATE_503: Final = 2  # "try again immediately as servers are clustered"


def backoff(attempt: int, random: Random) -> float:
    """Return the seconds to wait after an attempt (from 1): capped, exponential, full jitter."""
    return random.uniform(0.0, min(_CAP, _BASE * 2.0 ** min(attempt - 1, 16)))


@dataclass(frozen=True, slots=True)
class Retry:
    """The patience of a run.

    Attributes:
        attempts: Most attempts for one thing.
        random: Source of jitter.
    """

    attempts: int
    random: Random = field(default_factory=Random)

    def delay(self, answer: Answer, attempt: int) -> float:
        """Return the seconds to wait before the request of an answer is sent again.

        Args:
            answer: What came.
            attempt: Which attempt it was, from 1.
        """
        jitter = backoff(attempt, self.random)
        if answer.retry_after is not None:
            # On top of it: all that were given the same second would return in it.
            return answer.retry_after + jitter
        is_immediate = answer.http_status == HTTPStatus.SERVICE_UNAVAILABLE and (
            attempt <= _IMMEDIATE_503
        )
        return 0.0 if is_immediate else jitter

    def reading_fails(self, answer: Answer, failures: int) -> bool:
        """Return whether to stop trying to read.

        Args:
            answer: What came of the last try.
            failures: How often reading has failed.
        """
        return failures >= self.attempts or answer.rule.next_step is NextStep.REJECT
