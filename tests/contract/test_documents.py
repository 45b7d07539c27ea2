"""What the README says of commands, exit statuses, columns and statuses is so."""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from command import COMMAND

from importer.errors import ExitStatus
from importer.log import EVENTS
from importer.records import Status
from schemas.fields import FIELDS
from schemas.results import RESULT_COLUMNS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python3 -m venv \.venv .*", README.partition("## ")[0], re.MULTILINE)
TRANSCRIPTS = re.findall(r"^```console\n\$ (.*)\n([^`]*)^```$", README, re.MULTILINE)


def table(first: str, heading: str = "# ") -> list[list[str]]:
    """The cells of the table whose first header cell is *first*, after a heading."""
    text = README.partition(heading)[2]
    found = re.search(rf"^\| {re.escape(first)} \|.*\n\|[- |]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found, first
    lines = found[1].splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def words(cells: list[str]) -> list[str]:
    """What stands in backquotes."""
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def test_the_two_commands_are_one_line_each_and_need_nothing_else() -> None:
    """Each stands alone in its block, makes its own environment and uses the constraints."""
    assert len(COMMANDS) == 2
    for line in COMMANDS:
        assert f"```sh\n{line}\n```" in README
        assert "--constraint constraints.txt" in line
        assert ".[sandbox]" in line
    assert COMMANDS[0].endswith(".venv/bin/import-contacts sample_data/contacts.csv --sandbox")
    assert COMMANDS[1].endswith(".venv/bin/python -m pytest")


def test_groups_are_installed_by_a_pip_that_knows_them() -> None:
    """Python 3.11 may come with pip 23.2, which does not."""
    for line in README.splitlines():
        if "--group" in line and "pip install" in line:
            assert re.search(r"--upgrade '?pip.*--group", line), line


def test_ci_takes_its_test_command_from_the_readme() -> None:
    """Its pattern finds that line and no other."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"grep -E '(\^python3[^']*)' README\.md", script)
    assert re.findall(pattern, README, re.MULTILINE) == [COMMANDS[1]]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize(("command", "shown"), TRANSCRIPTS)
def test_transcripts_are_what_the_command_prints(tmp_path: Path, command: str, shown: str) -> None:
    """Apart from the time, the speed and the port."""
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    program, *arguments = shlex.split(command)
    assert program == "import-contacts"
    ran = subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.stdout == ""
    assert steadied(ran.stderr) == steadied(shown)


def steadied(text: str) -> str:
    """The text without what differs from run to run."""
    text = re.sub(r"^[0-9-]{10}T[0-9:]{8}Z", "TIME", text, flags=re.MULTILINE)
    text = re.sub(r"in [0-9.]+ s \([0-9,]+ rows/s\)", "in TIME", text)
    return re.sub(r"127\.0\.0\.1:[0-9]+", "HOST", text)


def test_there_are_transcripts() -> None:
    """At least of a clean file and of a faulty one."""
    assert len(TRANSCRIPTS) >= 2


def test_exit_statuses_are_those_of_the_program() -> None:
    """Every one of them, and no other."""
    told = [int(number) for row in table("status", "## Exit status") for number in numbers(row[0])]
    assert sorted(told) == sorted(ExitStatus)


def numbers(cell: str) -> list[str]:
    """The numbers in a cell."""
    return re.findall(r"[0-9]+", cell)


def test_result_columns_are_those_of_the_schema() -> None:
    """In their order."""
    assert words([row[0] for row in table("column")]) == list(RESULT_COLUMNS)


def test_result_statuses_are_those_of_the_program() -> None:
    """In their order."""
    assert words([row[0] for row in table("status", "## The results")]) == list(Status)


def test_exit_status_0_names_the_statuses_that_are_done() -> None:
    """A row of any other one makes it 1."""
    (row,) = [row for row in table("status", "## Exit status") if row[0] == "0"]
    assert words([row[1]]) == [status for status in Status if status.is_done]


def test_input_columns_are_the_fields_of_the_api() -> None:
    """All of them, and no others."""
    assert set(words([row[0] for row in table("field", "### Columns")])) == {*FIELDS}


def test_links_lead_somewhere() -> None:
    """Headings and files that the README points to are there."""
    anchors = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            assert target[1:] in anchors
        else:
            assert (ROOT / target).exists(), target


def test_rooms_are_where_the_readme_says() -> None:
    """Every package and module of the table exists."""
    for path in words([row[0] for row in table("room")]):
        assert (ROOT / path).exists(), path


def test_constraints_pin_all_that_is_asked_for_and_name_no_index() -> None:
    """Names and versions alone; every requirement of the project is among them."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    pinned = {normal(line.partition("==")[0]) for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    asked = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["sandbox"],
        # The peers of the benchmarks are no part of what is tested.
        *(one for name, group in groups.items() if name != "benchmark" for one in group),
    ]
    names = {normal(re.split(r"[\[><=~ ]", one)[0]) for one in asked if isinstance(one, str)}
    assert names - pinned == set()


def normal(name: str) -> str:
    """The name of a distribution as indexes know it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_events_are_those_of_the_catalogue() -> None:
    """By name and meaning, in its order."""
    told = {row[0].strip("`"): row[2] for row in table("event", "## Events")}
    assert told == EVENTS
