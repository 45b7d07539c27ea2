"""The breaker: when a dead API is left alone, on a clock of the test."""

from random import Random

from importer.delivery.health import Health


def test_trouble_of_one_row_is_its_own() -> None:
    """A row that always fails does not slow the others down."""
    health = Health()
    health.well(-1.0)
    for second in range(600):
        assert health.trouble(1, "http.500", float(second), float(second)) is None
    assert not health.is_probing


def test_trouble_of_many_rows_means_probing_and_then_the_end() -> None:
    """Within two minutes, however slowly the failures come in."""
    health, stop, second = Health(), None, 0.0
    while stop is None:
        stop = health.trouble(int(second), "refused", second, second)
        second += 5.0
    assert health.is_probing
    assert stop.why == "api_down"
    assert second < 90.0


def test_silence_ends_the_run_with_one_request_at_a_time_too() -> None:
    """Each takes 30 seconds to fail, and two minutes are the limit."""
    health, stop, now = Health(), None, 0.0
    health.well(now)
    for row in range(1, 10):
        now += 30.0
        stop = stop or health.trouble(row, "silence", now - 30.0, now)
        if stop:
            break
    assert stop is not None
    assert now <= 120.0


def test_a_good_answer_ends_the_probing() -> None:
    """And the patience begins anew."""
    health = Health()
    for second in range(40):
        health.trouble(second, "refused", float(second), float(second))
    health.well(40.0)
    assert not health.is_probing
    assert health.trouble(41, "refused", 100.0, 100.0) is None


def test_probes_get_rarer() -> None:
    """So that a dead API is left alone: not more than a dozen in the time of patience."""
    random = Random(1)  # noqa: S311 - jitter
    health = Health()
    seconds = probes = 0.0
    while seconds < 45.0:
        seconds += health.next_probe(random)
        probes += 1
    assert probes <= 12


def test_many_missing_orders_before_any_success_end_the_run() -> None:
    """That is the wrong region, not a file full of mistakes."""
    health = Health()
    stops = [health.order_missing(f"order {n}") for n in range(5)]
    assert stops[:4] == [None] * 4
    assert stops[4] is not None


def test_missing_orders_after_a_success_are_the_rows_own() -> None:
    """Once a contact was created, the API is the right one."""
    health = Health()
    health.created()
    assert all(health.order_missing(f"order {n}") is None for n in range(50))


def test_an_api_that_never_worked_is_given_up_whatever_the_number_of_rows() -> None:
    """One row that gets no answer is enough, when nothing else has one either."""
    health = Health()
    stops = [health.trouble(1, "time-out", second, second + 30.0) for second in (0.0, 30.0, 60.0)]
    assert [stop is not None for stop in stops] == [False, False, True]


def test_trouble_of_requests_before_the_last_good_answer_is_the_pace_s() -> None:
    """A server that serves three of thirty at once is there; it must only be asked less."""
    health = Health()
    health.well(10.0)
    for row in range(30):
        assert health.trouble(row, "http.429", 9.0, 11.0) is None
    assert not health.is_probing
