"""Statistics of requests over time, in memory that does not grow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.metrics import Metrics

MOST_SLICES = 96


def test_run_without_requests_has_no_slices() -> None:
    """And no percentiles."""
    metrics = Metrics()
    assert list(metrics.slices) == []
    assert metrics.total.percentile(50) is None


def test_requests_are_counted_in_slices_of_time() -> None:
    """Each in the slice in which it ended."""
    metrics = Metrics()
    for now, trouble, in_flight in ((5.02, False, 1), (5.1, True, 4), (5.6, False, 2)):
        metrics.observe(now, 0.02, trouble, in_flight)
    found = [(one.requests, one.trouble, one.in_flight) for one in metrics.slices]
    assert found == [(2, 1, 4), (0, 0, 0), (1, 0, 2)]


def test_long_request_is_in_flight_in_every_slice() -> None:
    """Also in those in which no request ended."""
    metrics = Metrics()
    metrics.observe(101.0, 1.0, True, 1)  # noqa: FBT003
    assert [one.in_flight for one in metrics.slices] == [1, 1, 1, 1, 1]
    assert [one.requests for one in metrics.slices] == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("hours", [0.01, 1, 30, 24 * 365])
def test_number_of_slices_is_limited_however_long_a_run_is(hours: float) -> None:
    """Slices become longer instead, and every request is counted."""
    metrics = Metrics()
    for number in range(5000):
        metrics.observe(100 + hours * 3600 * number / 5000, 0.1, False, 3)  # noqa: FBT003
    assert len(metrics.slices) <= MOST_SLICES
    assert sum(one.requests for one in metrics.slices) == 5000
    assert metrics.width * len(metrics.slices) >= hours * 3600 * 0.999


def test_long_pause_adds_no_slices() -> None:
    """As of a machine that slept for a year."""
    metrics = Metrics()
    metrics.observe(0.0, 0.1, False, 1)  # noqa: FBT003
    metrics.observe(4e7, 0.1, False, 1)  # noqa: FBT003
    assert len(metrics.slices) <= MOST_SLICES


@given(st.lists(st.floats(0.001, 300.0), min_size=1, max_size=200))
def test_percentile_is_right_within_five_percent(seconds: list[float]) -> None:
    """Compared with the sorted list of all requests."""
    metrics = Metrics()
    for one in seconds:
        metrics.observe(1.0, one, False, 1)  # noqa: FBT003
    for percent in (50, 95, 99):
        place = max(0, -(-len(seconds) * percent // 100) - 1)
        assert metrics.total.percentile(percent) == pytest.approx(sorted(seconds)[place], rel=0.05)


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.floats(0, 1e4), st.booleans(), st.integers(1, 256)),
        max_size=100,
    )
)
def test_counts_add_up_for_any_requests(observed: list[tuple[float, float, bool, int]]) -> None:
    """Also when the clock goes back, and for latencies beyond the last bin."""
    metrics = Metrics()
    for one in observed:
        metrics.observe(*one)
    total = metrics.total
    assert total.requests == sum(total.latencies) == len(observed)
    assert total.trouble == sum(trouble for _, _, trouble, _ in observed)
    assert total.in_flight == max((most for *_, most in observed), default=0)
