r"""Physical lines: text cut at ``\r\n``, ``\n`` and ``\r``, and nowhere else.

``str.splitlines`` would also cut at form feeds, U+0085, U+2028 and others, which are characters
like any other to a CSV file.
"""

import io
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final

from importer.errors import InputError
from importer.reading.decoding import UndecodableError

# Room for a cell of ten million characters, and a bound to what a lost quote can keep in memory.
MAX_RECORD_CHARACTERS: Final = 16 * 1024 * 1024
_END_OF_FILE_MARK: Final = "\x1a"  # Ctrl-Z, of DOS and of CP/M before it


class LineReader:
    """The lines of the source file, each with its line end; lines can be given back.

    Attributes:
        number: Lines handed out and not given back, so the number of the last one.
    """

    def __init__(
        self,
        texts: Iterator[str],
        encoding: str = "utf-8",
        max_characters: int = MAX_RECORD_CHARACTERS,
    ) -> None:
        """Read the blocks *texts*; *encoding* is what messages call their encoding."""
        self.number = 0
        self.max_characters = max_characters
        self._texts = texts
        self._encoding = encoding
        self._queue: deque[str] = deque()
        self._cut = 0  # lines cut off the text so far
        self._held = ""  # "\r" at the end of a block: the next may begin with its "\n"
        self._partial: list[str] = []  # beginning of a line whose end is still to come
        self._partial_size = 0

    def __iter__(self) -> Iterator[str]:
        """Hand out the lines that are left.

        Raises:
            InputError: A line is longer than a record may be, or not in the encoding.
        """
        queue = self._queue
        while queue or self._fill():
            self.number += 1
            yield queue.popleft()

    def give_back(self, lines: list[str]) -> None:
        """Take back *lines*, the last ones handed out, to hand them out again."""
        self._queue.extendleft(reversed(lines))
        self.number -= len(lines)

    def skip(self, count: int) -> None:
        """Pass over the next *count* lines."""
        for _ in islice(self, count):
            pass

    def _fill(self) -> bool:
        """Cut the next blocks until there is a line; False at the end of the file."""
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
            raise InputError(
                f"line {self._cut + 1} is longer than {self.max_characters:,} characters, which"
                " no record is. Check that this is a CSV file"
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
        remedy = (
            "Save it as UTF-8, or say which encoding it is in: --encoding cp1252 for Excel in"
            " western Europe"
            if self._encoding == "utf-8"
            else "Say with --encoding which encoding it is in"
        )
        return InputError(
            f"line {line}: the byte at offset {error.offset:,} of the text is not"
            f" {self._encoding.upper()}. {remedy}"
        )
