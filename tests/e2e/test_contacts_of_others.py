"""Contacts that equal a row and were there before: never doubled, and never deleted unasked."""

from datetime import timedelta
from pathlib import Path

import pytest
from command import Workplace, order
from servers.reference import Fault, ReferenceServer, Reply, Request

from importer.errors import ExitStatus

HOUR = timedelta(hours=1)
ANN = {"firstName": "Ann"}
CLOCKS = [
    pytest.param(timedelta(), id="right"),
    pytest.param(HOUR, id="an-hour-fast"),
    pytest.param(-HOUR, id="an-hour-slow"),
]


@pytest.fixture
def source(workplace: Workplace) -> Path:
    """A file of one row."""
    return workplace.write([("orderRef", "firstName"), (order(1), "Ann")])


def store_before(server: ReferenceServer, ago: timedelta) -> str:
    """Somebody else creates the contact, so long ago by the server's clock; its ref."""
    clock, server.clock = server.clock, (server.clock or timedelta()) - ago
    ref: str = server.store(order(1), ANN)["ref"]
    server.clock = clock
    return ref


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_contact_that_was_there_before_is_told_and_not_undone(
    workplace: Workplace, source: Path, clock: timedelta
) -> None:
    """The create came to nothing, and reading back finds the contact of somebody else."""
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


def test_force_deletes_it_all_the_same(workplace: Workplace, source: Path) -> None:
    """Who knows better can have it."""
    with ReferenceServer(faults=[Fault(status=500)]) as server:
        store_before(server, HOUR)
        workplace.send(source, server)
        undone = workplace.undo(server, "--force")
        assert (undone.exit_status, undone.statuses) == (0, ["deleted"])
        assert server.contact_counts() == {}


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_contact_of_the_run_itself_is_its_own(
    workplace: Workplace, source: Path, clock: timedelta
) -> None:
    """Whatever the API's clock says, as long as it is one."""
    with ReferenceServer(faults=[Fault(drop=True, store=True)]) as server:
        server.clock = clock
        ran = workplace.send(source, server)
        assert [(row["status"], row["errorCode"]) for row in ran.results] == [("created", "")]
        assert workplace.undo(server).statuses == ["deleted"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(status=500, store=True), id="at-once"),
        pytest.param(Fault(drop=True, store_after=1), id="late", marks=pytest.mark.real_delays),
    ],
)
def test_beside_a_contact_that_was_there_before_the_own_one_is_found(
    workplace: Workplace, source: Path, fault: Fault
) -> None:
    """It is waited for as if there were no other, and the date tells the two apart."""
    with ReferenceServer(faults=[fault]) as server:
        before = store_before(server, HOUR)
        (row,) = workplace.send(source, server).results
        (own,) = {one["ref"] for one in server.contacts[order(1)]} - {before}
        assert (row["status"], row["ref"], row["errorCode"]) == ("created", own, "")
        assert workplace.undo(server).statuses == ["deleted"]
        assert [one["ref"] for one in server.contacts[order(1)]] == [before]


def test_what_the_api_has_created_out_of_sight_is_not_sent_again(
    workplace: Workplace, source: Path
) -> None:
    """It said so without a ref, and its list is behind: the one that shows is told as older."""
    with _Behind(faults=[Fault(store=True, body=b"{}")]) as server:
        ref = store_before(server, HOUR)
        (row,) = workplace.send(source, server).results
        assert (row["status"], row["ref"], row["errorCode"]) == ("created", ref, "contact.older")
        server.is_behind = False
        assert workplace.send(source, server).statuses == ["exists"]
        assert server.contact_counts() == {order(1): 2}


class _Behind(ReferenceServer):
    """Its lists do not show the latest contact yet."""

    is_behind = True

    def _contacts(self, request: Request, order: str) -> Reply:
        found = self.contacts[order]
        return 200, self._page(request, found[:-1] if self.is_behind else found)


def test_an_api_that_does_not_tell_the_time_cannot_tell(workplace: Workplace, source: Path) -> None:
    """Dates without a clock beside them prove nothing."""
    with ReferenceServer(faults=[Fault(status=500)]) as server:
        store_before(server, HOUR)
        server.clock = None
        ran = workplace.send(source, server)
        assert [(row["status"], row["errorCode"]) for row in ran.results] == [("created", "")]


def test_a_killed_run_leaves_the_time_on_record(workplace: Workplace, source: Path) -> None:
    """The next run tells the contact of somebody else from the one that may have been created."""
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
