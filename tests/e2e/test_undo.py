"""``undo-import``: what a run has created is deleted, and nothing else."""

import csv
import sqlite3
import stat
from typing import Any

import pytest
from command import UNDO, Workplace, order
from servers.reference import Fault, ReferenceServer
from undone import LATER, PAST, Contacts, deletions, imported, results

from importer.errors import ExitStatus


def test_created_contacts_are_deleted_and_reported_in_order(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Thirty rows; another client's contact of the same order is not even read."""
    created = imported(workplace, contacts, server, 30).results
    other = server.store(order(5), {"firstName": "Somebody"})
    ran = workplace.undo(server, "--summary", "summary.json")
    assert ran.exit_status == 0, ran.stderr
    assert server.contact_counts() == {order(5): 1}
    assert not [request for request in server.requests if other["ref"] in request.path]
    same = ("row", "line", "orderRef", "ref", "href", "guestRef")
    assert [[row[c] for c in same] for row in ran.results] == [
        [row[c] for c in same] for row in created
    ]
    assert ran.statuses == ["deleted"] * 30
    assert stat.S_IMODE(ran.out.stat().st_mode) == 0o600
    assert ran.stdout == ""
    figures = workplace.figures()
    assert (figures["rows"], figures["statuses"], figures["exitCode"]) == (30, {"deleted": 30}, 0)


def test_only_rows_that_are_created_are_deleted(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The results of a second run have the same contacts as ``exists``; these are kept."""
    imported(workplace, contacts, server, 3)
    workplace.write(
        [("orderRef", "firstName", "emails")]
        + [(order(n), f"Name {n}", f"p{n}@example.com") for n in (1, 2, 3, 4, 4)],
        "contacts.csv",
    )
    again = workplace.send(workplace.directory / "contacts.csv", server)
    assert again.statuses == ["exists", "exists", "exists", "created", "duplicate"]
    ran = workplace.undo(server)
    assert [(row["row"], row["status"]) for row in ran.results] == [("4", "deleted")]
    assert server.contact_counts() == {order(1): 1, order(2): 1, order(3): 1}


def test_second_undo_finds_everything_absent(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """It deletes nothing, warns of nothing and exits with 0."""
    imported(workplace, contacts, server, 5)
    workplace.undo(server)
    server.requests.clear()
    ran = workplace.undo(server)
    assert (ran.exit_status, ran.statuses) == (0, ["absent"] * 5)
    assert deletions(server) == []
    assert "WARNING" not in ran.stderr


def test_import_can_be_repeated(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The deletions are recorded; contacts that were not deleted are not created twice."""
    created = imported(workplace, contacts, server, 5).results
    server.contacts[order(2)][0] |= {"createdAt": PAST, "modifiedAt": LATER}
    assert workplace.undo(server).exit_status == ExitStatus.SOME_ROWS_FAILED
    again = workplace.send(workplace.directory / "contacts.csv", server)
    assert again.statuses == ["created", "exists", "created", "created", "created"]
    assert server.contact_counts() == {order(n): 1 for n in range(1, 6)}
    assert {row["ref"] for row in again.results} & {row["ref"] for row in created} == {
        created[1]["ref"]
    }


def test_changed_contact_is_kept_and_reported(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Unless --force is given."""
    imported(workplace, contacts, server, 4)
    server.contacts[order(2)][0] |= {"createdAt": PAST, "modifiedAt": LATER}
    server.contacts[order(3)][0] |= {"createdAt": PAST, "modifiedAt": "2026-01-01T00:00:00.9Z"}
    ran = workplace.undo(server)
    assert ran.exit_status == ExitStatus.SOME_ROWS_FAILED
    assert ran.statuses == ["deleted", "failed", "deleted", "deleted"]
    row = ran.results[1]
    assert (row["errorCode"], row["retryable"], row["attempts"]) == (
        "contact.changed",
        "false",
        "0",
    )
    assert "2026-01-01T00:00:02.000+00:00" in row["error"]
    assert "\nNext: look at 1 contact changed since the import" in ran.stderr
    assert "--force" in ran.stderr
    forced = workplace.undo(server, "--force")
    assert (forced.exit_status, forced.statuses) == (0, ["absent", "deleted", "absent", "absent"])
    assert server.contact_counts() == {}


@pytest.mark.parametrize(
    "instants",
    [
        pytest.param({"createdAt": None, "modifiedAt": None}, id="none"),
        pytest.param({"createdAt": PAST, "modifiedAt": "yesterday"}, id="garbage"),
        pytest.param({"ref": "00000000-0000-4000-8000-000000009999"}, id="another-contact"),
    ],
)
def test_contact_of_unclear_origin_is_kept(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer, instants: dict[str, Any]
) -> None:
    """The API does not show whether it is the one that was created."""
    imported(workplace, contacts, server, 1)
    contact = dict(server.contacts[order(1)][0]) | instants
    original = server.reply_to
    server.reply_to = lambda request: (  # type: ignore[method-assign]
        (200, contact) if request.method == "GET" else original(request)
    )
    ran = workplace.undo(server)
    assert [row["errorCode"] for row in ran.results] == ["response.invalid"]
    assert deletions(server) == []


def test_ref_in_two_records_is_deleted_once(workplace: Workplace, server: ReferenceServer) -> None:
    """The second record finds it absent."""
    stored = [server.store(order(1), {"firstName": name}) for name in ("Ann", "Bob")]
    rows = [{"row": n, "orderRef": order(1), "ref": one["ref"]} for n, one in enumerate(stored)]
    results(workplace, rows[0], rows[1], rows[0] | {"ref": stored[0]["ref"].upper()}, rows[1])
    ran = workplace.undo(server)
    assert ran.statuses == ["deleted", "deleted", "absent", "absent"]
    assert deletions(server) == [one["ref"] for one in stored]
    assert "2 contacts at" in ran.stderr


def test_row_without_a_ref_fails(workplace: Workplace, server: ReferenceServer) -> None:
    """The API never returned its ref, or the cell is damaged; nothing is guessed."""
    stored = server.store(order(1), {"firstName": "Ann"})
    refs = ["", "../orders", f"{stored['ref']} ", "'=1+1", stored["ref"]]
    results(workplace, *({"orderRef": order(1), "ref": ref} for ref in refs))
    ran = workplace.undo(server)
    assert ran.statuses == ["failed", "failed", "failed", "failed", "deleted"]
    assert {row["errorCode"] for row in ran.results[:4]} == {"contact.no_ref"}
    assert len(server.requests) == 2


def test_dry_run_shows_what_would_be_deleted(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """It needs no confirmation, and the journal stays unchanged."""
    imported(workplace, contacts, server, 3)
    server.contacts[order(2)][0] |= {"createdAt": PAST, "modifiedAt": LATER}
    server.contacts[order(3)].clear()
    journal = workplace.journal
    before = journal.read_bytes()
    out = workplace.directory / "undone.csv"
    given = (workplace.out, "--base-url", server.url, "--out", out, "--dry-run")
    ran = workplace.run(*given, command=UNDO)
    with out.open(newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["valid", "failed", "absent"]
    assert ran.exit_status == ExitStatus.SOME_ROWS_FAILED
    assert {request.method for request in server.requests} == {"GET"}
    assert journal.read_bytes() == before


def test_found_contact_is_recorded_correctly_after_an_undo(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """If it is kept, no run owns it; if it is deleted, it is absent."""
    imported(workplace, contacts, server, 1)
    own = workplace.out.read_bytes()
    header = ("orderRef", "firstName", "emails")
    source = workplace.write([header, (order(1), "Other", "p1@example.com")], "other.csv")
    assert workplace.send(source, server, "--if-exists", "skip").statuses == ["exists"]
    workplace.out.write_bytes(own)
    contact = server.contacts[order(1)][0]
    instants = {key: contact[key] for key in ("createdAt", "modifiedAt")}
    contact |= {"createdAt": PAST, "modifiedAt": LATER}
    assert workplace.undo(server).statuses == ["failed"]
    assert workplace.send(source, server, "--if-exists", "error").statuses == ["rejected"]
    workplace.out.write_bytes(own)
    contact |= instants
    server.contact_fault_of = lambda request: (
        Fault(status=400) if request.method == "DELETE" else None
    )
    assert workplace.undo(server).statuses == ["failed"]
    assert workplace.send(source, server, "--if-exists", "error").statuses == ["rejected"]
    workplace.out.write_bytes(own)
    server.contact_fault_of = lambda _: None
    assert workplace.undo(server).statuses == ["deleted"]
    assert workplace.send(source, server).statuses == ["created"]


def test_journal_records_deletions_with_their_refs(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Each entry is absent, and keeps the ref that was deleted."""
    created = imported(workplace, contacts, server, 3).results
    workplace.undo(server)
    with sqlite3.connect(workplace.journal) as connection:
        entries = connection.execute("SELECT ref, state FROM entry").fetchall()
    connection.close()
    assert sorted(entries) == sorted((row["ref"], "absent") for row in created)


def test_missing_journal_is_reported_and_not_created(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The contacts are deleted nevertheless."""
    imported(workplace, contacts, server, 2)
    journal = workplace.journal
    journal.unlink()
    ran = workplace.undo(server)
    assert (ran.exit_status, ran.statuses) == (0, ["deleted"] * 2)
    assert "journal.unknown" in ran.stderr
    assert not journal.exists()


def test_undo_of_nothing_asks_for_no_confirmation(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """The exit status is 1, and there are no results."""
    results(workplace, {"orderRef": order(1), "status": "exists", "ref": order(7)})
    out = workplace.directory / "undone.csv"
    given = (workplace.out, "--base-url", server.url, "--out", out)
    ran = workplace.run(*given, command=UNDO)
    assert ran.exit_status == ExitStatus.SOME_ROWS_FAILED
    assert "no import created the contacts that it names" in ran.stderr
    assert not out.exists()
    assert server.requests == []


def test_results_file_saved_by_a_spreadsheet_is_read(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """It has a byte order mark, semicolons, CRLF, missing rows and additional columns."""
    imported(workplace, contacts, server, 5)
    with workplace.out.open(newline="") as file:
        header, *rows = csv.reader(file)
    with workplace.out.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows([[*header, "note"], *([*row, "=1+1"] for row in rows[1:])])
    ran = workplace.undo(server)
    assert (ran.exit_status, ran.statuses) == (0, ["deleted"] * 4), ran.stderr
    assert server.contact_counts() == {order(1): 1}
