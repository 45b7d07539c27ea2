"""The report: one HTML page about a run, which needs nothing from anywhere else.

It holds figures and settings only: no cell, no credential, no text of the API.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final, Literal

import jinja2

from importer._version import __version__
from importer.errors import ExitStatus
from importer.metrics import Metrics
from importer.records import Status
from importer.reporting.charts import charts, duration
from importer.reporting.summary import Summary, counted
from importer.settings import Setting

_MEANINGS: Final = {
    Status.CREATED: "the API has created the contact",
    Status.EXISTS: "was there already",
    Status.UPDATED: "was there and differed; it was changed",
    Status.DUPLICATE: "the same contact stands earlier in the file",
    Status.VALID: "would be sent",
    Status.INVALID: "breaks a rule; never sent",
    Status.REJECTED: "the API refused it",
    Status.FAILED: "not created, after the last attempt",
    Status.UNKNOWN: "sent, but nobody can tell yet; the next run settles it first",
    Status.NOT_SENT: "the run stopped before it",
    Status.DELETED: "deleted by an undo",
    Status.ABSENT: "gone already when an undo came to it",
}
_ERRORS: Final = {
    "network.connect": "no connection to the API",
    "network.tls": "no secure connection to the API",
    "network.timeout": "no answer in time",
    "network.reset": "the connection broke",
    "response.invalid": "an answer without the documented meaning",
    "http.400": "the API found the data wrong",
    "http.401": "the API refused the credentials",
    "http.403": "the API refused access",
    "http.404": "the API knows no such order",
    "http.429": "too many requests",
    "http.503": "the API was not available",
    "contact.ambiguous": "several contacts of the order may be it",
    "contact.changed": "somebody has changed it since the import",
    "contact.differs": "the contact that is there differs",
    "contact.duplicated": "the API created it a second time",
    "contact.exists": "was there already",
    "contact.no_ref": "the import never learnt its reference",
    "contact.older": "was there before the row was sent",
    "duplicate.not_created": "the row it repeats was not created",
    "order.ambiguous": "several orders have that number",
    "order.not_found": "no order has that number",
    "response.differs": "the API stored other values than were sent",
    "stopped.strict": "not sent, as other rows are invalid",
    "unknown": "nobody can tell whether it was created",
    "invalid.contact": "no field besides the order",
    "invalid.record": "its cells cannot be told apart",
}
_EXITS: Final = {
    ExitStatus.OK: "all done",
    ExitStatus.SOME_ROWS_FAILED: "finished, some rows are not done",
    ExitStatus.INPUT: "nothing was sent",
    ExitStatus.CREDENTIALS: "the API refused the credentials",
    ExitStatus.STOPPED: "stopped midway",
    ExitStatus.HANGUP: "interrupted",
    ExitStatus.INTERRUPTED: "interrupted",
    ExitStatus.TERMINATED: "interrupted",
}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The records that came to one status; ``share`` is percent of all."""

    status: Status
    rows: int
    share: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Errors:
    """The records with one error code; ``share`` is percent of the commonest one's."""

    code: str
    rows: int
    share: float
    lines: Sequence[int]
    meaning: str


def page(summary: Summary, metrics: Metrics, settings: Sequence[Setting]) -> str:
    """The report on a run, as HTML.

    Args:
        summary: Its figures.
        metrics: How its requests went.
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
        exit=_EXITS[summary.exit_status],
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
        Outcomes(status, count, 100.0 * count / summary.rows, _MEANINGS[status])
        for status in Status
        if (count := summary.statuses.get(status, 0))
    ]


def _errors(summary: Summary) -> list[Errors]:
    most = max(summary.errors.values(), default=1)
    return [
        Errors(code, count, 100.0 * count / most, summary.first_lines.get(code, ()), _means(code))
        for code, count in summary.commonest_errors
    ]


def _means(code: str) -> str:
    if code in _ERRORS:
        return _ERRORS[code]
    kind, _, rest = code.partition(".")
    match kind:
        case "invalid":
            return f"breaks the rule for {rest}"
        case "http":
            return f"the API answered {rest}"
        case "stopped":
            return "the run stopped before it"
        case _:
            return ""
