"""Files that appear whole or not at all, readable by their owner alone.

Content goes to a temporary file in the same directory, is synced, and gets the final name in
one rename. A run that is killed leaves the previous file.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self, TextIO

from importer.errors import StoppedError, UsageError

STANDARD_STREAM = Path("-")


def check_output(path: Path, option: str) -> None:
    """Check, before anything is sent, that ``path`` can be written at the end.

    Args:
        path: The file to write, ``-`` for standard output.
        option: The option that named it, for the error text.

    Raises:
        UsageError: There is no such directory, it cannot be written to, or ``path`` is a link
            or not a regular file.
    """
    if path == STANDARD_STREAM:
        if getattr(sys.stdout, "buffer", None) is None:  # as in a notebook
            raise UsageError(
                f"{option}: standard output is closed or takes only text; name a file."
            )
        return
    directory = path.parent
    if not directory.is_dir():
        raise UsageError(f"{option}: there is no directory {directory}; create it first.")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        mode = None
    except OSError as error:
        raise UsageError(f"{option}: {path} cannot be written: {error.strerror}.") from error
    if mode is not None and stat.S_ISLNK(mode):
        raise UsageError(
            f"{option}: {path} is a symbolic link; name the file it points to, or - for stdout."
        )
    if mode is not None and not stat.S_ISREG(mode):
        raise UsageError(f"{option}: {path} is not a regular file; name another, or - for stdout.")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UsageError(f"{option}: the directory {directory} cannot be written to.")


class AtomicFile:
    """A UTF-8 text file that replaces ``path`` as a whole when it is committed.

    Args:
        path: The file to write; ``-`` is standard output, also written by ``commit``.
        option: The option that named it, for error texts.
        encoding: Name of a Python codec.

    Raises:
        UsageError: The temporary file cannot be created.
    """

    def __init__(self, path: Path, option: str, encoding: str = "utf-8") -> None:
        self.path = path
        self._option = option
        check_output(path, option)
        self._temporary = temporary(path)
        try:
            # What goes to standard output has no name, so that a killed run leaves no file.
            descriptor = _open_alone(self._temporary) if self._temporary else _unnamed()
        except BlockingIOError as error:
            raise UsageError(f"{option}: another run is writing {path}; wait for it.") from error
        except OSError as error:
            raise UsageError(f"{option}: {path} cannot be written: {error.strerror}.") from error
        self.stream: TextIO = os.fdopen(
            descriptor, "w", encoding=encoding, newline="", errors="backslashreplace"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def write(self, text: str) -> None:
        """Write text.

        Raises:
            StoppedError: The file cannot be written.
        """
        try:
            self.stream.write(text)
        except OSError as error:
            raise self._stopped(error) from error

    def fail(self, error: OSError) -> NoReturn:
        """Discard the file because of an error while its stream was written.

        Raises:
            StoppedError: Always.
        """
        self.discard()
        raise self._stopped(error) from error

    def commit(self) -> None:
        """Give the file its name.

        Raises:
            StoppedError: It cannot be written whole. A previous file at ``path`` is unchanged.
        """
        try:
            self.stream.flush()
            os.fsync(self.stream.fileno())
            if self._temporary:
                self._temporary.replace(self.path)
                sync_directory(self.path.parent)
            else:
                self._copy_to_stdout()
            # Closing releases the lock, so it comes after the rename.
            self.stream.close()
        except OSError as error:
            self.discard()
            raise self._stopped(error) from error

    def discard(self) -> None:
        """Remove the temporary file; do nothing after a commit."""
        if self.stream.closed:
            return
        if self._temporary:
            with contextlib.suppress(OSError):
                self._temporary.unlink()
        with contextlib.suppress(OSError):
            self.stream.close()

    def _stopped(self, error: OSError) -> StoppedError:
        if self.path == STANDARD_STREAM:
            return StoppedError(
                f"{self._option}: standard output cannot be written: {error.strerror}. "
                "What arrived there is incomplete. Fix that, then run the same command again."
            )
        return StoppedError(
            f"{self._option}: {self.path} cannot be written: {error.strerror}. "
            "A previous file there is unchanged. Free disk space, then run the same command again."
        )

    def _copy_to_stdout(self) -> None:
        self.stream.seek(0)
        with open(self.stream.fileno(), "rb", closefd=False) as whole:
            try:
                shutil.copyfileobj(whole, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            except BrokenPipeError:
                # A reader that stops early (``| head``) is not an error; without this, the
                # interpreter reports one when it flushes at exit.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def temporary(path: Path) -> Path | None:
    """Return the file that is written before it is renamed to ``path``; None for a stream."""
    return None if path == STANDARD_STREAM else _partial(path)


def _partial(path: Path) -> Path:
    # Always the same name, so that the next run overwrites what a killed one left.
    return path.with_name(f".{path.name}.partial")


def _unnamed() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _open_alone(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(descriptor), path.stat()):
            # Its writer renamed it between our open and our lock.
            raise BlockingIOError  # noqa: TRY301 - the descriptor must be closed
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def create_whole(path: Path, content: bytes) -> None:
    """Create a whole, synced file for its owner alone, unless it exists.

    Raises:
        BlockingIOError: Another process is creating it right now.
        OSError: It cannot be written.
    """
    partial = _partial(path)
    with os.fdopen(_open_alone(partial), "wb") as file, ExitStack() as on_failure:
        on_failure.callback(partial.unlink)
        if path.exists():
            return
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        # Under the lock, so no other process can have created it since.
        partial.rename(path)
        on_failure.pop_all()
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Sync a directory, so that a new name in it survives a power loss."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
