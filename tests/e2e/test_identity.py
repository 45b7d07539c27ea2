"""Identifiers that people share and guests that identifiers share are reported."""

import json
import re
from pathlib import Path

import pytest
from command import Workplace, order
from servers.reference import Fault, ReferenceServer, Request

FIELDS = ("orderRef", "firstName", "lastName", "identifiers")
GUEST = "8b4de2a0-7d0e-4e8b-9d0a-5a2f0c3d4e5f"


def people(workplace: Workplace, *rows: tuple[str, str, str]) -> Path:
    """A file of people, each on an order of its own; the first is in line 2."""
    return workplace.write([FIELDS, *((order(n), *row) for n, row in enumerate(rows, 1))])


def guest_of_all(server: ReferenceServer) -> None:
    """Let the server link every new contact to one guest."""

    def link(request: Request) -> Fault:
        contact = server.store(request.order_ref, json.loads(request.body))
        contact["guest"] = {"href": f"{server.url}/v2.1/guests/{GUEST}"}
        return Fault(status=201, body=json.dumps(contact).encode())

    server.fault_of = link


def test_identifier_of_different_people_is_a_warning_with_lines(workplace: Workplace) -> None:
    """In the log, the summary and the report, without the id; a blank id is none."""
    source = people(
        workplace,
        ("Ann", "Lee", "CRM:0"),
        ("Jose\u0301", "Ray", "CRM:31337"),
        ("Bob", "Ray", "CRM:0"),
        ("Jos\u00e9", "Ray", "CRM:31337"),
        ("Cem", "Oz", "Loyalty:0"),
        ("", "Oz", "Loyalty:0"),
    )
    given = ("--base-url", "http://127.0.0.1:1", "--dry-run", "--out", workplace.out)
    ran = workplace.run(source, *given, "--summary", "summary.json", "--report", "report.html")
    assert ran.exit_status == 0, ran.stderr
    figures = workplace.figures()
    assert figures["warnings"]["identifiers.shared"] == 1
    assert figures["firstLines"]["identifiers.shared"] == [2, 4]
    assert "identifiers.shared: 1 identifier in rows of different people; first in lines 2, 4" in (
        ran.stderr
    )
    page = (workplace.directory / "report.html").read_text()
    assert "1 identifier in rows of different people; first in lines 2, 4" in page
    assert not re.search(r"31337|CRM:|Ann", ran.stderr)


@pytest.mark.parametrize("ids", [("CRM:1", "CRM:2"), ("CRM:1", "Loyalty:9")])
def test_guest_of_different_identifiers_is_named(
    workplace: Workplace, server: ReferenceServer, ids: tuple[str, str]
) -> None:
    """Also by the next run, which knows the guests from the journal."""
    guest_of_all(server)
    source = people(workplace, ("Ann", "Lee", ids[0]), ("Bob", "Ray", ids[1]))
    for status in ("created", "exists"):
        ran = workplace.send(source, server, "--summary", "summary.json")
        assert ran.statuses == [status] * 2, ran.stderr
        figures = workplace.figures()
        assert figures["warnings"]["guests.shared"] == 1
        assert figures["sharedGuests"] == [GUEST]
        assert "guests.shared: 1 guest with contacts of different identifiers" in ran.stderr


def test_guest_of_the_same_identifiers_is_not_shared(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Also when a contact has more of them than another."""
    guest_of_all(server)
    source = people(
        workplace,
        ("Ann", "Lee", "CRM:1"),
        ("Ann", "Lee", "CRM:1; Loyalty:9"),
        ("Ann", "Lee", "Loyalty:9"),
        ("Bob", "Ray", ""),
    )
    ran = workplace.send(source, server, "--summary", "summary.json")
    assert ran.statuses == ["created"] * 4, ran.stderr
    assert "guests.shared" not in workplace.figures()["warnings"]


def test_columns_of_each_field_are_reported(workplace: Workplace) -> None:
    """In the summary, in the report and, with -v, in the log."""
    header = ("Order Ref", "Vorname", "crm_id", "Loyalty no", "emails1", "emails2", "notes", "x")
    source = workplace.write([header, (order(1), "Ann", "1", "2", "", "a@example.com", "n", "m")])
    ran = workplace.run(
        source, "--base-url", "http://127.0.0.1:1", "--dry-run", "-v", "--out", workplace.out,
        "--map", "firstName=Vorname", "--identifier", "CRM=crm_id", "--identifier",
        "Loyalty=Loyalty no", "--summary", "summary.json", "--report", "report.html",
    )  # fmt: skip
    assert ran.exit_status == 0, ran.stderr
    figures = workplace.figures()
    assert figures["columns"] == {
        "orderRef": ["Order Ref"],
        "firstName": ["Vorname"],
        "emails": ["emails1", "emails2"],
        "identifiers": ["crm_id", "Loyalty no"],
    }
    assert figures["ignoredColumns"] == ["notes", "x"]
    assert "identifiers: crm_id, Loyalty no" in ran.stderr
    page = (workplace.directory / "report.html").read_text()
    assert "<h2>Columns</h2>" in page
    assert "Loyalty no" in page
    assert "Not used:" in page
