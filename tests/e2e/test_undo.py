"""``undo-import``: what a run has created is deleted, and nothing else, whatever happens."""

import csv
import os
import pty
import signal
import sqlite3
import stat
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from command import UNDO, Ran, Workplace, order
from servers.reference import Fault, ReferenceServer, Request

from importer.errors import ExitStatus
from importer.journal import Journal, Sender
from schemas.results import RESULT_COLUMNS

if TYPE_CHECKING:
    import subprocess

Contacts = Callable[[int], Path]

HTML = b"<html><body>Not found</body></html>"
PAST, LATER = "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:02.000Z"


def imported(workplace: Workplace, contacts: Contacts, server: ReferenceServer, rows: int) -> Ran:
    """Import so many contacts, each of an order of its own."""
    ran = workplace.send(contacts(rows), server)
    assert ran.statuses == ["created"] * rows
    server.requests.clear()
    return ran


def results(workplace: Workplace, *rows: dict[str, object]) -> None:
    """Write a results file by hand."""
    with workplace.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, RESULT_COLUMNS, restval="")
        writer.writeheader()
        writer.writerows({"status": "created", **row} for row in rows)


def deletions(server: ReferenceServer) -> list[str]:
    """The refs that were to be deleted, in order of arrival."""
    return [r.path.rpartition("/")[2] for r in server.requests if r.method == "DELETE"]


def at_first_delete(fault: Fault) -> Callable[[Request], Fault | None]:
    """The fault for the first request to delete each contact."""
    met: set[str] = set()

    def fault_of(request: Request) -> Fault | None:
        if request.method != "DELETE" or request.path in met:
            return None
        met.add(request.path)
        return fault

    return fault_of


def test_what_was_created_is_deleted_and_told_in_order(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Thirty rows; a contact of somebody else on the same order is not even asked about."""
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
    """The results of a second run call the same contacts ``exists``: they stay."""
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


def test_a_second_undo_finds_everything_absent(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """It deletes nothing, warns of nothing and ends well."""
    imported(workplace, contacts, server, 5)
    workplace.undo(server)
    server.requests.clear()
    ran = workplace.undo(server)
    assert (ran.exit_status, ran.statuses) == (0, ["absent"] * 5)
    assert deletions(server) == []
    assert "WARNING" not in ran.stderr


def test_the_import_can_be_done_again(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The journal has learnt of it; what was not deleted is not created twice."""
    created = imported(workplace, contacts, server, 5).results
    server.contacts[order(2)][0] |= {"createdAt": PAST, "modifiedAt": LATER}
    assert workplace.undo(server).exit_status == ExitStatus.SOME_ROWS_FAILED
    again = workplace.send(workplace.directory / "contacts.csv", server)
    assert again.statuses == ["created", "exists", "created", "created", "created"]
    assert server.contact_counts() == {order(n): 1 for n in range(1, 6)}
    assert {row["ref"] for row in again.results} & {row["ref"] for row in created} == {
        created[1]["ref"]
    }


def test_a_contact_that_somebody_has_changed_is_left_alone_and_told(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Unless it is asked for with --force."""
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
    assert "\nNext: look at the 1 contact that somebody changed" in ran.stderr
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
def test_a_contact_in_doubt_is_left_alone(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer, instants: dict[str, Any]
) -> None:
    """The API does not say whether it is what was created."""
    imported(workplace, contacts, server, 1)
    contact = dict(server.contacts[order(1)][0]) | instants
    original = server.reply_to
    server.reply_to = lambda request: (  # type: ignore[method-assign]
        (200, contact) if request.method == "GET" else original(request)
    )
    ran = workplace.undo(server)
    assert [row["errorCode"] for row in ran.results] == ["response.invalid"]
    assert deletions(server) == []


UNCLEAR = {
    "500-not-done": Fault(status=500),
    "500-done": Fault(status=500, store=True),
    "502-page-done": Fault(status=502, store=True, body=HTML),
    "200-of-a-log-in-page": Fault(status=200, body=HTML),
    "200-done": Fault(status=200, store=True),
    "408-done": Fault(status=408, store=True),
    "dropped-done": Fault(drop=True, store=True),
    "dropped-not-done": Fault(drop=True),
    "silent-done": Fault(silent=True, store=True),
    "silent-not-done": Fault(silent=True),
    "done-late": Fault(silent=True, store_after=1.3),
    "503-of-the-api": Fault(status=503),
    "404-page": Fault(status=404, body=HTML),
    "429": Fault(status=429, headers={"Retry-After": "1"}),
}


@pytest.mark.parametrize("fault", [pytest.param(f, id=name) for name, f in UNCLEAR.items()])
def test_one_fault_each_and_all_are_deleted(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer, fault: Fault
) -> None:
    """Each contact meets it at its first deletion; it is ``deleted``, for nobody else did it."""
    imported(workplace, contacts, server, 4)
    server.contact_fault_of = at_first_delete(fault)
    ran = workplace.undo(server, "--timeout", 1)
    assert (ran.exit_status, ran.statuses) == (0, ["deleted"] * 4), ran.stderr
    assert server.contact_counts() == {}


def test_a_page_in_the_way_is_not_taken_for_an_absence(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The 404 of a gateway: nothing is called absent, and the journal keeps its contacts."""
    imported(workplace, contacts, server, 3)
    server.contact_fault_of = lambda _: Fault(status=404, body=HTML)
    ran = workplace.undo(server, "--attempts", 2)
    assert ran.exit_status == ExitStatus.SOME_ROWS_FAILED
    assert {(row["errorCode"], row["retryable"]) for row in ran.results} == {("http.404", "true")}
    assert len(server.requests) == 6
    assert set(workplace.send(workplace.directory / "contacts.csv", server).statuses) == {"exists"}


def test_what_cannot_be_deleted_fails_and_is_tried_again_by_the_next_run(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """After so many attempts, each settled by reading; the others are deleted."""
    imported(workplace, contacts, server, 3)
    stubborn = server.contacts[order(2)][0]["ref"]

    def fault_of(request: Request) -> Fault | None:
        is_it = request.method == "DELETE" and stubborn in request.path
        return Fault(status=500) if is_it else None

    server.contact_fault_of = fault_of
    ran = workplace.undo(server, "--attempts", 2)
    assert (ran.exit_status, ran.statuses) == (1, ["deleted", "failed", "deleted"])
    row = ran.results[1]
    assert (row["attempts"], row["errorCode"], row["retryable"]) == ("2", "http.500", "true")
    assert "still there" in row["error"]
    server.contact_fault_of = lambda _: None
    assert workplace.undo(server).statuses == ["absent", "deleted", "absent"]


@pytest.mark.slow
def test_an_undo_that_is_interrupted_by_503_and_by_kills_ends_with_all_deleted(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Killed eight times, every third request refused, then one run to the end."""
    imported(workplace, contacts, server, 200)
    keep = server.store(order(1), {"firstName": "Somebody"})["ref"]
    random = Random(3)  # noqa: S311 - repeatable moments
    server.latency = 0.01
    server.contact_fault_of = lambda _: Fault(status=503) if random.random() < 0.3 else None
    out = workplace.directory / "undone.csv"
    out.write_text("of yesterday")
    for _ in range(8):
        more = len(server.requests) + random.randint(5, 60)
        process = start_undo(workplace, server)
        wait_until(lambda: len(server.requests) >= more, process)  # noqa: B023 - called at once
        process.kill()
        process.communicate()
        assert out.read_text() == "of yesterday"
    ran = workplace.undo(server, "--attempts", 30)
    assert ran.exit_status == 0, ran.stderr
    assert set(ran.statuses) == {"deleted", "absent"}
    assert [one["ref"] for found in server.contacts.values() for one in found] == [keep]


@pytest.mark.slow
def test_an_import_after_a_killed_undo_creates_what_is_not_there(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """What was being deleted when the undo died is read first: each row has one contact."""
    source = contacts(40)
    imported(workplace, contacts, server, 40)
    for deleted in (5, 12, 20):
        server.latency = 0.02
        process = start_undo(workplace, server)
        wait_until(lambda: len(deletions(server)) >= deleted, process)  # noqa: B023
        process.kill()
        process.communicate()
        assert len(deletions(server)) >= deleted
        # Those that were in flight are carried out all the same.
        wait_until(lambda: not server.in_flight)
        server.latency = 0.0
        server.requests.clear()
        again = workplace.send(source, server)
        assert again.exit_status == 0, again.stderr
        assert server.contact_counts() == {order(n): 1 for n in range(1, 41)}
        refs = {of: found[0]["ref"] for of, found in server.contacts.items()}
        assert {row["orderRef"]: row["ref"] for row in again.results} == refs
        # The rows that are only found again are not of that run any more.
        results(workplace, *(row | {"status": "created"} for row in again.results))


def test_a_ref_that_is_listed_twice_is_deleted_once(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """The second record finds it gone."""
    stored = [server.store(order(1), {"firstName": name}) for name in ("Ann", "Bob")]
    rows = [{"row": n, "orderRef": order(1), "ref": one["ref"]} for n, one in enumerate(stored)]
    results(workplace, rows[0], rows[1], rows[0] | {"ref": stored[0]["ref"].upper()}, rows[1])
    ran = workplace.undo(server)
    assert ran.statuses == ["deleted", "deleted", "absent", "absent"]
    assert deletions(server) == [one["ref"] for one in stored]
    assert "2 contacts at" in ran.stderr


def test_a_row_without_a_ref_fails_and_nothing_is_guessed(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Created, but the API never said under which ref; or the cell is damaged."""
    stored = server.store(order(1), {"firstName": "Ann"})
    refs = ["", "../orders", f"{stored['ref']} ", "'=1+1", stored["ref"]]
    results(workplace, *({"orderRef": order(1), "ref": ref} for ref in refs))
    ran = workplace.undo(server)
    assert ran.statuses == ["failed", "failed", "failed", "failed", "deleted"]
    assert {row["errorCode"] for row in ran.results[:4]} == {"contact.no_ref"}
    assert len(server.requests) == 2


def test_a_dry_run_deletes_nothing_and_says_what_would_be(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Not even a confirmation is needed; the journal stays as it is."""
    imported(workplace, contacts, server, 3)
    server.contacts[order(2)][0] |= {"createdAt": PAST, "modifiedAt": LATER}
    server.contacts[order(3)].clear()
    journal = workplace.directory / "results.csv.journal"
    before = journal.read_bytes()
    out = workplace.directory / "undone.csv"
    given = (workplace.out, "--base-url", server.url, "--out", out, "--dry-run")
    ran = workplace.run(*given, command=UNDO)
    with out.open(newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["valid", "failed", "absent"]
    assert ran.exit_status == ExitStatus.SOME_ROWS_FAILED
    assert {request.method for request in server.requests} == {"GET"}
    assert journal.read_bytes() == before


def test_without_a_terminal_it_wants_yes(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """It says how many contacts it is about and does nothing."""
    imported(workplace, contacts, server, 3)
    ran = workplace.run(workplace.out, "--base-url", server.url, command=UNDO)
    assert ran.exit_status == ExitStatus.USAGE
    assert "3 contacts" in ran.stderr
    assert "--yes" in ran.stderr
    assert "guest" in ran.stderr
    assert server.requests == []
    assert not (workplace.directory / "results.undone.csv").exists()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(b"y\n", ExitStatus.OK, id="yes"),
        pytest.param(b"n\n", ExitStatus.USAGE, id="no"),
        pytest.param(b"\n", ExitStatus.USAGE, id="nothing"),
        pytest.param(b"\x04", ExitStatus.USAGE, id="end-of-input"),
        pytest.param(b"\x03", ExitStatus.INTERRUPTED, id="ctrl-c"),
    ],
)
def test_on_a_terminal_it_asks(
    workplace: Workplace,
    contacts: Contacts,
    server: ReferenceServer,
    answer: bytes,
    status: ExitStatus,
) -> None:
    """How many, and where; only a yes deletes."""
    imported(workplace, contacts, server, 1)
    pid, terminal = pty.fork()
    if pid == 0:
        command = [*UNDO, str(workplace.out), "--base-url", server.url]
        os.chdir(workplace.directory)
        os.execve(command[0], command, workplace.environment)  # noqa: S606 - our own command
    said = b""
    while b"[y/N]" not in said:
        said += os.read(terminal, 1000)
    assert f"Delete 1 contact at {server.url}?".encode() in said
    os.write(terminal, answer)
    while True:
        try:
            said += os.read(terminal, 1000)
        except OSError:
            break
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == status, said
    os.close(terminal)
    assert server.contact_counts() == ({} if status is ExitStatus.OK else {order(1): 1})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("orderRef,firstName\r\n1,Ann\r\n", id="a-source-file"),
        pytest.param(",".join(RESULT_COLUMNS[:-1]) + "\r\n", id="a-column-is-missing"),
        pytest.param(",".join(reversed(RESULT_COLUMNS)) + "\r\n", id="another-order"),
        pytest.param(",".join(RESULT_COLUMNS) + "\r\n1,2,o,created,r\r\n", id="a-short-record"),
        pytest.param(",".join(RESULT_COLUMNS) + f"\r\n1,2,o,made{',' * 8}\r\n", id="a-status"),
        pytest.param("", id="empty"),
        pytest.param(None, id="missing"),
    ],
)
def test_what_is_no_results_file_exits_3(
    workplace: Workplace, server: ReferenceServer, text: str | None
) -> None:
    """One clear error, nothing deleted, no files."""
    if text is not None:
        workplace.out.write_text(text)
    ran = workplace.undo(server)
    assert ran.exit_status == ExitStatus.INPUT, ran.stderr
    assert "results.csv" in ran.stderr
    assert server.requests == []
    assert not ran.out.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param([], "--region", id="no-destination"),
        pytest.param(["--region", "eu", "--base-url", "http://127.0.0.1"], "only one", id="two"),
        pytest.param(["--base-url", "http://example.com"], "http", id="plain-http"),
        pytest.param(["--region", "eu", "--out", "results.csv"], "source file", id="out-is-input"),
        pytest.param(["--region", "eu", "--sandbox"], "--sandbox", id="sandbox"),
        pytest.param(["--region", "eu", "--config", "none.toml"], "none.toml", id="config"),
    ],
)
def test_wrong_usage_exits_2(workplace: Workplace, arguments: list[str], says: str) -> None:
    """One clear error that names what is wrong."""
    results(workplace)
    ran = workplace.run(workplace.out, "--yes", *arguments, command=UNDO)
    assert ran.exit_status == ExitStatus.USAGE
    assert says in ran.stderr


def test_contacts_of_another_region_are_refused_before_anything_is_deleted(
    workplace: Workplace,
) -> None:
    """There they would seem gone."""
    href = f"https://api-engage-us.sitecorecloud.io/v2.1/orderContacts/{order(7)}"
    results(workplace, {"orderRef": order(1), "ref": order(7), "href": href})
    ran = workplace.run(workplace.out, "--region", "eu", "--yes", command=UNDO)
    assert ran.exit_status == ExitStatus.USAGE
    assert "api-engage-us.sitecorecloud.io" in ran.stderr
    assert "api-engage-eu.sitecorecloud.io" in ran.stderr
    assert "--region" in ran.stderr


def test_a_rehearsal_with_contacts_of_elsewhere_is_warned_of(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """A loopback address can be a tunnel or a copy, and harms nobody."""
    stored = server.store(order(1), {"firstName": "Ann"})
    href = f"https://api-engage-eu.sitecorecloud.io/v2.1/orderContacts/{stored['ref']}"
    results(workplace, {"orderRef": order(1), "ref": stored["ref"], "href": href})
    ran = workplace.undo(server)
    assert ran.statuses == ["deleted"]
    assert "destination.differs" in ran.stderr


def test_wrong_credentials_exit_4(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """At once, with nothing deleted and every row kept for the next run."""
    imported(workplace, contacts, server, 20)
    server.authorization = "Basic other"
    ran = workplace.undo(server)
    assert ran.exit_status == ExitStatus.CREDENTIALS
    assert {(row["status"], row["errorCode"]) for row in ran.results} == {
        ("failed", "stopped.credentials")
    }
    assert len(server.requests) == 1


def test_an_api_that_is_down_exits_5(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """It asks to come back tomorrow; the next run goes on."""
    imported(workplace, contacts, server, 5)
    server.contact_fault_of = lambda _: Fault(status=503, headers={"Retry-After": "86400"})
    ran = workplace.undo(server)
    assert ran.exit_status == ExitStatus.STOPPED
    assert ran.statuses == ["failed"] * 5
    server.contact_fault_of = lambda _: None
    assert workplace.undo(server).statuses == ["deleted"] * 5


def test_too_many_errors_exit_5(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """--max-errors counts what failed."""
    imported(workplace, contacts, server, 50)
    server.contact_fault_of = lambda _: Fault(status=400)
    ran = workplace.undo(server, "--max-errors", 2, "--concurrency", 1)
    assert ran.exit_status == ExitStatus.STOPPED
    assert len(server.requests) == 3


def test_a_journal_that_is_held_exits_75(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """An import is on its way with it."""
    imported(workplace, contacts, server, 2)
    held = Journal.open(workplace.directory / "results.csv.journal", Sender(server.url))
    ran = workplace.undo(server)
    held.close()
    assert ran.exit_status == ExitStatus.LOCKED
    assert server.requests == []


def test_the_summary_says_how_far_the_pace_fell(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """From what was asked for."""
    imported(workplace, contacts, server, 4)
    server.contact_fault_of = at_first_delete(Fault(status=503))
    ran = workplace.undo(server, "--concurrency", 6)
    assert "fell from 6 to" in ran.stderr


def test_a_signal_finishes_what_is_in_flight(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """All files are written; the same command goes on."""
    imported(workplace, contacts, server, 300)
    server.latency = 0.03
    process = start_undo(workplace, server)
    wait_until(lambda: len(deletions(server)) > 20, process)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == ExitStatus.TERMINATED, stderr
    with (workplace.directory / "undone.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    assert {row["errorCode"] for row in told if row["status"] == "failed"} == {
        "stopped.interrupted"
    }
    deleted = sum(row["status"] == "deleted" for row in told)
    assert deleted == len(deletions(server)) == 300 - len(server.contact_counts())
    server.latency = 0.0
    assert workplace.undo(server).exit_status == 0
    assert server.contact_counts() == {}


def test_a_journal_that_is_not_there_is_told_and_not_made(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The contacts are deleted all the same."""
    imported(workplace, contacts, server, 2)
    journal = workplace.directory / "results.csv.journal"
    journal.unlink()
    ran = workplace.undo(server)
    assert (ran.exit_status, ran.statuses) == (0, ["deleted"] * 2)
    assert "journal.unknown" in ran.stderr
    assert not journal.exists()


def test_the_journal_learns_before_it_is_told(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Each entry is absent, and keeps the ref that was deleted."""
    created = imported(workplace, contacts, server, 3).results
    workplace.undo(server)
    with sqlite3.connect(workplace.directory / "results.csv.journal") as connection:
        entries = connection.execute("SELECT ref, state FROM entry").fetchall()
    connection.close()
    assert sorted(entries) == sorted((row["ref"], "absent") for row in created)


def test_nothing_created_is_nothing_to_ask(workplace: Workplace, server: ReferenceServer) -> None:
    """Exit status 0, and a results file without records."""
    results(workplace, {"orderRef": order(1), "status": "exists", "ref": order(7)})
    out = workplace.directory / "undone.csv"
    given = (workplace.out, "--base-url", server.url, "--out", out)
    assert workplace.run(*given, command=UNDO).exit_status == 0
    assert out.read_text().splitlines() == [",".join(RESULT_COLUMNS)]
    assert server.requests == []


def test_rate_and_concurrency_are_kept_to(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """No more in flight than asked for; carried columns are carried on."""
    source = contacts(60)
    server.latency = 0.01
    workplace.send(source, server, "--carry", "firstName")
    server.peak = 0
    ran = workplace.undo(server, "--concurrency", 3)
    assert server.peak == 3
    assert [row["firstName"] for row in ran.results] == [f"Name {n}" for n in range(1, 61)]


def test_the_log_holds_no_secrets(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Neither credentials nor what the API says of contacts."""
    imported(workplace, contacts, server, 2)
    server.contact_fault_of = lambda _: Fault(status=400, body=b'{"code":400,"message":"Name 1"}')
    ran = workplace.undo(server, "-v", "--log-format", "json")
    for secret in ("Name 1", "p1@example.com", "c2FuZGJveDpzYW5kYm94"):
        assert secret not in ran.stderr


def start_undo(workplace: Workplace, server: ReferenceServer) -> "subprocess.Popen[str]":
    """Start the command and return at once."""
    out = workplace.directory / "undone.csv"
    given = (workplace.out, "--base-url", server.url, "--out", out, "--yes")
    return workplace.start(*given, command=UNDO)


def wait_until(
    condition: Callable[[], object], process: "subprocess.Popen[str] | None" = None
) -> None:
    """Wait for something to happen while a process, if any, runs."""
    while not condition() and (process is None or process.poll() is None):
        time.sleep(0.001)


def test_what_an_import_only_found_stays_found(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """An undo that leaves a contact alone makes it nobody's own; one that deletes it, gone."""
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


def test_the_configuration_file_of_the_import_serves_its_undo(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Destination, credentials, pace and journal; what only an import knows is passed over."""
    secret = workplace.directory / "credentials.toml"
    secret.touch(0o600)
    secret.write_text('client_key = "sandbox"\napi_token = "sandbox"\n')
    config = workplace.directory / "import.toml"
    config.write_text(
        f'base-url = "{server.url}"\ncredentials-file = "credentials.toml"\nout = "results.csv"\n'
        'journal = "kept.journal"\nsummary = "of-import.json"\nif-exists = "skip"\n'
        'concurrency = 1\n[columns]\nfirstName = "firstName"\n'
    )
    no = {"SITECORE_CDP_CLIENT_KEY": "", "SITECORE_CDP_API_TOKEN": ""}
    ran = workplace.run(contacts(5), "--config", config, **no)
    assert ran.exit_status == 0, ran.stderr
    figures = workplace.figures("of-import.json")
    server.peak = 0
    ran = workplace.run(workplace.out, "--config", config, "--yes", command=UNDO, **no)
    assert ran.exit_status == 0, ran.stderr
    assert (server.contact_counts(), server.peak) == ({}, 1)
    assert workplace.figures("of-import.json") == figures
    assert "journal.unknown" not in ran.stderr
    variable = {"IMPORT_CONTACTS_CONFIG": str(config)}
    ran = workplace.run(workplace.out, "--yes", command=UNDO, **no, **variable)
    assert ran.exit_status == 0, ran.stderr


def test_what_an_undo_reads_is_not_written_over(workplace: Workplace) -> None:
    """Neither credentials nor configuration."""
    results(workplace)
    for option in ("--credentials-file", "--config"):
        kept = workplace.directory / "kept.toml"
        kept.touch(0o600)
        kept.write_text("")
        given = (workplace.out, "--region", "eu", option, kept, "--out", kept)
        ran = workplace.run(*given, command=UNDO)
        assert (ran.exit_status, kept.read_text()) == (ExitStatus.USAGE, "")


def test_an_undo_heeds_and_tells_where_its_settings_come_from(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """A variable that is none is an error; -v tells the others, and the way to the API."""
    results(workplace)
    variables = {"IMPORT_CONTACTS_BASE_URL": server.url, "IMPORT_CONTACTS_RATE": "7"}
    ran = workplace.run(workplace.out, "-v", command=UNDO, **variables)
    assert ran.exit_status == 0, ran.stderr
    assert "rate: 7 (environment)" in ran.stderr
    assert "api.environment" in ran.stderr
    ran = workplace.run(workplace.out, command=UNDO, **variables, IMPORT_CONTACTS_RAT="7")
    assert ran.exit_status == ExitStatus.USAGE
    assert "IMPORT_CONTACTS_RAT" in ran.stderr


def test_a_results_file_that_went_through_a_spreadsheet(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """With a byte order mark, semicolons, CRLF, rows taken out and columns added at the end."""
    imported(workplace, contacts, server, 5)
    with workplace.out.open(newline="") as file:
        header, *rows = csv.reader(file)
    with workplace.out.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows([[*header, "note"], *([*row, "=1+1"] for row in rows[1:])])
    ran = workplace.undo(server)
    assert (ran.exit_status, ran.statuses) == (0, ["deleted"] * 4), ran.stderr
    assert server.contact_counts() == {order(1): 1}


def test_standard_input_is_no_results_file(workplace: Workplace) -> None:
    """It could not be read twice, nor could anybody be asked."""
    ran = workplace.run("-", "--region", "eu", "--yes", command=UNDO, stdin=b"")
    assert ran.exit_status == ExitStatus.USAGE
    assert "RESULTS_CSV" in ran.stderr
    assert "must be a file" in ran.stderr
