"""The header: found, cut at the right delimiter, and checked."""

import re
from collections import defaultdict
from typing import Final, NamedTuple

from importer.errors import InputError
from importer.reading.lines import LineReader
from importer.reading.parsing import Record, read_quoted
from schemas.fields import FIELDS

DELIMITERS: Final = (",", ";", "\t", "|")
# As Excel writes and obeys it, also in the quotes that some exports put around it.
_SEP_LINE: Final = re.compile(r'(?P<quote>"?)sep=(?P<delimiter>[^"\r\n])(?P=quote)', re.IGNORECASE)
_UNSEEN: Final = str.maketrans("", "", " \t_-.")
_KNOWN: Final = frozenset(field.casefold() for field in FIELDS)


class Header(NamedTuple):
    """The header of the source file.

    Attributes:
        cells: Names of the columns as they stand in the file.
        line: Line on which it starts, from 1.
        delimiter: One character.
        sep_line: Excel's ``sep=`` line before it without line end, ``""`` if there is none.
    """

    cells: tuple[str, ...]
    line: int
    delimiter: str
    sep_line: str = ""


def read_header(lines: LineReader, delimiter: str | None) -> Header:
    """Read the header, so that *lines* goes on with the first record.

    Args:
        lines: The source file from its first line.
        delimiter: One character; None takes that of a ``sep=`` line, or detects it.

    Raises:
        InputError: There is no header, or it cannot be used.
    """
    line = _next_line(lines)
    sep_line = ""
    if sep := _SEP_LINE.fullmatch(line.strip(" \r\n")):
        sep_line = line.rstrip("\r\n")
        delimiter = delimiter or sep["delimiter"]
        line = _next_line(lines)
    choices = (delimiter,) if delimiter else DELIMITERS
    readings = {choice: _read_record(line, lines, choice) for choice in choices}
    best = max(choices, key=lambda choice: _score(readings[choice][0]))
    record, following = readings[best]
    if record.fault:
        raise InputError(f"line {record.line}: the header cannot be read: {record.fault}")
    _refuse_doubles(record)
    lines.skip(len(following))
    return Header(tuple(record.cells), record.line, best, sep_line)


def _next_line(lines: LineReader) -> str:
    for line in lines:
        # Some encodings have a mark that only shows once it is decoded, and some files two.
        text = line.lstrip("\ufeff")
        if text.strip():
            return text
    raise InputError("is empty: there is no header line. Check that whatever wrote it has finished")


def _read_record(line: str, lines: LineReader, delimiter: str) -> tuple[Record, list[str]]:
    """Read the record that starts with *line*, and give back the lines after it."""
    if '"' in line:
        record, following = read_quoted(line, lines, delimiter)
        lines.give_back(following)
        return record, following
    text = line.rstrip("\r\n")
    fault = "it holds a NUL character, so the file may be no text at all" if "\0" in text else ""
    return Record(lines.number, text.split(delimiter), len(text), fault), []


def _score(record: Record) -> tuple[bool, int, int]:
    """Rank a reading of the header: sound, then most known fields, then most cells."""
    folded = {cell.translate(_UNSEEN).casefold() for cell in record.cells}
    return not record.fault, len(folded & _KNOWN), len(record.cells)


def _refuse_doubles(record: Record) -> None:
    positions = defaultdict(list)
    for position, cell in enumerate(record.cells, start=1):
        positions[cell.strip()].append(str(position))
    doubles = [
        f"{name!r} (columns {', '.join(where[:-1])} and {where[-1]})"
        for name, where in positions.items()
        if name and len(where) > 1
    ]
    if doubles:
        raise InputError(
            f"line {record.line}: the header names columns more than once: {'; '.join(doubles)}."
            " Rename or remove all but one of each"
        )
