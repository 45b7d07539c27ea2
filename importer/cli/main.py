"""``import-contacts``: from arguments to an exit status."""

import gc
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from importer.cli.parameters import SettingsCommand
from importer.cli.process import configure_log, exit_with, report
from importer.cli.tuning import spare_collections, stay_on_one_core
from importer.errors import ExitStatus
from importer.given import Given
from importer.log import event
from importer.settings import ImportSettings, RunOptions

if TYPE_CHECKING:
    from importer.reporting import Summary

_TEXT: Final = """Import the order contacts of CONTACTS_CSV into Sitecore CDP, each exactly once.

CONTACTS_CSV is a path, or - for standard input; .gz, .bz2, .xz, .zip and .zst are unpacked.
Running the same command again is always safe: it sends only what is not done yet.
"""
_EPILOG: Final = (
    "Credentials come from SITECORE_CDP_CLIENT_KEY and SITECORE_CDP_API_TOKEN, or from "
    "--credentials-file. Every option can also come from IMPORT_CONTACTS_<OPTION> or from the "
    "--config file; an argument beats the environment, and that beats the file. Exit status: 0 "
    "all done, 1 some rows are not, 2 wrong usage, 3 the input cannot be read, 4 credentials "
    "refused, 5 stopped midway (run again), 75 another run holds the journal, 130 or 143 "
    "interrupted."
)


def main() -> None:
    """Run ``import-contacts`` and exit with its status."""
    exit_with(command)


def log_settings(options: RunOptions) -> None:
    """With ``--verbose``, log what a run is asked to do and where that comes from."""
    used = [one for one in options.shown if one.value]
    event(
        logging.DEBUG,
        "settings.used",
        "; ".join(f"{one.name}: {one.value} ({one.origin})" for one in used),
        settings={one.name: {"value": one.value, "origin": one.origin} for one in used},
    )
    if options.base_url is not None and not options.dry_run:
        from importer.api.environment import Environment  # noqa: PLC0415 - --help need not wait

        event(logging.DEBUG, "api.environment", Environment.of(options.base_url).describe())


def _import_contacts(given: Given[ImportSettings]) -> ExitStatus:
    configure_log(given)
    summary = _run(given)
    report(summary, given.options.log)
    return summary.exit_status


def _run(given: Given[ImportSettings]) -> "Summary":
    with ExitStack() as stack:
        # Modules that are loaded here stay, so looking for garbage among them is wasted time.
        gc.disable()
        from importer.resolve import import_run  # noqa: PLC0415 - --help need not wait

        options, credentials = import_run(given, stack)
        log_settings(options)
        # pandas and pandera load slowly: --help and wrong usage do not wait for them.
        from importer.pipeline import import_file  # noqa: PLC0415

        spare_collections()
        if options.asks_api:
            stay_on_one_core()
        return import_file(options, credentials, has_process=True)


command: Final = SettingsCommand(
    "import-contacts", ImportSettings, _import_contacts, text=_TEXT, epilog=_EPILOG
)
