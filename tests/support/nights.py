"""The summary of a run with a few errors."""

from datetime import UTC, datetime, timedelta

from importer.errors import ExitStatus
from importer.records import Status
from importer.reporting import JournalUse, Summary

STARTED = datetime(2026, 1, 31, 3, 0, tzinfo=UTC)
NIGHT = Summary(
    source="contacts.csv",
    sha256="ab" * 32,
    started=STARTED,
    finished=STARTED + timedelta(seconds=12.5),
    elapsed=12.5,
    rows=1000,
    statuses={Status.CREATED: 985, Status.INVALID: 10, Status.REJECTED: 4, Status.FAILED: 1},
    errors={"invalid.emails": 7, "invalid.gender": 3, "http.404": 4, "http.503": 1},
    first_lines={"invalid.emails": [12, 40], "http.404": [1044]},
    warnings={"no_identifiers": 3},
    columns={"orderRef": ("order",), "emails": ("mail 1", "mail 2")},
    ignored_columns=("notes",),
    requests=1003,
    settled=2,
    lowest_concurrency=2,
    most_in_flight=8,
    out="results.csv",
    journal=JournalUse(path="contacts.journal", run=3, contacts=985),
    exit_status=ExitStatus.SOME_ROWS_FAILED,
)
