"""Unclear answers are settled by reading the order's contacts, never by guessing."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Ran, Workplace, order
from servers.reference import Fault, ReferenceServer, Request

Contacts = Callable[[int], Path]

HTML = b"<html><body>Not found</body></html>"
NOTHING = Fault(store=True, body=b'{"items": []}')
FULL_PAGE = json.dumps({"items": [{"ref": f"r{n}", "firstName": "Eve"} for n in range(10)]})
READINGS: dict[str, tuple[list[Fault | None], str]] = {
    "500": ([Fault(status=500)], "unknown"),
    "500-once": ([Fault(status=500), None], "created"),
    "silent": ([Fault(silent=True)], "unknown"),
    "404-of-the-api": ([Fault(status=404)], "unknown"),
    "404-of-a-gateway": ([Fault(status=404, body=HTML)], "unknown"),
    "200-of-a-page": ([Fault(status=200, body=HTML)], "unknown"),
    "cut": ([Fault(store=True, cut=100)], "unknown"),
    "no-list": ([Fault(store=True, body=b"{}")], "unknown"),
    "of-references": (
        [Fault(store=True, body=b'{"items": [{"ref": "r", "href": "h"}]}')],
        "unknown",
    ),
    "pages-without-end": ([Fault(store=True, body=FULL_PAGE.encode())], "unknown"),
    "second-page-fails": (
        [Fault(store=True, body=FULL_PAGE.encode()), Fault(status=500)] * 2,
        "unknown",
    ),
    "found-by-the-third-reading": ([NOTHING, NOTHING, None], "created"),
}
"""Answers to readings of an order, of which the last repeats, and the resulting status."""


def test_failed_reading_leaves_the_row_unclear_and_sends_nothing(
    workplace: Workplace, contacts: Contacts
) -> None:
    """Every tenth row is stored without a clear answer and meets another list of the table."""
    names = {order(10 * number): name for number, name in enumerate(READINGS, 1)}
    turns = {of: list(READINGS[name][0]) for of, name in names.items()}

    def fault_of(request: Request) -> Fault | None:
        return Fault(status=500, store=True) if request.order_ref in names else None

    def list_fault_of(request: Request) -> Fault | None:
        left = turns[request.order_ref]
        return left.pop(0) if len(left) > 1 else left[0]

    def reported(ran: Ran) -> dict[str, str]:
        rows = (row for row in ran.results if row["orderRef"] in names)
        return {names[row["orderRef"]]: row["status"] for row in rows}

    source = contacts(11 * len(READINGS))
    with ReferenceServer(faults=fault_of, latency=0.02) as server:
        server.list_fault_of = list_fault_of
        first = workplace.send(source, server, "--timeout", 1, "--attempts", 2)
        assert reported(first) == {name: status for name, (_, status) in READINGS.items()}
        assert set(first.statuses) == {"created", "unknown"}
        server.list_fault_of = lambda _: None
        second = workplace.send(source, server)
    expected = {"unknown": "created", "created": "exists"}
    assert reported(second) == {name: expected[status] for name, (_, status) in READINGS.items()}
    posts = Counter(one.order_ref for one in server.requests if one.method == "POST")
    assert set(posts.values()) == {1}
    assert set(server.contact_counts().values()) == {1}


def test_contacts_may_be_listed_in_any_order(workplace: Workplace) -> None:
    """The contact that was sent is recognised by its values."""
    source = workplace.write([("orderRef", "firstName"), (order(1), "Ann"), (order(1), "Bob")])
    with ReferenceServer(faults=lambda _: Fault(status=500, store=True)) as server:
        server.list_fault_of = lambda _: server.contacts[order(1)].reverse()
        ran = workplace.send(source, server)
    refs = {contact["firstName"]: contact["ref"] for contact in server.contacts[order(1)]}
    assert [row["ref"] for row in ran.results] == [refs["Ann"], refs["Bob"]]


def test_fresh_run_does_not_take_an_old_contact_for_a_new_one(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The journal keeps the refs of contacts from before --fresh."""
    source = contacts(1)
    (old,) = workplace.send(source, server).results
    faults = [Fault(status=500, store=True)]
    server.fault_of = lambda _: faults.pop() if faults else None
    (new,) = workplace.send(source, server, "--fresh").results
    assert (new["status"], new["ref"]) == ("created", server.contacts[order(1)][1]["ref"])
    assert new["ref"] != old["ref"]


def test_two_unclear_contacts_of_one_order_get_their_own_refs(
    workplace: Workplace,
) -> None:
    """Their values distinguish them."""
    source = workplace.write(
        [("orderRef", "firstName"), (order(1), "Ann"), (order(1), "Bob"), (order(1), "Ann B")]
    )
    with ReferenceServer(faults=lambda _: Fault(status=500, store=True)) as server:
        ran = workplace.send(source, server)
    assert ran.exit_status == 0
    refs = {contact["firstName"]: contact["ref"] for contact in server.contacts[order(1)]}
    assert [row["ref"] for row in ran.results] == [refs["Ann"], refs["Bob"], refs["Ann B"]]


def test_settling_reads_all_pages(workplace: Workplace) -> None:
    """The contact that was stored is the last of many in its order."""
    source = workplace.write([("orderRef", "firstName"), (order(1), "Ann")])
    with ReferenceServer(faults=[Fault(status=500, store=True)]) as server:
        for number in range(250):
            server.store(order(1), {"firstName": f"Other {number}"})
        ran = workplace.send(source, server)
    assert ran.statuses == ["created"]
    assert ran.results[0]["ref"] == server.contacts[order(1)][-1]["ref"]


def test_rate_counts_every_page_of_a_list(workplace: Workplace) -> None:
    """``--rate`` counts requests, not lists: 26 of them take half a second at 50 a second."""
    source = workplace.write([("orderRef", "firstName"), (order(1), "Ann")])
    with _Timed(faults=[Fault(status=500, store=True)]) as server:
        for number in range(250):
            server.store(order(1), {"firstName": f"Other {number}"})
        ran = workplace.send(source, server, "--rate", 50)
    assert ran.statuses == ["created"]
    assert len(server.times) == 27
    assert server.times[-1] - server.times[0] >= 24 / 50


class _Timed(ReferenceServer):
    """A server that records when each request arrived."""

    def __init__(self, *, faults: list[Fault | None]) -> None:
        super().__init__(faults)
        self.times: list[float] = []

    def arrived(self, request: Request) -> None:
        self.times.append(time.monotonic())
        super().arrived(request)


def test_two_equal_contacts_leave_the_row_unknown(workplace: Workplace) -> None:
    """Which of them belongs to the row cannot be known, so both refs are reported."""
    source = workplace.write([("orderRef", "firstName"), (order(1), "Ann")])
    with ReferenceServer(faults=[Fault(status=500, store=True)]) as server:
        server.store(order(1), {"firstName": "Ann"})
        ran = workplace.send(source, server)
    assert ran.exit_status == 1
    assert ran.statuses == ["unknown"]
    for contact in server.contacts[order(1)]:
        assert contact["ref"] in ran.results[0]["error"]
    assert len(server.contacts[order(1)]) == 2


def test_unsettled_row_is_settled_by_the_next_run(workplace: Workplace) -> None:
    """Reading fails throughout the first run, which does not send the row again."""
    source = workplace.write([("orderRef", "firstName"), (order(1), "Ann"), (order(2), "Bob")])
    with ReferenceServer(faults=[Fault(status=500, store=True)]) as server:
        server.list_fault_of = lambda _: Fault(status=500)
        first = workplace.send(source, server, "--attempts", 2)
        assert first.exit_status == 1
        assert first.statuses == ["unknown", "created"]
        assert server.contact_counts() == {order(1): 1, order(2): 1}
        server.list_fault_of = lambda _: None
        second = workplace.send(source, server)
    assert second.exit_status == 0
    assert second.statuses == ["created", "exists"]
    assert server.contact_counts() == {order(1): 1, order(2): 1}


def test_similar_contact_is_reported_and_not_sent_again(workplace: Workplace) -> None:
    """The API stored a shortened name and gave no answer, so the result stays open."""
    source = workplace.write([("orderRef", "firstName", "email"), (order(1), "Annabel", "a@x.ie")])
    with ReferenceServer(faults=[Fault(status=500)]) as server:
        stored = server.store(order(1), {"firstName": "Anna", "emails": ["a@x.ie"]})
        ran = workplace.send(source, server)
        again = workplace.send(source, server)
    for one in (ran, again):
        assert one.statuses == ["unknown"]
        assert stored["ref"] in one.results[0]["error"]
    assert server.contact_counts() == {order(1): 1}


@pytest.mark.real_delays
def test_request_carried_out_late_is_reported(workplace: Workplace) -> None:
    """It was abandoned and sent again before it was stored; both refs are reported."""
    source = workplace.write([("orderRef", "firstName"), (order(1), "Ann")])
    with ReferenceServer(faults=[Fault(silent=True, store_after=9.0)]) as server:
        ran = workplace.send(source, server, "--timeout", 1)
    assert ran.exit_status == 1
    (row,) = ran.results
    assert (row["status"], row["errorCode"]) == ("created", "contact.duplicated")
    assert {row["ref"], row["error"].rpartition(" as ")[2].partition(":")[0]} == {
        contact["ref"] for contact in server.contacts[order(1)]
    }


def test_ref_of_another_row_is_not_trusted(workplace: Workplace, contacts: Contacts) -> None:
    """The server answers with the same ref each time; reading shows the correct ones."""
    body = json.dumps({"ref": order(999)}).encode()
    with ReferenceServer(faults=lambda _: Fault(store=True, body=body)) as server:
        ran = workplace.send(contacts(3), server, "--concurrency", 1)
    assert ran.exit_status == 0
    refs = [row["ref"] for row in ran.results]
    assert refs[1:] == [server.contacts[order(n)][0]["ref"] for n in (2, 3)]


def test_contact_that_contains_another_is_not_mistaken_for_it(workplace: Workplace) -> None:
    """The one without a last name was not stored, the one with it was."""
    source = workplace.write(
        [("orderRef", "firstName", "lastName"), (order(1), "Ann", ""), (order(1), "Ann", "Bee")]
    )
    faults = iter([Fault(status=500), None])
    with ReferenceServer(faults=lambda _: next(faults, None)) as server:
        server.store(order(1), {"firstName": "Ann", "lastName": "Smith"})
        ran = workplace.send(source, server)
    assert ran.statuses == ["unknown", "created"]
    last_names = [contact.get("lastName") for contact in server.contacts[order(1)]]
    assert last_names == ["Smith", "Bee"]


def test_created_contact_without_a_ref_is_not_sent_again(workplace: Workplace) -> None:
    """The API answered 201; the next run reads the list again to find the ref."""
    source = workplace.write([("orderRef", "firstName"), (order(1), "Ann")])
    with ReferenceServer(faults=[Fault(store=True, body=b"{}")]) as server:
        server.list_fault_of = lambda _: Fault(status=500)
        assert workplace.send(source, server, "--attempts", 2).statuses == ["created"]
        assert workplace.send(source, server, "--attempts", 2).statuses == ["created"]
        (row,) = workplace.send(source, server, "--dry-run").results
        assert (row["status"], row["errorCode"]) == ("exists", "response.invalid")
        assert "did not give its ref" in row["error"]
        server.list_fault_of = lambda _: None
        (row,) = workplace.send(source, server).results
        assert (row["status"], row["ref"]) == ("created", server.contacts[order(1)][0]["ref"])
        (again,) = workplace.send(source, server).results
    assert (again["status"], again["ref"]) == ("exists", row["ref"])
    assert server.contact_counts() == {order(1): 1}
