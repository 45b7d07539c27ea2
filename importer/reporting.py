"""What happened, in figures: the summary on standard error and as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from importer.errors import ExitStatus
from importer.records import Status

_ERRORS_SHOWN: Final = 5

_WARNINGS: Final = {
    "no_identifiers": "rows without identifiers: the API cannot match them to a guest",
    "title_unlisted": "rows with a title that the API page does not list: sent as it stands",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of a run. Source: contract, section 5.

    Attributes:
        source: The source file, ``-`` for standard input.
        sha256: Digest of the source file, hexadecimal.
        started: When the run began (UTC).
        finished: When it ended (UTC).
        elapsed: Seconds between the two, by the monotonic clock.
        rows: Records of the source file.
        statuses: Status to records; they add up to ``rows``.
        errors: Error code to records.
        warnings: Stable word to records or columns.
        requests: Requests sent.
        settled: Unclear answers that reading back has settled.
        lowest_concurrency: Fewest requests in flight that the pace fell to; None if it did not.
        stop: Why the run ended early, for a person; ``""`` if it did not.
        out: The results file.
    """

    source: str
    sha256: str
    started: datetime
    finished: datetime
    elapsed: float
    rows: int
    statuses: Mapping[Status, int]
    errors: Mapping[str, int]
    warnings: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    settled: int = 0
    lowest_concurrency: int | None = None
    stop: str = ""
    out: str = ""
    exit_status: ExitStatus

    def as_json(self) -> str:
        """The figures as the ``--summary`` file holds them."""
        return json.dumps(self.figures(), indent=2, ensure_ascii=False) + "\n"

    def figures(self) -> dict[str, object]:
        """The figures by the names of the contract."""
        return {
            "rows": self.rows,
            "statuses": {s.value: n for s, n in self.statuses.items() if n},
            "errors": [
                {"errorCode": code, "count": count} for code, count in _most_first(self.errors)
            ],
            "warnings": dict(self.warnings),
            "input": self.source,
            "inputSha256": self.sha256,
            "startedAt": _iso(self.started),
            "finishedAt": _iso(self.finished),
            "elapsedSeconds": round(self.elapsed, 3),
            "rowsPerSecond": round(self._rows_per_second, 1),
            "requests": self.requests,
            "settled": self.settled,
            "lowestConcurrency": self.lowest_concurrency,
            "stopped": self.stop,
            "exitCode": int(self.exit_status),
        }

    def as_lines(self) -> list[str]:
        """The figures as a person reads them."""
        speed = f"{self.elapsed:.1f} s ({self._rows_per_second:,.0f} rows/s)"
        lines = [f"{self.rows:,} rows in {speed}, {self.requests:,} requests"]
        width = max((len(s.value) for s in self.statuses), default=0)
        lines += [
            f"  {status.value:<{width}}  {self.statuses[status]:>9,}"
            for status in Status
            if self.statuses.get(status)
        ]
        most = _most_first(self.errors)
        if most:
            lines.append("commonest errors:")
            lines += [f"  {count:>9,}  {code}" for code, count in most[:_ERRORS_SHOWN]]
            if len(most) > _ERRORS_SHOWN:
                lines.append(f"             and {len(most) - _ERRORS_SHOWN} other kinds")
        lines += [
            f"warning: {count:,} {text}"
            for word, text in _WARNINGS.items()
            if (count := self.warnings.get(word, 0))
        ]
        if self.settled:
            lines.append(f"{self.settled:,} unclear answers were settled by reading back.")
        if self.lowest_concurrency is not None:
            lines.append(
                f"The API could not keep up: requests in flight fell to {self.lowest_concurrency}."
            )
        return [*lines, *self._next_steps()]

    @property
    def _rows_per_second(self) -> float:
        return self.rows / self.elapsed if self.elapsed > 0 else 0.0

    def _next_steps(self) -> list[str]:
        if self.stop:
            return [f"Stopped: {self.stop}", f"Results so far: {self.out}"]
        count = self.statuses.get
        steps = [f"Results: {self.out}"]
        if count(Status.INVALID):
            steps.append("Next: mend the invalid rows (the error column says how), then run again.")
        if count(Status.REJECTED):
            steps.append("Next: see why the API rejected rows; they are tried again in a new run.")
        changed = self.errors.get("contact.changed", 0)
        if changed:
            steps.append(
                f"Next: {changed:,} changed since the import and left alone: look at them; "
                "--force deletes them as well."
            )
        if count(Status.FAILED, 0) > changed or count(Status.UNKNOWN) or count(Status.NOT_SENT):
            steps.append("Next: run the same command again; it sends only what is not done yet.")
        return steps


def _most_first(errors: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(errors.items(), key=lambda item: (-item[1], item[0]))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
