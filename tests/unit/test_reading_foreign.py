"""Files that are not CSV are recognised and named."""

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
from packed_cases import CSV, write, zip_of, zst_of
from reading_cases import read

from importer.errors import ExitStatus, InputError

XLSX = zip_of(("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>"))
XLSX_TYPES_LAST = zip_of(("xl/worksheets/sheet1.xml", b"<x/>"), ("[Content_Types].xml", b""))
ODS = b"PK\3\4" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
FOREIGN = {
    "xlsx": (XLSX, "an Excel workbook .*save it as CSV"),
    "xlsx of another writer": (XLSX_TYPES_LAST, "an Excel workbook"),
    "docx": (
        zip_of(("[Content_Types].xml", b""), ("word/document.xml", b"")),
        "an Office document",
    ),
    "ods": (ODS, "an OpenDocument spreadsheet .*save it as CSV"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "an old Excel workbook"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
    "SQLite": (b"SQLite format 3\0" + bytes(84), "an SQLite database"),
    "Parquet": (b"PAR1\x15\x04\x15\x10", "a Parquet file"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(20), "an image"),
    "JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF", "an image"),
    "ELF": (b"\x7fELF\2\1\1" + bytes(9), "a program"),
    "tar": (b"contacts.csv".ljust(257, b"\0") + b"ustar\x0000", "an archive"),
    "gzip": (gzip.compress(CSV), "a gzip file.*the ending .gz"),
    "bzip2": (bz2.compress(CSV), "a bzip2 file"),
    "xz": (lzma.compress(CSV), "an xz file"),
    "zstd": (zst_of(CSV), "a zstd file"),
    "zip": (zip_of(("a.csv", CSV)), "a ZIP archive"),
    "HTML": (b"\n <!DOCTYPE html>\n<html><title>Log in</title>", "an HTML page.*Sign in"),
    "HTML without doctype": (b"<HTML lang=en>\n", "an HTML page"),
    "HTML with a mark": ("\ufeff<!doctype html>".encode(), "an HTML page"),
    "HTML in UTF-16": ("<html>".encode("utf-16"), "an HTML page"),
    "HTML in a code page": (b"<html><title>Anm\xe4ldung", "an HTML page"),
    "HTML table named CSV": (b"<table border=1><tr>", "an HTML page"),
    "XML": (b'<?xml version="1.0"?>\n<contacts/>', "an XML file"),
    "JSON array": (b'[{"orderRef": "x", "firstName": "y"}]', "JSON"),
    "JSON array, indented": (b'[\n  {\n    "orderRef": 1', "JSON"),
    "JSON object": (b'{\n  "items": []}', "JSON"),
    "JSON lines": (b'{"orderRef":"x"}\n{"orderRef":"y"}\n', "JSON"),
    "RTF": (rb"{\rtf1\ansi", "an RTF document"),
    "vCard": (b"BEGIN:VCARD\r\nVERSION:4.0\r\n", "a vCard file"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
}


@pytest.mark.parametrize(("data", "message"), FOREIGN.values(), ids=FOREIGN)
def test_file_of_another_format_is_named(data: bytes, message: str, tmp_path: Path) -> None:
    """The message has a remedy, for a file, a pipe and a compressed file."""
    for where in (data, write(tmp_path, "", data), write(tmp_path, ".gz", gzip.compress(data))):
        with pytest.raises(InputError, match=f"is {message}") as caught:
            read(where)
        assert caught.value.exit_status == ExitStatus.INPUT


def test_a_workbook_under_the_name_of_a_zip_archive_is_named(tmp_path: Path) -> None:
    """It is an archive, but not of a CSV file."""
    with pytest.raises(InputError, match="an Excel workbook"):
        read(write(tmp_path, ".zip", XLSX))


ROWS = "{order},Ann,Murphy{end}{order},Bob,Byrne{end}{order},Zoe,Kelly{end}"
ORDER_REF = "2d7de9df-45a2-45ea-872c-30e45139007d"
ENDS = {
    "\u2028": r"U\+2028 \(line separator\)",
    "\u2029": r"U\+2029 \(paragraph separator\)",
    "\x85": r"U\+0085 \(next line",
    "\x1e": r"0x1E \(record separator\)",
    "\x1d": r"0x1D \(group separator\)",
    "\x1c": r"0x1C \(file separator\)",
    "\x15": r"0x15 \(the line end of EBCDIC\)",
    "\x0c": r"0x0C \(form feed\)",
    "\x0b": r"0x0B \(vertical tab\)",
    r"\n": r"the two characters \\n",
    r"\r": r"the two characters \\r",
    r"\r\n": r"the four characters \\r\\n",
    "<br>": "<br>",
    "<br/>": "<br/>",
    "&#10;": "&#10;",
    "%0A": "%0A",
    "\xb6": r"U\+00B6",
    "\u2424": r"U\+2424",
    "|": r"'\|'",
    "~": "'~'",
    "$": r"'\$'",
}


@pytest.mark.parametrize("final", ["", "\n", "\r\n"], ids=["no end", "LF", "CRLF"])
@pytest.mark.parametrize("header", ["orderRef,firstName,lastName", '"orderRef","a",b'])
@pytest.mark.parametrize(("end", "name"), ENDS.items(), ids=map(repr, ENDS))
def test_unrecognised_line_end_is_named_without_quoting_the_file(
    end: str, name: str, header: str, final: str
) -> None:
    """The whole file is one line then, none of which may be in a message."""
    text = f"{header}{end}{ROWS.format(order=ORDER_REF, end=end)}{final}"
    with pytest.raises(InputError, match=f"line ends are not recognised: .* {name}.*sed") as caught:
        read(text)
    for word in ("Ann", "Murphy", ORDER_REF, "orderRef"):
        assert word not in str(caught.value)


def test_line_end_without_a_name_is_given_as_a_number() -> None:
    """As itself it would be a blank in the message, and the command would replace every blank."""
    text = ROWS.format(order=ORDER_REF, end="\0")
    with pytest.raises(InputError, match=r"records end in 0x00\. .* sed 's/\\x00/"):
        read(f"orderRef,firstName,lastName\0{text}", delimiter=",")


@pytest.mark.parametrize("end", [end for end in ENDS if not end.isprintable()], ids=repr)
def test_line_end_that_only_the_records_have_is_named(end: str) -> None:
    """The header may have been written by another program."""
    rows = ROWS.format(order="W1", end=end)
    with pytest.raises(InputError, match="line 2: the line ends are not recognised"):
        read(f"orderRef,firstName,lastName\n{rows}")


@pytest.mark.parametrize("end", [end for end in ENDS if len(end) == 1], ids=repr)
def test_the_same_character_inside_cells_is_text(end: str) -> None:
    """If lines end properly."""
    cell = f"a{end}b"
    reading = read(f"orderRef,{cell},note\n1,{cell},{cell}\n2,{cell},{cell},x\n", delimiter=",")
    assert reading.cells == {1: ("1", cell, cell)}
    assert tuple(reading.broken) == (2,)


@pytest.mark.parametrize("codec", ["cp037", "cp500", "cp1140", "cp273"])
@pytest.mark.parametrize("end", ["\x85", "\n"], ids=["0x15", "0x25"])
def test_ebcdic_is_named(codec: str, end: str) -> None:
    """With or without ``--encoding``; only 0x25 is read as a line feed."""
    text = f"orderRef,firstName,lastName{end}{ROWS.format(order=ORDER_REF, end=end)}"
    with pytest.raises(InputError, match=r"EBCDIC.*0x15 or 0x25.*iconv"):
        read(text.encode(codec))
    if end == "\n":
        assert len(read(text.encode(codec), encoding=codec).cells) == 3
    else:
        with pytest.raises(InputError, match=r"U\+0085.*0x15 in EBCDIC"):
            read(text.encode(codec), encoding=codec)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORDER_REF},Ann\n{ORDER_REF},Bob\n",
        "W1,ann@example.com,Ann\nW2,bob@example.com,Bob\n",
        f"orderRef,firstName {ORDER_REF},Ann {ORDER_REF},Bob",
        f"firstName;{ORDER_REF.upper()}",
    ],
    ids=["order", "address", "blank as line end", "upper case"],
)
def test_file_without_a_header_is_named_without_quoting_it(text: str) -> None:
    """Its first record would be reported as names of columns."""
    with pytest.raises(InputError, match="values where the names of the columns are") as caught:
        read(text)
    assert ORDER_REF not in str(caught.value).lower()
    assert "ann" not in str(caught.value)


LOOKALIKES = {
    "brackets of SQL Server": b"[id],[name]\n1,2\n",
    "a name in braces": b"{id},{name}\n1,2\n",
    "a name in angle brackets": b"<orderRef>,<name>\n1,2\n",
    "letters of a magic number": b"PAR1,BZh\n1,2\n",
    "letters of an archive": b"PK,MZ\n1,2\n",
}


@pytest.mark.parametrize("data", LOOKALIKES.values(), ids=LOOKALIKES)
def test_csv_that_resembles_another_format_is_read(data: bytes) -> None:
    """Only beginnings that no header can have are refused."""
    assert read(data).cells == {1: ("1", "2")}
