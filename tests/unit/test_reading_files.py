"""Files as they are stored: opened, unpacked, recognised, digested and watched."""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import zstandard
from reading_cases import read

from importer.errors import ExitStatus, InputError
from importer.reading import open_source, packing, source, stored
from importer.reading.lines import LineReader
from importer.settings import SourceOptions

CSV = b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(1000))


def zip_of(*members: tuple[str, bytes]) -> bytes:
    """Pack files into a ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def zst_of(data: bytes) -> bytes:
    """Pack bytes into one zstd frame with a check sum, as the command does."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zst_of,
    ".zip": lambda data: zip_of(("contacts.csv", data)),
}
STREAMS = [ending for ending in PACKERS if ending != ".zip"]


def write(folder: Path, ending: str, data: bytes) -> Path:
    """Write a source file with that ending."""
    path = folder / f"contacts.csv{ending}"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("ending", [*PACKERS, *(ending.upper() for ending in PACKERS)])
def test_a_compressed_file_is_opened_by_its_ending(ending: str, tmp_path: Path) -> None:
    """The digest is that of the bytes on disk, not of what is in them."""
    data = PACKERS[ending.lower()](CSV)
    reading = read(write(tmp_path, ending, data))
    assert len(reading.cells) == 1000
    assert reading.cells[1000] == ("999", "x")
    assert hashlib.sha256(data).hexdigest() == reading.sha256


@pytest.mark.parametrize("ending", PACKERS)
def test_a_limit_ends_early_and_the_digest_still_covers_the_file(
    ending: str, tmp_path: Path
) -> None:
    """What is left is read, but not unpacked."""
    data = PACKERS[ending](CSV * 200)
    reading = read(write(tmp_path, ending, data), limit=3)
    assert list(reading.cells) == [1, 2, 3]
    assert hashlib.sha256(data).hexdigest() == reading.sha256


@pytest.mark.parametrize("ending", STREAMS)
def test_streams_one_after_the_other_are_one_file(ending: str, tmp_path: Path) -> None:
    """As `cat` and log rotation leave them; zeros between them are padding."""
    pack = PACKERS[ending]
    data = pack(CSV) + bytes(512) + pack(b"y,z\n") + pack(b"") + bytes(4)
    assert read(write(tmp_path, ending, data)).cells[1001] == ("y", "z")


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("left_out", [1, 4, 8, 20])
def test_a_compressed_file_that_is_cut_short_is_an_error(
    ending: str, left_out: int, tmp_path: Path
) -> None:
    """However few bytes are missing."""
    path = write(tmp_path, ending, PACKERS[ending](CSV)[:-left_out])
    with pytest.raises(InputError, match=r"(cut short|damaged).*Fetch it again"):
        read(path)


@pytest.mark.parametrize("ending", PACKERS)
def test_a_compressed_file_that_is_damaged_is_an_error(ending: str, tmp_path: Path) -> None:
    """A changed byte in the middle never becomes a changed record."""
    packed = bytearray(PACKERS[ending](os.urandom(3000).hex().encode()))
    packed[len(packed) // 2] ^= 0xFF
    path = write(tmp_path, ending, bytes(packed))
    with pytest.raises(InputError, match="damaged"):
        read(path)


@pytest.mark.parametrize("ending", STREAMS)
def test_what_follows_a_compressed_stream_is_not_passed_over(ending: str, tmp_path: Path) -> None:
    """A second stream with a damaged beginning would be lost records."""
    path = write(tmp_path, ending, PACKERS[ending](CSV) + b"Xdamaged" * 4)
    with pytest.raises(InputError, match="damaged near byte"):
        read(path)


@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_that_is_not_what_its_ending_says_is_an_error(ending: str, tmp_path: Path) -> None:
    """A plain CSV under the name of a compressed one."""
    with pytest.raises(InputError, match=r"although its name ends|damaged or of an unknown kind"):
        read(write(tmp_path, ending, CSV))


@pytest.mark.parametrize("ending", ["", *PACKERS])
def test_an_empty_file_is_called_empty(ending: str, tmp_path: Path) -> None:
    """Whatever its name."""
    with pytest.raises(InputError, match="is empty"):
        read(write(tmp_path, ending, b""))


def test_a_zip_bomb_costs_no_memory(tmp_path: Path) -> None:
    """Blocks stay small however dense the packing is."""
    for ending, pack in PACKERS.items():
        path = write(tmp_path, ending, pack(bytes(40_000_000)))
        with stored.open_stored(path, io.BytesIO()) as file:
            largest = max(map(len, packing.unpack(file)))
        assert largest <= 32 * 1024 * 1024


ZIPS = {
    "two files": (zip_of(("a.csv", CSV), ("b.csv", CSV)), "holds 2 files"),
    "no file": (zip_of(), "holds 0 files"),
    "a folder": (zip_of(("a/", b"")), "holds 0 files"),
}


@pytest.mark.parametrize(("data", "message"), ZIPS.values(), ids=ZIPS)
def test_a_zip_archive_of_any_other_than_one_file_is_an_error(
    data: bytes, message: str, tmp_path: Path
) -> None:
    """Which file is meant is not guessed."""
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, ".zip", data))


def test_what_macos_adds_to_a_zip_archive_is_not_counted(tmp_path: Path) -> None:
    """Its Finder puts a shadow beside every file."""
    data = zip_of(("x/", b""), ("x/c.csv", CSV), ("__MACOSX/x/._c.csv", b"\0\5\26\7"))
    assert len(read(write(tmp_path, ".zip", data)).cells) == 1000


def test_a_zip_archive_with_a_password_is_an_error(tmp_path: Path) -> None:
    """The message says so, and not that it is damaged."""
    data = bytearray(zip_of(("a.csv", CSV)))
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(InputError, match="password"):
        read(write(tmp_path, ".zip", bytes(data)))


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


def test_a_path_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """Missing, a folder, a pipe, a name that cannot be: each is told."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path, message in {
        tmp_path / "missing.csv": "No such file",
        tmp_path: "is a directory",
        pipe: "no regular file.*standard input",
        Path("/dev/null"): "no regular file.*standard input",
        loop: "cannot be opened",
        tmp_path / ("x" * 300): "cannot be opened",
        tmp_path / "a\0b": "cannot be opened",
        tmp_path / "missing.csv" / "x": "cannot be opened",
    }.items():
        with pytest.raises(InputError, match=f"(?s)^.*{message}"):
            read(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_an_error(tmp_path: Path) -> None:
    """The system's own words say why."""
    path = write(tmp_path, "", CSV)
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        read(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "grew": lambda path: path.write_bytes(path.read_bytes() + b"1,2\n"),
    "shrank": lambda path: os.truncate(path, 10),
    "was written to": lambda path: path.write_bytes(CSV),
    "was replaced": lambda path: (path.with_suffix(".new")).rename(path),
    "was removed": lambda path: path.unlink(),
}


@pytest.mark.parametrize("limit", [None, 20])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_file_that_changes_while_it_is_read_is_told(
    change: Callable[[Path], object], limit: int | None, tmp_path: Path
) -> None:
    """After the last batch, since it may be half of two versions."""
    path = write(tmp_path, "", CSV)
    os.utime(path, (1, 1))
    path.with_suffix(".new").write_bytes(CSV)
    with open_source(SourceOptions(path=path, limit=limit), io.BytesIO()) as opened:
        batches = opened.batches(max_rows=10)
        next(batches)
        change(path)
        with pytest.raises(InputError, match=r"contacts\.csv: the file was changed"):
            list(batches)


def test_a_file_is_measured_while_it_is_read(tmp_path: Path) -> None:
    """For a progress bar in bytes on disk."""
    data = gzip.compress(b"a\n" + os.urandom(600_000).hex("\n").encode(), 1)
    path = write(tmp_path, ".gz", data)
    with open_source(SourceOptions(path=path), io.BytesIO()) as opened:
        assert len(data) == opened.size
        assert 0 < opened.bytes_read < len(data)
        list(opened.batches())
        assert len(data) == opened.bytes_read


def test_a_stream_has_no_size_and_is_left_open() -> None:
    """It belongs to whoever started the program."""
    stdin = io.BytesIO(CSV)
    with open_source(SourceOptions(path=None), stdin) as opened:
        assert opened.size is None
        list(opened.batches())
        assert hashlib.sha256(CSV).hexdigest() == opened.sha256
    assert not stdin.closed


def test_a_pipe_is_read_to_its_end() -> None:
    """Also when its bytes come in drops."""

    class Dripping(io.RawIOBase):
        """Gives a few bytes at a time, as a pipe may."""

        left = CSV

        def read(self, size: int = -1, /) -> bytes:
            drop, self.left = self.left[: min(size, 7)], self.left[min(size, 7) :]
            return drop

    with open_source(SourceOptions(path=None), Dripping()) as opened:  # type: ignore[arg-type]
        assert sum(len(batch.cells) for batch in opened.batches()) == 1000


def test_a_stream_that_fails_is_an_error() -> None:
    """Broken devices, closed and impatient streams: none of them is the end of the file."""

    class Failing(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    class Impatient(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            return None  # type: ignore[return-value]

    closed = io.BytesIO()
    closed.close()
    for stdin in (Failing(), Impatient(), closed):
        with pytest.raises(InputError, match=r"^standard input: "):
            open_source(SourceOptions(path=None), stdin)


def test_a_batch_is_as_the_rooms_agreed() -> None:
    """Text by position, numbered by row; lines for all records, cells for the sound ones."""
    with open_source(SourceOptions(path=None), io.BytesIO(b"a,b\n1,\n2\n3,NA\n")) as opened:
        (batch,) = opened.batches()
    expected = pd.DataFrame(
        [["1", ""], ["3", "NA"]], index=pd.Index([1, 3], name="row"), columns=range(2), dtype=object
    )
    pd.testing.assert_frame_equal(expected, batch.cells)
    lines = pd.Series([2, 3, 4], index=pd.RangeIndex(1, 4, name="row"))
    pd.testing.assert_series_equal(lines, batch.lines)
    assert [(b.issue.row, b.issue.code) for b in batch.broken] == [(2, "invalid.record")]
    assert {str} == {type(cell) for cell in batch.cells.to_numpy().flat}


def test_a_batch_of_broken_records_alone_has_its_columns() -> None:
    """Whoever maps it finds them all, without rows."""
    with open_source(SourceOptions(path=None), io.BytesIO(b"a,b\n1\n")) as opened:
        (batch,) = opened.batches()
    assert batch.cells.shape == (0, 2)
    assert (batch.cells.index.name, str(batch.cells.index.dtype)) == ("row", "int64")
    assert {"object"} == set(batch.cells.dtypes.astype(str))


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [(None, [4, 4, 2]), (0, []), (3, [3]), (4, [4]), (5, [4, 1]), (99, [4, 4, 2])],
)
def test_batches_number_the_rows_on(limit: int | None, sizes: list[int]) -> None:
    """From 1, without gaps, broken ones included."""
    text = "a,b\n" + "1,2\n3\n" * 5
    reading = read(text, limit=limit, max_rows=4)
    assert sizes == reading.sizes
    assert list(range(1, sum(sizes) + 1)) == sorted({*reading.cells, *reading.broken})
    assert list(range(2, sum(sizes) + 2)) == list(reading.lines.values())


def test_long_cells_make_short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that megabytes in a cell do not become gigabytes in a batch."""
    monkeypatch.setattr(source, "MAX_BATCH_CHARACTERS", 100)
    assert read("a\n" + ("x" * 60 + "\n") * 4 + "y" * 500 + "\nz\nz\n").sizes == [2, 2, 1, 2]


def test_an_endless_line_is_an_error() -> None:
    """It would fill the memory; no record is so long."""
    texts = iter(["a\n", *("x" * 300 for _ in range(10))])
    with pytest.raises(InputError, match="line 2 is longer than 1,000 characters"):
        list(LineReader(texts, max_characters=1000))
