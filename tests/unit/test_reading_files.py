"""Files as they are stored: opened, digested, measured, and checked for changes."""

import gzip
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from packed_cases import CSV, write
from reading_cases import read

from importer.errors import InputError
from importer.reading import open_source
from importer.settings import SourceOptions


def test_unreadable_path_is_an_error(tmp_path: Path) -> None:
    """It is missing, a folder, a pipe, or not a valid name."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path, message in {
        tmp_path / "missing.csv": "No such file",
        tmp_path: "is a directory",
        pipe: "not a regular file.*standard input",
        Path("/dev/null"): "not a regular file.*standard input",
        loop: "cannot be opened",
        tmp_path / ("x" * 300): "cannot be opened",
        tmp_path / "a\0b": "cannot be opened",
        tmp_path / "missing.csv" / "x": "cannot be opened",
    }.items():
        with pytest.raises(InputError, match=f"(?s)^.*{message}"):
            read(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_an_error(tmp_path: Path) -> None:
    """The message has the reason given by the system."""
    path = write(tmp_path, "", CSV)
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        read(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "grew": lambda path: path.write_bytes(path.read_bytes() + b"1,2\n"),
    "shrank": lambda path: os.truncate(path, 10),
    "was written to": lambda path: path.write_bytes(CSV),
    "was replaced": lambda path: (path.with_suffix(".new")).rename(path),
    "was removed": lambda path: path.unlink(),
}


@pytest.mark.parametrize("limit", [None, 20])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_file_that_changes_while_it_is_read_is_reported(
    change: Callable[[Path], object], limit: int | None, tmp_path: Path
) -> None:
    """After the last batch, as it may be a mixture of two versions."""
    path = write(tmp_path, "", CSV)
    os.utime(path, (1, 1))
    path.with_suffix(".new").write_bytes(CSV)
    with open_source(SourceOptions(path=path, limit=limit), io.BytesIO()) as opened:
        batches = opened.batches(max_rows=10)
        next(batches)
        change(path)
        with pytest.raises(InputError, match=r"contacts\.csv: the file was changed"):
            list(batches)


def test_a_file_is_measured_while_it_is_read(tmp_path: Path) -> None:
    """The progress bar shows bytes on disk."""
    data = gzip.compress(b"a\n" + os.urandom(600_000).hex("\n").encode(), 1)
    path = write(tmp_path, ".gz", data)
    with open_source(SourceOptions(path=path), io.BytesIO()) as opened:
        assert len(data) == opened.size
        assert 0 < opened.bytes_read < len(data)
        list(opened.batches())
        assert len(data) == opened.bytes_read


def test_a_stream_has_no_size_and_is_left_open() -> None:
    """It belongs to the caller."""
    stdin = io.BytesIO(CSV)
    with open_source(SourceOptions(path=None), stdin) as opened:
        assert opened.size is None
        list(opened.batches())
        assert hashlib.sha256(CSV).hexdigest() == opened.sha256
    assert not stdin.closed


def test_a_pipe_is_read_to_its_end() -> None:
    """Even if few bytes arrive at a time."""

    class Dripping(io.RawIOBase):
        """A stream that returns a few bytes at a time, as a pipe may."""

        left = CSV

        def read(self, size: int = -1, /) -> bytes:
            drop, self.left = self.left[: min(size, 7)], self.left[min(size, 7) :]
            return drop

    with open_source(SourceOptions(path=None), Dripping()) as opened:  # type: ignore[arg-type]
        assert sum(len(batch.cells) for batch in opened.batches()) == 1000


def test_a_stream_that_fails_is_an_error() -> None:
    """An error of a device, or a closed or non-blocking stream, is not the end of the file."""

    class Failing(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    class Impatient(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            return None  # type: ignore[return-value]

    closed = io.BytesIO()
    closed.close()
    for stdin in (Failing(), Impatient(), closed):
        with pytest.raises(InputError, match=r"^standard input: "):
            open_source(SourceOptions(path=None), stdin)
