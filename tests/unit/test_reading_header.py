"""The header: where it is, how it is cut, and what is wrong with it."""

import pytest
from reading_cases import read

from importer.errors import InputError, UsageError

DELIMITERS = {
    "commas": ("orderRef,firstName,city", ","),
    "semicolons": ("orderRef;firstName;city", ";"),
    "tabs": ("orderRef\tfirstName\tcity", "\t"),
    "bars": ("orderRef|firstName|city", "|"),
    "one column": ("orderRef", ","),
    "unknown names": ("Auftrag;Vorname;Ort", ";"),
    "names with commas": ("Order Ref;Name, first;City, county", ";"),
    "known names beat more cells": ("order_ref|First Name|a,b,c,d,e,f", "|"),
    "folded names": ("ORDER-REF\tpost.code\tLast_Name;x;y;z", "\t"),
    "quoted names": ('"orderRef";"first, name";"city"', ";"),
    "quoted delimiters": ('"a,b,c,d,e";f', ";"),
    "quotes that only one delimiter allows": ('a,b;"c,d";e,f', ";"),
    "a name with a line break": ('orderRef;"first\nname";city', ";"),
}


@pytest.mark.parametrize(("header", "delimiter"), DELIMITERS.values(), ids=DELIMITERS)
def test_the_delimiter_is_detected_from_the_header(header: str, delimiter: str) -> None:
    """Known names count most, then cells."""
    assert delimiter == read(f"{header}\n").delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", "^", "\x01", "\x1f", " ", "§"])
def test_a_delimiter_that_is_given_is_taken(delimiter: str) -> None:
    """Whatever the header looks like."""
    text = f"a{delimiter}b,c;d\n1{delimiter}2\n"
    if delimiter in ",;":
        text = text.replace("b,c;d", "b")
    reading = read(text, delimiter=delimiter)
    assert delimiter == reading.delimiter
    assert reading.cells[1][0] == "1"


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "\r", "\0"])
def test_a_delimiter_that_cannot_be_one_is_wrong_usage(delimiter: str) -> None:
    """It would make every record a riddle."""
    with pytest.raises(UsageError, match="one character"):
        read(b"a,b\n", delimiter=delimiter)


SEP_LINES = {
    "semicolon": ("sep=;\n", ";"),
    "comma": ("sep=,\r\n", ","),
    "tab": ("sep=\t\n", "\t"),
    "another character": ("sep=^\n", "^"),
    "capitals": ("SEP=;\n", ";"),
    "quoted": ('"sep=;"\n', ";"),
    "after a mark and a blank line": ("\ufeff\nsep=;\n", ";"),
}


@pytest.mark.parametrize(("line", "delimiter"), SEP_LINES.values(), ids=SEP_LINES)
def test_the_sep_line_of_excel_is_obeyed(line: str, delimiter: str) -> None:
    """It is neither header nor record, but it is a line."""
    reading = read(f"{line}a|x{delimiter}b\n1{delimiter}2\n")
    assert delimiter == reading.delimiter
    assert reading.header == ("a|x", "b")
    assert reading.cells == {1: ("1", "2")}
    assert reading.header_line + 1 == reading.lines[1]


def test_a_delimiter_that_is_given_beats_the_sep_line() -> None:
    """What a person says now beats what a program wrote then."""
    reading = read("sep=;\na,b\n1,2\n", delimiter=",")
    assert (reading.delimiter, reading.cells) == (",", {1: ("1", "2")})


def test_header_cells_stay_as_they_stand() -> None:
    """Whoever maps them decides what their blanks mean."""
    assert read('  \n First Name ,"E-Mail\n(work)",').header == (
        " First Name ",
        "E-Mail\n(work)",
        "",
    )


def test_a_header_of_several_lines_counts_them_all() -> None:
    """The first record starts after its last line."""
    reading = read('\n"a\r\nb";c\n1;2\n')
    assert (reading.header_line, reading.lines) == (2, {1: 4})


def test_a_header_without_records_is_an_empty_source() -> None:
    """It is no error."""
    for text in ("a,b", "a,b\n", "a,b\r\n\r\n  \r\n", "a,b\n\x1a"):
        reading = read(text)
        assert (
            reading.header,
            reading.cells,
            reading.broken,
            reading.sizes,
        ) == (("a", "b"), {}, {}, [])


WRONG = {
    "nothing": ("", "is empty: there is no header line"),
    "only a mark": ("\ufeff", "is empty"),
    "only blank lines": ("\n\r\n \t\n\n", "is empty"),
    "only a sep line": ("sep=;\n", "is empty"),
    "only an end-of-file mark": ("\x1a", "is empty"),
    "stray quote": ('a,b"c\n1,2\n', "line 1: the header cannot be read: a quote stands inside"),
    "unclosed quote": ('\na,"b\n1,2\n', "line 2: the header cannot be read: the quote that opens"),
    "blank before a quote": ('a, "b"\n', "line 1: .*a blank stands before the opening quote"),
    "NUL": ("a,b\0\n1,2\n", "line 1: .*NUL"),
    "NUL in a quoted name": ('a,"b\0"\n1,2\n', "line 1: .*NUL"),
    "double": ("a,b,a\n", r"line 1: .*more than once: 'a' \(columns 1 and 3\)\. Rename"),
    "double after trimming": ("a,b, a\t\n", r".*'a' \(columns 1 and 3\)"),
    "many doubles": (
        "a,b,a,c,b,a\n",
        r".*'a' \(columns 1, 3 and 6\); 'b' \(columns 2 and 5\)\. Rename",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_header_that_cannot_be_used_is_one_error(text: str, message: str) -> None:
    """It names the line and what to do."""
    with pytest.raises(InputError, match=f"^standard input: {message}"):
        read(text)


def test_blank_names_are_no_doubles() -> None:
    """A spreadsheet leaves several columns without a name."""
    assert read("a,, ,\n").header == ("a", "", " ", "")
