"""What the sandbox knows: contacts and guests in SQLite, and which orders exist."""

import csv
import json
import os
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from importer.sandbox.settings import SandboxError
from schemas.fields import ORDER_REF, REFERENCE_ID

# Identifies our own files; a new schema gets a new number.
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
# Any fixed UUID would do; it makes a number the same order in every sandbox.
_NUMBERS_NAMESPACE: Final = uuid.UUID("6f7264e7-2d6e-4d5e-8a3b-9a1f0c5e7d10")


@dataclass(frozen=True, slots=True)
class StoredContact:
    """One contact of one order.

    Attributes:
        position: Increases with every contact in the store.
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
    """The contacts and guests. Every method is one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # A transaction reaches the operating system before its answer is sent. Only a power
        # failure, which ends the rehearsal anyway, could lose the last ones.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")

    @classmethod
    def in_memory(cls) -> Self:
        """Open a store that is discarded when it is closed."""
        return cls(sqlite3.connect(":memory:", isolation_level=None))

    @classmethod
    def in_file(cls, path: Path) -> Self:
        """Open or create a store in a file that only its owner can read.

        Raises:
            SandboxError: The file cannot be opened or is not a data file of the sandbox.
        """
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(path, isolation_level=None)
            try:
                _refuse_foreign(connection, path)
                return cls(connection)
            except BaseException:
                connection.close()
                raise
        except OSError as error:
            raise SandboxError(f"Cannot open the data file {path}: {error.strerror}.") from None
        except sqlite3.Error as error:
            raise SandboxError(f"Cannot use the data file {path}: {error}.") from None

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def add(self, order_ref: str, fields: Mapping[str, Any], now_ms: int) -> StoredContact:
        """Store a new contact and link it to the guest with its identifiers."""
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
        """Replace some fields of a contact; its guest stays and gains the new identifiers."""
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
        """Remove a contact; return whether it existed."""
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
        """Return the newest contacts, newest first; a negative count returns all."""
        return self._select("ORDER BY position DESC LIMIT ?", (count,))

    def orders(self, guest_ref: str | None = None) -> list[str]:
        """Return the orders that have contacts, optionally only those of one guest."""
        condition, values = ("WHERE guest_ref = ?", (guest_ref,)) if guest_ref else ("", ())
        rows = self._connection.execute(
            f"SELECT order_ref FROM contacts {condition} GROUP BY order_ref ORDER BY min(position)",  # noqa: S608 - constant
            values,
        )
        return [ref for (ref,) in rows]

    def totals(self) -> dict[str, int]:
        """Return the number of contacts, of orders with contacts and of guests with contacts."""
        return {
            "contacts": self._number("SELECT count(*) FROM contacts"),
            "orders": self._number("SELECT count(DISTINCT order_ref) FROM contacts"),
            "guests": self._number("SELECT count(DISTINCT guest_ref) FROM contacts"),
        }

    def _transaction(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def _guest_of(self, identifiers: Iterable[Mapping[str, str]]) -> str | None:
        """Return the guest of the first identifier that belongs to one."""
        for identifier in identifiers:
            row = self._connection.execute(
                "SELECT guest_ref FROM identities WHERE provider = ? AND id = ?",
                (identifier["provider"], identifier["id"]),
            ).fetchone()
            if row is not None:
                return str(row[0])
        return None

    def _link(self, identifiers: Iterable[Mapping[str, str]], guest_ref: str) -> None:
        """Assign the identifiers that are new to this guest."""
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
    """Raise a SandboxError for a database that this version of the sandbox did not create."""
    application_id = int(connection.execute("PRAGMA application_id").fetchone()[0])
    is_new = not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    if not is_new and application_id != _APPLICATION_ID:
        raise SandboxError(
            f"The data file {path} was not created by this version of the sandbox; "
            "name another one."
        )


class Orders:
    """The orders that exist: those in a file, or without a file all of them.

    Without a file any UUID is an order, and any order number belongs to one order, the same
    in every sandbox, so that a file with ``referenceId`` can be rehearsed unchanged.

    Args:
        listed: Order ref (lower case) to order number, ``""`` for none.
    """

    def __init__(self, listed: Mapping[str, str] | None = None) -> None:
        self._listed = listed
        self._by_number: dict[str, list[str]] = {}
        for ref, number in (listed or {}).items():
            if number:
                self._by_number.setdefault(number, []).append(ref)

    @property
    def listed(self) -> list[str] | None:
        """The refs in file order; None when any UUID is an order."""
        return None if self._listed is None else list(self._listed)

    def find(self, ref: str) -> str | None:
        """Return the ref of an order in its canonical form, or None if there is no such order."""
        canonical = canonical_uuid(ref)
        if canonical is None or self._listed is None:
            return canonical
        return canonical if canonical in self._listed else None

    def number_of(self, ref: str) -> str:
        """Return the number of an order, or ``""`` if it has none."""
        return "" if self._listed is None else self._listed.get(ref, "")

    def with_number(self, number: str) -> list[str]:
        """Return the refs of the orders with this number."""
        if self._listed is None:
            return [str(uuid.uuid5(_NUMBERS_NAMESPACE, number))]
        return self._by_number.get(number, [])


def canonical_uuid(text: str) -> str | None:
    """Return a UUID in lower case with hyphens, or None if ``text`` is not one."""
    try:
        canonical = str(uuid.UUID(text))
    except ValueError:
        return None
    return canonical if canonical == text.lower() else None


def read_orders(path: Path) -> Orders:
    """Read the orders from a CSV file with the columns ``orderRef`` and ``referenceId``.

    Raises:
        SandboxError: The file cannot be read, has no column ``orderRef``, or a line in it is
            not an order.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            return Orders(_order_numbers(csv.DictReader(source, strict=True), path))
    except OSError as error:
        raise SandboxError(f"Cannot read the orders file {path}: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise SandboxError(f"The orders file {path} is not CSV in UTF-8.") from None


def _order_numbers(records: "csv.DictReader[str]", path: Path) -> dict[str, str]:
    if ORDER_REF not in (records.fieldnames or ()):
        raise SandboxError(
            f"The orders file {path} has no column {ORDER_REF}; "
            f"its header should be {ORDER_REF},{REFERENCE_ID}."
        )
    listed: dict[str, str] = {}
    for record in records:
        where = f"Line {records.line_num} of the orders file {path}"
        ref = canonical_uuid((record[ORDER_REF] or "").strip())
        if ref is None:
            raise SandboxError(f"{where} has no UUID as its {ORDER_REF}.")
        number = (record.get(REFERENCE_ID) or "").strip()
        if listed.setdefault(ref, number) != number:
            raise SandboxError(f"{where} gives an order that is listed above a second number.")
    return listed
