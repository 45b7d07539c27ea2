"""Whatever a file contains, every record of it is read once, unchanged."""

import csv
import io
import re
from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st
from reading_cases import blocks_of, read, records_of

from importer.errors import InputError
from importer.reading.decoding import decode, detect_encoding
from importer.reading.lines import LineReader
from importer.reading.parsing import is_blank_line, records

LINE_END = re.compile(r"\r\n|\n|\r")
PHYSICAL_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")

delimiters = st.sampled_from([",", ";", "\t", "|", "§"])
line_ends = st.sampled_from(["\n", "\r\n", "\r"])
# Few special characters, so that they often occur together.
rough_texts = st.text(st.sampled_from('",\n\ra \t\0;'), max_size=40)
cells = st.text(
    st.sampled_from('",;\t|§\n\r a')
    | st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    max_size=8,
)
tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=6)
)


def line_of(text: str) -> int:
    """Return the number of the line on which the text after ``text`` starts."""
    return 1 + len(LINE_END.findall(text))


@example([["a;\rb", "c"]], ";", "\r", csv.QUOTE_ALL)
@given(tables, delimiters, line_ends, st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_a_table_that_is_written_is_read_the_same(
    table: list[list[str]], delimiter: str, line_end: str, quoting: int
) -> None:
    """The csv module writes it; cells and lines come back, whatever they contain.

    Each line of a record may look like a record itself. That one is refused.
    """
    if line_end != "\r\n":  # the csv module leaves the other line end without quotes
        quoting = csv.QUOTE_ALL
    header = ["orderRef", *(f"column {number}" for number in range(1, len(table[0])))]
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow(header)
    starts = []
    for row in table:
        starts.append(line_of(file.getvalue()))
        writer.writerow(row)
    written = file.getvalue()
    reading = read(written, delimiter=delimiter)
    assert reading.header == tuple(header)
    rows = dict(enumerate(map(tuple, table), start=1))
    refused = rows.keys() - reading.cells.keys()
    assert all(
        any(delimiter in cell and LINE_END.search(cell) for cell in rows[number])
        for number in refused
    )
    assert refused == reading.broken.keys()
    assert reading.cells == {number: rows[number] for number in rows.keys() - refused}
    assert reading.lines == {number: starts[number - 1] for number in rows}


@given(tables, delimiters)
def test_unquoted_cells_are_read_unchanged(table: list[list[str]], delimiter: str) -> None:
    """Including blanks and control characters."""
    plain = [
        [re.sub(rf'["\r\n\x1a{re.escape(delimiter)}]', "", cell) for cell in row] for row in table
    ]
    text = "\n".join(["header", *(delimiter.join(row) for row in plain), ""])
    read_records = records_of(text.encode(), len(table[0]), delimiter)
    assert [record.cells for record in read_records][1:] == plain


def naive_cells(text: str, delimiter: str, *, strays: bool) -> list[tuple[str, bool]] | None:
    """Cut one whole record a character at a time, each cell with whether it is quoted.

    Args:
        text: The record.
        delimiter: The character between two cells.
        strays: Whether a quote inside an unquoted cell is text; else there is no reading.
    """
    found, cell, state = [], "", "start"
    for character in f"{text}{delimiter}" if text.count('"') else [*text, delimiter]:
        blank = character in " \t" and character != delimiter
        match state:
            case "quoted":
                state = "closed" if character == '"' else "quoted"
                cell += "" if character == '"' else character
            case "closed" if character == '"':
                cell, state = f'{cell}"', "quoted"
            case "closed" | "after" if blank:
                state = "after"
            case "start" if character == '"':
                cell, state = "", "quoted"
            case _ if character == delimiter:
                found.append((cell, state in {"closed", "after"}))
                cell, state = "", "start"
            case "closed" | "after":
                return None
            case _ if character == '"' and (not strays or not cell.strip()):
                return None
            case _:
                cell += character
                state = "start" if blank and state == "start" else "plain"
    return None if state == "quoted" else found


def fitted(cells: list[str], width: int) -> list[str] | None:
    """Drop blank cells after the last column; None if the number of cells is still another."""
    while len(cells) > width and not cells[-1].strip(" \t\r\n"):
        cells = cells[:-1]
    return cells if len(cells) == width else None


def with_strays(text: str, delimiter: str, width: int) -> list[str] | None:
    """Read quotes inside unquoted cells as text, if no other reading has as many cells."""
    cells = naive_cells(text, delimiter, strays=True)
    if cells is None or fitted([cell for cell, _ in cells], width) is None:
        return None
    for at, (cell, is_quoted) in enumerate(cells):
        neighbours = [*cells[max(at - 1, 0) : at], *cells[at + 1 : at + 2]]
        lost = cell.rstrip()[-1:] == '"' and cell.count('"') % 2
        if not is_quoted and lost and any(quoted for _, quoted in neighbours):
            return None
    inside, protected = False, 1
    for character in text:
        inside ^= character == '"'
        protected += character == delimiter and not inside
    if not inside and width <= protected < len(cells):
        return None
    return fitted([cell for cell, _ in cells], width)


def is_whole(line: str, delimiter: str, width: int) -> bool:
    """Whether a line could be a record on its own; a blank one could not."""
    text = LINE_END.sub("", line)
    at, cells = 0, []
    quoted = re.compile(rf'[ \t]*"(?:[^"]|"")*"[ \t]*(?=\Z|{re.escape(delimiter)})')
    if delimiter in " \t":
        blank = " \t".replace(delimiter, "")
        quoted = re.compile(rf'{blank}*"(?:[^"]|"")*"{blank}*(?=\Z|{delimiter})')
    while at <= len(text):
        found = quoted.match(text, at)
        end = found.end() if found else [*text[at:], delimiter].index(delimiter) + at
        cells.append(text[at:end])
        at = end + 1
    readings = (text.split(delimiter), [cell.replace('""', "") for cell in cells])
    return is_blank_line(line, delimiter) or any(fitted(it, width) for it in readings)


def naive_records(text: str, delimiter: str, width: int) -> list[tuple[int, list[str], bool]]:
    """Read records in the simplest way: try the line, then the line and the next, and so on."""
    lines = PHYSICAL_LINE.findall(text)
    if lines and not lines[-1].strip("\x1a"):
        lines.pop()
    found, at = [], 0
    while at < len(lines):
        if is_blank_line(lines[at], delimiter):
            at += 1
            continue
        number, taken = at + 1, 1
        whole = LINE_END.sub("", lines[at])
        cut = naive_cells(whole, delimiter, strays=False)
        for more in range(2, len(lines) - at + 1) if opens(whole, delimiter) else ():
            if cut is not None:
                break
            joined = re.sub(r"(?:\r\n|\n|\r)\Z", "", "".join(lines[at : at + more]))
            cut = naive_cells(joined, delimiter, strays=False)
            taken, whole = (more, joined) if cut is not None else (1, whole)
        cells = [cell for cell, _ in cut] if cut is not None else None
        sound = fitted(cells, width) if cells else with_strays(whole, delimiter, width)
        if taken > 1 and all(is_whole(line, delimiter, width) for line in lines[at : at + taken]):
            cells = sound = None
        is_sound = sound is not None and "\0" not in whole
        found.append((number, sound or cells or [whole], is_sound))
        at += taken
    return found


def opens(text: str, delimiter: str) -> bool:
    """Whether a line ends within a quoted cell."""
    return naive_cells(f'{text}"', delimiter, strays=False) is not None


@given(rough_texts, st.sampled_from([",", ";", "\t", " "]), st.integers(1, 3))
@example('a,"b"\n"c', ",", 2)
@example('a,"\r', ",", 2)
@example('""\r\n"\r\n"', ",", 1)
def test_records_are_those_of_a_naive_reader(text: str, delimiter: str, width: int) -> None:
    """The naive reader tries every length of a record, one character after the other."""
    fast = [
        (record.line, record.cells, not record.fault)
        for record in records_of(text.encode(), width, delimiter)
    ]
    assert fast == naive_records(text, delimiter, width)


@given(rough_texts, st.integers(1, 3))
def test_every_line_belongs_to_one_record(text: str, width: int) -> None:
    """Except blank ones, so nothing is lost and nothing is read twice."""
    lines = PHYSICAL_LINE.findall(text)
    taken: list[int] = []
    for record in records_of(text.encode(), width):
        breaks = sum(len(LINE_END.findall(cell)) for cell in record.cells)
        taken.extend(range(record.line, record.line + breaks + 1))
    # A blank cell after the last column is dropped, and may contain a line break.
    blank = [number for number, line in enumerate(lines, start=1) if not line.strip(' \t\r\n,"')]
    assert sorted(set(taken)) == taken
    assert set(range(1, len(lines) + 1)) - set(taken) <= set(blank)


plain_rows = st.lists(
    st.lists(st.text(st.sampled_from("ab \t;"), max_size=4), min_size=3, max_size=3),
    min_size=1,
    max_size=6,
)


@given(plain_rows, st.lists(st.integers(0, 200), max_size=6), st.sampled_from([",", "|"]))
def test_stray_quotes_swallow_and_shift_nothing(
    rows: list[list[str]], places: list[int], delimiter: str
) -> None:
    """A record that is read is one line, with the cells of that line."""
    lines = [delimiter.join(row) for row in rows]
    for place in places:
        at = place % len(lines)
        line = lines[at]
        middle = place % (len(line) + 1)
        lines[at] = f'{line[:middle]}"{line[middle:]}'
    reading = read("\n".join([delimiter.join("xyz"), *lines]), delimiter=delimiter)
    starts = [*reading.lines.values(), len(lines) + 2]
    for row, cells in reading.cells.items():
        assert starts[row] == starts[row - 1] + 1
        line = lines[starts[row - 1] - 2]
        literal = [cell.replace('"', "").strip() for cell in line.split(delimiter)]
        assert [cell.replace('"', "").strip() for cell in cells] == literal


@given(
    # A NUL at the start would make the mark of UTF-16 that of UTF-32.
    st.text(st.sampled_from('a",\n\r\0é漢🙂\u2028')).filter(lambda text: text[:1] != "\0"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.integers(1, 9),
)
def test_the_size_of_blocks_changes_nothing(text: str, encoding: str, size: int) -> None:
    """Small blocks split characters and line ends."""
    data = text.encode(encoding)
    assert records_of(data, 2, block_bytes=size) == records_of(data, 2)


rough_bytes = st.lists(
    st.sampled_from([b"a", b'"', b",", b"\n", b"\r", b"\0", b"\x1a", b"\xe4", b"\xc3\xa4", b" "])
).map(b"".join)


@given(st.sampled_from([b"a,b\n", b"a;b\r\n", b"\xef\xbb\xbfa,b\n", b"a\r", b""]), rough_bytes)
def test_any_bytes_are_rows_without_gaps_or_one_error(head: bytes, data: bytes) -> None:
    """Valid and faulty rows together are numbered from 1, each with its own line."""
    try:
        reading = read(head + data, max_rows=3)
    except InputError:
        return
    assert sorted([*reading.cells, *reading.broken]) == list(range(1, len(reading.lines) + 1))
    assert list(reading.lines) == list(range(1, len(reading.lines) + 1))
    starts = list(reading.lines.values())
    assert starts == sorted(set(starts))
    assert all(len(row) == len(reading.header) for row in reading.cells.values())


def error_of(action: Callable[[], object]) -> str:
    """Return the text of the ``InputError`` that ``action`` raises, or its result as text."""
    try:
        return repr(action())
    except InputError as error:
        return f"InputError: {error}"


@given(st.binary(max_size=200), st.sampled_from([None, "utf-8", "cp1252", "utf-16", "shift_jis"]))
def test_no_bytes_raise_anything_but_an_input_error(data: bytes, encoding: str | None) -> None:
    """The error has the name of the file."""
    message = error_of(lambda: read(data, encoding=encoding))
    assert message.startswith(("Reading(", "InputError: standard input: "))


codecs = st.sampled_from(["utf-8", "gb18030", "utf-16-le"])


@given(st.binary(max_size=60), st.integers(1, 7), codecs)
def test_an_error_of_decoding_is_the_same_for_all_sizes_of_blocks(
    data: bytes, size: int, codec: str
) -> None:
    """This includes its line and its offset."""

    def read_in_blocks(block_bytes: int) -> object:
        texts = decode(blocks_of(data, block_bytes), detect_encoding(b"", codec))
        return list(records(LineReader(texts, codec), ",", 2))

    assert error_of(lambda: read_in_blocks(size)) == error_of(lambda: read_in_blocks(1000))
