"""The plot of time and memory by file size."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 300, 190, 46, 34, 96
_STYLE = (
    "text{font:12px sans-serif;fill:#57606a}.grid{stroke:#8c959f;stroke-opacity:.35}"
    ".line{fill:none;stroke:#0969da;stroke-width:2}circle{fill:#0969da}.title{font-weight:bold}"
)


class Point(NamedTuple):
    """The measurement of one file size; seconds and MiB."""

    rows: int
    seconds: float
    peak: float


def draw(points: Sequence[Point]) -> str:
    """Draw the plot as SVG: time on two logarithmic scales, memory on one."""
    decades = range(
        math.floor(math.log10(min(point.seconds for point in points))),
        math.ceil(math.log10(max(point.seconds for point in points))) + 1,
    )
    marks = {math.log10(10.0**decade): f"{10.0**decade:g}" for decade in decades}
    most = 50 * math.ceil(max(point.peak for point in points) / 50 + 0.5)
    memory = {float(mark): str(mark) for mark in range(0, most + 1, 50)}
    panels = (
        _panel(0, "Seconds from start to exit", points, marks, lambda p: math.log10(p.seconds)),
        _panel(1, "Peak memory, MiB", points, memory, lambda p: p.peak),
    )
    width, height = 2 * (_LEFT + _WIDTH) + _GAP, _HEIGHT + _TOP + 46
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" '
        f'aria-label="Time grows with the rows, memory does not">\n'
        f"<style>{_STYLE}</style>\n{''.join(panels)}</svg>\n"
    )


def _panel(
    number: int,
    title: str,
    points: Sequence[Point],
    marks: dict[float, str],
    of: Callable[[Point], float],
) -> str:
    left = _LEFT + number * (_WIDTH + _GAP)
    low, high = min(marks), max(marks)
    least, most = math.log10(points[0].rows), math.log10(points[-1].rows)

    def x(rows: int) -> float:
        return left + _WIDTH * (math.log10(rows) - least) / (most - least)

    def y(value: float) -> float:
        return _TOP + _HEIGHT * (high - value) / (high - low)

    lines = [f'<text class="title" x="{left}" y="{_TOP - 14}">{title}</text>']
    for mark, label in marks.items():
        lines.append(f'<path class="grid" d="M{left} {y(mark):.1f}h{_WIDTH}"/>')
        lines.append(f'<text x="{left - 6}" y="{y(mark) + 4:.1f}" text-anchor="end">{label}</text>')
    path = "L".join(f"{x(point.rows):.1f} {y(of(point)):.1f}" for point in points)
    lines.append(f'<path class="line" d="M{path}"/>')
    for point in points:
        lines.append(f'<circle cx="{x(point.rows):.1f}" cy="{y(of(point)):.1f}" r="3"/>')
        if math.log10(point.rows).is_integer():
            below = _TOP + _HEIGHT + 18
            lines.append(
                f'<text x="{x(point.rows):.1f}" y="{below}" text-anchor="middle">'
                f"{point.rows:,}</text>"
            )
    lines.append(
        f'<text x="{left + _WIDTH / 2}" y="{_TOP + _HEIGHT + 36}" text-anchor="middle">rows</text>'
    )
    return "\n".join(lines) + "\n"
