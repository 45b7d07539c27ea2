"""Records, sound and broken: each is there once, with its cells and its line."""

import pytest
from reading_cases import read, records_of

from importer.reading.lines import LineReader
from importer.reading.parsing import records
from importer.reading.quoting import QuotingError, UnclosedError, split_quoted

SOUND = {
    "plain": ("1,2,3", ["1", "2", "3"]),
    "blank cells": (",,", ["", "", ""]),
    "quoted": ('"1","2","3"', ["1", "2", "3"]),
    "quoted first": ('"1",2,3', ["1", "2", "3"]),
    "quoted last": ('1,2,"3"', ["1", "2", "3"]),
    "quoted in the middle": ('1,"2",3', ["1", "2", "3"]),
    "quoted around plain": ('"1",2,"3"', ["1", "2", "3"]),
    "blanks between quoted": ('"1",,"3"', ["1", "", "3"]),
    "quoted blanks": ('"","",""', ["", "", ""]),
    "delimiter in quotes": ('"a,b",2,",,"', ["a,b", "2", ",,"]),
    "only a delimiter in quotes": ('",",",",","', [",", ",", ","]),
    "doubled quotes": ('"a ""b"" c",2,3', ['a "b" c', "2", "3"]),
    "only doubled quotes": ('"""","""""",3', ['"', '""', "3"]),
    "doubled quote and delimiter": ('""",""",2,3', ['","', "2", "3"]),
    "JSON in a cell": ('"[""a"",""b""]",2,3', ['["a","b"]', "2", "3"]),
    "line feed in a cell": ('"a\nb",2,3', ["a\nb", "2", "3"]),
    "CRLF in a cell": ('"a\r\nb",2,3', ["a\r\nb", "2", "3"]),
    "CR in a cell": ('"a\rb",2,3', ["a\rb", "2", "3"]),
    "blank lines in a cell": ('"a\n\n\nb",2,3', ["a\n\n\nb", "2", "3"]),
    "line ends around a cell": ('1,"\n2\n",3', ["1", "\n2\n", "3"]),
    "line ends only": ('"\n","\r\n","\r"', ["\n", "\r\n", "\r"]),
    "quoted cell after a line end": ('"a\n","b","c"', ["a\n", "b", "c"]),
    "words that look like nothing": ("NA,null,nan", ["NA", "null", "nan"]),
    "numbers stay text": ("007,1e5,+353", ["007", "1e5", "+353"]),
    "decimal and thousands": ("1.50,1'000,0x1F", ["1.50", "1'000", "0x1F"]),
    "blanks are kept": (" 1 ,\t2\t,3 ", [" 1 ", "\t2\t", "3 "]),
    "separators of Unicode": ("a\u2028b,c\u2029d,e\x85f", ["a\u2028b", "c\u2029d", "e\x85f"]),
    "separators of ASCII": ("a\x0bb,c\x0cd,e\x1c\x1d\x1ef", ["a\x0bb", "c\x0cd", "e\x1c\x1d\x1ef"]),
    "other control characters": ("a\x01,\x7f,\x1b[31m", ["a\x01", "\x7f", "\x1b[31m"]),
    "byte order mark in a cell": ("1,\ufeffa,3", ["1", "\ufeffa", "3"]),
    "single quotes": ("'a','b','c'", ["'a'", "'b'", "'c'"]),
    "comment sign": ("#1,2,3", ["#1", "2", "3"]),
    "backslashes": ("a\\,b\\n,\\", ["a\\", "b\\n", "\\"]),
    "formula": ("=1+1,@x,-2", ["=1+1", "@x", "-2"]),
    "scripts of the world": ("Nguyễn,שלום,👩‍👩‍👧", ["Nguyễn", "שלום", "👩‍👩‍👧"]),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize(("text", "cells"), SOUND.values(), ids=SOUND)
def test_a_sound_record_is_read_cell_for_cell(text: str, cells: list[str], end: str) -> None:
    """RFC 4180 says what the cells are, whatever ends the lines; the next record follows."""
    read_records = records_of(f"{text}{end}x,y,z{end}".encode())
    assert [cells, ["x", "y", "z"]] == [record.cells for record in read_records]
    assert [record.fault for record in read_records] == ["", ""]


BROKEN = {
    "quote inside a cell": ('a"b,2,3', "stands inside cell 1"),
    "quote at the end of a cell": ('1,2",3', "stands inside cell 2"),
    "quotes inside a cell": ('1,a "b" c,3', "stands inside cell 2"),
    "inch mark": ('1,2,6"', "stands inside cell 3"),
    "blank before the quote": ('1, "x,y",3', "blank stands before the opening quote of cell 2"),
    "tab before the quote": ('1,\t"x",3', "blank stands before the opening quote of cell 2"),
    "blank after the quote": ('1,"x" ,3', "blank stands after the closing quote of cell 2"),
    "text after the quote": ('"x"y,2,3', "text stands after the closing quote of cell 1"),
    "text after the last quote": ('1,2,"x"y', "text stands after the closing quote of cell 3"),
    "text between quotes": ('"x"y"z",2,3', "text stands after the closing quote of cell 1"),
    "backslash as escape": (r'"say \"hi\"",2,3', "text stands after the closing quote of cell 1"),
    "two faults": ('"x"y,a"b,3', "text stands after the closing quote of cell 1"),
    "unclosed": ('1,"x,3', "the quote that opens cell 2 is not closed"),
    "unclosed last cell": ('1,2,"', "the quote that opens cell 3 is not closed"),
    "lone quote": ('"', "the quote that opens cell 1 is not closed"),
    "three quotes": ('"""', "the quote that opens cell 1 is not closed"),
    "unclosed after a stray quote": ('a"b,"x,3', "stands inside cell 1"),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize(("line", "message"), BROKEN.values(), ids=BROKEN)
def test_a_misplaced_quote_breaks_its_own_line_alone(line: str, message: str, end: str) -> None:
    """The line is told with its text as it stands, and all other records are sound."""
    reading = read(end.join(["a,b,c", "1,2,3", line, "4,5,6", '"7\n7","8",9', ""]))
    assert {2: (line,)} == reading.broken
    assert message in reading.messages[2]
    assert reading.cells == {1: ("1", "2", "3"), 3: ("4", "5", "6"), 4: ("7\n7", "8", "9")}
    assert reading.lines == {1: 2, 2: 3, 3: 4, 4: 5}


def test_many_unclosed_quotes_are_as_many_broken_records() -> None:
    """Every line that opens a quote in vain is a record of its own."""
    reading = read("a,b\n" + '1,"x\n' * 50 + "2,y\n")
    assert list(reading.broken.values()) == [('1,"x',)] * 50
    assert reading.cells == {51: ("2", "y")}


def test_a_quote_that_is_closed_far_below_is_one_record() -> None:
    """A quoted cell may hold thousands of lines."""
    cell = "line\r\n" * 10_000
    reading = read(f'a,b\n1,"{cell}"\n2,x\n')
    assert {1: ("1", cell), 2: ("2", "x")} == reading.cells
    assert reading.lines == {1: 2, 2: 10_003}


def test_a_lost_quote_looks_ahead_no_farther_than_a_record_may_be_long() -> None:
    """Beyond the bound, the quote counts as not closed, and reading goes on at the next line."""
    text = '1,"x\n' + "2,y\n" * 30 + 'z"\n'
    reader = LineReader(iter([text]), max_characters=40)
    read_records = list(records(reader, ","))
    assert len(read_records) == 32
    assert "not closed" in read_records[0].fault
    assert read_records[1].cells == ["2", "y"]
    assert read_records[-1].line == 32


def test_no_line_is_looked_at_more_than_twice() -> None:
    """Even where most lines open a quote in vain, the time is in proportion to the lines."""
    handed_out = 0

    class CountingReader(LineReader):
        def __iter__(self):  # noqa: ANN204 - as in the class that it counts for
            nonlocal handed_out
            for line in super().__iter__():
                handed_out += 1
                yield line

    pattern = '"a\nb""c\n"",""\n"x""\n1,"\nplain\n"y","z\n'
    text = pattern * 500
    list(records(CountingReader(iter([text])), ","))
    assert handed_out <= 2 * text.count("\n")


WIDTHS = {
    "one cell too few": ("1,2", ("1", "2"), "2 cells where the header has 3"),
    "one cell": ("1", ("1",), "1 cell where the header has 3"),
    "one cell too many": ("1,2,3,4", ("1", "2", "3", "4"), "4 cells where the header has 3"),
    "trailing delimiter": ("1,2,3,", ("1", "2", "3", ""), "4 cells where the header has 3"),
    "too many, quoted": ('"1","2","3","4"', ("1", "2", "3", "4"), "4 cells where"),
    "too few, with a line break": ('1,"2\n2"', ("1", "2\n2"), "2 cells where"),
    "thousands": (",".join("x" * 2000), ("x",) * 2000, "2,000 cells where the header has 3"),
}


@pytest.mark.parametrize(("text", "cells", "message"), WIDTHS.values(), ids=WIDTHS)
def test_a_record_of_another_width_is_broken_never_padded(
    text: str, cells: tuple[str, ...], message: str
) -> None:
    """It keeps its own cells, and its neighbours theirs."""
    reading = read(f"a,b,c\n7,8,9\n{text}\n4,5,6\n")
    assert {2: cells} == reading.broken
    assert message in reading.messages[2]
    assert reading.cells == {1: ("7", "8", "9"), 3: ("4", "5", "6")}


def test_a_trailing_delimiter_on_every_record_shifts_nothing() -> None:
    """All are broken, and the message says what to do with the header."""
    reading = read("a,b\n1,2,\n3,4,\n")
    assert reading.cells == {}
    assert reading.broken == {1: ("1", "2", ""), 2: ("3", "4", "")}
    assert "end the header line with a delimiter if the records do" in reading.messages[1]


def test_a_trailing_delimiter_on_header_and_records_is_a_blank_column() -> None:
    """A column without a name is a column."""
    reading = read("a,b,\n1,2,\n3,4,\n")
    assert reading.header == ("a", "b", "")
    assert reading.cells == {1: ("1", "2", ""), 2: ("3", "4", "")}


NULS = {
    "in a plain cell": ("1,x\0y,3", ("1", "x\0y", "3")),
    "in a quoted cell": ('1,"x\0\ny",3', ("1", "x\0\ny", "3")),
    "alone": ("\0", ("\0",)),
}


@pytest.mark.parametrize(("text", "cells"), NULS.values(), ids=NULS)
def test_a_nul_breaks_its_record_alone(text: str, cells: tuple[str, ...]) -> None:
    """The rest of the file is read."""
    reading = read(f"a,b,c\n{text}\n4,5,6\n")
    assert {1: cells} == reading.broken
    assert "NUL" in reading.messages[1]
    assert reading.cells == {2: ("4", "5", "6")}


@pytest.mark.parametrize("quote", ["", '"'], ids=["plain", "quoted"])
def test_a_cell_of_ten_million_characters_is_read(quote: str) -> None:
    """No limit of a library stands in the way."""
    cell = "x" * 10_000_000
    reading = read(f"a,b\n1,{quote}{cell}{quote}\n2,y\n")
    assert {1: ("1", cell), 2: ("2", "y")} == reading.cells


def test_ten_thousand_columns_are_read() -> None:
    """A wide file is no other than a narrow one."""
    header = ",".join(f"c{number}" for number in range(10_000))
    row = ",".join(map(str, range(10_000)))
    reading = read(f"{header}\n{row}\n{row}\n")
    assert tuple(map(str, range(10_000))) == reading.cells[2]


def test_an_unclosed_quote_is_told_apart_from_a_misplaced_one() -> None:
    """Only the former is worth looking ahead for."""
    with pytest.raises(UnclosedError):
        split_quoted('1,"a', ",")
    with pytest.raises(QuotingError) as caught:
        split_quoted('1,a","b', ",")
    assert QuotingError is caught.type


def test_messages_hold_no_text_of_the_record() -> None:
    """They reach logs, and cells may hold personal data."""
    reading = read('a,b\nsecret"x,2\n"secret"x,2\nsecret\n1,"secret\n')
    assert len(reading.messages) == 4
    assert not any("secret" in message for message in reading.messages.values())
