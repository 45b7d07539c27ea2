"""When faults happen: shares, turns, latency and the rate limit."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from importer.sandbox.faults import FaultAction, FaultPicker, FaultRule, Faults, Latency, RateLimit
from importer.sandbox.messages import Call

ORDERS = [f"order-{number}" for number in range(400)]


def rule(**changes: object) -> FaultRule:
    """Return a rule that drops the connection."""
    return replace(FaultRule(action=FaultAction.DROP, name="drop"), **changes)  # type: ignore[arg-type]


def faulty(
    rules: Sequence[FaultRule], requests: Sequence[tuple[Call, str]], seed: int = 0
) -> list[int]:
    """Return the requests that a fault happens to, counted from 1."""
    picker = FaultPicker(Faults(seed=seed, rules=tuple(rules)))
    return [
        turn
        for turn, (call, order) in enumerate(requests, start=1)
        if picker.pick(call, order) is not None
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
        pytest.param({"share": 1e-300}, [], id="nearly never"),
    ],
)
def test_rule_happens_to_the_requests_it_selects(changes: dict[str, Any], turns: list[int]) -> None:
    """Orders, calls and turns select; turns count only the requests that match."""
    requests = [(Call.CREATE, "a"), (Call.CREATE, "b")] * 2 + [(Call.LIST, "a"), (Call.LIST, "b")]
    assert faulty([rule(**changes)], requests) == turns


def test_first_rule_that_happens_is_used() -> None:
    """Rules apply in file order, and each counts the requests that it matches."""
    picker = FaultPicker(Faults(rules=(rule(name="one", every=2), rule(name="two", every=2))))
    faults = [picker.pick(Call.CREATE, "a") for _ in range(4)]
    assert [fault and fault.name for fault in faults] == [None, "one", None, "one"]


def test_share_is_close_to_the_requested_share() -> None:
    """A share of a tenth happens to about 40 of 400 requests."""
    count = len(faulty([rule(share=0.1)], [(Call.CREATE, order) for order in ORDERS]))
    assert 20 < count < 60


def test_a_share_does_not_depend_on_how_orders_interleave() -> None:
    """The same requests of each order meet the same faults in whatever order they arrive."""
    steps = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1)]
    met = set()
    for arrival in permutations(steps):
        in_turn = all(arrival.index((name, 1)) < arrival.index((name, 2)) for name in "ab")
        if in_turn:
            turns = faulty([rule(share=0.5)], [(Call.CREATE, order) for order, _ in arrival], 3)
            met.add(frozenset(arrival[turn - 1] for turn in turns))
    assert len(met) == 1


def test_seeds_differ() -> None:
    """Another seed selects other requests, the same seed the same ones."""
    requests = [(Call.CREATE, order) for order in ORDERS]
    first, again, other = (faulty([rule(share=0.1)], requests, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_a_new_rule_leaves_the_shares_above_it_as_they_are() -> None:
    """A rule added below does not change which requests the rules above it happen to."""
    requests = [(Call.CREATE, order) for order in ORDERS]
    alone = faulty([rule(share=0.1)], requests)
    assert set(alone) < set(faulty([rule(share=0.1), rule(share=0.1)], requests))


@pytest.mark.parametrize(
    ("latency", "draw", "seconds"),
    [
        pytest.param(Latency(), 0.5, 0.0, id="none"),
        pytest.param(Latency(0.2, 0.2), 0.5, 0.2, id="fixed"),
        pytest.param(Latency(0.1, 0.3), 0.5, 0.2, id="uniform"),
        pytest.param(Latency(mean=2.0), 0.0, 0.0, id="exponential, minimum"),
        pytest.param(Latency(mean=2.0), 1 - 1 / 2.718281828459045, 2.0, id="exponential"),
    ],
)
def test_latency_follows_its_distribution(latency: Latency, draw: float, seconds: float) -> None:
    """A random number becomes a wait by the distribution."""
    assert latency.seconds(lambda: draw) == pytest.approx(seconds)


def test_latencies_of_an_order_repeat_with_the_seed() -> None:
    """Two sandboxes with the same seed have the same waits for an order."""
    pair = [FaultPicker(Faults(seed=4, latency=Latency(0.0, 1.0))) for _ in range(2)]
    waits = [[picker.latency("a") for _ in range(3)] for picker in pair]
    assert waits[0] == waits[1]
    assert len(set(waits[0])) == 3


def test_rate_limit_allows_a_burst_and_then_the_rate() -> None:
    """After a burst of one second's requests, further ones are accepted at the rate."""
    now = [0.0]
    limit = RateLimit(2, lambda: now[0])
    assert [limit.wait() for _ in range(3)] == [0, 0, 1]
    now[0] = 0.5
    assert [limit.wait() for _ in range(2)] == [0, 1]
    now[0] = 100.0
    assert [limit.wait() for _ in range(3)] == [0, 0, 1]


def test_slow_rate_reports_how_long_to_wait() -> None:
    """Retry-After is long enough for the next request to be accepted."""
    now = [0.0]
    limit = RateLimit(0.25, lambda: now[0])
    assert [limit.wait() for _ in range(2)] == [0, 4]
    now[0] = 4.0
    assert limit.wait() == 0
