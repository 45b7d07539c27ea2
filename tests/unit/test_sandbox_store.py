"""Contacts and guests in the store of the sandbox."""

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from importer.sandbox.settings import SandboxError
from importer.sandbox.store import Store

ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"
OTHER_ORDER = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def store() -> Iterator[Store]:
    """A store in memory."""
    store = Store.in_memory()
    yield store
    store.close()


def identified(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Return the fields of a contact with these identifiers."""
    return {"identifiers": [{"provider": provider, "id": id_} for provider, id_ in pairs]}


def test_contact_is_stored_as_sent(store: Store) -> None:
    """A contact is found by its ref and by its order."""
    added = store.add(ORDER, {"lastName": "Nguyễn"}, 5)
    assert store.get(added.ref) == added
    assert store.of_order(ORDER, 0, 10) == [added]
    assert added.fields == {"lastName": "Nguyễn"}


def test_equal_contacts_are_two(store: Store) -> None:
    """Creating is not idempotent: the same fields twice are two contacts."""
    refs = {store.add(ORDER, {"city": "Dublin"}, 0).ref for _ in range(2)}
    assert len(refs) == store.count_of_order(ORDER) == 2


def test_a_page_is_oldest_first(store: Store) -> None:
    """A page starts at its offset and ends at its limit, in the order of creation."""
    refs = [store.add(ORDER, {}, 0).ref for _ in range(5)]
    store.add(OTHER_ORDER, {}, 0)
    assert [contact.ref for contact in store.of_order(ORDER, 1, 3)] == refs[1:4]


def test_a_change_replaces_only_what_it_names(store: Store) -> None:
    """A changed contact keeps its other fields, its guest and its creation time."""
    added = store.add(ORDER, {"city": "Dublin", "state": "D"}, 5)
    changed = store.change(added.ref, {"city": "Cork"}, 9)
    assert changed is not None
    assert changed.fields == {"city": "Cork", "state": "D"}
    assert (changed.guest_ref, changed.created_ms, changed.modified_ms) == (added.guest_ref, 5, 9)


def test_every_change_is_later_than_the_one_before(store: Store) -> None:
    """A change in the same millisecond, or after the clock was set back, is still later."""
    ref = store.add(ORDER, {}, 5).ref
    moments = [store.change(ref, {}, now) for now in (5, 3)]
    assert [changed.modified_ms for changed in moments if changed] == [6, 7]


def test_a_removed_contact_is_gone(store: Store) -> None:
    """A contact can be removed once."""
    ref = store.add(ORDER, {}, 0).ref
    assert [store.remove(ref), store.remove(ref)] == [True, False]
    assert store.get(ref) is None
    assert store.change(ref, {}, 0) is None


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        pytest.param([("CRM", "1")], [("CRM", "1")], True, id="same identifier"),
        pytest.param([("CRM", "1")], [("CRM", "2")], False, id="other id"),
        pytest.param([("CRM", "1")], [("WEB", "1")], False, id="other provider"),
        pytest.param([("CRM", "1")], [("WEB", "7"), ("CRM", "1")], True, id="one of two"),
        pytest.param([], [], False, id="no identifier"),
    ],
)
def test_the_same_identifier_is_the_same_guest(
    store: Store, first: list[tuple[str, str]], second: list[tuple[str, str]], *, is_same: bool
) -> None:
    """Contacts are linked to one guest exactly when they share an identifier."""
    guests = [store.add(ORDER, identified(*pairs), 0).guest_ref for pairs in (first, second)]
    assert (guests[0] == guests[1]) is is_same


def test_guest_gains_identifiers(store: Store) -> None:
    """An identifier sent with a known one, or in an update, belongs to the same guest later."""
    first = store.add(ORDER, identified(("CRM", "1"), ("WEB", "7")), 0)
    store.change(first.ref, identified(("APP", "9")), 0)
    later = [store.add(ORDER, identified(pair), 0) for pair in (("WEB", "7"), ("APP", "9"))]
    assert {contact.guest_ref for contact in later} == {first.guest_ref}


def test_a_guest_has_orders(store: Store) -> None:
    """The orders of a guest are those with a contact linked to it, each once."""
    guest = store.add(ORDER, identified(("CRM", "1")), 0).guest_ref
    store.add(ORDER, identified(("CRM", "1")), 0)
    store.add(OTHER_ORDER, {}, 0)
    assert store.orders(guest) == [ORDER]
    assert store.orders() == [ORDER, OTHER_ORDER]
    assert store.totals() == {"contacts": 3, "orders": 2, "guests": 2}


def test_file_is_persistent_and_private(tmp_path: Path) -> None:
    """A store in a file can be opened again, and only its owner can read it."""
    path = tmp_path / "contacts.db"
    for _ in range(2):
        store = Store.in_file(path)
        guest = store.add(ORDER, identified(("CRM", "1")), 0).guest_ref
        assert {contact.guest_ref for contact in store.latest(-1)} == {guest}
        store.close()
    assert store_size(path) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def store_size(path: Path) -> int:
    """Return how many contacts a file holds."""
    store = Store.in_file(path)
    try:
        return store.count_of_order(ORDER)
    finally:
        store.close()


def test_foreign_files_are_refused_and_unchanged(tmp_path: Path) -> None:
    """A text file, a folder and another program's database are refused and not changed."""
    text, database = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("x" * 200)
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    for path in (text, database, tmp_path):
        before = path.read_bytes() if path.is_file() else b""
        with pytest.raises(SandboxError):
            Store.in_file(path)
        assert (path.read_bytes() if path.is_file() else b"") == before
