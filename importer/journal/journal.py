"""The journal: what was sent and what came of it, on disk before anybody acts on it.

An entry is keyed by destination, order and content, so that an edited, reordered or
appended file finds its entries again. The key is a salted digest, the rest are references:
no personal data.

Promise: a transaction is on disk (synchronous=FULL) when :meth:`Journal.write` returns.
Grouped, that costs 15 µs an entry; one commit each would cost 136 µs.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Any, Final

from importer.errors import StoppedError, UsageError
from importer.journal.database import check_kind, connect, create, damaged, inode_of, translated

_APPLICATION_ID: Final = 0x494D5043  # "IMPC"
_VERSION: Final = 1
_KEYS_A_QUERY: Final = 500
_SELECT: Final = "SELECT key, order_ref, state, ref, href, guest_ref, checksum FROM entry"
# Entries stand in the order in which they came: by key, each would have a page of its own to
# write, and an import would take 15 µs of CPU and 25 of waiting more a row.
_SCHEMA: Final = f"""
    CREATE TABLE journal (salt BLOB NOT NULL);
    CREATE TABLE destination (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);
    CREATE TABLE entry (
        key BLOB PRIMARY KEY NOT NULL,
        destination INTEGER NOT NULL REFERENCES destination (id),
        order_ref TEXT NOT NULL,
        state TEXT NOT NULL,
        ref TEXT NOT NULL,
        href TEXT NOT NULL,
        guest_ref TEXT NOT NULL,
        checksum INTEGER NOT NULL
    );
    CREATE INDEX entry_of_order ON entry (order_ref);
    PRAGMA application_id = {_APPLICATION_ID};
    PRAGMA user_version = {_VERSION};
"""


@unique
class State(StrEnum):
    """What is known of one contact."""

    INTENT = "intent"
    """A request may have left; until its outcome is here, nobody knows."""
    CREATED = "created"
    """It is there, and a run of this journal has created it."""
    FOUND = "found"
    """It was there before any run of this journal had to create it."""
    ABSENT = "absent"
    """It is not there."""
    UNKNOWN = "unknown"
    """A request left, and neither the answer nor reading back could tell."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal holds on one contact.

    Attributes:
        key: From :meth:`Journal.key`.
        order_ref: The order, a UUID in lower case.
        ref: Reference of the contact, ``""`` unless it is known; of an absent one, that
            under which it was there until it was deleted.
    """

    key: bytes
    order_ref: str
    state: State
    ref: str = ""
    href: str = ""
    guest_ref: str = ""

    @property
    def is_there(self) -> bool:
        """Whether the contact is there."""
        return self.state in {State.CREATED, State.FOUND}


class Journal:
    """One destination's entries in one journal file, held by one run alone.

    Use :meth:`open` or :meth:`open_for_reading`. Not thread-safe.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, destination: str) -> None:
        self._connection = connection
        self._path = path
        self._destination_name = f"{destination}\n".encode()
        self._destination = 0
        self._salt = b""
        self._inode: int | None = None

    @classmethod
    def open(cls, path: Path, destination: str) -> "Journal":
        """Open or create the journal and hold it until it is closed.

        Args:
            path: The journal file; created for its owner alone (0600).
            destination: What is sent to; entries of others are kept and not seen.

        Raises:
            UsageError: What stands at ``path`` is no journal, is damaged, or was written by
                a newer version.
            JournalLockedError: Another run holds it.
            StoppedError: The disk does not take it.
        """
        create(path)
        journal = cls(connect(path), path, destination)
        try:
            journal._set_up()
            journal._inode = inode_of(path)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def open_for_reading(cls, path: Path, destination: str) -> "Journal":
        """Open the journal without changing the file; an absent one reads as empty.

        Raises:
            UsageError: As for :meth:`open`.
            JournalLockedError: Another run holds it.
        """
        copy = sqlite3.connect(":memory:", isolation_level=None)
        if path.exists():
            check_kind(path)
            with contextlib.closing(connect(path)) as original, translated(path):
                original.backup(copy)
        journal = cls(copy, path, destination)
        journal._set_up()
        return journal

    def close(self) -> None:
        """Let go of the journal."""
        self._connection.close()

    def key(self, canonical: bytes) -> bytes:
        """Digest of a contact of this destination in its canonical form, 16 bytes.

        The salt of this very journal keeps a digest from being looked up elsewhere.
        """
        content = self._destination_name + canonical
        return hashlib.blake2b(content, digest_size=16, key=self._salt).digest()

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        """The entries of those keys that have one."""
        found = {}
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = keys[start : start + _KEYS_A_QUERY]
            marks = ",".join("?" * len(some))
            found.update({e.key: e for e in self._select(f"WHERE key IN ({marks})", some)})
        return found

    def find_refs(self, refs: Sequence[str]) -> list[Entry]:
        """The entries of contacts with those refs, of the destination.

        No index leads there, for an import never asks: all entries are read, 0.2 s a million.
        So ask for thousands at once.
        """
        condition = "WHERE destination = ? AND ref IN (SELECT value FROM json_each(?))"
        return self._select(condition, (self._destination, json.dumps(refs)))

    def owned_refs(self, order_ref: str, besides: Collection[bytes]) -> set[str]:
        """The refs of the order's entries, but for those of the keys ``besides``."""
        with translated(self._path):
            rows = self._connection.execute(
                "SELECT ref, key FROM entry WHERE order_ref = ? AND destination = ? AND ref <> ''",
                (order_ref, self._destination),
            )
            return {ref for ref, key in rows if key not in besides}

    def write(self, entries: Iterable[Entry]) -> None:
        """Put entries on disk in one transaction, in the place of earlier ones of their keys.

        Raises:
            StoppedError: The disk does not take them; none of them is recorded.
        """
        if self._inode is not None and inode_of(self._path) != self._inode:
            raise StoppedError(
                f"The journal {self._path} was moved or removed during the run, so nothing more "
                "was sent. Put it back before you run the same command again: without it, what "
                "was created would be created again."
            )
        rows = []
        for e in entries:
            columns = (e.key, e.order_ref, e.state.value, e.ref, e.href, e.guest_ref)
            rows.append((self._destination, *columns, _checksum(columns)))
        with translated(self._path):
            self._connection.execute("BEGIN")
            try:
                self._connection.executemany(
                    "INSERT INTO entry (destination, key, order_ref, state, ref, href, guest_ref,"
                    " checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (key) DO UPDATE SET state = excluded.state,"
                    " ref = excluded.ref, href = excluded.href, guest_ref = excluded.guest_ref,"
                    " checksum = excluded.checksum",
                    rows,
                )
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def _select(self, condition: str, parameters: Sequence[object]) -> list[Entry]:
        found = []
        with translated(self._path):
            for *columns, checksum in self._connection.execute(
                f"{_SELECT} {condition}", parameters
            ):
                if checksum != _checksum(columns):
                    raise damaged(self._path, "an entry has changed by itself")
                found.append(_entry(columns))
        return found

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever sent to the destination, as far as the journal knows."""
        with translated(self._path):
            query = "SELECT 1 FROM entry WHERE destination = ? LIMIT 1"
            return self._connection.execute(query, (self._destination,)).fetchone() is None

    def forget(self) -> None:
        """Drop every entry of the destination."""
        with translated(self._path):
            self._connection.execute(
                "DELETE FROM entry WHERE destination = ?", (self._destination,)
            )

    def _set_up(self) -> None:
        with translated(self._path):
            tables = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if tables == (0,) and self._pragma("application_id") == 0:
                self._connection.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
            self._check_version()
            self._connection.execute(
                "INSERT INTO journal SELECT ? WHERE NOT EXISTS (SELECT * FROM journal)",
                (os.urandom(16),),
            )
            self._connection.execute(
                "INSERT OR IGNORE INTO destination (name) VALUES (?)", (self._destination_name,)
            )
            (self._salt,) = self._connection.execute("SELECT salt FROM journal").fetchone()
            (self._destination,) = self._connection.execute(
                "SELECT id FROM destination WHERE name = ?", (self._destination_name,)
            ).fetchone()

    def _check_version(self) -> None:
        if self._pragma("application_id") != _APPLICATION_ID:
            raise UsageError(
                f"--journal: {self._path} is a database, but no journal of import-contacts; "
                "name another file."
            )
        if (version := self._pragma("user_version")) != _VERSION:
            raise UsageError(
                f"--journal: {self._path} has format {version}, this program knows {_VERSION}; "
                "use the version of import-contacts that wrote it."
            )
        if (state := self._pragma("quick_check(1)")) != "ok":
            raise damaged(self._path, str(state).splitlines()[0])

    def _pragma(self, name: str) -> object:
        return self._connection.execute(f"PRAGMA {name}").fetchone()[0]


def _entry(columns: Sequence[Any]) -> Entry:
    key, order_ref, state, ref, href, guest_ref = columns
    return Entry(key, order_ref, State(state), ref, href, guest_ref)


def _checksum(columns: Sequence[Any]) -> int:
    # A disk that flips a bit in a ref is noticed by nobody else: SQLite checks only its tree.
    key, *texts = columns
    return zlib.crc32("\0".join(texts).encode(), zlib.crc32(key))
