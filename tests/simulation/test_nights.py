"""The promise holds in every simulated night."""

import pytest

from tests.simulation.scenario import play


def _play(seeds: range) -> int:
    return sum(play(seed) for seed in seeds)


def test_promise_holds_in_hundreds_of_nights() -> None:
    """Each seed is a sequence of nights; a failure names its seed and tells its story."""
    assert _play(range(60)) >= 300


@pytest.mark.slow
def test_promise_holds_in_ten_thousand_nights() -> None:
    """Other seeds than those of the quick test."""
    assert _play(range(1_000, 3_000)) >= 10_000


def test_a_seed_always_plays_the_same_scenario() -> None:
    """Or a failure could not be reproduced."""
    stories: list[list[str]] = [[], []]
    for story in stories:
        play(3, story)
    assert stories[0] == stories[1]
