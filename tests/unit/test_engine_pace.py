"""The pace: how many are in flight and when the next may leave, on a clock of the test."""

import pytest

from importer.engine.pace import Pace


def proven(most: int, rate: float | None = None) -> Pace:
    """A pace that has had one good answer, at second 0."""
    pace = Pace(most, rate)
    pace.went_well(0.0, 0.1)
    return pace


def test_the_first_request_goes_alone() -> None:
    """Wrong credentials are found out by one request, not by as many as may be in flight."""
    pace = Pace(16, None)
    assert pace.limit == 1
    pace.went_well(0.0, 0.1)
    assert pace.limit == 16


def test_trouble_halves_the_window_once_a_generation() -> None:
    """Many 429 of one burst are one sign, not many."""
    pace = proven(16)
    for _ in range(10):
        pace.went_badly(1.0, 2.0)
    assert pace.limit == 8
    pace.went_badly(2.5, 3.0)
    assert pace.limit == 4


def test_the_window_climbs_back_slowly() -> None:
    """By one for each generation of good answers, up to what was asked for."""
    pace = proven(16)
    pace.went_badly(1.0, 2.0)
    for _ in range(9):
        pace.went_well(2.5, 2.6)
    assert pace.limit == 9
    for _ in range(1000):
        pace.went_well(2.5, 2.6)
    assert pace.limit == 16
    assert pace.lowest == 8


def test_one_is_always_let_through() -> None:
    """However bad it gets."""
    pace = proven(8)
    for second in range(20):
        pace.went_badly(second + 0.5, second + 1.0)
    assert pace.limit == 1


def test_growing_latency_narrows_the_window() -> None:
    """A server that answers ever more slowly is overloaded, even if every answer is good."""
    pace = proven(16)
    for second in range(100):
        pace.went_well(second, second + 5.0)
    assert pace.limit < 16


def test_steady_latency_leaves_the_window_alone() -> None:
    """However high it is."""
    pace = Pace(16, None)
    for second in range(100):
        pace.went_well(second, second + 5.0)
    assert pace.limit == 16


@pytest.mark.parametrize("late", [0.0, 0.004])
def test_the_rate_is_kept(late: float) -> None:
    """Within two per cent over 1,000 departures, although the sender wakes up late."""
    pace, now = Pace(8, 100.0), 50.0
    start = now
    for _ in range(1000):
        now = pace.opens_at(now) + late
        pace.departed(now)
    assert 1000 / (now - start) == pytest.approx(100.0, rel=0.02)


def test_idle_time_is_not_made_up_for() -> None:
    """After a pause there is no burst: at most one more than the rate allows."""
    pace, now = Pace(8, 10.0), 0.0
    pace.departed(now)
    now = 60.0
    sent = 0
    while pace.opens_at(now) <= now:
        pace.departed(now)
        sent += 1
    assert sent <= 2


def test_a_pause_holds_for_all() -> None:
    """Nothing leaves before its end, and an earlier end does not shorten it."""
    pace = proven(8)
    pace.pause(10.0)
    pace.pause(5.0)
    assert pace.opens_at(1.0) == 10.0
    assert pace.opens_at(11.0) == 11.0


def test_pages_of_lists_take_their_turns_among_all_requests() -> None:
    """A list with three pages uses three departures; a request after it waits for the fourth."""
    pace = Pace(8, 10.0)
    pace.departed(0.0)
    assert [pace.take_turn(0.0) for _ in range(2)] == pytest.approx([0.1, 0.2])
    assert pace.opens_at(0.0) == pytest.approx(0.3)
    pace.pause(5.0)
    assert pace.take_turn(1.0) == pytest.approx(4.0)
    assert Pace(8, None).take_turn(1.0) == 0.0


def test_the_step_to_where_it_was_too_much_is_a_slow_one() -> None:
    """A server that can do three at once refuses few, and is still asked now and then for more."""
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
