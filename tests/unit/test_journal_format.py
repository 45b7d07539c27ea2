"""The format of a journal file: migrations, damage, and what is not a journal."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from importer.errors import ImportContactsError, UsageError
from importer.journal import Entry, Journal, Sender, State
from importer.journal.format import FORMAT

EU = Sender("https://eu.example")
ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"
REF = "11111111-1111-4111-8111-111111111111"
FORMAT_4 = Path(__file__).parent / "data" / "format-4.journal"
"""Written by the last version with this format. Contact n of ten has the n-th state (modulo 5),
and every third one a second entry under the number of its order."""
OWNER = Sender("https://eu.example", "first")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is created."""
    return tmp_path / "eu.example.journal"


def filled(path: Path, entries: int = 1) -> list[Entry]:
    """Create a journal with some entries."""
    with closing(Journal.open(path, EU)) as journal:
        journal.begin_run("import-contacts", "contacts.csv")
        written = [
            Entry(journal.key(ORDER, b"%d" % n), ORDER, State.CREATED, f"{REF}{n}", run=1)
            for n in range(entries)
        ]
        journal.write(written)
    return written


# -- migrations --------------------------------------------------------------------------------


def order(number: int) -> str:
    """Return the ref of an order of the old journal."""
    return f"00000000-0000-4000-8000-{number:012d}"


def old_entries(journal: Journal) -> dict[bytes, Entry]:
    """Return the entries that the old journal should contain."""
    entries = []
    for number in range(10):
        state = [*State][number % 5]
        ref = f"10000000-0000-4000-8000-{number:012d}"
        refs = (ref, f"https://eu.example/v2.1/orderContacts/{ref}", "g")
        refs = refs if state in {State.CREATED, State.FOUND} else ("", "", "")
        names = [order(number), f"number {number}"][: 2 if number % 3 == 0 else 1]
        for name in names:
            key = journal.key(name, b"contact %d" % number)
            entries.append(Entry(key, order(number), state, *refs, 1_800_000_000 + number))
    return {entry.key: entry for entry in entries}


def check_old(journal: Journal) -> None:
    """Check that a journal contains what the old one contained."""
    expected = old_entries(journal)
    assert journal.find(list(expected)) == expected
    assert journal.contacts_count() == 4  # and no contact twice
    assert [one.order_ref for one in journal.contacts()] == [order(number) for number in range(10)]
    assert (list(journal.runs()), journal.has_complete_run) == ([], False)
    assert list(journal.verify()) == []


def version_of(path: Path) -> int:
    """Return the format of a journal file."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_journal_of_format_4_is_migrated_when_it_is_opened(path: Path) -> None:
    """It keeps its entries, and other destinations theirs."""
    shutil.copy(FORMAT_4, path)
    with closing(Journal.open(path, OWNER)) as journal:
        check_old(journal)
    assert version_of(path) == FORMAT
    with closing(Journal.open(path, Sender("https://us.example"))) as journal:
        assert [one.ref for one in journal.contacts()] == ["10000000-0000-4000-8000-000000000099"]
    with pytest.raises(UsageError, match="another client key"):
        Journal.open(path, Sender("https://eu.example", "second"))


def test_a_reader_does_not_migrate_the_file(path: Path) -> None:
    """It sees the entries in the new format all the same."""
    shutil.copy(FORMAT_4, path)
    with closing(Journal.open_for_reading(path, OWNER)) as journal:
        check_old(journal)
    assert path.read_bytes() == FORMAT_4.read_bytes()


def statements_of_a_migration(path: Path, kill_at: int | None) -> int:
    """Migrate in a child process, which is killed before one of its statements.

    Returns:
        The number of statements that the migration took, 0 when it was killed.
    """
    child = os.fork()
    if child == 0:
        count = 0

        def before(_statement: str) -> None:
            nonlocal count
            if count == kill_at:
                os._exit(0)
            count += 1

        # Traced from the moment when the file is locked.
        connect = sqlite3.connect

        def traced(*args: object, **options: object) -> sqlite3.Connection:
            connection = connect(*args, **options)  # type: ignore[call-overload]
            connection.set_trace_callback(before)
            return connection  # type: ignore[no-any-return]

        sqlite3.connect = traced  # type: ignore[assignment]
        try:
            Journal.open(path, OWNER).close()
        finally:
            os._exit(min(count, 255))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def test_a_migration_that_is_killed_happens_whole_or_not_at_all(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever statement it is killed before, the next run does it again."""
    large = path.with_name("large.journal")
    shutil.copy(FORMAT_4, large)
    with closing(sqlite3.connect(large)) as connection, connection:
        # More entries, all of another destination, than the cache takes: the file is written
        # before the commit.
        monkeypatch.setattr("importer.journal.database._CACHE_KIB", 32)
        connection.execute(
            """
            INSERT INTO entry (key, destination, order_ref, state, ref, href, guest_ref, sent_at,
                checksum)
            WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 400)
            SELECT randomblob(20), destination, order_ref, state, ref, href, guest_ref, sent_at,
                checksum FROM entry, n WHERE destination = 2
            """
        )
    shutil.copy(large, path)
    total = statements_of_a_migration(path, None)
    assert total > 10
    half_written = 0
    for number in range(total):
        shutil.copy(large, path)
        assert statements_of_a_migration(path, number) == 0
        half_written += path.read_bytes() != large.read_bytes() and version_of(path) == 4
        assert version_of(path) in {4, FORMAT}
        with closing(Journal.open(path, OWNER)) as journal:
            expected = old_entries(journal)
            assert journal.find(list(expected)) == expected
            assert journal.contacts_count() == 4
        assert version_of(path) == FORMAT
    assert half_written


def test_a_failing_migration_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its statements are in one transaction, and so is the version."""
    shutil.copy(FORMAT_4, path)
    steps = (("CREATE TABLE one (x)", "nonsense"),)
    monkeypatch.setattr("importer.journal.format._MIGRATIONS", steps)
    with pytest.raises(UsageError, match="syntax error"):
        Journal.open(path, OWNER)
    assert path.read_bytes() == FORMAT_4.read_bytes()


# -- what is not a journal -----------------------------------------------------------------------


def _text(path: Path) -> None:
    path.write_bytes(b"row,status\n" * 1000)


def _other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")


def _emptied(path: Path) -> None:
    filled(path)
    path.write_bytes(b"")


def _set_version(version: int) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        filled(path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")

    return spoil


def _cut(size: Callable[[int], int]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        filled(path, 2000)
        os.truncate(path, size(path.stat().st_size))

    return spoil


def _without_a_table(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE destination")


def _salt(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE journal SET salt = randomblob(16)")


def _link(path: Path) -> None:
    (path.parent / "target").write_text("x")
    path.symlink_to("target")


@pytest.mark.parametrize("opener", [Journal.open, Journal.open_for_reading])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(_text, "is not a journal of import-contacts", id="text"),
        pytest.param(_emptied, "is empty, which a journal never is", id="emptied"),
        pytest.param(_other_database, "not a journal of import-contacts", id="other-database"),
        pytest.param(_set_version(99), "format 99.*Update import-contacts", id="newer-format"),
        pytest.param(_set_version(3), "format 3, which was never released", id="older-format"),
        pytest.param(_cut(lambda size: size // 2), "damaged", id="truncated"),
        pytest.param(_cut(lambda size: size - 1), "damaged", id="one-byte-less"),
        pytest.param(_cut(lambda size: size + 4096), "damaged", id="one-page-more"),
        pytest.param(_cut(lambda _: 100), "damaged", id="header-only"),
        pytest.param(_cut(lambda _: 1), "not a journal of import-contacts", id="one-byte"),
        pytest.param(_without_a_table, "no such table", id="without-a-table"),
        pytest.param(_salt, "salt has changed", id="another-salt"),
        pytest.param(Path.mkdir, "not a regular file", id="directory"),
        pytest.param(_link, "not a regular file", id="link"),
    ],
)
def test_what_is_not_a_sound_journal_is_refused(
    path: Path,
    spoil: Callable[[Path], None],
    message: str,
    opener: Callable[[Path, Sender], Journal],
) -> None:
    """It is never replaced by a new one, because that would send everything again."""
    spoil(path)
    with pytest.raises(UsageError, match=f"(?s){message}"):
        opener(path, EU)


# -- damage ------------------------------------------------------------------------------------


def replaced(path: Path, old: bytes, new: bytes) -> None:
    """Replace some bytes of a file where they are first found."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def test_an_entry_that_has_changed_is_refused_when_it_is_read(path: Path) -> None:
    """By whichever question; a wrong ref is never returned."""
    (entry,) = filled(path)
    replaced(path, REF.encode(), REF.replace("1", "3", 1).encode())
    reads: list[Callable[[Journal], object]] = [
        lambda journal: journal.find([entry.key]),
        lambda journal: list(journal.contacts()),
        lambda journal: list(journal.missing()),
        lambda journal: journal.find_refs([entry.ref.replace("1", "3", 1)]),
    ]
    for read in reads:
        with (
            closing(Journal.open_for_reading(path, EU)) as journal,
            pytest.raises(UsageError, match="an entry has changed since it was written"),
        ):
            read(journal)


def test_verify_names_what_is_damaged(path: Path) -> None:
    """Entries by number and order, runs by number; a sound journal has no damage."""
    filled(path, 3)
    with closing(Journal.open_for_reading(path, EU)) as journal:
        assert list(journal.verify()) == []
    replaced(path, f"{REF}1".encode(), f"{REF}7".encode())
    replaced(path, b"contacts.csv", b"contacts.tsv")
    with closing(Journal.open_for_reading(path, EU)) as journal:
        assert list(journal.verify()) == [
            f"Entry 2 (order '{ORDER}') differs from what was written.",
            "Run 1 differs from what was written.",
        ]
        with pytest.raises(UsageError, match="run 1 has changed"):
            list(journal.runs())


def damages(sound: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield lost pages and flipped bits: position and content."""
    random = Random(7)  # noqa: S311 - repeatable damage
    for at in range(0, len(sound), 4096):
        yield at, bytes(4096)
    places = [*range(100), *random.sample(range(100, len(sound)), 300)]
    for at in places:
        yield at, bytes([sound[at] ^ 1 << random.randrange(8)])


def test_no_damage_changes_an_entry_or_escapes_verify(path: Path) -> None:
    """Entries come back as they were written; one that does not come back is reported."""
    entries = {entry.key: entry for entry in filled(path, 60)}
    sound = path.read_bytes()
    refused, reported = 0, 0
    for at, damage in damages(sound):
        path.write_bytes(sound[:at] + damage + sound[at + len(damage) :])
        try:
            with closing(Journal.open_for_reading(path, EU)) as journal:
                found = journal.find(list(entries))
                problems = list(journal.verify())
        except ImportContactsError:
            refused += 1
            continue
        assert found.items() <= entries.items(), at
        if found != entries:
            assert problems, at
            reported += 1
    assert refused > len(sound) / 4096
    assert reported > 0
