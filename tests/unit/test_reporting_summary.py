"""The summary of a run, as lines and as JSON."""

import json
from dataclasses import replace

import pytest
from nights import NIGHT

from importer.errors import ExitStatus
from importer.records import Status
from importer.reporting import JournalUse


def test_lines_start_with_the_result_and_end_with_the_next_steps() -> None:
    """The figures between are a table."""
    assert NIGHT.as_lines() == [
        "contacts.csv: 15 of 1,000 rows are not done.",
        "  created           985",
        "  invalid            10",
        "  rejected            4",
        "  failed              1",
        "  rows            1,000  in 12.5 s (80 rows/s), 1,003 requests",
        "Commonest errors:",
        "  invalid.emails            7  first in line 12",
        "  http.404                  4  first in line 1,044",
        "  invalid.gender            3",
        "  http.503                  1",
        "2 unclear answers were settled by reading the order's contacts back.",
        "The API could not keep up: requests in flight fell from 8 to 2.",
        "Results: results.csv",
        "Journal: contacts.journal (985 contacts, run 3)",
        "Next: fix the invalid rows (the error column says how), then run again.",
        "Next: see why rows were rejected; another run sends them again.",
        "Next: run the same command again; it sends only what is not done yet.",
    ]


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        pytest.param({}, "15 of 1,000 rows are not done.", id="some"),
        pytest.param(
            {"rows": 2, "statuses": {Status.CREATED: 1, Status.INVALID: 1}},
            "1 of 2 rows is not done.",
            id="one",
        ),
        pytest.param(
            {"rows": 2, "statuses": {Status.CREATED: 1, Status.EXISTS: 1}},
            "All 2 rows are done.",
            id="all",
        ),
        pytest.param(
            {"rows": 1, "statuses": {Status.VALID: 1}, "is_dry_run": True},
            "The one row is valid.",
            id="one-of-one",
        ),
        pytest.param({"rows": 0, "statuses": {}}, "There were no rows.", id="none"),
        pytest.param(
            {"stop": "The API is down."},
            "Stopped midway with 985 of 1,000 rows done.",
            id="stopped",
        ),
        pytest.param(
            {
                "rows": 3,
                "statuses": {Status.INVALID: 1, Status.NOT_SENT: 2},
                "stop": "So --strict sent nothing.",
                "exit_status": ExitStatus.INPUT,
            },
            "Nothing was sent: 1 of 3 rows is invalid.",
            id="strict",
        ),
        pytest.param(
            {
                "rows": 2,
                "statuses": {Status.CREATED: 2},
                "stop": "--report: cannot be written.",
                "exit_status": ExitStatus.STOPPED,
            },
            "All 2 rows are done.",
            id="stopped-after-all",
        ),
    ],
)
def test_headline_states_the_result(changes: dict[str, object], headline: str) -> None:
    """In one sentence."""
    assert replace(NIGHT, **changes).headline == headline  # type: ignore[arg-type]


def test_stop_is_shown_with_its_reason() -> None:
    """On a line of its own."""
    lines = replace(NIGHT, stop="The API is down.").as_lines()
    assert "Stopped: The API is down." in lines


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        pytest.param(
            {
                "statuses": {Status.INVALID: 10, Status.NOT_SENT: 990},
                "errors": {"invalid.emails": 10, "stopped.strict": 990},
                "exit_status": ExitStatus.INPUT,
            },
            ["fix the invalid rows"],
            id="strict",
        ),
        pytest.param(
            {"statuses": {Status.CREATED: 1000}, "errors": {"contact.duplicated": 2}},
            ["delete one of the two"],
            id="all-done-but-duplicated",
        ),
        pytest.param(
            {
                "statuses": {Status.DELETED: 998, Status.FAILED: 2},
                "errors": {"contact.changed": 2},
            },
            ["look at 2 contacts changed since the import"],
            id="undo-that-kept-some",
        ),
        pytest.param(
            {
                "statuses": {Status.CREATED: 5, Status.NOT_SENT: 995},
                "errors": {"stopped.credentials": 995},
                "exit_status": ExitStatus.CREDENTIALS,
            },
            ["correct or renew the credentials"],
            id="credentials",
        ),
    ],
)
def test_next_steps_are_those_that_help(changes: dict[str, object], steps: list[str]) -> None:
    """And no others."""
    found = replace(NIGHT, **changes).next_steps()  # type: ignore[arg-type]
    assert [step.startswith(wanted) for step, wanted in zip(found, steps, strict=True)] == [True]
    assert "Next:" not in " ".join(found)


@pytest.mark.parametrize(
    ("last", "says"),
    [
        pytest.param(4, "fell from 8 to 2 and were at 4 at the end.", id="rose-again"),
        pytest.param(1, "fell from 8 to 2.", id="never-a-good-answer"),
        pytest.param(None, "fell from 8 to 2.", id="unknown"),
    ],
)
def test_fall_of_the_pace_is_reported_without_contradiction(last: int | None, says: str) -> None:
    """The number at the end is never lower than the lowest."""
    (_, remark) = replace(NIGHT, last_concurrency=last).remarks()
    assert remark.endswith(says)


def test_error_codes_of_rows_that_are_done_are_notes() -> None:
    """A contact that differs from its row, for example."""
    errors, notes = {"contact.differs": 5, "http.503": 1}, {"contact.differs": 5}
    lines = replace(NIGHT, errors=errors, notes=notes, first_lines={}).as_lines()
    at = lines.index("Commonest errors:")
    assert [line.split() for line in lines[at + 1 : at + 4]] == [
        ["http.503", "1"],
        ["Notes", "on", "rows", "that", "are", "done:"],
        ["contact.differs", "5"],
    ]


def test_only_the_most_frequent_errors_are_shown() -> None:
    """Five, and the number of other kinds."""
    errors = {f"http.{status}": status for status in range(400, 407)}
    lines = replace(NIGHT, errors=errors).as_lines()
    assert [line.split()[0] for line in lines if line.startswith("  http")] == [
        "http.406", "http.405", "http.404", "http.403", "http.402",
    ]  # fmt: skip
    assert "  and 2 other kinds" in lines


def test_summary_file_has_the_documented_names() -> None:
    """Errors are pairs, the most frequent first."""
    figures = json.loads(NIGHT.as_json())
    assert figures["rows"] == sum(figures["statuses"].values()) == 1000
    assert figures["errors"] == [
        {"errorCode": "invalid.emails", "count": 7},
        {"errorCode": "http.404", "count": 4},
        {"errorCode": "invalid.gender", "count": 3},
        {"errorCode": "http.503", "count": 1},
    ]
    assert figures["startedAt"] == "2026-01-31T03:00:00.000Z"
    assert figures["finishedAt"] == "2026-01-31T03:00:12.500Z"
    assert (figures["elapsedSeconds"], figures["rowsPerSecond"]) == (12.5, 80.0)
    assert (figures["requests"], figures["exitCode"]) == (1003, 1)
    assert (figures["input"], figures["inputSha256"]) == ("contacts.csv", "ab" * 32)
    assert (figures["run"], figures["journal"]) == (3, "contacts.journal")
    assert (figures["journalContacts"], figures["journalIsNew"]) == (985, False)
    assert figures["firstLines"]["invalid.emails"] == [12, 40]


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (JournalUse(path="j", run=3, contacts=1), "j (1 contact, run 3)"),
        (JournalUse(path="j", contacts=2000), "j (2,000 contacts)"),
        (JournalUse(path="j", contacts=0), "j (0 contacts)"),
        (JournalUse(path="j", run=1, contacts=0, is_new=True), "j (new, run 1)"),
        (JournalUse(path="j", run=1, contacts=5, is_new=True), "j (5 contacts, run 1)"),
        (JournalUse(path="j"), "j"),
        (JournalUse(reason="a rehearsal leaves none"), "none (a rehearsal leaves none)"),
    ],
)
def test_journal_is_reported_with_what_it_contains(use: JournalUse, text: str) -> None:
    """Or that it is new, or why there is none."""
    assert str(use) == text
