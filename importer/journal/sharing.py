"""Identifiers that people share, and guests that identifiers share: a run's own memory of both.

Both are temporary databases, so that memory stays flat. Not thread-safe.

Source: docs/identity.md.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import orjson

from importer.journal.database import temporary

_KEYS_A_QUERY: Final = 500
_CACHE_KIB: Final = 16_384
_PRAGMAS: Final = (
    f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;PRAGMA cache_size = -{_CACHE_KIB};"
)

Identifiers: TypeAlias = tuple[tuple[int, int], ...]
"""Digests of provider and id, of each identifier of a contact."""

Holder: TypeAlias = tuple[int, int | None, int | None, int | None, int]
"""Digests of an identifier and of a person's first name, last name and date of birth (None for
what is blank), and the line of the row in the source file."""


class SharedIdentifiers:
    """The people of each identifier of a run.

    Two rows are of different people if both have a first name, a last name or a date of birth
    and these differ.
    """

    def __init__(self) -> None:
        self._connection = temporary()
        self._connection.executescript(
            f"{_PRAGMAS}"
            "CREATE TABLE holder (identifier INTEGER PRIMARY KEY, first INTEGER, last INTEGER,"
            " birth INTEGER, line INTEGER NOT NULL, other INTEGER);"
            "CREATE INDEX shared ON holder (other) WHERE other IS NOT NULL;"
        )

    def add(self, holders: Iterable[Holder]) -> None:
        """Record who has which identifier, in file order."""
        self._connection.execute("BEGIN")
        # The first value of each kind stays, so a row that leaves it blank hides nothing.
        self._connection.executemany(
            "INSERT INTO holder (identifier, first, last, birth, line) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (identifier) DO UPDATE SET first = ifnull(first, excluded.first),"
            " last = ifnull(last, excluded.last), birth = ifnull(birth, excluded.birth),"
            " other = CASE WHEN first <> excluded.first OR last <> excluded.last"
            " OR birth <> excluded.birth THEN excluded.line END"
            " WHERE other IS NULL AND (first IS NOT excluded.first"
            " OR last IS NOT excluded.last OR birth IS NOT excluded.birth)",
            holders,
        )
        self._connection.execute("COMMIT")

    def count(self) -> int:
        """Return how many identifiers different people share."""
        (count,) = self._connection.execute(
            "SELECT count(*) FROM holder WHERE other IS NOT NULL"
        ).fetchone()
        return int(count)

    def first_lines(self, most: int) -> list[int]:
        """Return lines of the source file with the first of these identifiers, ascending."""
        pairs = self._connection.execute(
            "SELECT line, other FROM holder WHERE other IS NOT NULL ORDER BY other LIMIT ?", (most,)
        )
        return sorted(dict.fromkeys(line for pair in pairs for line in pair))[:most]

    def close(self) -> None:
        """Delete the temporary database."""
        self._connection.close()


class SharedGuests:
    """The identifiers of each guest that contacts were linked to.

    A guest has different identifiers if two of its contacts have different ids of one provider,
    or if its contacts fall into groups that have no identifier in common.
    """

    def __init__(self) -> None:
        self._connection = temporary()
        self._connection.executescript(
            f"{_PRAGMAS}"
            "CREATE TABLE guest (digest INTEGER PRIMARY KEY, ref TEXT NOT NULL,"
            " groups BLOB NOT NULL, is_shared INTEGER NOT NULL);"
            "CREATE INDEX shared ON guest (ref) WHERE is_shared;"
        )

    def add(self, contacts: Sequence[tuple[str, Identifiers]]) -> None:
        """Record the guests of contacts.

        Args:
            contacts: The ref of the guest, and the identifiers of the contact.
        """
        self._connection.execute("BEGIN")
        before = self._connection.total_changes
        self._connection.executemany(
            "INSERT OR IGNORE INTO guest VALUES (?, ?, ?, FALSE)",
            ((hash(ref), ref, _packed([identifiers])) for ref, identifiers in contacts),
        )
        # Most guests have one contact, and then nothing has to be compared.
        if self._connection.total_changes - before < len(contacts):
            self._compare(contacts)
        self._connection.execute("COMMIT")

    def count(self) -> int:
        """Return how many guests have different identifiers."""
        (count,) = self._connection.execute("SELECT count(*) FROM guest WHERE is_shared").fetchone()
        return int(count)

    def refs(self, most: int) -> list[str]:
        """Return refs of some of these guests."""
        found = self._connection.execute(
            "SELECT ref FROM guest WHERE is_shared ORDER BY ref LIMIT ?", (most,)
        )
        return [ref for (ref,) in found]

    def close(self) -> None:
        """Delete the temporary database."""
        self._connection.close()

    def _compare(self, contacts: Sequence[tuple[str, Identifiers]]) -> None:
        known = self._known([hash(ref) for ref, _ in contacts])
        changed: set[int] = set()
        for ref, identifiers in contacts:
            digest, new = hash(ref), frozenset(identifiers)
            groups = known[digest]
            if groups is not None and not any(new <= group for group in groups):
                known[digest] = _joined(groups, new)
                changed.add(digest)
        self._connection.executemany(
            "UPDATE guest SET groups = ?, is_shared = ? WHERE digest = ?",
            (
                (_packed(groups), groups is None or len(groups) > 1, digest)
                for digest in changed
                for groups in (known[digest],)
            ),
        )

    def _known(self, digests: Sequence[int]) -> "dict[int, _Groups]":
        known: dict[int, _Groups] = {}
        for start in range(0, len(digests), _KEYS_A_QUERY):
            some = digests[start : start + _KEYS_A_QUERY]
            marks = ",".join("?" * len(some))
            for digest, packed in self._connection.execute(
                f"SELECT digest, groups FROM guest WHERE digest IN ({marks})",  # noqa: S608
                some,
            ):
                known[digest] = _unpacked(packed)
        return known


_Groups: TypeAlias = list[frozenset[tuple[int, int]]] | None
"""Identifiers of a guest, in groups without one in common; None once two contacts
have different ids of one provider."""


def _joined(groups: list[frozenset[tuple[int, int]]], new: frozenset[tuple[int, int]]) -> _Groups:
    if any(_contradicts(new, group) for group in groups):
        return None
    apart = [group for group in groups if not group & new]
    return [*apart, new.union(*(group for group in groups if group & new))]


def _contradicts(new: frozenset[tuple[int, int]], group: frozenset[tuple[int, int]]) -> bool:
    # A contact may well have two ids of one provider, so one in common is enough.
    providers = {provider for provider, _ in group - new} & {provider for provider, _ in new}
    return not providers <= {provider for provider, _ in group & new}


def _packed(groups: "Sequence[Iterable[tuple[int, int]]] | None") -> bytes:
    return orjson.dumps(groups and list(map(tuple, groups)))


def _unpacked(packed: bytes) -> _Groups:
    groups = orjson.loads(packed)
    return groups and [frozenset(map(tuple, group)) for group in groups]
