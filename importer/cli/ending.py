"""How a command of ours begins to speak and comes to its end."""

import logging
import os
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer._version import __version__
from importer.cli.environment import variable
from importer.cli.given import Given
from importer.cli.tables import credentials_hint
from importer.errors import (
    ExitStatus,
    ImportContactsError,
    StoppedError,
    UsageError,
    kind_and_place,
)
from importer.log import configure, event, is_configured, write_line

if TYPE_CHECKING:
    from importer.reporting import Summary


def leave_with(command: click.Command) -> None:
    """Run a command and leave with its exit status."""
    _hold_standard_streams()
    _take_in_what_python_says(command.name or "")
    arguments = sys.argv[1:]
    _heed_signals(command, arguments)
    status = _status(command, arguments)
    _let_go_of_standard_streams()
    sys.exit(status)


def begin(given: Given) -> None:
    """Have the log as the options say, and see that there is a place to work in.

    Raises:
        UsageError: The working directory was removed.
    """
    volume = given.strongest(("quiet", "verbose"), "Give only one of --quiet and --verbose.")
    level = {"quiet": logging.ERROR, "verbose": logging.DEBUG}.get(volume or "", logging.INFO)
    configure(given["log_format"], level)
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError(
            f"The working directory cannot be found ({error.strerror}); it was removed or "
            "unmounted. Change to one that is there, then run the same command again."
        ) from error


def fault(error: Exception, name: str) -> StoppedError:
    """What to say of a fault of this program: where it is, and none of its text."""
    return StoppedError(
        f"A fault of {name} {__version__}: {kind_and_place(error)}. Please report it. What was "
        "sent is in the journal; run the same command again to go on."
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
        # Not command.main(): it has words of its own for Ctrl-C and for a broken pipe.
        with _context(command, arguments) as ctx:
            return ExitStatus(command.invoke(ctx))
    except click.exceptions.Exit as after_help:
        return ExitStatus(after_help.exit_code)
    except click.ClickException as error:
        _tell_error(command, UsageError(f"{_usage(error)} Try {name} --help."), arguments)
        return ExitStatus.USAGE
    except ImportContactsError as error:
        _tell_error(command, error, arguments)
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - its own text could show what a cell holds
        _tell_error(command, fault(error, name), arguments)
        return ExitStatus.STOPPED


def _context(command: click.Command, arguments: list[str]) -> click.Context:
    try:
        return command.make_context(command.name, list(arguments))
    except BrokenPipeError:  # as in: import-contacts --help | head -1
        raise click.exceptions.Exit from None


def _usage(error: click.ClickException) -> str:
    """What click has to say about arguments, in a whole sentence."""
    if isinstance(error, click.NoSuchOption) and (hint := credentials_hint(error.option_name)):
        return hint
    text = error.format_message()
    if isinstance(error, click.BadParameter) and isinstance(option := error.param, click.Option):
        source = error.ctx.get_parameter_source(option.name or "") if error.ctx else None
        if source is click.core.ParameterSource.ENVIRONMENT:
            # Whoever reads it in a mail would look for it in the command.
            text = f"{variable(option)}: {error.message}"
    return text if text.endswith((".", "?", ".)", "?)")) else f"{text}."


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


def _heed_signals(command: click.Command, arguments: list[str]) -> None:
    """Have a signal end the command with a word where no run heeds it.

    That is before it begins, while pandas is loaded for example, at a question and after its
    end. Raising an exception there would do most times, but one that meets the interpreter
    where it can take none, as in a destructor, is lost, and the signal with it.
    """

    def leave(number: int) -> None:
        error = ImportContactsError(
            f"{signal.Signals(number).name} came. Run the same command again; it does only what "
            "is not done yet."
        )
        error.exit_status = ExitStatus(128 + number)
        try:
            _tell_error(command, error, arguments)
        finally:
            os._exit(error.exit_status)

    def handle(number: int, _frame: object) -> None:
        # Not here: the signal may have come while this very thread was writing a line.
        threading.Thread(target=leave, args=(number,), daemon=True).start()

    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)


def _take_in_what_python_says(name: str) -> None:
    """Have what Python itself would write to standard error go to the log, like everything else.

    Its own text might quote a cell, so only the kind and the place are told.
    """

    def tell_fault(told: "threading.ExceptHookArgs | sys.UnraisableHookArgs") -> None:
        if isinstance(told.exc_value, Exception):
            event(logging.ERROR, "program.fault", str(fault(told.exc_value, name)))

    def tell_warning(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object
    ) -> None:
        del message
        place = f"{Path(filename).name}:{lineno}"
        event(logging.WARNING, "program.warning", f"{category.__name__} at {place}")

    threading.excepthook = sys.unraisablehook = tell_fault
    # What Python hands over besides is in *_, which the types of its own function do not foresee.
    warnings.showwarning = tell_warning  # type: ignore[assignment]


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
