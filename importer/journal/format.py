"""The format of a journal file: its tables, its migrations and its checksums.

Source: docs/journal.md, "Format".
"""

import functools
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from importer.errors import UsageError
from importer.journal.database import damaged, translated
from importer.journal.digests import ORDER_BYTES, Hasher
from importer.journal.entries import Entry, State

APPLICATION_ID: Final = 0x494D5043  # "IMPC"
_FIRST: Final = 4
_SALT_BYTES: Final = 16

COLUMNS: Final = "key, order_ref, state, ref, href, guest_ref, sent_at, run, digests, role"
"""What the checksum of an entry covers, in the order of :func:`checksum`."""
THERE: Final = "state IN ('created', 'found')"
"""The condition of the index ``contact``, which serves only queries that repeat it."""

CONTACT: Final = 0
"""Role of an entry that stands for a contact."""
ALIAS: Final = 1
"""Role of a second entry for a contact, whose key is made from the order's own number."""
FORGOTTEN: Final = 2
"""Role of an entry that keeps the refs of a contact from before ``--fresh``."""

# Entries are stored in the order of their arrival, so one commit writes few pages. Only the
# index of the keys is in random order.
_FORMAT_4: Final = (
    "CREATE TABLE journal (salt BLOB NOT NULL, checksum INTEGER NOT NULL)",
    """
    CREATE TABLE destination (
        id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, client BLOB NOT NULL DEFAULT x''
    )
    """,
    """
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE,
        destination INTEGER NOT NULL REFERENCES destination (id),
        order_ref TEXT NOT NULL,
        state TEXT NOT NULL,
        ref TEXT NOT NULL,
        href TEXT NOT NULL,
        guest_ref TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        checksum INTEGER NOT NULL
    )
    """,
)
_MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (  # 4 to 5: numbered runs, digests of identity and values, an index to count contacts with
        """
        CREATE TABLE run (
            number INTEGER PRIMARY KEY,
            destination INTEGER NOT NULL REFERENCES destination (id),
            command TEXT NOT NULL,
            source TEXT NOT NULL,
            source_digest TEXT NOT NULL,
            options TEXT NOT NULL,
            is_whole INTEGER NOT NULL,
            started_at INTEGER NOT NULL,
            ended_at INTEGER,
            counts TEXT NOT NULL,
            exit_status INTEGER,
            checksum INTEGER NOT NULL
        )
        """,
        "ALTER TABLE entry ADD COLUMN run INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE entry ADD COLUMN digests BLOB NOT NULL DEFAULT x''",
        "ALTER TABLE entry ADD COLUMN role INTEGER NOT NULL DEFAULT 0",
        """
        UPDATE entry SET role = 1, checksum = entry_checksum(
            key, order_ref, state, ref, href, guest_ref, sent_at, run, digests, 1
        ) WHERE is_alias(
            key,
            order_ref,
            (SELECT name FROM destination WHERE id = entry.destination),
            (SELECT salt FROM journal)
        )
        """,
        """
        CREATE INDEX contact ON entry (destination, role, state)
        WHERE state IN ('created', 'found')
        """,
    ),
)
"""The statements that lead from each format to the next, beginning with format 4.

Never change one that was released: append another.
"""
FORMAT: Final = _FIRST + len(_MIGRATIONS)


def blank_database() -> sqlite3.Connection:
    """Return a journal in memory, without entries and with a salt of its own."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    for statement in _FORMAT_4:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {_FIRST}")
    salt = os.urandom(_SALT_BYTES)
    connection.execute("INSERT INTO journal VALUES (?, ?)", (salt, zlib.crc32(salt)))
    migrate(connection)
    return connection


def check(connection: sqlite3.Connection, path: Path) -> int:
    """Check what can be checked without reading the entries.

    Returns:
        The format of the file.

    Raises:
        UsageError: The file is not a journal, is damaged, or has a format that this version
            of the program does not read.
    """
    with translated(path):
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise UsageError(
                f"--journal: {path} is a database, but not a journal of import-contacts; "
                "name another file."
            )
        if version > FORMAT:
            raise UsageError(
                f"--journal: {path} has format {version}, and this version of import-contacts "
                f"reads formats up to {FORMAT}. Update import-contacts, then run the same command "
                "again. Nothing was sent."
            )
        if version < _FIRST:
            raise UsageError(
                f"--journal: {path} has format {version}, which was never released; name another "
                "file. Nothing was sent."
            )
        if (size := path.stat().st_size) != page_size * pages:
            raise damaged(path, f"it has {size} bytes and should have {page_size * pages}")
        salts = connection.execute("SELECT salt, checksum FROM journal").fetchall()
        if [(type(salt), zlib.crc32(salt)) for salt, _ in salts] != [(bytes, salts[0][1])]:
            raise damaged(path, "its salt has changed")
    return int(version)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the current format, each step in a transaction with its version."""
    register_functions(connection)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, statements in enumerate(_MIGRATIONS[version - _FIRST :], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def row_of(entry: Entry, destination: int, run: int, hasher: Hasher) -> tuple[object, ...]:
    """Return what is stored of an entry: its destination, :data:`COLUMNS` and the checksum.

    Args:
        entry: The entry.
        destination: Number of the destination.
        run: Number of the run in progress.
        hasher: Digests of the destination.
    """
    key, order_ref = entry.key, entry.order_ref
    if entry.is_forgotten:
        role = FORGOTTEN
    else:
        role = CONTACT if key.startswith(hasher.order(order_ref)) else ALIAS
    state, run, digests = entry.state.value, entry.run or run, entry.digests
    ref, href, guest_ref, sent_at = entry.ref, entry.href, entry.guest_ref, entry.sent_at
    crc = checksum(key, order_ref, state, ref, href, guest_ref, sent_at, run, digests, role)
    return (
        destination, key, order_ref, state, ref, href, guest_ref, sent_at, run, digests, role, crc
    )  # fmt: skip


def entry_of(columns: Sequence[Any]) -> Entry:
    """Return the entry that was stored as *columns*."""
    key, order_ref, state, ref, href, guest_ref, sent_at, run, digests, role = columns
    is_forgotten = role == FORGOTTEN
    return Entry(
        key, order_ref, _STATES[state], ref, href, guest_ref, sent_at, run, digests, is_forgotten
    )  # fmt: skip


_STATES: Final = {state.value: state for state in State}


def checksum(  # noqa: PLR0913, PLR0917 - a function of SQL, too
    key: bytes,
    order_ref: str,
    state: str,
    ref: str,
    href: str,
    guest_ref: str,
    sent_at: int,
    run: int,
    digests: bytes,
    role: int,
) -> int:
    """Return the checksum of what is stored of an entry.

    SQLite checks the structure of its pages, not their content, so a disk that flips a bit in
    a ref would go unnoticed.
    """
    if run or role or digests:
        text = f"{order_ref}\0{state}\0{ref}\0{href}\0{guest_ref}\0{sent_at}\0{run}\0{role}"
        return zlib.crc32(text.encode(), zlib.crc32(key + digests))
    text = f"{order_ref}\0{state}\0{ref}\0{href}\0{guest_ref}\0{sent_at}"  # as in format 4
    return zlib.crc32(text.encode(), zlib.crc32(key))


def is_sound(columns: Sequence[Any], written: object) -> bool:
    """Whether an entry is as it was written."""
    try:
        return checksum(*columns) == written
    except TypeError:  # a text or a number has become one of another type
        return False


def run_checksum(columns: Sequence[Any]) -> int:
    """Return the checksum of all columns of a run but the last one."""
    return zlib.crc32(json.dumps(columns).encode())


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Read the whole file and describe all that is damaged.

    Every key is stored in a table and in an index, so one that is missing in either of them
    is noticed.
    """
    try:
        for (text,) in connection.execute("PRAGMA integrity_check"):
            if text != "ok":
                yield from str(text).splitlines()
        entries = connection.execute(f"SELECT id, {COLUMNS}, checksum FROM entry")  # noqa: S608
        for number, *columns, written in entries:
            if not is_sound(columns, written):
                yield f"Entry {number} (order {columns[1]!r}) differs from what was written."
        for *columns, written in connection.execute("SELECT * FROM run"):
            if run_checksum(columns) != written:
                yield f"Run {columns[0]!r} differs from what was written."
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        yield f"The rest cannot be read: {error}."


def register_functions(connection: sqlite3.Connection) -> None:
    """Let statements compute checksums."""
    connection.create_function("entry_checksum", -1, checksum, deterministic=True)
    connection.create_function("is_alias", 4, _is_alias, deterministic=True)


def _is_alias(key: bytes, order_ref: str, destination: bytes, salt: bytes) -> bool:
    return key[:ORDER_BYTES] != _hasher(salt, destination).order(order_ref)


_hasher = functools.lru_cache(maxsize=16)(Hasher)
