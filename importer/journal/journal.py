"""The journal: what was sent and what came of it, on disk before anybody acts on it.

An entry is keyed by destination, order and content, so that an edited, reordered or
appended file finds its entries again. The key is a salted digest, the rest are references:
no personal data.

Promise: a transaction is on disk when :meth:`Journal.write` returns, and in this one file:
whoever copies it has all of it. What was damaged since is noticed when it is opened.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from importer.errors import StoppedError, UsageError
from importer.journal.database import check_kind, connect, create, damaged, inode_of, translated
from importer.journal.entries import Entry, Sender, State
from importer.journal.form import COLUMNS, blank, check, checksum, columns_of, entry_of

_KEYS_A_QUERY: Final = 500
_SELECT: Final = f"SELECT {COLUMNS}, checksum FROM entry"  # noqa: S608 - ours
_ORDER_BYTES: Final = 8
_CONTENT_BYTES: Final = 12


class Journal:
    """One destination's entries in one journal file, held by one run alone.

    Use :meth:`open` or :meth:`open_for_reading`. Not thread-safe.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, sender: Sender) -> None:
        self._connection = connection
        self._path = path
        self._sender = sender
        self._destination_name = f"{sender.destination}\n".encode()
        self._destination = 0
        self._salt = b""
        self._inode: int | None = None

    @classmethod
    def open(cls, path: Path, sender: Sender) -> "Journal":
        """Open or create the journal and hold it until it is closed.

        Args:
            path: The journal file; created for its owner alone (0600).
            sender: Where to and as whom; entries of other destinations are kept and not seen.

        Raises:
            UsageError: What stands at ``path`` is no journal, is damaged, was written by
                another version, or holds what another client key has sent there.
            JournalLockedError: Another run holds it.
            StoppedError: The disk does not take it.
        """
        create(path, blank)
        journal = cls(connect(path), path, sender)
        try:
            journal._set_up()
            journal._inode = inode_of(path)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def open_for_reading(cls, path: Path, sender: Sender) -> "Journal":
        """Open the journal without changing what it holds; an absent one reads as empty.

        Raises:
            UsageError: As for :meth:`open`.
            JournalLockedError: Another run holds it.
        """
        copy = sqlite3.connect(":memory:", isolation_level=None)
        copy.deserialize(blank())
        if path.exists():
            check_kind(path)
            with contextlib.closing(connect(path)) as original, translated(path):
                original.backup(copy)
        journal = cls(copy, path, sender)
        journal._set_up()
        return journal

    def close(self) -> None:
        """Let go of the journal."""
        self._connection.close()

    def key(self, order: str, canonical: bytes) -> bytes:
        """Digest of a contact of this destination, 20 bytes; those of one order begin alike.

        The salt of this very journal keeps a digest from being looked up elsewhere.

        Args:
            order: The order, by its ref or by its number.
            canonical: The contact in its canonical form.
        """
        return self._key_of_order(order) + self._digest(canonical, _CONTENT_BYTES)

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
        first = self._key_of_order(order_ref)
        last = first + b"\xff" * (_CONTENT_BYTES + 1)
        with translated(self._path):
            rows = self._connection.execute(
                "SELECT ref, key FROM entry WHERE key BETWEEN ? AND ? AND ref <> ''", (first, last)
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
        with self._transaction():
            self._put(entries)

    def _select(self, condition: str, parameters: Sequence[object]) -> list[Entry]:
        found = []
        with translated(self._path):
            for *columns, written in self._connection.execute(f"{_SELECT} {condition}", parameters):
                if written != checksum(columns):
                    raise damaged(self._path, "an entry has changed by itself")
                found.append(entry_of(columns))
        return found

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever sent to the destination, as far as the journal knows."""
        with translated(self._path):
            query = "SELECT 1 FROM entry WHERE destination = ? LIMIT 1"
            return self._connection.execute(query, (self._destination,)).fetchone() is None

    def forget(self) -> None:
        """Know no contact of the destination any more, but whose all its refs are.

        The next contacts of the same content are others. Should one of them be answered
        unclearly, reading back must not take it for one of these.
        """
        owned = self._select("WHERE destination = ? AND ref <> ''", (self._destination,))
        with self._transaction():
            self._drop()
            self._put(
                replace(entry, key=entry.key[:_ORDER_BYTES] + os.urandom(_CONTENT_BYTES))
                for entry in owned
            )

    def drop(self) -> None:
        """Remove every entry of the destination, which has forgotten its contacts, too."""
        with self._transaction():
            self._drop()

    def _put(self, entries: Iterable[Entry]) -> None:
        columns = map(columns_of, entries)
        self._connection.executemany(
            f"INSERT INTO entry (destination, {COLUMNS}, checksum)"  # noqa: S608 - ours
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
            " order_ref = excluded.order_ref, state = excluded.state, ref = excluded.ref,"
            " href = excluded.href, guest_ref = excluded.guest_ref, sent_at = excluded.sent_at,"
            " checksum = excluded.checksum",
            ((self._destination, *those, checksum(those)) for those in columns),
        )

    def _drop(self) -> None:
        self._connection.execute("DELETE FROM entry WHERE destination = ?", (self._destination,))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with translated(self._path):
            self._connection.execute("BEGIN")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def _key_of_order(self, order: str) -> bytes:
        return self._digest(order.lower().encode(), _ORDER_BYTES)

    def _digest(self, content: bytes, size: int) -> bytes:
        content = self._destination_name + content
        return hashlib.blake2b(content, digest_size=size, key=self._salt).digest()

    def _set_up(self) -> None:
        with translated(self._path):
            check(self._connection, self._path)
            (self._salt,) = self._connection.execute("SELECT salt FROM journal").fetchone()
            key = self._sender.client_key.encode()
            client = hashlib.blake2b(key, digest_size=16, key=self._salt).digest() if key else b""
            self._connection.execute(
                "INSERT OR IGNORE INTO destination (name, client) VALUES (?, ?)",
                (self._destination_name, client),
            )
            self._destination, known = self._connection.execute(
                "SELECT id, client FROM destination WHERE name = ?", (self._destination_name,)
            ).fetchone()
            if client and client != known:
                self._see_to_client(client, known)

    def _see_to_client(self, client: bytes, known: bytes) -> None:
        """Make sure that the destination is the tenant whose contacts are here."""
        if known and not self._sender.is_key_new and self._may_hold_contacts():
            raise UsageError(
                f"--journal: {self._path} holds contacts that another client key has sent to "
                f"{self._sender.destination}. If the key was renewed and the tenant is the same, "
                "give --new-client-key once, and nothing is sent twice. For another tenant, "
                "name another journal with --journal. Nothing was sent."
            )
        self._connection.execute(
            "UPDATE destination SET client = ? WHERE id = ?", (client, self._destination)
        )

    def _may_hold_contacts(self) -> bool:
        query = "SELECT 1 FROM entry WHERE destination = ? AND state <> ? LIMIT 1"
        held = self._connection.execute(query, (self._destination, State.ABSENT.value))
        return held.fetchone() is not None
