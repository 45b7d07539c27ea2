"""``import-contacts``: from arguments to an exit status."""

import gc
import logging
import os
import sys
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer._version import __version__
from importer.cli.environment import PREFIX, check_environment
from importer.cli.given import Given
from importer.cli.options import all_options
from importer.errors import ExitStatus, ImportContactsError, StoppedError, UsageError
from importer.log import configure, event, is_configured, write_line
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
    volume = given.strongest(("quiet", "verbose"), "Give only one of --quiet and --verbose.")
    level = {"quiet": logging.ERROR, "verbose": logging.DEBUG}.get(volume or "", logging.INFO)
    configure(given["log_format"], level)
    check_environment(os.environ, command)
    try:
        summary = _run(given)
    except OSError as error:
        # To click, a broken pipe is a reason to leave without a word.
        raise _fault(error) from None
    _tell(summary, given)
    return summary.exit_status


def main() -> None:
    """Run the command and leave with its exit status."""
    _hold_standard_streams()
    status = _status(sys.argv[1:])
    _let_go_of_standard_streams()
    sys.exit(status)


def _run(given: Given) -> "Summary":
    with ExitStack() as stack:
        from importer.cli.wiring import run_options  # noqa: PLC0415 - --help need not wait

        options, credentials = run_options(given, stack)
        _tell_settings(options)
        # pandas and pandera take half a second to load: --help and bad usage do not wait.
        from importer.pipeline import import_file  # noqa: PLC0415

        _spare_collections()
        return import_file(options, credentials, heed_signals=True)


def _status(arguments: list[str]) -> ExitStatus:
    try:
        # After --help or --version click itself gives 0.
        return ExitStatus(command.main(arguments, prog_name=_NAME, standalone_mode=False) or 0)
    except click.ClickException as error:
        _tell_error(UsageError(f"{error.format_message()} Try {_NAME} --help."), arguments)
        return ExitStatus.USAGE
    except click.Abort:
        return ExitStatus.INTERRUPTED
    except ImportContactsError as error:
        _tell_error(error, arguments)
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - its own text could show what a cell holds
        _tell_error(_fault(error), arguments)
        return ExitStatus.STOPPED


def _fault(error: Exception) -> StoppedError:
    calls = traceback.extract_tb(error.__traceback__)
    places = " > ".join(f"{Path(call.filename).name}:{call.lineno}" for call in calls)
    return StoppedError(
        f"A fault of {_NAME} {__version__}: {type(error).__name__} at {places}. Please report "
        "it. What was sent is in the journal; run the same command again to go on."
    )


def _spare_collections() -> None:
    """Have fewer runs of the garbage collector: a batch makes many objects and no cycles.

    A dry run of 100,000 rows takes 3.9 s of CPU instead of 5.6, and no more memory.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _tell_settings(options: RunOptions) -> None:
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


def _tell(summary: "Summary", given: Given) -> None:
    level = logging.INFO if summary.exit_status is ExitStatus.OK else logging.ERROR
    if given["log_format"] == "json":
        event(level, "run.finished", summary.headline, **summary.figures())
    elif level is logging.ERROR or not given["quiet"]:
        for line in summary.as_lines():
            write_line(line)


def _tell_error(error: ImportContactsError, arguments: list[str]) -> None:
    if not is_configured():
        # What is wrong lies in the options themselves, so they are looked at once more,
        # without judging them, for how to tell it.
        leniently = command.make_context(
            _NAME, arguments, resilient_parsing=True, ignore_unknown_options=True
        )
        if leniently.params.get("log_format") != "json":
            write_line(f"Error: {error}")
            return
        configure("json", logging.ERROR)
    event(logging.ERROR, "run.failed", str(error), exitCode=int(error.exit_status))


def _hold_standard_streams() -> None:
    """Let no file take the number of a closed standard stream.

    A journal that is opened as number 2 would take in whatever is written to standard error.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for good


def _let_go_of_standard_streams() -> None:
    """Keep the interpreter from exit status 120 when a reader has gone, as ``| head`` does."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
