"""Files that are no CSV: recognised and named."""

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
    "HTML": (b"\n <!DOCTYPE html>\n<html><title>Log in</title>", "an HTML page.*signed in"),
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
def test_a_file_that_is_no_csv_is_named(data: bytes, message: str, tmp_path: Path) -> None:
    """With what to do about it, from a file, from a pipe and inside a compressed file."""
    for where in (data, write(tmp_path, "", data), write(tmp_path, ".gz", gzip.compress(data))):
        with pytest.raises(InputError, match=f"is {message}") as caught:
            read(where)
        assert caught.value.exit_status == ExitStatus.INPUT


def test_a_workbook_under_the_name_of_a_zip_archive_is_named(tmp_path: Path) -> None:
    """It is an archive, but not of a CSV file."""
    with pytest.raises(InputError, match="an Excel workbook"):
        read(write(tmp_path, ".zip", XLSX))


LOOKALIKES = {
    "brackets of SQL Server": b"[id],[name]\n1,2\n",
    "a name in braces": b"{id},{name}\n1,2\n",
    "a name in angle brackets": b"<orderRef>,<name>\n1,2\n",
    "letters of a magic number": b"PAR1,BZh\n1,2\n",
    "letters of an archive": b"PK,MZ\n1,2\n",
}


@pytest.mark.parametrize("data", LOOKALIKES.values(), ids=LOOKALIKES)
def test_a_csv_that_looks_a_little_like_something_else_is_read(data: bytes) -> None:
    """Only what no header begins with is refused."""
    assert read(data).cells == {1: ("1", "2")}
