"""Records: lines joined where a quoted cell spans them, and cut into cells.

Cells are those of RFC 4180, with a few additions that leave no doubt about where a cell ends;
whatever could be read in two ways is a faulty record. A record with a quoting fault ends with
the line on which it starts, and reading continues with the next line, so a stray quote costs
one record and swallows none.

The ``csv`` module is not used: even when it is strict, it accepts ``"x"y`` and ``1, "x"`` as
they stand, and so a misplaced quote can merge or split cells. It also has one limit on the
length of a cell for the whole process.

Source: docs/input.md, "Records".
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from importer.reading.lines import LineReader
from importer.reading.recognition import refuse_joined_records
from schemas.text import BLANKS


class Record(NamedTuple):
    """One record of the file.

    Attributes:
        line: Line on which it starts, from 1.
        cells: Its cells; with a quoting fault one cell, its text as it stands in the file.
        size: Characters of its text.
        fault: Why its cells cannot be used, ``""`` when they can.
    """

    line: int
    cells: list[str]
    size: int
    fault: str = ""


class QuotingError(Exception):
    """A quote is misplaced; the text says where, and how to fix it."""


class UnclosedError(QuotingError):
    """The text ends within a quoted cell."""


_NUL = "the record contains a NUL character; remove it, or export the file again"


def records(lines: LineReader, delimiter: str, width: int) -> Iterator[Record]:
    """Yield the records of *lines*; blank lines are not records.

    Args:
        lines: The source file from the line after the header.
        delimiter: The character between two cells.
        width: Cells of the header.

    Raises:
        InputError: A line cannot be read, or line ends are not recognised.
    """
    for line in lines:
        if '"' in line:
            yield _quoted_record(line, lines, delimiter, width)
            continue
        text = line.rstrip("\r\n")
        if (not text or text.isspace()) and is_blank_line(text, delimiter):
            continue
        cells = text.split(delimiter)
        fault = ""
        if len(cells) != width:
            cells, fault = _fitted(cells, width)
            if fault:
                refuse_joined_records(text, delimiter, width, lines.number)
        if "\0" in text:
            fault = _NUL
        yield Record(lines.number, cells, len(text), fault)


def is_blank_line(text: str, delimiter: str) -> bool:
    """Return whether a line has only spaces and tabs, neither of them the delimiter."""
    return not text.strip(BLANKS) and delimiter not in text


def read_header_record(line: str, lines: LineReader, delimiter: str) -> tuple[Record, list[str]]:
    """Read the header, which starts with *line*, the last one handed out.

    Returns:
        The header, with as many cells as it has; and the lines that it takes after its first.
    """
    number, text = lines.number, line.rstrip("\r\n")
    following: list[str] = []
    cells, fault = text.split(delimiter), ""
    if '"' in line:
        try:
            cells, following = _read_quoted(line, lines, delimiter)
        except QuotingError as error:
            cells, fault = [text], str(error)
    text = "".join((line, *following)).rstrip("\r\n")
    if "\0" in text:
        fault = "it contains a NUL character, so the file may not be text"
    return Record(number, cells, len(text), fault), following


def _quoted_record(line: str, lines: LineReader, delimiter: str, width: int) -> Record:
    """Read the record that starts with *line*, the last one handed out, which has a quote."""
    number, text = lines.number, line.rstrip("\r\n")
    try:
        cells, following = _read_quoted(line, lines, delimiter)
    except QuotingError as error:
        unquoted = _stray_quotes_as_text(text, delimiter, width)
        if unquoted is None:
            refuse_joined_records(text, delimiter, width, number)
            return Record(number, [text], len(text), str(error))
        fault = _NUL if "\0" in text else ""
        return Record(number, unquoted, len(text), fault)
    if following:
        own_lines = [line, *following]
        text = "".join(own_lines).rstrip("\r\n")
        if all(_is_whole(own, delimiter, width) for own in own_lines):
            return Record(number, [text], len(text), _swallowing(len(own_lines), width))
    cells, fault = _fitted(cells, width)
    return Record(number, cells, len(text), _NUL if "\0" in text else fault)


def _read_quoted(line: str, lines: LineReader, delimiter: str) -> tuple[list[str], list[str]]:
    """Return the cells of the record that starts with *line*, and its lines after that.

    Raises:
        QuotingError: The record is faulty; no line is taken then.
    """
    try:
        return split_quoted(line.rstrip("\r\n"), delimiter), []
    except UnclosedError as error:
        following = _look_ahead(line, lines)
        try:
            return split_quoted("".join((line, *following)).rstrip("\r\n"), delimiter), following
        except QuotingError:
            lines.give_back(following)
            raise error from None


def _look_ahead(line: str, lines: LineReader) -> list[str]:
    """Return the lines up to the next with an odd number of quotes, or as many as allowed.

    The record that *line* leaves open ends on that line, well-formed or not. And only such a
    line can leave a record open again, so no line is read more than twice.
    """
    following: list[str] = []
    size = len(line)
    for ahead in lines:
        following.append(ahead)
        size += len(ahead)
        if ahead.count('"') % 2 or size > lines.max_characters:
            break
    return following


def split_quoted(text: str, delimiter: str) -> list[str]:
    """Return the cells of *text*, which has a quote, and no line end after it.

    The text is cut at its quotes: the parts at even places are outside of quotes, those at odd
    places inside. So the time is proportional to the text, whatever it contains.

    Raises:
        UnclosedError: The last cell is quoted and not closed; all before it are well-formed.
        QuotingError: A quote is misplaced.
    """
    parts = text.split('"')
    last_outside = parts.pop() if len(parts) % 2 else None
    cells = _cells_before_quote(parts[0], delimiter, [])
    pieces = [parts[1]]  # of the quoted cell, which has a doubled quote between each two
    for outside, inside in zip(parts[2::2], parts[3::2], strict=True):
        if not outside:
            pieces.append(inside)
            continue
        cells.append('"'.join(pieces))
        pieces = [inside]
        if outside != delimiter:
            rest = _after_quote(outside, delimiter, cells)
            if not rest:
                raise _text_after_quote(cells)
            cells = _cells_before_quote(rest[1:], delimiter, cells)
    if last_outside is None:
        raise UnclosedError(
            f"the quote that opens cell {len(cells) + 1} is not closed where a cell can end; close"
            " it, and double each quote inside a quoted cell"
        )
    cells.append('"'.join(pieces))
    if rest := _after_quote(last_outside, delimiter, cells):
        cells.extend(rest[1:].split(delimiter))
    return cells


def _cells_before_quote(outside: str, delimiter: str, cells: list[str]) -> list[str]:
    """Return *cells* and those of *outside*, the text before an opening quote."""
    if not outside:
        return cells
    cells.extend(outside.split(delimiter))
    if cells.pop().strip(" \t"):
        raise QuotingError(
            f"a quote is inside cell {len(cells) + 1}, which does not begin with one; enclose the"
            " whole cell in quotes and double each quote in it"
        )
    return cells


def _after_quote(outside: str, delimiter: str, cells: list[str]) -> str:
    """Return the text after a closing quote, from the delimiter on; ``""`` without one."""
    rest = outside.lstrip(_blanks(delimiter))
    if rest and rest[0] != delimiter:
        raise _text_after_quote(cells)
    return rest


def _text_after_quote(cells: list[str]) -> QuotingError:
    return QuotingError(
        f"text follows the closing quote of cell {len(cells)}; double each quote inside a quoted"
        " cell"
    )


def _stray_quotes_as_text(text: str, delimiter: str, width: int) -> list[str] | None:
    """Return the cells of *text* if quotes inside unquoted cells can only be text, else None."""
    cells: list[str] = []
    is_quoted: list[bool] = []
    for cell, quoted in _loose_cells(text, delimiter):
        if not quoted and cell.lstrip()[:1] == '"':
            return None  # a quoted cell that is not closed, or has text after it
        cells.append(cell)
        is_quoted.append(quoted)
    fitted, fault = _fitted(cells, width)
    if fault:
        return None
    for at, cell in enumerate(cells):
        beside_quoted = any(is_quoted[max(at - 1, 0) : at + 2])
        if not is_quoted[at] and beside_quoted and _ends_with_odd_quote(cell):
            return None  # its opening quote may be lost
    # The other reading: a quote inside a cell protects delimiters up to the next quote.
    parts = text.split('"')
    protected = 1 + sum(part.count(delimiter) for part in parts[::2])
    is_balanced = len(parts) % 2 == 1
    return None if is_balanced and width <= protected < len(cells) else fitted


def _ends_with_odd_quote(cell: str) -> bool:
    return cell.rstrip().endswith('"') and cell.count('"') % 2 == 1


def _loose_cells(text: str, delimiter: str) -> Iterator[tuple[str, bool]]:
    """Yield the cells of one line, each with whether it is quoted; a stray quote is text."""
    quoted_cell = _quoted_cell(delimiter)
    at = 0
    while at <= len(text):
        if found := quoted_cell.match(text, at):
            yield found[1].replace('""', '"'), True
            at = found.end() + 1
            continue
        end = text.find(delimiter, at)
        end = len(text) if end < 0 else end
        yield text[at:end], False
        at = end + 1


@cache
def _quoted_cell(delimiter: str) -> re.Pattern[str]:
    blanks = f"[{re.escape(_blanks(delimiter))}]*"
    return re.compile(
        rf'{blanks}"([^"]*(?:""[^"]*)*)"{blanks}(?={re.escape(delimiter)}|\Z)', re.DOTALL
    )


@cache
def _blanks(delimiter: str) -> str:
    """Return the blanks that may stand beside a quoted cell."""
    return " \t".replace(delimiter, "")


def _is_whole(line: str, delimiter: str, width: int) -> bool:
    """Return whether a line of a longer record could be a record by itself, or is blank."""
    text = line.rstrip("\r\n")
    if is_blank_line(text, delimiter):
        return True
    readings = [text.split(delimiter)]
    if '"' in text:
        readings.append([cell for cell, _ in _loose_cells(text, delimiter)])
    return any(not _fitted(cells, width)[1] for cells in readings)


def _swallowing(lines: int, width: int) -> str:
    cells = "1 cell" if width == 1 else f"{width:,} cells"
    return (
        f"each of the {lines:,} lines of this record has the header's {cells} by itself, so"
        " two stray quotes may have joined several records. Remove those quotes, or the line"
        " breaks inside the quoted cell"
    )


def _fitted(cells: list[str], width: int) -> tuple[list[str], str]:
    """Return *cells* without blank ones after the last column, and what is wrong with them."""
    count = len(cells)
    if count == width:
        return cells, ""
    if count > width and not any(cell.strip(BLANKS) for cell in cells[width:]):
        return cells[:width], ""
    found = "1 cell" if count == 1 else f"{count:,} cells"
    remedy = (
        "enclose a cell that contains the delimiter in quotes"
        if count > width
        else "write a delimiter for every blank cell, and enclose a cell with a line break in"
        " quotes"
    )
    return cells, f"{found} where the header has {width:,}; {remedy}"
