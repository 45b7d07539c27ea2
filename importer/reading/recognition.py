"""Files that are no CSV: told by how they begin, each with what to do about it."""

import re
from typing import Final

from importer.errors import InputError

_SAVE_AS_CSV: Final = "Open it there and save it as CSV (UTF-8)"
_EXPORT_CSV: Final = "Export the contacts as CSV"
_UNPACK: Final = "Unpack it first, or give its name the ending {}"
_FETCH_AGAIN: Final = "Fetch the file again, signed in; this page came in its place"

_PACKED: Final = (
    (rb"\x1f\x8b", "a gzip file", _UNPACK.format(".gz")),
    (rb"BZh[1-9]1AY&SY", "a bzip2 file", _UNPACK.format(".bz2")),
    (rb"\xfd7zXZ\x00", "an xz file", _UNPACK.format(".xz")),
    (rb"\x28\xb5\x2f\xfd", "a zstd file", _UNPACK.format(".zst")),
    (rb"PK(?:\x03\x04|\x05\x06)", "a ZIP archive", _UNPACK.format(".zip")),
)
_BINARY: Final = (
    (
        rb"PK\x03\x04.*xl/(?:_rels|workbook|worksheets|styles|theme|sharedStrings)",
        "an Excel workbook (.xlsx)",
        _SAVE_AS_CSV,
    ),
    (
        rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument\.spreadsheet",
        "an OpenDocument spreadsheet (.ods)",
        _SAVE_AS_CSV,
    ),
    (
        rb"PK\x03\x04.*(?:\[Content_Types\]\.xml|docProps/|vnd\.oasis\.opendocument)",
        "an Office document (.xlsx, .docx, …)",
        _SAVE_AS_CSV,
    ),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", _SAVE_AS_CSV),
    (rb"%PDF-", "a PDF document", _EXPORT_CSV + "; a PDF holds no cells"),
    (rb"SQLite format 3\x00", "an SQLite database", _EXPORT_CSV),
    (rb"PAR1[\x00-\x1f]", "a Parquet file", _EXPORT_CSV),
    (rb"ARROW1\x00\x00", "an Arrow file", _EXPORT_CSV),
    (rb"Obj\x01", "an Avro file", _EXPORT_CSV),
    (rb"PGDMP", "a PostgreSQL dump", _EXPORT_CSV),
    (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP", "an image", _EXPORT_CSV),
    (rb"\x7fELF|MZ\x90\x00", "a program", _EXPORT_CSV),
    (rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|.{257}ustar", "an archive", "Unpack it first"),
)
_TEXT: Final = (
    (r"<\?xml", "an XML file", _SAVE_AS_CSV),
    (
        r"<(?:!doctype|!--|(?:html|head|body|meta|title|script|style|table|div|form|p|br)\b)",
        "an HTML page",
        _FETCH_AGAIN,
    ),
    (r"\{\\rtf", "an RTF document", _SAVE_AS_CSV),
    (r'(?:\{\s*["}]|\[\s*["\[{\]])|[\[{]\s*\Z', "JSON", _EXPORT_CSV),
    (r"BEGIN:VCARD", "a vCard file", _EXPORT_CSV),
    (r"version https://git-lfs", "a Git LFS pointer", "Fetch the file itself: `git lfs pull`"),
)


def refuse_foreign_bytes(head: bytes, *, packed: bool) -> None:
    """Refuse a file that begins like something else than text.

    Args:
        head: The first bytes of the file.
        packed: Whether its name says that it is compressed, so that it may be.

    Raises:
        InputError: It is a spreadsheet, a document, an image, …
    """
    for pattern, what, remedy in _BINARY if packed else (*_BINARY, *_PACKED):
        if re.match(pattern, head, re.DOTALL):
            raise _foreign(what, remedy)


def refuse_foreign_text(head: str) -> None:
    """Refuse a file that begins like another kind of text.

    Raises:
        InputError: It is an HTML page, JSON, …
    """
    first_line = head.lstrip("\ufeff \t\r\n").partition("\n")[0]
    for pattern, what, remedy in _TEXT:
        if re.match(pattern, first_line, re.IGNORECASE):
            raise _foreign(what, remedy)


def _foreign(what: str, remedy: str) -> InputError:
    return InputError(f"is {what}, not a CSV file. {remedy}")
