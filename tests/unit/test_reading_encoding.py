"""Encodings: what is decoded, what is refused, and what can be written back."""

import codecs
import io

import pytest
from reading_cases import read, records_of

from importer.errors import InputError, UsageError
from importer.reading.decoding import UndecodableError, decode, detect_encoding

TEXT = "name,city\nZoë,Łódź\n陈,東京\n"

MARKED = {
    "UTF-8 with mark": codecs.BOM_UTF8 + TEXT.encode(),
    "UTF-8 with two marks": codecs.BOM_UTF8 * 2 + TEXT.encode(),
    "UTF-8 without": TEXT.encode(),
    "UTF-16 little-endian": codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
    "UTF-16 big-endian": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "UTF-32 little-endian": codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"),
    "UTF-32 big-endian": codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"),
}


@pytest.mark.parametrize("data", MARKED.values(), ids=MARKED)
def test_unicode_is_detected_by_its_byte_order_mark(data: bytes) -> None:
    """The mark is not part of the first column's name."""
    reading = read(data)
    assert reading.header == ("name", "city")
    assert reading.cells == {1: ("Zoë", "Łódź"), 2: ("陈", "東京")}


def test_a_quoted_header_after_a_byte_order_mark_is_read() -> None:
    """The mark is not part of the first cell."""
    assert read(codecs.BOM_UTF8 + b'"a","b"\n1,2\n').header == ("a", "b")


ASKED = ["utf-8", "utf-8-sig", "UTF8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]


@pytest.mark.parametrize("encoding", ASKED)
def test_requested_encoding_is_used(encoding: str) -> None:
    """Also if the option only repeats the mark."""
    reading = read(TEXT.encode(encoding), encoding=encoding)
    assert reading.header == ("name", "city")
    assert reading.cells == {1: ("Zoë", "Łódź"), 2: ("陈", "東京")}


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp1250", "mac_roman", "cp850"])
def test_requested_code_page_is_used(encoding: str) -> None:
    """It has one byte per character."""
    assert read("a,b\nä,ö\n".encode(encoding), encoding=encoding).cells == {1: ("ä", "ö")}


BACK = {
    "UTF-8 without mark": (TEXT.encode(), None),
    "UTF-8 with mark": (codecs.BOM_UTF8 + TEXT.encode(), None),
    "UTF-8 with mark, asked for": (codecs.BOM_UTF8 + TEXT.encode(), "utf-8"),
    "UTF-8-sig, asked for": (codecs.BOM_UTF8 + TEXT.encode(), "utf-8-sig"),
    "UTF-8-sig, asked for without mark": (TEXT.encode(), "utf-8-sig"),
    "UTF-16 little-endian": (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), None),
    "UTF-16 big-endian": (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), None),
    "UTF-16, asked for": (TEXT.encode("utf-16"), "utf-16"),
    "UTF-16 little-endian, asked for": (TEXT.encode("utf-16-le"), "utf-16-le"),
    "UTF-16 with mark, asked for": (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16-le"),
    "UTF-32 big-endian": (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), None),
    "GB 18030": (TEXT.encode("gb18030"), "gb18030"),
}


@pytest.mark.parametrize(("data", "asked"), BACK.values(), ids=BACK)
def test_what_is_written_in_the_source_encoding_is_read_back(
    data: bytes, asked: str | None
) -> None:
    """With the same options, as is needed to import rejects again."""
    reading = read(data, encoding=asked)
    file = io.BytesIO()
    with io.TextIOWrapper(file, encoding=reading.encoding, newline="") as writer:
        writer.write(TEXT)
        writer.flush()
        again = read(file.getvalue(), encoding=asked)
    assert (reading.header, reading.cells) == (again.header, again.cells)


def test_a_file_with_a_mark_keeps_it() -> None:
    """Excel needs it to recognise UTF-8."""
    assert read(codecs.BOM_UTF8 + b"a\n1\n").encoding == "utf-8-sig"
    assert read(b"a\n1\n").encoding == "utf-8"


UNDECODABLE = {
    "first byte of a record": (b"a,b\n1,2\n\xe4,x\n", 3, 8),
    "in the header": (b"\xe4,b\n1,2\n", 1, 0),
    "after the mark": (codecs.BOM_UTF8 + b"a,b\n\xe4", 2, 7),
    "after CR": (b"a,b\r\xe4", 2, 4),
    "after CRLF": (b"a,b\r\n\xe4", 2, 5),
    "after mixed line ends": (b"a,b\r\n1,2\r3,4\n\n5,\xe4\n", 5, 16),
    "cut short at the end": (b"a,b\n1,\xe2\x82", 2, 6),
    "overlong form": (b"a,b\n1,\xc0\x80\n", 2, 6),
    "surrogate": (b"a,b\n1,\xed\xa0\x80\n", 2, 6),
    "far into the file": (b"a,b\n" + b"1,2\n" * 300_000 + b"1,\xff\n", 300_002, 1_200_006),
    "after characters of many bytes": ("a,b\n€,€\n".encode() * 2 + b"\xe2\x28", 5, 24),
}


@pytest.mark.parametrize(("data", "line", "offset"), UNDECODABLE.values(), ids=UNDECODABLE)
def test_bytes_that_are_not_utf_8_are_one_error(data: bytes, line: int, offset: int) -> None:
    """The message has the line, the byte offset and the option that helps."""
    with pytest.raises(
        InputError, match=rf"line {line}: the byte at offset {offset:,} .*--encoding cp1252"
    ):
        read(data)


def test_bytes_that_are_not_in_the_requested_encoding_are_one_error() -> None:
    """In this case the option is wrong."""
    with pytest.raises(InputError, match=r"line 2: the byte at offset 6 .* not ASCII"):
        read("a,b\n1,ä\n".encode(), encoding="ascii")
    with pytest.raises(InputError, match=r"line 2: .* not CP1252"):
        read(b"a,b\n1,\x81\n", encoding="cp1252")
    with pytest.raises(InputError, match=r"line 2: the byte at offset 10 .* not UTF-16-LE"):
        read(codecs.BOM_UTF16_LE + "a,b\n".encode("utf-16-le") + b"1")


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "shift_jis", "gb18030", "euc_kr"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_offset_does_not_depend_on_the_size_of_blocks(codec: str, size: int) -> None:
    """Decoders keep incomplete characters from one block to the next."""
    good = "a,b\n漢字,漢\n".encode(codec)
    # Half of a surrogate pair in UTF-16, or half a character at the end in other encodings.
    bad = b"\x00\xdc\x41\x00" if codec == "utf-16-le" else b"\xff"
    data = good + bad
    blocks = (data[start : start + size] for start in range(0, len(data), size))
    with pytest.raises(UndecodableError) as caught:
        list(decode(blocks, detect_encoding(b"", codec)))
    assert len(good) == caught.value.offset


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_utf_16_without_a_mark_is_recognised(codec: str) -> None:
    """The message names the option that reads it, which then works."""
    data = ("first name,last name\n" + "Anna,Murphy\n" * 3).encode(codec)
    with pytest.raises(InputError, match=f"--encoding {codec}$"):
        read(data)
    assert len(read(data, encoding=codec).cells) == 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_an_encoding_that_needs_a_mark_is_not_guessed(encoding: str) -> None:
    """Python would use the byte order of the machine."""
    with pytest.raises(InputError, match=f"--encoding {encoding}-le"):
        read("a,b\n1,2\n".encode(f"{encoding}-be"), encoding=encoding)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [(MARKED["UTF-8 with mark"], "cp1252"), (MARKED["UTF-16 little-endian"], "latin-1")],
)
def test_a_mark_that_contradicts_the_options_is_an_error(data: bytes, encoding: str) -> None:
    """A code page would read the mark as letters of the first column's name."""
    with pytest.raises(InputError, match="Leave --encoding out"):
        read(data, encoding=encoding)


MIXED = {
    "first record": b"orderRef,b\n1,M\xfcller\n",
    "far into the file": b"orderRef,b\n" + b"1,a\n" * 100_000 + b"2,\x80 M\xfcller\n",
    "header": b"orderRef,Stra\xdfe\n1,a\n",
}


@pytest.mark.parametrize("data", MIXED.values(), ids=MIXED)
def test_other_encoding_after_the_mark_of_utf_8_is_read_as_the_error_says(data: bytes) -> None:
    """Some programs write the mark and then the code page of Windows."""
    with pytest.raises(InputError, match=r"not UTF-8.*--encoding cp1252 for Excel"):
        read(codecs.BOM_UTF8 + data)
    marked = read(codecs.BOM_UTF8 + data, encoding="cp1252")
    plain = read(data, encoding="cp1252")
    assert (marked.header, marked.cells) == (plain.header, plain.cells)
    assert marked.encoding == "cp1252"


def test_damaged_utf_8_is_not_blamed_on_the_encoding() -> None:
    """With another ``--encoding``, all undamaged text would be garbled."""
    data = codecs.BOM_UTF8 + "a,b\nZoë,x\n".encode() + b"1,\xfc\n"
    with pytest.raises(InputError, match=r"line 3: .*What precedes it is UTF-8.*correct it"):
        read(data)
    with pytest.raises(InputError, match="Leave --encoding out"):
        read(codecs.BOM_UTF8 + b"a,b\n" * 100_000 + "Zoë,x\n".encode(), encoding="cp1252")


@pytest.mark.parametrize(
    "encoding", ["utf-9", "base64", "rot13", "hex", "idna", "unicode_escape", "utf-7", "a\0"]
)
def test_unknown_encoding_is_a_usage_error(encoding: str) -> None:
    """So are codecs of Python that are not encodings of text."""
    with pytest.raises(UsageError, match="not a known encoding"):
        read(b"a,b\n1,2\n", encoding=encoding)


def test_no_character_is_ever_replaced() -> None:
    """A replacement character is read only if the file contains one."""
    assert records_of("\ufffd\n".encode(), 1)[0].cells == ["\ufffd"]
