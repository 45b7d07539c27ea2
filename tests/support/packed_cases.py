"""Compressed source files for the tests of reading."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import zstandard

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
