"""The options of the commands: in the documentation, in the help and in the contract."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import importer.sandbox.cli
from importer.cli.main import command

DOCS = Path(__file__).parents[2] / "docs"

# Source: contract, section 2: what there is of it today, with its default.
CONTRACT = {
    "--out": None,
    "--rejects": None,
    "--summary": None,
    "--region": None,
    "--base-url": None,
    "--sandbox": False,
    "--sandbox-faults": None,
    "--dry-run": False,
    "--strict": False,
    "--limit": None,
    "--max-errors": None,
    "--if-exists": "create",
    "--report": None,
    "--credentials-file": None,
    "--config": None,
    "--journal": None,
    "--fresh": False,
    "--map": (),
    "--identifier": (),
    "--require": (),
    "--carry": (),
    "--delimiter": None,
    "--encoding": None,
    "--list-separator": None,
    "--date-format": None,
    "--phone-region": None,
    "--concurrency": 8,
    "--rate": None,
    "--timeout": 30.0,
    "--attempts": 5,
    "--log-format": "text",
    "--quiet": False,
    "--verbose": False,
    "--progress": None,
}


def options_of(of: click.Command) -> list[click.Option]:
    """All options of a command, with those for help and version."""
    context = click.Context(of, **of.context_settings)
    return [one for one in of.get_params(context) if isinstance(one, click.Option)]


def spellings(option: click.Option) -> set[str]:
    """All ways to write an option."""
    return {*option.opts, *option.secondary_opts}


def documented(page: str, heading: str) -> set[str]:
    """The options in the first cells of the table that begins with *heading*."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^\| {heading} \|.*\n\|[- |]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found
    first_cells = [re.split(r"(?<!\\)\|", line)[1] for line in found[1].splitlines()]
    return {word for cell in first_cells for word in re.findall(r"`(-[a-z-]+)", cell)}


def test_the_page_of_the_sandbox_has_all_its_options_and_no_others() -> None:
    """In every spelling."""
    options = options_of(importer.sandbox.cli.main)
    table = documented("sandbox.md", "option of `contacts-sandbox`")
    assert table == set().union(*map(spellings, options))


def test_options_and_defaults_are_those_of_the_contract() -> None:
    """Help, version and the word on a renewed client key come on top."""
    here = {max(one.opts, key=len): one for one in options_of(command)}
    assert set(here) == {*CONTRACT, "--help", "--version", "--new-client-key"}
    context = command.make_context("import-contacts", ["contacts.csv"], resilient_parsing=False)
    defaults = {name: context.params[str(here[name].name)] for name in CONTRACT}
    assert defaults == CONTRACT


@pytest.mark.parametrize("of", [command, importer.sandbox.cli.main], ids=["import", "sandbox"])
def test_the_help_shows_every_option_with_a_text(of: click.Command) -> None:
    """And leaves with 0."""
    shown = CliRunner().invoke(of, ["--help"])
    assert shown.exit_code == 0
    for option in options_of(of):
        assert all(name in shown.output for name in spellings(option))


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_every_option_can_come_from_the_environment(name: str) -> None:
    """As IMPORT_CONTACTS_<OPTION>."""
    option = next(one for one in options_of(command) if name in one.opts)
    variable = "IMPORT_CONTACTS_" + name.removeprefix("--").upper().replace("-", "_")
    context = click.Context(command, auto_envvar_prefix="IMPORT_CONTACTS")
    assert option.resolve_envvar_value(context) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable, "x=y")
        assert option.resolve_envvar_value(context) == "x=y"
