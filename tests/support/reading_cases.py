"""Reads source files for the tests of ``importer.reading``."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from importer.reading import open_source
from importer.reading.decoding import decode, detect_encoding
from importer.reading.lines import LineReader
from importer.reading.parsing import Record, records
from importer.settings import SourceOptions


@dataclass(frozen=True)
class Reading:
    """Everything that was read from a source file, by row."""

    header: tuple[str, ...]
    header_line: int
    delimiter: str
    encoding: str
    cells: dict[int, tuple[str, ...]]
    lines: dict[int, int]
    broken: dict[int, tuple[str, ...]]
    messages: dict[int, str]
    sizes: list[int]
    sha256: str
    preamble: str


def read(
    source: bytes | str | Path,
    *,
    columns: tuple[str, ...] = (),
    max_rows: int = 5_000,
    **options: object,
) -> Reading:
    """Read a file, or bytes from standard input, with these `SourceOptions`."""
    stdin = io.BytesIO()
    path = None
    match source:
        case Path():
            path = source
        case str():
            stdin = io.BytesIO(source.encode())
        case bytes():
            stdin = io.BytesIO(source)
    source_options = SourceOptions(path=path, **options)  # type: ignore[arg-type]
    with open_source(source_options, stdin, columns) as opened:
        batches = list(opened.batches(max_rows))
        return Reading(
            header=opened.header,
            header_line=opened.header_line,
            delimiter=opened.delimiter,
            encoding=opened.encoding,
            cells={
                int(row): tuple(cells)
                for batch in batches
                for row, cells in zip(batch.cells.index, batch.cells.to_numpy(), strict=True)
            },
            lines={int(row): int(line) for batch in batches for row, line in batch.lines.items()},
            broken={broken.issue.row: broken.cells for b in batches for broken in b.broken},
            messages={
                broken.issue.row: broken.issue.message for b in batches for broken in b.broken
            },
            sizes=[len(batch.lines) for batch in batches],
            sha256=opened.sha256,
            preamble=opened.preamble,
        )


def blocks_of(data: bytes, size: int) -> Iterator[bytes]:
    """Cut *data* into blocks of *size* bytes."""
    return (data[start : start + size] for start in range(0, len(data), size))


def records_of(
    data: bytes, width: int, delimiter: str = ",", block_bytes: int = 1 << 18
) -> list[Record]:
    """Cut *data* into records of a header with *width* cells, reading so many bytes at a time."""
    encoding = detect_encoding(data[:4], None)
    texts = decode(blocks_of(data[encoding.mark :], block_bytes), encoding)
    return list(records(LineReader(texts, encoding.decode), delimiter, width))
