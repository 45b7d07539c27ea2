"""The figures of a run, as JSON and as lines on standard error.

Source: docs/results.md.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from importer.errors import ExitStatus
from importer.log import counted
from importer.records import CONTACT_DUPLICATED, CONTACT_OLDER, GUESTS_SHARED, Status
from importer.reporting.warnings import WARNINGS

_ERRORS_SHOWN: Final = 5
_LEFT_ALONE: Final = {
    "contact.changed": "changed since the import",
    CONTACT_OLDER: "that may have been there before the import",
}
"""Error codes of contacts that an undo does not delete without ``--force``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalUse:
    """Which journal a run uses, and what it contains.

    Attributes:
        path: The journal file, ``""`` if there is none.
        reason: Why there is none.
        run: Number of the run in it; None for one that changes nothing there.
        contacts: Contacts of the destination that it knows to be there; None if it cannot be
            read any more.
        is_new: Whether the run creates it, or would without ``--dry-run``.
    """

    path: str = ""
    reason: str = ""
    run: int | None = None
    contacts: int | None = None
    is_new: bool = False

    def figures(self) -> dict[str, object]:
        """Return what log and summary contain about it."""
        return {
            "run": self.run,
            "journal": self.path or None,
            "journalContacts": self.contacts,
            "journalIsNew": self.is_new,
        }

    def __str__(self) -> str:
        if not self.path:
            return f"none ({self.reason})" if self.reason else "none"
        known = [] if self.contacts is None else [counted(self.contacts, "contact")]
        if self.is_new and not self.contacts:
            known = ["new"]
        facts = [*known, *([f"run {self.run}"] if self.run else [])]
        return f"{self.path} ({', '.join(facts)})" if facts else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of a run.

    Attributes:
        source: The source file, ``-`` for standard input.
        sha256: Digest of the source file, hexadecimal.
        started: When the run began (UTC).
        finished: When it ended (UTC).
        elapsed: Seconds between the two by the monotonic clock.
        rows: Records of the source file.
        statuses: Status to records; they add up to ``rows``.
        errors: Error code to records.
        notes: Error code to records, of records that are done.
        warnings: Stable word to records, or to whatever the word counts.
        shared_guests: Refs of some guests with different identifiers.
        columns: Field to the names of its columns.
        ignored_columns: Names of the columns that are not used, in file order.
        requests: Requests sent.
        settled: Unclear answers that reading back has settled.
        last_concurrency: Requests in flight that were allowed at the end.
        lowest_concurrency: Fewest requests in flight that were allowed; None if the number
            never fell.
        most_in_flight: Most requests in flight that were allowed.
        first_lines: Error code, or word of a warning, to the lines of its first records in the
            source file.
        is_dry_run: Whether the run was to send nothing.
        stop: Why the run ended early, as a sentence; ``""`` if it did not.
        out: The results file.
        journal: The journal that it used.
    """

    source: str
    sha256: str
    started: datetime
    finished: datetime
    elapsed: float
    rows: int
    statuses: Mapping[Status, int]
    errors: Mapping[str, int]
    notes: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    shared_guests: Sequence[str] = ()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ignored_columns: Sequence[str] = ()
    requests: int = 0
    settled: int = 0
    last_concurrency: int | None = None
    lowest_concurrency: int | None = None
    most_in_flight: int = 0
    first_lines: Mapping[str, Sequence[int]] = field(default_factory=dict)
    is_dry_run: bool = False
    stop: str = ""
    out: str = ""
    journal: JournalUse = field(default_factory=JournalUse)
    exit_status: ExitStatus

    def as_json(self) -> str:
        """Return the content of the ``--summary`` file."""
        return json.dumps(self.figures(), indent=2, ensure_ascii=False) + "\n"

    def figures(self) -> dict[str, object]:
        """Return the figures by the names that the ``--summary`` file has for them."""
        return {
            **self.journal.figures(),
            "rows": self.rows,
            "statuses": {s.value: n for s, n in self.statuses.items() if n},
            "errors": [
                {"errorCode": code, "count": count} for code, count in self.commonest_errors
            ],
            "firstLines": {code: list(lines) for code, lines in self.first_lines.items()},
            "warnings": dict(self.warnings),
            "sharedGuests": list(self.shared_guests),
            "columns": {name: list(columns) for name, columns in self.columns.items()},
            "ignoredColumns": list(self.ignored_columns),
            "input": self.source,
            "inputSha256": self.sha256,
            "startedAt": _iso(self.started),
            "finishedAt": _iso(self.finished),
            "elapsedSeconds": round(self.elapsed, 3),
            "rowsPerSecond": round(self.rows_per_second, 1),
            "requests": self.requests,
            "settled": self.settled,
            "lowestConcurrency": self.lowest_concurrency,
            "lastConcurrency": self.last_concurrency,
            "stopped": self.stop,
            "exitCode": int(self.exit_status),
        }

    @property
    def done(self) -> int:
        """Records that are done."""
        return sum(count for status, count in self.statuses.items() if status.is_done)

    @property
    def headline(self) -> str:
        """The result of the run in one sentence."""
        what = "valid" if self.is_dry_run else "done"
        rows = counted(self.rows, "row")
        if self.done == self.rows > 0:
            return f"All {rows} are {what}." if self.rows > 1 else f"The one row is {what}."
        if self.exit_status is ExitStatus.INPUT:
            invalid = self.statuses.get(Status.INVALID, 0)
            return f"Nothing was sent: {invalid:,} of {rows} {_is(invalid)} invalid."
        if self.stop:
            return f"Stopped midway with {self.done:,} of {rows} {what}."
        if not self.rows:
            return "There were no rows."
        left = self.rows - self.done
        return f"{left:,} of {rows} {_is(left)} not {what}."

    @property
    def rows_per_second(self) -> float:
        """Records for each second of the run."""
        return self.rows / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def commonest_errors(self) -> list[tuple[str, int]]:
        """Error codes with their records, most first."""
        return _most_first(self.errors)

    def as_lines(self) -> list[str]:
        """Return the figures as lines for people."""
        return [
            f"{self.source}: {self.headline}",
            *self._status_lines(),
            *self._code_lines("Commonest errors:", self._open_errors),
            *self._code_lines("Notes on rows that are done:", self.notes),
            *self.remarks(),
            *([f"Stopped: {self.stop}"] if self.stop else []),
            f"Results: {self.out}",
            f"Journal: {self.journal}",
            *(f"Next: {step}" for step in self.next_steps()),
        ]

    def remarks(self) -> list[str]:
        """Return further facts about the run, one sentence each."""
        remarks = []
        if self.settled:
            answers = counted(self.settled, "unclear answer")
            was = "was" if self.settled == 1 else "were"
            remarks.append(f"{answers} {was} settled by reading the order's contacts back.")
        last, lowest = self.last_concurrency, self.lowest_concurrency
        if lowest is not None:
            # Before the first good answer a single request is allowed, which is not a fall.
            end = "" if last is None or last < lowest else f" and were at {last} at the end"
            remarks.append(
                "The API could not keep up: requests in flight fell from "
                f"{self.most_in_flight} to {lowest}{end}."
            )
        return remarks

    def warning_lines(self) -> list[str]:
        """Return the warnings about rows, one sentence each."""
        return [
            warning.text(
                count,
                self.first_lines.get(word, ()),
                self.shared_guests if word == GUESTS_SHARED else (),
            )
            for word, warning in WARNINGS.items()
            if (count := self.warnings.get(word))
        ]

    def next_steps(self) -> list[str]:
        """Return what to do next, one sentence each; empty when every row is done."""
        count = self.statuses.get
        steps = []
        if count(Status.INVALID):
            steps.append("fix the invalid rows (the error column says how), then run again.")
        if self.exit_status is ExitStatus.INPUT:
            return steps
        if self.exit_status is ExitStatus.CREDENTIALS:
            steps.append("correct or renew the credentials, then run the same command again.")
            return steps
        if self.errors.get(CONTACT_DUPLICATED):
            steps.append(
                "delete one of the two for each contact created twice (see the error column)."
            )
        if count(Status.REJECTED):
            steps.append("see why rows were rejected; another run sends them again.")
        left_alone = {c: n for c, n in self._open_errors.items() if c in _LEFT_ALONE}
        steps += [
            f"look at {counted(kept, 'contact')} {_LEFT_ALONE[code]}; with --force they are "
            "deleted as well."
            for code, kept in left_alone.items()
        ]
        if (
            count(Status.FAILED, 0) > sum(left_alone.values())
            or count(Status.UNKNOWN)
            or count(Status.NOT_SENT)
        ):
            steps.append("run the same command again; it sends only what is not done yet.")
        return steps

    def _status_lines(self) -> list[str]:
        shown = [status for status in Status if self.statuses.get(status)]
        width = max((len(status.value) for status in shown), default=0)
        time = f"in {self.elapsed:,.1f} s ({self.rows_per_second:,.0f} rows/s)"
        return [
            *(f"  {status.value:<{width}}  {self.statuses[status]:>11,}" for status in shown),
            f"  {'rows':<{width}}  {self.rows:>11,}  {time}, {counted(self.requests, 'request')}",
        ]

    @property
    def _open_errors(self) -> dict[str, int]:
        notes = self.notes.get
        left = ((code, count - notes(code, 0)) for code, count in self.errors.items())
        return {code: count for code, count in left if count}

    def _code_lines(self, title: str, codes: Mapping[str, int]) -> list[str]:
        shown = _most_first(codes)[:_ERRORS_SHOWN]
        if not shown:
            return []
        width = max(len(code) for code, _ in shown)
        lines = [title]
        for code, count in shown:
            first = next(iter(self.first_lines.get(code, ())), None)
            where = f"  first in line {first:,}" if first is not None else ""
            lines.append(f"  {code:<{width}}  {count:>11,}{where}")
        if len(codes) > len(shown):
            lines.append(f"  and {counted(len(codes) - len(shown), 'other kind')}")
        return lines


def _most_first(codes: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(codes.items(), key=lambda item: (-item[1], item[0]))


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
