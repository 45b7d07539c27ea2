"""Records, well-formed and faulty: each is read once, with its cells and its line."""

import pytest
from reading_cases import read, records_of

from importer.reading.lines import LineReader
from importer.reading.parsing import QuotingError, UnclosedError, records, split_quoted

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
    "blank before a quote": ('1, "x,y",3', ["1", "x,y", "3"]),
    "tab before a quote": ('1,\t"x",3', ["1", "x", "3"]),
    "blank after a quote": ('1,"x" ,3', ["1", "x", "3"]),
    "blanks around every quoted cell": (' "1" , "2,2"\t,\t"3" ', ["1", "2,2", "3"]),
    "blanks between quoted cells": ('"1" , , "3"', ["1", " ", "3"]),
    "blanks inside quotes": ('" 1 ","2",3', [" 1 ", "2", "3"]),
    "line break beside blanks": ('1, "a\nb" ,3', ["1", "a\nb", "3"]),
    "quote inside a cell": ('a"b,2,3', ['a"b', "2", "3"]),
    "inch mark": ('1,12" pipe,3', ["1", '12" pipe', "3"]),
    "inch mark at the end of a cell": ('1,6",3', ["1", '6"', "3"]),
    "inch mark at the end of the record": ('1,2,6"', ["1", "2", '6"']),
    "feet and inches": ("1,5'11\",3", ["1", "5'11\"", "3"]),
    "quoted word inside a cell": ('1,Stazione "IP",3', ["1", 'Stazione "IP"', "3"]),
    "quoted word in the middle": ('1,a "b" c,3', ["1", 'a "b" c', "3"]),
    "quotes in several cells": ('a"b,c "d" e,6"', ['a"b', 'c "d" e', '6"']),
    "quote in a cell, another cell quoted": ('"1,1",12" pipe,3', ["1,1", '12" pipe', "3"]),
    "quoted word beside a quoted cell": ('"1",a "b","3"', ["1", 'a "b"', "3"]),
    "quotes that would protect a delimiter": ('1,a "x,y" b', ["1", 'a "x', 'y" b']),
    "blank cells after the last column": ("1,2,3,", ["1", "2", "3"]),
    "many blank cells after the last column": ('1,2,3, ,"",\t', ["1", "2", "3"]),
    "blank cells after a quoted column": ('1,2,"3",,', ["1", "2", "3"]),
    "blank cells after a stray quote": ('1,12" pipe,3,', ["1", '12" pipe', "3"]),
    "scripts of the world": ("Nguyễn,שלום,👩‍👩‍👧", ["Nguyễn", "שלום", "👩‍👩‍👧"]),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize(("text", "cells"), SOUND.values(), ids=SOUND)
def test_well_formed_record_is_read_cell_for_cell(text: str, cells: list[str], end: str) -> None:
    """With all line ends; the next record is read as well."""
    read_records = records_of(f"{text}{end}x,y,z{end}".encode(), 3)
    assert [cells, ["x", "y", "z"]] == [record.cells for record in read_records]
    assert [record.fault for record in read_records] == ["", ""]


BROKEN = {
    "quote inside a cell, a cell too few": ('a"b,2', "is inside cell 1"),
    "quotes inside a cell, a cell too many": ('1,a "b, c" d,3', "is inside cell 2"),
    "two readings with blank cells at the end": ('1,a "x,y" b,,', "is inside cell 2"),
    "word in quotes at the start of a cell": ('1,"IP" Stazione,3', "text follows the closing"),
    "the same after a blank": ('1, "IP" Stazione,3', "text follows the closing"),
    "the same after a no-break space": ('1,\u00a0"IP" Stazione,3', "is inside cell 2"),
    "lost opening quote": ('"1",2","3"', "is inside cell 2"),
    "lost opening quote of the first cell": ('1","2","3"', "is inside cell 1"),
    "lost opening quote of the last cell": ('"1","2",3"', "is inside cell 3"),
    "text after the quote": ('"x"y,2,3', "text follows the closing quote of cell 1"),
    "text after the last quote": ('1,2,"x"y', "text follows the closing quote of cell 3"),
    "text between quotes": ('"x"y"z",2,3', "text follows the closing quote of cell 1"),
    "blank between quotes": ('"x" "y",2,3', "text follows the closing quote of cell 1"),
    "doubled quote too many": ('""1"",2,3', "text follows the closing quote of cell 1"),
    "extra quote before a quoted cell": ('1,""2","3"', "text follows the closing quote of cell 2"),
    "extra quote after a quoted cell": ('1,"2"","3"', "text follows the closing quote of cell 2"),
    "backslash as escape": (r'"say \"hi\"",2,3', "text follows the closing quote of cell 1"),
    "two faults": ('"x"y,a"b,3', "text follows the closing quote of cell 1"),
    "unclosed": ('1,"x,3', "the quote that opens cell 2 is not closed"),
    "unclosed last cell": ('1,2,"', "the quote that opens cell 3 is not closed"),
    "lone quote": ('"', "the quote that opens cell 1 is not closed"),
    "three quotes": ('"""', "the quote that opens cell 1 is not closed"),
    "unclosed after a stray quote": ('a"b,"x,3', "is inside cell 1"),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize(("line", "message"), BROKEN.values(), ids=BROKEN)
def test_misplaced_quote_makes_only_its_line_faulty(line: str, message: str, end: str) -> None:
    """Its text is kept unchanged, and all other records are read."""
    reading = read(end.join(["a,b,c", "1,2,3", line, "4,5,6", '"7\n7","8",9', ""]))
    assert {2: (line,)} == reading.broken
    assert message in reading.messages[2]
    assert reading.cells == {1: ("1", "2", "3"), 3: ("4", "5", "6"), 4: ("7\n7", "8", "9")}
    assert reading.lines == {1: 2, 2: 3, 3: 4, 4: 5}


SWALLOWED = {
    "two stray quotes": ('1,"likes tea,A', "2,x,B", "3,y,C", '4,12",D'),
    "in neighbouring lines": ('1,"likes tea,A', '2,12",B'),
    "in the first column": ('"1,x,A', '2",y,B'),
    "in the last column": ('1,x,"A', "2,y,B", '3,z,C"'),
    "in different columns": ('1,"likes tea,A', "2,x,B", '3,x,C"'),
    "with a blank line between": ('1,"likes tea,A', "", "2,x,B", '3,12",C'),
    "with blank cells at the end": ('1,"likes tea,A,', "2,x,B,,", '3,12",C,'),
    "after a quoted delimiter": ('"1,1","likes tea,A', '2,12","B,B"'),
    "with a doubled quote between": ('1,"likes tea,A', '2,"",B', '3,12",C'),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("lines", SWALLOWED.values(), ids=SWALLOWED)
def test_records_that_two_stray_quotes_swallow_are_one_faulty_record(
    lines: tuple[str, ...], end: str
) -> None:
    """It keeps the text of all its lines in one cell, so that its rejects stay faulty, too."""
    reading = read(end.join(["a,b,c", *lines, "7,8,9", ""]))
    assert reading.broken == {1: (end.join(lines),)}
    assert "two stray quotes may have joined several records" in reading.messages[1]
    assert reading.cells == {2: ("7", "8", "9")}
    assert reading.lines == {1: 2, 2: 2 + len(lines)}


MULTILINE = {
    "an address": ('1,"Main St\nDublin",3', ("1", "Main St\nDublin", "3")),
    "commas in one line": ('1,"a, b, c, d\ne",3', ("1", "a, b, c, d\ne", "3")),
    "a paragraph": ('1,"a\n\nb\n",3', ("1", "a\n\nb\n", "3")),
    "in two cells": ('1,"a\nb","c\nd"', ("1", "a\nb", "c\nd")),
    "one line of several has as many cells": ('1,2,"a\nb"', ("1", "2", "a\nb")),
    "a table": ('1,"a,b\nc,d\ne,f",3', ("1", "a,b\nc,d\ne,f", "3")),
}


@pytest.mark.parametrize(("text", "cells"), MULTILINE.values(), ids=MULTILINE)
def test_quoted_cell_may_span_lines(text: str, cells: tuple[str, ...]) -> None:
    """As long as one of the lines has another number of cells than the header."""
    assert {1: cells, 2: ("4", "5", "6")} == read(f"a,b,c\n{text}\n4,5,6\n").cells


def test_many_unclosed_quotes_are_as_many_broken_records() -> None:
    """Each line whose quote is never closed is a record of its own."""
    reading = read("a,b\n" + '1,"x\n' * 50 + "2,y\n")
    assert list(reading.broken.values()) == [('1,"x',)] * 50
    assert reading.cells == {51: ("2", "y")}


def test_a_quote_that_is_closed_far_below_is_one_record() -> None:
    """A quoted cell may hold thousands of lines."""
    cell = "line\r\n" * 10_000
    reading = read(f'a,b\n1,"{cell}"\n2,x\n')
    assert {1: ("1", cell), 2: ("2", "x")} == reading.cells
    assert reading.lines == {1: 2, 2: 10_003}


def test_search_for_a_closing_quote_is_limited() -> None:
    """Beyond the limit the quote counts as unclosed, and reading continues on the next line."""
    text = '1,"x\n' + "2,y\n" * 30 + 'z"\n'
    reader = LineReader(iter([text]), max_characters=40)
    read_records = list(records(reader, ",", 2))
    assert len(read_records) == 32
    assert "not closed" in read_records[0].fault
    assert read_records[1].cells == ["2", "y"]
    assert read_records[-1].line == 32


def test_no_line_is_scanned_more_than_twice() -> None:
    """Even if most lines have an unclosed quote, the time is proportional to the lines."""
    handed_out = 0

    class CountingReader(LineReader):
        def __iter__(self):  # noqa: ANN204 - as in the class that it counts for
            nonlocal handed_out
            for line in super().__iter__():
                handed_out += 1
                yield line

    pattern = '"a\nb""c\n"",""\n"x""\n1,"\nplain\n"y","z\n'
    text = pattern * 500
    list(records(CountingReader(iter([text])), ",", 2))
    assert handed_out <= 2 * text.count("\n")


WIDTHS = {
    "one cell too few": ("1,2", ("1", "2"), "2 cells where the header has 3"),
    "one cell": ("1", ("1",), "1 cell where the header has 3"),
    "one cell too many": ("1,2,3,4", ("1", "2", "3", "4"), "4 cells where the header has 3"),
    "a value after blank cells": ("1,2,3,,x", ("1", "2", "3", "", "x"), "5 cells where"),
    "a no-break space too many": ("1,2,3,\u00a0", ("1", "2", "3", "\u00a0"), "4 cells where"),
    "too many, quoted": ('"1","2","3","4"', ("1", "2", "3", "4"), "4 cells where"),
    "too few, with a line break": ('1,"2\n2"', ("1", "2\n2"), "2 cells where"),
    "thousands": (",".join("x" * 2000), ("x",) * 2000, "2,000 cells where the header has 3"),
}


@pytest.mark.parametrize(("text", "cells", "message"), WIDTHS.values(), ids=WIDTHS)
def test_record_of_another_width_is_faulty_and_never_padded(
    text: str, cells: tuple[str, ...], message: str
) -> None:
    """It keeps its cells, and its neighbours theirs."""
    reading = read(f"a,b,c\n7,8,9\n{text}\n4,5,6\n")
    assert {2: cells} == reading.broken
    assert message in reading.messages[2]
    assert reading.cells == {1: ("7", "8", "9"), 3: ("4", "5", "6")}


def test_trailing_delimiter_on_every_record_changes_nothing() -> None:
    """The blank cells after the last column are dropped."""
    reading = read('a,b\n1,2,\n"3","4",\n5,6,,\n')
    assert reading.cells == {1: ("1", "2"), 2: ("3", "4"), 3: ("5", "6")}
    assert reading.broken == {}


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
def test_nul_makes_only_its_record_faulty(text: str, cells: tuple[str, ...]) -> None:
    """The rest of the file is read."""
    reading = read(f"a,b,c\n{text}\n4,5,6\n")
    assert {1: cells} == reading.broken
    assert "NUL" in reading.messages[1]
    assert reading.cells == {2: ("4", "5", "6")}


@pytest.mark.parametrize("quote", ["", '"'], ids=["plain", "quoted"])
def test_a_cell_of_ten_million_characters_is_read(quote: str) -> None:
    """No limit of a library applies."""
    cell = "x" * 10_000_000
    reading = read(f"a,b\n1,{quote}{cell}{quote}\n2,y\n")
    assert {1: ("1", cell), 2: ("2", "y")} == reading.cells


def test_ten_thousand_columns_are_read() -> None:
    """A wide file is read like a narrow one."""
    header = ",".join(f"c{number}" for number in range(10_000))
    row = ",".join(map(str, range(10_000)))
    reading = read(f"{header}\n{row}\n{row}\n")
    assert tuple(map(str, range(10_000))) == reading.cells[2]


def test_unclosed_quote_differs_from_a_misplaced_one() -> None:
    """Only after the former are further lines scanned."""
    with pytest.raises(UnclosedError):
        split_quoted('1,"a', ",")
    with pytest.raises(QuotingError) as caught:
        split_quoted('1,a","b', ",")
    assert QuotingError is caught.type


def test_messages_contain_no_text_of_the_record() -> None:
    """They are logged, and cells may contain personal data."""
    text = 'a,b\nsecret"x,2,3\n"secret"x,2\nsecret\n"secret,1\n2,3"\n1,"secret\n'
    reading = read(text)
    assert len(reading.messages) == 5
    assert not any("secret" in message for message in reading.messages.values())
