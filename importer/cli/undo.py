"""``undo-import``: from arguments to an exit status."""

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from importer._version import __version__
from importer.cli.ending import begin, leave_with, tell
from importer.cli.given import Given
from importer.cli.main import command as import_contacts
from importer.cli.options import default_out
from importer.cli.types import FileType
from importer.errors import ExitStatus, UsageError
from importer.log import event
from importer.settings import RunOptions, SourceOptions

if TYPE_CHECKING:
    from pathlib import Path

    from importer.undoing import Survey

_GUESTS: Final = "That the API matched a contact to a guest, or made a guest of it, is not undone."
_EPILOG: Final = (
    "Destination, credentials, pace and log are those of import-contacts, its variables "
    "IMPORT_CONTACTS_<OPTION> included. Exit status: 0 all deleted or absent, 1 some are not, "
    "2 wrong usage, or not confirmed, 3 no results file, 4 credentials refused, 5 stopped midway "
    "(run again), 75 another run holds the journal, 130 or 143 interrupted."
)
_SHARED: Final = frozenset(
    {
        "region",
        "base_url",
        "max_errors",
        "concurrency",
        "rate",
        "timeout",
        "attempts",
        "log_format",
        "quiet",
        "verbose",
        "progress",
        "credentials_file",
    }
)
_FILE: Final = FileType()
_OUTPUT: Final = FileType(or_stream=True)
_PARAMETERS: Final[list[click.Parameter]] = [
    click.Argument(["results_csv"], type=_FILE),
    # What was agreed to for an import, and where it writes, does not hold for its undoing: so
    # these are not taken from the variables of import-contacts.
    click.Option(
        ["--out"],
        type=_OUTPUT,
        allow_from_autoenv=False,
        help="What came of each contact.  [default: <results stem>.undone.csv]",
    ),
    click.Option(
        ["--yes"],
        is_flag=True,
        allow_from_autoenv=False,
        help="Do not ask. Needed where there is no terminal.",
    ),
    click.Option(
        ["--force"],
        is_flag=True,
        allow_from_autoenv=False,
        help="Delete contacts as well that somebody has changed since they were created.",
    ),
    click.Option(
        ["--dry-run"],
        is_flag=True,
        help="Look at every contact and say what would be deleted; delete nothing.",
    ),
    click.Option(
        ["--journal"],
        type=_FILE,
        help="The journal of the import, which learns of it.  [default: <RESULTS_CSV>.journal]",
    ),
    click.Option(
        ["--summary"],
        type=_OUTPUT,
        allow_from_autoenv=False,
        help="The figures of the run as JSON.",
    ),
    *(one for one in import_contacts.params if one.name in _SHARED),
]


@click.command(
    "undo-import",
    params=_PARAMETERS,
    context_settings=import_contacts.context_settings,
    epilog=_EPILOG,
)
@click.version_option(__version__, prog_name="undo-import")
@click.pass_context
def command(ctx: click.Context, /, **_: Any) -> ExitStatus:  # noqa: ANN401 - click's own values
    """Delete the contacts that an import has created, and no others.

    RESULTS_CSV is the results file of the import; its rows with the status created are deleted.
    What somebody has changed since is left alone. The matching of guests cannot be undone.
    Running the same command again is always safe: it goes on where it stopped.
    """
    from importer.cli.wiring import credentials_of  # noqa: PLC0415 - --help need not wait

    given = Given.of(ctx)
    begin(given)
    options = _options(given)
    credentials = credentials_of(given)

    def confirm(found: "Survey") -> None:
        _confirm(found, options, given)

    # pandas takes half a second to load: --help and bad usage do not wait.
    from importer.undoing import undo_file  # noqa: PLC0415

    summary = undo_file(options, credentials, confirm, force=given["force"])
    tell(summary, given)
    return summary.exit_status


def main() -> None:
    """Run ``undo-import`` and leave with its exit status."""
    leave_with(command)


def _options(given: Given) -> RunOptions:
    from importer.cli.wiring import bar_of, delivery_options, url_of  # noqa: PLC0415 - as above

    name = given.strongest(("region", "base_url"), "Give only one of --region and --base-url.")
    if name is None:
        raise UsageError("Say where the contacts are: --region eu|us|ap|jp or --base-url URL.")
    base_url = url_of(name, given)
    path: Path = given["results_csv"]
    return RunOptions(
        source=SourceOptions(path=path),
        delivery=delivery_options(given),
        base_url=base_url,
        destination=base_url,
        out=given["out"] or default_out(path, "undone"),
        summary=given["summary"],
        journal=given["journal"] or path.with_name(f"{path.name}.journal"),
        dry_run=given["dry_run"],
        bar=bar_of(given),
    )


def _confirm(found: "Survey", options: RunOptions, given: Given) -> None:
    """Say what there is to delete, and ask.

    Raises:
        UsageError: Nobody said yes.
    """
    contacts = "1 contact" if found.contacts == 1 else f"{found.contacts:,} contacts"
    others = found.rows - found.created
    event(
        logging.INFO,
        "undo.planned",
        f"{options.source.path}: {contacts} at {options.base_url} to delete; "
        f"{others:,} of {found.rows:,} rows are not created and left alone. {_GUESTS}",
        contacts=found.contacts,
        rows=found.rows,
        destination=options.base_url,
        dryRun=options.dry_run,
    )
    if given["yes"] or given["dry_run"] or not found.contacts:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            f"{contacts} would be deleted. Without a terminal to ask on, say so with --yes. "
            "Nothing was deleted."
        )
    if not click.confirm(f"Delete {contacts} at {options.base_url}?", err=True):
        raise UsageError("Nothing was deleted.")
