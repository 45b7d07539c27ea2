"""How the process of a command starts and exits: streams, signals, log, exit status."""

import logging
import os
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import shell_complete

from importer._version import __version__
from importer.cli.parameters import arguments_of
from importer.errors import (
    ExitStatus,
    ImportContactsError,
    StoppedError,
    UsageError,
    kind_and_place,
)
from importer.given import Given, credentials_hint, requested_log_format
from importer.log import configure, event, is_configured, write_line
from importer.settings import ImportSettings, LogFormat, LogOptions, UndoSettings

if TYPE_CHECKING:
    from importer.reporting import Summary

_SIGNALS: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def exit_with(command: click.Command) -> None:
    """Run a command and exit with its status."""
    _reserve_standard_streams()
    _log_what_python_reports(command.name or "")
    arguments = sys.argv[1:]
    _handle_signals(command, arguments)
    status = _complete(command)
    if status is None:
        status = _status(command, arguments)
    _release_standard_streams()
    sys.exit(status)


def configure_log(given: Given[ImportSettings] | Given[UndoSettings]) -> None:
    """Set up the log as the options ask for, and check that there is a working directory.

    Raises:
        UsageError: ``--quiet`` and ``--verbose`` contradict each other, or the working
            directory was removed.
    """
    log = given.options.log
    volume = given.strongest(
        {"quiet": log.quiet, "verbose": log.verbose}, "Give only one of --quiet and --verbose."
    )
    level = {"quiet": logging.ERROR, "verbose": logging.DEBUG}.get(volume or "", logging.INFO)
    configure(log.log_format, level)
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError(
            f"The working directory cannot be found ({error.strerror}); it was removed or "
            "unmounted. Change to another directory, then run the same command again."
        ) from error


def report(summary: "Summary", log: LogOptions) -> None:
    """Write what came of a run."""
    level = logging.INFO if summary.exit_status is ExitStatus.OK else logging.ERROR
    if log.log_format is LogFormat.JSON:
        event(level, "run.finished", summary.headline, **summary.figures())
    elif level is logging.ERROR or not log.quiet:
        for line in summary.as_lines():
            write_line(line)


def _complete(command: click.Command) -> int | None:
    """Answer a shell that asks for completions, or return None."""
    name = command.name or ""
    variable = f"_{name}_COMPLETE".replace("-", "_").upper()
    instruction = os.environ.get(variable)
    return shell_complete(command, {}, name, variable, instruction) if instruction else None


def _status(command: click.Command, arguments: list[str]) -> ExitStatus:
    name = command.name or ""
    try:
        # Not command.main(), which handles Ctrl-C and broken pipes differently.
        with _context(command, arguments) as ctx:
            return ExitStatus(command.invoke(ctx))
    except click.exceptions.Exit as after_help:
        return ExitStatus(after_help.exit_code)
    except click.ClickException as error:
        _report_error(command, UsageError(f"{_usage(error)} Try {name} --help."), arguments)
        return ExitStatus.USAGE
    except ImportContactsError as error:
        _report_error(command, error, arguments)
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - its own text could contain a cell
        _report_error(command, _internal_error(error, name), arguments)
        return ExitStatus.STOPPED


def _context(command: click.Command, arguments: list[str]) -> click.Context:
    try:
        return command.make_context(command.name, list(arguments))
    except BrokenPipeError:  # as in: import-contacts --help | head -1
        raise click.exceptions.Exit from None


def _usage(error: click.ClickException) -> str:
    """Return click's message about arguments as a whole sentence."""
    if isinstance(error, click.NoSuchOption) and (hint := credentials_hint(error.option_name)):
        return hint
    text = error.format_message()
    return text if text.endswith((".", "?", ".)", "?)")) else f"{text}."


def _internal_error(error: Exception, name: str) -> StoppedError:
    """Return what may be shown of an internal error: where it is, and none of its text."""
    return StoppedError(
        f"Internal error in {name} {__version__}: {kind_and_place(error)}. Please report it. What "
        "was sent is in the journal; run the same command again to continue."
    )


def _report_error(command: click.Command, error: ImportContactsError, arguments: list[str]) -> None:
    if not is_configured():
        # The options themselves are wrong, so only the log format is looked for among them.
        leniently = command.make_context(
            command.name, list(arguments), resilient_parsing=True, ignore_unknown_options=True
        )
        if requested_log_format(arguments_of(leniently), os.environ) is not LogFormat.JSON:
            write_line(f"Error: {error}")
            return
        configure(LogFormat.JSON, logging.ERROR)
    event(logging.ERROR, "run.failed", str(error), exitCode=int(error.exit_status))


def _handle_signals(command: click.Command, arguments: list[str]) -> None:
    """Have a signal end the command with a message while no run handles it.

    That is before a run begins, while pandas is loaded for example, at a question, and after its
    end. An exception raised by the handler would be lost, and the signal with it, where the
    interpreter cannot raise one, as in a destructor.
    """

    def leave(number: int) -> None:
        error = ImportContactsError(
            f"Received {signal.Signals(number).name}. Run the same command again; it does only "
            "what is not done yet."
        )
        error.exit_status = ExitStatus(128 + number)
        try:
            _report_error(command, error, arguments)
        finally:
            os._exit(error.exit_status)

    def handle(number: int, _frame: object) -> None:
        # In another thread: this one may have been interrupted while it was writing a line.
        threading.Thread(target=leave, args=(number,), daemon=True).start()

    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)


def _log_what_python_reports(name: str) -> None:
    """Log what Python itself would write to standard error.

    Its own text might quote a cell, so only the kind and the place are logged.
    """

    def log_error(found: "threading.ExceptHookArgs | sys.UnraisableHookArgs") -> None:
        if isinstance(found.exc_value, Exception):
            event(logging.ERROR, "program.fault", str(_internal_error(found.exc_value, name)))

    def log_warning(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object
    ) -> None:
        del message
        place = f"{Path(filename).name}:{lineno}"
        event(logging.WARNING, "program.warning", f"{category.__name__} at {place}")

    threading.excepthook = sys.unraisablehook = log_error
    # Python passes further arguments, which are in *_; the type of its own function differs.
    warnings.showwarning = log_warning  # type: ignore[assignment]


def _reserve_standard_streams() -> None:
    """Keep files from being opened under the number of a closed standard stream.

    A journal opened as number 2 would receive whatever is written to standard error.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for good


def _release_standard_streams() -> None:
    """Keep the interpreter from exit status 120 when a reader has gone, as ``| head`` does."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
