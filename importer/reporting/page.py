"""The report: one HTML page about a run that loads nothing else.

It holds figures and settings only: no cell, no credential, no text of the API.

Source: docs/report.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import jinja2

from importer._version import __version__
from importer.errors import ExitStatus
from importer.log import counted
from importer.metrics import Metrics
from importer.records import Status
from importer.reporting.charts import charts, duration
from importer.reporting.summary import Summary
from importer.settings import Setting
from schemas.results import error_meaning


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The records of one status; ``share`` is the percentage of all records."""

    status: Status
    rows: int
    share: float


@dataclass(frozen=True, slots=True)
class Errors:
    """The records of one error code; ``share`` is a percentage of the most frequent one."""

    code: str
    rows: int
    share: float
    lines: Sequence[int]
    meaning: str


def page(summary: Summary, metrics: Metrics, settings: Sequence[Setting]) -> str:
    """Return the report on a run as HTML.

    Args:
        summary: Its figures.
        metrics: The statistics of its requests.
        settings: Its options.
    """
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda number: f"{number:,}"
    environment.filters["duration"] = duration
    environment.filters["counted"] = counted
    text = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    total = metrics.total
    return environment.from_string(text).render(
        version=__version__,
        summary=summary,
        tone=_tone(summary),
        outcomes=_outcomes(summary),
        errors=_errors(summary),
        charts=charts(metrics),
        percentiles=[(percent, total.percentile(percent)) for percent in (50, 95, 99)],
        trouble=total.trouble,
        in_flight=total.in_flight,
        settings=[one for one in settings if one.value],
    )


def _tone(summary: Summary) -> Literal["good", "mixed", "bad"]:
    match summary.exit_status:
        case ExitStatus.OK:
            return "good"
        case ExitStatus.SOME_ROWS_FAILED:
            return "mixed"
        case _:
            return "bad"


def _outcomes(summary: Summary) -> list[Outcomes]:
    return [
        Outcomes(status, count, 100.0 * count / summary.rows)
        for status in Status
        if (count := summary.statuses.get(status, 0))
    ]


def _errors(summary: Summary) -> list[Errors]:
    most = max(summary.errors.values(), default=1)
    return [
        Errors(
            code,
            count,
            100.0 * count / most,
            summary.first_lines.get(code, ()),
            error_meaning(code),
        )
        for code, count in summary.commonest_errors
    ]
