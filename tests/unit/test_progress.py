"""Progress in a log, without a terminal."""

import logging
import threading

import pytest

from importer import progress
from importer.progress import Progress
from importer.records import Status


class Clock:
    """A clock that is set by a test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """Return what was logged."""
    monkeypatch.setattr(logging.getLogger("importer"), "propagate", True)
    caplog.set_level(logging.INFO, "importer")
    return caplog


def test_line_shows_how_much_is_done_and_the_time_left(logged: pytest.LogCaptureFixture) -> None:
    """The time is estimated from the progress so far."""
    clock = Clock()
    run = Progress(200, bar=False, clock=clock)
    clock.now += 10
    run.advance(50, {Status.CREATED: 48, Status.INVALID: 2})
    run.log()
    assert (
        logged.records[0].getMessage()
        == "50 of 200 rows (25%): created=48 invalid=2; about 30 s left"
    )
    assert vars(logged.records[0])["event"] == "run.progress"
    assert vars(logged.records[0])["fields"]["statuses"] == {"created": 48, "invalid": 2}


def test_line_shows_that_no_row_finished(logged: pytest.LogCaptureFixture) -> None:
    """An API that is down is visible in the log."""
    clock = Clock()
    run = Progress(200, bar=False, clock=clock)
    clock.now += 60
    run.log()
    run.advance(1, {Status.CREATED: 1})
    clock.now += 45
    run.log()
    assert [record.getMessage() for record in logged.records] == [
        "0 of 200 rows (0%): none yet; no row finished for 60 s",
        "1 of 200 rows (0%): created=1; no row finished for 45 s",
    ]


def test_line_without_a_total_shows_the_counts(logged: pytest.LogCaptureFixture) -> None:
    """As in a dry run, whose rows are not counted beforehand."""
    run = Progress(None, bar=False, clock=Clock())
    run.advance(3, {Status.VALID: 3})
    run.log()
    assert logged.records[0].getMessage() == "3 rows: valid=3"


def test_lines_are_logged_periodically(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the run ends, even if no row is finished."""
    ticked = threading.Event()
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.001)
    run = Progress(5, bar=False)
    monkeypatch.setattr(run, "log", ticked.set)
    with run:
        assert ticked.wait(60)
