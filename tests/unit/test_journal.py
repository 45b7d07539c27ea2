"""The journal: what it keeps, whom it keeps out, and what it refuses to read."""

import sqlite3
import stat
from pathlib import Path

import pytest

from importer.errors import JournalLockedError, UsageError
from importer.journal import Claims, Entry, Journal, State

EU = "https://eu.example"
ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is to be."""
    return tmp_path / "results.csv.journal"


def created(key: bytes, ref: str = "r1") -> Entry:
    """An entry of a contact that is there."""
    return Entry(key, ORDER, State.CREATED, ref, f"{EU}/v2.1/orderContacts/{ref}", "g1")


def test_entries_survive_reopening(path: Path) -> None:
    """What was written is found by the next run, under the same keys."""
    journal = Journal.open(path, EU)
    entry = created(journal.key(b"contact"))
    journal.write([entry])
    journal.close()
    again = Journal.open(path, EU)
    assert {entry.key: entry} == again.find([again.key(b"contact"), again.key(b"other")])
    again.close()


def test_a_later_entry_takes_the_place_of_an_earlier_one(path: Path) -> None:
    """A key has one entry: the last one written."""
    journal = Journal.open(path, EU)
    key = journal.key(b"contact")
    journal.write([Entry(key, ORDER, State.INTENT)])
    journal.write([created(key)])
    assert State.CREATED is journal.find([key])[key].state
    journal.close()


def test_destinations_are_kept_apart(path: Path) -> None:
    """What was sent to one destination says nothing of another."""
    here = Journal.open(path, EU)
    here.write([created(here.key(b"contact"))])
    here.close()
    there = Journal.open(path, "https://us.example")
    assert there.find([there.key(b"contact")]) == {}
    there.close()


def test_entries_are_found_by_the_refs_of_their_contacts(path: Path) -> None:
    """Of this destination alone, all that share a ref, and none for refs nobody knows."""
    with_it = []
    for destination in (EU, "https://us.example"):
        journal = Journal.open(path, destination)
        entries = [created(journal.key(name), ref) for name, ref in [(b"a", "r1"), (b"b", "r1")]]
        journal.write([*entries, created(journal.key(b"c"), "r2")])
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
    key = here.key(b"contact")
    here.write([created(key)])
    here.close()
    there = Journal.open(path, "https://us.example")
    there.write([created(there.key(b"contact"), "r2")])
    there.forget()
    there.close()
    again = Journal.open(path, EU)
    assert [key] == list(again.find([key]))
    again.close()


def test_the_refs_of_an_order_are_told_but_for_ones_own(path: Path) -> None:
    """Refs that are known belong to the keys they were written for."""
    journal = Journal.open(path, EU)
    one, two = journal.key(b"1"), journal.key(b"2")
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
    assert one.key(b"contact") != two.key(b"contact")
    one.close()
    two.close()


def _garbage(path: Path) -> None:
    path.write_bytes(b"row,status\n" * 1000)


def _other_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()


def _newer(path: Path) -> None:
    Journal.open(path, EU).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def _cut(path: Path) -> None:
    journal = Journal.open(path, EU)
    journal.write([created(journal.key(str(i).encode()), f"r{i}") for i in range(2000)])
    journal.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _directory(path: Path) -> None:
    path.mkdir()


def _link(path: Path) -> None:
    (path.parent / "target").touch()
    path.symlink_to("target")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(_garbage, "no journal of import-contacts", id="text"),
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
    key = journal.key(b"contact")
    journal.write([created(key, "11111111-1111-4111-8111-111111111111")])
    journal.close()
    content = path.read_bytes()
    at = content.index(b"11111111-1111-4111-8111-111111111111")
    path.write_bytes(content[:at] + b"3" + content[at + 1 :])
    journal = Journal.open(path, EU)
    with pytest.raises(UsageError, match="damaged"):
        journal.find([key])
    journal.close()


def test_claims_name_the_first_row_of_a_key() -> None:
    """Later rows of a key learn of the first one, within a batch and across batches."""
    claims = Claims()
    assert claims.claim([b"a", b"b"], [1, 2]) == {}
    assert claims.claim([b"a", b"c", b"c"], [3, 4, 5]) == {3: 1, 5: 4}
    claims.close()
