"""README and docs: transcripts, examples, links and tables agree with the program."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from transcripts import PAGES, Command, commands, rewrite, run, steady

import importer
from importer.api import REGIONS
from importer.api.rules import TABLE
from importer.cli.journal import command as contacts_journal
from importer.cli.main import command as import_contacts
from importer.cli.undo import command as undo_import
from importer.errors import ExitStatus
from importer.log import EVENTS
from importer.records import Status
from importer.reporting import Summary
from importer.sandbox.cli import main as contacts_sandbox
from importer.sandbox.faults import ALWAYS_APPLIED, FaultAction
from importer.settings import IfExists
from schemas.fields import CONTACT_FIELDS, TITLES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALLS = re.findall(r"^python3 -m venv \.venv .*", README.partition("## ")[0], re.MULTILINE)
MARKDOWN = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])

OPTIONS = {
    str(command.name): {
        name
        for one in command.get_params(click.Context(command, **command.context_settings))
        for name in (*one.opts, *one.secondary_opts)
    }
    for command in (import_contacts, undo_import, contacts_journal, contacts_sandbox)
}
"""Every spelling of the options of each command."""

AWAITED = {"input", "values", "identity", "options", "journal"}
"""Pages that README and docs link to before they are there."""

AWAITED_OPTIONS = {"--shard", "--key"}
"""Options that docs/journal.md names before they are there."""


def text_of(page: Path) -> str:
    """Return the text of a file."""
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """Return a page without its code blocks and inline code."""
    text = re.sub(r"^( *)```.*?^\1```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def table(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its header."""
    _, found, text = f"\n{text_of(page)}".partition(f"\n{heading}\n")
    assert found, f"{page.name} has no heading {heading!r}"
    rows = re.search(r"^\|.*\n\|[- |]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert rows, f"{page.name} has no table below {heading!r}"
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in rows[1].splitlines()
    ]


def code_in(cell: str) -> list[str]:
    """Return the texts of inline code."""
    return re.findall(r"`([^`]+)`", cell)


def test_the_readme_is_two_screens_long() -> None:
    """Everything else is in docs."""
    assert len(README.splitlines()) <= 220


def test_the_two_commands_are_one_line_each_and_need_nothing_else() -> None:
    """Each is a block of its own, creates its own environment and uses the constraints."""
    assert len(INSTALLS) == 2
    for line in INSTALLS:
        assert f"```sh\n{line}\n```" in README
        assert "--constraint constraints.txt" in line
        assert ".[sandbox]" in line
    assert INSTALLS[0].endswith(".venv/bin/import-contacts sample_data/contacts.csv --sandbox")
    assert INSTALLS[1].endswith(".venv/bin/python -m pytest")


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.name)
def test_dependency_groups_are_installed_by_a_pip_that_supports_them(page: Path) -> None:
    """Python 3.11 may come with pip 23.2, which does not."""
    for line in text_of(page).splitlines():
        if "--group" in line and "pip install" in line:
            assert re.search(r"--upgrade '?pip.*--group", line), line


def test_ci_finds_its_test_command_in_the_readme() -> None:
    """Its pattern matches that line and no other."""
    script = text_of(ROOT / ".ci" / "run")
    (pattern,) = re.findall(r"grep -E '(\^python3[^']*)' README\.md", script)
    assert re.findall(pattern, README, re.MULTILINE) == [INSTALLS[1]]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page,
            id=page.name,
            marks=[pytest.mark.slow] if any(one.is_slow for one in commands(text_of(page))) else [],
        )
        for page in PAGES
        if commands(text_of(page))
    ],
)
def test_transcripts_show_what_the_commands_print(page: Path) -> None:
    """Except for times, speeds and ports."""
    shown = commands(text_of(page))
    printed = run(shown)
    assert [(one.line, steady(one)) for one in printed] == [
        (one.line, steady(one)) for one in shown
    ]


def test_every_console_block_is_a_transcript() -> None:
    """No block is skipped because of its form, and no other block shows a prompt."""
    for page in MARKDOWN:
        text = text_of(page)
        prompts = len(re.findall(r"^\s*\$ ", text, re.MULTILINE))
        assert prompts == len(commands(text)), page.name
    assert len(commands(README)) >= 2


def test_a_transcript_that_would_send_to_production_is_refused() -> None:
    """Before any of its page is run."""
    with pytest.raises(ValueError, match="region"):
        run([Command("import-contacts contacts.csv --region eu", "")])


def test_rewriting_replaces_outdated_output_and_keeps_the_rest() -> None:
    """Output that is still true keeps its times."""
    page = "Before\n\n```console\n$ echo now\nthen\n$ echo same\nsame\n```\n\nAfter\n"
    assert rewrite(page) == page.replace("then", "now")


@pytest.mark.parametrize(
    "example",
    re.findall(r"^```python\n(.*?)^```$", text_of(DOCS / "python.md"), re.MULTILINE | re.DOTALL),
)
def test_python_examples_run_and_print_what_their_comments_say(
    tmp_path: Path, example: str
) -> None:
    """Each is a program of its own."""
    assert "sandbox=True" in example or "dry_run=True" in example, "it would send to production"
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    ran = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == re.findall(r"^print\(.*\)  # (.*)$", example, re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^( *)```.*?^\1```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings}


def links_of(page: Path) -> list[tuple[Path, str]]:
    """Return the file and the anchor of each relative link."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose_of(page))
    relative = [one for one in targets if not re.match(r"[a-z]+:", one)]
    parts = [one.partition("#") for one in relative]
    return [((page.parent / path).resolve() if path else page, at) for path, _, at in parts]


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.name)
def test_links_are_not_broken(page: Path) -> None:
    """Relative links, with their anchors."""
    for target, anchor in links_of(page):
        if not target.exists() and target.parent == DOCS and target.stem in AWAITED:
            continue
        assert target.exists(), target
        assert not anchor or anchor in anchors_of(target), f"{target.name}#{anchor}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    """Directly or by way of other pages."""
    reached, new = set[Path](), {ROOT / "README.md"}
    while new:
        reached |= new
        pages = [page for page in new if page.suffix == ".md" and page.exists()]
        new = {target for page in pages for target, _ in links_of(page)} - reached
    assert [page.name for page in MARKDOWN if page not in reached] == []


def test_exit_statuses_are_those_of_the_program() -> None:
    """All of them, in order."""
    rows = table(ROOT / "README.md", "## Exit statuses")
    assert [int(number) for row in rows for number in re.findall("[0-9]+", row[0])] == [*ExitStatus]


def test_exit_status_0_names_the_statuses_that_are_done() -> None:
    """A row of any other status makes it 1."""
    (row,) = [row for row in table(ROOT / "README.md", "## Exit statuses") if row[0] == "0"]
    assert code_in(row[1]) == [status for status in Status if status.is_done]


def test_alerting_covers_every_exit_status() -> None:
    """So that an operator finds each of them."""
    rows = table(DOCS / "nightly.md", "## Alerting")
    assert [int(number) for row in rows for number in re.findall("[0-9]+", row[0])] == [*ExitStatus]


def test_events_are_those_of_the_catalogue() -> None:
    """By name and meaning, in the same order."""
    assert {code_in(row[0])[0]: row[2] for row in table(DOCS / "events.md", "# Events")} == EVENTS


def test_reasons_to_stop_are_those_of_the_program() -> None:
    """Every reason in the source and in the table of answers is documented, and no other."""
    calls = (
        node
        for path in (ROOT / "importer").rglob("*.py")
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Stop"
    )
    reasons = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    reasons |= {rule.stop for rule in TABLE if rule.stop}
    rows = table(DOCS / "promise.md", "## What stops a run")
    assert {code_in(row[0])[0] for row in rows} == {f"stopped.{reason}" for reason in reasons}


def test_the_code_layout_names_existing_packages() -> None:
    """The paths of modules are checked as well."""
    named = [
        path
        for row in table(DOCS / "architecture.md", "## Code layout")
        for path in code_in(row[0])
    ]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_constraints_pin_every_requirement_and_name_no_index() -> None:
    """Names and versions only."""
    lines = text_of(ROOT / "constraints.txt").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    pinned = {normalized(line.partition("==")[0]) for line in lines}
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    groups = project["dependency-groups"]
    required = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["sandbox"],
        # The clients of the benchmarks are not part of what is tested.
        *(one for name, group in groups.items() if name != "benchmark" for one in group),
    ]
    names = {normalized(re.split(r"[\[><=~ ]", one)[0]) for one in required if isinstance(one, str)}
    assert names - pinned == set()


def normalized(name: str) -> str:
    """Return the name of a distribution in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_source_distribution_contains_the_documentation() -> None:
    """README and LICENSE are always included."""
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    included = project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {f"/{page.name}" for page in ROOT.glob("*.md")} - {"/README.md"} <= set(included)
    assert "/docs" in included


def test_the_regions_are_those_of_the_program() -> None:
    """With their base URLs."""
    rows = table(DOCS / "api.md", "## Hosts and credentials")
    assert {code_in(name)[0]: code_in(url)[0] for name, url in rows} == REGIONS


def test_the_calls_are_in_the_openapi_document() -> None:
    """With the parameters of the path."""
    paths = json.loads(text_of(ROOT / "schemas" / "order-contacts.openapi.json"))["paths"]
    for row in table(DOCS / "api.md", "## Calls"):
        method, _, path = code_in(row[0])[0].partition(" ")
        assert method.lower() in paths[path.partition("?")[0]], row[0]


def test_the_fields_of_a_contact_are_those_of_the_program() -> None:
    """In the same order, with the titles that the reference lists."""
    rows = table(DOCS / "api.md", "## Contact fields")
    assert [name for row in rows for name in code_in(row[0])] == [*CONTACT_FIELDS]
    assert [code_in(row[2]) for row in rows if row[0] == "`title`"] == [[*TITLES]]


def test_the_choices_for_existing_contacts_are_those_of_the_program() -> None:
    """All but those that compare nothing."""
    rows = table(DOCS / "promise.md", "## Contacts that already exist")
    assert {code_in(row[0])[0] for row in rows} == {one for one in IfExists if one.compares}


def test_the_actions_of_faults_are_those_of_the_sandbox() -> None:
    """In the same order; those that are always carried out are marked."""
    rows = table(DOCS / "sandbox.md", "## A bad day")
    assert [code_in(row[0])[0] for row in rows] == [*FaultAction]
    assert {code_in(row[0])[0] for row in rows if row[2] == "always"} == ALWAYS_APPLIED


def test_names_in_the_python_page_exist() -> None:
    """Attributes of the result, and exceptions."""
    page = DOCS / "python.md"
    for row in table(page, "## Result"):
        name = code_in(row[0])[0].removesuffix("()")
        assert name in {*Summary.__annotations__, *vars(Summary)}, name
    for row in table(page, "## Exceptions"):
        assert issubclass(getattr(importer, code_in(row[0])[0]), importer.ImportContactsError)


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.name)
def test_options_in_the_text_exist(page: Path) -> None:
    """In some command, if they are at the start of inline code."""
    text = re.sub(r"^( *)```.*?^\1```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"(?<=`)--[a-z-]+", text))
    assert named <= AWAITED_OPTIONS.union(*OPTIONS.values())


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.name)
def test_options_in_command_lines_exist(page: Path) -> None:
    """In the command that the line runs."""
    for part in re.split(r"\n|&&|\|\|?|;", text_of(page)):
        # Not as a part of a file name or of a URL.
        if found := re.search(rf"(?:^|[ /=`])({'|'.join(OPTIONS)})(?= [^|]*--)", part):
            given = re.findall(r"(?<=\s)--?[a-z-]+", part[found.end() :].partition("`")[0])
            assert set(given) <= OPTIONS[found[1]], part
