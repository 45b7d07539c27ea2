"""How a command of ours begins to speak and comes to its end."""

import logging
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer._version import __version__
from importer.cli.given import Given
from importer.errors import ExitStatus, ImportContactsError, StoppedError, UsageError
from importer.log import configure, event, is_configured, write_line

if TYPE_CHECKING:
    from importer.reporting import Summary


def leave_with(command: click.Command) -> None:
    """Run a command and leave with its exit status."""
    _hold_standard_streams()
    status = _status(command, sys.argv[1:])
    _let_go_of_standard_streams()
    sys.exit(status)


def configure_log(given: Given) -> None:
    """Have the log as the options say."""
    volume = given.strongest(("quiet", "verbose"), "Give only one of --quiet and --verbose.")
    level = {"quiet": logging.ERROR, "verbose": logging.DEBUG}.get(volume or "", logging.INFO)
    configure(given["log_format"], level)


def fault(error: Exception, name: str) -> StoppedError:
    """What to say of a fault of this program: where it is, and none of its text."""
    calls = traceback.extract_tb(error.__traceback__)
    places = " > ".join(f"{Path(call.filename).name}:{call.lineno}" for call in calls)
    return StoppedError(
        f"A fault of {name} {__version__}: {type(error).__name__} at {places}. Please report "
        "it. What was sent is in the journal; run the same command again to go on."
    )


def tell(summary: "Summary", given: Given) -> None:
    """Say what a run has come to."""
    level = logging.INFO if summary.exit_status is ExitStatus.OK else logging.ERROR
    if given["log_format"] == "json":
        event(level, "run.finished", summary.headline, **summary.figures())
    elif level is logging.ERROR or not given["quiet"]:
        for line in summary.as_lines():
            write_line(line)


def _status(command: click.Command, arguments: list[str]) -> ExitStatus:
    name = command.name or ""
    try:
        # After --help or --version click itself gives 0.
        return ExitStatus(command.main(arguments, prog_name=name, standalone_mode=False) or 0)
    except click.ClickException as error:
        _tell_error(command, UsageError(f"{error.format_message()} Try {name} --help."), arguments)
        return ExitStatus.USAGE
    except click.Abort:
        return ExitStatus.INTERRUPTED
    except ImportContactsError as error:
        _tell_error(command, error, arguments)
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - its own text could show what a cell holds
        _tell_error(command, fault(error, name), arguments)
        return ExitStatus.STOPPED


def _tell_error(command: click.Command, error: ImportContactsError, arguments: list[str]) -> None:
    if not is_configured():
        # What is wrong lies in the options themselves, so they are looked at once more,
        # without judging them, for how to tell it.
        leniently = command.make_context(
            command.name, arguments, resilient_parsing=True, ignore_unknown_options=True
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
