"""Probing, permissions and reasons to stop, with a clock of the test."""

from random import Random

import pytest
from procedures import ORDER, REF, answer, listing, success

from importer.api import Answer
from importer.api.calls import Call, CreateContact, DeleteContact, ListContacts, UpdateContact
from importer.engine import Health, Pace

CREATE = CreateContact(ORDER, b"{}")
LIST = ListContacts(ORDER)
BUSY = answer(429)
DEAD = answer(code="network.connect")


def health(*, most: int = 32, proven: bool = True) -> Health:
    """Return the health of a run, by default with a success at second 0."""
    made = Health(Pace(most, None), Random(1))  # noqa: S311 - jitter
    if proven:
        made.observe(0, success(), -0.1, 0.0)
    return made


def test_trouble_of_one_row_does_not_slow_the_others() -> None:
    """It may be caused by the row itself."""
    run = health()
    for second in range(1, 600):
        assert run.observe(1, answer(500), float(second), float(second)) is None
    assert not run.is_probing


def test_trouble_of_many_rows_leads_to_probing_and_then_to_a_stop() -> None:
    """Within two minutes, even if failures arrive slowly."""
    run, stop, second = health(proven=False), None, 0.0
    while stop is None:
        stop = run.observe(int(second), DEAD, second, second)
        second += 5.0
    assert run.is_probing
    assert stop.why == "api_down"
    assert second < 90.0


def test_silence_ends_the_run_with_one_request_at_a_time_too() -> None:
    """Each request takes 30 seconds to fail, and the limit is two minutes."""
    run, stop, now = health(), None, 0.0
    silence = answer(code="network.timeout")
    for row in range(1, 10):
        now += 30.0
        stop = run.observe(row, silence, now - 30.0, now)
        if stop:
            break
    assert stop is not None
    assert now <= 120.0


def test_good_answer_ends_the_probing() -> None:
    """The limit of two minutes starts again."""
    run = health(proven=False)
    for second in range(40):
        run.observe(second, DEAD, float(second), float(second))
    run.observe(40, success(), 40.0, 40.0)
    assert not run.is_probing
    assert run.observe(41, DEAD, 100.0, 100.0) is None


def test_burst_of_refusals_is_one_reason_to_wait() -> None:
    """A server that accepts three at a time refuses 29 of 32: these are not 29 failed probes."""
    run = health()
    for row in range(29):
        run.observe(row, BUSY, 1.0, 1.01)
    assert run.is_probing
    assert run.pace.opens_at(1.01) < 2.0
    assert run.pace.limit == 16


def test_success_in_flight_ends_the_wait_for_a_probe() -> None:
    """The API works, whatever the other requests in flight return."""
    run = health()
    for row in range(29):
        run.observe(row, BUSY, 1.0, 1.01)
    run.observe(30, success(), 1.0, 1.05)
    assert not run.is_probing
    assert run.pace.opens_at(1.05) == 1.05


def test_good_answer_does_not_shorten_a_pause() -> None:
    """``Retry-After`` applies to every request."""
    run = health()
    run.observe(1, answer(429, retry_after=5.0), 1.0, 1.1)
    run.observe(2, success(), 1.0, 1.2)
    assert run.pace.opens_at(1.2) == 6.1


def test_intervals_of_failed_probes_grow() -> None:
    """A dead API receives at most a dozen probes before the run stops."""
    run, now, pauses = health(), 1.0, []
    for row in range(12):
        run.observe(row, DEAD, now, now)
        left = run.pace.opens_at(now)
        pauses.append(left - now)
        now = left
    assert pauses[:4] == [0.0] * 4
    assert pauses[-1] > 4 * pauses[4]
    assert sum(pauses) > 20.0


@pytest.mark.parametrize("dead", [DEAD, answer(code="network.tls")])
def test_missing_connection_does_not_count_as_overload(dead: Answer) -> None:
    """Fewer requests in flight would not help."""
    run = health()
    for second in range(1, 10):
        run.observe(second, dead, float(second), float(second))
    assert run.pace.lowest == 32


@pytest.mark.parametrize("busy", [BUSY, answer(500), answer(code="network.timeout")])
def test_overload_halves_the_requests_in_flight(busy: Answer) -> None:
    """Only once for all requests that were sent before."""
    run = health()
    for row in range(3):
        run.observe(row, busy, 1.0, 1.1)
    assert run.pace.lowest == 16


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (answer(401), "credentials"),
        (answer(code="network.tls"), "tls"),
        (answer(301), "redirect"),
        (answer(308), "redirect"),
        (answer(415), "media_type"),
        (answer(429, retry_after=121.0), "retry_after"),
        (answer(503, api=False, retry_after=3600.0), "retry_after"),
        (answer(503, retry_after=3600.0), "retry_after"),
    ],
    ids=lambda one: one if isinstance(one, str) else one.error_code,
)
@pytest.mark.parametrize(
    "call", [CREATE, LIST, DeleteContact(REF)], ids=lambda one: type(one).__name__
)
def test_answer_that_ends_the_run(call: Call, last: Answer, why: str) -> None:
    """For any call."""
    stop = health().stop_for(call, last)
    assert stop is not None
    assert stop.why == why


@pytest.mark.parametrize(
    "last",
    [
        answer(400),
        answer(404),
        answer(500),
        answer(429, retry_after=119.0),
        answer(503, api=False, retry_after=60.0),
        answer(code="network.timeout"),
        DEAD,
    ],
)
def test_answer_that_does_not_end_the_run(last: Answer) -> None:
    """Other rows may succeed."""
    assert health().stop_for(CREATE, last) is None


class TestForbidden:
    """403, because of the credentials or of a firewall that refuses one record."""

    def test_it_ends_the_run_before_any_success(self) -> None:
        """The credentials must be wrong."""
        stop = health().stop_for(CREATE, answer(403))
        assert stop is not None
        assert stop.why == "credentials"

    def test_after_a_success_it_concerns_only_the_row(self) -> None:
        """Four in a row may be four such records."""
        run = health()
        run.stop_for(CREATE, success())
        for _ in range(10):
            assert [run.stop_for(CREATE, answer(403)) for _ in range(4)] == [None] * 4
            run.stop_for(CREATE, success())

    def test_five_in_a_row_end_the_run(self) -> None:
        """Other answers between them do not count as successes."""
        run = health()
        run.stop_for(CREATE, success())
        stops = []
        for _ in range(5):
            stops.append(run.stop_for(CREATE, answer(403)))
            run.stop_for(CREATE, answer(400))
        assert [stop and stop.why for stop in stops] == [None] * 4 + ["credentials"]

    def test_successful_reading_does_not_permit_changing(self) -> None:
        """A token may be allowed to read only."""
        run = health()
        run.observe_list(listing(), 0.0, 0.1)
        assert run.stop_for(LIST, answer(403)) is None
        assert run.stop_for(UpdateContact(REF, b"{}"), answer(403)) is not None


def test_run_is_unreachable_if_nothing_ever_answered() -> None:
    """Any answer, even a refusal, shows that a server exists."""
    run = health(proven=False)
    assert not run.is_unreachable
    run.observe(1, DEAD, 0.0, 0.1)
    assert run.is_unreachable
    run.observe(1, answer(500), 0.2, 0.3)
    assert not run.is_unreachable
