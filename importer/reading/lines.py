r"""Lines: text cut at ``\r\n``, ``\n`` and ``\r``, and nowhere else.

``str.splitlines`` would also cut at form feeds, U+0085, U+2028 and others, which are ordinary
characters in a CSV file.

Source: docs/input.md, "Lines".
"""

import io
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final

from importer.errors import InputError
from importer.reading.decoding import UndecodableError
from importer.reading.recognition import joining_end, unrecognised_end

# Enough for a cell of ten million characters, and a limit on what a lost quote keeps in memory.
MAX_RECORD_CHARACTERS: Final = 16 * 1024 * 1024
_END_OF_FILE_MARK: Final = "\x1a"  # Ctrl-Z, as DOS writes it
_SAMPLE_CHARACTERS: Final = 64 * 1024


class LineReader:
    """The lines of the source file, each with its line end; lines can be given back.

    Args:
        texts: The text of the file, in blocks.
        encoding: Codec, for messages.
        max_characters: Most characters of a line, and of a record.

    Attributes:
        number: Number of the last line handed out, from 1; 0 before the first.
    """

    def __init__(
        self,
        texts: Iterator[str],
        encoding: str = "utf-8",
        max_characters: int = MAX_RECORD_CHARACTERS,
    ) -> None:
        self.number = 0
        self.max_characters = max_characters
        self._texts = texts
        self._encoding = encoding
        self._queue: deque[str] = deque()
        self._cut = 0  # lines cut off the text so far
        self._held = ""  # "\r" at the end of a block: the next may begin with its "\n"
        self._partial: list[str] = []  # beginning of a line whose end is still to come
        self._partial_size = 0
        self._is_ascii = True  # all text so far

    def __iter__(self) -> Iterator[str]:
        """Yield the lines that are left.

        Raises:
            InputError: A line is longer than a record may be, or not in the encoding.
        """
        queue = self._queue
        while queue or self._fill():
            self.number += 1
            yield queue.popleft()

    def give_back(self, lines: list[str]) -> None:
        """Put back *lines*, the last ones handed out, to be handed out again."""
        self._queue.extendleft(reversed(lines))
        self.number -= len(lines)

    def skip(self, count: int) -> None:
        """Drop the next *count* lines."""
        for _ in islice(self, count):
            pass

    def peek(self, count: int) -> list[str]:
        """Return the next *count* lines, or as many as are left, without handing them out."""
        ahead = list(islice(self, count))
        self.give_back(ahead)
        return ahead

    def _fill(self) -> bool:
        """Cut blocks until there is a line; return False at the end of the file."""
        while not self._queue:
            try:
                text = next(self._texts, None)
            except UndecodableError as error:
                raise self._undecodable(error) from None
            if text is None:
                return self._finish()
            self._cut_lines(text)
        return True

    def _cut_lines(self, text: str) -> None:
        self._is_ascii = self._is_ascii and text.isascii()
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        if self._held:
            text = text[:-1]
        # In C, and at just these line ends: newline="" recognises them and keeps them.
        lines = io.StringIO(text, newline="").readlines()
        if not lines:
            return
        last = "" if lines[-1].endswith(("\n", "\r")) else lines.pop()
        if lines and self._partial:
            lines[0] = "".join((*self._partial, lines[0]))
            self._partial, self._partial_size = [], 0
        if last:
            self._partial.append(last)
            self._partial_size += len(last)
        self._cut += len(lines)
        self._queue.extend(lines)
        if self._partial_size > self.max_characters:
            end = joining_end("".join(self._partial)[:_SAMPLE_CHARACTERS], ",", is_whole_file=False)
            reason = unrecognised_end(end) if end else "check that this is a CSV file"
            raise InputError(
                f"line {self._cut + 1} is longer than {self.max_characters:,} characters; {reason}"
            )

    def _finish(self) -> bool:
        last = "".join((*self._partial, self._held))
        self._partial, self._held = [], ""
        if not last.strip(_END_OF_FILE_MARK):
            return False
        self._cut += 1
        self._queue.append(last)
        return True

    def _undecodable(self, error: UndecodableError) -> InputError:
        self._cut_lines(error.before)
        line = self._cut + len(self._held) + 1
        if self._encoding != "utf-8":
            remedy = "Say with --encoding which encoding it is in"
        elif self._is_ascii:
            remedy = (
                "Save it as UTF-8, or say which encoding it is in: --encoding cp1252 for Excel in"
                " western Europe"
            )
        else:
            remedy = (
                "What precedes it is UTF-8, so this cell is damaged, or comes from another file:"
                " correct it, and save the file as UTF-8 (--encoding cp1252 would garble the rest)"
            )
        return InputError(
            f"line {line}: the byte at offset {error.offset:,} of the text is not"
            f" {self._encoding.upper()}. {remedy}"
        )
