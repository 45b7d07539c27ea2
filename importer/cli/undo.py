"""``undo-import``: from arguments to an exit status."""

import logging
import sys
from typing import TYPE_CHECKING, Final

import click

from importer.cli.main import log_settings
from importer.cli.parameters import SettingsCommand
from importer.cli.process import configure_log, exit_with, report
from importer.cli.tuning import stay_on_one_core
from importer.errors import ExitStatus, UsageError
from importer.given import Given
from importer.log import event
from importer.settings import RunOptions, UndoSettings

if TYPE_CHECKING:
    from importer.pipeline import Survey

_TEXT: Final = """Delete the contacts that an import has created, and no others.

RESULTS_CSV is the results file of the import; its rows with the status created are deleted.
With --run N instead, those that run N created according to the journal, which numbers all runs.
Contacts that were changed since are left alone. The matching of guests cannot be undone.
Running the same command again is always safe: it continues where it stopped.
"""
_EPILOG: Final = (
    "Destination, credentials, pace and log are those of import-contacts, including its variables "
    "IMPORT_CONTACTS_<OPTION> and its --config file. Exit status: 0 all deleted or absent, 1 some "
    "are not, or there is nothing to delete, 2 wrong usage, or not confirmed, 3 not a results "
    "file, 4 credentials refused, 5 stopped midway (run again), 75 another run holds the "
    "journal, 130 or 143 interrupted."
)
_GUESTS: Final = "What the API did to guests, matching or creating them, is not undone."


def main() -> None:
    """Run ``undo-import`` and exit with its status."""
    exit_with(command)


def _undo_import(given: Given[UndoSettings]) -> ExitStatus:
    from importer.resolve import credentials_of, undo_run  # noqa: PLC0415 - --help need not wait

    configure_log(given)
    asked = given.options
    options = undo_run(given)
    log_settings(options)
    credentials = credentials_of(given)

    def confirm(found: "Survey") -> None:
        _confirm(found, options, is_agreed=asked.yes)

    # pandas loads slowly: --help and wrong usage do not wait for it.
    from importer.pipeline import undo_file  # noqa: PLC0415

    stay_on_one_core()
    summary = undo_file(options, credentials, confirm, force=asked.force)
    report(summary, asked.log)
    return summary.exit_status


def _confirm(found: "Survey", options: RunOptions, *, is_agreed: bool) -> None:
    """Show what would be deleted, and ask.

    Raises:
        UsageError: It was not confirmed.
    """
    contacts = "1 contact" if found.contacts == 1 else f"{found.contacts:,} contacts"
    others = found.rows - found.created
    left_alone = (
        f"{found.found:,} that were found and {found.updated:,} that were updated are left alone"
        if options.run
        else f"{others:,} of {found.rows:,} rows are not created and left alone"
    )
    event(
        logging.INFO,
        "undo.planned",
        f"{found.name}: {contacts} at {options.base_url} to delete; {left_alone}. {_GUESTS}",
        contacts=found.contacts,
        rows=found.rows,
        found=found.found,
        updated=found.updated,
        journal=str(options.journal),
        destination=options.base_url,
        dryRun=options.dry_run,
    )
    if is_agreed or options.dry_run or not found.contacts:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            f"{contacts} would be deleted. There is no terminal to ask on; confirm with --yes. "
            "Nothing was deleted."
        )
    try:
        agreed = click.confirm(f"Delete {contacts} at {options.base_url}?", err=True)
    except click.Abort:
        agreed = False  # end of input
    if not agreed:
        raise UsageError("Nothing was deleted.")


command: Final = SettingsCommand(
    "undo-import", UndoSettings, _undo_import, text=_TEXT, epilog=_EPILOG
)
