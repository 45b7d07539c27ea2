"""The journal: what it keeps, finds and forgets, and how it keeps other runs out."""

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from importer.errors import JournalLockedError, StoppedError, UsageError
from importer.journal import Claims, Entry, Journal, Sender, State, Wait

EU = Sender("https://eu.example")
US = Sender("https://us.example")
ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"
OTHER_ORDER = "00000000-0000-4000-8000-000000000001"
NUMBER = "number 5745422d31"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is created."""
    return tmp_path / "eu.example.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """An open journal."""
    with closing(Journal.open(path, EU)) as opened:
        yield opened


def created(key: bytes, ref: str = "r1", order: str = ORDER) -> Entry:
    """Return an entry of a contact that is there."""
    return Entry(key, order, State.CREATED, ref, f"{EU.destination}/v2.1/orderContacts/{ref}", "g1")


def write(path: Path, *entries: Entry, sender: Sender = EU) -> None:
    """Write entries as a run of its own."""
    with closing(Journal.open(path, sender)) as journal:
        journal.write(entries)


def key_in(path: Path, content: bytes, order: str = ORDER, sender: Sender = EU) -> bytes:
    """Return a key of a journal, which is created if it is not there."""
    with closing(Journal.open(path, sender)) as journal:
        journal.register()
        return journal.key(order, content)


def test_entries_survive_reopening(path: Path) -> None:
    """What was written is found by the next run, under the same keys."""
    journal = Journal.open(path, EU)
    entry = replace(created(journal.key(ORDER, b"contact")), sent_at=1_800_000_000, digests=b"d")
    journal.write([entry])
    journal.close()
    for opener in (Journal.open, Journal.open_for_reading):
        again = opener(path, EU)
        keys = [again.key(ORDER, b"contact"), again.key(ORDER, b"other")]
        assert again.find(keys) == {entry.key: entry}
        again.close()


def test_a_later_entry_replaces_an_earlier_one(journal: Journal) -> None:
    """A key has one entry: the last one written."""
    key = journal.key(ORDER, b"contact")
    journal.write([Entry(key, ORDER, State.INTENT)])
    journal.write([created(key)])
    assert journal.find([key])[key].state is State.CREATED


def test_an_entry_can_move_to_another_order(path: Path) -> None:
    """A key may be made from an order's number, and that can become another order's."""
    key = key_in(path, b"contact", NUMBER)
    moved = Entry(key, OTHER_ORDER, State.ABSENT)
    write(path, created(key))
    write(path, moved)
    with closing(Journal.open(path, EU)) as again:
        assert again.find([key]) == {key: moved}


def test_destinations_are_kept_apart(path: Path) -> None:
    """What was sent to one destination has no effect on another."""
    write(path, created(key_in(path, b"contact")))
    with closing(Journal.open(path, US)) as there:
        assert there.find([there.key(ORDER, b"contact")]) == {}
        assert (there.contacts_count(), list(there.contacts())) == (0, [])
        assert there.known_orders([ORDER]) == set()


def test_a_reader_without_a_destination_sees_all_of_them(path: Path) -> None:
    """As the commands that inspect a journal file need it."""
    for sender in (EU, US):
        write(path, created(key_in(path, b"c", sender=sender), sender.destination), sender=sender)
    with closing(Journal.open_for_reading(path, None)) as journal:
        assert journal.contacts_count() == 2
        assert [one.ref for one in journal.contacts()] == [EU.destination, US.destination]
        assert {one.ref for one in journal.contacts(order=ORDER)} == {
            EU.destination,
            US.destination,
        }


def test_entries_are_found_by_the_refs_of_their_contacts(path: Path) -> None:
    """Only those of this destination, all that share a ref, and none for unknown refs."""
    with_it = []
    for destination in (EU, US):
        journal = Journal.open(path, destination)
        entries = [
            created(journal.key(ORDER, name), ref) for name, ref in [(b"a", "r1"), (b"b", "r1")]
        ]
        journal.write([*entries, created(journal.key(ORDER, b"c"), "r2")])
        with_it.append(entries)
        journal.close()
    with closing(Journal.open(path, EU)) as here:
        found = here.find_refs(["r1", "r3", *(f"x{number}" for number in range(5000))])
        assert sorted(found, key=lambda entry: entry.key) == sorted(
            with_it[0], key=lambda entry: entry.key
        )
        assert here.find_refs([]) == []


def test_refs_of_an_order_are_owned_by_other_keys(journal: Journal) -> None:
    """The refs of the given keys are left out."""
    one, two = journal.key(ORDER, b"1"), journal.key(ORDER, b"2")
    journal.write([created(one), Entry(two, ORDER, State.UNKNOWN)])
    assert journal.owned_refs(ORDER, {two}) == {"r1"}
    assert journal.owned_refs(ORDER, {one, two}) == set()


def test_found_refs_are_those_that_no_run_created(journal: Journal) -> None:
    """One that an entry has as found and another as created was created."""
    keys = [journal.key(ORDER, content) for content in (b"1", b"2", b"3")]
    found = Entry(keys[1], ORDER, State.FOUND, "r2")
    journal.write([created(keys[0]), found, replace(found, key=keys[2], ref="r1")])
    assert journal.owned_refs(ORDER, ()) == {"r1", "r2"}
    assert journal.found_refs(ORDER, ()) == {"r2"}
    assert journal.found_refs(ORDER, {keys[1]}) == set()
    journal.forget()
    assert (journal.owned_refs(ORDER, ()), journal.found_refs(ORDER, ())) == ({"r1", "r2"}, set())


def test_orders_with_an_entry_in_any_state_are_known(journal: Journal) -> None:
    """Upper and lower case make no difference, and orders are looked up in batches."""
    orders = [f"00000000-0000-4000-8000-{number:012x}" for number in range(len(State))]
    journal.write(
        Entry(journal.key(order, b"c"), order, state)
        for order, state in zip(orders, State, strict=True)
    )
    assert journal.known_orders([*orders, ORDER]) == set(orders)
    assert journal.known_orders([orders[-1].upper()]) == {orders[-1].upper()}
    assert journal.known_orders([]) == set()


# -- other runs --------------------------------------------------------------------------------


def test_a_second_run_is_kept_out_until_the_first_ends(path: Path) -> None:
    """The journal is held from opening to closing, against readers too."""
    first = Journal.open(path, EU)
    for opener in (Journal.open, Journal.open_for_reading):
        with pytest.raises(JournalLockedError, match=r"Another run holds the journal .* --wait"):
            opener(path, EU)
    first.register()
    first.close()
    Journal.open(path, EU).close()


def test_a_reader_keeps_out_runs_that_write_and_no_readers(path: Path) -> None:
    """What a dry run reads does not change under it."""
    write(path, created(key_in(path, b"c")))
    reader = Journal.open_for_reading(path, EU)
    with pytest.raises(JournalLockedError):
        Journal.open(path, EU)
    with closing(Journal.open_for_reading(path, EU)) as second:
        assert second.contacts_count() == 1
    reader.close()
    Journal.open(path, EU).close()


@pytest.mark.parametrize("opener", [Journal.open, Journal.open_for_reading])
def test_waiting_ends_when_the_journal_is_released(path: Path, opener) -> None:  # noqa: ANN001
    """It does not wait longer than that."""
    first = Journal.open(path, EU)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            first.close()

    opener(path, EU, Wait(60, clock=lambda: sum(slept), sleep=sleep)).close()
    assert len(slept) == 3


def test_waiting_ends_at_its_limit(path: Path) -> None:
    """The last sleep is shorter, so that it is not exceeded."""
    slept: list[float] = []
    wait = Wait(1.1, clock=lambda: sum(slept), sleep=slept.append)
    with closing(Journal.open(path, EU)), pytest.raises(JournalLockedError):
        Journal.open(path, EU, wait)
    assert sum(slept) == pytest.approx(1.1)


def test_a_creation_in_progress_keeps_others_out(path: Path) -> None:
    """Of two runs that start together, the second one gives up."""
    with (path.parent / f".{path.name}.partial").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(JournalLockedError):
            Journal.open(path, EU)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_journal_that_was_moved_is_not_written_to(path: Path, *, replaced: bool) -> None:
    """Nothing more may be sent that the next run would not know of."""
    with closing(Journal.open(path, EU)) as journal:
        journal.write([created(journal.key(ORDER, b"1"))])
        path.rename(path.with_name("moved"))
        if replaced:
            path.write_bytes(b"another file")
        with pytest.raises(StoppedError, match="moved or removed"):
            journal.write([created(journal.key(ORDER, b"2"))])


# -- the file ----------------------------------------------------------------------------------


def test_reading_an_absent_journal_creates_nothing(path: Path) -> None:
    """It reads as empty and new."""
    with closing(Journal.open_for_reading(path, EU)) as journal:
        assert journal.find([journal.key(ORDER, b"c")]) == {}
        assert (journal.is_new, journal.has_complete_run) == (True, False)
        assert list(journal.runs()) == []
    assert list(path.parent.iterdir()) == []


def test_opening_without_writing_changes_nothing(path: Path) -> None:
    """So a run whose gates are closed leaves the journal as it was."""
    Journal.open(path, EU).close()
    assert list(path.parent.iterdir()) == []
    write(path, created(key_in(path, b"c")))
    before = path.read_bytes()
    for opener in (Journal.open, Journal.open_for_reading):
        for sender in (replace(EU, client_key="k"), US):
            with closing(opener(path, sender)) as journal:
                assert not journal.is_new
                assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_journal_in_a_read_only_folder_can_be_read(path: Path) -> None:
    """As on a file system that is mounted read-only."""
    write(path, created(key_in(path, b"c")))
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        with closing(Journal.open_for_reading(path, EU)) as journal:
            assert journal.contacts_count() == 1
    finally:
        path.parent.chmod(0o700)


def test_a_reader_rolls_back_what_a_killed_run_left(path: Path, tmp_path: Path) -> None:
    """Half a commit is never read."""
    write(path, created(key_in(path, b"old")))
    killed = tmp_path / "killed.journal"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")  # so that the file is written before the commit
    connection.execute("BEGIN")
    connection.execute("UPDATE entry SET ref = 'half', checksum = 0")
    connection.execute("CREATE TABLE much AS SELECT zeroblob(100000)")
    killed.write_bytes(path.read_bytes())
    killed.with_name("killed.journal-journal").write_bytes(
        path.with_name(f"{path.name}-journal").read_bytes()
    )
    connection.close()
    with closing(Journal.open_for_reading(killed, EU)) as journal:
        assert [one.ref for one in journal.contacts()] == ["r1"]


def test_the_journal_is_for_its_owner_alone(path: Path) -> None:
    """No other user can read it, whatever the umask is."""
    key_in(path, b"c")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name", ["file:r.csv", "file:r?mode=memory", ":memory:", "a?b#c%20d", "f'\"; DROP"]
)
def test_any_name_is_the_name_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """SQLite would take some of them for something else."""
    monkeypatch.chdir(tmp_path)
    write(Path(name), created(key_in(Path(name), b"c")))
    assert [one.name for one in tmp_path.iterdir()] == [name]
    with closing(Journal.open_for_reading(Path(name), EU)) as journal:
        assert journal.contacts_count() == 1


def test_an_empty_name_is_refused() -> None:
    """It is the working directory."""
    with pytest.raises(UsageError, match="not a regular file"):
        Journal.open(Path(), EU)


def test_a_copy_of_the_file_is_complete(path: Path, tmp_path: Path) -> None:
    """Even if it is made while a run holds it, or after that run was killed."""
    with closing(Journal.open(path, EU)) as journal:
        entry = created(journal.key(ORDER, b"contact"))
        journal.write([entry])
        copy = tmp_path / "copy"
        copy.write_bytes(path.read_bytes())
    with closing(Journal.open(copy, EU)) as again:
        assert again.find([entry.key]) == {entry.key: entry}


def test_what_a_killed_creation_left_is_replaced(path: Path) -> None:
    """No file stays beside the journal."""
    (path.parent / f".{path.name}.partial").write_bytes(b"half a journal")
    key_in(path, b"c")
    assert [path] == list(path.parent.iterdir())


# -- client keys -------------------------------------------------------------------------------


def test_keys_differ_between_journals(tmp_path: Path) -> None:
    """No key can be looked up in another journal."""
    assert key_in(tmp_path / "1", b"contact") != key_in(tmp_path / "2", b"contact")


def test_another_client_key_is_refused_once_contacts_are_there(path: Path) -> None:
    """It may belong to another tenant: nothing is taken as sent, and nothing is sent again."""
    first, second = (Sender(EU.destination, name) for name in ("first", "second"))
    key_in(path, b"contact", sender=second)  # a wrong key that sent nothing is harmless
    key = key_in(path, b"contact", sender=first)
    write(path, created(key), sender=first)
    for opener in (Journal.open, Journal.open_for_reading):
        with pytest.raises(UsageError, match="--new-client-key once"):
            opener(path, second)
    key_in(path, b"contact", sender=US)
    key_in(path, b"contact", sender=EU)  # without a client key there is nothing to compare
    with pytest.raises(UsageError, match="--new-client-key once"):
        Journal.open(path, second)
    assert b"first" not in path.read_bytes()


def test_a_renewed_client_key_is_recorded_once_it_is_given(path: Path) -> None:
    """The contacts stay known; from then on the old key is the other one."""
    old, new = (Sender(EU.destination, name) for name in ("old", "new"))
    entry = created(key_in(path, b"contact", sender=old))
    write(path, entry, sender=old)
    for sender in (replace(new, is_key_new=True), new):
        with closing(Journal.open(path, sender)) as journal:
            assert journal.find([entry.key]) == {entry.key: entry}
            journal.register()
    with pytest.raises(UsageError, match="another client key"):
        Journal.open(path, old)


# -- forgetting --------------------------------------------------------------------------------


def test_forgotten_contacts_keep_their_refs(journal: Journal) -> None:
    """A fresh start sends everything, and never takes an old contact for a new one."""
    key = journal.key(ORDER, b"contact")
    journal.write([created(key, "r1"), Entry(journal.key(ORDER, b"i"), ORDER, State.INTENT)])
    journal.forget()
    assert journal.find([key]) == {}
    assert (journal.contacts_count(), journal.known_orders([ORDER])) == (0, set())
    assert journal.owned_refs(ORDER, {key}) == {"r1"}
    (kept,) = journal.contacts()
    assert kept == replace(created(key, "r1"), key=kept.key, is_forgotten=True)
    journal.write([created(key, "r2")])
    journal.forget()
    assert journal.owned_refs(ORDER, {key}) == {"r1", "r2"}
    assert list(journal.verify()) == []
    assert {one.ref for one in journal.find_refs(["r1", "r2"])} == {"r1", "r2"}


def test_a_forgotten_contact_that_was_deleted_stays_forgotten(journal: Journal) -> None:
    """An entry keeps its role when it is written back."""
    journal.write([created(journal.key(ORDER, b"contact"))])
    journal.forget()
    (kept,) = journal.contacts()
    journal.write([replace(kept, state=State.ABSENT)])
    assert list(journal.contacts()) == [replace(kept, state=State.ABSENT)]
    assert list(journal.verify()) == []


def test_fresh_forgets_only_its_destination(path: Path) -> None:
    """The entries of other destinations stay."""
    key = key_in(path, b"contact")
    write(path, created(key))
    there = Journal.open(path, US)
    there.write([created(there.key(ORDER, b"contact"), "r2")])
    there.forget()
    there.close()
    with closing(Journal.open(path, EU)) as again:
        assert [key] == list(again.find([key]))


def test_a_reader_forgets_without_changing_the_file(path: Path) -> None:
    """As a dry run with ``--fresh`` does."""
    key = key_in(path, b"contact")
    write(path, replace(created(key), digests=b"d" * 12))
    before = path.read_bytes()
    with closing(Journal.open_for_reading(path, EU)) as journal:
        journal.forget()
        assert (journal.find([key]), journal.contacts_count()) == ({}, 0)
        assert (journal.known_orders([ORDER]), list(journal.missing())) == (set(), [])
        assert journal.find_identities(ORDER, [b"d" * 12]) == []
    assert path.read_bytes() == before


def test_claims_name_the_first_row_of_a_key() -> None:
    """Later rows of a key get the first one, within a batch and across batches."""
    with closing(Claims()) as claims:
        assert claims.claim([b"a", b"b"], [1, 2]) == {}
        assert claims.claim([b"a", b"c", b"c"], [3, 4, 5]) == {3: 1, 5: 4}
