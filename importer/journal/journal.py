"""The journal: what was sent and what came of it, on disk before anything is done about it.

An entry is found by destination, order and content, so an edited, reordered or extended file
finds its entries again. Keys are salted digests and the rest are references: the journal
contains no personal data.

A transaction is on disk when :meth:`Journal.write` returns, and in this one file: a copy of it
is complete. Source: docs/journal.md.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from importer.errors import StoppedError, UsageError
from importer.journal.database import (
    Wait,
    connect,
    connect_for_reading,
    create,
    damaged,
    inode_of,
    is_there,
    temporary,
    translated,
)
from importer.journal.digests import (
    CONTENT_BYTES,
    IDENTITY_BYTES,
    ORDER_BYTES,
    Hasher,
    client_digest,
    identity_of,
    key_tag,
)
from importer.journal.entries import Entry, Run, Sender, State
from importer.journal.format import (
    COLUMNS,
    FORMAT,
    THERE,
    blank_database,
    check,
    entry_of,
    is_sound,
    migrate,
    problems,
    register_functions,
    row_of,
    run_checksum,
)

_KEYS_A_QUERY: Final = 500
_ENTRIES_A_PAGE: Final = 1000
_SELECT: Final = f"SELECT {COLUMNS}, checksum FROM entry"  # noqa: S608 - our own names
_NAMES: Final = COLUMNS.split(", ")
_UNSETTLED: Final = frozenset({"failed", "unknown", "not_sent"})  # statuses of rows
_UPSERT: Final = (
    f"INSERT INTO entry (destination, {COLUMNS}, checksum)"  # noqa: S608 - our own names
    f" VALUES (?{', ?' * len(_NAMES)}, ?) ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in [*_NAMES[1:], "checksum"])
)


class Journal:
    """The entries of one destination in a journal file that one run holds alone.

    Use :meth:`open` or :meth:`open_for_reading`. Not thread-safe.

    Attributes:
        is_new: Whether there was no file before.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, sender: Sender | None, *, is_new: bool
    ) -> None:
        self.is_new = is_new
        self._connection = connection
        self._path = path
        self._sender = sender or Sender("")
        self._run = 0
        self._inode: int | None = None  # of a file that is written
        self._is_unused = False  # it was created and nothing was written to it
        self._is_forgotten = False  # for the readers of a dry run with --fresh
        with translated(path):
            (self._salt,) = connection.execute("SELECT salt FROM journal").fetchone()
            destinations = connection.execute("SELECT id, name, client FROM destination").fetchall()
        self._destination_name = f"{self._sender.destination}\n".encode()
        self._hasher = Hasher(self._salt, self._destination_name)
        self._client = client_digest(self._salt, self._sender.client_key)
        if sender is not None:
            destinations = [one for one in destinations if one[1] == self._destination_name]
        self._hashers = {number: Hasher(self._salt, name) for number, name, _ in destinations}
        self._destination = 0  # not recorded yet
        self._is_client_recorded = not self._client
        if sender is not None and destinations:
            ((self._destination, _, known),) = destinations
            self._is_client_recorded |= self._client == known
            if not self._is_client_recorded and known:
                self._check_client()

    @classmethod
    def open(cls, path: Path, sender: Sender, wait: Wait = Wait()) -> "Journal":  # noqa: B008
        """Open or create the journal and hold it until it is closed.

        The file is not changed until something is written, unless an earlier version of the
        program has written it; one that was created and not written to is removed by
        :meth:`close`.

        Args:
            path: The journal file; created for its owner alone (0600).
            sender: Destination and client key; entries of other destinations are kept but not
                returned.
            wait: How long to wait for another run to release it.

        Raises:
            UsageError: The file is not a journal, is damaged, has a newer format, or contains
                contacts that were sent to the destination with another client key.
            JournalLockedError: Another run holds it.
            StoppedError: It cannot be written.
        """
        is_new = False

        def attempt() -> sqlite3.Connection:
            nonlocal is_new
            is_new = create(path, _blank)
            return connect(path)

        connection = wait.until(attempt)
        try:
            if check(connection, path) < FORMAT:
                with translated(path):
                    migrate(connection)
            journal = cls(connection, path, sender, is_new=is_new)
        except BaseException:
            connection.close()
            raise
        journal._inode = inode_of(path)
        journal._is_unused = is_new
        return journal

    @classmethod
    def open_for_reading(
        cls,
        path: Path,
        sender: Sender | None,
        wait: Wait = Wait(),  # noqa: B008
    ) -> "Journal":
        """Open the journal without changing it; one that is not there reads as empty.

        Until it is closed, runs that write are kept out and others that read are not.

        Args:
            path: The journal file.
            sender: As for :meth:`open`; None for the entries of all destinations.
            wait: How long to wait for another run to release it.

        Raises:
            UsageError: As for :meth:`open`.
            JournalLockedError: A run that writes holds it.
        """
        is_new = False

        def attempt() -> sqlite3.Connection:
            nonlocal is_new
            is_new = not is_there(path)
            return blank_database() if is_new else connect_for_reading(path)

        connection = wait.until(attempt)
        try:
            if not is_new and check(connection, path) < FORMAT:
                connection = _migrated_copy(connection, path)
            return cls(connection, path, sender, is_new=is_new)
        except BaseException:
            connection.close()
            raise

    @classmethod
    def temporary(cls, sender: Sender) -> "Journal":
        """Return an empty journal that is gone when it is closed.

        Args:
            sender: As for :meth:`open`.
        """
        connection = temporary()
        with contextlib.closing(blank_database()) as blank:
            blank.backup(connection)
        return cls(connection, Path("temporary journal"), sender, is_new=True)

    def close(self) -> None:
        """Release the journal."""
        if self._is_unused and inode_of(self._path) == self._inode:
            self._path.unlink()
        self._is_unused = False
        self._connection.close()

    # -- digests ---------------------------------------------------------------------------

    def key(self, order: str, canonical: bytes) -> bytes:
        """Return the key of a contact of this destination, 20 bytes.

        Keys of one order begin alike. The salt of this journal keeps a key from being looked up
        in another one.

        Args:
            order: The order, by its ref or by its number.
            canonical: The contact in its canonical form.
        """
        return self._hasher.key(order, canonical)

    def digests(self, order: str, key_fields: Iterable[str], fields: Mapping[str, bytes]) -> bytes:
        """Return digests of who a contact is within its order, and of its values.

        Args:
            order: As for :meth:`key`.
            key_fields: Names of the fields that say who a contact is.
            fields: Canonical form of each field that has a value; of the key fields alone when
                the values need not be recognised.
        """
        return self._hasher.digests(order, key_fields, fields)

    # -- entries ---------------------------------------------------------------------------

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        """Return the entries of those keys that have one."""
        found: dict[bytes, Entry] = {}
        if self._is_forgotten:
            return found
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = keys[start : start + _KEYS_A_QUERY]
            marks = ",".join("?" * len(some))
            found.update({e.key: e for e in self._select(f"WHERE key IN ({marks})", some)})
        return found

    def find_identities(self, order: str, digests: Sequence[bytes]) -> list[Entry]:
        """Return the entries of an order with the same identity as one of the digests.

        All entries of the order are read, because no index leads to an identity.

        Args:
            order: As for :meth:`key`.
            digests: From :meth:`digests`.
        """
        if self._is_forgotten:
            return []
        identities = {identity.hex().upper() for one in digests if (identity := identity_of(one))}
        condition = (
            "WHERE key BETWEEN ? AND ? AND digests <> x'' AND role <> 2 AND"
            " hex(substr(digests, 1, ?)) IN (SELECT value FROM json_each(?)) ORDER BY id"
        )
        bounds = _keys_of(self._hasher.order(order))
        return self._select(condition, (*bounds, IDENTITY_BYTES, json.dumps(list(identities))))

    def find_refs(self, refs: Sequence[str]) -> list[Entry]:
        """Return the entries of contacts with those refs.

        All entries are read, because no index leads to a ref: ask for thousands at once.
        """
        condition = f"WHERE {self._scope} AND ref IN (SELECT value FROM json_each(?))"  # noqa: S608
        return self._select(condition, (json.dumps(refs),))

    def owned_refs(self, order_ref: str, besides: Collection[bytes]) -> set[str]:
        """Return the refs of the order's entries, except for those of the keys ``besides``."""
        with translated(self._path):
            rows = self._connection.execute(
                "SELECT ref, key FROM entry WHERE key BETWEEN ? AND ? AND ref <> ''",
                _keys_of(self._hasher.order(order_ref)),
            )
            return {ref for ref, key in rows if key not in besides}

    def found_refs(self, order_ref: str, besides: Collection[bytes]) -> set[str]:
        """Return those of :meth:`owned_refs` that no run of this journal created."""
        with translated(self._path):
            rows = self._connection.execute(
                "SELECT ref, key, state = 'found' AND role <> 2 FROM entry"
                " WHERE key BETWEEN ? AND ? AND ref <> ''",
                _keys_of(self._hasher.order(order_ref)),
            )
            owners = [(ref, is_found) for ref, key, is_found in rows if key not in besides]
        return {ref for ref, _ in owners} - {ref for ref, is_found in owners if not is_found}

    def known_orders(self, orders: Iterable[str]) -> set[str]:
        """Return those of the orders that have an entry, in any state.

        Args:
            orders: As for :meth:`key`.
        """
        return self._orders_with("role = 0", (), orders)

    def orders_without_key(self, orders: Iterable[str], key_fields: Iterable[str]) -> set[str]:
        """Return those of the orders with a contact whose digests have other key fields.

        Args:
            orders: As for :meth:`key`.
            key_fields: As for :meth:`digests`.
        """
        condition = f"role = 0 AND {THERE} AND substr(digests, 1, 2) IS NOT ?"
        return self._orders_with(condition, (key_tag(key_fields),), orders)

    def write(self, entries: Iterable[Entry]) -> None:
        """Put entries on disk in one transaction, in place of earlier ones with their keys.

        Raises:
            StoppedError: They cannot be written; none of them is recorded.
        """
        if self._inode is not None and inode_of(self._path) != self._inode:
            raise StoppedError(
                f"The journal {self._path} was moved or removed during the run, so nothing more "
                "was sent. Put it back before you run the same command again: without it, what "
                "was created would be created again."
            )
        self.register()
        hasher, run, destination = self._hasher, self._run, self._destination
        with self._transaction():
            self._connection.executemany(
                _UPSERT, (row_of(entry, destination, run, hasher) for entry in entries)
            )

    def register(self) -> None:
        """Record the destination and its client key; writing and beginning a run do so, too."""
        if self._destination and self._is_client_recorded:
            return
        with self._transaction():
            self._connection.execute(
                "INSERT INTO destination (name, client) VALUES (?, ?) ON CONFLICT (name)"
                " DO UPDATE SET client = excluded.client WHERE excluded.client <> x''",
                (self._destination_name, self._client),
            )
        query = "SELECT id FROM destination WHERE name = ?"
        (self._destination,) = self._connection.execute(query, (self._destination_name,)).fetchone()
        self._hashers = {self._destination: self._hasher}
        self._is_client_recorded = True

    def forget(self) -> None:
        """Forget the contacts of the destination, but keep their refs.

        Contacts of the same content are new from then on. Should one of them be answered
        unclearly, reading back must not take an earlier contact for it. In a journal that was
        opened for reading, only this object forgets.
        """
        if self._inode is None:
            self._is_forgotten = True
            return
        register_functions(self._connection)
        salt = os.urandom(16)
        self._connection.create_function(
            "forgotten_key",
            1,
            lambda key: (
                key[:ORDER_BYTES]
                + hashlib.blake2b(key, digest_size=CONTENT_BYTES, key=salt).digest()
            ),
            deterministic=True,
        )
        with self._transaction():
            self._connection.execute(
                f"DELETE FROM entry WHERE {self._scope} AND (ref = '' OR role = 1)"  # noqa: S608
            )
            self._connection.execute(
                "UPDATE entry SET key = forgotten_key(key), digests = x'',"  # noqa: S608
                " role = 2, checksum = entry_checksum(forgotten_key(key), order_ref, state, ref,"
                f" href, guest_ref, sent_at, run, x'', 2) WHERE {self._scope} AND role = 0"
            )

    # -- what the journal contains -----------------------------------------------------------

    def contacts_count(self) -> int:
        """Return how many contacts the journal knows to be there."""
        if self._is_forgotten:
            return 0
        query = f"SELECT count(*) FROM entry WHERE {self._scope} AND role = 0 AND {THERE}"  # noqa: S608
        return self._number(query)

    def contacts(self, run: int | None = None, order: str | None = None) -> Iterator[Entry]:
        """Yield one entry for each contact, in any state; forgotten contacts are included.

        Entries may be written meanwhile.

        Args:
            run: Only those that this run created or found.
            order: Only those of this order.
        """
        condition, parameters = "role <> 1", tuple[object, ...]()
        if run is not None:
            condition, parameters = f"{condition} AND run = ?", (run,)
        if order is None:
            yield from self._pages(f"{self._scope} AND {condition}", parameters, "id", 0)
            return
        for hasher in self._hashers.values():
            first, last = _keys_of(hasher.order(order))
            yield from self._pages(f"{condition} AND key <= ?", (*parameters, last), "key", first)

    def last_creating_run(self) -> int | None:
        """Return the last run that created a contact which may still be there, if any did.

        An undo that was killed leaves contacts that may or may not be there.
        """
        condition = f"{self._scope} AND role <> 1 AND run > 0"
        may_be_there = "(state = 'created' OR (state = 'intent' AND ref <> ''))"
        with translated(self._path):
            (number,) = self._connection.execute(
                f"SELECT max(run) FROM entry WHERE {condition} AND {may_be_there}"  # noqa: S608
            ).fetchone()
        return None if number is None else int(number)

    def mark_seen(self, entries: Iterable[Entry]) -> None:
        """Note for :meth:`missing` that the file contains these contacts.

        The notes are in a temporary file: the journal does not change.
        """
        with self._seen_table():
            self._connection.executemany(
                "INSERT OR IGNORE INTO temp.seen VALUES (?)",
                ((entry.ref or entry.key,) for entry in entries),
            )

    def missing(self) -> Iterator[Entry]:
        """Yield the contacts of earlier runs that have not been marked as seen."""
        with self._seen_table():
            pass
        yield from self._pages(self._missing, (), "id", 0)

    def missing_count(self) -> int:
        """Return how many contacts :meth:`missing` yields."""
        with self._seen_table():
            return self._number(f"SELECT count(*) FROM entry NOT INDEXED WHERE {self._missing}")  # noqa: S608

    def verify(self) -> Iterator[str]:
        """Read the whole file and yield a description of each damage."""
        yield from problems(self._connection)

    # -- runs --------------------------------------------------------------------------------

    def begin_run(
        self,
        command: str,
        source: str,
        *,
        source_digest: str = "",
        options: Mapping[str, str] | None = None,
        is_whole: bool = False,
    ) -> int:
        """Record the start of a run; entries that are written from now on carry its number.

        The arguments are described at :class:`Run`.

        Returns:
            The number of the run.

        Raises:
            StoppedError: It cannot be written.
        """
        self.register()
        last = self._number("SELECT coalesce(max(number), 0) FROM run")
        run = Run(
            number=last + 1,
            command=command,
            source=source,
            source_digest=source_digest,
            options=options or {},
            is_whole=is_whole,
            started_at=int(time.time()),
        )
        self._put_run(run)
        self._run = run.number
        return run.number

    def finish_run(
        self, number: int, counts: Mapping[str, int], exit_status: int, source_digest: str = ""
    ) -> None:
        """Record the end of a run.

        Args:
            number: From :meth:`begin_run`.
            counts: Rows by status.
            exit_status: Of the process.
            source_digest: SHA-256 of the source file, if it was not known before.

        Raises:
            StoppedError: It cannot be written.
        """
        (run,) = self._select_runs("number = ?", (number,))
        self._put_run(
            replace(
                run,
                source_digest=source_digest or run.source_digest,
                ended_at=int(time.time()),
                counts=counts,
                exit_status=exit_status,
            )
        )

    def runs(self) -> Iterator[Run]:
        """Yield the runs to the destination by number."""
        yield from self._select_runs(self._scope, ())

    @property
    def has_complete_run(self) -> bool:
        """Whether an import of a whole file has finished and settled every row.

        A row that failed may have been there before the journal was: its order was not read.
        """
        finished = self._select_runs(f"{self._scope} AND is_whole AND exit_status IN (0, 1)", ())
        return any(_UNSETTLED.isdisjoint(run.counts) for run in finished)

    # -- SQL ---------------------------------------------------------------------------------

    @property
    def _scope(self) -> str:
        return f"destination IN ({', '.join(map(str, self._hashers))})"

    @property
    def _missing(self) -> str:
        is_earlier = f"run <> {self._run}" if self._run else "1"
        return (
            f"{'0' if self._is_forgotten else self._scope} AND role = 0 AND {THERE}"
            f" AND {is_earlier} AND coalesce(nullif(ref, ''), key) NOT IN temp.seen"
        )

    def _select(self, condition: str, parameters: Sequence[object]) -> list[Entry]:
        with translated(self._path):
            rows = self._connection.execute(f"{_SELECT} {condition}", parameters)
            return [self._entry(columns, written) for *columns, written in rows]

    def _entry(self, columns: Sequence[Any], written: object) -> Entry:
        if not is_sound(columns, written):
            raise damaged(
                self._path,
                "an entry has changed since it was written; contacts-journal verify names it",
            )
        return entry_of(columns)

    def _pages(
        self, condition: str, parameters: Sequence[object], by: str, start: object
    ) -> Iterator[Entry]:
        """Yield entries in pages, so that others can be written meanwhile."""
        # Another index than that of the order would have every page sort what is left.
        table = "entry NOT INDEXED" if by == "id" else "entry"
        query = (
            f"SELECT {by}, {COLUMNS}, checksum FROM {table} WHERE {condition} AND {by} > ?"  # noqa: S608
            f" ORDER BY {by} LIMIT {_ENTRIES_A_PAGE}"
        )
        while True:
            with translated(self._path):
                page = self._connection.execute(query, (*parameters, start)).fetchall()
            for _, *columns, written in page:
                yield self._entry(columns, written)
            if len(page) < _ENTRIES_A_PAGE:
                return
            start = page[-1][0]

    def _orders_with(
        self, condition: str, parameters: tuple[object, ...], orders: Iterable[str]
    ) -> set[str]:
        if self._is_forgotten:
            return set()
        query = f"SELECT 1 FROM entry WHERE key BETWEEN ? AND ? AND {condition} LIMIT 1"  # noqa: S608
        with translated(self._path):
            return {
                order
                for order in set(orders)
                if self._connection.execute(
                    query, (*_keys_of(self._hasher.order(order)), *parameters)
                ).fetchone()
            }

    def _number(self, query: str) -> int:
        with translated(self._path):
            return int(self._connection.execute(query).fetchone()[0])

    @contextlib.contextmanager
    def _seen_table(self) -> Iterator[None]:
        with translated(self._path):
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS temp.seen (name PRIMARY KEY) WITHOUT ROWID"
            )
            if self._connection.in_transaction:  # that of a reader
                yield
                return
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._is_unused = False
        with translated(self._path):
            self._connection.execute("BEGIN")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def _select_runs(self, condition: str, parameters: Sequence[object]) -> list[Run]:
        with translated(self._path):
            rows = self._connection.execute(
                f"SELECT * FROM run WHERE {condition} ORDER BY number",  # noqa: S608 - ours
                parameters,
            ).fetchall()
        return [self._run_of(columns, written) for *columns, written in rows]

    def _run_of(self, columns: Sequence[Any], written: object) -> Run:
        if run_checksum(columns) != written:
            raise damaged(self._path, f"run {columns[0]} has changed since it was written")
        number, _, command, source, digest, options, is_whole, started, ended, counts, status = (
            columns
        )
        return Run(
            number=number,
            command=command,
            source=source,
            source_digest=digest,
            options=json.loads(options),
            is_whole=bool(is_whole),
            started_at=started,
            ended_at=ended,
            counts=json.loads(counts),
            exit_status=status,
        )

    def _put_run(self, run: Run) -> None:
        columns = (
            run.number,
            self._destination,
            run.command,
            run.source,
            run.source_digest,
            json.dumps(dict(run.options)),
            int(run.is_whole),
            run.started_at,
            run.ended_at,
            json.dumps(dict(run.counts)),
            run.exit_status,
        )
        with self._transaction():
            self._connection.execute(
                f"INSERT OR REPLACE INTO run VALUES ({'?, ' * len(columns)}?)",  # noqa: S608
                (*columns, run_checksum(columns)),
            )

    def _check_client(self) -> None:
        """Check that the destination is the tenant whose contacts the journal contains."""
        query = f"SELECT 1 FROM entry WHERE {self._scope} AND state <> ? LIMIT 1"  # noqa: S608
        with translated(self._path):
            held = self._connection.execute(query, (State.ABSENT.value,)).fetchone()
        if held is not None and not self._sender.is_key_new:
            raise UsageError(
                f"--journal: {self._path} contains contacts that were sent to "
                f"{self._sender.destination} with another client key. If the key was renewed and "
                "the tenant is the same, give --new-client-key once, and nothing is sent twice. "
                "For another tenant, name another journal with --journal. Nothing was sent."
            )


def _keys_of(order: bytes) -> tuple[bytes, bytes]:
    """Return bounds of the keys that begin with the digest of an order."""
    return order, order + b"\xff" * (CONTENT_BYTES + 1)


def _blank() -> bytes:
    with contextlib.closing(blank_database()) as connection:
        return connection.serialize()


def _migrated_copy(original: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    copy = temporary()
    try:
        with contextlib.closing(original), translated(path):
            original.backup(copy)
            migrate(copy)
    except BaseException:
        copy.close()
        raise
    return copy
