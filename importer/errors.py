"""Errors that end a run, and the exit statuses of the commands.

ImportContactsError
├── NothingToDeleteError    1   an undo found nothing that it may delete
├── UsageError              2   an option, a configuration or a credential is wrong
├── InputError              3   the source file cannot be read; nothing was sent
├── CredentialsError        4   the API refused the credentials
├── StoppedError            5   stopped midway; the same command resumes the run
└── JournalLockedError     75   another run holds the journal

A problem with a single record is never an exception: it is an
:class:`importer.records.Issue` or an :class:`importer.records.Outcome`.
"""

import traceback
from enum import IntEnum, unique
from pathlib import Path
from typing import Self


@unique
class ExitStatus(IntEnum):
    """The exit status of a command.

    Attributes:
        meaning: What the status says, as a phrase for help texts and documentation.

    Source: docs/results.md.
    """

    _value_: int
    meaning: str

    def __new__(cls, value: int, meaning: str = "") -> Self:
        """Create a member; see the attributes of the class."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "every row is done"
    SOME_ROWS_FAILED = 1, "finished, but some rows are not done"
    USAGE = 2, "wrong usage or configuration, so nothing was sent"
    INPUT = 3, "the input cannot be read, or a check of it failed, so nothing was sent"
    CREDENTIALS = 4, "the API refused the credentials"
    STOPPED = 5, "stopped midway, and the same command resumes the run"
    LOCKED = 75, "another run holds the journal"
    HANGUP = 129, "interrupted by SIGHUP"
    INTERRUPTED = 130, "interrupted by SIGINT"
    TERMINATED = 143, "interrupted by SIGTERM"

    @classmethod
    def help(cls) -> str:
        """Return a paragraph about all exit statuses for the help text of a command."""
        statuses = "; ".join(f"{int(status)} {status.meaning}" for status in cls)
        return f"Exit status: {statuses}."


class ImportContactsError(Exception):
    """The run cannot continue. The text says what happened, where, and what to do next."""

    exit_status = ExitStatus.STOPPED


class NothingToDeleteError(ImportContactsError):
    """No contact may be deleted; the text names the runs that created what the file names."""

    exit_status = ExitStatus.SOME_ROWS_FAILED


class UsageError(ImportContactsError):
    """An option, a configuration file or a credential is missing or wrong."""

    exit_status = ExitStatus.USAGE


class InputError(ImportContactsError):
    """The source file cannot be read as a whole, so nothing was sent."""

    exit_status = ExitStatus.INPUT


class CredentialsError(ImportContactsError):
    """The API refused the credentials."""

    exit_status = ExitStatus.CREDENTIALS


class StoppedError(ImportContactsError):
    """The run stopped midway, running the same command again resumes it."""

    exit_status = ExitStatus.STOPPED


class JournalLockedError(ImportContactsError):
    """Another run holds the journal."""

    exit_status = ExitStatus.LOCKED


def kind_and_place(error: BaseException) -> str:
    """Return the type and the place of an unexpected error.

    Its own text is left out, because it may quote a cell.
    """
    calls = traceback.extract_tb(error.__traceback__)
    places = " > ".join(f"{Path(call.filename).name}:{call.lineno}" for call in calls)
    kind = type(error).__name__
    return f"{kind} at {places}" if places else kind
