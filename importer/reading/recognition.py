"""Files that are not CSV, or whose records end in something else than a line end.

Each is recognised by how it begins, and named with a remedy. No message quotes the file, as
it is cells of people that a wrong line end turns into a header.

Source: docs/input.md, "Files that are refused".
"""

import re
from typing import Final

from importer.errors import InputError
from schemas.text import BLANKS

_SAVE_AS_CSV: Final = "Open it there and save it as CSV (UTF-8)"
_EXPORT_CSV: Final = "Export the contacts as CSV"
_UNPACK: Final = "Unpack it first, or give its name the ending {}"
_FETCH_AGAIN: Final = "Sign in and download the file again: this is a web page instead"

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
    (rb"%PDF-", "a PDF document", _EXPORT_CSV + "; a PDF has no cells"),
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
    (r"version https://git-lfs", "a Git LFS pointer", "Get the file itself: `git lfs pull`"),
)

# What ends records in files of some programs, by name and by the pattern of sed that finds it.
_RECORD_ENDS: Final = {
    "\u2028": ("U+2028 (line separator)", r"\xe2\x80\xa8"),
    "\u2029": ("U+2029 (paragraph separator)", r"\xe2\x80\xa9"),
    "\x85": (
        "U+0085 (next line; 0x15 in EBCDIC, which must be converted to UTF-8 first)",
        r"\xc2\x85",
    ),
    "\x1e": ("0x1E (record separator)", r"\x1e"),
    "\x1d": ("0x1D (group separator)", r"\x1d"),
    "\x1c": ("0x1C (file separator)", r"\x1c"),
    "\x15": ("0x15 (the line end of EBCDIC)", r"\x15"),
    "\x0c": ("0x0C (form feed)", r"\x0c"),
    "\x0b": ("0x0B (vertical tab)", r"\x0b"),
    r"\r\n": (r"the four characters \r\n", r"\\r\\n"),
    r"\n": (r"the two characters \n", r"\\n"),
    r"\r": (r"the two characters \r", r"\\r"),
    "<br>": ("<br>", "<br>"),
    "<br/>": ("<br/>", r"<br\/>"),
    "<br />": ("<br />", r"<br \/>"),
    "&#10;": ("&#10;", "&#10;"),
    "%0A": ("%0A", "%0A"),
    "\u240a": ("U+240A (symbol for line feed)", r"\xe2\x90\x8a"),
    "\u2424": ("U+2424 (symbol for newline)", r"\xe2\x90\xa4"),
    "\xb6": ("U+00B6 (pilcrow sign)", r"\xc2\xb6"),
}
_CONTROLS: Final = tuple(end for end in _RECORD_ENDS if not end.isprintable())
_FEW_CELLS: Final = 4
# Digits, letters, blanks and the usual punctuation of a CSV file in EBCDIC.
_EBCDIC: Final = frozenset(
    b"\x05\x0d\x15\x25\x40\x4b\x4f\x5e\x60\x61\x6b\x6d\x7a\x7c\x7f"
    + bytes((*range(0x81, 0x8A), *range(0x91, 0x9A), *range(0xA2, 0xAA)))
    + bytes((*range(0xC1, 0xCA), *range(0xD1, 0xDA), *range(0xE2, 0xEA), *range(0xF0, 0xFA)))
)
_EBCDIC_SHARE: Final = 0.95
_SAMPLE: Final = 4096
_LEAST_SAMPLE: Final = 16
_VALUE: Final = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[^\s@,;|\"]+@[^\s@,;|\"]+\.[a-z]", re.IGNORECASE
)


def refuse_foreign_bytes(head: bytes, *, packed: bool) -> None:
    """Refuse a file that begins like something else than text.

    Args:
        head: The first bytes of the file.
        packed: Whether the ending of its name is that of a compressed file.

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


def refuse_ebcdic(head: bytes) -> None:
    """Refuse text in EBCDIC, which no other encoding looks like.

    Raises:
        InputError: It is text of a mainframe.
    """
    sample = head[:_SAMPLE]
    inside = sum(map(_EBCDIC.__contains__, sample))
    is_high = len(sample.translate(None, bytes(range(0x80)))) * 2 > len(sample) > _LEAST_SAMPLE
    if is_high and b"\n" not in sample and inside >= _EBCDIC_SHARE * len(sample):
        raise InputError(
            "looks like EBCDIC, the encoding of mainframes, whose records end in 0x15 or 0x25."
            " Convert it, for example with: iconv -f IBM1047 -t UTF-8 IN.csv | sed"
            r" 's/\xc2\x85/\n/g' > OUT.csv"
        )


def refuse_joined_records(text: str, delimiter: str, width: int, line: int) -> None:
    """Refuse a line that is several records of *width* cells, joined by another line end.

    Raises:
        InputError: It is; the message names what ends the records.
    """
    if text.isprintable():
        return
    for end in _CONTROLS:
        parts = [part for part in text.split(end) if part.strip(BLANKS)] if end in text else []
        # Two lines of two cells may well be one cell with such a character in it.
        if len(parts) * width > _FEW_CELLS and all(
            part.count(delimiter) + 1 == width for part in parts
        ):
            raise InputError(f"line {line}: {unrecognised_end(end)}")


def joining_end(text: str, delimiter: str, *, is_whole_file: bool) -> str:
    """Return what ends the records that are joined in one line, ``""`` if none are.

    Args:
        text: The line.
        delimiter: The character between two cells.
        is_whole_file: Whether no other line follows.
    """
    for end in _RECORD_ENDS:
        counts = _delimiters_of_parts(text, end, delimiter)
        if counts.count(counts[0]) * 2 > len(counts) > 1 and (counts[0] or is_whole_file):
            return end
    return ""


def joining_mark(text: str, delimiter: str) -> str:
    """Return the punctuation mark that cuts *text* into parts of as many cells, or ``""``."""
    marks = {character for character in text if not character.isalnum()}
    for mark in sorted(marks - {*_RECORD_ENDS, *BLANKS, *'_-.@"', delimiter}):
        counts = _delimiters_of_parts(text, mark, delimiter)
        if counts[0] and len(counts) > 1 and len(set(counts)) == 1:
            return mark
    return ""


def _delimiters_of_parts(text: str, end: str, delimiter: str) -> list[int]:
    if end not in text:
        return [0]
    return [part.count(delimiter) for part in text.split(end) if part.strip(BLANKS)] or [0]


def unrecognised_end(end: str) -> str:
    """Return the message about records that end in *end*."""
    quoted = (
        (f"{end!r}", f"[{end}]")
        if end.isprintable()
        else (f"0x{ord(end):02X}", f"\\x{ord(end):02x}")
    )
    name, pattern = _RECORD_ENDS.get(end, quoted)
    return (
        f"the line ends are not recognised: records end in {name}. Export the file with line feeds,"
        f" or replace them, for example with: sed 's/{pattern}/\\n/g' IN.csv > OUT.csv"
    )


def has_values(names: list[str]) -> bool:
    """Return whether names are values instead: order references or e-mail addresses."""
    return any(map(_VALUE.search, names))


def _foreign(what: str, remedy: str) -> InputError:
    return InputError(f"is {what}, not a CSV file. {remedy}")
