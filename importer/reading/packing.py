"""Unpacking: the bytes inside a compressed file, by the ending of its name.

Each codec gets small pieces, so that a small file that unpacks to gigabytes takes time but no
memory. The readers of the libraries are not used: those of bz2 and lzma silently ignore a damaged
second stream, and that of zstandard a truncated file.

Source: docs/input.md, "Files".
"""

import bz2
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Final, NamedTuple, Protocol

import zstandard

from importer.errors import InputError
from importer.reading.stored import BLOCK_BYTES, StoredFile

# Of the codecs without a limit, zstd is the densest: 4 bytes become 128 KiB, a piece 32 MiB.
_PIECE_BYTES: Final = 1024


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def decompress(self) -> Callable[..., bytes]: ...


class _Codec(NamedTuple):
    name: str
    magic: bytes
    new: Callable[[], _Decompressor]
    limits: tuple[int, ...] = ()  # most bytes that one call returns, where the codec has that


_CODECS: Final = {
    ".gz": _Codec("gzip", b"\x1f\x8b", lambda: zlib.decompressobj(wbits=31)),
    ".bz2": _Codec("bzip2", b"BZh", bz2.BZ2Decompressor, (BLOCK_BYTES,)),
    ".xz": _Codec(
        "xz", b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ), (BLOCK_BYTES,)
    ),
    ".zst": _Codec(
        "zstd", b"\x28\xb5\x2f\xfd", lambda: zstandard.ZstdDecompressor().decompressobj()
    ),
}
_ZIP: Final = ".zip"
_ENCRYPTED: Final = 0x1  # flag of a member
ENDINGS: Final = frozenset({*_CODECS, _ZIP})

_DAMAGED: Final = (zlib.error, OSError, lzma.LZMAError, zstandard.ZstdError)
# Found by flipping bits: zipfile raises all of these.
_ZIP_DAMAGED: Final = (
    *_DAMAGED,
    *(zipfile.BadZipFile, EOFError, struct.error),
    *(RuntimeError, ValueError, LookupError, OverflowError),
)


def unpack(stored: StoredFile) -> Iterator[bytes]:
    """Return the unpacked bytes of *stored* in blocks, none of them empty.

    Raises:
        InputError: The file is not what its ending says, is damaged or cut short, is
            encrypted, or is an archive of no or several files.
    """
    if not stored.head:
        return iter(())
    if stored.ending == _ZIP:
        return _unpack_zip(stored)
    codec = _CODECS.get(stored.ending)
    if codec is None:
        return iter(stored.read, b"")
    if not stored.head.startswith(codec.magic):
        raise InputError(
            f"is not a {codec.name} file although its name ends with {stored.ending}. Rename it,"
            " or download it again"
        )
    return _unpack_streams(stored, codec)


def _unpack_streams(stored: StoredFile, codec: _Codec) -> Iterator[bytes]:
    """Unpack one compressed stream after the other, as `cat a.gz b.gz` leaves them."""
    data = b""
    while data := data or stored.read(_PIECE_BYTES):
        data = data.lstrip(b"\0")  # padding between streams, as on tapes
        if data:
            data = yield from _unpack_stream(stored, codec, data)


def _unpack_stream(stored: StoredFile, codec: _Codec, data: bytes) -> Generator[bytes, None, bytes]:
    """Unpack the stream that begins with *data*; return what was read beyond its end."""
    decompressor = codec.new()
    while True:
        try:
            block = decompressor.decompress(data, *codec.limits)
        except _DAMAGED:
            raise InputError(
                f"the {codec.name} file is damaged near byte {stored.bytes_read:,}. Download"
                " it again"
            ) from None
        if block:
            yield block
        if decompressor.eof:
            return decompressor.unused_data
        data = b""
        if getattr(decompressor, "needs_input", True):
            data = stored.read(_PIECE_BYTES)
            if not data:
                raise InputError(
                    f"the {codec.name} file is truncated: it ends after {stored.bytes_read:,}"
                    " bytes in the middle of the data. Download it again"
                )


def _unpack_zip(stored: StoredFile) -> Iterator[bytes]:
    handle = stored.seekable()
    try:
        with zipfile.ZipFile(handle) as archive, archive.open(_only_member(archive)) as member:
            while block := member.read(BLOCK_BYTES):
                stored.bytes_read = handle.tell()
                yield block
    except _ZIP_DAMAGED:
        raise InputError(
            "the ZIP archive is damaged or of an unknown kind. Download it again, or unpack it"
        ) from None


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one file in *archive*, not counting what the Finder of macOS adds."""
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        raise InputError(
            f"the ZIP archive contains {len(members)} files, so it is not clear which is the source"
            " file. Pack only the CSV file, or unpack it first"
        )
    if members[0].flag_bits & _ENCRYPTED:
        raise InputError("the ZIP archive is protected by a password. Unpack it first")
    return members[0]
