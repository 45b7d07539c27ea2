"""The records that did not get in, as they were read, with the reason.

Source: contract, section 2, ``--rejects``.
"""

import csv
from collections.abc import Sequence
from typing import TextIO

from schemas.results import IMPORT_ERROR


class Rejects:
    """Writes a file that can be mended and imported again, any number of times.

    Args:
        stream: Where it goes.
        header: Names of the source file's columns; rejects of rejects have the column of the
            reason already, and a second one would be a double.
        delimiter: That of the source file, so that the same options read them back.
        sep_line: Excel's line that names the delimiter, ``""`` if there was none.
    """

    def __init__(
        self, stream: TextIO, header: Sequence[str], delimiter: str, sep_line: str = ""
    ) -> None:
        if sep_line:
            stream.write(f"{sep_line}\r\n")
        self._writer = csv.writer(stream, delimiter=delimiter)
        self._width = len(header)
        names = [name.strip() for name in header]
        self._reason_at = names.index(IMPORT_ERROR) if IMPORT_ERROR in names else self._width
        self._columns = max(self._width, self._reason_at + 1)
        self._writer.writerow([*header, IMPORT_ERROR][: self._columns])

    def write(self, cells: Sequence[str], reason: str) -> None:
        """Write one record, cell for cell."""
        if len(cells) == self._width:
            row = [*cells[: self._reason_at], reason, *cells[self._reason_at + 1 :]]
        else:
            row = [*cells, reason]
            if len(row) == self._columns:
                # Or the reason would be read back as a cell, and the record as a sound one.
                row.insert(-1, "")
        self._writer.writerow(row)
