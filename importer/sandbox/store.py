"""Contacts and guests in SQLite, in memory or in a file."""

import json
import os
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from importer.sandbox.options import SandboxError

# Marks the file as ours; a new layout gets a new number.
_APPLICATION_ID: Final = 0x5C0A0001
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS contacts (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        ref TEXT NOT NULL UNIQUE,
        order_ref TEXT NOT NULL,
        guest_ref TEXT NOT NULL,
        fields TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        modified_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS contacts_by_order ON contacts (order_ref);
    CREATE INDEX IF NOT EXISTS contacts_by_guest ON contacts (guest_ref);
    CREATE TABLE IF NOT EXISTS identities (
        provider TEXT NOT NULL,
        id TEXT NOT NULL,
        guest_ref TEXT NOT NULL,
        PRIMARY KEY (provider, id)
    ) STRICT, WITHOUT ROWID;
"""
_COLUMNS: Final = "position, ref, order_ref, guest_ref, fields, created_ms, modified_ms"


@dataclass(frozen=True, slots=True)
class StoredContact:
    """One contact of one order.

    Attributes:
        position: Counts up with every contact of the store.
        fields: By API field, as they were sent.
        created_ms: Milliseconds since 1970, UTC.
        modified_ms: As ``created_ms``; every change makes it later.
    """

    position: int
    ref: str
    order_ref: str
    guest_ref: str
    fields: dict[str, Any]
    created_ms: int
    modified_ms: int


class Store:
    """What the API remembers. Every method is one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # Each transaction is on its way to the disk when its answer leaves; only a power
        # failure, which no rehearsal survives anyway, could lose the last ones.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")

    @classmethod
    def in_memory(cls) -> Self:
        """Open a store that is forgotten when it is closed."""
        return cls(sqlite3.connect(":memory:", isolation_level=None))

    @classmethod
    def in_file(cls, path: Path) -> Self:
        """Open or create a store; the file is readable by its owner alone.

        Raises:
            SandboxError: The file cannot be opened or is something else.
        """
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(path, isolation_level=None)
            _refuse_foreign(connection, path)
            return cls(connection)
        except OSError as fault:
            raise SandboxError(f"Cannot open the data file {path}: {fault.strerror}.") from None
        except sqlite3.Error as fault:
            raise SandboxError(f"Cannot use the data file {path}: {fault}.") from None

    def close(self) -> None:
        """Write everything out."""
        self._connection.close()

    def add(self, order_ref: str, fields: Mapping[str, Any], now_ms: int) -> StoredContact:
        """Store a new contact and link it to the guest that its identifiers name."""
        with self._transaction():
            identifiers = fields.get("identifiers", ())
            guest_ref = self._guest_of(identifiers) or str(uuid.uuid4())
            self._link(identifiers, guest_ref)
            ref, text = str(uuid.uuid4()), json.dumps(fields)
            position = self._connection.execute(
                f"INSERT INTO contacts ({_COLUMNS}) VALUES (NULL, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constant
                (ref, order_ref, guest_ref, text, now_ms, now_ms),
            ).lastrowid
        return StoredContact(position or 0, ref, order_ref, guest_ref, dict(fields), now_ms, now_ms)

    def get(self, ref: str) -> StoredContact | None:
        """Return one contact."""
        found = self._select("WHERE ref = ?", (ref,))
        return found[0] if found else None

    def change(self, ref: str, fields: Mapping[str, Any], now_ms: int) -> StoredContact | None:
        """Replace some fields of a contact; its guest stays and learns new identifiers."""
        with self._transaction():
            contact = self.get(ref)
            if contact is None:
                return None
            merged = {**contact.fields, **fields}
            modified_ms = max(now_ms, contact.modified_ms + 1)
            self._link(fields.get("identifiers", ()), contact.guest_ref)
            self._connection.execute(
                "UPDATE contacts SET fields = ?, modified_ms = ? WHERE ref = ?",
                (json.dumps(merged), modified_ms, ref),
            )
        return self.get(ref)

    def remove(self, ref: str) -> bool:
        """Remove a contact from its order; return whether it was there."""
        return self._connection.execute("DELETE FROM contacts WHERE ref = ?", (ref,)).rowcount > 0

    def of_order(self, order_ref: str, offset: int, limit: int) -> list[StoredContact]:
        """Return a page of an order's contacts, oldest first."""
        return self._select(
            "WHERE order_ref = ? ORDER BY position LIMIT ? OFFSET ?", (order_ref, limit, offset)
        )

    def count_of_order(self, order_ref: str) -> int:
        """Return how many contacts an order has."""
        return self._number("SELECT count(*) FROM contacts WHERE order_ref = ?", (order_ref,))

    def latest(self, count: int) -> list[StoredContact]:
        """Return the contacts that were stored last, newest first; a negative count is all."""
        return self._select("ORDER BY position DESC LIMIT ?", (count,))

    def orders(self, guest_ref: str | None = None) -> list[str]:
        """Return the orders that have contacts, those of one guest if one is named."""
        condition, values = ("WHERE guest_ref = ?", (guest_ref,)) if guest_ref else ("", ())
        rows = self._connection.execute(
            f"SELECT order_ref FROM contacts {condition} GROUP BY order_ref ORDER BY min(position)",  # noqa: S608 - constant
            values,
        )
        return [ref for (ref,) in rows]

    def totals(self) -> dict[str, int]:
        """Return how many contacts, orders with contacts and guests with contacts there are."""
        return {
            "contacts": self._number("SELECT count(*) FROM contacts"),
            "orders": self._number("SELECT count(DISTINCT order_ref) FROM contacts"),
            "guests": self._number("SELECT count(DISTINCT guest_ref) FROM contacts"),
        }

    def _transaction(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def _guest_of(self, identifiers: Iterable[Mapping[str, str]]) -> str | None:
        """Return the guest of the first identifier that one is known for."""
        for identifier in identifiers:
            row = self._connection.execute(
                "SELECT guest_ref FROM identities WHERE provider = ? AND id = ?",
                (identifier["provider"], identifier["id"]),
            ).fetchone()
            if row is not None:
                return str(row[0])
        return None

    def _link(self, identifiers: Iterable[Mapping[str, str]], guest_ref: str) -> None:
        """Let identifiers that are not known yet name this guest."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO identities VALUES (?, ?, ?)",
            [(identifier["provider"], identifier["id"], guest_ref) for identifier in identifiers],
        )

    def _select(self, condition: str, values: Sequence[object]) -> list[StoredContact]:
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM contacts {condition}", values)  # noqa: S608 - constant
        return [
            StoredContact(position, ref, order_ref, guest_ref, json.loads(fields), *moments)
            for position, ref, order_ref, guest_ref, fields, *moments in rows
        ]

    def _number(self, query: str, values: Sequence[object] = ()) -> int:
        return int(self._connection.execute(query, values).fetchone()[0])


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Leave alone a database that this version of the sandbox did not make."""
    application_id = int(connection.execute("PRAGMA application_id").fetchone()[0])
    is_new = not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    if not is_new and application_id != _APPLICATION_ID:
        raise SandboxError(
            f"The data file {path} was not made by this version of the sandbox; name another one."
        )
