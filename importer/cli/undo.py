"""``undo-import``: from arguments to an exit status."""

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from importer._version import __version__
from importer.cli.config import load_config
from importer.cli.ending import begin, leave_with, tell
from importer.cli.environment import check_environment
from importer.cli.given import Given
from importer.cli.main import command as import_contacts
from importer.cli.main import tell_settings
from importer.cli.options import default_out
from importer.cli.tuning import stay_on_one_core
from importer.cli.types import FileType
from importer.errors import ExitStatus, UsageError
from importer.log import event
from importer.settings import RunOptions, SourceOptions

if TYPE_CHECKING:
    from importer.undoing import Survey

_GUESTS: Final = "That the API matched a contact to a guest, or made a guest of it, is not undone."
_EPILOG: Final = (
    "Destination, credentials, pace and log are those of import-contacts, its variables "
    "IMPORT_CONTACTS_<OPTION> and its --config file included. Exit status: 0 all deleted or "
    "absent, 1 some are not, 2 wrong usage, or not confirmed, 3 no results file, 4 credentials "
    "refused, 5 stopped midway (run again), 75 another run holds the journal, 130 or 143 "
    "interrupted."
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
        "new_client_key",
    }
)
_DESTINATIONS: Final = ("region", "base_url")
_READ: Final = ("config", "credentials_file")
_FILE: Final = FileType()
_OUTPUT: Final = FileType(or_stream=True)


def _load_config(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """Have a configuration file of imports stand in for the options that an undo shares."""
    load_config(ctx, param, path, import_contacts)
    shared = _SHARED | {"journal", "dry_run"}
    found = ctx.default_map or {}
    ctx.default_map = {name: value for name, value in found.items() if name in shared}
    return path


_PARAMETERS: Final[list[click.Parameter]] = [
    click.Argument(["results_csv"], type=_FILE),
    click.Option(
        ["--config"],
        type=_FILE,
        is_eager=True,
        callback=_load_config,
        help="The import's configuration file: its destination, credentials, pace and log.",
    ),
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
        help="Delete contacts as well that somebody has changed, or may have made.",
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
    check_environment(os.environ, import_contacts)
    options = _options(given)
    tell_settings(options)
    credentials = credentials_of(given)

    def confirm(found: "Survey") -> None:
        _confirm(found, options, given)

    # pandas takes half a second to load: --help and bad usage do not wait.
    from importer.undoing import undo_file  # noqa: PLC0415

    stay_on_one_core()
    summary = undo_file(options, credentials, confirm, force=given["force"])
    tell(summary, given)
    return summary.exit_status


def main() -> None:
    """Run ``undo-import`` and leave with its exit status."""
    leave_with(command)


def _options(given: Given) -> RunOptions:
    from importer.cli.wiring import (  # noqa: PLC0415 - as above
        bar_of,
        delivery_options,
        destination_of,
        url_of,
    )

    name = given.strongest(_DESTINATIONS, "Give only one of --region and --base-url.")
    if name is None:
        raise UsageError("Say where the contacts are: --region eu|us|ap|jp or --base-url URL.")
    base_url = url_of(name, given)
    path: Path = given["results_csv"]
    out = given["out"] or default_out(path, "undone")
    journal = given["journal"] or path.with_name(f"{path.name}.journal")
    return RunOptions(
        source=SourceOptions(path=path),
        delivery=delivery_options(given),
        base_url=base_url,
        destination=destination_of(base_url),
        new_client_key=given["new_client_key"],
        out=out,
        summary=given["summary"],
        journal=journal,
        dry_run=given["dry_run"],
        bar=bar_of(given),
        reads={f"--{name.replace('_', '-')}": given[name] for name in _READ if given[name]},
        shown=given.shown({"out": out, "journal": journal}, {*_DESTINATIONS} - {name}),
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
    try:
        agreed = click.confirm(f"Delete {contacts} at {options.base_url}?", err=True)
    except click.Abort:
        agreed = False  # the input has ended
    if not agreed:
        raise UsageError("Nothing was deleted.")
