"""Records: lines put together and cut into cells.

A record with a quoting fault ends with the line on which it starts, and reading goes on with
the next line. So a lost quote costs one record and swallows none.
"""

from collections.abc import Iterator
from typing import NamedTuple

from importer.reading.lines import LineReader
from importer.reading.quoting import QuotingError, UnclosedError, split_quoted


class Record(NamedTuple):
    """One record as it stands in the file.

    Attributes:
        line: Line on which it starts, from 1.
        cells: Its cells; with a quoting fault one cell, the text of the line.
        size: Characters of its text.
        fault: Why its cells cannot be used, ``""`` when they can.
    """

    line: int
    cells: list[str]
    size: int
    fault: str = ""


_NUL = "the record holds a NUL character; remove it, or export the file again"


def records(lines: LineReader, delimiter: str) -> Iterator[Record]:
    """Yield the records of *lines*; blank lines are none.

    Raises:
        InputError: A line cannot be read.
    """
    for line in lines:
        if '"' in line:
            record, _ = read_quoted(line, lines, delimiter)
            yield record
            continue
        text = line.rstrip("\r\n")
        if (not text or text.isspace()) and is_blank(text, delimiter):
            continue
        fault = _NUL if "\0" in text else ""
        yield Record(lines.number, text.split(delimiter), len(text), fault)


def is_blank(text: str, delimiter: str) -> bool:
    """Whether a line holds nothing but spaces and tabs, none of them the delimiter."""
    return not text.strip(" \t\r\n") and delimiter not in text


def read_quoted(line: str, lines: LineReader, delimiter: str) -> tuple[Record, list[str]]:
    """Read the record that starts with *line*, the last one handed out, which has a quote.

    Returns:
        The record, and the lines that it takes beyond its first.
    """
    number = lines.number
    text = line.rstrip("\r\n")
    following: list[str] = []
    try:
        cells = split_quoted(text, delimiter)
    except UnclosedError as error:
        following = _look_ahead(line, lines)
        whole = "".join((line, *following)).rstrip("\r\n")
        try:
            cells = split_quoted(whole, delimiter)
        except QuotingError:
            lines.give_back(following)
            return Record(number, [text], len(text), str(error)), []
        text = whole
    except QuotingError as error:
        return Record(number, [text], len(text), str(error)), []
    fault = _NUL if "\0" in text else ""
    return Record(number, cells, len(text), fault), following


def _look_ahead(line: str, lines: LineReader) -> list[str]:
    """Return the lines up to the next with an odd number of quotes, or as many as allowed.

    The record that *line* leaves open ends on that line, soundly or not. And only such a line
    can leave a record open again, so no line is looked at more than twice.
    """
    following: list[str] = []
    size = len(line)
    for ahead in lines:
        following.append(ahead)
        size += len(ahead)
        if ahead.count('"') % 2 or size > lines.max_characters:
            break
    return following
