"""The SQLite file under the journal: how it is made, held and complained about."""

import contextlib
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from importer.errors import JournalLockedError, StoppedError, UsageError
from importer.files import create_whole

# The last is Python's own: text that is no UTF-8.
_DAMAGES: Final = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR, 0}


def create(path: Path, blank: Callable[[], bytes]) -> None:
    """Create a journal for its owner alone, unless there is one.

    It appears whole, so an empty file is none that a killed run has left.

    Args:
        path: Where it is to be.
        blank: Makes the bytes of a journal without entries.
    """
    if path.is_symlink() or path.exists():
        check_kind(path)
        return
    try:
        create_whole(path, blank())
    except BlockingIOError as error:
        raise locked(path) from error
    except OSError as error:
        raise UsageError(f"--journal: {path} cannot be written: {error.strerror}.") from error


def check_kind(path: Path) -> None:
    """See to it that a regular file stands at ``path``."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise UsageError(f"--journal: {path} is not a regular file; name another.")
    if path.stat().st_size == 0:
        raise UsageError(
            f"--journal: {path} is empty, which no journal ever is: what it held is lost. Nothing "
            "was sent. Restore it from a backup; delete it only if nothing was ever sent with it."
        )


def inode_of(path: Path) -> int | None:
    """Number of the file at ``path``, None when there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def connect(path: Path) -> sqlite3.Connection:
    """Open the file and keep every other process out of it."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
    try:
        with translated(path):
            # Held from the first access until the connection closes, and freed by the kernel
            # when the process dies: the lock that keeps a second run out.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            # With a log beside it (WAL), whoever damages, loses or leaves behind that log loses
            # entries, and nobody notices. This way a commit takes four syncs instead of one:
            # 35 µs an entry instead of 18 where 64 share a commit.
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors in the words of a user."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise locked(path) from error
        if code in _DAMAGES:
            raise damaged(path, str(error)) from error
        raise StoppedError(
            f"The journal {path} cannot be written ({error}), so nothing more was sent. "
            "Make room or mend the disk, then run the same command again."
        ) from error


def locked(path: Path) -> JournalLockedError:
    """The error for a file that another run has in hand."""
    return JournalLockedError(
        f"Another run holds the journal {path}. Wait for it to end; "
        "nothing was read, sent or written."
    )


def damaged(path: Path, why: str) -> UsageError:
    """The error for a file that cannot be trusted."""
    return UsageError(
        f"--journal: {path} is no journal of import-contacts, or a damaged one ({why}). "
        "Nothing was sent. Restore it from a backup: a new one would send everything again."
    )
