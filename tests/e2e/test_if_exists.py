"""Contacts that are there already: left alone, changed or refused, and never created twice."""

import json
from pathlib import Path
from typing import Any

import pytest
from command import Workplace, order
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
