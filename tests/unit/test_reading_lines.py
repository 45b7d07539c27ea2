"""Lines: where they end, which are blank, and how they are counted."""

import pytest
from reading_cases import read

from importer.reading.lines import LineReader

BLANK_LINES = {
    "empty": "",
    "a space": " ",
    "spaces": "   ",
    "tab": "\t",
    "spaces and tabs": " \t \t",
}


@pytest.mark.parametrize("blank", BLANK_LINES.values(), ids=BLANK_LINES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_blank_lines_are_no_records_but_count_as_lines(blank: str, end: str) -> None:
    """Before the header, between records and at the end of the file."""
    reading = read(end.join([blank, "a,b", blank, "1,2", blank, blank, "3,4", blank, blank, blank]))
    assert reading.cells == {1: ("1", "2"), 2: ("3", "4")}
    assert reading.header_line == 2
    assert reading.lines == {1: 4, 2: 7}
    assert reading.broken == {}


def test_a_line_of_delimiters_is_a_record_of_blank_cells() -> None:
    """It is not blank, as its cells were written."""
    assert read("a,b,c\n,,\n").cells == {1: ("", "", "")}


def test_a_line_of_tabs_is_a_record_where_the_tab_is_the_delimiter() -> None:
    """A line of spaces is still blank."""
    assert read("a\tb\tc\n\t\t\n \t\t\n   \n").cells == {1: ("", "", ""), 2: (" ", "", "")}


def test_a_quoted_blank_in_a_file_of_one_column_is_a_record() -> None:
    """CSV writers distinguish a blank cell from a blank line in this way."""
    reading = read('email\n""\n\nx\n')
    assert reading.cells == {1: ("",), 2: ("x",)}
    assert reading.lines == {1: 2, 2: 4}


CTRL_Z = {
    "after the last line": ("a,b\n1,2\n\x1a", {1: ("1", "2")}),
    "padding of CP/M": ("a,b\n1,2\n\x1a\x1a\x1a", {1: ("1", "2")}),
    "in a cell": ("a,b\n1,x\x1ay\n", {1: ("1", "x\x1ay")}),
    "at the end of a cell": ("a,b\n1,2\x1a", {1: ("1", "2\x1a")}),
}


@pytest.mark.parametrize(("text", "cells"), CTRL_Z.values(), ids=CTRL_Z)
def test_ctrl_z_ends_a_file_of_dos_and_is_a_character_elsewhere(
    text: str, cells: dict[int, tuple[str, ...]]
) -> None:
    """It is ignored only if it is alone on the last line."""
    reading = read(text)
    assert (cells, {}) == (reading.cells, reading.broken)


def test_ctrl_z_on_a_line_that_is_not_the_last_is_a_record() -> None:
    """No line in the middle of a file is ignored."""
    reading = read("a,b\n\x1a\n1,2\n")
    assert reading.broken == {1: ("\x1a",)}
    assert reading.cells == {2: ("1", "2")}


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        (["a\r", "\nb"], ["a\r\n", "b"]),
        (["a\r", "b"], ["a\r", "b"]),
        (["a\r", "\r", "\n"], ["a\r", "\r\n"]),
        (["a", "", "b", "\n", "c\r"], ["ab\n", "c\r"]),
        (["\r", "", "\n"], ["\r\n"]),
        ([], []),
    ],
)
def test_a_line_end_may_be_split_between_blocks(texts: list[str], lines: list[str]) -> None:
    """CR at the end of one and LF at the start of the next are one line end."""
    assert list(LineReader(iter(texts))) == lines


def test_mixed_line_ends_count_one_line_each() -> None:
    """CRLF is one line end, CR and LF on their own are, too."""
    reading = read("a,b\r\n1,2\n3,4\r5,6\n\r7,8\r\r\n9,0")
    assert reading.lines == {1: 2, 2: 3, 3: 4, 4: 6, 5: 8}
    assert list(reading.cells.values()) == [
        ("1", "2"),
        ("3", "4"),
        ("5", "6"),
        ("7", "8"),
        ("9", "0"),
    ]
