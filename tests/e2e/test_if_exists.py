"""Contacts that already exist are kept, updated or refused, and never created twice."""

import json
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from command import Ran, Workplace, order
from servers.reference import Fault, ReferenceServer, Reply, Request

FIELDS = ("orderRef", "firstName", "emails", "city", "identifiers")


def person(number: int, city: str = "Dublin") -> dict[str, Any]:
    """Return a contact as the API stores it."""
    return {
        "firstName": f"Name {number}",
        "emails": [f"p{number}@example.com"],
        "city": city,
        "identifiers": [{"provider": "CRM", "id": str(number)}],
    }


def thirty(workplace: Workplace, server: ReferenceServer) -> Path:
    """Return a file of thirty rows; twenty contacts exist, five of them with another city."""
    for number in range(20):
        server.store(order(number), person(number, "Cork" if number < 5 else "Dublin"))
    rows = ((order(n), f"Name {n}", f"p{n}@example.com", "Dublin", f"CRM:{n}") for n in range(30))
    return workplace.write([FIELDS, *rows])


def writes(server: ReferenceServer) -> list[Request]:
    """Return the requests that change something."""
    return [request for request in server.requests if request.method != "GET"]


def test_skip_keeps_existing_contacts(workplace: Workplace, server: ReferenceServer) -> None:
    """Whether or not they differ; differing fields are named without their values."""
    ran = workplace.send(thirty(workplace, server), server, "--if-exists", "skip")
    assert ran.exit_status == 0, ran.stderr
    assert ran.statuses == ["exists"] * 20 + ["created"] * 10
    assert len(writes(server)) == 10
    assert "city" in ran.results[0]["error"]
    assert "Cork" not in ran.results[0]["error"]
    assert ran.results[5]["error"] == ""
    for number in range(20):
        (contact,) = server.contacts[order(number)]
        assert ran.results[number]["ref"] == contact["ref"]


def test_update_changes_only_differing_fields(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Five are updated, fifteen kept and ten created; a second run changes nothing."""
    source = thirty(workplace, server)
    ran = workplace.send(source, server, "--if-exists", "update")
    assert ran.exit_status == 0, ran.stderr
    assert ran.statuses == ["updated"] * 5 + ["exists"] * 15 + ["created"] * 10
    patches = [request for request in server.requests if request.method == "PATCH"]
    assert [json.loads(request.body) for request in patches] == [{"city": "Dublin"}] * 5
    assert {contact["city"] for found in server.contacts.values() for contact in found} == {
        "Dublin"
    }
    before = len(writes(server))
    again = workplace.send(source, server, "--if-exists", "update")
    assert again.statuses == ["exists"] * 30
    assert len(writes(server)) == before


def test_error_refuses_existing_contacts(workplace: Workplace, server: ReferenceServer) -> None:
    """The row has its own error code and the ref; contacts created by this journal are no error."""
    source = thirty(workplace, server)
    for _ in range(2):
        ran = workplace.send(source, server, "--if-exists", "error")
        assert ran.exit_status == 1
        assert {row["errorCode"] for row in ran.results[:20]} == {"contact.exists"}
        assert ran.results[0]["ref"] == server.contacts[order(0)][0]["ref"]
    assert ran.statuses == ["rejected"] * 20 + ["exists"] * 10
    assert len(writes(server)) == 10


def test_order_is_read_once(workplace: Workplace, server: ReferenceServer) -> None:
    """It has several rows; a contact that this run created counts as existing."""
    rows = [
        (order(1), "Ann", "a@x.ie", "Cork", "CRM:1"),
        (order(1), "Ann", "a@x.ie", "Cobh", "CRM:1"),
        (order(1), "Bob", "b@x.ie", "Cork", "CRM:2"),
    ]
    ran = workplace.send(workplace.write([FIELDS, *rows]), server, "--if-exists", "skip")
    assert ran.statuses == ["created", "exists", "created"]
    assert ran.results[1]["ref"] == ran.results[0]["ref"]
    assert len([r for r in server.requests if r.method == "GET"]) == 1


@pytest.mark.parametrize(
    ("sent", "there", "is_same"),
    [
        pytest.param("CRM:1,a@x.ie", {"identifiers": [("CRM", "1")]}, True, id="identifier"),
        pytest.param(
            "CRM:1,a@x.ie", {"identifiers": [("CRM", "2")], "emails": ["a@x.ie"]}, False, id="other"
        ),
        pytest.param(",a@x.ie", {"emails": ["A@X.ie", "b@x.ie"]}, True, id="address"),
        pytest.param(",a@x.ie", {"emails": ["b@x.ie"]}, False, id="other-address"),
        pytest.param(",", {"firstName": "Ann"}, True, id="name"),
        pytest.param(",", {"firstName": "Ann", "lastName": "Lee"}, False, id="other-name"),
    ],
)
def test_same_person_is_recognised(
    workplace: Workplace,
    server: ReferenceServer,
    sent: str,
    there: dict[str, Any],
    is_same: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """By identifier, otherwise by e-mail address, otherwise by name and date of birth."""
    pairs = there.get("identifiers", [])
    stored = there | {"identifiers": [{"provider": p, "id": i} for p, i in pairs]}
    server.store(order(1), stored)
    identifiers, _, emails = sent.partition(",")
    source = workplace.write(
        [("orderRef", "firstName", "identifiers", "emails"), (order(1), "Ann", identifiers, emails)]
    )
    ran = workplace.send(source, server, "--if-exists", "skip")
    assert ran.statuses == ["exists" if is_same else "created"]


def test_preview_changes_nothing(workplace: Workplace, server: ReferenceServer) -> None:
    """It shows what would be created, updated and kept, and which orders do not exist."""
    server.orders = {order(number): str(number) for number in range(29)}
    source = thirty(workplace, server)
    ran = workplace.send(source, server, "--if-exists", "update", "--dry-run")
    assert ran.exit_status == 1
    assert ran.statuses == ["valid"] * 5 + ["exists"] * 15 + ["valid"] * 9 + ["rejected"]
    assert "city" in ran.results[0]["error"]
    assert ran.results[-1]["errorCode"] == "http.404"
    assert f"{server.url} is read" in ran.stderr
    assert writes(server) == []
    assert not workplace.journal.exists()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(drop=True, store=True), id="dropped-stored"),
        pytest.param(Fault(status=500), id="500"),
        pytest.param(Fault(status=503), id="503"),
    ],
)
def test_lost_create_leaves_one_contact(
    workplace: Workplace, server: ReferenceServer, fault: Fault
) -> None:
    """Settling works in the same way as without --if-exists."""
    faults = iter([fault])
    source = thirty(workplace, server)
    server.fault_of = lambda _: next(faults, None)
    ran = workplace.send(source, server, "--if-exists", "skip")
    assert ran.exit_status == 0, ran.stderr
    assert set(server.contact_counts().values()) == {1}


class _Flaky(ReferenceServer):
    """A server that fails its first updates and lists; the updates are carried out."""

    failures = 3

    def reply_to(self, request: Request) -> Reply:
        if request.method != "POST" and self.failures > 0:
            self.failures -= 1
            if request.method == "PATCH":
                super().reply_to(request)
            return 500, {"status": 500, "code": 500, "message": "Try again."}
        return super().reply_to(request)


def test_updates_and_lists_are_retried(workplace: Workplace) -> None:
    """An update can safely be sent twice."""
    with _Flaky() as server:
        source = thirty(workplace, server)
        ran = workplace.send(source, server, "--if-exists", "update", "--concurrency", 2)
    assert ran.exit_status == 0, ran.stderr
    assert ran.statuses == ["updated"] * 5 + ["exists"] * 15 + ["created"] * 10


def test_missing_contact_is_created_again(workplace: Workplace, server: ReferenceServer) -> None:
    """The list of the order takes precedence over the journal."""
    source = workplace.write([("orderRef", "firstName"), (order(1), "Ann")])
    workplace.send(source, server)
    server.contacts[order(1)].clear()
    ran = workplace.send(source, server, "--if-exists", "skip")
    assert ran.statuses == ["created"]
    assert server.contact_counts() == {order(1): 1}


ANN = {"firstName": "Ann", "emails": ["a@x.ie"], "city": "Cork"}
HEADER = ("orderRef", "firstName", "emails", "city")


def ann(workplace: Workplace, *cities: str) -> Path:
    """Return a file of one person in several cities."""
    return workplace.write([HEADER, *((order(1), "Ann", "a@x.ie", city) for city in cities)])


@pytest.mark.parametrize("store", [True, False])
def test_update_without_an_answer_is_not_taken_for_a_creation(
    workplace: Workplace, server: ReferenceServer, *, store: bool
) -> None:
    """Reading shows its result, and an undo does not delete the contact."""
    ref = server.store(order(1), ANN)["ref"]
    source = ann(workplace, "Dublin")
    lost = Fault(drop=True, store=store)
    server.contact_fault_of = lambda request: lost if request.method == "PATCH" else None
    ran = workplace.send(source, server, "--if-exists", "update", "--attempts", 2)
    assert ran.statuses == ["updated" if store else "failed"]
    server.contact_fault_of = lambda _: None
    ran = workplace.send(source, server, "--if-exists", "update")
    assert (ran.statuses, ran.results[0]["ref"]) == (["exists" if store else "updated"], ref)
    workplace.undo(server)
    assert [(one["ref"], one["city"]) for one in server.contacts[order(1)]] == [(ref, "Dublin")]


class _Blind(ReferenceServer):
    """A server that carries out an update without an answer, and then lists nothing until reset."""

    is_blind = False

    def reply_to(self, request: Request) -> Reply:
        if self.is_blind and request.method == "GET":
            return 500, {"status": 500, "code": 500, "message": "Try again."}
        if request.method == "PATCH":
            self.is_blind = True
            super().reply_to(request)
            return 500, {"status": 500, "code": 500, "message": "Try again."}
        return super().reply_to(request)


def test_update_that_cannot_be_settled_is_unknown(workplace: Workplace) -> None:
    """The next run settles it, and no run takes the contact for its own."""
    with _Blind() as server:
        ref = server.store(order(1), ANN)["ref"]
        source = ann(workplace, "Dublin")
        ran = workplace.send(source, server, "--if-exists", "update", "--attempts", 2)
        assert (ran.exit_status, ran.statuses) == (1, ["unknown"])
        server.is_blind = False
        assert workplace.send(source, server).statuses == ["exists"]
        ran = workplace.send(source, server, "--if-exists", "update")
        assert (ran.statuses, ran.results[0]["ref"]) == (["exists"], ref)
        assert [request.method for request in server.requests].count("POST") == 0


def test_contact_deleted_before_its_update_is_created(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """The order is read again first, so the contact is not created blindly."""
    server.store(order(1), ANN)

    def gone(request: Request) -> Fault | None:
        if request.method == "PATCH":
            server.contacts[order(1)].clear()
        return None

    server.contact_fault_of = gone
    ran = workplace.send(ann(workplace, "Dublin"), server, "--if-exists", "update")
    assert ran.statuses == ["created"]
    assert [request.method for request in server.requests] == ["GET", "PATCH", "GET", "POST"]
    assert server.contact_counts() == {order(1): 1}


def test_contact_created_without_a_ref_is_not_created_again(workplace: Workplace) -> None:
    """It is not listed, so whether it exists is unknown."""
    with _Behind() as server:
        source = ann(workplace, "Cork")
        server.fault_of = lambda _: Fault(store=True, body=b"{}")
        assert workplace.send(source, server).results[0]["errorCode"] == "response.invalid"
        ran = workplace.send(source, server, "--if-exists", "skip")
        assert (ran.exit_status, ran.statuses) == (1, ["unknown"])
        assert workplace.send(source, server).statuses == ["created"]
        assert workplace.send(source, server, "--if-exists", "skip").statuses == ["unknown"]
        assert server.contact_counts() == {order(1): 1}


@pytest.mark.parametrize("mode", ["skip", "update", "error"])
def test_missing_ref_of_a_created_contact_is_found_in_any_mode(
    workplace: Workplace, mode: str
) -> None:
    """It counts as created by this journal, so an undo can delete it."""
    with _Behind() as server:
        source = ann(workplace, "Cork")
        server.fault_of = lambda _: Fault(store=True, body=b"{}")
        (row,) = workplace.send(source, server, "--if-exists", mode).results
        assert (row["status"], row["ref"]) == ("created", "")
        server.is_behind = False
        ran = workplace.send(source, server, "--if-exists", mode)
        ref = server.contacts[order(1)][0]["ref"]
        assert [(row["status"], row["ref"]) for row in ran.results] == [("created", ref)]
        own = workplace.out.read_bytes()
        assert workplace.send(source, server, "--if-exists", mode).statuses == ["exists"]
        workplace.out.write_bytes(own)
        assert workplace.undo(server).statuses == ["deleted"]


@pytest.mark.parametrize(("mode", "status"), [("skip", "exists"), ("update", "updated")])
def test_found_contact_is_not_created_by_a_later_run(
    workplace: Workplace, server: ReferenceServer, mode: str, status: str
) -> None:
    """It is recorded, but not as created: ``error`` refuses it, and an undo keeps it."""
    ref = server.store(order(1), ANN)["ref"]
    source = ann(workplace, "Dublin", "Dublin")
    ran = workplace.send(source, server, "--if-exists", mode)
    assert ran.statuses == [status, "duplicate"]
    assert [row["ref"] for row in ran.results] == [ref, ref]
    ran = workplace.send(source, server)
    assert ran.statuses == ["exists", "duplicate"]
    assert workplace.send(source, server, "--if-exists", "error").statuses[0] == "rejected"
    workplace.undo(server)
    assert server.contact_counts() == {order(1): 1}


class _Behind(ReferenceServer):
    """A server whose lists do not contain what was created."""

    is_behind = True

    def _contacts(self, request: Request, order: str) -> Reply:
        return (
            (200, self._page(request, [])) if self.is_behind else super()._contacts(request, order)
        )


@pytest.mark.parametrize("mode", ["skip", "update", "error"])
def test_outdated_list_does_not_take_precedence_over_the_journal(
    workplace: Workplace, mode: str
) -> None:
    """A contact that this journal created is read by its ref before it is created again."""
    with _Behind() as server:
        source = ann(workplace, "Cork")
        assert workplace.send(source, server, "--if-exists", mode).statuses == ["created"]
        ran = workplace.send(source, server, "--if-exists", mode)
        assert ran.statuses == ["exists"]
        server.contact_fault_of = lambda _: Fault(status=404, body=b"<html>")
        ran = workplace.send(source, server, "--if-exists", mode)
        assert ran.statuses == ["failed"]
        assert server.contact_counts() == {order(1): 1}


@pytest.mark.parametrize("mode", ["skip", "update"])
def test_contact_of_a_killed_run_is_compared_like_any_other(
    workplace: Workplace, server: ReferenceServer, mode: str
) -> None:
    """A similar contact appeared meanwhile, which counts as the same person."""
    source = ann(workplace, "Dublin")
    server.fault_of = lambda _: Fault(silent=True)
    process = workplace.start(source, "--base-url", server.url, "--out", workplace.out)
    while not server.requests:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    server.store(order(1), ANN)
    ran = workplace.send(source, server, "--if-exists", mode)
    assert ran.statuses == ["exists" if mode == "skip" else "updated"]
    assert server.contact_counts() == {order(1): 1}


def test_preview_includes_the_effects_of_earlier_rows(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Its statuses are those of the run that follows."""
    source = ann(workplace, "Cork", "Cork", "Cobh", "Cobh", "Cork", "Youghal")
    reported = {
        "skip": ["valid", "duplicate", "exists", "duplicate", "duplicate", "exists"],
        "update": ["valid", "duplicate", "valid", "duplicate", "duplicate", "valid"],
        "error": ["valid", "duplicate", "rejected", "duplicate", "duplicate", "rejected"],
    }
    for mode, statuses in reported.items():
        ran = workplace.send(source, server, "--if-exists", mode, "--dry-run")
        assert ran.statuses == statuses
        assert "not created" not in ran.out.read_text()
    assert writes(server) == []
    ran = workplace.send(source, server, "--if-exists", "update")
    done = ["created", "duplicate", "updated", "duplicate", "duplicate", "updated"]
    assert ran.statuses == done


@pytest.mark.parametrize("column", ["orderRef", "referenceId"])
def test_preview_finds_all_missing_orders(workplace: Workplace, column: str) -> None:
    """Unlike a run, it does not stop after the first few."""
    with ReferenceServer(orders={order(n): order(n) for n in range(20, 30)}) as server:
        rows = ((order(n), "Ann") for n in range(30))
        source = workplace.write([(column, "firstName"), *rows])
        ran = workplace.send(source, server, "--if-exists", "skip", "--dry-run")
        assert (ran.exit_status, ran.statuses) == (1, ["rejected"] * 20 + ["valid"] * 10)
        assert {request.method for request in server.requests} == {"GET"}
    code = {"orderRef": "http.404", "referenceId": "order.not_found"}[column]
    assert {row["errorCode"] for row in ran.results[:20]} == {code}


def test_missing_orders_do_not_stop_a_run_that_has_read_others(
    workplace: Workplace,
) -> None:
    """An order that can be read shows that the region is correct."""
    with ReferenceServer(orders={order(0): ""}) as server:
        rows = ((order(n), "Ann") for n in range(8))
        source = workplace.write([("orderRef", "firstName"), *rows])
        server.fault_of = lambda _: Fault(status=400)
        ran = workplace.send(source, server, "--if-exists", "skip", "--concurrency", 1)
    assert (ran.exit_status, ran.statuses) == (1, ["rejected"] * 8)


@pytest.mark.parametrize(
    "answer", [500, 429, "<html>", [{"href": "x"}], [{"ref": "x", "href": "x"}]]
)
def test_contact_of_an_unreadable_order_is_not_sent(workplace: Workplace, answer: object) -> None:
    """Whether it exists is unknown."""

    class Unread(ReferenceServer):
        def _contacts(self, request: Request, order: str) -> Reply:
            del request, order
            if isinstance(answer, int):
                return answer, {"status": answer, "code": answer, "message": "No."}
            return 200, {"items": answer}

    with Unread() as server:
        ran = workplace.send(ann(workplace, "Cork"), server, "--if-exists", "skip", "--attempts", 2)
        assert ran.statuses == ["failed"]
        assert writes(server) == []
    assert ran.results[0]["retryable"] == "true"


def test_all_pages_of_an_order_are_compared(workplace: Workplace, server: ReferenceServer) -> None:
    """The last of forty contacts is found like the first."""
    for number in range(40):
        server.store(order(1), person(number))
    rows = ((order(1), f"Name {n}", f"p{n}@example.com", "Dublin", f"CRM:{n}") for n in (0, 39, 40))
    ran = workplace.send(workplace.write([FIELDS, *rows]), server, "--if-exists", "skip")
    assert ran.statuses == ["exists", "exists", "created"]
    assert server.contact_counts() == {order(1): 41}


def test_several_contacts_of_one_person(workplace: Workplace, server: ReferenceServer) -> None:
    """It is unclear which of them to update, unless one of them already equals the row."""
    refs = [server.store(order(1), ANN | {"city": city})["ref"] for city in ("Cork", "Cobh")]
    ran = workplace.send(ann(workplace, "Dublin"), server, "--if-exists", "update")
    assert [row["errorCode"] for row in ran.results] == ["contact.ambiguous"]
    assert all(ref in ran.results[0]["error"] for ref in refs)
    ran = workplace.send(ann(workplace, "Cobh"), server, "--if-exists", "update")
    assert (ran.statuses, ran.results[0]["ref"]) == (["exists"], refs[1])
    assert writes(server) == []


def test_blank_cell_does_not_clear_a_field(workplace: Workplace, server: ReferenceServer) -> None:
    """A value in another notation is not a difference either."""
    fields = {"title": "Ms", "country": "ie", "gender": "FEMALE", "emails": ["B@x.ie", "A@X.IE"]}
    server.store(order(1), ANN | fields | {"dateOfBirth": "1991-01-01T00:00:00.000+00:00"})
    header = (*HEADER, "country", "gender", "dateOfBirth", "title")
    rows = [(order(1), "Ann", "a@x.ie;b@x.ie", "", "IE", "female", "1991-01-01", "")]
    ran = workplace.send(workplace.write([header, *rows]), server, "--if-exists", "update")
    assert ran.statuses == ["exists"]
    assert writes(server) == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["skip", "update"])
def test_kills_and_lost_answers_leave_one_contact_each(
    workplace: Workplace, server: ReferenceServer, mode: str
) -> None:
    """An undo of all runs deletes exactly the contacts that they created."""
    random = Random(6)  # noqa: S311 - repeatable moments
    others = {}
    for number in range(40):
        stored = server.store(order(number), person(number, "Cork" if number < 10 else "Dublin"))
        others[stored["ref"]] = dict(stored)
    rows = ((order(n), f"Name {n}", f"p{n}@example.com", "Dublin", f"CRM:{n}") for n in range(60))
    source = workplace.write([FIELDS, *rows])
    lost = [Fault(drop=True, store=True), Fault(drop=True), Fault(status=500, store=True)]
    faults = [*lost, Fault(status=503), Fault(status=502, body=b"<html>"), *[None] * 5]
    server.latency = 0.01
    server.fault_of = server.contact_fault_of = lambda _: random.choice(faults)
    reported = []
    for _ in range(6):
        more = len(server.requests) + random.randint(5, 80)
        given = (source, "--base-url", server.url, "--out", workplace.out, "--if-exists", mode)
        process = workplace.start(*given)
        while len(server.requests) < more and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.communicate()
        reported += Ran(0, "", "", workplace.out).results if workplace.out.exists() else []
    server.fault_of = server.contact_fault_of = lambda _: None
    ran = workplace.send(source, server, "--if-exists", mode)
    assert ran.exit_status == 0, ran.stderr
    assert server.contact_counts() == {order(n): 1 for n in range(60)}
    there = {one["ref"]: one for found in server.contacts.values() for one in found}
    assert [row["ref"] for row in ran.results] == [
        server.contacts[order(n)][0]["ref"] for n in range(60)
    ]
    reported += ran.results
    assert {row["ref"] for row in reported if row["status"] == "created"}.isdisjoint(others)
    for ref, contact in others.items():
        now = dict(there[ref], modifiedAt=contact["modifiedAt"])
        assert now == (contact | {"city": "Dublin"} if mode == "update" else contact)
    workplace.undo(server)
    assert others.keys() <= {one["ref"] for found in server.contacts.values() for one in found}
