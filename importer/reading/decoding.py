"""Decoding: bytes to text, strictly. What cannot be decoded is told, never replaced."""

import codecs
from collections.abc import Iterator
from typing import Final, NamedTuple

from importer.errors import InputError, UsageError

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "utf-32"),
    (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
)
# Codecs of text that no file is written in; some decode to lone surrogates.
_NO_FILE_CODECS: Final = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"}
)
_SAMPLE_BYTES: Final = 4096
_LEAST_SAMPLE_BYTES: Final = 8


class Encoding(NamedTuple):
    """How a source file is encoded.

    Attributes:
        decode: Codec for its bytes after the byte order mark.
        write: Codec for a file that is to be read back with the same options.
        mark: Length of the byte order mark, bytes.
    """

    decode: str
    write: str
    mark: int = 0


class UndecodableError(Exception):
    """Bytes that are not in the encoding.

    Attributes:
        offset: Bytes before them, from the start of the unpacked file.
        before: The text of the same block before them.
    """

    def __init__(self, offset: int, before: str) -> None:
        super().__init__(offset)
        self.offset = offset
        self.before = before


def codec_name(encoding: str) -> str:
    """Return the name that Python gives to *encoding*.

    Raises:
        UsageError: Python knows no such encoding of text.
    """
    try:
        "a".encode(encoding)
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        name = ""
    if not name or name in _NO_FILE_CODECS:
        raise UsageError(
            f"--encoding {encoding!r} is no encoding that is known. Usual ones are utf-8,"
            " cp1252 (Excel in western Europe), cp1250, cp1251, shift_jis and gb18030"
        )
    return name


def detect_encoding(head: bytes, asked: str | None) -> Encoding:
    """Tell how the file that begins with *head* is encoded.

    Args:
        head: The first bytes of the unpacked file.
        asked: Codec name from the options, as `codec_name` gives it; None is UTF-8, or what
            the byte order mark says.

    Raises:
        InputError: The byte order mark contradicts the options, or is missing.
    """
    for mark, codec, write in _MARKS:
        if head.startswith(mark) and (asked is None or _agrees(mark, asked)):
            return Encoding(codec, write if asked in {None, "utf-8"} else asked, len(mark))
    if asked is None:
        _refuse_unmarked(head)
        return Encoding("utf-8", "utf-8")
    if any(head.startswith(mark) for mark, _, _ in _MARKS):
        raise InputError(
            f"begins with the byte order mark of a Unicode encoding, but --encoding says {asked}."
            " Leave --encoding out"
        )
    if asked in {"utf-16", "utf-32"}:
        raise InputError(
            f"has no byte order mark, so {asked} leaves open which byte comes first. Say"
            f" --encoding {asked}-le or --encoding {asked}-be"
        )
    return Encoding("utf-8" if asked == "utf-8-sig" else asked, asked)


def decode(blocks: Iterator[bytes], encoding: Encoding) -> Iterator[str]:
    """Decode *blocks*, which begin after the byte order mark.

    Raises:
        UndecodableError: Some bytes are not in the encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding.decode)()
    read = encoding.mark
    try:
        for block in blocks:
            read += len(block)
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        # The decoder had kept back the bytes of a character that was split between blocks.
        raise UndecodableError(
            offset=read - len(error.object) + error.start,
            before=error.object[: error.start].decode(encoding.decode, "replace"),
        ) from None


def _agrees(mark: bytes, codec: str) -> bool:
    """Whether *codec*, too, reads *mark* as a byte order mark."""
    try:
        return mark.decode(codec) in {"\ufeff", ""}
    except UnicodeDecodeError:
        return False


def _refuse_unmarked(head: bytes) -> None:
    """Refuse UTF-16 and UTF-32 without a mark: every other byte of western text is a NUL."""
    sample = head[: min(len(head) // 4 * 4, _SAMPLE_BYTES)]
    if len(sample) < _LEAST_SAMPLE_BYTES:
        return
    quarters = [sample[start::4].count(0) * 2 > len(sample) // 4 for start in range(4)]
    match quarters:
        case [False, True, True, True]:
            guess = "utf-32-le"
        case [True, True, True, False]:
            guess = "utf-32-be"
        case [False, True, False, True]:
            guess = "utf-16-le"
        case [True, False, True, False]:
            guess = "utf-16-be"
        case _:
            return
    raise InputError(
        f"looks like {guess.upper()} without a byte order mark. If it is, say --encoding {guess}"
    )
