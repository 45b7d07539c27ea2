"""Reasons for which a run cannot go on, each with the exit status that tells cron.

ImportContactsError
├── UsageError              2   an option, a configuration or a credential is wrong
├── InputError              3   the source file cannot be read; nothing was sent
├── CredentialsError        4   the API refused the credentials
├── StoppedError            5   stopped midway; the same command goes on from there
└── JournalLockedError     75   another run holds the journal

What is wrong with a single record is never an exception: it is an
:class:`importer.records.Issue` or an :class:`importer.records.Outcome`.
"""

import traceback
from enum import IntEnum, unique
from pathlib import Path


@unique
class ExitStatus(IntEnum):
    """What the process tells its caller. Source: contract, section 5."""

    OK = 0
    SOME_ROWS_FAILED = 1
    USAGE = 2
    INPUT = 3
    CREDENTIALS = 4
    STOPPED = 5
    LOCKED = 75
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class ImportContactsError(Exception):
    """The run cannot go on. The text says what happened, where, and what to do next."""

    exit_status = ExitStatus.STOPPED


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
    """The run stopped midway; running the same command again goes on from there."""

    exit_status = ExitStatus.STOPPED


class JournalLockedError(ImportContactsError):
    """Another run holds the journal."""

    exit_status = ExitStatus.LOCKED


def kind_and_place(error: BaseException) -> str:
    """What may be told of a fault of this program: its own text might quote a cell."""
    calls = traceback.extract_tb(error.__traceback__)
    places = " > ".join(f"{Path(call.filename).name}:{call.lineno}" for call in calls)
    kind = type(error).__name__
    return f"{kind} at {places}" if places else kind
