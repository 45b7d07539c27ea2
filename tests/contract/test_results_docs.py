"""The pages about results and report state what the program does."""

import json
import re
from pathlib import Path

import pytest
from nights import NIGHT

import importer
from importer.api.rules import TABLE
from importer.errors import ExitStatus
from importer.metrics import Metrics
from importer.records import Status
from importer.reporting.page import page
from importer.settings import Setting
from schemas.fields import FIELDS
from schemas.results import (
    ERROR_CODES,
    REJECTS_COLUMNS,
    RESULT_COLUMNS,
    column_positions,
    error_meaning,
)

DOCS = Path(__file__).parents[2] / "docs"
RESULTS = (DOCS / "results.md").read_text(encoding="utf-8")
REPORT = (DOCS / "report.md").read_text(encoding="utf-8")


def table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table after a heading, without backticks."""
    text = page.partition(f"\n{heading}\n")[2]
    found = re.search(r"^\|.*\n\|[- |]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found, heading
    rows = [line.strip("|").split("|") for line in found[1].replace("`", "").splitlines()]
    return [[cell.strip() for cell in row] for row in rows]


def test_columns_are_those_of_the_results_file() -> None:
    """In their order."""
    assert [name for name, _ in table(RESULTS, "## The results file")] == list(RESULT_COLUMNS)


def test_statuses_are_those_of_the_program() -> None:
    """In their order, with their meanings."""
    documented = [(status, meaning) for status, meaning, _ in table(RESULTS, "## Statuses")]
    assert documented == [(status.value, status.meaning) for status in Status]


def test_statuses_that_are_done_are_those_of_the_program() -> None:
    """A row of another status is not done."""
    (sentence,) = re.findall(
        r"^A row is \*done\* when its status is (.*)\.$", RESULTS, re.MULTILINE
    )
    documented = re.findall(r"`(\w+)`", sentence)
    assert documented == [status for status in Status if status.is_done]


def test_error_codes_are_those_of_the_program() -> None:
    """In their order, with their meanings."""
    assert table(RESULTS, "## Error codes") == [list(item) for item in ERROR_CODES.items()]


def test_exit_statuses_are_those_of_the_program() -> None:
    """In their order, with their meanings."""
    documented = [(int(row[0]), row[1]) for row in table(RESULTS, "## Exit statuses")]
    assert documented == [(int(status), status.meaning) for status in ExitStatus]


def test_columns_of_rejects_are_those_of_the_program() -> None:
    """In their order."""
    assert [name for name, _ in table(RESULTS, "## Rejects")] == list(REJECTS_COLUMNS)


def test_keys_of_the_summary_are_those_of_the_program() -> None:
    """In their order."""
    assert [key for key, _ in table(RESULTS, "## Summary")] == list(json.loads(NIGHT.as_json()))


def test_sections_of_the_report_are_those_of_the_page() -> None:
    """In their order, apart from the two at the top, which have no heading."""
    metrics = Metrics()
    metrics.observe(0.0, 0.1, False, 1)  # noqa: FBT003
    headings = re.findall(r"<h2>(.*)</h2>", page(NIGHT, metrics, (Setting("out", "x", "y"),)))
    sections = [section for section, _ in table(REPORT, "From top to bottom:")]
    assert sections == ["header", "figures", *headings]


CODE = re.compile(
    r"[\"']((?:contact|order|response|network|duplicate)\.[a-z_]+)[\"']"
    r"|\bStop\(\s*\"([a-z_]+)\"",
    re.MULTILINE,
)


def used_codes() -> set[str]:
    """Return the error codes in the source of the program."""
    sources = [
        path.read_text(encoding="utf-8")
        for path in Path(importer.__file__).parent.rglob("*.py")
        if "sandbox" not in path.parts
    ]
    found = [match for source in sources for match in CODE.findall(source)]
    stops = {f"stopped.{rule.stop}" for rule in TABLE if rule.stop}
    return stops | {code or f"stopped.{why}" for code, why in found}


def test_error_codes_are_exactly_those_that_the_program_uses() -> None:
    """Apart from families of codes, and codes of the API's statuses."""
    general = {code for code in ERROR_CODES if re.match(r"invalid|http|unknown", code)}
    assert used_codes() == set(ERROR_CODES) - general


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        *((f"invalid.{field}", f"the value of {field} breaks a rule") for field in FIELDS),
        ("invalid.record", ERROR_CODES["invalid.record"]),
        ("http.404", ERROR_CODES["http.404"]),
        ("http.418", "the API answered with HTTP status 418"),
        ("unknown", ERROR_CODES["unknown"]),
        ("stopped.other", ""),
        ("other", ""),
        ("", ""),
    ],
)
def test_meaning_of_an_error_code_is_its_own_or_that_of_its_family(code: str, meaning: str) -> None:
    """An unknown code has none."""
    assert error_meaning(code) == meaning


def test_exit_statuses_are_listed_for_help_texts() -> None:
    """Every one of them, with its meaning."""
    for status in ExitStatus:
        assert f"{int(status)} {status.meaning}" in ExitStatus.help()


def test_own_columns_come_before_carried_ones_of_the_same_name() -> None:
    """So a carried column is never taken for one of the results."""
    positions = column_positions(("note", *RESULT_COLUMNS, "status", "row"))
    assert positions == {name: at for at, name in enumerate(RESULT_COLUMNS, start=1)}
