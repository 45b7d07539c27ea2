"""The form of a journal file, and how its soundness is checked."""

import os
import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from importer.errors import UsageError
from importer.journal.database import damaged
from importer.journal.entries import Entry, State

_APPLICATION_ID: Final = 0x494D5043  # "IMPC"
_VERSION: Final = 4
_SALT_BYTES: Final = 16
COLUMNS: Final = "key, order_ref, state, ref, href, guest_ref, sent_at"
"""What an entry holds, as :class:`Entry` has it."""
# Entries in the order of their arrival: what one commit writes lies on few pages. Only the
# index of the keys is in random order.
_SCHEMA: Final = f"""
    CREATE TABLE journal (salt BLOB NOT NULL, checksum INTEGER NOT NULL);
    CREATE TABLE destination (
        id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, client BLOB NOT NULL DEFAULT x''
    );
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
    );
    PRAGMA application_id = {_APPLICATION_ID};
    PRAGMA user_version = {_VERSION};
"""


def blank() -> bytes:
    """A journal without entries, with a salt of its own, as the bytes of its file."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.executescript(_SCHEMA)
        salt = os.urandom(_SALT_BYTES)
        connection.execute("INSERT INTO journal VALUES (?, ?)", (salt, zlib.crc32(salt)))
        return connection.serialize()
    finally:
        connection.close()


def columns_of(entry: Entry) -> tuple[object, ...]:
    """An entry as it stands in the file, in the order of :data:`COLUMNS`."""
    state, refs = entry.state.value, (entry.ref, entry.href, entry.guest_ref)
    return (entry.key, entry.order_ref, state, *refs, entry.sent_at)


def entry_of(columns: Sequence[Any]) -> Entry:
    """The same way back."""
    key, order_ref, state, *others = columns
    return Entry(key, order_ref, State(state), *others)


def checksum(columns: Sequence[Any]) -> int:
    """What an entry's columns add up to, in the order of :data:`COLUMNS`.

    A disk that flips a bit in a ref is noticed by nobody else: SQLite checks only its trees.
    """
    key, order_ref, state, ref, href, guest_ref, sent_at = columns
    texts = f"{order_ref}\0{state}\0{ref}\0{href}\0{guest_ref}\0{sent_at}"
    return zlib.crc32(texts.encode(), zlib.crc32(key))


def check(connection: sqlite3.Connection, path: Path) -> None:
    """See to it that the file is a journal of this version, and that no bit of it was lost.

    All of it is read. Each key stands in two trees, so what is missing in one of them or was
    only half written is noticed, and each entry has its checksum.

    Raises:
        UsageError: It is not.
    """
    if _pragma(connection, "application_id") != _APPLICATION_ID:
        raise UsageError(
            f"--journal: {path} is a database, but no journal of import-contacts; "
            "name another file."
        )
    if (version := _pragma(connection, "user_version")) != _VERSION:
        raise UsageError(
            f"--journal: {path} has format {version}, this program knows {_VERSION}; "
            "use the version of import-contacts that wrote it."
        )
    if (state := _pragma(connection, "integrity_check(1)")) != "ok":
        raise damaged(path, str(state).splitlines()[0])
    rows = connection.execute(f"SELECT {COLUMNS}, checksum FROM entry")  # noqa: S608 - ours
    try:
        is_sound = all(written == checksum(columns) for *columns, written in rows)
        salts = connection.execute("SELECT salt, checksum FROM journal").fetchall()
        is_sound &= [zlib.crc32(salt) for salt, _ in salts] == [written for _, written in salts]
    except TypeError:  # a text or a number is of another type now
        is_sound = False
    if not is_sound or len(salts) != 1:
        raise damaged(path, "an entry has changed by itself")


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]
