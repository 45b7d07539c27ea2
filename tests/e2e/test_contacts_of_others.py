"""Contacts that equal a row and existed before are not duplicated, and not deleted unasked."""

from datetime import timedelta
from pathlib import Path

import pytest
from command import Workplace, order
from servers.reference import Fault, ReferenceServer, Reply, Request

from importer.errors import ExitStatus

HOUR = timedelta(hours=1)
ANN = {"firstName": "Ann"}
CLOCKS = [
    pytest.param(timedelta(), id="correct"),
    pytest.param(HOUR, id="an-hour-fast"),
    pytest.param(-HOUR, id="an-hour-slow"),
]


@pytest.fixture
def source(workplace: Workplace) -> Path:
    """Return a file of one row."""
    return workplace.write([("orderRef", "firstName"), (order(1), "Ann")])


def store_before(server: ReferenceServer, ago: timedelta) -> str:
    """Create a contact as another client, so long ago by the server's clock; return its ref."""
    clock, server.clock = server.clock, (server.clock or timedelta()) - ago
    ref: str = server.store(order(1), ANN)["ref"]
    server.clock = clock
    return ref


@pytest.mark.parametrize("clock", CLOCKS)
def test_older_contact_is_reported_and_not_deleted_by_an_undo(
    workplace: Workplace, source: Path, clock: timedelta
) -> None:
    """The request failed without storing it, and reading finds a contact of another client."""
    with ReferenceServer(faults=[Fault(status=500)]) as server:
        server.clock = clock
        ref = store_before(server, timedelta(minutes=2))
        ran = workplace.send(source, server)
        (row,) = ran.results
        assert (row["status"], row["ref"], row["errorCode"]) == ("created", ref, "contact.older")
        assert ran.exit_status == 0
        undone = workplace.undo(server)
        assert undone.exit_status == ExitStatus.SOME_ROWS_FAILED
        assert "Next: look at 1 contact that may have been there before the import" in undone.stderr
        assert "run the same command again" not in undone.stderr
        (row,) = undone.results
        assert (row["status"], row["errorCode"], row["retryable"]) == (
            "failed",
            "contact.older",
            "false",
        )
        assert [one["ref"] for one in server.contacts[order(1)]] == [ref]
        assert workplace.send(source, server).statuses == ["exists"]
        assert server.contact_counts() == {order(1): 1}


def test_force_deletes_an_older_contact(workplace: Workplace, source: Path) -> None:
    """With --force, the user takes responsibility."""
    with ReferenceServer(faults=[Fault(status=500)]) as server:
        store_before(server, HOUR)
        workplace.send(source, server)
        undone = workplace.undo(server, "--force")
        assert (undone.exit_status, undone.statuses) == (0, ["deleted"])
        assert server.contact_counts() == {}


@pytest.mark.parametrize("clock", CLOCKS)
def test_contact_of_the_run_is_recognised_as_its_own(
    workplace: Workplace, source: Path, clock: timedelta
) -> None:
    """The clock of the API may be wrong, as long as it is the same for all its answers."""
    with ReferenceServer(faults=[Fault(drop=True, store=True)]) as server:
        server.clock = clock
        ran = workplace.send(source, server)
        assert [(row["status"], row["errorCode"]) for row in ran.results] == [("created", "")]
        assert workplace.undo(server).statuses == ["deleted"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(status=500, store=True), id="immediately"),
        pytest.param(Fault(drop=True, store_after=1), id="late", marks=pytest.mark.real_delays),
    ],
)
def test_own_contact_is_found_beside_an_older_one(
    workplace: Workplace, source: Path, fault: Fault
) -> None:
    """It is waited for as if there were no other, and the dates distinguish the two."""
    with ReferenceServer(faults=[fault]) as server:
        before = store_before(server, HOUR)
        (row,) = workplace.send(source, server).results
        (own,) = {one["ref"] for one in server.contacts[order(1)]} - {before}
        assert (row["status"], row["ref"], row["errorCode"]) == ("created", own, "")
        assert workplace.undo(server).statuses == ["deleted"]
        assert [one["ref"] for one in server.contacts[order(1)]] == [before]


def test_created_contact_that_is_not_listed_yet_is_not_sent_again(
    workplace: Workplace, source: Path
) -> None:
    """A 201 without a ref means it exists; the listed contact is reported as older."""
    with _Behind(faults=[Fault(store=True, body=b"{}")]) as server:
        ref = store_before(server, HOUR)
        (row,) = workplace.send(source, server).results
        assert (row["status"], row["ref"], row["errorCode"]) == ("created", ref, "contact.older")
        server.is_behind = False
        assert workplace.send(source, server).statuses == ["exists"]
        assert server.contact_counts() == {order(1): 2}


class _Behind(ReferenceServer):
    """A server whose lists do not contain the latest contact yet."""

    is_behind = True

    def _contacts(self, request: Request, order: str) -> Reply:
        found = self.contacts[order]
        return 200, self._page(request, found[:-1] if self.is_behind else found)


def test_dates_are_ignored_without_the_time_of_the_server(
    workplace: Workplace, source: Path
) -> None:
    """Without a Date header they prove nothing."""
    with ReferenceServer(faults=[Fault(status=500)]) as server:
        store_before(server, HOUR)
        server.clock = None
        ran = workplace.send(source, server)
        assert [(row["status"], row["errorCode"]) for row in ran.results] == [("created", "")]


def test_killed_run_leaves_the_time_of_its_request(workplace: Workplace, source: Path) -> None:
    """With it, the next run distinguishes older contacts from its own."""
    with ReferenceServer(faults=[Fault(silent=True)]) as server:
        ref = store_before(server, HOUR)
        process = workplace.start(source, "--base-url", server.url, "--out", workplace.out)
        while not server.requests:
            assert process.poll() is None
        process.kill()
        process.communicate()
        ran = workplace.send(source, server)
        (row,) = ran.results
        assert (row["status"], row["ref"], row["errorCode"]) == ("created", ref, "contact.older")
