"""The measurements and their tables."""

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from tests.benchmarks.growth import Point, draw
from tests.benchmarks.runs import (
    AIOHTTP,
    DLT,
    LOOP,
    POOL,
    PROGRAM,
    ROOT,
    SESSION,
    Bench,
    Client,
    Run,
)

_CURVE = (1_000, 10_000, 50_000, 100_000, 1_000_000)
GROWTH_PLOT = ROOT / "tests" / "benchmarks" / "growth.svg"

Rows = int
Table = Iterator[tuple[str, ...]]


def without_latency(bench: Bench, rounds: int, rows: Rows | None) -> Table:
    """Measure the time per row, all clients in turn."""
    rows = rows or 10_000
    clients = _there((LOOP, SESSION, POOL, AIOHTTP, DLT, PROGRAM))
    runs = _interleaved(clients, rounds, lambda client: bench.send(client, rows))
    yield "no latency", "rows/s", "x the loop", "x one Session", "CPU ms a row"
    for client in clients:
        yield (
            client.name,
            f"{rows / _seconds(runs[client]):,.0f}",
            f"{_ratio(runs[LOOP], runs[client]):.2f}",
            f"{_ratio(runs[SESSION], runs[client]):.2f}",
            f"{1000 * median(run.cpu for run in runs[client]) / rows:.3f}",
        )


def latency(bench: Bench, rounds: int, rows: Rows | None) -> Table:
    """Measure the share of the ideal, which is rows x latency / requests in flight."""
    clients = _there((POOL, AIOHTTP, PROGRAM))
    yield "share of the ideal", "whole", "without start-up", "CPU ms a row"
    for seconds, in_flight in ((0.02, 16), (0.02, 64), (0.1, 16)):
        count = rows or int(10 * in_flight / seconds)
        ideal = count * seconds / in_flight

        def send(client: Client, s: float = seconds, c: int = in_flight, n: int = count) -> Run:
            return bench.send(client, n, s, c)

        def start(client: Client, s: float = seconds, c: int = in_flight) -> Run:
            return bench.send(client, 1, s, c)

        runs = _interleaved(clients, rounds, send)
        starts = _interleaved(clients, rounds, start)
        for client in clients:
            took, before = _seconds(runs[client]), _seconds(starts[client]) - seconds
            yield (
                f"{1000 * seconds:.0f} ms, {in_flight} in flight: {client.name}",
                f"{ideal / took:.3f}",
                f"{ideal / (took - before):.3f}",
                f"{1000 * median(run.cpu for run in runs[client]) / count:.3f}",
            )


def dry_run(bench: Bench, rounds: int, rows: Rows | None) -> Table:
    """Measure how fast a file is validated."""
    rows = rows or 100_000
    runs = [_judge(bench, rows) for _ in range(rounds)]
    yield "--dry-run", "rows/s", "CPU ms a row"
    cpu = 1000 * median(run.cpu for run in runs) / rows
    yield f"{rows:,} rows", f"{rows / _seconds(runs):,.0f}", f"{cpu:.3f}"


def _judge(bench: Bench, rows: Rows) -> Run:
    source = bench.source(rows)
    with bench.without_server():
        return bench.program(source, "--dry-run", "--out", source.with_suffix(".results.csv"))


def start_up(bench: Bench, rounds: int, _: Rows | None) -> Table:
    """Measure the time of the shortest runs."""
    help_runs, row_runs = [], []
    for _round in range(rounds):
        help_runs.append(bench.program("--help"))
        row_runs.append(bench.send(PROGRAM, 1))
    yield "start-up", "seconds", "CPU seconds"
    for name, runs in (("--help", help_runs), ("one row, sent", row_runs)):
        yield name, f"{_seconds(runs):.2f}", f"{median(run.cpu for run in runs):.2f}"


def growth(bench: Bench, _: int, rows: Rows | None) -> Table:
    """Measure time and memory by file size, without latency; one run each."""
    counts = [count for count in _CURVE if count <= (rows or max(_CURVE))]
    points = []
    yield "growth", "seconds", "rows/s", "peak MiB"
    for count in counts:
        run = bench.send(PROGRAM, count)
        points.append(Point(count, run.seconds, run.peak))
        rate = f"{count / run.seconds:,.0f}"
        yield f"{count:,} rows", f"{run.seconds:.1f}", rate, f"{run.peak:.0f}"
    if counts == list(_CURVE):
        GROWTH_PLOT.write_text(draw(points), encoding="utf-8")


EXPERIMENTS = {
    "start": start_up,
    "dry-run": dry_run,
    "no-latency": without_latency,
    "latency": latency,
    "growth": growth,
}


def _there(clients: Sequence[Client]) -> list[Client]:
    return [client for client in clients if importlib.util.find_spec(client.needs)]


def _interleaved(
    clients: Sequence[Client], rounds: int, run: Callable[[Client], Run]
) -> dict[Client, list[Run]]:
    """Run all in turn, repeatedly, so that a busy minute affects all of them alike."""
    runs: dict[Client, list[Run]] = {client: [] for client in clients}
    for _ in range(rounds):
        for client in clients:
            runs[client].append(run(client))
    return runs


def _seconds(runs: Sequence[Run]) -> float:
    return median(run.seconds for run in runs)


def _ratio(others: Sequence[Run], own: Sequence[Run]) -> float:
    """Return the ratio of their times, round by round."""
    return median(a.seconds / b.seconds for a, b in zip(others, own, strict=True))
