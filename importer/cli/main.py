"""``import-contacts``: from arguments to an exit status."""

import gc
import logging
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from importer._version import __version__
from importer.cli.ending import begin, leave_with, tell
from importer.cli.environment import PREFIX, check_environment
from importer.cli.given import Given
from importer.cli.options import all_options
from importer.cli.tuning import spare_collections, stay_on_one_core
from importer.errors import ExitStatus
from importer.log import event
from importer.settings import RunOptions

if TYPE_CHECKING:
    from importer.reporting import Summary

_NAME = "import-contacts"
_EPILOG = (
    "Credentials come from SITECORE_CDP_CLIENT_KEY and SITECORE_CDP_API_TOKEN, or from "
    "--credentials-file. Every option can also come from IMPORT_CONTACTS_<OPTION> or from the "
    "--config file; an argument beats the environment, and that beats the file. Exit status: 0 "
    "all done, 1 some rows are not, 2 wrong usage, 3 the input cannot be read, 4 credentials "
    "refused, 5 stopped midway (run again), 75 another run holds the journal, 130 or 143 "
    "interrupted."
)


@click.command(
    _NAME,
    context_settings={
        "auto_envvar_prefix": PREFIX.rstrip("_"),
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
    epilog=_EPILOG,
)
@all_options
@click.version_option(__version__, prog_name=_NAME)
@click.pass_context
def command(ctx: click.Context, /, **_: Any) -> ExitStatus:  # noqa: ANN401 - click's own values
    """Import the order contacts of CONTACTS_CSV into Sitecore CDP, each exactly once.

    CONTACTS_CSV is a path, or - for standard input; .gz, .bz2, .xz, .zip and .zst are opened.
    Running the same command again is always safe: it sends only what is not done yet.
    """
    given = Given.of(ctx)
    begin(given)
    check_environment(os.environ, command)
    summary = _run(given)
    tell(summary, given)
    return summary.exit_status


def main() -> None:
    """Run ``import-contacts`` and leave with its exit status."""
    leave_with(command)


def _run(given: Given) -> "Summary":
    with ExitStack() as stack:
        # What is loaded here stays: not to look through it for garbage saves 0.08 of 0.73 s.
        gc.disable()
        from importer.cli.wiring import run_options  # noqa: PLC0415 - --help need not wait

        options, credentials = run_options(given, stack)
        tell_settings(options)
        # pandas and pandera take half a second to load: --help and bad usage do not wait.
        from importer.pipeline import import_file  # noqa: PLC0415

        spare_collections()
        if options.asks_api:
            stay_on_one_core()
        return import_file(options, credentials, has_process=True)


def tell_settings(options: RunOptions) -> None:
    """With ``--verbose``, say what a run is asked to do and where that comes from."""
    used = [one for one in options.shown if one.value]
    event(
        logging.DEBUG,
        "settings.used",
        "; ".join(f"{one.name}: {one.value} ({one.origin})" for one in used),
        settings={one.name: {"value": one.value, "origin": one.origin} for one in used},
    )
    if options.base_url is not None and not options.dry_run:
        from importer.api.environment import Environment  # noqa: PLC0415 - as in command()

        event(logging.DEBUG, "api.environment", Environment.of(options.base_url).describe())
