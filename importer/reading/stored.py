"""The source file as it is stored: opened, counted, digested and watched for changes.

Source: docs/input.md, "Files".
"""

import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from importer.errors import InputError

# Enough to recognise what a file is: it contains every magic number.
HEAD_BYTES: Final = 64 * 1024
BLOCK_BYTES: Final = 256 * 1024

CHANGED: Final = (
    "the file was changed, replaced or removed while it was being read, so what was read may be "
    "half of one version and half of another. Wait until the export has finished, then run "
    "the same command again"
)

_Identity = tuple[int, int, int, int]


class StoredFile:
    """The bytes of the source file as they are on disk, or of standard input.

    Attributes:
        head: The first bytes, at most `HEAD_BYTES`; `read` returns them, too.
        size: Bytes on disk when the file was opened; None for a stream.
        bytes_read: Bytes read so far, for a progress bar.
    """

    def __init__(self, handle: BinaryIO, path: Path | None = None) -> None:
        """Read the head of an open *handle*; *path* is None for a stream."""
        self.bytes_read = 0
        self._handle = handle
        self._seeks = False
        self._path = path
        self._digest = hashlib.sha256()
        self._identity = _identity(os.fstat(handle.fileno())) if path else None
        self.size = self._identity[0] if self._identity else None
        self._unread = b""
        self.head = self._unread = self._read_head()

    @property
    def name(self) -> str:
        """The name of the file in messages."""
        return str(self._path) if self._path else "standard input"

    @property
    def ending(self) -> str:
        """The ending of the file name in lower case, ``""`` for a stream."""
        return self._path.suffix.lower() if self._path else ""

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of the bytes read so far."""
        return self._digest.hexdigest()

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """Return the next bytes, at most *size*; none at the end of the file.

        Raises:
            InputError: Reading failed.
        """
        data, self._unread = self._unread[:size], self._unread[size:]
        if not data:
            data = self._read_handle(size)
        self._digest.update(data)
        self.bytes_read += len(data)
        return data

    def seekable(self) -> BinaryIO:
        """Return the open file for a reader that must seek; it is digested only at the end."""
        self._seeks = True
        return self._handle

    def finish(self) -> None:
        """Read the rest, so that the digest covers the whole file.

        Raises:
            InputError: The file grew, shrank, was written to, replaced or removed while it was
                read.
        """
        if self._seeks:
            self._handle.seek(0)
            self._unread = b""
            self.bytes_read = 0
        while self.read():
            pass
        if self._path is None:
            return
        try:
            now = {_identity(os.fstat(self._handle.fileno())), _identity(self._path.stat())}
        except OSError:
            now = set()
        if now != {self._identity}:
            raise InputError(CHANGED)

    def close(self) -> None:
        """Close the file; a stream is left open for the caller."""
        if self._path is not None:
            self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read_head(self) -> bytes:
        head = b""
        while len(head) < HEAD_BYTES and (data := self._read_handle(HEAD_BYTES - len(head))):
            head += data
        return head

    def _read_handle(self, size: int) -> bytes:
        try:
            data: bytes | None = self._handle.read(size)
        except (OSError, ValueError) as error:
            raise InputError(
                f"reading failed after {self.bytes_read:,} bytes: {_reason(error)}"
            ) from None
        if data is None:  # a non-blocking stream without data yet: not the end of it
            raise InputError("the stream does not wait for its data; pipe it through `cat`")
        return data


def open_stored(path: Path | None, stdin: BinaryIO) -> StoredFile:
    """Open the file at *path*, or take *stdin* when it is None.

    Raises:
        InputError: The file does not exist, may not be read, or is not a regular file.
    """
    if path is None:
        return StoredFile(stdin)
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return StoredFile(path.open("rb"), path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be opened: {_reason(error)}. Give the path of a CSV file, or - for"
            " standard input"
        ) from None
    if stat.S_ISDIR(mode):
        raise InputError("is a directory. Give the path of the CSV file in it")
    raise InputError(
        "is not a regular file but a pipe, a device or a socket. Send it to standard input instead,"
        " with - as the path"
    )


def spooled(stdin: BinaryIO) -> BinaryIO:
    """Copy a stream to an unnamed file, so that it can be read more than once.

    Raises:
        InputError: It cannot be read to its end, or the disk is full.
    """
    with ExitStack() as on_failure:
        try:
            spool = on_failure.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(stdin, spool)
            spool.flush()
        except OSError as error:
            raise InputError(
                f"standard input cannot be copied to a temporary file: {error.strerror}. It needs "
                "as much space as the input has; TMPDIR names another place. Nothing was sent."
            ) from error
        on_failure.pop_all()
    return spool


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _identity(status: os.stat_result) -> _Identity:
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev
