"""The first row of each contact of a file: how duplicates within a file are found."""

import sqlite3
from collections.abc import Sequence
from typing import Final

_KEYS_A_QUERY: Final = 500
_CACHE_KIB: Final = 16_384


class Claims:
    """The first row of each key of a run, in a temporary database, so that memory stays flat.

    Not thread-safe.
    """

    def __init__(self) -> None:
        # An empty name is a private database that spills to an unnamed temporary file.
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            f"PRAGMA cache_size = -{_CACHE_KIB};"
            "CREATE TABLE claim (key BLOB PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID;"
        )

    def claim(self, keys: Sequence[bytes], rows: Sequence[int]) -> dict[int, int]:
        """Record each key for its row, unless an earlier row has it.

        Args:
            keys: Keys of contacts.
            rows: Their row numbers, ascending.

        Returns:
            For each row whose key an earlier row has: that earlier row.
        """
        self._connection.execute("BEGIN")
        before = self._connection.total_changes
        self._connection.executemany(
            "INSERT OR IGNORE INTO claim VALUES (?, ?)", zip(keys, rows, strict=True)
        )
        claimed = self._connection.total_changes - before
        self._connection.execute("COMMIT")
        if claimed == len(keys):
            return {}
        first = self._first_rows(keys)
        return {row: first[key] for key, row in zip(keys, rows, strict=True) if first[key] != row}

    def close(self) -> None:
        """Delete the temporary database."""
        self._connection.close()

    def _first_rows(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        first: dict[bytes, int] = {}
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = keys[start : start + _KEYS_A_QUERY]
            marks = ",".join("?" * len(some))
            first.update(
                self._connection.execute(
                    f"SELECT key, row FROM claim WHERE key IN ({marks})",  # noqa: S608 - marks only
                    some,
                ).fetchall()
            )
        return first
