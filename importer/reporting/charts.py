"""The shapes of the report's charts, in the units of their own boxes.

The width of a box is the number of slices, its height 100, and the page stretches it to the width
of the screen. Text is outside of the box, so that it keeps its size on a phone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from importer.metrics import Metrics, Slice

_HEIGHT: Final = 100.0
_GAP: Final = 0.08  # of a slice, on each side of a bar
_PERCENTILES: Final = (50, 95, 99)
_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Mark:
    """A grid line with its label; ``top`` is its distance from the top in percent of the height."""

    top: float
    label: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One series of a chart.

    Attributes:
        name: Its name in the legend.
        path: Its outline, the ``d`` of an SVG path.
    """

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Attributes:
        title: What it shows, with its unit.
        width: Width of its box.
        shapes: The series, from back to front.
        marks: The grid lines.
        times: Labels of the time axis, from left to right.
        kind: ``area`` when shapes are filled, ``line`` when they are strokes.
        says: What it shows, in words, for screen readers.
    """

    title: str
    width: int
    shapes: tuple[Shape, ...]
    marks: tuple[Mark, ...]
    times: tuple[str, ...]
    kind: str
    says: str


def charts(metrics: Metrics) -> tuple[Chart, ...]:
    """Return the charts of a run's requests; empty when it sent none."""
    slices = metrics.slices
    if not slices:
        return ()
    end = len(slices) * metrics.width
    times = tuple(duration(end * part / 4) for part in range(5))
    return (
        _requests(slices, metrics.width, times),
        _latencies(slices, times),
        _in_flight(slices, times),
    )


def duration(seconds: float) -> str:
    """Return a time span as people write it."""
    if seconds < _MINUTE:
        return f"{seconds:.3g} s" if seconds >= 1 or not seconds else f"{seconds * 1000:.3g} ms"
    minutes, rest = divmod(round(seconds), _MINUTE)
    if seconds < _HOUR:
        return f"{minutes} min {rest:02} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes:02} min"


def _requests(slices: Sequence[Slice], width: float, times: tuple[str, ...]) -> Chart:
    rates = [one.requests / width for one in slices]
    troubles = [one.trouble / width for one in slices]
    top = _ceiling(max(rates))
    return Chart(
        "Requests a second",
        len(slices),
        (
            Shape("without trouble", _bars(troubles, rates, top)),
            Shape("with trouble", _bars([0.0] * len(slices), troubles, top)),
        ),
        _marks(top),
        times,
        "area",
        f"Requests a second, over {times[-1]}: at most {max(rates):,.3g}, "
        f"of which at most {max(troubles):,.3g} with trouble.",
    )


def _latencies(slices: Sequence[Slice], times: tuple[str, ...]) -> Chart:
    found = {percent: [one.percentile(percent) for one in slices] for percent in _PERCENTILES}
    known = [value for values in found.values() for value in values if value is not None]
    low = math.floor(math.log10(min(known)))
    high = max(low + 1, math.ceil(math.log10(max(known))))

    def height(value: float) -> float:
        return _HEIGHT * (1.0 - (math.log10(value) - low) / (high - low))

    return Chart(
        "Time to complete",
        len(slices),
        tuple(
            Shape(
                f"{percent} %", _steps([None if v is None else height(v) for v in found[percent]])
            )
            for percent in reversed(_PERCENTILES)
        ),
        tuple(Mark(height(10.0**power), duration(10.0**power)) for power in range(low, high + 1)),
        times,
        "line",
        f"Time within which 50, 95 and 99 percent of the requests completed, over {times[-1]}: "
        f"between {duration(min(known))} and {duration(max(known))}.",
    )


def _in_flight(slices: Sequence[Slice], times: tuple[str, ...]) -> Chart:
    most = [float(one.in_flight) for one in slices]
    top = _ceiling(max(most))
    shape = Shape("most at once", _bars([0.0] * len(slices), most, top, gap=0.0))
    says = f"Requests in flight, over {times[-1]}: at most {max(most):.0f}."
    return Chart("Requests in flight", len(slices), (shape,), _marks(top), times, "area", says)


def _bars(low: Sequence[float], high: Sequence[float], top: float, gap: float = _GAP) -> str:
    return "".join(
        f"M{x + gap:.2f} {_HEIGHT * (1 - lower / top):.2f}"
        f"V{_HEIGHT * (1 - upper / top):.2f}h{1 - 2 * gap:.2f}"
        f"V{_HEIGHT * (1 - lower / top):.2f}z"
        for x, (lower, upper) in enumerate(zip(low, high, strict=True))
        if upper > lower
    )


def _steps(heights: Sequence[float | None]) -> str:
    path = ""
    before: float | None = None
    for x, height in enumerate(heights):
        if height is not None:
            path += f"M{x} {height:.2f}" if before is None else f"V{height:.2f}"
            path += f"H{x + 1}"
        before = height
    return path


def _ceiling(value: float) -> float:
    """Return the next round number: 1, 2, 5 or 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _marks(top: float) -> tuple[Mark, ...]:
    return tuple(Mark(_HEIGHT * (1 - part), f"{top * part:,.4g}") for part in (0.0, 0.5, 1.0))
