"""Compressed files, recognised by their suffix, are read completely or not at all."""

import hashlib
import io
import os
from pathlib import Path

import pytest
from packed_cases import CSV, PACKERS, STREAMS, write, zip_of
from reading_cases import read

from importer.errors import InputError
from importer.reading import packing, stored


@pytest.mark.parametrize("ending", [*PACKERS, *(ending.upper() for ending in PACKERS)])
def test_compressed_file_is_recognised_by_its_suffix(ending: str, tmp_path: Path) -> None:
    """The digest is that of the compressed bytes."""
    data = PACKERS[ending.lower()](CSV)
    reading = read(write(tmp_path, ending, data))
    assert len(reading.cells) == 1000
    assert reading.cells[1000] == ("999", "x")
    assert hashlib.sha256(data).hexdigest() == reading.sha256


@pytest.mark.parametrize("ending", PACKERS)
def test_digest_covers_the_file_despite_a_limit(ending: str, tmp_path: Path) -> None:
    """The rest is read, but not decompressed."""
    data = PACKERS[ending](CSV * 200)
    reading = read(write(tmp_path, ending, data), limit=3)
    assert list(reading.cells) == [1, 2, 3]
    assert hashlib.sha256(data).hexdigest() == reading.sha256


@pytest.mark.parametrize("ending", STREAMS)
def test_streams_one_after_the_other_are_one_file(ending: str, tmp_path: Path) -> None:
    """As written by ``cat`` and log rotation; zeros between them are padding."""
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
    with pytest.raises(InputError, match=r"(truncated|damaged).*Download it again"):
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
def test_bytes_after_a_compressed_stream_are_not_ignored(ending: str, tmp_path: Path) -> None:
    """They may be a second stream with a damaged beginning, so records would be lost."""
    path = write(tmp_path, ending, PACKERS[ending](CSV) + b"Xdamaged" * 4)
    with pytest.raises(InputError, match="damaged near byte"):
        read(path)


@pytest.mark.parametrize("ending", PACKERS)
def test_plain_file_with_the_suffix_of_a_compressed_one_is_an_error(
    ending: str, tmp_path: Path
) -> None:
    """The suffix must match the content."""
    with pytest.raises(InputError, match=r"although its name ends|damaged or of an unknown kind"):
        read(write(tmp_path, ending, CSV))


@pytest.mark.parametrize("ending", ["", *PACKERS])
def test_empty_file_is_reported_as_empty(ending: str, tmp_path: Path) -> None:
    """Whatever its suffix."""
    with pytest.raises(InputError, match="is empty"):
        read(write(tmp_path, ending, b""))


def test_zip_bomb_does_not_fill_the_memory(tmp_path: Path) -> None:
    """Blocks stay small, however high the compression is."""
    for ending, pack in PACKERS.items():
        path = write(tmp_path, ending, pack(bytes(40_000_000)))
        with stored.open_stored(path, io.BytesIO()) as file:
            largest = max(map(len, packing.unpack(file)))
        assert largest <= 32 * 1024 * 1024


ZIPS = {
    "two files": (zip_of(("a.csv", CSV), ("b.csv", CSV)), "contains 2 files"),
    "no file": (zip_of(), "contains 0 files"),
    "a folder": (zip_of(("a/", b"")), "contains 0 files"),
}


@pytest.mark.parametrize(("data", "message"), ZIPS.values(), ids=ZIPS)
def test_zip_archive_without_exactly_one_file_is_an_error(
    data: bytes, message: str, tmp_path: Path
) -> None:
    """Which file is meant is not guessed."""
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, ".zip", data))


def test_metadata_of_macos_in_a_zip_archive_is_ignored(tmp_path: Path) -> None:
    """The Finder adds a shadow of every file."""
    data = zip_of(("x/", b""), ("x/c.csv", CSV), ("__MACOSX/x/._c.csv", b"\0\5\26\7"))
    assert len(read(write(tmp_path, ".zip", data)).cells) == 1000


def test_a_zip_archive_with_a_password_is_an_error(tmp_path: Path) -> None:
    """The message does not call it damaged."""
    data = bytearray(zip_of(("a.csv", CSV)))
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(InputError, match="password"):
        read(write(tmp_path, ".zip", bytes(data)))
