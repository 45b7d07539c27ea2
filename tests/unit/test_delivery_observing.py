"""What answers do to pace and health together, on a clock of the test."""

from random import Random

from importer.api import Answer, Verdict
from importer.delivery.observing import Observer
from importer.delivery.pace import Pace

GOOD = Answer(verdict=Verdict.APPLIED, seconds=0.1, http_status=201, ref="r")
BUSY = Answer(verdict=Verdict.NOT_APPLIED, seconds=0.1, http_status=429, error_code="http.429")


def observer() -> Observer:
    """One that has had a good answer at second 0."""
    made = Observer(Pace(32, None), Random(1))  # noqa: S311 - jitter
    made.saw(1, GOOD, 0.0, 0.1)
    return made


def test_one_burst_of_refusals_is_one_reason_to_wait() -> None:
    """A server that can do three at once refuses 29 of 32: that is no 29 failed probes."""
    seen = observer()
    for row in range(29):
        seen.saw(row, BUSY, 1.0, 1.01)
    assert seen.health.is_probing
    assert seen.pace.opens_at(1.01) < 2.0
    assert seen.pace.limit == 16


def test_a_good_answer_opens_what_a_probe_would_have_opened() -> None:
    """An API that works is not left alone, whatever else was in flight."""
    seen = observer()
    for row in range(29):
        seen.saw(row, BUSY, 1.0, 1.01)
    seen.saw(30, GOOD, 1.0, 1.05)
    assert not seen.health.is_probing
    assert seen.pace.opens_at(1.05) == 1.05


def test_a_good_answer_does_not_shorten_what_the_api_has_asked_for() -> None:
    """``Retry-After`` holds for all."""
    seen = observer()
    later = Answer(verdict=Verdict.NOT_APPLIED, seconds=0.1, http_status=429, retry_after=5.0)
    seen.saw(1, later, 1.0, 1.1)
    seen.saw(2, GOOD, 1.0, 1.2)
    assert seen.pace.opens_at(1.2) == 6.1


def test_failed_probes_come_further_and_further_apart() -> None:
    """Each leaves after the pause that the one before has led to."""
    seen, now, pauses = observer(), 1.0, []
    for row in range(12):
        seen.saw(row, BUSY, now, now)
        left = seen.pace.opens_at(now)
        pauses.append(left - now)
        now = left
    assert pauses[:4] == [0.0] * 4
    assert pauses[-1] > 4 * pauses[4]
