"""``import-contacts``: from arguments to an exit status."""

import gc
import logging
import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer._version import __version__
from importer.cli.options import all_options, default_out
from importer.errors import ExitStatus, ImportContactsError, UsageError
from importer.log import configure, event, write_line
from importer.settings import (
    DeliveryOptions,
    IfExists,
    MappingOptions,
    Rules,
    RunOptions,
    SourceOptions,
)

if TYPE_CHECKING:
    from importer.api import Credentials
    from importer.reporting import Summary

_EPILOG = (
    "Credentials come from SITECORE_CDP_CLIENT_KEY and SITECORE_CDP_API_TOKEN. Every option can "
    "also come from IMPORT_CONTACTS_<OPTION>. Exit status: 0 all done, 1 some rows are not, "
    "2 wrong usage, 3 the input cannot be read, 4 credentials refused, 5 stopped midway (run "
    "again), 75 another run holds the journal, 130 or 143 interrupted."
)


@click.command(
    context_settings={
        "auto_envvar_prefix": "IMPORT_CONTACTS",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
    epilog=_EPILOG,
)
@all_options
@click.version_option(__version__, prog_name="import-contacts")
def command(**given: Any) -> ExitStatus:  # noqa: ANN401 - click's own values
    """Import the order contacts of CONTACTS_CSV into Sitecore CDP, each exactly once.

    CONTACTS_CSV is a path, or - for standard input; .gz, .bz2, .xz, .zip and .zst are opened.
    Running the same command again is always safe: it sends only what is not done yet.
    """
    configure_log(given)
    with ExitStack() as stack:
        options, credentials = _options(given, stack)
        # pandas and pandera take half a second to load: --help and bad usage do not wait.
        from importer.pipeline import import_file  # noqa: PLC0415

        _spare_collections()
        summary = import_file(options, credentials)
    tell(summary, given)
    return summary.exit_status


def main() -> None:
    """Run ``import-contacts`` and leave with its exit status."""
    leave_with(command)


def leave_with(command: click.Command) -> None:
    """Run a command and leave with its exit status."""
    try:
        status = command.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = ExitStatus.USAGE
    except click.Abort:
        status = ExitStatus.INTERRUPTED
    except ImportContactsError as error:
        _tell_error(error)
        status = error.exit_status
    sys.exit(status)


def configure_log(given: dict[str, Any]) -> None:
    """Have the log as the options say."""
    level = logging.DEBUG if given["verbose"] else logging.INFO
    configure(given["log_format"], logging.ERROR if given["quiet"] else level)


def _spare_collections() -> None:
    """Have fewer runs of the garbage collector: a batch makes many objects and no cycles.

    A dry run of 100,000 rows takes 3.9 s of CPU instead of 5.6, and no more memory.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _options(given: dict[str, Any], stack: ExitStack) -> tuple[RunOptions, "Credentials | None"]:
    path: Path = given["contacts_csv"]
    out = given["out"] or default_out(path)
    results = default_out(path) if out == Path("-") else out
    base_url, credentials = _destination(given, stack)
    options = RunOptions(
        source=SourceOptions(
            path=None if path == Path("-") else path,
            encoding=given["encoding"],
            delimiter=given["delimiter"],
            limit=given["limit"],
        ),
        mapping=MappingOptions(
            columns=dict(given["columns"]),
            identifiers=dict(given["identifiers"]),
            list_separator=given["list_separator"],
            carry=given["carry"],
        ),
        rules=Rules(
            phone_region=given["phone_region"],
            date_format=given["date_format"],
            require=given["require"],
        ),
        delivery=replace(
            delivery_options(given),
            if_exists=IfExists(given["if_exists"]),
            preview=given["dry_run"],
        ),
        base_url=base_url,
        destination="sandbox" if given["sandbox"] else base_url,
        out=out,
        rejects=given["rejects"],
        summary=given["summary"],
        journal=given["journal"] or results.with_name(f"{results.name}.journal"),
        dry_run=given["dry_run"],
        strict=given["strict"],
        # A new sandbox is empty, whatever an earlier one has held.
        fresh=given["fresh"] or given["sandbox"],
        bar=given["bar"] if not given["quiet"] else False,
    )
    return options, credentials


def delivery_options(given: dict[str, Any]) -> DeliveryOptions:
    """How fast and how patiently."""
    return DeliveryOptions(
        concurrency=given["concurrency"],
        rate=given["rate"],
        timeout=given["timeout"],
        attempts=given["attempts"],
        max_errors=given["max_errors"],
    )


def _destination(
    given: dict[str, Any], stack: ExitStack
) -> tuple[str | None, "Credentials | None"]:
    region, base_url, sandbox = given["region"], given["base_url"], given["sandbox"]
    if sum(map(bool, (region, base_url, sandbox))) > 1:
        raise UsageError("Give only one of --region, --base-url and --sandbox.")
    if given["sandbox_faults"] and not sandbox:
        raise UsageError("--sandbox-faults is for --sandbox only.")
    asks_api = not given["dry_run"] or given["if_exists"] != IfExists.CREATE
    if not (region or base_url or sandbox) and asks_api:
        raise UsageError(
            "Say where to send: --region eu|us|ap|jp, --base-url URL, or --sandbox to rehearse."
        )
    if sandbox:
        from importer.rehearsal import sandbox_running  # noqa: PLC0415 - as in command()

        address = stack.enter_context(sandbox_running(given["sandbox_faults"]))
        return address.url, _credentials(address.client_key, address.api_token)
    return url_of(given), credentials_of_environment() if asks_api else None


def url_of(given: dict[str, Any]) -> str | None:
    """The base URL of the region, or the one that is given itself; None if neither is."""
    from importer.api import base_url_of, check_base_url  # noqa: PLC0415 - as in command()

    region, base_url = given["region"], given["base_url"]
    return check_base_url(base_url) if base_url else base_url_of(region) if region else None


def credentials_of_environment() -> "Credentials":
    """Who sends.

    Raises:
        UsageError: They are missing, or cannot be right.
    """
    return _credentials(
        os.environ.get("SITECORE_CDP_CLIENT_KEY"), os.environ.get("SITECORE_CDP_API_TOKEN")
    )


def _credentials(client_key: str | None, api_token: str | None) -> "Credentials":
    from importer.api import Credentials  # noqa: PLC0415 - as in command()

    return Credentials(client_key or "", api_token or "")


def tell(summary: "Summary", given: dict[str, Any]) -> None:
    """Say what a run has come to."""
    level = logging.INFO if summary.exit_status is ExitStatus.OK else logging.ERROR
    if given["log_format"] == "json":
        event(level, "run.finished", " ".join(summary.as_lines()), **summary.figures())
    elif level is logging.ERROR or not given["quiet"]:
        for line in summary.as_lines():
            write_line(line)


def _tell_error(error: ImportContactsError) -> None:
    handlers = logging.getLogger("importer").handlers
    if handlers:
        event(logging.ERROR, "run.failed", str(error), exitCode=int(error.exit_status))
    else:
        write_line(f"Error: {error}")
