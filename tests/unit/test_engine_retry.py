"""The delay before another attempt."""

from random import Random

import pytest
from procedures import answer

from importer.engine import Retry, backoff

RANDOM = Random(1)  # noqa: S311 - jitter


@pytest.mark.parametrize(
    ("attempt", "cap"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (1000, 30.0)]
)
def test_backoff_is_capped_and_jittered(attempt: int, cap: float) -> None:
    """Full jitter between zero and a limit that doubles up to 30 seconds."""
    delays = [backoff(attempt, RANDOM) for _ in range(500)]
    assert max(delays) <= cap
    assert min(delays) < cap * 0.05
    assert max(delays) > cap * 0.95


@pytest.mark.parametrize("attempt", range(1, 5))
def test_delay_is_never_shorter_than_retry_after(attempt: int) -> None:
    """Jitter is added to it."""
    delays = {Retry(5, RANDOM).delay(answer(429, retry_after=2.0), attempt) for _ in range(5)}
    assert min(delays) >= 2.0
    assert len(delays) == 5


@pytest.mark.parametrize(
    ("failure", "failures", "ends"),
    [
        (answer(500), 1, False),
        (answer(500), 5, True),
        (answer(404), 1, True),
        (answer(408), 1, False),
    ],
)
def test_reading_is_given_up(failure: object, failures: int, ends: bool) -> None:  # noqa: FBT001
    """After the last attempt, or a refusal that would only be repeated."""
    assert Retry(5, RANDOM).reading_fails(failure, failures) is ends  # type: ignore[arg-type]
