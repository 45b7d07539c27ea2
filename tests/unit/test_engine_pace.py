"""How many requests are in flight and when the next may leave, with a clock of the test."""

import pytest

from importer.engine.pace import Pace


def proven(most: int, rate: float | None = None) -> Pace:
    """Return a pace with one success, at second 0."""
    pace = Pace(most, rate)
    pace.went_well(0.0, 0.1)
    return pace


def test_first_request_is_alone_in_flight() -> None:
    """Wrong credentials cost one request, not as many as may be in flight."""
    pace = Pace(16, None)
    assert pace.limit == 1
    pace.went_well(0.0, 0.1)
    assert pace.limit == 16


def test_trouble_halves_the_window_once_per_generation() -> None:
    """Many 429 of one burst are one sign of overload."""
    pace = proven(16)
    for _ in range(10):
        pace.went_badly(1.0, 2.0)
    assert pace.limit == 8
    pace.went_badly(2.5, 3.0)
    assert pace.limit == 4


def test_window_grows_slowly() -> None:
    """It grows by one per generation of successes, up to the configured maximum."""
    pace = proven(16)
    pace.went_badly(1.0, 2.0)
    for _ in range(9):
        pace.went_well(2.5, 2.6)
    assert pace.limit == 9
    for _ in range(1000):
        pace.went_well(2.5, 2.6)
    assert pace.limit == 16
    assert pace.lowest == 8


def test_window_is_at_least_one() -> None:
    """However often it is reduced."""
    pace = proven(8)
    for second in range(20):
        pace.went_badly(second + 0.5, second + 1.0)
    assert pace.limit == 1


def test_growing_latency_reduces_the_window() -> None:
    """A server that answers ever more slowly is overloaded, even if all answers are successes."""
    pace = proven(16)
    for second in range(100):
        pace.went_well(second, second + 5.0)
    assert pace.limit < 16


def test_steady_latency_keeps_the_window() -> None:
    """Even if it is high."""
    pace = Pace(16, None)
    for second in range(100):
        pace.went_well(second, second + 5.0)
    assert pace.limit == 16


@pytest.mark.parametrize("late", [0.0, 0.004])
def test_rate_is_kept(late: float) -> None:
    """Within two per cent over 1,000 departures, although the sender wakes up late."""
    pace, now = Pace(8, 100.0), 50.0
    start = now
    for _ in range(1000):
        now = pace.opens_at(now) + late
        pace.departed(now)
    assert 1000 / (now - start) == pytest.approx(100.0, rel=0.02)


def test_idle_time_does_not_lead_to_a_burst() -> None:
    """At most one more than the rate allows."""
    pace, now = Pace(8, 10.0), 0.0
    pace.departed(now)
    now = 60.0
    sent = 0
    while pace.opens_at(now) <= now:
        pace.departed(now)
        sent += 1
    assert sent <= 2


def test_pause_applies_to_all_requests() -> None:
    """Nothing leaves before its end, and a shorter pause does not shorten it."""
    pace = proven(8)
    pace.pause(10.0)
    pace.pause(5.0)
    assert pace.opens_at(1.0) == 10.0
    assert pace.opens_at(11.0) == 11.0


def test_pages_of_lists_count_towards_the_rate() -> None:
    """A list with three pages uses three departures; a request after it waits for the fourth."""
    pace = Pace(8, 10.0)
    pace.departed(0.0)
    assert [pace.take_turn(0.0) for _ in range(2)] == pytest.approx([0.1, 0.2])
    assert pace.opens_at(0.0) == pytest.approx(0.3)
    pace.pause(5.0)
    assert pace.take_turn(1.0) == pytest.approx(4.0)
    assert Pace(8, None).take_turn(1.0) == 0.0


def test_window_returns_slowly_to_its_last_limit() -> None:
    """A server that accepts three at a time refuses few, but more are tried now and then."""
    pace, tried = proven(4), []
    for second in range(1, 41):
        tried.append(pace.limit)
        if pace.limit > 3:
            pace.went_badly(float(second), second + 0.1)
        else:
            for _ in range(pace.limit):
                pace.went_well(float(second), second + 0.1)
    assert tried.count(4) in range(3, 6)
    assert tried.count(3) > 25
