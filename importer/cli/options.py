"""The options of ``import-contacts`` and their types. Source: contract, section 2."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from importer.cli.config import load_config
from importer.cli.types import (
    ColumnType,
    DelimiterType,
    FieldType,
    FileType,
    MaxErrorsType,
    PairType,
    PositiveType,
    TextType,
)
from importer.files import STANDARD_STREAM
from importer.settings import IfExists

_COMPRESSED: Final = {".gz", ".bz2", ".xz", ".zip", ".zst"}
_REGIONS: Final = ("eu", "us", "ap", "jp")
_MOST_ROWS: Final = 1_000_000_000
_DAY: Final = 86_400.0  # seconds; no clock of the system takes any number
_FILE: Final = FileType()
_OUTPUT: Final = FileType(or_stream=True)
_ARGUMENT: Final = click.argument("contacts_csv", type=FileType(or_stream=True))
# These decide how whatever is wrong with the others is told, so they are read first; and the
# configuration file before them, as they may stand in it.
_TOLD_FIRST: Final = (
    click.option(
        "--config",
        type=_FILE,
        is_eager=True,
        callback=load_config,
        help="TOML file with any of these options, and [columns] and [identifiers].",
    ),
    click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        is_eager=True,
        help="How log lines are written on standard error.",
    ),
    click.option(
        "--quiet", "-q", is_flag=True, is_eager=True, help="Say nothing unless something is wrong."
    ),
    click.option("--verbose", "-v", is_flag=True, is_eager=True, help="Say more."),
)
_OPTIONS: Final = (
    click.option("--out", type=_OUTPUT, help="Results CSV.  [default: <input stem>.results.csv]"),
    click.option(
        "--rejects",
        type=_OUTPUT,
        help="The records that did not get in, as they were read, with the reason. Can be "
        "imported again.",
    ),
    click.option("--report", type=_OUTPUT, help="A page about the run, as one HTML file."),
    click.option("--summary", type=_OUTPUT, help="The figures of the run as JSON."),
    click.option(
        "--region", type=click.Choice(_REGIONS), help="Send to this region of Sitecore CDP."
    ),
    click.option(
        "--base-url",
        type=TextType(),
        metavar="URL",
        help="Send to this address instead; https, or http on a loopback address.",
    ),
    click.option(
        "--sandbox",
        is_flag=True,
        help="Start a local API for this run and send there: a rehearsal.",
    ),
    click.option(
        "--sandbox-faults", type=_FILE, help="TOML file with the misbehaviour of the sandbox."
    ),
    click.option(
        "--credentials-file",
        type=_FILE,
        help="TOML file with client_key and api_token, which you alone can read.",
    ),
    click.option("--dry-run", is_flag=True, help="Read and validate everything, send nothing."),
    click.option("--strict", is_flag=True, help="Send nothing at all unless every row is valid."),
    click.option(
        "--limit", type=click.IntRange(0, _MOST_ROWS), metavar="N", help="Only the first N rows."
    ),
    click.option(
        "--max-errors",
        type=MaxErrorsType(),
        help="Stop once more rows than this were rejected or failed; a share counts from 100 "
        "rows on.",
    ),
    click.option(
        "--if-exists",
        type=click.Choice([choice.value for choice in IfExists]),
        default=IfExists.CREATE.value,
        show_default=True,
        help="What to do about a contact that its order has already: create trusts the journal, "
        "the others first look at the order's contacts.",
    ),
    click.option(
        "--journal", type=_FILE, help="What was sent and what came of it.  [default: <out>.journal]"
    ),
    click.option("--fresh", is_flag=True, help="Forget the journal and send everything."),
    click.option(
        "--new-client-key",
        is_flag=True,
        help="The client key was renewed, the tenant is the same: the journal holds on.",
    ),
    click.option(
        "--map",
        type=PairType("FIELD", "COLUMN"),
        multiple=True,
        help="The column that holds a field, when its name does not say so. Repeatable.",
    ),
    click.option(
        "--identifier",
        type=PairType("PROVIDER", "COLUMN"),
        multiple=True,
        help="A column with the guests' ids of one provider. Repeatable.",
    ),
    click.option(
        "--require",
        type=FieldType(),
        multiple=True,
        help="A field that every row must fill. Repeatable.",
    ),
    click.option(
        "--carry",
        type=ColumnType(),
        multiple=True,
        help="A column to copy into the results. Repeatable.",
    ),
    click.option(
        "--delimiter",
        type=DelimiterType(),
        help="What separates cells.  [default: detected among , ; tab |]",
    ),
    click.option(
        "--encoding",
        type=TextType(),
        metavar="NAME",
        help="How the file is encoded, such as cp1252.  [default: UTF-8, or UTF-16 by its BOM]",
    ),
    click.option(
        "--list-separator",
        type=TextType(),
        help="What separates values within a cell.  [default: ; or | or a line break]",
    ),
    click.option(
        "--date-format",
        type=TextType(),
        metavar="FORMAT",
        help="How dates are written, such as %d/%m/%Y, besides ISO 8601.",
    ),
    click.option(
        "--phone-region",
        type=TextType(),
        metavar="CC",
        help="The country of phone numbers without a country code, such as IE.",
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(1, 256),
        default=8,
        show_default=True,
        metavar="N",
        help="Most requests in flight.",
    ),
    click.option(
        "--rate",
        type=PositiveType(),
        metavar="R",
        help="Most requests a second.  [default: no cap]",
    ),
    click.option(
        "--timeout",
        type=PositiveType(_DAY),
        default=30.0,
        show_default=True,
        metavar="S",
        help="Seconds for one answer, whole.",
    ),
    click.option(
        "--attempts",
        type=click.IntRange(min=1),
        default=5,
        show_default=True,
        metavar="N",
        help="Most attempts for one row.",
    ),
    click.option(
        "--progress/--no-progress",
        default=None,
        help="A progress bar.  [default: on a terminal only]",
    ),
)


def all_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Put the argument and all options on a command."""
    for decorate in reversed((_ARGUMENT, *_OPTIONS, *_TOLD_FIRST)):
        command = decorate(command)
    return command


def default_out(contacts_csv: Path, kind: str = "results") -> Path:
    """``<input stem>.<kind>.csv`` in the working directory."""
    if contacts_csv == STANDARD_STREAM:
        return Path(f"stdin.{kind}.csv")
    name = contacts_csv.name
    if contacts_csv.suffix.lower() in _COMPRESSED:
        name = Path(name).stem
    return Path(f"{Path(name).stem}.{kind}.csv")
