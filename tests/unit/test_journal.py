"""The journal: what it keeps, whom it keeps out, and what it refuses to read."""

import fcntl
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from importer.errors import ImportContactsError, JournalLockedError, UsageError
from importer.journal import Claims, Entry, Journal, Sender, State

EU = Sender("https://eu.example")
US = Sender("https://us.example")
ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is to be."""
    return tmp_path / "results.csv.journal"


def created(key: bytes, ref: str = "r1") -> Entry:
    """An entry of a contact that is there."""
    return Entry(key, ORDER, State.CREATED, ref, f"{EU.destination}/v2.1/orderContacts/{ref}", "g1")


def test_entries_survive_reopening(path: Path) -> None:
    """What was written is found by the next run, under the same keys."""
    journal = Journal.open(path, EU)
    entry = replace(created(journal.key(ORDER, b"contact")), sent_at=1_800_000_000)
    journal.write([entry])
    journal.close()
    again = Journal.open(path, EU)
    assert {entry.key: entry} == again.find(
        [again.key(ORDER, b"contact"), again.key(ORDER, b"other")]
    )
    again.close()


def test_a_later_entry_takes_the_place_of_an_earlier_one(path: Path) -> None:
    """A key has one entry: the last one written."""
    journal = Journal.open(path, EU)
    key = journal.key(ORDER, b"contact")
    journal.write([Entry(key, ORDER, State.INTENT)])
    journal.write([created(key)])
    assert State.CREATED is journal.find([key])[key].state
    journal.close()


def test_an_entry_can_move_to_another_order(path: Path) -> None:
    """As one does whose key is made from an order's number, once that is another order's."""
    journal = Journal.open(path, EU)
    key = journal.key("WEB-1", b"contact")
    moved = Entry(key, "00000000-0000-4000-8000-000000000001", State.ABSENT)
    journal.write([created(key)])
    journal.write([moved])
    journal.close()
    again = Journal.open(path, EU)
    assert again.find([key]) == {key: moved}
    again.close()


def test_destinations_are_kept_apart(path: Path) -> None:
    """What was sent to one destination says nothing of another."""
    here = Journal.open(path, EU)
    here.write([created(here.key(ORDER, b"contact"))])
    here.close()
    there = Journal.open(path, US)
    assert there.find([there.key(ORDER, b"contact")]) == {}
    there.close()


def test_entries_are_found_by_the_refs_of_their_contacts(path: Path) -> None:
    """Of this destination alone, all that share a ref, and none for refs nobody knows."""
    with_it = []
    for destination in (EU, US):
        journal = Journal.open(path, destination)
        entries = [
            created(journal.key(ORDER, name), ref) for name, ref in [(b"a", "r1"), (b"b", "r1")]
        ]
        journal.write([*entries, created(journal.key(ORDER, b"c"), "r2")])
        with_it.append(entries)
        journal.close()
    here = Journal.open(path, EU)
    found = here.find_refs(["r1", "r3", *(f"x{number}" for number in range(5000))])
    assert sorted(found, key=lambda entry: entry.key) == sorted(
        with_it[0], key=lambda entry: entry.key
    )
    assert here.find_refs([]) == []
    here.close()


def test_fresh_forgets_only_its_destination(path: Path) -> None:
    """Forgetting one destination leaves the others' entries."""
    here = Journal.open(path, EU)
    key = here.key(ORDER, b"contact")
    here.write([created(key)])
    here.close()
    there = Journal.open(path, US)
    there.write([created(there.key(ORDER, b"contact"), "r2")])
    there.forget()
    there.close()
    again = Journal.open(path, EU)
    assert [key] == list(again.find([key]))
    again.close()


def test_the_refs_of_an_order_are_told_but_for_ones_own(path: Path) -> None:
    """Refs that are known belong to the keys they were written for."""
    journal = Journal.open(path, EU)
    one, two = journal.key(ORDER, b"1"), journal.key(ORDER, b"2")
    journal.write([created(one), Entry(two, ORDER, State.UNKNOWN)])
    assert journal.owned_refs(ORDER, {two}) == {"r1"}
    assert journal.owned_refs(ORDER, {one, two}) == set()
    journal.close()


def test_a_second_run_is_kept_out_until_the_first_ends(path: Path) -> None:
    """The journal is held from opening to closing, against readers too."""
    first = Journal.open(path, EU)
    for opener in (Journal.open, Journal.open_for_reading):
        with pytest.raises(JournalLockedError, match="Another run holds the journal"):
            opener(path, EU)
    first.close()
    Journal.open(path, EU).close()


def test_reading_creates_nothing(path: Path) -> None:
    """A dry run leaves no journal behind."""
    journal = Journal.open_for_reading(path, EU)
    assert journal.find([b"key"]) == {}
    journal.close()
    assert list(path.parent.iterdir()) == []


def test_the_journal_is_for_its_owner_alone(path: Path) -> None:
    """Nobody else can read it, whatever the umask says."""
    Journal.open(path, EU).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_key_can_be_looked_up_in_another_journal(tmp_path: Path) -> None:
    """The same contact has another key in another journal."""
    one, two = (Journal.open(tmp_path / name, EU) for name in ("1", "2"))
    assert one.key(ORDER, b"contact") != two.key(ORDER, b"contact")
    one.close()
    two.close()


def _garbage(path: Path) -> None:
    path.write_bytes(b"row,status\n" * 1000)


def _other_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()


def _emptied(path: Path) -> None:
    Journal.open(path, EU).close()
    path.write_bytes(b"")


def _newer(path: Path) -> None:
    Journal.open(path, EU).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def _cut(path: Path) -> None:
    journal = Journal.open(path, EU)
    journal.write([created(journal.key(ORDER, str(i).encode()), f"r{i}") for i in range(2000)])
    journal.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _directory(path: Path) -> None:
    path.mkdir()


def _link(path: Path) -> None:
    (path.parent / "target").write_text("x")
    path.symlink_to("target")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(_garbage, "no journal of import-contacts", id="text"),
        pytest.param(_emptied, "is empty, which no journal ever is", id="emptied"),
        pytest.param(_other_database, "no journal of import-contacts", id="other-database"),
        pytest.param(_newer, "format 99", id="newer-version"),
        pytest.param(_cut, "damaged", id="truncated"),
        pytest.param(_directory, "not a regular file", id="directory"),
        pytest.param(_link, "not a regular file", id="link"),
    ],
)
def test_what_is_no_sound_journal_is_refused(path: Path, spoil, message: str) -> None:  # noqa: ANN001
    """It is never begun anew, because that would send everything again."""
    spoil(path)
    with pytest.raises(UsageError, match=message):
        Journal.open(path, EU)


def test_a_flipped_bit_in_an_entry_is_noticed(path: Path) -> None:
    """A wrong ref is never told as a true one."""
    journal = Journal.open(path, EU)
    key = journal.key(ORDER, b"contact")
    journal.write([created(key, "11111111-1111-4111-8111-111111111111")])
    journal.close()
    content = path.read_bytes()
    at = content.index(b"11111111-1111-4111-8111-111111111111")
    path.write_bytes(content[:at] + b"3" + content[at + 1 :])
    with pytest.raises(UsageError, match="damaged"):
        Journal.open(path, EU)


def test_no_damage_makes_an_entry_vanish(path: Path) -> None:
    """A bit flipped anywhere, or a page lost: the journal is refused or holds all that it held."""
    journal = Journal.open(path, EU)
    entries = [created(journal.key(ORDER, b"%d" % n), f"r{n}") for n in range(60)]
    journal.write(entries)
    journal.close()
    sound = path.read_bytes()
    random = Random(7)  # noqa: S311 - repeatable damage
    blanked = [(at, bytes(4096)) for at in range(0, len(sound), 4096)]
    flipped = [(at, bytes([sound[at] ^ 1 << random.randrange(8)])) for at in range(100)]
    flipped += [
        (at, bytes([sound[at] ^ 1 << random.randrange(8)]))
        for at in random.sample(range(100, len(sound)), 600)
    ]
    refused = 0
    for at, damage in blanked + flipped:
        path.write_bytes(sound[:at] + damage + sound[at + len(damage) :])
        try:
            journal = Journal.open(path, EU)
        except ImportContactsError:
            refused += 1
        else:
            keys = [journal.key(ORDER, b"%d" % n) for n in range(60)]
            assert journal.find(keys) == {entry.key: entry for entry in entries}, at
            journal.close()
    assert refused > len(blanked)


def test_the_file_alone_holds_all_that_was_written(path: Path, tmp_path: Path) -> None:
    """A copy made while a run holds it, or after that was killed, lacks nothing."""
    journal = Journal.open(path, EU)
    entry = created(journal.key(ORDER, b"contact"))
    journal.write([entry])
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    journal.close()
    again = Journal.open(copy, EU)
    assert again.find([entry.key]) == {entry.key: entry}
    again.close()


def test_a_creation_that_was_killed_leaves_no_journal(path: Path) -> None:
    """What it has left beside it is written over, and nothing stays."""
    (path.parent / f".{path.name}.partial").write_bytes(b"half a journal")
    Journal.open(path, EU).close()
    assert [path] == list(path.parent.iterdir())


def test_a_creation_under_way_keeps_others_out(path: Path) -> None:
    """Two runs that begin at once: the second one leaves."""
    with (path.parent / f".{path.name}.partial").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(JournalLockedError):
            Journal.open(path, EU)


def test_another_client_key_is_refused_once_contacts_are_there(path: Path) -> None:
    """Its tenant may be another: nothing is taken as sent, and nothing is sent again."""
    first, second = (Sender(EU.destination, name) for name in ("first", "second"))
    for sender in (second, first):  # a wrong key that has sent nothing does no harm
        journal = Journal.open(path, sender)
        key = journal.key(ORDER, b"contact")
        journal.close()
    journal = Journal.open(path, first)
    journal.write([created(key)])
    journal.close()
    for opener in (Journal.open, Journal.open_for_reading):
        with pytest.raises(UsageError, match="--new-client-key once"):
            opener(path, second)
    Journal.open(path, US).close()
    assert b"first" not in path.read_bytes()


def test_a_renewed_client_key_goes_on_when_it_is_said_once(path: Path) -> None:
    """The same contacts under the same keys; from then on the old one is the other."""
    old, new = (Sender(EU.destination, name) for name in ("old", "new"))
    journal = Journal.open(path, old)
    entry = created(journal.key(ORDER, b"contact"))
    journal.write([entry])
    journal.close()
    for sender in (replace(new, is_key_new=True), new):
        journal = Journal.open(path, sender)
        assert journal.find([entry.key]) == {entry.key: entry}
        journal.close()
    with pytest.raises(UsageError, match="another client key"):
        Journal.open(path, old)


def test_what_was_forgotten_is_still_owned(path: Path) -> None:
    """A fresh start sends everything, and never takes an old contact for a new one."""
    journal = Journal.open(path, EU)
    key = journal.key(ORDER, b"contact")
    journal.write([created(key, "r1")])
    journal.forget()
    assert journal.find([key]) == {}
    assert journal.owned_refs(ORDER, {key}) == {"r1"}
    journal.write([created(key, "r2")])
    journal.forget()
    assert journal.owned_refs(ORDER, {key}) == {"r1", "r2"}
    journal.drop()
    assert journal.owned_refs(ORDER, {key}) == set()
    journal.close()


def test_claims_name_the_first_row_of_a_key() -> None:
    """Later rows of a key learn of the first one, within a batch and across batches."""
    claims = Claims()
    assert claims.claim([b"a", b"b"], [1, 2]) == {}
    assert claims.claim([b"a", b"c", b"c"], [3, 4, 5]) == {3: 1, 5: 4}
    claims.close()
