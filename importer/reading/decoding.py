"""Decoding: bytes to text, strictly. What cannot be decoded is an error, never replaced.

Source: docs/input.md, "Encodings".
"""

import codecs
import contextlib
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
# Codecs that are not encodings of files; some decode to lone surrogates.
_NOT_OF_FILES: Final = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"}
)
_SAMPLE_BYTES: Final = 4096
_LEAST_SAMPLE_BYTES: Final = 8


class Encoding(NamedTuple):
    """How a source file is encoded.

    Attributes:
        decode: Codec for its bytes after the byte order mark.
        write: Codec for a file that the same options can read again.
        mark: Length of the byte order mark, bytes.
        must_not_be_utf_8: Whether the mark is that of UTF-8 although the options name another
            encoding, which is right only if the text is not UTF-8.
    """

    decode: str
    write: str
    mark: int = 0
    must_not_be_utf_8: bool = False


class UndecodableError(Exception):
    """Bytes that are not in the encoding.

    Attributes:
        offset: Their offset, from the start of the unpacked file.
        before: The text of the same block before them.
    """

    def __init__(self, offset: int, before: str) -> None:
        super().__init__(offset)
        self.offset = offset
        self.before = before


def codec_name(encoding: str) -> str:
    """Return Python's name of *encoding*.

    Raises:
        UsageError: Python has no such encoding of text.
    """
    try:
        "a".encode(encoding)
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        name = ""
    if not name or name in _NOT_OF_FILES:
        raise UsageError(
            f"--encoding {encoding!r} is not a known encoding. Usual ones are utf-8,"
            " cp1252 (Excel in western Europe), cp1250, cp1251, shift_jis and gb18030"
        )
    return name


def detect_encoding(head: bytes, asked: str | None) -> Encoding:
    """Return how the file that begins with *head* is encoded.

    Args:
        head: The first bytes of the unpacked file.
        asked: Codec from the options, as :func:`codec_name` returns it; None for UTF-8, or
            what the byte order mark says.

    Raises:
        InputError: The byte order mark contradicts the options, or is missing.
    """
    for mark, codec, write in _MARKS:
        if head.startswith(mark) and (asked is None or _agrees(mark, asked)):
            return Encoding(codec, write if asked in {None, "utf-8"} else asked, len(mark))
    if asked is None:
        _refuse_unmarked(head)
        return Encoding("utf-8", "utf-8")
    marked = next((codec for mark, codec, _ in _MARKS if head.startswith(mark)), None)
    if marked == "utf-8" and not asked.startswith("utf-"):
        return Encoding(asked, asked, len(codecs.BOM_UTF8), must_not_be_utf_8=True)
    if marked:
        raise _contradiction(asked)
    if asked in {"utf-16", "utf-32"}:
        raise InputError(
            f"has no byte order mark, so {asked} does not say which byte comes first. Use"
            f" --encoding {asked}-le or --encoding {asked}-be"
        )
    return Encoding("utf-8" if asked == "utf-8-sig" else asked, asked)


def decode(blocks: Iterator[bytes], encoding: Encoding) -> Iterator[str]:
    """Decode *blocks*, which begin after the byte order mark.

    Raises:
        UndecodableError: Some bytes are not in the encoding.
        InputError: The byte order mark contradicts the options.
    """
    if encoding.must_not_be_utf_8:
        blocks = _refusing_utf_8(blocks, encoding.decode)
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


def _refusing_utf_8(blocks: Iterator[bytes], asked: str) -> Iterator[bytes]:
    """Pass on *blocks*; the first that is not ASCII must not be UTF-8.

    Some programs write the mark of UTF-8 and then another encoding.
    """
    is_ascii = True
    for block in blocks:
        if is_ascii and not block.isascii():
            is_ascii = False
            with contextlib.suppress(UnicodeDecodeError):
                codecs.getincrementaldecoder("utf-8")().decode(block)
                raise _contradiction(asked)
        yield block


def _contradiction(asked: str) -> InputError:
    return InputError(
        f"begins with the byte order mark of a Unicode encoding, but --encoding says {asked}."
        " Leave --encoding out"
    )


def _agrees(mark: bytes, codec: str) -> bool:
    """Return whether *codec* reads *mark* as a byte order mark, too."""
    try:
        return mark.decode(codec) in {"\ufeff", ""}
    except UnicodeDecodeError:
        return False


def _refuse_unmarked(head: bytes) -> None:
    """Refuse UTF-16 and UTF-32 without a mark: every other byte of Western text is a NUL."""
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
        f"looks like {guess.upper()} without a byte order mark. If it is, use --encoding {guess}"
    )
