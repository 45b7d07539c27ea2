"""The SQLite file under the journal: how it is made, held and complained about."""

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

from importer.errors import JournalLockedError, StoppedError, UsageError
from importer.files import sync_directory


def create(path: Path) -> None:
    """Create an empty file for its owner alone, unless there is one."""
    if path.is_symlink() or path.exists():
        check_kind(path)
        return
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.fchmod(descriptor, 0o600)  # whatever the umask takes away
        os.close(descriptor)
        sync_directory(path.parent)
    except FileExistsError:
        return
    except OSError as error:
        raise UsageError(f"--journal: {path} cannot be written: {error.strerror}.") from error


def check_kind(path: Path) -> None:
    """See to it that a regular file stands at ``path``."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise UsageError(f"--journal: {path} is not a regular file; name another.")


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
            connection.execute("PRAGMA journal_mode = WAL")
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
            raise JournalLockedError(
                f"Another run holds the journal {path}. Wait for it to end; "
                "nothing was read, sent or written."
            ) from error
        if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
            raise damaged(path, str(error)) from error
        raise StoppedError(
            f"The journal {path} cannot be written ({error}), so nothing more was sent. "
            "Make room or mend the disk, then run the same command again."
        ) from error


def damaged(path: Path, why: str) -> UsageError:
    """The error for a file that cannot be trusted."""
    return UsageError(
        f"--journal: {path} is no journal of import-contacts, or a damaged one ({why}). "
        "Nothing was sent. Restore it from a backup: a new one would send everything again."
    )
