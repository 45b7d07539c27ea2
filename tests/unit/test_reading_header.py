"""The header: where it is, how it is split into cells, and its errors."""

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
    """Known names count most, then the number of cells."""
    assert delimiter == read(f"{header}\n").delimiter


NAMED = {
    "in --map": ("Bestellung;Vorname, Nachname, Titel;Mail, privat", ("Bestellung",), ";"),
    "written differently": ("best-ellung|a,b,c,d", ("Best Ellung",), "|"),
    "several": ("a;b,c,d;e", ("b,c,d", "e"), ";"),
    "with another delimiter in it": ("Name, Vorname\tOrt", ("Name, Vorname",), "\t"),
    "known fields beside them": ("Nr;email,orderRef,x", ("Nr", "x"), ","),
    "numbered fields": ("email1|email2|a,b,c,d", (), "|"),
    "a column of the rejects": ("a,b|importError", (), "|"),
}


@pytest.mark.parametrize(("header", "columns", "delimiter"), NAMED.values(), ids=NAMED)
def test_names_in_options_count_for_the_delimiter(
    header: str, columns: tuple[str, ...], delimiter: str
) -> None:
    """Like the names of fields."""
    assert delimiter == read(f"{header}\n", columns=columns).delimiter


TITLES = {
    "one title": ("Contacts\norderRef,firstName\n1,2\n", (), 1),
    "a blank line after it": ("Contacts 2026\n\norderRef,firstName\n1,2\n", (), 2),
    "commas in it": ("Contacts, all, 2026\norderRef,firstName\n1,2\n", (), 1),
    "padded with delimiters": ("Contacts;;\n;;\nBestellung;Vorname;Ort\n", ("Ort", "Vorname"), 2),
    "a report": ("Report: x\nRun by: y\n\nFilters\na, b\nOrder Ref,City\n1,2\n", (), 5),
    "unknown names": ("Kontakte\nBestellung;Vorname\n1;2\n", (), 1),
    "a stray quote in it": ('Contacts "all\norderRef,firstName\n1,2\n', (), 1),
    "quoted names": ('Contacts\n"orderRef";"firstName"\n', (), 1),
    "after a sep line": ("sep=;\nContacts\norderRef;firstName\n", (), 2),
}


@pytest.mark.parametrize(("text", "columns", "count"), TITLES.values(), ids=TITLES)
def test_title_above_the_header_is_named_with_the_option_that_skips_it(
    text: str, columns: tuple[str, ...], count: int
) -> None:
    """The option then works."""
    with pytest.raises(InputError, match=f"does not name columns.* --skip-lines {count} "):
        read(text, columns=columns)
    reading = read(text, columns=columns, skip_lines=count)
    assert reading.header_line == count + 1
    assert len(reading.header) > 1


SKIPPED = {
    "a title": ("Title\r\na;b\r\n1;2\r\n", 1, "Title\r\n", 2),
    "two lines, one of them blank": ("Title\n\na;b\n1;2\n", 2, "Title\r\n\r\n", 3),
    "a blank line": ("\n\na;b\n1;2\n", 1, "\r\n", 3),
    "a sep line": ("sep=;\nTitle|x,y,z\na;b\n1;2\n", 2, "sep=;\r\nTitle|x,y,z\r\n", 3),
    "before a sep line": ("Title\nsep=;\na;b\n1;2\n", 1, "Title\r\nsep=;\r\n", 3),
    "after a mark": ("\ufeffTitle\na;b\n1;2\n", 1, "Title\r\n", 2),
    "a quote that is never closed": ('Title "x\na;b\n1;2\n', 1, 'Title "x\r\n', 2),
    "none": ("a;b\n1;2\n", 0, "", 1),
    "only a sep line": ("SEP=;\na;b\n1;2\n", 0, "SEP=;\r\n", 2),
}


@pytest.mark.parametrize(("text", "count", "preamble", "line"), SKIPPED.values(), ids=SKIPPED)
def test_skipped_lines_count_as_lines_and_can_be_written_back(
    text: str, count: int, preamble: str, line: int
) -> None:
    """A copy with them and the header can be read with the same options."""
    reading = read(text, skip_lines=count)
    assert (reading.header, reading.cells) == (("a", "b"), {1: ("1", "2")})
    assert (reading.header_line, reading.lines) == (line, {1: line + 1})
    assert reading.preamble == preamble
    again = read(f"{preamble}a;b\r\n1;2\r\n", skip_lines=count)
    assert (again.header, again.cells) == (reading.header, reading.cells)


def test_skipping_more_lines_than_there_are_is_an_error() -> None:
    """The message has the number of lines."""
    with pytest.raises(InputError, match="has 2 lines, and --skip-lines 3 leaves no header"):
        read("a,b\n1,2\n", skip_lines=3)
    with pytest.raises(InputError, match="is empty"):
        read("a,b\n1,2\n", skip_lines=2)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", "^", "\x01", "\x1f", " ", "§"])
def test_given_delimiter_is_used(delimiter: str) -> None:
    """Nothing is detected then."""
    text = f"a{delimiter}b,c;d\n1{delimiter}2\n"
    if delimiter in ",;":
        text = text.replace("b,c;d", "b")
    reading = read(text, delimiter=delimiter)
    assert delimiter == reading.delimiter
    assert reading.cells[1][0] == "1"


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "\r", "\0"])
def test_impossible_delimiter_is_a_usage_error(delimiter: str) -> None:
    """No record could be read with it."""
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
def test_sep_line_of_excel_is_respected(line: str, delimiter: str) -> None:
    """It is neither header nor record, but it counts as a line."""
    reading = read(f"{line}a|x{delimiter}b\n1{delimiter}2\n")
    assert delimiter == reading.delimiter
    assert reading.header == ("a|x", "b")
    assert reading.cells == {1: ("1", "2")}
    assert reading.header_line + 1 == reading.lines[1]


def test_given_delimiter_beats_the_sep_line() -> None:
    """An option is more explicit than the file."""
    reading = read("sep=;\na,b\n1,2\n", delimiter=",")
    assert (reading.delimiter, reading.cells) == (",", {1: ("1", "2")})


def test_header_cells_are_unchanged() -> None:
    """The mapping decides what their blanks mean."""
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
    """This is not an error."""
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
    "stray quote": ('a,b"c\n1,2\n', "line 1: the header cannot be read: a quote is inside"),
    "unclosed quote": ('\na,"b\n1,2\n', "line 2: the header cannot be read: the quote that opens"),
    "text after a quote": ('a,"b"c\n', "line 1: .*text follows the closing quote"),
    "NUL": ("a,b\0\n1,2\n", "line 1: .*NUL"),
    "NUL in a quoted name": ('a,"b\0"\n1,2\n', "line 1: .*NUL"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_unusable_header_is_one_error(text: str, message: str) -> None:
    """The message has the line and the remedy."""
    with pytest.raises(InputError, match=f"^standard input: {message}"):
        read(text)


def test_repeated_names_are_kept() -> None:
    """The mapping decides whether they matter."""
    assert read("a,, ,a\n").header == ("a", "", " ", "a")


def test_blanks_beside_quoted_names_are_no_part_of_them() -> None:
    """As in records."""
    assert read('a, "b" ,c\n').header == ("a", "b", "c")
