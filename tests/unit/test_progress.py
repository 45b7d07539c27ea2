"""How far a run is, told off a terminal."""

import logging
import threading

import pytest

from importer import progress
from importer.progress import Progress
from importer.records import Status


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """What was logged."""
    monkeypatch.setattr(logging.getLogger("importer"), "propagate", True)
    caplog.set_level(logging.INFO, "importer")
    return caplog


def test_a_line_says_how_much_is_done_and_left(told: pytest.LogCaptureFixture) -> None:
    """By what was done so far."""
    clock = Clock()
    run = Progress(200, bar=False, clock=clock)
    clock.now += 10
    run.advance(50, {Status.CREATED: 48, Status.INVALID: 2})
    run.tell()
    assert (
        told.records[0].getMessage()
        == "50 of 200 (25%) rows: created=48 invalid=2; about 30 s left"
    )
    assert vars(told.records[0])["event"] == "run.progress"
    assert vars(told.records[0])["fields"]["statuses"] == {"created": 48, "invalid": 2}


def test_a_line_says_when_nothing_gets_done(told: pytest.LogCaptureFixture) -> None:
    """An API that is down is seen in the log, not only its absence."""
    clock = Clock()
    run = Progress(200, bar=False, clock=clock)
    clock.now += 60
    run.tell()
    run.advance(1, {Status.CREATED: 1})
    clock.now += 45
    run.tell()
    assert [record.getMessage() for record in told.records] == [
        "0 of 200 (0%) rows: none yet; no row got done for 60 s",
        "1 of 200 (0%) rows: created=1; no row got done for 45 s",
    ]


def test_without_a_total_it_says_what_it_knows(told: pytest.LogCaptureFixture) -> None:
    """A dry run does not count beforehand."""
    run = Progress(None, bar=False, clock=Clock())
    run.advance(3, {Status.VALID: 3})
    run.tell()
    assert told.records[0].getMessage() == "3 rows: valid=3"


def test_lines_come_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any row that gets done, until the run ends."""
    ticked = threading.Event()
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.001)
    run = Progress(5, bar=False)
    monkeypatch.setattr(run, "tell", ticked.set)
    with run:
        assert ticked.wait(60)
