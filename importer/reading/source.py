"""The source file as a header and batches of records."""

from collections.abc import Iterator
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
from importer.reading.recognition import refuse_foreign_bytes, refuse_foreign_text
from importer.reading.stored import HEAD_BYTES, StoredFile, open_stored
from importer.records import Batch, BrokenRecord, Issue
from importer.settings import SourceOptions

MAX_ROWS: Final = 5_000
_FIRST_ROWS: Final = 250  # sending begins with them, 0.2 s sooner than with a whole batch
# A batch ends early at so many characters, so that long cells and wide files cost no memory.
MAX_BATCH_CHARACTERS: Final = 4 * 1024 * 1024
INVALID_RECORD: Final = "invalid.record"


def open_source(options: SourceOptions, stdin: BinaryIO) -> "Source":
    """Open the source file and read its header.

    Args:
        options: Where the file is and how it is written.
        stdin: Standard input, as bytes; read when the options name no file.

    Returns:
        The source; a context manager that closes the file.

    Raises:
        UsageError: The encoding or the delimiter of the options is none.
        InputError: The file cannot be read, is no CSV file, or its header cannot be used.
    """
    if options.delimiter is not None and (
        len(options.delimiter) != 1 or options.delimiter in '"\r\n\0'
    ):
        raise UsageError(
            f"--delimiter {options.delimiter!r} cannot stand between cells. Give one character"
            " other than a quote or a line break"
        )
    encoding = codec_name(options.encoding) if options.encoding else None
    name = str(options.path) if options.path else "standard input"
    with _named(name):
        stored = open_stored(options.path, stdin)
        try:
            return Source(stored, options, encoding)
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
        sep_line: Excel's ``sep=`` line before the header without line end, ``""`` if there
            is none; a file that is to be read back with the same options needs it, too.
    """

    def __init__(self, stored: StoredFile, options: SourceOptions, asked: str | None) -> None:
        """Read the header of *stored*, in the encoding *asked* for; see `open_source`."""
        packed = stored.ending in ENDINGS
        refuse_foreign_bytes(stored.head, packed=packed)
        blocks = unpack(stored)
        head = _read_head(blocks)
        if packed:
            refuse_foreign_bytes(head, packed=False)
        encoding = detect_encoding(head, asked)
        text = head[encoding.mark :]
        refuse_foreign_text(text.decode(encoding.decode, "replace"))
        self._stored = stored
        self._limit = options.limit
        self._lines = LineReader(decode(chain([text], blocks), encoding), encoding.decode)
        header = read_header(self._lines, options.delimiter)
        self.header = header.cells
        self.header_line = header.line
        self.delimiter = header.delimiter
        self.sep_line = header.sep_line
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

        Blank lines are no records: lines with nothing but spaces and tabs, unless one of
        them is the delimiter. After the last record the rest of the file is read for its
        digest, also when the options limit the records.

        Args:
            max_rows: Most records in a batch; long ones make it shorter, and so is the first.

        Raises:
            InputError: The file cannot be read to its end, or was changed meanwhile.
        """
        with _named(self._stored.name):
            left = islice(records(self._lines, self.delimiter), self._limit)
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
        width = len(self.header)
        rows = pd.RangeIndex(first_row, first_row + len(taken), name="row")
        sound = [not record.fault and len(record.cells) == width for record in taken]
        cells = [record.cells for record, is_sound in zip(taken, sound, strict=True) if is_sound]
        return Batch(
            cells=pd.DataFrame(
                cells,
                index=rows if len(cells) == len(taken) else rows[sound],
                columns=range(width),
                dtype=object,
            ),
            lines=pd.Series([record.line for record in taken], index=rows, dtype="int64"),
            broken=tuple(
                self._broken(row, record)
                for row, record, is_sound in zip(rows, taken, sound, strict=True)
                if not is_sound
            ),
        )

    def _broken(self, row: int, record: Record) -> BrokenRecord:
        message = record.fault or _width_fault(len(record.cells), len(self.header))
        return BrokenRecord(Issue(row, INVALID_RECORD, message), tuple(record.cells))


def _width_fault(cells: int, columns: int) -> str:
    count = "1 cell" if cells == 1 else f"{cells:,} cells"
    remedy = (
        "put a cell that holds the delimiter in quotes, and end the header line with a delimiter"
        " if the records do"
        if cells > columns
        else "write a delimiter for every blank cell, and put a cell with a line break in quotes"
    )
    return f"{count} where the header has {columns:,}; {remedy}"


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
    """Read enough to tell what the file is and how it is encoded."""
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
