"""Compressed files: unpacked by their ending, whole or not at all."""

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
    "two files": (zip_of(("a.csv", CSV), ("b.csv", CSV)), "contains 2 files"),
    "no file": (zip_of(), "contains 0 files"),
    "a folder": (zip_of(("a/", b"")), "contains 0 files"),
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
