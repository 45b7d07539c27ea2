"""Numbered runs, the contacts of a run, missing contacts, and digests for updates by key."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from importer.journal import (
    Entry,
    Journal,
    Sender,
    State,
    changed_fields,
    identity_of,
    merged_digests,
)
from schemas.fields import CONTACT_FIELDS

EU = Sender("https://eu.example")
ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"
OTHER_ORDER = "00000000-0000-4000-8000-000000000001"
KEY = ["identifiers"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is created."""
    return tmp_path / "eu.example.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """An open journal."""
    with closing(Journal.open(path, EU)) as opened:
        yield opened


def contact(journal: Journal, name: str, state: State = State.CREATED, order: str = ORDER) -> Entry:
    """Return an entry."""
    ref = "" if state in {State.INTENT, State.UNKNOWN} else f"ref of {name}"
    return Entry(journal.key(order, name.encode()), order, state, ref)


# -- runs --------------------------------------------------------------------------------------


def test_runs_are_numbered_and_recorded(path: Path) -> None:
    """With all that is known at their start and at their end."""
    for source in ("a.csv", "b.csv"):
        with closing(Journal.open(path, EU)) as journal:
            number = journal.begin_run(
                "import-contacts",
                source,
                source_digest="a1",
                options={"key": "identifiers"},
                is_whole=True,
            )
            journal.finish_run(number, {"created": 2, "invalid": 1}, 1, source_digest="b2")
    with closing(Journal.open_for_reading(path, EU)) as journal:
        first, second = journal.runs()
    assert (first.number, first.source, second.number, second.source) == (1, "a.csv", 2, "b.csv")
    assert (second.command, second.source_digest) == ("import-contacts", "b2")
    assert (dict(second.options), second.is_whole) == ({"key": "identifiers"}, True)
    assert (dict(second.counts), second.exit_status) == ({"created": 2, "invalid": 1}, 1)
    assert second.ended_at is not None
    assert first.started_at <= second.started_at <= second.ended_at


def test_a_killed_run_stays_open(path: Path) -> None:
    """It has no end, no exit status and no counts, and its number is not used again."""
    with closing(Journal.open(path, EU)) as journal:
        journal.begin_run("import-contacts", "a.csv")
    with closing(Journal.open(path, EU)) as journal:
        assert journal.begin_run("undo-import", "") == 2
        killed, _ = journal.runs()
        assert (killed.ended_at, killed.exit_status, killed.counts) == (None, None, {})


def test_runs_of_other_destinations_have_other_numbers(path: Path) -> None:
    """So that a number names one run of the file."""
    for sender in (EU, Sender("https://us.example"), EU):
        with closing(Journal.open(path, sender)) as journal:
            journal.begin_run("import-contacts", "a.csv")
    with closing(Journal.open_for_reading(path, EU)) as journal:
        assert [run.number for run in journal.runs()] == [1, 3]
    with closing(Journal.open_for_reading(path, None)) as journal:
        assert [run.number for run in journal.runs()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("is_whole", "exit_status", "expected"),
    [
        (True, 0, True),
        (True, 1, True),
        (False, 0, False),
        (True, 2, False),
        (True, 3, False),
        (True, 4, False),
        (True, 5, False),
        (True, 130, False),
        (True, None, False),
    ],
)
def test_a_complete_run_has_finished_a_whole_file(
    journal: Journal, exit_status: int | None, *, is_whole: bool, expected: bool
) -> None:
    """Neither a run with --limit nor one that was stopped or killed makes a journal trusted."""
    number = journal.begin_run("import-contacts", "a.csv", is_whole=is_whole)
    if exit_status is not None:
        journal.finish_run(number, {}, exit_status)
    assert journal.has_complete_run is expected


def test_entries_have_the_number_of_the_run_that_created_them(path: Path) -> None:
    """It is kept when a later run writes them back, and new when they are created again."""
    with closing(Journal.open(path, EU)) as journal:
        journal.write([contact(journal, "before numbers")])
        journal.begin_run("import-contacts", "a.csv")
        journal.write([contact(journal, "a", State.INTENT)])
        journal.write([contact(journal, "a"), contact(journal, "b")])
    with closing(Journal.open(path, EU)) as journal:
        journal.begin_run("undo-import", "")
        deleted, other = journal.contacts(run=1)
        journal.write([replace(deleted, state=State.ABSENT), replace(other, href="h")])
        journal.begin_run("import-contacts", "b.csv")
        journal.write([contact(journal, "a")])
        assert [(one.ref, one.run) for one in journal.contacts()] == [
            ("ref of before numbers", 0),
            ("ref of a", 3),
            ("ref of b", 1),
        ]
        assert [one.ref for one in journal.contacts(run=1)] == ["ref of b"]
        assert list(journal.contacts(run=2)) == []


def test_a_contact_known_by_two_keys_is_one_contact(journal: Journal) -> None:
    """As it is when the file names its order by a number."""
    entry = contact(journal, "a")
    alias = replace(entry, key=journal.key("number 31", b"a"))
    journal.write([entry, alias, contact(journal, "b", State.ABSENT)])
    assert journal.contacts_count() == 1
    assert journal.find([alias.key]) == {alias.key: alias}
    assert [one.key for one in journal.contacts()] == [entry.key, journal.key(ORDER, b"b")]
    assert [one.key for one in journal.contacts(order=ORDER.upper())] == sorted(
        [entry.key, journal.key(ORDER, b"b")]
    )
    assert list(journal.contacts(order=OTHER_ORDER)) == []
    journal.mark_seen([alias])
    assert list(journal.missing()) == []


def test_entries_can_be_written_while_contacts_are_read(journal: Journal) -> None:
    """Each is returned once, however many there are."""
    journal.write(contact(journal, str(number)) for number in range(2500))
    read = []
    for number, entry in enumerate(journal.contacts()):
        if number % 500 == 0:
            journal.write([replace(entry, state=State.ABSENT, href="x" * 300)])
        read.append(entry.ref)
    assert read == [f"ref of {number}" for number in range(2500)]
    assert sorted(one.ref for one in journal.contacts(order=ORDER)) == sorted(read)


def test_contacts_are_counted_by_an_index_alone(path: Path, journal: Journal) -> None:
    """Else a start would read all entries."""
    journal.register()
    queries: list[str] = []
    journal._connection.set_trace_callback(queries.append)  # noqa: SLF001 - what it executes
    journal.contacts_count()
    journal._connection.set_trace_callback(None)  # noqa: SLF001
    journal.close()
    with closing(sqlite3.connect(path)) as connection:
        (plan,) = connection.execute(f"EXPLAIN QUERY PLAN {queries[0]}")
    assert "USING COVERING INDEX contact" in plan[3]


# -- missing contacts --------------------------------------------------------------------------


def test_missing_contacts_are_those_of_earlier_runs_that_were_not_seen(path: Path) -> None:
    """Created or found ones; absent, unclear and forgotten ones are not."""
    with closing(Journal.open(path, EU)) as journal:
        journal.begin_run("import-contacts", "a.csv")
        journal.write(contact(journal, f"forgotten {state}", state) for state in State)
        journal.forget()
        journal.write(contact(journal, f"{n} {state}", state) for n in range(3) for state in State)
    before = path.read_bytes()
    for opener in (Journal.open_for_reading, Journal.open):
        with closing(opener(path, EU)) as journal:
            assert journal.missing_count() == 6
            seen = [contact(journal, "0 created"), contact(journal, "1 found", State.FOUND)]
            journal.mark_seen(seen)
            journal.mark_seen(seen)
            assert [one.ref for one in journal.missing()] == [
                "ref of 0 found",
                "ref of 1 created",
                "ref of 2 created",
                "ref of 2 found",
            ]
            assert journal.missing_count() == 4
    assert path.read_bytes() == before
    with closing(Journal.open(path, EU)) as journal:
        journal.mark_seen(seen)
        journal.begin_run("import-contacts", "b.csv")
        journal.write([contact(journal, "new")])
        assert (journal.missing_count(), len(list(journal.missing()))) == (4, 4)


def test_a_contact_without_a_ref_can_be_seen(journal: Journal) -> None:
    """An earlier run may have created it without reading its ref."""
    entry = replace(contact(journal, "a"), ref="")
    other = replace(contact(journal, "b"), ref="")
    journal.write([entry, other])
    journal.mark_seen([entry])
    assert list(journal.missing()) == [other]


# -- digests -----------------------------------------------------------------------------------

ANN = {"identifiers": b"CRM 1", "firstName": b"Ann", "city": b"Cork", "gender": b"female"}


def test_an_entry_is_found_by_its_key_fields(journal: Journal) -> None:
    """Whatever its other values are; on its own order only."""
    digests = journal.digests(ORDER, KEY, ANN)
    entry = replace(contact(journal, "a"), digests=digests)
    journal.write([entry, replace(contact(journal, "b"), digests=journal.digests(ORDER, KEY, {}))])
    now = journal.digests(ORDER.upper(), KEY, ANN | {"city": b"Dublin"})
    others = [
        journal.digests(ORDER, KEY, ANN | {"identifiers": b"CRM 2"}),
        journal.digests(ORDER, ["firstName"], ANN),
        journal.digests(ORDER, [*KEY, "firstName"], ANN),
        journal.digests(OTHER_ORDER, KEY, ANN),
        journal.digests(ORDER, KEY, {"firstName": b"Ann"}),
    ]
    assert journal.find_identities(ORDER, [now, *others]) == [entry]
    assert journal.find_identities(ORDER, others) == []
    assert journal.find_identities(OTHER_ORDER, [now]) == []


def test_blank_key_fields_are_no_identity(journal: Journal) -> None:
    """One filled key field of several is enough."""
    assert identity_of(b"") == b""
    assert identity_of(journal.digests(ORDER, KEY, {"firstName": b"Ann"})) == b""
    assert identity_of(journal.digests(ORDER, ["emails", *KEY], ANN))
    assert identity_of(journal.digests(ORDER, [*KEY, "emails"], ANN)) == identity_of(
        journal.digests(ORDER, ["emails", *KEY], ANN)
    )


def test_changed_fields_are_named(journal: Journal) -> None:
    """A field that is new counts, one that has become blank does not."""
    before = journal.digests(ORDER, KEY, ANN)
    now = {**ANN, "firstName": b"Anna", "street": b"1", "city": b""}
    after = journal.digests(ORDER, KEY, now)
    assert changed_fields(before, after, CONTACT_FIELDS) == ("firstName", "street")
    assert changed_fields(before, before, CONTACT_FIELDS) == ()
    merged = merged_digests(before, after)
    assert changed_fields(merged, after, CONTACT_FIELDS) == ()
    assert changed_fields(merged, before, CONTACT_FIELDS) == ("firstName",)
    assert identity_of(merged) == identity_of(before)


def test_values_that_were_not_recorded_all_count_as_changed(journal: Journal) -> None:
    """As those of entries that a run without a key has written."""
    key_alone = journal.digests(ORDER, KEY, {"identifiers": b"CRM 1"})
    now = journal.digests(ORDER, KEY, ANN)
    assert identity_of(key_alone) == identity_of(now)
    assert changed_fields(key_alone, now, CONTACT_FIELDS) == ("firstName", "city", "gender")
    assert changed_fields(b"", now, ["firstName"]) == ("firstName",)


def test_equal_values_of_two_contacts_have_different_digests(journal: Journal) -> None:
    """Else the journal would show how many contacts share a gender or a birth date."""
    one, two = (
        journal.digests(ORDER, KEY, {"identifiers": identifier, "gender": b"female"})
        for identifier in (b"CRM 1", b"CRM 2")
    )
    assert one[-6:] != two[-6:]


def test_the_fields_of_the_api_have_different_tags(journal: Journal) -> None:
    """Two bytes are enough to tell them apart."""
    all_fields = journal.digests(ORDER, KEY, dict.fromkeys(CONTACT_FIELDS, b"x"))
    names = changed_fields(b"", all_fields, CONTACT_FIELDS)
    assert names == CONTACT_FIELDS
    assert len(all_fields) == 12 + 8 * len(CONTACT_FIELDS)
    assert len(merged_digests(all_fields, all_fields)) == len(all_fields)


def test_orders_with_a_contact_of_another_key_are_found(journal: Journal) -> None:
    """Their contacts must be read before one of them can be taken for new."""
    orders = [f"00000000-0000-4000-8000-{number:012d}" for number in range(5)]
    states = [State.CREATED, State.CREATED, State.CREATED, State.ABSENT, State.FOUND]
    keys = [KEY, [], ["emails"], [], KEY]
    for order, state, names in zip(orders, states, keys, strict=True):
        digests = journal.digests(order, names, ANN) if names else b""
        journal.write([replace(contact(journal, "a", state, order), digests=digests)])
    assert journal.orders_without_key([*orders, ORDER], KEY) == {orders[1], orders[2]}
