"""When the sandbox misbehaves: shares, turns, latency and the rate limit."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from importer.sandbox.api import Call
from importer.sandbox.faults import Action, Dice, Latency, Misbehaviour, RateLimit, Rule

ORDERS = [f"order-{number}" for number in range(400)]


def rule(**changes: object) -> Rule:
    """Return a rule that drops the connection."""
    return replace(Rule(action=Action.DROP, name="drop"), **changes)  # type: ignore[arg-type]


def befallen(
    rules: Sequence[Rule], requests: Sequence[tuple[Call, str]], seed: int = 0
) -> list[int]:
    """Return which requests go wrong, counted from 1."""
    dice = Dice(Misbehaviour(seed=seed, rules=tuple(rules)))
    return [
        turn
        for turn, (call, order) in enumerate(requests, start=1)
        if dice.fault(call, order) is not None
    ]


@pytest.mark.parametrize(
    ("changes", "turns"),
    [
        pytest.param({}, [1, 2, 3, 4, 5, 6], id="always"),
        pytest.param({"turns": frozenset({2, 5})}, [2, 5], id="by turn"),
        pytest.param({"every": 3}, [3, 6], id="every third"),
        pytest.param({"orders": frozenset({"b"})}, [2, 4, 6], id="by order"),
        pytest.param({"calls": frozenset({Call.LIST})}, [5, 6], id="by call"),
        pytest.param(
            {"orders": frozenset({"b"}), "turns": frozenset({2})}, [4], id="turn of an order"
        ),
        pytest.param({"share": 1.0}, [1, 2, 3, 4, 5, 6], id="a share of all"),
        pytest.param({"share": 1e-300}, [], id="hardly ever"),
    ],
)
def test_a_rule_befalls_the_requests_that_it_names(
    changes: dict[str, Any], turns: list[int]
) -> None:
    """Orders, calls and turns select; turns count only the requests that match."""
    requests = [(Call.CREATE, "a"), (Call.CREATE, "b")] * 2 + [(Call.LIST, "a"), (Call.LIST, "b")]
    assert befallen([rule(**changes)], requests) == turns


def test_the_first_rule_that_befalls_decides() -> None:
    """Rules are asked in the order of the file, and each counts the requests that it matches."""
    dice = Dice(Misbehaviour(rules=(rule(name="one", every=2), rule(name="two", every=2))))
    faults = [dice.fault(Call.CREATE, "a") for _ in range(4)]
    assert [fault and fault.name for fault in faults] == [None, "one", None, "one"]


def test_a_share_is_about_that_share() -> None:
    """Of 400 requests a share of a tenth befalls about forty."""
    count = len(befallen([rule(share=0.1)], [(Call.CREATE, order) for order in ORDERS]))
    assert 20 < count < 60


def test_a_share_does_not_depend_on_how_orders_interleave() -> None:
    """The same requests of each order meet the same faults in whatever order they arrive."""
    steps = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1)]
    met = set()
    for arrival in permutations(steps):
        in_turn = all(arrival.index((name, 1)) < arrival.index((name, 2)) for name in "ab")
        if in_turn:
            turns = befallen([rule(share=0.5)], [(Call.CREATE, order) for order, _ in arrival], 3)
            met.add(frozenset(arrival[turn - 1] for turn in turns))
    assert len(met) == 1


def test_seeds_differ() -> None:
    """Another seed befalls other requests, the same seed the same ones."""
    requests = [(Call.CREATE, order) for order in ORDERS]
    first, again, other = (befallen([rule(share=0.1)], requests, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_a_new_rule_leaves_the_shares_above_it_as_they_are() -> None:
    """A rule added below changes nothing for the requests that rules above it befall."""
    requests = [(Call.CREATE, order) for order in ORDERS]
    alone = befallen([rule(share=0.1)], requests)
    assert set(alone) < set(befallen([rule(share=0.1), rule(share=0.1)], requests))


@pytest.mark.parametrize(
    ("latency", "draw", "seconds"),
    [
        pytest.param(Latency(), 0.5, 0.0, id="none"),
        pytest.param(Latency(0.2, 0.2), 0.5, 0.2, id="fixed"),
        pytest.param(Latency(0.1, 0.3), 0.5, 0.2, id="even"),
        pytest.param(Latency(mean=2.0), 0.0, 0.0, id="exponential, least"),
        pytest.param(Latency(mean=2.0), 1 - 1 / 2.718281828459045, 2.0, id="exponential"),
    ],
)
def test_latency_is_spread_as_told(latency: Latency, draw: float, seconds: float) -> None:
    """A draw becomes a wait by the spread."""
    assert latency.seconds(lambda: draw) == pytest.approx(seconds)


def test_latencies_of_an_order_repeat_with_the_seed() -> None:
    """Two sandboxes with one seed make each order wait the same times."""
    pair = [Dice(Misbehaviour(seed=4, latency=Latency(0.0, 1.0))) for _ in range(2)]
    waits = [[dice.latency("a") for _ in range(3)] for dice in pair]
    assert waits[0] == waits[1]
    assert len(set(waits[0])) == 3


def test_the_rate_limit_lets_a_burst_through_and_then_the_rate() -> None:
    """After as many requests as one second allows, one more gets through as time allows it."""
    now = [0.0]
    limit = RateLimit(2, lambda: now[0])
    assert [limit.wait() for _ in range(3)] == [0, 0, 1]
    now[0] = 0.5
    assert [limit.wait() for _ in range(2)] == [0, 1]
    now[0] = 100.0
    assert [limit.wait() for _ in range(3)] == [0, 0, 1]


def test_a_slow_rate_says_how_long_to_wait() -> None:
    """Retry-After is long enough for the next request to get through."""
    now = [0.0]
    limit = RateLimit(0.25, lambda: now[0])
    assert [limit.wait() for _ in range(2)] == [0, 4]
    now[0] = 4.0
    assert limit.wait() == 0
