"""Contacts that are there already: left alone, changed or refused, and never created twice."""

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
    """A contact as the API holds it."""
    return {
        "firstName": f"Name {number}",
        "emails": [f"p{number}@example.com"],
        "city": city,
        "identifiers": [{"provider": "CRM", "id": str(number)}],
    }


def thirty(workplace: Workplace, server: ReferenceServer) -> Path:
    """Thirty rows; the contacts of twenty are there, and five of those differ in their city."""
    for number in range(20):
        server.store(order(number), person(number, "Cork" if number < 5 else "Dublin"))
    rows = ((order(n), f"Name {n}", f"p{n}@example.com", "Dublin", f"CRM:{n}") for n in range(30))
    return workplace.write([FIELDS, *rows])


def writes(server: ReferenceServer) -> list[Request]:
    """The requests that change something."""
    return [request for request in server.requests if request.method != "GET"]


def test_skip_leaves_alone_what_is_there(workplace: Workplace, server: ReferenceServer) -> None:
    """Whether or not it differs; the differing fields are named without their values."""
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


def test_update_changes_the_differing_fields_alone(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Five are changed, fifteen left alone, ten created; a second run finds all as they are."""
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


def test_error_refuses_what_is_there(workplace: Workplace, server: ReferenceServer) -> None:
    """With a code of its own and the ref; what this journal has created is no error."""
    source = thirty(workplace, server)
    for _ in range(2):
        ran = workplace.send(source, server, "--if-exists", "error")
        assert ran.exit_status == 1
        assert {row["errorCode"] for row in ran.results[:20]} == {"contact.exists"}
        assert ran.results[0]["ref"] == server.contacts[order(0)][0]["ref"]
    assert ran.statuses == ["rejected"] * 20 + ["exists"] * 10
    assert len(writes(server)) == 10


def test_an_order_is_read_once(workplace: Workplace, server: ReferenceServer) -> None:
    """However many rows it has; a row that this run created counts as there."""
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
def test_who_is_the_same_person(
    workplace: Workplace,
    server: ReferenceServer,
    sent: str,
    there: dict[str, Any],
    is_same: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """By identifier, else by address, else by name and birth date."""
    pairs = there.get("identifiers", [])
    stored = there | {"identifiers": [{"provider": p, "id": i} for p, i in pairs]}
    server.store(order(1), stored)
    identifiers, _, emails = sent.partition(",")
    source = workplace.write(
        [("orderRef", "firstName", "identifiers", "emails"), (order(1), "Ann", identifiers, emails)]
    )
    ran = workplace.send(source, server, "--if-exists", "skip")
    assert ran.statuses == ["exists" if is_same else "created"]


def test_a_preview_writes_nothing(workplace: Workplace, server: ReferenceServer) -> None:
    """It says what would be created, updated and left alone, and which orders do not exist."""
    server.orders = {order(number): str(number) for number in range(29)}
    source = thirty(workplace, server)
    ran = workplace.send(source, server, "--if-exists", "update", "--dry-run")
    assert ran.exit_status == 1
    assert ran.statuses == ["valid"] * 5 + ["exists"] * 15 + ["valid"] * 9 + ["rejected"]
    assert "city" in ran.results[0]["error"]
    assert ran.results[-1]["errorCode"] == "http.404"
    assert f"{server.url} is read" in ran.stderr
    assert writes(server) == []
    assert not (workplace.directory / "results.csv.journal").exists()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(drop=True, store=True), id="dropped-stored"),
        pytest.param(Fault(status=500), id="500"),
        pytest.param(Fault(status=503), id="503"),
    ],
)
def test_creating_is_as_safe_as_ever(
    workplace: Workplace, server: ReferenceServer, fault: Fault
) -> None:
    """Exactly one contact, whatever befalls the create."""
    faults = iter([fault])
    source = thirty(workplace, server)
    server.fault_of = lambda _: next(faults, None)
    ran = workplace.send(source, server, "--if-exists", "skip")
    assert ran.exit_status == 0, ran.stderr
    assert set(server.contact_counts().values()) == {1}


class _Flaky(ReferenceServer):
    """Answers its first changes and lists with an error, the changes after carrying them out."""

    failures = 3

    def reply_to(self, request: Request) -> Reply:
        if request.method != "POST" and self.failures > 0:
            self.failures -= 1
            if request.method == "PATCH":
                super().reply_to(request)
            return 500, {"status": 500, "code": 500, "message": "Try again."}
        return super().reply_to(request)


def test_changing_and_reading_are_tried_again(workplace: Workplace) -> None:
    """A change can be sent twice without harm."""
    with _Flaky() as server:
        source = thirty(workplace, server)
        ran = workplace.send(source, server, "--if-exists", "update", "--concurrency", 2)
    assert ran.exit_status == 0, ran.stderr
    assert ran.statuses == ["updated"] * 5 + ["exists"] * 15 + ["created"] * 10


def test_a_contact_that_is_gone_is_created_again(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """The order's contacts have more weight than the journal, when they are looked at."""
    source = workplace.write([("orderRef", "firstName"), (order(1), "Ann")])
    workplace.send(source, server)
    server.contacts[order(1)].clear()
    ran = workplace.send(source, server, "--if-exists", "skip")
    assert ran.statuses == ["created"]
    assert server.contact_counts() == {order(1): 1}


ANN = {"firstName": "Ann", "emails": ["a@x.ie"], "city": "Cork"}
HEADER = ("orderRef", "firstName", "emails", "city")


def ann(workplace: Workplace, *cities: str) -> Path:
    """A file of one person in several places."""
    return workplace.write([HEADER, *((order(1), "Ann", "a@x.ie", city) for city in cities)])


@pytest.mark.parametrize("store", [True, False])
def test_a_change_without_an_answer_is_never_taken_for_a_creation(
    workplace: Workplace, server: ReferenceServer, *, store: bool
) -> None:
    """Reading tells what came of it; an undo leaves the contact alone."""
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
    """Carries out changes without an answer, and lists nothing from then on until it is told."""

    is_blind = False

    def reply_to(self, request: Request) -> Reply:
        if self.is_blind and request.method == "GET":
            return 500, {"status": 500, "code": 500, "message": "Try again."}
        if request.method == "PATCH":
            self.is_blind = True
            super().reply_to(request)
            return 500, {"status": 500, "code": 500, "message": "Try again."}
        return super().reply_to(request)


def test_a_change_that_nothing_can_tell_of_is_unknown(workplace: Workplace) -> None:
    """The next run settles it, and none takes the contact for its own."""
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


def test_a_contact_that_is_deleted_before_its_change_is_created(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """The order's contacts are read again, so it is not created blindly."""
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


def test_what_was_created_under_no_ref_is_not_created_again(workplace: Workplace) -> None:
    """Although the order's contacts do not show it: nobody knows."""
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
def test_the_ref_of_what_was_created_is_found_in_any_mode(workplace: Workplace, mode: str) -> None:
    """The journal's own contact is no other's that is there, and an undo can delete it."""
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
def test_what_was_found_is_not_created_by_a_later_run(
    workplace: Workplace, server: ReferenceServer, mode: str, status: str
) -> None:
    """The journal learns of it; yet it is nobody's own: error refuses it, an undo spares it."""
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
    """Its lists do not show what was created."""

    is_behind = True

    def _contacts(self, request: Request, order: str) -> Reply:
        return (
            (200, self._page(request, [])) if self.is_behind else super()._contacts(request, order)
        )


@pytest.mark.parametrize("mode", ["skip", "update", "error"])
def test_a_list_that_is_behind_does_not_outweigh_the_journal(
    workplace: Workplace, mode: str
) -> None:
    """What this journal has created is asked for by its ref before it is created again."""
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
def test_what_a_killed_run_left_is_looked_for_as_any_other(
    workplace: Workplace, server: ReferenceServer, mode: str
) -> None:
    """It was about to be created beside somebody who is alike: that one counts as the person."""
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


def test_a_preview_counts_with_what_the_run_itself_would_do(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Row by row it says what the run then does."""
    source = ann(workplace, "Cork", "Cork", "Cobh", "Cobh", "Cork", "Youghal")
    told = {
        "skip": ["valid", "duplicate", "exists", "duplicate", "duplicate", "exists"],
        "update": ["valid", "duplicate", "valid", "duplicate", "duplicate", "valid"],
        "error": ["valid", "duplicate", "rejected", "duplicate", "duplicate", "rejected"],
    }
    for mode, statuses in told.items():
        ran = workplace.send(source, server, "--if-exists", mode, "--dry-run")
        assert ran.statuses == statuses
        assert "not created" not in ran.out.read_text()
    assert writes(server) == []
    ran = workplace.send(source, server, "--if-exists", "update")
    done = ["created", "duplicate", "updated", "duplicate", "duplicate", "updated"]
    assert ran.statuses == done


@pytest.mark.parametrize("column", ["orderRef", "referenceId"])
def test_a_preview_finds_every_order_that_does_not_exist(workplace: Workplace, column: str) -> None:
    """However many they are; it goes on to the end."""
    with ReferenceServer(orders={order(n): order(n) for n in range(20, 30)}) as server:
        rows = ((order(n), "Ann") for n in range(30))
        source = workplace.write([(column, "firstName"), *rows])
        ran = workplace.send(source, server, "--if-exists", "skip", "--dry-run")
        assert (ran.exit_status, ran.statuses) == (1, ["rejected"] * 20 + ["valid"] * 10)
        assert {request.method for request in server.requests} == {"GET"}
    code = {"orderRef": "http.404", "referenceId": "order.not_found"}[column]
    assert {row["errorCode"] for row in ran.results[:20]} == {code}


def test_orders_that_could_be_read_show_that_the_destination_is_right(
    workplace: Workplace,
) -> None:
    """A few that do not exist stop no run then, even if nothing had to be created so far."""
    with ReferenceServer(orders={order(0): ""}) as server:
        rows = ((order(n), "Ann") for n in range(8))
        source = workplace.write([("orderRef", "firstName"), *rows])
        server.fault_of = lambda _: Fault(status=400)
        ran = workplace.send(source, server, "--if-exists", "skip", "--concurrency", 1)
    assert (ran.exit_status, ran.statuses) == (1, ["rejected"] * 8)


@pytest.mark.parametrize(
    "answer", [500, 429, "<html>", [{"href": "x"}], [{"ref": "x", "href": "x"}]]
)
def test_a_contact_whose_order_cannot_be_read_is_not_sent(
    workplace: Workplace, answer: object
) -> None:
    """Nobody knows whether it is there."""

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


def test_all_pages_of_an_order_are_looked_at(workplace: Workplace, server: ReferenceServer) -> None:
    """The last of forty contacts is found as the first is."""
    for number in range(40):
        server.store(order(1), person(number))
    rows = ((order(1), f"Name {n}", f"p{n}@example.com", "Dublin", f"CRM:{n}") for n in (0, 39, 40))
    ran = workplace.send(workplace.write([FIELDS, *rows]), server, "--if-exists", "skip")
    assert ran.statuses == ["exists", "exists", "created"]
    assert server.contact_counts() == {order(1): 41}


def test_several_contacts_of_one_person(workplace: Workplace, server: ReferenceServer) -> None:
    """Nobody can tell which is to be changed; one that is equal already needs no change."""
    refs = [server.store(order(1), ANN | {"city": city})["ref"] for city in ("Cork", "Cobh")]
    ran = workplace.send(ann(workplace, "Dublin"), server, "--if-exists", "update")
    assert [row["errorCode"] for row in ran.results] == ["contact.ambiguous"]
    assert all(ref in ran.results[0]["error"] for ref in refs)
    ran = workplace.send(ann(workplace, "Cobh"), server, "--if-exists", "update")
    assert (ran.statuses, ran.results[0]["ref"]) == (["exists"], refs[1])
    assert writes(server) == []


def test_what_is_blank_in_the_file_is_not_cleared(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """And what is only written in another way is no difference."""
    fields = {"title": "Ms", "country": "ie", "gender": "FEMALE", "emails": ["B@x.ie", "A@X.IE"]}
    server.store(order(1), ANN | fields | {"dateOfBirth": "1991-01-01T00:00:00.000+00:00"})
    header = (*HEADER, "country", "gender", "dateOfBirth", "title")
    rows = [(order(1), "Ann", "a@x.ie;b@x.ie", "", "IE", "female", "1991-01-01", "")]
    ran = workplace.send(workplace.write([header, *rows]), server, "--if-exists", "update")
    assert ran.statuses == ["exists"]
    assert writes(server) == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["skip", "update"])
def test_kills_and_lost_answers_harm_nobody(
    workplace: Workplace, server: ReferenceServer, mode: str
) -> None:
    """One contact each in the end, and an undo of all runs deletes what they created alone."""
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
    told = []
    for _ in range(6):
        more = len(server.requests) + random.randint(5, 80)
        given = (source, "--base-url", server.url, "--out", workplace.out, "--if-exists", mode)
        process = workplace.start(*given)
        while len(server.requests) < more and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.communicate()
        told += Ran(0, "", "", workplace.out).results if workplace.out.exists() else []
    server.fault_of = server.contact_fault_of = lambda _: None
    ran = workplace.send(source, server, "--if-exists", mode)
    assert ran.exit_status == 0, ran.stderr
    assert server.contact_counts() == {order(n): 1 for n in range(60)}
    there = {one["ref"]: one for found in server.contacts.values() for one in found}
    assert [row["ref"] for row in ran.results] == [
        server.contacts[order(n)][0]["ref"] for n in range(60)
    ]
    told += ran.results
    assert {row["ref"] for row in told if row["status"] == "created"}.isdisjoint(others)
    for ref, contact in others.items():
        now = dict(there[ref], modifiedAt=contact["modifiedAt"])
        assert now == (contact | {"city": "Dublin"} if mode == "update" else contact)
    workplace.undo(server)
    assert others.keys() <= {one["ref"] for found in server.contacts.values() for one in found}
