"""The SQLite file of a journal: how it is created, opened, locked, and reported as unusable."""

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from importer.errors import JournalLockedError, StoppedError, UsageError
from importer.files import create_whole

_POLL_SECONDS: Final = 0.25
_CACHE_KIB: Final = 8192
# 0 is Python's own: text that is not UTF-8.
_DAMAGES: Final = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR, 0}


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait for another run to release the journal.

    Attributes:
        seconds: At most this long; 0 gives up immediately.
        clock: Monotonic, in seconds.
        sleep: Called with seconds.
    """

    seconds: float = 0.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def until(self, attempt: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
        """Call *attempt* until it succeeds.

        Raises:
            JournalLockedError: Another run still holds the journal.
        """
        deadline = self.clock() + self.seconds
        while True:
            try:
                return attempt()
            except JournalLockedError:
                if (left := deadline - self.clock()) <= 0:
                    raise
            self.sleep(min(_POLL_SECONDS, left))


def create(path: Path, blank: Callable[[], bytes]) -> bool:
    """Create a journal for its owner alone, unless there is one.

    It appears whole, so an empty file is never one that a killed run has left.

    Args:
        path: The file to create.
        blank: Returns the bytes of a journal without entries.

    Returns:
        Whether it was created.
    """
    if is_there(path):
        return False
    try:
        create_whole(path, blank())
    except BlockingIOError as error:
        raise locked(path) from error
    except OSError as error:
        raise UsageError(f"--journal: {path} cannot be written: {error.strerror}.") from error
    return True


def is_there(path: Path) -> bool:
    """Whether there is a file at *path*.

    Raises:
        UsageError: What is there cannot be a journal.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UsageError(f"--journal: {path} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"--journal: {path} is not a regular file; name another.")
    if found.st_size == 0:
        raise UsageError(
            f"--journal: {path} is empty, which a journal never is: its content is lost. Nothing "
            "was sent. Restore it from a backup; delete it only if nothing was ever sent with it."
        )
    if not os.access(path, os.R_OK):
        raise UsageError(f"--journal: {path} cannot be read: permission denied.")
    return True


def inode_of(path: Path) -> int | None:
    """Return the number of the file at *path*, None if there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def connect(path: Path) -> sqlite3.Connection:
    """Open the file and lock it against every other process.

    Raises:
        JournalLockedError: Another process uses it.
    """
    before = inode_of(path)
    if before is None:
        raise locked(path)  # another run has just removed it
    with translated(path):
        connection = _opened(path, "rw")
    try:
        with translated(path):
            _configure(connection)
            # Held from the first access until the connection closes, and released by the kernel
            # when the process dies.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            # A write-ahead log would be faster, but entries would be lost with it: when it is
            # damaged, deleted, or left behind by a copy.
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    if inode_of(path) != before:
        connection.close()
        raise locked(path)  # as above
    return connection


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """Open the file without ever changing it, and keep it from being changed meanwhile.

    Others can read it at the same time.

    Raises:
        JournalLockedError: A run that writes holds it.
    """
    with translated(path):
        try:
            return _reading(path)
        except sqlite3.OperationalError as error:
            if _code(error) not in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
                raise
        # A run was killed in the middle of a commit, which only a writer can roll back.
        connect(path).close()
        return _reading(path)


def _reading(path: Path) -> sqlite3.Connection:
    connection = _opened(path, "ro")
    try:
        _configure(connection)
        # This transaction is the lock; it ends with the connection.
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def temporary() -> sqlite3.Connection:
    """Open an empty private database, in a temporary file once it outgrows its cache."""
    return sqlite3.connect("", isolation_level=None, check_same_thread=False)


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    # As a URI, because SQLite would take some plain names (":memory:", "file:x", "") for
    # something else, and create a file that is not there.
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0, check_same_thread=False)


def _configure(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA cell_size_check = ON")


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as our own."""
    try:
        yield
    except UnicodeDecodeError as error:  # in a message of SQLite's that quotes the file
        raise damaged(path, "it contains text that is not UTF-8") from error
    except sqlite3.DatabaseError as error:
        code = _code(error)
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise locked(path) from error
        if code in _DAMAGES:
            raise damaged(path, str(error)) from error
        raise StoppedError(
            f"The journal {path} cannot be written ({error}), so nothing more was sent. "
            "Free space or repair the disk, then run the same command again."
        ) from error


def locked(path: Path) -> JournalLockedError:
    """Return the error for a file that another run uses."""
    return JournalLockedError(
        f"Another run holds the journal {path}. Wait until it has finished, or use --wait SECONDS "
        "to have this one wait for it. Nothing was read, sent or written."
    )


def damaged(path: Path, why: str) -> UsageError:
    """Return the error for a file that cannot be trusted."""
    return UsageError(
        f"--journal: {path} is not a journal of import-contacts, or it is damaged ({why}). "
        "Nothing more was sent. Restore it from a backup: a new one would send everything again."
    )
