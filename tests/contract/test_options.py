"""The options of the commands in the help, in the documentation and in the Python API."""

import os
import re
import tomllib
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import jsonschema_rs
import pytest
from click.testing import CliRunner

import importer.sandbox.cli
from importer import library, reference
from importer.cli.journal import command as journal
from importer.cli.main import command
from importer.cli.undo import command as undo
from importer.options import File, Flag, Many, Number, Origin, Parsed, Table, Whole, declared
from importer.settings import (
    DestinationSettings,
    ImportOptions,
    ImportSettings,
    JournalSettings,
    MaxErrors,
    TableOption,
    UndoSettings,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / reference.PAGE).read_text(encoding="utf-8")
CREDENTIALS = {"client_key": str | None, "api_token": str | None}


def options_of(of: click.Command) -> list[click.Option]:
    """Return all options of a command, including those for help and version."""
    context = click.Context(of, **of.context_settings)
    return [one for one in of.get_params(context) if isinstance(one, click.Option)]


def spellings(option: click.Option) -> set[str]:
    """Return all ways to write an option."""
    return {*option.opts, *option.secondary_opts}


def test_page_of_options_is_up_to_date() -> None:
    """Run ``python -m importer.reference`` after a change of the declaration."""
    assert reference.page(PAGE) == PAGE


@pytest.mark.parametrize("of", [command, undo, journal], ids=["import", "undo", "journal"])
def test_page_names_every_spelling_of_every_option(of: click.Command) -> None:
    """Help and version are the same for all commands, and described once."""
    section = PAGE.partition(f"<!-- options:{of.name} -->")[2].partition("<!-- end -->")[0]
    documented = set(re.findall(r"`(-[-a-z]+)", section))
    common = {"-h", "--help", "--version"}
    assert documented == set().union(*map(spellings, options_of(of))) - common
    assert common <= set(re.findall(r"`(-[-a-z]+)", PAGE))


def test_page_of_the_sandbox_names_all_of_its_options() -> None:
    """In every spelling, in the first column of the table."""
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    heading = r"^\| option of `contacts-sandbox` \|.*\n\|[- |]+\n((?:\|.*\n)+)"
    found = re.search(heading, page, re.MULTILINE)
    assert found
    first_cells = [re.split(r"(?<!\\)\|", line)[1] for line in found[1].splitlines()]
    documented = {word for cell in first_cells for word in re.findall(r"`(-[a-z-]+)", cell)}
    assert documented == set().union(*map(spellings, options_of(importer.sandbox.cli.main)))


@pytest.mark.parametrize(
    "of",
    [command, undo, journal, importer.sandbox.cli.main],
    ids=["import", "undo", "journal", "sandbox"],
)
def test_help_shows_every_option(of: click.Command) -> None:
    """It exits with 0."""
    shown = CliRunner().invoke(of, ["--help"])
    assert shown.exit_code == 0
    for option in options_of(of):
        assert all(name in shown.output for name in spellings(option))


@pytest.mark.parametrize(
    ("of", "settings"),
    [(command, ImportSettings), (undo, UndoSettings), (journal, JournalSettings)],
)
def test_help_says_what_every_option_does_and_its_default(
    of: click.Command, settings: type[DestinationSettings]
) -> None:
    """Under the heading of its group."""
    wide = {"terminal_width": 1000, "max_content_width": 1000}
    shown = " ".join(CliRunner().invoke(of, ["--help"], **wide).output.split())
    for option in declared(settings).values():
        section = shown.partition(f" {option.group}: ")[2]
        assert option.help in section, option.name
        if option.described_default:
            assert f"[default: {option.described_default}]" in section, option.name


ACCEPTED: Mapping[type, object] = {
    Flag: bool,
    Whole: int,
    Number: float,
    Parsed: int | str | MaxErrors,
    File: str | os.PathLike[str],
    Many: Sequence[str],
    Table: TableOption,
}
"""Annotation of a keyword argument, by the kind of its option; ``str`` for all others."""


def test_keyword_arguments_are_those_of_the_declaration() -> None:
    """With the types that the options accept; None where there is no default value."""
    expected: dict[str, object] = dict(CREDENTIALS)
    for keyword, option in declared(ImportSettings).items():
        if Origin.CALL in option.sources:
            kind: Any = ACCEPTED.get(type(option.kind), str)
            expected[keyword] = kind | None if option.default is None else kind
    assert typing.get_type_hints(ImportOptions) == expected


def test_keyword_arguments_are_documented() -> None:
    """By the help of their options."""
    documented = (library.ImportOptions.__doc__ or "").split("Attributes:\n")[1]
    found = dict(line.strip().split(": ", 1) for line in documented.splitlines())
    assert set(found) == set(typing.get_type_hints(ImportOptions))
    assert found["concurrency"] == "Most requests in flight."


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("", True),
        ("concurrency = 257", False),
        ("concurrency = true", False),
        ("rate = 0", False),
        ('region = "mars"', False),
        ('max-errors = "5%"', True),
        ("max-errors = 5", True),
        ("max-errors = 2.5", False),
        ('max-erors = "5%"', False),
        ('[columns]\ncity = "Town"\nstreet = ["A", "B"]\nidentifiers.id = "No"', True),
        ("[columns]\ncity = 5", False),
        ('map = ["city"]', False),
        ('config = "x.toml"', False),
        ("quiet = 1", False),
        ('base-url = ""', False),
    ],
)
def test_json_schema_accepts_what_the_program_accepts(text: str, is_valid: bool) -> None:  # noqa: FBT001 - a column
    """For editors that check a configuration file while it is written."""
    schema = reference.config_schema()
    assert jsonschema_rs.is_valid(schema, tomllib.loads(text)) is is_valid


def test_json_schema_accepts_the_sample() -> None:
    """With every example taken out of its comment."""
    text = re.sub(r"(?m)^# (?=\w[\w-]* = )", "", reference.sample_config())
    assert jsonschema_rs.is_valid(reference.config_schema(), tomllib.loads(text))
