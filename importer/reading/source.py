"""The source file as a header and batches of records."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from types import TracebackType
from typing import BinaryIO, Final, Self

import pandas as pd

from importer.errors import InputError, UsageError
from importer.reading.decoding import codec_name, decode, detect_encoding
from importer.reading.header import read_header
from importer.reading.lines import LineReader
from importer.reading.packing import ENDINGS, unpack
from importer.reading.parsing import Record, records
from importer.reading.recognition import (
    refuse_ebcdic,
    refuse_foreign_bytes,
    refuse_foreign_text,
)
from importer.reading.stored import HEAD_BYTES, StoredFile, open_stored
from importer.records import Batch, BrokenRecord, Issue
from importer.settings import SourceOptions

MAX_ROWS: Final = 5_000
_FIRST_ROWS: Final = 250  # so that sending begins before a whole batch is read
# Long cells and wide files make shorter batches, so that memory stays flat.
MAX_BATCH_CHARACTERS: Final = 4 * 1024 * 1024
INVALID_RECORD: Final = "invalid.record"


def open_source(options: SourceOptions, stdin: BinaryIO, columns: Iterable[str] = ()) -> "Source":
    """Open the source file and read its header.

    Args:
        options: Where the file is and how it is written.
        stdin: Standard input, as bytes; read when the options name no file.
        columns: Names of columns in the options, which help to recognise the header.

    Returns:
        The source; a context manager that closes the file.

    Raises:
        UsageError: The encoding or the delimiter of the options cannot be used.
        InputError: The file cannot be read, is not CSV, or its header cannot be used.
    """
    if options.delimiter is not None and (
        len(options.delimiter) != 1 or options.delimiter in '"\r\n\0'
    ):
        raise UsageError(
            f"--delimiter {options.delimiter!r} cannot separate cells. Use one character other"
            " than a quote or a line break"
        )
    encoding = codec_name(options.encoding) if options.encoding else None
    name = str(options.path) if options.path else "standard input"
    with _named(name):
        stored = open_stored(options.path, stdin)
        try:
            return Source(stored, options, encoding, columns)
        except BaseException:
            stored.close()
            raise


class Source:
    """An open source file.

    Attributes:
        header: Names of the columns as they stand in the file, without byte order mark.
        header_line: Line on which the header starts, from 1.
        delimiter: The character between two cells.
        encoding: Codec for writing a file that the same options read back.
        preamble: The lines before the header that a file needs, too, to be read with the same
            options, each with a line end: those of ``--skip-lines``, and a ``sep=`` line.
    """

    def __init__(
        self,
        stored: StoredFile,
        options: SourceOptions,
        asked: str | None = None,
        columns: Iterable[str] = (),
    ) -> None:
        """Read the header of *stored*, in the encoding *asked* for; see :func:`open_source`."""
        packed = stored.ending in ENDINGS
        refuse_foreign_bytes(stored.head, packed=packed)
        blocks = unpack(stored)
        head = _read_head(blocks)
        if packed:
            refuse_foreign_bytes(head, packed=False)
        encoding = detect_encoding(head, asked)
        if asked is None and not encoding.mark:
            refuse_ebcdic(head)
        text = head[encoding.mark :]
        refuse_foreign_text(text.decode(encoding.decode, "replace"))
        self._stored = stored
        self._limit = options.limit
        self._lines = LineReader(decode(chain([text], blocks), encoding), encoding.decode)
        header = read_header(self._lines, options.delimiter, options.skip_lines, columns)
        self.header = header.cells
        self.header_line = header.line
        self.delimiter = header.delimiter
        self.preamble = header.preamble
        self.encoding = encoding.write

    @property
    def size(self) -> int | None:
        """Bytes of the file on disk; None for a stream."""
        return self._stored.size

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far."""
        return self._stored.bytes_read

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of the bytes on disk, once `batches` is exhausted."""
        return self._stored.sha256

    def batches(self, max_rows: int = MAX_ROWS) -> Iterator[Batch]:
        """Yield all records once, in file order, numbered from 1 without gaps.

        Blank lines are not records: lines with only spaces and tabs, unless one of them is the
        delimiter. After the last record the rest of the file is read for its digest, even when
        the options limit the records.

        Args:
            max_rows: Most records in a batch; long ones make it shorter, and so is the first.

        Raises:
            InputError: The file cannot be read to its end, or changed in the meantime.
        """
        with _named(self._stored.name):
            width = len(self.header)
            left = islice(records(self._lines, self.delimiter, width), self._limit)
            first_row, most = 1, min(_FIRST_ROWS, max_rows)
            while taken := _take(left, most):
                yield self._batch(first_row, taken)
                first_row, most = first_row + len(taken), max_rows
            self._stored.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stored.close()

    def _batch(self, first_row: int, taken: list[Record]) -> Batch:
        rows = pd.RangeIndex(first_row, first_row + len(taken), name="row")
        cells = [record.cells for record in taken if not record.fault]
        return Batch(
            cells=pd.DataFrame(
                cells,
                index=rows
                if len(cells) == len(taken)
                else rows[[not record.fault for record in taken]],
                columns=range(len(self.header)),
                dtype=object,
            ),
            lines=pd.Series([record.line for record in taken], index=rows, dtype="int64"),
            broken=tuple(
                BrokenRecord(Issue(row, INVALID_RECORD, record.fault), tuple(record.cells))
                for row, record in zip(rows, taken, strict=True)
                if record.fault
            ),
        )


def _take(left: Iterator[Record], max_rows: int) -> list[Record]:
    """Take the records of one batch."""
    taken: list[Record] = []
    size = 0
    for record in left:
        taken.append(record)
        size += record.size
        if len(taken) >= max_rows or size >= MAX_BATCH_CHARACTERS:
            break
    return taken


def _read_head(blocks: Iterator[bytes]) -> bytes:
    """Read enough to recognise what the file is and how it is encoded."""
    head = b""
    while len(head) < HEAD_BYTES and (block := next(blocks, b"")):
        head += block
    return head


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Begin the text of an `InputError` with the file that it is about."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
