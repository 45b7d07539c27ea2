"""What every answer means for the run as a whole: its pace, the breaker, and its end.

When several rows in a row have failed for reasons that are not theirs, one request at a time
probes the API, at growing intervals. The first good answer ends that; without one, the run
stops. All times are seconds of one monotonic clock.
"""

import logging
from dataclasses import dataclass, field
from random import Random
from typing import Final

from importer.api import Answer, Listing, NextStep, Verdict
from importer.api.calls import Call, Change
from importer.api.rules import FORBIDDEN
from importer.engine.pace import Pace
from importer.engine.procedures import Stop
from importer.engine.retry import backoff
from importer.log import event
from importer.records import Outcome, Status
from importer.settings import MaxErrors

LONGEST_RETRY_AFTER: Final = 120.0  # seconds; an API that asks for more ends the run
_FAILING_ROWS: Final = 5
_PATIENCE: Final = 45.0
"""Seconds without a single good answer after which the run stops; with the longest exchange
that is well within the two minutes that a scheduler may be kept waiting."""
_PROBE_CAP: Final = 6
_FORBIDDEN_IN_A_ROW: Final = 5


@dataclass(slots=True)
class _Permission:
    """What is known about one kind of request: those that read, or those that change."""

    is_granted: bool = False
    refusals: int = 0  # since the last success


@dataclass(slots=True)
class Health:
    """Observes every answer of a run.

    Args:
        pace: Is slowed down and sped up.
        random: Source of jitter.
    """

    pace: Pace
    random: Random
    _answers: int = 0
    _failures: int = 0
    _failing_since: float | None = None
    _last_good: float = float("-inf")
    _failing_rows: set[int] = field(default_factory=set)
    _last_trouble: str = ""
    _probes: int = 0
    _probed_at: float = float("-inf")
    _reading: _Permission = field(default_factory=_Permission)
    _changing: _Permission = field(default_factory=_Permission)

    @property
    def is_probing(self) -> bool:
        """Whether so much has failed that one request at a time is enough."""
        return len(self._failing_rows) >= _FAILING_ROWS

    @property
    def is_unreachable(self) -> bool:
        """Whether requests were sent and not one was ever answered."""
        return self._failures > 0 and self._answers == 0

    def observe_list(self, listing: Listing, started: float, now: float) -> None:
        """Take in a list that was read to its end."""
        self._answers += 1
        self._reading.is_granted, self._reading.refusals = True, 0
        # Pages follow one another and wait for their turns, so they say nothing about latency.
        if listing.requests == 1:
            self.pace.went_well(started, now)

    def observe(self, row: int, answer: Answer, started: float, now: float) -> Stop | None:
        """Take in an answer.

        Args:
            row: The row that the request was about.
            answer: What came.
            started: When the request left.
            now: When the answer was complete.

        Returns:
            Why the run must end, if nothing has worked for too long.
        """
        self._answers += answer.http_status is not None
        self._failures += answer.http_status is None
        if not answer.rule.trouble:
            self.pace.went_well(started, now)
            self._recover(now)
            return None
        if answer.rule.slows:
            self.pace.went_badly(started, now)
        if answer.retry_after is not None:
            self.pace.pause(now + min(answer.retry_after, LONGEST_RETRY_AFTER))
        stop = self._count_trouble(row, answer, started, now)
        # Of the requests that left before the last pause, each has the same news as the first.
        if self.is_probing and started >= self._probed_at:
            self._probed_at = now
            self.pace.probe_at(now + self._next_probe())
        return stop

    def stop_for(self, call: Call, answer: Answer) -> Stop | None:
        """Return why no row can get through after an answer to a call, if so."""
        permission = self._changing if isinstance(call, Change) else self._reading
        if answer.verdict is Verdict.APPLIED:
            permission.is_granted, permission.refusals = True, 0
            return None
        if answer.rule is not FORBIDDEN:
            return _stop_for(answer)
        permission.refusals += 1
        if permission.is_granted and permission.refusals < _FORBIDDEN_IN_A_ROW:
            return None  # a firewall, perhaps, that does not like this one record
        return _credentials(answer)

    def api_down(self) -> Stop:
        """Return the reason to stop when the API is not there."""
        return Stop(
            "api_down",
            f"The API is down or cannot be reached ({self._last_trouble}). "
            "Run the same command again when it is back; it continues from here.",
        )

    def _recover(self, now: float) -> None:
        self._last_good = now
        if self.is_probing:
            event(logging.WARNING, "api.recovered", "The API answers again.")
        self._failing_since = None
        self._failing_rows.clear()
        self._probes = 0

    def _count_trouble(self, row: int, answer: Answer, started: float, now: float) -> Stop | None:
        if started < self._last_good:
            return None  # the API has worked since: it cannot keep up, but it is there
        # The API's own words may quote what was sent, so they are for the results alone.
        is_answered = answer.http_status is not None
        self._last_trouble = answer.error_code if is_answered else answer.message
        was_probing = self.is_probing
        self._failing_rows.add(row)
        if self.is_probing and not was_probing:
            event(
                logging.WARNING,
                "api.trouble",
                f"{_FAILING_ROWS} rows in a row failed ({self._last_trouble}). One request at a "
                f"time probes the API; the run stops if none succeeds within {_PATIENCE:.0f} "
                "seconds.",
            )
        if self._failing_since is None:
            self._failing_since = now
        # A single row may be the cause itself. Waiting for five of them would take 150 seconds
        # and more if one request at a time meets silence.
        is_general = len(self._failing_rows) > 1 or self._last_good == float("-inf")
        if is_general and now - self._failing_since >= _PATIENCE:
            return self.api_down()
        return None

    def _next_probe(self) -> float:
        """Return the seconds to leave the API alone before the next probe."""
        self._probes += 1
        # Half of it is fixed: with full jitter alone, probes could follow one another directly.
        step = min(self._probes, _PROBE_CAP)
        return 0.25 * 2.0 ** (step - 1) + backoff(step, self.random) / 2.0


def _stop_for(answer: Answer) -> Stop | None:
    """Return why no row can get through after this answer, if so."""
    status, rule = answer.http_status, answer.rule
    if rule.next_step is not NextStep.STOP:
        if rule.trouble and (answer.retry_after or 0.0) > LONGEST_RETRY_AFTER:
            return Stop(
                "retry_after",
                f"The API asks to wait {answer.retry_after:.0f} seconds (HTTP {status}). "
                "Run the same command again after that.",
            )
        return None
    match rule.stop:
        case "credentials":
            return _credentials(answer)
        case "tls":
            return Stop(
                rule.stop,
                f"No trusted connection to the API ({answer.message}). Check the base URL and, "
                "behind a company proxy, REQUESTS_CA_BUNDLE, then run again.",
            )
        case "redirect":
            return Stop(
                rule.stop,
                f"The API answered with a redirect (HTTP {status}), which is never followed. "
                "Check --region or --base-url, then run again.",
            )
        case "media_type":
            return Stop(
                rule.stop,
                f"The API refused the media type (HTTP {status}), so it would refuse every row. "
                "Check --base-url; if it is right, this is an internal error in import-contacts.",
            )
        case why:
            raise ValueError(why)


def _credentials(answer: Answer) -> Stop:
    return Stop(
        "credentials",
        f"The API refused the credentials (HTTP {answer.http_status}). Check "
        "SITECORE_CDP_CLIENT_KEY and SITECORE_CDP_API_TOKEN (or the credentials file) and the "
        "region, then run again.",
    )


class ErrorGate:
    """``--max-errors``: counts rows that were rejected or failed.

    Args:
        most: How many are allowed; None is any number.
    """

    def __init__(self, most: MaxErrors | None) -> None:
        self._most = most
        self._rows = 0
        self._errors = 0

    def __call__(self, outcome: Outcome) -> Stop | None:
        """Count a row; return why the run must end, if it was one too many."""
        self._rows += 1
        self._errors += outcome.status in {Status.REJECTED, Status.FAILED}
        if self._most is None or not self._most.exceeded(self._errors, self._rows):
            return None
        return Stop(
            "max_errors",
            f"More rows were rejected or failed than --max-errors allows ({self._errors} of "
            f"{self._rows}). Look at the errors in the results, then run again.",
        )
