"""``undo-import`` with faults: refused, cut off, killed, and started again."""

import csv
import signal
from random import Random

import pytest
from command import Workplace, order, wait_until
from servers.reference import Fault, ReferenceServer, Request
from undone import HTML, Contacts, at_first_delete, deletions, imported, results

from importer.errors import ExitStatus

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
    "503-of-the-api": Fault(status=503),
    "404-page": Fault(status=404, body=HTML),
    "429": Fault(status=429, headers={"Retry-After": "1"}),
}


LATE = pytest.param(
    Fault(silent=True, store_after=1.3), id="done-late", marks=pytest.mark.real_delays
)


@pytest.mark.parametrize(
    "fault", [*(pytest.param(f, id=name) for name, f in UNCLEAR.items()), LATE]
)
def test_all_contacts_are_deleted_despite_one_fault_each(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer, fault: Fault
) -> None:
    """Each occurs at the first deletion; the status is ``deleted``, as no other client did it."""
    imported(workplace, contacts, server, 4)
    server.contact_fault_of = at_first_delete(fault)
    ran = workplace.undo(server, "--timeout", 1)
    assert (ran.exit_status, ran.statuses) == (0, ["deleted"] * 4), ran.stderr
    assert server.contact_counts() == {}


def test_404_of_a_gateway_does_not_count_as_absent(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The journal keeps its contacts."""
    imported(workplace, contacts, server, 3)
    server.contact_fault_of = lambda _: Fault(status=404, body=HTML)
    ran = workplace.undo(server, "--attempts", 2)
    assert ran.exit_status == ExitStatus.SOME_ROWS_FAILED
    assert {(row["errorCode"], row["retryable"]) for row in ran.results} == {("http.404", "true")}
    assert len(server.requests) == 6
    assert set(workplace.send(workplace.directory / "contacts.csv", server).statuses) == {"exists"}


def test_undeletable_contact_fails_and_is_retried_by_the_next_run(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Each attempt is settled by reading; all others are deleted."""
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
def test_undo_with_503_and_kills_deletes_all_in_the_end(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """It is killed eight times, and every third request is refused; then one run finishes."""
    imported(workplace, contacts, server, 200)
    keep = server.store(order(1), {"firstName": "Somebody"})["ref"]
    random = Random(3)  # noqa: S311 - repeatable moments
    server.latency = 0.01
    server.contact_fault_of = lambda _: Fault(status=503) if random.random() < 0.3 else None
    out = workplace.directory / "undone.csv"
    out.write_text("of yesterday")
    for _ in range(8):
        more = len(server.requests) + random.randint(5, 60)
        process = workplace.start_undo(server)
        wait_until(lambda: len(server.requests) >= more, process)  # noqa: B023 - called immediately
        process.kill()
        process.communicate()
        assert out.read_text() == "of yesterday"
    ran = workplace.undo(server, "--attempts", 30)
    assert ran.exit_status == 0, ran.stderr
    assert set(ran.statuses) == {"deleted", "absent"}
    assert [one["ref"] for found in server.contacts.values() for one in found] == [keep]


@pytest.mark.slow
def test_import_after_a_killed_undo_creates_missing_contacts(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """A contact that was being deleted is read first, so each row has one contact."""
    source = contacts(40)
    imported(workplace, contacts, server, 40)
    for deleted in (5, 12, 20):
        server.latency = 0.02
        process = workplace.start_undo(server)
        wait_until(lambda: len(deletions(server)) >= deleted, process)  # noqa: B023
        process.kill()
        process.communicate()
        assert len(deletions(server)) >= deleted
        # Requests in flight are carried out nevertheless.
        wait_until(lambda: not server.in_flight)
        server.latency = 0.0
        server.requests.clear()
        again = workplace.send(source, server)
        assert again.exit_status == 0, again.stderr
        assert server.contact_counts() == {order(n): 1 for n in range(1, 41)}
        refs = {of: found[0]["ref"] for of, found in server.contacts.items()}
        assert {row["orderRef"]: row["ref"] for row in again.results} == refs
        # Rows that are only found again no longer belong to that run.
        results(workplace, *(row | {"status": "created"} for row in again.results))


def test_signal_finishes_requests_in_flight(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """All files are written; the same command continues."""
    imported(workplace, contacts, server, 300)
    server.latency = 0.03
    process = workplace.start_undo(server)
    wait_until(lambda: len(deletions(server)) > 20, process)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == ExitStatus.TERMINATED, stderr
    with (workplace.directory / "undone.csv").open(newline="") as file:
        reported = list(csv.DictReader(file))
    assert {row["errorCode"] for row in reported if row["status"] == "failed"} == {
        "stopped.interrupted"
    }
    deleted = sum(row["status"] == "deleted" for row in reported)
    assert deleted == len(deletions(server)) == 300 - len(server.contact_counts())
    server.latency = 0.0
    assert workplace.undo(server).exit_status == 0
    assert server.contact_counts() == {}
