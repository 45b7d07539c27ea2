"""The header: found, and cut at the right delimiter.

Source: docs/input.md, "The header".
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

from importer.errors import InputError
from importer.reading.lines import LineReader
from importer.reading.parsing import Record, is_blank_line, read_header_record
from importer.reading.recognition import (
    has_values,
    joining_end,
    joining_mark,
    unrecognised_end,
)
from schemas.headers import fold, is_of_rejects, target_of

DELIMITERS: Final = (",", ";", "\t", "|")
# As Excel writes and obeys it, also in the quotes that some exports put around it.
_SEP_LINE: Final = re.compile(r'(?P<quote>"?)sep=(?P<delimiter>[^"\r\n])(?P=quote)', re.IGNORECASE)
_BYTE_ORDER_MARK: Final = "\ufeff"
_LINES_AHEAD: Final = 30  # titles and summaries above a header take fewer
_NAMES_OF_A_HEADER: Final = 2  # known names that make a line a header, where the first is not


class Header(NamedTuple):
    """The header of the source file.

    Attributes:
        cells: Names of the columns as they stand in the file.
        line: Line on which it starts, from 1.
        delimiter: One character.
        preamble: The lines before it that the same options need to read a copy of the file:
            those of ``--skip-lines`` and Excel's ``sep=`` line, each with a line end.
    """

    cells: tuple[str, ...]
    line: int
    delimiter: str
    preamble: str = ""


def read_header(
    lines: LineReader, delimiter: str | None, skip_lines: int = 0, columns: Iterable[str] = ()
) -> Header:
    """Read the header, so that *lines* continues with the first record.

    Args:
        lines: The source file from its first line.
        delimiter: One character; None takes that of a ``sep=`` line, or detects it.
        skip_lines: Lines at the start of the file that are not part of it.
        columns: Names of columns in the options, by which a header is recognised as well.

    Raises:
        InputError: There is no header, or it cannot be used.
    """
    preamble = _skipped(lines, skip_lines)
    sep = _SEP_LINE.fullmatch(preamble[0].strip(" ")) if preamble else None
    line = _next_line(lines)
    if found := _SEP_LINE.fullmatch(line.strip(" \r\n")):
        sep = found
        preamble.append(line.rstrip("\r\n"))
        line = _next_line(lines)
    if sep and not delimiter:
        delimiter = sep["delimiter"]
    names = _Names(columns)
    choices = (delimiter,) if delimiter else DELIMITERS
    readings = {choice: _read(line, lines, choice) for choice in choices}
    best = max(choices, key=lambda choice: _score(readings[choice][0], names))
    record, following = readings[best]
    _refuse_joined_records(line, record, best, lines, names)
    known = names.count(record.cells)
    if not known:
        _refuse_title(record, lines, choices, names)
    if record.fault:
        raise InputError(f"line {record.line}: the header cannot be read: {record.fault}")
    lines.skip(len(following))
    if has_values(record.cells) and not (known and _has_lines(lines)):
        raise InputError(
            f"line {record.line}: there are values where the names of the columns are expected."
            " Add a header line, and check that every record ends in a line feed"
        )
    preamble_text = "".join(f"{text}\r\n" for text in preamble)
    return Header(tuple(record.cells), record.line, best, preamble_text)


class _Names:
    """The column names by which a header is recognised.

    Args:
        columns: Names in the options.
    """

    def __init__(self, columns: Iterable[str]) -> None:
        self._columns = frozenset(map(fold, columns))

    def count(self, cells: Iterable[str]) -> int:
        """Return how many of *cells* are known names, each counted once."""
        return len({fold(cell) for cell in cells if self._has(cell)})

    def _has(self, cell: str) -> bool:
        return fold(cell) in self._columns or target_of(cell) is not None or is_of_rejects(cell)


def _skipped(lines: LineReader, count: int) -> list[str]:
    """Take the lines of ``--skip-lines``, without their line ends."""
    taken = lines.peek(count)
    if len(taken) < count:
        raise InputError(
            f"has {len(taken):,} lines, and --skip-lines {count} leaves no header. Skip only the"
            " lines above the header"
        )
    lines.skip(count)
    return [line.rstrip("\r\n").lstrip(_BYTE_ORDER_MARK) for line in taken]


def _next_line(lines: LineReader) -> str:
    for line in lines:
        # Some encodings have a mark that only shows once it is decoded, and some files two.
        text = line.lstrip(_BYTE_ORDER_MARK)
        if text.strip():
            return text
    raise InputError("is empty: there is no header line. Check that the export has finished")


def _read(line: str, lines: LineReader, delimiter: str) -> tuple[Record, list[str]]:
    """Read the record that starts with *line*, and give back the lines after it."""
    record, following = read_header_record(line, lines, delimiter)
    lines.give_back(following)
    return record, following


def _score(record: Record, names: _Names) -> tuple[bool, int, int]:
    """Rank a reading of the header: sound, then most known names, then most cells."""
    return not record.fault, names.count(record.cells), len(record.cells)


def _refuse_joined_records(
    line: str, record: Record, delimiter: str, lines: LineReader, names: _Names
) -> None:
    """Refuse a header line that also contains records, because they end in something else."""
    after = next((text for text in lines.peek(_LINES_AHEAD) if text.strip()), "")
    if after and len(record.cells) == after.count(delimiter) + 1:
        return
    text = line.rstrip("\r\n")
    ends = (joining_end(text, choice, is_whole_file=not after) for choice in DELIMITERS)
    end = joining_end(text, delimiter, is_whole_file=not after) or next(filter(None, ends), "")
    if not (end or after):
        mark = joining_mark(re.sub('"[^"]*"', '""', text), delimiter)
        if mark and names.count(_roughly(text.partition(mark)[0], delimiter)):
            end = mark
    if end:
        raise InputError(f"line {record.line}: {unrecognised_end(end)}")


def _refuse_title(
    record: Record, lines: LineReader, choices: tuple[str, ...], names: _Names
) -> None:
    """Refuse a title line in place of the header, if a later line shows that it is one."""
    for choice in choices:
        ahead = [
            (number, text.rstrip("\r\n"))
            for number, text in enumerate(lines.peek(_LINES_AHEAD), start=lines.number + 1)
            if not is_blank_line(text, choice)
        ]
        cells = [(number, _roughly(text, choice)) for number, text in ahead]
        header = next(
            (number for number, row in cells if names.count(row) >= _NAMES_OF_A_HEADER), 0
        )
        if not header and len(record.cells) == 1:
            header = next(
                (
                    at
                    for (at, row), (_, next_row) in pairwise(cells)
                    if len(row) == len(next_row) > 1
                ),
                0,
            )
        if header:
            raise InputError(
                f"line {record.line} does not name columns, but line {header} seems to. Use"
                f" --skip-lines {header - 1} to skip the lines above it"
            )


def _roughly(text: str, delimiter: str) -> list[str]:
    """Return cells as good as needed to see whether they are names of columns."""
    return [cell.strip(' "') for cell in text.split(delimiter)]


def _has_lines(lines: LineReader) -> bool:
    return any(text.strip() for text in lines.peek(_LINES_AHEAD))
